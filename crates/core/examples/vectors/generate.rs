//! The files of `vectors/`, in memory. `vectors/README.md` describes the layout.

use rochdale_core::draw::{Chance, DrawSalt};
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId, Purpose};
use rochdale_core::ledger::{
    Contribution, DEPTH, EpochInputs, Global, Grant, Inputs, LedgerError, Params, Revenue, Row, Score, Shared, Tree,
    Usage, amounts, empty_root, inputs_leaf, leaf, points, private_hash, private_words, settle_row, step, verify,
};

use rochdale_core::size::{Cell, published, scale};

use alloy_primitives::{B256, U256, keccak256};

use super::{contests, edges};

/// Contributions that a record has room for.
pub const SLOTS: usize = 4;
/// Columns of a row's record.
pub const STRIDE: usize = 72;
const ROWS: usize = 1_024;

/// What goes wrong while generating: a mistake in the generator.
pub type Failure = Box<dyn std::error::Error>;

/// One row's step.
#[derive(Clone)]
pub struct Case {
    /// Index into [`param_sets`].
    pub params: usize,
    pub member: MemberId,
    pub old: Row,
    pub shared: Shared,
    pub inputs: Inputs,
    pub blinder: B256,
    pub salt: B256,
}

/// SplitMix64: small, and the same for ever, which no crate promises.
pub struct Rng(u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// Of a random magnitude below 2^bits.
    fn wild(&mut self, bits: u64) -> u128 {
        let wide = (u128::from(self.next()) << 64) | u128::from(self.next());
        wide >> (128 - self.below(bits + 1)).min(127)
    }

    fn word(&mut self) -> B256 {
        keccak256(self.next().to_be_bytes())
    }
}

pub fn decimal(value: impl ToString) -> String {
    value.to_string()
}

pub fn hex(value: B256) -> String {
    format!("{value:#x}")
}

/// The parameter sets that the records name by index.
pub fn param_sets() -> Vec<Params> {
    let default = Params::default();
    let demo = Params { min_licenses: 1, min_datasets: 1, ..default.clone() };
    let cap = 5_000_000_000_000_000_000;
    vec![
        default.clone(),
        demo.clone(),
        Params { data_cap: cap, gov_cap: cap / 10, ..demo.clone() },
        Params { smoothing: 1, floor_bps: 0, mix_usage: 10_000, mix_data: 0, mix_early: 0, ..demo.clone() },
        Params { floor_bps: 10_000, immediate_bps: 0, early_cutoff: 3, ..demo.clone() },
        Params { cash_unit: 1, data_unit: 1, gov_unit: 7, immediate_bps: 10_000, vesting_epochs: 1, ..demo.clone() },
        Params { q_min: 0, bonus_per_step: u16::MAX, max_streak: u16::MAX, streak_window: 1, ..demo.clone() },
        Params {
            dust_data: 0,
            dust_gov: 0,
            vesting_epochs: 3,
            smoothing: 2,
            mix_usage: 1,
            mix_data: 9_998,
            mix_early: 1,
            ..demo
        },
    ]
}

/// All files, by name.
///
/// # Errors
/// Where a case that should settle does not, or one that should be refused is not.
pub fn all() -> Result<Vec<(&'static str, String)>, Failure> {
    let mut rng = Rng(2026);
    let params = param_sets();
    let rows = random_rows(&mut rng, &params)?;
    let (contest_names, contests) = contests::contests(&params)?;
    Ok(vec![
        ("params.json", params_file(&params)),
        ("points.json", points_file(&mut rng, &params)),
        ("rows.json", file(&[], &row_fields(), &records(&params, &rows)?)),
        ("edges.json", edges_file(&params)?),
        ("_bad_rows.json", bad_rows_file(&params)?),
        ("contests.json", file(&[("names", &contest_names)], &contests::contest_fields(), &contests)),
        ("tree.json", tree_file()?.0),
        ("_bad_proofs.json", tree_file()?.1),
        ("draw.json", draw_file()),
        ("sizes.json", sizes_file()),
    ])
}

