//! `rochdale-worker`: answers queries over pooled records.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use rochdale_api::server::{begin, stop_signal};
use rochdale_node::backup;
use rochdale_node::logging::Logging;
use rochdale_worker::config::Config;
use rochdale_worker::keys::Keys;
use rochdale_worker::run::run;

/// The worker of a patient data cooperative: opens pooled records in memory and answers queries with differential privacy.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  rochdale-worker keygen --out /etc/rochdale/worker\n  rochdale-worker run --config /etc/rochdale/worker/worker.toml"
)]
struct Arguments {
    #[command(flatten)]
    logging: Logging,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run until SIGTERM or Ctrl-C.
    Run {
        /// The configuration file; docs/samples/worker.toml shows every key.
        #[arg(long)]
        config: PathBuf,
    },
    /// Draw signing.key and sealing.key, and print the public parts as JSON.
    Keygen {
        /// The directory for the two files; they must not exist yet.
        #[arg(long)]
        out: PathBuf,
    },
    #[command(flatten)]
    Backups(backup::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    begin(arguments.logging.log_format);
    match start(arguments.command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rochdale-worker: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn start(command: Command) -> Result<()> {
    match command {
        Command::Run { config } => run(Config::load(&config)?, stop_signal()).await?,
        Command::Backups(command) => {
            backup::carry_out(command, |config| anyhow::Ok(Config::load(config)?.backed_up()?)).await?;
        }
        Command::Keygen { out } => {
            let public = Keys::create(&out)?.public();
            println!("{}", serde_json::to_string_pretty(&public)?);
        }
    }
    Ok(())
}
