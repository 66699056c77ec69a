//! Auctions by sealed bids. What was sealed is kept before it is committed: who cannot reveal loses the bond.

use super::args::{AuctionCommand, UseArgs};
use super::budgets::Budgets;
use super::desk::Desk;
use super::keys::dollars;
use crate::args::Common;
use crate::coop;
use crate::state::{read_json, write_json};
use crate::ui::{Ui, show};
use crate::when::{count, utc};
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::providers::Provider as _;
use alloy::rpc::types::Filter;
use alloy::sol_types::{SolEvent as _, SolValue as _};
use anyhow::{Context, Result, bail, ensure};
use rochdale_chain::bindings::AuctionHouse;
use rochdale_core::ids::{DatasetId, LicenseId, Purpose};
use rochdale_core::money::MicroUsdc;
use rochdale_crypto::random_blinder;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Blocks in one request for logs.
const RANGE: u64 = 2_000;

/// What a bidder sealed, as it lies in the state directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedBid {
    amount: MicroUsdc,
    ehds_category: u8,
    recipient_key: B256,
    salt: B256,
    /// What is on chain of it.
    seal: B256,
}

impl SealedBid {
    fn opened(&self) -> AuctionHouse::Bid {
        AuctionHouse::Bid {
            amount: self.amount.0,
            ehdsCategory: self.ehds_category,
            recipientKey: self.recipient_key,
            salt: self.salt,
        }
    }
}

/// An auction as the chain has it.
struct Live {
    id: u64,
    auction: AuctionHouse::Auction,
    now: u64,
}

impl Live {
    async fn read(desk: &Desk, id: u64) -> Result<Self> {
        let call = AuctionHouse::auctionOfCall { auctionId: id };
        let auction = desk.view(desk.addresses().auction_house, &call).await?;
        ensure!(auction.commitEnd != 0, "there is no auction {id}: `rochdale researcher auction open` opens one");
        Ok(Self { id, auction, now: desk.now().await? })
    }

    /// What the contract would take now.
    fn stage(&self) -> &'static str {
        let a = &self.auction;
        match self.now {
            _ if a.closed => "closed",
            now if now < a.commitEnd => "bidding",
            now if a.hidden > 0 && now < a.revealEnd => "revealing",
            _ => "over",
        }
    }
}

/// Runs a command.
pub async fn run(common: &Common, command: AuctionCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        AuctionCommand::Open { who, dataset, purpose } => {
            open(&Desk::open(common, &who).await?, dataset, purpose.code(), ui).await
        }
        AuctionCommand::Bid { who, auction, amount, use_, agreed } => {
            let (desk, left) = (Desk::open(common, &who).await?, Budgets::line(common).await?);
            bid(&desk, (auction, amount), use_, &left, ui.agreeing(agreed)).await
        }
        AuctionCommand::Reveal { target, agreed } => {
            reveal(&Desk::open(common, &target.who).await?, target.auction, ui.agreeing(agreed)).await
        }
        AuctionCommand::Settle { target } => settle(&Desk::open(common, &target.who).await?, target.auction, ui).await,
        AuctionCommand::Refund { who } => {
            let desk = Desk::open(common, &who).await?;
            let house = desk.addresses().auction_house;
            let amount = fetch(&desk, house).await?;
            let value = json!({ "refund": amount.to_string() });
            show(ui, &value, format!("{} are back", dollars(amount)))
        }
        AuctionCommand::Show { target } => {
            let desk = Desk::open(common, &target.who).await?;
            status(&desk, &Live::read(&desk, target.auction).await?, ui).await
        }
    }
}

