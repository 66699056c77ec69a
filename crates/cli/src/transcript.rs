//! An audit from a transcript: what an appointed auditor is given, without any steward's store.

use crate::args::TranscriptArgs;
use crate::failure::Kind;
use crate::found;
use crate::ui::Ui;
use alloy::primitives::B256;
use anyhow::{Context, Result};
use rochdale_chain::deploy::Manifest;
use rochdale_chain::events::{Follower, MemoryStore};
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::Epoch;
use rochdale_core::ledger::{Header, LedgerError, Transcript};
use serde::Serialize;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;

/// What the audit found.
#[derive(Debug, Serialize)]
struct Report {
    /// Whether every epoch agrees.
    agrees: bool,
    /// Epochs that were recomputed and agree.
    epochs: u32,
    /// Rows that were recomputed, over all epochs.
    rows: u64,
    /// The last root that was recomputed.
    root: Option<B256>,
    /// Epochs that were compared with the chain's headers, not with the transcript's roots alone.
    on_chain: u32,
    /// The first difference.
    difference: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (epochs, rows, on_chain) = (self.epochs, self.rows, self.on_chain);
        writeln!(f, "{epochs} epochs, {rows} rows recomputed, {on_chain} headers compared with the chain")?;
        match &self.difference {
            Some(difference) => write!(f, "DIFFERS {difference}"),
            None => write!(f, "every epoch agrees, the last root is {}", self.root.unwrap_or_default()),
        }
    }
}

/// Why a replay stopped.
enum Stop {
    Ledger(LedgerError),
    Differs(String),
}

impl From<LedgerError> for Stop {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

/// `rochdale audit --transcript FILE`: recomputes every epoch, and compares it with the transcript's root and, with an RPC,
/// with the chain's header.
pub async fn run(args: &TranscriptArgs, file: &Path, ui: Ui) -> Result<ExitCode> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let transcript: Transcript =
        serde_json::from_str(&text).with_context(|| format!("{} is no transcript", file.display()))?;
    let chain = match (&args.rpc, &args.manifest) {
        (Some(rpc), Some(manifest)) => Some(headers(rpc, &Manifest::load(manifest)?).await?),
        _ => None,
    };
    let report = replay(&transcript, chain.as_ref());
    match ui.json {
        true => println!("{}", serde_json::to_string_pretty(&report)?),
        false => println!("{report}"),
    }
    Ok(Kind::verdict(report.agrees))
}

/// The state as the chain's events tell it.
async fn headers(rpc: &str, manifest: &Manifest) -> Result<Cooperative> {
    let chain = found::connect(rpc, manifest.chain_id).await?;
    let mut follower = Follower::new(chain, manifest, MemoryStore::default());
    follower.step().await?;
    Ok(Cooperative::fold(follower.store().events()))
}

fn replay(transcript: &Transcript, chain: Option<&Cooperative>) -> Report {
    let mut report = Report { agrees: false, epochs: 0, rows: 0, root: None, on_chain: 0, difference: None };
    let roots: Vec<B256> = transcript.epochs.iter().map(|epoch| epoch.root).collect();
    let replayed = transcript.replay(|round| {
        let epoch = round.header.epoch;
        let told = roots.get(report.epochs as usize).copied().unwrap_or_default();
        if told != round.header.root {
            let computed = round.header.root;
            return Err(Stop::Differs(format!(
                "epoch {epoch}: the root is {computed} recomputed, {told} in the transcript"
            )));
        }
        if let Some(state) = chain {
            compare(state, epoch, &round.header)?;
            report.on_chain += 1;
        }
        report.epochs = epoch.0;
        report.rows += round.settled.rows.len() as u64;
        report.root = Some(round.header.root);
        Ok(())
    });
    report.difference = match replayed {
        Ok(_) => unsettled(&report, chain),
        Err(Stop::Differs(difference)) => Some(difference),
        Err(Stop::Ledger(error)) => Some(format!("epoch {}: {error}", report.epochs + 1)),
    };
    report.agrees = report.difference.is_none();
    report
}

/// Every field of a header counts, not the root alone.
fn compare(state: &Cooperative, epoch: Epoch, ours: &Header) -> Result<(), Stop> {
    let Some(proposal) = state.proposals.get(&epoch) else {
        return Err(Stop::Differs(format!("epoch {epoch} is in the transcript, but the chain has no proposal of it")));
    };
    if proposal.header == *ours {
        return Ok(());
    }
    let json = |header| serde_json::to_value(header).unwrap_or_default();
    let (ours, theirs) = (json(ours), json(&proposal.header));
    let fields = ours.as_object().into_iter().flatten();
    let differing = fields.filter(|(name, value)| theirs.get(name.as_str()) != Some(value));
    let named: Vec<String> = differing
        .map(|(name, value)| format!("{name} is {value} recomputed, {} on chain", theirs[name.as_str()]))
        .collect();
    Err(Stop::Differs(format!("epoch {epoch}: {}", named.join("; "))))
}

/// A transcript must not stop before the chain does.
fn unsettled(report: &Report, chain: Option<&Cooperative>) -> Option<String> {
    let last = chain?.proposals.keys().next_back()?;
    let epochs = report.epochs;
    (last.0 > epochs).then(|| format!("the chain has epoch {last}, the transcript ends with {epochs}"))
}
