//! What sets quality to 0, whatever else is good.

use super::facts::holds_facts;
use super::rubric::Rubric;
use super::tally::Reason;
use crate::fhir::{Date, Event, FhirError, Json, Kind, Record, Resource, Subject, at, fields, text};

/// The gates that a readable record fails; together they lose all 10,000 points.
pub(super) fn check(rubric: &Rubric, record: &Record, now: i64) -> Vec<Reason> {
    let latest = now.saturating_add(rubric.future_slack_seconds);
    let mut reasons = Vec::new();
    for resource in record.resources().filter(|resource| is_said_of_the_patient(*resource)) {
        if let Subject::Unresolved(field) = resource.subject() {
            add(&mut reasons, "subject", format!("{}.{field}", resource.path()), SUBJECT);
        }
        for (path, _) in dates(resource).into_iter().filter(|(_, date)| date.first > latest) {
            add(&mut reasons, "future", format!("{}.{path}", resource.path()), FUTURE);
        }
    }
    let share = 10_000 / u16::try_from(reasons.len().max(1)).unwrap_or(1);
    let count = reasons.len();
    for (index, reason) in reasons.iter_mut().enumerate() {
        reason.lost = if index == 0 { 10_000 - share * u16::try_from(count - 1).unwrap_or(0) } else { share };
    }
    reasons
}

/// Whether a false word in it makes the record false: it is the patient, or holds facts and does not say itself that they did not happen.
fn is_said_of_the_patient(resource: Resource<'_>) -> bool {
    let happened = |event: Event<'_>| event.counts && !event.planned;
    let holds_facts = holds_facts(resource.kind()) && resource.subject() != Subject::Other;
    resource.kind() == Kind::Patient || holds_facts && happened(Event::of(resource))
}

/// The gate of a record of which nothing can be counted: what was lost, as a whole.
pub(super) fn without_facts(reasons: Vec<Reason>) -> Vec<Reason> {
    let mut lost: Vec<Reason> = reasons.into_iter().filter(|reason| reason.check == "counts").collect();
    let paths = vec!["Bundle".to_owned()];
    let (element, text) = ("Bundle".to_owned(), NO_FACTS.to_owned());
    let count = u32::try_from(lost.len().max(1)).unwrap_or(u32::MAX);
    lost.iter_mut().for_each(|reason| reason.lost = 0);
    lost.insert(0, Reason { check: "facts", category: None, element, paths, count, lost: 10_000, text });
    lost
}

const NO_FACTS: &str = "nothing in the record can be counted: a fact is about the patient, has a code and, where it was measured, a result, \
    and the record does not say itself that it did not happen";
const SUBJECT: &str = "a resource is about somebody who is not in the record: its subject reference does not resolve to the patient; \
    export the patient together with the resource, or take it out";
const FUTURE: &str =
    "something is dated in the future, so the record cannot be true as it stands; correct the date or take it out";

/// The gate of an input that gave no record.
pub(super) fn unreadable(error: &FhirError) -> Reason {
    let check = match error {
        FhirError::NoPatient { .. } | FhirError::SeveralPatients { .. } => "one-patient",
        _ => "readable",
    };
    let text = error.to_string();
    Reason {
        check,
        category: None,
        element: "Bundle".to_owned(),
        paths: vec!["Bundle".to_owned()],
        count: 1,
        lost: 10_000,
        text,
    }
}

fn add(reasons: &mut Vec<Reason>, check: &'static str, path: String, text: &str) {
    if !reasons.iter().any(|reason| reason.check == check) {
        let (element, text) = ("Bundle.entry".to_owned(), text.to_owned());
        reasons.push(Reason { check, category: None, element, paths: Vec::new(), count: 0, lost: 0, text });
    }
    if let Some(reason) = reasons.iter_mut().find(|reason| reason.check == check) {
        reason.count = reason.count.saturating_add(1);
        if reason.paths.len() < Reason::PATHS {
            reason.paths.push(path);
        }
    }
}

/// When something is stated to have happened to the patient. Plans may lie ahead; so may ends and expiries, and the
/// stamps on papers (a note of a stay that is not over), which plausibility judges.
fn dates(resource: Resource<'_>) -> Vec<(&'static str, Date)> {
    let value = resource.value();
    let paths: &[&'static str] = match resource.kind() {
        Kind::Patient => &["birthDate", "deceasedDateTime"],
        kind => fields(kind).starts,
    };
    paths.iter().filter_map(|path| Some((*path, parse(at(value, path))?))).collect()
}

fn parse(value: Option<Json<'_>>) -> Option<Date> {
    text(value).and_then(Date::parse)
}
