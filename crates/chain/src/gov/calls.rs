//! Calls by the words of the contracts: a contract's name, a function's name, its arguments by their names.

use std::collections::BTreeMap;

use alloy::dyn_abi::{DynSolType, DynSolValue, JsonAbiExt as _, Specifier as _};
use alloy::json_abi::{Function, JsonAbi, Param};
use alloy::primitives::{U256, hex};
use rochdale_core::ledger::Params;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Book;
use crate::house::Call;

/// One call of a proposal, as a person writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallSpec {
    /// The contract's name, such as `Treasury`.
    pub contract: String,
    /// The function's name, or its signature where several have one name.
    pub function: String,
    /// Arguments by name; numbers above 2^53 as strings, structs as tables, in any order.
    #[serde(default)]
    pub args: BTreeMap<String, Value>,
    /// Wei sent along.
    #[serde(default)]
    pub value: u64,
}

/// Why a call cannot be encoded.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CallError {
    /// No such contract.
    #[error("the cooperative has no contract {found:?}; it has {known}")]
    NoContract {
        /// As written.
        found: String,
        /// What there is.
        known: String,
    },
    /// No such function.
    #[error("{contract} has no function {found:?} that changes anything; it has {known}")]
    NoFunction {
        /// The name of the contract.
        contract: String,
        /// As written.
        found: String,
        /// What there is.
        known: String,
    },
    /// A function of several signatures.
    #[error("{contract}.{found} stands for several functions; name one by its signature: {known}")]
    Ambiguous {
        /// The name of the contract.
        contract: String,
        /// As written.
        found: String,
        /// Their signatures.
        known: String,
    },
    /// An argument.
    #[error("{at}: {what}")]
    Argument {
        /// Path to it, such as `publish.d.open`.
        at: String,
        /// What is wrong with it.
        what: String,
    },
}

impl CallSpec {
    /// Encodes the call for the contracts of `book`.
    ///
    /// # Errors
    /// Where contract, function or arguments do not exist, or an argument is of another type.
    pub fn encode(&self, book: &Book) -> Result<Call, CallError> {
        let entry = book
            .by_name(&self.contract)
            .ok_or_else(|| CallError::NoContract { found: self.contract.clone(), known: book.names().join(", ") })?;
        let function = find(&self.contract, entry.abi, &self.function)?;
        let values = fields(&function.name, &function.inputs, &self.args.clone().into_iter().collect())?;
        let at = || function.name.clone();
        let data =
            function.abi_encode_input(&values).map_err(|e| CallError::Argument { at: at(), what: e.to_string() })?;
        Ok(Call { target: entry.address, value: U256::from(self.value), data: data.into() })
    }
}

fn find<'a>(contract: &str, abi: &'a JsonAbi, wanted: &str) -> Result<&'a Function, CallError> {
    use alloy::json_abi::StateMutability::{NonPayable, Payable};
    let changing = |f: &&Function| matches!(f.state_mutability, NonPayable | Payable);
    let found: Vec<&Function> =
        abi.functions().filter(changing).filter(|f| f.name == wanted || f.signature() == wanted).collect();
    let signatures = |list: &[&Function]| list.iter().map(|f| f.signature()).collect::<Vec<_>>().join(", ");
    match found[..] {
        [one] => Ok(one),
        [] => {
            let known: Vec<&str> = abi.functions().filter(changing).map(|f| f.name.as_str()).collect();
            Err(CallError::NoFunction {
                contract: contract.to_owned(),
                found: wanted.to_owned(),
                known: known.join(", "),
            })
        }
        _ => Err(CallError::Ambiguous {
            contract: contract.to_owned(),
            found: wanted.to_owned(),
            known: signatures(&found),
        }),
    }
}

/// A name as people write it: contracts put an underscore behind some.
fn plain(name: &str) -> &str {
    name.trim_end_matches('_')
}

