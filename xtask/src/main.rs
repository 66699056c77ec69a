//! The repository's own commands: `cargo xtask --help`.

mod circles;
mod coverage;
mod deny;
mod docs;
mod forge;
mod gas;
mod install;
mod lanes;
mod machines;
mod mutation;
mod programs;
mod python;
mod run;
mod setup;
mod slither;
mod test;
mod tidy;
mod wasm;
mod web;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Setup, checks, demo and tests of this repository.")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install the npm parts (forge, anvil, solc, OpenZeppelin) inside the repository
    Setup,
    /// Set up, build, and put `rochdale` and the programs it starts into cargo's bin folder
    #[command(after_help = "Example: cargo xtask install --root /usr/local")]
    Install {
        /// Into the folder `bin` of this one instead
        #[arg(long, value_name = "DIR")]
        root: Option<PathBuf>,
    },
    /// Set up, build and run the demo; arguments go to `rochdale demo`
    #[command(after_help = "Example: cargo xtask demo --patients 8 --once --json")]
    Demo {
        /// Arguments of `rochdale demo`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Set up, build and run a simulated year on a chain; arguments go to `rochdale-year`
    #[command(after_help = "Example: cargo xtask year --epochs 18 --members 40 --json")]
    Year {
        /// Arguments of `rochdale-year`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Kill a cooperative's processes at random and see that nothing is lost
    Chaos {
        /// How many kills
        #[arg(long, default_value_t = 200)]
        rounds: u32,
        /// What moments and victims are drawn from
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Have a thousand people join, give records and read at once, and measure it; arguments go to `rochdale-load`
    #[command(after_help = "Example: cargo xtask load --release --members 100 --at-once 50 --seconds 10")]
    Load {
        /// Build everything as it is shipped, which compiles every dependency once more
        #[arg(long)]
        release: bool,
        /// Arguments of `rochdale-load`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Set up and run every check and test; this is what CI runs
    Test {
        /// Only the parts that have these words in their names: `contracts`, `contracts-gas`; may be given several times
        #[arg(long, value_name = "WORDS")]
        only: Vec<String>,
        /// List the parts, how many minutes each takes and what it does, instead of running them
        #[arg(long)]
        list: bool,
        /// One lane of a whole run
        #[arg(long, hide = true, conflicts_with = "only")]
        lane: Option<lanes::Lane>,
    },
    /// Regenerate `abi/` from the contracts
    Abi {
        /// Fail where the committed files differ instead of writing them
        #[arg(long)]
        check: bool,
    },
    /// Build `web/wasm/`, what a browser runs of the rules, from `crates/browser`
    Wasm {
        /// Fail where it was built from other sources, or does not do what the vectors say, instead of building it
        #[arg(long)]
        check: bool,
    },
    /// Build the web app into `web/dist`, which `rochdale up` and the gateway serve
    Web,
    /// Record the storage layouts of the upgradeable contracts in `contracts/layouts/`
    Layouts {
        /// Fail where a contract's layout is not the recorded one, or is unsafe, instead of writing
        #[arg(long, conflicts_with = "fresh")]
        check: bool,
        /// Accept layouts that no deployed cooperative could be upgraded to
        #[arg(long)]
        fresh: bool,
    },
    /// Fuzz the contracts and walk their invariants at full length
    Slow,
    /// Plant each bug of `contracts/test/mutation/` and see that the tests notice
    Mutation {
        /// Only the patches whose name contains this
        #[arg(long)]
        only: Option<String>,
        /// A few of them, as CI does
        #[arg(long)]
        sample: bool,
    },
    /// Measure the coverage of the contracts and hold it against what is asked
    Coverage,
    /// Write the gas of `contracts/snapshots/` into `docs/gas.md`
    Gas {
        /// Fail where the page differs instead of writing it
        #[arg(long)]
        check: bool,
    },
    /// Run Slither and compare its findings with `contracts/SLITHER.md`
    Slither,
    /// Prove the `check_*` functions in `contracts/test/symbolic/` with halmos
    Symbolic,
    /// Regenerate `vectors/` from the Rust implementation
    Vectors,
    /// Run the benchmarks; `docs/benchmarks.md` holds the last table
    Bench,
    /// Check licenses and sources of every dependency
    Deny,
    /// Check the repository's own rules
    Tidy,
}

fn main() -> ExitCode {
    match run(Args::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Setup => setup::npm(),
        Command::Install { root } => install::install(root),
        Command::Demo { args } => test::demo(&args),
        Command::Year { args } => test::year(&args),
        Command::Chaos { rounds, seed } => test::chaos(rounds, seed),
        Command::Load { release, args } => test::load(release, &args),
        Command::Test { only, list, lane } => {
            let choice = match lane {
                Some(lane) => test::Choice::Lane(lane),
                None if only.is_empty() => test::Choice::All,
                None => test::Choice::Named(&only),
            };
            if list {
                test::list(&choice);
                return Ok(());
            }
            test::test(&choice)
        }
        Command::Abi { check } => test::abi(check),
        Command::Wasm { check } => wasm::wasm(check),
        Command::Web => web::build(),
        Command::Layouts { check, fresh } => test::layouts(check, fresh),
        Command::Slow => test::slow(),
        Command::Mutation { only, sample } => mutation::check(only.as_deref(), sample),
        Command::Coverage => coverage::check(),
        Command::Gas { check } => gas::check(!check),
        Command::Slither => slither::check(),
        Command::Symbolic => test::symbolic(),
        Command::Vectors => test::vectors(),
        Command::Bench => test::bench(),
        Command::Deny => deny::check(),
        Command::Tidy => tidy::check(),
    }
}
