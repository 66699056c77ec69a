//! One function for each noun that a person types.

use crate::args::{Common, CoopCommand, EpochCommand, MemberCommand, PurposeArg, UpgradeArgs};
use crate::contest::{self, Outcome, Payer};
use crate::coop::{self, Coop};
use crate::dispute;
use crate::found::{self, FOUNDER, Layout, REGISTRAR};
use crate::gov::Site;
use crate::gov::args::ChainArgs;
use crate::own_gas;
use crate::state::{State, read_json};
use crate::ui::Ui;
use crate::up::{self, Running};
use crate::wallet::Wallet;
use crate::{audit as audit_run, epoch as epochs, member as members, records};
use alloy::primitives::Address;
use anyhow::{Context, Result, bail};
use rochdale_api::custody::{Opening, OpeningReason};
use rochdale_chain::client::{Chain, LOCAL_CHAIN_ID, Sender};
use rochdale_chain::deploy::{CoopConfig, Manifest, Role, holders, place_code, verify};
use rochdale_chain::upgrade;
use rochdale_core::fhir::Limits;
use rochdale_core::ids::{Epoch, MemberId, StewardId};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// How long the stewards may work on one settlement attempt before the next is tried.
const ATTEMPT_PATIENCE: Duration = Duration::from_secs(120);

/// Prints a result: as JSON, or as the sentence that a person reads.
pub fn show(ui: Ui, value: &Value, sentence: impl AsRef<str>) -> Result<ExitCode> {
    if ui.json {
        println!("{}", serde_json::to_string_pretty(value)?);
    } else {
        println!("{}", sentence.as_ref());
    }
    Ok(ExitCode::SUCCESS)
}

/// `rochdale up`
pub async fn up(
    common: &Common,
    only: Option<String>,
    without: &[String],
    (port, config): (u16, Option<PathBuf>),
    ui: Ui,
) -> Result<ExitCode> {
    let state = common.state()?;
    if let Some(name) = only {
        up::only(&state, &name, ui).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = config.as_deref().map(coop_config).transpose()?;
    let mut running = Running::start(&state, Layout::new(port), without, config, ui).await?;
    let url = running.layout.gateway_url();
    show(
        ui,
        &json!({ "url": url, "manifest": running.manifest }),
        format!("The cooperative runs at {url}; Ctrl-C stops it"),
    )?;
    running.until_stopped(ui).await?;
    running.stop().await?;
    Ok(ExitCode::SUCCESS)
}

fn coop_config(path: &Path) -> Result<CoopConfig> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not understood", path.display()))
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
            verify(&chain, &manifest, &config).await?;
            let held = holders(&chain, &manifest).await?;
            let mut sentence =
                "The chain is as the configuration says; the founder and the factory hold nothing".to_owned();
            for role in Role::ALL {
                let who = held.holders.get(&role.number()).into_iter().flatten();
                let who = who.map(|holder| name_of(&manifest, *holder)).collect::<Vec<_>>();
                write!(sentence, "\n  {role:?}: {}", who.join(", "))?;
            }
            show(ui, &json!({ "agrees": true, "roles": held }), sentence)
        }
        CoopCommand::Upgrade(args) => upgrade(common, args, ui).await,
        CoopCommand::Status => status(common, ui).await,
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
        None => found::office(state, FOUNDER)?,
    };
    if chain.chain_id() == LOCAL_CHAIN_ID {
        found::fund_gas(chain, key.address()).await?;
    }
    Ok(Sender::new(chain.clone(), key))
}

/// A contract's name with its address.
fn name_of(manifest: &Manifest, holder: Address) -> String {
    let named = manifest.addresses.named();
    let name = named.iter().find(|(_, _, address)| *address == holder).map_or("unknown", |(name, _, _)| name);
    format!("{name} {holder}")
}

