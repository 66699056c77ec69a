//! Rules of this repository that no other tool checks. `ARCHITECTURE.md` gives the reasons.

use crate::run::{cargo, ok, output, program, root};
use crate::{circles, docs};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeSet;

/// Which workspace crates each crate may depend on outside its tests.
const DIRECTION: &[(&str, &[&str])] = &[
    ("rochdale-core", &[]),
    ("rochdale-crypto", &["core"]),
    ("rochdale-eip712", &["core"]),
    ("rochdale-chain", &["core", "eip712"]),
    ("rochdale-api", &["core"]),
    ("rochdale-browser", &["core", "crypto", "api", "eip712", "client"]),
    ("rochdale-client", &["core", "crypto", "api", "eip712"]),
    ("rochdale-compute", &["core"]),
    ("rochdale-intake", &["core"]),
    ("rochdale-node", &["core", "crypto", "chain", "api", "client"]),
    ("rochdale-steward", &["core", "crypto", "chain", "api", "client", "node"]),
    ("rochdale-gateway", &["core", "crypto", "chain", "api", "client", "node"]),
    ("rochdale-registrar", &["core", "crypto", "chain", "api", "client", "node"]),
    ("rochdale-worker", &["core", "crypto", "chain", "api", "compute", "node"]),
    ("rochdale-cli", &["core", "crypto", "chain", "api", "client", "intake"]),
    ("rochdale-sim", &["core", "chain"]),
    ("rochdale-testkit", &["core", "crypto", "api", "chain", "client"]),
    ("xtask", &[]),
];

/// What a steward's process must not contain.
const NOT_IN_STEWARD: &[&str] = &["datafusion", "opendp", "rochdale-gateway", "rochdale-worker", "rochdale-compute"];

/// Where paths are named; everybody else takes the constant.
const ROUTES: &str = "crates/api/src/route";

/// Lines of a Rust file before its test module; beyond it, ask what else lives there.
const MAX_LINES: usize = 500;

/// Fails with every rule that is broken.
pub fn check() -> Result<()> {
    let mut wrong = direction()?;
    wrong.extend(steward_tree()?);
    wrong.extend(sources()?);
    wrong.extend(circles::faults()?);
    wrong.extend(docs::faults()?);
    // Says by itself what it found.
    ok(program("node", "contracts", &["script/natspec.mjs"])).context("the contracts' documentation has gaps")?;
    if !wrong.is_empty() {
        bail!("{} rules are broken:\n  {}", wrong.len(), wrong.join("\n  "));
    }
    println!("tidy: direction, steward's tree, sources, circles, documents and NatSpec are in order");
    Ok(())
}

fn direction() -> Result<Vec<String>> {
    let metadata: Value = serde_json::from_str(&output(cargo(&["metadata", "--format-version", "1", "--no-deps"]))?)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = DIRECTION.iter().find(|(known, _)| *known == name) else {
            wrong.push(format!("{name} has no row in xtask/src/tidy.rs: say what it may depend on"));
            continue;
        };
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        let named: BTreeSet<_> = dependencies
            .filter(|d| d["kind"].as_str() != Some("dev") && !d["path"].is_null())
            .filter_map(|d| d["name"].as_str()?.strip_prefix("rochdale-"))
            .collect();
        let extra = named.iter().filter(|d| !allowed.contains(*d));
        wrong.extend(extra.map(|d| format!("{name} must not depend on rochdale-{d}")));
    }
    Ok(wrong)
}

fn steward_tree() -> Result<Vec<String>> {
    let tree = output(cargo(&["tree", "-p", "rochdale-steward", "-e", "normal", "--prefix", "none", "--locked"]))?;
    let names: BTreeSet<_> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let found = NOT_IN_STEWARD.iter().filter(|banned| names.contains(*banned));
    Ok(found.map(|banned| format!("the steward's dependency tree holds {banned}")).collect())
}

fn sources() -> Result<Vec<String>> {
    let files = output(program("git", "", &["ls-files", "*.rs", "*.sol"]))?;
    let mut wrong = Vec::new();
    for file in files.lines().filter(|file| !file.starts_with("xtask/src/tidy.rs")) {
        let text = match std::fs::read_to_string(root().join(file)) {
            Ok(text) => text,
            // Deleted in the work tree and not yet committed.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot read {file}")),
        };
        wrong.extend(faults(file, &text));
    }
    Ok(wrong)
}

fn faults(file: &str, text: &str) -> Vec<String> {
    // The last passes for any reason, also for a typo in the test.
    const BANNED: &[&str] = &["#[ignore", "vm.skip(", "todo!(", "unimplemented!(", "TODO", "FIXME", ".expectRevert()"];
    let mut wrong = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let found = BANNED.iter().filter(|banned| line.contains(*banned));
        wrong.extend(found.map(|banned| format!("{file}:{}: `{banned}`", number + 1)));
    }
    if !file.starts_with("crates/") || !file.contains("/src/") {
        return wrong;
    }
    let code: Vec<&str> = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).collect();
    if code.len() > MAX_LINES {
        let lines = code.len();
        wrong.push(format!("{file}: {lines} lines before its tests, more than {MAX_LINES}: what else lives in it?"));
    }
    if !file.starts_with(ROUTES) {
        let named = |line: &str| line.contains("/v1/") && !line.trim_start().starts_with("//");
        let found = code.iter().enumerate().filter(|(_, line)| named(line));
        wrong.extend(found.map(|(at, _)| format!("{file}:{}: a path by hand; its constant is in {ROUTES}", at + 1)));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::faults;

    #[test]
    fn a_path_is_named_by_its_constant_alone() {
        let by_hand = "fn f() { get(\"/v1/members\"); }\n";
        assert_eq!(faults("crates/cli/src/a.rs", by_hand).len(), 1);
        assert!(faults("crates/cli/src/a.rs", "/// `POST /v1/members` joins.\nfn f() { get(JOIN); }\n").is_empty());
        assert!(faults("crates/api/src/route/gateway.rs", by_hand).is_empty());
    }
}
