//! Bonds, pay, buyback, promises and services as operators and members type them.

use crate::hold::Hold;
use alloy::primitives::aliases::{U40, U96};
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall as _;
use rochdale_chain::bindings::{
    Buyback, CoopAuthority, DataToken, OperatorPay, ServiceDesk, StewardCommittee, TestUSDC, Treasury, Vesting,
};
use rochdale_chain::deploy::{Manifest, Role};
use rochdale_chain::eip712;
use rochdale_core::ids::Epoch;
use rochdale_core::ledger::Header;
use rochdale_crypto::keyfile::{self, KeyKind};
use rochdale_testkit::fixtures;
use serde_json::{Value, json};
use std::path::Path;

const USDC: u128 = 1_000_000;
const ETHER: u128 = 1_000_000_000_000_000_000;
const DAY: u64 = 86_400;

/// Where operators and members act.
struct Site(Hold);

impl std::ops::Deref for Site {
    type Target = Hold;

    fn deref(&self) -> &Hold {
        &self.0
    }
}

impl Site {
    fn open(state: &Path) -> Self {
        Self(Hold::open(state))
    }

    fn data(&self, account: Address) -> u128 {
        self.view(self.manifest.addresses.data_token, &DataToken::balanceOfCall { account }).to()
    }

    /// As settlements do.
    fn mint_data(&self, to: Address, whole: u128) {
        let call = DataToken::mintCall { to, amount: U256::from(whole * ETHER) };
        self.act_as(self.manifest.addresses.settlement_ledger, self.manifest.addresses.data_token, &call);
    }

    fn says(&self, words: &str) -> Value {
        self.up.json(&words.split(' ').collect::<Vec<_>>())
    }

    /// Exit code 3: refused, nothing sent.
    fn refuses(&self, words: &str, why: &str) {
        let said = self.up.refuses(&words.split(' ').collect::<Vec<_>>(), 3);
        assert!(said.contains(why), "{words}: {said}");
    }

    fn steward(&self, n: usize) -> Value {
        self.says("steward show")["stewards"][n - 1].clone()
    }

    fn bond(&self, n: usize) -> u128 {
        self.steward(n)["bond"].as_str().unwrap().parse().unwrap()
    }

    /// A new key in a file.
    fn key(&self, name: &str) -> (String, Address) {
        let path = self.up.state.join(name);
        self.up.json(&["key", "new", path.to_str().unwrap()]);
        (path.to_str().unwrap().to_owned(), keyfile_of(&path).address())
    }
}

#[test]
fn bonds_are_put_asked_back_and_fetched_and_a_fault_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let site = Site::open(&dir.path().join("state"));
    let committee = site.manifest.addresses.steward_committee;
    let before = site.bond(2);
    let account: Address = site.steward(2)["account"].as_str().unwrap().parse().unwrap();

    // Tried, and asked: neither changes anything.
    site.refuses("steward bond --steward 2 --amount 10 --dry-run", "has 0.00 USDC, this takes 10.00 USDC");
    let mint = TestUSDC::mintCall { to: account, amount: U256::from(10 * USDC) };
    site.act_as(account, site.manifest.addresses.usdc, &mint);
    let tried = site.says("steward bond --steward 2 --amount 10 --dry-run");
    assert_eq!(tried["sent"], false);
    assert!(tried["does"].as_str().unwrap().contains("10.00 USDC"), "{tried}");
    site.refuses("steward bond --steward 2 --amount 10", "add --yes to agree");
    assert_eq!(site.bond(2), before);
    assert_eq!(site.says("steward bond --steward 2 --amount 10 --yes")["sent"], true);
    assert_eq!(site.bond(2), before + 10 * USDC);

    // A seat keeps its least bond; what is more is fetched after the delay.
    let seat: u128 = site.says("steward show")["seat_bond"].as_str().unwrap().parse().unwrap();
    let above = before + 10 * USDC - seat + 1;
    let more = format!("{}.{:06}", above / USDC, above % USDC);
    site.refuses(&format!("steward unbond --steward 2 --amount {more} --yes"), "are needed");
    site.says("steward unbond --steward 2 --amount 10 --yes");
    site.refuses("steward withdraw --steward 2 --yes", "can be fetched from");
    site.pass(28 * DAY);
    let had = site.usdc(account);
    site.says("steward withdraw --steward 2 --yes");
    assert_eq!((site.usdc(account), site.bond(2)), (had + 10 * USDC, before));

    // One header twice is no fault, two of one attempt are.
    let key = |n: u8| keyfile_of(&site.up.state.join(format!("steward-{n}/signing.key")));
    let file = site.up.state.join("two.json");
    let named = format!("steward report {} --yes", file.display());
    std::fs::write(&file, two_headers(&site.manifest, &key(3), 7, 7).to_string()).unwrap();
    site.refuses(&named, "holds no fault");
    std::fs::write(&file, two_headers(&site.manifest, &key(3), 7, 8).to_string()).unwrap();
    site.says(&named);
    let shown = site.says("steward show");
    assert_eq!(shown["stewards"][2]["active"], false);
    assert_eq!(shown["open_slashes"][0]["slash"], 1);

    // What nobody decided goes back, and not before.
    site.refuses("steward release --slash 1 --yes", "may decide slash 1 until");
    site.pass(60 * DAY);
    site.says("steward release --slash 1 --yes");
    site.refuses("steward release --slash 1 --yes", "was decided or never opened");
    assert!(site.view(committee, &StewardCommittee::isActiveStewardCall { steward: key(3).address() }));
}

