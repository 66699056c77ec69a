//! The rubric: weights, tables and limits, as a versioned file that is named by its hash.

use super::category::Category;
use crate::fhir::{Factor, conversion};
use alloy_primitives::{B256, keccak256};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The current rubric.
const FILE: &str = include_str!("rubric-2.json");

static CURRENT: LazyLock<(Rubric, B256)> = LazyLock::new(|| {
    // The file is part of the binary, and a test reads it: it cannot fail on a user's machine.
    Rubric::parse(FILE).expect("the embedded rubric is valid")
});

/// The hash that a signed score names: keccak of the RFC 8785 form of the rubric file.
#[must_use]
pub fn rubric_hash() -> B256 {
    CURRENT.1
}

/// The rules of quality.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rubric {
    /// The name of the rubric.
    pub rubric: String,
    /// The version of the rubric.
    pub version: u16,
    /// What it is, for people.
    pub about: String,
    /// The weight of each part, in bps of the whole.
    pub weights: Weights,
    /// z of the Wilson bound in thousandths.
    pub wilson_z_milli: u16,
    /// How far ahead of `now` a date may lie, in seconds: zones and clocks.
    pub future_slack_seconds: i64,
    /// How far two dates may contradict each other, in seconds.
    pub date_slack_seconds: i64,
    /// How long after death something may be dated, in seconds: papers follow.
    pub after_death_slack_seconds: i64,
    /// The oldest age that is believed, in years.
    pub oldest_years: i64,
    /// Authenticity of an upload, in bps.
    pub authenticity_upload: u16,
    /// Rarity of what no issuer signed, in bps.
    pub rarity_unsigned: u16,
    /// Elements that each resource type should have; `a|b` means either.
    pub availability: BTreeMap<String, Vec<String>>,
    /// Codes that an element may have, by resource type and element; `Type.element` in the file.
    #[serde(deserialize_with = "by_type")]
    pub bindings: Bindings,
    /// Units and possible values of measurements, by LOINC code.
    #[serde(deserialize_with = "by_code")]
    pub ranges: BTreeMap<String, Range>,
    /// Codes that fit one sex.
    pub sex_specific: Vec<SexSpecific>,
}

/// The weight of each part of quality, in bps; they sum to 10,000.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Whether the elements that research needs are there.
    pub availability: u16,
    /// Whether it is written as the standard says.
    pub conformity: u16,
    /// Whether it holds together.
    pub accuracy: u16,
    /// Whether it can be true.
    pub plausibility: u16,
}

impl Weights {
    /// The weight of a part.
    #[must_use]
    pub fn of(self, category: Category) -> u16 {
        match category {
            Category::Availability => self.availability,
            Category::Conformity => self.conformity,
            Category::Accuracy => self.accuracy,
            Category::Plausibility => self.plausibility,
        }
    }
}

/// What a measurement may be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Its LOINC code.
    pub code: String,
    /// Its name, for people.
    pub name: String,
    /// Lowest and highest possible value in thousandths, by UCUM unit.
    pub units: BTreeMap<String, [i64; 2]>,
}

impl Range {
    /// The possible amounts, and what makes an amount in this unit one in theirs; `None` where the unit measures something else.
    #[must_use]
    pub fn limits(&self, unit: &str) -> Option<([i64; 2], Factor)> {
        if let Some(limits) = self.units.get(unit) {
            return Some((*limits, Factor::default()));
        }
        self.units.iter().find_map(|(own, limits)| Some((*limits, conversion(unit, own)?)))
    }
}

/// Codes that fit one sex.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SexSpecific {
    /// `female` or `male`.
    pub sex: String,
    /// URL of the code system.
    pub system: String,
    /// The codes that it holds for.
    pub codes: BTreeSet<String>,
    /// What they are about, for people.
    pub what: String,
}

fn by_code<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Range>, D::Error> {
    let ranges = Vec::<Range>::deserialize(deserializer)?;
    Ok(ranges.into_iter().map(|range| (range.code.clone(), range)).collect())
}

type Bindings = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn by_type<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Bindings, D::Error> {
    let mut bindings = Bindings::new();
    for (path, codes) in BTreeMap::<String, BTreeSet<String>>::deserialize(deserializer)? {
        let (kind, element) =
            path.split_once('.').ok_or_else(|| serde::de::Error::custom("a binding is of Type.element"))?;
        bindings.entry(kind.to_owned()).or_default().insert(element.to_owned(), codes);
    }
    Ok(bindings)
}

impl Rubric {
    /// The rubric in force.
    #[must_use]
    pub fn current() -> &'static Self {
        &CURRENT.0
    }

    fn parse(text: &str) -> Result<(Self, B256), serde_json::Error> {
        let value: serde_json::Value = serde_json::from_str(text)?;
        let hash = keccak256(serde_jcs::to_vec(&value)?);
        Ok((serde_json::from_value(value)?, hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::{LOINC, SNOMED, loinc_is_valid, snomed_is_valid, unit_is_valid};

    #[test]
    fn the_embedded_rubric_is_sound() {
        let rubric = Rubric::current();
        assert_eq!(Category::ALL.map(|c| rubric.weights.of(c)).iter().sum::<u16>(), 10_000);
        assert_eq!((rubric.authenticity_upload, rubric.rarity_unsigned), (3_000, 10_000));
        for range in rubric.ranges.values() {
            assert!(loinc_is_valid(&range.code), "{}", range.code);
            for (unit, [low, high]) in &range.units {
                assert!(unit_is_valid(unit) && low < high, "{} in {unit}", range.code);
            }
        }
        for rule in &rubric.sex_specific {
            assert!(rule.sex == "female" || rule.sex == "male");
            for code in &rule.codes {
                let valid = match rule.system.as_str() {
                    SNOMED => snomed_is_valid(code),
                    LOINC => loinc_is_valid(code),
                    _ => true,
                };
                assert!(valid, "{code}");
            }
        }
    }

    #[test]
    fn the_hash_is_of_the_content_and_not_of_its_spelling() {
        let value: serde_json::Value = serde_json::from_str(FILE).expect("valid");
        let respelled = serde_json::to_string_pretty(&value).expect("writes");
        assert_eq!(Rubric::parse(&respelled).expect("valid").1, rubric_hash());
        assert_ne!(Rubric::parse(&FILE.replace("\"version\": 2", "\"version\": 3")).expect("valid").1, rubric_hash());
    }
}
