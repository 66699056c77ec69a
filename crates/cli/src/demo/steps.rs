//! The researcher's part, the claims, the denials, and the final account.

use super::Demo;
use super::people::{DATASET, PURPOSE, Person};
use super::report::{Asked, Erasure, LicenseReport, MemberReport, Refusal};
use crate::coop;
use crate::found::{self, FOUNDER};
use crate::researcher::{self, Bought, Purchase, Researcher};
use crate::state::steward_name;
use crate::wallet::Wallet;
use crate::{audit, epoch, member, records};
use alloy::primitives::U256;
use anyhow::{Context, Result, ensure};
use rochdale_api::ProblemCode;
use rochdale_api::client::{Client, ClientError, Identity};
use rochdale_api::member::Sealed as SealedReply;
use rochdale_api::order::{ReleaseRequest, SealedRequest, ShareAnswer, Shares};
use rochdale_api::route::{gateway, steward};
use rochdale_chain::bindings::{DataToken, GovToken, ServiceDesk, SettlementLedger, TestUSDC};
use rochdale_chain::client::Sender;
use rochdale_chain::ethics::{self, Study};
use rochdale_core::consent::Protocol;
use rochdale_core::ids::StewardId;
use rochdale_crypto::sealing::{OrderContext, SharesContext, open_as, seal_as};
use rochdale_crypto::{Sealed, keyfile};
use std::time::{Duration, Instant};

/// Privacy loss of each query in nano-zCDP: a tenth of each person's budget.
const RHO: u64 = 100_000_000;
const YEAR: u64 = 365 * 86_400;
/// What a license lasts: one month of those that it is priced by.
const MONTH: u64 = 30 * 86_400;
/// The service that is on offer, by its number, and what it costs: a tenth of a DATA, less than a first record earns.
const SERVICE: u32 = 1;
const SERVICE_PRICE: u128 = 100_000_000_000_000_000;
/// How long the stewards may take to destroy what an erased member had, on a busy machine.
const DESTROYED_WITHIN: Duration = Duration::from_secs(60);
/// How long a steward may take to learn of an order that others signed.
const KEPT_WITHIN: Duration = Duration::from_secs(60);
/// Test dollars handed to the researcher, in micro-USDC: what 10,000 records cost.
const ALLOWANCE: u128 = 1_000_000_000_000;

/// A license with its holder.
pub(super) struct Licensed {
    researcher: Researcher,
    bought: Bought,
}

impl Demo {
    /// Step 4: a researcher is approved and buys a license for all records that the dataset is said to hold, so that
    /// everybody who allows it is asked.
    pub(super) async fn license(&mut self) -> Result<Licensed> {
        let researcher = Researcher::create(&self.state, "researcher")?;
        let founder = Sender::new(self.chain.clone(), found::office(&self.state, FOUNDER)?);
        found::fund_gas(&self.chain, researcher.account()).await?;
        researcher::fund(&self.coop.manifest, &founder, researcher.account(), ALLOWANCE).await?;
        let until = self.chain.now().await? + YEAR;
        let (_, records) = researcher::published(&self.coop, DATASET, PURPOSE).await?;
        let manifest = &self.coop.manifest;
        let board = found::office(&self.state, found::ETHICS)?;
        let study = Study { researcher: researcher.account(), purpose: PURPOSE, protocol: Protocol::default() };
        let approved = ethics::approve(&founder, &board, manifest, &study, until).await?;
        let purchase = Purchase {
            dataset: DATASET,
            records: u32::try_from(records)?,
            purpose: PURPOSE,
            ehds_category: 5,
            duration: MONTH,
        };
        let bought = researcher.buy(&self.coop.manifest, &self.chain, purchase).await?;
        self.report.gas.one("approve a researcher", approved);
        self.report.gas.one("buy a license, permit included", bought.receipt.gas_used);
        epoch::synced(&self.coop, &self.chain, super::PATIENCE).await?;
        self.lap("license");
        Ok(Licensed { researcher, bought })
    }

    /// Step 5: a count, a mean with bounds, a histogram.
    pub(super) async fn queries(&mut self, licensed: &Licensed) -> Result<()> {
        rochdale_chain::local::LocalChain::new(&self.chain)?.mine(epoch::FINAL).await?;
        epoch::synced(&self.coop, &self.chain, super::PATIENCE).await?;
        let queries = researcher::sample_queries(DATASET, RHO);
        let bar = self.ui.bar("differentially private queries", queries.len() as u64);
        for query in queries {
            let start = Instant::now();
            let kind = query.ask.kind();
            let license = licensed.bought.license;
            let (answered, kept) = licensed.researcher.ask(&self.coop, license, PURPOSE, query).await?;
            let figures = answered.answer.readings(&kept.request.query);
            let mined = kept.answer.context("an answered order has no answer")?.mined;
            let seconds = start.elapsed().as_secs_f64();
            self.report.gas.one("anchor a receipt", mined.gas_used);
            self.report.queries.push(Asked { kind, seconds, figures, answered, receipt_tx: mined.tx });
            bar.inc();
        }
        bar.done();
        self.report.license = Some(LicenseReport { license: licensed.bought.license, price: licensed.bought.price });
        self.lap("queries");
        Ok(())
    }

