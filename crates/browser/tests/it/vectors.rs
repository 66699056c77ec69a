//! Every vector holds, and one that is altered does not.

use std::fs;

use rochdale_browser::replay;
use serde_json::{Map, Value};

/// Checked by `chain` and the contracts.
const NOT_OURS: &str = "founding.json";

fn files() -> Map<String, Value> {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors");
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let ours = names.filter(|name| name.ends_with(".json") && name != NOT_OURS);
    ours.map(|name| (name.clone(), fs::read_to_string(format!("{dir}/{name}")).unwrap().into())).collect()
}

#[test]
fn every_vector_holds() {
    let counts = replay(&files()).unwrap();
    assert_eq!(counts.len(), files().len());
    assert!(counts.values().all(|count| *count > 0) && counts["rows.json"] == 1_024, "{counts:?}");
}

/// Every way in which a contest can end is there, by the last word of a case.
#[test]
fn the_contests_end_in_every_way() {
    let files = files();
    let file: Value = serde_json::from_str(files["contests.json"].as_str().unwrap()).unwrap();
    let stride = usize::try_from(file["stride"].as_u64().unwrap()).unwrap();
    let words = file["words"].as_array().unwrap();
    let ended = |verdict: &str| words.chunks(stride).filter(|case| case[stride - 1] == verdict).count();
    let counts = ["0", "1", "2", "3", "4", "5", "6"].map(ended);
    assert!(counts.iter().all(|count| *count > 0) && counts[0] >= 8 && counts[1] >= 40, "{counts:?}");
}

/// In each file some digit of the last case is another, and then it does not hold.
#[test]
fn a_word_that_is_altered_is_noticed_in_every_table() {
    for name in ["points.json", "rows.json", "edges.json", "contests.json", "tree.json", "draw.json", "sizes.json"] {
        let mut files = files();
        let mut file: Value = serde_json::from_str(files[name].as_str().unwrap()).unwrap();
        let list = if name == "tree.json" { "proofs" } else { "words" };
        let last = file[list].as_array_mut().unwrap().last_mut().unwrap();
        let text = last.as_str().unwrap().to_owned();
        let digit = if text.ends_with('1') { '0' } else { '1' };
        *last = format!("{}{digit}", &text[..text.len() - 1]).into();
        files[name] = file.to_string().into();
        let fault = replay(&files).unwrap_err();
        assert!(fault.0.starts_with(name), "{name}: {fault:?}");
    }
}

#[test]
fn what_is_refused_by_a_bad_file_would_be_noticed_if_it_were_good() {
    let mut files = files();
    let good: Value = serde_json::from_str(files["edges.json"].as_str().unwrap()).unwrap();
    files["_bad_rows.json"] = good.to_string().into();
    assert!(replay(&files).unwrap_err().0.contains("it settles"));
    let unknown =
        Map::from_iter([("params.json".into(), files["params.json"].clone()), ("new.json".into(), "{}".into())]);
    assert!(replay(&unknown).unwrap_err().0.contains("nothing here replays it"));
}
