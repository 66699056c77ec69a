//! What a member does: join, consent, contribute, revoke, erase, leave, read their row, claim.

use crate::coop::{self, Coop, sealing_key};
use crate::wallet::Wallet;
use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::Eip712Domain;
use anyhow::{Context, Result, bail, ensure};
use rochdale_api::ProblemCode;
use rochdale_api::client::Client;
use rochdale_api::contribution::{ContributionPackage, ContributionState, ContributionStatus};
use rochdale_api::custody::{Opening, OpeningsRequest};
use rochdale_api::member::{
    ClaimRequest, Claimed, DenyRequest, ErasureAttestation, GrantRequest, JoinRequest, Joined, KeyOfferRequest,
    KeyReceipt, KeyReceipts, LeaveRequest, Mined, PayoutRequest, RowReport, RowRequest, Sealed, SealedRow, SealedTo,
};
use rochdale_api::settlement::DemandRequest;
use rochdale_api::status::{EpochView, MemberView, StewardEntry};
use rochdale_chain::eip712;
use rochdale_core::commit;
use rochdale_core::consent::{Choice, Controller, Notice, Permission, Receipt};
use rochdale_core::ids::{DatasetId, Epoch, MemberId, StewardId};
use rochdale_core::ledger::{DemandKind, holders_needed};
use rochdale_crypto::sealing::{
    ClaimsRowContext, ConsentContext, ConsentPart, OpeningsContext, PrivatePart, RowKeyContext, ShareContext, open_as,
    seal_consent, seal_private_part, seal_row_key, seal_share,
};
use rochdale_crypto::{Context as EnvelopeContext, RecordSecret, SealingKeyPair, envelope, random_blinder, sharing};
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
    let (account, nullifier) = (wallet.account(), wallet.membership.nullifier);
    let row_key_digest = commit::row_key(B256::from(*row_key.expose()));
    let row_keys = each_steward(coop, |steward| {
        let (chain_id, membership) = (coop.manifest.chain_id, coop.manifest.addresses.membership);
        let context = RowKeyContext { chain_id, membership, account, nullifier, index: steward.steward };
        Ok(seal_row_key(&sealing_key(steward), &context, &row_key, &mut rng)?.0)
    })?;
    let admission = admit(coop, registrar, account, nullifier, row_key_digest, &row_keys).await?;
    let request = JoinRequest {
        account,
        payout: admission.payout,
        nullifier,
        row_key_digest,
        deadline: admission.deadline.to(),
        registrar_signature: eip712::sign(registrar, &admission, &coop.manifest.membership_domain())?,
        row_keys,
    };
    let joined: Joined = coop.gateway.post("/v1/members", &request).await?;
    wallet.membership.member_id = Some(joined.member_id);
    wallet.save()?;
    Ok(joined)
}

/// The registrar's part: the admission to sign, after so many stewards gave their word for the row key that every quorum
/// has one of them. A key that nobody holds would make its member's row one that no contest hides.
async fn admit(
    coop: &Coop,
    registrar: &PrivateKeySigner,
    account: Address,
    nullifier: B256,
    row_key_digest: B256,
    row_keys: &[SealedTo],
) -> Result<eip712::Admission> {
    let deadline = coop.deadline().await?;
    let offer = eip712::KeyOffer { account, nullifier, rowKeyDigest: row_key_digest, deadline: U256::from(deadline) };
    let request = KeyOfferRequest {
        account,
        nullifier,
        row_key_digest,
        deadline,
        registrar_signature: eip712::sign(registrar, &offer, &coop.manifest.membership_domain())?,
        row_keys: row_keys.to_vec(),
    };
    let answer: KeyReceipts = coop.gateway.post("/v1/row-keys/offers", &request).await?;
    let held = eip712::KeyHeld { account, nullifier, rowKeyDigest: row_key_digest };
    let holders = holders(&coop.stewards, &held, &coop.manifest.committee_domain(), &answer.receipts);
    let seats = u8::try_from(coop.stewards.len()).context("more than 255 stewards")?;
    let needed = holders_needed(seats, coop.quorum);
    if holders < usize::from(needed) {
        bail!(
            "{holders} stewards hold the row key, {needed} of {seats} are needed before the registrar admits anybody:\n  {}",
            answer.missing.join("\n  ")
        );
    }
    Ok(eip712::Admission {
        account,
        payout: account,
        nullifier,
        rowKeyDigest: row_key_digest,
        deadline: offer.deadline,
    })
}

