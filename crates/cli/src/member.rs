//! What a member does: join, consent, contribute, revoke, erase, leave, read their row, claim.

use crate::coop::{self, Coop};
use crate::wallet::Wallet;
use alloy::primitives::{Address, keccak256};
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context, Result, bail};
use rochdale_api::ProblemCode;
use rochdale_api::client::Client;
use rochdale_api::contribution::{ContributionPackage, ContributionState, ContributionStatus};
use rochdale_api::custody::{Opening, OpeningsRequest};
use rochdale_api::member::{
    ClaimRequest, Claimed, ErasureAttestation, Joined, KeyReceipts, Mined, RowReport, RowRequest, Sealed, SealedRow,
};
use rochdale_api::status::{EpochView, MemberView};
use rochdale_client::membership::{self, Applicant};
use rochdale_client::{Stamp, rows};
use rochdale_core::consent::{Choice, Controller, Notice, Permission, Receipt};
use rochdale_core::ids::{DatasetId, Epoch, MemberId, StewardId};
use rochdale_core::ledger::DemandKind;
use rochdale_crypto::{SealingKeyPair, random_blinder};
use serde::de::DeserializeOwned;
use std::time::{Duration, Instant};

/// How long a queued contribution may take to be mined.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(100);

/// Joins by an admission that the registrar signs, once enough stewards hold the row key that it names.
pub async fn join(coop: &Coop, wallet: &mut Wallet, registrar: &PrivateKeySigner) -> Result<Joined> {
    if let Some(id) = wallet.membership.member_id {
        bail!("this member joined already, as {id}");
    }
    let coop = &coop.fresh().await?;
    let mut rng = coop::rng()?;
    if wallet.membership.nullifier.is_zero() {
        wallet.membership.nullifier = random_blinder(&mut rng);
        wallet.save()?;
    }
    let row_key = wallet.row_key()?;
    let site = coop.site();
    let applicant =
        Applicant { site: &site, account: wallet.account(), nullifier: wallet.membership.nullifier, row_key: &row_key };
    let row_keys = applicant.seal_row_key(&mut rng)?;
    let offer = membership::offer(&applicant, registrar, row_keys, coop.deadline().await?)?;
    let answer: KeyReceipts = coop.gateway.post("/v1/row-keys/offers", &offer).await?;
    let request = membership::admit(&site, registrar, offer, &answer)?;
    let joined: Joined = coop.gateway.post("/v1/members", &request).await?;
    wallet.membership.member_id = Some(joined.member_id);
    wallet.save()?;
    Ok(joined)
}

/// What members are told before they consent; the receipt names its digest.
pub const NOTICE: &str = include_str!("notice.en.txt");

/// Consents to research for `purpose`, until withdrawn.
pub async fn consent(coop: &Coop, wallet: &Wallet, purpose: Permission) -> Result<(Mined, Receipt)> {
    let view = view(coop, wallet.id()?).await?;
    let version = view.consent_version + 1;
    let choice = Choice { permissions: [purpose].into(), ..Choice::health_research() };
    let controller = Controller {
        name: "The cooperative".to_owned(),
        contact: coop.gateway.base().to_string(),
        chain_id: coop.manifest.chain_id,
        registry: coop.manifest.addresses.consent_registry,
    };
    let notice = Notice { language: "en".to_owned(), digest: keccak256(NOTICE) };
    let receipt = Receipt::new(view.member_id, version, controller, notice, choice, coop.now().await?, 0);
    Ok((grant(coop, wallet, &view, &receipt).await?, receipt))
}

async fn grant(coop: &Coop, wallet: &Wallet, view: &MemberView, receipt: &Receipt) -> Result<Mined> {
    let coop = &coop.fresh().await?;
    let stamp = Stamp { nonce: view.consent_nonce, deadline: coop.deadline().await? };
    let site = coop.site();
    let request = wallet.signer(&site)?.grant(receipt, stamp, &mut coop::rng()?)?;
    Ok(coop.gateway.post("/v1/consents", &request).await?)
}

/// Revokes the consent: nothing is released any more.
pub async fn revoke(coop: &Coop, wallet: &Wallet) -> Result<Mined> {
    let stamp = Stamp { nonce: view(coop, wallet.id()?).await?.consent_nonce, deadline: coop.deadline().await? };
    let request = wallet.signer(&coop.site())?.revoke(stamp)?;
    Ok(coop.gateway.post("/v1/consents/revoke", &request).await?)
}

