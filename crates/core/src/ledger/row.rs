//! One member's row through one epoch: what a contract can replay alone.

use alloy_primitives::U256;
use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::inputs::Inputs;
use super::params::Params;
use super::score::{next_streak, points};
use crate::ids::{Epoch, MemberId};
use crate::money::decimal_string;

/// A member's row. Everything but `closed` is private.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Micro-USDC that have streamed in full.
    #[serde(with = "decimal_string")]
    pub cash_earned: u128,
    /// Micro-USDC that stream over the next epoch.
    #[serde(with = "decimal_string")]
    pub cash_streaming: u128,
    /// Wei of DATA earned.
    #[serde(with = "decimal_string")]
    pub data_earned: u128,
    /// Wei of GOV earned.
    #[serde(with = "decimal_string")]
    pub gov_earned: u128,
    /// Wei of DATA awarded, which use has not released yet.
    #[serde(with = "decimal_string")]
    pub data_locked: u128,
    /// Wei of DATA that become earned epoch by epoch.
    #[serde(with = "decimal_string")]
    pub data_vesting: u128,
    /// Wei of GOV, locked.
    #[serde(with = "decimal_string")]
    pub gov_locked: u128,
    /// Wei of GOV, vesting.
    #[serde(with = "decimal_string")]
    pub gov_vesting: u128,
    /// Smoothed weight of use, 10,000 = one perfect common record used once.
    #[serde(with = "decimal_string")]
    pub usage_weight: u128,
    /// Epochs of contributing in a row, as the window counts them.
    pub streak: u32,
    /// Epoch of the last contribution that earned points; 0 for never.
    pub last_contribution: u32,
    /// The first epoch at whose cut the id existed.
    pub join_epoch: u32,
    /// Erased everything: the id is closed and nothing changes any more. The only field that is public.
    #[serde(default)]
    pub closed: bool,
}

impl Row {
    /// The row of a member that the last root does not know.
    #[must_use]
    pub fn new(epoch: Epoch) -> Self {
        Self { join_epoch: epoch.0, ..Self::default() }
    }

    /// What is left of a row of which only the leaf is: all that a closed one has, and nothing that another could go on from.
    #[must_use]
    pub fn shown(amounts: &Amounts, closed: bool) -> Self {
        Self {
            cash_earned: amounts.cash,
            cash_streaming: amounts.stream,
            data_earned: amounts.data,
            gov_earned: amounts.gov,
            closed,
            ..Self::default()
        }
    }

    /// Drops what the leaf of a closed row does not show. No later epoch looks at it, and nobody should be able to.
    pub(super) fn forget(&mut self) {
        if self.closed {
            (self.streak, self.last_contribution, self.join_epoch) = (0, 0, 0);
        }
    }

    /// Epochs of early membership.
    #[must_use]
    pub fn early(&self, params: &Params) -> u32 {
        params.early_cutoff.saturating_sub(self.join_epoch)
    }
}

/// What all rows of an epoch share; all of it stands in the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// The epoch that is settled.
    pub epoch: Epoch,
    /// |F|: active members with at least one scored record.
    pub sharers: u32,
    /// Micro-USDC that leave the pool, before rounding.
    #[serde(with = "decimal_string")]
    pub payout: u128,
    /// U: weight of use of all sharers, after this epoch's.
    pub sum_usage: U256,
    /// D: DATA earned by all sharers as of the last root, wei.
    pub sum_data: U256,
    /// E: epochs of early membership of all sharers.
    pub sum_early: U256,
    /// S for DATA: awards before the cap, wei.
    pub sum_data_award: U256,
    /// S for GOV.
    pub sum_gov_award: U256,
}

/// What a row's contributions and programs award, before the caps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Award {
    /// Points of all records and programs.
    pub points: u128,
    /// Wei of DATA.
    pub data: u128,
    /// Wei of GOV.
    pub gov: u128,
    /// The streak afterwards.
    pub streak: u32,
    /// The last contribution's epoch afterwards.
    pub last_contribution: u32,
}

/// A row after its epoch, with what was added to the totals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledRow {
    /// The new row.
    pub row: Row,
    /// Points.
    pub points: u128,
    /// Micro-USDC allocated.
    pub cash: u128,
    /// Wei of DATA awarded, capped.
    pub data_awarded: u128,
    /// Wei of DATA that became earned.
    pub data_earned: u128,
    /// Wei of GOV awarded, capped.
    pub gov_awarded: u128,
    /// Wei of GOV that became earned.
    pub gov_earned: u128,
}

