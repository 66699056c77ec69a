//! One function for each noun that a person types.

use crate::args::{Common, CoopCommand, EpochCommand, UpgradeArgs};
use crate::coop::{self, Coop};
use crate::failure::{Failure, Kind};
use crate::found::{self, FOUNDER, Layout};
use crate::placeholder;
use crate::researcher::Budgets;
use crate::state::{State, called, input, read_json};
use crate::ui::{Ui, show};
use crate::up::{self, Running};
use crate::when::{count, utc};
use crate::{audit as audit_run, epoch as epochs};
use alloy::primitives::Address;
use anyhow::{Context, Result, bail, ensure};
use rochdale_api::order::Sizes;
use rochdale_api::route::gateway;
use rochdale_api::status::{CodeOf, DatasetCode, DatasetView};
use rochdale_chain::client::{Chain, LOCAL_CHAIN_ID, Sender};
use rochdale_chain::deploy::{Actors, CoopConfig, Decision, Manifest, Role, holders, place_code, verify_decided};
use rochdale_chain::upgrade;
use rochdale_core::ids::{Epoch, StewardId};
use rochdale_core::money::MicroUsdc;
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// How long the stewards may work on one settlement attempt before the next is tried.
const ATTEMPT_PATIENCE: Duration = Duration::from_secs(120);

/// `rochdale up`
pub async fn up(
    common: &Common,
    only: Option<String>,
    without: &[String],
    (layout, config): (Layout, Option<PathBuf>),
    ui: Ui,
) -> Result<ExitCode> {
    let state = common.state()?;
    if let Some(name) = only {
        up::only(&state, &name, ui).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = config.as_deref().map(local_config).transpose()?;
    let mut running = Running::start(&state, layout, without, config, ui).await?;
    let url = running.layout.gateway_url();
    let invitation = running.welcome("made by `rochdale up`", ui).await;
    let link = invitation.as_ref().map(|link| format!("\nJoin in a browser, as one person, within a day: {link}"));
    show(
        ui,
        &json!({ "url": url, "manifest": running.manifest, "invitation": invitation }),
        format!("The cooperative runs at {url}; Ctrl-C stops it{}", link.unwrap_or_default()),
    )?;
    running.until_stopped(ui).await?;
    ui.say("stopping: what runs is finished, the chain is written down");
    running.stop().await?;
    Ok(ExitCode::SUCCESS)
}

fn coop_config(path: &Path) -> Result<CoopConfig> {
    let text = String::from_utf8(input(path)?).with_context(|| format!("{} is no text", called(path)))?;
    toml::from_str(&text).with_context(|| format!("{} is not understood", called(path)))
}

/// A configuration whose actors are drawn here, whoever it names; it may leave them out.
fn local_config(path: &Path) -> Result<CoopConfig> {
    let text = String::from_utf8(input(path)?).with_context(|| format!("{} is no text", called(path)))?;
    let table: toml::Table = toml::from_str(&text).with_context(|| format!("{} is not understood", called(path)))?;
    if table.contains_key("actors") {
        return toml::from_str(&text).with_context(|| format!("{} is not understood", called(path)));
    }
    let nobody = Actors {
        registrar: Address::ZERO,
        gateway: Address::ZERO,
        ethics_board: Address::ZERO,
        guardian: Address::ZERO,
        stewards: Vec::new(),
        quorum: 0,
        workers: Vec::new(),
    };
    let actors = toml::Table::from_iter([("actors".to_owned(), toml::Value::try_from(nobody)?)]);
    // Behind what is there, so that an error names the file's own lines.
    let whole = format!("{text}\n{}", toml::to_string(&actors)?);
    toml::from_str(&whole).with_context(|| format!("{} is not understood", called(path)))
}

/// `rochdale coop …`
pub async fn coop(common: &Common, command: CoopCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        CoopCommand::Deploy { rpc, config, key } => {
            let state = common.state()?;
            if state.manifest().exists() && !state.deployment().exists() {
                bail!(
                    "{} is there already, without the journal of its deployment: name another --state",
                    state.manifest().display()
                );
            }
            let config = coop_config(&config)?;
            let chain = found::connect(&rpc, config.chain_id).await?;
            // Before a key is drawn or anything is sent.
            config.check()?;
            placeholder::refuse_actors(&config.actors)?;
            let founder = payer(&state, &chain, key).await?;
            let manifest = found::carry_out(&state, &founder, &config, ui).await?;
            let sentence = format!(
                "Deployed and read back: no role is left to the founder; the manifest is {}",
                state.manifest().display()
            );
            show(ui, &json!(manifest), sentence)
        }
        CoopCommand::Verify { rpc, config, manifest } => {
            let state = common.state()?;
            let config = coop_config(&config.unwrap_or_else(|| state.coop_config()))?;
            let manifest = Manifest::load(&manifest.unwrap_or_else(|| state.manifest()))?;
            let chain = match rpc {
                Some(rpc) => found::connect(&rpc, config.chain_id).await?,
                None => local_chain(&state).await?,
            };
            let decided = verify_decided(&chain, &manifest, &config).await?;
            let held = holders(&chain, &manifest).await?;
            let mut sentence = match decided.len() {
                0 => "The chain is as the configuration says; the founder and the factory hold nothing".to_owned(),
                calls => format!(
                    "The chain is as the configuration and executed proposals ({}) say; the founder and the factory hold \
                     nothing",
                    count(calls as u64, "call")
                ),
            };
            for decision in &decided {
                write!(sentence, "\n{}", told(decision))?;
            }
            for role in Role::ALL {
                let who = held.holders.get(&role.number()).into_iter().flatten();
                let who = who.map(|holder| name_of(&manifest, *holder)).collect::<Vec<_>>();
                write!(sentence, "\n  {role:?}: {}", who.join(", "))?;
            }
            show(ui, &json!({ "agrees": true, "decided": decided, "roles": held }), sentence)
        }
        CoopCommand::Upgrade(args) => upgrade(common, args, ui).await,
        CoopCommand::Status => status(common, ui).await,
        CoopCommand::Datasets { codes } => datasets(common, codes, ui).await,
        CoopCommand::Budget => budget(common, ui).await,
    }
}