/// How many stewards signed that they hold the key: each seat counts once, and by its own signature.
fn holders(stewards: &[StewardEntry], held: &eip712::KeyHeld, domain: &Eip712Domain, receipts: &[KeyReceipt]) -> usize {
    let holds = |entry: &&StewardEntry| {
        let mut theirs = receipts.iter().filter(|receipt| receipt.steward == entry.steward);
        theirs.any(|receipt| eip712::verify(held, domain, &receipt.signature, entry.address).is_ok())
    };
    stewards.iter().filter(holds).count()
}

/// What members are told before they consent; the receipt names its digest.
const NOTICE: &str = include_str!("notice.en.txt");

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
    let mut rng = coop::rng()?;
    let expiry = receipt.event.expiry;
    let blinder = random_blinder(&mut rng);
    let grant = eip712::ConsentGrant {
        memberId: view.member_id.0,
        version: receipt.version,
        receiptCommitment: commit::consent(receipt.digest()?, blinder),
        expiry,
        nonce: U256::from(view.consent_nonce),
        deadline: U256::from(coop.deadline().await?),
    };
    let part = ConsentPart::new(commit::canonical_json(receipt)?, blinder);
    let receipts = each_steward(coop, |steward| {
        let context = ConsentContext {
            chain_id: coop.manifest.chain_id,
            registry: coop.manifest.addresses.consent_registry,
            member: view.member_id,
            consent_version: grant.version,
            index: steward.steward,
        };
        Ok(seal_consent(&sealing_key(steward), &context, &part, &mut rng)?.0)
    })?;
    let request = GrantRequest {
        member_id: view.member_id,
        version: grant.version,
        receipt_commitment: grant.receiptCommitment,
        expiry,
        nonce: view.consent_nonce,
        deadline: grant.deadline.to(),
        signature: eip712::sign(&wallet.key, &grant, &coop.manifest.consent_domain())?,
        receipts,
    };
    Ok(coop.gateway.post("/v1/consents", &request).await?)
}

/// Revokes the consent: nothing is released any more.
pub async fn revoke(coop: &Coop, wallet: &Wallet) -> Result<Mined> {
    let view = view(coop, wallet.id()?).await?;
    let deadline = coop.deadline().await?;
    let (nonce, until) = (U256::from(view.consent_nonce), U256::from(deadline));
    let message = eip712::ConsentRevoke { memberId: view.member_id.0, nonce, deadline: until };
    let signature = eip712::sign(&wallet.key, &message, &coop.manifest.consent_domain())?;
    let (member_id, nonce) = (view.member_id, view.consent_nonce);
    let request = DenyRequest { member_id, nonce, deadline, signature };
    Ok(coop.gateway.post("/v1/consents/revoke", &request).await?)
}

/// Ends the membership. What was earned stays claimable.
pub async fn leave(coop: &Coop, wallet: &Wallet) -> Result<Mined> {
    let view = view(coop, wallet.id()?).await?;
    let (member_id, nonce, deadline) = (view.member_id, view.membership_nonce, coop.deadline().await?);
    let message = eip712::Leave { memberId: member_id.0, nonce: U256::from(nonce), deadline: U256::from(deadline) };
    let signature = eip712::sign(&wallet.key, &message, &coop.manifest.membership_domain())?;
    let request = LeaveRequest { member_id, nonce, deadline, signature };
    Ok(coop.gateway.post("/v1/members/leave", &request).await?)
}

/// Has what the member earned paid to `payout` from now on.
pub async fn set_payout(coop: &Coop, wallet: &Wallet, payout: Address) -> Result<Mined> {
    let view = view(coop, wallet.id()?).await?;
    let (member_id, nonce, deadline) = (view.member_id, view.membership_nonce, coop.deadline().await?);
    let (at, until) = (U256::from(nonce), U256::from(deadline));
    let message = eip712::Payout { memberId: member_id.0, payout, nonce: at, deadline: until };
    let signature = eip712::sign(&wallet.key, &message, &coop.manifest.membership_domain())?;
    let request = PayoutRequest { member_id, payout, nonce, deadline, signature };
    Ok(coop.gateway.post("/v1/members/payout", &request).await?)
}

/// Demands the path of the member's row in the tree that is pending, or the opening of its inputs.
pub async fn demand(coop: &Coop, wallet: &Wallet, kind: DemandKind) -> Result<(Epoch, Mined)> {
    let member_id = wallet.id()?;
    let epoch = Epoch(coop.view().await?.final_epoch.0 + 1);
    let view: EpochView = coop.gateway.get(&format!("/v1/epochs/{epoch}")).await?;
    let pending = view.header.filter(|_| view.state == "pending");
    let attempt = pending.with_context(|| format!("epoch {epoch} is {}, not pending", view.state))?.attempt;
    let deadline = coop.deadline().await?;
    let message = eip712::Demand {
        memberId: member_id.0,
        epoch: epoch.0,
        attempt,
        kind: kind.into(),
        deadline: U256::from(deadline),
    };
    let signature = eip712::sign(&wallet.key, &message, &coop.manifest.disputes_domain())?;
    let request = DemandRequest { member_id, epoch, attempt, kind, deadline, signature };
    Ok((epoch, coop.gateway.post("/v1/settlement/demands", &request).await?))
}