async fn open(desk: &Desk, dataset: DatasetId, purpose: Purpose, ui: Ui) -> Result<ExitCode> {
    let house = desk.addresses().auction_house;
    let terms = desk.view(house, &AuctionHouse::termsOfCall { datasetId: dataset.0 }).await?;
    ensure!(terms.reserve != 0, "dataset {dataset} is not auctioned: the token house sets its terms");
    let periods = u64::from(terms.commitPeriod) + u64::from(terms.revealPeriod);
    desk.approved(purpose, periods + terms.duration).await?;
    let receipt = desk.send(house, &AuctionHouse::openCall { datasetId: dataset.0, purpose: purpose.0 }).await?;
    let opened = receipt.logs.iter().find_map(|log| log.log_decode::<AuctionHouse::AuctionOpened>().ok());
    let id = opened.context("the transaction opened no auction")?.inner.data.auctionId;
    status(desk, &Live::read(desk, id).await?, ui).await
}

async fn bid(desk: &Desk, (id, amount): (u64, MicroUsdc), use_: UseArgs, left: &str, ui: Ui) -> Result<ExitCode> {
    let live = Live::read(desk, id).await?;
    let (house, terms) = (desk.addresses().auction_house, &live.auction.terms);
    ensure!(live.stage() == "bidding", "auction {id} takes no bids any more: it is {}", live.stage());
    ensure!(
        amount.0 >= terms.reserve,
        "{amount} is below the reserve, {}: the bid could not win",
        MicroUsdc(terms.reserve)
    );
    let committed = commitment(desk, id).await?;
    ensure!(committed.index == 0, "{} has bid in auction {id} already; a bid cannot be changed", desk.account());
    ui.agree(&format!(
        "A sealed bid of {amount} in auction {id}: the bond of {} is paid now by {}, and lost unless the bid is revealed in time.{left}",
        MicroUsdc(terms.bidBond),
        desk.account()
    ))?;
    let purpose = use_.purpose.code();
    let until_closed = live.auction.revealEnd.saturating_sub(live.now);
    desk.approved(purpose, until_closed + terms.duration).await?;
    let sealed = sealed(desk, id, amount, use_.category)?;
    let permit = desk.permit(house, U256::from(terms.bidBond)).await?;
    let call = AuctionHouse::commitCall { auctionId: id, sealedBid: sealed.seal, purpose: purpose.0, p: permit.into() };
    let receipt = desk.send(house, &call).await?;
    let value = json!({
        "auction": id, "amount": amount, "bond": terms.bidBond.to_string(), "seal": sealed.seal,
        "reveal_from": live.auction.commitEnd, "reveal_until": live.auction.revealEnd, "tx": receipt.transaction,
    });
    let sentence = format!(
        "a bid of {amount} is sealed in auction {id}; reveal it from {} until {}, or the bond of {} is lost",
        utc(live.auction.commitEnd),
        utc(live.auction.revealEnd),
        MicroUsdc(terms.bidBond)
    );
    show(ui, &value, sentence)
}

async fn reveal(desk: &Desk, id: u64, ui: Ui) -> Result<ExitCode> {
    let live = Live::read(desk, id).await?;
    let committed = commitment(desk, id).await?;
    ensure!(committed.index != 0, "{} did not bid in auction {id}", desk.account());
    ensure!(!committed.seal.is_zero(), "the bid in auction {id} is revealed already");
    ensure!(
        live.stage() == "revealing",
        "auction {id} is {}: bids are revealed from {} until {}, block time is {}",
        live.stage(),
        utc(live.auction.commitEnd),
        utc(live.auction.revealEnd),
        utc(live.now)
    );
    let path = bids_file(desk, id);
    let kept = bids(&path)?.into_iter().find(|bid| bid.seal == committed.seal);
    let sealed =
        kept.with_context(|| format!("{} does not hold what was sealed as {}", path.display(), committed.seal))?;
    let terms = &live.auction.terms;
    let rest = U256::from(sealed.amount.0.saturating_sub(terms.bidBond));
    ui.agree(&format!(
        "The bid of {} in auction {id} becomes public: {} are paid now by {}, beside the bond; what the price does not take comes back by \
         `rochdale researcher auction refund`. Unrevealed by {}, the bond of {} is lost.",
        sealed.amount,
        dollars(rest),
        desk.account(),
        utc(live.auction.revealEnd),
        MicroUsdc(terms.bidBond)
    ))?;
    let house = desk.addresses().auction_house;
    let permit = desk.permit(house, rest).await?;
    let call = AuctionHouse::revealCall { auctionId: id, b: sealed.opened(), p: permit.into() };
    let receipt = desk.send(house, &call).await?;
    let live = Live::read(desk, id).await?;
    let leads = live.auction.bestBidder == desk.account();
    let value = json!({ "auction": id, "amount": sealed.amount, "leads": leads, "tx": receipt.transaction });
    let verdict = if leads { "it leads" } else { "another leads: `rochdale researcher auction refund`" };
    show(ui, &value, format!("a bid of {} is revealed in auction {id}; {verdict}", sealed.amount))
}

