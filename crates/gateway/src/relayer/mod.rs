//! Sends members', stewards' and workers' signed statements to the contracts and pays the gas.
//!
//! Nothing here takes effect twice: the contracts refuse a used nullifier, nonce or order. Where one refuses, the index
//! tells whether the very same statement is on chain already (an answer that was lost, a process that ended between
//! sending and answering); then that transaction is the answer.

mod accounts;
mod batch;
mod claims;
mod demands;
mod errands;
mod house;
mod keys;
mod limits;
mod members;
mod seasoned;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use alloy::primitives::Address;
use alloy::providers::Provider as _;
use alloy::sol_types::SolCall;
use rochdale_api::member::{DenyRequest, GrantRequest, JoinRequest, Mined};
use rochdale_api::order::{AnchorRequest, DebitRequest};
use rochdale_api::settlement::ProposeRequest;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::bindings::{ConsentRegistry, ContributionRegistry, Membership, SettlementLedger, StewardCommittee};
use rochdale_chain::client::{Chain, Receipt, SendError, Sender};
use rochdale_chain::deploy::Manifest;
use rochdale_chain::eip712;
use rochdale_chain::events::{Event, Located};
use rochdale_client::statement;
use rochdale_core::ids::MemberId;
use tokio::sync::Notify;

use crate::config::GasConfig;
use crate::indexer::Index;
use crate::problems;
use crate::receipts;
use crate::store::{NewContribution, Store};

use errands::NEWCOMER;
pub use house::House;
pub(crate) use house::{network, site};
pub use limits::{CallQuota, Limiter};

/// Seconds that the budgets of gas are for.
const DAY: u64 = 86_400;
/// How many of guardians' yeses to another passkey are paid for a day and account.
const APPROVALS: u32 = 6;
/// How long an earlier transaction of unknown fate is waited for.
const SETTLING: Duration = Duration::from_secs(30);

/// The relayer: sends what others signed, and pays the gas.
pub struct Relayer {
    sender: Sender,
    manifest: Manifest,
    store: Store,
    index: Index,
    limiter: Limiter,
    house: House,
    gas: GasConfig,
    /// Guardians' words that are paid for, by account.
    approvals: CallQuota,
    queue: Arc<Notify>,
    /// Set while a transaction may be on its way that this process does not wait for.
    unsettled: AtomicBool,
}

/// A mined transaction with the events of our contracts in it.
struct Done {
    mined: Mined,
    events: Vec<Located>,
}

impl Relayer {
    /// Sends with `sender`; `queue` is told of new contributions.
    #[must_use]
    pub fn new(
        sender: Sender,
        manifest: Manifest,
        store: Store,
        index: Index,
        (limiter, house, gas): (Limiter, House, GasConfig),
        queue: Arc<Notify>,
    ) -> Self {
        // A run before this one may have ended while it waited for a receipt.
        let unsettled = AtomicBool::new(true);
        let approvals = CallQuota::new(APPROVALS, Duration::from_secs(DAY));
        Self { sender, manifest, store, index, limiter, house, gas, approvals, queue, unsettled }
    }

    /// The account that pays: the gateway's identity.
    #[must_use]
    pub fn address(&self) -> Address {
        self.sender.address()
    }

    fn chain(&self) -> &Chain {
        self.sender.chain()
    }

    /// Admits a member; returns its id.
    ///
    /// # Errors
    /// A problem where the contract refuses or the chain fails.
    pub async fn join(&self, request: &JoinRequest) -> Result<(MemberId, Mined), Problem> {
        let turn = self.limiter.turn(&format!("join {}", request.nullifier)).await?;
        self.may_spend(NEWCOMER).await?;
        let (a, registrar_signature) = (statement::admission(request).into(), request.registrar_signature.clone());
        let call = Membership::joinCall { a, registrarSignature: registrar_signature };
        let same = |event: &Event| match event {
            Event::Joined { member, account, payout, nullifier, row_key_digest } => (*account == request.account
                && *payout == request.payout
                && *nullifier == request.nullifier
                && *row_key_digest == request.row_key_digest)
                .then_some(*member),
            _ => None,
        };
        let sent = self.errand("join", &[NEWCOMER], self.manifest.addresses.membership, &call).await;
        let done = match sent {
            Ok(done) => done,
            Err(error) => {
                let before = async { Ok(self.store.events_about("joined", request.nullifier).await?) };
                self.recover(error, before, |e| same(e).is_some()).await?
            }
        };
        turn.spend();
        let member = done.events.iter().find_map(|e| same(&e.event));
        let member = member.ok_or_else(|| missing_event("Joined", &done.mined))?;
        Ok((member, done.mined))
    }

