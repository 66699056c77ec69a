//! What a person can type after `rochdale researcher`.

use super::study::StudyArgs;
use crate::amounts::usdc;
use crate::gov::args::ChainArgs;
use crate::ui::Agreed;
use clap::{Args, Subcommand, ValueEnum};
use rochdale_core::consent::Permission;
use rochdale_core::ids::{DatasetId, LicenseId, Purpose};
use rochdale_core::money::MicroUsdc;
use std::path::PathBuf;

/// GA4GH DUO permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PurposeArg {
    /// Any use (DUO:0000004)
    Nres,
    /// General research use (DUO:0000042)
    Gru,
    /// Health, medical and biomedical research (DUO:0000006)
    Hmb,
    /// Research of one disease (DUO:0000007)
    Ds,
    /// Research of populations and ancestry (DUO:0000011)
    Poa,
}

impl PurposeArg {
    /// The permission, but for that of a disease, which says which.
    pub fn permission(self) -> Option<Permission> {
        match self {
            Self::Nres => Some(Permission::NoRestriction {}),
            Self::Gru => Some(Permission::GeneralResearch {}),
            Self::Hmb => Some(Permission::HealthMedicalBiomedical {}),
            Self::Ds => None,
            Self::Poa => Some(Permission::PopulationOrigins {}),
        }
    }

    /// The purpose's code.
    pub fn code(self) -> Purpose {
        Purpose(match self {
            Self::Nres => 4,
            Self::Gru => 42,
            Self::Hmb => 6,
            Self::Ds => 7,
            Self::Poa => 11,
        })
    }
}

pub use rochdale_client::choice::purpose as purpose_words;

/// Who acts, and on which chain.
#[derive(Clone, Debug, Args)]
pub struct Who {
    /// What the researcher is called on this machine
    #[arg(long, default_value = "researcher")]
    pub name: String,
    #[command(flatten)]
    pub chain: ChainArgs,
}

/// What a license is to say.
#[derive(Clone, Copy, Debug, Args)]
pub struct OrderArgs {
    /// The number of the dataset
    #[arg(long, default_value = "1")]
    pub dataset: DatasetId,
    /// Records paid for; as many as the published size says if absent, and never more
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub records: Option<u32>,
    #[command(flatten)]
    pub use_: UseArgs,
    /// Days of validity; each month of 30 days that has begun is paid
    #[arg(long, default_value_t = 30)]
    pub days: u32,
}

/// What the data is for.
#[derive(Clone, Copy, Debug, Args)]
pub struct UseArgs {
    /// What the research is for
    #[arg(long, value_enum, default_value = "hmb")]
    pub purpose: PurposeArg,
    /// EHDS Art. 53(1), letter (a) to (f) as 1 to 6
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=6))]
    pub category: u8,
}

/// What a license is paid with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PayArg {
    /// The stablecoin
    Usdc,
    /// The cooperative's DATA, of which a part burns
    Data,
}

