//! An audit from a transcript: alone, and beside the chain that it is of.

use crate::support::{fails, json, run};
use alloy::primitives::B256;
use rochdale_chain::bindings::SettlementLedger;
use rochdale_chain::eip712;
use rochdale_core::ids::{ContributionId, Epoch, MemberId};
use rochdale_core::ledger::{
    Books, Contribution, DEPTH, EpochInputs, Header, Params, Round, Score, SettledInputs, Transcript, Usage,
};
use rochdale_testkit::anvil::TestCoop;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const MEMBER: MemberId = MemberId(1);
const ROW_KEY: B256 = B256::repeat_byte(7);

/// Two epochs of one member, with the roots that the rules give.
fn transcript(params: &Params) -> (Transcript, Vec<Header>) {
    let score = Score { quality: 8_000, uniqueness: 10_000, authenticity: 10_000, rarity: 12_500 };
    let contribution = |id| Contribution { member: MEMBER, id: ContributionId(id), score };
    let (mut books, mut headers) = (Books::new(DEPTH), Vec::new());
    let mut transcript = Transcript { depth: DEPTH, row_keys: [(MEMBER, ROW_KEY)].into(), epochs: Vec::new() };
    for id in 1..=2 {
        let inputs = EpochInputs {
            members: 1,
            active: vec![MEMBER],
            contributions: vec![contribution(id)],
            usage: vec![(MEMBER, Usage { n: id, k: 0, w: 0 })],
            ..EpochInputs::default()
        };
        let mut epoch = SettledInputs {
            params: params.clone(),
            inputs,
            attempt: 0,
            sheet: B256::ZERO,
            root: B256::ZERO,
            unkeyed: BTreeSet::new(),
            stand_ins: BTreeMap::new(),
            sums: None,
        };
        let round: Round = books.settle(&epoch, |_| Some(ROW_KEY.0)).unwrap();
        epoch.root = round.header.root;
        books.close(&round);
        headers.push(round.header);
        transcript.epochs.push(epoch);
    }
    (transcript, headers)
}

fn written(dir: &Path, name: &str, transcript: &Transcript) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, serde_json::to_vec(transcript).unwrap()).unwrap();
    path
}

/// What an audit that fails reports.
fn difference(args: &[&str]) -> String {
    let output = run(args);
    assert!(!output.status.success(), "{args:?} agrees");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["agrees"], false);
    report["difference"].as_str().unwrap().to_owned()
}

#[test]
fn a_transcript_agrees_with_its_roots_and_a_changed_one_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let (told, headers) = transcript(&Params::default());
    let good = written(dir.path(), "good.json", &told);
    let audit = |path: &Path| ["audit", "--json", "--transcript", path.to_str().unwrap()].map(str::to_owned);
    let args = audit(&good);
    let report = json(&args.each_ref().map(String::as_str));
    assert_eq!(
        (report["agrees"].clone(), report["epochs"].clone(), report["rows"].clone()),
        (true.into(), 2.into(), 2.into())
    );
    assert_eq!((report["on_chain"].clone(), report["root"].clone()), (0.into(), headers[1].root.to_string().into()));

    let mut richer = told.clone();
    richer.epochs[1].inputs.contributions[0].score.quality += 1;
    let args = audit(&written(dir.path(), "richer.json", &richer));
    let found = difference(&args.each_ref().map(String::as_str));
    assert!(found.starts_with("epoch 2: the root is") && found.contains(&headers[1].root.to_string()), "{found}");

    let mut keyless = told.clone();
    keyless.row_keys.clear();
    let args = audit(&written(dir.path(), "keyless.json", &keyless));
    let found = difference(&args.each_ref().map(String::as_str));
    assert!(found.starts_with("epoch 1: the row key of member 1 is not here"), "{found}");

    let mut stranger = told;
    stranger.epochs[0].inputs.active.push(MemberId(9));
    let args = audit(&written(dir.path(), "stranger.json", &stranger));
    let found = difference(&args.each_ref().map(String::as_str));
    assert!(found.starts_with("epoch 1: ") && found.contains('9'), "{found}");

    std::fs::write(&good, "{}").unwrap();
    let said = fails(&["audit", "--transcript", good.to_str().unwrap()]);
    assert!(said.contains("good.json is no transcript"), "{said}");
    let said = fails(&["audit", "--transcript", good.to_str().unwrap(), "--rpc", "http://127.0.0.1:1"]);
    assert!(said.contains("--manifest"), "{said}");
}

#[test]
fn a_transcript_is_held_against_every_field_that_the_chain_has() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let coop = runtime.block_on(TestCoop::deploy()).unwrap();
    let (told, headers) = transcript(&coop.manifest.ledger);
    runtime.block_on(async {
        coop.join(&coop.member_key(1)).await.unwrap();
        propose(&coop, &headers[0]).await;
    });
    let manifest = dir.path().join("manifest.json");
    coop.manifest.save(&manifest).unwrap();
    let (url, manifest) = (coop.anvil.url(), manifest.to_str().unwrap());
    let beside = |path: &Path| {
        let file = path.to_str().unwrap();
        ["audit", "--json", "--transcript", file, "--rpc", &url, "--manifest", manifest].map(str::to_owned)
    };

    let first = Transcript { epochs: told.epochs[..1].to_vec(), ..told.clone() };
    let args = beside(&written(dir.path(), "first.json", &first));
    let report = json(&args.each_ref().map(String::as_str));
    assert_eq!((report["agrees"].clone(), report["on_chain"].clone()), (true.into(), 1.into()));

    let args = beside(&written(dir.path(), "longer.json", &told));
    let found = difference(&args.each_ref().map(String::as_str));
    assert!(found.contains("epoch 2 is in the transcript, but the chain has no proposal of it"), "{found}");

    let args = beside(&written(dir.path(), "empty.json", &Transcript { epochs: Vec::new(), ..told.clone() }));
    let found = difference(&args.each_ref().map(String::as_str));
    assert_eq!(found, "the chain has epoch 1, the transcript ends with 0");

    // The rows and their root are the same; the sheet is another.
    let mut other = first;
    other.epochs[0].sheet = B256::repeat_byte(1);
    let args = beside(&written(dir.path(), "other.json", &other));
    let found = difference(&args.each_ref().map(String::as_str));
    assert!(found.starts_with("epoch 1: sheet_digest is"), "{found}");
}

/// Two stewards sign the header of epoch 1, and it is proposed.
async fn propose(coop: &TestCoop, header: &Header) {
    coop.local.time_to(coop.manifest.schedule().start(Epoch(1), 0), 2).await.unwrap();
    let (signed, domain) = (eip712::Header::from(header), coop.manifest.settlement_domain());
    let signatures = coop.stewards[..2].iter().map(|key| eip712::sign(key, &signed, &domain).unwrap()).collect();
    let call = SettlementLedger::proposeCall { h: signed.into(), signatures };
    coop.relayer.send(coop.manifest.addresses.settlement_ledger, &call).await.unwrap();
}
