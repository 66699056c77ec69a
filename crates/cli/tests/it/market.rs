//! Every way to a license as a researcher types it.

use crate::hold::Hold;
use crate::support::{fails, json};
use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use rochdale_chain::bindings::{AuctionHouse, ComputeDesk, DataToken, License, Market};
use rochdale_chain::eip712;
use rochdale_crypto::keyfile::{self, KeyKind};
use serde_json::Value;
use std::path::Path;

const USDC: u128 = 1_000_000;
const ETHER: u128 = 1_000_000_000_000_000_000;
const DAY: u64 = 86_400;

/// What is sold here.
struct Shop(Hold);

impl std::ops::Deref for Shop {
    type Target = Hold;

    fn deref(&self) -> &Hold {
        &self.0
    }
}

impl Shop {
    fn open(state: &Path) -> Self {
        Self(Hold::open(state))
    }

    fn at(state: &Path, port: u16) -> Self {
        Self(Hold::at(state, port))
    }

    /// What a script types: a researcher's keys are drawn first, and what costs money is agreed to.
    fn words<'a>(&self, name: &'a str, args: &'a str) -> Vec<&'a str> {
        if !self.up.state.join("researchers").join(name).exists() {
            self.up.json(&["researcher", "new", "--name", name]);
        }
        let asked = ["license", "renew", "reserve", "job open", "auction bid", "auction reveal", "bond put"];
        let yes = asked.iter().any(|words| args.starts_with(words)).then_some("--yes");
        ["researcher"].into_iter().chain(args.split(' ')).chain(yes).chain(["--name", name]).collect()
    }

    /// `rochdale researcher <args> --name <name>`
    fn says(&self, name: &str, args: &str) -> Value {
        self.up.json(&self.words(name, args))
    }

    fn refuses(&self, name: &str, args: &str, why: &str) {
        let said = self.up.fails(&self.words(name, args));
        assert!(said.contains(why), "{args}: {said}");
    }

    fn account(&self, name: &str) -> Address {
        self.says(name, "bond show")["researcher"].as_str().unwrap().parse().unwrap()
    }

    fn terms(&self, license: &Value) -> License::Terms {
        let call = License::termsOfCall { licenseId: license.as_u64().unwrap() };
        self.view(self.manifest.addresses.license, &call)
    }
}

