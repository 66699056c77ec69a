//! What a steward does at the end of an epoch, through its own store and settlement code: rows, keys and the scores that entered earlier read and unwrapped, the inputs gathered,
//! the step, both trees, rows wrapped and stored. Chain and peers are left out.
//!
//! `cargo run -p rochdale-steward --example epoch -- 10000 100000 1000000` (the profile of everything else).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use alloy::primitives::{B256, keccak256};
use anyhow::{Context as _, Result, ensure};
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId};
use rochdale_core::ledger::{
    AtCut, Entered, Gathered, Params, RecordAtCut, Revenue, Score, SettledInputs, Used, gather,
};
use rochdale_crypto::RowKey;
use rochdale_steward::config::Config;
use rochdale_steward::keys::{self, Keys};
use rochdale_steward::settlement::Shelf;
use rochdale_steward::store::Store;
use sqlx::Connection as _;

/// Epochs that are settled; the last one is measured, when there is something to read and to forget.
const EPOCHS: u32 = 3;

#[tokio::main]
async fn main() -> Result<()> {
    println!(
        "| members | read and unwrap | gather | step and trees, keys included | wrap and store | all | CPU | peak memory |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for members in std::env::args().skip(1) {
        measure(members.parse().context("name numbers of members")?).await?;
    }
    Ok(())
}

async fn measure(members: u32) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let shelf = shelf(dir.path(), members).await?;
    for epoch in (1..=EPOCHS).map(Epoch) {
        let (start, cpu) = (Instant::now(), cpu()?);
        let before = shelf.before(epoch).await?;
        let entered = shelf.store.entered().await?;
        let read = start.elapsed();
        let inputs = inputs(epoch, members, &entered)?;
        drop(entered);
        let gathered = start.elapsed() - read;
        let computed = shelf.settle(&before.books, settled(inputs.inputs), inputs.entered).await?;
        ensure!(computed.round.settled.rows.len() == members as usize, "rows are missing");
        let computed_in = start.elapsed() - read - gathered;
        drop(before);
        shelf.record(computed).await?;
        let all = start.elapsed();
        if epoch.0 == EPOCHS {
            let stored = all - read - gathered - computed_in;
            println!(
                "| {members} | {read:.2?} | {gathered:.2?} | {computed_in:.2?} | {stored:.2?} | {all:.2?} | {:.1} s | {} MiB |",
                self::cpu()? - cpu,
                peak()?
            );
        }
    }
    Ok(())
}

/// Everybody's newest record enters, half of the older ones were used, somebody paid.
fn inputs(epoch: Epoch, members: u32, before: &[Entered]) -> Result<Gathered> {
    let id = |epoch: u32, member: u32| ContributionId(u64::from(epoch - 1) * u64::from(members) + u64::from(member));
    let record = |epoch: u32, member: u32| RecordAtCut {
        id: id(epoch, member),
        member: MemberId(member),
        erased: false,
        active: true,
    };
    let at_cut = AtCut {
        members,
        active: (1..=members).map(MemberId).collect(),
        erased: Vec::new(),
        revenue: Revenue::of([(LicenseId(1), DatasetId(1), 75_000_000_000)])?,
        records: (1..=epoch.0).flat_map(|epoch| (1..=members).map(move |member| record(epoch, member))).collect(),
    };
    let used: Vec<ContributionId> = (1..=members).step_by(2).map(|member| id(1, member)).collect();
    let agreed = |id: ContributionId| {
        let quality = 5_000 + u16::try_from(id.0 % 5_000).ok()?;
        let score = Score { quality, uniqueness: 10_000, authenticity: 3_000, rarity: 10_000 };
        Some((score, keccak256(id.0.to_be_bytes())))
    };
    Ok(gather(epoch, at_cut, before, Vec::new(), Used::Snapshots(&[&used]), agreed)?)
}

fn settled(inputs: rochdale_core::ledger::EpochInputs) -> SettledInputs {
    SettledInputs {
        params: Params { min_licenses: 1, min_datasets: 1, ..Params::default() },
        inputs,
        attempt: 0,
        sheet: B256::ZERO,
        root: B256::ZERO,
        unkeyed: BTreeSet::new(),
        stand_ins: BTreeMap::new(),
        sums: None,
    }
}

/// A steward's store with everybody's keys.
async fn shelf(dir: &Path, members: u32) -> Result<Shelf> {
    keys::generate(dir, Some(&dir.join("committee.key")))?;
    let config = "listen = \"127.0.0.1:0\"\nrpc_url = \"http://127.0.0.1:1\"\nchain_id = 31337\nmanifest = \"manifest.json\"\n\
                  data_dir = \"data\"\nkey_file = \"signing.key\"\nsealing_key_file = \"sealing.key\"\n\
                  committee_key_file = \"committee.key\"\ngateway_url = \"http://127.0.0.1:1\"\n\n\
                  [budget]\nlifetime = 1000000000\nper_year = 250000000\ndepth = 0\n";
    std::fs::write(dir.join("steward.toml"), config)?;
    let config = Config::load(&dir.join("steward.toml"))?;
    let store = Store::open(&config.data_dir).await?;
    let keys = Arc::new(Keys::load(&config, &store).await?);
    let file = config.data_dir.join("steward.db");
    let mut db = sqlx::SqliteConnection::connect(&format!("sqlite://{}", file.display())).await?;
    let mut tx = db.begin().await?;
    for member in (1..=members).map(MemberId) {
        let (key, wrapped) = keys.replacement(member);
        let row_key = key.wrap_row_key(&RowKey::random(&mut rand::rng()), &mut rand::rng());
        for (sql, bytes) in [
            ("INSERT INTO member_keys (member_id, wrapped) VALUES ($1, $2)", wrapped),
            ("INSERT INTO row_keys (member_id, wrapped) VALUES ($1, $2)", row_key),
        ] {
            sqlx::query(sql).bind(i64::from(member.0)).bind(bytes).execute(&mut *tx).await?;
        }
    }
    tx.commit().await?;
    db.close().await?;
    Ok(Shelf { store, keys, depth: rochdale_core::ledger::DEPTH })
}

/// Seconds of processor that this process used.
fn cpu() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| -> Result<f64> { Ok(fields.get(at).context("no such field")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// The most memory that it held, in MiB.
fn peak() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no peak")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? / 1024)
}
