//! What a person can type after `rochdale steward`, `pay`, `buyback`, `vesting` and `service`.

use crate::amounts::{tokens, usdc};
use crate::gov::args::ChainArgs;

use crate::ui::Agreed;
use alloy::primitives::{Address, B256, U256};
use clap::{Args, Subcommand};
use rochdale_core::ids::StewardId;
use rochdale_core::money::MicroUsdc;
use std::path::PathBuf;

/// Who acts, and how far it goes.
#[derive(Clone, Debug, Args)]
pub struct ActArgs {
    /// Key file of the account that acts
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// The account that acts, where its key is not here: with --dry-run or --safe
    #[arg(long, conflicts_with = "key")]
    pub account: Option<Address>,
    /// Say what would be done, try it against the chain, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Write the transactions to a new file for the transaction builder of a Safe, the account, and send nothing
    #[arg(long, value_name = "FILE", requires = "account", conflicts_with = "dry_run")]
    pub safe: Option<PathBuf>,
    #[command(flatten)]
    pub agreed: Agreed,
    #[command(flatten)]
    pub chain: ChainArgs,
}

/// Which steward.
#[derive(Clone, Debug, Args)]
pub struct SeatArgs {
    /// The steward, by its key in this state directory; elsewhere name --key or --account
    #[arg(long, required_unless_present_any = ["key", "account"], conflicts_with_all = ["key", "account"])]
    pub steward: Option<StewardId>,
    #[command(flatten)]
    pub act: ActArgs,
}

#[derive(Debug, Subcommand)]
pub enum StewardCommand {
    /// Who sits, with which bond, and what is put aside of bonds
    #[command(after_help = "Example: rochdale steward show")]
    Show {
        #[command(flatten)]
        chain: ChainArgs,
    },
    /// Pay into a steward's bond; a seat counts from the least bond on
    #[command(
        after_help = "Examples:\n  rochdale steward bond --steward 2 --amount 1000\n  rochdale steward bond --of 0x… --account 0x… --amount 1000 --safe bond.json"
    )]
    Bond {
        /// Whose bond, where another account pays; the account that acts, if absent
        #[arg(long)]
        of: Option<Address>,
        /// USDC; what a seat asks for and is missing, if absent
        #[arg(long, value_parser = usdc)]
        amount: Option<MicroUsdc>,
        #[command(flatten)]
        seat: SeatArgs,
    },
    /// Ask a bond back: it can be fetched after the delay; a seat without its least bond counts no more
    #[command(after_help = "Example: rochdale steward unbond --steward 2 --amount 500")]
    Unbond {
        /// USDC; all of it, and with it the seat, if absent
        #[arg(long, value_parser = usdc)]
        amount: Option<MicroUsdc>,
        #[command(flatten)]
        seat: SeatArgs,
    },
    /// Fetch what was asked back, once the delay is over
    #[command(after_help = "Example: rochdale steward withdraw --steward 2")]
    Withdraw {
        /// Who gets it; the account that acts, if absent
        #[arg(long, value_parser = rochdale_client::address::read)]
        to: Option<Address>,
        #[command(flatten)]
        seat: SeatArgs,
    },
    /// Show two headers that one steward signed for one attempt: all of its bond is put aside; anyone may
    #[command(after_help = "Example: rochdale steward report two-headers.json\n\n\
        The file: {\"a\": {\"header\": {…}, \"signature\": \"0x…\"}, \"b\": {…}}, each header as the gateway's page of an epoch has it.")]
    Report {
        /// The two headers with their signatures
        file: PathBuf,
        #[command(flatten)]
        act: ActArgs,
    },
    /// Give back what the member house left undecided for 60 days; anyone may
    #[command(after_help = "Example: rochdale steward release --slash 3")]
    Release {
        /// The slash, by its number
        #[arg(long)]
        slash: U256,
        #[command(flatten)]
        act: ActArgs,
    },
}

