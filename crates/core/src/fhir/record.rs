//! One patient's record: the resources of a bundle and whom each is about.

use super::code::codings;
use super::error::FhirError;
use super::json::{Document, Json};
use super::listing::{Limits, listed, parse, type_of};
use super::person::{Finder, only_patient};
use super::reference::{Index, Resolution, Resolver};
use super::resource::{Entry, Resource, Subject};
use super::version;
use super::view::{Event, at};

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
        let mut entries = listed(name, document.root())?;
        let resources = entries.iter().map(|entry| entry.of(&document));
        if let Some((version, path)) = version::foreign(resources) {
            return Err(FhirError::Version { name: name.to_owned(), version: version.name(), path });
        }
        let (patient, also) = only_patient(name, &document, &mut entries)?;
        let index = Index::new(&document, &entries);
        let subjects: Vec<Subject> = {
            let resolver = Resolver::new(&document, &entries, &index);
            let finder = Finder { resolver: &resolver, patient, also: &also };
            let subject = |(own, entry): (usize, &Entry)| finder.subject_of(entry.of(&document), own);
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

    /// A resource as an event, by its position; the code of a medication that stands by reference is that of what it refers to.
    #[must_use]
    pub fn event(&self, index: usize) -> Event<'_> {
        let Some(entry) = self.entries.get(index) else { return Event::of(self.patient()) };
        let mut event = Event::of(entry.of(&self.document));
        if event.codes.is_empty() {
            event.codes = self.medication(index, *entry).map_or_else(Vec::new, |value| codings(value.get("code")));
        }
        event
    }

    /// The Medication that an event refers to.
    fn medication(&self, index: usize, entry: Entry) -> Option<Json<'_>> {
        let reference = at(entry.of(&self.document).value(), "medicationReference.reference").and_then(Json::as_str)?;
        let resolver = self.resolver();
        let found = match resolver.resolve(index, reference) {
            Resolution::Found(found) => Some(self.entries.get(found)?.of(&self.document).value()),
            Resolution::Contained => resolver.contained_of(index, reference),
            Resolution::External | Resolution::Dangling => None,
        };
        found.filter(|value| type_of(*value) == Some("Medication"))
    }

    /// Where an object names a field twice: the paths of the resources, each once.
    #[must_use]
    pub fn repeated_fields(&self) -> Vec<String> {
        self.resources().filter(|resource| self.document.repeats_within(resource.value())).map(Resource::path).collect()
    }

    /// The position of the Patient resource.
    #[must_use]
    pub fn patient_index(&self) -> usize {
        self.patient
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
