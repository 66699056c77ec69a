//! A proposal's life: made, voted on, queued, executed, and shown at every point.

use super::args::{ProposalArgs, ProposalRef, ProposeCommand};
use super::{Site, specs};
use crate::coop;
use crate::found::{self, FOUNDER};
use crate::placeholder;
use crate::ui::{Ui, show};
use crate::wallet::Wallet;
use crate::when::{span, utc};
use alloy::primitives::{B256, keccak256};
use anyhow::{Context, Result, bail, ensure};
use rochdale_chain::client::{Receipt, Sender};
use rochdale_chain::gov::{Draft, House, Motion, PROPOSER, Proposal, Status, Support, View, describe, proposals};
use rochdale_chain::{bindings::CharterGate, gov::Book, upgrade};
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// `rochdale gov propose`
pub async fn propose(
    site: &Site,
    name: &str,
    why: Option<String>,
    what: &ProposeCommand,
    dry_run: bool,
    ui: Ui,
) -> Result<ExitCode> {
    let wallet = Wallet::open(&site.state, name)?;
    let (written, calls) = specs::calls(&site.chain, &site.manifest, what).await?;
    placeholder::refuse_calls(&calls)?;
    let why = why.or(written).context("voters read why: say it with --why")?;
    // Another block makes another operation of the same calls.
    let salt = keccak256(site.chain.head().await?.latest.hash);
    let motions = Draft { why, calls }.motions(&site.chain, &site.manifest, salt).await?;
    let mut text = String::new();
    let mut made = Vec::new();
    for motion in motions.into_iter().map(|motion| motion.by(wallet.account())) {
        let described = described(site, &motion).await?;
        if !dry_run {
            motion.propose(&site.sender(wallet.key.clone()).await?, &site.manifest).await?;
        }
        let verb = if dry_run { "would vote" } else { "votes" };
        writeln!(text, "The {} {verb} on proposal {:#066x}:", motion.house, motion.id())?;
        described.iter().try_for_each(|call| writeln!(text, "{call}"))?;
        made.push(json!({ "house": motion.house, "proposal": format!("{:#066x}", motion.id()), "calls": described }));
    }
    show(ui, &json!({ "sent": !dry_run, "proposals": made }), text.trim_end())
}

/// What a motion would do, with what is behind an approval of the charter.
async fn described(site: &Site, motion: &Motion) -> Result<Vec<rochdale_chain::gov::Described>> {
    let book = Book::of(&site.manifest);
    let proposal = Proposal {
        house: motion.house,
        id: motion.id(),
        proposer: alloy::primitives::Address::ZERO,
        calls: motion.calls.clone(),
        description: motion.description.clone(),
    };
    let behind = proposal.charter_calls(&site.manifest).map_or(Vec::new(), |charter| charter.calls);
    let mut found = Vec::new();
    for call in motion.calls.iter().chain(&behind) {
        found.push(describe(&site.chain, &book, call).await?);
    }
    Ok(found)
}

/// Which proposal, and the house that is meant where both have it.
type Named<'a> = (&'a ProposalRef, Option<House>);

/// The proposals that are meant: one, or one in each house, since both vote on the same words where both decide.
async fn find(site: &Site, (named, house): Named<'_>) -> Result<Vec<Proposal>> {
    let mut all = proposals(&site.chain, &site.manifest).await?;
    all.retain(|proposal| named.means(proposal.id) && house.is_none_or(|house| proposal.house == house));
    let Some(first) = all.first().map(|proposal| proposal.id) else {
        let whose = house.map_or_else(|| "no house".to_owned(), |house| format!("not the {house}"));
        bail!("{whose} has a proposal {named}; `rochdale gov list` shows all");
    };
    if *named == ProposalRef::Last {
        all.retain(|proposal| proposal.id == first);
    }
    ensure!(all.iter().all(|proposal| proposal.id == first), "several proposals begin with {named}: write more digits");
    Ok(all)
}

/// `rochdale gov vote`
pub async fn vote(site: &Site, name: &str, named: Named<'_>, support: Support, ui: Ui) -> Result<ExitCode> {
    let wallet = Wallet::open(&site.state, name)?;
    let sender = site.sender(wallet.key.clone()).await?;
    let (mut receipts, mut title) = (Vec::new(), String::new());
    for proposal in find(site, named).await? {
        title = proposal.description.lines().next().unwrap_or_default().to_owned();
        receipts.push((proposal.house, proposal.vote(&sender, &site.manifest, support).await?));
    }
    let houses: Vec<String> = receipts.iter().map(|(house, _)| house.to_string()).collect();
    sent(
        ui,
        receipts.into_iter().map(|(_, receipt)| receipt),
        &format!("{name} voted in the {} on “{title}”", houses.join(" and the ")),
    )
}

