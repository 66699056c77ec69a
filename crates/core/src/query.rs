//! What a researcher may ask: a typed query in integers, never SQL, and the answer's canonical form.
//!
//! ```json
//! { "version": 1, "dataset": 1,
//!   "cohort": { "condition": { "system": "http://snomed.info/sct", "code": "44054006" },
//!               "sex": "female", "age": { "from": 40, "to": 69 } },
//!   "ask": { "kind": "mean",
//!            "of": { "observation": { "system": "http://loinc.org", "code": "4548-4" } },
//!            "rows": 4, "lower": 3000, "upper": 20000 },
//!   "rho": 20000000 }
//! ```
//!
//! **Meaning.** The pool is the declared snapshot. The cohort is the set of members of the pool that satisfy every given
//! filter; disease is a filter here and never a dataset. The unit of privacy is one member, added or removed.
//! A member's *value* of an observation is the mean of at most `rows` of their rows (chosen by a salted order that does
//! not look at values), each clamped to `lower..=upper` before, floored to a thousandth; rows without a number are
//! dropped first, and a member without any row is not asked. Values are thousandths ("milli-units") of the unit in
//! which the pool keeps that code; an age is whole years at the cut, times 1,000.
//!
//! | ask | figures of the answer, in order |
//! |---|---|
//! | `count` | members in the cohort |
//! | `mean` | mean of the members' values · members who have a value |
//! | `histogram` | members whose value lies in each bin `edges[i] <= value < edges[i + 1]`; below the first edge counts in the first bin, at or above the last edge in the last |

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::commit::{self, CommitError};
use crate::ids::DatasetId;

/// The format's version.
pub const VERSION: u16 = 1;
/// Most rows a member may contribute to one query.
pub const MAX_ROWS: u16 = 16;
/// Most bins of a histogram.
pub const MAX_BINS: usize = 64;
/// Largest magnitude of a bound, in milli-units: a mean over 2^32 members then fits 128 bits with room.
pub const MAX_BOUND: i64 = 1_000_000_000_000;
/// Nano-zCDP in one unit of ρ.
pub const NANO: u64 = 1_000_000_000;
/// Largest budget of one query: ρ = 1.
pub const MAX_RHO: u64 = NANO;
/// Smallest budget of one query: ρ = 10^-6. Below it the noise drowns any answer, so it is a typing error.
pub const MIN_RHO: u64 = 1_000;
/// Members that a cohort must seem to have, noise included, unless its cooperative says otherwise.
pub const MIN_COHORT: u64 = 10;

/// Why a query is not answered as written; every message says how to mend it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum QueryError {
    /// Not JSON of this form.
    #[error("not a query: {0}")]
    Json(String),
    /// A version of the format that this program does not know.
    #[error("version {0} is not supported: write \"version\": 1")]
    Version(u16),
    /// Dataset ids start at 1.
    #[error("dataset 0 does not exist: name the dataset of your license")]
    Dataset,
    /// A code is empty or holds what no code holds.
    #[error(
        "{at}: {value:?} is not a code: give a system URI and a code, 1 to 128 visible ASCII characters without `|`"
    )]
    Code {
        /// The field at fault.
        at: &'static str,
        /// What was given.
        value: String,
    },
    /// The range of ages is empty.
    #[error("cohort.age: from {from} to {to} is empty: give whole years, from <= to <= 150")]
    Age {
        /// First year.
        from: u8,
        /// Last year.
        to: u8,
    },
    /// Rows per member.
    #[error("ask.rows: {0} is outside 1..={MAX_ROWS}: declare how many rows one member may contribute")]
    Rows(u16),
    /// The bounds are in the wrong order, or too wide.
    #[error("ask: bounds {lower}..={upper} (milli-units): give lower < upper, both within ±{MAX_BOUND}")]
    Bounds {
        /// Lower bound.
        lower: i64,
        /// Upper bound.
        upper: i64,
    },
    /// Number of bins.
    #[error("ask.edges: {0} edges: a histogram of n bins has n + 1 edges, 1 to {MAX_BINS} bins")]
    Bins(usize),
    /// Order of bins.
    #[error("ask.edges: {next} after {previous}: edges (milli-units) ascend, within ±{MAX_BOUND}")]
    Edges {
        /// The edge before.
        previous: i64,
        /// The edge at fault.
        next: i64,
    },
    /// The budget of the query is out of range.
    #[error("rho: {0} nano-zCDP is outside {MIN_RHO}..={MAX_RHO} (ρ = 0.000001 to 1)")]
    Rho(u64),
}