async fn settle(desk: &Desk, id: u64, ui: Ui) -> Result<ExitCode> {
    let live = Live::read(desk, id).await?;
    let house = desk.addresses().auction_house;
    let closed = if live.auction.closed {
        closing(desk, id).await?
    } else {
        ensure!(
            live.stage() == "over",
            "auction {id} is {}: it can be closed from {} on, or once every bid is revealed; block time is {}",
            live.stage(),
            utc(live.auction.revealEnd),
            utc(live.now)
        );
        let receipt = desk.send(house, &AuctionHouse::closeCall { auctionId: id }).await?;
        let closed = receipt.logs.iter().find_map(|log| log.log_decode::<AuctionHouse::AuctionClosed>().ok());
        closed.context("the transaction closed no auction")?.inner.data
    };
    let license = (closed.licenseId != 0).then_some(LicenseId(closed.licenseId));
    let won = closed.winner == desk.account();
    if let (Some(license), true) = (license, won) {
        desk.researcher.note_license(license)?;
    }
    desk.finalize().await?;
    let value = json!({
        "auction": id, "license": license, "winner": closed.winner, "won": won, "price": closed.price.to_string(),
        "forfeited": closed.forfeitedBonds.to_string(), "owed": owed(desk, house).await?.to_string(),
    });
    let sentence = match license {
        Some(license) => format!("license {license} goes to {} for {}", closed.winner, dollars(closed.price)),
        None => format!("auction {id} sold nothing"),
    };
    show(ui, &value, sentence)
}

async fn status(desk: &Desk, live: &Live, ui: Ui) -> Result<ExitCode> {
    let (a, id) = (&live.auction, live.id);
    let committed = commitment(desk, id).await?;
    let own = match (committed.index, committed.seal.is_zero()) {
        (0, _) => Value::Null,
        (_, revealed) => {
            let kept = bids(&bids_file(desk, id))?.into_iter().find(|bid| bid.seal == committed.seal);
            json!({ "revealed": revealed, "amount": kept.map(|bid| bid.amount) })
        }
    };
    let owed = owed(desk, desk.addresses().auction_house).await?;
    let leader = (!a.bestBidder.is_zero()).then_some(a.bestBidder);
    let value = json!({
        "auction": id, "dataset": a.datasetId, "stage": live.stage(), "now": live.now, "commit_end": a.commitEnd,
        "reveal_end": a.revealEnd, "reserve": a.terms.reserve.to_string(), "bond": a.terms.bidBond.to_string(),
        "records": a.terms.records, "duration": a.terms.duration, "bids": a.bids, "hidden": a.hidden,
        "leader": leader, "best": a.bestAmount.to_string(), "own": own, "owed": owed.to_string(),
    });
    let mut text = format!(
        "auction {id} of dataset {} is {}: bids until {}, revealed until {} (block time {})\n\
         {} for {}, reserve {}, bond {}\n{}, {} of them still sealed",
        a.datasetId,
        live.stage(),
        utc(a.commitEnd),
        utc(a.revealEnd),
        utc(live.now),
        count(a.terms.records.into(), "record"),
        count(a.terms.duration / super::DAY, "day"),
        MicroUsdc(a.terms.reserve),
        MicroUsdc(a.terms.bidBond),
        count(a.bids.into(), "bid"),
        a.hidden
    );
    if let Some(leader) = leader {
        text += &format!("; {leader} leads with {}", MicroUsdc(a.bestAmount));
    }
    if !owed.is_zero() {
        text += &format!("\n{} can be fetched: `rochdale researcher auction refund`", dollars(owed));
    }
    show(ui, &value, text)
}

