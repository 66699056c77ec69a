//! `rochdale-year`: runs a simulated year of a cooperative on a chain, and has it audited.

use alloy::primitives::Address;
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context as _, Result, bail};
use clap::Parser;
use rochdale_sim::year::{self, FEWEST, Ground, Node, Over, Plan, Progress, SHORTEST, Summary};
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tokio::process::Command;

/// Runs a simulated year of a cooperative: members, settlements, sales, both houses, a pause, a slash, an upgrade.
#[derive(Parser)]
#[command(name = "rochdale-year", version, after_help = EXAMPLES)]
struct Options {
    /// Epochs of a week.
    #[arg(long, default_value_t = 52, value_name = "N", value_parser = clap::value_parser!(u32).range(i64::from(SHORTEST)..=520))]
    epochs: u32,
    /// People who join over the year.
    #[arg(long, default_value_t = 104, value_name = "N", value_parser = clap::value_parser!(u32).range(i64::from(FEWEST)..=2_000))]
    members: u32,
    /// Of everything that is drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What answers for the chain: an anvil of its own, revm in this process, or an RPC. The time of chain 31337 is moved,
    /// on any other it is waited for.
    #[arg(long, default_value = "anvil", value_name = "anvil|revm|URL")]
    chain: Node,
    /// The chain id, where it is not the local one.
    #[arg(long, value_name = "ID")]
    chain_id: Option<u64>,
    /// A file with the key that pays gas and, on any chain but 31337, everybody's USDC.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The stablecoin [default: a test token, on chain 31337 alone].
    #[arg(long, value_name = "ADDRESS")]
    usdc: Option<Address>,
    /// Where transcript and manifest are written.
    #[arg(long, default_value = "target/year", value_name = "DIR")]
    out: PathBuf,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  rochdale-year
  rochdale-year --epochs 18 --members 40 --json
  rochdale-year --chain revm
  rochdale-year --chain http://127.0.0.1:8545";

/// What a year was.
#[derive(Serialize)]
struct Report {
    epochs: u32,
    members: u32,
    seed: u64,
    seconds: f64,
    transactions: u64,
    #[serde(flatten)]
    summary: Summary,
    audit: serde_json::Value,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot make the directory {}: name one you may write to", options.out.display()))?;
    let ground = Ground {
        node: options.chain.clone(),
        chain_id: options.chain_id,
        payer: options.key.as_deref().map(read_key).transpose()?,
        usdc: options.usdc,
        ..Ground::default()
    };
    let plan = Plan { epochs: options.epochs, members: options.members, seed: options.seed };
    let (start, quiet) = (Instant::now(), options.json);
    let mut told = |progress| {
        if !quiet {
            tell(progress, start);
        }
    };
    let over = year::run(plan, &ground, &mut told).await?;
    let audit = audit(&options.out, &over).await?;
    let summary = over.tally.summary();
    let (seconds, transactions) = (start.elapsed().as_secs_f64(), over.transactions);
    let (epochs, members, seed) = (plan.epochs, plan.members, plan.seed);
    if options.json {
        let report = Report { epochs, members, seed, seconds, transactions, summary, audit };
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    println!("{}", over.tally);
    println!("{:>6}  transactions, in {seconds:.0} s", transactions);
    println!(
        "{:>6}  epochs audited: {}",
        audit["epochs"],
        if audit["agrees"] == true { "all agree" } else { "DIFFER" }
    );
    Ok(())
}

/// A line for each epoch, for whoever watches.
fn tell(at: Progress, start: Instant) {
    eprintln!(
        "epoch {:>3} of {}: {:>4} members, {:>5} interactions, {:>5} transactions, {:>4} s",
        at.epoch,
        at.epochs,
        at.members,
        at.interactions,
        at.transactions,
        start.elapsed().as_secs()
    );
}

fn read_key(path: &Path) -> Result<PrivateKeySigner> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read the key in {}", path.display()))?;
    text.trim().parse().with_context(|| format!("{} holds no secp256k1 key in hexadecimal", path.display()))
}

/// Writes what an auditor is given, and has `rochdale audit` compare it with the chain, which still runs.
async fn audit(out: &Path, over: &Over) -> Result<serde_json::Value> {
    let (transcript, manifest) = (out.join("transcript.json"), out.join("manifest.json"));
    fs::write(&transcript, serde_json::to_vec(&over.transcript)?)
        .with_context(|| format!("cannot write {}", transcript.display()))?;
    over.manifest.save(&manifest)?;
    let program = std::env::current_exe()?.with_file_name("rochdale");
    let mut command = Command::new(&program);
    command.args(["audit", "--json", "--rpc", &over.url().await?]);
    command.arg("--transcript").arg(&transcript).arg("--manifest").arg(&manifest);
    let output = command
        .output()
        .await
        .with_context(|| format!("cannot start {}: build it by `cargo build --workspace --bins`", program.display()))?;
    if !output.status.success() {
        let said = [&output.stdout[..], &output.stderr[..]].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        bail!("the audit found a difference: {}", said.concat());
    }
    serde_json::from_slice(&output.stdout).context("the audit gave no report")
}
