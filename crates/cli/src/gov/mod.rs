//! Governance: polls, proposals and what they change.

pub mod args;
mod poll;

use crate::args::Common;
use crate::coop::Coop;
use crate::found::{self, Layout};
use crate::state::{State, read_json};
use crate::ui::Ui;
use anyhow::{Context, Result};
use args::{ChainArgs, GovCommand};
use rochdale_chain::client::Chain;
use rochdale_chain::deploy::Manifest;
use std::process::ExitCode;

/// `rochdale gov …`
pub async fn run(common: &Common, command: GovCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        GovCommand::Poll(command) => poll::run(common, command, ui).await,
        GovCommand::Tally { poll, chain } => poll::tally(common, &poll, &chain, ui).await,
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
    Ok(Coop::connect(&common.url).await?.manifest)
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
