//! A call by its words.

use rochdale_chain::gov::CallSpec;
use serde_json::Value;

/// A call of a contract's function, with its arguments by their names.
pub fn spec(contract: &str, function: &str, args: Value) -> CallSpec {
    let args = match args {
        Value::Object(args) => args.into_iter().collect(),
        _ => std::collections::BTreeMap::new(),
    };
    CallSpec { contract: contract.to_owned(), function: function.to_owned(), args, value: 0 }
}
