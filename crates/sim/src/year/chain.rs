//! The ground that a year stands on: a chain of its own, whose time is moved, or any other RPC, on which it waits.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use alloy::providers::Provider as _;
use alloy::providers::ext::AnvilApi as _;
use alloy::rpc::types::Filter;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::{SolCall, SolEvent as _};
use anyhow::{Context as _, Result, bail, ensure};
use rochdale_chain::bindings::{AuctionSale, ComputeSale, DataToken, LicenseSale, TestUSDC};
use rochdale_chain::client::{
    Chain, ChainOptions, LOCAL_CHAIN_ID, ManualClock, Receipt, SendError, Sender, SenderOptions,
};
use rochdale_chain::deploy::{Actors, CoopConfig, Manifest, deploy};
use rochdale_chain::eip712;
use rochdale_chain::events::{Located, Seat, decode};
use rochdale_chain::local::{Anvil, AnvilOptions, GENESIS_TIME, LocalChain, key};
use tokio::sync::mpsc::UnboundedSender;

use super::guardian::Guardian;
use super::span::{DAY, HOUR};
use crate::evm::Evm;

/// How often a chain that cannot be moved is asked for its time, unless told otherwise.
const WAIT: Duration = Duration::from_secs(2);

/// Wei for each account that sends: 100 ether on the local chain, a hundredth of one elsewhere.
const LOCAL_GAS: u128 = 100 * 1_000_000_000_000_000_000;
const GAS: u128 = 10_000_000_000_000_000;

/// How many stewards sit.
pub(super) const STEWARDS: usize = 3;

/// What answers for the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Node {
    /// An anvil of its own.
    #[default]
    Anvil,
    /// The machine in this process.
    Revm,
    /// Whoever answers at a URL.
    Rpc(String),
}

impl FromStr for Node {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "anvil" => Ok(Self::Anvil),
            "revm" => Ok(Self::Revm),
            url if url.starts_with("http://") || url.starts_with("https://") => Ok(Self::Rpc(url.to_owned())),
            _ => Err("neither `anvil`, `revm` nor the URL of an RPC, as http://127.0.0.1:8545".to_owned()),
        }
    }
}

/// Where a year takes place.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    /// What answers for the chain.
    pub node: Node,
    /// The chain id of an RPC, the local one if absent; no other node takes one.
    pub chain_id: Option<u64>,
    /// Pays gas and, elsewhere than on the local chain, everybody's USDC.
    pub payer: Option<PrivateKeySigner>,
    /// The stablecoin; the local chain gets a test token where it is absent.
    pub usdc: Option<Address>,
    /// Hears of each time, in unix seconds, that a chain which cannot be moved from here is waited for.
    pub awaited: Option<UnboundedSender<u64>>,
    /// How often such a chain is asked for its time; every two seconds if absent.
    pub poll: Option<Duration>,
}

/// What answers, for as long as the year lasts.
enum Standing {
    Anvil(Anvil),
    Revm(Evm),
    Elsewhere(String),
}

impl Standing {
    async fn on(ground: &Ground) -> Result<(Self, Chain)> {
        let chain_id = ground.chain_id.unwrap_or(LOCAL_CHAIN_ID);
        ensure!(
            chain_id == LOCAL_CHAIN_ID || matches!(ground.node, Node::Rpc(_)),
            "a chain of one's own has the id {LOCAL_CHAIN_ID}: --chain-id {chain_id} is of an RPC, whose URL --chain takes"
        );
        let standing = match &ground.node {
            Node::Anvil => {
                let options =
                    AnvilOptions { chain_id, genesis_timestamp: Some(GENESIS_TIME), ..AnvilOptions::default() };
                Self::Anvil(Anvil::spawn(&options).context("starting anvil")?)
            }
            Node::Revm => {
                let evm = Evm::new(chain_id, GENESIS_TIME);
                let chain = evm.connect().await?;
                return Ok((Self::Revm(evm), chain));
            }
            Node::Rpc(url) => Self::Elsewhere(url.clone()),
        };
        let clock = Arc::new(ManualClock::default());
        let chain = Chain::connect(&standing.url().await?, ChainOptions::new(chain_id), clock).await?;
        if matches!(standing, Self::Anvil(_)) {
            // As in this process: each block is a second after the one before, whatever the machine's clock says meanwhile.
            chain
                .provider()
                .anvil_set_block_timestamp_interval(1)
                .await
                .context("setting anvil's time between blocks")?;
        }
        Ok((standing, chain))
    }

