//! `rochdale member …`: what a member types, what is asked, and what is said.

use crate::args::Common;
use crate::carry;
use crate::contest::{self, Outcome, Payer};
use crate::coop::{self, Coop};
use crate::erased::erasure;
use crate::found::{self, REGISTRAR};
use crate::gov::Site;
use crate::gov::args::ChainArgs;
use crate::member_args::MemberCommand;
use crate::records::How;
use crate::state::State;
use crate::ui::{Ui, show};
use crate::wallet::{Kind, Wallet};
use crate::when::{count, holding};
use crate::withdraw;
use crate::{admission, consents, earnings, member as members, own_gas, records};
use anyhow::{Context, Result, bail};
use rochdale_api::claim::{Claimed, Paid};
use rochdale_core::ids::{DatasetId, Epoch};
use rochdale_core::money::{DataWei, GovWei, MicroUsdc};
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What was paid to whom, as people read it.
fn paid(claimed: &Claimed) -> String {
    let amounts = |cash, data, gov| format!("{}, {} and {}", MicroUsdc(cash), DataWei(data), GovWei(gov));
    let line = |p: &Paid| format!("\n  member {}: {}", p.member_id, amounts(p.cash, p.data, p.gov));
    let sum = |of: fn(&Paid) -> u128| claimed.paid.iter().map(of).sum::<u128>();
    let whom = match claimed.paid.len() {
        1 => "1 member was".to_owned(),
        many => format!("{many} members were"),
    };
    let mut said = match (claimed.paid.len(), claimed.epoch) {
        (0, Epoch(0)) => "nothing is due yet: no epoch is final".to_owned(),
        (0, epoch) => format!("nobody was paid now, against the root of epoch {epoch}"),
        (_, epoch) => format!("{whom} paid against the root of epoch {epoch}"),
    };
    if !claimed.paid.is_empty() {
        said += &format!(": {}", amounts(sum(|p| p.cash), sum(|p| p.data), sum(|p| p.gov)));
        said.extend(claimed.paid.iter().map(line));
    }
    for (who, why) in
        [(&claimed.skipped, "their payee refused, it stays owed"), (&claimed.later, "later, or at own gas now (--key)")]
    {
        if !who.is_empty() {
            let who: Vec<String> = who.iter().map(ToString::to_string).collect();
            said += &format!("\n  not paid: {} ({why})", who.join(", "));
        }
    }
    said
}

/// `rochdale member show`
async fn shown(coop: &Coop, name: &str, wallet: &Wallet, ui: Ui) -> Result<ExitCode> {
    let view = members::view(coop, wallet.id()?).await?;
    let next = match (view.active, view.consent.as_str(), view.contributions) {
        (false, ..) => {
            format!("the membership ended; what was earned is paid out: `rochdale member claim --name {name}`")
        }
        (true, "granted", 0) => format!("contribute a record: `rochdale member contribute --name {name} FILE`"),
        (true, "granted", _) => format!("see what was earned and for what: `rochdale member rows --name {name}`"),
        (true, ..) => {
            format!("consent, so that records can be contributed and used: `rochdale member consent --name {name}`")
        }
    };
    // Nothing is less shown where it cannot be kept.
    let _ = withdraw::remember(coop, wallet).await;
    let withdrawal = withdraw::standing(coop, wallet).await?;
    let waiting = wallet.pending()?.len();
    let receipt = if view.consent == "granted" { wallet.receipt(view.consent_version)? } else { None };
    let words = receipt.map(|receipt| consents::told(&receipt).replace('\n', "\n    "));
    let mut sentence = format!(
        "{name} is member {}, {}\n  account {}\n  paid to {}\n  consent {}{}{}\n  {} recorded\nNext: {next}",
        view.member_id,
        if view.active { "active" } else { "no longer active" },
        view.account,
        if view.payout == view.account { "the account itself".to_owned() } else { view.payout.to_string() },
        view.consent,
        if view.consent_version == 0 { String::new() } else { format!(", version {}", view.consent_version) },
        words.as_ref().map(|words| format!("\n    {words}")).unwrap_or_default(),
        count(u64::from(view.contributions), "contribution")
    );
    if waiting > 0 {
        sentence += &format!("\nSome steward misses a share: `rochdale member contribute --name {name} --resume`");
    }
    let mut value = json!({ "name": name, "member": view, "waiting": waiting });
    if let Some((state, told)) = withdrawal {
        value["withdrawal"] = state;
        write!(sentence, "\n{told}")?;
    }
    show(ui, &value, sentence)
}

