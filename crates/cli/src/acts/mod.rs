//! Acts on the cooperative's contracts by an account of one's own: bonds, pay, buyback, vesting, services.
//!
//! Each is told in words with its figures before anything is signed. It is tried against the chain first, can be tried alone
//! (`--dry-run`), and can be written down for the owners of a Safe (`--safe`) with those words beside it.

pub mod args;
mod buyback;
mod pay;
mod safe;
mod service;
mod steward;
mod vesting;

use crate::args::Common;
use crate::coop;
use crate::failure::{Failure, Kind};
use crate::found::{self, FOUNDER};
use crate::gov::Site;
use crate::researcher::fund;
use crate::state::State;
use crate::ui::{Ui, show};
use alloy::primitives::{Address, Bytes, U256};
use alloy::providers::Provider as _;
use alloy::rpc::types::TransactionRequest;
use alloy::rpc::types::simulate::{SimBlock, SimCallResult, SimulatePayload};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use anyhow::{Context as _, Result, bail};
use args::ActArgs;
use rochdale_chain::bindings::DataToken;
use rochdale_chain::client::{LOCAL_CHAIN_ID, Receipt, Revert, SendError, Sender};
use rochdale_core::money::{DataWei, MicroUsdc};
use serde_json::{Value, json};
use std::process::ExitCode;

pub use args::{BuybackCommand, PayCommand, ServiceCommand, StewardCommand, VestingCommand};
pub use buyback::run as buyback;
pub use pay::run as pay;
pub use service::run as service;
pub use steward::run as steward;
pub use vesting::run as vesting;

/// One transaction.
#[derive(Clone, Debug)]
struct Step {
    to: Address,
    /// The function's signature.
    name: &'static str,
    data: Bytes,
}

impl Step {
    fn new<C: SolCall>(to: Address, call: &C) -> Self {
        Self { to, name: C::SIGNATURE, data: call.abi_encode().into() }
    }
}

/// What is about to be done: in words, and as transactions in this order.
#[derive(Clone, Debug)]
struct Act {
    words: String,
    /// What nobody finds again once the transactions are on their way; said before the first is sent.
    keep: Option<String>,
    steps: Vec<Step>,
}

impl Act {
    fn one<C: SolCall>(words: String, to: Address, call: &C) -> Self {
        Self { words, keep: None, steps: vec![Step::new(to, call)] }
    }
}

/// Who acts.
enum Actor {
    /// An account whose key is here.
    Key(Box<Sender>),
    /// Another: nothing can be sent for it.
    Account(Address),
}

/// Somebody before the cooperative's contracts.
struct Doing<'a> {
    site: Site,
    actor: Actor,
    args: &'a ActArgs,
}

impl<'a> Doing<'a> {
    /// Connects. Who acts is the account named, the key named, or the key that `own` finds in the state directory.
    async fn open(
        common: &Common,
        args: &'a ActArgs,
        own: impl FnOnce(&State) -> Result<PrivateKeySigner>,
    ) -> Result<Self> {
        let site = Site::open(common, &args.chain).await?;
        let actor = match (args.account, &args.key) {
            (Some(account), _) => Actor::Account(account),
            (None, Some(path)) => Actor::Key(Box::new(site.sender(coop::signer(path)?).await?)),
            (None, None) => Actor::Key(Box::new(site.sender(own(&site.state)?).await?)),
        };
        Ok(Self { site, actor, args })
    }

    /// As [`Self::open`], for what anyone may do: this state's founder pays where nobody is named.
    async fn anyone(common: &Common, args: &'a ActArgs) -> Result<Self> {
        Self::open(common, args, |state| found::office(state, FOUNDER)).await
    }

    fn account(&self) -> Address {
        match &self.actor {
            Actor::Key(sender) => sender.address(),
            Actor::Account(account) => *account,
        }
    }

    async fn view<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return> {
        Ok(self.site.chain.view(to, call).await?)
    }

    /// The transaction that lets `spender` take this much of a token, where it may not yet. Refuses where the account has less.
    async fn allowance(&self, token: Address, spender: Address, value: U256) -> Result<Option<Step>> {
        let (owner, addresses) = (self.account(), &self.site.manifest.addresses);
        let mut balance = self.view(token, &DataToken::balanceOfCall { account: owner }).await?;
        if let Actor::Key(sender) = &self.actor
            && balance < value
            && token == addresses.usdc
            && self.site.chain.chain_id() == LOCAL_CHAIN_ID
            && !self.args.dry_run
        {
            // Test dollars cost nothing.
            fund(&self.site.manifest, sender, owner, (value - balance).saturating_to()).await?;
            balance = value;
        }
        if balance < value {
            let (has, takes) = (self.amount(token, balance), self.amount(token, value));
            bail!(Failure::refused(format!("{owner} has {has}, this takes {takes}")));
        }
        let allowed = self.view(token, &DataToken::allowanceCall { owner, spender }).await?;
        Ok((allowed < value).then(|| Step::new(token, &DataToken::approveCall { spender, value })))
    }

    /// An amount of USDC or DATA with its unit.
    fn amount(&self, token: Address, value: U256) -> String {
        if token == self.site.manifest.addresses.usdc { usdc(value) } else { data(value) }
    }

