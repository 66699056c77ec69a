//! What a record is worth to research: quality with the reason for every point lost, uniqueness, authenticity, rarity.
//!
//! The rules are the rubric file `score/rubric-2.json`, named by the hash of its JCS, after HL7 PIQI, Kahn's framework and
//! the check types of OHDSI's Data Quality Dashboard. Quality is gated to 0 for what cannot be used, and else
//! `0.30 availability + 0.25 conformity + 0.20 accuracy + 0.25 plausibility`, each the Wilson lower bound of its pass ratio:
//! a handful of perfect facts is no proof of a good record. Of that, the share of its facts that a question can count: about the
//! patient, with a code and a result, neither impossible nor before birth, each once.
//!
//! **Architecture Invariant:** integers only, no dependence on map order, locale or clock: two stewards who score the same
//! bytes at the same `now` (the recording block's timestamp) sign the same score.
//!
//! Reasons name codes and paths of one person's record. They are for that person: seal them like the record.

mod accuracy;
mod availability;
mod category;
mod conformity;
mod facts;
mod gate;
mod plausibility;
mod rubric;
mod tally;
mod wilson;

pub use category::Category;
pub use rubric::{Range, Rubric, SexSpecific, Weights, rubric_hash};
pub use tally::{CategoryScore, Reason};
pub use wilson::lower_bound;

use crate::fhir::{FhirError, Limits, Record, Resource};
use crate::ledger;
use facts::{Standing, standings};
use tally::{Failure, Tally};

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
    let checked = Checked { record, standings: standings(rubric, record) };
    let mut tally = Tally::default();
    availability::check(rubric, &checked, &mut tally);
    conformity::check(rubric, &checked, &mut tally);
    accuracy::check(rubric, &checked, &mut tally);
    plausibility::check(rubric, &checked, now, &mut tally);
    checked.count(&mut tally);
    let closed = tally.close(rubric);
    if closed.facts == 0 {
        return scored(rubric, known, gate::without_facts(closed.reasons));
    }
    Scored {
        quality: closed.quality,
        gated: false,
        categories: closed.categories,
        reasons: closed.reasons,
        ..scored(rubric, known, Vec::new())
    }
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

/// A record with the standing of each of its resources.
struct Checked<'a> {
    record: &'a Record,
    standings: Vec<Standing>,
}

impl<'a> Checked<'a> {
    /// What the checks look at, with its position.
    fn resources(&self) -> impl Iterator<Item = (usize, Resource<'a>)> {
        let all = self.record.resources().enumerate().zip(&self.standings);
        all.filter(|(_, standing)| **standing != Standing::Aside).map(|(found, _)| found)
    }

    /// Counts facts, and what should be one.
    fn count(&self, tally: &mut Tally) {
        for (resource, standing) in self.record.resources().zip(&self.standings) {
            match standing {
                Standing::Fact => tally.fact(None),
                Standing::Lost(loss) => {
                    let element = format!("{}.{}", resource.type_name(), loss.element());
                    let path = format!("{}.{}", resource.path(), loss.element());
                    tally.fact(Some(Failure { element, path, text: format!("not counted: it {}", loss.text()) }));
                }
                Standing::Around | Standing::Aside => {}
            }
        }
    }
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