/// A typed query. Two queries are the same question if and only if their digests are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Format, [`VERSION`].
    pub version: u16,
    /// The dataset of the license.
    pub dataset: DatasetId,
    /// Who is asked about; everyone in the snapshot where empty.
    #[serde(default, skip_serializing_if = "Cohort::is_everyone")]
    pub cohort: Cohort,
    /// What is asked.
    pub ask: Ask,
    /// Privacy loss to spend, in nano-zCDP: all of it is charged to everyone in the snapshot, before the release.
    pub rho: u64,
}

/// Filters, all of which a member must satisfy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cohort {
    /// Has this condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Code>,
    /// Administrative sex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Age in whole years at the snapshot's cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<AgeRange>,
    /// Has at least one observation of this code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observation: Option<Code>,
}

impl Cohort {
    /// Whether no filter is set.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        *self == Self::default()
    }
}

/// A code of a terminology.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// The terminology's URI, such as `http://loinc.org`.
    pub system: String,
    /// The code in it, such as `4548-4`.
    pub code: String,
}

impl core::fmt::Display for Code {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}|{}", self.system, self.code)
    }
}

/// Administrative sex, as FHIR's `Patient.gender` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    /// `female`
    Female,
    /// `male`
    Male,
    /// `other`
    Other,
    /// `unknown`
    Unknown,
}

/// Whole years, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgeRange {
    /// The youngest age, whole years.
    pub from: u8,
    /// The oldest age, whole years.
    pub to: u8,
}

/// What a numeric question is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Of {
    /// The numbers of an observation.
    Observation(Code),
    /// Age at the cut, written `{"age": {}}`.
    Age {},
}

/// What is asked about the cohort.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Ask {
    /// How many members the cohort has.
    Count {},
    /// The mean of the members' values.
    Mean {
        /// What is measured.
        of: Of,
        /// Rows a member contributes at most.
        rows: u16,
        /// Values below count as this (milli-units).
        lower: i64,
        /// Values above count as this (milli-units).
        upper: i64,
    },
    /// How many members' values lie in each bin.
    Histogram {
        /// What is measured.
        of: Of,
        /// Rows a member contributes at most.
        rows: u16,
        /// Ascending edges (milli-units), one more than there are bins.
        edges: Vec<i64>,
    },
}

impl Ask {
    /// The name as in the JSON's `kind`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Count {} => "count",
            Self::Mean { .. } => "mean",
            Self::Histogram { .. } => "histogram",
        }
    }

    /// The smallest and the largest value a member can have, in milli-units; `None` for a count.
    #[must_use]
    pub fn bounds(&self) -> Option<(i64, i64)> {
        match self {
            Self::Count {} => None,
            Self::Mean { lower, upper, .. } => Some((*lower, *upper)),
            Self::Histogram { edges, .. } => Some((*edges.first()?, *edges.last()?)),
        }
    }

    /// How many figures an answer holds.
    #[must_use]
    pub fn figures(&self) -> usize {
        match self {
            Self::Count {} => 1,
            Self::Mean { .. } => 2,
            Self::Histogram { edges, .. } => edges.len().saturating_sub(1),
        }
    }
}

