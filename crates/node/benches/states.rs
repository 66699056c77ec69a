//! What one more event costs a process with 100,000 of them: taken into the state that stands, or all of them folded anew
//! from their JSON in SQLite.
#![allow(clippy::unwrap_used, missing_docs)]

use alloy::primitives::{Address, B256};
use divan::{Bencher, black_box};
use rochdale_chain::events::{Event, Located};
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::{ContributionId, MemberId};
use rochdale_core::ledger::Schedule;
use rochdale_node::states::States;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Row as _, SqlitePool};

const EVENTS: u64 = 100_000;
const PER_BLOCK: u64 = 5;
const SCHEDULE: Schedule = Schedule { genesis: 1, epoch_length: 100_000, lag: 0, attempt_length: 1 };

fn main() {
    divan::main();
}

fn located(n: u64) -> Located {
    let member = MemberId(u32::try_from(n / 3).unwrap());
    let hash = B256::left_padding_from(&n.to_be_bytes());
    let account = Address::left_padding_from(&(n / 3).to_be_bytes());
    let event = match n % 3 {
        0 => Event::Joined { member, account, payout: account, nullifier: hash, row_key_digest: hash },
        1 => Event::ConsentGranted { member, version: 1, receipt_commitment: hash, expiry: 0 },
        _ => Event::ContributionRecorded {
            contribution: ContributionId(n),
            member,
            commitment: hash,
            consent_version: 1,
        },
    };
    let (block_number, log_index) = (1 + n / PER_BLOCK, n % PER_BLOCK);
    Located { block_number, block_hash: hash, timestamp: block_number * 12, log_index, transaction: hash, event }
}

async fn filled(events: &[Located]) -> SqlitePool {
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    let table = "CREATE TABLE events (block_number INTEGER, log_index INTEGER, body TEXT, PRIMARY KEY (block_number, log_index))";
    sqlx::query(table).execute(&pool).await.unwrap();
    for event in events {
        sqlx::query("INSERT INTO events VALUES ($1, $2, $3)")
            .bind(i64::try_from(event.block_number).unwrap())
            .bind(i64::try_from(event.log_index).unwrap())
            .bind(serde_json::to_string(event).unwrap())
            .execute(&pool)
            .await
            .unwrap();
    }
    pool
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn all_folded_anew(bencher: Bencher) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pool = runtime.block_on(filled(&(0..EVENTS).map(located).collect::<Vec<_>>()));
    bencher.bench_local(|| {
        runtime.block_on(async {
            let wanted = "SELECT body FROM events ORDER BY block_number, log_index";
            let rows = sqlx::query(wanted).fetch_all(&pool).await.unwrap();
            let parsed = |row: &sqlx::sqlite::SqliteRow| serde_json::from_str(row.get::<&str, _>(0)).unwrap();
            let events: Vec<Located> = rows.iter().map(parsed).collect();
            let latest = Cooperative::fold(&events);
            (latest, Cooperative::at_block(&events, EVENTS / PER_BLOCK - 64))
        })
    });
}

#[divan::bench(sample_count = 1_000, sample_size = 1)]
fn one_taken_in(bencher: Bencher) {
    let mut states = States::new(SCHEDULE);
    states.apply(&(0..EVENTS).map(located).collect::<Vec<_>>());
    let mut n = EVENTS;
    bencher.bench_local(|| {
        n += PER_BLOCK;
        states.apply(&[located(n)]);
        black_box((states.latest(), states.at_block(states.newest() - 64)))
    });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn restart(bencher: Bencher) {
    let events: Vec<Located> = (0..EVENTS).map(located).collect();
    bencher.bench_local(|| {
        let mut states = States::new(SCHEDULE);
        states.apply(&events);
        states
    });
}
