//! A pending root, stopped and answered for by typed commands; nothing but the chain and one steward's page is asked.

use crate::support::{Up, fails, json, port};
use alloy::primitives::{B256, Bytes, U256, keccak256};
use alloy::providers::Provider as _;
use alloy::rpc::types::Filter;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolEvent as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rochdale_api::settlement::{AnswerRequest, DemandAnswer};
use rochdale_chain::bindings::{Disputes, SettlementLedger};
use rochdale_chain::client::{Chain, ChainOptions, Sender, SystemClock};
use rochdale_chain::deploy::Manifest;
use rochdale_chain::events::{Follower, MemoryStore};
use rochdale_chain::local::LocalChain;
use rochdale_chain::state::Cooperative;
use rochdale_chain::{dispute, eip712};
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{
    Amounts, Header, Inputs, NewLeaf, OpenedInputs, Row, Tree, empty_root, input_blinder, inputs_leaf, leaf,
    private_hash, salt,
};
use rochdale_crypto::keyfile::{self, KeyKind};
use rochdale_testkit::anvil::{TestCoop, role_key};
use rochdale_testkit::fixtures;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PRIVATE: B256 = B256::repeat_byte(7);

fn key_file(dir: &Path, key: &PrivateKeySigner) -> PathBuf {
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = dir.join(format!("{}.key", key.address()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
    writeln!(file, "rochdale-signing-key-v1 {}", alloy::hex::encode(key.to_bytes())).unwrap();
    path
}

fn tree(coop: &TestCoop) -> Tree {
    let hash = leaf(MemberId(1), &Amounts::default(), PRIVATE);
    Tree::new(coop.manifest.tree_depth, &[hash]).unwrap()
}

/// A quorum proposes a root of one member's empty row.
async fn propose(coop: &TestCoop, attempt: u32) {
    let start = coop.manifest.schedule().start(Epoch(1), attempt);
    coop.local.time_to(start, 1).await.unwrap();
    let header = Header {
        previous_root: empty_root(coop.manifest.tree_depth),
        root: tree(coop).root(),
        params_hash: coop.manifest.ledger.hash(),
        inputs_root: keccak256(b"inputs"),
        sheet_digest: keccak256(b"sheet"),
        ..fixtures::header(Epoch(1), attempt)
    };
    let signed = eip712::Header::from(&header);
    let sign = |key| eip712::sign(key, &signed, &coop.manifest.settlement_domain()).unwrap();
    let signatures = coop.stewards[..2].iter().map(sign).collect();
    let call = SettlementLedger::proposeCall { h: signed.clone().into(), signatures };
    coop.relayer.send(coop.manifest.addresses.settlement_ledger, &call).await.unwrap();
}

async fn demand(coop: &TestCoop, attempt: u32) {
    let asked = Disputes::Demand { memberId: 1, epoch: 1, attempt, kind: 0, deadline: U256::ZERO };
    let call = Disputes::demandCall { r: asked, signature: Bytes::new() };
    let member = coop.sender("member-1").await.unwrap();
    member.send(coop.manifest.addresses.disputes, &call).await.unwrap();
}

/// A steward that answers one question: the demanded row.
fn steward(answer: &AnswerRequest) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let body = serde_json::to_string(answer).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 4_096];
        let read = stream.read(&mut asked).unwrap();
        let found = asked[..read].starts_with(b"GET /v1/settlement/answers/1 ");
        let status = if found { "200 OK" } else { "404 Not Found" };
        let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}", body.len());
        write!(stream, "{head}\r\nconnection: close\r\n\r\n{body}").unwrap();
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_is_objected_to_answered_for_and_voided_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let coop = TestCoop::deploy().await.unwrap();
    assert_eq!(coop.join(&coop.member_key(1)).await.unwrap(), MemberId(1));
    let manifest = dir.path().join("elsewhere.json");
    coop.manifest.save(&manifest).unwrap();
    let (rpc, state) = (coop.anvil.url(), dir.path().join("state"));
    let steward_key = key_file(dir.path(), &role_key("steward-3"));
    let key = key_file(dir.path(), &role_key("anybody"));
    let (steward_key, key) = (steward_key.to_str().unwrap(), key.to_str().unwrap());
    let common =
        ["--json", "--rpc", &rpc, "--manifest", manifest.to_str().unwrap(), "--state", state.to_str().unwrap()];
    let run = |args: &[&str], more: &[&str]| -> Value { json(&[&["dispute"][..], args, more, &common[..]].concat()) };
    let refused =
        |args: &[&str], more: &[&str]| -> String { fails(&[&["dispute"][..], args, more, &common[..]].concat()) };
    let object = ["object", "--epoch", "1", "--attempt", "0", "--yes", "--key"];
    assert_eq!(run(&["show"], &[])["pending"], Value::Null);
    assert!(refused(&object, &[steward_key]).contains("no root is pending"));

    propose(&coop, 0).await;
    let pending = run(&["show"], &[])["pending"].clone();
    assert_eq!((pending["epoch"].as_u64(), pending["attempt"].as_u64()), (Some(1), Some(0)), "{pending}");
    let other = refused(&["object", "--epoch", "1", "--attempt", "7", "--key"], &[steward_key]);
    assert!(other.contains("epoch 1, attempt 0 is pending, not epoch 1, attempt 7"), "{other}");
    let absent = refused(&object, &["nowhere.key"]);
    assert!(
        absent.contains("there is no key file") && absent.contains("nowhere.key") && !Path::new("nowhere.key").exists(),
        "{absent}"
    );
    let seatless = refused(&["object", "--epoch", "1", "--attempt", "0", "--steward"], &["3"]);
    assert!(seatless.contains("there is no key file") && seatless.contains("steward-3/signing.key"), "{seatless}");
    let stranger = refused(&object, &[key]);
    assert!(stranger.contains("object(uint32,uint32) at") && stranger.contains("StewardBonds_"), "{stranger}");

    // The gateway withholds the answer; whoever has a key carries it.
    let unasked = refused(&["void", "--member", "1", "--key"], &[key]);
    assert!(unasked.contains("Disputes_NotDemanded"), "{unasked}");
    demand(&coop, 0).await;
    let due = refused(&["void", "--member", "1", "--key"], &[key]);
    assert!(due.contains("Disputes_AnswerStillDue"), "{due}");
    let proof = tree(&coop).proof(MemberId(1)).unwrap();
    let leaf = NewLeaf { shown: Amounts::default(), private_hash: PRIVATE, proof };
    let answer = AnswerRequest { epoch: Epoch(1), attempt: 0, member_id: MemberId(1), answer: DemandAnswer::Row(leaf) };
    let silent = refused(&["answer", "--member", "1", "--from", "http://127.0.0.1:9", "--key"], &[key]);
    assert!(silent.contains("no steward gives what member 1 demands") && silent.contains("127.0.0.1:9"), "{silent}");
    let another = refused(&["answer", "--member", "2", "--key", key, "--from"], &[&steward(&answer)]);
    assert!(another.contains("no steward gives what member 2 demands"), "{another}");
    let carried = run(&["answer", "--member", "1", "--key", key, "--from"], &[&steward(&answer)]);
    assert!(carried["tx"].as_str().is_some_and(|tx| tx.len() == 66), "{carried}");

    let unasked = refused(&["object", "--epoch", "1", "--attempt", "0", "--key"], &[steward_key]);
    assert!(unasked.contains("USDC of the bond") && unasked.contains("add --yes"), "{unasked}");
    assert!(!run(&["show"], &[])["pending"]["final_at"].is_null(), "nothing was sent");
    run(&object, &[steward_key]);
    let frozen = run(&["show"], &[])["pending"].clone();
    assert_eq!((frozen["attempt"].as_u64(), &frozen["final_at"]), (Some(0), &Value::Null), "{frozen}");
    assert!(refused(&object, &[steward_key]).contains("the member house decides"));
    assert!(refused(&["lapse", "--key"], &[key]).contains("Disputes_NotLapsed"));
    let now = coop.chain.now().await.unwrap();
    coop.local.time_to(now + 14 * 86_400, 1).await.unwrap();
    run(&["lapse", "--key"], &[key]);
    assert_eq!(run(&["show"], &[])["pending"], Value::Null);

    propose(&coop, 1).await;
    demand(&coop, 1).await;
    let now = coop.chain.now().await.unwrap();
    coop.local.time_to(now + 86_401, 1).await.unwrap();
    run(&["void", "--member", "1", "--key"], &[key]);
    assert_eq!(run(&["show"], &[])["pending"], Value::Null);
}

