//! What holds for every cooperative: random members over random epochs.

use proptest::prelude::*;
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId};
use rochdale_core::ledger::{
    Claimed, Contribution, EpochInputs, Global, Grant, LedgerError, Params, Revenue, Row, Score, Settled, Usage,
    amounts, due, settle_row, step,
};

/// What one member does in one epoch.
#[derive(Clone, Debug)]
struct Act {
    scores: Vec<Score>,
    grant: u64,
    n: u64,
    k: u64,
    w: u128,
    /// 0 leave, 1 erase, else stay.
    end: u8,
    /// When in the epoch the member claims, in thousandths; above 1,000 not at all.
    claim: u64,
}

#[derive(Clone, Debug)]
struct Season {
    joins: u32,
    acts: Vec<Act>,
    bookings: Vec<(u64, u32, u128)>,
}

const MEMBERS: usize = 9;

fn a_score() -> impl Strategy<Value = Score> {
    let edge = || prop_oneof![1 => Just(0u16), 2 => Just(10_000), 5 => 0..=10_000u16];
    let of = |values: [u16; 4]| proptest::sample::select(values.to_vec());
    (edge(), edge(), of(Score::AUTHENTICITY), of(Score::RARITY))
        .prop_map(|(quality, uniqueness, authenticity, rarity)| Score { quality, uniqueness, authenticity, rarity })
}

fn an_act() -> impl Strategy<Value = Act> {
    let scores = proptest::collection::vec(a_score(), 0..4);
    (scores, 0..3_000u64, 0..6u64, 0..=10_000u64, 0..60_000u128, 0..24u8, 0..2_000u64).prop_map(
        |(scores, grant, n, k, w, end, claim)| {
            let k = n * k / 10_000;
            Act { scores, grant: grant / 2_000 * grant, n, k, w: if k == 0 { 0 } else { w }, end, claim }
        },
    )
}

fn a_season() -> impl Strategy<Value = Season> {
    let bookings = proptest::collection::vec((1..9u64, 1..5u32, 0..200_000_000u128), 0..4);
    (0..4u32, proptest::collection::vec(an_act(), MEMBERS), bookings).prop_map(|(joins, acts, bookings)| Season {
        joins,
        acts,
        bookings,
    })
}

fn seasons() -> impl Strategy<Value = Vec<Season>> {
    proptest::collection::vec(a_season(), 1..16)
}

fn params() -> impl Strategy<Value = Params> {
    let cap = prop_oneof![Just(u128::MAX), 0..40_000_000_000_000_000_000u128];
    (cap, 0..=10_000u16, 1..30u16, 1..20u16, 0..=10_000u16, 0..=10_000u16, 1..6u16, 1..3_000_000u128).prop_map(
        |(cap, immediate_bps, vesting_epochs, smoothing, floor_bps, mix_usage, licenses, unit)| Params {
            data_cap: cap,
            gov_cap: cap / 10,
            immediate_bps,
            vesting_epochs,
            smoothing,
            floor_bps,
            mix_usage,
            mix_data: (10_000 - mix_usage) / 3,
            mix_early: 10_000 - mix_usage - (10_000 - mix_usage) / 3,
            early_cutoff: 6,
            min_licenses: licenses,
            min_datasets: licenses.min(3),
            cash_unit: unit,
            ..Params::default()
        },
    )
}

/// Turns a season into inputs, as of the members still there.
fn inputs(season: &Season, members: &mut Vec<bool>) -> EpochInputs {
    let wanted = (members.len() + season.joins as usize).min(MEMBERS);
    members.resize(wanted, true);
    let bookings = season.bookings.iter().map(|(l, d, amount)| (LicenseId(*l), DatasetId(*d), *amount));
    let mut inputs =
        EpochInputs { members: wanted as u32, revenue: Revenue::of(bookings).unwrap(), ..EpochInputs::default() };
    for (index, alive) in members.iter_mut().enumerate() {
        let (member, act) = (MemberId(index as u32 + 1), &season.acts[index]);
        if *alive && act.end < 2 {
            *alive = false;
            if act.end == 1 {
                inputs.erased.push(member);
            }
        }
        // What those who left did before is still in the lists: the ledger must not look at it.
        for score in &act.scores {
            let id = ContributionId(inputs.contributions.len() as u64 + 1);
            inputs.contributions.push(Contribution { member, id, score: *score });
        }
        inputs.grants.push(Grant { member, program: 1, points: act.grant });
        inputs.usage.push((member, Usage { n: act.n, k: act.k, w: act.w }));
        if *alive {
            inputs.active.push(member);
        }
    }
    inputs
}

