//! The project's vectors, replayed by whatever this crate was compiled to: `vectors/README.md` describes the files.
//!
//! `founding.json` is no file of this crate's: what a founder configures is checked by `chain` and by the contracts.

mod envelopes;
mod words;

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use rochdale_core::consent::EhdsCategory;
use rochdale_core::draw::{Chance, DrawSalt};
use rochdale_core::ids::{DatasetId, Epoch, LicenseId, MemberId, Purpose};
use rochdale_core::ledger::{
    Inputs, NO_ROW_KEY, NewLeaf, OldRow, OpenedInputs, Params, Row, SettledRow, Shared, Unopened, amounts, empty_root,
    inputs_leaf, is_wrong, leaf, points, private_hash, private_words, row_secret, salt, settle_row, verify,
};
use rochdale_core::order::{MAX_LIFETIME, QUERY_RIGHT};
use rochdale_core::size::{Cell, published, scale};
use serde_json::{Map, Value};
use words::{Table, Words};

/// Length of the paths in `contests.json`.
const PATH: usize = 4;

/// Why vectors do not hold here: file, case and what differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub String);

type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    fn within(self, what: &str) -> Self {
        Self(format!("{what}: {}", self.0))
    }
}

fn same<T: PartialEq + std::fmt::Display>(what: &str, found: T, said: T) -> Result<()> {
    if found == said { Ok(()) } else { Err(Fault(format!("{what} is {found}, and {said} by the file"))) }
}

/// Replays files, given as texts by name, and counts their cases.
///
/// # Errors
/// With the first case that comes out otherwise than its file says, or a file that nothing here replays.
pub fn replay(files: &Map<String, Value>) -> Result<BTreeMap<String, usize>> {
    let sets = Table::of(&parsed(files, "params.json")?)?.each(|_, words| params(words))?;
    let mut counts = BTreeMap::new();
    for name in files.keys() {
        let file = parsed(files, name)?;
        let each = |case: &dyn Fn(&str, &mut Words) -> Result<()>| -> Result<usize> {
            Ok(Table::of(&file)?.each(|name, words| case(name, words))?.len())
        };
        let count = match name.as_str() {
            "params.json" => Ok(sets.len()),
            "points.json" => each(&|_, words| counted(&sets, words)),
            "rows.json" | "edges.json" => each(&|_, words| row(&sets, words)),
            "_bad_rows.json" => each(&|_, words| refused_row(&sets, words)),
            "contests.json" => each(&|name, words| contest(name, words)),
            "tree.json" => tree(&file),
            "_bad_proofs.json" => {
                let root = root_of(&parsed(files, "tree.json")?)?;
                each(&|_, words| proof(root, words, false))
            }
            "draw.json" => each(&|_, words| drawn(words)),
            "sizes.json" => each(&|_, words| size(words)),
            "bounds.json" => bounds(&file),
            "envelope.json" => envelopes::envelopes(&file),
            "hpke.json" => envelopes::hpke(&file),
            _ => Err(Fault::new("nothing here replays it")),
        };
        counts.insert(name.clone(), count.map_err(|fault| fault.within(name))?);
    }
    Ok(counts)
}

fn parsed(files: &Map<String, Value>, name: &str) -> Result<Value> {
    let text = files.get(name).and_then(Value::as_str).ok_or_else(|| Fault(format!("{name} is not given")))?;
    serde_json::from_str(text).map_err(|error| Fault(format!("{name} is no JSON: {error}")))
}

/// A parameter set, and that its hash is the one that the file says.
fn params(words: &mut Words) -> Result<Params> {
    let mut fields = serde_json::to_value(Params::default()).map_err(|error| Fault(error.to_string()))?;
    let snake = |name: &str| -> String {
        let low = |c: char| if c.is_uppercase() { format!("_{}", c.to_lowercase()) } else { c.to_string() };
        name.chars().map(low).collect()
    };
    for name in Params::NAMES {
        let value = words.number::<u128>()?;
        let field = fields.get_mut(snake(name)).ok_or_else(|| Fault(format!("no parameter {name}")))?;
        *field = match (&*field, u64::try_from(value)) {
            (Value::Number(_), Ok(small)) => small.into(),
            _ => value.to_string().into(),
        };
    }
    let params: Params = serde_json::from_value(fields).map_err(|error| Fault(error.to_string()))?;
    same("the hash", params.hash(), words.hash()?)?;
    Ok(params)
}

fn counted(sets: &[Params], words: &mut Words) -> Result<()> {
    let set = words.one_of(sets)?;
    let (score, streak) = (words.score()?, words.number()?);
    same("points", points(set, &score, streak), words.number()?)
}