/// Looks again until something is so.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(120);
    while !holds().await {
        assert!(Instant::now() < patience, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn point_15_a_member_types_contest_and_demand_against_running_stewards() {
    let dir = tempfile::tempdir().unwrap();
    let (state, port) = (dir.path().join("state"), port());
    let up = Up::start(&state, port);
    for name in ["ada", "bo"] {
        up.json(&["member", "join", "--name", name]);
        up.json(&["member", "consent", "--name", name]);
    }
    let contest = ["member", "contest", "--name", "ada"];
    let early = up.fails(&contest);
    assert!(early.contains("no steward opens the row"), "nothing is pending: {early}");
    assert_eq!(up.json(&["epoch", "settle"])["state"], "final");

    // The next epoch is proposed and its window is open.
    let url = format!("http://127.0.0.1:{}", port + 145);
    let chain = Chain::connect(&url, ChainOptions::new(31_337), Arc::new(SystemClock::default())).await.unwrap();
    let manifest = Manifest::load(&state.join("manifest.json")).unwrap();
    let local = LocalChain::new(&chain).unwrap();
    local.time_to(manifest.schedule().start(Epoch(2), 0) + 1, 3).await.unwrap();
    let mut right = Value::Null;
    until("a pending root that a steward opens", async || {
        local.mine(1).await.unwrap();
        let output = crate::support::run(&up.args(&contest));
        right = serde_json::from_slice(&output.stdout).unwrap_or_default();
        output.status.success()
    })
    .await;
    assert_eq!(
        (&right["epoch"], &right["wrong"], &right["mined"]),
        (&2.into(), &false.into(), &Value::Null),
        "{right}"
    );

    // Each kind of demand is sent, and a steward publishes what was demanded.
    let published = async |signature: B256| {
        let filter = Filter::new().address(manifest.addresses.disputes).event_signature(signature).from_block(0);
        chain.provider().get_logs(&filter).await.unwrap().len()
    };
    let kinds =
        [("row", Disputes::RowPublished::SIGNATURE_HASH), ("inputs", Disputes::InputsPublished::SIGNATURE_HASH)];
    for (kind, event) in kinds {
        assert_eq!(published(event).await, 0);
        let sent = up.json(&["member", "demand", "--name", "ada", "--kind", kind]);
        assert!(sent.to_string().contains("0x"), "{sent}");
        until("the answer", async || {
            local.mine(1).await.unwrap();
            published(event).await == 1
        })
        .await;
    }
    // What was published opens as what stewards showed: the row is right still, and the root stands.
    assert_eq!(up.json(&contest)["wrong"], false);
    let voided = Filter::new()
        .address(manifest.addresses.settlement_ledger)
        .event_signature(SettlementLedger::Voided::SIGNATURE_HASH)
        .from_block(0);
    assert!(chain.provider().get_logs(&voided).await.unwrap().is_empty());
    lie(&up, &chain, &manifest).await;
}

/// Stops the stewards' processes, or lets them go on.
fn signal(state: &Path, what: Signal) {
    let is_ours = |process: &Path| {
        let line = std::fs::read_to_string(process.join("cmdline")).unwrap_or_default();
        line.contains("rochdale-steward") && line.contains(state.to_str().unwrap())
    };
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let pids: Vec<i32> =
        processes.filter(|path| is_ours(path)).filter_map(|p| p.file_name()?.to_str()?.parse().ok()).collect();
    assert_eq!(pids.len(), 3, "three stewards run");
    pids.into_iter().for_each(|pid| kill(Pid::from_raw(pid), what).unwrap());
}

async fn latest(chain: &Chain, manifest: &Manifest) -> Cooperative {
    let mut follower = Follower::new(chain.clone(), manifest, MemoryStore::default());
    follower.step().await.unwrap();
    Cooperative::fold(follower.store().events())
}

/// Two stewards' keys sign epoch 3 with a row of ada's that is not hers, and show nobody anything: she demands row and inputs, and what they
/// publish is what she has the chain replay.
async fn lie(up: &Up, chain: &Chain, manifest: &Manifest) {
    let (local, ada) = (LocalChain::new(chain).unwrap(), MemberId(1));
    let before = latest(chain, manifest).await;
    let last = before.proposals[&Epoch(2)].clone();
    let payer = Sender::new(chain.clone(), PrivateKeySigner::random());
    local.set_balance(payer.address(), U256::from(10u128.pow(20))).await.unwrap();
    // Honest stewards would propose first.
    signal(&up.state, Signal::SIGSTOP);
    let now = chain.now().await.unwrap();
    let start = manifest.schedule().start(Epoch(3), 0).max(last.final_at + 1).max(now + 1);
    local.time_to(start, 1).await.unwrap();
    let row_key: B256 = std::fs::read_to_string(up.state.join("members/ada/row.key")).unwrap().trim().parse().unwrap();
    let (salt, blinder) = (salt(&row_key.0, Epoch(3)), input_blinder(&row_key.0, Epoch(3)));
    let false_row = Row { join_epoch: 3, ..Row::default() };
    let shown = Amounts::default();
    let private_hash = private_hash(&false_row, salt);
    let inputs = Inputs { active: true, ..Inputs::default() };
    let tree = |of_ada: B256| Tree::new(manifest.tree_depth, &[of_ada, B256::repeat_byte(5)]).unwrap();
    let rows = tree(leaf(ada, &shown, private_hash));
    let inputs_tree = tree(inputs_leaf(ada, &inputs, blinder));
    let attempt = manifest.schedule().attempt(Epoch(3), start).unwrap();
    let header = Header {
        epoch: Epoch(3),
        attempt,
        previous_root: last.header.root,
        root: rows.root(),
        inputs_root: inputs_tree.root(),
        sheet_digest: keccak256(b"a sheet that nobody shows"),
        ..last.header
    };
    let signed = eip712::Header::from(&header);
    let sign = |steward: &str| {
        let secret = keyfile::load(&up.state.join(steward).join("signing.key"), KeyKind::Signing).unwrap();
        let key = PrivateKeySigner::from_slice(secret.as_slice()).unwrap();
        eip712::sign(&key, &signed, &manifest.settlement_domain()).unwrap()
    };
    let signatures = vec![sign("steward-1"), sign("steward-2")];
    let call = SettlementLedger::proposeCall { h: signed.clone().into(), signatures };
    payer.send(manifest.addresses.settlement_ledger, &call).await.unwrap();
    signal(&up.state, Signal::SIGCONT);

    let contest = ["member", "contest", "--name", "ada"];
    let refused = async |why: &str| {
        until(why, async || {
            local.mine(1).await.unwrap();
            let output = crate::support::run(&up.args(&contest));
            assert!(!output.status.success(), "nobody contests what nobody shows");
            String::from_utf8_lossy(&output.stderr).contains(why)
        })
        .await;
    };
    refused("no steward shows the proposed row").await;
    up.json(&["member", "demand", "--name", "ada", "--kind", "row"]);
    let published = NewLeaf { shown, private_hash, proof: rows.proof(ada).unwrap() };
    dispute::answer_row(&payer, manifest, ada, &published).await.unwrap();
    refused("no steward shows the inputs").await;
    up.json(&["member", "demand", "--name", "ada", "--kind", "inputs"]);
    let opened = OpenedInputs { inputs, blinder, proof: inputs_tree.proof(ada).unwrap() };
    dispute::answer_inputs(&payer, manifest, &header, ada, &opened).await.unwrap();
    let mut won = Value::Null;
    until("a contest that is carried", async || {
        local.mine(1).await.unwrap();
        let output = crate::support::run(&up.args(&contest));
        won = serde_json::from_slice(&output.stdout).unwrap_or_default();
        output.status.success()
    })
    .await;
    assert_eq!((&won["epoch"], &won["wrong"]), (&3.into(), &true.into()), "{won}");
    assert!(won["mined"]["tx"].as_str().is_some_and(|tx| tx.len() == 66), "{won}");
    let after = latest(chain, manifest).await;
    assert!(!after.proposals.contains_key(&Epoch(3)) && after.voided.contains_key(&Epoch(3)), "the root is void");
    assert_eq!(after.proposals[&Epoch(2)].header.root, before.proposals[&Epoch(2)].header.root, "the last one stands");
}
