//! forge, as the repository installs it.

use crate::run::{ok, program};
use crate::setup;
use anyhow::Result;
use std::process::Command;

/// The path to solc in `foundry.toml` is relative, so forge runs in `contracts/`.
pub fn forge_command(profile: &str, args: &[&str]) -> Result<Command> {
    let mut command = program(setup::foundry("forge")?, "contracts", args);
    command.env("FOUNDRY_PROFILE", profile);
    Ok(command)
}

/// Runs forge in `contracts/` with a profile.
pub fn forge(profile: &str, args: &[&str]) -> Result<()> {
    ok(forge_command(profile, args)?)
}
