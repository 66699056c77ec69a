//! `cargo xtask test` and its parts, each timed; `.ci/run` calls it.

use crate::forge::{forge, forge_command};
use crate::lanes::{Lane, Lanes};
use crate::programs::{build, build_programs, build_programs_as, emptied};
use crate::run::{cargo, ok, program, root};
use crate::{coverage, deny, gas, machines, mutation, python, setup, slither, tidy, wasm, web};
use anyhow::{Context, Result, bail};
use std::process::Command;
use std::time::Instant;

struct Part {
    name: &'static str,
    what: &'static str,
    /// Of one run on two cores of an AMD EPYC with the crates compiled, 2026-11-29 or 30; none where the network or an empty `target/` decides.
    seconds: Option<u16>,
    run: fn() -> Result<()>,
    /// Whether it can run on this machine; where not it fails if it was asked for by name, and else the last lines say that it did not run.
    able: fn() -> Result<()>,
    lane: Lane,
}

const fn part(name: &'static str, seconds: u16, what: &'static str, run: fn() -> Result<()>) -> Part {
    Part { name, what, seconds: Some(seconds), run, able: anywhere, lane: Lane::Crates }
}

impl Part {
    const fn in_lane(self, lane: Lane) -> Self {
        Self { lane, ..self }
    }
}

fn anywhere() -> Result<()> {
    Ok(())
}

/// What is cheap and often wrong comes first, then two lanes: what compiles and tests the crates, and what compiles and tests the contracts
/// and then needs programs and time more than a processor. No two of different lanes may use one port or one folder.
const PARTS: &[Part] = &[
    Part {
        name: "setup",
        what: "install forge, anvil, solc and OpenZeppelin",
        seconds: None,
        run: setup::npm,
        able: anywhere,
        lane: Lane::First,
    },
    part("format", 2, "the Rust code is formatted", || ok(cargo(&["fmt", "--all", "--check"]))).in_lane(Lane::First),
    part("tidy", 7, "the repository's own rules", tidy::check).in_lane(Lane::First),
    part("deny", 1, "licenses and sources of every dependency", deny::check).in_lane(Lane::First),
    part("contracts-format", 1, "the contracts are formatted", || forge("default", &["fmt", "--check"]))
        .in_lane(Lane::Beside),
    part("abi-drift", 28, "abi/ is what the contracts give", || abi(true)).in_lane(Lane::Beside),
    part("contracts-test", 344, "unit tests, fuzzing and invariants of the contracts", || forge("default", &["test"]))
        .in_lane(Lane::Beside),
    part("contracts-gas", 89, "gas is the recorded one, and docs/gas.md shows it", contracts_gas).in_lane(Lane::Beside),
    part("contracts-layouts", 15, "storage layouts are the recorded ones and safe to upgrade", || layouts(true, false))
        .in_lane(Lane::Beside),
    part("contracts-coverage", 182, "lines and branches that the contracts' tests run", coverage::check)
        .in_lane(Lane::Beside),
    part("contracts-slither", 75, "each finding of Slither has an answer", slither::check).in_lane(Lane::Beside),
    part("contracts-symbolic", 52, "halmos proves the check_* functions", symbolic).in_lane(Lane::Beside),
    part("contracts-mutation", 207, "tests notice four of the planted bugs", || mutation::check(None, true))
        .in_lane(Lane::Beside),
    Part {
        name: "build",
        what: "everything compiles, tests and benchmarks too",
        seconds: None,
        run: || ok(cargo(&["build", "--workspace", "--all-targets", "--locked"])),
        able: anywhere,
        lane: Lane::Crates,
    },
    part("clippy", 106, "no warnings", clippy),
    part("rust-test", 631, "unit and integration tests of the crates", || {
        ok(cargo(&["test", "--workspace", "--locked"]))
    }),
    part("wasm", 5, "web/wasm/ is of these sources and does what the vectors say", || wasm::wasm(true)),
    part("http", 121, "processes do what their OpenAPI documents say", http),
    part("chaos", 41, "9 random kills lose nothing", || chaos(CHAOS_ROUNDS, 1)),
    part("load", 40, "24 members join, 12 at once, 64 connections read while an epoch settles: no error", || {
        load(false, &["--members", "24", "--at-once", "12", "--seconds", "5"].map(str::to_owned))
    }),
    part("demo", 57, "the demo, with 8 patients", demo_test).in_lane(Lane::Beside),
    Part { able: web::able, ..part("web", 590, "the web app, in a browser against cooperatives that run", web::test) }
        .in_lane(Lane::Beside),
    part("year", 71, "40 epochs of a simulated year", || {
        year(&["--epochs", "40", "--members", "104"].map(str::to_owned))
    })
    .in_lane(Lane::Beside),
    Part {
        able: machines::able,
        ..part(
            "machines",
            76,
            "docs/how-to/several-machines.md, each machine a network namespace: takes root",
            machines_walked,
        )
    }
    .in_lane(Lane::Beside),
];

