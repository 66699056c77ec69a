//! One signing key that sends transactions: simulated first, its nonce kept under a lock, waited for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use alloy::eips::Encodable2718 as _;
use alloy::network::{EthereumWallet, NetworkTransactionBuilder as _, TransactionBuilder as _};
use alloy::primitives::{Address, B256, Bytes, TxKind, U256};
use alloy::providers::Provider as _;
use alloy::rpc::types::{Log, TransactionInput, TransactionReceipt, TransactionRequest};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use alloy::transports::{RpcError, TransportError};
use tokio::sync::Mutex;

use super::options::Prepared;
use super::{Chain, ChainError, Revert, SenderOptions};

/// Why a transaction did not take effect.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The contract refuses; nothing was sent.
    #[error("{call} at {to} would revert: {revert}; nothing was sent")]
    Refused {
        /// The function's signature.
        call: String,
        /// The address of the contract that was called.
        to: Address,
        /// The contract's error with its arguments.
        revert: Box<Revert>,
    },
    /// The transaction was mined and reverted: the state changed after the simulation.
    #[error("{call} at {to} reverted in transaction {transaction}: {revert}")]
    Reverted {
        /// The function's signature.
        call: String,
        /// The address of the contract that was called.
        to: Address,
        /// The hash of the transaction.
        transaction: B256,
        /// Its error, as a repetition shows it.
        revert: Box<Revert>,
    },
    /// No receipt came in time; it may still be mined.
    #[error(
        "transaction {transaction} ({call}) was not mined within {seconds} s; it may still be: look it up before sending again"
    )]
    NotMined {
        /// The function's signature.
        call: String,
        /// The hash of the transaction.
        transaction: B256,
        /// The patience, in seconds.
        seconds: u64,
    },
    /// The account cannot pay the gas.
    #[error("account {account} cannot pay the gas of {call}: {detail}; fund it")]
    NoFunds {
        /// The account that sends.
        account: Address,
        /// The function's signature.
        call: String,
        /// What the node said.
        detail: String,
    },
    /// The gas would cost more than this sender may spend. Nothing was sent.
    #[error("{call} would cost up to {cost} wei of gas, the limit is {limit}: raise it, or send it by hand")]
    TooDear {
        /// The function's signature.
        call: String,
        /// Gas limit times the highest price, in wei.
        cost: u128,
        /// In wei.
        limit: u128,
    },
    /// Another process sends with the same key.
    #[error("account {account} lost the race for its nonce {nonce} several times; does another process use this key?")]
    NonceRace {
        /// The account that sends.
        account: Address,
        /// The nonce that was last tried.
        nonce: u64,
    },
    /// The transaction could not be signed or built.
    #[error("{call} could not be signed: {detail}")]
    Unsigned {
        /// The function's signature.
        call: String,
        /// What is wrong, in words for a person.
        detail: String,
    },
    /// The RPC.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl SendError {
    /// The contract's error, where that was the reason.
    #[must_use]
    pub fn revert(&self) -> Option<&Revert> {
        match self {
            Self::Refused { revert, .. } | Self::Reverted { revert, .. } => Some(revert),
            _ => None,
        }
    }
}

/// A mined, successful transaction.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The hash of the transaction.
    pub transaction: B256,
    /// The block's number.
    pub block_number: u64,
    /// The block's hash.
    pub block_hash: B256,
    /// Gas that was charged.
    pub gas_used: u64,
    /// The contract it created, if it created one.
    pub created: Option<Address>,
    /// What the contracts say that they did.
    pub logs: Vec<Log>,
}

/// Sends transactions with one key. Clones share its nonce.
#[derive(Clone)]
pub struct Sender {
    chain: Chain,
    wallet: EthereumWallet,
    address: Address,
    options: SenderOptions,
    next: Arc<Mutex<Next>>,
    waiting: Arc<AtomicUsize>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("chain", &self.chain).field("address", &self.address).finish_non_exhaustive()
    }
}

/// What is asked of the chain, with its name for messages.
pub(super) struct Wanted<'a> {
    kind: TxKind,
    data: Bytes,
    pub(super) name: &'a str,
    value: U256,
}