#[derive(Debug, Subcommand)]
pub enum PayCommand {
    /// What is paid for work, and what an operator is owed
    #[command(after_help = "Examples:\n  rochdale pay show\n  rochdale pay show --operator 0x…")]
    Show {
        /// Whose pay, a worker's or a former steward's too; that of the stewards in office, if absent
        #[arg(long)]
        operator: Option<Address>,
        #[command(flatten)]
        chain: ChainArgs,
    },
    /// Credit the stewards that signed the last final epoch, or a worker with its receipts; anyone may
    #[command(after_help = "Examples:\n  rochdale pay meter\n  rochdale pay meter --worker 0x…")]
    Meter {
        /// A worker, for its receipts since it was metered last
        #[arg(long)]
        worker: Option<Address>,
        #[command(flatten)]
        act: ActArgs,
    },
    /// Pay an operator what it is owed, as far as the bucket for operations reaches; anyone may
    #[command(after_help = "Example: rochdale pay collect --operator 0x…")]
    Collect {
        /// To whom it is owed, and paid
        #[arg(long)]
        operator: Address,
        #[command(flatten)]
        act: ActArgs,
    },
}

#[derive(Debug, Subcommand)]
pub enum BuybackCommand {
    /// The lot: what it pays, what is asked for it now, and what the bucket holds
    Show {
        #[command(flatten)]
        chain: ChainArgs,
    },
    /// Put a lot on offer, where the bucket covers it; anyone may
    Offer {
        #[command(flatten)]
        act: ActArgs,
    },
    /// Give the DATA that is asked now, which burns, and get the lot of USDC
    #[command(after_help = "Example: rochdale buyback sell --most 1200 --key mine.key")]
    Sell {
        /// The most DATA that is given; what is asked now, if absent
        #[arg(long, value_parser = whole_data)]
        most: Option<U256>,
        #[command(flatten)]
        act: ActArgs,
    },
}

#[derive(Debug, Subcommand)]
pub enum VestingCommand {
    /// Every promise of DATA, or one: for whom, how much of it is vested and paid, and what is promised to nobody
    #[command(after_help = "Example: rochdale vesting show --id 1")]
    Show {
        /// The promise, by its number
        #[arg(long)]
        id: Option<U256>,
        #[command(flatten)]
        chain: ChainArgs,
    },
    /// Put DATA there that the token house can promise
    #[command(after_help = "Example: rochdale vesting fund --amount 5000 --key mine.key")]
    Fund {
        /// DATA
        #[arg(long, value_parser = whole_data)]
        amount: U256,
        #[command(flatten)]
        act: ActArgs,
    },
    /// Pay what has vested of a promise to whom it was made; anyone may
    #[command(after_help = "Example: rochdale vesting release --id 1")]
    Release {
        /// The promise, by its number
        #[arg(long)]
        id: U256,
        #[command(flatten)]
        act: ActArgs,
    },
}

#[derive(Debug, Subcommand)]
pub enum ServiceCommand {
    /// What a service costs, and whether it is offered
    #[command(after_help = "Example: rochdale service show --id 7")]
    Show {
        /// The service, by its number
        #[arg(long)]
        id: u32,
        #[command(flatten)]
        chain: ChainArgs,
    },
    /// Order a service as a member: its price in DATA burns, and does not come back where nothing is delivered
    #[command(after_help = "Example: rochdale service order --id 7 --request request.txt --name ada")]
    Order {
        /// The service, by its number
        #[arg(long)]
        id: u32,
        /// What is asked for: a file whose blinded digest goes on chain; `-` reads standard input
        #[arg(long, value_name = "FILE")]
        request: PathBuf,
        /// The member, by its folder in this state directory
        #[arg(long, required_unless_present_any = ["key", "account"], conflicts_with_all = ["key", "account"])]
        name: Option<String>,
        /// The blinder, as it was shown; drawn where it is absent
        #[arg(long)]
        blinder: Option<B256>,
        #[command(flatten)]
        act: ActArgs,
    },
}

/// An amount of DATA, as a person writes it.
fn whole_data(text: &str) -> Result<U256, String> {
    tokens(text, 18).map(U256::from)
}
