//! What a member does: join, consent, contribute, revoke, erase, leave, read their row, claim.

use crate::coop::{self, Coop};
use crate::failure::Failure;
use crate::records::Taken;
use crate::wallet::Wallet;
use alloy::primitives::{Address, B256};
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context, Result, bail};
use futures_util::future::join_all;
use rochdale_api::ProblemCode;
use rochdale_api::client::{Client, ClientError};
use rochdale_api::contribution::{ContributionPackage, ContributionState, ContributionStatus};
use rochdale_api::custody::{Opening, OpeningsRequest};
use rochdale_api::member::{
    ClaimRequest, Claimed, ContributionReport, ErasureAttestation, Granted, Joined, KeyReceipts, Mined, RowReport,
    RowRequest, Sealed, UseReport,
};
use rochdale_api::route::{Call, gateway, steward};
use rochdale_api::status::{EpochView, MemberView};
use rochdale_client::membership::{self, Applicant};
use rochdale_client::{Stamp, notice, rows};
use rochdale_core::consent::{Choice, Controller, Receipt};
use rochdale_core::ids::{DatasetId, Epoch, MemberId, StewardId};
use rochdale_core::ledger::DemandKind;
use rochdale_core::query::Query;
use rochdale_crypto::{SealingKeyPair, random_blinder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
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
    let answer: KeyReceipts = coop.gateway.post(gateway::OFFER, &offer).await?;
    let request = membership::admit(&site, registrar, offer, &answer)?;
    let joined: Joined = coop.gateway.post(gateway::JOIN, &request).await?;
    wallet.membership.member_id = Some(joined.member_id);
    wallet.save()?;
    Ok(joined)
}

/// Consents to what is chosen, until a time in Unix seconds; 0 is until it is withdrawn.
pub async fn consent(coop: &Coop, wallet: &Wallet, choice: Choice, until: u64) -> Result<(Mined, Receipt)> {
    let view = view(coop, wallet.id()?).await?;
    let version = view.consent_version + 1;
    let controller = Controller {
        name: "The cooperative".to_owned(),
        contact: coop.gateway.base().to_string(),
        chain_id: coop.manifest.chain_id,
        registry: coop.manifest.addresses.consent_registry,
    };
    let notice = notice::named(notice::ENGLISH);
    let receipt = Receipt::new(view.member_id, version, controller, notice, choice, coop.now().await?, until);
    Ok((grant(coop, wallet, &view, &receipt).await?, receipt))
}

async fn grant(coop: &Coop, wallet: &Wallet, view: &MemberView, receipt: &Receipt) -> Result<Mined> {
    let coop = &coop.fresh().await?;
    let stamp = Stamp { nonce: view.consent_nonce, deadline: coop.deadline().await? };
    let site = coop.site();
    let request = wallet.signer(&site)?.grant(receipt, stamp, &mut coop::rng()?)?;
    // Before it is sent: what is signed may come on chain though no answer comes.
    wallet.keep_grant(&request, receipt)?;
    let granted: Granted = coop.gateway.post(gateway::GRANT, &request).await?;
    Ok(granted.mined)
}

/// Revokes the consent: nothing is released any more.
pub async fn revoke(coop: &Coop, wallet: &Wallet) -> Result<Mined> {
    let stamp = Stamp { nonce: view(coop, wallet.id()?).await?.consent_nonce, deadline: coop.deadline().await? };
    let request = wallet.signer(&coop.site())?.revoke(stamp)?;
    Ok(coop.gateway.post(gateway::REVOKE, &request).await?)
}

/// Ends the membership. What was earned stays claimable.
pub async fn leave(coop: &Coop, wallet: &Wallet) -> Result<Mined> {
    let stamp = Stamp { nonce: view(coop, wallet.id()?).await?.membership_nonce, deadline: coop.deadline().await? };
    let request = wallet.signer(&coop.site())?.leave(stamp)?;
    Ok(coop.gateway.post(gateway::LEAVE, &request).await?)
}

/// Has what the member earned paid to `payout` from now on.
pub async fn set_payout(coop: &Coop, wallet: &Wallet, payout: Address) -> Result<Mined> {
    let stamp = Stamp { nonce: view(coop, wallet.id()?).await?.membership_nonce, deadline: coop.deadline().await? };
    let request = wallet.signer(&coop.site())?.pay_to(payout, stamp)?;
    Ok(coop.gateway.post(gateway::PAYOUT, &request).await?)
}