#[test]
fn a_safe_gets_a_file_whose_transactions_do_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let site = Site::open(&dir.path().join("state"));
    let (addresses, safe) = (&site.manifest.addresses, Address::repeat_byte(0x5a));
    let of = site.steward(1)["account"].as_str().unwrap().to_owned();
    let file = dir.path().join("bond.json");
    let words = format!("steward bond --of {of} --account {safe} --amount 25 --safe {}", file.display());
    site.refuses(&words, "has 0.00 USDC, this takes 25.00 USDC");
    assert!(!file.exists());
    let mint = TestUSDC::mintCall { to: safe, amount: U256::from(25 * USDC) };
    site.act_as(safe, addresses.usdc, &mint);
    assert_eq!(site.says(&words)["sent"], false);

    let batch: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!((&batch["version"], &batch["chainId"]), (&json!("1.0"), &json!("31337")));
    let before = site.bond(1);
    let call = |n: usize| -> (Address, Bytes) {
        let tx = &batch["transactions"][n];
        assert_eq!(tx["value"], "0");
        (tx["to"].as_str().unwrap().parse().unwrap(), tx["data"].as_str().unwrap().parse().unwrap())
    };
    let (allow, pay) = (call(0), call(1));
    site.act_as(safe, allow.0, &TestUSDC::approveCall::abi_decode(&allow.1).unwrap());
    site.act_as(safe, pay.0, &StewardCommittee::bondForCall::abi_decode(&pay.1).unwrap());
    assert_eq!((site.bond(1), site.usdc(safe)), (before + 25 * USDC, 0));
    // A file that is there is somebody's.
    site.act_as(safe, addresses.usdc, &mint);
    let said = site.up.fails(&words.split(' ').collect::<Vec<_>>());
    assert!(said.contains("name a new file"), "{said}");
}

