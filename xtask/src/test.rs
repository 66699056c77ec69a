//! `cargo xtask test` and its parts, each timed; `.ci/run` calls it.

use crate::forge::{forge, forge_command};
use crate::run::{cargo, ok, program, root};
use crate::{coverage, deny, gas, mutation, python, setup, slither, tidy};
use anyhow::{Context, Result, bail};
use std::process::Command;
use std::time::Instant;

struct Part {
    name: &'static str,
    run: fn() -> Result<()>,
}

/// In this order: what is cheap and often wrong comes first.
const PARTS: &[Part] = &[
    Part { name: "setup", run: setup::npm },
    Part { name: "format", run: || ok(cargo(&["fmt", "--all", "--check"])) },
    Part { name: "tidy", run: tidy::check },
    Part { name: "deny", run: deny::check },
    Part { name: "contracts-format", run: || forge("default", &["fmt", "--check"]) },
    Part { name: "abi-drift", run: || abi(true) },
    Part { name: "contracts-test", run: || forge("default", &["test"]) },
    Part { name: "contracts-gas", run: contracts_gas },
    Part { name: "contracts-slow", run: || forge("longer", &["test"]) },
    Part { name: "contracts-layouts", run: || layouts(true, false) },
    Part { name: "contracts-coverage", run: coverage::check },
    Part { name: "contracts-slither", run: slither::check },
    Part { name: "contracts-symbolic", run: symbolic },
    Part { name: "contracts-mutation", run: || mutation::check(None, true) },
    Part { name: "build", run: || ok(cargo(&["build", "--workspace", "--all-targets", "--locked"])) },
    Part { name: "rust-test", run: || ok(cargo(&["test", "--workspace", "--locked"])) },
    Part { name: "http", run: http },
    Part { name: "demo", run: demo_test },
    Part { name: "year", run: || year(&["--epochs", "40", "--members", "104"].map(str::to_owned)) },
    Part { name: "chaos", run: || chaos(CHAOS_ROUNDS, 1) },
    Part { name: "clippy", run: clippy },
];

/// Kills in a test run; `cargo xtask chaos --rounds 200` is the long one.
const CHAOS_ROUNDS: u32 = 9;

const SYMBOLIC: &str = "test/symbolic";

/// Runs every part, or those whose name contains `only`, and prints how long each took.
pub fn test(only: Option<&str>, list: bool) -> Result<()> {
    let chosen: Vec<_> = PARTS.iter().filter(|part| only.is_none_or(|only| part.name.contains(only))).collect();
    if list {
        chosen.iter().for_each(|part| println!("{}", part.name));
        return Ok(());
    }
    if chosen.is_empty() {
        bail!("no part's name contains `{}`; see --list", only.unwrap_or_default());
    }
    let mut table = Vec::new();
    for part in &chosen {
        eprintln!("\n== {} ==", part.name);
        let start = Instant::now();
        (part.run)()
            .with_context(|| format!("part `{0}` failed; run it alone: cargo xtask test --only {0}", part.name))?;
        table.push(format!("{:<18} {:>7.1} s", part.name, start.elapsed().as_secs_f64()));
    }
    println!("\n{}\n", table.join("\n"));
    println!("{} passed, 0 failed", chosen.len());
    Ok(())
}

/// Sets up, builds the programs and runs the demo with `args`.
pub fn demo(args: &[String]) -> Result<()> {
    setup::npm()?;
    build_programs()?;
    let mut command = Command::new(root().join("target/debug/rochdale"));
    command.arg("demo").args(args);
    ok(command)
}

/// Sets up, builds the programs and runs a simulated year with `args`.
pub fn year(args: &[String]) -> Result<()> {
    setup::npm()?;
    build_programs()?;
    let mut command = Command::new(root().join("target/debug/rochdale-year"));
    command.args(args).current_dir(root());
    ok(command)
}

/// Sets up, builds the programs and holds their OpenAPI documents against what they do.
pub fn http() -> Result<()> {
    setup::npm()?;
    let tool = python::schemathesis()?;
    build_programs()?;
    let mut command = Command::new(root().join("target/debug/rochdale-contract"));
    command.arg("--tool").arg(tool).arg("--hooks").arg(root().join("xtask/schemathesis")).current_dir(root());
    ok(command)
}