/// `rochdale coop upgrade --plan`
async fn upgrade(common: &Common, args: UpgradeArgs, ui: Ui) -> Result<ExitCode> {
    let state = common.state()?;
    let path = args.manifest.unwrap_or_else(|| state.manifest());
    let manifest = Manifest::load(&path)?;
    let chain = match args.rpc {
        Some(rpc) => found::connect(&rpc, manifest.chain_id).await?,
        None => local_chain(&state).await?,
    };
    let deployed = upgrade::note_layouts(&chain, &manifest, &path).await?;
    let mut plan = upgrade::plan(&chain, &manifest, &deployed).await?;
    if args.place {
        let missing = plan.changes.iter().filter(|change| !change.deployed);
        let missing: Vec<&str> = missing.map(|change| change.kind.as_str()).collect();
        place_code(&payer(&state, &chain, args.key).await?, &missing).await?;
        plan = upgrade::plan(&chain, &manifest, &deployed).await?;
    }
    if let (Some(file), Some(draft)) = (args.write, &plan.proposal) {
        std::fs::write(&file, toml::to_string_pretty(draft)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    let misreads = !plan.changes.is_empty() && plan.proposal.is_none();
    show(ui, &json!(plan), plan.to_string())?;
    Ok(if misreads { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Who pays: the key in a file, else this state's founder; on the local chain with the ether for it.
async fn payer(state: &State, chain: &Chain, key: Option<PathBuf>) -> Result<Sender> {
    let key = match key {
        Some(path) => coop::signer(&path)?,
        // Founding on the local chain is what draws the founder's key.
        None if chain.chain_id() == LOCAL_CHAIN_ID && !state.manifest().exists() => {
            coop::drawn(&state.office_key(FOUNDER))?
        }
        None => found::office(state, FOUNDER)?,
    };
    if chain.chain_id() == LOCAL_CHAIN_ID {
        found::fund_gas(chain, key.address()).await?;
    }
    Ok(Sender::new(chain.clone(), key))
}

/// An executed call with the proposal that carried it.
fn told(decision: &Decision) -> String {
    let Decision { proposal, by, title, at, call, .. } = decision;
    let by = if by == "charter" { "both houses".to_owned() } else { format!("the {by}") };
    let whose = match proposal {
        Some(number) => format!("proposal {number} of {by} (“{title}”), executed {}", utc(*at)),
        None => format!("an operation of {by} that no proposal carries, executed {}", utc(*at)),
    };
    let what = call.as_ref().map_or("calls that are not known".to_owned(), ToString::to_string);
    format!("  {whose}: {}", what.replace('\n', "\n  "))
}

/// A contract's name with its address.
fn name_of(manifest: &Manifest, holder: Address) -> String {
    let named = manifest.addresses.named();
    let name = named.iter().find(|(_, _, address)| *address == holder).map_or("unknown", |(name, _, _)| name);
    format!("{name} {holder}")
}

async fn status(common: &Common, ui: Ui) -> Result<ExitCode> {
    let coop = Coop::connect(&common.gateway()?).await?;
    let view = coop.view().await?;
    let treasury: rochdale_api::status::TreasuryView = coop.gateway.get(gateway::TREASURY).await?;
    let up = view.stewards.iter().filter(|s| s.up).count();
    let sentence = format!(
        "epoch {} runs, {} is final\n{}\n{up} of {} stewards answer, {} must sign\n{} for contributors, {} claimed",
        view.epoch,
        view.final_epoch,
        count(view.members.into(), "member"),
        view.stewards.len(),
        view.quorum,
        MicroUsdc(treasury.contributors),
        MicroUsdc(treasury.claimed),
    );
    show(ui, &json!({ "cooperative": view, "treasury": treasury }), sentence)
}

/// `rochdale coop datasets`: what is on offer, for what, and how many members have it.
async fn datasets(common: &Common, codes: bool, ui: Ui) -> Result<ExitCode> {
    let coop = Coop::connect(&common.gateway()?).await?;
    let all: Vec<DatasetView> = coop.gateway.get(gateway::DATASETS).await?;
    let sizes: Sizes = coop.gateway.get(gateway::SIZES).await?;
    let kind = |code: u8| {
        ["?", "health records", "laboratory results", "wearables", "summaries of genomes"]
            .get(usize::from(code))
            .copied()
    };
    let line = |set: &DatasetView| {
        let (thousand, one) = (MicroUsdc(set.price_per_thousand), MicroUsdc(set.price_per_thousand / 1_000));
        let people = sizes.sizes.iter().filter(|size| size.dataset == set.dataset);
        let people = people.map(|size| format!("purpose {} about {}", size.purpose, size.members)).collect::<Vec<_>>();
        let people = if people.is_empty() { "nobody was counted yet".to_owned() } else { people.join(", ") };
        let what = kind(set.data_type).unwrap_or("of a type that this program does not know");
        let of_it = match (set.codes.len(), codes) {
            (0, _) => "\n  codes: none are published".to_owned(),
            (some, false) => format!("\n  codes: {some} published, `--codes` lists them"),
            (_, true) => set.codes.iter().map(code_line).collect(),
        };
        format!(
            "dataset {}: {what}, source {}\n  price {thousand} for 1,000 records and a month, {one} each\n  members: {people}\n  terms {}{of_it}",
            set.dataset, set.source, set.terms_hash
        )
    };
    let lines: Vec<String> = all.iter().map(line).collect();
    let text = if lines.is_empty() { "no dataset is on offer".to_owned() } else { lines.join("\n") };
    show(ui, &json!({ "datasets": all, "sizes": sizes.sizes }), text)
}

/// A published code with the unit that bounds and edges of a query are thousandths of.
fn code_line(code: &DatasetCode) -> String {
    let DatasetCode { of, system, code, name, unit } = code;
    let kind = match of {
        CodeOf::Observation => "observation",
        CodeOf::Condition => "condition",
    };
    let unit = match (of, unit) {
        (CodeOf::Condition, _) => String::new(),
        (CodeOf::Observation, Some(unit)) => format!(", in {unit}"),
        (CodeOf::Observation, None) => ", in the unit of the records".to_owned(),
    };
    format!("\n  {kind} {system}|{code}: {name}{unit}")
}

/// `rochdale coop budget`: what was charged to people's privacy budgets, and what is left.
async fn budget(common: &Common, ui: Ui) -> Result<ExitCode> {
    let budgets = Budgets::read(&Coop::connect(&common.gateway()?).await?).await?;
    show(ui, &budgets.value(), format!("{budgets}"))
}

/// The chain that `rochdale up` keeps in a state directory.
pub async fn local_chain(state: &State) -> Result<Chain> {
    ensure!(
        state.layout().exists(),
        "{} runs no local chain, whose time alone can be moved: `rochdale up` starts one",
        state.path().display()
    );
    let layout: Layout = read_json(&state.layout())?;
    found::connect(&layout.rpc_url(), LOCAL_CHAIN_ID).await
}

/// `rochdale epoch …`
pub async fn epoch(common: &Common, command: EpochCommand, ui: Ui) -> Result<ExitCode> {
    let EpochCommand::Settle { epoch } = command;
    let state = common.state()?;
    let coop = Coop::connect(&common.gateway()?).await?;
    let chain = local_chain(&state).await?;
    let now = coop.view().await?;
    let next = Epoch(now.final_epoch.0 + 1);
    let epoch = epoch.unwrap_or(next);
    if epoch != next {
        let why = if epoch < next { "is final already".to_owned() } else { format!("runs later than epoch {next}") };
        bail!(Failure::refused(format!(
            "epoch {epoch} {why}: epoch {} is final, {next} is the one to be settled now, and {} runs. Time was not moved; \
             `rochdale epoch settle` settles one after the other",
            now.final_epoch, now.epoch
        )));
    }
    let waiting = ui.spinner(&format!("settling epoch {epoch}"));
    let view = epochs::settle(&coop, &chain, epoch, ATTEMPT_PATIENCE).await?;
    waiting.done();
    show(ui, &json!(view), format!("epoch {epoch} is final with root {}", view.root.unwrap_or_default()))
}

/// `rochdale audit`
pub fn audit(common: &Common, steward: StewardId, ui: Ui) -> Result<ExitCode> {
    let audited = audit_run::run(&common.state()?, steward)?;
    let verdict = if audited.agrees { "the ledger agrees with the chain" } else { "the ledger DIFFERS from the chain" };
    show(ui, &audited.report, format!("{}{verdict}", audit_run::told(&audited.report)))?;
    Ok(Kind::verdict(audited.agrees))
}
