//! A figure as a person reads it: what it is of, in which unit, and how far the noise may have moved it.
//!
//! Standard error and interval are of **the noise alone**. The interval holds the figure that the same people would give without noise
//! in 95 of 100 answers; it says nothing of which people were asked, nor of those who are no members. It is rounded outwards to the
//! figure's integers, and not cut off where a figure cannot be (a count of −2 to 6 people is an honest one).

use serde::{Deserialize, Serialize};

use crate::query::{AgeRange, Answer, Ask, Code, Cohort, Figure, Of, Outcome, Query, Sex};
use crate::units::pool_unit;

/// Standard errors on either side of a figure that make a 95% interval, in thousandths.
const Z_MILLI: u128 = 1_960;
/// The unit of counts.
const PEOPLE: &str = "people";

/// A figure that says what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// What it is of, from the query.
    pub label: String,
    /// The unit of the numbers here; UCUM where the code has a declared one.
    pub unit: String,
    /// The figure.
    pub value: f64,
    /// Its standard error by the noise.
    pub standard_error: f64,
    /// Lower and upper end of its 95% interval by the noise.
    pub interval_95: [f64; 2],
}

impl Figure {
    /// The ends of the 95% interval by the noise, in the figure's own integers.
    #[must_use]
    pub fn interval_95(&self) -> (i128, i128) {
        let half = (u128::from(self.sigma_milli) * Z_MILLI).div_ceil(1_000_000).cast_signed();
        (i128::from(self.value) - half, i128::from(self.value) + half)
    }

    fn read(&self, (label, unit): (String, String)) -> Reading {
        let scale = f64::from(self.scale);
        let (low, high) = self.interval_95();
        Reading {
            label,
            unit,
            value: self.value as f64 / scale,
            standard_error: self.sigma_milli as f64 / 1_000.0 / scale,
            interval_95: [low as f64 / scale, high as f64 / scale],
        }
    }
}

impl Answer {
    /// The figures of an answer to `query`, in order; none where the answer is withheld.
    #[must_use]
    pub fn readings(&self, query: &Query) -> Vec<Reading> {
        let Outcome::Released { figures } = &self.outcome else { return Vec::new() };
        figures.iter().zip(labels(query)).map(|(figure, said)| figure.read(said)).collect()
    }

    /// Of how many people a record was left out.
    #[must_use]
    pub fn left_out_reading(&self) -> Reading {
        self.left_out.read(("members of whom a record was left out".to_owned(), PEOPLE.to_owned()))
    }
}

/// A line: `mean of http://loinc.org|4548-4, members: 5.73 %, standard error 1.1, 95% interval 3.57 to 7.89 (of the noise)`.
impl core::fmt::Display for Reading {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { label, unit, value, standard_error, interval_95: [low, high] } = self;
        write!(
            f,
            "{label}: {value} {unit}, standard error {standard_error:.3}, 95% interval {low} to {high} (of the noise)"
        )
    }
}

/// What a query asks for, in words for whoever was asked; `name` says what a code means.
pub fn question(query: &Query, name: impl Fn(&Code) -> String) -> String {
    let members = members(&query.cohort, &name);
    let of = |of: &Of| match of {
        Of::Age {} => "age".to_owned(),
        Of::Observation(code) => name(code),
    };
    match &query.ask {
        Ask::Count {} => format!("the number of {members}"),
        Ask::Mean { of: measured, .. } => format!("a mean of {} among {members}", of(measured)),
        Ask::Histogram { of: measured, edges, .. } => {
            format!("how many {members} have which {}, in {} steps", of(measured), edges.len().saturating_sub(1))
        }
    }
}

/// Label and unit of each figure, in the order of the table in [`query`](crate::query).
fn labels(query: &Query) -> Vec<(String, String)> {
    let members = members(&query.cohort, &Code::to_string);
    let people = |label: String| (label, PEOPLE.to_owned());
    match &query.ask {
        Ask::Count {} => vec![people(members)],
        Ask::Mean { of, .. } => {
            let (name, unit) = named(of);
            vec![(format!("mean of {name}, {members}"), unit), people(format!("{members}, with a value of {name}"))]
        }
        Ask::Histogram { of, edges, .. } => {
            let (name, unit) = named(of);
            bins(edges).into_iter().map(|bin| people(format!("{members}, {name} {bin} ({unit})"))).collect()
        }
    }
}

/// What is measured, and in which unit.
fn named(of: &Of) -> (String, String) {
    match of {
        Of::Age {} => ("age".to_owned(), "years".to_owned()),
        Of::Observation(code) => {
            let unit = pool_unit(&code.system, &code.code).unwrap_or("in the unit of the records");
            (code.to_string(), unit.to_owned())
        }
    }
}

/// Each bin in words; values beyond the outer edges count in the outer bins.
fn bins(edges: &[i64]) -> Vec<String> {
    let last = edges.len().saturating_sub(2);
    let bin = |(index, pair): (usize, &[i64])| match (index == 0, index == last) {
        (true, true) => "of any value".to_owned(),
        (true, false) => format!("below {}", decimal(pair[1])),
        (false, true) => format!("from {}", decimal(pair[0])),
        (false, false) => format!("from {} to below {}", decimal(pair[0]), decimal(pair[1])),
    };
    edges.windows(2).enumerate().map(bin).collect()
}

