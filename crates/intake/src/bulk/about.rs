//! Whom a resource that stands alone is about.

use rochdale_core::fhir::{Document, Json, Number};

/// Whose a resource is.
#[derive(Debug, PartialEq, Eq)]
pub enum About {
    /// The patient with this id.
    Patient(String),
    /// It is a Patient without an id, to whom nothing can refer.
    Nameless,
    /// Nobody's by itself, and a part of whatever refers to it: a Medication.
    Shared(String),
    /// It says so by an identifier, a search or a contained Patient, or names several.
    Unclear,
    /// It says so in words alone.
    Words,
    /// It is about no patient.
    Nobody,
}

/// The fields that say so, as the reader of records knows them.
const FIELDS: [&str; 3] = ["subject", "patient", "beneficiary"];
/// References of one field that are looked at, and links of one Patient.
const MOST: usize = 16;

/// Whom a resource of a type is about.
pub fn about(kind: &str, root: Json<'_>) -> About {
    match (kind, id(root)) {
        ("Patient", Some(own)) => return About::Patient(own),
        ("Patient", None) => return About::Nameless,
        ("Medication", Some(own)) => return About::Shared(own),
        _ => {}
    }
    let named = FIELDS.iter().filter_map(|field| root.get(field)).flat_map(|field| field.one_or_many().take(MOST));
    let mut found = About::Nobody;
    for one in named.map(|reference| by_reference(root, reference)) {
        match (one, &found) {
            (About::Patient(id), About::Patient(other)) if id != *other => return About::Unclear,
            (About::Patient(id), _) => found = About::Patient(id),
            (About::Unclear, About::Nobody | About::Words) => found = About::Unclear,
            (About::Words, About::Nobody) => found = About::Words,
            _ => {}
        }
    }
    found
}

fn by_reference(root: Json<'_>, reference: Json<'_>) -> About {
    let text = reference.as_str().or_else(|| reference.get("reference").and_then(Json::as_str)).map(str::trim);
    match text.filter(|text| !text.is_empty()) {
        Some(text) => match by_text(root, text) {
            About::Patient(id) if id.is_empty() => About::Unclear,
            about => about,
        },
        None if reference.get("type").and_then(Json::as_str).is_some_and(|kind| kind != "Patient") => About::Nobody,
        None if reference.get("identifier").is_some_and(Json::is_object) => About::Unclear,
        None if reference.get("display").is_some() => About::Words,
        None => About::Nobody,
    }
}

fn by_text(root: Json<'_>, text: &str) -> About {
    if let Some(local) = text.strip_prefix('#') {
        let mut contained = root.get("contained").into_iter().flat_map(Json::items);
        let inner = contained.find(|inner| inner.get("id").and_then(Json::as_str) == Some(local));
        let kind = inner.and_then(|inner| inner.get("resourceType")).and_then(Json::as_str);
        return if kind.is_none_or(|kind| kind == "Patient") { About::Unclear } else { About::Nobody };
    }
    if let Some(id) = text.strip_prefix("urn:uuid:").or_else(|| text.strip_prefix("urn:oid:")) {
        return About::Patient(id.to_owned());
    }
    if let Some((kind, _)) = text.split_once('?') {
        let kind = kind.rsplit('/').next().unwrap_or(kind);
        return if kind.eq_ignore_ascii_case("Patient") { About::Unclear } else { About::Nobody };
    }
    match type_and_id(text) {
        (Some(kind), id) if kind.eq_ignore_ascii_case("Patient") => About::Patient(id.to_owned()),
        (Some(_), _) => About::Nobody,
        (None, id) => About::Patient(id.to_owned()),
    }
}

/// The type, where one stands there, and the id of a reference, without host and version.
fn type_and_id(text: &str) -> (Option<&str>, &str) {
    let text = text.split_once('#').map_or(text, |(text, _)| text);
    let text = text.split_once("/_history/").map_or(text, |(text, _)| text);
    let mut parts = text.trim_matches('/').rsplit('/');
    let id = parts.next().unwrap_or_default();
    (parts.next(), id)
}

/// An id, also where the export wrote a number.
fn id(root: Json<'_>) -> Option<String> {
    let own = root.get("id")?;
    match own.as_number() {
        Some(Number::Natural(number)) => Some(number.to_string()),
        _ => own.as_str().filter(|id| !id.is_empty()).map(str::to_owned),
    }
}

