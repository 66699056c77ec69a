//! A member withdraws while the gateway hangs, is down, or lies, and while a steward hangs or lies.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::{U256, hex, keccak256};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rochdale_api::auth::{self, Described};
use rochdale_chain::deploy::Manifest;
use rochdale_crypto::keyfile::{self, KeyKind};
use serde_json::{Value, json};

use crate::support::{Up, listener, port, run, synthesize};

const PATIENCE: Duration = Duration::from_secs(60);

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "not {what} after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn signal(port: u16, signal: Signal) {
    kill(Pid::from_raw(listener(port).unwrap()), signal).unwrap();
}

fn ask(up: &Up, path: &Path) {
    let of = r#"{"observation":{"system":"http://loinc.org","code":"8480-6"}}"#;
    let ask = format!(r#"{{"kind":"mean","of":{of},"rows":4,"lower":80000,"upper":200000}}"#);
    std::fs::write(path, format!(r#"{{"version":1,"dataset":1,"ask":{ask},"rho":1000000}}"#)).unwrap();
    up.json(&["researcher", "query", path.to_str().unwrap(), "--yes"]);
}

fn shown(up: &Up, name: &str) -> Value {
    up.json(&["member", "show", "--name", name])
}

#[test]
fn a_gateway_and_a_steward_that_hang_hold_up_neither_a_withdrawal_nor_an_erasure() {
    let dir = tempfile::tempdir().unwrap();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/samples/learning.toml");
    let port = port();
    let up = Up::start_with(&dir.path().join("state"), port, &["--config", sample, "--min-cohort", "2"]);
    synthesize(&dir.path().join("fhir"), 4, "transaction");
    for (n, name) in ["ada", "bo", "cy", "dee"].iter().enumerate() {
        up.json(&["member", "join", "--name", name]);
        up.json(&["member", "consent", "--name", name]);
        let record = dir.path().join(format!("fhir/patient-{:05}.json", n + 1));
        up.json(&["member", "contribute", "--name", name, record.to_str().unwrap()]);
    }
    up.json(&["epoch", "settle"]);
    up.json(&["researcher", "new"]);
    up.json(&["researcher", "license", "--yes"]);
    let query = dir.path().join("query.json");
    ask(&up, &query);

    signal(port, Signal::SIGSTOP);
    let began = Instant::now();
    let told = up.json(&["member", "revoke", "--name", "ada"]);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!((&told["on_chain"], &told["taken_by"], &told["needed"]), (&false.into(), &json!([1, 2, 3]), &2.into()));
    assert_eq!((&told["can_be_opened"], &told["withdrawal"]["kind"]), (&false.into(), &"revoke".into()), "{told}");
    signal(port + 13, Signal::SIGSTOP);
    let said = run(&["member", "erase", "--name", "bo", "--yes", "--state", up.state.to_str().unwrap()]);
    let said = String::from_utf8(said.stdout).unwrap();
    for part in [
        "the gateway did not do it: no answer within 7 s",
        "stewards 1 and 2 took it",
        "steward 3 did not take it",
        "It takes 2 stewards",
        "it is so now",
        "Nothing is destroyed",
        "rochdale member show --name bo",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let bo = shown(&up, "bo");
    assert_eq!((&bo["withdrawal"]["held_by"], &bo["withdrawal"]["on_chain"]), (&json!([1, 2]), &false.into()), "{bo}");
    assert_eq!(bo["stewards"][0]["consent"], "granted", "{bo}");

    signal(port + 13, Signal::SIGCONT);
    signal(port, Signal::SIGCONT);
    until("on chain by itself", || shown(&up, "ada")["member"]["consent"] == "revoked");
    until("on chain by itself", || shown(&up, "bo")["member"]["consent"] == "erased");
    let ada = shown(&up, "ada");
    assert!(ada["withdrawal"].is_null() || ada["withdrawal"]["on_chain"] == true, "{ada}");
    assert!(up.refuses(&["member", "revoke", "--name", "ada"], 3).contains("on chain already"));
    // A question is asked as of a final block.
    up.json(&["epoch", "settle"]);
    up.json(&["researcher", "license", "--yes"]);
    ask(&up, &query);
    up.json(&["epoch", "settle"]);
    let uses = |name: &str| up.json(&["member", "rows", "--name", name])["uses"].as_array().unwrap().len();
    assert_eq!([uses("ada"), uses("cy"), uses("dee")], [1, 2, 2]);

    // Consent that is given anew stands, whatever the stewards were told before.
    up.json(&["member", "consent", "--name", "ada"]);
    std::thread::sleep(Duration::from_secs(3));
    let ada = shown(&up, "ada");
    assert_eq!((&ada["member"]["consent"], &ada["member"]["consent_version"]), (&"granted".into(), &2.into()), "{ada}");
    up.stop();
}

/// Answers as the process whose key it has, with what `says` makes of a method and a path.
fn lie(
    port: u16,
    key: PrivateKeySigner,
    manifest: &Manifest,
    says: impl Fn(&str, &str) -> Value + Send + Sync + 'static,
) {
    let server = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let domain = auth::domain(manifest.chain_id, manifest.addresses.steward_committee);
    let says = Arc::new(says);
    std::thread::spawn(move || {
        for stream in server.incoming().map_while(Result::ok) {
            let (key, domain, says) = (key.clone(), domain.clone(), says.clone());
            std::thread::spawn(move || {
                while let Some((method, path, nonce, body)) = heard(&stream) {
                    let answer = says(&method, &path).to_string();
                    let audience = key.address();
                    let asked = Described { audience, method: &method, path: &path, body: &body, nonce, deadline: 0 };
                    let digest = auth::answer_digest(&domain, asked.digest(&domain), 200, answer.as_bytes());
                    let signature = hex::encode_prefixed(key.sign_hash_sync(&digest).unwrap().as_bytes());
                    let (name, length) = (auth::ANSWER_SIGNATURE, answer.len());
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{name}: {signature}\r\ncontent-length: {length}\r\n\r\n"
                    );
                    if (&stream).write_all((head + &answer).as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
}

/// One request: method, path, nonce and body.
fn heard(stream: &TcpStream) -> Option<(String, String, U256, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let (mut nonce, mut length) = (U256::ZERO, 0usize);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim().split_once(": ") else { break };
        match name {
            auth::NONCE => nonce = value.parse().ok()?,
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((method, path, nonce, body))
}

fn key(path: &Path) -> PrivateKeySigner {
    PrivateKeySigner::from_slice(keyfile::load(path, KeyKind::Signing).unwrap().as_slice()).unwrap()
}

#[test]
fn neither_a_gateway_nor_a_steward_that_lies_turns_a_withdrawal_into_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (state, port) = (dir.path().join("state"), port());
    let up = Up::start_with(&state, port, &["--without", "worker"]);
    up.json(&["member", "join", "--name", "ada"]);
    up.json(&["member", "consent", "--name", "ada"]);
    let view = up.json(&["coop", "status"])["cooperative"].clone();
    let member = shown(&up, "ada")["member"].clone();
    up.stop();

    // Nobody at the gateway's port at first.
    let missing = ["--without", "worker", "--without", "gateway", "--without", "steward-3"];
    let up = Up::start_with(&state, port, &missing);
    let manifest = Manifest::load(&state.join("manifest.json")).unwrap();
    let liar = key(&state.join("steward-3/signing.key"));
    let account = member["account"].clone();
    lie(port + 13, liar, &manifest, move |method, _| {
        let standing = json!({ "member_id": 1, "steward": 3, "account": account, "active": true, "consent": "revoked",
            "consent_version": 1, "consent_nonce": 9, "block": 1, "now": 4_000_000_000u64, "withdrawals": [] });
        if method == "GET" { standing } else { json!({ "member_id": 1, "steward": 3, "state": "held" }) }
    });
    let told = up.json(&["member", "revoke", "--name", "ada"]);
    assert_eq!(told["taken_by"], json!([1, 2, 3]), "the liar says so, and is not needed: {told}");
    assert_eq!(told["withdrawal"]["requests"][0]["nonce"], member["consent_nonce"], "{told}");
    assert_eq!(told["withdrawal"]["requests"].as_array().unwrap().len(), 1, "{told}");
    let seen = shown(&up, "ada");
    assert_eq!(seen["withdrawal"]["on_chain"], false, "{seen}");
    for at in [0, 1] {
        assert_eq!(seen["stewards"][at]["withdrawals"][0]["request"], told["withdrawal"]["requests"][0], "{seen}");
    }

    // A gateway that says that it did it, and did not, and that the stewards who could say so are where nobody answers.
    let gateway = key(&state.join("gateway/relayer.key"));
    let member = member.clone();
    let mut view = view;
    for steward in view["stewards"].as_array_mut().unwrap() {
        steward["url"] = "http://127.0.0.1:9".into();
    }
    lie(port, gateway, &manifest, move |method, path| match (method, path) {
        ("GET", "/v1/cooperative") => view.clone(),
        ("GET", _) => member.clone(),
        _ => json!({ "tx": format!("{:?}", keccak256("none")), "block": 7, "gas_used": 1 }),
    });
    let told = up.json(&["member", "erase", "--name", "ada", "--yes"]);
    assert!(told["gateway"].as_str().unwrap().contains("too few stewards that are known here see it there"), "{told}");
    assert_eq!((&told["on_chain"], &told["can_be_opened"]), (&false.into(), &false.into()), "{told}");
    assert_eq!((&told["taken_by"], &told["refused"]), (&json!([1, 2, 3]), &json!([])), "{told}");
    // The withdrawal of before may take the number first.
    assert_eq!(told["withdrawal"]["requests"].as_array().unwrap().len(), 2, "{told}");
    // What was asked to be erased is not overtaken by less.
    let said = run(&["member", "revoke", "--name", "ada", "--state", up.state.to_str().unwrap()]);
    assert_eq!(said.status.code(), Some(3));
    assert!(String::from_utf8(said.stderr).unwrap().contains("everything was asked to be erased already"));
    up.stop();
}
