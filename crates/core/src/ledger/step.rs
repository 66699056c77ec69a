//! One epoch of the whole cooperative.

use std::collections::BTreeSet;

use alloy_primitives::U256;
use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::inputs::{EpochInputs, Inputs, Revenue};
use super::parallel::parallel;
use super::params::Params;
use super::row::{Row, SettledRow, Shared, award, narrow, next_usage, settle_row};
use crate::ids::{DatasetId, Epoch, LicenseId, MemberId};
use crate::money::decimal_string;

/// Sums since the start, as the header and the chain hold them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Micro-USDC allocated to members.
    #[serde(with = "decimal_string")]
    pub cash_allocated: u128,
    /// Wei of DATA awarded.
    #[serde(with = "decimal_string")]
    pub data_awarded: u128,
    /// Wei of DATA earned.
    #[serde(with = "decimal_string")]
    pub data_earned: u128,
    /// Wei of GOV awarded.
    #[serde(with = "decimal_string")]
    pub gov_awarded: u128,
    /// Wei of GOV earned.
    #[serde(with = "decimal_string")]
    pub gov_earned: u128,
}

impl Totals {
    fn add(&mut self, row: &SettledRow) -> Result<(), LedgerError> {
        let sums = [
            (&mut self.cash_allocated, row.cash, "cashAllocated"),
            (&mut self.data_awarded, row.data_awarded, "dataAwarded"),
            (&mut self.data_earned, row.data_earned, "dataEarned"),
            (&mut self.gov_awarded, row.gov_awarded, "govAwarded"),
            (&mut self.gov_earned, row.gov_earned, "govEarned"),
        ];
        for (sum, amount, what) in sums {
            *sum = sum.checked_add(amount).ok_or(LedgerError::Overflow { what, member: None })?;
        }
        Ok(())
    }
}

/// What belongs to no single member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Global {
    /// The last settled epoch; 0 before the first.
    pub epoch: Epoch,
    /// Micro-USDC that wait until enough licenses and datasets have paid.
    #[serde(with = "decimal_string")]
    pub incoming: u128,
    /// Micro-USDC from which payouts are made.
    #[serde(with = "decimal_string")]
    pub pool: u128,
    /// Licenses that paid into `incoming`.
    pub licenses: BTreeSet<LicenseId>,
    /// Datasets paid for in `incoming`.
    pub datasets: BTreeSet<DatasetId>,
    /// Sums since the start.
    pub totals: Totals,
}

impl Global {
    /// Step 1, but for the payout.
    fn receive(&mut self, params: &Params, revenue: &Revenue) -> Result<(), LedgerError> {
        let overflow = |what| LedgerError::Overflow { what, member: None };
        self.incoming = self.incoming.checked_add(revenue.amount).ok_or(overflow("incoming"))?;
        self.licenses.extend(&revenue.licenses);
        self.datasets.extend(&revenue.datasets);
        let mixed = self.licenses.len() >= usize::from(params.min_licenses)
            && self.datasets.len() >= usize::from(params.min_datasets);
        if mixed {
            self.pool = self.pool.checked_add(self.incoming).ok_or(overflow("pool"))?;
            self.incoming = 0;
            self.licenses.clear();
            self.datasets.clear();
        }
        Ok(())
    }
}

/// A settled epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The next state.
    pub global: Global,
    /// The next rows, by id from 1.
    pub rows: Vec<Row>,
    /// The header's sums, from which any row can be replayed.
    pub shared: Shared,
    /// Each member's inputs, by id from 1.
    pub inputs: Vec<Inputs>,
    /// Points of each member, by id from 1.
    pub points: Vec<u128>,
    /// Micro-USDC allocated in this epoch.
    pub cash: u128,
}

/// Settles `epoch`.
///
/// `rows` are those of the last root, by id from 1; members it does not know yet get a new row.
///
/// # Errors
/// Where the inputs contradict each other or the state, or an amount does not fit 128 bits. Nothing is settled then.
pub fn step(
    params: &Params,
    epoch: Epoch,
    global: &Global,
    rows: &[Row],
    inputs: &EpochInputs,
) -> Result<Settled, LedgerError> {
    let Begun { mut next, split } = begin(params, epoch, global, rows, inputs)?;
    let new = Row::new(epoch);
    let row = |index: usize| rows.get(index).unwrap_or(&new);
    let mut shared = sums(params, epoch, &split, &row, &|_| false)?;
    shared.payout = payout(params, shared.sharers, &next);

    let settled = parallel(split.len(), |index| settle_row(params, &shared, member(index), row(index), &split[index]))?;
    let allocated = next.totals.cash_allocated;
    let mut new_rows = Vec::with_capacity(settled.len());
    let mut points = Vec::with_capacity(settled.len());
    for mut row in settled {
        next.totals.add(&row)?;
        row.row.forget();
        new_rows.push(row.row);
        points.push(row.points);
    }
    let cash = next.totals.cash_allocated - allocated;
    // Each part rounds down, so their sum is at most the payout.
    next.pool -= cash;
    Ok(Settled { global: next, rows: new_rows, shared, inputs: split, points, cash })
}

