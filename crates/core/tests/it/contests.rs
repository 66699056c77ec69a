//! `vectors/contests.json`, which `ContestVerifier` reads too: read back, not generated, so that what the file says is what
//! is judged.

use alloy_primitives::{B256, U256};
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{
    Amounts, Header, Inputs, NO_ROW_KEY, NewLeaf, OldRow, OpenedInputs, Params, Row, Score, Unopened, is_wrong,
    row_secret, salt, settle_row,
};
use serde_json::Value;

const FILE: &str = include_str!("../../../../vectors/contests.json");
const PATH: usize = 4;

/// The words of a record, read from the left.
struct Words<'a>(std::slice::Iter<'a, Value>);

impl Words<'_> {
    fn text(&mut self) -> &str {
        self.0.next().unwrap().as_str().unwrap()
    }

    fn wide(&mut self) -> U256 {
        self.text().parse().unwrap()
    }

    fn number<T: TryFrom<U256, Error: std::fmt::Debug>>(&mut self) -> T {
        self.wide().try_into().unwrap()
    }

    fn hash(&mut self) -> B256 {
        self.text().parse().unwrap()
    }

    fn hashes<const N: usize>(&mut self) -> [B256; N] {
        std::array::from_fn(|_| self.hash())
    }

    fn flag(&mut self) -> bool {
        self.number::<u8>() == 1
    }

    fn amounts(&mut self) -> Amounts {
        Amounts { cash: self.number(), stream: self.number(), data: self.number(), gov: self.number() }
    }

    fn header(&mut self) -> Header {
        Header {
            epoch: Epoch(self.number()),
            attempt: self.number(),
            previous_root: self.hash(),
            root: self.hash(),
            params_hash: self.hash(),
            inputs_root: self.hash(),
            sheet_digest: self.hash(),
            sharers: self.number(),
            payout: self.number(),
            sum_usage: self.wide(),
            sum_data: self.wide(),
            sum_early: self.wide(),
            sum_data_award: self.wide(),
            sum_gov_award: self.wide(),
            cash_allocated: self.number(),
            data_awarded: self.number(),
            data_earned: self.number(),
            gov_awarded: self.number(),
            gov_earned: self.number(),
        }
    }

    fn row(&mut self, closed: bool) -> Row {
        Row {
            cash_earned: self.number(),
            cash_streaming: self.number(),
            data_earned: self.number(),
            gov_earned: self.number(),
            data_locked: self.number(),
            data_vesting: self.number(),
            gov_locked: self.number(),
            gov_vesting: self.number(),
            usage_weight: self.number(),
            streak: self.number(),
            last_contribution: self.number(),
            join_epoch: self.number(),
            closed,
        }
    }

    fn inputs(&mut self) -> Inputs {
        let (active, erased, n, k) = (self.flag(), self.flag(), self.number(), self.number());
        let (w, program_points, count) = (self.number(), self.number(), self.number::<usize>());
        let scores: [Score; 4] = std::array::from_fn(|_| Score {
            quality: self.number(),
            uniqueness: self.number(),
            authenticity: self.number(),
            rarity: self.number(),
        });
        Inputs { contributions: scores[..count].to_vec(), program_points, n, k, w, active, erased }
    }
}

/// Judges a record. Gives the verdict's column and whether the row was salted as the record says.
fn check(name: &str, record: &[Value]) -> u8 {
    let mut words = Words(record.iter());
    assert_eq!(words.number::<u8>(), 1, "{name}: the demo's parameters");
    let params = Params { min_licenses: 1, min_datasets: 1, ..Params::default() };
    let (member, _digest, key) = (MemberId(words.number()), words.hash(), words.hash().0);
    let (first, closed) = (words.flag(), words.flag());
    let header = words.header();
    let shown = words.amounts();
    let row = words.row(closed);
    let row = (!first).then_some(row);
    let (inputs, blinder) = (words.inputs(), words.hash());
    let (leaf, private_hash) = (words.amounts(), words.hash());
    let [old, given, new] = std::array::from_fn(|_| words.hashes::<PATH>().to_vec());
    assert_eq!(words.hash(), salt(&key, header.epoch), "{name}: the salt");
    assert_eq!(words.hash(), salt(&NO_ROW_KEY, header.epoch), "{name}: the salt of zeros");

    let before = row.clone().unwrap_or_else(|| Row::new(header.epoch));
    let secret = settle_row(&params, &header.shared(), member, &before, &inputs)
        .ok()
        .and_then(|settled| row_secret(&settled.row, header.epoch, private_hash, Some(&key)));
    let secret = secret.map_or(0, |secret| if secret == NO_ROW_KEY { 2 } else { 1 });
    assert_eq!(words.number::<u8>(), secret, "{name}: whose key salts the row");

    let old = OldRow { row, shown, proof: old };
    let inputs = OpenedInputs { inputs, blinder, proof: given };
    let new = NewLeaf { shown: leaf, private_hash, proof: new };
    let found = match is_wrong(&header, &params, PATH as u8, member, &key, (&old, &inputs, &new)) {
        Ok(false) => 0,
        Ok(true) => 1,
        Err(Unopened::Params) => 2,
        Err(Unopened::OldRow) => 3,
        Err(Unopened::Inputs) => 4,
        Err(Unopened::NewLeaf) => 5,
        Err(Unopened::NoWayOn) => 6,
    };
    assert_eq!(words.number::<u8>(), found, "{name}: the verdict");
    assert!(words.0.next().is_none(), "{name}: nothing follows");
    found
}

#[test]
fn every_contest_of_the_vectors_is_judged_as_the_file_says() {
    let file: Value = serde_json::from_str(FILE).unwrap();
    let stride = usize::try_from(file["stride"].as_u64().unwrap()).unwrap();
    let (names, words) = (file["names"].as_array().unwrap(), file["words"].as_array().unwrap());
    let mut seen = [0; 7];
    for (name, record) in names.iter().zip(words.chunks(stride)) {
        let name = name.as_str().unwrap();
        let verdict = check(name, record);
        let said = ["right", "wrong", "refused"][usize::from(verdict.min(2))];
        assert!(name.starts_with(said), "{name}");
        seen[usize::from(verdict)] += 1;
    }
    assert_eq!(names.len() * stride, words.len());
    assert!(seen.iter().all(|count| *count > 0) && seen[0] >= 8 && seen[1] >= 40, "{seen:?}");
}