/// Demands the path of the member's row in the tree that is pending, or the opening of its inputs.
pub async fn demand(coop: &Coop, wallet: &Wallet, kind: DemandKind) -> Result<(Epoch, Mined)> {
    let epoch = Epoch(coop.view().await?.final_epoch.0 + 1);
    let view: EpochView = coop.gateway.get(gateway::EPOCH.at(epoch)).await?;
    let pending = view.header.filter(|_| view.state == "pending");
    let attempt = pending.with_context(|| format!("epoch {epoch} is {}, not pending", view.state))?.attempt;
    let request = wallet.signer(&coop.site())?.demand(epoch, attempt, kind, coop.deadline().await?)?;
    Ok((epoch, coop.gateway.post(gateway::DEMAND, &request).await?))
}

/// Erases everything and ends the membership. What was earned stays claimable.
pub async fn erase(coop: &Coop, wallet: &Wallet) -> Result<Mined> {
    let stamp = Stamp { nonce: view(coop, wallet.id()?).await?.consent_nonce, deadline: coop.deadline().await? };
    let request = wallet.signer(&coop.site())?.erase(stamp)?;
    Ok(coop.gateway.post(gateway::ERASE, &request).await?)
}

/// Seals a record, uploads it, deals its key to the stewards and waits until the contribution is on chain. The record's bytes are
/// gone afterwards: it may be many megabytes, and the sealed one goes out alone.
pub async fn contribute(
    coop: &Coop,
    wallet: &mut Wallet,
    record: &mut Taken,
    dataset: DatasetId,
) -> Result<ContributionStatus> {
    let view = view(coop, wallet.id()?).await?;
    match (view.consent.as_str(), view.active) {
        ("erased", _) => bail!(Failure::refused(
            "everything of this member is erased, for ever: nothing can be contributed or consented to any more"
        )),
        (_, false) => bail!(Failure::refused(
            "this membership ended: nothing can be contributed any more. What was contributed stays until it is erased \
             (`rochdale member erase`), what was earned is paid out (`rochdale member claim`)"
        )),
        ("granted", true) => {}
        (other, true) => {
            bail!(Failure::refused(format!("consent is `{other}`: grant it first with `rochdale member consent`")))
        }
    }
    if let Some(commitment) = wallet.given_as(&record.digest) {
        bail!(Failure::refused(format!(
            "{}: the same content was given before, as {commitment}, and is not sent twice. Nothing is to be done; where a \
             steward misses its share, `rochdale member contribute --resume` sends that again",
            record.name
        )));
    }
    let coop = &coop.fresh().await?;
    let stamp = Stamp { nonce: view.contribution_nonce, deadline: coop.deadline().await? };
    let site = coop.site();
    let member = wallet.signer(&site)?;
    let bytes = std::mem::take(&mut record.bytes);
    let (package, blob) = member.contribute(&bytes, dataset, view.consent_version, stamp, &mut coop::rng()?)?;
    drop(bytes);
    let cid = rochdale_crypto::Cid::from_sha256(package.blob_digest.0);
    coop.gateway.put_bytes(gateway::PUT_BLOB.at(cid), blob).await?;
    // Kept from here on: a package is worth sending again only while the vault has its blob. Noted before that: whoever is
    // cut off in between sends the content once more, which nobody has yet.
    wallet.note(record.digest, package.commitment)?;
    wallet.keep(&package)?;
    deliver(coop, wallet, &package).await
}