/// The patients that a Patient links to.
pub fn linked(root: Json<'_>) -> Vec<String> {
    let links = root.get("link").into_iter().flat_map(Json::one_or_many).take(MOST);
    let others = links.filter_map(|link| link.get("other")?.get("reference")?.as_str());
    let patients = others.filter_map(|text| match by_text(root, text.trim()) {
        About::Patient(id) => Some(id),
        _ => None,
    });
    patients.collect()
}

/// The Medication that a resource refers to.
pub fn medication(text: &[u8]) -> Option<String> {
    const FIELD: &[u8] = b"medicationReference";
    if !text.windows(FIELD.len()).any(|bytes| bytes == FIELD) {
        return None;
    }
    let document = Document::parse(text.to_vec()).ok()?;
    let reference = document.root().get("medicationReference")?.get("reference")?.as_str()?.trim();
    let id = reference.strip_prefix("urn:uuid:").unwrap_or_else(|| type_and_id(reference).1);
    Some(id.to_owned())
}

/// Which version of a resource it is, as the server wrote it.
#[derive(Debug)]
pub struct Version {
    updated: Option<String>,
    number: Option<u64>,
}

impl Version {
    pub fn of(root: Json<'_>) -> Self {
        let meta = |field: &str| Some(root.get("meta")?.get(field)?.as_str()?.trim().to_owned());
        Self { updated: meta("lastUpdated"), number: meta("versionId").and_then(|text| text.parse().ok()) }
    }

    /// Whether it is newer than another; `None` where what the server wrote does not tell.
    pub fn is_newer(&self, other: &Self) -> Option<bool> {
        /// Up to the second, and the offset: instants of one offset are in order as text.
        fn parts(text: &str) -> Option<(&str, &str)> {
            let (seconds, rest) = text.split_at_checked(19)?;
            Some((seconds, rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit())))
        }
        let times = self.updated.as_deref().and_then(parts).zip(other.updated.as_deref().and_then(parts));
        match times {
            Some(((one, zone), (other, same))) if zone == same && one != other => Some(one > other),
            _ => self.number.zip(other.number).filter(|(one, other)| one != other).map(|(one, other)| one > other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn of(value: &Value) -> About {
        let document = Document::parse(value.to_string().into_bytes()).unwrap();
        about(value["resourceType"].as_str().unwrap(), document.root())
    }

    #[test]
    fn references_of_every_spelling_name_their_patient() {
        let subject = |subject: Value| of(&json!({ "resourceType": "Observation", "subject": subject }));
        for text in [
            "Patient/p1",
            "https://host.example/fhir/Patient/p1",
            "Patient/p1/_history/3",
            "urn:uuid:p1",
            "/Patient/p1/",
            "patient/p1",
            "p1",
            " Patient/p1 ",
        ] {
            assert_eq!(subject(json!({ "reference": text })), About::Patient("p1".into()), "{text}");
            assert_eq!(subject(json!(text)), About::Patient("p1".into()), "{text}");
        }
        assert_eq!(subject(json!([{ "display": "x" }, { "reference": "Patient/p1" }])), About::Patient("p1".into()));
        assert_eq!(subject(json!({ "reference": "Group/g" })), About::Nobody);
        assert_eq!(subject(json!({ "reference": "Location?name=x" })), About::Nobody);
        assert_eq!(subject(json!({ "reference": "Patient?identifier=s|v" })), About::Unclear);
        assert_eq!(subject(json!({ "identifier": { "system": "s", "value": "v" } })), About::Unclear);
        assert_eq!(subject(json!({ "reference": "#p" })), About::Unclear);
        assert_eq!(subject(json!({ "display": "Alpha" })), About::Words);
        assert_eq!(subject(Value::Null), About::Nobody);
        assert_eq!(of(&json!({ "resourceType": "Patient", "id": 7 })), About::Patient("7".into()));
        assert_eq!(of(&json!({ "resourceType": "Patient" })), About::Nameless);
        assert_eq!(of(&json!({ "resourceType": "Patient", "id": "" })), About::Nameless);
        assert_eq!(subject(json!({ "reference": "urn:uuid:" })), About::Unclear);
        assert_eq!(of(&json!({ "resourceType": "Medication", "id": "m" })), About::Shared("m".into()));
        assert_eq!(
            of(&json!({ "resourceType": "Coverage", "beneficiary": "Patient/p1" })),
            About::Patient("p1".into())
        );
        let held = json!({ "resourceType": "Observation", "subject": { "reference": "#d" }, "contained": [{ "resourceType": "Device", "id": "d" }] });
        assert_eq!(of(&held), About::Nobody);
    }
}
