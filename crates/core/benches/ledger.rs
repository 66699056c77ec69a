//! The ledger's step and trees: rows per second at 10,000, 100,000 and 1,000,000 members.
//!
//! `cargo bench --profile dev -p rochdale-core --bench ledger` (the crate and its hashes are optimised in that profile).

use std::hint::black_box;

use alloy_primitives::B256;
use divan::Bencher;
use divan::counter::ItemsCount;
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId};
use rochdale_core::ledger::{
    Contribution, DEPTH, EpochInputs, Global, Params, Revenue, Row, Score, Settled, Usage, input_blinder, inputs_tree,
    row_tree, salt, step,
};

const MEMBERS: [u32; 3] = [10_000, 100_000, 1_000_000];

fn main() {
    divan::main();
}

/// A cooperative after one epoch, and the inputs of the next: everyone contributed, half of the records were used.
fn cooperative(members: u32) -> (Params, Global, Vec<Row>, EpochInputs) {
    let params = Params { min_licenses: 1, min_datasets: 1, ..Params::default() };
    let score = |id: u32| Score {
        quality: 5_000 + (id % 5_000) as u16,
        uniqueness: 10_000,
        authenticity: 3_000,
        rarity: 10_000,
    };
    let inputs = EpochInputs {
        members,
        active: (1..=members).map(MemberId).collect(),
        contributions: (1..=members)
            .map(|id| Contribution { member: MemberId(id), id: ContributionId(id.into()), score: score(id) })
            .collect(),
        usage: (1..=members)
            .map(|id| (MemberId(id), Usage { n: 2, k: u64::from(id % 2), w: u128::from(id % 2) * 1_620 }))
            .collect(),
        revenue: Revenue::of([(LicenseId(1), DatasetId(1), 75_000_000_000)]).unwrap_or_default(),
        ..EpochInputs::default()
    };
    let first = settle(&params, &Global::default(), &[], &inputs);
    (params, first.global, first.rows, inputs)
}

fn settle(params: &Params, global: &Global, rows: &[Row], inputs: &EpochInputs) -> Settled {
    match step(params, Epoch(global.epoch.0 + 1), global, rows, inputs) {
        Ok(settled) => settled,
        Err(error) => panic!("{error}"),
    }
}

fn key(member: MemberId) -> [u8; 32] {
    let mut key = [7; 32];
    key[..4].copy_from_slice(&member.0.to_be_bytes());
    key
}

/// Both trees of an epoch, salts and blinders included.
fn trees(params: &Params, settled: &Settled) -> [B256; 2] {
    let epoch = settled.global.epoch;
    let rows = row_tree(params, DEPTH, &settled.rows, &settled.inputs, |member| salt(&key(member), epoch));
    let inputs = inputs_tree(DEPTH, &settled.inputs, |member| input_blinder(&key(member), epoch));
    match (rows, inputs) {
        (Ok(rows), Ok(inputs)) => [rows.root(), inputs.root()],
        (rows, inputs) => panic!("{:?} {:?}", rows.err(), inputs.err()),
    }
}

#[divan::bench(args = MEMBERS, sample_count = 5, sample_size = 1)]
fn step_only(bencher: Bencher, members: u32) {
    let (params, global, rows, inputs) = cooperative(members);
    bencher.counter(ItemsCount::new(members)).bench_local(|| settle(&params, &global, black_box(&rows), &inputs));
}

#[divan::bench(args = MEMBERS, sample_count = 5, sample_size = 1)]
fn trees_only(bencher: Bencher, members: u32) {
    let (params, global, rows, inputs) = cooperative(members);
    let settled = settle(&params, &global, &rows, &inputs);
    bencher.counter(ItemsCount::new(members)).bench_local(|| trees(&params, black_box(&settled)));
}

/// What a steward does at the end of an epoch.
#[divan::bench(args = MEMBERS, sample_count = 5, sample_size = 1)]
fn settle_epoch(bencher: Bencher, members: u32) {
    let (params, global, rows, inputs) = cooperative(members);
    bencher.counter(ItemsCount::new(members)).bench_local(|| {
        let settled = settle(&params, &global, black_box(&rows), &inputs);
        trees(&params, &settled)
    });
}
