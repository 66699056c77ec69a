//! Is it written as the standard says? Types, dates, required codes, check digits, units.

use super::Checked;
use super::category::Category;
use super::rubric::Rubric;
use super::tally::{Failure, Tally};
use crate::fhir::{
    CVX, Coding, Date, ICD10CM, Json, Kind, LOINC, Observation, Precision, RXNORM, Resolution, Resolver, Resource,
    SNOMED, at, codings, fields, is_present, loinc_is_valid, snomed_is_valid, unit_is_valid,
};

pub(super) fn check(rubric: &Rubric, checked: &Checked<'_>, tally: &mut Tally) {
    for path in checked.record.repeated_fields() {
        let text = "an object names a field twice, of which FHIR allows one; the last was read".to_owned();
        let element = "Bundle.entry".to_owned();
        tally.check(Category::Conformity, "field-twice", Some(Failure { element, path, text }));
    }
    let resolver = checked.record.resolver();
    for (index, resource) in checked.resources() {
        tally.begin();
        form(resource, tally);
        subject(&resolver, index, resource, tally);
        if resource.kind() == Kind::Other {
            continue;
        }
        dates(resource, tally);
        bindings(rubric, resource, tally);
        codes(resource, tally);
        if resource.kind() == Kind::Observation {
            units(resource, tally);
        }
    }
}

/// Ids that are text, no element that says nothing, and a death that is told once.
fn form(resource: Resource<'_>, tally: &mut Tally) {
    if let Some(id) = resource.value().get("id").filter(|id| !id.is_null()) {
        let failure = || fail(resource, "id", "an id is text: write it in quotes");
        tally.check(Category::Conformity, "id", id.as_str().is_none().then(failure));
    }
    let is_hollow = |value: Json<'_>| (value.is_array() || value.is_object()) && !is_present(Some(value));
    for (name, _) in resource.value().fields().filter(|(name, value)| !name.starts_with('_') && is_hollow(*value)) {
        let failure = Failure {
            element: resource.type_name().to_owned(),
            path: format!("{}.{name}", resource.path()),
            text: "an element is there and says nothing; leave it out".to_owned(),
        };
        tally.check(Category::Conformity, "hollow", Some(failure));
    }
    let dead = |field: &str| resource.value().get(field).is_some_and(|value| !value.is_null());
    if resource.kind() == Kind::Patient && dead("deceasedBoolean") && dead("deceasedDateTime") {
        let failure = fail(resource, "deceasedBoolean", "stands beside deceasedDateTime, of which FHIR allows one");
        tally.check(Category::Conformity, "one-form", Some(failure));
    }
}

/// References to the patient that are not written as FHIR writes them.
fn subject(resolver: &Resolver<'_>, index: usize, resource: Resource<'_>, tally: &mut Tally) {
    for field in ["subject", "patient"] {
        let Some(value) = resource.value().get(field).filter(|value| !value.is_null()) else { continue };
        let url = value.get("reference").and_then(Json::as_str);
        let wrong = if value.as_str().is_some() {
            Some("a reference is an object: { \"reference\": \"Patient/…\" }")
        } else if url.is_some_and(|url| {
            resolver.resolve(index, url) == Resolution::Dangling && resolver.guess(index, url).is_some()
        }) {
            Some("not a reference as FHIR writes it (Patient/123, a full URL, or urn:uuid:…)")
        } else {
            None
        };
        tally.check(Category::Conformity, "reference-form", wrong.map(|text| fail(resource, field, text)));
    }
}

fn fail(resource: Resource<'_>, element: &str, text: &str) -> Failure {
    Failure {
        element: format!("{}.{element}", resource.type_name()),
        path: format!("{}.{element}", resource.path()),
        text: text.to_owned(),
    }
}

fn dates(resource: Resource<'_>, tally: &mut Tally) {
    let fields = fields(resource.kind());
    let own: &[&str] = if resource.kind() == Kind::Patient { &["birthDate", "deceasedDateTime"] } else { &[] };
    for path in own.iter().chain(fields.starts).chain(fields.ends).chain(fields.recorded) {
        let Some(value) = at(resource.value(), path).filter(|v| !v.is_null()) else { continue };
        let wrong = match value.as_str().and_then(Date::parse) {
            None => Some("not a date as FHIR writes it (2024, 2024-05, 2024-05-17 or 2024-05-17T10:30:00Z)"),
            Some(date) if *path == "birthDate" && date.precision == Precision::Time => {
                Some("a day of birth has no time of day: write 2024-05-17")
            }
            Some(date) if !date.zoned => {
                Some("a time without its zone means another hour elsewhere: write 2024-05-17T10:30:00Z")
            }
            Some(_) => None,
        };
        tally.check(Category::Conformity, "date", wrong.map(|text| fail(resource, path, text)));
    }
}