async fn status(common: &Common, ui: Ui) -> Result<ExitCode> {
    let coop = Coop::connect(&common.url).await?;
    let view = coop.view().await?;
    let treasury: rochdale_api::status::TreasuryView = coop.gateway.get("/v1/treasury").await?;
    let up = view.stewards.iter().filter(|s| s.up).count();
    let sentence = format!(
        "epoch {} runs, {} is final\n{} members\n{up} of {} stewards answer, {} must sign\n{} for contributors, {} claimed",
        view.epoch,
        view.final_epoch,
        view.members,
        view.stewards.len(),
        view.quorum,
        rochdale_core::money::MicroUsdc(treasury.contributors),
        rochdale_core::money::MicroUsdc(treasury.claimed),
    );
    show(ui, &json!({ "cooperative": view, "treasury": treasury }), sentence)
}

async fn erasure(coop: &Coop, member: MemberId, ui: Ui) -> Result<ExitCode> {
    let (mut values, mut sentences, mut destroyed) = (Vec::new(), String::new(), 0);
    for (steward, word) in members::erasure(coop, member).await? {
        match word {
            Ok(word) => {
                destroyed += 1;
                let rest = match &word.complete {
                    Some(complete) => format!("the rest is gone since {}", complete.at),
                    None => "what the ledger still needs goes once it is settled".to_owned(),
                };
                writeln!(sentences, "steward {steward} destroyed {} shares at {}; {rest}", word.shares, word.at)?;
                values.push(json!(word));
            }
            Err(error) => {
                writeln!(sentences, "steward {steward} has not signed: {error}")?;
                values.push(json!({ "steward": steward, "error": error.to_string() }));
            }
        }
    }
    let needed = coop.site().deletions_needed();
    let so = if destroyed >= needed { "nobody can open the records" } else { "the records can still be opened" };
    write!(sentences, "{destroyed} of {needed} deletions that suffice: {so}")?;
    let value = json!({ "words": values, "needed": needed, "can_be_opened": destroyed < needed });
    show(ui, &value, sentences)
}

fn openings(logs: &[members::OpeningLog], ui: Ui) -> Result<ExitCode> {
    let (mut values, mut sentences) = (Vec::new(), String::new());
    for members::OpeningLog { steward, openings } in logs {
        match openings {
            Ok(lines) => {
                values.push(json!({ "steward": steward, "openings": lines }));
                for line in lines {
                    let Opening { contribution_id, scorer, account, reason, first, last, times } = line;
                    let why = match reason {
                        OpeningReason::Drawn => "it was drawn",
                        OpeningReason::ScoresDiffer => "the first two scores differ",
                        OpeningReason::StandsIn => "one that was drawn before it was silent",
                    };
                    writeln!(
                        sentences,
                        "steward {steward}: contribution {contribution_id} was opened by steward {scorer} ({account}), because {why};                          {times} times from {first} to {last}"
                    )?;
                }
            }
            Err(error) => {
                values.push(json!({ "steward": steward, "error": error.to_string() }));
                writeln!(sentences, "steward {steward}: no log: {error}")?;
            }
        }
    }
    if sentences.is_empty() {
        sentences.push_str("no record was opened to be scored yet");
    }
    show(ui, &json!(values), sentences.trim_end())
}

