//! `rochdale key …`: key files, drawn by this word and by no other command's way.

use crate::args::Common;
use crate::commands::show;
use crate::coop;
use crate::failure::Failure;
use crate::ui::Ui;
use anyhow::{Context, Result, ensure};
use clap::{Subcommand, ValueEnum};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Draw a signing key and write it to a file that is not there yet
    #[command(
        after_help = "Examples:\n  rochdale key new founder.key\n  rochdale key new --office registrar --state ./ours"
    )]
    New {
        /// The file
        #[arg(required_unless_present = "office")]
        file: Option<PathBuf>,
        /// Put it where this state directory keeps the key of an office
        #[arg(long, value_enum, conflicts_with = "file")]
        office: Option<Office>,
    },
    /// Show the account of a key file
    #[command(after_help = "Example: rochdale key show founder.key")]
    Show {
        /// The file
        #[arg(required_unless_present = "office")]
        file: Option<PathBuf>,
        /// That of an office of this state directory
        #[arg(long, value_enum, conflicts_with = "file")]
        office: Option<Office>,
    },
}

/// An office whose key a state directory may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Office {
    /// Pays for the deployment and keeps no role
    Founder,
    /// Signs admissions
    Registrar,
    /// Approves researchers
    Ethics,
    /// May pause for a week
    Guardian,
}

impl Office {
    fn name(self) -> &'static str {
        match self {
            Self::Founder => crate::found::FOUNDER,
            Self::Registrar => crate::found::REGISTRAR,
            Self::Ethics => crate::found::ETHICS,
            Self::Guardian => crate::found::GUARDIAN,
        }
    }
}

/// Runs a command.
pub fn run(common: &Common, command: KeyCommand, ui: Ui) -> Result<ExitCode> {
    let place = |file: Option<PathBuf>, office: Option<Office>| match office {
        Some(office) => Ok(common.state()?.office_key(office.name())),
        None => file.context("name the key's file, or --office"),
    };
    match command {
        KeyCommand::New { file, office } => {
            let path = place(file, office)?;
            let over =
                || Failure::refused(format!("{} is there already: a key is never drawn over another", path.display()));
            ensure!(!path.exists(), over());
            let account = coop::drawn(&path)?.address();
            let path = path.canonicalize().with_context(|| format!("cannot open {}", path.display()))?;
            let sentence = format!(
                "drew a key for the account {account} and wrote it to {}: whoever reads it is that account",
                path.display()
            );
            show(ui, &json!({ "account": account, "file": path }), sentence)
        }
        KeyCommand::Show { file, office } => {
            let path = place(file, office)?;
            let account = coop::signer(&path)?.address();
            show(ui, &json!({ "account": account, "file": path }), account.to_string())
        }
    }
}
