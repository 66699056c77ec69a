//! `rochdale-gateway`: runs a gateway from a configuration file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use rochdale_gateway::{Config, run};

/// The cooperative's gateway: public API, vault, indexer, relayer.
///
/// Example: rochdale-gateway --config gateway.toml
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Configuration file; docs/samples/gateway.toml shows every key.
    #[arg(long, env = "ROCHDALE_GATEWAY_CONFIG", default_value = "gateway.toml")]
    config: PathBuf,
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
    let config = Config::load(&arguments.config)?;
    run::run(config).await?;
    Ok(())
}
