//! What a call changes, in plain words: the function's effect, each value as it is and as it would be.
//!
//! The words and the way to the present values are the table [`RULES`]. A call that the table does not know is shown
//! with its arguments, one that no contract of the cooperative knows as bytes, both with a warning: nobody should vote
//! for what is not explained.

use alloy::dyn_abi::{DynSolValue, FunctionExt as _, JsonAbiExt as _};
use alloy::json_abi::Function;
use alloy::primitives::{Address, Selector, U256, hex};
use alloy::providers::Provider as _;
use alloy::rpc::types::TransactionRequest;
use rochdale_core::money::MicroUsdc;
use serde::{Deserialize, Serialize};

use super::calls::{leaves, shown};
use super::rules::{RULES, Rule, Unit};
use super::{Book, Entry};
use crate::bindings::Bucket;
use crate::client::{Chain, ChainError, Revert};
use crate::deploy::IMPLEMENTATION;
use crate::house::Call;

/// A call in plain words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// The contract's name, or its address where it is none of the cooperative's.
    pub contract: String,
    /// The address of the contract that is called.
    pub target: Address,
    /// The function's signature, or its selector where it is not known.
    pub function: String,
    /// What it does.
    pub words: String,
    /// Each value that it sets.
    pub changes: Vec<Change>,
    /// What should make a voter hesitate.
    pub warnings: Vec<String>,
}

/// A value that a call sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The argument that is changed.
    pub what: String,
    /// As it is, where the contract tells.
    pub old: Option<String>,
    /// As it would be.
    pub new: String,
}

impl std::fmt::Display for Described {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}.{})", self.words, self.contract, self.function)?;
        for change in &self.changes {
            match &change.old {
                Some(old) if *old == change.new => write!(f, "\n  {}: {old}, unchanged", change.what)?,
                Some(old) => write!(f, "\n  {}: {old} → {}", change.what, change.new)?,
                None => write!(f, "\n  {}: {}", change.what, change.new)?,
            }
        }
        self.warnings.iter().try_for_each(|warning| write!(f, "\n  WARNING: {warning}"))
    }
}

/// Describes a call as of the newest block.
///
/// # Errors
/// Where the RPC does not answer. What a contract does not tell is left out.
pub async fn describe(chain: &Chain, book: &Book, call: &Call) -> Result<Described, ChainError> {
    let mut described = match book.by_address(call.target) {
        Some(entry) => known(chain, entry, call).await?,
        None => raw(call.target.to_string(), call, "is no contract of this cooperative"),
    };
    if !call.value.is_zero() {
        described.warnings.push(format!("it sends {} wei along", call.value));
    }
    Ok(described)
}

fn raw(contract: String, call: &Call, why: &str) -> Described {
    let selector = call.data.get(..4).map_or_else(|| "no function".to_owned(), hex::encode_prefixed);
    Described {
        words: format!("calls {contract} with {} bytes: {}", call.data.len(), call.data),
        warnings: vec![format!("{contract} {why}: what this call does cannot be shown; find out before you vote")],
        target: call.target,
        function: selector,
        changes: Vec::new(),
        contract,
    }
}

async fn known(chain: &Chain, entry: &Entry, call: &Call) -> Result<Described, ChainError> {
    let Some((function, values)) = decoded(entry, call) else {
        return Ok(raw(entry.name.to_owned(), call, "has no such function, or not with these arguments"));
    };
    let rule = RULES.iter().find(|r| r.function == function.name && r.covers(entry.kind));
    let old = match rule {
        Some(rule) => present(chain, entry, rule, &values).await?,
        None => Vec::new(),
    };
    Ok(told(entry, call, (function, &values, rule), &old))
}

/// The function that a call is of, and its arguments.
fn decoded(entry: &Entry, call: &Call) -> Option<(&'static Function, Vec<DynSolValue>)> {
    let selector = Selector::from_slice(call.data.get(..4)?);
    let function = entry.abi.functions().find(|f| f.selector() == selector)?;
    Some((function, function.abi_decode_input(&call.data[4..]).ok()?))
}

/// A call that was made, by itself: what was before it is not asked for.
#[must_use]
pub fn named(book: &Book, call: &Call) -> Described {
    let Some(entry) = book.by_address(call.target) else {
        return raw(call.target.to_string(), call, "is no contract of this cooperative");
    };
    let Some((function, values)) = decoded(entry, call) else {
        return raw(entry.name.to_owned(), call, "has no such function, or not with these arguments");
    };
    let rule = RULES.iter().find(|r| r.function == function.name && r.covers(entry.kind));
    told(entry, call, (function, &values, rule), &[])
}

type Known<'a> = (&'a Function, &'a [DynSolValue], Option<&'a Rule>);

fn told(entry: &Entry, call: &Call, (function, values, rule): Known<'_>, old: &[(String, DynSolValue)]) -> Described {
    let mut warnings = Vec::new();
    if rule.is_none() {
        warnings.push("this function is not in the table of what proposals do; read its documentation".to_owned());
    }
    warnings.extend(rule.and_then(|r| r.warning).map(str::to_owned));
    let new = leaves(&function.inputs, values);
    let only = new.len() == 1 && old.len() == 1;
    let changes = new
        .iter()
        .map(|(name, value)| {
            let unit = rule.map_or(Unit::Plain, |r| r.unit(name));
            let same_name = |(other, _): &&(String, DynSolValue)| other == name;
            let found = if only { old.first() } else { old.iter().find(same_name) };
            Change {
                what: name.clone(),
                old: found.map(|(_, value)| with_unit(value, unit)),
                new: with_unit(value, unit),
            }
        })
        .collect();
    Described {
        contract: entry.name.to_owned(),
        target: call.target,
        function: function.signature(),
        words: rule.map_or_else(|| format!("calls {}", function.name), |r| r.words.to_owned()),
        changes,
        warnings,
    }
}

