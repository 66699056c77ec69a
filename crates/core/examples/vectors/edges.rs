//! The cases made by hand.

use alloy_primitives::{B256, U256};
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId};
use rochdale_core::ledger::{
    Contribution, EpochInputs, Global, Grant, Inputs, Revenue, Row, Score, Shared, Usage, step,
};

use super::generate::{Case, Failure, param_sets};

pub const E18: u128 = 1_000_000_000_000_000_000;
const SCORE: Score = Score { quality: 8_000, uniqueness: 10_000, authenticity: 10_000, rarity: 12_500 };

/// The index of the demo's parameters.
pub const DEMO: usize = 1;
/// Of those with low caps: 5 DATA.
pub const CAPPED: usize = 2;

/// An active member of epoch 10 among three sharers, with some of everything.
fn usual() -> Case {
    Case {
        params: DEMO,
        member: MemberId(5),
        old: Row {
            cash_earned: 7_654_321,
            cash_streaming: 1_234_567,
            data_earned: 12 * E18 + 1,
            gov_earned: E18,
            data_locked: 9 * E18 + 7,
            data_vesting: 3 * E18,
            gov_locked: E18 / 2,
            gov_vesting: E18 / 3,
            usage_weight: 10_001,
            streak: 3,
            last_contribution: 9,
            join_epoch: 2,
            closed: false,
        },
        shared: Shared {
            epoch: Epoch(10),
            sharers: 3,
            payout: 1_000_003,
            sum_usage: U256::from(100_000),
            sum_data: U256::from(40 * E18),
            sum_early: U256::from(300),
            sum_data_award: U256::from(30 * E18),
            sum_gov_award: U256::from(3 * E18),
        },
        inputs: Inputs { contributions: vec![SCORE], n: 3, k: 1, w: 10_000, active: true, ..Inputs::default() },
        blinder: B256::repeat_byte(0xb1),
        salt: B256::repeat_byte(0x5a),
    }
}

fn with(change: impl FnOnce(&mut Case)) -> Case {
    let mut case = usual();
    change(&mut case);
    case
}

/// Who is not active has no inputs.
fn gone(change: impl FnOnce(&mut Case)) -> Case {
    with(|case| {
        case.inputs = Inputs::default();
        case.blinder = B256::ZERO;
        change(case);
    })
}

/// The rows of the worked example, epoch by epoch.
fn worked_example() -> Result<Vec<(String, Case)>, Failure> {
    let params = &param_sets()[DEMO];
    let (one, two) = (MemberId(1), MemberId(2));
    let of = |member, id, score| Contribution { member, id: ContributionId(id), score };
    let second = Score { quality: 6_000, uniqueness: 9_000, authenticity: 3_000, rarity: 10_000 };
    let usage = |n, k, w| Usage { n, k, w };
    let epochs = [
        EpochInputs {
            members: 2,
            active: vec![one, two],
            contributions: vec![of(one, 1, SCORE), of(two, 2, second)],
            usage: vec![(one, usage(1, 0, 0)), (two, usage(1, 0, 0))],
            ..EpochInputs::default()
        },
        EpochInputs {
            members: 2,
            active: vec![one, two],
            contributions: vec![of(one, 3, Score { quality: 7_000, ..SCORE })],
            grants: vec![Grant { member: two, program: 1, points: 500 }],
            usage: vec![(one, usage(2, 1, 10_000)), (two, usage(1, 1, 1_620))],
            revenue: Revenue::of([(LicenseId(1), DatasetId(1), 75_000_000)])?,
            ..EpochInputs::default()
        },
        EpochInputs {
            members: 2,
            active: vec![one],
            usage: vec![(one, usage(2, 2, 18_750))],
            ..EpochInputs::default()
        },
    ];
    let (mut global, mut rows, mut cases) = (Global::default(), Vec::<Row>::new(), Vec::new());
    for (epoch, inputs) in (1u32..).map(Epoch).zip(&epochs) {
        let settled = step(params, epoch, &global, &rows, inputs)?;
        for (index, inputs) in settled.inputs.iter().enumerate() {
            let member = MemberId(index as u32 + 1);
            let old = rows.get(index).cloned().unwrap_or(Row::new(epoch));
            let blinder = if inputs.active { B256::repeat_byte(epoch.0 as u8) } else { B256::ZERO };
            let salt = B256::repeat_byte(0x70 + epoch.0 as u8);
            let case =
                Case { params: DEMO, member, old, shared: settled.shared, inputs: inputs.clone(), blinder, salt };
            cases.push((format!("worked_example_epoch_{epoch}_member_{member}"), case));
        }
        (global, rows) = (settled.global, settled.rows);
    }
    Ok(cases)
}

