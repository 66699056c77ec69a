//! The programs of a cooperative, and folders for them to run in.

use crate::run::{cargo, ok, root};
use anyhow::{Context, Result};
use std::path::PathBuf;

/// Builds the programs of a cooperative: simulations have a machine of their own, and this one runs already.
pub fn build_programs() -> Result<()> {
    build_programs_as("dev")
}

/// The same in another profile.
pub fn build_programs_as(profile: &str) -> Result<()> {
    build(&["--workspace", "--exclude", "rochdale-sim", "--exclude", "xtask", "--profile", profile])
}

/// The example brings the features that tests need, so that nothing is compiled twice.
pub fn build(what: &[&str]) -> Result<()> {
    ok(cargo(&[&["build", "--locked", "--bins", "--example", "vectors"], what].concat()))
}

/// A folder of `target` of our own, without what an earlier run left in it.
pub fn emptied(name: &str) -> Result<PathBuf> {
    let state = root().join("target").join(name);
    if state.exists() {
        std::fs::remove_dir_all(&state).with_context(|| format!("cannot empty {}", state.display()))?;
    }
    Ok(state)
}
