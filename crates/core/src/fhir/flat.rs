//! A record as integers and codes, for the query engine.

use super::date::{Date, day_of};
use super::record::Record;
use super::resource::{Kind, Subject};
use super::view::{Event, Observation, Patient, Sex};

/// One patient without names, notes or ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flat {
    /// Administrative sex.
    pub sex: Sex,
    /// Year of birth.
    pub birth_year: Option<i32>,
    /// Month of birth, 1 to 12.
    pub birth_month: Option<u8>,
    /// Whether the patient is stated dead at `now`.
    pub deceased: bool,
    /// Conditions, medications, encounters, immunizations, procedures and allergies: one row a coding.
    pub codes: Vec<FlatCode>,
    /// Observations with a number: one row a coding.
    pub observations: Vec<FlatObservation>,
}

/// What a code stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlatKind {
    /// A problem or diagnosis; the day is its onset.
    Condition,
    /// A medication ordered, taken or given.
    Medication,
    /// A visit or stay.
    Encounter,
    /// A vaccination.
    Immunization,
    /// A procedure.
    Procedure,
    /// An allergy or intolerance.
    Allergy,
}

/// One code of an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlatCode {
    /// What the code stands for.
    pub kind: FlatKind,
    /// URL of the code system, empty where none was written.
    pub system: String,
    /// The code within its system.
    pub code: String,
    /// Day of onset, order or occurrence in days since 1970-01-01; `None` where undated.
    pub day: Option<i32>,
}

/// One measured value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlatObservation {
    /// URL of the code system, empty where none was written.
    pub system: String,
    /// The code within its system.
    pub code: String,
    /// The unit as coded (UCUM in good records), or printed; may be empty.
    pub unit: String,
    /// The value in thousandths of the unit.
    pub value_milli: i64,
    /// Day in days since 1970-01-01; `None` where undated.
    pub day: Option<i32>,
}

impl Flat {
    /// The conditions: system, code, day of onset.
    pub fn conditions(&self) -> impl Iterator<Item = &FlatCode> {
        self.codes.iter().filter(|code| code.kind == FlatKind::Condition)
    }
}

/// Flattens a record. Left out: what is about somebody else or nobody, what the record says did not happen, values
/// that are only bounds or do not fit, and what lies after `now` (unix seconds, with a day's slack for zones).
#[must_use]
pub fn flatten(record: &Record, now: i64) -> Flat {
    let patient = Patient::of(record.patient());
    let last_day = day_of(now).saturating_add(1);
    let known = |date: &Date| date.day() <= last_day;
    let mut flat = Flat {
        sex: patient.sex,
        birth_year: patient.birth.filter(known).map(Date::year),
        birth_month: patient.birth.filter(known).and_then(Date::month),
        deceased: patient.deceased && patient.death.is_none_or(|d| known(&d)),
        codes: Vec::new(),
        observations: Vec::new(),
    };
    for (index, resource) in record.resources().enumerate() {
        let measured = resource.kind() == Kind::Observation;
        let Some(kind) = kind_of(resource.kind()).map(Some).or(measured.then_some(None)) else { continue };
        let event = record.event(index);
        let ahead = event.start.is_some_and(|d| !known(&d));
        if resource.subject() != Subject::Patient || !event.counts || event.planned || ahead {
            continue;
        }
        let day = event.start.map(Date::day);
        match kind {
            Some(kind) => push_codes(&mut flat.codes, kind, &event, day),
            None => Observation::all(resource).iter().for_each(|part| push_values(&mut flat.observations, part, day)),
        }
    }
    flat
}

fn kind_of(kind: Kind) -> Option<FlatKind> {
    match kind {
        Kind::Condition => Some(FlatKind::Condition),
        Kind::MedicationRequest | Kind::MedicationStatement | Kind::MedicationAdministration => {
            Some(FlatKind::Medication)
        }
        Kind::Encounter => Some(FlatKind::Encounter),
        Kind::Immunization => Some(FlatKind::Immunization),
        Kind::Procedure => Some(FlatKind::Procedure),
        Kind::AllergyIntolerance => Some(FlatKind::Allergy),
        _ => None,
    }
}

fn push_codes(rows: &mut Vec<FlatCode>, kind: FlatKind, event: &Event<'_>, day: Option<i32>) {
    let from = rows.len();
    for coding in &event.codes {
        let row = FlatCode { kind, system: coding.system.to_owned(), code: coding.code.to_owned(), day };
        // The same coding twice in one concept is one fact.
        if !rows[from..].contains(&row) {
            rows.push(row);
        }
    }
}

fn push_values(rows: &mut Vec<FlatObservation>, part: &Observation<'_>, day: Option<i32>) {
    let Some(quantity) = part.quantity.filter(|q| !q.bound_only) else { return };
    let Some(value_milli) = quantity.milli else { return };
    let from = rows.len();
    for coding in &part.codes {
        let row = FlatObservation {
            system: coding.system.to_owned(),
            code: coding.code.to_owned(),
            unit: quantity.unit.to_owned(),
            value_milli,
            day,
        };
        if !rows[from..].contains(&row) {
            rows.push(row);
        }
    }
}