    /// A service to spend DATA on, as if the token house had voted for it: on the local chain its timelock is stood in for, so that no
    /// month has to pass.
    pub(super) async fn service(&self) -> Result<()> {
        let addresses = &self.coop.manifest.addresses;
        let offer = ServiceDesk::Service { dataPrice: SERVICE_PRICE, open: true };
        let call = ServiceDesk::setServiceCall { serviceId: SERVICE, s: offer };
        let local = rochdale_chain::local::LocalChain::new(&self.chain)?;
        local.act_as(addresses.token_timelock, addresses.service_desk, &call).await?;
        Ok(())
    }

    /// Step 6: the first member claims alone, everyone in a batch.
    pub(super) async fn claims(&mut self, people: &[Person], what: &str) -> Result<()> {
        let bar = self.ui.spinner(what);
        let first = people.first().context("nobody contributed")?;
        let single = member::claim(&self.coop, vec![first.member_id]).await?;
        if let Some(mined) = single.mined.first() {
            self.report.gas.one("claim, single", mined.gas_used);
        }
        let batch = member::claim(&self.coop, Vec::new()).await?;
        ensure!(
            batch.skipped.is_empty(),
            "members {:?} were skipped though their accounts take transfers",
            batch.skipped
        );
        let gas: u64 = batch.mined.iter().map(|mined| mined.gas_used).sum();
        if !batch.paid.is_empty() {
            self.report.gas.per("claim, in a batch", gas, batch.paid.len() as u64);
        }
        bar.inc();
        bar.done();
        self.lap(what);
        Ok(())
    }

    /// Step 7: the last but one revokes, the last erases; both are refused from then on.
    pub(super) async fn deny(&mut self, people: &[Person]) -> Result<()> {
        let [.., revoker, eraser] = people else {
            self.ui.say("  one patient alone: nobody is left to show revoking and erasing beside");
            return Ok(());
        };
        let bar = self.ui.bar("one member revokes, one erases", 2);
        let revoked = member::revoke(&self.coop, &Wallet::open(&self.state, &revoker.name)?).await?;
        bar.inc();
        let erased = member::erase(&self.coop, &Wallet::open(&self.state, &eraser.name)?).await?;
        bar.inc();
        bar.done();
        self.report.gas.one("revoke consent", revoked.gas_used);
        self.report.gas.one("erase everything", erased.gas_used);
        rochdale_chain::local::LocalChain::new(&self.chain)?.mine(epoch::FINAL).await?;
        epoch::synced(&self.coop, &self.chain, super::PATIENCE).await?;
        self.report.refusals = self.refusals(&[revoker, eraser]).await?;
        self.report.erasure = Some(self.erasure(eraser).await?);
        self.lap("revoke and erase");
        Ok(())
    }

