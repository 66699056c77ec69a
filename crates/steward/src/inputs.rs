//! What enters an epoch, derived from the chain as of the cut and the signed scores: the same for every steward.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::B256;
use rochdale_api::settlement::SheetLine;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::{ContributionId, Epoch, MemberId};
use rochdale_core::ledger::{Contribution, EpochInputs, Grant, Inputs, Params, ScoredRecord, Usage, usage};

use crate::scoring::{Times, agree, scorers};
use crate::steward::internal;
use crate::store::{EnteredRow, ScoreRow};

/// An epoch's inputs with what they were made from.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// For the ledger's step.
    pub inputs: EpochInputs,
    /// What governs the epoch.
    pub params: Params,
    /// Scores that enter now.
    pub entered: Vec<EnteredRow>,
    /// One line for each member with any input.
    pub lines: Vec<SheetLine>,
    /// Contributions that wait.
    pub deferred: Vec<ContributionId>,
}

/// Everything that [`gather`] reads.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The epoch.
    pub epoch: Epoch,
    /// When the attempt at it started, seconds of block time: whose turn to score had come by then.
    pub time: u64,
    /// How long each steward has for its score, in seconds.
    pub attempt_length: u64,
    /// The chain as of the cut.
    pub at_cut: &'a Cooperative,
    /// The parameters of the founding, which govern until the ledger tells of others.
    pub founding: &'a Params,
    /// End of the epoch before, seconds of block time; none for the first epoch.
    pub since: Option<u64>,
    /// Scores that entered before.
    pub before: &'a [EnteredRow],
    /// Signed scores of contributions that have not entered.
    pub scores: &'a BTreeMap<ContributionId, Vec<ScoreRow>>,
    /// Program points under their caps.
    pub grants: &'a [Grant],
    /// Contributions of each snapshot that a debit of the epoch names.
    pub snapshots: &'a BTreeMap<B256, Vec<ContributionId>>,
    /// The lines of the epoch's sheet, where snapshots were forgotten since it was settled: they tell use.
    pub told: Option<&'a [SheetLine]>,
}

/// Gathers an epoch's inputs.
///
/// A contribution whose content equals that of one that entered before, or of a smaller id in this epoch, has
/// uniqueness 0. Erased records count for nothing, not even as originals.
///
/// # Errors
/// Where a snapshot is missing or the inputs contradict each other.
pub fn gather(sources: &Sources<'_>) -> Result<Gathered, Problem> {
    let state = sources.at_cut;
    let is_erased = |id: &ContributionId| state.contributions.get(id).is_none_or(|c| c.erased);
    let known: BTreeSet<ContributionId> = sources.before.iter().map(|row| row.contribution).collect();
    let mut seen: BTreeSet<B256> =
        sources.before.iter().filter(|row| !is_erased(&row.contribution)).map(|row| row.sketch).collect();
    let (mut entered, mut deferred) = (Vec::new(), Vec::new());
    for contribution in state.contributions.values() {
        let active = state.members.get(&contribution.member).is_some_and(|member| member.is_active());
        if contribution.erased || !active || known.contains(&contribution.id) {
            continue;
        }
        let scores = sources.scores.get(&contribution.id).map_or(&[][..], Vec::as_slice);
        let times = Times { recorded: contribution.recorded.time, attempt: sources.attempt_length, at: sources.time };
        let Some(agreed) = agree(&scorers(state, contribution), scores, &times) else {
            deferred.push(contribution.id);
            continue;
        };
        let mut score = agreed.score;
        if !seen.insert(agreed.sketch) {
            score.uniqueness = 0;
        }
        entered.push(EnteredRow {
            contribution: contribution.id,
            member: contribution.member,
            epoch: sources.epoch,
            score,
            sketch: agreed.sketch,
        });
    }
    let records: Vec<ScoredRecord> = sources
        .before
        .iter()
        .chain(&entered)
        .map(|row| ScoredRecord {
            id: row.contribution,
            member: row.member,
            score: row.score,
            erased: is_erased(&row.contribution),
        })
        .collect();
    let inputs = EpochInputs {
        members: state.members.keys().next_back().map_or(0, |id| id.0),
        active: state.active_members().collect(),
        contributions: entered
            .iter()
            .map(|row| Contribution { member: row.member, id: row.contribution, score: row.score })
            .collect(),
        grants: sources.grants.to_vec(),
        usage: match sources.told {
            Some(lines) => {
                lines.iter().map(|line| (line.member_id, Usage { n: line.n, k: line.k, w: line.w })).collect()
            }
            None => usage(&records, &used(sources)?).map_err(internal)?.into_iter().collect(),
        },
        revenue: state.revenue_since(sources.since).map_err(internal)?,
        erased: state.erased_since(sources.since).collect(),
    };
    let lines = lines(&inputs)?;
    // A vote governs the epochs after the one in which it passes: at the cut everything about this one is decided.
    let params = state.params_of(sources.epoch).unwrap_or(sources.founding).clone();
    Ok(Gathered { inputs, params, entered, lines, deferred })
}

/// The snapshots of the epoch's debits, one for each debit.
fn used<'a>(sources: &Sources<'a>) -> Result<Vec<&'a [ContributionId]>, Problem> {
    sources
        .at_cut
        .debits_since(sources.since)
        .map(|booked| {
            sources.snapshots.get(&booked.debit.snapshot).map(Vec::as_slice).ok_or_else(|| {
                let detail = format!("the snapshot of debit {} is not here yet", booked.id);
                Problem::new(ProblemCode::NotEnough, detail).hint("it is taken from a peer that is up")
            })
        })
        .collect()
}

fn lines(inputs: &EpochInputs) -> Result<Vec<SheetLine>, Problem> {
    let split = inputs.split().map_err(internal)?;
    let mut ids: BTreeMap<MemberId, Vec<ContributionId>> = BTreeMap::new();
    for contribution in &inputs.contributions {
        ids.entry(contribution.member).or_default().push(contribution.id);
    }
    let line = |(member, one): (MemberId, &Inputs)| SheetLine {
        member_id: member,
        contributions: ids.get(&member).cloned().unwrap_or_default(),
        program_points: one.program_points,
        n: one.n,
        k: one.k,
        w: one.w,
        active: one.active,
        erased: one.erased,
    };
    let by_id = (1..).map(MemberId).zip(&split);
    Ok(by_id.filter(|(_, one)| **one != Inputs::default()).map(line).collect())
}

/// The lines on which two sheets differ, in words.
#[must_use]
pub fn differences(ours: &[SheetLine], theirs: &[SheetLine]) -> Vec<String> {
    let by_member = |lines: &[SheetLine]| -> BTreeMap<MemberId, SheetLine> {
        lines.iter().map(|line| (line.member_id, line.clone())).collect()
    };
    let (ours, theirs) = (by_member(ours), by_member(theirs));
    let members: BTreeSet<&MemberId> = ours.keys().chain(theirs.keys()).collect();
    members
        .into_iter()
        .filter(|member| ours.get(member) != theirs.get(member))
        .map(|member| {
            let show = |line: Option<&SheetLine>| line.map_or("no line".to_owned(), |line| format!("{line:?}"));
            format!("member {member}: here {}, there {}", show(ours.get(member)), show(theirs.get(member)))
        })
        .collect()
}