    async fn url(&self) -> Result<String> {
        Ok(match self {
            Self::Anvil(anvil) => anvil.url(),
            Self::Revm(evm) => evm.serve().await.context("serving the chain of this process")?,
            Self::Elsewhere(url) => url.clone(),
        })
    }
}

/// A cooperative on its ground.
pub(super) struct Site {
    standing: Standing,
    pub chain: Chain,
    local: Option<LocalChain>,
    awaited: Option<UnboundedSender<u64>>,
    poll: Duration,
    pub manifest: Manifest,
    pub config: CoopConfig,
    pub guardian: Guardian,
    payer: Sender,
    seed: String,
    senders: BTreeMap<Address, Sender>,
    pub transactions: u64,
}

impl Site {
    /// Connects, puts up the guardian's Safe and founds a cooperative.
    pub async fn found(ground: &Ground) -> Result<Self> {
        let (standing, chain) = Standing::on(ground).await?;
        let chain_id = chain.chain_id();
        let local = (chain_id == LOCAL_CHAIN_ID).then(|| LocalChain::new(&chain)).transpose()?;
        // Keys that anybody can derive are for the local chain alone.
        let (seed, payer) = match (&ground.payer, &local) {
            (Some(payer), Some(_)) => ("year".to_owned(), payer.clone()),
            (Some(payer), None) => (keccak256(payer.to_bytes()).to_string(), payer.clone()),
            (None, Some(_)) => ("year".to_owned(), key("year", "payer")),
            (None, None) => bail!("chain {chain_id} is not the local one: give a key that pays with --key"),
        };
        let payer = sender(&chain, payer);
        if let Some(local) = &local {
            local.set_balance(payer.address(), U256::from(LOCAL_GAS) * U256::from(1_000u64)).await?;
        }
        let guardian = Guardian::put_up(&payer, std::array::from_fn(|n| key(&seed, &format!("guardian-{n}")))).await?;
        let config = config(ground, chain_id, &seed, guardian.address);
        let manifest = deploy(&payer, &config, None, |_| {}).await?;
        Ok(Self {
            standing,
            chain,
            local,
            awaited: ground.awaited.clone(),
            poll: ground.poll.unwrap_or(WAIT),
            manifest,
            config,
            guardian,
            payer,
            seed,
            senders: BTreeMap::new(),
            transactions: 0,
        })
    }

    /// An RPC of the chain, for programs that are not in this process.
    pub async fn url(&self) -> Result<String> {
        self.standing.url().await
    }

    /// The key of a role in this year.
    pub fn key(&self, role: &str) -> PrivateKeySigner {
        key(&self.seed, role)
    }

    /// Sends a call by an account of its own, which gets gas where it has none.
    pub async fn send<C: SolCall>(&mut self, by: &PrivateKeySigner, to: Address, call: &C) -> Result<Receipt> {
        let sender = self.sender(by).await?;
        self.transactions += 1;
        Ok(sender.send(to, call).await?)
    }

    /// Sends a call by whoever pays for the others.
    pub async fn relay<C: SolCall>(&mut self, to: Address, call: &C) -> Result<Receipt> {
        self.transactions += 1;
        Ok(self.payer.send(to, call).await?)
    }