/// Cases that settle.
///
/// # Errors
/// Where the worked example does not settle.
pub fn good() -> Result<Vec<(String, Case)>, Failure> {
    let mut cases = worked_example()?;
    let all = contributions().into_iter().chain(vesting()).chain(cash()).chain(endings());
    cases.extend(all.map(|(name, case)| (name.to_owned(), case)));
    Ok(cases)
}

fn contributions() -> Vec<(&'static str, Case)> {
    let quality = |quality| Score { quality, ..SCORE };
    vec![
        ("usual", usual()),
        (
            "nothing_at_all",
            with(|c| {
                c.old = Row::new(Epoch(10));
                c.inputs = Inputs { active: true, ..Inputs::default() };
            }),
        ),
        ("quality_just_below_the_minimum", with(|c| c.inputs.contributions = vec![quality(1_999)])),
        ("quality_at_the_minimum", with(|c| c.inputs.contributions = vec![quality(2_000)])),
        (
            "a_duplicate_earns_nothing_and_keeps_the_streak",
            with(|c| {
                c.inputs.contributions = vec![Score { uniqueness: 0, ..SCORE }];
            }),
        ),
        ("a_worthless_record_before_a_good_one", with(|c| c.inputs.contributions = vec![quality(0), SCORE, SCORE])),
        ("four_records_share_one_streak", with(|c| c.inputs.contributions = vec![SCORE; 4])),
        ("first_contribution_ever", with(|c| (c.old.streak, c.old.last_contribution) = (0, 0))),
        ("last_epoch_of_the_window", with(|c| c.old.last_contribution = 6)),
        ("first_epoch_after_the_window", with(|c| c.old.last_contribution = 5)),
        ("streak_at_its_maximum", with(|c| c.old.streak = 12)),
        ("streak_above_a_maximum_that_was_lowered", with(|c| c.old.streak = 40)),
        ("already_contributed_in_this_epoch", with(|c| c.old.last_contribution = 10)),
        (
            "program_points_alone",
            with(|c| {
                c.inputs.contributions.clear();
                c.inputs.program_points = 500;
            }),
        ),
        (
            "awards_reach_the_cap_exactly",
            with(|c| {
                c.params = CAPPED;
                c.shared.sum_data_award = U256::from(5 * E18);
                c.shared.sum_gov_award = U256::from(5 * E18 / 10);
            }),
        ),
        (
            "awards_exceed_the_cap_by_one",
            with(|c| {
                c.params = CAPPED;
                c.shared.sum_data_award = U256::from(5 * E18 + 1);
                c.shared.sum_gov_award = U256::from(5 * E18 / 10 + 1);
            }),
        ),
    ]
}

fn vesting() -> Vec<(&'static str, Case)> {
    let vests = |amount| with(|c| (c.old.data_vesting, c.old.gov_vesting) = (amount, amount));
    vec![
        ("vesting_below_dust_goes_at_once", vests(E18 / 1_000 - 1)),
        ("vesting_of_one_wei", vests(1)),
        ("vesting_rounds_up", vests(26 * E18 + 1)),
        ("vesting_divides_evenly", vests(26 * E18)),
        ("all_records_used", with(|c| (c.inputs.n, c.inputs.k) = (3, 3))),
        ("no_record_used", with(|c| c.inputs.k = 0)),
        ("no_record_and_no_share", with(|c| (c.inputs.n, c.inputs.k) = (0, 0))),
        ("one_record_of_ten_thousand_and_one", with(|c| (c.inputs.n, c.inputs.k) = (10_001, 1))),
        ("no_dust_parameter", with(|c| c.params = 7)),
    ]
}

fn cash() -> Vec<(&'static str, Case)> {
    vec![
        (
            "nobody_has_any_weight",
            with(|c| {
                (c.shared.sum_usage, c.shared.sum_data, c.shared.sum_early) = (U256::ZERO, U256::ZERO, U256::ZERO);
                (c.old.usage_weight, c.inputs.w, c.old.data_earned, c.old.join_epoch) = (0, 0, 0, 10);
            }),
        ),
        (
            "joined_after_the_cutoff",
            with(|c| {
                (c.shared.epoch, c.old.join_epoch, c.old.last_contribution) = (Epoch(200), 104, 199);
            }),
        ),
        ("payout_smaller_than_the_sharers", with(|c| (c.shared.payout, c.shared.sharers) = (7, 1_000))),
        ("no_payout", with(|c| c.shared.payout = 0)),
        (
            "one_unit_short",
            with(|c| {
                (c.old.cash_earned, c.old.cash_streaming, c.shared.payout) = (999_998, 1, 0);
            }),
        ),
        (
            "stream_completes_a_unit",
            with(|c| {
                (c.old.cash_earned, c.old.cash_streaming) = (1_999_999, 0);
                (c.shared.sharers, c.shared.payout) = (1, 1);
            }),
        ),
        (
            "largest_payout",
            with(|c| {
                (c.shared.payout, c.shared.sharers) = (u128::MAX, u32::MAX);
                c.shared.sum_usage = U256::from(u128::MAX);
                (c.shared.sum_data, c.shared.sum_early) = (U256::from(u128::MAX), U256::from(u64::MAX));
            }),
        ),
        (
            "cash_reaches_the_width_exactly",
            with(|c| {
                (c.old.cash_earned, c.old.cash_streaming, c.shared.payout) = (u128::MAX - 5, 5, 0);
            }),
        ),
    ]
}

