//! A cooperative on this machine, with a hold on its chain.

use crate::support::{Up, port};
use alloy::primitives::Address;
use alloy::sol_types::SolCall;
use rochdale_chain::bindings::{DatasetCatalog, TestUSDC};
use rochdale_chain::client::{Chain, ChainOptions, SystemClock};
use rochdale_chain::deploy::Manifest;
use rochdale_chain::local::LocalChain;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// What `rochdale up` runs, and its chain.
pub struct Hold {
    pub up: Up,
    pub runtime: Runtime,
    pub chain: Chain,
    pub manifest: Manifest,
}

impl Hold {
    pub fn open(state: &Path) -> Self {
        Self::at(state, port())
    }

    pub fn at(state: &Path, port: u16) -> Self {
        Self::with(state, port, &[])
    }

    /// With more arguments of `up`.
    pub fn with(state: &Path, port: u16, more: &[&str]) -> Self {
        let up = Up::start_with(state, port, more);
        let runtime = Runtime::new().unwrap();
        let url = format!("http://127.0.0.1:{}", port + 145);
        let connecting = Chain::connect(&url, ChainOptions::new(31_337), Arc::new(SystemClock::default()));
        let chain = runtime.block_on(connecting).unwrap();
        let manifest = Manifest::load(&state.join("manifest.json")).unwrap();
        Self { up, runtime, chain, manifest }
    }

    /// What the token house decides.
    pub fn decide(&self, to: Address, call: &impl SolCall) {
        self.act_as(self.manifest.addresses.token_timelock, to, call);
    }

    /// The first dataset is sold by auction from now on, or at its list price.
    pub fn sell_by(&self, auctioned: bool) {
        let catalog = self.manifest.addresses.dataset_catalog;
        let now = self.view(catalog, &DatasetCatalog::datasetOfCall { id: 1 });
        let d = DatasetCatalog::Dataset { auctioned, ..now };
        self.decide(catalog, &DatasetCatalog::publishCall { id: 1, d });
    }

    pub fn act_as(&self, account: Address, to: Address, call: &impl SolCall) {
        let local = LocalChain::new(&self.chain).unwrap();
        self.runtime.block_on(local.act_as(account, to, call)).unwrap();
    }

    pub fn view<C: SolCall>(&self, to: Address, call: &C) -> C::Return {
        self.runtime.block_on(self.chain.view(to, call)).unwrap()
    }

    pub fn pass(&self, seconds: u64) {
        let now = self.runtime.block_on(self.chain.now()).unwrap();
        self.runtime.block_on(LocalChain::new(&self.chain).unwrap().time_to(now + seconds, 0)).unwrap();
    }

    pub fn usdc(&self, account: Address) -> u128 {
        self.view(self.manifest.addresses.usdc, &TestUSDC::balanceOfCall { account }).to()
    }
}