async fn payer(site: &Site, key: Option<&Path>) -> Result<Sender> {
    let key = match key {
        Some(path) => coop::signer(path)?,
        None => found::office(&site.state, FOUNDER)?,
    };
    site.sender(key).await
}

/// What an action is for: of several proposals those that stand so, and where none does the first, whose contract then
/// says why not.
async fn standing(site: &Site, target: &ProposalArgs, wanted: Status) -> Result<Vec<Proposal>> {
    let mut found = find(site, (&target.proposal, target.house.map(Into::into))).await?;
    let mut ready = Vec::new();
    for proposal in &found {
        if proposal.status(&site.chain, &site.manifest).await? == wanted {
            ready.push(proposal.clone());
        }
    }
    if ready.is_empty() {
        ready.push(found.swap_remove(0));
    }
    Ok(ready)
}

/// `rochdale gov queue`
pub async fn queue(site: &Site, target: &ProposalArgs, ui: Ui) -> Result<ExitCode> {
    let payer = payer(site, target.key.as_deref()).await?;
    let (mut receipts, mut waits) = (Vec::new(), Vec::new());
    for proposal in standing(site, target, Status::Succeeded).await? {
        receipts.push(proposal.queue(&payer, &site.manifest).await?);
        let view = proposal.view(&site.chain, &site.manifest).await?;
        waits.push(format!("it waits in the timelock of the {} until {}", proposal.house, utc(view.executable_at)));
    }
    sent(ui, receipts, &waits.join("; "))
}

/// `rochdale gov constitute`
pub async fn constitute(site: &Site, key: Option<&Path>, ui: Ui) -> Result<ExitCode> {
    let payer = payer(site, key).await?;
    let receipt = payer.send(site.manifest.addresses.charter_gate, &CharterGate::constituteCall {}).await?;
    let sentence = "the cooperative is constituted: its houses decide about money and the charter from now on, and what \
                    was put to the vote before lapses";
    sent(ui, vec![receipt], sentence)
}

/// `rochdale gov execute`
pub async fn execute(site: &Site, target: &ProposalArgs, ui: Ui) -> Result<ExitCode> {
    let payer = payer(site, target.key.as_deref()).await?;
    let (mut done, mut receipts) = (Vec::new(), Vec::new());
    let ready = standing(site, target, Status::Queued).await?;
    for proposal in &ready {
        if proposal.status(&site.chain, &site.manifest).await? != Status::Executed {
            receipts.push(proposal.execute(&payer, &site.manifest).await?);
            done.push(format!("the {} acted", proposal.house));
        }
    }
    if let Some(charter) = ready.first().and_then(|proposal| proposal.charter_calls(&site.manifest)) {
        let waiting = waiting_for(site, charter.operation()).await?;
        if waiting.is_empty() {
            receipts.push(charter.execute(&payer, &site.manifest).await?);
            note_layouts(site, target).await?;
            done.push("the charter did what both houses approved".to_owned());
        } else {
            done.push(format!("the charter still waits for: {}", waiting.join(", ")));
        }
    }
    if done.is_empty() {
        bail!("the proposal was executed already");
    }
    sent(ui, receipts, &done.join("; "))
}

/// After what may have been an upgrade: the layouts beside the manifest, where this machine keeps them, are those of what
/// runs now.
async fn note_layouts(site: &Site, target: &ProposalArgs) -> Result<()> {
    let path = target.chain.manifest.clone().unwrap_or_else(|| site.state.manifest());
    if upgrade::layouts_path(&path).exists() {
        upgrade::note_layouts(&site.chain, &site.manifest, &path).await?;
    }
    Ok(())
}

/// The houses that have not approved an operation.
async fn waiting_for(site: &Site, operation: B256) -> Result<Vec<String>> {
    let mut waiting = Vec::new();
    for house in House::ALL {
        let call = CharterGate::approvedAtCall { operation, house: house.timelock(&site.manifest) };
        if site.chain.view(site.manifest.addresses.charter_gate, &call).await? == 0 {
            waiting.push(house.to_string());
        }
    }
    Ok(waiting)
}

fn sent(ui: Ui, receipts: impl IntoIterator<Item = Receipt>, sentence: &str) -> Result<ExitCode> {
    let one = |r: Receipt| json!({ "tx": r.transaction, "block": r.block_number, "gas_used": r.gas_used });
    let sent: Vec<_> = receipts.into_iter().map(one).collect();
    show(ui, &json!({ "done": sentence, "sent": sent }), sentence)
}