/// A JSON file: fields and words, and `extra` lists beside them.
fn file(extra: &[(&str, &[String])], fields: &[String], records: &[Vec<String>]) -> String {
    let list = |items: &[String]| {
        let quoted: Vec<String> = items.iter().map(|item| format!("\"{item}\"")).collect();
        quoted.join(",")
    };
    let (stride, count) = (fields.len(), records.len());
    let mut out = format!("{{\n\"stride\": {stride},\n\"count\": {count},\n\"fields\": [{}],\n", list(fields));
    for (name, items) in extra {
        out.push_str(&format!("\"{name}\": [{}],\n", list(items)));
    }
    let lines: Vec<String> = records.iter().map(|record| list(record)).collect();
    out.push_str(&format!("\"words\": [\n{}\n]\n}}\n", lines.join(",\n")));
    out
}

/// Who is drawn for a license that pays for fewer members than there are.
fn draw_file() -> String {
    let fields = named(&["committeeKey", "license", "paid", "published", "everyone", "threshold", "member", "drawn"]);
    let key = keccak256("committee");
    let mut records = Vec::new();
    for (license, paid, size) in [(1u64, 25u64, 50u64), (2, 25, 50), (2, 1, 1_000), (3, 999, 1_000), (4, 1_000, 1_000)]
    {
        let (salt, chance) = (DrawSalt::new(&key.0, LicenseId(license)), Chance::new(paid, size));
        let (everyone, threshold) = match chance {
            Chance::Everyone => (1, U256::ZERO),
            Chance::Below(threshold) => (0, threshold),
        };
        for member in (1..=20).chain([u32::MAX]) {
            let drawn = u8::from(chance.draws(&salt, MemberId(member)));
            let start = [hex(key), decimal(license), decimal(paid), decimal(size), decimal(everyone)];
            records.push([&start[..], &[decimal(threshold), decimal(member), decimal(drawn)]].concat());
        }
    }
    file(&[], &fields, &records)
}

/// Published sizes over the members 1 to `members`.
fn sizes_file() -> String {
    let fields = named(&["committeeKey", "dataset", "purpose", "epoch", "cells", "members", "scale", "published"]);
    let key = keccak256("committee");
    let mut records = Vec::new();
    for (dataset, purpose, epoch, cells, count) in [
        (1u32, 6u16, 1u32, 1u32, 0u32),
        (1, 6, 2, 1, 60),
        (1, 6, 4, 5, 500),
        (1, 6, 4, 5, 501),
        (1, 42, 4, 5, 500),
        (7, 4, 13, 20, 4_000),
    ] {
        let cell = Cell { dataset: DatasetId(dataset), purpose: Purpose(purpose), epoch: Epoch(epoch) };
        let members: Vec<MemberId> = (1..=count).map(MemberId).collect();
        let of = [hex(key), decimal(dataset), decimal(purpose), decimal(epoch), decimal(cells), decimal(count)];
        let size = published(&key.0, &cell, cells, &members);
        records.push([&of[..], &[decimal(scale(cells)), decimal(size)]].concat());
    }
    file(&[], &fields, &records)
}

pub fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// A row's private words.
pub const ROW: [&str; 12] = [
    "cashEarned",
    "cashStreaming",
    "dataEarned",
    "govEarned",
    "dataLocked",
    "dataVesting",
    "govLocked",
    "govVesting",
    "usageWeight",
    "streak",
    "lastContribution",
    "joinEpoch",
];

/// The columns of a row's record.
pub fn row_fields() -> Vec<String> {
    let mut fields = named(&["params", "memberId"]);
    fields.extend(ROW.map(|field| format!("old.{field}")));
    fields.extend(named(&[
        "old.closed",
        "epoch",
        "sharers",
        "payout",
        "sumUsage",
        "sumData",
        "sumEarly",
        "sumDataAward",
        "sumGovAward",
        "active",
        "erased",
        "n",
        "k",
        "w",
        "programPoints",
        "contributions",
    ]));
    for slot in 0..SLOTS {
        fields.extend(["q", "u", "a", "r"].map(|field| format!("{field}[{slot}]")));
    }
    fields.extend(named(&["blinder", "salt"]));
    fields.extend(ROW.map(|field| format!("new.{field}")));
    fields.extend(named(&[
        "new.closed",
        "points",
        "cash",
        "dataAwarded",
        "govAwarded",
        "leaf.cash",
        "leaf.stream",
        "leaf.data",
        "leaf.gov",
        "private",
        "leaf",
        "inputsLeaf",
    ]));
    fields
}

