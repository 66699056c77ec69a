//! The file that the transaction builder of Safe's app reads: <https://help.safe.global/en/articles/234052>.

use super::Act;
use alloy::primitives::Address;
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes an act for a Safe; a file that is there already is left alone.
pub(super) fn write(file: &Path, chain_id: u64, safe: Address, act: &Act) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let text = serde_json::to_vec_pretty(&batch(chain_id, safe, act, u64::try_from(now.as_millis())?))?;
    let made = std::fs::File::create_new(file).and_then(|mut made| std::io::Write::write_all(&mut made, &text));
    made.with_context(|| format!("cannot write {}: name a new file", file.display()))
}

fn batch(chain_id: u64, safe: Address, act: &Act, created_ms: u64) -> Value {
    let transaction = |step: &super::Step| {
        json!({
            "to": step.to.to_checksum(None), "value": "0", "data": step.data,
            "contractMethod": null, "contractInputsValues": null,
        })
    };
    json!({
        "version": "1.0",
        "chainId": chain_id.to_string(),
        "createdAt": created_ms,
        "meta": {
            "name": act.steps.last().map_or("", |step| step.name),
            "description": act.words,
            "createdFromSafeAddress": safe.to_checksum(None),
        },
        "transactions": act.steps.iter().map(transaction).collect::<Vec<_>>(),
    })
}