fn amount(value: &Value) -> u128 {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn fixed_prices_are_paid_in_dollars_and_data_reserved_cancelled_and_renewed() {
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::open(&dir.path().join("state"));
    let addresses = shop.manifest.addresses;

    // 10 records at 100,000 USDC for 1,000.
    let bought = shop.says("lin", "license --records 10 --days 30");
    assert_eq!(amount(&bought["price"]), 1_000 * USDC);
    let lin = shop.account("lin");
    let before = shop.terms(&bought["license"]).expiry;
    let renewed = shop.says("lin", "renew --days 60");
    assert_eq!((&renewed["license"], amount(&renewed["price"])), (&bought["license"], 2_000 * USDC), "two months");
    assert_eq!(shop.terms(&bought["license"]).expiry, before + 60 * DAY);
    shop.refuses("mo", "renew", "no license yet");
    shop.refuses("mo", "renew --license 1", "Market_NotHolder");
    shop.refuses("lin", "renew --license 99", "there is no license 99");

    let held = shop.usdc(lin);
    let reserved = shop.says("lin", "reserve --records 10");
    assert_eq!(shop.usdc(lin), held - 1_000 * USDC);
    let first = reserved["reservation"].to_string();
    shop.refuses("mo", &format!("cancel --reservation {first}"), "another account's");
    shop.refuses("mo", &format!("activate --reservation {first}"), "only its holder");
    assert_eq!(amount(&shop.says("lin", &format!("cancel --reservation {first}"))["refund"]), 1_000 * USDC);
    assert_eq!(shop.usdc(lin), held);
    shop.refuses("lin", &format!("activate --reservation {first}"), "never made");
    let second = shop.says("lin", "reserve --records 20")["reservation"].to_string();
    shop.pass(4 * DAY);
    shop.refuses("lin", &format!("cancel --reservation {second}"), "the time to cancel is over");
    let activated = shop.says("mo", &format!("activate --reservation {second}"));
    assert_eq!(
        (activated["holder"].as_str().map(str::parse), shop.terms(&activated["license"]).records),
        (Some(Ok(lin)), 20)
    );

    shop.refuses("lin", "license --records 10 --pay data", "does not take DATA");
    shop.decide(addresses.market, &Market::setDataTermsCall { dataPerUsdc: 2 * ETHER, burnBps: 2_500 });
    shop.refuses("lin", "license --records 10 --pay data", "this takes 2000.00");
    let minted = DataToken::mintCall { to: lin, amount: U256::from(5_000 * ETHER) };
    shop.act_as(addresses.settlement_ledger, addresses.data_token, &minted);
    let paid = shop.says("lin", "license --records 10 --pay data");
    assert_eq!([amount(&paid["data"]), amount(&paid["burned"])], [2_000 * ETHER, 500 * ETHER]);
    let supply = shop.view(addresses.data_token, &DataToken::totalSupplyCall {});
    assert_eq!(supply.to::<u128>(), 4_500 * ETHER);
    assert_eq!(shop.terms(&paid["license"]).records, 10);

    // Where the board's key does not lie, the board has to decide first.
    let (elsewhere, offices) = (dir.path().join("elsewhere"), shop.up.state.join("offices"));
    let (url, manifest) = (format!("http://{}", shop.chain.rpc()), shop.up.state.join("manifest.json"));
    let (place, manifest) = (elsewhere.to_str().unwrap(), manifest.to_str().unwrap());
    let rest = ["--json", "--state", place, "--url", &shop.up.url, "--rpc", &url, "--manifest", manifest];
    let unknown = fails(&[&["researcher", "license"], &rest[..]].concat());
    assert!(unknown.contains("researcher new") && !elsewhere.exists(), "{unknown}");
    json(&["researcher", "new", "--json", "--state", place]);
    let license = ["researcher", "license", "--yes", "--records", "10"];
    let refused = fails(&[&license, &rest[..]].concat());
    assert!(refused.contains("not approved for purpose 6"), "{refused}");
    let (guardian, ethics) = (offices.join("guardian.key"), offices.join("ethics.key"));
    let wrong = fails(&[&["researcher", "approve", "--key", guardian.to_str().unwrap()], &rest[..]].concat());
    assert!(wrong.contains("not the ethics board's"), "{wrong}");
    json(&[&["researcher", "approve", "--key", ethics.to_str().unwrap()], &rest[..]].concat());
    json(&[&license, &rest[..]].concat());
    shop.0.up.stop();
}

#[test]
fn sealed_bids_survive_a_restart_and_the_second_price_is_paid() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let shop = Shop::open(&state);
    let house = shop.manifest.addresses.auction_house;
    shop.refuses("a", "auction open", "not auctioned");
    let t = AuctionHouse::AuctionTerms {
        reserve: 1_000 * USDC,
        bidBond: 100 * USDC,
        commitPeriod: 3 * 86_400,
        revealPeriod: 2 * 86_400,
        records: 500,
        duration: 90 * DAY,
    };
    shop.decide(house, &AuctionHouse::setTermsCall { datasetId: 1, t });
    shop.refuses("a", "auction open", "by its list price or by auction");
    shop.sell_by(true);
    shop.refuses("b", "license --records 10", "by its list price or by auction");
    let opened = shop.says("a", "auction open");
    assert_eq!((opened["stage"].as_str(), opened["auction"].as_u64()), (Some("bidding"), Some(1)));
    shop.refuses("b", "auction open", "has an auction already");
    shop.refuses("b", "auction bid --auction 1 --amount 999.99", "below the reserve");
    shop.refuses("b", "auction bid --auction 2 --amount 2000", "there is no auction 2");
    for (name, bid) in [("a", "3000"), ("b", "2000.5"), ("d", "9000")] {
        shop.says(name, &format!("auction bid --auction 1 --amount {bid}"));
    }
    shop.refuses("a", "auction bid --auction 1 --amount 4000", "has bid in auction 1 already");
    shop.refuses("a", "auction reveal --auction 1", "is bidding");
    // What is kept opens to what is on chain, by the contract's own words.
    let kept: Value =
        serde_json::from_slice(&std::fs::read(state.join("researchers/a/auctions/1.json")).unwrap()).unwrap();
    let word = |name: &str| kept[0][name].as_str().unwrap().parse::<B256>().unwrap();
    let b = AuctionHouse::Bid {
        amount: 3_000 * USDC,
        ehdsCategory: 5,
        recipientKey: word("recipient_key"),
        salt: word("salt"),
    };
    let bidder = shop.account("a");
    let call = AuctionHouse::sealOfCall { auctionId: 1, bidder, b };
    assert_eq!(shop.view(house, &call), word("seal"));

    // Everything stops and starts again, chain included, before the reveal.
    let port = shop.up.url.rsplit_once(':').unwrap().1.parse().unwrap();
    shop.0.up.stop();
    let shop = Shop::at(&state, port);
    shop.pass(3 * DAY);
    shop.refuses("c", "auction reveal --auction 1", "did not bid");
    shop.refuses("c", "auction bid --auction 1 --amount 2000", "takes no bids any more");
    let unasked = shop.up.refuses(&["researcher", "auction", "reveal", "--auction", "1", "--name", "b"], 3);
    assert!(unasked.contains("becomes public") && unasked.contains("add --yes"), "{unasked}");
    assert_eq!(shop.says("b", "auction reveal --auction 1")["leads"], true);
    assert_eq!(shop.says("a", "auction reveal --auction 1")["leads"], true);
    shop.refuses("a", "auction reveal --auction 1", "revealed already");
    shop.refuses("a", "auction settle --auction 1", "is revealing");
    let lost = std::fs::read(state.join("researchers/d/auctions/1.json")).unwrap();
    std::fs::remove_file(state.join("researchers/d/auctions/1.json")).unwrap();
    shop.refuses("d", "auction reveal --auction 1", "does not hold what was sealed");
    std::fs::write(state.join("researchers/d/auctions/1.json"), lost).unwrap();
    shop.pass(2 * DAY);
    shop.refuses("d", "auction reveal --auction 1", "is over");
    // The loser closes; the winner takes note of it afterwards.
    let closed = shop.says("b", "auction settle --auction 1");
    assert_eq!([amount(&closed["price"]), amount(&closed["forfeited"])], [2_000_500_000, 100 * USDC]);
    assert_eq!((closed["won"].as_bool(), amount(&closed["owed"])), (Some(false), 2_000_500_000));
    let won = shop.says("a", "auction settle --auction 1");
    assert_eq!((won["won"].as_bool(), amount(&won["owed"])), (Some(true), 999_500_000));
    assert_eq!(shop.terms(&won["license"]).records, 500);
    let before = shop.usdc(bidder);
    assert_eq!(amount(&shop.says("a", "auction refund")["refund"]), 999_500_000);
    assert_eq!(shop.usdc(bidder), before + 999_500_000);
    shop.refuses("a", "auction refund", "is owed nothing");
    let shown = shop.says("a", "auction show --auction 1");
    assert_eq!((shown["stage"].as_str(), shown["own"]["revealed"].as_bool()), (Some("closed"), Some(true)));
    // The license of the auction is the one that the next command means, once there is a list price to renew it at.
    shop.refuses("a", "renew --days 5", "by its list price or by auction");
    shop.sell_by(false);
    assert_eq!(shop.says("a", "renew --days 5")["license"], won["license"]);
    shop.0.up.stop();
}