pub(crate) fn fields(
    at: &str,
    params: &[Param],
    given: &serde_json::Map<String, Value>,
) -> Result<Vec<DynSolValue>, CallError> {
    let wrong = |what: String| CallError::Argument { at: at.to_owned(), what };
    let known = || params.iter().map(|p| plain(&p.name)).collect::<Vec<_>>().join(", ");
    if let Some(surplus) = given.keys().find(|key| !params.iter().any(|p| plain(&p.name) == plain(key))) {
        return Err(wrong(format!("there is no argument {surplus:?}; there are {}", known())));
    }
    params
        .iter()
        .map(|param| {
            let name = plain(&param.name);
            let value = given.iter().find(|(key, _)| plain(key) == name).map(|(_, value)| value);
            let value = value.ok_or_else(|| wrong(format!("argument {name:?} is missing; give {}", known())))?;
            coerce(&format!("{at}.{name}"), param, value)
        })
        .collect()
}

/// The ledger's parameters as the struct that contracts take.
#[must_use]
pub fn params_argument(params: &Params) -> Value {
    // As digits: JSON numbers end at 64 bits.
    let fields = Params::NAMES.iter().zip(params.words());
    fields.map(|(name, word)| ((*name).to_owned(), Value::String(word.to_string()))).collect()
}

pub(crate) fn coerce(at: &str, param: &Param, value: &Value) -> Result<DynSolValue, CallError> {
    let wrong = |what: String| CallError::Argument { at: at.to_owned(), what };
    let kind = param.resolve().map_err(|e| wrong(e.to_string()))?;
    match (&kind, value) {
        (DynSolType::Array(_) | DynSolType::FixedArray(..), Value::Array(items)) => {
            let mut item = param.clone();
            item.ty.truncate(param.ty.rfind('[').unwrap_or(param.ty.len()));
            let items = items.iter().enumerate().map(|(n, value)| coerce(&format!("{at}[{n}]"), &item, value));
            Ok(DynSolValue::Array(items.collect::<Result<_, _>>()?))
        }
        (DynSolType::Tuple(_), Value::Object(given)) => Ok(DynSolValue::Tuple(fields(at, &param.components, given)?)),
        (DynSolType::Tuple(_), _) => Err(wrong("expected a table with the struct's fields".to_owned())),
        (DynSolType::String, Value::String(text)) => Ok(DynSolValue::String(text.clone())),
        (_, Value::String(text)) => kind.coerce_str(text).map_err(|_| wrong(format!("{text:?} is no {}", param.ty))),
        (_, Value::Number(_) | Value::Bool(_)) => {
            kind.coerce_str(&value.to_string()).map_err(|_| wrong(format!("{value} is no {}", param.ty)))
        }
        _ => Err(wrong(format!("expected {}", param.ty))),
    }
}

/// A value in one line, without units.
pub(super) fn shown(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Bool(b) => if *b { "yes" } else { "no" }.to_owned(),
        DynSolValue::Int(i, _) => i.to_string(),
        DynSolValue::Uint(u, _) => u.to_string(),
        DynSolValue::Address(a) => a.to_string(),
        DynSolValue::String(s) => format!("{s:?}"),
        DynSolValue::FixedBytes(word, size) => hex::encode_prefixed(&word[..*size]),
        DynSolValue::Bytes(b) => hex::encode_prefixed(b),
        DynSolValue::Function(f) => f.to_string(),
        DynSolValue::Array(items) | DynSolValue::FixedArray(items) | DynSolValue::Tuple(items) => {
            format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        #[allow(unreachable_patterns, reason = "variants of other features")]
        _ => format!("{value:?}"),
    }
}

/// The values inside structs, each with the name of its field; an array is one value.
pub(super) fn leaves(params: &[Param], values: &[DynSolValue]) -> Vec<(String, DynSolValue)> {
    let mut found = Vec::new();
    for (param, value) in params.iter().zip(values) {
        match value {
            DynSolValue::Tuple(inner) => found.extend(leaves(&param.components, inner)),
            value => found.push((plain(&param.name).to_owned(), value.clone())),
        }
    }
    found
}
