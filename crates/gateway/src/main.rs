//! `rochdale-gateway`: runs a gateway from a configuration file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rochdale_gateway::{Config, run};
use rochdale_node::backup;
use rochdale_node::logging::Logging;

/// The cooperative's gateway: public API, vault, indexer, relayer.
#[derive(Parser)]
#[command(version, about, after_help = "Example:\n  rochdale-gateway run --config gateway.toml")]
struct Arguments {
    #[command(flatten)]
    logging: Logging,
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
        /// The web app's folder, instead of the one that the file names.
        #[arg(long)]
        web: Option<PathBuf>,
        /// The registrar's URL, where the file names none.
        #[arg(long)]
        registrar: Option<String>,
        /// A file with the key of a test researcher and an invitation, shown to anybody: on a local chain alone.
        #[arg(long, hide = true)]
        welcome: Option<PathBuf>,
    },
    #[command(flatten)]
    Backups(backup::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    rochdale_api::server::begin(arguments.logging.log_format);
    match start(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rochdale-gateway: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn start(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Command::Run { config, web, registrar, welcome } => {
            let mut config = Config::load(&config)?;
            config.web = web.or(config.web);
            config.registrar = config.registrar.or(registrar);
            config.welcome = welcome;
            Ok(run::run(config).await?)
        }
        Command::Backups(command) => {
            backup::carry_out(command, |config| Ok::<_, anyhow::Error>(Config::load(config)?.backed_up()?)).await
        }
    }
}