/// Runs all seasons; `look` sees each epoch's inputs, the rows before, and what was settled.
fn run(
    params: &Params,
    seasons: &[Season],
    mut look: impl FnMut(&Season, &EpochInputs, &Global, &[Row], &Settled) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let (mut global, mut rows, mut members) = (Global::default(), Vec::new(), Vec::new());
    for (index, season) in seasons.iter().enumerate() {
        let epoch = Epoch(index as u32 + 1);
        let inputs = inputs(season, &mut members);
        let settled = step(params, epoch, &global, &rows, &inputs).unwrap();
        look(season, &inputs, &global, &rows, &settled)?;
        (global, rows) = (settled.global, settled.rows);
    }
    Ok(())
}

fn sum(rows: &[Row], field: impl Fn(&Row) -> u128) -> u128 {
    rows.iter().map(field).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// What contributors were booked is in `incoming`, in the pool or allocated, and what is allocated is in the rows.
    #[test]
    fn money_is_conserved(params in params(), seasons in seasons()) {
        let mut revenue = 0;
        run(&params, &seasons, |_, inputs, before, _, settled| {
            revenue += inputs.revenue.amount;
            let global = &settled.global;
            prop_assert_eq!(global.incoming + global.pool + global.totals.cash_allocated, revenue);
            let in_rows = sum(&settled.rows, |row| row.cash_earned + row.cash_streaming);
            prop_assert_eq!(global.totals.cash_allocated, in_rows);
            prop_assert_eq!(global.totals.cash_allocated - before.totals.cash_allocated, settled.cash);
            prop_assert!(settled.cash <= settled.shared.payout);
            Ok(())
        })?;
    }

    /// An epoch awards at most its cap; what is earned was awarded; nothing but leaving destroys.
    #[test]
    fn tokens_are_capped_and_conserved(params in params(), seasons in seasons()) {
        run(&params, &seasons, |_, inputs, before, rows, settled| {
            let (then, now) = (before.totals, settled.global.totals);
            prop_assert!(now.data_awarded - then.data_awarded <= params.data_cap);
            prop_assert!(now.gov_awarded - then.gov_awarded <= params.gov_cap);
            prop_assert!(now.data_earned <= now.data_awarded && now.gov_earned <= now.gov_awarded);
            prop_assert_eq!(now.data_earned, sum(&settled.rows, |row| row.data_earned));
            prop_assert_eq!(now.gov_earned, sum(&settled.rows, |row| row.gov_earned));
            let all = |row: &Row| row.data_earned + row.data_locked + row.data_vesting;
            let lost: u128 = rows.iter().zip(&settled.inputs).filter(|(_, i)| !i.active).map(|(r, _)| r.data_locked).sum();
            prop_assert_eq!(sum(&settled.rows, all), sum(rows, all) + now.data_awarded - then.data_awarded - lost);
            let gone = settled.inputs.iter().filter(|i| !i.active).count();
            prop_assert_eq!(gone + inputs.active.len(), settled.rows.len());
            Ok(())
        })?;
    }

    /// Whoever claims, whenever: claimed ≤ earned (with what streams, for cash), and in the end exactly what the leaf shows.
    #[test]
    fn claims_never_exceed_what_is_owed(params in params(), seasons in seasons()) {
        let mut claimed = [Claimed::default(); MEMBERS];
        run(&params, &seasons, |season, _, _, _, settled| {
            let mut total = Claimed::default();
            for (index, row) in settled.rows.iter().enumerate() {
                let member = MemberId(index as u32 + 1);
                let leaf = amounts(&params, member, row, settled.inputs[index].active).unwrap();
                let mine = &mut claimed[index];
                prop_assert!(mine.cash <= leaf.cash + leaf.stream, "an earlier root never paid more");
                prop_assert!(mine.data <= leaf.data && mine.gov <= leaf.gov);
                let at = season.acts[index].claim;
                if at <= 1_000 {
                    let (end, length) = (5_000_000, params.epoch_length);
                    let due = due(&leaf, mine, end + at * u64::from(length) / 1_000, end, length);
                    *mine = Claimed { cash: mine.cash + due.cash, data: mine.data + due.data, gov: mine.gov + due.gov };
                    prop_assert!(at < 1_000 || mine.cash == leaf.cash + leaf.stream);
                }
                prop_assert!(mine.cash <= row.cash_earned + row.cash_streaming);
                prop_assert!(mine.data <= row.data_earned && mine.gov <= row.gov_earned);
                (total.cash, total.data, total.gov) =
                    (total.cash + mine.cash, total.data + mine.data, total.gov + mine.gov);
            }
            let totals = settled.global.totals;
            prop_assert!(total.cash <= totals.cash_allocated);
            prop_assert!(total.data <= totals.data_earned && total.gov <= totals.gov_earned);
            Ok(())
        })?;
    }

    /// Whatever order the lists come in, the epoch is the same.
    #[test]
    fn order_does_not_matter(params in params(), seasons in seasons(), seed in any::<u64>()) {
        run(&params, &seasons, |_, inputs, before, rows, settled| {
            let mut shuffled = inputs.clone();
            shuffle(&mut shuffled.active, seed);
            shuffle(&mut shuffled.contributions, seed ^ 1);
            shuffle(&mut shuffled.grants, seed ^ 2);
            shuffle(&mut shuffled.usage, seed ^ 3);
            shuffle(&mut shuffled.erased, seed ^ 4);
            let again = step(&params, settled.global.epoch, before, rows, &shuffled).unwrap();
            prop_assert_eq!(&again, settled);
            Ok(())
        })?;
    }

    /// After the epoch in which a member erased everything, neither row nor leaf ever change, and the id stays closed.
    #[test]
    fn who_erased_everything_is_left_alone(params in params(), seasons in seasons()) {
        let mut closed: Vec<(usize, Row)> = Vec::new();
        run(&params, &seasons, |_, inputs, before, rows, settled| {
            for (index, row) in &closed {
                prop_assert_eq!(row, &settled.rows[*index]);
                let member = MemberId(*index as u32 + 1);
                let back = EpochInputs { active: vec![member], ..inputs.clone() };
                let back = EpochInputs { erased: Vec::new(), ..back };
                let error = step(&params, settled.global.epoch, before, rows, &back).unwrap_err();
                prop_assert_eq!(error, LedgerError::Closed(member));
            }
            for member in &inputs.erased {
                let index = member.0 as usize - 1;
                let row = settled.rows[index].clone();
                prop_assert!(row.closed);
                prop_assert_eq!(row.cash_streaming + row.data_locked + row.data_vesting + row.usage_weight, 0);
                prop_assert_eq!(row.gov_locked + row.gov_vesting, 0);
                let owed = amounts(&params, *member, &row, false).unwrap();
                prop_assert_eq!((owed.cash, owed.stream, owed.data, owed.gov), (row.cash_earned, 0, row.data_earned, row.gov_earned));
                if let Some(old) = rows.get(index) {
                    prop_assert_eq!(row.cash_earned, old.cash_earned + old.cash_streaming);
                    prop_assert_eq!(row.data_earned, old.data_earned + old.data_vesting);
                }
                closed.push((index, row));
            }
            Ok(())
        })?;
    }

    /// Each row follows from its own inputs and the header alone.
    #[test]
    fn rows_can_be_replayed_alone(params in params(), seasons in seasons()) {
        run(&params, &seasons, |_, _, _, rows, settled| {
            for (index, new) in settled.rows.iter().enumerate() {
                let old = rows.get(index).cloned().unwrap_or(Row::new(settled.global.epoch));
                let member = MemberId(index as u32 + 1);
                let one = settle_row(&params, &settled.shared, member, &old, &settled.inputs[index]).unwrap();
                let streak = if new.closed { (0, 0, 0) } else { (one.row.streak, one.row.last_contribution, one.row.join_epoch) };
                let (streak, last_contribution, join_epoch) = streak;
                prop_assert_eq!(new, &Row { streak, last_contribution, join_epoch, ..one.row });
            }
            Ok(())
        })?;
    }
}

/// Fisher–Yates, seeded.
fn shuffle<T>(items: &mut [T], mut seed: u64) {
    for last in (1..items.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(last, (seed >> 33) as usize % (last + 1));
    }
}
