//! The ledger's worked example, to every printed figure.

use alloy_primitives::{B256, U256};
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId};
use rochdale_core::ledger::{
    Amounts, Contribution, DEPTH, EpochInputs, Global, Grant, Header, LedgerError, Params, Revenue, Roots, Row, Score,
    ScoredRecord, Settled, Usage, amounts, inputs_tree, row_tree, settle_row, step, usage, verify,
};

const ONE: MemberId = MemberId(1);
const TWO: MemberId = MemberId(2);
const E15: u128 = 1_000_000_000_000_000;

fn params() -> Params {
    Params { min_licenses: 1, min_datasets: 1, ..Params::default() }
}

fn score(quality: u16, uniqueness: u16, authenticity: u16, rarity: u16) -> Score {
    Score { quality, uniqueness, authenticity, rarity }
}

const FIRST: fn() -> Score = || score(8_000, 10_000, 10_000, 12_500);
const OTHER: fn() -> Score = || score(6_000, 9_000, 3_000, 10_000);
const SECOND: fn() -> Score = || score(7_000, 10_000, 10_000, 12_500);

fn contribution(id: u64, member: MemberId, score: Score) -> Contribution {
    Contribution { id: ContributionId(id), member, score }
}

fn epochs() -> [EpochInputs; 3] {
    let both = EpochInputs { members: 2, active: vec![ONE, TWO], ..EpochInputs::default() };
    [
        EpochInputs {
            contributions: vec![contribution(1, ONE, FIRST()), contribution(2, TWO, OTHER())],
            usage: vec![(ONE, Usage { n: 1, k: 0, w: 0 }), (TWO, Usage { n: 1, k: 0, w: 0 })],
            ..both.clone()
        },
        EpochInputs {
            contributions: vec![contribution(3, ONE, SECOND())],
            grants: vec![Grant { member: TWO, program: 1, points: 500 }],
            usage: vec![(ONE, Usage { n: 2, k: 1, w: 10_000 }), (TWO, Usage { n: 1, k: 1, w: 1_620 })],
            revenue: Revenue::of([(LicenseId(1), DatasetId(1), 75_000_000)]).unwrap(),
            ..both.clone()
        },
        EpochInputs { active: vec![ONE], usage: vec![(ONE, Usage { n: 2, k: 2, w: 18_750 })], ..both },
    ]
}

fn run() -> Vec<Settled> {
    let (mut global, mut rows, mut all) = (Global::default(), Vec::new(), Vec::new());
    for (index, inputs) in epochs().iter().enumerate() {
        let settled = step(&params(), Epoch(index as u32 + 1), &global, &rows, inputs).unwrap();
        (global, rows) = (settled.global.clone(), settled.rows.clone());
        all.push(settled);
    }
    all
}

/// cashEarned, cashStreaming, dataEarned, dataLocked, dataVesting, usageWeight, streak
fn shown(row: &Row) -> [u128; 7] {
    [
        row.cash_earned,
        row.cash_streaming,
        row.data_earned,
        row.data_locked,
        row.data_vesting,
        row.usage_weight,
        row.streak.into(),
    ]
}

/// payout, U, D, E, |F|
fn sums(settled: &Settled) -> [u128; 5] {
    let shared = settled.shared;
    let narrow = |sum: U256| sum.to::<u128>();
    [shared.payout, narrow(shared.sum_usage), narrow(shared.sum_data), narrow(shared.sum_early), shared.sharers.into()]
}

#[test]
fn every_printed_figure() {
    let all = run();
    assert_eq!(all[0].points, [10_000, 1_620]);
    assert_eq!(sums(&all[0]), [0, 0, 0, 206, 2]);
    assert_eq!(shown(&all[0].rows[0]), [0, 0, 4_000 * E15, 6_000 * E15, 0, 0, 1]);
    assert_eq!(shown(&all[0].rows[1]), [0, 0, 648 * E15, 972 * E15, 0, 0, 1]);

    assert_eq!(all[1].points, [9_250, 500]);
    assert_eq!(sums(&all[1]), [5_769_230, 11_620, 4_648 * E15, 206, 2]);
    assert_eq!(shown(&all[1].rows[0]), [0, 4_382_428, 7_700 * E15, 8_550 * E15, 3_000 * E15, 10_000, 2]);
    assert_eq!(shown(&all[1].rows[1]), [0, 1_386_799, 848 * E15, 300 * E15, 972 * E15, 1_620, 1]);

    assert_eq!(all[2].points, [0, 0]);
    assert_eq!(sums(&all[2]), [5_325_444, 27_981, 7_700 * E15, 103, 1]);
    let last = &all[2].rows;
    let earned = 7_815_384_615_384_615_385;
    assert_eq!(shown(&last[0]), [4_382_428, 5_325_444, earned, 0, 11_434_615_384_615_384_615, 27_981, 2]);
    assert_eq!(shown(&last[1]), [1_386_799, 0, 885_384_615_384_615_385, 0, 934_615_384_615_384_615, 0, 1]);

    let leaf = |member: MemberId, active| amounts(&params(), member, &last[member.0 as usize - 1], active).unwrap();
    let first = Amounts { cash: 4_000_000, stream: 5_000_000, data: 7_000 * E15, gov: 0 };
    assert_eq!(leaf(ONE, true), first);
    let second = Amounts { cash: 1_386_799, stream: 0, data: 885_384_615_384_615_385, gov: 88_538_461_538_461_539 };
    assert_eq!(leaf(TWO, false), second);
    assert_eq!(all[2].global.pool, 63_905_329);
    assert_eq!(all[2].global.incoming, 0);
}

