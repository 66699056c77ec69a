//! What is asked of stewards and gateway for an archive.

use crate::coop::Coop;
use crate::failure::{Failure, Kind};
use crate::member::{self, NoRow, each_steward};
use crate::wallet::Wallet;
use crate::when::count;
use alloy::primitives::B256;
use anyhow::{Context, Result, bail};
use rochdale_api::client::{Client, Identity};
use rochdale_api::custody::{HELD_PAGE, HeldClaims, HeldConsent, HeldContribution, HeldReport, HeldRequest};
use rochdale_api::member::RowReport;
use rochdale_api::route::{gateway, steward};
use rochdale_client::held;
use rochdale_core::ids::{ContributionId, Epoch, StewardId};
use rochdale_crypto::{Cid, SealingKeyPair};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// Differences between stewards that are told one by one.
const TOLD: usize = 20;

/// What stewards hold of a member, by those that answered.
pub struct Inventory {
    quorum: usize,
    reports: Vec<HeldReport>,
    /// Who answered.
    answered: BTreeSet<StewardId>,
    /// Why others did not.
    pub refusals: Vec<String>,
}

impl Inventory {
    /// Asks every steward, for its shares of the records that are named.
    async fn ask(coop: &Coop, wallet: &Wallet, contributions: &[ContributionId]) -> Result<Self> {
        let (member, site, quorum) = (wallet.id()?, coop.site(), usize::from(coop.quorum));
        let mut inventory = Self { quorum, reports: Vec::new(), answered: BTreeSet::new(), refusals: Vec::new() };
        let request = |reply_key| HeldRequest { reply_key, contributions: contributions.to_vec() };
        let open = |steward, reply: &SealingKeyPair, answer| Ok(held::open(&site, member, steward, reply, answer)?);
        for (steward, answer) in each_steward(coop, wallet, steward::HELD.at(member), request, open).await? {
            match answer {
                Ok(report) => {
                    inventory.reports.push(report);
                    inventory.answered.insert(steward);
                }
                Err(error) => inventory.refusals.push(format!("steward {steward}: {error:#}")),
            }
        }
        if inventory.reports.len() < quorum {
            bail!(Failure::new(
                Kind::Unreachable,
                format!(
                    "{} of {} stewards say what they hold, {quorum} are needed to open a record; nothing was written. The others:\n  {}",
                    inventory.reports.len(),
                    coop.stewards.len(),
                    inventory.refusals.join("\n  ")
                )
            ));
        }
        Ok(inventory)
    }

    /// What is held, without any share.
    pub async fn take(coop: &Coop, wallet: &Wallet) -> Result<Self> {
        Self::ask(coop, wallet, &[]).await
    }

    /// The cooperative with those stewards alone that answered: who hangs is waited for once.
    pub fn answering(&self, coop: &Coop) -> Coop {
        let stewards = coop.stewards.iter().filter(|entry| self.answered.contains(&entry.steward));
        Coop { stewards: stewards.cloned().collect(), ..coop.clone() }
    }

    /// Every contribution that a quorum tells alike; what fewer tell of is a sentence, where the wallet gave it.
    pub fn contributions(&self, own: &[B256], missing: &mut Vec<String>) -> Vec<HeldContribution> {
        let told = self.reports.iter().map(|report| report.contributions.iter().map(|one| (one.contribution_id, one)));
        let plain = |one: &HeldContribution| HeldContribution { record: None, ..one.clone() };
        let (known, split) = agreed(told, self.quorum, plain, |one| one.record.is_some());
        let known: Vec<HeldContribution> = known.into_iter().cloned().collect();
        let lacks = |commitment: &&B256| !known.iter().any(|one| one.commitment == **commitment);
        for commitment in own.iter().filter(lacks).take(TOLD) {
            missing.push(format!(
                "the record of commitment {commitment}, which this wallet gave: no quorum of stewards tells of it alike"
            ));
        }
        if split > 0 {
            missing.push(format!("stewards differ in {}, or some are behind", count(split as u64, "contribution")));
        }
        known
    }

    /// Every version of the consent that a quorum tells alike, with the receipt where one has it.
    pub fn consents(&self, missing: &mut Vec<String>) -> Vec<HeldConsent> {
        let told = self.reports.iter().map(|report| report.consents.iter().map(|one| (one.version, one)));
        let plain = |one: &HeldConsent| (one.receipt_commitment, one.expiry);
        let (known, split) = agreed(told, self.quorum, plain, |one| one.secret.is_some());
        if split > 0 {
            missing.push(format!(
                "stewards differ in {} of your consent, or some are behind",
                count(split as u64, "version")
            ));
        }
        known.into_iter().cloned().collect()
    }

