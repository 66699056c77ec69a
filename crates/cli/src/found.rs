//! Founding a cooperative on this machine: keys, contracts, and one configuration file for each process.

use crate::coop;
use crate::failure::Failure;
use crate::state::{State, make_dir, steward_name, write_private};
use crate::ui::Ui;
use alloy::primitives::{Address, B256, U256};
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context, Result, bail, ensure};
use rochdale_chain::client::{Chain, ChainOptions, LOCAL_CHAIN_ID, Sender, SystemClock};
use rochdale_chain::deploy::{Actors, CoopConfig, Manifest, Progress, deploy};
use rochdale_chain::events::Seat;
use rochdale_chain::local::{LocalChain, post_bonds};
use rochdale_chain::upgrade;
use rochdale_core::ids::StewardId;
use rochdale_core::money::MicroUsdc;
use rochdale_crypto::keyfile::{self, KeyKind};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

/// The founder: pays for the deployment and has no role after it.
pub const FOUNDER: &str = "founder";
/// Signs approvals of researchers.
pub const ETHICS: &str = "ethics";
/// May pause for a week; between operators a Safe of several people.
pub const GUARDIAN: &str = "guardian";
/// Signs admissions.
pub const REGISTRAR: &str = "registrar";
/// From the gateway's port to the registrar's.
const REGISTRAR_AFTER: u16 = 31;
/// Ether that each account that sends transactions gets on the local chain, in wei.
const LOCAL_BALANCE: u128 = 1_000 * 10u128.pow(18);

/// Which programs run where on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// anvil's port.
    pub rpc_port: u16,
    /// The gateway's port.
    pub gateway_port: u16,
    /// The stewards' ports, by seat.
    pub steward_ports: Vec<u16>,
    /// The worker's port.
    pub worker_port: u16,
    /// The registrar's port; a layout that was written before there was one has it beside the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrar_port: Option<u16>,
    /// How many stewards must sign.
    pub quorum: u8,
    /// Each person's privacy budget in nano-zCDP, all of it available from the first year on.
    pub budget: u64,
    /// Answers about fewer members (after noise) are withheld.
    pub min_cohort: u32,
}

impl Layout {
    /// The embedded default: three stewards, two of whom must sign, from the gateway's port on.
    pub fn new(gateway_port: u16) -> Self {
        Self {
            rpc_port: gateway_port + 145,
            gateway_port,
            steward_ports: (1..=3).map(|seat| gateway_port + 10 + seat).collect(),
            worker_port: gateway_port + 21,
            registrar_port: Some(gateway_port + REGISTRAR_AFTER),
            quorum: 2,
            budget: 1_000_000_000,
            min_cohort: 10,
        }
    }

    /// The seats in order.
    pub fn seats(&self) -> impl Iterator<Item = (StewardId, u16)> + '_ {
        (1u8..).map(StewardId).zip(self.steward_ports.iter().copied())
    }

    /// The registrar's port.
    pub fn registrar_port(&self) -> u16 {
        self.registrar_port.unwrap_or(self.gateway_port + REGISTRAR_AFTER)
    }

    /// anvil's address.
    pub fn rpc_url(&self) -> String {
        url(self.rpc_port)
    }

    /// The gateway's address.
    pub fn gateway_url(&self) -> String {
        url(self.gateway_port)
    }
}

/// `http://127.0.0.1:PORT`.
pub fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Connects to a chain as this process's clock sees it.
pub async fn connect(rpc_url: &str, chain_id: u64) -> Result<Chain> {
    Ok(Chain::connect(rpc_url, ChainOptions::new(chain_id), Arc::new(SystemClock::default())).await?)
}

/// An office's key, which founding the cooperative drew.
pub fn office(state: &State, name: &str) -> Result<PrivateKeySigner> {
    let path = state.office_key(name);
    ensure!(
        path.exists(),
        Failure::refused(format!(
            "there is no {name} key in this state directory ({} is missing): founding a cooperative draws it. Name the \
             directory that yours was founded in with --state, found one with `rochdale up`, or draw a key with \
             `rochdale key new --office {name}`",
            path.display()
        ))
    );
    coop::signer(&path)
}