fn openings(logs: &[members::OpeningLog], ui: Ui) -> Result<ExitCode> {
    let (mut values, mut sentences) = (Vec::new(), String::new());
    for members::OpeningLog { steward, openings } in logs {
        match openings {
            Ok(lines) => {
                values.push(json!({ "steward": steward, "openings": lines }));
                for line in lines {
                    writeln!(sentences, "steward {steward}: {}", earnings::opening_line(line))?;
                }
            }
            Err(error) => {
                values.push(json!({ "steward": steward, "error": error.to_string() }));
                writeln!(sentences, "steward {steward}: no log: {error}")?;
            }
        }
    }
    if sentences.is_empty() {
        sentences.push_str("no record was opened yet");
    }
    show(ui, &json!(values), sentences.trim_end())
}

/// `rochdale member …`
pub async fn member(common: &Common, command: MemberCommand, ui: Ui) -> Result<ExitCode> {
    match &command {
        MemberCommand::Erase { name, agreed } => ui.agreeing(*agreed).agree(&format!(
            "Erasing destroys the keys to everything that {name} contributed, for ever, and ends the membership. What was \
             earned stays payable."
        ))?,
        MemberCommand::Leave { name, agreed } => ui.agreeing(*agreed).agree(&format!(
            "Leaving ends the vote and the consent of {name}, and the account never joins again. Records stay until they \
             are erased."
        ))?,
        _ => {}
    }
    if let MemberCommand::Export(args) = &command {
        carry::check_path(args)?;
    }
    // These do without a gateway that does not answer.
    match &command {
        MemberCommand::Revoke { name } => return withdraw::withdraw(common, name, Kind::Revoke, ui).await,
        MemberCommand::Consent(args) if args.revoke => {
            return withdraw::withdraw(common, &args.name, Kind::Revoke, ui).await;
        }
        MemberCommand::Erase { name, .. } => return withdraw::withdraw(common, name, Kind::Erase, ui).await,
        MemberCommand::Show { name } => return show_member(common, name, ui).await,
        _ => {}
    }
    let state = common.state()?;
    let coop = Coop::connect(&common.gateway()?).await?;
    let member = command.remembers().map(str::to_owned);
    let done = act(common, &coop, &state, command, ui).await?;
    if let Some(name) = member {
        // It is done all the same; the next command keeps it.
        let _ = withdraw::remember(&coop, &Wallet::open(&state, &name)?).await;
    }
    Ok(done)
}

/// `rochdale member show`
async fn show_member(common: &Common, name: &str, ui: Ui) -> Result<ExitCode> {
    let wallet = Wallet::open(&common.state()?, name)?;
    match withdraw::connect_soon(common).await {
        Ok(coop) => shown(&coop, name, &wallet, ui).await,
        Err(error) => withdraw::shown_without(name, &wallet, error, ui).await,
    }
}

