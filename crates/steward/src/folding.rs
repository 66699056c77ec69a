//! Debits are added up by member, and who was in which snapshot is forgotten.
//!
//! A snapshot says in plaintext whose records a question was asked of. It is needed while shares may be released for its debit and
//! until the epoch of the debit is settled beyond dispute. Later only sums are: what each member has spent. Debits are added up in the
//! chain's order, from the first on, as [`rochdale_core::budget`] books them; then their ids and blinders are destroyed. That happens once a
//! debit has been kept for [`crate::config::Retention::snapshots`], and at once where somebody in it had everything erased: the sums of
//! everybody else stay what they were. A steward that never had the snapshots takes the sums that a quorum of one committee gives alike.
//!
//! Ids and blinders are destroyed by what still names them and never along with a debit: see [`Steward::fold_round`].

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Address;
use rochdale_api::Problem;
use rochdale_api::contribution::KeptSums;
use rochdale_chain::state::{Committee, DebitState};
use rochdale_core::budget::Accounts;
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::order::MAX_LIFETIME;

use crate::accounts::charge;
use crate::debits::MAX_CUT_AGE;
use crate::release::SESSION;
use crate::steward::{Mirror, Steward};
use crate::store::{Fold, FoldedRow, SnapshotRow};

/// How long after an erasure a debit that names the member may be booked, seconds. Its cut lies before the erasure and, when it is signed,
/// this far behind the newest final block; a day is for how far that lies behind the head.
const STILL_NAMED: u64 = MAX_CUT_AGE + MAX_LIFETIME + 86_400;

/// What peers said, and who said it.
pub type Said = BTreeMap<FoldedRow, BTreeSet<Address>>;

impl Steward {
    /// Forgets debits that charge nobody any more, adds up those whose time is over, and destroys what then nothing needs. `settled` stands
    /// beyond dispute; what was booked before `before` was kept long enough.
    ///
    /// # Errors
    /// Where the store fails, or its files still hold a blinder that was destroyed.
    pub async fn fold_round(&self, mirror: &Mirror, settled: Epoch, before: u64) -> Result<(), Problem> {
        self.forget_void(mirror).await?;
        self.add_up(mirror, settled, before).await?;
        self.sweep(mirror).await?;
        self.drop_erased(mirror).await
    }

    async fn add_up(&self, mirror: &Mirror, settled: Epoch, before: u64) -> Result<(), Problem> {
        let (mut sums, (erased, open)) = (self.store.folded().await?, self.store.closed().await?);
        let first = sums.up_to + 1;
        let oldest = mirror.latest.debits.range(first..).next().map(|(_, booked)| booked.booked.time);
        let is_due = !open.is_empty() || oldest.is_some_and(|time| time < before);
        if settled == Epoch(0) || !is_due {
            return Ok(());
        }
        let end = self.manifest.schedule().end(settled);
        let mut accounts = Accounts::of(self.limits(), sums.spent.clone());
        let (mut walked, mut due) = (Vec::new(), 0);
        for booked in mirror.latest.debits.range(first..).map(|(_, booked)| booked) {
            let is_over = booked.booked.time <= end && is_answered(mirror, booked);
            let Some(row) = self.store.snapshot(booked.debit.snapshot).await?.filter(|_| is_over) else { break };
            let charge = charge(&mirror.latest, booked.debit.order, booked.debit.rho, &row);
            // An invalid one charges nobody.
            if let Err(error) = accounts.book(&charge) {
                tracing::debug!(debit = booked.id, %error, "an invalid debit is passed over");
            }
            let names_erased = charge.people.keys().any(|member| erased.contains(member));
            let uses = records(mirror, &row).into_iter().filter(|(member, _)| !erased.contains(member)).collect();
            walked.push(fold(booked, uses));
            if names_erased || booked.booked.time < before {
                due = walked.len();
                sums = FoldedRow { up_to: booked.id, spent: accounts.all().clone() };
            }
        }
        walked.truncate(due);
        if walked.is_empty() {
            return Ok(());
        }
        self.store.fold(&sums, &walked).await?;
        tracing::info!(up_to = sums.up_to, debits = walked.len(), "debits are added up");
        Ok(())
    }

