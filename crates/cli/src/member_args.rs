//! What a person can type after `rochdale member`.

use crate::consent_args::ConsentArgs;
use crate::gov::args::ChainArgs;
use crate::ui::Agreed;
use alloy::primitives::Address;
use clap::{Args, Subcommand};
use rochdale_core::ids::DatasetId;
use rochdale_core::ledger::DemandKind;
use std::path::PathBuf;

/// What is typed after `rochdale member export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The archive's file; it is readable for you alone, and not encrypted
    pub file: PathBuf,
    /// The member, by the name on this machine
    #[arg(long)]
    pub name: String,
    /// Replace a file that is there
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Subcommand)]
pub enum MemberCommand {
    /// Draw a member's keys and write the application that a registrar elsewhere admits; it holds no secret
    #[command(
        after_help = "Example: rochdale member apply --name ada --out ada.application.json --url https://gateway.example"
    )]
    Apply {
        /// What the member is called on this machine; it never leaves it
        #[arg(long)]
        name: String,
        /// The application's file
        #[arg(long)]
        out: PathBuf,
    },
    /// Join: by an admission that the registrar wrote, or by the registrar's key where it lies in this state directory
    #[command(
        after_help = "Examples:\n  rochdale member join --name ada\n  rochdale member join --name ada --admission ada.admission.json --url https://gateway.example"
    )]
    Join {
        /// What the member is called on this machine; it never leaves it
        #[arg(long)]
        name: String,
        /// What `rochdale registrar admit` wrote for the application of this member
        #[arg(long)]
        admission: Option<PathBuf>,
    },
    /// Show a membership: account, consent, contributions, and what can be done next
    #[command(after_help = "Example: rochdale member show --name ada")]
    Show {
        /// Who
        #[arg(long)]
        name: String,
    },
    /// Say what records may be used for, by whom and until when, or take that back
    #[command(
        after_help = "Examples:\n  rochdale member consent --name ada --purpose hmb\n  rochdale member consent --name ada --only not-for-profit --country SE --until 2027-12-31\n  rochdale member consent --name ada --study sleep-7 --yearly-budget 0.1 --yes\n  rochdale member consent --name ada --revoke"
    )]
    Consent(ConsentArgs),
    /// Take the consent back; where the gateway does not answer, by the stewards, which open nothing from then on
    #[command(after_help = "Example: rochdale member revoke --name ada")]
    Revoke {
        /// The member, by the name on this machine
        #[arg(long)]
        name: String,
    },
    /// Seal a record and contribute it
    #[command(
        after_help = "Examples:\n  rochdale member contribute --name ada bundle.json\n  rochdale member contribute --name ada ./bulk-export --patient 1234\n  rochdale member contribute --name ada --resume"
    )]
    Contribute {
        /// The member, by the name on this machine
        #[arg(long)]
        name: String,
        /// A FHIR R4 bundle of one patient, or a bulk export, also packed (gzip, zip, tar); `-` is standard input. Required unless
        /// --resume is there
        #[arg(required_unless_present = "resume")]
        record: Option<PathBuf>,
        /// Of several patients, the one with this id
        #[arg(long, value_name = "ID")]
        patient: Option<String>,
        /// The number of the dataset that the record goes into
        #[arg(long, default_value = "1")]
        dataset: DatasetId,
        /// Send again what some steward misses
        #[arg(long, conflicts_with = "record")]
        resume: bool,
    },
    /// End the membership; records stay until they are erased, and what was earned stays yours
    #[command(after_help = "Example: rochdale member leave --name ada --yes")]
    Leave {
        /// The member, by the name on this machine
        #[arg(long)]
        name: String,
        #[command(flatten)]
        agreed: Agreed,
    },
    /// Be paid to another address from now on, also after leaving
    #[command(after_help = "Example: rochdale member payout --name ada 0x00000000000000000000000000000000000a11ce")]
    Payout {
        /// The member, by the name on this machine
        #[arg(long)]
        name: String,
        /// The address that is paid from now on
        #[arg(value_parser = rochdale_client::address::read)]
        address: Address,
    },
    /// Erase everything and end the membership; what was earned stays yours. Where the gateway does not answer, by the stewards
    Erase {
        /// The member, by the name on this machine
        #[arg(long)]
        name: String,
        #[command(flatten)]
        agreed: Agreed,
    },
    /// Show which stewards signed that they destroyed what they held of an erased member
    Erasure {
        /// The member, by the name on this machine
        #[arg(long)]
        name: String,
    },
    /// Show which stewards opened the member's records to score them, by each steward's log
    Openings {
        /// The member, by the name on this machine
        #[arg(long)]
        name: String,
    },
    /// Write everything that the cooperative holds on the member into one archive: records, consents, rewards, who used what
    #[command(
        after_help = "Examples:\n  rochdale member export ada.zip --name ada\n  rochdale member export ada.zip --name ada --force --json\nAnother cooperative reads it back: rochdale import ada.zip --name ada"
    )]
    Export(ExportArgs),
    /// Show the member's own row of the ledger, with the reasons of each score
    Rows {
        /// The member, by the name on this machine
        #[arg(long)]
        name: String,
    },
    /// Demand the path of the member's row in the pending tree, or what is behind its inputs; a root of which it is not
    /// published in time is void
    #[command(
        after_help = "Examples:\n  rochdale member demand --name ada\n  rochdale member demand --name ada --kind inputs"
    )]
    Demand {
        /// The member, by the name on this machine
        #[arg(long)]
        name: String,
        /// What is to be published: `row` or `inputs`
        #[arg(long, default_value_t = DemandKind::Row)]
        kind: DemandKind,
    },
    /// Have the chain replay the member's row in the pending root; void if it is another. Row, inputs and row key are public then
    #[command(
        after_help = "Examples:\n  rochdale member contest --name ada\n  rochdale member contest --name ada --pay mine.key --rpc https://node.example"
    )]
    Contest {
        /// The member, by the name on this machine
        #[arg(long)]
        name: String,
        /// Key file of an account that pays for the transaction itself, past the gateway
        #[arg(long)]
        pay: Option<PathBuf>,
        #[command(flatten)]
        chain: ChainArgs,
    },
    /// Have what is owed paid out
    #[command(
        after_help = "Examples:\n  rochdale member claim --name ada\n  rochdale member claim --all\n  rochdale member claim --name ada --key own.key --rpc http://127.0.0.1:8545"
    )]
    Claim {
        /// The member, by the name on this machine
        #[arg(long, required_unless_present = "all")]
        name: Option<String>,
        /// Everyone in the tree, in batches
        #[arg(long, conflicts_with = "name")]
        all: bool,
        /// Pay the gas from the account of this key file, now and without the gateway
        #[arg(long, requires = "name", conflicts_with = "all")]
        key: Option<std::path::PathBuf>,
        #[command(flatten)]
        chain: ChainArgs,
    },
}

impl MemberCommand {
    /// Whose wallet keeps, once it is done, what it takes to withdraw without the gateway.
    pub fn remembers(&self) -> Option<&str> {
        match self {
            Self::Join { name, .. } | Self::Contribute { name, .. } => Some(name),
            Self::Consent(args) => Some(&args.name),
            _ => None,
        }
    }
}
