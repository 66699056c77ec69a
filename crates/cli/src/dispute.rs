//! `rochdale dispute …`: stopping a pending root, and answering for one, by transactions of one's own.

use crate::args::Common;
use crate::coop::{self, Coop};
use crate::dispute_args::{DisputeCommand, PayerArgs};
use crate::found::{self, FOUNDER, Layout};
use crate::gov::Site;
use crate::state::read_json;
use crate::ui::{Ui, show};
use crate::when::utc;
use anyhow::{Result, bail, ensure};
use rochdale_api::client::Client;
use rochdale_api::route::steward;
use rochdale_api::settlement::{AnswerRequest, DemandAnswer};
use rochdale_chain::bindings::StewardCommittee;
use rochdale_chain::client::{Receipt, Sender};
use rochdale_chain::dispute::{self, Pending};
use rochdale_core::ids::MemberId;
use rochdale_core::money::MicroUsdc;
use serde_json::json;
use std::process::ExitCode;

/// Runs a command.
pub async fn run(common: &Common, command: DisputeCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        DisputeCommand::Show { chain } => {
            let site = Site::open(common, &chain).await?;
            let pending = dispute::pending(&site.chain, &site.manifest).await?;
            show(ui, &json!({ "pending": pending }), pending.as_ref().map_or("no root is pending".to_owned(), sentence))
        }
        DisputeCommand::Object { steward, key, epoch, attempt, chain, agreed } => {
            let site = Site::open(common, &chain).await?;
            let path = match (key, steward) {
                (Some(path), _) => path,
                (None, Some(steward)) => site.state.steward(steward).join("signing.key"),
                (None, None) => bail!("name --steward or --key"),
            };
            let sender = site.sender(coop::signer(&path)?).await?;
            let pending = dispute::can_be_stopped(&site.chain, &site.manifest, epoch, attempt).await?;
            let committee = site.manifest.addresses.steward_committee;
            let bond = site.chain.view(committee, &StewardCommittee::objectionBondCall {}).await?;
            ui.agreeing(agreed).agree(&format!(
                "An objection to the root of {}\nIt freezes the root, and with it what would be paid by it, until the member house decides. {} of the bond of {} are \
                 locked meanwhile, and lost if the house finds the root right.",
                sentence(&pending),
                MicroUsdc(bond.to()),
                sender.address()
            ))?;
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
        match Client::new(&url)?.get(steward::DEMANDED.at(member)).await {
            Ok(answer) => return Ok(answer),
            Err(error) => refusals.push(format!("{url}: {error}")),
        }
    }
    bail!("no steward gives what member {member} demands:\n  {}", refusals.join("\n  "))
}

fn sentence(pending: &Pending) -> String {
    let until =
        pending.final_at.map_or("frozen: the member house decides".to_owned(), |at| format!("final at {}", utc(at)));
    format!("epoch {}, attempt {}, root {}: {until}", pending.epoch, pending.attempt, pending.root)
}

fn sent(ui: Ui, receipt: &Receipt, sentence: &str) -> Result<ExitCode> {
    let value = json!({ "tx": receipt.transaction, "block": receipt.block_number, "gas_used": receipt.gas_used, "done": sentence });
    show(ui, &value, sentence)
}