#[derive(Debug, Subcommand)]
pub enum ResearcherCommand {
    /// Draw a new researcher's keys: the account that pays and signs, and the key that answers are sealed to
    #[command(after_help = "Example: rochdale researcher new --name lin")]
    New {
        /// What the researcher is called on this machine
        #[arg(long, default_value = "researcher")]
        name: String,
    },
    /// Buy a query license at the fixed price
    #[command(
        after_help = "Examples:\n  rochdale researcher license --name lin --records 1000\n  rochdale researcher license --name lin --pay data"
    )]
    License {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        order: OrderArgs,
        /// What it is paid with
        #[arg(long, value_enum, default_value = "usdc")]
        pay: PayArg,
        #[command(flatten)]
        agreed: Agreed,
    },
    /// Make a license last longer, at the price of the day
    #[command(after_help = "Example: rochdale researcher renew --name lin --days 90")]
    Renew {
        #[command(flatten)]
        who: Who,
        /// The license; the one got last if absent
        #[arg(long)]
        license: Option<LicenseId>,
        /// Days that are added, from now where it has ended; each month of 30 days that has begun is paid
        #[arg(long, default_value_t = 30)]
        days: u32,
        #[command(flatten)]
        agreed: Agreed,
    },
    /// Pay for a license that can be cancelled for a while
    #[command(after_help = "Example: rochdale researcher reserve --name lin --records 1000")]
    Reserve {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        order: OrderArgs,
        #[command(flatten)]
        agreed: Agreed,
    },
    /// Turn a reservation into a license that begins now
    #[command(after_help = "Example: rochdale researcher activate --name lin --reservation 1")]
    Activate {
        #[command(flatten)]
        who: Who,
        /// The reservation's number
        #[arg(long)]
        reservation: u64,
    },
    /// Cancel a reservation and get all of the money back
    #[command(after_help = "Example: rochdale researcher cancel --name lin --reservation 1")]
    Cancel {
        #[command(flatten)]
        who: Who,
        /// The reservation's number
        #[arg(long)]
        reservation: u64,
    },
    /// Have the ethics board approve the researcher for a purpose, by what it found out about the study: signs with the board's key, and sends it
    #[command(
        after_help = "Examples:\n  rochdale researcher approve --name lin --purpose hmb --days 365 --key ethics.key\n  rochdale researcher approve --name lin --not-for-profit yes --commercial no --country SE --study sleep-7"
    )]
    Approve {
        #[command(flatten)]
        who: Who,
        /// What the research is for
        #[arg(long, value_enum, default_value = "hmb")]
        purpose: PurposeArg,
        /// Days from now
        #[arg(long, default_value_t = 365)]
        days: u32,
        /// Key file of the ethics board; this state's own if absent
        #[arg(long)]
        key: Option<PathBuf>,
        #[command(flatten)]
        study: StudyArgs,
    },
    /// Sealed bids for a license: the highest wins and pays the second highest
    #[command(subcommand)]
    Auction(AuctionCommand),
    /// One computation: paid ahead, settled by a receipt, given back where none comes
    #[command(subcommand)]
    Job(JobCommand),
    /// Collateral that is lost for breaking a license's terms
    #[command(subcommand)]
    Bond(BondCommand),
    /// Ask a typed query from a JSON file, and open the answer: what it charges to people's privacy budgets is said and asked about first. The
    /// signed order is kept, and asked again it costs nothing
    #[command(
        after_help = "Examples:\n  rochdale researcher query --name lin query.json   (see docs/how-to/query.md)\n  rochdale researcher query --name lin --resume"
    )]
    Query {
        /// The researcher, by the name on this machine
        #[arg(long, default_value = "researcher")]
        name: String,
        /// The file of the query
        #[arg(required_unless_present = "resume")]
        query: Option<PathBuf>,
        /// The license; the one got last if absent
        #[arg(long)]
        license: Option<LicenseId>,
        /// The license's purpose
        #[arg(long, value_enum, default_value = "hmb")]
        purpose: PurposeArg,
        /// Sign a new order although the same question was answered: it is charged anew unless nobody came, changed or went since
        #[arg(long)]
        again: bool,
        /// Send every order that has no answer yet once more: each is charged once
        #[arg(long, conflicts_with_all = ["query", "again"])]
        resume: bool,
        #[command(flatten)]
        agreed: Agreed,
    },
    /// List the orders that were signed, and where each stands
    #[command(after_help = "Example: rochdale researcher orders --name lin")]
    Orders {
        /// The researcher, by the name on this machine
        #[arg(long, default_value = "researcher")]
        name: String,
    },
    /// Fetch the answer to an order, as often as you like until its license ends
    #[command(after_help = "Example: rochdale researcher answer --name lin 0x5f3a")]
    Answer {
        /// The researcher, by the name on this machine
        #[arg(long, default_value = "researcher")]
        name: String,
        /// The order: its name, or how it begins
        order: String,
    },
    /// What licenses, auctions, computations and bonds cost now, in USDC, DATA and GOV, as the contracts say
    #[command(
        after_help = "Examples:\n  rochdale researcher prices\n  rochdale researcher prices --rpc https://node.example --manifest manifest.json --url https://gateway.example"
    )]
    Prices {
        #[command(flatten)]
        chain: ChainArgs,
    },
    /// For which purposes the ethics board has approved the researcher, until when, and which still wait for it
    #[command(after_help = "Example: rochdale researcher approvals --name lin")]
    Approvals {
        #[command(flatten)]
        who: Who,
    },
    /// Show how many members each dataset has for a purpose: published sizes, noisy and coarse
    #[command(after_help = "Example: rochdale researcher sizes")]
    Sizes,
}

