//! The local chain outlasts anvil, the process that keeps it, and the machine.

use std::path::Path;
use std::sync::Arc;

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, U256};
use alloy::providers::Provider as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rochdale_chain::bindings::TestUSDC;
use rochdale_chain::client::{BlockRef, Chain, Sender};
use rochdale_chain::deploy::{CoopConfig, Manifest, deploy, verify};
use rochdale_chain::local::LocalChain;
use rochdale_chain::local::kept::{self, KeptChain, KeptOptions, Restored};
use rochdale_testkit::anvil::{actors, connect, role_key};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A kept chain, served.
struct Site {
    kept: Arc<KeptChain>,
    chain: Chain,
    restored: Restored,
    server: JoinHandle<()>,
}

impl Site {
    async fn open(directory: &Path) -> Self {
        let options = KeptOptions { directory: directory.to_owned(), runner: Vec::new() };
        let (kept, restored) = KeptChain::open(options).await.unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let kept = Arc::new(kept);
        let served = Arc::clone(&kept);
        let server = tokio::spawn(async move { kept::serve(served, listener).await.unwrap() });
        let (chain, _) = connect(&url).await.unwrap();
        Self { kept, chain, restored, server }
    }

    async fn founder(&self) -> Sender {
        let founder = Sender::new(self.chain.clone(), role_key("founder"));
        let local = LocalChain::new(&self.chain).unwrap();
        local.set_balance(founder.address(), U256::from(10).pow(U256::from(21))).await.unwrap();
        founder
    }

    async fn close(self) {
        self.kept.close().await.unwrap();
        self.server.abort();
    }

    /// As a power cut: nothing more is written, anvil is gone.
    async fn cut(self) {
        kill_anvil(&self.kept).await;
        self.server.abort();
    }

    async fn block(&self, id: BlockId) -> BlockRef {
        self.chain.block(id).await.unwrap()
    }

    async fn expect(&self, blocks: &[BlockRef]) {
        for block in blocks {
            assert_eq!(self.block(block.number.into()).await, *block);
        }
    }
}

async fn kill_anvil(kept: &KeptChain) {
    let pid = i32::try_from(kept.pid().await.unwrap()).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    while kept.is_running().await {
        tokio::task::yield_now().await;
    }
}

async fn found(site: &Site) -> (Manifest, CoopConfig) {
    let config = CoopConfig::demo(actors());
    (deploy(&site.founder().await, &config, None, |_| {}).await.unwrap(), config)
}

/// Whom the n-th payment goes to.
fn payee(n: u64) -> Address {
    Address::left_padding_from(&(0x1000 + n).to_be_bytes())
}

/// Mints a micro-USDC to the n-th payee.
async fn pay(sender: &Sender, usdc: Address, n: u64) {
    sender.send(usdc, &TestUSDC::mintCall { to: payee(n), amount: U256::from(1) }).await.unwrap();
}

async fn paid(chain: &Chain, usdc: Address, n: u64) -> U256 {
    chain.view(usdc, &TestUSDC::balanceOfCall { account: payee(n) }).await.unwrap()
}

fn files(directory: &Path) -> Vec<String> {
    let names = std::fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|n| n.ends_with(".gz") || n.ends_with(".journal")).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_starts_and_stops_keep_every_block() {
    let directory = tempfile::tempdir().unwrap();
    let mut site = Site::open(directory.path()).await;
    let genesis = site.block(BlockId::number(0)).await;
    let (manifest, config) = found(&site).await;
    let mut seen = vec![genesis, manifest.base];
    for round in 0..10 {
        pay(&site.founder().await, manifest.addresses.usdc, round).await;
        seen.push(site.block(BlockId::latest()).await);
        site.close().await;
        site = Site::open(directory.path()).await;
        assert_eq!(site.restored.notice(), None, "it ended well");
        site.expect(&seen).await;
        let head = site.chain.head().await.unwrap();
        assert!(head.finalized.number >= seen.last().unwrap().number, "what was newest is final after a start");
        site.chain
            .view_at(manifest.addresses.usdc, &TestUSDC::decimalsCall {}, BlockId::hash(head.finalized.hash))
            .await
            .unwrap();
        assert_eq!(files(directory.path()).len(), 4, "two dumps with their journals: {:?}", files(directory.path()));
    }
    verify(&site.chain, &manifest, &config).await.unwrap();
    site.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_anvil_comes_back_hash_for_hash() {
    let directory = tempfile::tempdir().unwrap();
    let site = Site::open(directory.path()).await;
    let (manifest, config) = found(&site).await;
    let local = LocalChain::new(&site.chain).unwrap();
    local.time_to(site.chain.now().await.unwrap() + 1_000_000, 2).await.unwrap();
    let founder = site.founder().await;
    let mut seen = Vec::new();
    for n in 0..10 {
        pay(&founder, manifest.addresses.usdc, n).await;
        seen.push(site.block(BlockId::latest()).await);
    }
    for _ in 0..3 {
        kill_anvil(&site.kept).await;
        assert!(site.chain.now().await.is_err());
        let restored = site.kept.revive().await.unwrap();
        assert_eq!((restored.lost, restored.again), (0, 0), "{restored:?}");
        site.expect(&seen).await;
        let now = site.chain.now().await.unwrap();
        assert!(now >= seen.last().unwrap().timestamp, "time goes on");
        assert!(now < seen.last().unwrap().timestamp + 60, "time was moved, and goes on from there");
    }
    for n in 0..10 {
        assert_eq!(paid(&site.chain, manifest.addresses.usdc, n).await, U256::from(1));
    }
    verify(&site.chain, &manifest, &config).await.unwrap();
    site.close().await;
}

/// The files as they stand at some moment.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for name in files(from) {
        // A file that is replaced at this moment is one of the older two.
        let _ = std::fs::copy(from.join(&name), to.join(&name));
    }
}

