//! Defects: one function per kind, each breaking a good record in one known way.
//!
//! A score is tested by what it takes away. [`inject`] breaks every n-th place where a defect fits and says how many it broke.

use crate::synth::{date_of, instant_of};
use rochdale_core::score::Category;
use serde_json::{Value, json};

/// A kind of defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Defect {
    /// A second patient.
    SecondPatient,
    /// No patient.
    NoPatient,
    /// Observations about somebody who is not in the record.
    DanglingSubject,
    /// Observations dated after `now`.
    FutureDate,
    /// Observations without a code.
    DropCode,
    /// Observations without a date.
    DropDate,
    /// Observations without a value.
    DropValue,
    /// LOINC numbers with a wrong check digit.
    LoincDigit,
    /// SNOMED CT identifiers with two digits swapped.
    SnomedDigit,
    /// Statuses that FHIR does not know.
    BadStatus,
    /// Dates as people write them.
    DateFormat,
    /// Units as printed text without a code.
    PrintedUnit,
    /// Encounters that are not in the record.
    DanglingReference,
    /// A UCUM unit of something else.
    WrongUnit,
    /// Observations before birth.
    BeforeBirth,
    /// Encounters after death; the patient dies first.
    AfterDeath,
    /// Encounters that end before they start.
    EndBeforeStart,
    /// A diagnosis of the other sex.
    WrongSex,
    /// Values that no body has.
    ImpossibleValue,
}

impl Defect {
    /// All kinds.
    pub const ALL: [Self; 19] = [
        Self::SecondPatient,
        Self::NoPatient,
        Self::DanglingSubject,
        Self::FutureDate,
        Self::DropCode,
        Self::DropDate,
        Self::DropValue,
        Self::LoincDigit,
        Self::SnomedDigit,
        Self::BadStatus,
        Self::DateFormat,
        Self::PrintedUnit,
        Self::DanglingReference,
        Self::WrongUnit,
        Self::BeforeBirth,
        Self::AfterDeath,
        Self::EndBeforeStart,
        Self::WrongSex,
        Self::ImpossibleValue,
    ];

    /// The check that must notice it, and the part of quality that it lowers; `None`: a gate, quality 0.
    #[must_use]
    pub fn caught_by(self) -> (&'static str, Option<Category>) {
        match self {
            Self::SecondPatient | Self::NoPatient => ("one-patient", None),
            Self::DanglingSubject => ("subject", None),
            Self::FutureDate => ("future", None),
            Self::DropCode | Self::DropDate | Self::DropValue => ("present", Some(Category::Availability)),
            Self::LoincDigit => ("loinc", Some(Category::Conformity)),
            Self::SnomedDigit => ("snomed", Some(Category::Conformity)),
            Self::BadStatus => ("binding", Some(Category::Conformity)),
            Self::DateFormat => ("date", Some(Category::Conformity)),
            Self::PrintedUnit => ("unit", Some(Category::Conformity)),
            Self::DanglingReference => ("reference", Some(Category::Accuracy)),
            Self::WrongUnit => ("unit-fits", Some(Category::Accuracy)),
            Self::BeforeBirth => ("after-birth", Some(Category::Plausibility)),
            Self::AfterDeath => ("before-death", Some(Category::Plausibility)),
            Self::EndBeforeStart => ("start-end", Some(Category::Plausibility)),
            Self::WrongSex => ("sex", Some(Category::Plausibility)),
            Self::ImpossibleValue => ("range", Some(Category::Plausibility)),
        }
    }
}

/// Breaks every `every`-th place of a bundle where the defect fits, from the first; returns how many were broken.
///
/// `now` is the unix second that the record was made before.
pub fn inject(bundle: &mut Value, defect: Defect, every: usize, now: i64) -> usize {
    match defect {
        Defect::SecondPatient => second_patient(bundle),
        Defect::NoPatient => no_patient(bundle),
        Defect::DanglingSubject => dangling_subject(bundle, every),
        Defect::FutureDate => future_date(bundle, every, now),
        Defect::DropCode => drop_field(bundle, "code", every),
        Defect::DropDate => drop_field(bundle, "effectiveDateTime", every),
        Defect::DropValue => drop_field(bundle, "valueQuantity", every),
        Defect::LoincDigit => loinc_digit(bundle, every),
        Defect::SnomedDigit => snomed_digit(bundle, every),
        Defect::BadStatus => bad_status(bundle, every),
        Defect::DateFormat => date_format(bundle, every),
        Defect::PrintedUnit => printed_unit(bundle, every),
        Defect::DanglingReference => dangling_reference(bundle, every),
        Defect::WrongUnit => wrong_unit(bundle, every),
        Defect::BeforeBirth => before_birth(bundle, every),
        Defect::AfterDeath => after_death(bundle, every, now),
        Defect::EndBeforeStart => end_before_start(bundle, every),
        Defect::WrongSex => wrong_sex(bundle),
        Defect::ImpossibleValue => impossible_value(bundle, every),
    }
}

