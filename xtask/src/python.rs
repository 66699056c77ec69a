//! The Python tools that look at the contracts, in an environment of their own below `target/`.

use crate::run::{ok, output, program, root};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

const REQUIREMENTS: &str = "xtask/requirements.txt";

/// A tool of `xtask/requirements.txt`, to be run in `contracts/` with Foundry's binaries in reach.
pub fn tool(name: &str, args: &[&str]) -> Result<Command> {
    let environment = environment()?;
    let mut command = program(environment.join("bin").join(name), "contracts", args);
    let forge = crate::setup::foundry("forge")?;
    let mut path = vec![environment.join("bin")];
    path.extend(forge.parent().map(PathBuf::from));
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    command.env("PATH", std::env::join_paths(path)?);
    Ok(command)
}

/// Installs exactly what the requirements pin, unless it is there already.
fn environment() -> Result<PathBuf> {
    let place = root().join("target/tools/python");
    let wanted = std::fs::read_to_string(root().join(REQUIREMENTS)).context(REQUIREMENTS)?;
    let marker = place.join("installed.txt");
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        return Ok(place);
    }
    output(program("python3", "", &["--version"]))
        .context("Python is needed for halmos and slither: install Python 3.10 or newer with its venv module")?;
    eprintln!("Installing halmos and slither …");
    let shown = place.to_string_lossy().into_owned();
    ok(program("python3", "", &["-m", "venv", &shown])).context("Python's venv module is needed: python3-venv")?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS];
    ok(program(place.join("bin/python"), "", &pip))?;
    std::fs::write(&marker, wanted)?;
    Ok(place)
}