/// The columns that are given.
fn given(case: &Case) -> Vec<String> {
    let (shared, inputs) = (&case.shared, &case.inputs);
    let mut record = vec![decimal(case.params), decimal(case.member)];
    record.extend(private_words(&case.old).map(decimal));
    record.extend([u8::from(case.old.closed).into(), shared.epoch.0, shared.sharers].map(|value: u32| decimal(value)));
    record.push(decimal(shared.payout));
    record.extend(
        [shared.sum_usage, shared.sum_data, shared.sum_early, shared.sum_data_award, shared.sum_gov_award].map(decimal),
    );
    record.extend([u64::from(inputs.active), u64::from(inputs.erased), inputs.n, inputs.k].map(decimal));
    record.extend([inputs.w, inputs.program_points, inputs.contributions.len() as u128].map(decimal));
    for slot in 0..SLOTS {
        let score = inputs.contributions.get(slot);
        record.extend(score.map_or([0; 4], |s| [s.quality, s.uniqueness, s.authenticity, s.rarity]).map(decimal));
    }
    record.extend([case.blinder, case.salt].map(hex));
    record
}

/// A whole record: the given columns, then what the ledger makes of them.
fn record(params: &[Params], case: &Case) -> Result<Vec<String>, LedgerError> {
    let params = &params[case.params];
    let settled = settle_row(params, &case.shared, case.member, &case.old, &case.inputs)?;
    let shown = amounts(params, case.member, &settled.row, case.inputs.active)?;
    let private = private_hash(&settled.row, case.salt);
    let mut record = given(case);
    record.extend(private_words(&settled.row).map(decimal));
    record.push(decimal(u8::from(settled.row.closed)));
    record.extend([settled.points, settled.cash, settled.data_awarded, settled.gov_awarded].map(decimal));
    record.extend([shown.cash, shown.stream, shown.data, shown.gov].map(decimal));
    let inputs = inputs_leaf(case.member, &case.inputs, case.blinder);
    record.extend([private, leaf(case.member, &shown, private), inputs].map(hex));
    Ok(record)
}

fn records(params: &[Params], cases: &[Case]) -> Result<Vec<Vec<String>>, Failure> {
    cases.iter().map(|case| record(params, case).map_err(Failure::from)).collect()
}

fn edges_file(params: &[Params]) -> Result<String, Failure> {
    let (names, cases): (Vec<String>, Vec<Case>) = edges::good()?.into_iter().unzip();
    Ok(file(&[("names", &names)], &row_fields(), &records(params, &cases)?))
}

fn bad_rows_file(params: &[Params]) -> Result<String, Failure> {
    let (mut names, mut reasons, mut words) = (Vec::new(), Vec::new(), Vec::new());
    for (name, case) in edges::bad() {
        let Err(error) = record(params, &case) else {
            return Err(format!("{name} should be refused").into());
        };
        let mut record = given(&case);
        record.resize(STRIDE, decimal(0));
        names.push(format!("_bad_{name}"));
        reasons.push(error.to_string());
        words.push(record);
    }
    Ok(file(&[("names", &names), ("reasons", &reasons)], &row_fields(), &words))
}

fn params_file(sets: &[Params]) -> String {
    let mut fields = named(&Params::NAMES);
    fields.push("paramsHash".into());
    let records: Vec<Vec<String>> = sets
        .iter()
        .map(|params| params.words().map(decimal).into_iter().chain([hex(params.hash())]).collect())
        .collect();
    file(&[], &fields, &records)
}

fn random_score(rng: &mut Rng) -> Score {
    let edge =
        |rng: &mut Rng| if rng.one_in(6) { [0, 10_000][rng.below(2) as usize] } else { rng.below(10_001) as u16 };
    Score {
        quality: edge(rng),
        uniqueness: if rng.one_in(2) { 10_000 } else { edge(rng) },
        authenticity: Score::AUTHENTICITY[rng.below(4) as usize],
        rarity: Score::RARITY[rng.below(4) as usize],
    }
}

fn points_file(rng: &mut Rng, sets: &[Params]) -> String {
    let fields = named(&["params", "quality", "uniqueness", "authenticity", "rarity", "streak", "points"]);
    let records: Vec<Vec<String>> = (0..256)
        .map(|_| {
            let index = rng.below(sets.len() as u64) as usize;
            let (score, params) = (random_score(rng), &sets[index]);
            let streak = 1 + rng.below(params.max_streak.into()) as u32;
            let mut record = vec![decimal(index)];
            record.extend([score.quality, score.uniqueness, score.authenticity, score.rarity].map(decimal));
            record.extend([decimal(streak), decimal(points(params, &score, streak))]);
            record
        })
        .collect();
    file(&[], &fields, &records)
}