fn bindings(rubric: &Rubric, resource: Resource<'_>, tally: &mut Tally) {
    for (element, allowed) in rubric.bindings.get(resource.type_name()).into_iter().flatten() {
        let Some(value) = resource.value().get(element).filter(|v| !v.is_null()) else { continue };
        let good = match value.as_str() {
            Some(code) => allowed.contains(code),
            None => codings(Some(value)).iter().any(|coding| allowed.contains(coding.code)),
        };
        let failure = || fail(resource, element, "not one of the codes that FHIR requires here");
        tally.check(Category::Conformity, "binding", (!good).then(failure));
    }
}

fn codes(resource: Resource<'_>, tally: &mut Tally) {
    for element in fields(resource.kind()).codes {
        if let Some(value) = resource.value().get(element) {
            concept(resource, element, element, value, tally);
        }
    }
    if resource.kind() != Kind::Observation {
        return;
    }
    let components = resource.value().get("component").into_iter().flat_map(Json::items);
    for (index, component) in components.enumerate() {
        if let Some(value) = component.get("code") {
            concept(resource, "component.code", &format!("component[{index}].code"), value, tally);
        }
    }
}

/// `element` groups the reasons and is the same for all components; `path` says which.
fn concept(resource: Resource<'_>, element: &str, path: &str, value: Json<'_>, tally: &mut Tally) {
    let codings = codings(Some(value));
    let report = |text: &str| Failure {
        element: format!("{}.{element}", resource.type_name()),
        path: format!("{}.{path}", resource.path()),
        text: text.to_owned(),
    };
    if value.one_or_many().any(|concept| concept.get("coding").is_some_and(Json::is_object)) {
        tally.check(Category::Conformity, "coding-list", Some(report("coding must be a list, also of one: [{ … }]")));
    }
    let only_text = "written as text only; without a code it cannot be compared";
    tally.check(Category::Conformity, "coded", codings.is_empty().then(|| report(only_text)));
    for coding in codings {
        let (check, problem) = judge(coding);
        tally.check(Category::Conformity, check, problem.map(report));
    }
}

/// The check that a code's system calls for, and what is wrong.
fn judge(coding: Coding<'_>) -> (&'static str, Option<&'static str>) {
    let digits = |longest: usize| coding.code.len() <= longest && coding.code.bytes().all(|b| b.is_ascii_digit());
    let (check, good, problem) = match coding.system {
        LOINC => ("loinc", loinc_is_valid(coding.code), "not a LOINC number: its check digit is wrong"),
        SNOMED => ("snomed", snomed_is_valid(coding.code), "not a SNOMED CT identifier: its check digit is wrong"),
        RXNORM => ("rxnorm", digits(8), "not an RxNorm identifier: one to eight digits are expected"),
        CVX => ("cvx", digits(3), "not a CVX vaccine code: one to three digits are expected"),
        ICD10CM => {
            ("icd10cm", icd10cm_is_valid(coding.code), "not an ICD-10-CM code (a letter, a digit, then as E11.9)")
        }
        system => ("system", system.contains(':'), "a code without the URL of its code system means nothing to others"),
    };
    (check, (!good).then_some(problem))
}

/// `A12`, `A12.3456`, with the dot left out at times; ICD-10-CM Official Guidelines, section I.A.
fn icd10cm_is_valid(code: &str) -> bool {
    let bytes = code.as_bytes();
    let dotted = bytes.get(3) == Some(&b'.');
    let rest = bytes.get(if dotted { 4 } else { 3 }..).unwrap_or_default();
    bytes.len() >= 3
        && bytes[0].is_ascii_uppercase()
        && bytes[1].is_ascii_digit()
        && bytes[2].is_ascii_alphanumeric()
        && (if dotted { 1..=4 } else { 0..=4 }).contains(&rest.len())
        && rest.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

fn units(resource: Resource<'_>, tally: &mut Tally) {
    for part in Observation::all(resource) {
        if part.unreadable {
            let path = format!("{}.{}valueQuantity.value", resource.path(), prefix(part.component));
            let text = "the amount is no number; write it as one".to_owned();
            let failure = Failure { element: "Observation.valueQuantity".to_owned(), path, text };
            tally.check(Category::Conformity, "number", Some(failure));
        }
        let Some(quantity) = part.quantity else { continue };
        let good = quantity.coded && unit_is_valid(quantity.unit);
        let failure = || Failure {
            element: "Observation.valueQuantity".to_owned(),
            path: format!("{}.{}valueQuantity", resource.path(), prefix(part.component)),
            text: "an amount without a UCUM unit (system and code) cannot be compared".to_owned(),
        };
        tally.check(Category::Conformity, "unit", (!good).then(failure));
        if quantity.quoted {
            let text = "the amount is text in quotes; write it as a number".to_owned();
            tally.check(Category::Conformity, "number", Some(Failure { text, ..failure() }));
        }
    }
}

/// The path of a component before its element.
pub(super) fn prefix(component: Option<usize>) -> String {
    component.map(|index| format!("component[{index}].")).unwrap_or_default()
}
