//! Does it count? A record earns by facts about its patient that a question can count, each once.

use super::rubric::{Range, Rubric};
use crate::fhir::{
    Coding, Date, Event, Kind, LOINC, Observation, Patient, Record, Resource, Subject, codings, is_known, is_present,
};
use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// What becomes of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The patient themselves, or papers around facts: checked, and no fact.
    Around,
    /// A fact that nobody counted before.
    Fact,
    /// It should be a fact and cannot be counted.
    Lost(Loss),
    /// No part of the patient's data, or the record says that it did not happen: neither checked nor counted.
    Aside,
}

/// Why a resource cannot be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Loss {
    Nobody,
    Words,
    Uncoded,
    Unmeasured,
    BeforeBirth,
    AfterDeath,
    Impossible,
}

impl Loss {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Nobody => "says not whom it is about; name the patient in its subject",
            Self::Words => {
                "names whom it is about in words alone; a reference or an identifier of the patient is needed, or anybody's facts would count"
            }
            Self::Uncoded => "has no code, so that no question can count it",
            Self::Unmeasured => "has no result: nothing was measured, or it was left out",
            Self::BeforeBirth => "is dated before the patient's birth",
            Self::AfterDeath => "is dated after the patient's death",
            Self::Impossible => "has a value that no body has",
        }
    }

    /// The element that is to blame.
    pub(super) fn element(self) -> &'static str {
        match self {
            Self::Nobody | Self::Words => "subject",
            Self::Uncoded => "code",
            Self::Unmeasured | Self::Impossible => "value",
            Self::BeforeBirth | Self::AfterDeath => "date",
        }
    }
}

/// The standing of every resource, in their order.
pub(super) fn standings(rubric: &Rubric, record: &Record) -> Vec<Standing> {
    let mut seen = Seen { rubric, patient: Patient::of(record.patient()), facts: HashSet::new() };
    let mut standings: Vec<Standing> = record
        .resources()
        .enumerate()
        .map(|(index, resource)| seen.standing(resource, &record.event(index), index == record.patient_index()))
        .collect();
    // Papers count as far as there are facts, or what should be some: a thousand copies of one report are not a thousand.
    let mut room = standings.iter().filter(|standing| matches!(standing, Standing::Fact | Standing::Lost(_))).count();
    for (standing, resource) in standings.iter_mut().zip(record.resources()) {
        if *standing == Standing::Around && resource.kind() != Kind::Patient {
            match room.checked_sub(1) {
                Some(left) => room = left,
                None => *standing = Standing::Aside,
            }
        }
    }
    standings
}

/// Whether facts are what this kind holds.
pub(super) fn holds_facts(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Condition
            | Kind::Observation
            | Kind::MedicationRequest
            | Kind::MedicationStatement
            | Kind::MedicationAdministration
            | Kind::Encounter
            | Kind::Immunization
            | Kind::Procedure
            | Kind::AllergyIntolerance
    )
}

struct Seen<'a> {
    rubric: &'a Rubric,
    patient: Patient,
    facts: HashSet<u64>,
}

