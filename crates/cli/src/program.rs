//! `rochdale program …`: what a program's awarder does.

use crate::args::{Common, ProgramCommand};
use crate::coop::{self, Coop};
use crate::gov::Site;
use crate::gov::args::ChainArgs;
use crate::ui::{Ui, show};
use crate::when::{count, holding};
use alloy::primitives::{U256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolValue as _;
use anyhow::{Result, bail, ensure};
use rand::Rng as _;
use rochdale_api::route::steward;
use rochdale_api::settlement::AwardMessage;
use rochdale_chain::bindings::Programs;
use rochdale_chain::eip712;
use rochdale_chain::gov::{Cast, votes};
use rochdale_client::post_sealed;
use rochdale_core::ids::{Epoch, MemberId, StewardId};
use serde_json::json;
use std::process::ExitCode;

/// Awards in one request to a steward.
const MOST: usize = 1_000;
/// Programs' number of the kind that awards voting.
const VOTING: u8 = 4;

/// What an awarder awards, before it is signed.
struct Wanted {
    program: u32,
    member: MemberId,
    epoch: Epoch,
    points: u128,
    nonce: U256,
}

/// Runs a command.
pub async fn run(common: &Common, command: ProgramCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        ProgramCommand::Award { program, member, points, key, epoch } => {
            let (key, coop) = (coop::signer(&key)?, Coop::connect(&common.gateway()?).await?);
            let epoch = match epoch {
                Some(epoch) => epoch,
                None => coop.view().await?.epoch,
            };
            let nonce = U256::from(coop::rng()?.next_u64());
            let wanted = Wanted { program, member, epoch, points: u128::from(points), nonce };
            let given = give(&coop, &key, &[wanted]).await?;
            let sentence =
                format!("{} the award of {} to member {member}", holding(given.taken.len()), count(points, "point"));
            let award = given.awards.first();
            show(ui, &json!({ "award": award, "stewards": given.taken, "refused": given.refusals }), sentence)
        }
        ProgramCommand::AwardVotes { program, points, key, chain } => {
            let key = coop::signer(&key)?;
            award_votes(common, &chain, (program, u128::from(points)), &key, ui).await
        }
    }
}

/// Awards what the chain shows of this epoch's votes. A vote has one nonce, so that it is awarded once however often this
/// is typed.
async fn award_votes(
    common: &Common,
    chain: &ChainArgs,
    (program, points): (u32, u128),
    key: &PrivateKeySigner,
    ui: Ui,
) -> Result<ExitCode> {
    let site = Site::open(common, chain).await?;
    let coop = Coop::connect(&common.gateway()?).await?;
    let call = Programs::programCall { programId: program };
    let found = site.chain.view(site.manifest.addresses.programs, &call).await?;
    ensure!(found.open, "program {program} does not exist or is closed");
    ensure!(found.kind == VOTING, "program {program} is of kind {}, votes are awarded by kind {VOTING}", found.kind);
    let epoch = coop.view().await?.epoch;
    let end = site.manifest.schedule().end(epoch);
    let cast = votes(&site.chain, &site.manifest, site.manifest.since(epoch), end).await?;
    let wanted = |vote: &Cast| {
        let words = (vote.house.governor(&site.manifest), vote.proposal).abi_encode();
        Wanted { program, member: vote.member, epoch, points, nonce: keccak256(words).into() }
    };
    let wanted: Vec<Wanted> = cast.iter().map(wanted).collect();
    if wanted.is_empty() {
        let value = json!({ "epoch": epoch, "votes": [], "stewards": [], "refused": [] });
        return show(ui, &value, format!("nobody has voted in epoch {epoch}, as far as the chain is final"));
    }
    let mut given = Given::default();
    for some in wanted.chunks(MOST) {
        given = give(&coop, key, some).await?;
    }
    let sentence = format!(
        "awarded: {} of epoch {epoch}, {} each",
        count(cast.len() as u64, "vote"),
        count(points.try_into().unwrap_or(u64::MAX), "point")
    );
    show(ui, &json!({ "epoch": epoch, "votes": cast, "stewards": given.taken, "refused": given.refusals }), sentence)
}

/// What stewards took.
#[derive(Default)]
struct Given {
    awards: Vec<AwardMessage>,
    taken: Vec<StewardId>,
    refusals: Vec<String>,
}

/// Signs awards and gives them to every steward, so that one that is down does not lose them; they also share what they
/// hold.
async fn give(coop: &Coop, key: &PrivateKeySigner, wanted: &[Wanted]) -> Result<Given> {
    let domain = coop.manifest.programs_domain();
    let sign = |w: &Wanted| -> Result<AwardMessage> {
        let (program, member_id, epoch, points, nonce) = (w.program, w.member, w.epoch, w.points, w.nonce);
        let message = eip712::Award { programId: program, memberId: member_id.0, epoch: epoch.0, points, nonce };
        let signature = eip712::sign(key, &message, &domain)?;
        Ok(AwardMessage { program, member_id, epoch, points, nonce, signature })
    };
    let awards = wanted.iter().map(sign).collect::<Result<Vec<_>>>()?;
    let now = coop.now().await?;
    let (mut taken, mut refusals) = (Vec::new(), Vec::new());
    for entry in &coop.stewards {
        let steward = coop.steward(entry, key)?;
        match post_sealed(&steward, coop::sealing_key(entry), steward::AWARDS, &awards, now, coop::rng()?).await {
            Ok(()) => taken.push(entry.steward),
            Err(error) => refusals.push(format!("steward {}: {error}", entry.steward)),
        }
    }
    if taken.is_empty() {
        bail!("no steward took the awards:\n  {}", refusals.join("\n  "));
    }
    Ok(Given { awards, taken, refusals })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn votes_are_awarded_by_the_kind_that_programs_have_for_it() {
        let table: serde_json::Value = serde_json::from_str(include_str!("../../../vectors/bounds.json")).unwrap();
        let place = table["names"].as_array().unwrap().iter().position(|name| name == "votingKind").unwrap();
        assert_eq!(table["values"][place], VOTING.to_string());
    }
}