/// What the chain sees of a row: cumulative, and rounded down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    /// Micro-USDC owed in full.
    #[serde(with = "decimal_string")]
    pub cash: u128,
    /// Micro-USDC that stream over the epoch after.
    #[serde(with = "decimal_string")]
    pub stream: u128,
    /// Wei of DATA.
    #[serde(with = "decimal_string")]
    pub data: u128,
    /// Wei of GOV.
    #[serde(with = "decimal_string")]
    pub gov: u128,
}

/// A result that must fit 128 bits.
pub(super) fn narrow(value: U256, what: &'static str, member: Option<MemberId>) -> Result<u128, LedgerError> {
    u128::try_from(value).map_err(|_| LedgerError::Overflow { what, member })
}

/// `a · b / d` in 256 bits; two factors of 128 bits cannot exceed them. `d` is not 0.
pub(super) fn mul_div(a: u128, b: u128, d: U256) -> U256 {
    match (a.checked_mul(b), u128::try_from(d)) {
        (Some(product), Ok(d)) => U256::from(product / d),
        _ => U256::from(a) * U256::from(b) / d,
    }
}

/// `amount · bps / 10,000`, for bps ≤ 10,000.
fn part_of(amount: u128, bps: u16) -> u128 {
    let (whole, rest) = (amount / 10_000, amount % 10_000);
    whole * u128::from(bps) + rest * u128::from(bps) / 10_000
}

/// Amounts of one member, with the error that names them.
#[derive(Clone, Copy)]
struct Of(MemberId);

impl Of {
    fn add(self, a: u128, b: u128, what: &'static str) -> Result<u128, LedgerError> {
        a.checked_add(b).ok_or(LedgerError::Overflow { what, member: Some(self.0) })
    }

    fn fit(self, value: U256, what: &'static str) -> Result<u128, LedgerError> {
        narrow(value, what, Some(self.0))
    }
}

/// Refuses inputs that contradict the row or themselves.
fn check(epoch: Epoch, member: MemberId, row: &Row, inputs: &Inputs) -> Result<(), LedgerError> {
    let late = |field, value| LedgerError::FromTheFuture { member, field, value, epoch };
    if row.last_contribution > epoch.0 {
        return Err(late("lastContribution", row.last_contribution));
    }
    if row.join_epoch > epoch.0 {
        return Err(late("joinEpoch", row.join_epoch));
    }
    if inputs.k > inputs.n {
        return Err(LedgerError::Usage { member, n: inputs.n, k: inputs.k });
    }
    if inputs.active && inputs.erased {
        return Err(LedgerError::ErasedAndActive(member));
    }
    if row.closed && (inputs.active || inputs.erased) {
        return Err(LedgerError::Closed(member));
    }
    Ok(())
}

/// Weight of use after this epoch's (step 2).
pub(super) fn next_usage(params: &Params, member: MemberId, row: &Row, inputs: &Inputs) -> Result<u128, LedgerError> {
    if !inputs.active {
        return Ok(0);
    }
    let kept = row.usage_weight - row.usage_weight / u128::from(params.smoothing);
    Of(member).add(kept, inputs.w, "usageWeight")
}

/// Steps 4d and 4e: points and awards before the caps. Who is not active is awarded nothing.
///
/// # Errors
/// Where an award does not fit 128 bits, or the row knows of a later epoch.
pub fn award(
    params: &Params,
    epoch: Epoch,
    member: MemberId,
    row: &Row,
    inputs: &Inputs,
) -> Result<Award, LedgerError> {
    check(epoch, member, row, inputs)?;
    let mut award = Award { streak: row.streak, last_contribution: row.last_contribution, ..Award::default() };
    if !inputs.active {
        return Ok(award);
    }
    let of = Of(member);
    for score in &inputs.contributions {
        let streak = next_streak(params, award.streak, award.last_contribution, epoch);
        let points = points(params, score, streak);
        if points > 0 {
            (award.streak, award.last_contribution) = (streak, epoch.0);
            award.points = of.add(award.points, points.into(), "points")?;
        }
    }
    award.points = of.add(award.points, inputs.program_points, "points")?;
    let worth = |per_point| mul_div(award.points, per_point, U256::from(10_000));
    award.data = of.fit(worth(params.data_per_point), "dataAward")?;
    award.gov = of.fit(worth(params.gov_per_point), "govAward")?;
    Ok(award)
}

/// What a sharer's cash of one epoch is made of, micro-USDC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashParts {
    /// The floor, the same for every sharer.
    #[serde(with = "decimal_string")]
    pub floor: u128,
    /// By weight of use.
    #[serde(with = "decimal_string")]
    pub usage: u128,
    /// By DATA earned.
    #[serde(with = "decimal_string")]
    pub data: u128,
    /// By early membership.
    #[serde(with = "decimal_string")]
    pub early: u128,
}

