//! What a person can type after `rochdale gov`.

use super::money::MoneyProposal;
use alloy::primitives::{Address, B256, U256};
use clap::{Args, Subcommand, ValueEnum};
use rochdale_chain::gov::{House, Support};
use rochdale_core::ids::{DatasetId, MemberId};
use std::path::PathBuf;
use std::str::FromStr;

#[derive(Debug, Subcommand)]
pub enum GovCommand {
    /// Propose: the house that owns the calls votes on them, both where it takes both
    #[command(
        after_help = "Examples:\n  rochdale gov propose --name ada --why \"Cheaper labs\" price --dataset 2 --price 90\n  rochdale gov propose --name ada --why \"See the file\" file proposal.toml\n  rochdale gov propose --name ada file upgrade.toml\n  rochdale gov propose --name ada --why \"Shorter wait\" call ContributionRegistry setCooldown cooldown=86400"
    )]
    Propose {
        /// Who proposes
        #[arg(long)]
        name: String,
        /// Why, in words that voters read; those of the proposal's file if absent
        #[arg(long)]
        why: Option<String>,
        /// Show what would be proposed and send nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        chain: ChainArgs,
        /// What is proposed
        #[command(subcommand)]
        what: ProposeCommand,
    },
    /// Vote on a proposal
    #[command(after_help = "Example: rochdale gov vote --name ada --proposal 0x3f… --support for")]
    Vote {
        /// Who votes
        #[arg(long)]
        name: String,
        /// The proposal: its number, how that begins (0x3f2a), or `last`
        #[arg(long)]
        proposal: ProposalRef,
        /// For it, against it, or an abstention
        #[arg(long, value_enum)]
        support: SupportArg,
        /// In which house; in both, if absent, where both decide
        #[arg(long, value_enum)]
        house: Option<HouseArg>,
        #[command(flatten)]
        chain: ChainArgs,
    },
    /// Put a proposal that succeeded into its house's timelock; anyone may
    Queue {
        #[command(flatten)]
        target: ProposalArgs,
    },
    /// Execute a proposal that waited, and what the charter may do by it; anyone may
    Execute {
        #[command(flatten)]
        target: ProposalArgs,
    },
    /// Let the houses decide about money and the charter, once enough members have a vote; anyone may
    Constitute {
        /// Key file of the account that pays; this state's founder if absent
        #[arg(long)]
        key: Option<PathBuf>,
        #[command(flatten)]
        chain: ChainArgs,
    },
    /// A proposal in plain words: what it changes, from what to what, when, and its votes
    Show {
        /// The proposal: its number, how that begins (0x3f2a), or `last`
        #[arg(long)]
        proposal: ProposalRef,
        /// In which house; in both, if absent, where both decide
        #[arg(long, value_enum)]
        house: Option<HouseArg>,
        #[command(flatten)]
        chain: ChainArgs,
    },
    /// All proposals of both houses, the newest first
    List {
        #[command(flatten)]
        chain: ChainArgs,
    },
    /// Ask the members, or answer: signed opinions that bind nobody
    #[command(subcommand)]
    Poll(PollCommand),
    /// Count a poll again from the signed ballots and the chain alone
    #[command(
        after_help = "Examples:\n  rochdale gov tally --poll 0x3f…\n  rochdale gov tally --poll poll.json --manifest manifest.json --rpc https://node.example"
    )]
    Tally {
        /// The poll's id at the gateway, or a file that `gov poll show --json` wrote
        #[arg(long)]
        poll: PollSource,
        #[command(flatten)]
        chain: ChainArgs,
    },
}

/// Which proposal, and who pays for the transaction.
#[derive(Clone, Debug, Args)]
pub struct ProposalArgs {
    /// The proposal: its number, how that begins (0x3f2a), or `last`
    #[arg(long)]
    pub proposal: ProposalRef,
    /// In which house; in both, if absent, where both decide
    #[arg(long, value_enum)]
    pub house: Option<HouseArg>,
    /// Key file of the account that pays; this state's founder if absent
    #[arg(long)]
    pub key: Option<PathBuf>,
    #[command(flatten)]
    pub chain: ChainArgs,
}

/// What is proposed.
#[derive(Debug, Subcommand)]
pub enum ProposeCommand {
    /// The calls in a TOML file: [[calls]] with contract, function, args; why, as `coop upgrade --plan --write` gives it
    File {
        /// The file
        path: PathBuf,
    },
    /// One call of a contract by the names of its arguments
    Call {
        /// The contract's name
        contract: String,
        /// The function's name
        function: String,
        /// Arguments as name=value
        args: Vec<String>,
    },
    /// How a license's price is split, in basis points; what is left is the contributors'
    Split {
        /// Part of the contributors' part that buys back DATA
        #[arg(long)]
        buyback: u16,
        /// Basis points of the price to operations
        #[arg(long)]
        operations: u16,
        /// Basis points of the price to compliance
        #[arg(long)]
        compliance: u16,
        /// Basis points of the price to the reserve
        #[arg(long)]
        reserve: u16,
    },
    /// A dataset's price
    Price {
        /// The number of the dataset
        #[arg(long)]
        dataset: DatasetId,
        /// Whole USDC for 1,000 records
        #[arg(long)]
        price: u64,
        /// No longer on offer
        #[arg(long)]
        closed: bool,
    },
    /// The ledger's parameters, from the [ledger] table of a configuration
    Params {
        /// The file
        config: PathBuf,
    },
    /// The stewards and their quorum, from the [actors] table of a configuration
    Stewards {
        /// The file
        config: PathBuf,
    },
    /// The end of a membership
    Expel {
        /// The member whose membership would end, by id
        #[arg(long)]
        member: MemberId,
        /// The reason's text; its hash goes on chain
        #[arg(long)]
        reason: String,
    },
    #[command(flatten)]
    Money(MoneyProposal),
    /// New code for a contract: takes both houses
    Upgrade {
        /// The contract's name
        contract: String,
        /// Where the new implementation lies
        #[arg(long)]
        implementation: Address,
    },
}

