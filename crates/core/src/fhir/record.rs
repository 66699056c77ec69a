//! One patient's record: the resources of a bundle and whom each is about.

use super::error::FhirError;
use super::reference::{Index, Resolution, Resolver};
use super::resource::{Kind, Resource, Subject};
use serde_json::Value;

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

/// One patient's record.
#[derive(Clone, Debug)]
pub struct Record {
    resources: Vec<Resource>,
    patient: usize,
    index: Index,
}

impl Record {
    /// Reads one bundle (or one bare Patient) of exactly one patient.
    ///
    /// # Errors
    /// [`FhirError`] where it is too large, not JSON, not FHIR, or not about exactly one patient. References and dates
    /// are for the score to judge: they never fail here.
    pub fn from_slice(name: &str, bytes: &[u8], limits: Limits) -> Result<Self, FhirError> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        if bytes.len() > limits.record_bytes {
            return Err(FhirError::TooLarge { name: name.to_owned(), limit: limits.record_bytes });
        }
        let value = serde_json::from_slice(bytes).map_err(|error| not_json(name, &error))?;
        Self::from_value(name, value)
    }

    /// As [`Record::from_slice`], from JSON that is parsed already.
    ///
    /// # Errors
    /// As there.
    pub fn from_value(name: &str, value: Value) -> Result<Self, FhirError> {
        let mut resources = match value.get("resourceType").and_then(Value::as_str) {
            Some("Bundle") => entries(name, value)?,
            Some("Patient") => vec![Resource::new(None, None, value)],
            Some(other) => return Err(not_fhir(name, "resourceType", &format!("a single {}", shorten(other)))),
            None => return Err(not_fhir(name, "resourceType", "no resource type")),
        };
        let patient = only_patient(name, &mut resources)?;
        let index = Index::new(&resources);
        let subjects: Vec<Subject> = {
            let resolver = Resolver::new(&resources, &index);
            (0..resources.len()).map(|index| subject_of(&resolver, &resources, index, patient)).collect()
        };
        for (resource, subject) in resources.iter_mut().zip(subjects) {
            resource.set_subject(subject);
        }
        Ok(Self { resources, patient, index })
    }

    /// All resources in the order of the document.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// What its references point at.
    #[must_use]
    pub fn resolver(&self) -> Resolver<'_> {
        Resolver::new(&self.resources, &self.index)
    }

    /// The Patient resource.
    #[must_use]
    pub fn patient(&self) -> &Resource {
        &self.resources[self.patient]
    }
}

pub(super) fn not_json(name: &str, error: &serde_json::Error) -> FhirError {
    let detail = error.to_string();
    let detail = detail.rsplit_once(" at line ").map_or(detail.as_str(), |(what, _)| what);
    FhirError::NotJson { name: name.to_owned(), line: error.line(), column: error.column(), detail: detail.to_owned() }
}

pub(super) fn not_fhir(name: &str, path: &str, what: &str) -> FhirError {
    FhirError::NotFhir { name: name.to_owned(), path: path.to_owned(), what: what.to_owned() }
}

/// Foreign text in a message, kept short.
fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// Moves the resources out of a bundle; entries that hold none (deletions, outcomes) are passed over.
fn entries(name: &str, mut bundle: Value) -> Result<Vec<Resource>, FhirError> {
    match bundle.get("type").and_then(Value::as_str) {
        None | Some("transaction" | "batch" | "collection" | "searchset" | "document") => {}
        Some(other) => return Err(FhirError::BundleType { name: name.to_owned(), kind: shorten(other) }),
    }
    let entries = match bundle.get_mut("entry").map(Value::take) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(entries)) => entries,
        Some(_) => return Err(not_fhir(name, "Bundle.entry", "no list")),
    };
    let mut resources = Vec::with_capacity(entries.len());
    for (index, mut entry) in entries.into_iter().enumerate() {
        let path = || format!("Bundle.entry[{index}]");
        if !entry.is_object() {
            return Err(not_fhir(name, &path(), "no object"));
        }
        let Some(value) = entry.get_mut("resource").map(Value::take).filter(|v| !v.is_null()) else { continue };
        if value.get("resourceType").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(not_fhir(name, &format!("{}.resource", path()), "no resource type"));
        }
        let full_url = entry.get("fullUrl").and_then(Value::as_str).map(str::to_owned);
        resources.push(Resource::new(u32::try_from(index).ok(), full_url, value));
    }
    Ok(resources)
}

/// The position of the only patient. The same Patient twice, as in pages of a search put together, counts once.
fn only_patient(name: &str, resources: &mut Vec<Resource>) -> Result<usize, FhirError> {
    let is_patient = |resource: &Resource| resource.kind() == Kind::Patient;
    let Some(first) = resources.iter().position(is_patient) else {
        return Err(FhirError::NoPatient { name: name.to_owned() });
    };
    let original = resources[first].value().clone();
    let mut position = 0;
    resources.retain(|resource| {
        position += 1;
        position - 1 <= first || !is_patient(resource) || *resource.value() != original
    });
    let mut others = resources.iter().skip(first + 1).filter(|resource| is_patient(resource));
    let Some(second) = others.next() else { return Ok(first) };
    Err(FhirError::SeveralPatients {
        name: name.to_owned(),
        count: others.count() + 2,
        first: resources[first].label(),
        second: second.label(),
    })
}

/// The fields by which a resource says whom it is about.
const SUBJECT_FIELDS: [&str; 3] = ["subject", "patient", "beneficiary"];

fn subject_of(resolver: &Resolver<'_>, resources: &[Resource], index: usize, patient: usize) -> Subject {
    if index == patient {
        return Subject::Patient;
    }
    let mut about = Subject::None;
    for field in SUBJECT_FIELDS {
        let value = resources[index].value().get(field);
        let many = value.and_then(Value::as_array).map(Vec::as_slice);
        for reference in many.unwrap_or(value.map(std::slice::from_ref).unwrap_or_default()) {
            match target(resolver, index, reference) {
                None => {}
                Some(Resolution::Found(found)) if found == patient => about = Subject::Patient,
                Some(Resolution::Found(_) | Resolution::Contained) => about = Subject::Other,
                Some(_) => return Subject::Unresolved(field),
            }
        }
        if about != Subject::None {
            return about;
        }
    }
    about
}

/// What a Reference element points at, by its URL or by its identifier; `None` where it has neither.
fn target(resolver: &Resolver<'_>, from: usize, reference: &Value) -> Option<Resolution> {
    if let Some(url) = reference.get("reference").and_then(Value::as_str).filter(|r| !r.is_empty()) {
        return Some(resolver.resolve(from, url));
    }
    let identifier = reference.get("identifier")?;
    let value = identifier.get("value").and_then(Value::as_str)?;
    let system = identifier.get("system").and_then(Value::as_str);
    Some(resolver.by_identifier("Patient", system, value).map_or(Resolution::Dangling, Resolution::Found))
}
