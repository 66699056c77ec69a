//! `rochdale registrar …`: what its office can type.

use alloy::primitives::B256;
use clap::{Args, Subcommand};
use rochdale_api::invitation::{MOST_AT_ONCE, MOST_DAYS};
use std::path::PathBuf;

/// Which registrar, and who asks it.
#[derive(Clone, Debug, Args)]
pub struct OfficeArgs {
    /// The registrar's process [default: the one that `rochdale up` runs on this state directory]
    #[arg(long, env = "ROCHDALE_REGISTRAR", value_name = "URL")]
    pub registrar: Option<String>,
    /// The registrar's key file; this state's own if absent
    #[arg(long)]
    pub key: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum RegistrarCommand {
    /// Make invitations: each admits one person, once, and its code is shown here alone
    #[command(
        after_help = "Examples:\n  rochdale registrar invite\n  rochdale registrar invite --count 20 --days 30 --note \"open day\" --json"
    )]
    Invite {
        /// How many
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_AT_ONCE)))]
        count: u16,
        /// Days that they are good for
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_DAYS)))]
        days: u16,
        /// For whom, in your own words; it stays at the registrar
        #[arg(long, default_value = "")]
        note: String,
        /// Where the web app is, for the links [default: the gateway, as localhost]
        #[arg(long, value_name = "URL")]
        base: Option<String>,
        #[command(flatten)]
        office: OfficeArgs,
    },
    /// The invitations: for whom, until when, and whom each admitted
    #[command(after_help = "Example: rochdale registrar invitations")]
    Invitations {
        #[command(flatten)]
        office: OfficeArgs,
    },
    /// Take an invitation back that nobody used
    #[command(
        after_help = "Example: rochdale registrar withdraw 0x1234… (as `rochdale registrar invitations` shows it, whole)"
    )]
    Withdraw {
        /// The invitation's id
        id: B256,
        #[command(flatten)]
        office: OfficeArgs,
    },
    /// Admit whoever wrote an application: the stewards take the row key, and the admission is written for the member to join with
    #[command(
        after_help = "Example: rochdale registrar admit ada.application.json --out ada.admission.json --key registrar.key"
    )]
    Admit {
        /// What `rochdale member apply` wrote
        application: PathBuf,
        /// The admission's file
        #[arg(long)]
        out: PathBuf,
        /// The registrar's key file; this state's own if absent
        #[arg(long)]
        key: Option<PathBuf>,
    },
}