    /// Forgets what we signed and nobody can book any more, and what is added up.
    async fn forget_void(&self, mirror: &Mirror) -> Result<(), Problem> {
        let up_to = self.store.folded().await?.up_to;
        for row in self.store.debits().await? {
            let booked = mirror.latest.debit_of(row.debit.order);
            let is_late = mirror.head.finalized.timestamp > row.debit.deadline;
            let is_other = booked.is_none_or(|booked| booked.debit != row.debit);
            // What shares were released for is charged, whatever became of it.
            let is_void = is_late && is_other && row.quorum.is_none();
            if is_void || booked.is_some_and(|booked| booked.id <= up_to) {
                self.store.forget_debit(row.debit.order).await?;
            }
        }
        Ok(())
    }

    /// Destroys the snapshots that no debit needs, by what names them and never by whose they were.
    async fn sweep(&self, mirror: &Mirror) -> Result<(), Problem> {
        let first = self.store.folded().await?.up_to + 1;
        let booked = mirror.latest.debits.range(first..).map(|(_, booked)| booked.debit.snapshot).collect();
        let blinders = self.store.sweep_snapshots(&booked, mirror.head.finalized.timestamp).await?;
        if blinders.is_empty() {
            return Ok(());
        }
        tracing::info!(snapshots = blinders.len(), "snapshots that no debit needs are destroyed");
        Ok(self.store.prove_gone(blinders).await?)
    }

    /// Takes who had everything erased out of the sums, once no snapshot names them and none can any more: what they spent tells whether a
    /// debit that does is valid, and who did not sign it must say the same of it as who did.
    async fn drop_erased(&self, mirror: &Mirror) -> Result<(), Problem> {
        let (sums, (erased, _)) = (self.store.folded().await?, self.store.closed().await?);
        let members = &mirror.finalized().members;
        let is_past = |member: &MemberId| {
            let at = members.get(member).and_then(|state| state.erased);
            at.is_some_and(|at| mirror.head.finalized.timestamp > at.time.saturating_add(STILL_NAMED))
        };
        let mut leaving: Vec<_> = sums.spent.into_keys().filter(|m| erased.contains(m) && is_past(m)).collect();
        if !leaving.is_empty() {
            let named = self.named(mirror).await?;
            leaving.retain(|member| !named.contains(member));
        }
        for member in leaving {
            self.store.drop_sum(member).await?;
        }
        Ok(())
    }

    /// Who is in a snapshot that is kept.
    async fn named(&self, mirror: &Mirror) -> Result<BTreeSet<MemberId>, Problem> {
        let rows = self.store.snapshots().await?;
        Ok(rows.iter().flat_map(|row| records(mirror, row).into_keys()).collect())
    }

    /// Whether a record of a member is named in a snapshot that is kept, or the sums have the member.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn is_accounted(&self, mirror: &Mirror, member: MemberId) -> Result<bool, Problem> {
        let sums = self.store.folded().await?;
        Ok(sums.spent.contains_key(&member) || self.named(mirror).await?.contains(&member))
    }

    /// What is added up here, for a peer that missed the snapshots.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn kept_sums(&self) -> Result<Option<KeptSums>, Problem> {
        let FoldedRow { up_to, spent } = self.store.folded().await?;
        Ok((up_to > 0).then(|| KeptSums { up_to, spent: spent.into_iter().collect() }))
    }

    /// Notes what a peer said. Whom no debit after these sums can name, since everything was erased long before, is in nobody's sums, whether
    /// the peer has come to that or not.
    pub fn hear_sums(&self, mirror: &Mirror, said: &mut Said, peer: Address, sums: KeptSums) {
        let finalized = mirror.finalized();
        let later = mirror.latest.debits.range(sums.up_to.saturating_add(1)..).next();
        let now = mirror.head.finalized.timestamp;
        let next = later.map_or(now, |(_, booked)| booked.booked.time.min(now));
        let is_past = |member: &MemberId| {
            let at = finalized.members.get(member).and_then(|state| state.erased);
            at.is_some_and(|at| next > at.time.saturating_add(STILL_NAMED))
        };
        let spent = sums.spent.into_iter().filter(|(member, _)| !is_past(member)).collect();
        said.entry(FoldedRow { up_to: sums.up_to, spent }).or_default().insert(peer);
    }

    /// Takes over sums where the snapshot of a debit in them cannot be had. Whom to believe is [`believed`]'s.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn take_sums(&self, mirror: &Mirror, said: Said) -> Result<(), Problem> {
        let Some(first) = self.first_missing(mirror).await? else { return Ok(()) };
        let finalized = mirror.finalized();
        let helps = |sums: &FoldedRow| sums.up_to >= first && finalized.debits.contains_key(&sums.up_to);
        let said = said.into_iter().filter(|(sums, _)| helps(sums)).collect();
        let Some(sums) = believed(mirror.latest.committees.iter().rev(), &said) else { return Ok(()) };
        let folded = mirror.latest.debits.values().filter(|booked| booked.id <= sums.up_to);
        let folds: Vec<Fold> = folded.map(|booked| fold(booked, BTreeMap::new())).collect();
        self.store.fold(sums, &folds).await?;
        tracing::info!(up_to = sums.up_to, "took over what a quorum of peers added up");
        self.sweep(mirror).await
    }

    /// The first debit that is not added up and whose snapshot is not here.
    async fn first_missing(&self, mirror: &Mirror) -> Result<Option<u64>, Problem> {
        let first = self.store.folded().await?.up_to + 1;
        for (id, booked) in mirror.latest.debits.range(first..) {
            if self.store.snapshot(booked.debit.snapshot).await?.is_none() {
                return Ok(Some(*id));
            }
        }
        Ok(None)
    }
}