/// `rochdale member …`
pub async fn member(common: &Common, command: MemberCommand, ui: Ui) -> Result<ExitCode> {
    if let MemberCommand::Erase { name, yes: false } = &command {
        bail!("erasing destroys the keys to everything that {name} contributed and ends the membership; add --yes");
    }
    if let MemberCommand::Leave { name, yes: false } = &command {
        bail!("leaving ends the vote and the consent of {name}, and the account never joins again; add --yes");
    }
    let state = common.state()?;
    let coop = Coop::connect(&common.url).await?;
    match command {
        MemberCommand::Join { name } => {
            let mut wallet = Wallet::open_or_create(&state, &name)?;
            let joined = members::join(&coop, &mut wallet, &found::office(&state, REGISTRAR)?).await?;
            show(ui, &json!(joined), format!("{name} is member {}", joined.member_id))
        }
        MemberCommand::Consent { name, purpose, revoke } => consent(&coop, &state, &name, purpose, revoke, ui).await,
        MemberCommand::Contribute { name, record, dataset, resume } => {
            let mut wallet = Wallet::open(&state, &name)?;
            if resume {
                return resume_packages(&coop, &mut wallet, ui).await;
            }
            let path = record.context("name the record's file")?;
            let bytes = records::single(&path, Limits::default())?;
            let status = members::contribute(&coop, &mut wallet, &bytes, dataset).await?;
            let sentence = match status.contribution_id {
                Some(id) => format!("recorded as contribution {id}; {} stewards hold a share", status.held_by.len()),
                None => format!("contribution {} is queued", status.commitment),
            };
            show(ui, &json!(status), sentence)
        }
        MemberCommand::Leave { name, .. } => {
            let mined = members::leave(&coop, &Wallet::open(&state, &name)?).await?;
            show(ui, &json!(mined), format!("left in block {}; what was earned stays claimable", mined.block))
        }
        MemberCommand::Payout { name, address } => {
            let mined = members::set_payout(&coop, &Wallet::open(&state, &name)?, address).await?;
            show(ui, &json!(mined), format!("{name} is paid to {address} from block {} on", mined.block))
        }
        MemberCommand::Erase { name, .. } => {
            let mined = members::erase(&coop, &Wallet::open(&state, &name)?).await?;
            show(ui, &json!(mined), format!("erased in block {}; what was earned stays claimable", mined.block))
        }
        MemberCommand::Rows { name } => {
            let report = members::row(&coop, &Wallet::open(&state, &name)?).await?;
            show(ui, &json!(report), serde_json::to_string_pretty(&report)?)
        }
        MemberCommand::Erasure { name } => erasure(&coop, Wallet::open(&state, &name)?.id()?, ui).await,
        MemberCommand::Openings { name } => {
            let logs = members::openings(&coop, &Wallet::open(&state, &name)?).await?;
            openings(&logs, ui)
        }
        MemberCommand::Demand { name, kind } => {
            let (epoch, mined) = members::demand(&coop, &Wallet::open(&state, &name)?, kind).await?;
            let sentence =
                format!("demanded in block {}: a steward publishes the {kind} of epoch {epoch}", mined.block);
            show(ui, &json!({ "epoch": epoch, "mined": mined }), sentence)
        }
        MemberCommand::Contest { name, pay, chain } => {
            contest(common, &coop, &Wallet::open(&state, &name)?, pay, &chain, ui).await
        }
        MemberCommand::Claim { name: Some(name), key: Some(key), chain, .. } => {
            let (epoch, mined) = own_gas::claim(common, &Wallet::open(&state, &name)?, &key, &chain).await?;
            let sentence = format!("{name} was paid against the root of epoch {epoch} in block {}", mined.block);
            show(ui, &json!({ "epoch": epoch, "mined": mined }), sentence)
        }
        MemberCommand::Claim { name, all, .. } => {
            let whom = match name {
                Some(name) if !all => vec![Wallet::open(&state, &name)?.id()?],
                _ => Vec::new(),
            };
            let claimed = members::claim(&coop, whom).await?;
            let sentence = format!(
                "{} members were paid against the root of epoch {}, {} skipped, {} later",
                claimed.paid.len(),
                claimed.epoch,
                claimed.skipped.len(),
                claimed.later.len()
            );
            show(ui, &json!(claimed), sentence)
        }
    }
}

