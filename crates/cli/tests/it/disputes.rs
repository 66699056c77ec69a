//! A pending root, stopped and answered for by typed commands; nothing but the chain and one steward's page is asked.

use crate::support::{fails, json};
use alloy::primitives::{B256, Bytes, U256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use rochdale_api::settlement::{AnswerRequest, DemandAnswer};
use rochdale_chain::bindings::{Disputes, SettlementLedger};
use rochdale_chain::eip712;
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{Amounts, Header, NewLeaf, Tree, empty_root, leaf};
use rochdale_testkit::anvil::{TestCoop, role_key};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

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
        epoch: Epoch(1),
        attempt,
        previous_root: empty_root(coop.manifest.tree_depth),
        root: tree(coop).root(),
        params_hash: coop.manifest.ledger.hash(),
        inputs_root: keccak256(b"inputs"),
        sheet_digest: keccak256(b"sheet"),
        sharers: 0,
        payout: 0,
        sum_usage: U256::ZERO,
        sum_data: U256::ZERO,
        sum_early: U256::ZERO,
        sum_data_award: U256::ZERO,
        sum_gov_award: U256::ZERO,
        cash_allocated: 0,
        data_awarded: 0,
        data_earned: 0,
        gov_awarded: 0,
        gov_earned: 0,
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
    let object = ["object", "--epoch", "1", "--attempt", "0", "--key"];
    assert_eq!(run(&["show"], &[])["pending"], Value::Null);
    assert!(refused(&object, &[steward_key]).contains("no root is pending"));

    propose(&coop, 0).await;
    let pending = run(&["show"], &[])["pending"].clone();
    assert_eq!((pending["epoch"].as_u64(), pending["attempt"].as_u64()), (Some(1), Some(0)), "{pending}");
    let other = refused(&["object", "--epoch", "1", "--attempt", "7", "--key"], &[steward_key]);
    assert!(other.contains("epoch 1, attempt 0 is pending, not epoch 1, attempt 7"), "{other}");
    let absent = refused(&object, &["nowhere.key"]);
    assert!(absent.contains("nowhere.key does not exist") && !Path::new("nowhere.key").exists(), "{absent}");
    let seatless = refused(&["object", "--epoch", "1", "--attempt", "0", "--steward"], &["3"]);
    assert!(seatless.contains("steward-3/signing.key does not exist"), "{seatless}");
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