    /// Grants consent.
    ///
    /// # Errors
    /// A problem where the contract refuses or the chain fails.
    pub async fn grant(&self, request: &GrantRequest) -> Result<Mined, Problem> {
        let turn = self.turn(request.member_id).await?;
        self.may_spend(request.member_id).await?;
        let (g, signature) = (statement::grant(request).into(), request.signature.clone());
        let call = ConsentRegistry::grantCall { g, signature };
        let mined = self.consent("grant", request.member_id, request.nonce, &call, |event| {
            matches!(event, Event::ConsentGranted { version, receipt_commitment, expiry, .. }
                if (*version, *receipt_commitment, *expiry) == (request.version, request.receipt_commitment, request.expiry))
        })
        .await?;
        turn.spend();
        Ok(mined)
    }

    /// Revokes consent.
    ///
    /// # Errors
    /// A problem where the contract refuses or the chain fails.
    pub async fn revoke(&self, request: &DenyRequest) -> Result<Mined, Problem> {
        let _turn = self.limiter.unlimited(&format!("denial by member {}", request.member_id)).await;
        let (r, signature) = (statement::revoke(request).into(), request.signature.clone());
        let call = ConsentRegistry::revokeCall { r, signature };
        let same = |event: &Event| matches!(event, Event::ConsentRevoked { .. });
        self.consent("revoke", request.member_id, request.nonce, &call, same).await
    }

    /// Erases everything of a member and ends the membership.
    ///
    /// # Errors
    /// A problem where the contract refuses or the chain fails.
    pub async fn erase(&self, request: &DenyRequest) -> Result<Mined, Problem> {
        let _turn = self.limiter.unlimited(&format!("denial by member {}", request.member_id)).await;
        let (e, signature) = (statement::erase(request).into(), request.signature.clone());
        let call = ConsentRegistry::eraseCall { e, signature };
        let same = |event: &Event| matches!(event, Event::Erased { .. });
        self.consent("erase", request.member_id, request.nonce, &call, same).await
    }

    /// Proposes a settlement that a quorum signed.
    ///
    /// # Errors
    /// A problem where the contract refuses or the chain fails.
    pub async fn propose(&self, request: &ProposeRequest) -> Result<Mined, Problem> {
        let (epoch, attempt, root) = (request.header.epoch, request.header.attempt, request.header.root);
        let _turn = self.limiter.unlimited("propose").await;
        let header = eip712::Header::from(&request.header);
        let signatures = request.signatures.iter().map(|s| s.signature.clone()).collect();
        let call = SettlementLedger::proposeCall { h: header.into(), signatures };
        match self.send("propose", 1, self.manifest.addresses.settlement_ledger, &call).await {
            Ok(done) => Ok(done.mined),
            Err(error) => {
                let before = async { Ok(self.store.events_about("proposed", root).await?) };
                let same = |event: &Event| matches!(event, Event::Proposed { header, .. } if (header.epoch, header.attempt) == (epoch, attempt));
                Ok(self.recover(error, before, same).await?.mined)
            }
        }
    }

    /// Books a debit that a quorum signed.
    ///
    /// # Errors
    /// A problem where the contract refuses or the chain fails.
    pub async fn debit(&self, request: &DebitRequest) -> Result<Mined, Problem> {
        let _turn = self.limiter.unlimited("debit").await;
        let message = eip712::order::Debit::from(&request.debit);
        let signatures = request.signatures.iter().map(|s| s.signature.clone()).collect();
        let call = StewardCommittee::debitCall { d: message.into(), signatures };
        match self.send("debit", 1, self.manifest.addresses.steward_committee, &call).await {
            Ok(done) => Ok(done.mined),
            Err(error) => {
                let before = async { Ok(self.store.events_about("debited", request.debit.order).await?) };
                let same = |event: &Event| matches!(event, Event::Debited { debit, .. } if *debit == request.debit);
                Ok(self.recover(error, before, same).await?.mined)
            }
        }
    }

    /// Anchors a worker's receipt.
    ///
    /// # Errors
    /// A problem where the contract refuses or the chain fails.
    pub async fn anchor(&self, request: &AnchorRequest) -> Result<Mined, Problem> {
        let _turn = self.limiter.unlimited("anchor").await;
        let call = StewardCommittee::anchorReceiptCall {
            order: request.order,
            resultDigest: request.result_digest,
            workerSignature: request.worker_signature.clone(),
        };
        match self.send("anchor", 1, self.manifest.addresses.steward_committee, &call).await {
            Ok(done) => Ok(done.mined),
            Err(error) => {
                let before = async { Ok(self.store.events_about("receipt_anchored", request.order).await?) };
                let same = |event: &Event| matches!(event, Event::ReceiptAnchored { result_digest, .. } if *result_digest == request.result_digest);
                Ok(self.recover(error, before, same).await?.mined)
            }
        }
    }

