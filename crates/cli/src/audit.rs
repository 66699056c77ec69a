//! The audit is the steward's own program, run beside its store: this command finds and starts it.

use crate::process::sibling;
use crate::state::{State, steward_name};
use crate::when::count;
use anyhow::{Context, Result, bail};
use rochdale_core::ids::StewardId;
use rochdale_core::money::{DataWei, GovWei, MicroUsdc};
use serde_json::Value;
use std::process::Command;

/// What an audit gave.
pub struct Audited {
    /// Whether everything agrees.
    pub agrees: bool,
    /// The report as JSON.
    pub report: Value,
}

/// What an audit found, in lines, each with its end.
pub fn told(report: &Value) -> String {
    let of = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let count = |field: &str, thing: &str| count(report[field].as_u64().unwrap_or_default(), thing);
    let mut lines = vec![format!(
        "{} and {} recomputed; the last root is {}",
        count("epoch", "epoch"),
        count("rows", "row"),
        of(report, "root")
    )];
    for check in report["checks"].as_array().into_iter().flatten() {
        let mark = if check["holds"] == true { "ok     " } else { "DIFFERS" };
        let [name, left, relation, right] = ["name", "left", "relation", "right"].map(|field| of(check, field));
        lines.push(format!("  {mark} {name}: {} {relation} {}", amount(&name, &left), amount(&name, &right)));
    }
    lines.extend(
        report["lines"].as_array().into_iter().flatten().filter_map(|line| Some(format!("  {}", line.as_str()?))),
    );
    lines.extend(report["difference"].as_str().map(|difference| format!("  DIFFERS {difference}")));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// An amount in the unit that the check is of.
fn amount(name: &str, digits: &str) -> String {
    let of = |unit: &str| name.split(' ').next() == Some(unit);
    match digits.parse::<u128>() {
        Ok(amount) if of("USDC") => MicroUsdc(amount).to_string(),
        Ok(amount) if of("DATA") => DataWei(amount).to_string(),
        Ok(amount) if of("GOV") => GovWei(amount).to_string(),
        _ => digits.to_owned(),
    }
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

#[cfg(test)]
mod tests {
    use super::told;
    use serde_json::json;

    #[test]
    fn an_audit_is_told_in_lines_with_units() {
        let check = |name: &str, left: &str, right: &str, holds: bool| json!({ "name": name, "left": left, "relation": "<=", "right": right, "holds": holds });
        let report = json!({
            "epoch": 2, "rows": 1, "root": "0xab", "lines": ["member 7 differs"], "difference": "epoch 3: root",
            "checks": [check("USDC claimed", "1500000", "2000000", true), check("DATA minted", "2000000000000000000", "5", false)],
        });
        assert_eq!(
            told(&report),
            "2 epochs and 1 row recomputed; the last root is 0xab\n  ok      USDC claimed: 1.50 USDC <= 2.00 USDC\n  \
             DIFFERS DATA minted: 2.00 DATA <= 0.000000000000000005 DATA\n  member 7 differs\n  DIFFERS epoch 3: root\n"
        );
    }
}
