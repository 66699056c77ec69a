//! What a person can type after `rochdale dispute`.

use crate::gov::args::ChainArgs;
use crate::ui::Agreed;
use clap::{Args, Subcommand};
use rochdale_core::ids::{Epoch, MemberId, StewardId};
use rochdale_core::ledger::DemandKind;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum DisputeCommand {
    /// The root that can still be stopped, and until when
    Show {
        #[command(flatten)]
        chain: ChainArgs,
    },
    /// A steward freezes a pending root until the member house decides; a bond is lost if the house rejects it
    #[command(
        after_help = "Examples:\n  rochdale dispute object --steward 3 --epoch 12 --attempt 0\n  rochdale dispute object --key signing.key --epoch 12 --attempt 0 --manifest manifest.json --rpc https://node.example"
    )]
    Object {
        /// Which steward objects, by its key in this state directory
        #[arg(long, required_unless_present = "key")]
        steward: Option<StewardId>,
        /// The steward's signing key, where it lies elsewhere
        #[arg(long, conflicts_with = "steward")]
        key: Option<PathBuf>,
        /// The epoch whose root is false
        #[arg(long)]
        epoch: Epoch,
        /// The attempt, so that no other root is hit
        #[arg(long)]
        attempt: u32,
        #[command(flatten)]
        chain: ChainArgs,
        #[command(flatten)]
        agreed: Agreed,
    },
    /// Carry a demanded row, or demanded inputs, from a steward to the chain, where the gateway does not; anyone may
    #[command(
        after_help = "Examples:\n  rochdale dispute answer --member 7\n  rochdale dispute answer --member 7 --from https://steward-2.example --key mine.key --manifest manifest.json --rpc https://node.example"
    )]
    Answer {
        /// Whose row is demanded
        #[arg(long)]
        member: MemberId,
        /// A steward's address; all that this state directory or the gateway knows, if absent
        #[arg(long)]
        from: Option<String>,
        #[command(flatten)]
        payer: PayerArgs,
    },
    /// Void the pending root because a demanded row, or demanded inputs, were not published in time; anyone may
    Void {
        /// Whose demand
        #[arg(long)]
        member: MemberId,
        /// What was demanded: row or inputs
        #[arg(long, default_value_t = DemandKind::Row)]
        kind: DemandKind,
        #[command(flatten)]
        payer: PayerArgs,
    },
    /// Void a root over which the member house did not decide in time; anyone may
    Lapse {
        #[command(flatten)]
        payer: PayerArgs,
    },
}

/// Who pays for a transaction that anyone may send.
#[derive(Clone, Debug, Args)]
pub struct PayerArgs {
    /// Key file of the account that pays; this state's founder if absent
    #[arg(long)]
    pub key: Option<PathBuf>,
    #[command(flatten)]
    pub chain: ChainArgs,
}
