//! Tools written in Python, each set in an environment of its own below `target/`: those that look at the contracts, and the
//! one that holds the OpenAPI documents against the processes.

use crate::run::{ok, output, program, root};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

/// Where it is installed, what is pinned, and what a person calls it.
struct Environment {
    place: &'static str,
    requirements: &'static str,
    name: &'static str,
}

const CONTRACTS: Environment =
    Environment { place: "target/tools/python", requirements: "xtask/requirements.txt", name: "halmos and slither" };
const HTTP: Environment = Environment {
    place: "target/tools/schemathesis",
    requirements: "xtask/schemathesis/requirements.txt",
    name: "schemathesis",
};

/// A tool of `xtask/requirements.txt`, to be run in `contracts/` with Foundry's binaries in reach.
pub fn tool(name: &str, args: &[&str]) -> Result<Command> {
    let environment = CONTRACTS.install()?;
    let mut command = program(environment.join("bin").join(name), "contracts", args);
    let forge = crate::setup::foundry("forge")?;
    let mut path = vec![environment.join("bin")];
    path.extend(forge.parent().map(PathBuf::from));
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    command.env("PATH", std::env::join_paths(path)?);
    Ok(command)
}

/// The schemathesis program.
pub fn schemathesis() -> Result<PathBuf> {
    Ok(HTTP.install()?.join("bin/schemathesis"))
}

impl Environment {
    /// Installs exactly what the requirements pin, unless it is there already.
    fn install(&self) -> Result<PathBuf> {
        let Self { requirements, name, .. } = *self;
        let place = root().join(self.place);
        let wanted = std::fs::read_to_string(root().join(requirements)).context(requirements)?;
        let marker = place.join("installed.txt");
        if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
            return Ok(place);
        }
        output(program("python3", "", &["--version"])).with_context(|| {
            format!("Python is needed for {name}: install Python 3.10 or newer with its venv module")
        })?;
        eprintln!("Installing {name} …");
        let shown = place.to_string_lossy().into_owned();
        ok(program("python3", "", &["-m", "venv", &shown])).context("Python's venv module is needed: python3-venv")?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements];
        ok(program(place.join("bin/python"), "", &pip))?;
        std::fs::write(&marker, wanted)?;
        Ok(place)
    }
}
