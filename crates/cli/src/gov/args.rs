//! What a person can type after `rochdale gov`.

use alloy::primitives::B256;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::str::FromStr;

#[derive(Debug, Subcommand)]
pub enum GovCommand {
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
    /// The polls, or one with its ballots
    Show {
        /// The poll's id
        #[arg(long)]
        poll: Option<B256>,
    },
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
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_id_is_told_from_a_file() {
        let id = format!("0x{}", "3f".repeat(32));
        assert_eq!(id.parse(), Ok(PollSource::Id(id.parse().unwrap())));
        for file in ["poll.json", "0x3f", "./0x3f.json"] {
            assert_eq!(file.parse(), Ok(PollSource::File(file.into())));
        }
    }
}