#[test]
fn the_use_of_epoch_two_follows_from_records_and_one_receipt() {
    let record = |id, member, score| ScoredRecord { id: ContributionId(id), member, score, erased: false };
    let records = [record(1, ONE, FIRST()), record(2, TWO, OTHER()), record(3, ONE, SECOND())];
    let snapshot = [ContributionId(1), ContributionId(2)];
    let derived: Vec<_> = usage(&records, &[&snapshot]).unwrap().into_iter().collect();
    assert_eq!(derived, epochs()[1].usage);
    let of_one: Vec<_> = [ContributionId(1), ContributionId(3)].to_vec();
    let third = usage(&records, &[&of_one]).unwrap();
    assert_eq!(third[&ONE], Usage { n: 2, k: 2, w: 18_750 });
}

#[test]
fn each_row_can_be_replayed_alone_and_proved() {
    let all = run();
    let salt = |member: MemberId| B256::repeat_byte(member.0 as u8);
    let tree = row_tree(&params(), DEPTH, &all[2].rows, &all[2].inputs, salt).unwrap();
    let inputs = inputs_tree(DEPTH, &all[2].inputs, salt).unwrap();
    let roots =
        Roots { previous: B256::repeat_byte(1), rows: tree.root(), inputs: inputs.root(), sheet: B256::repeat_byte(2) };
    let header = Header::new(&params(), &all[2], &roots, 0);
    assert_eq!((header.root, header.inputs_root, header.params_hash), (tree.root(), inputs.root(), params().hash()));
    for (index, new) in all[2].rows.iter().enumerate() {
        let member = MemberId(index as u32 + 1);
        let old = &all[1].rows[index];
        let replayed = settle_row(&params(), &header.shared(), member, old, &all[2].inputs[index]).unwrap();
        assert_eq!(replayed.row, *new);
        assert!(verify(header.root, DEPTH, member, tree.leaf(member), &tree.proof(member).unwrap()));
    }
    let json = serde_json::to_string(&header).unwrap();
    assert_eq!(serde_json::from_str::<Header>(&json).unwrap(), header);
    assert!(json.contains(r#""payout":"5325444""#), "{json}");
}

#[test]
fn epochs_come_one_by_one() {
    let all = run();
    let inputs = &epochs()[2];
    for wrong in [0, 2, 3, 5] {
        let error = step(&params(), Epoch(wrong), &all[2].global, &all[2].rows, inputs).unwrap_err();
        assert_eq!(error, LedgerError::EpochOrder { last: Epoch(3), given: Epoch(wrong) });
    }
    let fewer = EpochInputs { members: 1, ..inputs.clone() };
    let error = step(&params(), Epoch(4), &all[2].global, &all[2].rows, &fewer).unwrap_err();
    assert_eq!(error, LedgerError::MissingRows { rows: 2, members: 1 });
}

#[test]
fn money_waits_until_enough_licenses_and_datasets_have_paid() {
    let params = Params { min_licenses: 2, min_datasets: 2, ..Params::default() };
    let paid = |license, dataset| EpochInputs {
        members: 1,
        active: vec![ONE],
        usage: vec![(ONE, Usage { n: 1, k: 0, w: 0 })],
        revenue: Revenue::of([(LicenseId(license), DatasetId(dataset), 13)]).unwrap(),
        ..EpochInputs::default()
    };
    let (mut global, mut rows, mut seen) = (Global::default(), Vec::new(), Vec::new());
    for (epoch, (license, dataset)) in [(1, 1), (2, 1), (1, 2), (3, 3)].into_iter().enumerate() {
        let settled = step(&params, Epoch(epoch as u32 + 1), &global, &rows, &paid(license, dataset)).unwrap();
        (global, rows) = (settled.global, settled.rows);
        seen.push((global.incoming, global.pool + global.totals.cash_allocated, global.licenses.len()));
    }
    assert_eq!(seen, [(13, 0, 1), (26, 0, 2), (0, 39, 0), (13, 39, 1)], "mixed in epoch 3, then it starts again");
}

#[test]
fn without_sharers_nothing_leaves_the_pool() {
    let inputs = EpochInputs {
        members: 1,
        active: vec![ONE],
        revenue: Revenue::of([(LicenseId(1), DatasetId(1), 1_000)]).unwrap(),
        ..EpochInputs::default()
    };
    let settled = step(&params(), Epoch(1), &Global::default(), &[], &inputs).unwrap();
    assert_eq!((settled.shared.payout, settled.global.pool, settled.cash), (0, 1_000, 0));
}

#[test]
fn parameters_that_cannot_be_computed_with_are_refused() {
    for (broken, field) in [
        (Params { smoothing: 0, ..params() }, "smoothing"),
        (Params { vesting_epochs: 0, ..params() }, "vesting_epochs"),
        (Params { max_streak: 0, ..params() }, "max_streak"),
        (Params { data_unit: 0, ..params() }, "data_unit"),
        (Params { floor_bps: 10_001, ..params() }, "floor_bps"),
        (Params { mix_early: 999, ..params() }, "mix_usage + mix_data + mix_early"),
    ] {
        let error = step(&broken, Epoch(1), &Global::default(), &[], &EpochInputs::default()).unwrap_err();
        assert!(error.to_string().contains(field), "{error}");
    }
    let read: Params = serde_json::from_str(r#"{"data_cap":"5","smoothing":2}"#).unwrap();
    assert_eq!(read, Params { data_cap: 5, smoothing: 2, ..Params::default() });
    assert!(serde_json::from_str::<Params>(r#"{"datacap":"5"}"#).unwrap_err().to_string().contains("unknown field"));
}