    /// What was paid so far, as a quorum tells it alike.
    pub fn claimed(&self) -> Option<HeldClaims> {
        let alike = |one: &HeldClaims| self.reports.iter().filter(|other| other.claimed == *one).count();
        self.reports.iter().map(|report| report.claimed).find(|one| alike(one) >= self.quorum)
    }
}

/// Of what each steward tells under a key, what so many tell alike, each steward once: one that has more to show of it first; and of how many
/// keys there is none.
fn agreed<'a, K: Ord, T, P: PartialEq>(
    told: impl Iterator<Item = impl Iterator<Item = (K, &'a T)>>,
    quorum: usize,
    plain: impl Fn(&T) -> P,
    has_more: impl Fn(&T) -> bool,
) -> (Vec<&'a T>, usize) {
    let mut known: BTreeMap<K, Vec<&T>> = BTreeMap::new();
    for one in told {
        // What one steward tells twice counts once.
        for (key, value) in one.collect::<BTreeMap<K, &T>>() {
            known.entry(key).or_default().push(value);
        }
    }
    let keys = known.len();
    let best = |told: Vec<&'a T>| {
        let alike = |one: &&T| told.iter().filter(|other| plain(other) == plain(one)).count() >= quorum;
        told.iter().copied().filter(|one| alike(one)).max_by_key(|one| has_more(one))
    };
    let found: Vec<&T> = known.into_values().filter_map(best).collect();
    let split = keys - found.len();
    (found, split)
}

/// The member's records, opened one after the other.
pub struct Records<'a> {
    coop: &'a Coop,
    wallet: &'a Wallet,
    gateway: Client,
    page: Option<Inventory>,
}

impl<'a> Records<'a> {
    /// Of a member whose key signs to the gateway.
    pub fn new(coop: &'a Coop, wallet: &'a Wallet) -> Result<Self> {
        let identity = Identity { key: wallet.key.clone(), domain: coop.request_domain() };
        let audience = coop.gateway.audience().context("the gateway does not say who it is")?;
        let gateway = coop.gateway.clone().signing(identity, audience);
        Ok(Self { coop, wallet, gateway, page: None })
    }

    /// Asks for the shares of these records, so many that stewards hand out at once.
    pub async fn begin(&mut self, page: &[HeldContribution]) -> Result<()> {
        let ids: Vec<ContributionId> = page.iter().map(|given| given.contribution_id).collect();
        self.page = Some(Inventory::ask(self.coop, self.wallet, &ids).await?);
        Ok(())
    }

    /// A record of the page, as it was contributed.
    pub async fn open(&self, given: &HeldContribution) -> Result<Zeroizing<Vec<u8>>> {
        let (id, page) = (given.contribution_id, self.page.as_ref().context("no page was begun")?);
        let of_it = |other: &&HeldContribution| {
            other.commitment == given.commitment && other.contribution_id == id && other.record.is_some()
        };
        let held: Vec<&HeldContribution> =
            page.reports.iter().filter_map(|report| report.contributions.iter().find(of_it)).collect();
        let digest = held.iter().find_map(|held| held.record.as_ref()).map(|record| record.blob_digest);
        let digest = digest.with_context(|| format!("no steward holds the record of contribution {id} any more"))?;
        let (now, call) = (self.coop.now().await?, gateway::BLOB.at(Cid::from_sha256(digest.0)));
        let what = || format!("contribution {id} could not be opened, and nothing was written");
        let blob = self.gateway.get_bytes_signed(call, now).await.with_context(what)?;
        match held::open_record(&self.coop.site(), self.wallet.id()?, &held, &blob) {
            Ok(record) => Ok(record),
            Err(error) => {
                let kind = if page.refusals.is_empty() { Kind::Failed } else { Kind::Unreachable };
                let others: String = page.refusals.iter().map(|refusal| format!("\n  {refusal}")).collect();
                bail!(Failure::new(kind, format!("{}: {error}{others}", what())))
            }
        }
    }
}

/// Records whose shares are asked for at once.
pub const PAGE: usize = HELD_PAGE;