/// Sends a package and waits until it is on chain; forgets it once every steward holds its share, or when it is refused
/// for good.
pub async fn deliver(coop: &Coop, wallet: &mut Wallet, package: &ContributionPackage) -> Result<ContributionStatus> {
    let mut status: ContributionStatus = match coop.gateway.post(gateway::CONTRIBUTE, package).await {
        Ok(status) => status,
        Err(error) => {
            if !passes(error.code())
                && let Ok(stands) = standing(coop, package).await
            {
                wallet.refused(package.commitment, stands)?;
            }
            let is_recorded = wallet.membership.contributions.contains(&package.commitment);
            // Stewards replace the keys that records are sealed to once an epoch.
            let stale = (error.code() == ProblemCode::SealBroken && !is_recorded)
                .then_some("it may be sealed to keys of an earlier epoch: contribute the record again");
            let recorded = is_recorded.then_some(
                "it is on chain already, and the steward that misses its share takes it no more: others open the record",
            );
            return Err(match stale.or(recorded) {
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
            coop.gateway.get(gateway::CONTRIBUTION.at(package.commitment).with("member", package.member_id)).await?;
    }
    if status.state == ContributionState::Refused {
        wallet.refused(package.commitment, Some(status.state))?;
        bail!("the contract refused the contribution: {}", status.reason.unwrap_or_default());
    }
    wallet.recorded(package.commitment)?;
    if status.missing.is_empty() {
        wallet.forget(package.commitment)?;
    }
    Ok(status)
}

/// Where a contribution stands at the gateway, whatever was said of its package just now; `None` where nobody knows it.
async fn standing(coop: &Coop, package: &ContributionPackage) -> Result<Option<ContributionState>> {
    let call = gateway::CONTRIBUTION.at(package.commitment).with("member", package.member_id);
    match coop.gateway.get(call).await {
        Ok(status) => Ok(Some(status.state)),
        Err(error) => match error.code() {
            ProblemCode::NotFound => Ok(None),
            // It was on chain, and its member had everything erased.
            ProblemCode::Erased => Ok(Some(ContributionState::Recorded)),
            _ => Err(error.into()),
        },
    }
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
            | ProblemCode::PeerFault
            | ProblemCode::TooSlow
            | ProblemCode::StorageFull
    )
}

/// Nobody has a row of the member's in that epoch, or none at all yet.
#[derive(Debug)]
pub struct NoRow(String);

impl std::fmt::Display for NoRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no steward gave the row:\n  {}", self.0)
    }
}

impl std::error::Error for NoRow {}

/// The member's own row of an epoch, or else of the newest that a quorum has come to, as most show it, and how many stewards show another
/// one of it. The reasons of a score are kept by those who scored: what one lacks, another's answer fills in.
///
/// # Errors
/// [`NoRow`] where a quorum says that there is none; where nobody shows one for another reason.
pub async fn row(coop: &Coop, wallet: &Wallet, epoch: Option<Epoch>) -> Result<(RowReport, usize)> {
    let (member, site) = (wallet.id()?, coop.site());
    let request = |reply_key| RowRequest { reply_key, epoch };
    let open = |_, reply: &SealingKeyPair, answer| Ok(rows::open_row(&site, member, reply, answer)?);
    let (mut reports, mut refusals, mut without) = (Vec::new(), Vec::new(), 0);
    for (steward, answer) in each_steward(coop, wallet, steward::ROW.at(member), request, open).await? {
        match answer {
            Ok(report) => reports.push(report),
            Err(error) => {
                let code = error.downcast_ref::<ClientError>().map(ClientError::code);
                without += usize::from(code == Some(ProblemCode::NotFound));
                refusals.push(format!("steward {steward}: {error:#}"));
            }
        }
    }
    if reports.is_empty() && without >= usize::from(coop.quorum) {
        return Err(NoRow(refusals.join("\n  ")).into());
    }
    most_told(reports, coop.quorum).with_context(|| format!("no steward gave the row:\n  {}", refusals.join("\n  ")))
}

/// Of the newest epoch that a quorum has come to, where so many answered, the row that most show. Uses belong to no epoch: whoever answers
/// tells its own, a steward too that is at another epoch.
fn most_told(reports: Vec<RowReport>, quorum: u8) -> Option<(RowReport, usize)> {
    let mut epochs: Vec<Epoch> = reports.iter().map(|report| report.epoch).collect();
    epochs.sort_unstable_by_key(|epoch| std::cmp::Reverse(*epoch));
    let newest = *epochs.get(usize::from(quorum).clamp(1, epochs.len().max(1)) - 1)?;
    let uses = all_uses(reports.iter().map(|report| &report.uses[..]));
    let mut of_it: Vec<RowReport> = reports.into_iter().filter(|report| report.epoch == newest).collect();
    let alike = |one: &RowReport| of_it.iter().filter(|other| other.row == one.row).count();
    let best = (0..of_it.len()).rev().max_by_key(|at| alike(&of_it[*at]))?;
    let mut report = of_it.swap_remove(best);
    for contribution in &mut report.contributions {
        let same = |other: &&ContributionReport| other.contribution_id == contribution.contribution_id;
        let others = of_it.iter().filter_map(|other| other.contributions.iter().find(same));
        if let Some(most) = others.map(|other| &other.reasons).max_by_key(|reasons| reasons.len())
            && most.len() > contribution.reasons.len()
        {
            contribution.reasons = most.clone();
        }
    }
    report.uses = uses;
    let differ = of_it.iter().filter(|other| other.row != report.row).count();
    Some((report, differ))
}

