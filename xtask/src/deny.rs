//! Licenses and sources of every crate in the lock file. Advisories need a network and are not checked here.

use crate::run::{cargo, output};
use anyhow::{Context, Result, bail};
use serde_json::Value;

/// What may ship: permissive, no copyleft beyond the file.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates that carry a license file and no SPDX expression, with what that file says.
const CLARIFIED: &[(&str, &str)] = &[("opendp", "MIT"), ("opendp_derive", "MIT"), ("opendp_tooling", "MIT")];

/// The one registry that crates may come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Fails with every crate whose license or source is not allowed.
pub fn check() -> Result<()> {
    let metadata: Value = serde_json::from_str(&output(cargo(&["metadata", "--format-version", "1", "--locked"]))?)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut wrong = Vec::new();
    for package in packages {
        let name = format!("{} {}", text(package, "name"), text(package, "version"));
        match package["source"].as_str() {
            // A path inside this workspace.
            None => {}
            Some(REGISTRY) => wrong.extend(license_fault(package).map(|fault| format!("{name}: {fault}"))),
            Some(other) => wrong.push(format!("{name}: comes from {other}, not from crates.io")),
        }
    }
    if !wrong.is_empty() {
        bail!("{} dependencies are not allowed:\n  {}", wrong.len(), wrong.join("\n  "));
    }
    println!("{} packages: licenses and sources are allowed", packages.len());
    Ok(())
}

fn license_fault(package: &Value) -> Option<String> {
    let clarified = CLARIFIED.iter().find(|(name, _)| *name == text(package, "name")).map(|(_, license)| *license);
    let Some(expression) = package["license"].as_str().or(clarified) else {
        return Some("names no SPDX license; read its license file and add it to CLARIFIED".to_owned());
    };
    let parsed = match spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX) {
        Ok(parsed) => parsed,
        Err(error) => return Some(format!("license `{expression}` does not parse: {}", error.reason)),
    };
    let allowed = parsed.evaluate(|requirement| requirement.license.id().is_some_and(|id| ALLOWED.contains(&id.name)));
    (!allowed).then(|| format!("license `{expression}` is not allowed"))
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field].as_str().unwrap_or("?")
}
