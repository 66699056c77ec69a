//! Proposals about money: bonds put aside, grants, promises of DATA, services.

use super::call::spec;
use crate::amounts::{tokens, usdc};
use alloy::primitives::{Address, U256, keccak256};
use anyhow::{Result, ensure};
use clap::{Subcommand, ValueEnum};
use rochdale_chain::bindings::Bucket;
use rochdale_chain::client::Chain;
use rochdale_chain::gov::CallSpec;
use rochdale_core::money::MicroUsdc;
use serde_json::json;

/// What is proposed about money.
#[derive(Debug, Subcommand)]
pub enum MoneyProposal {
    /// That a part of a steward's bond is put aside, to be decided about
    Slash {
        /// Whose bond
        #[arg(long)]
        steward: Address,
        /// USDC, at most; less where there is less
        #[arg(long, value_parser = usdc)]
        amount: MicroUsdc,
        /// The reason's text; its hash goes on chain
        #[arg(long)]
        reason: String,
    },
    /// What becomes of what was put aside of a steward's bond
    DecideSlash {
        /// The slash, by its number
        #[arg(long)]
        slash: U256,
        /// Taken for the reserve, or given back
        #[arg(long, value_enum)]
        verdict: Verdict,
    },
    /// A grant, fee or wage out of a bucket of the Treasury
    Grant {
        /// Which bucket pays
        #[arg(long, value_enum)]
        from: BucketArg,
        /// Who gets it
        #[arg(long)]
        to: Address,
        /// USDC
        #[arg(long, value_parser = usdc)]
        amount: MicroUsdc,
        /// What for; its hash goes on chain
        #[arg(long)]
        reason: String,
    },
    /// A promise of DATA, released over time, out of what was put there for promises
    Promise {
        /// To whom
        #[arg(long)]
        to: Address,
        /// DATA
        #[arg(long, value_parser = data)]
        amount: u128,
        /// Days from the first on which some of it is vested to that on which all is
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: u32,
        /// Days before which nothing is vested
        #[arg(long, default_value_t = 0)]
        cliff_days: u32,
        /// When it begins, Unix seconds; when it is proposed, if absent
        #[arg(long)]
        start: Option<u64>,
        /// The token house may revoke what has not vested
        #[arg(long)]
        revocable: bool,
    },
    /// The end of a promise of DATA: what is vested stays
    RevokePromise {
        /// The promise, by its number
        #[arg(long)]
        id: U256,
    },
    /// A service that members pay in DATA
    Service {
        /// The service, by its number
        #[arg(long)]
        id: u32,
        /// DATA
        #[arg(long, value_parser = data)]
        price: u128,
        /// No longer offered
        #[arg(long)]
        closed: bool,
    },
}

/// What the member house decides about a slash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Verdict {
    /// It is taken, for the reserve
    Confirm,
    /// It goes back into the bond
    Reject,
}

/// A bucket of the Treasury that can be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BucketArg {
    /// Wages and fees
    Operations,
    /// Audits and law
    Compliance,
    /// What is kept for bad days
    Reserve,
}

impl From<BucketArg> for Bucket {
    fn from(bucket: BucketArg) -> Self {
        match bucket {
            BucketArg::Operations => Self::Operations,
            BucketArg::Compliance => Self::Compliance,
            BucketArg::Reserve => Self::Reserve,
        }
    }
}

/// An amount of DATA in wei, as a person writes it.
fn data(text: &str) -> Result<u128, String> {
    tokens(text, 18)
}

impl MoneyProposal {
    /// The call that does it.
    pub async fn call(&self, chain: &Chain) -> Result<CallSpec> {
        Ok(match self {
            Self::Slash { steward, amount, reason } => {
                let args = json!({ "steward": steward, "amount": amount.0.to_string(), "reason": keccak256(reason) });
                spec("StewardCommittee", "openSlash", args)
            }
            Self::DecideSlash { slash, verdict } => {
                let function = match verdict {
                    Verdict::Confirm => "confirmSlash",
                    Verdict::Reject => "rejectSlash",
                };
                spec("StewardCommittee", function, json!({ "id": slash.to_string() }))
            }
            Self::Grant { from, to, amount, reason } => {
                let args = json!({
                    "bucket": Bucket::from(*from) as u8, "to": to, "amount": amount.0.to_string(), "reason": keccak256(reason),
                });
                spec("Treasury", "spend", args)
            }
            Self::Promise { to, amount, days, cliff_days, start, revocable } => {
                ensure!(cliff_days <= days, "nothing is vested for {cliff_days} days, and all of it after {days}");
                let now = chain.now().await?;
                let start = start.unwrap_or(now);
                ensure!(
                    start.saturating_add(seconds(*days)) > now && start < 1 << 40,
                    "a promise from {start} over {days} days is past, or no time in Unix seconds; it is {now}"
                );
                let schedule = json!({
                    "beneficiary": to, "amount": amount.to_string(), "start": start, "cliff": seconds(*cliff_days),
                    "duration": seconds(*days), "revocable": revocable,
                });
                spec("Vesting", "create", json!({ "s": schedule }))
            }
            Self::RevokePromise { id } => spec("Vesting", "revoke", json!({ "id": id.to_string() })),
            Self::Service { id, price, closed } => {
                let offer = json!({ "dataPrice": price.to_string(), "open": !closed });
                spec("ServiceDesk", "setService", json!({ "serviceId": id, "s": offer }))
            }
        })
    }
}

fn seconds(days: u32) -> u64 {
    u64::from(days) * 86_400
}
