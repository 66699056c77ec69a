//! What the lists of a bulk export's files say should be here.

use super::TYPES;
use crate::brief;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Types that hold nobody's facts, so that a record is whole without them.
const NOBODYS: [&str; 12] = [
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Location",
    "HealthcareService",
    "Endpoint",
    "Group",
    "Device",
    "Substance",
    "OperationOutcome",
    "Provenance",
    "Binary",
];

/// A list of files. One that lists a file without its type cannot be held against anything, and is not read.
#[derive(Deserialize)]
pub struct Listed {
    #[serde(default)]
    output: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    count: Option<u64>,
}

/// What all lists of an export say together.
#[derive(Default)]
pub struct Manifest {
    name: String,
    lists: usize,
    /// Resources by type, as far as their number is said.
    wanted: BTreeMap<String, Option<u64>>,
}

impl Manifest {
    pub fn add(&mut self, name: &str, listed: Listed) {
        self.lists += 1;
        if self.lists == 1 {
            name.clone_into(&mut self.name);
        }
        for Output { kind, count } in listed.output {
            if NOBODYS.contains(&kind.as_str()) || (self.wanted.len() >= TYPES && !self.wanted.contains_key(&kind)) {
                continue;
            }
            let sum = self.wanted.entry(kind).or_insert(Some(0));
            *sum = sum.zip(count).map(|(sum, count)| sum.saturating_add(count));
        }
    }

    /// What is listed and not here.
    pub fn misses(&self, counts: &BTreeMap<String, u64>) -> Option<String> {
        let more = match self.lists {
            0 | 1 => "lists".to_owned(),
            lists => format!("and {} more list", lists - 1),
        };
        self.wanted.iter().find_map(|(kind, wanted)| {
            let here = counts.get(kind).copied().unwrap_or(0);
            let short = wanted.map_or(here == 0, |wanted| here != wanted);
            let many = wanted.map_or_else(|| "a file of".to_owned(), |wanted| wanted.to_string());
            let kind = brief(kind);
            short.then(|| format!("{} {more} {many} {kind}, and {here} are here, so that no record is known to be whole; download the files of type {kind} again", self.name))
        })
    }
}
