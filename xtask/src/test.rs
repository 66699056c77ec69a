//! `cargo xtask test` and its parts, each timed; `.ci/run` calls it.

use crate::forge::{forge, forge_command};
use crate::programs::{build, build_programs, build_programs_as, emptied};
use crate::run::{cargo, ok, program, root};
use crate::{coverage, deny, gas, machines, mutation, python, setup, slither, tidy, wasm, web};
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

struct Part {
    name: &'static str,
    what: &'static str,
    /// Of one run on two cores of an AMD EPYC with the crates compiled, 2026-11-29; none where the network or an empty `target/` decides.
    seconds: Option<u16>,
    run: fn() -> Result<()>,
    /// Whether it can run on this machine; where not it fails if it was asked for by name, and else the last lines say that it did not run.
    able: fn() -> Result<()>,
}

const fn part(name: &'static str, seconds: u16, what: &'static str, run: fn() -> Result<()>) -> Part {
    Part { name, what, seconds: Some(seconds), run, able: anywhere }
}

fn anywhere() -> Result<()> {
    Ok(())
}

/// In this order: what is cheap and often wrong comes first.
const PARTS: &[Part] = &[
    Part {
        name: "setup",
        what: "install forge, anvil, solc and OpenZeppelin",
        seconds: None,
        run: setup::npm,
        able: anywhere,
    },
    part("format", 2, "the Rust code is formatted", || ok(cargo(&["fmt", "--all", "--check"]))),
    part("tidy", 7, "the repository's own rules", tidy::check),
    part("deny", 1, "licenses and sources of every dependency", deny::check),
    part("contracts-format", 1, "the contracts are formatted", || forge("default", &["fmt", "--check"])),
    part("abi-drift", 28, "abi/ is what the contracts give", || abi(true)),
    part("contracts-test", 344, "unit tests, fuzzing and invariants of the contracts", || forge("default", &["test"])),
    part("contracts-gas", 89, "gas is the recorded one, and docs/gas.md shows it", contracts_gas),
    part("contracts-layouts", 251, "storage layouts are the recorded ones and safe to upgrade", || {
        layouts(true, false)
    }),
    part("contracts-coverage", 182, "lines and branches that the contracts' tests run", coverage::check),
    part("contracts-slither", 75, "each finding of Slither has an answer", slither::check),
    part("contracts-symbolic", 52, "halmos proves the check_* functions", symbolic),
    part("contracts-mutation", 207, "tests notice four of the planted bugs", || mutation::check(None, true)),
    Part {
        name: BUILD,
        what: "everything compiles, tests and benchmarks too",
        seconds: None,
        run: || ok(cargo(WHOLE_BUILD)),
        able: anywhere,
    },
    part("rust-test", 631, "unit and integration tests of the crates", || {
        ok(cargo(&["test", "--workspace", "--locked"]))
    }),
    part("wasm", 5, "web/wasm/ is of these sources and does what the vectors say", || wasm::wasm(true)),
    part("http", 121, "processes do what their OpenAPI documents say", http),
    part("demo", 57, "the demo, with 8 patients", demo_test),
    part("year", 71, "40 epochs of a simulated year", || {
        year(&["--epochs", "40", "--members", "104"].map(str::to_owned))
    }),
    Part {
        able: machines::able,
        ..part(
            "machines",
            76,
            "docs/how-to/several-machines.md, each machine a network namespace: takes root",
            machines_walked,
        )
    },
    Part { able: web::able, ..part("web", 420, "the web app, in a browser against cooperatives that run", web::test) },
    part("chaos", 41, "9 random kills lose nothing", || chaos(CHAOS_ROUNDS, 1)),
    part("load", 40, "24 members join, 12 at once, 64 connections read while an epoch settles: no error", || {
        load(false, &["--members", "24", "--at-once", "12", "--seconds", "5"].map(str::to_owned))
    }),
    part("clippy", 106, "no warnings", clippy),
];

/// The longest part. The contracts' compiler keeps one core busy, so a whole run begins this at once and waits for it in its place.
const BUILD: &str = "build";
const WHOLE_BUILD: &[&str] = &["build", "--workspace", "--all-targets", "--locked"];

/// Kills in a test run; `cargo xtask chaos --rounds 200` is the long one.
const CHAOS_ROUNDS: u32 = 9;

const SYMBOLIC: &str = "test/symbolic";

/// Runs every part, or those that `only` names, and prints how long each took.
pub fn test(only: &[String], list: bool) -> Result<()> {
    if let Some(words) =
        only.iter().find(|words| !PARTS.iter().any(|part| is_chosen(part.name, std::slice::from_ref(words))))
    {
        bail!("no part has all words of `{words}` in its name; see --list");
    }
    let chosen = PARTS.iter().filter(|part| is_chosen(part.name, only));
    let (mut left_out, mut able) = (Vec::new(), Vec::new());
    for part in chosen {
        match (part.able)() {
            Err(why) if only.is_empty() && !list => left_out.push((part, why)),
            _ => able.push(part),
        }
    }
    let chosen = able;
    if list {
        chosen.iter().for_each(|part| println!("{:<20} {:>7}  {}", part.name, minutes(part.seconds), part.what));
        return Ok(());
    }
    let mut table = Vec::new();
    let mut build = if only.is_empty() { Some(Beside::begin()?) } else { None };
    for part in &chosen {
        eprintln!("\n== {} ==", part.name);
        let start = Instant::now();
        let begun = build.take_if(|_| part.name == BUILD);
        begun
            .map_or_else(part.run, Beside::end)
            .with_context(|| format!("part `{0}` failed; run it alone: cargo xtask test --only {0}", part.name))?;
        table.push(format!("{:<18} {:>7.1} s", part.name, start.elapsed().as_secs_f64()));
    }
    println!("\n{}\n", table.join("\n"));
    println!("{} passed, 0 failed, {} NOT RUN", chosen.len(), left_out.len());
    for (part, why) in &left_out {
        println!("NOT RUN: {}, {}: {why:#}", part.name, part.what);
    }
    Ok(())
}

