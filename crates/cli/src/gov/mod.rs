//! Governance: polls, proposals and what they change.

pub mod args;
mod call;
mod money;
mod poll;
mod proposal;
mod specs;

use crate::args::Common;
use crate::coop::Coop;
use crate::found::{self, Layout};
use crate::state::{State, read_json};
use crate::ui::Ui;
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context, Result};
use args::{ChainArgs, GovCommand};
use rochdale_chain::client::{Chain, LOCAL_CHAIN_ID, Sender};
use rochdale_chain::deploy::Manifest;
use std::process::ExitCode;

/// `rochdale gov …`
pub async fn run(common: &Common, command: GovCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        GovCommand::Propose { name, why, dry_run, chain, what } => {
            let site = Site::open(common, &chain).await?;
            proposal::propose(&site, &name, why, &what, dry_run, ui).await
        }
        GovCommand::Vote { name, proposal, support, house, chain } => {
            let (site, house) = (Site::open(common, &chain).await?, house.map(Into::into));
            proposal::vote(&site, &name, (&proposal, house), support.into(), ui).await
        }
        GovCommand::Queue { target } => proposal::queue(&Site::open(common, &target.chain).await?, &target, ui).await,
        GovCommand::Execute { target } => {
            proposal::execute(&Site::open(common, &target.chain).await?, &target, ui).await
        }
        GovCommand::Constitute { key, chain } => {
            proposal::constitute(&Site::open(common, &chain).await?, key.as_deref(), ui).await
        }
        GovCommand::Show { proposal, house, chain } => {
            let site = Site::open(common, &chain).await?;
            proposal::show_one(&site, (&proposal, house.map(Into::into)), ui).await
        }
        GovCommand::List { chain } => proposal::list(&Site::open(common, &chain).await?, ui).await,
        GovCommand::Poll(command) => poll::run(common, command, ui).await,
        GovCommand::Tally { poll, chain } => poll::tally(common, &poll, &chain, ui).await,
    }
}

/// The state directory, the deployment and its chain.
pub struct Site {
    /// Where keys lie.
    pub state: State,
    /// What was founded.
    pub manifest: Manifest,
    /// A connection to the chain that it was founded on.
    pub chain: Chain,
}

impl Site {
    /// Reads the manifest and connects to the node, each as named or as found in the state directory.
    pub async fn open(common: &Common, named: &ChainArgs) -> Result<Self> {
        let state = common.state()?;
        let manifest = manifest(common, &state, named).await?;
        let chain = chain(&state, named, manifest.chain_id).await?;
        Ok(Self { state, manifest, chain })
    }

    /// A sender of a key; on the local chain it gets the ether that it needs.
    pub async fn sender(&self, key: PrivateKeySigner) -> Result<Sender> {
        if self.chain.chain_id() == LOCAL_CHAIN_ID {
            found::fund_gas(&self.chain, key.address()).await?;
        }
        Ok(Sender::new(self.chain.clone(), key))
    }
}

/// The deployment: a file where one is named or lies in the state directory, else what the gateway says.
async fn manifest(common: &Common, state: &State, named: &ChainArgs) -> Result<Manifest> {
    if let Some(path) = &named.manifest {
        return Ok(Manifest::load(path)?);
    }
    if state.manifest().exists() {
        return Ok(Manifest::load(&state.manifest())?);
    }
    Ok(Coop::connect(&common.gateway()?).await?.manifest)
}

/// The node that was named, or that of this state's local chain.
async fn chain(state: &State, named: &ChainArgs, chain_id: u64) -> Result<Chain> {
    let url = match &named.rpc {
        Some(url) => url.clone(),
        None => {
            let layout: Layout = read_json(&state.layout())
                .context("this state directory runs no local chain: name the chain's node with --rpc")?;
            layout.rpc_url()
        }
    };
    found::connect(&url, chain_id).await
}
