//! `rochdale-steward`: run, keygen, audit, transcript, resume, backup, restore.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use rochdale_api::server;
use rochdale_node::backup;
use rochdale_node::logging::Logging;
use rochdale_steward::config::Config;
use rochdale_steward::store::Store;
use rochdale_steward::{audit, keys, run, transcript};

/// A steward of a patient data cooperative: key shares, scores, the privacy budget, settlement.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Example:\n  rochdale-steward keygen --out steward-1 --committee-key committee.key\n  rochdale-steward run --config steward.toml\n  rochdale-steward audit --config steward.toml --json\n  rochdale-steward transcript --config steward.toml --out transcript.json\n  rochdale-steward resume --config steward.toml --duty settlement"
)]
struct Arguments {
    #[command(flatten)]
    logging: Logging,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves until SIGTERM.
    Run {
        /// Configuration file; docs/samples/steward.toml explains each key.
        #[arg(long)]
        config: PathBuf,
    },
    /// Draws a signing and a sealing key (mode 0600) and prints their public parts as JSON.
    Keygen {
        /// Directory for `signing.key` and `sealing.key`, which must not exist there yet.
        #[arg(long)]
        out: PathBuf,
        /// The committee's shared key; drawn where this file does not exist yet.
        #[arg(long)]
        committee_key: Option<PathBuf>,
    },
    /// Recomputes every settled epoch from chain and store, read-only; exits with 1 at the first difference.
    Audit {
        /// Configuration file of the steward.
        #[arg(long)]
        config: PathBuf,
        /// Prints the report as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Writes what an appointed auditor recomputes every settled epoch from (`rochdale audit --transcript`), read-only. It holds what members
    /// earn: seal it to the auditor, and delete it.
    Transcript {
        /// Configuration file of the steward.
        #[arg(long)]
        config: PathBuf,
        /// A file that does not exist yet; only its owner may read it.
        #[arg(long)]
        out: PathBuf,
    },
    /// Lifts a halt once people know what caused it, also beside a steward that runs; the cause, still there, halts again.
    Resume {
        /// Configuration file of the steward.
        #[arg(long)]
        config: PathBuf,
        /// The duty as the health page names it: `settlement`.
        #[arg(long)]
        duty: String,
    },
    #[command(flatten)]
    Backups(backup::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    server::begin(arguments.logging.log_format);
    match dispatch(arguments.command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rochdale-steward: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(command: Command) -> Result<ExitCode> {
    match command {
        Command::Run { config } => run::run(Config::load(&config)?, server::stop_signal()).await?,
        Command::Keygen { out, committee_key } => {
            let public = keys::generate(&out, committee_key.as_deref())?;
            println!("{}", serde_json::to_string_pretty(&public)?);
        }
        Command::Audit { config, json } => {
            let report = audit::audit(Config::load(&config)?).await?;
            if json {
                println!("{}", serde_json::to_string_pretty(&report)?);
            } else {
                print!("{report}");
            }
            return Ok(if report.agrees { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Transcript { config, out } => {
            let told = transcript::transcript(Config::load(&config)?).await?;
            transcript::write(&out, &told)?;
            println!("{} epochs in {}", told.epochs.len(), out.display());
        }
        Command::Backups(command) => {
            backup::carry_out(command, |config| Ok::<_, anyhow::Error>(Config::load(config)?.backed_up()?)).await?;
        }
        Command::Resume { config, duty } => {
            let store = Store::open(&Config::load(&config)?.data_dir).await?;
            let lifted = store.lift(&duty).await?;
            let left: Vec<String> = store.halts().await?.into_iter().map(|halt| halt.duty).collect();
            store.close().await;
            let Some(lifted) = lifted else {
                bail!(
                    "`{duty}` is not halted; halted: {}",
                    if left.is_empty() { "nothing".to_owned() } else { left.join(", ") }
                );
            };
            println!("{duty} goes on; it was halted because {}", lifted.reason);
        }
    }
    Ok(ExitCode::SUCCESS)
}
