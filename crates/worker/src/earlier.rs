//! When an order is answered from an earlier answer, and nothing is charged.
//!
//! The same query under the **same license** is the same question: no license tells anything of another's. Its answer stands until the chain
//! shows that somebody came, changed or went since the earlier of the two cuts: a record, a consent given, revoked or expired, an erasure, a
//! membership that ended, another word of the ethics board on the license's study. The rule goes by what everybody can read on chain and **never by the two snapshots**: whether those are alike
//! depends on receipts, draws and budgets that nobody is told of, and an answer that says so would tell without noise who joined the
//! license's purpose. A query about ages is another question each day, since ages are counted at the cut.

use alloy::primitives::{B256, keccak256};
use rochdale_api::Problem;
use rochdale_chain::state::{At, Cooperative};
use rochdale_core::ids::LicenseId;
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
/// counts, since another block may have the same one. So does what the ethics board decided about the license's study: it may let others in.
#[must_use]
pub fn moved(state: &Cooperative, license: LicenseId, cut: u64, now: u64) -> bool {
    let since = |at: &At| at.time >= cut;
    let came = state.contributions.values().any(|record| since(&record.recorded));
    let consents = || state.consents.values().any(|held| since(&held.since) || (cut..=now).contains(&held.expiry));
    let went = || state.members.values().any(|m| m.ended.iter().chain(&m.erased).any(since));
    let study = state.licenses.get(&license);
    let decided = study.and_then(|study| state.approvals.get(&study.holder)?.get(&study.terms.purpose));
    came || consents() || went() || decided.is_some_and(|approval| since(&approval.since))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::Address;
    use rochdale_chain::events::{Event, LicenseTerms, Located};
    use rochdale_core::ids::{DatasetId, Purpose};

    #[test]
    fn another_word_of_the_ethics_board_on_the_study_asks_anew_and_a_renewal_of_the_same_does_not() {
        let (license, holder, purpose) = (LicenseId(1), Address::repeat_byte(1), Purpose(6));
        let mut state = Cooperative::default();
        let says = |state: &mut Cooperative, timestamp: u64, event: Event| {
            let (block_hash, transaction) = (B256::ZERO, B256::ZERO);
            state.apply(&Located { block_number: 1, block_hash, timestamp, log_index: 0, transaction, event });
        };
        let approved = |purpose, until, protocol: &str| Event::ResearcherApproved {
            researcher: holder,
            purpose,
            until,
            protocol: protocol.to_owned(),
        };
        let terms = LicenseTerms {
            dataset: DatasetId(1),
            right: 1,
            purpose,
            ehds_category: 5,
            records: 50,
            issued_at: 1,
            expiry: 1_000,
            recipient_key: B256::ZERO,
        };
        says(&mut state, 1, approved(purpose, 500, ""));
        says(&mut state, 2, Event::LicenseIssued { license, holder, terms });
        let cut = 10;
        says(&mut state, 20, approved(purpose, 600, ""));
        says(&mut state, 20, approved(Purpose(42), 600, r#"{"country":"SE"}"#));
        assert!(!moved(&state, license, cut, 30), "renewed, and another study");
        says(&mut state, 25, approved(purpose, 600, r#"{"country":"SE"}"#));
        assert!(moved(&state, license, cut, 30));
        assert!(!moved(&state, license, 26, 30), "since then it says the same");
    }
}