/// Sets up, builds the programs and kills them at random.
pub fn chaos(rounds: u32, seed: u64) -> Result<()> {
    setup::npm()?;
    build_programs()?;
    let mut command = Command::new(root().join("target/debug/rochdale-chaos"));
    command.args(["--rounds", &rounds.to_string(), "--seed", &seed.to_string()]).current_dir(root());
    ok(command)
}

/// Writes `abi/` from the contracts, or checks that it is what they give.
pub fn abi(check: bool) -> Result<()> {
    setup::npm()?;
    forge("default", &["build", "--skip", "test/**"])?;
    let args: &[&str] = if check { &["script/abi.mjs", "--check"] } else { &["script/abi.mjs"] };
    ok(program("node", "contracts", args))
}

/// Fuzzes and walks the contracts at full length.
pub fn slow() -> Result<()> {
    setup::npm()?;
    forge("slow", &["test"])
}

/// Records the storage layouts, or checks them; see `contracts/script/layout.mjs`.
pub fn layouts(check: bool, fresh: bool) -> Result<()> {
    setup::npm()?;
    let mut command = program("node", "contracts", &["script/layout.mjs", if check { "--check" } else { "--write" }]);
    if fresh {
        command.arg("--fresh");
    }
    command.env("FORGE", setup::foundry("forge")?);
    ok(command)
}

/// Proves every `check_*` function of `contracts/test/symbolic/`; what halmos must know stands in `contracts/halmos.toml`.
pub fn symbolic() -> Result<()> {
    setup::npm()?;
    let report = root().join("target/symbolic.json");
    let shown = report.to_string_lossy().into_owned();
    let mut command = python::tool("halmos", &["--no-status", "--json-output", &shown])?;
    command.env("FOUNDRY_PROFILE", "symbolic");
    ok(command)?;
    // halmos passes over what it cannot read, and is content with nothing.
    let report = std::fs::read_to_string(&report).with_context(|| format!("halmos wrote no {shown}"))?;
    let (proved, written) = (proved(&serde_json::from_str(&report)?), symbolic_checks()?);
    if proved != written {
        bail!("halmos proved {proved} checks, but {written} are written in contracts/{SYMBOLIC}");
    }
    println!("{proved} of {written} checks proved");
    Ok(())
}

/// A loop that was cut off leaves the rest of its paths unproved.
fn proved(report: &serde_json::Value) -> usize {
    let contracts = report["test_results"].as_object().into_iter().flat_map(|contracts| contracts.values());
    let checks = contracts.filter_map(|checks| checks.as_array()).flatten();
    checks.filter(|check| check["exitcode"] == 0 && check["num_bounded_loops"] == 0).count()
}

fn symbolic_checks() -> Result<usize> {
    let mut written = 0;
    for entry in std::fs::read_dir(root().join("contracts").join(SYMBOLIC)).context(SYMBOLIC)? {
        written += std::fs::read_to_string(entry?.path())?.matches("function check_").count();
    }
    Ok(written)
}

/// Writes `vectors/` from the Rust implementation; a test of the core crate checks them.
pub fn vectors() -> Result<()> {
    ok(cargo(&["run", "--package", "rochdale-core", "--example", "vectors"]))
}

/// Runs every benchmark with the profile that everything else is built with.
pub fn bench() -> Result<()> {
    setup::npm()?;
    ok(cargo(&["bench", "--profile", "dev", "--workspace", "--benches"]))
}

/// The example brings the features that tests need, so that nothing is compiled twice.
fn build_programs() -> Result<()> {
    ok(cargo(&["build", "--workspace", "--bins", "--example", "vectors", "--locked"]))
}

/// Fails where an action's gas differs from `contracts/snapshots/`, or the page that shows it does.
fn contracts_gas() -> Result<()> {
    gas::check(false)?;
    let mut command = forge_command("gas", &["test"])?;
    command.env("FORGE_SNAPSHOT_CHECK", "true");
    ok(command)
}

fn demo_test() -> Result<()> {
    let state = root().join("target/demo-test");
    if state.exists() {
        std::fs::remove_dir_all(&state).with_context(|| format!("cannot empty {}", state.display()))?;
    }
    let state = state.to_string_lossy().into_owned();
    demo(&["--patients", "8", "--once", "--json", "--state", &state].map(str::to_owned))
}

fn clippy() -> Result<()> {
    ok(cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
}
