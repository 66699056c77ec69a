//! The `rochdale` command: founds, runs and uses a cooperative.

mod args;
mod audit;
mod commands;
mod contest;
mod coop;
mod demo;
mod dispute;
mod epoch;
mod found;
mod gov;
mod member;
mod own_gas;
mod ports;
mod process;
mod program;
mod records;
mod researcher;
mod state;
mod tied;
mod transcript;
mod ui;
mod up;
mod wallet;

use args::{Cli, Command};
use clap::Parser as _;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use ui::Ui;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::new(error)),
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let ui = Ui { json: cli.common.json };
    match cli.command {
        Command::Demo(args) => demo::run(&cli.common, args, ui).await,
        Command::Up { only, without, port, config } => {
            commands::up(&cli.common, only, &without, (port, config), ui).await
        }
        Command::Tied { parent, command } => tied::run(parent, &command),
        Command::Coop(command) => commands::coop(&cli.common, command, ui).await,
        Command::Member(command) => commands::member(&cli.common, command, ui).await,
        Command::Program(command) => program::run(&cli.common, command, ui).await,
        Command::Researcher(command) => researcher::run(&cli.common, command, ui).await,
        Command::Epoch(command) => commands::epoch(&cli.common, command, ui).await,
        Command::Gov(command) => gov::run(&cli.common, command, ui).await,
        Command::Dispute(command) => dispute::run(&cli.common, command, ui).await,
        Command::Audit { steward, transcript: args } => match &args.transcript {
            Some(file) => transcript::run(&args, file, ui).await,
            None => commands::audit(&cli.common, steward, ui),
        },
    }
}
