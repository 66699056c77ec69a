//! A record looked at before anything is sent.

use alloy_primitives::B256;
use rochdale_core::fhir::{Limits, Piece, pieces, record_digest};
use rochdale_core::score::{CategoryScore, Reason, Rubric, score};
use serde::Serialize;

/// Records and inputs without one that are told of a file, each; all are counted.
const TOLD: usize = 20;

/// What a file holds.
#[derive(Debug, Default, Serialize)]
pub struct Checked {
    /// The first records, in the order of the file.
    pub records: Vec<Looked>,
    /// How many there are.
    pub records_in_all: usize,
    /// What gave none, the first of it: its name in the file, why, and whether something is wrong with it.
    pub passed_over: Vec<PassedOver>,
    /// How many gave none.
    pub passed_over_in_all: usize,
}

/// One record, as it would be scored.
#[derive(Debug, Serialize)]
pub struct Looked {
    /// The file, with the line in it.
    pub name: String,
    /// The id of its Patient, where that has one.
    pub patient: Option<String>,
    /// Its size.
    pub bytes: usize,
    /// Names its content, whatever its ids and wrapping.
    pub digest: B256,
    /// 0 to 10,000.
    pub quality: u16,
    /// Whether it cannot be used at all, for which the reasons say why.
    pub gated: bool,
    /// The four parts of the quality with what each weighs, in basis points.
    pub parts: Vec<Part>,
    /// Why points are missing, the dearest first.
    pub reasons: Vec<Reason>,
}

/// A part of the quality.
#[derive(Debug, Serialize)]
pub struct Part {
    /// Its points and what they are of.
    #[serde(flatten)]
    pub score: CategoryScore,
    /// What it weighs of 10,000.
    pub weight: u16,
}

/// An input that gave no record.
#[derive(Debug, Serialize)]
pub struct PassedOver {
    /// The file, with the line in it.
    pub name: String,
    /// Why, and how to mend it.
    pub reason: String,
    /// Whether something is wrong with it, rather than it being nobody's record.
    pub fault: bool,
}

impl Checked {
    fn pass(&mut self, name: String, reason: String, fault: bool) {
        self.passed_over_in_all += 1;
        if self.passed_over.len() < TOLD {
            self.passed_over.push(PassedOver { name, reason, fault });
        }
    }
}

/// Reads `bytes` and scores what they hold as of `now`, unix seconds, as if nobody had given the same before.
#[must_use]
pub fn check(name: &str, bytes: &[u8], now: i64) -> Checked {
    let mut checked = Checked::default();
    for piece in pieces(name, bytes, Limits::default()) {
        match piece {
            Ok(Piece::Record(source)) => {
                checked.records_in_all += 1;
                if checked.records.len() == TOLD {
                    continue;
                }
                let scored = score(&source.record, now, false);
                let weight = |part: &CategoryScore| Rubric::current().weights.of(part.category);
                checked.records.push(Looked {
                    name: source.name,
                    patient: source.record.patient().id().map(str::to_owned),
                    bytes: source.record.bytes().len(),
                    digest: record_digest(&source.record),
                    quality: scored.quality,
                    gated: scored.gated,
                    parts: scored.categories.into_iter().map(|score| Part { weight: weight(&score), score }).collect(),
                    reasons: scored.reasons,
                });
            }
            Ok(Piece::Resource(lone)) => {
                let reason = "one resource by itself, as in a bulk export: give all of its files to `rochdale import`";
                checked.pass(lone.name, reason.to_owned(), false);
            }
            Ok(Piece::Skipped(skipped)) => {
                checked.pass(skipped.name, skipped.reason.to_string(), false);
            }
            Err(error) => checked.pass(name.to_owned(), error.to_string(), true),
        }
    }
    checked
}