fn signer(path: &Path) -> PrivateKeySigner {
    let secret = keyfile::load_or_create(path, KeyKind::Signing, &mut rand::rng()).unwrap();
    PrivateKeySigner::from_slice(secret.as_slice()).unwrap()
}

/// A receipt that two stewards and the worker signed, as a file.
fn receipt(shop: &Shop, job: u64, units: u64, plan: B256) -> Value {
    let r = eip712::ComputeReceipt { jobId: job, units, planDigest: plan, snapshot: keccak256("snapshot") };
    let domain = eip712::domain("ComputeDesk", 31_337, shop.manifest.addresses.compute_desk);
    let sign = |who: &str| eip712::sign(&signer(&shop.up.state.join(who).join("signing.key")), &r, &domain).unwrap();
    serde_json::json!({
        "job": job, "units": units, "plan_digest": plan, "snapshot": r.snapshot,
        "steward_signatures": [sign("steward-1"), sign("steward-3")], "worker_signature": sign("worker"),
    })
}

#[test]
fn jobs_are_paid_ahead_settled_by_a_receipt_or_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::open(&dir.path().join("state"));
    let desk = shop.manifest.addresses.compute_desk;
    let plan = dir.path().join("plan.json");
    std::fs::write(&plan, r#"{"version":1,"dataset":1,"ask":{"kind":"count"},"rho":1000}"#).unwrap();
    let open = format!("job open {} --max-units 100", plan.display());
    shop.refuses("lin", &open, "no price yet");
    shop.decide(desk, &ComputeDesk::setPriceCall { base: 20 * USDC, perUnit: 50_000 });
    shop.refuses("lin", "job open /nowhere.json --max-units 5", "/nowhere.json");
    let first = shop.says("lin", &open);
    assert_eq!((first["job"].as_u64(), amount(&first["escrow"])), (Some(1), 25 * USDC));
    assert_eq!(shop.terms(&first["license"]).right, 3);
    assert_eq!(shop.says("lin", "job show --job 1")["stage"], "under_way");
    shop.refuses("lin", "job refund --job 1", "is under way");

    let digest: B256 = first["plan_digest"].as_str().unwrap().parse().unwrap();
    let file = dir.path().join("receipt.json");
    let settle = format!("job settle --receipt {}", file.display());
    std::fs::write(&file, receipt(&shop, 1, 40, keccak256("another plan")).to_string()).unwrap();
    shop.refuses("lin", &settle, "ComputeDesk_WrongPlan");
    let mut forged = receipt(&shop, 1, 40, digest);
    forged["units"] = 90.into();
    std::fs::write(&file, forged.to_string()).unwrap();
    shop.refuses("lin", &settle, "would revert");
    std::fs::write(&file, receipt(&shop, 1, 40, digest).to_string()).unwrap();
    let settled = shop.says("lin", &settle);
    assert_eq!([amount(&settled["cost"]), amount(&settled["refund"])], [22 * USDC, 3 * USDC]);
    assert_eq!(shop.says("lin", "job show --job 1")["stage"], "settled");
    let lin = shop.account("lin");
    let before = shop.usdc(lin);
    assert_eq!(amount(&shop.says("lin", "job refund --job 1")["refund"]), 3 * USDC);
    assert_eq!(shop.usdc(lin), before + 3 * USDC);

    let second = shop.says("lin", &open);
    shop.pass(7 * DAY);
    assert_eq!(shop.says("lin", "job show --job 2")["stage"], "refundable");
    let back = shop.says("lin", "job refund --job 2");
    assert_eq!((back["ended"].as_bool(), amount(&back["refund"])), (Some(true), 25 * USDC));
    assert_eq!(shop.usdc(lin), before + 3 * USDC);
    assert_eq!(shop.terms(&second["license"]).expiry, 0, "the license is revoked");
    shop.refuses("mo", "job show --job 2", "none of that number was opened from here");
    shop.0.up.stop();
}

