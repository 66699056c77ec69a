//! From what a person types to the calls of a proposal.

use super::args::ProposeCommand;
use super::call::spec;
use crate::state::{called, input};
use alloy::primitives::keccak256;
use anyhow::{Context, Result, bail};
use rochdale_chain::bindings::DatasetCatalog;
use rochdale_chain::client::Chain;
use rochdale_chain::deploy::{CoopConfig, Manifest};
use rochdale_chain::gov::{CallSpec, params_argument};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::Path;

/// The calls in a file, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    why: Option<String>,
    calls: Vec<CallSpec>,
}

/// The calls that were asked for, and why, where a file says it.
pub async fn calls(
    chain: &Chain,
    manifest: &Manifest,
    what: &ProposeCommand,
) -> Result<(Option<String>, Vec<CallSpec>)> {
    let one = match what {
        ProposeCommand::File { path } => {
            let File { why, calls } = read(path)?;
            return Ok((why, calls));
        }
        ProposeCommand::Call { contract, function, args } => spec(contract, function, named(args)?),
        ProposeCommand::Split { buyback, operations, compliance, reserve } => {
            let args =
                json!({ "buyback": buyback, "operations": operations, "compliance": compliance, "reserve": reserve });
            spec("Treasury", "setSplit", args)
        }
        ProposeCommand::Price { dataset, price, closed } => {
            let call = DatasetCatalog::datasetOfCall { id: dataset.0 };
            let now = chain.view(manifest.addresses.dataset_catalog, &call).await;
            let now = now.with_context(|| format!("dataset {dataset} is not published; propose it by `call`"))?;
            let price = u128::from(*price) * 1_000_000;
            let offer = json!({
                "dataType": now.dataType, "source": now.source, "pricePerThousand": price.to_string(),
                "termsHash": now.termsHash, "open": !closed, "auctioned": false,
            });
            spec("DatasetCatalog", "publish", json!({ "id": dataset, "d": offer }))
        }
        ProposeCommand::Params { config } => {
            let founding: CoopConfig = read(config)?;
            spec("SettlementLedger", "setParams", json!({ "p": params_argument(&founding.ledger) }))
        }
        ProposeCommand::Stewards { config } => {
            let config: CoopConfig = read(config)?;
            let seat = |s: &rochdale_chain::events::Seat| json!({ "signer": s.signer, "sealingKey": s.sealing_key });
            let seats: Vec<Value> = config.actors.stewards.iter().map(seat).collect();
            spec("StewardCommittee", "seat", json!({ "seats": seats, "quorum": config.actors.quorum }))
        }
        ProposeCommand::Expel { member, reason } => {
            let args = json!({ "memberId": member, "reasonHash": keccak256(reason) });
            spec("Membership", "expel", args)
        }
        ProposeCommand::Upgrade { contract, implementation } => {
            spec(contract, "upgradeToAndCall", json!({ "newImplementation": implementation, "data": "0x" }))
        }
        ProposeCommand::Money(proposal) => proposal.call(chain).await?,
    };
    Ok((None, vec![one]))
}

/// `name=value` pairs; a value that is JSON is taken as such, so that structs and lists can be given.
fn named(args: &[String]) -> Result<Value> {
    let mut found = Map::new();
    for arg in args {
        let Some((name, text)) = arg.split_once('=') else { bail!("`{arg}` is not name=value") };
        let value = match serde_json::from_str::<Value>(text) {
            Ok(value @ (Value::Object(_) | Value::Array(_) | Value::Bool(_))) => value,
            _ => Value::String(text.to_owned()),
        };
        if found.insert(name.to_owned(), value).is_some() {
            bail!("`{name}` is given twice");
        }
    }
    Ok(Value::Object(found))
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = String::from_utf8(input(path)?).with_context(|| format!("{} is no text", called(path)))?;
    toml::from_str(&text).with_context(|| format!("{} is not understood", called(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_words_numbers_lists_and_structs() {
        let args = ["a=5", "b=0x12", "open=true", "d={\"x\":1}", "l=[1,2]", "s="].map(str::to_owned);
        let expected = json!({ "a": "5", "b": "0x12", "open": true, "d": { "x": 1 }, "l": [1, 2], "s": "" });
        assert_eq!(named(&args).unwrap(), expected);
        assert!(named(&["plain".to_owned()]).unwrap_err().to_string().contains("name=value"));
        assert!(named(&["a=1".to_owned(), "a=2".to_owned()]).unwrap_err().to_string().contains("twice"));
    }

    #[test]
    fn the_sample_proposal_is_read() {
        let text = include_str!("../../../../docs/samples/proposal.toml");
        let file: File = toml::from_str(text).unwrap();
        assert!(file.why.is_none() && file.calls.len() >= 2);
    }
}