    /// Puts a contract on the chain.
    pub async fn create(&mut self, code: Bytes, name: &str) -> Result<Address> {
        self.transactions += 1;
        let receipt = self.payer.send_raw(TxKind::Create, code, name).await?;
        receipt.created.with_context(|| format!("the transaction created no {name}"))
    }

    /// Whoever pays for the others.
    pub fn payer(&self) -> &Sender {
        &self.payer
    }

    /// A sender for a key, with gas.
    pub async fn sender(&mut self, by: &PrivateKeySigner) -> Result<Sender> {
        let account = by.address();
        if let Some(known) = self.senders.get(&account) {
            return Ok(known.clone());
        }
        match &self.local {
            Some(local) => local.set_balance(account, U256::from(LOCAL_GAS)).await?,
            None => drop(self.payer.pay(account, U256::from(GAS)).await?),
        }
        let sender = sender(&self.chain, by.clone());
        self.senders.insert(account, sender.clone());
        Ok(sender)
    }

    /// Reads at the latest block.
    pub async fn view<C: SolCall>(&self, of: Address, call: &C) -> Result<C::Return> {
        Ok(self.chain.view(of, call).await?)
    }

    /// Protocol time, unix seconds.
    pub async fn now(&self) -> Result<u64> {
        Ok(self.chain.now().await?)
    }

    /// Protocol time a day from now: a deadline.
    pub async fn deadline(&self) -> Result<U256> {
        Ok(U256::from(self.now().await? + DAY))
    }

    /// Moves the chain to a time in unix seconds, or waits for it.
    pub async fn reach(&self, time: u64) -> Result<()> {
        match &self.local {
            Some(local) => drop(local.time_to(time, 2).await?),
            None => {
                while self.now().await? < time {
                    self.wait_for(time).await;
                }
            }
        }
        Ok(())
    }

    async fn wait_for(&self, time: u64) {
        if let Some(listener) = &self.awaited {
            // Who listens no more has no say in how long this takes.
            let _ = listener.send(time);
        }
        tokio::time::sleep(self.poll).await;
    }

    /// Waits until nothing up to `end` can change any more.
    pub async fn settle_down(&self, end: u64) -> Result<()> {
        while self.chain.cut_block(end).await?.is_none() {
            match &self.local {
                Some(local) => drop(local.mine(8).await?),
                None => self.wait_for(end).await,
            }
        }
        Ok(())
    }

    /// Gives an account USDC.
    pub async fn give_usdc(&mut self, to: Address, micro: u128) -> Result<()> {
        let (usdc, amount) = (self.manifest.addresses.usdc, U256::from(micro));
        match self.local {
            Some(_) => self.relay(usdc, &TestUSDC::mintCall { to, amount }).await?,
            None => self.relay(usdc, &TestUSDC::transferCall { to, value: amount }).await?,
        };
        Ok(())
    }

    /// An ERC-20 balance.
    pub async fn balance(&self, token: Address, account: Address) -> Result<u128> {
        let held = self.view(token, &TestUSDC::balanceOfCall { account }).await?;
        u128::try_from(held).context("a balance above 128 bits")
    }

    /// Whether time and money cost nothing here.
    pub fn is_local(&self) -> bool {
        self.local.is_some()
    }

    /// Wei of DATA that were ever burned: transfers to nobody.
    pub async fn burned(&self) -> Result<U256> {
        let filter = Filter::new()
            .address(self.manifest.addresses.data_token)
            .event_signature(DataToken::Transfer::SIGNATURE_HASH)
            .topic2(B256::ZERO)
            .from_block(self.manifest.base.number);
        let logs = self.chain.provider().get_logs(&filter).await.context("reading the burning of DATA")?;
        let values = logs.iter().map(|log| Ok(DataToken::Transfer::decode_log_data(&log.inner.data)?.value));
        values.sum()
    }

    /// The events of a receipt.
    pub fn events(&self, receipt: &Receipt) -> Result<Vec<Located>> {
        let read = |log| decode(&self.manifest.addresses, log, 0).transpose();
        Ok(receipt.logs.iter().filter_map(read).collect::<Result<_, _>>()?)
    }

