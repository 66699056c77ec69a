//! The binary as a process.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rochdale_api::client::Client;
use rochdale_api::route::HEALTH;
use rochdale_api::status::Health;
use rochdale_chain::local::AnvilOptions;
use rochdale_testkit::anvil::{TestCoop, role_key};

use crate::rig::{sealing, write_key};

/// A cooperative that has registered the worker, and the worker's files.
async fn found() -> (TestCoop, tempfile::TempDir) {
    let register = |config: &mut rochdale_chain::deploy::CoopConfig| {
        config.actors.workers[0].sealing_key = sealing("worker").public().0;
    };
    let coop = TestCoop::deploy_with(AnvilOptions::default(), register).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    coop.manifest.save(&dir.path().join("manifest.json")).unwrap();
    write_key(&dir.path().join("signing.key"), "signing", &role_key("worker").to_bytes()[..]);
    write_key(&dir.path().join("sealing.key"), "sealing", &*sealing("worker").to_secret());
    (coop, dir)
}

/// The keys that `rochdale up` writes, with a line of the test's before the tables.
fn write_config(dir: &Path, rpc_url: &str, chain_id: u64, extra: &str) -> PathBuf {
    let path = dir.join("worker.toml");
    let text = format!(
        "listen = \"127.0.0.1:0\"\nrpc_url = \"{rpc_url}\"\nchain_id = {chain_id}\nmanifest = \"manifest.json\"\n\
         data_dir = \".\"\nkey_file = \"signing.key\"\nsealing_key_file = \"sealing.key\"\n\
         gateway_url = \"http://127.0.0.1:9\"\n{extra}\n\n[privacy]\nmin_cohort = 10\n\n\
         [[stewards]]\nsteward = 1\nurl = \"http://127.0.0.1:9\"\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rochdale-worker"));
    command.args(arguments).env("RUST_LOG", "info").env("NO_COLOR", "1").stderr(Stdio::piped());
    command
}

fn run(config: &Path) -> Child {
    command(&["run", "--config", config.to_str().unwrap()]).spawn().unwrap()
}

fn output(config: &Path) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = run(config).wait_with_output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[tokio::test]
async fn sigterm_ends_it_cleanly_and_it_starts_again_on_its_store() {
    let (coop, dir) = found().await;
    let config = write_config(dir.path(), &coop.anvil.url(), 31_337, "stale_after_s = 3600");
    for _ in 0..2 {
        let mut child = run(&config);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let listening = lines.find(|line| line.contains("listening")).unwrap();
        let rest = std::thread::spawn(move || lines.collect::<Vec<_>>().join("\n"));
        let port: String =
            listening.rsplit("127.0.0.1:").next().unwrap().chars().take_while(char::is_ascii_digit).collect();
        let client = Client::new(&format!("http://127.0.0.1:{port}")).unwrap();
        let start = Instant::now();
        let health = loop {
            match client.get(HEALTH).await {
                Ok(health) => break health,
                Err(error) => assert!(start.elapsed() < Duration::from_secs(30), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        assert_eq!((health.ok, health.service.as_str(), health.address), (true, "worker", coop.worker.address()));
        assert!(Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap().success());
        let status = child.wait().unwrap();
        let output = rest.join().unwrap();
        assert!(status.success(), "{status}: {output}");
        assert!(output.contains("stopped"), "{output}");
    }
}

/// Issue 10, point 4: a worker that the chain does not know under its sealing key says so, and is not healthy.
#[tokio::test]
async fn a_worker_that_is_not_registered_is_not_healthy() {
    let (coop, dir) = found().await;
    write_key(&dir.path().join("sealing.key"), "sealing", &*sealing("another worker").to_secret());
    let mut child = run(&write_config(dir.path(), &coop.anvil.url(), 31_337, "stale_after_s = 3600"));
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let listening = lines.find(|line| line.contains("listening")).unwrap();
    let rest = std::thread::spawn(move || lines.count());
    let port: String =
        listening.rsplit("127.0.0.1:").next().unwrap().chars().take_while(char::is_ascii_digit).collect();
    let answer = reqwest::get(format!("http://127.0.0.1:{port}{}", HEALTH.path)).await.unwrap();
    let (status, health) = (answer.status().as_u16(), answer.json::<Health>().await.unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    rest.join().unwrap();
    assert_eq!((status, health.ok), (503, false), "{:?}", health.problems);
    let address = coop.worker.address();
    assert!(
        health.problems.iter().any(|p| p.contains(&format!("{address} is not registered"))),
        "{:?}",
        health.problems
    );
}

#[tokio::test]
async fn what_it_cannot_use_is_named_with_its_place() {
    let (coop, dir) = found().await;
    let url = coop.anvil.url();
    let (code, text) = output(&write_config(dir.path(), &url, 31_337, "min_pond = 3"));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("worker.toml:9: key `min_pond`: unknown field"), "{text}");

    let (code, text) = output(&write_config(dir.path(), &url, 1, ""));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("the manifest is of chain 31337, the configuration of chain 1"), "{text}");

    let (code, text) = output(&write_config(dir.path(), "http://127.0.0.1:9", 31_337, ""));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("the RPC at 127.0.0.1:9 does not answer"), "{text}");

    let config = write_config(dir.path(), &url, 31_337, "");
    std::fs::rename(dir.path().join("sealing.key"), dir.path().join("elsewhere.key")).unwrap();
    let (code, text) = output(&config);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("sealing.key"), "{text}");
}

#[test]
fn keygen_prints_the_public_parts_and_keeps_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("worker");
    let arguments = ["keygen", "--out", out.to_str().unwrap()];
    let first = command(&arguments).output().unwrap();
    assert!(first.status.success());
    let public: serde_json::Value = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!(public["address"].as_str().unwrap().len(), 42);
    assert_eq!(public["sealing_key"].as_str().unwrap().len(), 66);
    let kept = std::fs::read(out.join("signing.key")).unwrap();
    let second = command(&arguments).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert_eq!(std::fs::read(out.join("signing.key")).unwrap(), kept);
}
