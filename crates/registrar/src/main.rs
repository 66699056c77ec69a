//! `rochdale-registrar`: invitations, and the admissions that they lead to.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use rochdale_api::server::{begin, stop_signal};
use rochdale_node::backup;
use rochdale_node::logging::Logging;
use rochdale_registrar::config::Config;
use rochdale_registrar::run::run;

/// The registrar of a patient data cooperative: admits who was invited. It holds the registrar's key and nothing else.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "The key: `rochdale key new registrar.key`\nExample: rochdale-registrar run --config /etc/rochdale/registrar.toml"
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
        /// The configuration file; docs/samples/registrar.toml shows every key.
        #[arg(long)]
        config: PathBuf,
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
            eprintln!("rochdale-registrar: {error:#}");
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
    }
    Ok(())
}