/// The values that a call would replace, by name; none where the contract has no getter for them.
async fn present(
    chain: &Chain,
    entry: &Entry,
    rule: &Rule,
    arguments: &[DynSolValue],
) -> Result<Vec<(String, DynSolValue)>, ChainError> {
    if rule.getter == "(implementation)" {
        let slot = chain.provider().get_storage_at(entry.address, IMPLEMENTATION.into()).await;
        let word = slot.map_err(|e| chain.error("eth_getStorageAt", &e))?;
        let at = Address::from_word(word.into());
        return Ok(vec![("newImplementation".to_owned(), DynSolValue::Address(at))]);
    }
    let Some(getter) = entry.abi.function(rule.getter).and_then(|all| all.first()) else { return Ok(Vec::new()) };
    let keys: Vec<DynSolValue> = rule.keys.iter().filter_map(|key| arguments.get(*key).cloned()).collect();
    let Ok(data) = getter.abi_encode_input(&keys) else { return Ok(Vec::new()) };
    read(chain, entry.address, getter, data).await
}

async fn read(
    chain: &Chain,
    target: Address,
    getter: &Function,
    data: Vec<u8>,
) -> Result<Vec<(String, DynSolValue)>, ChainError> {
    let request = TransactionRequest::default().to(target).input(alloy::primitives::Bytes::from(data).into());
    let answer = match chain.provider().call(request).await {
        Ok(answer) => answer,
        // There is nothing yet, as for a dataset that is published for the first time.
        Err(error) if Revert::from_transport(&error).is_some() => return Ok(Vec::new()),
        Err(error) => return Err(chain.error(&getter.signature(), &error)),
    };
    let outputs = getter.abi_decode_output(&answer).unwrap_or_default();
    Ok(leaves(&getter.outputs, &outputs))
}

fn with_unit(value: &DynSolValue, unit: Unit) -> String {
    let number = value.as_uint().map(|(number, _)| number);
    match (unit, number) {
        (Unit::Bps, Some(n)) => decimal(n, 2) + " %",
        (Unit::Usdc, Some(n)) if n <= U256::from(u128::MAX) => MicroUsdc(n.to()).to_string(),
        (Unit::Token, Some(n)) => decimal(n, 18),
        (Unit::Seconds, Some(n)) => seconds(n),
        (Unit::Bucket, Some(n)) => Bucket::named(n).map_or_else(|| shown(value), str::to_owned),
        (Unit::Time, Some(n)) => format!("{n} (Unix seconds)"),
        _ => shown(value),
    }
}

/// A number of units with `digits` digits behind the point, without trailing zeros.
fn decimal(n: U256, digits: usize) -> String {
    let unit = U256::from(10).pow(U256::from(digits));
    let (whole, part) = (n / unit, n % unit);
    if part.is_zero() {
        return whole.to_string();
    }
    let part = format!("{part:0>digits$}");
    format!("{whole}.{}", part.trim_end_matches('0'))
}

fn seconds(n: U256) -> String {
    for (length, word) in [(86_400u64, "days"), (3_600, "hours"), (60, "minutes")] {
        let length = U256::from(length);
        if !n.is_zero() && (n % length).is_zero() {
            return format!("{} {word}", n / length);
        }
    }
    format!("{n} seconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_as_people_read_them() {
        let uint = |n: u128| DynSolValue::Uint(U256::from(n), 256);
        assert_eq!(with_unit(&uint(1_500), Unit::Bps), "15 %");
        assert_eq!(with_unit(&uint(1_505), Unit::Bps), "15.05 %");
        assert_eq!(with_unit(&uint(1_500_000_000_000_000_000), Unit::Token), "1.5");
        assert_eq!(with_unit(&uint(604_800), Unit::Seconds), "7 days");
        assert_eq!(with_unit(&uint(90), Unit::Seconds), "90 seconds");
        assert_eq!(with_unit(&uint(0), Unit::Seconds), "0 seconds");
        assert_eq!(with_unit(&uint(7), Unit::Plain), "7");
        assert_eq!(with_unit(&uint(3), Unit::Bucket), "compliance");
        assert_eq!(with_unit(&uint(5), Unit::Bucket), "5");
        assert_eq!(with_unit(&DynSolValue::Bool(true), Unit::Bps), "yes", "a unit of numbers leaves others alone");
    }

    #[test]
    fn every_rule_names_functions_that_the_contracts_have() {
        for rule in RULES {
            for contract in rule.contracts {
                let Some(abi) = crate::bindings::abi(contract) else { panic!("{contract} has no ABI") };
                let function = abi.function(rule.function).unwrap_or_else(|| panic!("{contract}.{}", rule.function));
                assert_eq!(function.len(), 1, "{contract}.{}", rule.function);
                if rule.getter.is_empty() || rule.getter.starts_with('(') {
                    continue;
                }
                let getter = abi.function(rule.getter).unwrap_or_else(|| panic!("{contract}.{}", rule.getter));
                let keys: Vec<_> = rule.keys.iter().map(|key| &function[0].inputs[*key].ty).collect();
                let wanted: Vec<_> = getter[0].inputs.iter().map(|input| &input.ty).collect();
                assert_eq!(keys, wanted, "the arguments of {contract}.{}", rule.getter);
            }
        }
    }
}