/// The member's rows by epoch, oldest first, with how many stewards show another; and the epochs that nobody shows, or why no row is here at
/// all. An epoch that is not over, as the gateway counts, has none.
pub async fn rows(
    coop: &Coop,
    wallet: &Wallet,
    running: Epoch,
    mut done: impl FnMut(),
) -> Result<(Vec<(RowReport, usize)>, Vec<String>)> {
    let newest = match member::row(coop, wallet, None).await {
        Ok(newest) if newest.0.epoch < running => newest,
        Ok((report, _)) => {
            let said = format!("the rows: stewards show one of epoch {}, while epoch {running} runs", report.epoch);
            return Ok((Vec::new(), vec![said]));
        }
        Err(error) if error.is::<NoRow>() => return Ok((Vec::new(), Vec::new())),
        Err(error) => return Ok((Vec::new(), vec![format!("the rows: {error:#}")])),
    };
    let (mut rows, mut without, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for epoch in (1..newest.0.epoch.0).map(Epoch) {
        match member::row(coop, wallet, Some(epoch)).await {
            Ok(row) if row.0.epoch == epoch => rows.push(row),
            Ok(_) => missing.push(format!("the row of epoch {epoch}: stewards show that of another epoch")),
            Err(error) if error.is::<NoRow>() => without.push(epoch),
            Err(error) => missing.push(format!("the row of epoch {epoch}: {error:#}")),
        }
        done();
    }
    if let (Some(first), Some(last)) = (without.first(), without.last()) {
        let which = if first == last { format!("epoch {first}") } else { format!("epochs {first} to {last}") };
        missing.push(format!("a row of {which}: you had none yet, or it is kept no longer"));
    }
    rows.push(newest);
    Ok((rows, missing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rochdale_api::member::ConsentSecret;

    fn contribution(id: u64, commitment: u8, erased: bool) -> HeldContribution {
        HeldContribution {
            contribution_id: ContributionId(id),
            commitment: B256::repeat_byte(commitment),
            consent_version: 1,
            recorded_at: 1,
            block: 1,
            erased,
            record: None,
        }
    }

    fn consent(version: u32, commitment: u8) -> HeldConsent {
        let secret: Option<ConsentSecret> = None;
        let receipt_commitment = B256::repeat_byte(commitment);
        HeldConsent { member_id: rochdale_core::ids::MemberId(1), version, receipt_commitment, expiry: 0, secret }
    }

    fn inventory(reports: Vec<(Vec<HeldContribution>, Vec<HeldConsent>, u128)>) -> Inventory {
        let of = |(contributions, consents, cash)| HeldReport {
            contributions,
            consents,
            claimed: HeldClaims { cash, data: 0, gov: 0 },
        };
        let reports = reports.into_iter().map(of).collect();
        Inventory { quorum: 2, reports, answered: BTreeSet::new(), refusals: Vec::new() }
    }

    #[test]
    fn one_steward_neither_hides_nor_makes_up_nor_outvotes() {
        let honest = || (vec![contribution(1, 1, false)], vec![consent(1, 1)], 5);
        let liar = (
            vec![
                contribution(1, 1, true),
                contribution(1, 1, true),
                contribution(1, 1, true),
                contribution(999, 9, false),
            ],
            vec![consent(1, 9), consent(1, 9), consent(1, 9), consent(2, 9)],
            1_000,
        );
        for place in 0..3 {
            let mut reports = vec![honest(), honest()];
            reports.insert(place, liar.clone());
            let (inventory, mut missing) = (inventory(reports), Vec::new());
            let own = [B256::repeat_byte(1)];
            assert_eq!(inventory.contributions(&own, &mut missing), honest().0, "liar at {place}");
            assert_eq!(inventory.consents(&mut missing), honest().1);
            assert_eq!(inventory.claimed().map(|paid| paid.cash), Some(5));
            assert_eq!(missing.len(), 2, "that they differ is said: {missing:?}");
        }
    }

    #[test]
    fn where_no_quorum_agrees_nothing_is_taken_and_what_the_wallet_gave_is_named() {
        let mut missing = Vec::new();
        let own = B256::repeat_byte(1);
        let split =
            inventory(vec![(vec![contribution(1, 1, false)], vec![], 5), (vec![contribution(1, 1, true)], vec![], 6)]);
        assert_eq!(split.contributions(&[own], &mut missing), []);
        assert!(
            missing[0].contains(&own.to_string()) && missing[1].contains("differ in 1 contribution"),
            "{missing:?}"
        );
        assert_eq!(split.claimed(), None);
    }
}