/// Ends the membership. What was earned stays claimable.
pub async fn leave(coop: &Coop, wallet: &Wallet) -> Result<Mined> {
    let stamp = Stamp { nonce: view(coop, wallet.id()?).await?.membership_nonce, deadline: coop.deadline().await? };
    let request = wallet.signer(&coop.site())?.leave(stamp)?;
    Ok(coop.gateway.post("/v1/members/leave", &request).await?)
}

/// Has what the member earned paid to `payout` from now on.
pub async fn set_payout(coop: &Coop, wallet: &Wallet, payout: Address) -> Result<Mined> {
    let stamp = Stamp { nonce: view(coop, wallet.id()?).await?.membership_nonce, deadline: coop.deadline().await? };
    let request = wallet.signer(&coop.site())?.pay_to(payout, stamp)?;
    Ok(coop.gateway.post("/v1/members/payout", &request).await?)
}

/// Demands the path of the member's row in the tree that is pending, or the opening of its inputs.
pub async fn demand(coop: &Coop, wallet: &Wallet, kind: DemandKind) -> Result<(Epoch, Mined)> {
    let epoch = Epoch(coop.view().await?.final_epoch.0 + 1);
    let view: EpochView = coop.gateway.get(&format!("/v1/epochs/{epoch}")).await?;
    let pending = view.header.filter(|_| view.state == "pending");
    let attempt = pending.with_context(|| format!("epoch {epoch} is {}, not pending", view.state))?.attempt;
    let request = wallet.signer(&coop.site())?.demand(epoch, attempt, kind, coop.deadline().await?)?;
    Ok((epoch, coop.gateway.post("/v1/settlement/demands", &request).await?))
}

/// Erases everything and ends the membership. What was earned stays claimable.
pub async fn erase(coop: &Coop, wallet: &Wallet) -> Result<Mined> {
    let stamp = Stamp { nonce: view(coop, wallet.id()?).await?.consent_nonce, deadline: coop.deadline().await? };
    let request = wallet.signer(&coop.site())?.erase(stamp)?;
    Ok(coop.gateway.post("/v1/consents/erase", &request).await?)
}

/// Seals a record, uploads it, deals its key to the stewards and waits until the contribution is on chain.
pub async fn contribute(
    coop: &Coop,
    wallet: &mut Wallet,
    record: &[u8],
    dataset: DatasetId,
) -> Result<ContributionStatus> {
    let view = view(coop, wallet.id()?).await?;
    if view.consent != "granted" {
        bail!("consent is `{}`: grant it first with `rochdale member consent`", view.consent);
    }
    let coop = &coop.fresh().await?;
    let stamp = Stamp { nonce: view.contribution_nonce, deadline: coop.deadline().await? };
    let site = coop.site();
    let member = wallet.signer(&site)?;
    let (package, blob) = member.contribute(record, dataset, view.consent_version, stamp, &mut coop::rng()?)?;
    let cid = rochdale_crypto::Cid::from_sha256(package.blob_digest.0);
    coop.gateway.put_bytes(&format!("/v1/blobs/{cid}"), blob).await?;
    // Kept from here on: a package is worth sending again only while the vault has its blob.
    wallet.keep(&package)?;
    deliver(coop, wallet, &package).await
}

/// Sends a package and waits until it is on chain; forgets it once every steward holds its share, or when it is refused
/// for good.
pub async fn deliver(coop: &Coop, wallet: &mut Wallet, package: &ContributionPackage) -> Result<ContributionStatus> {
    let mut status: ContributionStatus = match coop.gateway.post("/v1/contributions", package).await {
        Ok(status) => status,
        Err(error) => {
            if !passes(error.code()) {
                wallet.forget(package.commitment)?;
            }
            // Stewards replace the keys that records are sealed to once an epoch.
            let stale = (error.code() == ProblemCode::SealBroken)
                .then_some("it may be sealed to keys of an earlier epoch: contribute the record again");
            return Err(match stale {
                Some(hint) => anyhow::Error::from(error).context(hint),
                None => error.into(),
            });
        }
    };
    let start = Instant::now();
    while status.state == ContributionState::Queued {
        if start.elapsed() > PATIENCE {
            bail!(
                "contribution {} still waits for its batch; `rochdale member contribute --resume` looks again",
                package.commitment
            );
        }
        tokio::time::sleep(POLL).await;
        status =
            coop.gateway.get(&format!("/v1/contributions/{}?member={}", package.commitment, package.member_id)).await?;
    }
    if status.state == ContributionState::Refused {
        wallet.forget(package.commitment)?;
        bail!("the contract refused the contribution: {}", status.reason.unwrap_or_default());
    }
    if !wallet.membership.contributions.contains(&package.commitment) {
        wallet.membership.contributions.push(package.commitment);
        wallet.save()?;
    }
    if status.missing.is_empty() {
        wallet.forget(package.commitment)?;
    }
    Ok(status)
}

