//! Researchers at the list price: approval, licenses, reservations, renewal, payment in DATA, queries with receipts.

use alloy::primitives::{U256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context as _, Result, ensure};
use rand::RngExt as _;
use rochdale_chain::bindings::{DataToken, EthicsRegistry, LicenseSale, Market, StewardCommittee};
use rochdale_chain::eip712;
use rochdale_chain::events::Event;
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::{ContributionId, LicenseId, Purpose};
use rochdale_core::order::Debit;

use super::Year;
use super::agenda::Deed;
use super::chain::refusal;
use super::span::DAY;
use super::tally::{Act, Outcome};

/// What researchers are approved for: research on diseases, a number of the Data Use Ontology.
pub(super) const PURPOSE: u16 = 7;
/// Category (e) of the European Health Data Space: scientific research.
pub(super) const CATEGORY: u8 = 5;
/// How many researchers there are.
pub(super) const RESEARCHERS: usize = 6;

/// A license that somebody holds.
#[derive(Clone)]
pub(super) struct Held {
    pub id: LicenseId,
    holder: PrivateKeySigner,
    expiry: u64,
}

/// Wei of DATA that a researcher pays at most.
const MOST_DATA: u128 = 1_000_000_000_000_000_000;

impl Year {
    /// The ethics board approves every researcher but the last, who is refused a license.
    pub(super) async fn approve(&mut self) -> Result<()> {
        let (board, registry) = (self.site.key("ethics"), self.site.manifest.addresses.ethics_registry);
        let until = self.site.now().await? + 5 * 365 * DAY;
        for researcher in &self.researchers[..RESEARCHERS - 1] {
            let researcher = researcher.address();
            let nonce = self.site.view(registry, &EthicsRegistry::nonceOfCall { researcher, purpose: PURPOSE }).await?;
            let (protocol, deadline) = (String::new(), self.site.deadline().await?);
            let approval = eip712::Approval { researcher, purpose: PURPOSE, until, protocol, nonce, deadline };
            let board_signature = eip712::sign(&board, &approval, &self.site.manifest.ethics_domain())?;
            let call = EthicsRegistry::approveCall { a: approval.into(), boardSignature: board_signature };
            self.site.relay(registry, &call).await?;
            self.tally.count(Act::Approve, board.address());
        }
        let stranger = self.researchers[RESEARCHERS - 1].clone();
        let name = refusal(self.buy_list(&stranger, 1).await)?;
        ensure!(name == "LicenseSale_NotApproved", "an unapproved buyer was refused with {name}");
        self.tally.note(Outcome::Refused);
        Ok(())
    }

    fn order(&mut self, dataset: u32) -> LicenseSale::Order {
        LicenseSale::Order {
            datasetId: dataset,
            records: self.rng.random_range(1..=8) * 50,
            purpose: PURPOSE,
            ehdsCategory: CATEGORY,
            duration: self.rng.random_range(30..=180) * DAY,
            recipientKey: self.any_hash(),
        }
    }

    /// Buys at the list price with a permit.
    pub(super) async fn buy_list(&mut self, buyer: &PrivateKeySigner, dataset: u32) -> Result<LicenseId> {
        let market = self.site.manifest.addresses.market;
        let order = self.order(dataset);
        let price = self.site.view(market, &Market::priceOfCall { o: order.clone() }).await?;
        self.site.give_usdc(buyer.address(), price.to()).await?;
        let p = self.site.permit(buyer, market, price).await?.into();
        let receipt = self.site.send(buyer, market, &Market::buyCall { o: order, p }).await?;
        self.tally.count(Act::Buy, buyer.address());
        self.issued(&receipt, buyer)
    }

    /// Notes the license that a receipt issues.
    pub(super) fn issued(
        &mut self,
        receipt: &rochdale_chain::client::Receipt,
        holder: &PrivateKeySigner,
    ) -> Result<LicenseId> {
        let issued = self.site.events(receipt)?.into_iter().find_map(|located| match located.event {
            Event::LicenseIssued { license, terms, .. } => Some((license, terms.expiry, terms.right)),
            _ => None,
        });
        let (id, expiry, right) = issued.context("no LicenseIssued event in the receipt")?;
        if right == 1 {
            self.licenses.push(Held { id, holder: holder.clone(), expiry });
        }
        Ok(id)
    }

    /// An approved researcher, drawn.
    pub(super) fn researcher(&mut self) -> PrivateKeySigner {
        self.researchers[self.rng.random_range(0..RESEARCHERS - 1)].clone()
    }

    /// What researchers do in an epoch: two licenses, and two queries under licenses that run.
    pub(super) async fn research(&mut self) -> Result<()> {
        if self.paused {
            return Ok(());
        }
        for dataset in 1..=2 {
            let buyer = self.researcher();
            self.buy_list(&buyer, dataset).await?;
        }
        // Without a quorum nobody signs for a query.
        for _ in 0..if self.halted { 0 } else { 2 } {
            self.anchor().await?;
        }
        Ok(())
    }

