//! The audit is the steward's own program, run beside its store: this command finds and starts it.

use crate::process::sibling;
use crate::state::{State, steward_name};
use anyhow::{Context, Result, bail};
use rochdale_core::ids::StewardId;
use serde_json::Value;
use std::process::Command;

/// What an audit gave.
pub struct Audited {
    /// Whether everything agrees.
    pub agrees: bool,
    /// The report as JSON.
    pub report: Value,
}

/// Recomputes the ledger from chain data and the store of `steward`, which is only read.
pub fn run(state: &State, steward: StewardId) -> Result<Audited> {
    let config = state.steward(steward).join("steward.toml");
    if !config.exists() {
        bail!("{} is not there: {} was never founded here", config.display(), steward_name(steward));
    }
    let mut command = Command::new(sibling("rochdale-steward")?);
    let output = command.arg("audit").arg("--config").arg(&config).arg("--json").output()?;
    let report = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("the audit gave no report: {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(Audited { agrees: output.status.success(), report })
}