#[test]
fn a_bond_is_put_counts_and_comes_back_after_its_delay() {
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::open(&dir.path().join("state"));
    let addresses = shop.manifest.addresses;
    shop.act_as(addresses.member_timelock, addresses.market, &Market::setBondRequiredCall { required: true });
    shop.refuses("lin", "license --records 10", "researcher bond put");
    shop.refuses("lin", "bond withdraw", "nothing to take back");
    let part = shop.says("lin", "bond put --amount 400.5");
    assert_eq!((part["bonded"].as_bool(), amount(&part["amount"])), (Some(false), 400_500_000));
    let whole = shop.says("lin", "bond put");
    assert_eq!((whole["bonded"].as_bool(), amount(&whole["amount"])), (Some(true), 1_000 * USDC));
    shop.refuses("lin", "bond put", "nothing is missing");
    shop.says("lin", "license --records 10");
    shop.refuses("lin", "bond withdraw --amount 2000", "less than 2000");
    let asked = shop.says("lin", "bond withdraw --amount 600");
    assert_eq!((asked["bonded"].as_bool(), amount(&asked["unbonding"])), (Some(false), 600 * USDC));
    shop.refuses("lin", "bond withdraw", "can be fetched from");
    shop.refuses("lin", "license --records 10", "researcher bond put");
    shop.pass(30 * DAY);
    let lin = shop.account("lin");
    let before = shop.usdc(lin);
    assert_eq!(amount(&shop.says("lin", "bond withdraw")["withdrawn"]), 600 * USDC);
    assert_eq!(shop.usdc(lin), before + 600 * USDC);
    assert_eq!(amount(&shop.says("lin", "bond show")["amount"]), 400 * USDC);
    shop.0.up.stop();
}
