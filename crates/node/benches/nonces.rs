//! What a nonce costs while 500,000 others are remembered: `cargo bench -p rochdale-node`.
#![allow(clippy::unwrap_used)]

use std::cell::Cell;

use alloy::primitives::{Address, U256};
use divan::Bencher;
use rochdale_node::nonces::Nonces;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tokio::runtime::Runtime;

/// Nonces that are remembered already: of a hundred signers.
const ROWS: u32 = 500_000;
const NOW: u64 = 1_000_000;

fn main() {
    divan::main();
}

async fn filled(dir: &std::path::Path) -> Nonces {
    let nonces = Nonces::open(dir).await.unwrap();
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(dir.join("nonces.db"))).await.unwrap();
    let rows = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
         INSERT INTO nonces SELECT CAST(printf('%020d', i % 100) AS BLOB), randomblob(32), {NOW} + i % 1800 FROM n"
    );
    sqlx::query(sqlx::AssertSqlSafe(rows)).execute(&pool).await.unwrap();
    pool.close().await;
    nonces
}

fn setup() -> (Runtime, tempfile::TempDir, Nonces) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let nonces = runtime.block_on(filled(dir.path()));
    (runtime, dir, nonces)
}

#[divan::bench(sample_count = 1_000, sample_size = 1)]
fn a_new_one(bencher: Bencher) {
    let (runtime, _dir, nonces) = setup();
    let next = Cell::new(0u64);
    bencher.bench_local(|| {
        next.set(next.get() + 1);
        assert!(runtime.block_on(nonces.use_once(Address::ZERO, U256::from(next.get()), NOW, NOW)).unwrap());
    });
}

#[divan::bench(sample_count = 1_000, sample_size = 1)]
fn one_that_was_used(bencher: Bencher) {
    let (runtime, _dir, nonces) = setup();
    assert!(runtime.block_on(nonces.use_once(Address::ZERO, U256::ONE, NOW, NOW)).unwrap());
    bencher.bench_local(|| {
        assert!(!runtime.block_on(nonces.use_once(Address::ZERO, U256::ONE, NOW, NOW)).unwrap());
    });
}