/// A bid that is kept before anything is sent. The same bid again has the same seal, as a transaction of unknown fate may
/// be on its way with it; another amount is kept beside it.
fn sealed(desk: &Desk, id: u64, amount: MicroUsdc, ehds_category: u8) -> Result<SealedBid> {
    let path = bids_file(desk, id);
    let mut kept = bids(&path)?;
    let recipient_key = desk.researcher.recipient_key();
    let wanted = (amount, ehds_category, recipient_key);
    if let Some(same) = kept.iter().find(|b| (b.amount, b.ehds_category, b.recipient_key) == wanted) {
        return Ok(same.clone());
    }
    let salt = random_blinder(&mut coop::rng()?);
    // Computed here: a node that is asked for the seal would learn the bid.
    let (chain, house) = (U256::from(desk.site.manifest.chain_id), desk.addresses().auction_house);
    let words = (chain, house, id, desk.account(), amount.0, U256::from(ehds_category), recipient_key, salt);
    let seal = keccak256(words.abi_encode());
    let sealed = SealedBid { amount, ehds_category, recipient_key, salt, seal };
    kept.push(sealed.clone());
    write_json(&path, &kept)?;
    Ok(sealed)
}

fn bids_file(desk: &Desk, id: u64) -> PathBuf {
    desk.file("auctions", &format!("{id}.json"))
}

fn bids(path: &std::path::Path) -> Result<Vec<SealedBid>> {
    if path.exists() { read_json(path) } else { Ok(Vec::new()) }
}

async fn commitment(desk: &Desk, id: u64) -> Result<AuctionHouse::Commitment> {
    let call = AuctionHouse::commitmentOfCall { auctionId: id, bidder: desk.account() };
    desk.view(desk.addresses().auction_house, &call).await
}

/// The event of an auction that somebody closed, looked for from the newest block back.
async fn closing(desk: &Desk, id: u64) -> Result<AuctionHouse::AuctionClosed> {
    let chain = &desk.site.chain;
    let mut to = chain.block(BlockNumberOrTag::Latest.into()).await?.number;
    loop {
        let from = to.saturating_sub(RANGE - 1).max(desk.site.manifest.base.number);
        let filter = Filter::new()
            .address(desk.addresses().auction_house)
            .event_signature(AuctionHouse::AuctionClosed::SIGNATURE_HASH)
            .topic1(U256::from(id))
            .from_block(from)
            .to_block(to);
        let logs = chain.provider().get_logs(&filter).await.context("the node gives no events")?;
        if let Some(closed) = logs.first() {
            return Ok(closed.log_decode::<AuctionHouse::AuctionClosed>()?.inner.data);
        }
        if from <= desk.site.manifest.base.number {
            bail!("the node has no event of the closing of auction {id}");
        }
        to = from - 1;
    }
}

/// What a sale owes back.
pub(super) async fn owed(desk: &Desk, sale: Address) -> Result<U256> {
    // Both escrowed sales have it from the same contract.
    desk.view(sale, &AuctionHouse::owedToCall { account: desk.account() }).await
}

/// Has a sale pay out what it owes.
pub(super) async fn fetch(desk: &Desk, sale: Address) -> Result<U256> {
    let amount = owed(desk, sale).await?;
    ensure!(!amount.is_zero(), "{} is owed nothing", desk.account());
    desk.send(sale, &AuctionHouse::withdrawCall { account: desk.account() }).await?;
    Ok(amount)
}
