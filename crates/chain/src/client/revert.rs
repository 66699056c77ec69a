//! A reverted call, told by the names that the contracts gave their errors.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use alloy::dyn_abi::{DynSolType, DynSolValue};
use alloy::primitives::{Bytes, FixedBytes, Selector, hex};
use alloy::sol_types::{GenericContractError, SolInterface as _};
use alloy::transports::TransportError;

use crate::bindings;

/// Signatures of all custom errors of all contracts, by selector.
static SIGNATURES: LazyLock<HashMap<[u8; 4], &'static str>> =
    LazyLock::new(|| bindings::error_signatures().into_iter().collect());

/// Why a call reverted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revert {
    name: String,
    text: String,
    data: Bytes,
}

impl Revert {
    /// Decodes revert data.
    #[must_use]
    pub fn decode(data: Bytes) -> Self {
        let (name, text) = custom(&data).or_else(|| builtin(&data)).unwrap_or_else(|| {
            let text =
                if data.is_empty() { "reverted without a reason".to_owned() } else { format!("unknown error {data}") };
            (String::new(), text)
        });
        Self { name, text, data }
    }

    /// The revert inside a transport error, if it is one.
    #[must_use]
    pub fn from_transport(error: &TransportError) -> Option<Self> {
        let payload = error.as_error_resp()?;
        if let Some(data) = payload.as_revert_data() {
            return Some(Self::decode(data));
        }
        (payload.code == 3 || payload.message.contains("revert")).then(|| Self::decode(Bytes::new()))
    }

    /// The error's name, such as `LicenseSale_NotApproved`; `Error` for a plain reason, empty where there is none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The data as returned.
    #[must_use]
    pub fn data(&self) -> &Bytes {
        &self.data
    }
}

impl fmt::Display for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The name of the custom error with this selector.
fn name_of(selector: [u8; 4]) -> Option<&'static str> {
    SIGNATURES.get(&selector).and_then(|s| s.split('(').next())
}

fn custom(data: &[u8]) -> Option<(String, String)> {
    let (selector, arguments) = data.split_first_chunk::<4>()?;
    let signature = SIGNATURES.get(selector)?;
    let open = signature.find('(')?;
    let (name, types) = signature.split_at(open);
    let text = match DynSolType::parse(types).ok()?.abi_decode_params(arguments) {
        Ok(DynSolValue::Tuple(values)) => {
            let shown: Vec<String> = values.iter().map(show).collect();
            format!("{name}({})", shown.join(", "))
        }
        _ => format!("{name}({})", hex::encode_prefixed(arguments)),
    };
    Some((name.to_owned(), text))
}

fn builtin(data: &[u8]) -> Option<(String, String)> {
    match GenericContractError::abi_decode(data).ok()? {
        GenericContractError::Revert(reason) => Some(("Error".to_owned(), reason.reason)),
        GenericContractError::Panic(panic) => Some(("Panic".to_owned(), panic.to_string())),
        GenericContractError::CustomError(never) => match never {},
    }
}

fn show(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Address(a) => a.to_string(),
        DynSolValue::Bool(b) => b.to_string(),
        DynSolValue::Uint(n, _) => n.to_string(),
        DynSolValue::Int(n, _) => n.to_string(),
        DynSolValue::String(s) => format!("{s:?}"),
        DynSolValue::FixedBytes(word, 4) => show_selector(Selector::from_slice(&word[..4])),
        DynSolValue::FixedBytes(word, size) => hex::encode_prefixed(&word[..*size]),
        DynSolValue::Bytes(bytes) => hex::encode_prefixed(bytes),
        DynSolValue::Tuple(all) | DynSolValue::Array(all) | DynSolValue::FixedArray(all) => {
            let shown: Vec<String> = all.iter().map(show).collect();
            format!("[{}]", shown.join(", "))
        }
        other => format!("{other:?}"),
    }
}

/// Four bytes are often the selector of the error of one item in a batch.
fn show_selector(selector: FixedBytes<4>) -> String {
    name_of(selector.0).map_or_else(|| selector.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::{Address, U256};
    use alloy::sol_types::{Panic, Revert as Reason, SolError as _};

    use crate::bindings::{ContributionRegistry, Market};

    fn decode(data: Vec<u8>) -> (String, String) {
        let revert = Revert::decode(data.into());
        (revert.name().to_owned(), revert.to_string())
    }

    #[test]
    fn custom_errors_are_told_by_name_and_arguments() {
        let researcher = Address::repeat_byte(0x11);
        let error = Market::LicenseSale_NotApproved { researcher, purpose: 42 };
        let (name, text) = decode(error.abi_encode());
        assert_eq!(name, "LicenseSale_NotApproved");
        assert_eq!(text, format!("LicenseSale_NotApproved({researcher}, 42)"));
    }

    #[test]
    fn a_selector_among_the_arguments_is_told_by_name() {
        let inner = ContributionRegistry::ContributionRegistry_LengthMismatch::SELECTOR.into();
        let error = ContributionRegistry::ContributionRegistry_Refused { index: U256::from(3), reason: inner };
        let (_, text) = decode(error.abi_encode());
        assert_eq!(text, "ContributionRegistry_Refused(3, ContributionRegistry_LengthMismatch)");
    }

    #[test]
    fn what_is_not_ours_is_told_as_well_as_it_can_be() {
        let reason = Reason::from("no entry".to_owned());
        assert_eq!(decode(reason.abi_encode()), ("Error".to_owned(), "no entry".to_owned()));
        let (name, text) = decode(Panic { code: U256::from(0x11) }.abi_encode());
        assert_eq!(name, "Panic");
        assert!(text.contains("overflow"), "{text}");
        assert_eq!(decode(Vec::new()), (String::new(), "reverted without a reason".to_owned()));
        assert_eq!(decode(vec![0xde, 0xad, 0xbe, 0xef]).1, "unknown error 0xdeadbeef");
        // A known selector whose arguments are cut short is still named.
        let cut = Market::LicenseSale_NotApproved::SELECTOR.to_vec();
        assert_eq!(decode(cut).0, "LicenseSale_NotApproved");
    }
}
