//! The repository's own commands: `cargo xtask --help`.

mod deny;
mod run;
mod setup;
mod test;
mod tidy;

use anyhow::Result;
use clap::{Parser, Subcommand};

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
    /// Set up, build and run the demo; arguments go to `rochdale demo`
    #[command(after_help = "Example: cargo xtask demo --patients 8 --once --json")]
    Demo {
        /// Arguments of `rochdale demo`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Set up and run every check and test; this is what CI runs
    Test {
        /// Only the parts whose name contains this; `--list` shows the names
        #[arg(long)]
        only: Option<String>,
        /// List the parts instead of running them
        #[arg(long)]
        list: bool,
    },
    /// Regenerate `abi/` from the contracts
    Abi {
        /// Fail where the committed files differ instead of writing them
        #[arg(long)]
        check: bool,
    },
    /// Regenerate `vectors/` from the Rust implementation
    Vectors,
    /// Run the benchmarks; `docs/benchmarks.md` holds the last table
    Bench,
    /// Check licenses and sources of every dependency
    Deny,
    /// Check the repository's own rules
    Tidy,
}

fn main() -> Result<()> {
    match Args::parse().command {
        Command::Setup => setup::npm(),
        Command::Demo { args } => test::demo(&args),
        Command::Test { only, list } => test::test(only.as_deref(), list),
        Command::Abi { check } => test::abi(check),
        Command::Vectors => test::vectors(),
        Command::Bench => test::bench(),
        Command::Deny => deny::check(),
        Command::Tidy => tidy::check(),
    }
}
