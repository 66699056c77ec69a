//! From bytes to the resources of a document, or why there are none.

use super::error::FhirError;
use super::json::{Document, Json};
use super::resource::{Entry, Place};

/// What is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one record before parsing.
    pub record_bytes: usize,
}

impl Default for Limits {
    /// 64 MiB a record.
    fn default() -> Self {
        Self { record_bytes: 64 << 20 }
    }
}

/// Parses within the limits.
pub(super) fn parse(name: &str, bytes: Vec<u8>, limits: Limits) -> Result<Document, FhirError> {
    let limit = limits.record_bytes;
    if bytes.len() > limit {
        return Err(FhirError::TooLarge { name: name.to_owned(), limit });
    }
    Document::parse(bytes).map_err(|(error, bytes)| not_json(name, &error, &bytes))
}

/// Why bytes are no JSON text.
pub(super) fn not_json(name: &str, error: &serde_json::Error, bytes: &[u8]) -> FhirError {
    if let Some(what) = other_than_text(bytes) {
        return FhirError::Encoding { name: name.to_owned(), what };
    }
    let said = error.to_string();
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
    let mend = match said {
        "trailing characters" => {
            "one document ends before this and another begins; put each on a line of its own (NDJSON) or in a file of its own"
        }
        "trailing comma" => "take the comma out",
        _ if error.is_eof() => "export the file again, it is cut short",
        "recursion limit exceeded" => "it is nested more than 128 deep, which no record is",
        _ => "export the file again",
    };
    let detail = format!("{said}; {mend}");
    FhirError::NotJson { name: name.to_owned(), line: error.line(), column: error.column(), detail }
}

/// What bytes are, if not UTF-8 text.
fn other_than_text(bytes: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if starts(b"\xFF\xFE")
        || starts(b"\xFE\xFF")
        || bytes.iter().take(64).any(|byte| *byte == 0) && !starts(b"\x1F\x8B")
    {
        return Some(match bytes.get(257..262) {
            Some(b"ustar") => "a tar archive; unpack it and give its files",
            _ if starts(b"PK\x03\x04") => ZIP,
            _ => "UTF-16 text; save it as UTF-8",
        });
    }
    if starts(b"\x1F\x8B") {
        return Some("packed with gzip; unpack it first, or give it a name that ends in .gz");
    }
    if starts(b"PK\x03\x04") {
        return Some(ZIP);
    }
    std::str::from_utf8(bytes)
        .is_err()
        .then_some("text in another encoding than UTF-8 (Latin-1, perhaps); save it as UTF-8")
}

const ZIP: &str = "a zip archive; unpack it and give its files";

pub(super) fn not_fhir(name: &str, path: &str, what: &str) -> FhirError {
    FhirError::NotFhir { name: name.to_owned(), path: path.to_owned(), what: what.to_owned() }
}

/// Foreign text in a message, kept short.
fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// Bundles that hold a record. The others report or change.
const HOLDING: [&str; 6] = ["transaction", "batch", "collection", "searchset", "document", "message"];

/// The resources of a document.
pub(super) fn listed(name: &str, root: Json<'_>) -> Result<Vec<Entry>, FhirError> {
    let mut found = Vec::new();
    match root.get("resourceType").and_then(Json::as_str) {
        Some("Bundle") => entries(name, root, &mut found)?,
        Some("Parameters") => {
            for (number, parameter) in (0u32..).zip(root.get("parameter").into_iter().flat_map(Json::items)) {
                match parameter.get("resource").filter(|value| value.is_object()) {
                    Some(inner) if type_of(inner) == Some("Bundle") => entries(name, inner, &mut found)?,
                    Some(value) if type_of(value).is_some_and(is_type) => {
                        found.push(Entry::new(Place::Parameter(number), None, value));
                    }
                    Some(_) => {
                        return Err(not_fhir(
                            name,
                            &format!("Parameters.parameter[{number}].resource"),
                            "no resource type",
                        ));
                    }
                    None => {}
                }
            }
        }
        Some("Patient") => found.push(Entry::new(Place::Alone, None, root)),
        Some(other) if !is_type(other) => return Err(not_fhir(name, "resourceType", &no_type(other))),
        Some(other) => return Err(not_fhir(name, "resourceType", &format!("a single {}", shorten(other)))),
        None => return Err(not_fhir(name, "resourceType", "no resource type")),
    }
    Ok(found)
}

pub(super) fn type_of(value: Json<'_>) -> Option<&str> {
    value.get("resourceType").and_then(Json::as_str)
}

/// Whether a word can be a FHIR type: they are written as `MedicationRequest`.
pub(super) fn is_type(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn no_type(name: &str) -> String {
    format!(
        "the type `{}`, which FHIR does not have (types are written as Bundle, Patient, MedicationRequest)",
        shorten(name)
    )
}

/// The resources of a bundle and of bundles in it; entries that hold none (deletions, outcomes, null) are passed over.
fn entries(name: &str, bundle: Json<'_>, found: &mut Vec<Entry>) -> Result<(), FhirError> {
    each_entry(name, "Bundle", bundle, |number, full_url, value| {
        // One that reports or changes is a resource like others, and nobody's fact.
        let holds = value.get("type").and_then(Json::as_str).is_none_or(|kind| HOLDING.contains(&kind));
        if type_of(value) != Some("Bundle") || !holds {
            found.push(Entry::new(Place::Entry(number), full_url, value));
            return Ok(());
        }
        each_entry(name, &format!("Bundle.entry[{number}].resource"), value, |inner, full_url, value| {
            found.push(Entry::new(Place::Inner(number, inner), full_url, value));
            Ok(())
        })
    })
}

fn each_entry<'a>(
    name: &str,
    at: &str,
    bundle: Json<'a>,
    mut take: impl FnMut(u32, Option<Json<'a>>, Json<'a>) -> Result<(), FhirError>,
) -> Result<(), FhirError> {
    match bundle.get("type").and_then(Json::as_str) {
        Some(kind) if !HOLDING.contains(&kind) => {
            return Err(FhirError::BundleType { name: name.to_owned(), kind: shorten(kind) });
        }
        _ => {}
    }
    let Some(list) = bundle.get("entry").filter(|entry| !entry.is_null()) else { return Ok(()) };
    if !list.is_array() {
        return Err(not_fhir(name, &format!("{at}.entry"), "no list"));
    }
    for (number, entry) in (0u32..).zip(list.items()) {
        let path = || format!("{at}.entry[{number}]");
        if entry.is_null() {
            continue;
        }
        if !entry.is_object() {
            return Err(not_fhir(name, &path(), "no object"));
        }
        let Some(value) = entry.get("resource").filter(|value| !value.is_null()) else { continue };
        let inside = || format!("{}.resource.resourceType", path());
        match type_of(value).filter(|kind| !kind.is_empty()) {
            None => return Err(not_fhir(name, &inside(), "no resource type")),
            Some(kind) if !is_type(kind) => return Err(not_fhir(name, &inside(), &no_type(kind))),
            Some(_) => {}
        }
        take(number, entry.get("fullUrl").filter(|url| url.as_str().is_some()), value)?;
    }
    Ok(())
}