/// The uses that any steward tells of, each once and as most tell it: one that lags or conceals one keeps none from its member. A steward keeps
/// what was asked where it signed for it, and what one tells is believed where it has the digest that most tell.
fn all_uses<'a>(told: impl Iterator<Item = &'a [UseReport]>) -> Vec<UseReport> {
    let mut uses = BTreeMap::<u64, Vec<&UseReport>>::new();
    for steward in told {
        // What one steward tells twice counts once.
        for (debit, one) in steward.iter().map(|one| (one.debit, one)).collect::<BTreeMap<_, _>>() {
            uses.entry(debit).or_default().push(one);
        }
    }
    let plain = |one: &UseReport| UseReport { query: None, ..one.clone() };
    let most = |told: Vec<&UseReport>| {
        let alike = |one: &&&UseReport| told.iter().filter(|other| plain(other) == plain(one)).count();
        let best = plain(told.iter().rev().max_by_key(alike)?);
        let is_it = |query: &&Query| query.digest().is_ok_and(|digest| digest == best.query_digest);
        let query = told.iter().filter_map(|one| one.query.as_ref()).find(is_it).cloned();
        Some(UseReport { query, ..best })
    };
    uses.into_values().filter_map(most).collect()
}

/// Asks every steward at once, in the member's name, each for an answer that is sealed to a key of its own, and opens what comes.
pub async fn each_steward<Q: Serialize, A: DeserializeOwned, T>(
    coop: &Coop,
    wallet: &Wallet,
    call: Call<Q, A>,
    request: impl Fn(B256) -> Q,
    open: impl Fn(StewardId, &SealingKeyPair, A) -> Result<T>,
) -> Result<Vec<(StewardId, Result<T>)>> {
    let (now, mut rng) = (coop.now().await?, coop::rng()?);
    let (call, request, open) = (&call, &request, &open);
    let mut asking = Vec::new();
    for entry in &coop.stewards {
        let reply = SealingKeyPair::random(&mut rng);
        let steward = coop.steward(entry, &wallet.key)?;
        asking.push(async move {
            let answer = steward.post_signed(call.clone(), &request(reply.public().0), now).await;
            let opened = answer.map_err(anyhow::Error::from).and_then(|answer| open(entry.steward, &reply, answer));
            (entry.steward, opened)
        });
    }
    Ok(join_all(asking).await)
}

/// One steward's log of who opened the member's records, or why it did not show it.
pub struct OpeningLog {
    /// Whose log.
    pub steward: StewardId,
    /// Its lines.
    pub openings: Result<Vec<Opening>>,
}

/// The logs of all stewards. A record's scorer needs the shares of a quorum, so that an opening that one steward
/// conceals stands in the logs of others.
pub async fn openings(coop: &Coop, wallet: &Wallet) -> Result<Vec<OpeningLog>> {
    let (member, site) = (wallet.id()?, coop.site());
    let open = |steward, reply: &SealingKeyPair, answer: Sealed| {
        Ok(rows::open_openings(&site, member, steward, reply, answer)?)
    };
    let request = |reply_key| OpeningsRequest { reply_key };
    let logs = each_steward(coop, wallet, steward::OPENINGS.at(member), request, open).await?;
    Ok(logs.into_iter().map(|(steward, openings)| OpeningLog { steward, openings }).collect())
}

