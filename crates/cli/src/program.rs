//! `rochdale program …`: what a program's awarder does.

use crate::args::{Common, ProgramCommand};
use crate::commands::show;
use crate::coop::{self, Coop};
use crate::ui::Ui;
use alloy::primitives::U256;
use anyhow::{Result, bail};
use rand::Rng as _;
use rochdale_api::settlement::AwardMessage;
use rochdale_chain::eip712;
use serde_json::json;
use std::process::ExitCode;

/// Runs a command.
pub async fn run(common: &Common, command: ProgramCommand, ui: Ui) -> Result<ExitCode> {
    let ProgramCommand::Award { program, member, points, key, epoch } = command;
    if !key.exists() {
        bail!("{} does not exist: name the awarder's key file", key.display());
    }
    let key = coop::signer(&key)?;
    let coop = Coop::connect(&common.url).await?;
    let view = coop.view().await?;
    let epoch = epoch.unwrap_or(view.epoch);
    let nonce = U256::from(coop::rng()?.next_u64());
    let points = u128::from(points);
    let message = eip712::Award { programId: program, memberId: member.0, epoch: epoch.0, points, nonce };
    let signature = eip712::sign(&key, &message, &coop.manifest.programs_domain())?;
    let award = AwardMessage { program, member_id: member, epoch, points, nonce, signature };
    // Every steward gets it, so that one that is down does not lose it; they also share what they hold.
    let (mut taken, mut refusals) = (Vec::new(), Vec::new());
    for entry in &coop.stewards {
        let sent = coop.steward(entry, &key)?.post_signed::<()>("/v1/awards", &[&award], view.now).await;
        match sent {
            Ok(()) => taken.push(entry.steward),
            Err(error) => refusals.push(format!("steward {}: {error}", entry.steward)),
        }
    }
    if taken.is_empty() {
        bail!("no steward took the award:\n  {}", refusals.join("\n  "));
    }
    let sentence = format!("{} stewards hold the award of {points} points to member {member}", taken.len());
    show(ui, &json!({ "award": award, "stewards": taken, "refused": refusals }), sentence)
}