#[test]
fn work_is_metered_and_paid_and_data_is_bought_back_promised_and_spent() {
    let dir = tempfile::tempdir().unwrap();
    let site = Site::open(&dir.path().join("state"));
    let addresses = &site.manifest.addresses;
    let house = addresses.token_timelock;
    let of = site.steward(1)["account"].as_str().unwrap().to_owned();

    // As a cooperative that is constituted: its token house decides about money.
    let role = Role::Treasury.number();
    let decides = CoopAuthority::grantRoleCall { roleId: role, account: house, executionDelay: 0 };
    site.act_as(addresses.charter_gate, addresses.authority, &decides);

    // Nobody worked, nothing is there.
    site.refuses("pay meter --yes", "nothing is to be credited");
    site.refuses(&format!("pay meter --worker {of} --yes"), "no receipt");
    site.refuses(&format!("pay collect --operator {of} --yes"), "nothing can be paid");
    let terms =
        Buyback::Terms { lot: U96::from(20 * USDC), startData: 100 * ETHER, floorData: 50 * ETHER, duration: 86_400 };
    site.act_as(house, addresses.buyback, &Buyback::setTermsCall { terms_: terms });
    site.refuses("buyback offer --yes", "none is on offer");
    let rates = OperatorPay::Rates { stewardPerEpoch: U96::from(3 * USDC), workerPerReceipt: U96::ZERO };
    site.act_as(house, addresses.operator_pay, &OperatorPay::setRatesCall { rates_: rates });

    let split = Treasury::setSplitCall { buyback: 500, operations: 1_000, compliance: 500, reserve: 500 };
    site.act_as(house, addresses.treasury, &split);

    // An epoch and a sale later there is.
    site.up.json(&["epoch", "settle"]);
    site.up.json(&["researcher", "new", "--name", "lin"]);
    site.says("researcher license --name lin --records 10 --yes");
    site.says("pay meter --yes");
    // A quorum signed, and not everybody need have.
    let shown = site.says("pay show")["owed"].as_array().unwrap().clone();
    let signer = shown.iter().find(|operator| operator["owed"] != "0").unwrap();
    let of = signer["operator"].as_str().unwrap();
    let had = site.usdc(of.parse().unwrap());
    site.says(&format!("pay collect --operator {of} --yes"));
    assert_eq!((site.usdc(of.parse().unwrap()) - had, &signer["owed"]), (3 * USDC, &json!((3 * USDC).to_string())));

    // What is asked falls with time, burns, and pays the lot.
    let (key, ada) = site.key("ada.key");
    site.mint_data(ada, 1_000);
    site.says("buyback offer --yes");
    site.refuses(&format!("buyback sell --most 10 --key {key} --yes"), "are asked now, more than 10");
    site.pass(DAY);
    assert_eq!(site.says("buyback show")["asked"], (50 * ETHER).to_string());
    site.says(&format!("buyback sell --key {key} --yes"));
    assert_eq!((site.usdc(ada), site.data(ada)), (20 * USDC, 950 * ETHER));

    // A promise out of what was put there.
    site.says(&format!("vesting fund --amount 300 --key {key} --yes"));
    let now = site.runtime.block_on(site.chain.now()).unwrap();
    let s = Vesting::Schedule {
        beneficiary: Address::repeat_byte(7),
        amount: U96::from(300 * ETHER),
        start: U40::from(now),
        cliff: 0,
        duration: 864_000,
        revocable: true,
    };
    site.act_as(house, addresses.vesting, &Vesting::createCall { s });
    site.refuses("vesting release --id 9 --yes", "there is no promise 9");
    site.pass(20 * DAY);
    site.says("vesting release --id 1 --yes");
    assert_eq!(site.data(Address::repeat_byte(7)), 300 * ETHER);
    site.refuses("vesting release --id 1 --yes", "nothing to release");
    assert_eq!(site.says("vesting show")["promises"][0]["released"], (300 * ETHER).to_string());

    // A service is for members, whose DATA burns.
    let offer = ServiceDesk::Service { dataPrice: 5 * ETHER, open: true };
    site.act_as(house, addresses.service_desk, &ServiceDesk::setServiceCall { serviceId: 7, s: offer });
    assert_eq!(site.says("service show --id 7")["open"], true);
    site.up.json(&["member", "join", "--name", "eva"]);
    let request = site.up.state.join("request.txt");
    std::fs::write(&request, "my report against the cohort").unwrap();
    let order = format!("service order --id 7 --request {} --name eva", request.display());
    site.refuses(&format!("{order} --yes"), "this takes 5");
    let eva = keyfile_of(&site.up.state.join("members/eva/account.key")).address();
    site.mint_data(eva, 8);
    let done = site.says(&format!("{order} --yes"));
    assert!(done["does"].as_str().unwrap().contains("the blinder 0x"), "{done}");
    assert_eq!(site.data(eva), 3 * ETHER);
    site.refuses("service order --id 8 --request - --name eva --yes", "is not offered");
    every_typed_proposal_about_money_is_a_call_that_is_explained(&site);
}