/// The build of everything, while other parts run. It ends with the run, however that ends.
struct Beside {
    child: Child,
    log: PathBuf,
}

impl Beside {
    fn begin() -> Result<Self> {
        let log = root().join("target/build.log");
        std::fs::create_dir_all(root().join("target"))?;
        let file = File::create(&log).with_context(|| log.display().to_string())?;
        let mut command = cargo(WHOLE_BUILD);
        command.stdout(Stdio::null()).stderr(file);
        Ok(Self { child: command.spawn().context("cannot start cargo")?, log })
    }

    /// Waits, and shows what was said.
    fn end(mut self) -> Result<()> {
        let status = self.child.wait()?;
        eprint!("{}", std::fs::read_to_string(&self.log)?);
        if !status.success() {
            bail!("`cargo {}` failed: {status}", WHOLE_BUILD.join(" "));
        }
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // It has ended already where it was waited for.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Whether one of `only` has nothing but words of the name, such as `contracts` or `contracts-gas`; all are where it is empty.
fn is_chosen(name: &str, only: &[String]) -> bool {
    let has = |word: &str| name.split('-').any(|own| own == word);
    only.is_empty() || only.iter().any(|words| words.split(['-', ' ']).all(has))
}

fn minutes(seconds: Option<u16>) -> String {
    match seconds {
        None => "-".to_owned(),
        Some(..6) => "< 0.1".to_owned(),
        Some(seconds) => format!("{:.1} min", f64::from(seconds) / 60.0),
    }
}

/// Sets up, builds the programs and runs the demo with `args`.
pub fn demo(args: &[String]) -> Result<()> {
    setup::npm()?;
    web::build()?;
    build_programs()?;
    let mut command = Command::new(root().join("target/debug/rochdale"));
    command.arg("demo").args(args);
    ok(command)
}

/// Sets up, builds the programs and runs a simulated year with `args`.
pub fn year(args: &[String]) -> Result<()> {
    setup::npm()?;
    build(&["--workspace"])?;
    let mut command = Command::new(root().join("target/debug/rochdale-year"));
    command.args(args).current_dir(root());
    ok(command)
}

/// Sets up, builds the programs and holds their OpenAPI documents against what they do.
pub fn http() -> Result<()> {
    setup::npm()?;
    let tool = python::schemathesis()?;
    build_programs()?;
    emptied("contract")?;
    let mut command = Command::new(root().join("target/debug/rochdale-contract"));
    command.arg("--tool").arg(tool).arg("--hooks").arg(root().join("xtask/schemathesis")).current_dir(root());
    ok(command)
}

/// Sets up, builds the programs and kills them at random.
pub fn chaos(rounds: u32, seed: u64) -> Result<()> {
    setup::npm()?;
    build_programs()?;
    emptied("chaos")?;
    let mut command = Command::new(root().join("target/debug/rochdale-chaos"));
    command.args(["--rounds", &rounds.to_string(), "--seed", &seed.to_string()]).current_dir(root());
    ok(command)
}

/// Sets up, builds the programs and puts a cooperative under load.
pub fn load(release: bool, args: &[String]) -> Result<()> {
    setup::npm()?;
    let (profile, folder) = if release { ("release", "release") } else { ("dev", "debug") };
    build_programs_as(profile)?;
    emptied("load")?;
    let mut command = Command::new(root().join("target").join(folder).join("rochdale-load"));
    command.args(args).current_dir(root());
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
    // The script reads each contract's code there.
    forge("default", &["build", "--skip", "test/**"])?;
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

/// Fails where an action's gas differs from `contracts/snapshots/`, or the page that shows it does.
fn contracts_gas() -> Result<()> {
    gas::check(false)?;
    let mut command = forge_command("gas", &["test"])?;
    command.env("FORGE_SNAPSHOT_CHECK", "true");
    ok(command)
}

fn demo_test() -> Result<()> {
    let state = emptied("demo-test")?.to_string_lossy().into_owned();
    demo(&["--patients", "8", "--once", "--json", "--state", &state].map(str::to_owned))
}

fn machines_walked() -> Result<()> {
    machines::able()?;
    setup::npm()?;
    build_programs()?;
    machines::walk()
}

fn clippy() -> Result<()> {
    ok(cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(only: &[&str]) -> Vec<&'static str> {
        let only: Vec<String> = only.iter().map(ToString::to_string).collect();
        PARTS.iter().map(|part| part.name).filter(|name| is_chosen(name, &only)).collect()
    }

    #[test]
    fn a_word_chooses_every_part_that_has_it_and_no_part_that_only_contains_its_letters() {
        assert_eq!(chosen(&[]).len(), PARTS.len());
        let contracts = chosen(&["contracts"]);
        assert!(contracts.len() > 5 && contracts.iter().all(|name| name.starts_with("contracts-")), "{contracts:?}");
        assert_eq!(chosen(&["test"]), ["contracts-test", "rust-test"]);
        assert_eq!(chosen(&["contracts-test"]), ["contracts-test"]);
        assert_eq!(chosen(&["gas contracts", "tidy"]), ["tidy", "contracts-gas"]);
        assert_eq!(chosen(&["rus"]), [""; 0]);
    }

    #[test]
    fn minutes_are_those_of_the_seconds() {
        assert_eq!([Some(5), Some(6), Some(344), None].map(minutes), ["< 0.1", "0.1 min", "5.7 min", "-"]);
    }
}
