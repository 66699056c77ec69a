//! What each person has spent: the debits on chain in their order, over the snapshots that this steward keeps.
//!
//! The rule is [`rochdale_core::budget`]'s. Of debits that were added up ([`crate::folding`]) the sums stand. Where the snapshot of a debit is not here yet, nothing after it can be told: it is taken
//! from a peer, one of whom kept it before it signed.

use std::collections::BTreeMap;

use alloy::primitives::B256;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::state::{Cooperative, DebitState};
use rochdale_core::budget::{Accounts, BudgetError, Charge, Limits};
use rochdale_core::ids::MemberId;

use crate::steward::{Mirror, Steward};
use crate::store::{DebitRow, SnapshotRow};

/// What each member in an auditor's list spent, and which debits are invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Nano-zCDP by member; who spent nothing is absent.
    pub by_member: BTreeMap<MemberId, u64>,
    /// Ids of debits that charge nobody, of those that are not added up yet.
    pub invalid: Vec<u64>,
}

impl Steward {
    /// What everybody may spend.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits { lifetime: self.config.budget.lifetime, per_year: self.config.budget.per_year }
    }

    /// The accounts after these debits, which come in the order of the chain. Those that were added up count as one, whole.
    ///
    /// # Errors
    /// Where the snapshot of one of them is not here.
    pub async fn accounts<'a>(
        &self,
        state: &Cooperative,
        debits: impl Iterator<Item = &'a DebitState>,
    ) -> Result<Accounts, Problem> {
        let sums = self.store.folded().await?;
        let mut accounts = Accounts::of(self.limits(), sums.spent);
        for booked in debits.filter(|booked| booked.id > sums.up_to) {
            let charge = self.charge_of(state, booked).await?;
            // An invalid one charges nobody.
            if let Err(error) = accounts.book(&charge) {
                tracing::debug!(debit = booked.id, %error, "an invalid debit is passed over");
            }
        }
        Ok(accounts)
    }

    /// What a booked debit charges, and to whom.
    ///
    /// # Errors
    /// Where its snapshot is not here.
    pub async fn charge_of(&self, state: &Cooperative, booked: &DebitState) -> Result<Charge, Problem> {
        let row = self.store.snapshot(booked.debit.snapshot).await?.ok_or_else(|| {
            let detail = format!("the snapshot of debit {} is not here yet", booked.id);
            Problem::new(ProblemCode::NotFound, detail).hint("it is taken from a peer that is up")
        })?;
        Ok(charge(state, booked.debit.order, booked.debit.rho, &row))
    }

    /// Debits that may charge somebody although the chain does not show them: what we signed, until a final block is past its deadline,
    /// and what we released shares for, for good.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn unseen(&self, mirror: &Mirror) -> Result<Vec<DebitRow>, Problem> {
        let final_time = mirror.head.finalized.timestamp;
        let mut rows = self.store.debits().await?;
        rows.retain(|row| {
            let may_charge = row.quorum.is_some() || final_time <= row.debit.deadline;
            may_charge && mirror.latest.debit_of(row.debit.order).is_none()
        });
        Ok(rows)
    }

    /// The accounts at the head, with everything that may yet be booked.
    ///
    /// # Errors
    /// As [`Self::accounts`].
    pub async fn accounts_at_head(&self, mirror: &Mirror) -> Result<Accounts, Problem> {
        let mut accounts = self.accounts(&mirror.latest, mirror.latest.debits.values()).await?;
        for row in self.unseen(mirror).await? {
            if let Some(snapshot) = self.store.snapshot(row.debit.snapshot).await? {
                accounts.hold(&charge(&mirror.latest, row.debit.order, row.debit.rho, &snapshot));
            }
        }
        Ok(accounts)
    }

    /// What an auditor recomputes: each member's spent budget, from the chain and this steward's snapshots.
    ///
    /// # Errors
    /// Where a snapshot is not here.
    pub async fn spent(&self, state: &Cooperative) -> Result<Spent, Problem> {
        let sums = self.store.folded().await?;
        let (mut accounts, mut invalid) = (Accounts::of(self.limits(), sums.spent), Vec::new());
        for booked in state.debits.values().filter(|booked| booked.id > sums.up_to) {
            if accounts.book(&self.charge_of(state, booked).await?).is_err() {
                invalid.push(booked.id);
            }
        }
        let spent = state.members.keys().map(|member| (*member, accounts.spent(*member)));
        Ok(Spent { by_member: spent.filter(|(_, rho)| *rho > 0).collect(), invalid })
    }
}

/// What a debit over a snapshot charges. A record that the chain does not know is nobody's, and nobody has anything to spend.
#[must_use]
pub fn charge(state: &Cooperative, order: B256, rho: u64, row: &SnapshotRow) -> Charge {
    let people = row.ids.iter().map(|id| {
        let member = state.contributions.get(id).map_or(MemberId(0), |contribution| contribution.member);
        (member, state.members.get(&member).map_or(u64::MAX, |member| member.joined.time))
    });
    Charge { order, rho, cut: row.cut_time, people: people.collect() }
}

/// Why a debit is not signed or released, for a caller who must not learn whose budget is short.
#[must_use]
pub fn problem(error: &BudgetError) -> Problem {
    let code = match error {
        BudgetError::Overdrawn { .. } => ProblemCode::BudgetExceeded,
        _ => ProblemCode::BadRequest,
    };
    Problem::new(code, error.to_string()).hint("order again as of a later block, or with a smaller rho")
}