fn endings() -> Vec<(&'static str, Case)> {
    vec![
        ("left", gone(|_| {})),
        (
            "left_long_ago_and_still_vests",
            gone(|c| {
                (c.old.usage_weight, c.old.data_locked, c.old.gov_locked, c.old.cash_streaming) = (0, 0, 0, 0);
            }),
        ),
        ("erased", gone(|c| c.inputs.erased = true)),
        (
            "closed_for_good",
            gone(|c| {
                c.old = Row {
                    cash_earned: 8_888_888,
                    data_earned: 15 * E18 + 1,
                    gov_earned: 4,
                    closed: true,
                    ..Row::default()
                };
            }),
        ),
        ("joined_and_left_between_two_cuts", gone(|c| c.old = Row::new(Epoch(10)))),
        (
            "joined_and_erased_between_two_cuts",
            gone(|c| {
                c.old = Row::new(Epoch(10));
                c.inputs.erased = true;
            }),
        ),
    ]
}

/// Cases that every implementation refuses.
pub fn bad() -> Vec<(&'static str, Case)> {
    let most = u128::MAX;
    vec![
        ("cash_earned_overflows", with(|c| (c.old.cash_earned, c.old.cash_streaming) = (most, 1))),
        ("cash_of_the_leaf_overflows", with(|c| (c.old.cash_earned, c.old.cash_streaming) = (most - 5, 5))),
        ("data_earned_overflows_by_vesting", with(|c| c.old.data_earned = most)),
        ("gov_earned_overflows_by_vesting", with(|c| c.old.gov_earned = most)),
        (
            "data_earned_overflows_by_erasing",
            gone(|c| {
                (c.old.data_earned, c.inputs.erased) = (most, true);
            }),
        ),
        (
            "data_locked_overflows_by_award",
            with(|c| {
                (c.old.data_locked, c.inputs.k) = (most, 0);
            }),
        ),
        (
            "gov_vesting_overflows_by_use",
            with(|c| {
                (c.old.gov_vesting, c.old.gov_locked, c.old.gov_earned, c.inputs.k) = (most, most, 0, 3);
            }),
        ),
        ("usage_weight_overflows", with(|c| (c.old.usage_weight, c.inputs.w) = (most, most))),
        (
            "award_overflows_before_the_cap",
            with(|c| {
                (c.params, c.inputs.program_points) = (CAPPED, most / 2);
                c.shared.sum_data_award = U256::MAX;
                c.shared.sum_gov_award = U256::MAX;
            }),
        ),
        ("points_overflow", with(|c| c.inputs.program_points = most)),
        (
            "cash_overflows_where_the_sum_is_not_this_epochs",
            with(|c| {
                (c.shared.payout, c.shared.sum_usage, c.old.usage_weight) = (most, U256::from(1), most / 2);
            }),
        ),
        ("contributed_in_a_later_epoch", with(|c| c.old.last_contribution = 11)),
        (
            "contributed_in_a_later_epoch_and_nothing_now",
            with(|c| {
                c.old.last_contribution = 11;
                c.inputs.contributions.clear();
            }),
        ),
        ("joined_in_a_later_epoch", with(|c| c.old.join_epoch = 11)),
        ("more_used_than_there_are", with(|c| (c.inputs.n, c.inputs.k) = (3, 4))),
        ("used_without_records", with(|c| (c.inputs.n, c.inputs.k) = (0, 1))),
        ("erased_and_active", with(|c| c.inputs.erased = true)),
        ("closed_and_active", with(|c| c.old.closed = true)),
        ("closed_and_erased_again", gone(|c| (c.old.closed, c.inputs.erased) = (true, true))),
        ("shares_where_nobody_does", with(|c| c.shared.sharers = 0)),
    ]
}
