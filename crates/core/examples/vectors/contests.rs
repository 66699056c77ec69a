//! Contests: what a member opens of its row, and what Rust (`is_wrong`) and Solidity (`ContestVerifier`) must make of it.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, U256, keccak256};
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId};
use rochdale_core::ledger::{
    Amounts, Books, Contribution, EpochInputs, Header, NO_ROW_KEY, NewLeaf, OldRow, OpenedInputs, Params, Revenue,
    Round, Row, Score, SettledInputs, Unopened, Usage, amounts, input_blinder, inputs_leaf, is_wrong, leaf, node,
    private_hash, private_words, row_secret, salt, settle_row,
};

use super::edges::DEMO;
use super::generate::{Failure, ROW, SLOTS, decimal, hex, named};

/// Depth of the trees.
pub const CONTEST_DEPTH: u8 = 4;

const ADA: MemberId = MemberId(1);
/// Has no row key.
const BEN: MemberId = MemberId(2);
/// Erases everything in epoch 2.
const CYN: MemberId = MemberId(3);
/// Joins in epoch 3.
const DAN: MemberId = MemberId(4);

/// What must come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Right,
    Wrong,
    Refused(Unopened),
}

impl Verdict {
    /// Its column.
    pub const fn code(self) -> u8 {
        match self {
            Self::Right => 0,
            Self::Wrong => 1,
            Self::Refused(Unopened::Params) => 2,
            Self::Refused(Unopened::OldRow) => 3,
            Self::Refused(Unopened::Inputs) => 4,
            Self::Refused(Unopened::NewLeaf) => 5,
            Self::Refused(Unopened::NoWayOn) => 6,
        }
    }
}

/// A member's opening.
#[derive(Clone)]
pub struct Opening {
    pub member: MemberId,
    /// As Membership keeps it; zero where there is no key.
    pub row_key_digest: B256,
    pub row_key: [u8; 32],
    pub header: Header,
    pub old: OldRow,
    pub inputs: OpenedInputs,
    pub new: NewLeaf,
}

impl Opening {
    /// What the ledger makes of it.
    pub fn judge(&self, params: &Params) -> Verdict {
        let parts = (&self.old, &self.inputs, &self.new);
        match is_wrong(&self.header, params, CONTEST_DEPTH, self.member, &self.row_key, parts) {
            Ok(false) => Verdict::Right,
            Ok(true) => Verdict::Wrong,
            Err(reason) => Verdict::Refused(reason),
        }
    }

    /// Which key salts the leaf as the row that the formula gives: 1 the member's, 2 zeros, 0 neither.
    pub fn secret(&self, params: &Params) -> u8 {
        let before = self.old.row.clone().unwrap_or_else(|| Row::new(self.header.epoch));
        let settled = settle_row(params, &self.header.shared(), self.member, &before, &self.inputs.inputs);
        let Ok(settled) = settled else { return 0 };
        match row_secret(&settled.row, self.header.epoch, self.new.private_hash, Some(&self.row_key)) {
            None => 0,
            Some(NO_ROW_KEY) => 2,
            Some(_) => 1,
        }
    }

    /// Commits the header to the three leaves as they are now.
    fn plant(&mut self) {
        let last = Epoch(self.header.epoch.0 - 1);
        let old =
            self.old.row.as_ref().map_or(B256::ZERO, |row| {
                leaf(self.member, &self.old.shown, private_hash(row, salt(&self.row_key, last)))
            });
        self.header.previous_root = root_of(self.member, old, &self.old.proof);
        let inputs = inputs_leaf(self.member, &self.inputs.inputs, self.inputs.blinder);
        self.header.inputs_root = root_of(self.member, inputs, &self.inputs.proof);
        self.plant_new();
    }

    fn plant_new(&mut self) {
        let new = leaf(self.member, &self.new.shown, self.new.private_hash);
        self.header.root = root_of(self.member, new, &self.new.proof);
    }
}

fn root_of(member: MemberId, leaf: B256, proof: &[B256]) -> B256 {
    proof.iter().enumerate().fold(leaf, |below, (height, sibling)| {
        if (member.0 >> height) & 1 == 0 { node(below, *sibling) } else { node(*sibling, below) }
    })
}

/// The row key of a member, where there is one.
fn row_key(member: MemberId) -> B256 {
    if member == BEN { B256::ZERO } else { keccak256(format!("row key of {member}")) }
}

