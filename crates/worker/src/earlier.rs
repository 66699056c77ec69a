//! When an order is answered from an earlier answer, and nothing is charged.
//!
//! The same query under the **same license** is the same question: no license tells anything of another's. Its answer stands until the chain
//! shows that somebody came, changed or went since the earlier of the two cuts: a record, a consent given, revoked or expired, an erasure, a
//! membership that ended. The rule goes by what everybody can read on chain and **never by the two snapshots**: whether those are alike
//! depends on receipts, draws and budgets that nobody is told of, and an answer that says so would tell without noise who joined the
//! license's purpose. A query about ages is another question each day, since ages are counted at the cut.

use alloy::primitives::{B256, keccak256};
use rochdale_api::Problem;
use rochdale_chain::state::{At, Cooperative};
use rochdale_core::query::{Ask, Of, Query};

use crate::problems::internal;
use crate::store::Job;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// What makes two orders the same question.
///
/// # Errors
/// Never for a query that was checked.
pub fn question(job: &Job) -> Result<B256, Problem> {
    let day = if asks_about_ages(&job.request.query) { job.cut_time / DAY } else { 0 };
    let digest = job.request.query.digest().map_err(internal)?;
    let license = job.request.order.license_id.0.to_be_bytes();
    Ok(keccak256([&license[..], digest.as_slice(), &day.to_be_bytes()].concat()))
}

fn asks_about_ages(query: &Query) -> bool {
    let of = match &query.ask {
        Ask::Count {} => None,
        Ask::Mean { of, .. } | Ask::Histogram { of, .. } => Some(of),
    };
    query.cohort.age.is_some() || matches!(of, Some(Of::Age {}))
}

/// Whether the chain shows that somebody came, changed or went between `cut` and `now`, seconds. What happened in the cut's own second
/// counts, since another block may have the same one.
#[must_use]
pub fn moved(state: &Cooperative, cut: u64, now: u64) -> bool {
    let since = |at: &At| at.time >= cut;
    let came = state.contributions.values().any(|record| since(&record.recorded));
    let consents = || state.consents.values().any(|held| since(&held.since) || (cut..=now).contains(&held.expiry));
    let went = || state.members.values().any(|m| m.ended.iter().chain(&m.erased).any(since));
    came || consents() || went()
}
