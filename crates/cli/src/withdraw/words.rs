//! What is said of a withdrawal that was handed to the stewards.

use super::{Handed, Heard, is_done};
use crate::wallet::{Kind, Withdrawal};
use crate::when::{count, utc};
use rochdale_api::client::ClientError;
use rochdale_api::denial::ConsentStanding;
use rochdale_core::ids::StewardId;
use serde_json::{Value, json};

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Revoke => "withdrawal",
        Kind::Erase => "erasure",
    }
}

/// `steward 1`, `stewards 1 and 2`, `stewards 1, 2 and 3`.
fn stewards(ids: &[StewardId]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    match &ids[..] {
        [] => "no steward".to_owned(),
        [one] => format!("steward {one}"),
        [all @ .., last] => format!("stewards {} and {last}", all.join(", ")),
    }
}

pub(super) fn silent<T>(id: StewardId, said: &Result<T, ClientError>) -> String {
    let why = said.as_ref().err().map(ToString::to_string).unwrap_or_default();
    format!("steward {id}: {why}")
}

/// Whether so many are enough that nobody opens anything.
fn enough(holding: usize, needed: usize) -> String {
    if holding >= needed {
        format!(
            "It takes {} that release nothing until nobody can open a record of yours any more, for a question or a score: it is so now. What \
             was released before stays with who got it.",
            count(needed as u64, "steward")
        )
    } else {
        format!(
            "That is not enough: the others can still open your records, until {} know of it. Those who do tell the others by themselves.",
            count(needed as u64, "steward")
        )
    }
}

/// What it means until it is on chain.
fn meanwhile(withdrawal: &Withdrawal) -> String {
    let ends = withdrawal.requests.iter().map(|request| request.deadline).max().unwrap_or_default();
    let destroyed = match withdrawal.kind {
        Kind::Revoke => "",
        Kind::Erase => " Nothing is destroyed, and the membership goes on, before that.",
    };
    format!(
        "It is on chain once the gateway takes it from the stewards, who go on giving it to the gateway until {}; the ledger counts you as \
         consenting until then.{destroyed}",
        utc(ends)
    )
}

/// What came of handing it over.
pub(super) fn handed(name: &str, handed: &Handed, why: &str) -> (Value, String) {
    let Handed { withdrawal, refused, needed } = handed;
    let taken = &withdrawal.taken_by;
    let refusals: Vec<Value> = refused.iter().map(|(id, why)| json!({ "steward": id, "error": why })).collect();
    let value = json!({
        "on_chain": false,
        "withdrawal": withdrawal,
        "gateway": why,
        "taken_by": taken,
        "refused": refusals,
        "needed": needed,
        "can_be_opened": taken.len() < *needed,
    });
    let lines: String = refused.iter().map(|(id, why)| format!("\n  steward {id} did not take it: {why}")).collect();
    let sentence = format!(
        "the gateway did not do it: {why}\nThe {} was handed to the stewards: {} took it. Nothing of {name}'s is opened by them from now on.{lines}\n{}\n{}\n\
         Look again: `rochdale member show --name {name}`",
        noun(withdrawal.kind),
        stewards(taken),
        enough(taken.len(), *needed),
        meanwhile(withdrawal)
    );
    (value, sentence)
}

/// What became of it.
pub(super) fn standing(
    kept: &Withdrawal,
    heard: &[Heard<ConsentStanding>],
    needed: usize,
    done: bool,
) -> (Value, String) {
    let erases = kept.kind == Kind::Erase;
    let holds = |said: &ConsentStanding| {
        is_done(kept.kind, &said.consent) || said.withdrawals.iter().any(|held| held.erases || !erases)
    };
    let holding: Vec<StewardId> =
        heard.iter().filter(|(_, said)| said.as_ref().is_ok_and(holds)).map(|(id, _)| *id).collect();
    let value = json!({
        "kind": kept.kind,
        "on_chain": done,
        "held_by": holding,
        "needed": needed,
        "can_be_opened": !done && holding.len() < needed,
        "requests": kept.requests,
    });
    let what = noun(kept.kind);
    let sentence = if done {
        format!("the {what} that was handed to the stewards is on chain")
    } else if holding.is_empty() {
        format!(
            "the {what} that was handed to the stewards on {} is neither on chain nor held by a steward that answers: another statement took \
             its number; type it again",
            utc(kept.at)
        )
    } else {
        format!(
            "the {what} was handed over on {}; {} know of it and open nothing. {}\n{}",
            utc(kept.at),
            stewards(&holding),
            enough(holding.len(), needed),
            meanwhile(kept)
        )
    };
    (value, sentence)
}

/// A membership as the stewards see it.
pub(super) fn without_gateway(
    name: &str,
    heard: &[Heard<ConsentStanding>],
    withdrawal: Option<(Value, String)>,
    why: &str,
) -> (Value, String) {
    let (mut values, mut lines) = (Vec::new(), String::new());
    for (id, said) in heard {
        match said {
            Ok(said) => {
                values.push(json!(said));
                let ended = if said.active { "" } else { ", the membership ended" };
                lines += &format!("\n  steward {id} sees: consent {}{ended}, as of {}", said.consent, utc(said.now));
            }
            Err(error) => {
                values.push(json!({ "steward": id, "error": error.to_string() }));
                lines += &format!("\n  {}", silent(*id, said));
            }
        }
    }
    let (state, told) = withdrawal.map_or((Value::Null, String::new()), |(value, told)| (value, format!("\n{told}")));
    let value = json!({ "name": name, "gateway": why, "stewards": values, "withdrawal": state });
    (value, format!("{why}\nof {name} the stewards tell:{lines}{told}"))
}
