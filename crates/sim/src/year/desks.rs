//! Auctions, metered jobs, bonds, what DATA is spent on, and the pay of operators.

use alloy::primitives::{B256, U256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Result, ensure};
use rochdale_chain::bindings::{
    AuctionHouse, Buyback, ComputeDesk, DataToken, OperatorPay, ResearcherBond, ServiceDesk, StewardCommittee,
    TestUSDC, Treasury,
};
use rochdale_chain::eip712;
use rochdale_core::ids::Epoch;

use super::Year;
use super::agenda::Deed;
use super::chain::refusal;
use super::market::{CATEGORY, PURPOSE};
use super::span::{DAY, HOUR};
use super::tally::{Act, Outcome};
use super::topics::AUCTIONED;

alloy::sol! {
    /// What stewards and a worker sign of a metered job.
    struct ComputeReceipt {
        uint64 jobId;
        uint64 units;
        bytes32 planDigest;
        bytes32 snapshot;
    }
}

/// Bids in micro-USDC; the last one is never revealed.
const BIDS: [u128; 4] = [31_000_000, 52_000_000, 44_000_000, 90_000_000];

/// The bucket of the Treasury that buys DATA back.
const BUYBACK: u8 = 1;

/// The most units that a job is paid for.
const UNITS: u64 = 1_000;

impl Year {
    /// An auction is opened, and four researchers commit sealed bids.
    pub(super) async fn auction(&mut self) -> Result<()> {
        let house = self.site.manifest.addresses.auction_house;
        let opener = self.researchers[0].clone();
        self.site.send(&opener, house, &AuctionHouse::openCall { datasetId: AUCTIONED, purpose: PURPOSE }).await?;
        self.auctions += 1;
        self.tally.count(Act::OpenAuction, opener.address());
        for (place, amount) in BIDS.into_iter().enumerate() {
            let (bidder, bid) = (self.researchers[place].clone(), self.bid(place, amount));
            let asked = AuctionHouse::sealOfCall { auctionId: self.auctions, bidder: bidder.address(), b: bid };
            let sealed = self.site.view(house, &asked).await?;
            let bond = U256::from(2_000_000u64);
            self.site.give_usdc(bidder.address(), bond.to()).await?;
            let p = self.site.permit(&bidder, house, bond).await?.into();
            let call = AuctionHouse::commitCall { auctionId: self.auctions, sealedBid: sealed, purpose: PURPOSE, p };
            self.site.send(&bidder, house, &call).await?;
            self.tally.count(Act::Bid, bidder.address());
        }
        let auction = self.site.view(house, &AuctionHouse::auctionOfCall { auctionId: self.auctions }).await?;
        self.agenda.add(auction.commitEnd + HOUR, Deed::Reveal);
        Ok(())
    }

    fn bid(&self, place: usize, amount: u128) -> AuctionHouse::Bid {
        let word = |what: &str| keccak256(format!("{what} of bid {place} in auction {}", self.auctions));
        AuctionHouse::Bid { amount, ehdsCategory: CATEGORY, recipientKey: word("key"), salt: word("salt") }
    }

    /// All but the last reveal, and pay what the bond does not cover.
    pub(super) async fn reveal(&mut self) -> Result<()> {
        let house = self.site.manifest.addresses.auction_house;
        for (place, amount) in BIDS.into_iter().enumerate().take(BIDS.len() - 1) {
            let (bidder, bid) = (self.researchers[place].clone(), self.bid(place, amount));
            self.site.give_usdc(bidder.address(), amount).await?;
            let p = self.site.permit(&bidder, house, U256::from(amount)).await?.into();
            let call = AuctionHouse::revealCall { auctionId: self.auctions, b: bid, p };
            self.site.send(&bidder, house, &call).await?;
            self.tally.count(Act::Reveal, bidder.address());
        }
        let auction = self.site.view(house, &AuctionHouse::auctionOfCall { auctionId: self.auctions }).await?;
        self.agenda.add(auction.revealEnd + HOUR, Deed::CloseAuction);
        Ok(())
    }

    /// The highest bid wins and pays the second; who did not reveal loses the bond; everybody fetches the rest.
    pub(super) async fn close_auction(&mut self) -> Result<()> {
        let house = self.site.manifest.addresses.auction_house;
        let winner = self.researchers[1].clone();
        let owed = self.site.view(house, &AuctionHouse::owedToCall { account: winner.address() }).await?;
        let call = AuctionHouse::closeCall { auctionId: self.auctions };
        let receipt = self.site.send(&winner, house, &call).await?;
        self.issued(&receipt, &winner)?;
        self.tally.count(Act::CloseAuction, winner.address());
        self.tally.note(Outcome::Forfeited);
        let now = self.site.view(house, &AuctionHouse::owedToCall { account: winner.address() }).await?;
        ensure!(now - owed == U256::from(BIDS[1] - BIDS[2]), "the winner does not pay the second price");
        for place in 0..BIDS.len() - 1 {
            let bidder = self.researchers[place].clone();
            let account = bidder.address();
            if !self.site.view(house, &AuctionHouse::owedToCall { account }).await?.is_zero() {
                self.site.send(&bidder, house, &AuctionHouse::withdrawCall { account }).await?;
                self.tally.count(Act::Withdraw, account);
            }
        }
        Ok(())
    }

