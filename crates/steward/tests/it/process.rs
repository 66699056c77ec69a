//! The binary itself: killed in the middle of a settlement, stopped, misconfigured.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::Result;
use rochdale_core::ids::Epoch;
use rochdale_steward::config::Config;
use rochdale_steward::store::Store;

use crate::world::World;

const BINARY: &str = env!("CARGO_BIN_EXE_rochdale-steward");

/// A process that ends with the test.
struct Process(Child);

impl Process {
    fn run(config: &Path) -> Self {
        let mut command = Command::new(BINARY);
        command.arg("run").arg("--config").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn terminate(&self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The configuration of a steward as a file.
fn file(config: &Config) -> PathBuf {
    let path = config.data_dir.join("steward.toml");
    let peers: String = config
        .peers
        .iter()
        .map(|peer| format!("\n[[peers]]\nsteward = {}\nurl = {:?}\n", peer.steward, peer.url))
        .collect();
    let text = format!(
        "listen = \"{}\"\nrpc_url = {:?}\nchain_id = {}\nmanifest = {:?}\ndata_dir = \".\"\nkey_file = \"signing.key\"\n\
         sealing_key_file = \"sealing.key\"\ncommittee_key_file = {:?}\ngateway_url = {:?}\npoll_ms = 30\n\n\
         [budget]\nlifetime = {}\nper_year = {}\n{peers}",
        config.listen,
        config.rpc_url,
        config.chain_id,
        config.manifest,
        config.committee_key_file,
        config.gateway_url,
        config.budget.lifetime,
        config.budget.per_year,
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn once(arguments: &[&str], path: &Path) -> Output {
    Command::new(BINARY).args(arguments).arg(path).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_in_the_middle_of_a_settlement_goes_on_where_it_was() -> Result<()> {
    let mut world = World::start(&[1, 2, 3]).await?;
    let ada = world.member(1).await?;
    world.contribute(&[(&ada, world.record(1).await?)]).await?;
    world.scored(1).await?;
    for seat in 1..=3 {
        world.down(seat).await?;
    }
    let config = world.configs[1].clone();
    let path = file(&config);
    let mut process = Process::run(&path);
    world.attempt(1, 0).await?;
    let store = Store::open(&config.data_dir).await?;
    world
        .until("a signed header", async || {
            world.coop.local.mine(1).await?;
            Ok(store.signed_header(Epoch(1), 0).await?.is_some())
        })
        .await?;
    process.0.kill()?;
    process.0.wait()?;
    let signed = store.signed_header(Epoch(1), 0).await?;
    store.close().await;

    world.up(3).await?;
    let mut process = Process::run(&path);
    world.settled(1).await?;
    let proposal = &world.proposals()[0];
    assert_eq!(proposal.header, world.header(1).await?);
    assert_eq!(proposal.signatures[0].signature.as_ref(), signed.unwrap().1.as_slice());

    process.terminate();
    let status = process.0.wait()?;
    assert!(status.success(), "SIGTERM ends it cleanly: {status}");
    world
        .until("its own copy of the epoch", async || {
            let mut process = Process::run(&path);
            world.coop.local.mine(1).await?;
            let store = Store::open(&config.data_dir).await?;
            let start = std::time::Instant::now();
            while store.settled().await? < Epoch(1) && start.elapsed().as_secs() < 5 {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            process.terminate();
            process.0.wait()?;
            Ok(store.settled().await? == Epoch(1))
        })
        .await?;
    let audited = Command::new(BINARY).args(["audit", "--json", "--config"]).arg(&path).output()?;
    let report: serde_json::Value = serde_json::from_slice(&audited.stdout)?;
    assert!(audited.status.success() && report["agrees"] == true && report["epoch"] == 1, "{report}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_misconfigured_is_named() -> Result<()> {
    let world = World::start(&[]).await?;
    let path = file(&world.configs[0]);
    let good = std::fs::read_to_string(&path)?;
    let cases = [
        (good.replace("poll_ms", "pol_ms"), "steward.toml:10: key `pol_ms`: unknown field"),
        (
            good.replace("chain_id = 31337", "chain_id = 1"),
            "the manifest is of chain 31337, the configuration of chain 1",
        ),
        (good.replace("\"signing.key\"", "\"sealing.key\""), "rochdale-signing-key-v1"),
        (good.replace(&world.coop.anvil.url(), "http://127.0.0.1:1"), "127.0.0.1:1 does not answer"),
    ];
    for (text, says) in cases {
        std::fs::write(&path, text)?;
        let output = once(&["run", "--config"], &path);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(says), "wanted {says:?}: {error}");
    }
    let absent = once(&["audit", "--config"], Path::new("nowhere.toml"));
    assert!(!absent.status.success());
    assert!(String::from_utf8_lossy(&absent.stderr).contains("nowhere.toml: cannot be read"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_lifts_a_halt() -> Result<()> {
    let world = World::start(&[]).await?;
    let path = file(&world.configs[0]);
    let store = Store::open(&world.configs[0].data_dir).await?;
    store.halt("settlement", "a proposal does not recompute").await?;
    let resume = |duty| once(&["resume", "--duty", duty, "--config"], &path);
    let other = resume("awards");
    let error = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(!other.status.success() && error.contains("`awards` is not halted; halted: settlement"), "{error}");
    let lifted = resume("settlement");
    assert!(lifted.status.success());
    assert!(String::from_utf8_lossy(&lifted.stdout).contains("a proposal does not recompute"));
    assert!(store.halts().await?.is_empty());
    assert!(String::from_utf8_lossy(&resume("settlement").stderr).contains("halted: nothing"));
    Ok(())
}

#[test]
fn keys_are_drawn_once_and_only_their_public_parts_are_printed() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("steward");
    let first = once(&["keygen", "--out"], &out);
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let public: serde_json::Value = serde_json::from_slice(&first.stdout).unwrap();
    let secret = std::fs::read_to_string(out.join("signing.key")).unwrap();
    let digits = secret.trim().rsplit(' ').next().unwrap();
    assert!(public["address"].as_str().unwrap().starts_with("0x"));
    assert!(!String::from_utf8_lossy(&first.stdout).contains(digits));
    let again = once(&["keygen", "--out"], &out);
    assert!(!again.status.success(), "an existing key is never overwritten");
    assert_eq!(std::fs::read_to_string(out.join("signing.key")).unwrap(), secret);
}