    /// A query over a part of the live records: the debit that two stewards sign, and the worker's receipt.
    async fn anchor(&mut self) -> Result<()> {
        let now = self.site.now().await?;
        let running: Vec<LicenseId> = self.licenses.iter().filter(|l| l.expiry > now).map(|l| l.id).collect();
        let state = Cooperative::fold(&self.history().await?);
        let live = state.live_contributions(state.contributions.keys().copied(), now);
        if running.is_empty() || live.is_empty() {
            return Ok(());
        }
        let sample: Vec<ContributionId> = live.into_iter().filter(|_| self.rng.random_ratio(3, 4)).collect();
        let words: Vec<u8> = sample.iter().flat_map(|id| id.0.to_be_bytes()).collect();
        let debit = Debit {
            license_id: running[self.rng.random_range(0..running.len())],
            order: self.any_hash(),
            query_digest: self.any_hash(),
            snapshot: keccak256(words),
            purpose: Purpose(PURPOSE),
            rho: 1_000,
            deadline: now + DAY,
        };
        let (domain, worker) = (self.site.manifest.committee_domain(), self.site.key("worker"));
        let message = eip712::order::Debit::from(&debit);
        let signers = [&self.stewards[0], &self.stewards[2]];
        let signatures: Result<Vec<_>, _> = signers.iter().map(|key| eip712::sign(key, &message, &domain)).collect();
        let call = StewardCommittee::debitCall { d: message.into(), signatures: signatures? };
        self.site.relay(self.site.manifest.addresses.steward_committee, &call).await?;
        self.snapshots.insert(debit.order, sample);
        self.tally.count(Act::Debit, worker.address());
        let result = self.any_hash();
        let receipt = eip712::order::QueryReceipt { order: debit.order, resultDigest: result };
        let call = StewardCommittee::anchorReceiptCall {
            order: debit.order,
            resultDigest: result,
            workerSignature: eip712::sign(&worker, &receipt, &domain)?,
        };
        self.site.relay(self.site.manifest.addresses.steward_committee, &call).await?;
        self.tally.count(Act::Anchor, worker.address());
        Ok(())
    }

    /// Two reservations at today's price.
    pub(super) async fn reserve(&mut self) -> Result<()> {
        let market = self.site.manifest.addresses.market;
        for turn in 0..2 {
            let buyer = self.researchers[turn].clone();
            let order = self.order(2);
            let price = self.site.view(market, &Market::priceOfCall { o: order.clone() }).await?;
            self.site.give_usdc(buyer.address(), price.to()).await?;
            let p = self.site.permit(&buyer, market, price).await?.into();
            let call = Market::reserveCall { o: order, p };
            self.site.send(&buyer, market, &call).await?;
            self.reservations += 1;
            self.tally.count(Act::Reserve, buyer.address());
        }
        self.agenda.add(self.site.now().await? + 2 * DAY, Deed::SettleReservations);
        Ok(())
    }

    /// One holder gets everything back, the other a license.
    pub(super) async fn settle_reservations(&mut self) -> Result<()> {
        let (market, usdc) = (self.site.manifest.addresses.market, self.site.manifest.addresses.usdc);
        let (first, second) = (self.researchers[0].clone(), self.researchers[1].clone());
        let asked = Market::reservationOfCall { reservationId: self.reservations - 1 };
        let price = self.site.view(market, &asked).await?.price.to::<u128>();
        let before = self.site.balance(usdc, first.address()).await?;
        let cancel = Market::cancelCall { reservationId: self.reservations - 1 };
        self.site.send(&first, market, &cancel).await?;
        let back = self.site.balance(usdc, first.address()).await? - before;
        ensure!(price > 0 && back == price, "{back} of {price} came back");
        self.tally.count(Act::Cancel, first.address());
        let call = Market::activateCall { reservationId: self.reservations };
        let receipt = self.site.send(&second, market, &call).await?;
        self.issued(&receipt, &second)?;
        self.tally.count(Act::Activate, second.address());
        Ok(())
    }

    /// The newest license gets a longer life, at the price of the day.
    pub(super) async fn renew(&mut self) -> Result<()> {
        let market = self.site.manifest.addresses.market;
        let held = self.licenses.last().cloned().context("nobody holds a license")?;
        // What the longest order may cost; the permit bounds what is taken.
        let most = U256::from(1_000_000_000u64);
        self.site.give_usdc(held.holder.address(), most.to()).await?;
        let p = self.site.permit(&held.holder, market, most).await?.into();
        let call = Market::renewCall { licenseId: held.id.0, duration: 30 * DAY, p };
        self.site.send(&held.holder, market, &call).await?;
        self.tally.count(Act::Renew, held.holder.address());
        Ok(())
    }

    /// A researcher takes DATA from members who have some, and pays a license with it; a part burns.
    pub(super) async fn buy_with_data(&mut self) -> Result<()> {
        let (market, data) = (self.site.manifest.addresses.market, self.site.manifest.addresses.data_token);
        let buyer = self.researchers[2].clone();
        let seller = self.data_holder(MOST_DATA).await?;
        let value = U256::from(MOST_DATA);
        let give = DataToken::transferCall { to: buyer.address(), value };
        self.site.send(&seller, data, &give).await?;
        let order = LicenseSale::Order { duration: 30 * DAY, ..self.order(2) };
        let price = self.site.view(market, &Market::dataPriceOfCall { o: order.clone() }).await?;
        ensure!(!price.is_zero() && price <= value, "a license costs {price} wei of DATA");
        self.site.send(&buyer, data, &DataToken::approveCall { spender: market, value: price }).await?;
        let call = Market::buyWithDataCall { o: order, maxData: price };
        let receipt = self.site.send(&buyer, market, &call).await?;
        self.issued(&receipt, &buyer)?;
        self.tally.count(Act::BuyWithData, buyer.address());
        Ok(())
    }

    /// A member by wallet who holds this much DATA.
    pub(super) async fn data_holder(&self, wei: u128) -> Result<PrivateKeySigner> {
        let data = self.site.manifest.addresses.data_token;
        for place in self.present(|_| true) {
            if let Some(wallet) = self.people[place].key.wallet()
                && self.site.balance(data, wallet.address()).await? >= wei
            {
                return Ok(wallet.clone());
            }
        }
        anyhow::bail!("no member holds {wei} wei of DATA")
    }
}