/// What each steward says of a member's erasure: its word, checked against its key, or why there is none. A false word is
/// its signature under what the member house may slash.
pub async fn erasure(coop: &Coop, member: MemberId) -> Result<Vec<(StewardId, Result<ErasureAttestation>)>> {
    let (site, mut words) = (coop.site(), Vec::new());
    for entry in &coop.stewards {
        let said = Client::new(&entry.url)?.get(steward::ERASURE.at(member)).await.map_err(anyhow::Error::from);
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
    Ok(coop.gateway.post(gateway::CLAIM, &ClaimRequest { members }).await?)
}

/// What the chain says of a member.
pub async fn view(coop: &Coop, member: MemberId) -> Result<MemberView> {
    Ok(coop.gateway.get(gateway::MEMBER.at(member)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rochdale_api::claim::ClaimLeaf;
    use rochdale_core::ids::{LicenseId, Purpose};
    use rochdale_core::ledger::Row;

    #[test]
    fn a_steward_that_conceals_a_use_or_tells_another_question_keeps_none_from_its_member() {
        let asks = |rho: u64| {
            let query = serde_json::json!({ "version": 1, "dataset": 1, "ask": { "kind": "count" }, "rho": rho });
            serde_json::from_value::<Query>(query).unwrap()
        };
        let (query, other) = (asks(1_000_000), asks(2_000_000));
        let digest = query.digest().unwrap();
        let of = |debit: u64, query: Option<&Query>| UseReport {
            debit,
            at: 0,
            license_id: LicenseId(1),
            researcher: Address::ZERO,
            purpose: Purpose(6),
            query_digest: digest,
            rho: 1,
            records: 1,
            query: query.cloned(),
        };
        // The first that is asked lies about what it tells, too.
        let liar = UseReport { purpose: Purpose(9), query_digest: other.digest().unwrap(), ..of(2, Some(&other)) };
        let told = [vec![liar; 3], vec![of(2, Some(&other)), of(1, None)], vec![of(2, Some(&query))]];
        let uses = all_uses(told.iter().map(|uses| &uses[..]));
        assert_eq!(uses, [of(1, None), of(2, Some(&query))]);
    }

    #[test]
    fn one_steward_makes_up_no_row_and_no_epoch() {
        let row = |epoch: u32, cash: u128| RowReport {
            epoch: Epoch(epoch),
            row: Row { cash_earned: cash, ..Row::default() },
            salt: B256::ZERO,
            leaf: ClaimLeaf {
                member_id: MemberId(1),
                cash,
                stream: 0,
                data: 0,
                gov: 0,
                private_hash: B256::ZERO,
                proof: Vec::new(),
            },
            contributions: Vec::new(),
            uses: Vec::new(),
        };
        let told = |reports: &[RowReport]| {
            most_told(reports.to_vec(), 2).map(|(report, differ)| (report.epoch.0, report.row.cash_earned, differ))
        };
        assert_eq!(told(&[row(5, 9), row(5, 1), row(5, 1)]), Some((5, 1, 1)));
        assert_eq!(told(&[row(u32::MAX, 9), row(5, 1), row(5, 1)]), Some((5, 1, 0)));
        assert_eq!(told(&[row(u32::MAX, 9), row(5, 1), row(4, 1)]), Some((5, 1, 0)), "one lags, one lies");
        assert_eq!(told(&[row(5, 1)]), Some((5, 1, 0)), "nobody else answers");
        assert_eq!(told(&[]), None);

        let used = UseReport {
            debit: 1,
            at: 0,
            license_id: LicenseId(1),
            researcher: Address::ZERO,
            purpose: Purpose(6),
            query_digest: B256::ZERO,
            rho: 1,
            records: 1,
            query: None,
        };
        let behind = RowReport { uses: vec![used], ..row(4, 1) };
        let (report, _) = most_told(vec![row(5, 1), row(5, 1), behind], 2).unwrap();
        assert_eq!((report.epoch.0, report.uses.len()), (5, 1), "a steward that is behind tells a use");
    }

    #[test]
    fn kind_j_only_what_the_same_package_cannot_mend_is_refused_for_good() {
        let lasting: Vec<ProblemCode> = ProblemCode::ALL.into_iter().filter(|code| !passes(*code)).collect();
        for code in [
            ProblemCode::PeerFault,
            ProblemCode::TooSlow,
            ProblemCode::StorageFull,
            ProblemCode::PeerUnavailable,
            ProblemCode::Internal,
        ] {
            assert!(!lasting.contains(&code), "{code:?}");
        }
        for code in [ProblemCode::SealBroken, ProblemCode::Expired, ProblemCode::ChainRefused, ProblemCode::Erased] {
            assert!(lasting.contains(&code), "{code:?}");
        }
    }
}
