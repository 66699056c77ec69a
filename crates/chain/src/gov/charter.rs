//! What both houses approve with the same words: calls that the charter gate makes once each has said yes.
//!
//! The gate is told a hash alone. So that voters see what is behind it, the proposal's description carries the calls on
//! a line of its own, and whoever shows the proposal checks them against the hash.

use alloy::primitives::{B256, Bytes, hex, keccak256};
use alloy::sol_types::{SolCall as _, SolValue as _};

use super::Call;
use crate::bindings::CharterGate;

/// What the line in a description begins with.
const MARK: &str = "charter-calls: ";

/// Calls of the charter, with the salt that tells two equal operations apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharterCalls {
    /// In order.
    pub calls: Vec<Call>,
    /// Any word.
    pub salt: B256,
}

impl CharterCalls {
    fn encoded(&self) -> Vec<u8> {
        let call = |call: &Call| CharterGate::Call { target: call.target, value: call.value, data: call.data.clone() };
        (self.calls.iter().map(call).collect::<Vec<_>>(), self.salt).abi_encode_params()
    }

    /// What the houses approve.
    #[must_use]
    pub fn operation(&self) -> B256 {
        keccak256(self.encoded())
    }

    /// The data by which the gate is told of a house's approval.
    #[must_use]
    pub fn approval(&self) -> Bytes {
        CharterGate::approveCall { operation: self.operation() }.abi_encode().into()
    }

    /// The data by which anyone has the gate make the calls.
    #[must_use]
    pub fn execution(&self) -> Bytes {
        [CharterGate::executeCall::SELECTOR.as_slice(), &self.encoded()].concat().into()
    }

    /// A description with these calls in it.
    #[must_use]
    pub fn described(&self, words: &str) -> String {
        format!("{words}\n\n{MARK}{}", hex::encode_prefixed(self.encoded()))
    }

    /// A description without the line that carries calls.
    #[must_use]
    pub fn without(description: &str) -> String {
        let lines: Vec<&str> = description.lines().filter(|line| !line.starts_with(MARK)).collect();
        lines.join("\n").trim_end().to_owned()
    }

    /// The calls that a description carries.
    #[must_use]
    pub fn read(description: &str) -> Option<Self> {
        let line = description.lines().find_map(|line| line.strip_prefix(MARK))?;
        let data = hex::decode(line.trim()).ok()?;
        let (calls, salt) = <(Vec<CharterGate::Call>, B256)>::abi_decode_params(&data).ok()?;
        let calls = calls.into_iter().map(|call| Call { target: call.target, value: call.value, data: call.data });
        Some(Self { calls: calls.collect(), salt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::{Address, U256};

    #[test]
    fn calls_travel_in_a_description() {
        let call = Call { target: Address::repeat_byte(1), value: U256::ZERO, data: Bytes::from_static(b"abcd") };
        let charter = CharterCalls { calls: vec![call], salt: B256::repeat_byte(7) };
        let text = charter.described("Upgrade the market.\nIt was audited.");
        assert_eq!(CharterCalls::read(&text).unwrap(), charter);
        assert!(text.starts_with("Upgrade the market.\n"));
        assert_eq!(CharterCalls::without(&text), "Upgrade the market.\nIt was audited.");
        for broken in ["", "charter-calls: 0x", "charter-calls: 0x12", "no mark"] {
            assert_eq!(CharterCalls::read(broken), None, "{broken}");
        }
        let decoded = CharterGate::executeCall::abi_decode(&charter.execution()).unwrap();
        assert_eq!((decoded.calls.len(), decoded.salt), (1, charter.salt));
    }
}