/// What a header says of all rows, and whose rows it is all that is left of.
pub(super) struct Told<'a> {
    pub(super) shared: &'a Shared,
    pub(super) totals: &'a Totals,
    /// The row of a member whose inputs are gone, as far as its leaf shows it.
    pub(super) gone: &'a (dyn Fn(MemberId) -> Option<Row> + Sync),
}

/// Settles an epoch that is on chain once inputs of some members are gone: everybody else's row follows from the sums that the header
/// tells, which must be such as the rows that are left allow.
///
/// # Errors
/// As [`step`], and where they are not.
pub(super) fn step_as_told(
    params: &Params,
    epoch: Epoch,
    global: &Global,
    rows: &[Row],
    inputs: &EpochInputs,
    told: &Told<'_>,
) -> Result<Settled, LedgerError> {
    let Begun { mut next, split } = begin(params, epoch, global, rows, inputs)?;
    let new = Row::new(epoch);
    let row = |index: usize| rows.get(index).unwrap_or(&new);
    let (shared, left) = (*told.shared, sums(params, epoch, &split, &row, &|id| (told.gone)(id).is_some())?);
    let fits = shared.epoch == epoch
        && left.sharers <= shared.sharers
        && left.sum_usage <= shared.sum_usage
        && left.sum_data <= shared.sum_data
        && left.sum_early <= shared.sum_early
        && left.sum_data_award <= shared.sum_data_award
        && left.sum_gov_award <= shared.sum_gov_award;
    if !fits {
        return Err(LedgerError::Told("a sum over all rows"));
    }
    if shared.payout != payout(params, shared.sharers, &next) {
        return Err(LedgerError::Told("payout"));
    }
    let settled = parallel(split.len(), |index| match (told.gone)(member(index)) {
        Some(row) => Ok((row, 0)),
        None => {
            let mut settled = settle_row(params, &shared, member(index), row(index), &split[index])?;
            settled.row.forget();
            Ok((settled.row, settled.points))
        }
    })?;
    let cash = told.totals.cash_allocated.checked_sub(next.totals.cash_allocated).filter(|cash| *cash <= next.pool);
    let cash = cash.ok_or(LedgerError::Told("cashAllocated"))?;
    next.totals = *told.totals;
    next.pool -= cash;
    let (rows, points) = settled.into_iter().unzip();
    Ok(Settled { global: next, rows, shared, inputs: split, points, cash })
}

/// Step 1, and each member's inputs.
struct Begun {
    next: Global,
    split: Vec<Inputs>,
}

fn begin(
    params: &Params,
    epoch: Epoch,
    global: &Global,
    rows: &[Row],
    inputs: &EpochInputs,
) -> Result<Begun, LedgerError> {
    params.validate()?;
    if global.epoch.0.checked_add(1) != Some(epoch.0) {
        return Err(LedgerError::EpochOrder { last: global.epoch, given: epoch });
    }
    if rows.len() > inputs.members as usize {
        return Err(LedgerError::MissingRows { rows: rows.len(), members: inputs.members });
    }
    let split = inputs.split()?;
    let mut next = Global { epoch, ..global.clone() };
    next.receive(params, &inputs.revenue)?;
    Ok(Begun { next, split })
}

fn payout(params: &Params, sharers: u32, next: &Global) -> u128 {
    if sharers == 0 { 0 } else { next.pool / u128::from(params.smoothing) }
}

/// The member at `index` of a list by id.
pub(super) fn member(index: usize) -> MemberId {
    MemberId(index as u32 + 1)
}

/// |F|, U, D, E and both S, of those who are not gone.
fn sums<'a>(
    params: &Params,
    epoch: Epoch,
    inputs: &[Inputs],
    row: &(impl Fn(usize) -> &'a Row + Sync),
    is_gone: &(impl Fn(MemberId) -> bool + Sync),
) -> Result<Shared, LedgerError> {
    let parts = parallel(inputs.len(), |index| {
        let (row, inputs, member) = (row(index), &inputs[index], member(index));
        if is_gone(member) {
            return Ok((false, 0, 0, 0, 0, 0));
        }
        let award = award(params, epoch, member, row, inputs)?;
        let usage = next_usage(params, member, row, inputs)?;
        let shares = inputs.active && inputs.n > 0;
        Ok((shares, usage, row.data_earned, row.early(params), award.data, award.gov))
    })?;
    let mut shared = Shared { epoch, ..Shared::default() };
    for (shares, usage, data, early, data_award, gov_award) in parts {
        if shares {
            shared.sharers += 1;
            shared.sum_usage += U256::from(usage);
            shared.sum_data += U256::from(data);
            shared.sum_early += U256::from(early);
        }
        shared.sum_data_award += U256::from(data_award);
        shared.sum_gov_award += U256::from(gov_award);
    }
    narrow(shared.sum_early, "sumEarly", None)?;
    Ok(shared)
}