/// A vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SupportArg {
    /// For it
    For,
    /// Against it
    Against,
    /// Neither; it counts for the quorum
    Abstain,
}

impl From<SupportArg> for Support {
    fn from(support: SupportArg) -> Self {
        match support {
            SupportArg::For => Self::For,
            SupportArg::Against => Self::Against,
            SupportArg::Abstain => Self::Abstain,
        }
    }
}

/// A house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HouseArg {
    /// Votes by GOV
    Token,
    /// One vote for each member
    Member,
}

impl From<HouseArg> for House {
    fn from(house: HouseArg) -> Self {
        match house {
            HouseArg::Token => Self::Token,
            HouseArg::Member => Self::Member,
        }
    }
}

/// Which node is asked.
#[derive(Clone, Debug, Args)]
pub struct ChainArgs {
    /// The chain's RPC; that of this state's local chain if absent
    #[arg(long)]
    pub rpc: Option<String>,
    /// The deployment's manifest; the state's own, or the gateway's, if absent
    #[arg(long)]
    pub manifest: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum PollCommand {
    /// Ask the members, as of the last final block
    #[command(
        after_help = "Example: rochdale gov poll create --name ada --question \"Join study 12?\" --option yes --option no"
    )]
    Create {
        /// Who asks
        #[arg(long)]
        name: String,
        /// What is asked
        #[arg(long)]
        question: String,
        /// What can be answered; give it once for each
        #[arg(long = "option", required = true)]
        options: Vec<String>,
        /// Days that it stays open
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=365))]
        days: u32,
        #[command(flatten)]
        chain: ChainArgs,
    },
    /// Answer, or change an answer
    #[command(after_help = "Example: rochdale gov poll vote --name ada --poll 0x3f… --choice yes")]
    Vote {
        /// Who answers
        #[arg(long)]
        name: String,
        /// The poll's id
        #[arg(long)]
        poll: B256,
        /// The option's words, or its place from 1
        #[arg(long)]
        choice: String,
    },
    /// The polls: which are open, until when, and how many answered
    List,
    /// The polls, or one with its ballots
    Show {
        /// The poll's id
        #[arg(long)]
        poll: Option<B256>,
    },
}

/// Which proposal is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProposalRef {
    /// The newest.
    Last,
    /// By its number, or how that begins.
    Begins(String),
}

impl ProposalRef {
    /// Whether a number is meant.
    pub fn means(&self, id: U256) -> bool {
        match self {
            Self::Last => true,
            Self::Begins(text) => format!("{id:#066x}").starts_with(text) || text.parse() == Ok(id),
        }
    }
}

impl std::fmt::Display for ProposalRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Last => f.write_str("last"),
            Self::Begins(text) => f.write_str(text),
        }
    }
}

impl FromStr for ProposalRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "last" {
            return Ok(Self::Last);
        }
        let begins = text.len() >= 6 && text.parse::<U256>().is_ok();
        if begins {
            Ok(Self::Begins(text.to_lowercase()))
        } else {
            Err(format!("`{text}` is no proposal: write its number, 0x and at least four digits of it, or `last`"))
        }
    }
}

/// Where a poll is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PollSource {
    /// The gateway.
    Id(B256),
    /// A file.
    File(PathBuf),
}

impl FromStr for PollSource {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::File(text.into()), Self::Id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposal_is_meant_by_its_number_how_that_begins_or_as_the_last() {
        let id: U256 = U256::from(0x3f2a) << 240;
        for text in [format!("{id:#066x}"), id.to_string(), "0x3f2a".to_owned(), "last".to_owned()] {
            assert!(text.parse::<ProposalRef>().unwrap().means(id), "{text}");
        }
        assert!(!"0x3f2b".parse::<ProposalRef>().unwrap().means(id));
        for bad in ["", "0x", "0x3f", "newest", "0xzzzz"] {
            assert!(bad.parse::<ProposalRef>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_is_told_from_a_file() {
        let id = format!("0x{}", "3f".repeat(32));
        assert_eq!(id.parse(), Ok(PollSource::Id(id.parse().unwrap())));
        for file in ["poll.json", "0x3f", "./0x3f.json"] {
            assert_eq!(file.parse(), Ok(PollSource::File(file.into())));
        }
    }
}