#[derive(Debug, Subcommand)]
pub enum AuctionCommand {
    /// Open an auction of a dataset that has auction terms
    #[command(after_help = "Example: rochdale researcher auction open --name lin --dataset 1")]
    Open {
        #[command(flatten)]
        who: Who,
        /// The number of the dataset
        #[arg(long, default_value = "1")]
        dataset: DatasetId,
        /// What the research is for
        #[arg(long, value_enum, default_value = "hmb")]
        purpose: PurposeArg,
    },
    /// Commit a sealed bid and pay the bond; the salt is kept in the state directory, without it nothing can be revealed
    #[command(after_help = "Example: rochdale researcher auction bid --name lin --auction 1 --amount 3000")]
    Bid {
        #[command(flatten)]
        who: Who,
        /// The auction's number
        #[arg(long)]
        auction: u64,
        /// The most that is paid, in USDC
        #[arg(long, value_parser = usdc)]
        amount: MicroUsdc,
        #[command(flatten)]
        use_: UseArgs,
        #[command(flatten)]
        agreed: Agreed,
    },
    /// Open the bid in the reveal period and pay what the bond does not cover
    #[command(after_help = "Example: rochdale researcher auction reveal --name lin --auction 1")]
    Reveal {
        #[command(flatten)]
        target: AuctionArgs,
        #[command(flatten)]
        agreed: Agreed,
    },
    /// Close an auction that is over, or take note of one that somebody else closed
    #[command(after_help = "Example: rochdale researcher auction settle --name lin --auction 1")]
    Settle {
        #[command(flatten)]
        target: AuctionArgs,
    },
    /// Fetch what the price did not take, of every auction
    #[command(after_help = "Example: rochdale researcher auction refund --name lin")]
    Refund {
        #[command(flatten)]
        who: Who,
    },
    /// How an auction stands, with the own bid
    #[command(after_help = "Example: rochdale researcher auction show --name lin --auction 1")]
    Show {
        #[command(flatten)]
        target: AuctionArgs,
    },
}

/// Which auction.
#[derive(Clone, Debug, Args)]
pub struct AuctionArgs {
    #[command(flatten)]
    pub who: Who,
    /// The auction's number
    #[arg(long)]
    pub auction: u64,
}

#[derive(Debug, Subcommand)]
pub enum JobCommand {
    /// Pay the most that a computation can cost; its license covers the plan alone
    #[command(after_help = "Example: rochdale researcher job open --name lin query.json --max-units 100")]
    Open {
        #[command(flatten)]
        who: Who,
        /// The plan: a typed query in a JSON file
        plan: PathBuf,
        /// The most metered units that are paid for
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
        max_units: u64,
        #[command(flatten)]
        use_: UseArgs,
        #[command(flatten)]
        agreed: Agreed,
    },
    /// How a job stands
    #[command(after_help = "Example: rochdale researcher job show --name lin --job 1")]
    Show {
        #[command(flatten)]
        target: JobArgs,
    },
    /// Send the receipt that stewards and worker signed; anyone may
    #[command(after_help = "Example: rochdale researcher job settle --name lin --receipt receipt.json")]
    Settle {
        #[command(flatten)]
        who: Who,
        /// JSON: job, units, plan_digest, snapshot, steward_signatures, worker_signature
        #[arg(long)]
        receipt: PathBuf,
    },
    /// End a job without a receipt after its time, and fetch what is owed
    #[command(after_help = "Example: rochdale researcher job refund --name lin --job 1")]
    Refund {
        #[command(flatten)]
        target: JobArgs,
    },
}

/// Which job.
#[derive(Clone, Debug, Args)]
pub struct JobArgs {
    #[command(flatten)]
    pub who: Who,
    /// The job's number
    #[arg(long)]
    pub job: u64,
}

#[derive(Debug, Subcommand)]
pub enum BondCommand {
    /// Put collateral
    #[command(
        after_help = "Examples:\n  rochdale researcher bond put --name lin\n  rochdale researcher bond put --name lin --amount 250.50"
    )]
    Put {
        #[command(flatten)]
        who: Who,
        /// Whole tokens; what is missing if absent
        #[arg(long)]
        amount: Option<String>,
        #[command(flatten)]
        agreed: Agreed,
    },
    /// Take collateral back: first a request, and 30 days later, by the same command, the money
    #[command(
        after_help = "Examples:\n  rochdale researcher bond withdraw --name lin\n  rochdale researcher bond withdraw --name lin --amount 100"
    )]
    Withdraw {
        #[command(flatten)]
        who: Who,
        /// Ask for so many whole tokens back; absent, what is on its way is fetched, or all of the bond asked back
        #[arg(long)]
        amount: Option<String>,
    },
    /// What is put and what is on its way back
    #[command(after_help = "Example: rochdale researcher bond show --name lin")]
    Show {
        #[command(flatten)]
        who: Who,
    },
}