/// Kills in a test run; `cargo xtask chaos --rounds 200` is the long one.
const CHAOS_ROUNDS: u32 = 9;

const SYMBOLIC: &str = "test/symbolic";

/// What of it is run.
pub enum Choice<'a> {
    /// All of it, in two lanes.
    All,
    /// One lane.
    Lane(Lane),
    /// The parts that these name, one after the other.
    Named(&'a [String]),
}

impl Choice<'_> {
    fn has(&self, part: &Part) -> bool {
        match self {
            Self::All => true,
            Self::Lane(lane) => part.lane == *lane,
            Self::Named(words) => is_chosen(part.name, words),
        }
    }
}

/// Prints the parts, how long each takes, and what it does.
pub fn list(choice: &Choice) {
    for part in PARTS.iter().filter(|part| choice.has(part)) {
        println!("{:<20} {:>7}  {}", part.name, minutes(part.seconds), part.what);
    }
}

/// Runs what is chosen, and prints how long each part took.
pub fn test(choice: &Choice) -> Result<()> {
    if let Choice::Named(only) = choice
        && let Some(words) =
            only.iter().find(|words| !PARTS.iter().any(|part| is_chosen(part.name, std::slice::from_ref(words))))
    {
        bail!("no part has all words of `{words}` in its name; see --list");
    }
    let (mut left_out, mut able) = (Vec::new(), Vec::new());
    for part in PARTS.iter().filter(|part| choice.has(part)) {
        match (part.able)() {
            Err(why) if !matches!(choice, Choice::Named(_)) => left_out.push((part, why)),
            _ => able.push(part),
        }
    }
    if let Choice::All = choice {
        let start = Instant::now();
        one_by_one(able.iter().filter(|part| part.lane == Lane::First).copied(), || Ok(()))?;
        Lanes::begin()?.end()?;
        println!(
            "\n{} passed, 0 failed, {} NOT RUN, in {:.1} min",
            able.len(),
            left_out.len(),
            start.elapsed().as_secs_f64() / 60.0
        );
        for (part, why) in &left_out {
            println!("NOT RUN: {}, {}: {why:#}", part.name, part.what);
        }
        return Ok(());
    }
    let wanted = matches!(choice, Choice::Lane(_)).then(crate::lanes::wanted);
    one_by_one(able.iter().copied(), || wanted.as_ref().map_or(Ok(()), |wanted| wanted()))
}

/// Runs the parts, `before` each of them what may end the run.
fn one_by_one<'a>(parts: impl Iterator<Item = &'a Part>, before: impl Fn() -> Result<()>) -> Result<()> {
    let mut table = Vec::new();
    for part in parts {
        before()?;
        eprintln!("\n== {} ==", part.name);
        let start = Instant::now();
        (part.run)()
            .with_context(|| format!("part `{0}` failed; run it alone: cargo xtask test --only {0}", part.name))?;
        table.push(format!("{:<18} {:>7.1} s", part.name, start.elapsed().as_secs_f64()));
    }
    println!("\n{}\n\n{} passed, 0 failed", table.join("\n"), table.len());
    Ok(())
}

/// Whether one of `only` has nothing but words of the name, such as `contracts` or `contracts-gas`.
fn is_chosen(name: &str, only: &[String]) -> bool {
    let has = |word: &str| name.split('-').any(|own| own == word);
    only.iter().any(|words| words.split(['-', ' ']).all(has))
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

/// A build whose compiler is clippy's, as CI's is, has looked at everything already.
fn clippy() -> Result<()> {
    let denied = std::env::var("RUSTFLAGS").is_ok_and(|flags| flags.contains("-Dwarnings"));
    if denied && std::env::var("RUSTC_WORKSPACE_WRAPPER").is_ok_and(|compiler| compiler == "clippy-driver") {
        println!("the build found none");
        return Ok(());
    }
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
        assert_eq!(chosen(&[]), [""; 0]);
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