impl Query {
    /// Reads and checks a query.
    ///
    /// # Errors
    /// With the field at fault and what to write instead.
    pub fn parse(json: &[u8]) -> Result<Self, QueryError> {
        let query: Self = serde_json::from_slice(json).map_err(|error| QueryError::Json(error.to_string()))?;
        query.validate()?;
        Ok(query)
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    /// With the field at fault and what to write instead.
    pub fn validate(&self) -> Result<(), QueryError> {
        if self.version != VERSION {
            return Err(QueryError::Version(self.version));
        }
        if self.dataset.0 == 0 {
            return Err(QueryError::Dataset);
        }
        if !(MIN_RHO..=MAX_RHO).contains(&self.rho) {
            return Err(QueryError::Rho(self.rho));
        }
        self.cohort.validate()?;
        self.ask.validate()
    }

    /// keccak-256 of the RFC 8785 JSON: what a researcher signs and what answers are kept under.
    ///
    /// # Errors
    /// Never for a valid query; an unchecked one may hold integers beyond 53 bits.
    pub fn digest(&self) -> Result<B256, CommitError> {
        commit::json(self)
    }
}

impl Cohort {
    fn validate(&self) -> Result<(), QueryError> {
        if let Some(code) = &self.condition {
            code.validate("cohort.condition")?;
        }
        if let Some(code) = &self.observation {
            code.validate("cohort.observation")?;
        }
        match self.age {
            Some(AgeRange { from, to }) if from > to || to > 150 => Err(QueryError::Age { from, to }),
            _ => Ok(()),
        }
    }
}

impl Code {
    fn validate(&self, at: &'static str) -> Result<(), QueryError> {
        let visible = |text: &str| {
            (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'|')
        };
        if visible(&self.system) && visible(&self.code) && self.system.contains(':') {
            return Ok(());
        }
        Err(QueryError::Code { at, value: self.to_string() })
    }
}

impl Of {
    fn validate(&self) -> Result<(), QueryError> {
        match self {
            Self::Observation(code) => code.validate("ask.of.observation"),
            Self::Age {} => Ok(()),
        }
    }
}

impl Ask {
    fn validate(&self) -> Result<(), QueryError> {
        let rows = |rows: u16| {
            if (1..=MAX_ROWS).contains(&rows) { Ok(()) } else { Err(QueryError::Rows(rows)) }
        };
        match self {
            Self::Count {} => Ok(()),
            Self::Mean { of, rows: n, lower, upper } => {
                rows(*n)?;
                of.validate()?;
                if lower >= upper || *lower < -MAX_BOUND || *upper > MAX_BOUND {
                    return Err(QueryError::Bounds { lower: *lower, upper: *upper });
                }
                Ok(())
            }
            Self::Histogram { of, rows: n, edges } => {
                rows(*n)?;
                of.validate()?;
                if !(2..=MAX_BINS + 1).contains(&edges.len()) {
                    return Err(QueryError::Bins(edges.len()));
                }
                let wrong = edges.windows(2).find(|pair| {
                    pair[0] >= pair[1] || pair.iter().any(|edge| !(-MAX_BOUND..=MAX_BOUND).contains(edge))
                });
                wrong.map_or(Ok(()), |pair| Err(QueryError::Edges { previous: pair[0], next: pair[1] }))
            }
        }
    }
}

/// The released answer: integers with their scale and the noise they carry. Its digest is what a receipt names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Format, [`VERSION`].
    pub version: u16,
    /// Digest of the query.
    pub query: B256,
    /// Digest of the snapshot.
    pub snapshot: B256,
    /// What was charged, in nano-zCDP, whatever the outcome.
    pub rho: u64,
    /// Of it, what the count cost that the gate reads. The count is a figure too, except of a histogram.
    pub gate_rho: u64,
    /// How many members of the snapshot a record was left out of: it did not open, or its member does not consent any more. Noisy and
    /// charged like every figure; the same noise hides who it was.
    pub left_out: Figure,
    /// The answer, or that there is none.
    pub outcome: Outcome,
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase", deny_unknown_fields)]
pub enum Outcome {
    /// The figures of the table at the top of this module, in that order.
    Released {
        /// Noisy figures.
        figures: Vec<Figure>,
    },
    /// The gate kept the figures back; the charge stands, since the gate itself looked at a noisy count.
    Withheld {
        /// The reason.
        reason: Withheld,
    },
}

/// Why the gate keeps an answer back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// A noisy count of the cohort lies below the threshold.
    CohortTooSmall,
}

/// A noisy figure, `value / scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The figure as an integer; divide by the scale.
    pub value: i64,
    /// What to divide by: 1 for counts, 1,000 for milli-units.
    pub scale: u32,
    /// Standard error by the noise that was added, in thousandths of the integer's unit, rounded up: the noise's own standard deviation,
    /// and for a mean that of a ratio of noisy integers by the delta method. What chance picked the people asked is not in it.
    pub sigma_milli: u64,
}

impl Answer {
    /// keccak-256 of the RFC 8785 JSON, the `resultDigest` of a receipt.
    ///
    /// # Errors
    /// Where a figure is beyond 53 bits.
    pub fn digest(&self) -> Result<B256, CommitError> {
        commit::json(self)
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    const MEAN: &str = r#"{ "version": 1, "dataset": 1,
        "cohort": { "condition": { "system": "http://snomed.info/sct", "code": "44054006" },
                    "sex": "female", "age": { "from": 40, "to": 69 } },
        "ask": { "kind": "mean", "of": { "observation": { "system": "http://loinc.org", "code": "4548-4" } },
                 "rows": 4, "lower": 3000, "upper": 20000 },
        "rho": 20000000 }"#;

    fn parse(json: &str) -> Result<Query, QueryError> {
        Query::parse(json.as_bytes())
    }

    fn refused(from: &str, to: &str) -> String {
        assert!(MEAN.contains(from), "{from} is not in the sample");
        parse(&MEAN.replace(from, to)).unwrap_err().to_string()
    }

    #[test]
    fn a_query_survives_the_round_trip_and_layout_does_not_change_its_digest() {
        let query = parse(MEAN).unwrap();
        let canonical = commit::canonical_json(&query).unwrap();
        assert_eq!(Query::parse(&canonical).unwrap(), query);
        let dense: serde_json::Value = serde_json::from_str(MEAN).unwrap();
        assert_eq!(commit::json(&dense).unwrap(), query.digest().unwrap());
        let other = parse(&MEAN.replace("\"rho\": 20000000", "\"rho\": 20000001")).unwrap();
        assert_ne!(other.digest().unwrap(), query.digest().unwrap());
    }