/// Most rows come from cooperatives that live through random epochs; the last eighth has amounts of any magnitude.
fn random_rows(rng: &mut Rng, sets: &[Params]) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    let lived = ROWS / 8 * 7;
    for (index, params) in sets.iter().enumerate() {
        live(rng, index, params, lived * (index + 1) / sets.len(), &mut cases)?;
    }
    while cases.len() < ROWS {
        let case = wild_case(rng, sets.len());
        if record(sets, &case).is_ok() {
            cases.push(case);
        }
    }
    Ok(cases)
}

/// Settles random epochs until `cases` holds `until` rows.
fn live(rng: &mut Rng, index: usize, params: &Params, until: usize, cases: &mut Vec<Case>) -> Result<(), Failure> {
    let (mut global, mut rows): (Global, Vec<Row>) = (Global::default(), Vec::new());
    let mut living = vec![true; 4];
    while cases.len() < until {
        let epoch = Epoch(global.epoch.0 + 1);
        let inputs = random_epoch(rng, epoch, &mut living);
        let settled = step(params, epoch, &global, &rows, &inputs)?;
        for (at, one) in settled.inputs.iter().enumerate() {
            let old = rows.get(at).cloned().unwrap_or(Row::new(epoch));
            if cases.len() == until || (old.closed && !rng.one_in(8)) {
                continue; // a closed row is the same every epoch
            }
            cases.push(Case {
                params: index,
                member: MemberId(at as u32 + 1),
                old,
                shared: settled.shared,
                inputs: one.clone(),
                blinder: if one.active { rng.word() } else { B256::ZERO },
                salt: rng.word(),
            });
        }
        (global, rows) = (settled.global, settled.rows);
    }
    Ok(())
}

fn random_epoch(rng: &mut Rng, epoch: Epoch, living: &mut Vec<bool>) -> EpochInputs {
    let mut inputs = EpochInputs::default();
    if living.len() < 12 && rng.one_in(3) {
        living.push(true);
    }
    inputs.members = living.len() as u32;
    for (index, alive) in living.iter_mut().enumerate() {
        let member = MemberId(index as u32 + 1);
        if *alive && epoch.0 > 3 && rng.one_in(16) {
            *alive = false;
            if rng.one_in(2) {
                inputs.erased.push(member);
            }
        }
        if !*alive {
            continue;
        }
        inputs.active.push(member);
        for _ in 0..rng.below(SLOTS as u64 + 1) * rng.below(2) {
            let id = ContributionId(inputs.contributions.len() as u64 + 1);
            inputs.contributions.push(Contribution { member, id, score: random_score(rng) });
        }
        if rng.one_in(8) {
            inputs.grants.push(Grant { member, program: 1, points: rng.below(5_000) });
        }
        let n = rng.below(6);
        let k = rng.below(n + 1);
        inputs.usage.push((member, Usage { n, k, w: u128::from(k * rng.below(40_000)) }));
    }
    if rng.one_in(2) {
        let booking =
            (LicenseId(1 + rng.below(8)), DatasetId(1 + rng.below(4) as u32), u128::from(rng.below(90_000_000)));
        inputs.revenue = Revenue::of([booking]).unwrap_or_default();
    }
    inputs
}