    /// Says what is done and does it: tries it, writes it for a Safe, or asks and sends.
    async fn carry_out(&self, act: &Act, ui: Ui) -> Result<ExitCode> {
        let tried = self.rehearse(act).await?;
        if self.args.dry_run {
            let sentence = format!("{}\nTried, and nothing was sent: {}", act.words, tried.sentence());
            return show(ui, &self.told(act, json!({ "sent": false, "tried": tried.0 })), sentence);
        }
        if let Some(file) = &self.args.safe {
            safe::write(file, self.site.manifest.chain_id, self.account(), act)?;
            let sentence = format!(
                "{}\nThat is by the chain as it is now. Nothing was sent: {} is for the transaction builder of the Safe {}, whose owners sign there",
                act.words,
                file.display(),
                self.account()
            );
            return show(ui, &self.told(act, json!({ "sent": false, "file": file })), sentence);
        }
        let Actor::Key(sender) = &self.actor else {
            bail!("the key of {} is not here: add --dry-run, or --safe FILE where it is a Safe", self.account());
        };
        ui.agreeing(self.args.agreed).agree(&act.words)?;
        if let Some(keep) = &act.keep {
            ui.warn(keep);
        }
        let mut sent = Vec::new();
        for step in &act.steps {
            match sender.send_raw(step.to.into(), step.data.clone(), step.name).await {
                Ok(receipt) => sent.push(receipt),
                Err(error) if sent.is_empty() => return Err(error.into()),
                Err(error) => bail!(stopped(&act.steps[..sent.len()], &error)),
            }
        }
        let sentence = match sent.last() {
            Some(last) => format!("{}\nDone, in block {}", act.words, last.block_number),
            None => act.words.clone(),
        };
        let receipts: Vec<Value> = sent.iter().map(receipt).collect();
        show(ui, &self.told(act, json!({ "sent": true, "transactions": receipts })), sentence)
    }

    fn told(&self, act: &Act, mut more: Value) -> Value {
        let calls = act.steps.iter().map(|step| json!({ "to": step.to, "call": step.name, "data": step.data }));
        more["by"] = json!(self.account());
        more["does"] = json!(act.words);
        more["calls"] = calls.collect();
        more
    }

    /// Runs the transactions one after the other on the chain as it is, without sending them.
    async fn rehearse(&self, act: &Act) -> Result<Tried> {
        let request = |step: &Step| {
            TransactionRequest::default().from(self.account()).to(step.to).input(step.data.clone().into())
        };
        let block = SimBlock::default().extend_calls(act.steps.iter().map(request));
        let payload = SimulatePayload { block_state_calls: vec![block], ..SimulatePayload::default() };
        let provider = self.site.chain.provider();
        if let Ok(blocks) = provider.simulate(&payload).await {
            let results: Vec<_> = blocks.into_iter().flat_map(|block| block.calls).collect();
            if let Some((step, result)) = act.steps.iter().zip(&results).find(|(_, result)| !result.status) {
                bail!(refused(step, Revert::decode(reason(result))));
            }
            if results.len() == act.steps.len() {
                return Ok(Tried(Some(results.iter().map(|result| result.gas_used).sum())));
            }
        }
        // A node without eth_simulateV1 tries each call on the chain as it is: all but the first may need those before.
        self.site.chain.now().await?;
        let first = act.steps.first().context("nothing to do")?;
        match provider.call(request(first)).await {
            Ok(_) => Ok(Tried(None)),
            Err(error) => match Revert::from_transport(&error) {
                Some(revert) => bail!(refused(first, revert)),
                None => Err(error).with_context(|| format!("{} cannot be tried", first.name)),
            },
        }
    }
}

/// That everything would be accepted, for how much gas; `None` where the node can try no more than the first call.
struct Tried(Option<u64>);

impl Tried {
    fn sentence(&self) -> String {
        match self.0 {
            Some(gas) => format!("the contracts would accept it, for about {gas} gas"),
            None => {
                "the contract would accept the first call; this node cannot try calls that follow each other".to_owned()
            }
        }
    }
}

/// Why a simulated call reverted: some nodes put it where the call returns, others where the error is.
fn reason(result: &SimCallResult) -> Bytes {
    let of_error = result.error.as_ref().and_then(|error| error.data.clone());
    if result.return_data.is_empty() { of_error.unwrap_or_default() } else { result.return_data.clone() }
}

/// A step failed after others were mined.
fn stopped(done: &[Step], error: &SendError) -> Failure {
    let done: Vec<&str> = done.iter().map(|step| step.name).collect();
    Failure::new(Kind::Failed, format!("{} is mined and stands; then: {error}", done.join(", ")))
}

fn refused(step: &Step, revert: Revert) -> SendError {
    SendError::Refused { call: step.name.to_owned(), to: step.to, revert: Box::new(revert) }
}

fn receipt(receipt: &Receipt) -> Value {
    json!({ "tx": receipt.transaction, "block": receipt.block_number, "gas_used": receipt.gas_used })
}

fn usdc(value: U256) -> String {
    MicroUsdc(value.saturating_to()).to_string()
}

fn data(value: U256) -> String {
    DataWei(value.saturating_to()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::rpc::types::simulate::SimulateError;

    #[test]
    fn a_refusal_is_read_wherever_a_node_puts_it() {
        let data = Bytes::from_static(&[1, 2, 3, 4]);
        let error = |data| SimulateError { code: 3, message: "execution reverted".to_owned(), data };
        let returned =
            SimCallResult { return_data: data.clone(), error: Some(error(None)), ..SimCallResult::default() };
        let beside = SimCallResult { error: Some(error(Some(data.clone()))), ..SimCallResult::default() };
        assert_eq!((reason(&returned), reason(&beside)), (data.clone(), data));
        assert_eq!(reason(&SimCallResult::default()), Bytes::new());
    }

    #[test]
    fn what_stands_is_said_where_a_later_step_fails() {
        let step = Step { to: Address::ZERO, name: "approve(address,uint256)", data: Bytes::new() };
        let error = refused(&step, Revert::decode(Bytes::new()));
        let failure = stopped(&[step], &error);
        assert!(failure.to_string().starts_with("approve(address,uint256) is mined and stands; then: "));
        assert_eq!(crate::failure::kind(&failure.into()), Kind::Failed);
    }
}