    /// Asks each steward, as the worker would, for the shares of the last booked order.
    async fn refusals(&self, people: &[&Person]) -> Result<Vec<Refusal>> {
        let key = coop::signer(&self.state.service("worker").join("signing.key"))?;
        let (worker, identity) = (key.address(), Identity { key, domain: self.coop.request_domain() });
        let sealing = keyfile::sealing_key(&self.state.service("worker").join("sealing.key"), &mut rand::rng())?;
        let asked = self.report.queries.last().context("no query was asked")?;
        let order = asked.answered.debit.order;
        let (chain_id, committee) = (self.coop.manifest.chain_id, self.coop.manifest.addresses.steward_committee);
        let now = self.chain.now().await?;
        let mut refusals = Vec::new();
        // Sealing keys have rotated since the demo began.
        for entry in &self.coop.fresh().await?.stewards {
            let steward = Client::new(&entry.url)?.signing(identity.clone(), entry.address);
            let contributions = people.iter().map(|person| person.contribution_id).collect();
            let json = serde_json::to_vec(&ReleaseRequest { order, contributions })?;
            let context = OrderContext { chain_id, committee, order, worker, index: entry.steward };
            let sealed = seal_as(&coop::sealing_key(entry), &context, &json, &mut rand::rng())?.0;
            let request = SealedRequest { order, sealed };
            let reply = match released(&steward, &request, now).await {
                Ok(reply) => reply,
                // Once the epoch is settled, an erasure destroys who was in the snapshot: nothing is released of it to anybody.
                Err(error) if error.code() == ProblemCode::Conflict => {
                    let (code, reason) = (error.code(), error.to_string());
                    refusals.extend(people.iter().map(|person| Refusal {
                        steward: entry.steward,
                        member_id: person.member_id,
                        code,
                        reason: reason.clone(),
                    }));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let context = SharesContext { chain_id, committee, order, index: entry.steward };
            let shares: Shares = serde_json::from_slice(&open_as(&sealing, &context, &Sealed(reply.sealed))?)?;
            for (share, person) in shares.into_iter().zip(people) {
                let ShareAnswer::Refused { code, reason, .. } = share else {
                    anyhow::bail!(
                        "{} released a share of member {} after the denial",
                        steward_name(entry.steward),
                        person.member_id
                    );
                };
                refusals.push(Refusal { steward: entry.steward, member_id: person.member_id, code, reason });
            }
        }
        Ok(refusals)
    }

    /// Collects the stewards' signed words; with n − t + 1 of them nobody is left who could open the record.
    async fn erasure(&self, person: &Person) -> Result<Erasure> {
        let late = Instant::now() + DESTROYED_WITHIN;
        // A steward destroys in its next round, and signs once its files hold no trace.
        let words = loop {
            let words = member::erasure(&self.coop, person.member_id).await?;
            if words.iter().all(|(_, word)| word.is_ok()) || Instant::now() > late {
                break words;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let mut attested = Vec::new();
        for (steward, word) in words {
            let word = word.with_context(|| format!("{} has not signed the erasure", steward_name(steward)))?;
            ensure!(word.shares > 0, "{} attests to no destroyed share", steward_name(steward));
            attested.push(steward);
        }
        let needed = self.coop.site().deletions_needed();
        let opens = attested.len() < needed;
        Ok(Erasure { member_id: person.member_id, attested_by: attested, needed, can_be_opened: opens })
    }

    /// Step 8: what the chain says of everyone's money, and the audit.
    pub(super) async fn account(&mut self, people: &[Person]) -> Result<()> {
        let addresses = self.coop.manifest.addresses;
        for person in people {
            let call = SettlementLedger::claimedOfCall { memberId: person.member_id.0 };
            let claimed = self.chain.view(addresses.settlement_ledger, &call).await?;
            self.report.members.push(MemberReport {
                name: person.name.clone(),
                member_id: person.member_id,
                input: person.input.clone(),
                score: records::score_value(&person.scored),
                cash: claimed.cash.to(),
                data: claimed.data.to(),
                gov: claimed.gov.to(),
            });
        }
        self.report.treasury = self.coop.gateway.get(gateway::TREASURY).await?;
        let treasury =
            self.chain.view(addresses.usdc, &TestUSDC::balanceOfCall { account: addresses.treasury }).await?;
        let data = self.chain.view(addresses.data_token, &DataToken::totalSupplyCall {}).await?;
        let gov = self.chain.view(addresses.gov_token, &GovToken::totalSupplyCall {}).await?;
        self.report.check_conservation(treasury.to(), data.to(), gov.to());
        self.report.budget = self.coop.gateway.get(gateway::BUDGET).await?;
        self.naive_loop(people).await?;
        let audited = audit::run(&self.state, StewardId(1))?;
        self.report.audit_agrees = audited.agrees;
        self.report.audit = audited.report;
        self.lap("account and audit");
        Ok(())
    }

    /// What the usual guide's loop would cost: one transfer to each member, estimated by the node on this chain.
    async fn naive_loop(&mut self, people: &[Person]) -> Result<()> {
        use alloy::providers::Provider as _;
        use alloy::rpc::types::TransactionRequest;
        use alloy::sol_types::SolCall as _;
        let founder = Sender::new(self.chain.clone(), found::office(&self.state, FOUNDER)?);
        researcher::fund(&self.coop.manifest, &founder, founder.address(), 1_000_000).await?;
        let mut total = 0;
        for person in people {
            let to = Wallet::open(&self.state, &person.name)?.account();
            let call = TestUSDC::transferCall { to, value: U256::from(1) };
            let request = TransactionRequest::default()
                .from(founder.address())
                .to(self.coop.manifest.addresses.usdc)
                .input(call.abi_encode().into());
            total += self.chain.provider().estimate_gas(request).await?;
        }
        self.report.gas.per("for comparison: a transfer to each member", total, people.len() as u64);
        Ok(())
    }
}

/// A steward's answer to a release. One that did not sign the order takes its snapshot from the others first: it is asked again.
async fn released(steward: &Client, request: &SealedRequest, now: u64) -> Result<SealedReply, ClientError> {
    let late = Instant::now() + KEPT_WITHIN;
    loop {
        let answer = steward.post_signed(steward::RELEASE, request, now).await;
        let is_to_come = answer.as_ref().is_err_and(|error| error.code() == ProblemCode::NotFound);
        if !is_to_come || Instant::now() > late {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
