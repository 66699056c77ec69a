//! The header of a proposal, in the order in which it is signed.

use alloy_primitives::{B256, U256};
use serde::{Deserialize, Serialize};

use super::params::Params;
use super::row::Shared;
use super::step::{Settled, Totals};
use crate::ids::Epoch;
use crate::money::decimal_string;

/// What stewards sign about an epoch. `rochdale-chain` has its EIP-712 form, with the same fields in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The epoch, from 1.
    pub epoch: Epoch,
    /// The attempt, from 0.
    pub attempt: u32,
    /// The last final root; the genesis root is that of the empty tree.
    pub previous_root: B256,
    /// The root over all rows.
    pub root: B256,
    /// [`Params::hash`].
    pub params_hash: B256,
    /// The root over all inputs.
    pub inputs_root: B256,
    /// Digest of the sealed sheet.
    pub sheet_digest: B256,
    /// How many members share the floor (|F| in docs/ledger.md).
    pub sharers: u32,
    /// Micro-USDC.
    #[serde(with = "decimal_string")]
    pub payout: u128,
    /// The sum of the weights of use (U in docs/ledger.md).
    pub sum_usage: U256,
    /// The sum of DATA earned, wei (D in docs/ledger.md).
    pub sum_data: U256,
    /// The sum of early epochs (E in docs/ledger.md).
    pub sum_early: U256,
    /// S for DATA, wei.
    pub sum_data_award: U256,
    /// S for GOV, wei.
    pub sum_gov_award: U256,
    /// Micro-USDC since the start.
    #[serde(with = "decimal_string")]
    pub cash_allocated: u128,
    /// Wei since the start.
    #[serde(with = "decimal_string")]
    pub data_awarded: u128,
    /// Wei since the start.
    #[serde(with = "decimal_string")]
    pub data_earned: u128,
    /// Wei since the start.
    #[serde(with = "decimal_string")]
    pub gov_awarded: u128,
    /// Wei since the start.
    #[serde(with = "decimal_string")]
    pub gov_earned: u128,
}

/// The parts of a header that the settled state does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roots {
    /// The last final root.
    pub previous: B256,
    /// The root over the members' rows.
    pub rows: B256,
    /// The root over the rows' inputs.
    pub inputs: B256,
    /// Digest of the sealed sheet.
    pub sheet: B256,
}

impl Header {
    /// The header of a settled epoch.
    #[must_use]
    pub fn new(params: &Params, settled: &Settled, roots: &Roots, attempt: u32) -> Self {
        let (shared, totals) = (&settled.shared, &settled.global.totals);
        Self {
            epoch: shared.epoch,
            attempt,
            previous_root: roots.previous,
            root: roots.rows,
            params_hash: params.hash(),
            inputs_root: roots.inputs,
            sheet_digest: roots.sheet,
            sharers: shared.sharers,
            payout: shared.payout,
            sum_usage: shared.sum_usage,
            sum_data: shared.sum_data,
            sum_early: shared.sum_early,
            sum_data_award: shared.sum_data_award,
            sum_gov_award: shared.sum_gov_award,
            cash_allocated: totals.cash_allocated,
            data_awarded: totals.data_awarded,
            data_earned: totals.data_earned,
            gov_awarded: totals.gov_awarded,
            gov_earned: totals.gov_earned,
        }
    }

    /// What is needed to replay a row.
    #[must_use]
    pub fn shared(&self) -> Shared {
        Shared {
            epoch: self.epoch,
            sharers: self.sharers,
            payout: self.payout,
            sum_usage: self.sum_usage,
            sum_data: self.sum_data,
            sum_early: self.sum_early,
            sum_data_award: self.sum_data_award,
            sum_gov_award: self.sum_gov_award,
        }
    }

    /// The sums since the start.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            cash_allocated: self.cash_allocated,
            data_awarded: self.data_awarded,
            data_earned: self.data_earned,
            gov_awarded: self.gov_awarded,
            gov_earned: self.gov_earned,
        }
    }
}
