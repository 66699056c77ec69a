//! A member's claim without the gateway: the leaf from a steward, the transaction from an account of the member's own.

use crate::args::Common;
use crate::coop::{self, Coop};
use crate::gov::Site;
use crate::gov::args::ChainArgs;
use crate::wallet::Wallet;
use anyhow::{Result, bail, ensure};
use rochdale_api::member::{ClaimLeaf, Claimed, LeavesRequest, Mined, Paid};
use rochdale_api::route::steward;
use rochdale_chain::bindings::{self, SettlementLedger};
use rochdale_client::post_sealed;
use rochdale_core::ids::{Epoch, MemberId};
use std::path::Path;

/// Claims everything that is due to the member now, as often as the member likes; `key` pays.
pub async fn claim(common: &Common, wallet: &Wallet, key: &Path, chain: &ChainArgs) -> Result<(Claimed, Mined)> {
    let payer = coop::signer(key)?;
    let (site, coop) = (Site::open(common, chain).await?, Coop::connect(&common.gateway()?).await?);
    let ledger = site.manifest.addresses.settlement_ledger;
    let epoch = Epoch(site.chain.view(ledger, &SettlementLedger::finalEpochCall {}).await?.epoch);
    ensure!(epoch > Epoch(0), "no epoch is final yet");
    let leaf = leaf(&coop, wallet, epoch).await?;
    let claim = bindings::claim(leaf.member_id, &leaf.amounts(), leaf.private_hash);
    let call = SettlementLedger::claimCall { c: claim, proof: leaf.proof };
    let receipt = site.sender(payer).await?.send(ledger, &call).await?;
    let told = receipt.logs.iter().filter_map(|log| log.log_decode::<SettlementLedger::Claimed>().ok());
    let paid = told.map(|log| {
        let SettlementLedger::Claimed { memberId, payout, cash, data, gov } = log.inner.data;
        let (cash, data, gov) = (cash.saturating_to(), data.saturating_to(), gov.saturating_to());
        Paid { member_id: MemberId(memberId), payout, cash, data, gov }
    });
    let mined = Mined { tx: receipt.transaction, block: receipt.block_number, gas_used: receipt.gas_used };
    Ok((Claimed { epoch, paid: paid.collect(), ..Claimed::default() }, mined))
}

/// The member's leaf under the root of an epoch, from the first steward that has it.
async fn leaf(coop: &Coop, wallet: &Wallet, epoch: Epoch) -> Result<ClaimLeaf> {
    let member = wallet.id()?;
    let request = LeavesRequest { epoch, members: vec![member] };
    let now = coop.now().await?;
    let mut refusals = Vec::new();
    for entry in &coop.stewards {
        let steward = coop.steward(entry, &wallet.key)?;
        let (key, rng) = (coop::sealing_key(entry), coop::rng()?);
        let answer: Result<Vec<ClaimLeaf>, _> =
            post_sealed(&steward, key, steward::CLAIM_LEAVES, &request, now, rng).await;
        match answer {
            Ok(leaves) => match leaves.into_iter().find(|leaf| leaf.member_id == member) {
                Some(leaf) => return Ok(leaf),
                None => refusals.push(format!("steward {}: the member has no row in epoch {epoch}", entry.steward)),
            },
            Err(error) => refusals.push(format!("steward {}: {error}", entry.steward)),
        }
    }
    bail!("no steward gave the leaf:\n  {}", refusals.join("\n  "))
}
