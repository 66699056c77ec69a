//! What enters an epoch, derived from the chain as of the cut and the signed scores: the same for every steward.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::B256;
use rochdale_api::settlement::SheetLine;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::state::Cooperative;
use rochdale_core::ids::{ContributionId, Epoch, MemberId};
use rochdale_core::ledger::{self, Entered, EpochInputs, Grant, Inputs, Params, Usage, Used};

use crate::scoring::{Times, agree, scorers};
use crate::steward::internal;
use crate::store::ScoreRow;

/// An epoch's inputs with what they were made from.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// For the ledger's step.
    pub inputs: EpochInputs,
    /// What governs the epoch.
    pub params: Params,
    /// Scores that enter now.
    pub entered: Vec<Entered>,
    /// One line for each member with any input.
    pub lines: Vec<SheetLine>,
    /// Contributions that wait.
    pub deferred: Vec<ContributionId>,
}

/// Everything that [`gather`] reads.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The epoch, from 1.
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
    pub before: &'a [Entered],
    /// Signed scores of contributions that have not entered.
    pub scores: &'a BTreeMap<ContributionId, Vec<ScoreRow>>,
    /// Program points under their caps.
    pub grants: &'a [Grant],
    /// Contributions of each snapshot that a debit of the epoch names.
    pub snapshots: &'a BTreeMap<B256, Vec<ContributionId>>,
    /// The lines of the epoch's sheet, where snapshots were forgotten since it was settled: they tell use.
    pub told: Option<&'a [SheetLine]>,
}

/// Gathers an epoch's inputs, as [`ledger::gather`] does, from the signed scores.
///
/// # Errors
/// Where a snapshot is missing or the inputs contradict each other.
pub fn gather(sources: &Sources<'_>) -> Result<Gathered, Problem> {
    let state = sources.at_cut;
    let agreed = |id: ContributionId| {
        let contribution = state.contributions.get(&id)?;
        let scores = sources.scores.get(&id).map_or(&[][..], Vec::as_slice);
        let times = Times { recorded: contribution.recorded.time, attempt: sources.attempt_length, at: sources.time };
        agree(&scorers(state, contribution), scores, &times).map(|agreed| (agreed.score, agreed.sketch))
    };
    let at_cut = state.ledger_cut(sources.since).map_err(internal)?;
    let grants = sources.grants.to_vec();
    let gather = |used: Used<'_>| ledger::gather(sources.epoch, at_cut, sources.before, grants, used, agreed);
    let gathered = match sources.told {
        Some(lines) => {
            let told = |line: &SheetLine| (line.member_id, Usage { n: line.n, k: line.k, w: line.w });
            gather(Used::Told(&lines.iter().map(told).collect::<Vec<_>>()))
        }
        None => gather(Used::Snapshots(&used(sources)?)),
    };
    let ledger::Gathered { inputs, entered, deferred } = gathered.map_err(internal)?;
    let lines = lines(&inputs)?;
    Ok(Gathered { params: params_of(state, sources.epoch, sources.founding), inputs, entered, lines, deferred })
}

/// What governs an epoch. A vote governs the epochs after the one in which it passes: at the cut everything about this one is decided.
#[must_use]
pub fn params_of(at_cut: &Cooperative, epoch: Epoch, founding: &Params) -> Params {
    at_cut.params_of(epoch).unwrap_or(founding).clone()
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

/// One line for each member with any input.
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