    /// Asks the contract whether it would record this contribution now; nothing is sent.
    ///
    /// # Errors
    /// A problem where it would not, or the chain fails.
    pub async fn would_record(&self, new: &NewContribution) -> Result<(), Problem> {
        let call = batch::call(std::slice::from_ref(new));
        match self.sender.simulate(self.manifest.addresses.contribution_registry, &call).await {
            Ok(_) => Ok(()),
            Err(error) => Err(match batch::refusal(&error) {
                Some((_, reason)) => {
                    let mut problem = problems::send(&error);
                    problem.detail = format!("contribution {} cannot be recorded: {reason}", new.commitment);
                    problem
                }
                None => problems::send(&error),
            }),
        }
    }

    /// Tells the batch that something waits.
    pub fn wake(&self) {
        self.queue.notify_one();
    }

    /// One request of a member at a time, and not too many.
    ///
    /// # Errors
    /// A problem where the member asked too often.
    pub async fn turn(&self, member: MemberId) -> Result<limits::Turn<'_>, Problem> {
        self.limiter.turn(&format!("member {member}")).await
    }

    async fn consent<C: SolCall>(
        &self,
        kind: &'static str,
        member: MemberId,
        nonce: u64,
        call: &C,
        same: impl Fn(&Event) -> bool,
    ) -> Result<Mined, Problem> {
        match self.errand(kind, &[member], self.manifest.addresses.consent_registry, call).await {
            Ok(done) => Ok(done.mined),
            Err(error) => {
                // Every grant, revocation and erasure takes the next nonce: the one with this nonce is the nonce-th.
                let before = async {
                    let all = self.store.member_events(member).await?;
                    let place = usize::try_from(nonce).unwrap_or(usize::MAX);
                    Ok(all.into_iter().filter(|e| is_consent(&e.event)).nth(place).into_iter().collect())
                };
                Ok(self.recover(error, before, same).await?.mined)
            }
        }
    }

    /// Where the contract refused: the transaction in which the very same statement took effect before, if any.
    async fn recover(
        &self,
        error: SendError,
        before: impl Future<Output = Result<Vec<Located>, Problem>>,
        same: impl Fn(&Event) -> bool,
    ) -> Result<Done, Problem> {
        let problem = problems::send(&error);
        if error.revert().is_none() {
            return Err(problem);
        }
        // It may have taken effect after this request's guard looked.
        self.index.anew().await?;
        let Some(located) = before.await?.into_iter().find(|e| same(&e.event)) else { return Err(problem) };
        let found = receipts::look_up(self.chain(), &self.manifest.addresses, located.transaction).await;
        let (mined, events) = found.map_err(|e| problems::chain(&e))?.ok_or(problem)?;
        tracing::info!(tx = %mined.tx, "answered with the transaction in which this took effect before");
        Ok(Done { mined, events })
    }

    /// Simulates, sends, waits, and notes the transaction.
    async fn send<C: SolCall>(
        &self,
        kind: &'static str,
        items: usize,
        to: Address,
        call: &C,
    ) -> Result<Done, SendError> {
        self.settle().await?;
        let sent = self.sender.send(to, call).await;
        if matches!(sent, Err(SendError::NotMined { .. } | SendError::Chain(_))) {
            self.unsettled.store(true, Ordering::SeqCst);
        }
        let receipt: Receipt = sent?;
        let mined = Mined { tx: receipt.transaction, block: receipt.block_number, gas_used: receipt.gas_used };
        tracing::info!(kind, items, tx = %mined.tx, block = mined.block, gas = mined.gas_used, "mined");
        if let Err(error) = self.store.log_transaction(kind, items, &mined, self.block_time()).await {
            // The chain has it; only our own statistics miss it.
            tracing::error!(%error, "the transaction could not be noted");
        }
        Ok(Done { mined, events: receipts::events(&self.manifest.addresses, &receipt.logs) })
    }

    /// Waits until no transaction of ours of unknown fate is on its way, so that a simulation sees what it did.
    async fn settle(&self) -> Result<(), SendError> {
        if !self.unsettled.load(Ordering::SeqCst) {
            return Ok(());
        }
        let start = tokio::time::Instant::now();
        let provider = self.chain().provider();
        let count = |e| receipts::failed(self.chain(), "eth_getTransactionCount", &e);
        loop {
            let mined = provider.get_transaction_count(self.address()).latest().await.map_err(count)?;
            let sent = provider.get_transaction_count(self.address()).pending().await.map_err(count)?;
            // After a while a stuck one is left to the sender, which puts the next nonce behind it.
            if sent <= mined || start.elapsed() > SETTLING {
                self.unsettled.store(false, Ordering::SeqCst);
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn is_consent(event: &Event) -> bool {
    matches!(event, Event::ConsentGranted { .. } | Event::ConsentRevoked { .. } | Event::Erased { .. })
}

fn missing_event(event: &str, mined: &Mined) -> Problem {
    Problem::new(ProblemCode::Internal, format!("transaction {} holds no {event} event", mined.tx))
        .hint("do the bindings match the contracts?")
}

/// The ABI call that records these.
type Record = ContributionRegistry::recordCall;