/// The columns of a row that are given.
struct Given<'a> {
    params: &'a Params,
    member: MemberId,
    old: Row,
    shared: Shared,
    inputs: Inputs,
    blinder: B256,
    salt: B256,
}

impl<'a> Given<'a> {
    fn read(sets: &'a [Params], words: &mut Words) -> Result<Self> {
        let (params, member) = (words.one_of(sets)?, MemberId(words.number()?));
        let mut old = words.row(false)?;
        old.closed = words.flag()?;
        let shared = Shared {
            epoch: Epoch(words.number()?),
            sharers: words.number()?,
            payout: words.number()?,
            sum_usage: words.wide()?,
            sum_data: words.wide()?,
            sum_early: words.wide()?,
            sum_data_award: words.wide()?,
            sum_gov_award: words.wide()?,
        };
        Ok(Self { params, member, old, shared, inputs: words.inputs()?, blinder: words.hash()?, salt: words.hash()? })
    }

    fn settled(&self) -> std::result::Result<SettledRow, String> {
        let Self { params, member, old, shared, inputs, .. } = self;
        settle_row(params, shared, *member, old, inputs).map_err(|error| error.to_string())
    }
}

fn row(sets: &[Params], words: &mut Words) -> Result<()> {
    let given = Given::read(sets, words)?;
    let settled = given.settled().map_err(Fault)?;
    for found in private_words(&settled.row) {
        same("a word of the new row", found, words.number()?)?;
    }
    same("closed", settled.row.closed, words.flag()?)?;
    for found in [settled.points, settled.cash, settled.data_awarded, settled.gov_awarded] {
        same("an award", found, words.number()?)?;
    }
    let shown =
        amounts(given.params, given.member, &settled.row, given.inputs.active).map_err(|e| Fault(e.to_string()))?;
    for found in [shown.cash, shown.stream, shown.data, shown.gov] {
        same("an amount of the leaf", found, words.number()?)?;
    }
    let private = private_hash(&settled.row, given.salt);
    same("the private hash", private, words.hash()?)?;
    same("the leaf", leaf(given.member, &shown, private), words.hash()?)?;
    same("the inputs' leaf", inputs_leaf(given.member, &given.inputs, given.blinder), words.hash()?)
}

fn refused_row(sets: &[Params], words: &mut Words) -> Result<()> {
    let given = Given::read(sets, words)?;
    words.skip_rest();
    match given.settled() {
        Err(_) => Ok(()),
        // Some amounts show only in the leaf that they are too large.
        Ok(settled) => match amounts(given.params, given.member, &settled.row, given.inputs.active) {
            Err(_) => Ok(()),
            Ok(_) => Err(Fault::new("it settles")),
        },
    }
}

/// Judges what a member opens of its row.
fn contest(name: &str, words: &mut Words) -> Result<()> {
    same("the parameters' index", words.number::<u8>()?, 1)?;
    let params = Params { min_licenses: 1, min_datasets: 1, ..Params::default() };
    let (member, _digest, key) = (MemberId(words.number()?), words.hash()?, words.hash()?.0);
    let (first, closed) = (words.flag()?, words.flag()?);
    let (header, shown) = (words.header()?, words.amounts()?);
    let row = words.row(closed)?;
    let row = (!first).then_some(row);
    let (inputs, blinder) = (words.inputs()?, words.hash()?);
    let (new, private_hash) = (words.amounts()?, words.hash()?);
    let [old_path, inputs_path, new_path] = [words.hashes(PATH)?, words.hashes(PATH)?, words.hashes(PATH)?];
    same("the salt", salt(&key, header.epoch), words.hash()?)?;
    same("the salt of zeros", salt(&NO_ROW_KEY, header.epoch), words.hash()?)?;
    let before = row.clone().unwrap_or_else(|| Row::new(header.epoch));
    let secret = settle_row(&params, &header.shared(), member, &before, &inputs)
        .ok()
        .and_then(|settled| row_secret(&settled.row, header.epoch, private_hash, Some(&key)));
    let secret = secret.map_or(0, |secret| if secret == NO_ROW_KEY { 2 } else { 1 });
    same("whose key salts the row", secret, words.number::<u8>()?)?;
    let old = OldRow { row, shown, proof: old_path };
    let inputs = OpenedInputs { inputs, blinder, proof: inputs_path };
    let new = NewLeaf { shown: new, private_hash, proof: new_path };
    let found = match is_wrong(&header, &params, PATH as u8, member, &key, (&old, &inputs, &new)) {
        Ok(false) => 0,
        Ok(true) => 1,
        Err(Unopened::Params) => 2,
        Err(Unopened::OldRow) => 3,
        Err(Unopened::Inputs) => 4,
        Err(Unopened::NewLeaf) => 5,
        Err(Unopened::NoWayOn) => 6,
    };
    same("the verdict", found, words.number::<u8>()?)?;
    let said = ["right", "wrong", "refused"][usize::from(found.min(2))];
    if name.starts_with(said) { Ok(()) } else { Err(Fault(format!("it is {said}"))) }
}