    /// Two jobs: the first is done at once, nobody takes up the second.
    pub(super) async fn jobs(&mut self) -> Result<()> {
        let desk = self.site.manifest.addresses.compute_desk;
        let prices = self.site.view(desk, &ComputeDesk::pricesCall {}).await?;
        let most = U256::from(prices.base + prices.perUnit * u128::from(UNITS));
        for place in [3, 4] {
            let (buyer, plan) = (self.researchers[place].clone(), self.any_hash());
            self.site.give_usdc(buyer.address(), most.to()).await?;
            let p = self.site.permit(&buyer, desk, most).await?.into();
            let j = ComputeDesk::Job {
                datasetId: 1,
                purpose: PURPOSE,
                ehdsCategory: CATEGORY,
                maxUnits: UNITS,
                planDigest: plan,
                recipientKey: self.any_hash(),
            };
            self.site.send(&buyer, desk, &ComputeDesk::openCall { j, p }).await?;
            self.jobs_opened += 1;
            self.tally.count(Act::OpenJob, buyer.address());
            if place == 3 {
                self.complete_job(&buyer, plan).await?;
            }
        }
        let job = self.site.view(desk, &ComputeDesk::jobOfCall { jobId: self.jobs_opened }).await?;
        self.agenda.add(job.refundAt + 1, Deed::RefundJob);
        Ok(())
    }

    async fn complete_job(&mut self, buyer: &PrivateKeySigner, plan: B256) -> Result<()> {
        let (desk, worker) = (self.site.manifest.addresses.compute_desk, self.site.key("worker"));
        let domain = eip712::domain("ComputeDesk", self.site.chain.chain_id(), desk);
        let (job, units, snapshot) = (self.jobs_opened, UNITS * 2 / 3, self.any_hash());
        let receipt = ComputeReceipt { jobId: job, units, planDigest: plan, snapshot };
        let signers = [&self.stewards[0], &self.stewards[2]];
        let signatures: Result<Vec<_>, _> = signers.iter().map(|key| eip712::sign(key, &receipt, &domain)).collect();
        let call = ComputeDesk::completeCall {
            r: ComputeDesk::ComputeReceipt { jobId: job, units, planDigest: plan, snapshot },
            stewardSignatures: signatures?,
            workerSignature: eip712::sign(&worker, &receipt, &domain)?,
        };
        self.site.relay(desk, &call).await?;
        self.tally.count(Act::CompleteJob, worker.address());
        self.site.send(buyer, desk, &ComputeDesk::withdrawCall { account: buyer.address() }).await?;
        self.tally.count(Act::Withdraw, buyer.address());
        Ok(())
    }

    /// The job that nobody did is refunded in full.
    pub(super) async fn refund_job(&mut self) -> Result<()> {
        let desk = self.site.manifest.addresses.compute_desk;
        let buyer = self.researchers[4].clone();
        self.site.send(&buyer, desk, &ComputeDesk::refundCall { jobId: self.jobs_opened }).await?;
        self.site.send(&buyer, desk, &ComputeDesk::withdrawCall { account: buyer.address() }).await?;
        self.tally.count(Act::RefundJob, buyer.address());
        self.tally.count(Act::Withdraw, buyer.address());
        Ok(())
    }

    /// From now on buyers need a bond: without one they are refused, and then they post it.
    pub(super) async fn bond_researchers(&mut self) -> Result<()> {
        let (bonds, usdc) = (self.site.manifest.addresses.researcher_bond, self.site.manifest.addresses.usdc);
        let buyer = self.researchers[0].clone();
        let name = refusal(self.buy_list(&buyer, 1).await)?;
        ensure!(name == "LicenseSale_NotBonded", "a buyer without a bond was refused with {name}");
        self.tally.note(Outcome::Refused);
        let amount = U256::from(self.site.config.desks.researcher_bond.0);
        for researcher in self.researchers.clone() {
            self.site.give_usdc(researcher.address(), amount.to()).await?;
            self.site.send(&researcher, usdc, &TestUSDC::approveCall { spender: bonds, value: amount }).await?;
            self.site.send(&researcher, bonds, &ResearcherBond::postCall { amount }).await?;
            self.tally.count(Act::ResearcherBond, researcher.address());
        }
        Ok(())
    }

