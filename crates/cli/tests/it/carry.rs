//! A member carries away what the cooperative holds on them, and gives it to another one.

use crate::support::{Up, port, refuses, synthesize};
use serde_json::{Value, json as j};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// What is in an archive, by name.
type Files = BTreeMap<String, Vec<u8>>;

fn unpacked(path: &Path) -> Files {
    let mut archive = ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let names: Vec<String> =
        (0..archive.len()).map(|number| archive.by_index(number).unwrap().name().unwrap().into_owned()).collect();
    let mut read = |name: &String| {
        let mut bytes = Vec::new();
        archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        (name.clone(), bytes)
    };
    names.iter().map(&mut read).collect()
}

fn packed(path: &Path, files: &Files, comment: &str) {
    let mut writer = ZipWriter::new(std::fs::File::create(path).unwrap());
    writer.set_comment(comment).unwrap();
    for (name, bytes) in files {
        writer.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
}

fn text<'a>(files: &'a Files, name: &str) -> &'a str {
    std::str::from_utf8(files.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", files.keys()))).unwrap()
}

fn value(files: &Files, name: &str) -> Value {
    serde_json::from_str(text(files, name)).unwrap()
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn member(up: &Up, name: &str, record: &Path) {
    up.json(&["member", "join", "--name", name]);
    up.json(&["member", "consent", "--name", name]);
    up.json(&["member", "contribute", "--name", name, shown(record)]);
}

/// Three members, one question that was answered, and two epochs.
fn used(up: &Up, dir: &Path) {
    synthesize(&dir.join("fhir"), 3, "transaction");
    for (n, name) in ["ada", "bo", "cy"].iter().enumerate() {
        member(up, name, &dir.join(format!("fhir/patient-{:05}.json", n + 1)));
    }
    up.json(&["epoch", "settle"]);
    up.json(&["researcher", "new"]);
    up.json(&["researcher", "license", "--yes"]);
    let query = dir.join("query.json");
    let of = r#"{"observation":{"system":"http://loinc.org","code":"8480-6"}}"#;
    let ask = format!(r#"{{"kind":"mean","of":{of},"rows":4,"lower":80000,"upper":200000}}"#);
    std::fs::write(&query, format!(r#"{{"version":1,"dataset":1,"ask":{ask},"rho":100000000}}"#)).unwrap();
    up.json(&["researcher", "query", shown(&query), "--yes"]);
    up.json(&["epoch", "settle"]);
}

/// What an archive of ada's says, held against what she contributed and what the commands say.
fn is_complete(up: &Up, archive: &Path, record: &Path) {
    let files = unpacked(archive);
    let given: Value = serde_json::from_slice(&std::fs::read(record).unwrap()).unwrap();
    assert_eq!(value(&files, "records/contribution-1.json"), given, "the record is not what was contributed");

    let manifest = value(&files, "manifest.json");
    let at = up.json(&["coop", "status"])["cooperative"].clone();
    assert_eq!(manifest["cooperative"]["chain_id"], at["chain_id"], "{manifest}");
    let registry = |of: &Value, name: &str| of["addresses"][name].as_str().unwrap().to_lowercase();
    let ours = registry(&manifest["cooperative"], "ConsentRegistry");
    assert_eq!(ours, registry(&at["manifest"], "consent_registry"));
    assert_eq!(
        (&manifest["member"], &manifest["epoch"], &manifest["missing"]),
        (&j!(1), &j!(2), &j!([])),
        "{manifest}"
    );
    assert_eq!(manifest["files"].as_object().unwrap().len() + 1, files.len(), "{manifest}");

    let consent = value(&files, "consents/version-1.json");
    assert_eq!((&consent["receipt"]["principal"], &consent["receipt"]["version"]), (&j!(1), &j!(1)), "{consent}");
    assert_eq!(consent["signed"]["signature"].as_str().unwrap().len(), 2 + 2 * 65, "{consent}");
    let notice = text(&files, "consents/version-1.txt");
    assert!(notice.starts_with("What you consent to"), "{notice}");
    assert_eq!(
        consent["receipt"]["notice"]["digest"],
        j!(alloy::primitives::keccak256(notice)),
        "it is what was shown"
    );
    let words = text(&files, "consents/version-1.words.txt");
    assert!(words.contains("until it is taken back") && words.contains("Only where the ethics board"), "{words}");
    let resource = value(&files, "fhir/Consent-1.json");
    assert_eq!((&resource["resourceType"], &resource["status"]), (&j!("Consent"), &j!("active")), "{resource}");
    let system = resource["patient"]["identifier"]["system"].as_str().unwrap().to_lowercase();
    let membership = registry(&at["manifest"], "membership");
    assert_eq!(system, format!("urn:rochdale:{}:{membership}", at["chain_id"]));
    assert_eq!(resource["provision"]["purpose"].as_array().unwrap().len(), 1, "{resource}");
    assert!(resource["provision"]["purpose"].to_string().contains("DUO:0000006"), "{resource}");
    let conditions = resource["provision"]["modifierExtension"].to_string();
    assert!(conditions.contains("Only where the ethics board approved the researcher."), "{resource}");

    let rows = up.json(&["member", "rows", "--name", "ada"]);
    let account = value(&files, "ledger/rows.json");
    assert_eq!(account["rows"].as_array().unwrap().len(), 2, "{account}");
    assert_eq!(account["rows"][1]["row"], rows["row"]);
    assert_eq!((&account["contributions"], &account["claimed"]["data"]), (&rows["contributions"], &j!("0")));
    assert!(text(&files, "ledger/account.txt").contains("member 1, since the beginning and up to epoch 2: you earned"));
    assert_eq!(text(&files, "ledger/account.csv").lines().count(), 3);

    let scored = &rows["contributions"][0]["score"];
    let provenance = value(&files, "fhir/Provenance-contribution-1.json");
    let target = &provenance["target"][0];
    assert_eq!(target["display"], "records/contribution-1.json");
    assert_eq!(target["identifier"]["value"], manifest["files"]["records/contribution-1.json"]);
    assert_eq!(provenance["entity"][0]["what"]["identifier"]["value"], manifest["records"][0]["commitment"]);
    let quality = j!({ "url": "urn:rochdale:score-quality", "valueDecimal": scored["quality"] });
    let tier = j!({ "url": "urn:rochdale:tier", "valueString": "upload" });
    for extension in [quality, tier] {
        assert!(provenance["extension"].as_array().unwrap().contains(&extension), "{extension}: {provenance}");
    }

    let access = value(&files, "access/log.json");
    assert_eq!(access["uses"], rows["uses"]);
    assert_eq!((&access["uses"][0]["rho"], &access["uses"][0]["records"]), (&j!(100_000_000), &j!(1)), "{access}");
    let said = text(&files, "access/log.txt");
    for part in [
        "your records were used 1 time:",
        "asked for a mean of Systolic blood pressure among members (question 1, under license 1)",
        "for health, medical and biomedical research; 1 record of yours, 0.100 zCDP",
        "was opened by its own member",
        "because it was drawn",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let readme = text(&files, "README.txt");
    assert!(readme.contains("NOT encrypted") && readme.contains("Consents are not carried over"), "{readme}");
    // No key lies in it, whatever else does.
    let key = std::fs::read_to_string(up.state.join("members/ada/row.key")).unwrap();
    let holds = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).contains(key.trim().trim_start_matches("0x"));
    assert!(!files.values().any(holds), "the row key is in the archive");
}

/// Archives that were changed, each with what is said of it.
fn tampered(archive: &Path, dir: &Path) -> Vec<(std::path::PathBuf, &'static str)> {
    let (files, comment) = (unpacked(archive), "rochdale-member-archive 1");
    let mut made = Vec::new();
    let mut make = |name: &str, said, change: &dyn Fn(&mut Files)| {
        let mut changed = files.clone();
        change(&mut changed);
        let path = dir.join(format!("{name}.zip"));
        packed(&path, &changed, comment);
        made.push((path, said));
    };
    let record = "records/contribution-1.json";
    make("record", "records/contribution-1.json in it was changed", &|files| {
        let spoilt = String::from_utf8(files[record].clone()).unwrap().replacen("Patient", "patient", 1);
        files.insert(record.to_owned(), spoilt.into_bytes());
    });
    make("gone", "access/log.txt is listed in its manifest.json and not there", &|files| {
        files.remove("access/log.txt");
    });
    make("more", "records/more.json is not listed", &|files| {
        files.insert("records/more.json".to_owned(), files[record].clone());
    });
    make("unlisted", "stands in one of its manifest.json's lists", &|files| {
        let mut manifest = value(files, "manifest.json");
        manifest["records"] = j!([]);
        files.insert("manifest.json".to_owned(), manifest.to_string().into_bytes());
    });
    make("version", "it is of version 2, this program reads version 1", &|files| {
        let mut manifest = value(files, "manifest.json");
        manifest["version"] = j!(2);
        files.insert("manifest.json".to_owned(), manifest.to_string().into_bytes());
    });
    make("headless", "its manifest.json: ", &|files| {
        files.remove("manifest.json");
    });
    make("other", "its manifest.json does not say that it is one", &|files| {
        files.insert("manifest.json".to_owned(), b"{}".to_vec());
    });
    let cut = dir.join("cut.zip");
    let bytes = std::fs::read(archive).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    made.push((cut, "a zip archive that cannot be read"));
    made
}

#[test]
fn a_member_carries_everything_to_another_cooperative_where_it_scores_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/samples/learning.toml");
    let up = Up::start_with(&dir.path().join("state"), port(), &["--config", sample, "--min-cohort", "2"]);
    used(&up, dir.path());
    let own = dir.path().join("own");
    std::fs::create_dir(&own).unwrap();
    let (archive, record) = (own.join("ada.zip"), dir.path().join("fhir/patient-00001.json"));
    let told = up.json(&["member", "export", shown(&archive), "--name", "ada"]);
    assert_eq!((&told["records"], &told["consents"], &told["epochs"]), (&j!(1), &j!(1), &j!(2)), "{told}");
    assert_eq!((&told["uses"], &told["missing"]), (&j!(1), &j!([])), "{told}");
    assert_eq!(std::fs::metadata(&archive).unwrap().permissions().mode() & 0o777, 0o600);
    is_complete(&up, &archive, &record);

    // Never over another file by itself, to no pipe, and nothing is left where it fails.
    let before = std::fs::read(&archive).unwrap();
    let said = up.refuses(&["member", "export", shown(&archive), "--name", "ada"], 3);
    assert!(said.contains("is there already; --force replaces it"), "{said}");
    assert_eq!(std::fs::read(&archive).unwrap(), before);
    assert!(up.refuses(&["member", "export", "-", "--name", "ada"], 2).contains("goes to no terminal and no pipe"));
    let nowhere = own.join("no/such/ada.zip");
    assert!(up.refuses(&["member", "export", shown(&nowhere), "--name", "ada"], 1).contains("cannot write in"));
    up.json(&["member", "export", shown(&archive), "--name", "ada", "--force"]);
    let left: Vec<_> = std::fs::read_dir(&own).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["ada.zip"]);

    // What was changed, cut or made up is refused by name, and nothing of it is sent.
    for (path, said) in tampered(&archive, dir.path()) {
        let refused = up.refuses(&["import", shown(&path), "--name", "ada"], 1);
        let refused: Value = serde_json::from_str(&refused).unwrap();
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains(said) && detail.contains(shown(&path)), "{said}: {detail}");
    }

    // Here it is known as given; at another cooperative it is taken, and counts as it did here.
    let here = up.json(&["import", shown(&archive), "--name", "ada"]);
    assert_eq!((&here["sent"], &here["given_before"]), (&j!(0), &j!(1)), "{here}");
    let score = up.json(&["member", "rows", "--name", "ada"])["contributions"][0]["score"].clone();
    up.json(&["member", "erase", "--name", "bo", "--yes"]);
    let gone = up.json(&["member", "export", shown(&own.join("bo.zip")), "--name", "bo"]);
    assert_eq!(gone["records"], 0, "{gone}");
    assert!(gone["missing"].to_string().contains("the record of contribution 2 was erased"), "{gone}");
    up.stop();

    let state = dir.path().join("state");
    let down = ["member", "export", shown(&nowhere), "--name", "ada", "--state", shown(&state)];
    assert!(refuses(&down, 4).contains("no cooperative answers"));
    let other = Up::start_with(&dir.path().join("other"), port(), &["--without", "worker"]);
    other.json(&["member", "join", "--name", "ada"]);
    other.json(&["member", "consent", "--name", "ada"]);
    let sent = other.json(&["import", shown(&archive), "--name", "ada"]);
    assert_eq!((&sent["sent"], &sent["skipped_in_all"]), (&j!(1), &j!(0)), "{sent}");
    assert!(sent["archive"]["not_carried_over"][0].as_str().unwrap().contains("consents were given"), "{sent}");
    assert_eq!(sent["archive"]["member"], 1, "{sent}");
    let again = other.json(&["import", shown(&archive), "--name", "ada"]);
    assert_eq!((&again["sent"], &again["given_before"]), (&j!(0), &j!(1)), "{again}");
    other.json(&["epoch", "settle"]);
    let there = other.json(&["member", "rows", "--name", "ada"]);
    assert_eq!(there["contributions"][0]["score"], score, "{there}");
    other.stop();
}
