//! The committed vectors are what the generator makes, and their layout is the one described.

#[path = "../../examples/vectors/contests.rs"]
mod contests;
#[path = "../../examples/vectors/edges.rs"]
mod edges;
#[path = "../../examples/vectors/generate.rs"]
mod generate;

use std::path::Path;

use rochdale_core::ledger::Params;
use serde_json::Value;

const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors");

#[test]
fn committed_vectors_have_not_drifted() {
    for (name, expected) in generate::all().unwrap() {
        let committed = std::fs::read_to_string(Path::new(DIR).join(name)).unwrap();
        let same = committed == expected;
        assert!(same, "vectors/{name} differs: cargo run -p rochdale-core --example vectors");
    }
}

#[test]
fn the_layout_is_the_one_described() {
    let fields = generate::row_fields();
    assert_eq!(fields.len(), generate::STRIDE);
    let at = [0, 1, 2, 13, 14, 15, 22, 23, 28, 29, 30, 45, 46, 47, 48, 59, 60, 61, 64, 65, 68, 69, 70, 71];
    let names = at.map(|column| fields[column].as_str());
    assert_eq!(
        names,
        [
            "params",
            "memberId",
            "old.cashEarned",
            "old.joinEpoch",
            "old.closed",
            "epoch",
            "sumGovAward",
            "active",
            "programPoints",
            "contributions",
            "q[0]",
            "r[3]",
            "blinder",
            "salt",
            "new.cashEarned",
            "new.joinEpoch",
            "new.closed",
            "points",
            "govAwarded",
            "leaf.cash",
            "leaf.gov",
            "private",
            "leaf",
            "inputsLeaf"
        ]
    );
    for (name, content) in generate::all().unwrap() {
        let json: Value = serde_json::from_str(&content).unwrap();
        if let Some(words) = json["words"].as_array() {
            let (stride, count) = (json["stride"].as_u64().unwrap(), json["count"].as_u64().unwrap());
            assert_eq!(words.len() as u64, stride * count, "{name}");
            assert!(words.iter().all(Value::is_string), "{name}");
        }
    }
}

#[test]
fn there_are_enough_of_them_and_they_differ() {
    let all = generate::all().unwrap();
    let json = |wanted: &str| -> Value {
        let (_, content) = all.iter().find(|(name, _)| *name == wanted).unwrap();
        serde_json::from_str(content).unwrap()
    };
    let rows = json("rows.json");
    assert!(rows["count"].as_u64().unwrap() >= 1_000);
    let words = rows["words"].as_array().unwrap();
    let leaves: std::collections::BTreeSet<&str> =
        words.chunks(generate::STRIDE).map(|row| row[70].as_str().unwrap()).collect();
    assert!(leaves.len() >= 990, "only closed rows repeat: {}", leaves.len());
    for (column, kind) in [(14, "closed before"), (23, "active"), (24, "erased"), (62, "paid cash"), (63, "awarded")] {
        let some = words.chunks(generate::STRIDE).filter(|row| row[column] != "0").count();
        assert!(some >= 10, "{some} rows {kind}");
    }
    assert!(edges::good().unwrap().len() >= 20 && edges::bad().len() >= 10);
}

#[test]
fn the_named_parameter_sets_are_what_they_say() {
    let sets = generate::param_sets();
    assert_eq!(sets[edges::DEMO], Params { min_licenses: 1, min_datasets: 1, ..Params::default() });
    assert_eq!(sets[edges::CAPPED].data_cap, 5 * edges::E18);
    for set in sets {
        set.validate().unwrap();
    }
}
