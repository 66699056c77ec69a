//! Puts the programs where a shell finds them.

use crate::run::root;
use crate::{programs, setup, web};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// `rochdale` and what it starts; each looks for the others beside itself.
const PROGRAMS: &[&str] =
    &["rochdale", "rochdale-gateway", "rochdale-steward", "rochdale-worker", "rochdale-registrar", "rochdale-synth"];

/// Sets up, builds the programs and copies them into the folder `bin` of `into`, or where cargo installs.
pub fn install(into: Option<PathBuf>) -> Result<()> {
    setup::npm()?;
    programs::build_programs()?;
    web::build()?;
    let into = into.map_or_else(cargo_root, Ok)?;
    let bin = into.join("bin");
    std::fs::create_dir_all(&bin).with_context(|| format!("cannot make {}", bin.display()))?;
    for name in PROGRAMS {
        put(&root().join("target/debug").join(name), &bin.join(name))?;
    }
    let share = into.join("share/rochdale/web");
    if share.exists() {
        std::fs::remove_dir_all(&share).with_context(|| format!("cannot empty {}", share.display()))?;
    }
    put_folder(&root().join("web/dist"), &share)?;
    // The local chain's. One that is there already may be of somebody's own Foundry.
    let anvil = bin.join("anvil");
    if !anvil.exists() {
        put(&setup::foundry("anvil")?, &anvil)?;
    }
    println!("installed {} and anvil in {}", PROGRAMS.join(", "), bin.display());
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|dir| dir == bin) {
        println!("{} is not in PATH: add it there", bin.display());
    }
    Ok(())
}

fn cargo_root() -> Result<PathBuf> {
    let named = ["CARGO_INSTALL_ROOT", "CARGO_HOME"].into_iter().find_map(std::env::var_os).map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo"));
    named.or_else(home).context("neither CARGO_HOME nor HOME is set: name a folder by --root")
}

fn put_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() { put_folder(&path, &to.join(name))? } else { put(&path, &to.join(name))? }
    }
    Ok(())
}

/// By a new file and a new name: one that runs is not written to.
fn put(from: &Path, to: &Path) -> Result<()> {
    let partial = to.with_extension("partial");
    let copied = std::fs::copy(from, &partial).and_then(|_| std::fs::rename(&partial, to));
    copied.with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole() {
        let dir = std::env::temp_dir().join(format!("rochdale-install-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (from, to) = (dir.join("from"), dir.join("to"));
        std::fs::write(&from, "new").unwrap();
        std::fs::write(&to, "older").unwrap();
        put(&from, &to).unwrap();
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "new");
        assert!(put(&dir.join("none"), &to).unwrap_err().to_string().contains("none"));
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
