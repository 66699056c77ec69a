//! Accounts and keys that samples show where one's own belong: `0x1000…0001`. Nobody holds them, so nothing is founded with
//! them and no proposal names them.

use crate::failure::Failure;
use anyhow::{Result, bail};
use rochdale_chain::deploy::Actors;
use rochdale_chain::gov::CallSpec;
use serde_json::Value;

/// Whether nobody could have drawn this: nothing but zeros between the first byte and the last.
fn is_placeholder(bytes: &[u8]) -> bool {
    match bytes {
        [_, middle @ .., _] => middle.iter().all(|byte| *byte == 0),
        _ => true,
    }
}

/// Refuses actors that are a sample's, and says what to fill in.
pub fn refuse_actors(actors: &Actors) -> Result<()> {
    let office = "the account of your own, as `rochdale key new` shows it";
    let keys = "signer and sealing_key as `rochdale-steward keygen` or `rochdale-worker keygen` prints them";
    let accounts = [
        ("registrar", actors.registrar),
        ("gateway", actors.gateway),
        ("ethics_board", actors.ethics_board),
        ("guardian", actors.guardian),
    ];
    let mut missing: Vec<String> = Vec::new();
    missing.extend(
        accounts
            .iter()
            .filter(|(_, a)| is_placeholder(a.as_slice()))
            .map(|(name, a)| format!("actors.{name} = {a}: {office}")),
    );
    for (list, seats) in [("stewards", &actors.stewards), ("workers", &actors.workers)] {
        let samples =
            seats.iter().filter(|s| is_placeholder(s.signer.as_slice()) || is_placeholder(s.sealing_key.as_slice()));
        missing.extend(samples.map(|seat| format!("actors.{list}, {}: {keys}", seat.signer)));
    }
    if missing.is_empty() {
        return Ok(());
    }
    bail!(Failure::refused(format!(
        "the configuration names actors of a sample, which nobody holds the keys of: nothing was sent. Fill in\n  {}\n\
         To try it on this machine, `rochdale up --config FILE` draws all of them",
        missing.join("\n  ")
    )))
}

/// Refuses calls that name a sample's accounts or keys.
pub fn refuse_calls(calls: &[CallSpec]) -> Result<()> {
    for call in calls {
        for (name, value) in &call.args {
            if let Some(found) = in_value(value) {
                bail!(Failure::refused(format!(
                    "{}.{}: `{name}` is {found}, which a sample shows and nobody holds the key of: fill in your own",
                    call.contract, call.function
                )));
            }
        }
    }
    Ok(())
}

fn in_value(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => {
            let hex = text.strip_prefix("0x").filter(|hex| [40, 64].contains(&hex.len()))?;
            let bytes = alloy::primitives::hex::decode(hex).ok()?;
            // Zero says nobody, and small numbers may be roles: what they mean is the call's.
            (bytes.first() != Some(&0) && is_placeholder(&bytes)).then_some(text.as_str())
        }
        Value::Array(items) => items.iter().find_map(in_value),
        Value::Object(fields) => fields.values().find_map(in_value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rochdale_chain::deploy::CoopConfig;

    #[test]
    fn every_actor_of_every_sample_is_told_from_one_that_somebody_drew() {
        for sample in [
            include_str!("../../../docs/samples/local.toml"),
            include_str!("../../../docs/samples/arbitrum.toml"),
            include_str!("../../../docs/samples/polygon.toml"),
            include_str!("../../../docs/samples/testnet.toml"),
        ] {
            let mut actors = toml::from_str::<CoopConfig>(sample).unwrap().actors;
            let said = refuse_actors(&actors).unwrap_err().to_string();
            let named = said.matches("actors.").count();
            assert_eq!(named, 4 + actors.stewards.len() + actors.workers.len(), "{said}");
            let own = |n: u8| alloy::primitives::Address::repeat_byte(n);
            (actors.registrar, actors.gateway) = (own(1), own(2));
            (actors.ethics_board, actors.guardian) = (own(3), own(4));
            for (n, seat) in (5u8..).zip(actors.stewards.iter_mut().chain(&mut actors.workers)) {
                seat.signer = own(n);
                seat.sealing_key = alloy::primitives::B256::repeat_byte(n);
            }
            refuse_actors(&actors).unwrap();
        }
    }

    #[test]
    fn a_call_that_names_a_samples_account_is_refused_wherever_it_stands() {
        let sample = "0x2000000000000000000000000000000000000001";
        let call = |value: Value| CallSpec {
            contract: "StewardCommittee".to_owned(),
            function: "setGateway".to_owned(),
            args: [("gateway".to_owned(), value)].into(),
            value: 0,
        };
        for value in [serde_json::json!(sample), serde_json::json!([{ "signer": sample }])] {
            assert!(refuse_calls(&[call(value)]).unwrap_err().to_string().contains("`gateway`"));
        }
        for value in [
            serde_json::json!("0x2000000000000000000000000000000000000a01"),
            serde_json::json!(format!("0x{}", "0".repeat(40))),
        ] {
            refuse_calls(&[call(value)]).unwrap();
        }
    }
}