/// Whether a refusal may be over when the same is sent again.
fn passes(code: ProblemCode) -> bool {
    matches!(
        code,
        ProblemCode::PeerUnavailable
            | ProblemCode::ChainUnavailable
            | ProblemCode::NotEnough
            | ProblemCode::TooManyRequests
            | ProblemCode::Halted
            | ProblemCode::Internal
    )
}

/// The member's own row from the first steward that answers, opened.
pub async fn row(coop: &Coop, wallet: &Wallet) -> Result<RowReport> {
    let member = wallet.id()?;
    let reply = SealingKeyPair::random(&mut coop::rng()?);
    let request = RowRequest { reply_key: reply.public().0, epoch: None };
    let path = format!("/v1/members/{member}/row");
    let (answers, refusals) = each_answer::<SealedRow>(coop, wallet, &path, &request).await?;
    match answers.into_iter().next() {
        Some(answer) => Ok(rows::open_row(&coop.site(), member, &reply, answer)?),
        None => bail!("no steward gave the row:\n  {}", refusals.join("\n  ")),
    }
}

/// What each steward answers the member, and why others do not.
pub async fn each_answer<T: DeserializeOwned>(
    coop: &Coop,
    wallet: &Wallet,
    path: &str,
    request: &RowRequest,
) -> Result<(Vec<T>, Vec<String>)> {
    let now = coop.now().await?;
    let (mut answers, mut refusals) = (Vec::new(), Vec::new());
    for entry in &coop.stewards {
        let steward = coop.steward(entry, &wallet.key)?;
        match steward.post_signed::<T>(path, request, now).await {
            Ok(answer) => answers.push(answer),
            Err(error) => refusals.push(error.to_string()),
        }
    }
    Ok((answers, refusals))
}

/// One steward's log of who opened the member's records to score them, or why it did not show it.
pub struct OpeningLog {
    /// Whose log.
    pub steward: StewardId,
    /// Its lines.
    pub openings: Result<Vec<Opening>>,
}

/// The logs of all stewards. A record's scorer needs the shares of a quorum, so that an opening that one steward
/// conceals stands in the logs of others.
pub async fn openings(coop: &Coop, wallet: &Wallet) -> Result<Vec<OpeningLog>> {
    let member = wallet.id()?;
    let now = coop.now().await?;
    let mut logs = Vec::new();
    for entry in &coop.stewards {
        let reply = SealingKeyPair::random(&mut coop::rng()?);
        let request = OpeningsRequest { reply_key: reply.public().0 };
        let steward = coop.steward(entry, &wallet.key)?;
        let answer: Result<Sealed, _> =
            steward.post_signed(&format!("/v1/members/{member}/openings"), &request, now).await;
        let openings = answer
            .map_err(anyhow::Error::from)
            .and_then(|answer| Ok(rows::open_openings(&coop.site(), member, entry.steward, &reply, answer)?));
        logs.push(OpeningLog { steward: entry.steward, openings });
    }
    Ok(logs)
}

/// What each steward says of a member's erasure: its word, checked against its key, or why there is none. A false word is
/// its signature under what the member house may slash.
pub async fn erasure(coop: &Coop, member: MemberId) -> Result<Vec<(StewardId, Result<ErasureAttestation>)>> {
    let (site, mut words) = (coop.site(), Vec::new());
    for entry in &coop.stewards {
        let path = format!("/v1/erasures/{member}");
        let said = Client::new(&entry.url)?.get::<ErasureAttestation>(&path).await.map_err(anyhow::Error::from);
        let checked = said.and_then(|word| {
            site.check_erasure(entry, member, &word)?;
            Ok(word)
        });
        words.push((entry.steward, checked));
    }
    Ok(words)
}

/// Has these members paid what they are owed; everyone where the list is empty.
pub async fn claim(coop: &Coop, members: Vec<MemberId>) -> Result<Claimed> {
    Ok(coop.gateway.post("/v1/claims", &ClaimRequest { members }).await?)
}

/// What the chain says of a member.
pub async fn view(coop: &Coop, member: MemberId) -> Result<MemberView> {
    Ok(coop.gateway.get(&format!("/v1/members/{member}")).await?)
}