impl CashParts {
    fn of(
        params: &Params,
        shared: &Shared,
        of: Of,
        (usage, data, early): (u128, u128, u128),
    ) -> Result<Self, LedgerError> {
        let sharers = u128::from(shared.sharers);
        let floor = part_of(shared.payout, params.floor_bps) / sharers;
        let rest = shared.payout - floor * sharers;
        let by_usage = part_of(rest, params.mix_usage);
        let by_data = part_of(rest, params.mix_data);
        let by_early = rest - by_usage - by_data;
        let part = |amount: u128, weight: u128, sum: U256| {
            let share = if sum.is_zero() { U256::from(amount / sharers) } else { mul_div(amount, weight, sum) };
            of.fit(share, "cash")
        };
        Ok(Self {
            floor,
            usage: part(by_usage, usage, shared.sum_usage)?,
            data: part(by_data, data, shared.sum_data)?,
            early: part(by_early, early, shared.sum_early)?,
        })
    }

    /// What the cash that streams by `row`, as it stands after the epoch, is made of; nothing where the member had no share in it. What
    /// the row does not show any more, DATA earned before the epoch, is what is left.
    ///
    /// # Errors
    /// Where an amount does not fit 128 bits.
    pub fn explained(
        params: &Params,
        shared: &Shared,
        member: MemberId,
        row: &Row,
    ) -> Result<Option<Self>, LedgerError> {
        if row.cash_streaming == 0 || shared.sharers == 0 {
            return Ok(None);
        }
        let known = Self::of(params, shared, Of(member), (row.usage_weight, 0, row.early(params).into()))?;
        let rest = row.cash_streaming.checked_sub(known.floor + known.usage + known.early);
        Ok(rest.map(|data| Self { data, ..known }))
    }
}

/// Step 3: the cash of one sharer.
fn cash(params: &Params, shared: &Shared, of: Of, row: &Row, usage: u128) -> Result<u128, LedgerError> {
    let parts = CashParts::of(params, shared, of, (usage, row.data_earned, row.early(params).into()))?;
    let cash = of.add(parts.floor, parts.usage, "cash")?;
    of.add(of.add(cash, parts.data, "cash")?, parts.early, "cash")
}

/// One token's three balances through steps 2, 4b, 4c and 6.
struct Balances {
    earned: u128,
    locked: u128,
    vesting: u128,
}

impl Balances {
    /// `in_z`: everything that vests is earned at once; who is not active loses what is locked.
    fn leave(&mut self, of: Of, inputs: &Inputs) -> Result<(), LedgerError> {
        if !inputs.active {
            self.locked = 0;
        }
        if inputs.erased {
            self.earned = of.add(self.earned, self.vesting, "earned")?;
            self.vesting = 0;
        }
        Ok(())
    }

    fn vest(&mut self, of: Of, params: &Params, dust: u128) -> Result<(), LedgerError> {
        let out = self.vesting.div_ceil(params.vesting_epochs.into()).max(dust).min(self.vesting);
        self.earned = of.add(self.earned, out, "earned")?;
        self.vesting -= out;
        Ok(())
    }

    /// 4c: the part of what is locked that use releases.
    fn release(&mut self, of: Of, inputs: &Inputs) -> Result<(), LedgerError> {
        if inputs.n == 0 {
            return Ok(());
        }
        let used_bps = u128::from(inputs.k) * 10_000 / u128::from(inputs.n);
        let moved = part_of(self.locked, used_bps as u16); // k ≤ n was checked
        self.locked -= moved;
        self.vesting = of.add(self.vesting, moved, "vesting")?;
        Ok(())
    }

    fn pay(&mut self, of: Of, params: &Params, award: u128) -> Result<(), LedgerError> {
        let now = part_of(award, params.immediate_bps);
        self.earned = of.add(self.earned, now, "earned")?;
        self.locked = of.add(self.locked, award - now, "locked")?;
        Ok(())
    }

    /// All steps of one token in order; returns what was awarded after the cap.
    fn settle(&mut self, of: Of, params: &Params, inputs: &Inputs, token: &Token) -> Result<u128, LedgerError> {
        self.leave(of, inputs)?;
        self.vest(of, params, token.dust)?;
        if !inputs.active {
            return Ok(0);
        }
        self.release(of, inputs)?;
        let award = if token.sum > U256::from(token.cap) {
            of.fit(mul_div(token.award, token.cap, token.sum), "award")?
        } else {
            token.award
        };
        self.pay(of, params, award)?;
        Ok(award)
    }
}

