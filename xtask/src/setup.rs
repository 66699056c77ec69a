//! The npm parts: Foundry's binaries, the Solidity compiler, OpenZeppelin's contracts.

use crate::run::{self, ok, program, root};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::time::SystemTime;

/// The oldest Node that the pinned packages run on.
const NODE_MAJOR: u32 = 20;

/// Installs exactly what `package-lock.json` pins, unless it is there already.
pub fn npm() -> Result<()> {
    let installed = modified("node_modules/.package-lock.json");
    if installed.is_some() && installed >= modified("package-lock.json") {
        return Ok(());
    }
    let modules = root().join("node_modules");
    if modules.is_symlink() {
        bail!(
            "{} is a link, and npm would empty what it leads to: remove the link, or install there",
            modules.display()
        );
    }
    let version = run::output(program("node", "", &["--version"]))
        .context("Node is needed for the contracts' tools: install Node 20 or newer (https://nodejs.org)")?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|m| m.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR) {
        bail!("Node {} is too old: {NODE_MAJOR} or newer is needed", version.trim());
    }
    eprintln!("Installing the npm parts (forge, anvil, solc, OpenZeppelin) …");
    let mut command = program("npm", "", &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]);
    // Standard output belongs to the command that needed the setup, such as a demo's JSON.
    command.stdout(std::io::stderr());
    ok(command)
}

/// A Foundry binary, started directly: npm's wrapper would orphan it.
pub fn foundry(name: &str) -> Result<PathBuf> {
    let scope = root().join("node_modules/@foundry-rs");
    let entries = std::fs::read_dir(&scope).context("run `cargo xtask setup` first")?;
    entries
        .filter_map(|entry| Some(entry.ok()?.path().join("bin").join(name)))
        .find(|path| path.is_file() && !path.to_string_lossy().contains(&format!("@foundry-rs/{name}/")))
        .with_context(|| format!("{name} is not in {}: there is no build of it for this platform", scope.display()))
}

fn modified(file: &str) -> Option<SystemTime> {
    std::fs::metadata(root().join(file)).ok()?.modified().ok()
}