impl Wanted<'_> {
    fn to(&self) -> Address {
        self.kind.to().copied().unwrap_or_default()
    }
}

/// One attempt's end.
enum Submitted {
    Accepted,
    NonceTaken,
}

/// What this process knows of the account's nonce.
#[derive(Debug, Default)]
struct Next {
    nonce: u64,
    /// How many transactions were handed over: a count of the node's that is older than the last of them is stale.
    handed_over: u64,
}

/// Counts a transaction as waiting until it is dropped.
struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Sender {
    /// A sender with default patience.
    #[must_use]
    pub fn new(chain: Chain, signer: PrivateKeySigner) -> Self {
        Self::with_options(chain, signer, SenderOptions::default())
    }

    /// A sender with the patience given.
    #[must_use]
    pub fn with_options(chain: Chain, signer: PrivateKeySigner, options: SenderOptions) -> Self {
        let address = signer.address();
        Self {
            chain,
            wallet: EthereumWallet::from(signer),
            address,
            options,
            next: Arc::default(),
            waiting: Arc::default(),
        }
    }

    /// The account that pays.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// How many transactions were handed over so far.
    pub(super) async fn handed_over(&self) -> u64 {
        self.next.lock().await.handed_over
    }

    /// The chain it sends to.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What the call would return, without sending it.
    ///
    /// # Errors
    /// Where the contract refuses or the RPC does not answer.
    pub async fn simulate<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return, SendError> {
        let wanted = Wanted { kind: to.into(), data: call.abi_encode().into(), name: C::SIGNATURE, value: U256::ZERO };
        let data = self.simulate_raw(&wanted).await?;
        C::abi_decode_returns(&data).map_err(|e| {
            SendError::Chain(ChainError::Refused {
                rpc: self.chain.rpc().to_owned(),
                call: C::SIGNATURE.to_owned(),
                detail: format!("the answer of {to} does not decode ({e}); is this the contract?"),
            })
        })
    }

    /// Simulates, sends and waits until it is mined.
    ///
    /// # Errors
    /// Where the contract refuses (nothing was sent then), the transaction is not mined in time, or the RPC does
    /// not answer.
    pub async fn send<C: SolCall>(&self, to: Address, call: &C) -> Result<Receipt, SendError> {
        self.dispatch(&Wanted {
            kind: to.into(),
            data: call.abi_encode().into(),
            name: C::SIGNATURE,
            value: U256::ZERO,
        })
        .await
    }

    /// Simulates, sends and waits for a call that is already encoded; `name` is for messages.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_raw(&self, kind: TxKind, data: Bytes, name: &str) -> Result<Receipt, SendError> {
        self.dispatch(&Wanted { kind, data, name, value: U256::ZERO }).await
    }

    /// Sends ether, in wei, and waits.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn pay(&self, to: Address, wei: U256) -> Result<Receipt, SendError> {
        self.dispatch(&Wanted { kind: to.into(), data: Bytes::new(), name: "a payment of ether", value: wei }).await
    }

    /// As [`Self::send_raw`]; `note` hears of the transaction before it leaves and may keep it back by `false`. Where the
    /// nonce was taken meanwhile, it hears of the transaction that replaces it.
    ///
    /// # Errors
    /// As [`Self::send`]; `Unsigned` where `note` kept it back.
    pub async fn send_noting(
        &self,
        kind: TxKind,
        data: Bytes,
        name: &str,
        note: impl FnMut(B256) -> bool + Send,
    ) -> Result<Receipt, SendError> {
        self.dispatch_noting(&Wanted { kind, data, name, value: U256::ZERO }, note).await
    }

    /// Waits for a transaction that was sent before; `name` is for messages.
    ///
    /// # Errors
    /// Where it reverted, is not mined in time, or the RPC does not answer.
    pub async fn wait_for(&self, transaction: B256, name: &str) -> Result<Receipt, SendError> {
        let wanted = Wanted { kind: TxKind::Create, data: Bytes::new(), name, value: U256::ZERO };
        let receipt = self.wait(&wanted, transaction).await?;
        if receipt.status() {
            return Ok(summarize(receipt));
        }
        let (call, to) = (name.to_owned(), receipt.to.unwrap_or_default());
        Err(SendError::Reverted { call, to, transaction, revert: Box::new(Revert::decode(Bytes::new())) })
    }

    async fn dispatch(&self, wanted: &Wanted<'_>) -> Result<Receipt, SendError> {
        self.dispatch_noting(wanted, |_| true).await
    }

    async fn dispatch_noting(
        &self,
        wanted: &Wanted<'_>,
        note: impl FnMut(B256) -> bool + Send,
    ) -> Result<Receipt, SendError> {
        let prepared = self.prepare(wanted).await?;
        let (transaction, _waiting) = self.submit(wanted, &prepared, note).await?;
        let receipt = self.wait(wanted, transaction).await?;
        if receipt.status() {
            return Ok(summarize(receipt));
        }
        let revert = match self.simulate_raw(wanted).await {
            Err(SendError::Refused { revert, .. }) => revert,
            _ => Box::new(Revert::decode(Bytes::new())),
        };
        Err(SendError::Reverted { call: wanted.name.to_owned(), to: wanted.to(), transaction, revert })
    }

    pub(super) fn request(&self, wanted: &Wanted<'_>) -> TransactionRequest {
        TransactionRequest {
            from: Some(self.address),
            to: Some(wanted.kind),
            input: TransactionInput::both(wanted.data.clone()),
            value: Some(wanted.value),
            ..TransactionRequest::default()
        }
    }

    async fn simulate_raw(&self, wanted: &Wanted<'_>) -> Result<Bytes, SendError> {
        let (provider, request) = (self.chain.provider(), self.request(wanted));
        self.retry(wanted, || {
            let request = request.clone();
            async move { provider.call(request).await }
        })
        .await
    }

    /// Assigns the nonce, signs and hands the transaction to the node, one at a time.
    async fn submit(
        &self,
        wanted: &Wanted<'_>,
        prepared: &Prepared,
        mut note: impl FnMut(B256) -> bool + Send,
    ) -> Result<(B256, Waiting), SendError> {
        let mut next = self.next.lock().await;
        let (provider, address) = (self.chain.provider(), self.address);
        let Prepared { gas, fees, .. } = *prepared;
        let mut counted = (prepared.handed_over == next.handed_over).then_some(prepared.count);
        for _ in 0..=self.options.retries {
            let counting = || async move { provider.get_transaction_count(address).pending().await };
            let pending = match counted.take() {
                Some(count) => count,
                None => self.retry(wanted, counting).await?,
            };
            // Nothing of ours is on its way: the node's count stands, also after a reorganization took some back.
            let nonce = if self.waiting.load(Ordering::SeqCst) == 0 { pending } else { pending.max(next.nonce) };
            next.nonce = nonce;
            let cost = u128::from(gas).saturating_mul(fees.max_fee_per_gas);
            if let Some(limit) = self.options.max_wei.filter(|limit| cost > *limit) {
                return Err(SendError::TooDear { call: wanted.name.to_owned(), cost, limit });
            }
            let request = self
                .request(wanted)
                .with_nonce(nonce)
                .with_chain_id(self.chain.chain_id())
                .with_gas_limit(gas)
                .with_max_fee_per_gas(fees.max_fee_per_gas)
                .with_max_priority_fee_per_gas(fees.max_priority_fee_per_gas);
            let signed = request
                .build(&self.wallet)
                .await
                .map_err(|e| SendError::Unsigned { call: wanted.name.to_owned(), detail: e.to_string() })?;
            let transaction = *signed.tx_hash();
            if !note(transaction) {
                let detail = "it could not be noted, so it was not sent".to_owned();
                return Err(SendError::Unsigned { call: wanted.name.to_owned(), detail });
            }
            self.waiting.fetch_add(1, Ordering::SeqCst);
            let waiting = Waiting(Arc::clone(&self.waiting));
            match self.hand_over(wanted, &signed.encoded_2718(), transaction).await? {
                Submitted::Accepted => {
                    *next = Next { nonce: nonce + 1, handed_over: next.handed_over + 1 };
                    tracing::debug!(%transaction, nonce, call = wanted.name, "transaction sent");
                    return Ok((transaction, waiting));
                }
                Submitted::NonceTaken => drop(waiting),
            }
        }
        Err(SendError::NonceRace { account: self.address, nonce: next.nonce })
    }

    async fn hand_over(&self, wanted: &Wanted<'_>, raw: &[u8], hash: B256) -> Result<Submitted, SendError> {
        let provider = self.chain.provider();
        let handing = || async move {
            match provider.send_raw_transaction(raw).await {
                Ok(_) => Ok(Submitted::Accepted),
                Err(RpcError::ErrorResp(payload)) if payload.message.contains("already") => Ok(Submitted::Accepted),
                Err(RpcError::ErrorResp(payload)) if is_nonce_conflict(&payload.message) => Ok(Submitted::NonceTaken),
                Err(other) => Err(other),
            }
        };
        let sent = self.retry(wanted, handing).await?;
        if matches!(sent, Submitted::Accepted) {
            return Ok(sent);
        }
        // An answer may have been lost on the way: then it is our own transaction that took the nonce.
        let known = self.retry(wanted, || async move { provider.get_transaction_by_hash(hash).await }).await?;
        Ok(if known.is_some() { Submitted::Accepted } else { Submitted::NonceTaken })
    }

    async fn wait(&self, wanted: &Wanted<'_>, transaction: B256) -> Result<TransactionReceipt, SendError> {
        let provider = self.chain.provider();
        let looking = async {
            loop {
                let asking = || async move { provider.get_transaction_receipt(transaction).await };
                match self.retry(wanted, asking).await {
                    Ok(Some(receipt)) if receipt.block_number.is_some() => return Ok(receipt),
                    // It was sent: an RPC that is gone now must not make it look as if it was not.
                    Err(SendError::Chain(error)) if error.is_transient() => {
                        tracing::debug!(%transaction, %error, "waiting for a receipt");
                    }
                    Err(error) => return Err(error),
                    Ok(_) => {}
                }
                tokio::time::sleep(self.options.poll).await;
            }
        };
        tokio::time::timeout(self.options.patience, looking).await.unwrap_or_else(|_| {
            Err(SendError::NotMined {
                call: wanted.name.to_owned(),
                transaction,
                seconds: self.options.patience.as_secs(),
            })
        })
    }

    /// Repeats a request while the RPC does not answer, and names a refusal.
    pub(super) async fn retry<T, F>(&self, wanted: &Wanted<'_>, mut request: impl FnMut() -> F) -> Result<T, SendError>
    where
        F: Future<Output = Result<T, TransportError>>,
    {
        let mut pause = self.options.backoff;
        let mut left = self.options.retries;
        loop {
            let error = match request().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if left == 0 || !is_transient(&error) {
                return Err(self.explain(wanted, &error));
            }
            left -= 1;
            tracing::debug!(rpc = self.chain.rpc(), call = wanted.name, left, "the RPC did not answer, trying again");
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    pub(super) fn explain(&self, wanted: &Wanted<'_>, error: &TransportError) -> SendError {
        let call = wanted.name.to_owned();
        if let Some(revert) = Revert::from_transport(error) {
            return SendError::Refused { call, to: wanted.to(), revert: revert.into() };
        }
        match error.as_error_resp() {
            Some(payload) if payload.message.to_lowercase().contains("insufficient funds") => {
                SendError::NoFunds { account: self.address, call, detail: payload.message.to_string() }
            }
            _ => self.chain.error(wanted.name, error).into(),
        }
    }
}

fn is_nonce_conflict(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("nonce too low") || message.contains("underpriced")
}

pub(super) fn is_transient(error: &TransportError) -> bool {
    match error {
        RpcError::Transport(kind) => !kind.is_non_retryable(),
        RpcError::ErrorResp(payload) => payload.is_retry_err(),
        _ => false,
    }
}

fn summarize(receipt: TransactionReceipt) -> Receipt {
    Receipt {
        transaction: receipt.transaction_hash,
        block_number: receipt.block_number.unwrap_or_default(),
        block_hash: receipt.block_hash.unwrap_or_default(),
        gas_used: receipt.gas_used,
        created: receipt.contract_address,
        logs: receipt.inner.logs().to_vec(),
    }
}
