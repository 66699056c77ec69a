//! Asking, answering and counting.

use super::args::{ChainArgs, PollCommand, PollSource};
use crate::args::Common;
use crate::coop::Coop;
use crate::state::{State, read_json};
use crate::ui::{Ui, show};
use crate::wallet::Wallet;
use crate::when::{count, utc};
use alloy::primitives::B256;
use anyhow::{Context, Result, bail, ensure};
use rochdale_api::poll::{PollRecord, PollView, SignedBallot};
use rochdale_api::route::gateway;
use rochdale_chain::client::{Chain, Head};
use rochdale_chain::poll::{self as chain_poll, Electorate};
use rochdale_client::Author;
use rochdale_core::poll::{House, Poll, Tally};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Longer than an idle local chain takes for a block.
const PATIENCE: Duration = Duration::from_secs(30);

/// `rochdale gov poll …`
pub async fn run(common: &Common, command: PollCommand, ui: Ui) -> Result<ExitCode> {
    let coop = Coop::connect(&common.gateway()?).await?;
    match command {
        PollCommand::Create { name, question, options, days, chain } => {
            let state = common.state()?;
            let wallet = Wallet::open(&state, &name)?;
            let chain = super::chain(&state, &chain, coop.manifest.chain_id).await?;
            let head = passed(&chain).await?;
            let poll = Poll {
                author: wallet.id()?,
                question,
                options,
                snapshot_block: head.finalized.number,
                opens_at: head.latest.timestamp,
                closes_at: head.latest.timestamp + u64::from(days) * 86_400,
                house: House::Members,
            };
            poll.check(head.finalized.timestamp)?;
            let author = Author { site: &coop.site(), id: poll.author };
            let request = author.hold(poll).signed_by(&wallet.key)?;
            let view: PollView = coop.gateway.post(gateway::HOLD_POLL, &request).await?;
            show(ui, &json!(view), format!("poll {} is open for {}", view.id, count(days.into(), "day")))
        }
        PollCommand::Vote { name, poll, choice } => vote(&coop, &common.state()?, &name, poll, &choice, ui).await,
        PollCommand::List | PollCommand::Show { poll: None } => {
            let polls: Vec<PollView> = coop.gateway.get(gateway::POLLS).await?;
            let now = coop.now().await?;
            let line = |p: &PollView| {
                let closes = p.poll.closes_at;
                let stands = if closes >= now { "open until" } else { "closed since" };
                let ballots = count(p.ballots, "ballot");
                format!("{}  {stands} {}  {ballots}  {}", p.id, utc(closes), p.poll.question)
            };
            let lines: Vec<String> = polls.iter().map(line).collect();
            show(ui, &json!(polls), if lines.is_empty() { "no polls yet".to_owned() } else { lines.join("\n") })
        }
        PollCommand::Show { poll: Some(id) } => {
            let record = record(&coop, id).await?;
            let mut text = record.poll.question.clone();
            for (place, option) in record.poll.options.iter().enumerate() {
                let votes = record.ballots.iter().filter(|b| usize::from(b.ballot.choice) == place).count();
                write!(text, "\n  {}. {option}: {}", place + 1, count(votes as u64, "ballot"))?;
            }
            write!(text, "\nnot checked here: `rochdale gov tally --poll {id}` counts")?;
            show(ui, &json!(record), text)
        }
    }
}