/// Thousandths as a decimal number.
fn decimal(milli: i64) -> String {
    (milli as f64 / 1_000.0).to_string()
}

/// The cohort in words.
fn members(cohort: &Cohort, name: &impl Fn(&Code) -> String) -> String {
    let sex = cohort.sex.map(|sex| match sex {
        Sex::Female => "female".to_owned(),
        Sex::Male => "male".to_owned(),
        Sex::Other => "of other sex".to_owned(),
        Sex::Unknown => "of unknown sex".to_owned(),
    });
    let age = cohort.age.map(|AgeRange { from, to }| format!("aged {from} to {to}"));
    let condition = cohort.condition.as_ref().map(|code| format!("with condition {}", name(code)));
    let observation = cohort.observation.as_ref().map(|code| format!("with observation {}", name(code)));
    let filters: Vec<String> = [sex, age, condition, observation].into_iter().flatten().collect();
    if filters.is_empty() { "members".to_owned() } else { format!("members {}", filters.join(", ")) }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;

    fn answer(figures: Vec<Figure>) -> Answer {
        let left_out = Figure { value: -3, scale: 1, sigma_milli: 22_361 };
        let outcome = Outcome::Released { figures };
        Answer { version: 1, query: B256::ZERO, snapshot: B256::ZERO, rho: 1, gate_rho: 1, left_out, outcome }
    }

    fn query(cohort: &str, ask: &str) -> Query {
        Query::parse(format!(r#"{{"version":1,"dataset":1,"cohort":{cohort},"ask":{ask},"rho":5000}}"#).as_bytes())
            .unwrap()
    }

    #[test]
    fn every_figure_has_label_unit_error_and_interval() {
        let of = r#"{"observation":{"system":"http://loinc.org","code":"4548-4"}}"#;
        let mean = query(
            r#"{"sex":"female","age":{"from":40,"to":69}}"#,
            &format!(r#"{{"kind":"mean","of":{of},"rows":4,"lower":3000,"upper":20000}}"#),
        );
        let figures = vec![
            Figure { value: 5_730, scale: 1_000, sigma_milli: 1_100_000 },
            Figure { value: 24, scale: 1, sigma_milli: 2_000 },
        ];
        let said = answer(figures).readings(&mean);
        assert_eq!(
            said[0],
            Reading {
                label: "mean of http://loinc.org|4548-4, members female, aged 40 to 69".to_owned(),
                unit: "%".to_owned(),
                value: 5.73,
                standard_error: 1.1,
                interval_95: [3.574, 7.886],
            }
        );
        assert_eq!((said[1].unit.as_str(), said[1].interval_95), ("people", [20.0, 28.0]));
        assert_eq!(
            said[1].to_string(),
            "members female, aged 40 to 69, with a value of http://loinc.org|4548-4: 24 people, standard error 2.000, \
             95% interval 20 to 28 (of the noise)"
        );
        assert_eq!(answer(Vec::new()).left_out_reading().interval_95, [-47.0, 41.0]);
    }

    #[test]
    fn what_was_asked_is_said_to_whom_it_was_asked_of() {
        let name =
            |code: &Code| if code.code == "8480-6" { "Systolic blood pressure".to_owned() } else { code.to_string() };
        let pressure = r#"{"observation":{"system":"http://loinc.org","code":"8480-6"}}"#;
        let mean = query(
            r#"{"condition":{"system":"http://snomed.info/sct","code":"44054006"},"sex":"female"}"#,
            &format!(r#"{{"kind":"mean","of":{pressure},"rows":4,"lower":3000,"upper":20000}}"#),
        );
        assert_eq!(
            question(&mean, name),
            "a mean of Systolic blood pressure among members female, with condition http://snomed.info/sct|44054006"
        );
        assert_eq!(question(&query("{}", r#"{"kind":"count"}"#), name), "the number of members");
        let ages = query("{}", r#"{"kind":"histogram","of":{"age":{}},"rows":1,"edges":[0,18000,65500,150000]}"#);
        assert_eq!(question(&ages, name), "how many members have which age, in 3 steps");
    }

    #[test]
    fn bins_and_units_are_said_in_words() {
        let ages = query("{}", r#"{"kind":"histogram","of":{"age":{}},"rows":1,"edges":[0,18000,65500,150000]}"#);
        let bin = Figure { value: 4, scale: 1, sigma_milli: 845 };
        let said: Vec<String> = answer(vec![bin; 3]).readings(&ages).into_iter().map(|said| said.label).collect();
        assert_eq!(
            said,
            [
                "members, age below 18 (years)",
                "members, age from 18 to below 65.5 (years)",
                "members, age from 65.5 (years)"
            ]
        );
        let one = query("{}", r#"{"kind":"histogram","of":{"age":{}},"rows":1,"edges":[0,18000]}"#);
        assert_eq!(answer(vec![bin]).readings(&one)[0].label, "members, age of any value (years)");
        let other = Of::Observation(crate::query::Code { system: "urn:x".to_owned(), code: "1".to_owned() });
        assert_eq!(named(&other).1, "in the unit of the records");
        let withheld = Answer {
            outcome: Outcome::Withheld { reason: crate::query::Withheld::CohortTooSmall },
            ..answer(Vec::new())
        };
        assert_eq!(withheld.readings(&one), Vec::new());
    }
}
