//! Debits are added up by member, and who was in which snapshot is forgotten.
//!
//! A snapshot says in plaintext whose records a question was asked of. It is needed while shares may be released for its debit and
//! until the epoch of the debit is settled beyond dispute. Later only sums are: what each member has spent. Debits are added up in the
//! chain's order, from the first on, as [`rochdale_core::budget`] books them; then ids and blinder are destroyed. That happens once a
//! debit has been kept for [`crate::config::Retention::snapshots`], and at once where somebody in it had everything erased: the sums of
//! everybody else stay what they were. A steward that never had the snapshots takes the sums that a quorum of peers gives alike.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Address;
use rochdale_api::Problem;
use rochdale_api::contribution::KeptSums;
use rochdale_chain::state::DebitState;
use rochdale_core::budget::Accounts;
use rochdale_core::ids::{Epoch, MemberId};

use crate::accounts::charge;
use crate::release::SESSION;
use crate::steward::{Mirror, Steward};
use crate::store::{Fold, FoldedRow, SnapshotRow};

/// What peers said, and who said it.
pub type Said = BTreeMap<FoldedRow, BTreeSet<Address>>;

impl Steward {
    /// Adds up the debits whose time is over. `settled` stands beyond dispute; what was booked before `before` was kept long enough.
    ///
    /// # Errors
    /// Where the store fails, or its files still hold a blinder that was destroyed.
    pub async fn fold_round(&self, mirror: &Mirror, settled: Epoch, before: u64) -> Result<(), Problem> {
        self.forget_unbooked(mirror).await?;
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
        let kept = sums.spent.len();
        let still = self.named(mirror, &walked).await?;
        // What an erased member spent is needed as long as a debit that names it is not booked.
        sums.spent.retain(|member, _| !erased.contains(member) || still.contains(member));
        if walked.is_empty() && sums.spent.len() == kept {
            return Ok(());
        }
        let blinders = self.store.fold(&sums, &walked).await?;
        tracing::info!(up_to = sums.up_to, debits = walked.len(), "debits are added up, their snapshots destroyed");
        Ok(self.store.prove_gone(blinders).await?)
    }

    /// Forgets what we signed and nobody can book any more, with its snapshot.
    async fn forget_unbooked(&self, mirror: &Mirror) -> Result<(), Problem> {
        let named: BTreeSet<_> = mirror.latest.debits.values().map(|booked| booked.debit.snapshot).collect();
        for row in self.store.debits().await? {
            let is_late = mirror.head.finalized.timestamp > row.debit.deadline;
            let is_booked = mirror.latest.debit_of(row.debit.order).is_some() || named.contains(&row.debit.snapshot);
            // What shares were released for is charged, whatever became of it.
            if is_late && !is_booked && row.quorum.is_none() {
                let blinders = self.store.forget_debit(&row.debit).await?;
                self.store.prove_gone(blinders).await?;
            }
        }
        Ok(())
    }

    /// Who is in a snapshot that is kept, beside those that are destroyed now.
    async fn named(&self, mirror: &Mirror, destroyed: &[Fold]) -> Result<BTreeSet<MemberId>, Problem> {
        let rows = self.store.snapshots().await?;
        let kept = rows.iter().filter(|row| destroyed.iter().all(|fold| fold.snapshot != row.digest));
        Ok(kept.flat_map(|row| records(mirror, row).into_keys()).collect())
    }

    /// Whether a record of a member is named in a snapshot that is kept, or the sums have the member.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn is_accounted(&self, mirror: &Mirror, member: MemberId) -> Result<bool, Problem> {
        let sums = self.store.folded().await?;
        Ok(sums.spent.contains_key(&member) || self.named(mirror, &[]).await?.contains(&member))
    }

    /// What is added up here, for a peer that missed the snapshots.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn kept_sums(&self) -> Result<Option<KeptSums>, Problem> {
        let FoldedRow { up_to, spent } = self.store.folded().await?;
        Ok((up_to > 0).then(|| KeptSums { up_to, spent: spent.into_iter().collect() }))
    }

    /// Notes what a peer said. Who had everything erased by a final block is in nobody's sums, whether the peer has come to it or not.
    pub fn hear_sums(&self, mirror: &Mirror, said: &mut Said, peer: Address, sums: KeptSums) {
        let members = &mirror.finalized().members;
        let is_erased = |member: &MemberId| members.get(member).is_some_and(|state| state.erased.is_some());
        let spent = sums.spent.into_iter().filter(|(member, _)| !is_erased(member)).collect();
        said.entry(FoldedRow { up_to: sums.up_to, spent }).or_default().insert(peer);
    }

    /// Takes over the newest sums that a quorum of stewards in office gives alike, or of those who left it: one of them is honest.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn take_sums(&self, mirror: &Mirror, said: Said) -> Result<(), Problem> {
        let in_office = |peer: &&Address| mirror.latest.seats.iter().any(|seat| seat.signer == **peer);
        let quorum = usize::from(mirror.latest.quorum);
        let enough = |peers: &BTreeSet<Address>| {
            let seated = peers.iter().filter(in_office).count();
            seated >= quorum || peers.len() - seated >= quorum
        };
        let Some((sums, _)) = said.into_iter().rev().find(|(_, peers)| enough(peers)) else { return Ok(()) };
        if sums.up_to <= self.store.folded().await?.up_to || !mirror.finalized().debits.contains_key(&sums.up_to) {
            return Ok(());
        }
        let folded = mirror.latest.debits.values().filter(|booked| booked.id <= sums.up_to);
        let folds: Vec<Fold> = folded.map(|booked| fold(booked, BTreeMap::new())).collect();
        let blinders = self.store.fold(&sums, &folds).await?;
        tracing::info!(up_to = sums.up_to, "took over what a quorum of peers added up");
        Ok(self.store.prove_gone(blinders).await?)
    }
}

fn fold(booked: &DebitState, uses: BTreeMap<MemberId, u64>) -> Fold {
    let (debit, booked_at) = (booked.id, booked.booked.time);
    Fold { debit, booked: booked_at, order: booked.debit.order, snapshot: booked.debit.snapshot, uses }
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
