//! The binary as a process.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use alloy::signers::local::PrivateKeySigner;
use rochdale_api::client::Client;
use rochdale_api::route::HEALTH;
use rochdale_api::status::Health;
use rochdale_testkit::anvil::{TestCoop, role_key};

async fn found() -> (TestCoop, tempfile::TempDir) {
    let coop = TestCoop::deploy().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    coop.manifest.save(&dir.path().join("manifest.json")).unwrap();
    write_key(dir.path(), &role_key("registrar"));
    (coop, dir)
}

fn write_key(dir: &Path, key: &PrivateKeySigner) {
    let (path, secret) = (dir.join("registrar.key"), alloy::primitives::hex::encode(key.to_bytes()));
    std::fs::write(&path, format!("rochdale-signing-key-v1 {secret}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn write_config(dir: &Path, rpc_url: &str, chain_id: u64, extra: &str) -> PathBuf {
    let path = dir.join("registrar.toml");
    let text = format!(
        "listen = \"127.0.0.1:0\"\nrpc_url = \"{rpc_url}\"\nchain_id = {chain_id}\nmanifest = \"manifest.json\"\n\
         data_dir = \"data\"\nkey_file = \"registrar.key\"\ngateway_url = \"http://127.0.0.1:9\"\n{extra}\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn run(config: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_rochdale-registrar"))
        .args(["run", "--config", config.to_str().unwrap()])
        .env("RUST_LOG", "info")
        .env("NO_COLOR", "1")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn output(config: &Path) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = run(config).wait_with_output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

/// Starts it and waits until it listens; the rest of what it says comes from the thread.
fn start(config: &Path) -> (Child, Client, std::thread::JoinHandle<String>) {
    let mut child = run(config);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let listening = lines.find(|line| line.contains("listening")).unwrap();
    let rest = std::thread::spawn(move || lines.collect::<Vec<_>>().join("\n"));
    let port: String =
        listening.rsplit("127.0.0.1:").next().unwrap().chars().take_while(char::is_ascii_digit).collect();
    (child, Client::new(&format!("http://127.0.0.1:{port}")).unwrap(), rest)
}

#[tokio::test]
async fn sigterm_ends_it_cleanly_and_it_starts_again_on_its_store() {
    let (coop, dir) = found().await;
    let config = write_config(dir.path(), &coop.anvil.url(), 31_337, "stale_after_s = 3600");
    for _ in 0..2 {
        let (mut child, client, rest) = start(&config);
        let start = Instant::now();
        let health = loop {
            match client.get(HEALTH).await {
                Ok(health) => break health,
                Err(error) => assert!(start.elapsed() < Duration::from_secs(30), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        assert_eq!((health.ok, &*health.service, health.address), (true, "registrar", coop.registrar.address()));
        assert!(Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap().success());
        let status = child.wait().unwrap();
        let said = rest.join().unwrap();
        assert!(status.success() && said.contains("stopped"), "{status}: {said}");
    }
    let mode = |name: &str| dir.path().join("data").join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("registrar.db"), mode("nonces.db")), (0o600, 0o600));
}

#[tokio::test]
async fn a_key_that_is_not_the_registrars_on_chain_is_told_by_its_health() {
    let (coop, dir) = found().await;
    let other = role_key("another registrar");
    write_key(dir.path(), &other);
    let config = write_config(dir.path(), &coop.anvil.url(), 31_337, "stale_after_s = 3600");
    let (mut child, client, rest) = start(&config);
    let answer =
        reqwest::get(format!("{}{}", client.base().origin().ascii_serialization(), HEALTH.path)).await.unwrap();
    let (status, health) = (answer.status().as_u16(), answer.json::<Health>().await.unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    rest.join().unwrap();
    assert_eq!((status, health.ok), (503, false), "{:?}", health.problems);
    let said = format!("{} is not the registrar that the chain names", other.address());
    assert!(health.problems.iter().any(|problem| problem.contains(&said)), "{:?}", health.problems);
}

#[tokio::test]
async fn what_it_cannot_use_is_named_with_its_place() {
    let (coop, dir) = found().await;
    let url = coop.anvil.url();
    let (code, text) = output(&write_config(dir.path(), &url, 31_337, "days = 3"));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("registrar.toml:8: key `days`: unknown field"), "{text}");

    let (code, text) = output(&write_config(dir.path(), &url, 1, ""));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("the manifest is of chain 31337, the configuration of chain 1"), "{text}");

    let config = write_config(dir.path(), &url, 31_337, "");
    std::fs::remove_file(dir.path().join("registrar.key")).unwrap();
    let (code, text) = output(&config);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("registrar.key"), "{text}");
}
