//! What an operator sees of a running cooperative: figures of every process, one name through all logs, and nothing of a member.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Up, port, run};

/// What a plain HTTP/1.1 request is answered.
fn ask(port: u16, path: &str, header: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The text of every log under a folder.
fn logs(state: &Path) -> String {
    let mut text = String::new();
    for folder in std::fs::read_dir(state).unwrap().map(|entry| entry.unwrap().path()) {
        text.push_str(&std::fs::read_to_string(folder.join("log")).unwrap_or_default());
    }
    text
}

#[test]
fn figures_of_every_process_and_one_name_through_them_and_nothing_of_a_member() {
    let dir = tempfile::tempdir().unwrap();
    let (state, port) = (dir.path().join("coop"), port());
    let up = Up::start_traced(&state, port, "debug");
    // Planted in a record, in a consent's name, in the place where keys lie.
    let canary = "Canaria-Quill-7731";
    let record = dir.path().join("record.json");
    let bundle = serde_json::json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "resource": { "resourceType": "Patient", "id": canary, "gender": "female", "birthDate": "1970-02-03",
            "name": [{ "family": canary }] } },
        { "resource": { "resourceType": "Condition", "subject": { "reference": format!("Patient/{canary}") },
            "code": { "text": canary, "coding": [{ "system": "http://snomed.info/sct", "code": "44054006" }] },
            "recordedDate": "2020-05-05" } } ] });
    std::fs::write(&record, bundle.to_string()).unwrap();
    up.json(&["member", "join", "--name", "ada"]);
    up.json(&["member", "consent", "--name", "ada"]);
    up.json(&["member", "contribute", "--name", "ada", record.to_str().unwrap()]);
    up.json(&["epoch", "settle", "1"]);

    // One name through the gateway to the stewards, and back to who asked.
    let answer = ask(port, "/v1/health", "x-request-id: asked-by-ada\r\n");
    assert!(answer.to_lowercase().contains("x-request-id: asked-by-ada"), "{answer}");
    let gateway = std::fs::read_to_string(state.join("gateway/log")).unwrap();
    let steward = std::fs::read_to_string(state.join("steward-1/log")).unwrap();
    let of = |log: &str, route: &str| -> Vec<String> {
        let lines = log.lines().map(strip).filter(|line| line.contains(route));
        lines.filter_map(|line| Some(line.split("request=\"").nth(1)?.split('"').next()?.to_owned())).collect()
    };
    let (asked, heard) = (of(&gateway, "/v1/contributions"), of(&steward, "/v1/contributions"));
    assert!(asked.iter().any(|name| heard.contains(name)), "{asked:?} {heard:?}");

    let mut seen = logs(&state);
    for (place, needs) in [
        (0, &[r#"route="/v1/contributions",method="POST",code="200""#, r#"duty="index""#, r#"file="gateway.db""#][..]),
        (11, &[r#"duty="scoring""#, r#"duty="settlement""#, r#"name="settled_epoch"} 1"#, "chain_latest_block"][..]),
        (21, &[r#"duty="replica""#, r#"file="worker.db""#][..]),
        (31, &[r#"duty="forget""#, r#"file="registrar.db""#][..]),
    ] {
        // A steward notes what it settled in its next turn.
        let start = Instant::now();
        let figures = loop {
            let figures = ask(port + place + 50, "/metrics", "");
            assert!(figures.starts_with("HTTP/1.1 200"), "{figures}");
            let lacks = needs.iter().find(|need| !figures.contains(**need));
            match lacks {
                None => break figures,
                Some(need) => assert!(start.elapsed() < Duration::from_secs(20), "{need} is not in\n{figures}"),
            }
        };
        seen.push_str(&figures);
    }
    // What was planted, and the keys that lie on this disk, stand in no log and no figure.
    let mut secrets = vec![canary.to_owned()];
    keys(&state, &mut secrets);
    assert!(secrets.len() > 10, "keys of every process are found: {}", secrets.len());
    for secret in secrets {
        assert!(!seen.contains(&secret), "a secret stands in a log or a figure");
    }
}

/// The secrets of all key files under a folder.
fn keys(folder: &Path, secrets: &mut Vec<String>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            keys(&path, secrets);
        } else if let Some(key) = std::fs::read_to_string(&path).ok().as_deref().and_then(secret) {
            secrets.push(key.to_owned());
        }
    }
}

fn secret(file: &str) -> Option<&str> {
    let (_, hex) = file.trim().strip_prefix("rochdale-")?.split_once("-key-v1 ")?;
    Some(hex)
}

/// A line without its colours.
fn strip(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}

#[test]
fn a_doctor_says_what_is_wrong_and_what_to_do() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let (state, port) = (dir.path().join("coop"), port());
    let none = up_less(&state, port);
    assert!(none.contains("LOOK  gateway") && none.contains("`rochdale up` starts one"), "{none}");
    assert!(!state.exists(), "a look leaves nothing behind");

    let up = Up::start(&state, port);
    up.wait_for_stewards(3);
    let well = up.json(&["doctor"]);
    let names: Vec<_> = well["findings"].as_array().unwrap().iter().map(|f| f["what"].as_str().unwrap()).collect();
    for name in
        ["limits", "disk", "keys", "chain", "gateway", "steward-1", "steward-2", "steward-3", "worker", "registrar"]
    {
        assert!(names.contains(&name), "{names:?}");
    }
    assert_eq!(well["ok"], true, "{well:#}");

    let key = state.join("steward-2/signing.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = up_less(&state, port);
    assert!(told.contains("LOOK  keys: 1 of") && told.contains(&format!("chmod 600 {}", key.display())), "{told}");
}

/// What the doctor prints where something is wrong; its exit code is that of a check that found a difference.
fn up_less(state: &Path, port: u16) -> String {
    let url = format!("http://127.0.0.1:{port}");
    let output = run(&["doctor", "--state", state.to_str().unwrap(), "--url", &url]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