/// Changes every n-th resource of a type for which `change` finds its place.
fn each(bundle: &mut Value, kind: &str, every: usize, mut change: impl FnMut(&mut Value) -> Option<()>) -> usize {
    let (mut seen, mut changed) = (0, 0);
    let entries = bundle.get_mut("entry").and_then(Value::as_array_mut).into_iter().flatten();
    for resource in entries.filter_map(|entry| entry.get_mut("resource")).filter(|r| r["resourceType"] == kind) {
        let mut broken = resource.clone();
        if change(&mut broken).is_some() {
            if seen % every.max(1) == 0 {
                *resource = broken;
                changed += 1;
            }
            seen += 1;
        }
    }
    changed
}

fn set(value: &mut Value, field: &str, to: Value) -> Option<()> {
    value.get_mut(field).map(|place| *place = to)
}

fn second_patient(bundle: &mut Value) -> usize {
    let Some(entries) = bundle.get_mut("entry").and_then(Value::as_array_mut) else { return 0 };
    entries.push(json!({ "fullUrl": "urn:uuid:second", "resource": { "resourceType": "Patient", "id": "second", "gender": "unknown" } }));
    1
}

fn no_patient(bundle: &mut Value) -> usize {
    let Some(entries) = bundle.get_mut("entry").and_then(Value::as_array_mut) else { return 0 };
    let before = entries.len();
    entries.retain(|entry| entry["resource"]["resourceType"] != "Patient");
    before - entries.len()
}

fn dangling_subject(bundle: &mut Value, every: usize) -> usize {
    each(bundle, "Observation", every, |o| set(o.get_mut("subject")?, "reference", json!("Patient/nobody")))
}

fn future_date(bundle: &mut Value, every: usize, now: i64) -> usize {
    each(bundle, "Observation", every, |o| set(o, "effectiveDateTime", json!(instant_of(now + 30 * 86_400))))
}

fn drop_field(bundle: &mut Value, field: &str, every: usize) -> usize {
    each(bundle, "Observation", every, |o| o.as_object_mut()?.remove(field).map(|_| ()))
}

fn loinc_digit(bundle: &mut Value, every: usize) -> usize {
    each(bundle, "Observation", every, |o| {
        let code = o.pointer_mut("/code/coding/0/code")?;
        let text = code.as_str()?;
        let (number, check) = text.split_once('-')?;
        *code = json!(format!("{number}-{}", (check.parse::<u8>().ok()? + 1) % 10));
        Some(())
    })
}

fn snomed_digit(bundle: &mut Value, every: usize) -> usize {
    each(bundle, "Encounter", every, |encounter| {
        let code = encounter.pointer_mut("/type/0/coding/0/code")?;
        let mut digits: Vec<char> = code.as_str()?.chars().collect();
        let place = (1..digits.len().saturating_sub(1)).find(|i| digits[*i] != digits[i + 1])?;
        digits.swap(place, place + 1);
        *code = json!(digits.into_iter().collect::<String>());
        Some(())
    })
}

fn bad_status(bundle: &mut Value, every: usize) -> usize {
    each(bundle, "Observation", every, |o| set(o, "status", json!("done")))
}

fn date_format(bundle: &mut Value, every: usize) -> usize {
    each(bundle, "Observation", every, |o| set(o, "effectiveDateTime", json!("17.5.2019")))
}

fn printed_unit(bundle: &mut Value, every: usize) -> usize {
    each(bundle, "Observation", every, |o| {
        let quantity = o.get_mut("valueQuantity")?.as_object_mut()?;
        quantity.remove("system");
        quantity.remove("code").map(|_| ())
    })
}

fn dangling_reference(bundle: &mut Value, every: usize) -> usize {
    each(bundle, "Observation", every, |o| {
        set(o.get_mut("encounter")?, "reference", json!("urn:uuid:00000000-0000-4000-8000-000000000000"))
    })
}

fn wrong_unit(bundle: &mut Value, every: usize) -> usize {
    each(bundle, "Observation", every, |o| {
        let quantity = o.get_mut("valueQuantity")?;
        set(quantity, "unit", json!("mol/h"))?;
        set(quantity, "code", json!("mol/h"))
    })
}

fn before_birth(bundle: &mut Value, every: usize) -> usize {
    each(bundle, "Observation", every, |o| set(o, "effectiveDateTime", json!("1871-03-01")))
}

fn after_death(bundle: &mut Value, every: usize, now: i64) -> usize {
    let death = now - 400 * 86_400;
    each(bundle, "Patient", 1, |patient| {
        patient["deceasedDateTime"] = json!(date_of(death));
        Some(())
    });
    let late = json!({ "start": date_of(now - 100 * 86_400), "end": date_of(now - 100 * 86_400) });
    each(bundle, "Encounter", every, |encounter| set(encounter, "period", late.clone()))
}

fn end_before_start(bundle: &mut Value, every: usize) -> usize {
    each(bundle, "Encounter", every, |encounter| set(encounter.get_mut("period")?, "end", json!("1931-01-01")))
}

fn wrong_sex(bundle: &mut Value) -> usize {
    let mut code = "72892002";
    each(bundle, "Patient", 1, |patient| {
        if patient["gender"] == "female" {
            code = "399068003";
        }
        Some(())
    });
    each(bundle, "Encounter", 1, |encounter| set(encounter.pointer_mut("/type/0/coding/0")?, "code", json!(code)))
}

fn impossible_value(bundle: &mut Value, every: usize) -> usize {
    each(bundle, "Observation", every, |o| set(o.get_mut("valueQuantity")?, "value", json!(9_999_999)))
}