/// Draws every key that is missing and deploys the contracts; a second call returns the manifest that is there.
pub async fn found(state: &State, layout: &Layout, config: Option<CoopConfig>, ui: Ui) -> Result<Manifest> {
    let chain = connect(&layout.rpc_url(), LOCAL_CHAIN_ID).await?;
    if state.manifest().exists() {
        let manifest = Manifest::load(&state.manifest())?;
        let code =
            alloy::providers::Provider::get_code_at(chain.provider(), manifest.addresses.settlement_ledger).await?;
        if code.is_empty() {
            bail!(
                "{} names contracts that this chain does not have: the chain's own state was lost; name another --state",
                state.manifest().display()
            );
        }
        return Ok(manifest);
    }
    let actors = actors(state, layout)?;
    let config = match config {
        Some(config) => CoopConfig { actors, ..config },
        None => local_default(actors),
    };
    let founder = coop::drawn(&state.office_key(FOUNDER))?;
    let local = LocalChain::new(&chain)?;
    let relayer = coop::drawn(&state.service("gateway").join("relayer.key"))?;
    for account in [founder.address(), relayer.address()] {
        local.set_balance(account, U256::from(LOCAL_BALANCE)).await?;
    }
    carry_out(state, &Sender::new(chain, founder), &config, ui).await
}

/// Deploys, or goes on with a deployment that was cut off, and leaves manifest and configuration.
pub async fn carry_out(state: &State, founder: &Sender, config: &CoopConfig, ui: Ui) -> Result<Manifest> {
    // The journal is the first file in it, where the founder's key lies elsewhere.
    make_dir(state.path())?;
    let bar = ui.spinner("deploying the contracts");
    let count = |progress: Progress<'_>| {
        if let Progress::Step { .. } = progress {
            bar.inc();
        }
    };
    let manifest = deploy(founder, config, Some(&state.deployment()), count).await?;
    bar.done();
    if founder.chain().chain_id() == LOCAL_CHAIN_ID && config.usdc.is_none() {
        post_bonds(founder, &manifest, config).await?;
    }
    write_private(&state.coop_config(), toml::to_string_pretty(config)?.as_bytes())?;
    upgrade::save_layouts(&state.manifest())?;
    manifest.save(&state.manifest())?;
    Ok(manifest)
}

/// A whole health record at 100 USDC, so that a handful of members sees amounts above the claim unit.
fn local_default(actors: Actors) -> CoopConfig {
    let mut config = CoopConfig::demo(actors);
    config.datasets.iter_mut().for_each(|dataset| dataset.price_per_thousand = MicroUsdc(100_000_000_000));
    config
}

/// Gives an account ether on the local chain.
pub async fn fund_gas(chain: &Chain, account: Address) -> Result<()> {
    Ok(LocalChain::new(chain)?.set_balance(account, U256::from(LOCAL_BALANCE)).await?)
}

fn actors(state: &State, layout: &Layout) -> Result<Actors> {
    let mut rng = coop::rng()?;
    let mut seat = |dir: &Path| -> Result<Seat> {
        let signer = coop::drawn(&dir.join("signing.key"))?.address();
        let sealing_key: B256 = keyfile::sealing_key(&dir.join("sealing.key"), &mut rng)?.public().0;
        Ok(Seat { signer, sealing_key })
    };
    let stewards = layout.seats().map(|(id, _)| seat(&state.steward(id))).collect::<Result<_>>()?;
    let worker = seat(&state.service("worker"))?;
    committee_keys(state, layout)?;
    Ok(Actors {
        registrar: coop::drawn(&state.office_key(REGISTRAR))?.address(),
        gateway: coop::drawn(&state.service("gateway").join("relayer.key"))?.address(),
        ethics_board: coop::drawn(&state.office_key(ETHICS))?.address(),
        guardian: coop::drawn(&state.office_key(GUARDIAN))?.address(),
        stewards,
        quorum: layout.quorum,
        workers: vec![worker],
    })
}