/// The sums that a quorum of one committee gives alike, counted by that committee's own seats and quorum: one of them is honest. Of the
/// newest committee that agrees on any; of what it agrees on, that which covers the fewest debits, since snapshots tell of the rest.
fn believed<'a, 'b>(mut newest_first: impl Iterator<Item = &'b Committee>, said: &'a Said) -> Option<&'a FoldedRow> {
    newest_first.find_map(|committee| {
        let quorum = usize::from(committee.quorum);
        let alike = |peers: &BTreeSet<Address>| {
            committee.signers.iter().filter(|signer| peers.contains(*signer)).count() >= quorum
        };
        said.iter().find(|(_, peers)| alike(peers)).map(|(sums, _)| sums)
    })
}

fn fold(booked: &DebitState, uses: BTreeMap<MemberId, u64>) -> Fold {
    Fold { debit: booked.id, booked: booked.booked.time, order: booked.debit.order, uses }
}

/// Whether no shares are released for a debit any more.
fn is_answered(mirror: &Mirror, booked: &DebitState) -> bool {
    booked.receipt.is_some() || mirror.now() > booked.debit.deadline.saturating_add(SESSION)
}

/// Records in a snapshot, by member.
fn records(mirror: &Mirror, row: &SnapshotRow) -> BTreeMap<MemberId, u64> {
    let mut records = BTreeMap::new();
    for member in row.ids.iter().filter_map(|id| mirror.latest.contributions.get(id)).map(|found| found.member) {
        *records.entry(member).or_default() += 1;
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: u8) -> Address {
        Address::with_last_byte(n)
    }

    fn committee(seats: std::ops::RangeInclusive<u8>, quorum: u8) -> Committee {
        Committee { signers: seats.map(at).collect(), quorum, seated: 0 }
    }

    fn sums(up_to: u64, spent: u64) -> FoldedRow {
        FoldedRow { up_to, spent: BTreeMap::from([(MemberId(1), spent)]) }
    }

    fn said(of: &[(FoldedRow, std::ops::RangeInclusive<u8>)]) -> Said {
        of.iter().map(|(sums, peers)| (sums.clone(), peers.clone().map(at).collect())).collect()
    }

    #[test]
    fn former_stewards_are_counted_by_their_own_committee() {
        let committees = [committee(11..=13, 2), committee(1..=9, 5)];
        let (truth, lie) = (sums(1, 7), sums(2, 0));
        assert_eq!(believed(committees.iter(), &said(&[(truth.clone(), 1..=5), (lie.clone(), 6..=7)])), Some(&truth));
        assert_eq!(believed(committees.iter(), &said(&[(truth.clone(), 1..=4), (lie.clone(), 6..=9)])), None);
        // One in office and one of before are two of no committee.
        let mixed = Said::from([(lie, BTreeSet::from([at(11), at(9)]))]);
        assert_eq!(believed(committees.iter(), &mixed), None);
        assert_eq!(believed(committees.iter(), &Said::new()), None);
    }

    #[test]
    fn the_newest_committee_that_agrees_is_believed_and_for_the_fewest_debits() {
        let committees = [committee(11..=13, 2), committee(1..=3, 2)];
        let (old, few, many) = (sums(1, 0), sums(2, 7), sums(3, 8));
        let all = said(&[(old, 1..=3), (many, 11..=12), (few.clone(), 12..=13)]);
        assert_eq!(believed(committees.iter(), &all), Some(&few));
    }
}