impl Seen<'_> {
    fn standing(&mut self, resource: Resource<'_>, event: &Event<'_>, is_patient: bool) -> Standing {
        if resource.kind() == Kind::Patient {
            return if is_patient { Standing::Around } else { Standing::Aside };
        }
        if !event.counts || event.planned {
            return Standing::Aside;
        }
        if !holds_facts(resource.kind()) {
            let is_theirs = matches!(resource.subject(), Subject::Patient | Subject::None);
            return if is_theirs { Standing::Around } else { Standing::Aside };
        }
        let loss = match resource.subject() {
            Subject::Other => return Standing::Aside,
            Subject::None => Some(Loss::Nobody),
            Subject::Nameless(_) | Subject::Unresolved(_) => Some(Loss::Words),
            Subject::Patient => None,
        };
        let parts = if resource.kind() == Kind::Observation { Observation::all(resource) } else { Vec::new() };
        if is_panel(resource, &parts) {
            return Standing::Around;
        }
        match loss.or_else(|| self.unmeasured(resource, event, &parts)).or_else(|| self.untrue(event, &parts)) {
            Some(loss) => Standing::Lost(loss),
            None if self.facts.insert(print(resource.kind(), event, &parts)) => Standing::Fact,
            None => Standing::Aside,
        }
    }

    fn unmeasured(&self, resource: Resource<'_>, event: &Event<'_>, parts: &[Observation<'_>]) -> Option<Loss> {
        if resource.kind() != Kind::Observation {
            return event.codes.is_empty().then_some(Loss::Uncoded);
        }
        let mut measured = parts.iter().filter(|part| part.result.is_some()).peekable();
        if measured.peek().is_none() {
            return Some(Loss::Unmeasured);
        }
        measured.all(|part| part.codes.is_empty()).then_some(Loss::Uncoded)
    }

    fn untrue(&self, event: &Event<'_>, parts: &[Observation<'_>]) -> Option<Loss> {
        let (rubric, start) = (self.rubric, event.start);
        let before = |start: Date, birth: Date| start.last.saturating_add(rubric.date_slack_seconds) < birth.first;
        let after =
            |start: Date, death: Date| start.first > death.last.saturating_add(rubric.after_death_slack_seconds);
        if start.zip(self.patient.birth).is_some_and(|(start, birth)| before(start, birth)) {
            return Some(Loss::BeforeBirth);
        }
        if start.zip(self.patient.death).is_some_and(|(start, death)| after(start, death)) {
            return Some(Loss::AfterDeath);
        }
        let mut judged = parts.iter().filter_map(|part| is_possible(rubric, part)).peekable();
        (judged.peek().is_some() && judged.all(|(_, possible)| !possible)).then_some(Loss::Impossible)
    }
}

/// Whether a measured amount is one that a body can have; `None` where the rubric does not know.
pub(super) fn is_possible<'r>(rubric: &'r Rubric, part: &Observation<'_>) -> Option<(&'r Range, bool)> {
    let quantity = part.quantity?;
    let loinc = part.codes.iter().filter(|coding| coding.system == LOINC);
    let range = loinc.filter_map(|coding| rubric.ranges.get(coding.code)).next()?;
    let (limits, factor) = range.limits(quantity.unit)?;
    Some((range, quantity.milli.is_some_and(|milli| factor.puts_between(milli, limits))))
}

/// Whether an Observation only groups others.
fn is_panel(resource: Resource<'_>, parts: &[Observation<'_>]) -> bool {
    is_present(resource.value().get("hasMember")) && !parts.iter().any(|part| part.result.is_some())
}

/// What makes two facts one, as far as a question can tell: kind, codes, day and results, however they are written. Who changes a day or
/// a value makes another fact. Hashed: a forged collision costs its own record a fact.
fn print(kind: Kind, event: &Event<'_>, parts: &[Observation<'_>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (kind, event.start.map(Date::day), known(&event.codes)).hash(&mut hasher);
    let mut results: Vec<_> = parts.iter().filter(|part| part.result.is_some()).map(result_of).collect();
    results.sort_unstable();
    results.hash(&mut hasher);
    hasher.finish()
}

/// The codes that compare, in an order of ours: those of known systems, or all where there is none.
fn known<'a>(codes: &[Coding<'a>]) -> BTreeSet<(&'a str, &'a str)> {
    let pair = |coding: &Coding<'a>| (coding.system, coding.code);
    let known: BTreeSet<_> = codes.iter().filter(|coding| is_known(coding.system)).map(pair).collect();
    if known.is_empty() { codes.iter().map(pair).collect() } else { known }
}

/// What was measured, and what came out: an amount, codes, or else everything that is written.
fn result_of(part: &Observation<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    known(&part.codes).hash(&mut hasher);
    match (part.quantity, part.result) {
        (Some(quantity), _) => (quantity.milli, quantity.unit).hash(&mut hasher),
        (None, Some(result)) => match &codings(Some(result))[..] {
            [] => result.hash_into(&mut hasher),
            codes => known(codes).hash(&mut hasher),
        },
        (None, None) => {}
    }
    hasher.finish()
}