/// `rochdale gov show`
pub async fn show_one(site: &Site, named: Named<'_>, ui: Ui) -> Result<ExitCode> {
    let now = site.chain.now().await?;
    let (mut views, mut texts) = (Vec::new(), Vec::new());
    for proposal in find(site, named).await? {
        let view = proposal.view(&site.chain, &site.manifest).await?;
        texts.push(sentence(&view, now)?);
        views.push(view);
    }
    show(ui, &json!(views), texts.join("\n\n"))
}

/// `rochdale gov list`
pub async fn list(site: &Site, ui: Ui) -> Result<ExitCode> {
    let mut rows = Vec::new();
    let mut lines = Vec::new();
    for proposal in proposals(&site.chain, &site.manifest).await? {
        let status = proposal.status(&site.chain, &site.manifest).await?;
        let id = format!("{:#066x}", proposal.id);
        let title = proposal.description.lines().next().unwrap_or_default().to_owned();
        lines.push(format!("{id}  {}  {}  {title}", word(status), proposal.house));
        rows.push(json!({ "proposal": id, "house": proposal.house, "status": status, "title": title }));
    }
    show(ui, &json!(rows), if lines.is_empty() { "no proposals yet".to_owned() } else { lines.join("\n") })
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Pending => "voting has not begun",
        Status::Active => "voting",
        Status::Canceled => "taken back",
        Status::Defeated => "lost",
        Status::Succeeded => "won, to be queued",
        Status::Queued => "waiting in the timelock",
        Status::Expired => "lapsed: it was put to the vote before the cooperative was constituted",
        Status::Executed => "done",
    }
}

fn sentence(view: &View, now: u64) -> Result<String> {
    let mut text = format!("{} of the {}: {}\n", view.id, view.house, word(view.status));
    let machine = |line: &&str| line.starts_with("charter-calls:") || line.starts_with(PROPOSER);
    let words = view.description.lines().filter(|line| !machine(line));
    words.filter(|line| !line.trim().is_empty()).try_for_each(|line| writeln!(text, "  “{line}”"))?;
    writeln!(text, "It would do:")?;
    view.calls.iter().try_for_each(|call| writeln!(text, "- {call}"))?;
    if !view.charter.is_empty() {
        writeln!(text, "What the charter does once both houses approve:")?;
        view.charter.iter().try_for_each(|call| writeln!(text, "- {call}"))?;
    }
    writeln!(text, "Voting opens {}, closes {}", when(view.opens_at, now), when(view.closes_at, now))?;
    if let Some(line) = execution(view, now) {
        writeln!(text, "{line}")?;
    }
    let quorum = view.quorum.as_deref().unwrap_or("known once voting opens");
    write!(
        text,
        "Votes: {} for, {} against, {} abstain; needed for and abstaining: {quorum}",
        view.votes_for, view.votes_against, view.votes_abstain
    )?;
    Ok(text)
}

/// When it may be executed, as far as that is known: one that is not queued waits from when it is.
fn execution(view: &View, now: u64) -> Option<String> {
    let waits = span(view.executable_at.saturating_sub(view.closes_at));
    match view.status {
        Status::Pending | Status::Active => Some(format!(
            "Executed {} at the earliest: where it wins and is queued as voting closes, it waits {waits} in the timelock",
            when(view.executable_at, now)
        )),
        Status::Succeeded => Some(format!(
            "Executed {waits} after it is queued at the earliest: `rochdale gov queue --proposal {}`",
            view.id
        )),
        Status::Queued if view.executable_at > now => {
            Some(format!("Executed {} at the earliest", when(view.executable_at, now)))
        }
        Status::Queued => Some(format!(
            "It may be executed, since {}: `rochdale gov execute --proposal {}`",
            utc(view.executable_at),
            view.id
        )),
        Status::Executed | Status::Canceled | Status::Defeated | Status::Expired => None,
    }
}

/// A point in time as people read it, and how far it is from the chain's now.
fn when(at: u64, now: u64) -> String {
    let date = utc(at);
    if at >= now { format!("in {} ({date})", span(at - now)) } else { format!("{} ago ({date})", span(now - at)) }
}

#[cfg(test)]
mod tests {
    use super::when;

    #[test]
    fn times_are_told_from_now() {
        assert_eq!(when(1_000, 1_000), "in 0 seconds (1970-01-01 00:16:40 UTC)");
        assert_eq!(when(173_800, 1_000), "in 2 days (1970-01-03 00:16:40 UTC)");
        assert_eq!(when(1_000, 11_800), "3 hours ago (1970-01-01 00:16:40 UTC)");
    }
}
