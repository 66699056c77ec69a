//! What a record is worth to research: quality with the reason for every point lost, uniqueness, authenticity, rarity.
//!
//! The rules are the rubric file `score/rubric-1.json`, named by the hash of its JCS, after HL7 PIQI, Kahn's framework and
//! the check types of OHDSI's Data Quality Dashboard. Quality is gated to 0 for what cannot be used, and else
//! `0.30 availability + 0.25 conformity + 0.20 accuracy + 0.25 plausibility`, each the Wilson lower bound of its pass ratio:
//! a handful of perfect facts is no proof of a good record.
//!
//! **Architecture Invariant:** integers only, no dependence on map order, locale or clock: two stewards who score the same
//! bytes at the same `now` (the recording block's timestamp) sign the same score.
//!
//! Reasons name codes and paths of one person's record. They are for that person: seal them like the record.

mod accuracy;
mod availability;
mod category;
mod conformity;
mod gate;
mod plausibility;
mod rubric;
mod tally;
mod wilson;

pub use category::Category;
pub use rubric::{Range, Rubric, SexSpecific, Weights, rubric_hash};
pub use tally::{CategoryScore, Reason};
pub use wilson::lower_bound;

use crate::fhir::{FhirError, Limits, Record};
use crate::ledger;
use tally::Tally;

/// A record's score with its explanation. All numbers in bps.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Scored {
    /// 0…10,000.
    pub quality: u16,
    /// 0 for a record whose digest is known, else 10,000.
    pub uniqueness: u16,
    /// 3,000: an upload.
    pub authenticity: u16,
    /// 10,000: nothing is signed by its issuer yet.
    pub rarity: u16,
    /// Whether a gate set the quality to 0.
    pub gated: bool,
    /// The four parts of the quality; all empty where gated.
    pub categories: [CategoryScore; 4],
    /// Why points are missing, the dearest first; what they lost sums to 10,000 − quality.
    pub reasons: Vec<Reason>,
}

impl From<&Scored> for ledger::Score {
    fn from(scored: &Scored) -> Self {
        Self {
            quality: scored.quality,
            uniqueness: scored.uniqueness,
            authenticity: scored.authenticity,
            rarity: scored.rarity,
        }
    }
}

/// Scores a record as of `now` (unix seconds of the block that recorded it). `known`: the stewards have seen its
/// [`crate::fhir::record_digest`] before.
#[must_use]
pub fn score(record: &Record, now: i64, known: bool) -> Scored {
    let rubric = Rubric::current();
    let gates = gate::check(rubric, record, now);
    if !gates.is_empty() {
        return scored(rubric, known, gates);
    }
    let mut tally = Tally::default();
    availability::check(rubric, record, &mut tally);
    conformity::check(rubric, record, &mut tally);
    accuracy::check(rubric, record, &mut tally);
    plausibility::check(rubric, record, now, &mut tally);
    let (quality, categories, reasons) = tally.close(rubric);
    Scored { quality, gated: false, categories, reasons, ..scored(rubric, known, Vec::new()) }
}

/// Scores what a member sent: as [`score`], and 0 with the reader's message where it is no readable record of one patient.
#[must_use]
pub fn score_bytes(name: &str, bytes: &[u8], limits: Limits, now: i64, known: impl FnOnce(&Record) -> bool) -> Scored {
    match Record::from_slice(name, bytes, limits) {
        Ok(record) => {
            let known = known(&record);
            score(&record, now, known)
        }
        Err(error) => unreadable(&error),
    }
}

/// The score of an input that gave no record.
#[must_use]
pub fn unreadable(error: &FhirError) -> Scored {
    scored(Rubric::current(), false, vec![gate::unreadable(error)])
}

fn scored(rubric: &Rubric, known: bool, reasons: Vec<Reason>) -> Scored {
    Scored {
        quality: 0,
        uniqueness: if known { 0 } else { 10_000 },
        authenticity: rubric.authenticity_upload,
        rarity: rubric.rarity_unsigned,
        gated: true,
        categories: Category::ALL.map(CategoryScore::empty),
        reasons,
    }
}