fn every_typed_proposal_about_money_is_a_call_that_is_explained(site: &Site) {
    let to = Address::repeat_byte(7);
    let steward = site.steward(1)["account"].as_str().unwrap().to_owned();
    let now = site.runtime.block_on(site.chain.now()).unwrap();
    for (words, house, function, changes) in [
        (format!("slash --steward {steward} --amount 5 --reason late"), "member house", "openSlash", vec!["5.00 USDC"]),
        ("decide-slash --slash 1 --verdict confirm".to_owned(), "member house", "confirmSlash", vec!["1"]),
        ("decide-slash --slash 1 --verdict reject".to_owned(), "member house", "rejectSlash", vec!["1"]),
        (
            format!("grant --from operations --to {to} --amount 1.5 --reason rent"),
            "token house",
            "spend",
            vec!["operations", "1.50 USDC"],
        ),
        (
            format!("grant --from compliance --to {to} --amount 4000 --reason audit"),
            "token house",
            "spend",
            vec!["compliance", "4000.00 USDC"],
        ),
        (
            format!("grant --from reserve --to {to} --amount 1 --reason flood"),
            "token house",
            "spend",
            vec!["reserve", "1.00 USDC"],
        ),
        (
            format!("promise --to {to} --amount 3 --days 10 --cliff-days 2 --start {now} --revocable"),
            "token house",
            "create",
            vec!["3", "10 days", "2 days", "yes"],
        ),
        ("revoke-promise --id 1".to_owned(), "token house", "revoke", vec!["1"]),
        ("service --id 7 --price 25".to_owned(), "token house", "setService", vec!["25", "yes"]),
        ("service --id 7 --price 25 --closed".to_owned(), "token house", "setService", vec!["25", "no"]),
    ] {
        let typed: Vec<&str> = ["gov", "propose", "--name", "eva", "--why", "so", "--dry-run"]
            .into_iter()
            .chain(words.split(' '))
            .collect();
        let proposal = site.up.json(&typed)["proposals"][0].clone();
        let call = &proposal["calls"][0];
        assert!(call["function"].as_str().unwrap().starts_with(&format!("{function}(")), "{words}: {proposal}");
        assert!(house.contains(proposal["house"].as_str().unwrap()), "{words}: {proposal}");
        let shown: Vec<&Value> = call["changes"].as_array().unwrap().iter().map(|change| &change["new"]).collect();
        for change in changes {
            assert!(shown.contains(&&json!(change)), "{words}: {change} is not in {call}");
        }
    }
    let typed = format!("gov propose --name eva --why so promise --to {to} --amount 3 --days 10 --start 20270101");
    assert!(site.up.fails(&typed.split(' ').collect::<Vec<_>>()).contains("is past"));
    let said = site.up.fails(&[
        "gov",
        "propose",
        "--name",
        "eva",
        "--why",
        "so",
        "promise",
        "--to",
        &to.to_string(),
        "--amount",
        "3",
        "--days",
        "1",
        "--cliff-days",
        "2",
    ]);
    assert!(said.contains("nothing is vested for 2 days"), "{said}");
}

/// The signing key in a key file.
fn keyfile_of(path: &Path) -> PrivateKeySigner {
    let secret = keyfile::load(path, KeyKind::Signing).unwrap();
    PrivateKeySigner::from_slice(secret.as_slice()).unwrap()
}

/// Two headers of epoch 1, attempt 0, that differ in their roots where the numbers differ, each signed.
fn two_headers(manifest: &Manifest, key: &PrivateKeySigner, one: u8, other: u8) -> Value {
    let signed = |root: u8| {
        let header = Header { root: B256::repeat_byte(root), ..fixtures::header(Epoch(1), 0) };
        let digest = eip712::digest(&eip712::Header::from(&header), &manifest.settlement_domain());
        json!({ "header": header, "signature": Bytes::from(key.sign_hash_sync(&digest).unwrap().as_bytes()) })
    };
    json!({ "a": signed(one), "b": signed(other) })
}