/// Three epochs: everybody contributes, Cyn has everything erased, Dan joins.
fn epochs() -> Result<[EpochInputs; 3], Failure> {
    let of = |member, id, quality| {
        let score = Score { quality, uniqueness: 10_000, authenticity: 10_000, rarity: 12_500 };
        Contribution { member, id: ContributionId(id), score }
    };
    let used = |n, k, w| Usage { n, k, w };
    Ok([
        EpochInputs {
            members: 3,
            active: vec![ADA, BEN, CYN],
            contributions: vec![of(ADA, 1, 8_000), of(BEN, 2, 7_000), of(CYN, 3, 6_000)],
            usage: vec![(ADA, used(1, 1, 10_000)), (BEN, used(1, 0, 0)), (CYN, used(1, 1, 5_000))],
            revenue: Revenue::of([(LicenseId(1), DatasetId(1), 75_000_000)])?,
            ..EpochInputs::default()
        },
        EpochInputs {
            members: 3,
            active: vec![ADA, BEN],
            contributions: vec![of(ADA, 4, 9_000)],
            usage: vec![(ADA, used(2, 1, 12_000)), (BEN, used(1, 1, 9_000))],
            revenue: Revenue::of([(LicenseId(1), DatasetId(1), 50_000_000)])?,
            erased: vec![CYN],
            ..EpochInputs::default()
        },
        EpochInputs {
            members: 4,
            active: vec![ADA, BEN, DAN],
            contributions: vec![of(ADA, 5, 7_500), of(BEN, 6, 6_500), of(DAN, 7, 9_500)],
            usage: vec![(ADA, used(3, 2, 22_000)), (BEN, used(2, 1, 9_000)), (DAN, used(1, 1, 8_000))],
            revenue: Revenue::of([(LicenseId(2), DatasetId(1), 60_000_000)])?,
            ..EpochInputs::default()
        },
    ])
}

/// The rounds, in which those whose key no signer held are salted by zeros.
fn rounds(params: &Params, unkeyed: [&[MemberId]; 3]) -> Result<Vec<Round>, Failure> {
    let mut books = Books::new(CONTEST_DEPTH);
    let mut rounds = Vec::new();
    for (inputs, unkeyed) in epochs()?.into_iter().zip(unkeyed) {
        let settled = SettledInputs {
            params: params.clone(),
            inputs,
            attempt: 0,
            sheet: keccak256("a sheet"),
            root: B256::ZERO,
            unkeyed: BTreeSet::from_iter(unkeyed.iter().copied()),
            stand_ins: BTreeMap::new(),
            sums: None,
        };
        let round = books.settle(&settled, |member| Some(row_key(member).0))?;
        books.close(&round);
        rounds.push(round);
    }
    Ok(rounds)
}

/// What a member opens of its row in the last of `rounds`, which `key` salts.
fn opening(params: &Params, rounds: &[Round], member: MemberId, key: B256) -> Result<Opening, Failure> {
    let (index, now) = (member.0 as usize - 1, rounds.last().ok_or("no round")?);
    let before = rounds.get(rounds.len().wrapping_sub(2)).ok_or("no round before")?;
    let shown = |round: &Round| -> Result<Amounts, Failure> {
        Ok(amounts(params, member, &round.settled.rows[index], round.settled.inputs[index].active)?)
    };
    let had = before.settled.rows.get(index);
    let epoch = now.header.epoch;
    let (row, inputs) = (&now.settled.rows[index], now.settled.inputs[index].clone());
    Ok(Opening {
        member,
        row_key_digest: if row_key(member).is_zero() { B256::ZERO } else { keccak256(row_key(member)) },
        row_key: row_key(member).0,
        header: now.header.clone(),
        old: OldRow {
            row: had.cloned(),
            shown: if had.is_some() { shown(before)? } else { Amounts::default() },
            proof: before.tree.proof(member).ok_or("no proof")?,
        },
        inputs: OpenedInputs {
            blinder: if inputs.active { input_blinder(&key.0, epoch) } else { B256::ZERO },
            inputs,
            proof: now.inputs.proof(member).ok_or("no proof")?,
        },
        new: NewLeaf {
            shown: shown(now)?,
            private_hash: private_hash(row, salt(&key.0, epoch)),
            proof: now.tree.proof(member).ok_or("no proof")?,
        },
    })
}

type Cases = Vec<(String, Opening, Verdict)>;

fn add(cases: &mut Cases, name: impl Into<String>, verdict: Verdict, of: &Opening, change: impl FnOnce(&mut Opening)) {
    let mut changed = of.clone();
    change(&mut changed);
    cases.push((name.into(), changed, verdict));
}

