//! `rochdale dispute …`: stopping a pending root, and answering for one, by transactions of one's own.

use crate::args::Common;
use crate::commands::show;
use crate::coop::{self, Coop};
use crate::found::{self, FOUNDER, Layout};
use crate::gov::Site;
use crate::gov::args::ChainArgs;
use crate::state::read_json;
use crate::ui::Ui;
use anyhow::{Result, bail, ensure};
use clap::{Args, Subcommand};
use rochdale_api::client::Client;
use rochdale_api::settlement::{AnswerRequest, DemandAnswer};
use rochdale_chain::client::{Receipt, Sender};
use rochdale_chain::dispute::{self, Pending};
use rochdale_core::ids::{Epoch, MemberId, StewardId};
use rochdale_core::ledger::DemandKind;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

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
    key: Option<PathBuf>,
    #[command(flatten)]
    chain: ChainArgs,
}

/// Runs a command.
pub async fn run(common: &Common, command: DisputeCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        DisputeCommand::Show { chain } => {
            let site = Site::open(common, &chain).await?;
            let pending = dispute::pending(&site.chain, &site.manifest).await?;
            show(ui, &json!({ "pending": pending }), pending.as_ref().map_or("no root is pending".to_owned(), sentence))
        }
        DisputeCommand::Object { steward, key, epoch, attempt, chain } => {
            let site = Site::open(common, &chain).await?;
            let path = match (key, steward) {
                (Some(path), _) => path,
                (None, Some(steward)) => site.state.steward(steward).join("signing.key"),
                (None, None) => bail!("name --steward or --key"),
            };
            let sender = site.sender(coop::signer(&path)?).await?;
            let receipt = dispute::object(&sender, &site.manifest, epoch, attempt).await?;
            sent(ui, &receipt, &format!("epoch {epoch}, attempt {attempt} is frozen until the member house decides"))
        }
        DisputeCommand::Answer { member, from, payer } => {
            let site = Site::open(common, &payer.chain).await?;
            let answer = demanded(common, &site, member, from).await?;
            ensure!(answer.member_id == member, "the steward gave what member {} demands", answer.member_id);
            let (sender, kind) = (payer.sender(&site).await?, answer.answer.kind());
            let receipt = match &answer.answer {
                DemandAnswer::Row(leaf) => dispute::answer_row(&sender, &site.manifest, member, leaf).await?,
                DemandAnswer::Inputs { header, opened } => {
                    dispute::answer_inputs(&sender, &site.manifest, header, member, opened).await?
                }
            };
            sent(ui, &receipt, &format!("the {kind} of member {member} in epoch {} is published", answer.epoch))
        }
        DisputeCommand::Void { member, kind, payer } => {
            let site = Site::open(common, &payer.chain).await?;
            let receipt = dispute::void_unanswered(&payer.sender(&site).await?, &site.manifest, member, kind).await?;
            sent(ui, &receipt, "the root is void: it is proposed again by a later attempt")
        }
        DisputeCommand::Lapse { payer } => {
            let site = Site::open(common, &payer.chain).await?;
            let receipt = dispute::lapse(&payer.sender(&site).await?, &site.manifest).await?;
            sent(ui, &receipt, "the root is void: it is proposed again by a later attempt")
        }
    }
}

impl PayerArgs {
    async fn sender(&self, site: &Site) -> Result<Sender> {
        let key = match &self.key {
            Some(path) => coop::signer(path)?,
            None => found::office(&site.state, FOUNDER)?,
        };
        site.sender(key).await
    }
}

/// The first answer that a steward gives.
async fn demanded(common: &Common, site: &Site, member: MemberId, from: Option<String>) -> Result<AnswerRequest> {
    let stewards = match from {
        Some(url) => vec![url],
        None if site.state.layout().exists() => {
            let layout: Layout = read_json(&site.state.layout())?;
            layout.steward_ports.iter().map(|port| found::url(*port)).collect()
        }
        None => Coop::connect(&common.gateway()?).await?.stewards.into_iter().map(|steward| steward.url).collect(),
    };
    let mut refusals = Vec::new();
    for url in stewards {
        match Client::new(&url)?.get::<AnswerRequest>(&format!("/v1/settlement/answers/{member}")).await {
            Ok(answer) => return Ok(answer),
            Err(error) => refusals.push(format!("{url}: {error}")),
        }
    }
    bail!("no steward gives what member {member} demands:\n  {}", refusals.join("\n  "))
}

fn sentence(pending: &Pending) -> String {
    let until = pending.final_at.map_or("frozen: the member house decides".to_owned(), |at| format!("final at {at}"));
    format!("epoch {}, attempt {}, root {}: {until}", pending.epoch, pending.attempt, pending.root)
}

fn sent(ui: Ui, receipt: &Receipt, sentence: &str) -> Result<ExitCode> {
    let value = json!({ "tx": receipt.transaction, "block": receipt.block_number, "gas_used": receipt.gas_used, "done": sentence });
    show(ui, &value, sentence)
}
