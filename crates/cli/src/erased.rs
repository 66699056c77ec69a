//! What stewards signed of an erasure, in words.

use crate::coop::Coop;
use crate::member as members;
use crate::when::{count, utc};
use anyhow::Result;
use rochdale_core::ids::MemberId;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// How long the stewards are waited for after an erasure.
const ATTESTING: Duration = Duration::from_secs(20);

/// What the stewards signed of an erasure.
pub async fn erasure(coop: &Coop, member: MemberId) -> Result<(Value, String)> {
    let (mut values, mut sentences, mut destroyed) = (Vec::new(), String::new(), 0);
    for (steward, word) in members::erasure(coop, member).await? {
        match word {
            Ok(word) => {
                // Who was seated after the record came held nothing of it: those who left may.
                destroyed += usize::from(word.shares > 0);
                let rest = match &word.complete {
                    Some(complete) => format!("the rest is gone since {}", utc(complete.at)),
                    None => "what the ledger still needs goes once it is settled".to_owned(),
                };
                writeln!(
                    sentences,
                    "steward {steward} destroyed {} at {}; {rest}",
                    count(word.shares, "share"),
                    utc(word.at)
                )?;
                values.push(json!(word));
            }
            Err(error) => {
                writeln!(sentences, "steward {steward} has not signed: {error}")?;
                values.push(json!({ "steward": steward, "error": error.to_string() }));
            }
        }
    }
    let needed = coop.site().deletions_needed();
    let so = match destroyed {
        0 => "no steward in office held a share that it destroyed; one that left office destroys what it has by itself",
        enough if enough >= needed => "nobody can open the records",
        _ => "the records can still be opened",
    };
    write!(sentences, "{destroyed} of {needed} deletions that suffice: {so}")?;
    let value = json!({ "words": values, "needed": needed, "can_be_opened": destroyed < needed });
    Ok((value, sentences))
}

/// The same right after it was asked for: the stewards are given a moment to destroy what they hold.
pub async fn attested(coop: &Coop, member: MemberId) -> Result<(Value, String)> {
    let start = Instant::now();
    loop {
        let (value, sentences) = erasure(coop, member).await?;
        let all = value["words"].as_array().is_some_and(|words| words.iter().all(|word| word.get("error").is_none()));
        if all || start.elapsed() > ATTESTING {
            return Ok((value, sentences));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