/// All cases: name, opening, what must come out.
pub fn cases(params: &Params) -> Result<Cases, Failure> {
    let mut cases = Vec::new();
    let keyed = rounds(params, [&[], &[], &[]])?;
    let ada = opening(params, &keyed, ADA, row_key(ADA))?;
    let row = keyed[2].settled.rows[0].clone();
    salts(params, &ada, &row, &mut cases)?;
    amounts_by_one(&ada, &row, row_key(ADA), "", &mut cases);
    headers(&ada, &mut cases);
    refused(&ada, &mut cases);
    members(params, &keyed, &mut cases)?;
    Ok(cases)
}

/// The same row, right under either salt and under no third.
fn salts(params: &Params, ada: &Opening, row: &Row, cases: &mut Cases) -> Result<(), Failure> {
    add(cases, "right_under_the_key", Verdict::Right, ada, |_| {});
    for (name, unkeyed, key) in [
        ("right_under_zeros", [&[][..], &[], &[ADA]], B256::ZERO),
        ("right_after_zeros", [&[], &[ADA], &[]], row_key(ADA)),
        ("right_under_zeros_after_zeros", [&[], &[ADA], &[ADA]], B256::ZERO),
    ] {
        let rounds = rounds(params, unkeyed)?;
        add(cases, name, Verdict::Right, &opening(params, &rounds, ADA, key)?, |_| {});
    }
    let epoch = ada.header.epoch;
    for (name, salt) in [
        ("wrong_salt_of_another_key", salt(&keccak256("a third key").0, epoch)),
        ("wrong_salt_of_another_epoch", salt(&row_key(ADA).0, Epoch(epoch.0 - 1))),
        ("wrong_salt_of_nothing", B256::ZERO),
    ] {
        add(cases, name, Verdict::Wrong, ada, |o| {
            o.new.private_hash = private_hash(row, salt);
            o.plant_new();
        });
    }
    let zeros = opening(params, &rounds(params, [&[], &[], &[ADA]])?, ADA, B256::ZERO)?;
    amounts_by_one(&zeros, row, B256::ZERO, "_under_zeros", cases);
    Ok(())
}

/// Each field of the row, and each amount that the leaf shows, one too high.
fn amounts_by_one(of: &Opening, row: &Row, key: B256, under: &str, cases: &mut Cases) {
    for (place, field) in ROW.into_iter().enumerate() {
        add(cases, format!("wrong_by_1_{field}{under}"), Verdict::Wrong, of, |o| {
            let mut row = row.clone();
            raise(&mut row, place);
            o.new.private_hash = private_hash(&row, salt(&key.0, o.header.epoch));
            o.plant_new();
        });
    }
    for (place, field) in ["cash", "stream", "data", "gov"].into_iter().enumerate() {
        add(cases, format!("wrong_by_1_leaf_{field}{under}"), Verdict::Wrong, of, |o| {
            let shown = &mut o.new.shown;
            let amounts = [&mut shown.cash, &mut shown.stream, &mut shown.data, &mut shown.gov];
            for (at, amount) in amounts.into_iter().enumerate() {
                *amount += u128::from(at == place);
            }
            o.plant_new();
        });
    }
}

fn raise(row: &mut Row, place: usize) {
    match place {
        0 => row.cash_earned += 1,
        1 => row.cash_streaming += 1,
        2 => row.data_earned += 1,
        3 => row.gov_earned += 1,
        4 => row.data_locked += 1,
        5 => row.data_vesting += 1,
        6 => row.gov_locked += 1,
        7 => row.gov_vesting += 1,
        8 => row.usage_weight += 1,
        9 => row.streak += 1,
        10 => row.last_contribution += 1,
        _ => row.join_epoch += 1,
    }
}

/// An honest row under a header that says something else of everybody.
fn headers(ada: &Opening, cases: &mut Cases) {
    let garbage = U256::from(u128::MAX - 1);
    add(cases, "wrong_header_sharers", Verdict::Wrong, ada, |o| o.header.sharers = u32::MAX - 1);
    add(cases, "wrong_header_payout", Verdict::Wrong, ada, |o| o.header.payout = u128::MAX - 1);
    add(cases, "wrong_header_sumUsage", Verdict::Wrong, ada, |o| o.header.sum_usage = garbage);
    add(cases, "wrong_header_sumData", Verdict::Wrong, ada, |o| o.header.sum_data = garbage);
    add(cases, "wrong_header_sumEarly", Verdict::Wrong, ada, |o| o.header.sum_early = garbage);
    add(cases, "wrong_header_sumDataAward", Verdict::Wrong, ada, |o| o.header.sum_data_award = garbage);
    add(cases, "wrong_header_sumGovAward", Verdict::Wrong, ada, |o| o.header.sum_gov_award = garbage);
    add(cases, "wrong_inputs_that_the_formula_refuses", Verdict::Wrong, ada, |o| {
        o.inputs.inputs.k = o.inputs.inputs.n + 1;
        o.plant();
    });
    add(cases, "wrong_inputs_of_a_contribution_less", Verdict::Wrong, ada, |o| {
        o.inputs.inputs.contributions.clear();
        o.plant();
    });
}