/// Leaves half of the line that follows the last transaction in the newest journal. More blocks may stand behind it: one is mined each second.
fn cut_behind_the_last_transaction(directory: &Path) {
    let path = directory.join(files(directory).into_iter().rfind(|n| n.ends_with(".journal")).unwrap());
    let text = std::fs::read_to_string(&path).unwrap();
    let sent = text.rfind("{\"sent\"").expect("a transaction since the last dump");
    let block = sent + text[sent..].find("{\"mined\"").expect("its block");
    std::fs::write(&path, &text[..block + 7]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_stops_at_any_moment_loses_nothing_that_was_answered() {
    let directory = tempfile::tempdir().unwrap();
    let site = Site::open(&directory.path().join("live")).await;
    let (manifest, _) = found(&site).await;
    let (usdc, founder) = (manifest.addresses.usdc, site.founder().await);
    let mut next = 0;
    for round in 0..8u64 {
        let before: Vec<u64> = (0..next).collect();
        let finalized = site.chain.head().await.unwrap().finalized;
        let sending = tokio::spawn({
            let founder = founder.clone();
            async move {
                for n in next..next + 12 {
                    pay(&founder, usdc, n).await;
                }
            }
        });
        tokio::time::sleep(std::time::Duration::from_millis(13 * round)).await;
        let image = directory.path().join(format!("image-{round}"));
        copy(&directory.path().join("live"), &image);
        sending.await.unwrap();
        next += 12;
        let again = Site::open(&image).await;
        assert_eq!(again.restored.lost, 0, "{:?}", again.restored);
        again.expect(&[finalized, manifest.base]).await;
        for n in before {
            assert_eq!(paid(&again.chain, usdc, n).await, U256::from(1), "payment {n} in round {round}");
        }
        again.close().await;
    }
    site.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_was_taken_and_not_noted_in_a_block_is_mined_after_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let site = Site::open(&directory.path().join("live")).await;
    let (manifest, _) = found(&site).await;
    pay(&site.founder().await, manifest.addresses.usdc, 1).await;
    // A block that is mined meanwhile does not change what follows.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    // The line of its block did not reach the disk whole.
    let image = directory.path().join("image");
    copy(&directory.path().join("live"), &image);
    site.close().await;
    cut_behind_the_last_transaction(&image);
    let again = Site::open(&image).await;
    assert_eq!((again.restored.lost, again.restored.again), (0, 1), "{:?}", again.restored);
    assert_eq!(paid(&again.chain, manifest.addresses.usdc, 1).await, U256::from(1));
    again.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_dump_is_named_and_the_one_before_with_its_journal_does() {
    let directory = tempfile::tempdir().unwrap();
    let site = Site::open(directory.path()).await;
    let (manifest, _) = found(&site).await;
    site.kept.close().await.unwrap();
    let site = Site::open(directory.path()).await;
    let founder = Sender::new(site.chain.clone(), role_key("founder"));
    pay(&founder, manifest.addresses.usdc, 1).await;
    let seen = site.block(BlockId::latest()).await;
    site.close().await;
    let newest = files(directory.path()).into_iter().rfind(|n| n.ends_with(".gz")).unwrap();
    let path = directory.path().join(&newest);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let site = Site::open(directory.path()).await;
    assert!(site.restored.damaged[0].contains(&newest), "{:?}", site.restored);
    assert_eq!(site.restored.lost, 0, "{:?}", site.restored);
    site.expect(&[seen]).await;
    assert_eq!(paid(&site.chain, manifest.addresses.usdc, 1).await, U256::from(1));
    site.cut().await;
    // Nothing that can be read: that is said, and no chain is begun anew in its place.
    for name in files(directory.path()).iter().filter(|n| n.ends_with(".gz")) {
        std::fs::write(directory.path().join(name), b"no").unwrap();
    }
    let options = KeptOptions { directory: directory.path().to_owned(), runner: Vec::new() };
    let error = KeptChain::open(options).await.unwrap_err().to_string();
    assert!(error.contains("no dump of the local chain") && error.contains("put a copy"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_and_a_refused_transaction_are_answered_as_anvil_answers() {
    let directory = tempfile::tempdir().unwrap();
    let site = Site::open(directory.path()).await;
    let body = br#"[{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]},{"jsonrpc":"2.0","id":2,"method":"evm_mine","params":[]},{"jsonrpc":"2.0","id":3,"method":"eth_sendRawTransaction","params":["0x02"]}]"#;
    let answer: serde_json::Value = serde_json::from_slice(&site.kept.answer(body.to_vec()).await.unwrap()).unwrap();
    assert_eq!(answer[0]["result"], "0x7a69");
    assert_eq!(answer[1]["id"], 2);
    assert!(answer[2]["error"]["message"].is_string(), "{answer}");
    let hash: Option<B256> = site.chain.provider().get_block(BlockId::latest()).await.unwrap().map(|b| b.header.hash);
    assert!(hash.is_some());
    site.close().await;
}