/// The committee's shared key is drawn once and copied to every steward; between operators it is handed over.
fn committee_keys(state: &State, layout: &Layout) -> Result<()> {
    let path = |id| state.steward(id).join("committee.key");
    let Some((first, _)) = layout.seats().next() else { bail!("a cooperative needs a steward") };
    keyfile::load_or_create(&path(first), KeyKind::Committee, &mut coop::rng()?)?;
    let text = std::fs::read(path(first)).with_context(|| format!("cannot read {}", path(first).display()))?;
    layout.seats().skip(1).try_for_each(|(id, _)| write_private(&path(id), &text))
}

/// Writes the configuration file of every process, except where a person changed it already.
pub fn configure(state: &State, layout: &Layout) -> Result<()> {
    let keep = |path: &Path, text: String| if path.exists() { Ok(()) } else { write_private(path, text.as_bytes()) };
    keep(&state.service("gateway").join("gateway.toml"), gateway_toml(state, layout)?)?;
    for (id, port) in layout.seats() {
        keep(&state.steward(id).join("steward.toml"), steward_toml(layout, id, port))?;
    }
    keep(&state.service("worker").join("worker.toml"), worker_toml(layout))?;
    keep(&state.service(REGISTRAR).join("registrar.toml"), registrar_toml(layout))
}

/// From a process's port to that of its metrics.
const METRICS: u16 = 50;

fn common(layout: &Layout, port: u16) -> String {
    format!(
        "listen = \"127.0.0.1:{port}\"\nmetrics_listen = \"127.0.0.1:{}\"\nrpc_url = \"{}\"\nchain_id = {LOCAL_CHAIN_ID}\nmanifest = \"../manifest.json\"\ndata_dir = \".\"\n",
        port + METRICS,
        layout.rpc_url()
    )
}

fn stewards(layout: &Layout, table: &str, except: Option<StewardId>) -> String {
    let others = layout.seats().filter(|(id, _)| Some(*id) != except);
    others.map(|(id, port)| format!("\n[[{table}]]\nsteward = {id}\nurl = \"{}\"\n", url(port))).collect()
}

/// Codes that the local cooperative says its health records hold: what `rochdale-synth` writes among them. A real one writes its own.
const CODES: &str = include_str!("codes.toml");

fn gateway_toml(state: &State, layout: &Layout) -> Result<String> {
    let worker = coop::signer(&state.service("worker").join("signing.key"))?.address();
    let (common, stewards) = (common(layout, layout.gateway_port), stewards(layout, "stewards", None));
    let worker_url = url(layout.worker_port);
    Ok(format!(
        "{common}\n[relayer]\nkey_file = \"relayer.key\"\n\n[claims]\nmin_due = 0\nevery_ms = 500\n{stewards}\n[worker]\naddress = \"{worker}\"\nurl = \"{worker_url}\"\n\n{CODES}"
    ))
}

fn steward_toml(layout: &Layout, id: StewardId, port: u16) -> String {
    let (common, peers) = (common(layout, port), stewards(layout, "peers", Some(id)));
    format!(
        "{common}key_file = \"signing.key\"\nsealing_key_file = \"sealing.key\"\ncommittee_key_file = \"committee.key\"\n\
         gateway_url = \"{}\"\npoll_ms = 150\n\n[budget]\nlifetime = {rho}\nper_year = {rho}\ndepth = 0\n{peers}",
        layout.gateway_url(),
        rho = layout.budget
    )
}

fn worker_toml(layout: &Layout) -> String {
    let (common, stewards) = (common(layout, layout.worker_port), stewards(layout, "stewards", None));
    format!(
        "{common}key_file = \"signing.key\"\nsealing_key_file = \"sealing.key\"\ngateway_url = \"{}\"\n\n\
         [privacy]\nmin_cohort = {}\n{stewards}",
        layout.gateway_url(),
        layout.min_cohort
    )
}

fn registrar_toml(layout: &Layout) -> String {
    let common = common(layout, layout.registrar_port());
    format!("{common}key_file = \"../offices/registrar.key\"\ngateway_url = \"{}\"\n", layout.gateway_url())
}

/// The names of all processes, in the order in which they start.
pub fn names(layout: &Layout) -> Vec<String> {
    let stewards = layout.seats().map(|(id, _)| steward_name(id));
    stewards.chain(["worker".to_owned(), REGISTRAR.to_owned(), "gateway".to_owned()]).collect()
}
