//! An upgrade as people type it: planned, decided by both houses, executed; and one that would misread what is stored.

use crate::support::{fails, json, run};
use alloy::primitives::{Address, B256, Bytes, TxKind, U256};
use alloy::providers::Provider as _;
use alloy::providers::ext::AnvilApi as _;
use alloy::signers::local::PrivateKeySigner;
use rochdale_chain::bindings::{CharterGate, GovToken, License, LicenseSale, Market, Programs, TestUSDC};
use rochdale_chain::deploy::implementation_address;
use rochdale_chain::gov::implementation_slot;
use rochdale_chain::upgrade::{layouts_path, save_layouts};
use rochdale_core::ids::Purpose;
use rochdale_crypto::keyfile::{self, KeyKind};
use rochdale_testkit::anvil::{TestCoop, role_key};
use serde_json::Value;
use std::path::{Path, PathBuf};

const DAY: u64 = 86_400;
const VOTERS: [&str; 3] = ["ada", "bo", "cy"];

/// A cooperative whose Market and Programs run older code than this program's, and hold something.
struct Town {
    coop: TestCoop,
    dir: tempfile::TempDir,
    /// Older code by kind.
    older: [(&'static str, Address); 2],
}

impl Town {
    async fn new() -> Self {
        let coop = TestCoop::deploy().await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let a = coop.manifest.addresses;
        let codes = [("Market", a.market, &Market::BYTECODE), ("Programs", a.programs, &Programs::BYTECODE)];
        let mut older = [("", Address::ZERO); 2];
        for (place, (kind, proxy, code)) in codes.into_iter().enumerate() {
            // An upgrade goes from one address to another: the same code elsewhere stands for what an older program left.
            let sent = coop.founder.send_raw(TxKind::Create, code.clone(), kind).await.unwrap();
            older[place] = (kind, sent.created.unwrap());
            let word = older[place].1.into_word();
            coop.chain.provider().anvil_set_storage_at(proxy, implementation_slot().into(), word).await.unwrap();
        }
        let town = Self { coop, dir, older };
        town.keep_files();
        town.fill().await;
        town
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    fn manifest(&self) -> PathBuf {
        self.state().join("manifest.json")
    }

    /// What `coop deploy` leaves.
    fn keep_files(&self) {
        std::fs::create_dir(self.state()).unwrap();
        self.coop.manifest.save(&self.manifest()).unwrap();
        save_layouts(&self.manifest()).unwrap();
        json(&["key", "new", "--json", "--office", "founder", "--state", self.state().to_str().unwrap()]);
        std::fs::write(self.state().join("coop.toml"), toml::to_string(&self.coop.config).unwrap()).unwrap();
    }

    /// Voters with a month behind them, a reserved license whose price Market holds, and a program.
    async fn fill(&self) {
        let (coop, a) = (&self.coop, &self.coop.manifest.addresses);
        for name in VOTERS {
            let account = self.member(name);
            coop.join(&account).await.unwrap();
            let amount = U256::from(100u64) * U256::from(10).pow(U256::from(18));
            let mint = GovToken::mintCall { to: account.address(), amount };
            coop.local.act_as(a.settlement_ledger, a.gov_token, &mint).await.unwrap();
        }
        let p = Programs::Program {
            awarder: role_key("awarder").address(),
            kind: 1,
            capPerEpoch: 1_000,
            capPerMember: 100,
            open: true,
        };
        let set = Programs::setProgramCall { programId: 7, p };
        coop.local.act_as(a.token_timelock, a.programs, &set).await.unwrap();
        coop.approve_researcher(Purpose(5)).await.unwrap();
        let mint = TestUSDC::mintCall { to: coop.researcher.address(), amount: U256::from(PRICE) };
        coop.relayer.send(a.usdc, &mint).await.unwrap();
        let approve = TestUSDC::approveCall { spender: a.market, value: U256::from(PRICE) };
        coop.researcher.send(a.usdc, &approve).await.unwrap();
        let o = LicenseSale::Order {
            datasetId: 1,
            records: 400,
            purpose: 5,
            ehdsCategory: 1,
            duration: 30 * DAY,
            recipientKey: B256::repeat_byte(1),
        };
        let (deadline, r, s, v) = (U256::ZERO, B256::ZERO, B256::ZERO, 0);
        let p = LicenseSale::Permit { value: U256::from(PRICE), deadline, r, s, v };
        coop.researcher.send(a.market, &Market::reserveCall { o, p }).await.unwrap();
        self.pass(31 * DAY).await;
        for name in VOTERS {
            let sync = GovToken::syncCall { account: self.member(name).address() };
            coop.relayer.send(a.gov_token, &sync).await.unwrap();
        }
        // Until then neither house moves the charter.
        coop.relayer.send(a.charter_gate, &CharterGate::constituteCall {}).await.unwrap();
        self.pass(1).await;
    }

    fn member(&self, name: &str) -> PrivateKeySigner {
        let dir = self.state().join("members").join(name);
        std::fs::create_dir_all(&dir).unwrap();
        let secret = keyfile::load_or_create(&dir.join("account.key"), KeyKind::Signing, &mut rand::rng()).unwrap();
        PrivateKeySigner::from_slice(secret.as_slice()).unwrap()
    }

    async fn pass(&self, seconds: u64) {
        let now = self.coop.chain.now().await.unwrap();
        self.coop.local.time_to(now + seconds, 3).await.unwrap();
    }

    /// The arguments that name this cooperative, after the command's two words.
    fn args(&self, args: &[&str]) -> Vec<String> {
        let (state, rpc) = (self.state().to_str().unwrap().to_owned(), self.coop.anvil.url());
        let common = ["--state".to_owned(), state, "--rpc".to_owned(), rpc];
        let (command, rest) = args.split_at(2);
        let words = |part: &[&str]| part.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        [words(command), common.to_vec(), words(rest)].concat()
    }

    fn json(&self, args: &[&str]) -> Value {
        let args = [self.args(args), vec!["--json".to_owned()]].concat();
        json(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn fails(&self, args: &[&str]) -> String {
        let args = self.args(args);
        fails(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A plan that finds no way, and what it says.
    fn refused_plan(&self, file: &Path) -> String {
        let args = self.args(&["coop", "upgrade", "--plan", "--write", file.to_str().unwrap()]);
        let output = run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(!output.status.success() && !file.exists(), "{said}");
        assert!(said.contains("no proposal: what is marked above must be mended first"), "{said}");
        said
    }

    /// Changes the layouts that lie beside the manifest.
    fn edit_layouts(&self, edit: impl FnOnce(&mut Value)) {
        let path = layouts_path(&self.manifest());
        let mut layouts: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        edit(&mut layouts);
        std::fs::write(&path, layouts.to_string()).unwrap();
    }

    async fn code_of(&self, proxy: Address) -> Address {
        let word = self.coop.chain.provider().get_storage_at(proxy, implementation_slot().into()).await.unwrap();
        Address::from_word(word.into())
    }
}

/// Of the license that is reserved, in micro-USDC: 400 records of dataset 1.
const PRICE: u64 = 100_000_000;

/// The fields of Programs among the layouts.
fn programs_fields(layouts: &mut Value) -> &mut Vec<Value> {
    let fields = &mut layouts["Programs"]["layout"]["namespaces"]["erc7201:rochdale.storage.Programs"];
    fields.as_array_mut().unwrap()
}

#[tokio::test]
async fn new_code_that_would_misread_what_is_stored_is_refused() {
    let town = Town::new().await;
    let file = town.dir.path().join("proposal.toml");
    let said = town.refused_plan(&file);
    assert!(said.contains("MISREAD its layout is not known") && said.contains("other code runs"), "{said}");
    let codes = |layouts: &mut Value| {
        town.older.iter().for_each(|(kind, code)| layouts[kind]["code"] = serde_json::json!(code))
    };
    town.edit_layouts(codes);
    town.edit_layouts(|layouts| programs_fields(layouts).swap(0, 1));
    let said = town.refused_plan(&file);
    assert!(said.contains("MISREAD erc7201:rochdale.storage.Programs.openPoints is now maxPointsPerEpoch"), "{said}");
    town.edit_layouts(|layouts| programs_fields(layouts).swap(0, 1));
    let gone = serde_json::json!({ "label": "later", "type": "t_uint256", "offset": 0, "slot": "9" });
    town.edit_layouts(|layouts| programs_fields(layouts).push(gone));
    let said = town.refused_plan(&file);
    assert!(said.contains("MISREAD erc7201:rochdale.storage.Programs.later is gone"), "{said}");
    let count = said.matches("MISREAD").count();
    assert_eq!(count, 1, "Market fits: {said}");
    std::fs::remove_file(layouts_path(&town.manifest())).unwrap();
    let said = town.fails(&["coop", "upgrade", "--plan"]);
    assert!(said.contains("`rochdale coop deploy` writes this file"), "{said}");
}

#[tokio::test]
async fn both_houses_upgrade_two_contracts_and_nothing_that_they_hold_is_lost() {
    let town = Town::new().await;
    let (coop, a) = (&town.coop, &town.coop.manifest.addresses);
    town.edit_layouts(|layouts| {
        town.older.iter().for_each(|(kind, code)| layouts[kind]["code"] = serde_json::json!(code))
    });
    let differs = town.fails(&["coop", "verify"]);
    assert!(differs.contains("the code of Market at"), "{differs}");
    let file = town.dir.path().join("proposal.toml");
    let file = file.to_str().unwrap();
    // As on a chain where nobody was founded by this program yet.
    let missing = implementation_address("Programs").unwrap();
    coop.chain.provider().anvil_set_code(missing, Bytes::new()).await.unwrap();
    coop.chain.provider().anvil_set_nonce(missing, 0).await.unwrap();
    let plan = town.json(&["coop", "upgrade", "--plan"]);
    assert_eq!([0, 1].map(|place| plan["changes"][place]["deployed"] == true), [true, false], "{plan}");
    let plan = town.json(&["coop", "upgrade", "--plan", "--place", "--write", file]);
    let changes = plan["changes"].as_array().unwrap();
    for (change, (kind, code)) in changes.iter().zip(town.older) {
        let to = implementation_address(kind).unwrap();
        assert_eq!((&change["contract"], &change["deployed"]), (&kind.into(), &true.into()), "{plan}");
        assert_eq!([&change["from"], &change["to"]], [&serde_json::json!(code), &serde_json::json!(to)]);
    }
    assert_eq!(changes.len(), 2, "{plan}");

    let made = town.json(&["gov", "propose", "--name", "ada", "file", file]);
    let proposals: Vec<&str> =
        made["proposals"].as_array().unwrap().iter().map(|one| one["proposal"].as_str().unwrap()).collect();
    let [id, same] = proposals[..] else { panic!("{made}") };
    assert_eq!(id, same, "both houses vote on the same words");
    let shown = town.json(&["gov", "show", "--proposal", id]);
    assert_eq!(shown.as_array().unwrap().len(), 2, "{shown}");
    assert!(shown[0]["description"].as_str().unwrap().starts_with("Upgrade Market, Programs."), "{shown}");
    assert_eq!(shown[0]["charter"].as_array().unwrap().len(), 2, "{shown}");
    town.pass(DAY + 1).await;
    let vote = |name: &'static str| ["gov", "vote", "--name", name, "--proposal", id, "--support", "for"];
    town.json(&[&vote("ada")[..], &["--house", "member"]].concat());
    town.json(&[&vote("ada")[..], &["--house", "token"]].concat());
    for name in ["bo", "cy"] {
        let voted = town.json(&vote(name));
        assert_eq!(voted["sent"].as_array().unwrap().len(), 2, "in both houses: {voted}");
    }
    town.pass(6 * DAY).await;
    let queued = town.json(&["gov", "queue", "--proposal", id]);
    assert_eq!(queued["sent"].as_array().unwrap().len(), 2, "{queued}");
    assert!(town.fails(&["gov", "execute", "--proposal", id]).contains("TimelockUnexpectedOperationState"));
    town.pass(2 * DAY + 1).await;
    let one = town.json(&["gov", "execute", "--proposal", id, "--house", "token"]);
    let says = |done: &Value, words: &str| assert!(done["done"].as_str().unwrap().contains(words), "{done}");
    says(&one, "the token house acted; the charter still waits for: member house");
    assert_eq!(town.code_of(a.market).await, town.older[0].1, "one house alone changes nothing");
    let both = town.json(&["gov", "execute", "--proposal", id]);
    says(&both, "the member house acted; the charter did what both houses approved");

    for (kind, proxy) in [("Market", a.market), ("Programs", a.programs)] {
        assert_eq!(Some(town.code_of(proxy).await), implementation_address(kind), "{kind}");
    }
    assert_eq!(coop.balance(a.usdc, a.market).await.unwrap(), u128::from(PRICE));
    let program = coop.chain.view(a.programs, &Programs::programCall { programId: 7 }).await.unwrap();
    assert_eq!((program.awarder, program.capPerEpoch), (role_key("awarder").address(), 1_000));
    let points = coop.chain.view(a.programs, &Programs::pointsPerEpochCall {}).await.unwrap();
    assert_eq!((points.open, points.max), (1_000, coop.config.membership.max_program_points));
    // What was reserved under the old code becomes a license under the new.
    coop.relayer.send(a.market, &Market::activateCall { reservationId: 1 }).await.unwrap();
    let holder = License::ownerOfCall { tokenId: U256::from(1) };
    assert_eq!(coop.chain.view(a.license, &holder).await.unwrap(), coop.researcher.address());
    assert_eq!(coop.balance(a.usdc, a.market).await.unwrap(), 0);

    assert_eq!(town.json(&["coop", "verify"])["agrees"], true);
    // What runs now was noted, so that the next program knows what it would upgrade.
    town.edit_layouts(|layouts| {
        for kind in ["Market", "Programs"] {
            assert_eq!(layouts[kind]["code"], serde_json::json!(implementation_address(kind)), "{kind}");
        }
    });
    let plan = town.json(&["coop", "upgrade", "--plan"]);
    assert_eq!(plan["changes"], serde_json::json!([]));
}