/// What differs between DATA and GOV.
struct Token {
    dust: u128,
    cap: u128,
    sum: U256,
    award: u128,
}

/// Settles one row: step 2 and steps 4 to 6 for one member, given what all rows share.
///
/// # Errors
/// Where the inputs contradict the row, or an amount does not fit 128 bits.
pub fn settle_row(
    params: &Params,
    shared: &Shared,
    member: MemberId,
    old: &Row,
    inputs: &Inputs,
) -> Result<SettledRow, LedgerError> {
    let of = Of(member);
    let award = award(params, shared.epoch, member, old, inputs)?;
    let usage_weight = next_usage(params, member, old, inputs)?;
    let shares = inputs.active && inputs.n > 0;
    if shares && shared.sharers == 0 {
        return Err(LedgerError::NoSharers(member));
    }
    let cash = if shares { cash(params, shared, of, old, usage_weight)? } else { 0 };

    let mut data = Balances { earned: old.data_earned, locked: old.data_locked, vesting: old.data_vesting };
    let token = Token { dust: params.dust_data, cap: params.data_cap, sum: shared.sum_data_award, award: award.data };
    let data_awarded = data.settle(of, params, inputs, &token)?;
    let mut gov = Balances { earned: old.gov_earned, locked: old.gov_locked, vesting: old.gov_vesting };
    let token = Token { dust: params.dust_gov, cap: params.gov_cap, sum: shared.sum_gov_award, award: award.gov };
    let gov_awarded = gov.settle(of, params, inputs, &token)?;

    let row = Row {
        cash_earned: of.add(old.cash_earned, old.cash_streaming, "cashEarned")?,
        cash_streaming: cash,
        data_earned: data.earned,
        gov_earned: gov.earned,
        data_locked: data.locked,
        data_vesting: data.vesting,
        gov_locked: gov.locked,
        gov_vesting: gov.vesting,
        usage_weight,
        streak: award.streak,
        last_contribution: award.last_contribution,
        join_epoch: old.join_epoch,
        closed: old.closed || inputs.erased,
    };
    of.add(row.cash_earned, row.cash_streaming, "cashEarned + cashStreaming")?;
    let data_earned = row.data_earned - old.data_earned;
    let gov_earned = row.gov_earned - old.gov_earned;
    Ok(SettledRow { row, points: award.points, cash, data_awarded, data_earned, gov_awarded, gov_earned })
}

/// What the leaf of `row` shows. Who is not active is owed to the last unit, since nothing will follow to round up.
///
/// # Errors
/// Where `cashEarned + cashStreaming` does not fit 128 bits.
pub fn amounts(params: &Params, member: MemberId, row: &Row, active: bool) -> Result<Amounts, LedgerError> {
    let down = |amount: u128, unit: u128| if active { amount - amount % unit } else { amount };
    let cash = down(row.cash_earned, params.cash_unit);
    let all = Of(member).add(row.cash_earned, row.cash_streaming, "cashEarned + cashStreaming")?;
    Ok(Amounts {
        cash,
        stream: down(all, params.cash_unit) - cash,
        data: down(row.data_earned, params.data_unit),
        gov: down(row.gov_earned, params.gov_unit),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cash_that_streams_is_explained_to_the_last_unit_without_the_row_before() {
        let params = Params { early_cutoff: 10, ..Params::default() };
        for (data, sum_data) in [(300, 1_000), (0, 0)] {
            let shared = Shared {
                epoch: Epoch(4),
                sharers: 3,
                payout: 1_000_001,
                sum_usage: U256::from(70_000),
                sum_data: U256::from(sum_data),
                sum_early: U256::from(20),
                ..Shared::default()
            };
            let old = Row { usage_weight: 13_000, data_earned: data, ..Row::new(Epoch(2)) };
            let inputs = Inputs { active: true, n: 1, w: 9_000, ..Inputs::default() };
            let settled = settle_row(&params, &shared, MemberId(1), &old, &inputs).unwrap();
            let parts = CashParts::explained(&params, &shared, MemberId(1), &settled.row).unwrap().unwrap();
            assert_eq!(parts.floor + parts.usage + parts.data + parts.early, settled.cash);
            let weights = (settled.row.usage_weight, data, 8);
            assert_eq!(parts, CashParts::of(&params, &shared, Of(MemberId(1)), weights).unwrap());
            assert!(parts.floor > 0 && parts.usage > 0 && parts.data > 0 && parts.early > 0, "{parts:?}");
        }
        let nothing = CashParts::explained(&params, &Shared::default(), MemberId(1), &Row::default());
        assert_eq!(nothing, Ok(None));
    }
}