/// What opens nothing that the header commits to.
fn refused(ada: &Opening, cases: &mut Cases) {
    let of = Verdict::Refused;
    add(cases, "refused_other_params", of(Unopened::Params), ada, |o| o.header.params_hash = keccak256("others"));
    add(cases, "refused_old_row_by_1", of(Unopened::OldRow), ada, |o| {
        if let Some(row) = &mut o.old.row {
            row.data_locked += 1;
        }
    });
    add(cases, "refused_old_leaf_by_1", of(Unopened::OldRow), ada, |o| o.old.shown.data += 1);
    add(cases, "refused_without_a_past", of(Unopened::OldRow), ada, |o| o.old.row = None);
    add(cases, "refused_other_blinder", of(Unopened::Inputs), ada, |o| o.inputs.blinder = keccak256("another"));
    add(cases, "refused_other_inputs", of(Unopened::Inputs), ada, |o| o.inputs.inputs.w += 1);
    add(cases, "refused_other_leaf", of(Unopened::NewLeaf), ada, |o| o.new.shown.data += 1);
    add(cases, "refused_other_path", of(Unopened::NewLeaf), ada, |o| o.new.proof[0] = keccak256("another"));
    add(cases, "refused_old_row_of_this_epoch", of(Unopened::NoWayOn), ada, |o| {
        if let Some(row) = &mut o.old.row {
            row.last_contribution = o.header.epoch.0;
        }
        o.plant();
    });
    add(cases, "refused_old_row_beyond_126_bits", of(Unopened::NoWayOn), ada, |o| {
        if let Some(row) = &mut o.old.row {
            row.usage_weight = 1 << 126;
        }
        o.plant();
    });
}

/// Members without a key, with an erased or a closed row, and with a first one.
fn members(params: &Params, keyed: &[Round], cases: &mut Cases) -> Result<(), Failure> {
    let ben = opening(params, keyed, BEN, B256::ZERO)?;
    let row = keyed[2].settled.rows[1].clone();
    add(cases, "right_without_a_key", Verdict::Right, &ben, |_| {});
    add(cases, "wrong_without_a_key_by_1", Verdict::Wrong, &ben, |o| {
        o.new.private_hash =
            private_hash(&Row { gov_earned: row.gov_earned + 1, ..row.clone() }, salt(&NO_ROW_KEY, Epoch(3)));
        o.plant_new();
    });
    add(cases, "wrong_without_a_key_by_a_key_nobody_named", Verdict::Wrong, &ben, |o| {
        o.new.private_hash = private_hash(&row, salt(&keccak256("a key nobody named").0, Epoch(3)));
        o.plant_new();
    });

    let erased = opening(params, &keyed[..2], CYN, row_key(CYN))?;
    let open = Row { closed: false, ..keyed[1].settled.rows[2].clone() };
    add(cases, "right_erased", Verdict::Right, &erased, |_| {});
    add(cases, "wrong_erased_and_kept_open", Verdict::Wrong, &erased, |o| {
        o.new.private_hash = private_hash(&open, salt(&o.row_key, Epoch(2)));
        o.plant_new();
    });
    add(cases, "wrong_erased_by_1", Verdict::Wrong, &erased, |o| {
        o.new.shown.data += 1;
        o.plant_new();
    });
    // Who erased everything has destroyed the key.
    let mut closed = opening(params, keyed, CYN, B256::ZERO)?;
    closed.row_key = NO_ROW_KEY;
    add(cases, "right_closed_without_the_key", Verdict::Right, &closed, |_| {});
    add(cases, "wrong_closed_by_1", Verdict::Wrong, &closed, |o| {
        o.new.shown.cash += 1;
        o.plant_new();
    });

    let first = opening(params, keyed, DAN, row_key(DAN))?;
    add(cases, "right_first", Verdict::Right, &first, |_| {});
    add(cases, "wrong_first_by_1", Verdict::Wrong, &first, |o| {
        o.new.shown.gov += 1;
        o.plant_new();
    });
    let unkeyed = opening(params, &rounds(params, [&[], &[], &[DAN]])?, DAN, B256::ZERO)?;
    add(cases, "right_first_under_zeros", Verdict::Right, &unkeyed, |_| {});
    Ok(())
}

