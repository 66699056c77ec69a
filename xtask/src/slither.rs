//! Slither over the contracts: a finding of medium impact or above has an answer in `contracts/SLITHER.md`, or it fails.

use crate::python;
use crate::run::root;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeSet;

const ANSWERS: &str = "contracts/SLITHER.md";

/// Runs Slither and holds what it finds against what is answered.
pub fn check() -> Result<()> {
    crate::setup::npm()?;
    let report = root().join("target/tools/slither.json");
    if report.exists() {
        std::fs::remove_file(&report)?;
    }
    let shown = report.to_string_lossy().into_owned();
    let quiet = ["--exclude-informational", "--exclude-low", "--exclude-optimization"];
    let args = [&[".", "--filter-paths", "node_modules|test/", "--json", &shown], &quiet[..]].concat();
    // Its exit code tells that there are findings, or that it broke; the report tells which.
    let run = python::tool("slither", &args)?.output().context("cannot start slither")?;
    let text = std::fs::read_to_string(&report)
        .with_context(|| format!("slither left no report:\n{}", String::from_utf8_lossy(&run.stderr)))?;
    let found = findings(&serde_json::from_str(&text)?)?;
    let answered = answers(&std::fs::read_to_string(root().join(ANSWERS)).context(ANSWERS)?);
    let open: Vec<_> = found.iter().filter(|finding| !answered.contains(finding)).collect();
    let stale: Vec<_> = answered.iter().filter(|answer| !found.contains(answer)).collect();
    if !open.is_empty() {
        bail!("{ANSWERS}: findings without an answer {open:?}");
    }
    // Not an error: where values pass through user-defined types, Slither finds the same thing in one run and not in another.
    if !stale.is_empty() {
        println!("answers without a finding in this run: {stale:?}");
    }
    println!("{} findings of medium impact or above, each answered in {ANSWERS}", found.len());
    Ok(())
}

/// Detector and dotted place, such as (`unused-return`, `Membership.join`).
type Finding = (String, String);

fn findings(report: &Value) -> Result<BTreeSet<Finding>> {
    if report["success"] != Value::Bool(true) {
        bail!("slither failed: {}", report["error"]);
    }
    let none = Vec::new();
    let detectors = report["results"]["detectors"].as_array().unwrap_or(&none);
    let known =
        detectors.iter().map(|d| (d["check"].as_str().unwrap_or_default().to_owned(), place(&d["elements"][0])));
    Ok(known.collect())
}

/// Contract, function and variable of an element, joined by dots.
fn place(element: &Value) -> String {
    let mut names = Vec::new();
    let mut at = element;
    while let Some(name) = at["name"].as_str() {
        names.push(name);
        at = &at["type_specific_fields"]["parent"];
    }
    names.reverse();
    names.join(".")
}

/// First column: the detector. Second: the places, each in backquotes.
fn answers(table: &str) -> BTreeSet<Finding> {
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.filter_map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        Some((cells.next()?.to_owned(), cells.next()?.to_owned()))
    })
    .flat_map(|(detector, places)| {
        places.split('`').skip(1).step_by(2).map(move |place| (detector.clone(), place.to_owned())).collect::<Vec<_>>()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_a_detector_and_places() {
        let table =
            "| detector | where | answer |\n|---|---|---|\n| unused-return | `A.f`, `A.g` | Fine, `x` is not. |\n";
        let wanted = [("unused-return", "A.f"), ("unused-return", "A.g")];
        assert_eq!(answers(table), wanted.map(|(d, p)| (d.to_owned(), p.to_owned())).into());
    }

    #[test]
    fn a_place_is_the_way_down_to_it() {
        let contract = serde_json::json!({"name": "A"});
        let function = serde_json::json!({"name": "f", "type_specific_fields": {"parent": contract}});
        let variable = serde_json::json!({"name": "x", "type_specific_fields": {"parent": function}});
        assert_eq!(place(&variable), "A.f.x");
    }
}