fn root_of(file: &Value) -> Result<B256> {
    let root = file["root"].as_str().and_then(|text| text.parse().ok());
    root.ok_or_else(|| Fault::new("no root"))
}

fn depth(proof_words: usize) -> Result<u8> {
    u8::try_from(proof_words).map_err(|_| Fault::new("a path beyond any tree"))
}

fn proof(root: B256, words: &mut Words, holds: bool) -> Result<()> {
    let (id, leaf) = (MemberId(words.number()?), words.hash()?);
    let path = words.hashes(words.left())?;
    same("whether the path leads to the root", verify(root, depth(path.len())?, id, leaf, &path), holds)
}

fn tree(file: &Value) -> Result<usize> {
    let depth = file["depth"].as_u64().and_then(|depth| u8::try_from(depth).ok());
    let depth = depth.ok_or_else(|| Fault::new("no depth"))?;
    let empty: Option<B256> = file["emptyRoot"].as_str().and_then(|text| text.parse().ok());
    same("the empty root", empty_root(depth), empty.ok_or_else(|| Fault::new("no empty root"))?)?;
    let root = root_of(file)?;
    let proofs = Table::rows(&file["proofs"], 2 + usize::from(depth), None)?;
    Ok(proofs.each(|_, words| proof(root, words, true))?.len())
}

fn drawn(words: &mut Words) -> Result<()> {
    let salt = DrawSalt::new(&words.hash()?.0, LicenseId(words.number()?));
    let chance = Chance::new(words.number()?, words.number()?);
    let (everyone, threshold) = match chance {
        Chance::Everyone => (true, U256::ZERO),
        Chance::Below(threshold) => (false, threshold),
    };
    same("everyone", everyone, words.flag()?)?;
    same("the threshold", threshold, words.wide()?)?;
    let member = MemberId(words.number()?);
    same("drawn", chance.draws(&salt, member), words.flag()?)
}

fn size(words: &mut Words) -> Result<()> {
    let key = words.hash()?;
    let (dataset, purpose, epoch) = (DatasetId(words.number()?), Purpose(words.number()?), Epoch(words.number()?));
    let (cells, count) = (words.number()?, words.number::<u32>()?);
    let members: Vec<MemberId> = (1..=count).map(MemberId).collect();
    same("the scale", u128::from(scale(cells)), words.number()?)?;
    let found = published(&key.0, &Cell { dataset, purpose, epoch }, cells, &members);
    same("the published size", u128::from(found), words.number()?)
}

/// Those of the numbers that this crate's code goes by as well.
fn bounds(file: &Value) -> Result<usize> {
    let (names, values) = (&file["names"], &file["values"]);
    let last = (0..=u8::MAX).rev().find(|code| EhdsCategory::from_code(*code).is_some()).unwrap_or_default();
    let ours = [
        ("orderLifetime", u128::from(MAX_LIFETIME)),
        ("queryRight", u128::from(QUERY_RIGHT)),
        ("lastEhdsCategory", u128::from(last)),
    ];
    for (name, ours) in ours {
        let place = names.as_array().and_then(|names| names.iter().position(|known| known == name));
        let said = place.and_then(|at| values[at].as_str()?.parse().ok());
        same(name, ours, said.ok_or_else(|| Fault(format!("no {name}")))?)?;
    }
    let most = |name: &str| -> Option<u128> {
        let at = names.as_array()?.iter().position(|known| known == name)?;
        values[at].as_str()?.parse().ok()
    };
    let (cash, token) = (most("maxCashUnit").unwrap_or_default(), most("maxTokenUnit").unwrap_or_default());
    let at = |cash_unit, token| {
        Params { cash_unit, data_unit: token, gov_unit: token, ..Params::default() }.validate().is_ok()
    };
    same("whether the largest units are taken", at(cash, token), true)?;
    same("whether a larger one of USDC is", at(cash + 1, token), false)?;
    same("whether a larger one of a token is", at(cash, token + 1), false)?;
    Ok(ours.len() + 2)
}