async fn contest(
    common: &Common,
    coop: &Coop,
    wallet: &Wallet,
    pay: Option<PathBuf>,
    chain: &ChainArgs,
    ui: Ui,
) -> Result<ExitCode> {
    let outcome = match pay {
        Some(path) => {
            let site = Site::open(common, chain).await?;
            contest::contest(coop, wallet, Payer::Own(&site, dispute::existing(&path)?)).await?
        }
        None => contest::contest(coop, wallet, Payer::Gateway).await?,
    };
    match outcome {
        Outcome::Right(header) => {
            let (epoch, attempt) = (header.epoch, header.attempt);
            let sentence =
                format!("the row in epoch {epoch}, attempt {attempt}, is what the formula gives: nothing was sent");
            show(ui, &json!({ "epoch": epoch, "attempt": attempt, "wrong": false }), sentence)
        }
        Outcome::Void(header, mined) => {
            let (epoch, attempt) = (header.epoch, header.attempt);
            let sentence = format!(
                "the row was wrong: the root of epoch {epoch}, attempt {attempt}, is void since block {}",
                mined.block
            );
            show(ui, &json!({ "epoch": epoch, "attempt": attempt, "wrong": true, "mined": mined }), sentence)
        }
    }
}

async fn consent(
    coop: &Coop,
    state: &State,
    name: &str,
    purpose: PurposeArg,
    revoke: bool,
    ui: Ui,
) -> Result<ExitCode> {
    let wallet = Wallet::open(state, name)?;
    if revoke {
        let mined = members::revoke(coop, &wallet).await?;
        return show(ui, &json!(mined), format!("revoked in block {}: nothing is released any more", mined.block));
    }
    let (mined, receipt) = members::consent(coop, &wallet, purpose.permission()).await?;
    show(ui, &json!({ "mined": mined, "receipt": receipt }), format!("consent recorded in block {}", mined.block))
}

async fn resume_packages(coop: &Coop, wallet: &mut Wallet, ui: Ui) -> Result<ExitCode> {
    let (pending, recorded) = (wallet.pending()?, wallet.membership.contributions.len());
    // Whoever was cut off before the package was kept must not take silence for a record that was given.
    if pending.is_empty() && recorded == 0 {
        bail!("nothing was begun, so that nothing can be resumed: contribute the record itself");
    }
    let (mut sent, mut refused) = (Vec::new(), Vec::new());
    for package in pending {
        match members::deliver(coop, wallet, &package).await {
            Ok(status) => sent.push(status),
            Err(error) => refused.push(format!("{}: {error:#}", package.commitment)),
        }
    }
    if !refused.is_empty() {
        bail!("{} packages were sent again, {} were refused:\n  {}", sent.len(), refused.len(), refused.join("\n  "));
    }
    let missing = sent.iter().filter(|status| !status.missing.is_empty()).count();
    let sentence = match sent.len() {
        0 => format!("nothing waits to be sent again; {recorded} records were given"),
        sent => format!("{sent} packages sent again; {missing} still miss a steward"),
    };
    show(ui, &json!(sent), sentence)
}

async fn local_chain(state: &State) -> Result<Chain> {
    let layout: Layout =
        read_json(&state.layout()).context("this state directory runs no local chain: `rochdale up` first")?;
    found::connect(&layout.rpc_url(), LOCAL_CHAIN_ID).await
}

/// `rochdale epoch …`
pub async fn epoch(common: &Common, command: EpochCommand, ui: Ui) -> Result<ExitCode> {
    let EpochCommand::Settle { epoch } = command;
    let state = common.state()?;
    let coop = Coop::connect(&common.url).await?;
    let chain = local_chain(&state).await?;
    let epoch = match epoch {
        Some(epoch) => epoch,
        None => Epoch(coop.view().await?.final_epoch.0 + 1),
    };
    let view = epochs::settle(&coop, &chain, epoch, ATTEMPT_PATIENCE).await?;
    show(ui, &json!(view), format!("epoch {epoch} is final with root {}", view.root.unwrap_or_default()))
}

/// `rochdale audit`
pub fn audit(common: &Common, steward: StewardId, ui: Ui) -> Result<ExitCode> {
    let audited = audit_run::run(&common.state()?, steward)?;
    let verdict = if audited.agrees { "the ledger agrees with the chain" } else { "the ledger DIFFERS from the chain" };
    let sentence = format!("{}\n{verdict}", serde_json::to_string_pretty(&audited.report)?);
    show(ui, &audited.report, sentence)?;
    Ok(if audited.agrees { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