    /// A member orders a service, and a lot of the buyback is offered.
    pub(super) async fn spend_data(&mut self) -> Result<()> {
        let at = self.site.manifest.addresses;
        let price = U256::from(300_000_000_000_000_000u64);
        let member = self.data_holder(price.to()).await?;
        self.site
            .send(&member, at.data_token, &DataToken::approveCall { spender: at.service_desk, value: price })
            .await?;
        let order = ServiceDesk::orderCall { serviceId: 1, requestCommitment: self.any_hash() };
        self.site.send(&member, at.service_desk, &order).await?;
        self.tally.count(Act::OrderService, member.address());
        self.offer_lot().await
    }

    /// A lot is offered, and a member takes it when it has come down. It waits a week where the bucket holds none yet.
    pub(super) async fn offer_lot(&mut self) -> Result<()> {
        let (at, desks) = (self.site.manifest.addresses, self.site.config.desks);
        let bucket = self.site.view(at.treasury, &Treasury::availableCall { bucket: BUYBACK }).await?;
        if bucket < U256::from(desks.buyback_lot.0) {
            let (later, last) = (self.site.now().await? + 7 * DAY, Epoch(self.plan.epochs));
            if later < self.site.manifest.schedule().end(last) {
                self.agenda.add(later, Deed::OfferLot);
            }
            return Ok(());
        }
        if self.site.view(at.buyback, &Buyback::offeredAtCall {}).await? == 0 {
            self.site.relay(at.buyback, &Buyback::offerCall {}).await?;
            self.tally.count(Act::OfferLot, self.site.payer().address());
        }
        self.site.reach(self.site.now().await? + u64::from(desks.buyback_duration)).await?;
        let asked = self.site.view(at.buyback, &Buyback::askedCall {}).await?;
        let seller = self.data_holder(asked.to()).await?;
        let before = self.site.balance(at.usdc, seller.address()).await?;
        self.site.send(&seller, at.data_token, &DataToken::approveCall { spender: at.buyback, value: asked }).await?;
        let none = Buyback::Permit { deadline: U256::ZERO, v: 0, r: B256::ZERO, s: B256::ZERO };
        self.site.send(&seller, at.buyback, &Buyback::sellCall { maxData: asked, p: none }).await?;
        let got = self.site.balance(at.usdc, seller.address()).await? - before;
        ensure!(got == desks.buyback_lot.0, "a lot paid {got}");
        self.tally.count(Act::SellData, seller.address());
        Ok(())
    }

    /// What the last final epoch's signers and the worker did is metered, and each fetches the pay.
    pub(super) async fn pay_operators(&mut self) -> Result<()> {
        let pay = self.site.manifest.addresses.operator_pay;
        let gateway = self.site.key("gateway");
        self.site.send(&gateway, pay, &OperatorPay::meterCall {}).await?;
        let worker = self.site.key("worker").address();
        self.site.send(&gateway, pay, &OperatorPay::meterWorkerCall { worker }).await?;
        self.tally.count(Act::Meter, gateway.address());
        for operator in self.seats().into_iter().chain([worker]) {
            if !self.site.view(pay, &OperatorPay::owedToCall { operator }).await?.is_zero() {
                self.site.relay(pay, &OperatorPay::collectCall { operator }).await?;
                self.tally.count(Act::Collect, operator);
            }
        }
        Ok(())
    }

    /// The third steward takes back what its seat does not ask for.
    pub(super) async fn unbond(&mut self) -> Result<()> {
        let (steward, committee) = (self.stewards[2].clone(), self.site.manifest.addresses.steward_committee);
        let amount = U256::from(super::SPARE_BOND);
        self.site.send(&steward, committee, &StewardCommittee::requestUnbondCall { amount }).await?;
        self.tally.count(Act::Unbond, steward.address());
        let early = StewardCommittee::withdrawBondCall { to: steward.address() };
        let name = refusal(self.site.send(&steward, committee, &early).await)?;
        ensure!(name == "StewardBonds_StillUnbonding", "refused with {name}");
        self.tally.note(Outcome::Refused);
        self.agenda.add(self.site.now().await? + 28 * DAY + HOUR, Deed::WithdrawBond);
        Ok(())
    }

    /// After 28 days it is paid.
    pub(super) async fn withdraw_bond(&mut self) -> Result<()> {
        let (steward, committee) = (self.stewards[2].clone(), self.site.manifest.addresses.steward_committee);
        let call = StewardCommittee::withdrawBondCall { to: steward.address() };
        self.site.send(&steward, committee, &call).await?;
        self.tally.count(Act::WithdrawBond, steward.address());
        Ok(())
    }
}
