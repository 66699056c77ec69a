//! `rochdale member contest`: putting together what opens a member's row, from whichever stewards have its parts, and
//! having the chain replay it.

use crate::coop::Coop;
use crate::gov::Site;
use crate::member::each_steward;
use crate::wallet::Wallet;
use alloy::primitives::{B256, Bytes, U256};
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context, Result, bail};
use rochdale_api::member::{Mined, OpeningReport, RowRequest, SealedRow};
use rochdale_api::route::{gateway, steward};
use rochdale_api::settlement::ContestRequest;
use rochdale_chain::bindings;
use rochdale_chain::dispute;
use rochdale_chain::eip712;
use rochdale_core::ids::MemberId;
use rochdale_core::ledger::{Header, NewLeaf, OldRow, OpenedInputs, Params, is_wrong};
use rochdale_crypto::sealing::{OpeningContext, open_as};
use rochdale_crypto::{Sealed, SealingKeyPair};

/// Whose gas carries a contest.
pub enum Payer<'a> {
    /// The gateway's.
    Gateway,
    /// That of this key, at this chain.
    Own(&'a Site, PrivateKeySigner),
}

/// What became of a contest.
pub enum Outcome {
    /// The row is what the formula gives: nothing was sent.
    Right(Header),
    /// The root is void.
    Void(Header, Mined),
}

/// The parts that open a row, each checked against the header.
struct Parts {
    header: Header,
    params: Params,
    old: OldRow,
    inputs: OpenedInputs,
    leaf: NewLeaf,
}

/// Contests the member's row in the pending root, where it is another than the formula gives.
pub async fn contest(coop: &Coop, wallet: &Wallet, payer: Payer<'_>) -> Result<Outcome> {
    let (member, row_key) = (wallet.id()?, wallet.row_key()?);
    let depth = coop.manifest.tree_depth;
    let parts = gather(coop, wallet, member, row_key.expose()).await?;
    let Parts { header, params, old, inputs, leaf } = &parts;
    if !is_wrong(header, params, depth, member, row_key.expose(), (old, inputs, leaf))? {
        return Ok(Outcome::Right(parts.header));
    }
    let deadline = coop.deadline().await?;
    let contest = eip712::Contest {
        memberId: member.0,
        epoch: header.epoch.0,
        attempt: header.attempt,
        deadline: U256::from(deadline),
    };
    let signature = eip712::sign(&wallet.key, &contest, &coop.manifest.disputes_domain())?;
    let row_key = B256::new(*row_key.expose());
    let mined = match payer {
        Payer::Gateway => relay(coop, member, deadline, signature, row_key, &parts).await?,
        Payer::Own(site, key) => {
            let opening = bindings::opening(header, params, member, row_key, (old, inputs, leaf));
            let sender = site.sender(key).await?;
            let receipt = dispute::contest(&sender, &site.manifest, contest, signature, opening).await?;
            Mined { tx: receipt.transaction, block: receipt.block_number, gas_used: receipt.gas_used }
        }
    };
    Ok(Outcome::Void(parts.header, mined))
}

async fn relay(
    coop: &Coop,
    member_id: MemberId,
    deadline: u64,
    signature: Bytes,
    row_key: B256,
    parts: &Parts,
) -> Result<Mined> {
    let request = ContestRequest {
        member_id,
        deadline,
        signature,
        row_key,
        header: parts.header.clone(),
        params: parts.params.clone(),
        old: parts.old.clone(),
        inputs: parts.inputs.clone(),
        leaf: parts.leaf.clone(),
    };
    Ok(coop.gateway.post(gateway::CONTEST, &request).await?)
}

/// Asks every steward, and takes each part from the first whose part opens what most of them say was proposed.
async fn gather(coop: &Coop, wallet: &Wallet, member: MemberId, row_key: &[u8; 32]) -> Result<Parts> {
    let request = |reply_key| RowRequest { reply_key, epoch: None };
    let open = |_, reply: &SealingKeyPair, answer| open(coop, member, reply, answer);
    let (mut reports, mut refusals) = (Vec::new(), Vec::new());
    for (steward, opened) in each_steward(coop, wallet, steward::OPENING.at(member), request, open).await? {
        match opened {
            Ok(report) => reports.push(report),
            Err(error) => refusals.push(format!("steward {steward}: {error:#}")),
        }
    }
    let header = common(&reports).with_context(|| format!("no steward opens the row:\n  {}", refusals.join("\n  ")))?;
    let depth = coop.manifest.tree_depth;
    let same = || reports.iter().filter(|report| report.header == header);
    let params = same().map(|report| &report.params).find(|params| params.hash() == header.params_hash);
    let old = same().map(|report| &report.old).find(|old| old.opens(&header, depth, member, row_key));
    let inputs = same().filter_map(|report| report.inputs.as_ref()).find(|one| one.opens(&header, depth, member));
    let leaf = same().filter_map(|report| report.leaf.as_ref()).find(|leaf| leaf.opens(&header, depth, member));
    let (Some(params), Some(old)) = (params.cloned(), old.cloned()) else {
        bail!("no steward that answers has settled the epoch before {}, with this member's row in it", header.epoch);
    };
    match (inputs.cloned(), leaf.cloned()) {
        (Some(inputs), Some(leaf)) => Ok(Parts { header, params, old, inputs, leaf }),
        (_, None) => bail!(withheld("the proposed row", "row")),
        (None, _) => bail!(withheld("the inputs that the proposal commits to", "inputs")),
    }
}

fn withheld(what: &str, kind: &str) -> String {
    format!(
        "no steward shows {what}: demand it with `rochdale member demand --kind {kind}`, and contest once it is published; \
         if it is not within a day, `rochdale dispute void` voids the root"
    )
}

/// The header that most reports name.
fn common(reports: &[OpeningReport]) -> Option<Header> {
    let count = |header: &Header| reports.iter().filter(|report| report.header == *header).count();
    reports.iter().map(|report| &report.header).max_by_key(|header| count(header)).cloned()
}

fn open(coop: &Coop, member: MemberId, reply: &SealingKeyPair, answer: SealedRow) -> Result<OpeningReport> {
    let (chain_id, ledger) = (coop.manifest.chain_id, coop.manifest.addresses.settlement_ledger);
    let context = OpeningContext { chain_id, ledger, epoch: answer.epoch, member };
    let bytes = open_as(reply, &context, &Sealed(answer.sealed))?;
    serde_json::from_slice(&bytes).context("the opening is not understood")
}