    #[test]
    fn an_empty_cohort_has_one_form() {
        let absent = parse(r#"{"version":1,"dataset":2,"ask":{"kind":"count"},"rho":5000}"#).unwrap();
        let empty = parse(r#"{"version":1,"dataset":2,"cohort":{},"ask":{"kind":"count"},"rho":5000}"#).unwrap();
        assert_eq!(absent.digest().unwrap(), empty.digest().unwrap());
        let of_age = r#"{"version":1,"dataset":2,"ask":{"kind":"histogram","of":{"age":{}},"rows":1,"edges":[0,18000,150000]},"rho":5000}"#;
        assert_eq!(parse(of_age).unwrap().ask.figures(), 2);
    }

    #[test]
    fn unknown_fields_are_refused_at_every_level() {
        for (from, to) in [
            ("\"version\": 1,", "\"version\": 1, \"sql\": \"x\","),
            ("\"sex\":", "\"zip\": 1, \"sex\":"),
            ("\"from\": 40,", "\"from\": 40, \"by\": 1,"),
            ("\"rows\": 4,", "\"rows\": 4, \"limit\": 1,"),
            ("\"code\": \"4548-4\"", "\"code\": \"4548-4\", \"display\": \"A1c\""),
        ] {
            let message = refused(from, to);
            assert!(message.contains("unknown field"), "{to}: {message}");
        }
        let count = r#"{"version":1,"dataset":2,"ask":{"kind":"count","rows":2},"rho":5000}"#;
        assert!(parse(count).unwrap_err().to_string().contains("unknown field"));
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        for (from, to, says) in [
            ("\"version\": 1", "\"version\": 2", "version 2"),
            ("\"dataset\": 1", "\"dataset\": 0", "dataset 0"),
            ("\"rows\": 4", "\"rows\": 17", "ask.rows: 17"),
            ("\"lower\": 3000", "\"lower\": 20000", "20000..=20000"),
            ("\"upper\": 20000", "\"upper\": 1000000000001", "1000000000001"),
            ("\"to\": 69", "\"to\": 39", "from 40 to 39"),
            ("\"to\": 69", "\"to\": 151", "to 151"),
            ("\"rho\": 20000000", "\"rho\": 999", "rho: 999"),
            ("\"rho\": 20000000", "\"rho\": 1000000001", "rho: 1000000001"),
            ("\"rho\": 20000000", "\"rho\": 0.02", "0.02"),
            ("4548-4", "4548 4", "ask.of.observation"),
            ("http://snomed.info/sct", "", "cohort.condition"),
        ] {
            let message = refused(from, to);
            assert!(message.contains(says), "{to}: {message}");
        }
    }

    #[test]
    fn edges_ascend() {
        let histogram = |edges: &str| {
            parse(&format!(
                r#"{{"version":1,"dataset":2,"ask":{{"kind":"histogram","of":{{"age":{{}}}},"rows":1,"edges":{edges}}},"rho":5000}}"#
            ))
        };
        assert_eq!(histogram("[0]"), Err(QueryError::Bins(1)));
        assert_eq!(histogram("[0,5,5]"), Err(QueryError::Edges { previous: 5, next: 5 }));
        let many = format!("{:?}", (0..66).collect::<Vec<_>>());
        assert_eq!(histogram(&many), Err(QueryError::Bins(66)));
        assert_eq!(histogram("[-5,0,9]").unwrap().ask.bounds(), Some((-5, 9)));
    }

    #[test]
    fn an_answer_has_a_digest_and_refuses_unknown_fields() {
        let answer = Answer {
            version: VERSION,
            query: B256::repeat_byte(1),
            snapshot: B256::repeat_byte(2),
            rho: 5_000_000,
            gate_rho: 4_687_500,
            left_out: Figure { value: 1, scale: 1, sigma_milli: 40_000 },
            outcome: Outcome::Released { figures: vec![Figure { value: -3, scale: 1, sigma_milli: 10_000 }] },
        };
        let json = commit::canonical_json(&answer).unwrap();
        assert_eq!(serde_json::from_slice::<Answer>(&json).unwrap(), answer);
        assert_eq!(answer.digest().unwrap(), alloy_primitives::keccak256(&json));
        let withheld = Answer { outcome: Outcome::Withheld { reason: Withheld::CohortTooSmall }, ..answer };
        let json = String::from_utf8(commit::canonical_json(&withheld).unwrap()).unwrap();
        assert!(json.contains(r#"{"reason":"cohort_too_small","status":"withheld"}"#), "{json}");
    }
}
