//! One patient's record: the resources of a bundle and whom each is about.

use super::canonical::canonical;
use super::error::FhirError;
use super::json::{Document, Json};
use super::reference::{Index, Resolution, Resolver};
use super::resource::{Entry, Kind, Resource, Subject};

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

/// One patient's record, with the text it was read from.
#[derive(Clone, Debug)]
pub struct Record {
    document: Document,
    entries: Vec<Entry>,
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
        Self::from_document(name, parse(name, bytes.to_vec(), limits)?)
    }

    /// As [`Record::from_slice`], from JSON that is parsed already.
    ///
    /// # Errors
    /// As there.
    pub fn from_document(name: &str, document: Document) -> Result<Self, FhirError> {
        let root = document.root();
        let mut entries = match root.get("resourceType").and_then(Json::as_str) {
            Some("Bundle") => entries(name, root)?,
            Some("Patient") => vec![Entry::new(None, None, root)],
            Some(other) => return Err(not_fhir(name, "resourceType", &format!("a single {}", shorten(other)))),
            None => return Err(not_fhir(name, "resourceType", "no resource type")),
        };
        let patient = only_patient(name, &document, &mut entries)?;
        let index = Index::new(&document, &entries);
        let subjects: Vec<Subject> = {
            let resolver = Resolver::new(&document, &entries, &index);
            let subject = |(own, entry): (usize, &Entry)| subject_of(&resolver, entry.of(&document), own, patient);
            entries.iter().enumerate().map(subject).collect()
        };
        entries.iter_mut().zip(subjects).for_each(|(entry, subject)| entry.set_subject(subject));
        Ok(Self { document, entries, patient, index })
    }

    /// All resources in the order of the document.
    pub fn resources(&self) -> impl ExactSizeIterator<Item = Resource<'_>> + Clone {
        self.entries.iter().map(|entry| entry.of(&self.document))
    }

    /// What its references point at.
    #[must_use]
    pub fn resolver(&self) -> Resolver<'_> {
        Resolver::new(&self.document, &self.entries, &self.index)
    }

    /// The Patient resource.
    #[must_use]
    pub fn patient(&self) -> Resource<'_> {
        self.entries[self.patient].of(&self.document)
    }

    /// The bytes it was read from, without a byte order mark: those are what a member seals.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.document.text().as_bytes()
    }

    /// As [`Record::bytes`], without the rest.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.document.into_text().into_bytes()
    }
}

/// Parses within the limits.
pub(super) fn parse(name: &str, bytes: Vec<u8>, limits: Limits) -> Result<Document, FhirError> {
    let limit = limits.record_bytes;
    if bytes.len() > limit {
        return Err(FhirError::TooLarge { name: name.to_owned(), limit });
    }
    Document::parse(bytes).map_err(|(error, _)| not_json(name, &error))
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

/// The resources of a bundle; entries that hold none (deletions, outcomes) are passed over.
fn entries(name: &str, bundle: Json<'_>) -> Result<Vec<Entry>, FhirError> {
    match bundle.get("type").and_then(Json::as_str) {
        None | Some("transaction" | "batch" | "collection" | "searchset" | "document") => {}
        Some(other) => return Err(FhirError::BundleType { name: name.to_owned(), kind: shorten(other) }),
    }
    let Some(list) = bundle.get("entry").filter(|entry| !entry.is_null()) else { return Ok(Vec::new()) };
    if !list.is_array() {
        return Err(not_fhir(name, "Bundle.entry", "no list"));
    }
    let mut found = Vec::new();
    for (number, entry) in list.items().enumerate() {
        let path = || format!("Bundle.entry[{number}]");
        if !entry.is_object() {
            return Err(not_fhir(name, &path(), "no object"));
        }
        let Some(value) = entry.get("resource").filter(|value| !value.is_null()) else { continue };
        if value.get("resourceType").and_then(Json::as_str).is_none_or(str::is_empty) {
            return Err(not_fhir(name, &format!("{}.resource", path()), "no resource type"));
        }
        let full_url = entry.get("fullUrl").filter(|url| url.as_str().is_some());
        found.push(Entry::new(u32::try_from(number).ok(), full_url, value));
    }
    Ok(found)
}

/// The position of the only patient. The same Patient twice, as in pages of a search put together, counts once.
fn only_patient(name: &str, document: &Document, entries: &mut Vec<Entry>) -> Result<usize, FhirError> {
    let is_patient = |entry: &Entry| entry.of(document).kind() == Kind::Patient;
    let Some(first) = entries.iter().position(is_patient) else {
        return Err(FhirError::NoPatient { name: name.to_owned() });
    };
    if entries[first + 1..].iter().any(is_patient) {
        let content = |entry: &Entry| canonical(entry.of(document).value());
        let original = content(&entries[first]);
        let mut position = 0;
        entries.retain(|entry| {
            position += 1;
            position - 1 <= first || !is_patient(entry) || content(entry) != original
        });
    }
    let mut others = entries.iter().skip(first + 1).filter(|entry| is_patient(entry));
    let Some(second) = others.next() else { return Ok(first) };
    Err(FhirError::SeveralPatients {
        name: name.to_owned(),
        count: others.count() + 2,
        first: entries[first].of(document).label(),
        second: second.of(document).label(),
    })
}

/// The fields by which a resource says whom it is about.
const SUBJECT_FIELDS: [&str; 3] = ["subject", "patient", "beneficiary"];

fn subject_of(resolver: &Resolver<'_>, resource: Resource<'_>, own: usize, patient: usize) -> Subject {
    if own == patient {
        return Subject::Patient;
    }
    let mut about = Subject::None;
    for field in SUBJECT_FIELDS {
        for reference in resource.value().get(field).into_iter().flat_map(Json::one_or_many) {
            match target(resolver, own, reference) {
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
fn target(resolver: &Resolver<'_>, from: usize, reference: Json<'_>) -> Option<Resolution> {
    if let Some(url) = reference.get("reference").and_then(Json::as_str).filter(|r| !r.is_empty()) {
        return Some(resolver.resolve(from, url));
    }
    let identifier = reference.get("identifier")?;
    let value = identifier.get("value").and_then(Json::as_str)?;
    let system = identifier.get("system").and_then(Json::as_str);
    Some(resolver.by_identifier("Patient", system, value).map_or(Resolution::Dangling, Resolution::Found))
}