/// A row with amounts of any magnitude, in an epoch whose sums contain its own weights.
fn wild_case(rng: &mut Rng, sets: usize) -> Case {
    let epoch = Epoch(1 + rng.below(1 << 20) as u32);
    let n = rng.below(1 << 40);
    let old = Row {
        cash_earned: rng.wild(126),
        cash_streaming: rng.wild(126),
        data_earned: rng.wild(126),
        gov_earned: rng.wild(126),
        data_locked: rng.wild(126),
        data_vesting: rng.wild(126),
        gov_locked: rng.wild(126),
        gov_vesting: rng.wild(126),
        usage_weight: rng.wild(126),
        streak: rng.below(20) as u32,
        last_contribution: rng.below(u64::from(epoch.0) + 1) as u32,
        join_epoch: rng.below(u64::from(epoch.0) + 1) as u32,
        closed: false,
    };
    let active = !rng.one_in(5);
    let contributions =
        if active { (0..rng.below(SLOTS as u64 + 1)).map(|_| random_score(rng)).collect() } else { Vec::new() };
    let (n, w) = if active { (n, rng.wild(120)) } else { (0, 0) };
    let inputs = Inputs {
        contributions,
        program_points: if active { rng.wild(60) } else { 0 },
        n,
        k: rng.below(n + 1),
        w,
        active,
        erased: !active && rng.one_in(2),
    };
    let mut others = || U256::from(rng.wild(127));
    let shared = Shared {
        epoch,
        sum_usage: U256::from(old.usage_weight) + U256::from(w) + others(),
        sum_data: U256::from(old.data_earned) + others(),
        sum_early: U256::from(old.early(&Params::default())) + others(),
        sum_data_award: others(),
        sum_gov_award: others(),
        sharers: 1 + rng.below(u32::MAX.into()) as u32,
        payout: rng.wild(126),
    };
    let blinder = if active { rng.word() } else { B256::ZERO };
    Case {
        params: rng.below(sets as u64) as usize,
        member: MemberId(1 + rng.below(1 << 20) as u32),
        old,
        shared,
        inputs,
        blinder,
        salt: rng.word(),
    }
}

/// A small tree with proofs, and proofs that must fail.
fn tree_file() -> Result<(String, String), Failure> {
    let leaves: Vec<B256> = (1..=11u64).map(|id| keccak256(id.to_be_bytes())).collect();
    let tree = Tree::new(DEPTH, &leaves)?;
    let ids = [1, 2, 3, 8, 10, 11, 12, 16, (1 << DEPTH) - 1];
    let line = |id: u64, leaf: B256, proof: &[B256]| {
        let mut record = vec![decimal(id), hex(leaf)];
        record.extend(proof.iter().copied().map(hex));
        record
    };
    let mut proofs = Vec::new();
    for id in ids {
        let member = MemberId(id);
        let proof = tree.proof(member).ok_or("an id beyond the tree")?;
        proofs.push(line(id.into(), tree.leaf(member), &proof));
    }
    let mut fields = named(&["id", "leaf"]);
    fields.extend((0..DEPTH).map(|height| format!("sibling[{height}]")));

    let words: Vec<String> = proofs.iter().flatten().map(|word| format!("\"{word}\"")).collect();
    let good = format!(
        "{{\n\"depth\": {DEPTH},\n\"root\": \"{:#x}\",\n\"emptyRoot\": \"{:#x}\",\n\"leaves\": [\n{}\n],\n\"proofs\": [\n{}\n]\n}}\n",
        tree.root(),
        empty_root(DEPTH),
        leaves
            .iter()
            .enumerate()
            .map(|(index, leaf)| format!("\"{}\",\"{leaf:#x}\"", index + 1))
            .collect::<Vec<_>>()
            .join(",\n"),
        words.chunks(fields.len()).map(|line| line.join(",")).collect::<Vec<_>>().join(",\n"),
    );

    let one = tree.proof(MemberId(1)).ok_or("no proof")?;
    let mut flipped = one.clone();
    flipped[DEPTH as usize - 1] ^= B256::with_last_byte(1);
    let mut swapped = one.clone();
    swapped.swap(0, 1);
    let two = tree.proof(MemberId(2)).ok_or("no proof")?;
    let bad: [(&str, u64, B256, &[B256]); 6] = [
        ("another_leaf", 1, leaves[1], &one),
        ("another_id", 3, leaves[0], &one),
        ("another_proof", 1, leaves[0], &two),
        ("flipped_bit", 1, leaves[0], &flipped),
        ("siblings_swapped", 1, leaves[0], &swapped),
        ("id_beyond_the_depth", 1 + (1 << DEPTH), leaves[0], &one),
    ];
    for (name, id, leaf, proof) in bad {
        if verify(tree.root(), DEPTH, MemberId(id as u32), leaf, proof) {
            return Err(format!("{name} verifies").into());
        }
    }
    let names: Vec<String> = bad.iter().map(|(name, ..)| format!("_bad_{name}")).collect();
    let records: Vec<Vec<String>> = bad.iter().map(|(_, id, leaf, proof)| line(*id, *leaf, proof)).collect();
    Ok((good, file(&[("names", &names)], &fields, &records)))
}