/// A head whose final block is in the past: who was a member at a time is known once that time is over. After a local chain's time was
/// moved, blocks of one time may follow each other.
async fn passed(chain: &Chain) -> Result<Head> {
    let start = Instant::now();
    loop {
        let head = chain.head().await?;
        if head.finalized.timestamp < head.latest.timestamp {
            return Ok(head);
        }
        ensure!(start.elapsed() < PATIENCE, "the chain's last blocks are all of {}", utc(head.latest.timestamp));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn record(coop: &Coop, id: B256) -> Result<PollRecord> {
    let record: PollRecord = coop.gateway.get(gateway::BALLOTS.at(id)).await?;
    let found = chain_poll::id(&record.poll);
    ensure!(found == id, "the gateway answered with poll {found}, not {id}");
    Ok(record)
}

async fn vote(coop: &Coop, state: &State, name: &str, poll: B256, choice: &str, ui: Ui) -> Result<ExitCode> {
    let wallet = Wallet::open(state, name)?;
    let record = record(coop, poll).await?;
    let member = wallet.id()?;
    let before = record.ballots.iter().find(|kept| kept.ballot.member == member);
    let (choice, sequence) = (place(&record.poll.options, choice)?, before.map_or(0, |kept| kept.ballot.sequence + 1));
    let unsigned = Author { site: &coop.site(), id: member }.answer(poll, choice, sequence, record.poll.closes_at);
    let kept: SignedBallot = coop.gateway.post(gateway::VOTE.at(poll), &unsigned.signed_by(&wallet.key)?).await?;
    let words = &record.poll.options[usize::from(choice)];
    show(ui, &json!(kept), format!("member {member} answers {words:?}"))
}

/// An option by its words, or by its place from 1.
fn place(options: &[String], choice: &str) -> Result<u16> {
    let by_words = options.iter().position(|option| option == choice);
    let by_place = || choice.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < options.len());
    match by_words.or_else(by_place) {
        Some(place) => Ok(u16::try_from(place)?),
        None => bail!("there is no option {choice:?}; there are {}", options.join(", ")),
    }
}

/// `rochdale gov tally`
pub async fn tally(common: &Common, source: &PollSource, named: &ChainArgs, ui: Ui) -> Result<ExitCode> {
    let state = common.state()?;
    let record = match source {
        PollSource::Id(id) => record(&Coop::connect(&common.gateway()?).await?, *id).await?,
        PollSource::File(path) => {
            let read = read_json(path);
            read.context("a poll's file is what `rochdale gov poll show --poll ID --json` prints")?
        }
    };
    let manifest = super::manifest(common, &state, named).await?;
    let ours = (manifest.chain_id, manifest.addresses.membership);
    let theirs = (record.chain_id, record.membership);
    ensure!(
        ours == theirs,
        "the poll is of {} on chain {}, the manifest of {} on chain {}",
        theirs.1,
        theirs.0,
        ours.1,
        ours.0
    );
    let chain = super::chain(&state, named, manifest.chain_id).await?;
    let electorate = Electorate::of(&chain, &manifest, &record.poll, &record.signature).await?;
    let ballots: Vec<_> =
        record.ballots.iter().map(|kept| (kept.ballot, kept.signature.clone(), kept.received_at)).collect();
    let tally = electorate.tally(&record.poll, &ballots).await?;
    let open = record.poll.closes_at >= chain.now().await?;
    show(ui, &value(&record, &tally, open), sentence(&record, &tally, open)?)
}

fn value(record: &PollRecord, tally: &Tally, open: bool) -> Value {
    let refused: Vec<Value> = tally
        .refused
        .iter()
        .map(|(place, why)| {
            json!({ "member": record.ballots[*place].ballot.member, "refusal": why, "because": why.to_string() })
        })
        .collect();
    let results: Vec<Value> = record
        .poll
        .options
        .iter()
        .zip(&tally.votes)
        .map(|(option, votes)| json!({ "option": option, "votes": votes }))
        .collect();
    json!({
        "poll": chain_poll::id(&record.poll), "question": record.poll.question, "open": open, "results": results,
        "counted": tally.counted, "ballots_digest": tally.ballots, "refused": refused,
    })
}

fn sentence(record: &PollRecord, tally: &Tally, open: bool) -> Result<String> {
    let mut text = record.poll.question.clone();
    if open {
        write!(text, " (still open)")?;
    }
    for (option, votes) in record.poll.options.iter().zip(&tally.votes) {
        write!(text, "\n  {votes:>6}  {option}")?;
    }
    write!(text, "\ncounted: {}, digest {}", count(tally.counted as u64, "ballot"), tally.ballots)?;
    for (place, why) in &tally.refused {
        write!(text, "\n  refused: member {}: {why}", record.ballots[*place].ballot.member)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn an_option_is_found_by_its_words_first() {
        let options = ["2".to_owned(), "yes".to_owned()];
        assert_eq!(place(&options, "yes").unwrap(), 1);
        assert_eq!(place(&options, "1").unwrap(), 0);
        assert_eq!(place(&options, "2").unwrap(), 0, "an option's own words come before its place");
        for wrong in ["0", "3", "no", ""] {
            assert!(place(&options, wrong).unwrap_err().to_string().contains("there are 2, yes"));
        }
    }
}
