//! Carries out a deployment step by step, and goes on where an earlier run was cut off, at whatever point that was.
//!
//! Every address is known beforehand: contracts that all cooperatives share are created by CREATE2 through the
//! deployer that lies at one address on every chain, and the cooperative's own by the factory. So a step is done if and
//! only if the chain shows its effect, and the engine asks the chain before and after each. A transaction is written to
//! the journal before it leaves; a later run waits for one that is still on its way instead of sending a second.

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes, TxKind, address, keccak256};
use alloy::providers::Provider as _;

use super::journal::Journal;
use super::{DeployError, Progress};
use crate::bindings::CoopFactory;
use crate::client::{Chain, ChainError, Sender};

/// The deterministic deployer (Arachnid's), which anvil and every chain that we know of carries.
pub(super) const DEPLOYER: Address = address!("4e59b44847b379578588920cA78FbF26c0B4956C");

/// Keeps our contracts apart from others' of the same code.
fn salt() -> B256 {
    keccak256("rochdale")
}

/// How the chain shows that a step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Code at its address.
    Code,
    /// The factory has passed this stage of the cooperative.
    Stage {
        /// The id of the cooperative.
        coop: B256,
        /// The stage of the founding.
        stage: u8,
    },
}

/// One transaction.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub name: String,
    pub to: Address,
    pub data: Bytes,
    /// What it creates, or whom it calls.
    pub address: Address,
    pub effect: Effect,
}

impl Step {
    /// Creates a contract by its code and constructor arguments.
    pub fn create(name: &str, bytecode: &Bytes, arguments: &[u8]) -> Self {
        let code = [bytecode.as_ref(), arguments].concat();
        let address = DEPLOYER.create2(salt(), keccak256(&code));
        let data = [salt().as_slice(), &code].concat().into();
        Self { name: name.to_owned(), to: DEPLOYER, data, address, effect: Effect::Code }
    }

    /// Has the factory do a stage.
    pub fn stage(factory: Address, coop: B256, stage: u8, name: &str, data: Vec<u8>) -> Self {
        let effect = Effect::Stage { coop, stage };
        Self { name: name.to_owned(), to: factory, data: data.into(), address: factory, effect }
    }
}

/// Runs steps in order.
pub(super) struct Engine<'a, P> {
    pub founder: &'a Sender,
    pub journal: &'a mut Journal,
    pub progress: P,
    /// Steps that were before, for the count.
    pub before: usize,
    pub total: usize,
}

impl<P: FnMut(Progress<'_>) + Send> Engine<'_, P> {
    /// Runs the steps that are not done yet.
    pub async fn run(&mut self, steps: &[Step]) -> Result<(), DeployError> {
        for step in steps {
            self.step(step).await?;
            self.before += 1;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<(), DeployError> {
        let (done, total) = (self.before, self.total);
        (self.progress)(Progress::Step { name: &step.name, done, total });
        let chain = self.founder.chain();
        if !shows(chain, step).await? {
            self.await_earlier(step).await?;
        }
        if !shows(chain, step).await? {
            self.send(step).await?;
        }
        Ok(self.journal.done(&step.name, step.address)?)
    }

    /// Waits for a transaction that an earlier run may have sent; what the node does not know is lost.
    async fn await_earlier(&mut self, step: &Step) -> Result<(), DeployError> {
        let Some(transaction) = self.journal.transaction(&step.name) else { return Ok(()) };
        let chain = self.founder.chain();
        let known = chain.provider().get_transaction_by_hash(transaction).await;
        if known.map_err(|e| chain.error("eth_getTransactionByHash", &e))?.is_some() {
            let waited = self.founder.wait_for(transaction, &step.name).await;
            waited.map_err(|source| self.stopped(step, source))?;
        }
        Ok(())
    }

    async fn send(&mut self, step: &Step) -> Result<(), DeployError> {
        let (journal, progress) = (&mut *self.journal, &mut self.progress);
        let mut noted = Ok(());
        let note = |transaction: B256| {
            noted = journal.sending(&step.name, step.address, transaction);
            progress(Progress::Sending { name: &step.name, transaction });
            noted.is_ok()
        };
        let sent = self.founder.send_noting(TxKind::Call(step.to), step.data.clone(), &step.name, note).await;
        noted?;
        let chain = self.founder.chain();
        match sent {
            Ok(_) if shows(chain, step).await? => Ok(()),
            Ok(_) => Err(DeployError::NoEffect { step: step.name.clone(), address: step.address }),
            // Somebody else may have done it meanwhile: stages are open to all.
            Err(_) if shows(chain, step).await? => Ok(()),
            Err(source) => Err(self.stopped(step, source)),
        }
    }

    fn stopped(&self, step: &Step, source: crate::client::SendError) -> DeployError {
        DeployError::Step { step: step.name.clone(), done: self.before, total: self.total, source }
    }
}

/// Whether the chain shows a step's effect.
async fn shows(chain: &Chain, step: &Step) -> Result<bool, ChainError> {
    match step.effect {
        Effect::Code => has_code(chain, step.address).await,
        Effect::Stage { coop, stage } => {
            let next = chain.view(step.address, &CoopFactory::stageOfCall { coopId: coop }).await?;
            Ok(next > stage)
        }
    }
}

/// Whether there is a contract at an address.
pub(super) async fn has_code(chain: &Chain, at: Address) -> Result<bool, ChainError> {
    let code = chain.provider().get_code_at(at).block_id(BlockId::latest()).await;
    Ok(!code.map_err(|e| chain.error("eth_getCode", &e))?.is_empty())
}