async fn act(common: &Common, coop: &Coop, state: &State, command: MemberCommand, ui: Ui) -> Result<ExitCode> {
    match command {
        MemberCommand::Export(args) => carry::export(coop, &Wallet::open(state, &args.name)?, &args, ui).await,
        MemberCommand::Apply { name, out } => admission::apply(coop, state, &name, &out, ui).await,
        MemberCommand::Join { name, admission } => {
            let waiting = ui.spinner("joining: stewards take the row key");
            let joined = match admission {
                Some(file) => admission::join(coop, &mut Wallet::open(state, &name)?, &file).await?,
                None => {
                    // Before a key is drawn: without the registrar nobody is admitted.
                    let registrar = found::office(state, REGISTRAR).context(
                        "where the registrar is elsewhere, `rochdale member apply` writes what the registrar admits",
                    )?;
                    members::join(coop, &mut Wallet::open_or_create(state, &name)?, &registrar).await?
                }
            };
            waiting.done();
            show(ui, &json!(joined), format!("{name} is member {}", joined.member_id))
        }
        MemberCommand::Consent(args) => consents::consent(coop, &Wallet::open(state, &args.name)?, &args, ui).await,
        MemberCommand::Contribute { name, record, patient, dataset, resume } => {
            let mut wallet = Wallet::open_to_give(state, &name)?;
            if resume {
                return resume_packages(coop, &mut wallet, ui).await;
            }
            let path = record.context("name the record's file")?;
            contribute(coop, &mut wallet, &path, patient, dataset, ui).await
        }
        MemberCommand::Leave { name, .. } => {
            let mined = members::leave(coop, &Wallet::open(state, &name)?).await?;
            show(ui, &json!(mined), format!("left in block {}; what was earned stays claimable", mined.block))
        }
        MemberCommand::Payout { name, address } => {
            let mined = members::set_payout(coop, &Wallet::open(state, &name)?, address).await?;
            show(ui, &json!(mined), format!("{name} is paid to {address} from block {} on", mined.block))
        }
        MemberCommand::Show { name } => shown(coop, &name, &Wallet::open(state, &name)?, ui).await,
        MemberCommand::Revoke { name } => withdraw::withdraw(common, &name, Kind::Revoke, ui).await,
        MemberCommand::Erase { name, .. } => withdraw::withdraw(common, &name, Kind::Erase, ui).await,
        MemberCommand::Rows { name } => earnings::shown(coop, &name, &Wallet::open(state, &name)?, ui).await,
        MemberCommand::Erasure { name } => {
            let (value, sentences) = erasure(coop, Wallet::open(state, &name)?.id()?).await?;
            show(ui, &value, sentences)
        }
        MemberCommand::Openings { name } => {
            let logs = members::openings(coop, &Wallet::open(state, &name)?).await?;
            openings(&logs, ui)
        }
        MemberCommand::Demand { name, kind } => {
            let (epoch, mined) = members::demand(coop, &Wallet::open(state, &name)?, kind).await?;
            let sentence =
                format!("demanded in block {}: a steward publishes the {kind} of epoch {epoch}", mined.block);
            show(ui, &json!({ "epoch": epoch, "mined": mined }), sentence)
        }
        MemberCommand::Contest { name, pay, chain } => {
            contest(common, coop, &Wallet::open(state, &name)?, pay, &chain, ui).await
        }
        MemberCommand::Claim { name: Some(name), key: Some(key), chain, .. } => {
            let (claimed, mined) = own_gas::claim(common, &Wallet::open(state, &name)?, &key, &chain).await?;
            let value = json!({ "epoch": claimed.epoch, "mined": mined, "paid": claimed.paid });
            show(ui, &value, paid(&claimed))
        }
        MemberCommand::Claim { name, all, .. } => {
            let whom = match name {
                Some(name) if !all => vec![Wallet::open(state, &name)?.id()?],
                _ => Vec::new(),
            };
            let claimed = members::claim(coop, whom).await?;
            let sentence = paid(&claimed);
            show(ui, &json!(claimed), sentence)
        }
    }
}

/// `rochdale member contribute`
async fn contribute(
    coop: &Coop,
    wallet: &mut Wallet,
    path: &Path,
    patient: Option<String>,
    dataset: DatasetId,
    ui: Ui,
) -> Result<ExitCode> {
    let how = How { only: patient.into_iter().collect(), ..How::new(i64::try_from(coop.now().await?)?) };
    let (mut taken, skipped) = records::single(path, &how)?;
    for skip in skipped.named() {
        ui.say(format!("  passed over {}: {}", skip.input, skip.reason));
    }
    if skipped.more() > 0 {
        ui.say(format!("  and {} more", skipped.more()));
    }
    let status = members::contribute(coop, wallet, &mut taken, dataset).await?;
    let mut sentence = match status.contribution_id {
        Some(id) => format!("recorded as contribution {id}; {} a share", holding(status.held_by.len())),
        None => format!("contribution {} is queued", status.commitment),
    };
    let lines = records::score_lines(&taken.scored);
    write!(sentence, "\nscored here as the stewards will: {}", lines.join("\n"))?;
    let mut shown = json!(status);
    shown["score"] = records::score_value(&taken.scored);
    shown["skipped"] = json!(skipped.named().collect::<Vec<_>>());
    shown["skipped_in_all"] = json!(skipped.in_all());
    show(ui, &shown, sentence)
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
            contest::contest(coop, wallet, Payer::Own(&site, coop::signer(&path)?)).await?
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
        bail!("sent again: {}; refused:\n  {}", count(sent.len() as u64, "package"), refused.join("\n  "));
    }
    let missing = sent.iter().filter(|status| !status.missing.is_empty()).count();
    let sentence = match sent.len() {
        0 => format!("nothing waits to be sent again; given so far: {}", count(recorded as u64, "record")),
        sent => format!("sent again: {}; of them {missing} still miss a steward", count(sent as u64, "package")),
    };
    show(ui, &json!(sent), sentence)
}