/// Erases everything and ends the membership. What was earned stays claimable.
pub async fn erase(coop: &Coop, wallet: &Wallet) -> Result<Mined> {
    let view = view(coop, wallet.id()?).await?;
    let deadline = coop.deadline().await?;
    let (nonce, until) = (U256::from(view.consent_nonce), U256::from(deadline));
    let message = eip712::ConsentErase { memberId: view.member_id.0, nonce, deadline: until };
    let signature = eip712::sign(&wallet.key, &message, &coop.manifest.consent_domain())?;
    let (member_id, nonce) = (view.member_id, view.consent_nonce);
    let request = DenyRequest { member_id, nonce, deadline, signature };
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
    let deadline = coop.deadline().await?;
    let (package, blob) = seal(coop, wallet, &view, record, dataset, deadline)?;
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
        status = coop.gateway.get(&format!("/v1/contributions/{}", package.commitment)).await?;
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

fn seal(
    coop: &Coop,
    wallet: &Wallet,
    view: &MemberView,
    record: &[u8],
    dataset: DatasetId,
    deadline: u64,
) -> Result<(ContributionPackage, Vec<u8>)> {
    let mut rng = coop::rng()?;
    let secret = RecordSecret::random(&mut rng);
    let context = EnvelopeContext {
        chain_id: coop.manifest.chain_id,
        registry: coop.manifest.addresses.contribution_registry,
        member: view.member_id,
        consent_version: view.consent_version,
    };
    let sealed = envelope::seal(&secret, &context, record, &mut rng)?;
    let seats = u8::try_from(coop.stewards.len()).context("more than 255 stewards")?;
    let deal = sharing::deal(&secret, coop.quorum, seats, &mut rng)?;
    let part = PrivatePart::new(dataset, random_blinder(&mut rng));
    let mut dealt = deal.shares.iter();
    let shares = each_steward(coop, |steward| {
        let share = dealt.next().context("fewer shares than stewards")?;
        Ok(seal_share(&sealing_key(steward), &ShareContext::of(&sealed.header, steward.steward), share, &mut rng)?.0)
    })?;
    let secrets = each_steward(coop, |steward| {
        let context = ShareContext::of(&sealed.header, steward.steward).private_part();
        Ok(seal_private_part(&sealing_key(steward), &context, &part, &mut rng)?.0)
    })?;
    let blob_digest = B256::from(*sealed.cid.sha256());
    let sealed_shares: Vec<_> = shares.iter().map(|share| &share.sealed).collect();
    let commitment = commit::contribution(
        sealed.header.hash(),
        blob_digest,
        deal.commitments.hash(),
        commit::sealed_shares(&sealed_shares),
        dataset,
        part.blinder(),
    );
    let message = eip712::Contribution {
        memberId: view.member_id.0,
        commitment,
        consentVersion: view.consent_version,
        nonce: U256::from(view.contribution_nonce),
        deadline: U256::from(deadline),
    };
    let package = ContributionPackage {
        member_id: view.member_id,
        commitment,
        consent_version: view.consent_version,
        nonce: view.contribution_nonce,
        deadline,
        signature: eip712::sign(&wallet.key, &message, &coop.manifest.contribution_domain())?,
        header: sealed.header.to_bytes().into(),
        blob_digest,
        deal: deal.commitments.points.clone(),
        shares,
        secrets,
    };
    Ok((package, sealed.blob))
}

/// The member's own row from the first steward that answers, opened.
pub async fn row(coop: &Coop, wallet: &Wallet) -> Result<RowReport> {
    let member = wallet.id()?;
    let reply = SealingKeyPair::random(&mut coop::rng()?);
    let request = RowRequest { reply_key: reply.public().0, epoch: None };
    let path = format!("/v1/members/{member}/row");
    let (answers, refusals) = each_answer::<SealedRow>(coop, wallet, &path, &request).await?;
    match answers.into_iter().next() {
        Some(answer) => open_row(coop, member, &reply, answer),
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

fn open_row(coop: &Coop, member: MemberId, reply: &SealingKeyPair, answer: SealedRow) -> Result<RowReport> {
    let context = ClaimsRowContext {
        chain_id: coop.manifest.chain_id,
        ledger: coop.manifest.addresses.settlement_ledger,
        epoch: answer.epoch,
        member,
    };
    let bytes = open_as(reply, &context, &rochdale_crypto::Sealed(answer.sealed))?;
    serde_json::from_slice(&bytes).context("the row report is not understood")
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
        let context = OpeningsContext {
            chain_id: coop.manifest.chain_id,
            committee: coop.manifest.addresses.steward_committee,
            member,
            index: entry.steward,
        };
        let openings = answer.map_err(anyhow::Error::from).and_then(|answer| {
            let bytes = open_as(&reply, &context, &rochdale_crypto::Sealed(answer.sealed))?;
            serde_json::from_slice(&bytes).context("the log of openings is not understood")
        });
        logs.push(OpeningLog { steward: entry.steward, openings });
    }
    Ok(logs)
}

/// What each steward says of a member's erasure: its word, checked against its key, or why there is none. A false word is
/// its signature under what the member house may slash.
pub async fn erasure(coop: &Coop, member: MemberId) -> Result<Vec<(StewardId, Result<ErasureAttestation>)>> {
    let domain = coop.manifest.committee_domain();
    let mut words = Vec::new();
    for entry in &coop.stewards {
        let path = format!("/v1/erasures/{member}");
        let said = Client::new(&entry.url)?.get::<ErasureAttestation>(&path).await.map_err(anyhow::Error::from);
        let checked = said.and_then(|word| {
            ensure!(word.member_id == member && word.steward == entry.steward, "it is of another member or steward");
            let receipt = eip712::ErasureReceipt { memberId: member.0, shares: word.shares, at: U256::from(word.at) };
            eip712::verify(&receipt, &domain, &word.signature, entry.address)?;
            if let Some(complete) = &word.complete {
                let statement = eip712::ErasureComplete { memberId: member.0, at: U256::from(complete.at) };
                eip712::verify(&statement, &domain, &complete.signature, entry.address)?;
            }
            Ok(word)
        });
        words.push((entry.steward, checked));
    }
    Ok(words)
}

/// How many stewards must have destroyed their shares so that nobody can open the record.
pub fn deletions_needed(coop: &Coop) -> usize {
    coop.stewards.len() + 1 - usize::from(coop.quorum)
}

/// Has these members paid what they are owed; everyone where the list is empty.
pub async fn claim(coop: &Coop, members: Vec<MemberId>) -> Result<Claimed> {
    Ok(coop.gateway.post("/v1/claims", &ClaimRequest { members }).await?)
}

/// What the chain says of a member.
pub async fn view(coop: &Coop, member: MemberId) -> Result<MemberView> {
    Ok(coop.gateway.get(&format!("/v1/members/{member}")).await?)
}

fn each_steward(
    coop: &Coop,
    mut seal: impl FnMut(&StewardEntry) -> Result<alloy::primitives::Bytes>,
) -> Result<Vec<SealedTo>> {
    coop.stewards.iter().map(|entry| Ok(SealedTo { steward: entry.steward, sealed: seal(entry)? })).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rochdale_api::auth;
    use rochdale_core::ids::StewardId;

    #[test]
    fn a_seat_holds_a_key_once_and_by_its_own_word_for_that_key() {
        let keys: Vec<PrivateKeySigner> = (0..3).map(|_| PrivateKeySigner::random()).collect();
        let entry = |(key, seat): (&PrivateKeySigner, u8)| StewardEntry {
            steward: StewardId(seat),
            address: key.address(),
            sealing_key: B256::ZERO,
            url: String::new(),
            up: true,
        };
        let stewards: Vec<StewardEntry> = keys.iter().zip(1..).map(entry).collect();
        let domain = auth::domain(31_337, Address::repeat_byte(9));
        let held = |byte| eip712::KeyHeld {
            account: Address::repeat_byte(1),
            nullifier: B256::repeat_byte(2),
            rowKeyDigest: B256::repeat_byte(byte),
        };
        let receipt = |seat: u8, key: &PrivateKeySigner, byte| KeyReceipt {
            steward: StewardId(seat),
            signature: eip712::sign(key, &held(byte), &domain).unwrap(),
        };
        let count = |receipts: &[KeyReceipt]| holders(&stewards, &held(3), &domain, receipts);
        assert_eq!(count(&[receipt(1, &keys[0], 3), receipt(1, &keys[0], 3)]), 1, "one seat");
        assert_eq!(count(&[receipt(1, &keys[0], 3), receipt(2, &keys[0], 3)]), 1, "one signer");
        assert_eq!(count(&[receipt(1, &keys[0], 3), receipt(3, &keys[2], 4)]), 1, "another key");
        assert_eq!(count(&[receipt(1, &keys[0], 3), receipt(3, &keys[2], 3)]), 2);
    }
}