/// The columns of a contest.
pub fn contest_fields() -> Vec<String> {
    let mut fields = named(&["params", "memberId", "rowKeyDigest", "rowKey", "first", "closed"]);
    fields.extend(named(&[
        "epoch",
        "attempt",
        "previousRoot",
        "root",
        "paramsHash",
        "inputsRoot",
        "sheetDigest",
        "sharers",
        "payout",
        "sumUsage",
        "sumData",
        "sumEarly",
        "sumDataAward",
        "sumGovAward",
        "cashAllocated",
        "dataAwarded",
        "dataEarned",
        "govAwarded",
        "govEarned",
    ]));
    fields.extend(["cash", "stream", "data", "gov"].map(|amount| format!("shown.{amount}")));
    fields.extend(ROW.map(|field| format!("old.{field}")));
    fields.extend(named(&["active", "erased", "n", "k", "w", "programPoints", "contributions"]));
    for slot in 0..SLOTS {
        fields.extend(["q", "u", "a", "r"].map(|field| format!("{field}[{slot}]")));
    }
    fields.push("blinder".into());
    fields.extend(["cash", "stream", "data", "gov", "private"].map(|part| format!("leaf.{part}")));
    for tree in ["old", "inputs", "new"] {
        fields.extend((0..CONTEST_DEPTH).map(|height| format!("{tree}.sibling[{height}]")));
    }
    fields.extend(named(&["salt", "zeroSalt", "secret", "verdict"]));
    fields
}

fn record(params: &Params, o: &Opening) -> Vec<String> {
    let (h, closed) = (&o.header, o.old.row.as_ref().is_some_and(|row| row.closed));
    let mut record = vec![decimal(DEMO), decimal(o.member), hex(o.row_key_digest), hex(B256::new(o.row_key))];
    record.extend([o.old.row.is_none(), closed].map(|flag| decimal(u8::from(flag))));
    record.extend([h.epoch.0, h.attempt].map(decimal));
    record.extend([h.previous_root, h.root, h.params_hash, h.inputs_root, h.sheet_digest].map(hex));
    record.extend([decimal(h.sharers), decimal(h.payout)]);
    record.extend([h.sum_usage, h.sum_data, h.sum_early, h.sum_data_award, h.sum_gov_award].map(decimal));
    record.extend([h.cash_allocated, h.data_awarded, h.data_earned, h.gov_awarded, h.gov_earned].map(decimal));
    let shown = |a: &Amounts| [a.cash, a.stream, a.data, a.gov].map(decimal);
    record.extend(shown(&o.old.shown));
    record.extend(private_words(&o.old.row.clone().unwrap_or_default()).map(decimal));
    let inputs = &o.inputs.inputs;
    record.extend([u64::from(inputs.active), u64::from(inputs.erased), inputs.n, inputs.k].map(decimal));
    record.extend([inputs.w, inputs.program_points, inputs.contributions.len() as u128].map(decimal));
    for slot in 0..SLOTS {
        let score = inputs.contributions.get(slot);
        record.extend(score.map_or([0; 4], |s| [s.quality, s.uniqueness, s.authenticity, s.rarity]).map(decimal));
    }
    record.push(hex(o.inputs.blinder));
    record.extend(shown(&o.new.shown));
    record.push(hex(o.new.private_hash));
    record.extend([&o.old.proof, &o.inputs.proof, &o.new.proof].into_iter().flatten().copied().map(hex));
    record.extend([salt(&o.row_key, h.epoch), salt(&NO_ROW_KEY, h.epoch)].map(hex));
    record.extend([o.secret(params), o.judge(params).code()].map(decimal));
    record
}

/// The file's names and records.
///
/// # Errors
/// Where a case comes out otherwise than its name says.
pub fn contests(params: &[Params]) -> Result<(Vec<String>, Vec<Vec<String>>), Failure> {
    let params = &params[DEMO];
    let (mut names, mut records) = (Vec::new(), Vec::new());
    for (name, opening, expected) in cases(params)? {
        let found = opening.judge(params);
        if found != expected {
            return Err(format!("{name}: {found:?}, not {expected:?}").into());
        }
        records.push(record(params, &opening));
        names.push(name);
    }
    Ok((names, records))
}
