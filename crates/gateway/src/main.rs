//! `rochdale-gateway`: runs a gateway from a configuration file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rochdale_gateway::{Config, run};

/// The cooperative's gateway: public API, vault, indexer, relayer.
#[derive(Parser)]
#[command(version, about, after_help = "Example:\n  rochdale-gateway run --config gateway.toml")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until SIGTERM.
    Run {
        /// Configuration file; docs/samples/gateway.toml shows every key.
        #[arg(long)]
        config: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    rochdale_api::server::init_telemetry();
    match start(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rochdale-gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn start(arguments: &Arguments) -> anyhow::Result<()> {
    let Command::Run { config } = &arguments.command;
    let config = Config::load(config)?;
    run::run(config).await?;
    Ok(())
}
