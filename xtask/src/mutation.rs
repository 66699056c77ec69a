//! Hand-planted bugs: each patch in `contracts/test/mutation/` is applied to a copy of the contracts, and the tests that
//! the patch names must fail there.

use crate::run::{ok, program, root};
use crate::setup;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Where the copy is changed; the work tree never is.
const COPY: &str = "target/mutation";

/// How many patches CI applies; which ones depends on how the code stands, so that all get their turn.
const SAMPLE: usize = 4;

struct Mutant {
    name: String,
    patch: PathBuf,
    /// What was planted, in a sentence.
    bug: String,
    /// `--match-path` of the tests that must notice.
    tests: String,
}

/// Applies those patches whose name contains `only`, or a sample of all, and fails where the tests notice nothing.
pub fn check(only: Option<&str>, sample: bool) -> Result<()> {
    setup::npm()?;
    let mut mutants = mutants()?;
    mutants.retain(|mutant| only.is_none_or(|only| mutant.name.contains(only)));
    if mutants.is_empty() {
        bail!("no patch in contracts/test/mutation has `{}` in its name", only.unwrap_or_default());
    }
    let of = mutants.len();
    if sample {
        let turn = turn()?;
        mutants.rotate_left(turn % of);
        mutants.truncate(SAMPLE);
    }
    let mut survivors = Vec::new();
    for mutant in &mutants {
        let start = Instant::now();
        let caught = is_caught(mutant).with_context(|| format!("mutant {}", mutant.name))?;
        let verdict = if caught { "caught" } else { "SURVIVED" };
        println!("{verdict:<8} {:<40} {:>5.0} s  {}", mutant.name, start.elapsed().as_secs_f64(), mutant.bug);
        if !caught {
            survivors.push(mutant.name.as_str());
        }
    }
    if !survivors.is_empty() {
        bail!("no test noticed: {}", survivors.join(", "));
    }
    println!("{} of {of} planted bugs tried, each caught", mutants.len());
    Ok(())
}

fn mutants() -> Result<Vec<Mutant>> {
    let folder = root().join("contracts/test/mutation");
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let patch = entry?.path();
        if patch.extension().is_some_and(|extension| extension == "patch") {
            found.push(read(patch)?);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn read(patch: PathBuf) -> Result<Mutant> {
    let text = fs::read_to_string(&patch)?;
    let field = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        line.map(|value| value.trim().to_owned()).with_context(|| format!("{}: no line `{key} …`", patch.display()))
    };
    let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Mutant { bug: field("Bug:")?, tests: field("Tests:")?, name, patch })
}

/// A number that changes with the history, the same for everybody who tests the same commit.
fn turn() -> Result<usize> {
    let count = crate::run::output(program("git", "", &["rev-list", "--count", "HEAD"]))?;
    Ok(count.trim().parse()?)
}

/// Whether the named tests fail with the bug in. Code that does not compile, or a patch that does not apply, is an error
/// and no catch.
fn is_caught(mutant: &Mutant) -> Result<bool> {
    let copy = fresh_copy()?;
    let mut apply = Command::new("git");
    // Outside of any repository `git apply` patches plain files.
    apply.current_dir(&copy).env("GIT_DIR", copy.join("none")).args(["apply", "-p1"]).arg(&mutant.patch);
    ok(apply).context("the patch does not fit the code any more")?;
    let test = |args: &[&str]| -> Result<std::process::Output> {
        let mut command = Command::new(setup::foundry("forge")?);
        command.current_dir(copy.join("contracts")).env("FOUNDRY_PROFILE", "mutation").args(args);
        Ok(command.output()?)
    };
    let run = test(&["test", "--match-path", &mutant.tests])?;
    let shown = String::from_utf8_lossy(&run.stdout);
    if run.status.success() {
        if !shown.contains(" passed") {
            bail!("`{}` matches no test", mutant.tests);
        }
        return Ok(false);
    }
    if !shown.contains("[FAIL") {
        bail!("it does not compile:\n{shown}{}", String::from_utf8_lossy(&run.stderr));
    }
    Ok(true)
}

/// The contracts as they are now. What was compiled for the last mutant is kept, so that little is compiled again.
fn fresh_copy() -> Result<PathBuf> {
    let copy = root().join(COPY);
    let target = copy.join("contracts");
    for part in ["src", "test", "script"] {
        let place = target.join(part);
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        copy_all(&root().join("contracts").join(part), &place)?;
    }
    fs::copy(root().join("contracts/foundry.toml"), target.join("foundry.toml"))?;
    for shared in ["vectors", "abi", "node_modules"] {
        link(&root().join(shared), &copy.join(shared))?;
    }
    link(Path::new("../node_modules"), &target.join("node_modules"))?;
    Ok(copy)
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &place)?;
        } else {
            fs::copy(entry.path(), &place)?;
        }
    }
    Ok(())
}

fn link(to: &Path, place: &Path) -> Result<()> {
    if place.symlink_metadata().is_err() {
        std::os::unix::fs::symlink(to, place).with_context(|| place.display().to_string())?;
    }
    Ok(())
}