    /// A permit over USDC for a sale.
    pub async fn permit(&self, owner: &PrivateKeySigner, spender: Address, value: U256) -> Result<Permit> {
        let (usdc, deadline) = (self.manifest.addresses.usdc, self.deadline().await?);
        let nonce = self.view(usdc, &TestUSDC::noncesCall { owner: owner.address() }).await?;
        let permit = eip712::Permit { owner: owner.address(), spender, value, nonce, deadline };
        let signature = eip712::sign(owner, &permit, &self.manifest.usdc_domain())?;
        Ok(Permit { value, deadline, signature })
    }
}

fn sender(chain: &Chain, key: PrivateKeySigner) -> Sender {
    let options = SenderOptions { poll: Duration::from_millis(10), ..SenderOptions::default() };
    Sender::with_options(chain.clone(), key, options)
}

/// A signed permit, for whichever sale takes it.
pub(super) struct Permit {
    value: U256,
    deadline: U256,
    signature: Bytes,
}

macro_rules! permit_for {
    ($($sale:ident),*) => {$(
        impl From<Permit> for $sale::Permit {
            fn from(p: Permit) -> Self {
                let word = |at: usize| B256::from_slice(&p.signature[at..at + 32]);
                Self { value: p.value, deadline: p.deadline, v: p.signature[64], r: word(0), s: word(32) }
            }
        }
    )*};
}

permit_for!(LicenseSale, AuctionSale, ComputeSale);

/// The name of the custom error where a contract refused; any other failure is one of the year.
pub(super) fn refusal<T>(result: Result<T>) -> Result<String> {
    match result {
        Ok(_) => bail!("something succeeded that must be refused"),
        Err(error) => match error.downcast_ref::<SendError>().and_then(SendError::revert) {
            Some(revert) => Ok(revert.name().to_owned()),
            None => Err(error),
        },
    }
}

/// The demonstration's parameters, with times and units that let every kind of act happen within a year.
fn config(ground: &Ground, chain_id: u64, seed: &str, guardian: Address) -> CoopConfig {
    let account = |role: &str| key(seed, role).address();
    let seat = |role: &str| Seat { signer: account(role), sealing_key: keccak256(role.as_bytes()) };
    let mut config = CoopConfig::new(Actors {
        registrar: account("registrar"),
        gateway: account("gateway"),
        ethics_board: account("ethics"),
        guardian,
        stewards: (1..=STEWARDS).map(|n| seat(&format!("steward-{n}"))).collect(),
        quorum: 2,
        workers: vec![seat("worker")],
    });
    config.chain_id = chain_id;
    config.usdc = ground.usdc;
    config.membership.cooldown = 3 * DAY as u32;
    config.desks.compute_timeout = 3 * DAY as u32;
    config.desks.refund_window = 3 * DAY as u32;
    config.ledger.min_licenses = 3;
    // Half of the members are there from the first day, and few have earned a whole GOV in the first weeks.
    config.governance.token.quorum_floor = 1_000_000_000_000_000_000;
    config.governance.member.quorum_floor = 3;
    config.governance.min_members = 10;
    config.governance.min_age = 30 * DAY as u32;
    config.ledger.min_datasets = 2;
    config.ledger.smoothing = 4;
    config.ledger.cash_unit = 10_000;
    config.ledger.data_unit = 1_000_000_000_000_000;
    config.ledger.gov_unit = 1_000_000_000_000_000;
    // A lot of the buyback asks for no more than a member has.
    config.desks.buyback_lot = rochdale_core::money::MicroUsdc(500_000);
    config.desks.buyback_start = 2_000_000_000_000_000_000;
    config.desks.buyback_floor = 1_000_000_000_000_000_000;
    config.desks.buyback_duration = HOUR as u32;
    config
}
