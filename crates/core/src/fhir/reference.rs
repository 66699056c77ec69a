//! What a reference in a record points at.
//!
//! Source: FHIR R4, "Resolving references in Bundles". Wider than it where practice is: `urn:uuid:` also finds a
//! resource by its id, and an absolute URL finds the only `Type/id`, whatever its server.

use super::json::{Document, Json};
use super::resource::{Entry, Resource, number_text};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What became of one reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// A resource of the record, by its position in [`super::Record::resources`].
    Found(usize),
    /// A resource contained in the one that refers to it.
    Contained,
    /// Another server's matter: an absolute URL, a search (`Practitioner?identifier=…`), or a practitioner,
    /// organization, place, device or medication by relative URL.
    External,
    /// Something that should be in the record and is not.
    Dangling,
}

/// Bytes of `urn:uuid:` with a UUID, and some more.
const URN: usize = 48;

/// Types that an export may name without including: who and where, not what happened to the patient.
const ADMINISTRATIVE: [&str; 12] = [
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Location",
    "HealthcareService",
    "Endpoint",
    "Device",
    "Medication",
    "Substance",
    "Binary",
    "Questionnaire",
    "RelatedPerson",
];

/// Names of resources, hashed: sorted by (hash, position), so that of two with one name the first is found.
///
/// It owns no text and borrows none, so a record carries it along. Hits by URL and id are checked against the resource;
/// hits by identifier and of contained resources are not, since a list that is searched once a reference is how a hostile
/// bundle would spend our time, and a forged collision could only spoil its own record.
#[derive(Clone, Debug, Default)]
pub(super) struct Index(Vec<(u64, u32)>);

impl Index {
    pub(super) fn new(document: &Document, entries: &[Entry]) -> Self {
        let mut names = Vec::with_capacity(entries.len() * 3);
        for (position, resource) in (0u32..).zip(entries.iter().map(|entry| entry.of(document))) {
            if let Some(url) = resource.full_url() {
                names.push((Name::Url(url).hash(), position));
                if let Some((kind, id)) = type_and_id(url) {
                    names.push((Name::TypeId(kind, id).hash(), position));
                }
            }
            let number = resource.value().get("id").and_then(number_text);
            if let Some(id) = number.as_deref().or_else(|| resource.id()) {
                names.push((Name::TypeId(resource.type_name(), id).hash(), position));
                names.push((Name::Id(id).hash(), position));
            }
            for (system, value) in list(resource, "identifier").filter_map(identifier) {
                names.push((Name::Identifier(resource.type_name(), Some(system), value).hash(), position));
                names.push((Name::Identifier(resource.type_name(), None, value).hash(), position));
            }
            for id in list(resource, "contained").filter_map(|c| c.get("id").and_then(Json::as_str)) {
                names.push((Name::Contained(position, id).hash(), position));
            }
        }
        names.sort_unstable();
        Self(names)
    }
}

/// Resources that are looked through for a second one of the same name: a hostile bundle has thousands.
const MOST_OF_ONE_NAME: usize = 64;

/// What a resource can be called.
#[derive(Clone, Copy)]
enum Name<'a> {
    Url(&'a str),
    TypeId(&'a str, &'a str),
    Id(&'a str),
    /// Type, system (any where `None`) and value.
    Identifier(&'a str, Option<&'a str>, &'a str),
    /// Position of the holder, and local id.
    Contained(u32, &'a str),
}

impl Name<'_> {
    fn hash(self) -> u64 {
        // Keys are fixed, so the order of equal names is the same everywhere; nothing depends on the hash itself.
        let mut hasher = DefaultHasher::new();
        match self {
            // UUIDs compare without case.
            Self::Url(url) if is_urn(url) => {
                hasher.write_u8(0);
                // Some dozen bytes at a time: one by one costs the hasher many times as much.
                for piece in url.as_bytes().chunks(URN) {
                    let mut lower = [0; URN];
                    let lower = &mut lower[..piece.len()];
                    lower.copy_from_slice(piece);
                    lower.make_ascii_lowercase();
                    hasher.write(lower);
                }
            }
            Self::Url(url) => {
                hasher.write_u8(0);
                hasher.write(url.as_bytes());
            }
            Self::TypeId(kind, id) => {
                hasher.write_u8(1);
                hasher.write(kind.as_bytes());
                hasher.write_u8(b'/');
                hasher.write(id.as_bytes());
            }
            Self::Id(id) => {
                hasher.write_u8(2);
                hasher.write(id.as_bytes());
            }
            // Lengths apart, so that no two triples are one text.
            Self::Identifier(kind, system, value) => (3, kind, system, value).hash(&mut hasher),
            Self::Contained(holder, id) => (4, holder, id).hash(&mut hasher),
        }
        hasher.finish()
    }

    fn is_of(self, resource: Resource<'_>) -> bool {
        match self {
            Self::Url(url) => {
                resource.full_url().is_some_and(|own| own == url || is_urn(own) && own.eq_ignore_ascii_case(url))
            }
            Self::TypeId(kind, id) => {
                resource.type_name() == kind && resource.has_id(id)
                    || resource.full_url().and_then(type_and_id) == Some((kind, id))
            }
            Self::Id(id) => resource.has_id(id),
            Self::Identifier(..) | Self::Contained(..) => true,
        }
    }
}

/// Finds resources of one record by reference.
pub struct Resolver<'a> {
    document: &'a Document,
    entries: &'a [Entry],
    index: &'a Index,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(document: &'a Document, entries: &'a [Entry], index: &'a Index) -> Self {
        Self { document, entries, index }
    }

    fn find(&self, name: Name<'_>) -> Option<usize> {
        let hash = name.hash();
        let from = self.index.0.partition_point(|(own, _)| *own < hash);
        let same = self.index.0[from..].iter().take_while(|(own, _)| *own == hash);
        same.map(|(_, position)| *position as usize).find(|i| self.resource(*i).is_some_and(|r| name.is_of(r)))
    }

    /// The only resource with a name; none where several have it, as on two hosts.
    fn only(&self, name: Name<'_>) -> Option<usize> {
        let hash = name.hash();
        let from = self.index.0.partition_point(|(own, _)| *own < hash);
        let same = self.index.0[from..].iter().take_while(|(own, _)| *own == hash).take(MOST_OF_ONE_NAME);
        let mut found = same.map(|(_, at)| *at as usize).filter(|at| self.resource(*at).is_some_and(|r| name.is_of(r)));
        let first = found.next()?;
        found.all(|other| other == first).then_some(first)
    }

    /// As [`Self::resolve`], where what is written is no reference by FHIR's grammar, but says clearly what is meant: with blanks or
    /// slashes at its ends, a type in lower case, or an id alone.
    #[must_use]
    pub fn guess(&self, from: usize, reference: &str) -> Option<usize> {
        let clean = reference.trim().trim_matches('/');
        if let Resolution::Found(index) = self.resolve(from, clean) {
            return Some(index);
        }
        match clean.split_once('/') {
            Some((kind, id)) => {
                let mut letters = kind.chars();
                let first = letters.next()?.to_ascii_uppercase();
                let capital: String = std::iter::once(first).chain(letters).collect();
                self.only(Name::TypeId(&capital, id))
            }
            None => self.only(Name::Id(clean)),
        }
    }

    /// The resource contained in the one at position `from` under a local id.
    #[must_use]
    pub fn contained_of(&self, from: usize, reference: &str) -> Option<Json<'a>> {
        let local = reference.strip_prefix('#')?;
        list(self.resource(from)?, "contained").find(|inner| inner.get("id").and_then(Json::as_str) == Some(local))
    }

    fn resource(&self, index: usize) -> Option<Resource<'a>> {
        self.entries.get(index).map(|entry| entry.of(self.document))
    }

    /// Resolves a reference written in the resource at position `from`.
    #[must_use]
    pub fn resolve(&self, from: usize, reference: &str) -> Resolution {
        if let Some(local) = reference.strip_prefix('#') {
            return self.contained(from, local);
        }
        if let Some(index) = self.find(Name::Url(reference)) {
            return Resolution::Found(index);
        }
        if reference.starts_with("urn:") {
            let id = reference.rsplit(':').next().unwrap_or_default();
            return self.find(Name::Id(id)).map_or(Resolution::Dangling, Resolution::Found);
        }
        if let Some((kind, search)) = reference.split_once('?') {
            return self.search(kind, search);
        }
        let absolute = reference.starts_with("http://") || reference.starts_with("https://");
        match (type_and_id(reference), absolute) {
            (Some((kind, id)), false) => match self.find(Name::TypeId(kind, id)) {
                Some(index) => Resolution::Found(index),
                None if ADMINISTRATIVE.contains(&kind) => Resolution::External,
                None => Resolution::Dangling,
            },
            // One record, one patient: whatever host an export writes, the only one with this id is meant.
            (Some((kind, id)), true) => match self.only(Name::TypeId(kind, id)) {
                Some(index) => Resolution::Found(index),
                None => Resolution::External,
            },
            (None, true) => Resolution::External,
            (None, false) => Resolution::Dangling,
        }
    }

    /// Finds the resource of a type that carries an identifier.
    #[must_use]
    pub fn by_identifier(&self, kind: &str, system: Option<&str>, value: &str) -> Option<usize> {
        self.find(Name::Identifier(kind, system, value))
    }

    fn contained(&self, from: usize, local: &str) -> Resolution {
        let holder = u32::try_from(from).unwrap_or(u32::MAX);
        if local.is_empty() || self.find(Name::Contained(holder, local)).is_some() {
            return Resolution::Contained;
        }
        Resolution::Dangling
    }

    fn search(&self, kind: &str, search: &str) -> Resolution {
        let kind = kind.rsplit('/').next().unwrap_or(kind);
        let found = search.strip_prefix("identifier=").and_then(|token| match token.split_once('|') {
            Some((system, value)) => self.by_identifier(kind, Some(system).filter(|s| !s.is_empty()), value),
            None => self.by_identifier(kind, None, token),
        });
        match found {
            Some(index) => Resolution::Found(index),
            None if kind == "Patient" => Resolution::Dangling,
            None => Resolution::External,
        }
    }
}

fn list<'a>(resource: Resource<'a>, field: &str) -> impl Iterator<Item = Json<'a>> {
    resource.value().get(field).into_iter().flat_map(Json::items)
}

/// System (empty where none was written) and value of an identifier.
fn identifier(value: Json<'_>) -> Option<(&str, &str)> {
    Some((value.get("system").and_then(Json::as_str).unwrap_or(""), value.get("value").and_then(Json::as_str)?))
}

fn is_urn(url: &str) -> bool {
    url.starts_with("urn:")
}

/// The last `Type/id` of a URL, with any `/_history/version` and fragment taken off.
fn type_and_id(url: &str) -> Option<(&str, &str)> {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let url = url.split_once("/_history/").map_or(url, |(url, _)| url);
    let mut parts = url.rsplit('/');
    let (id, kind) = (parts.next()?, parts.next()?);
    (!id.is_empty()
        && kind.starts_with(|c: char| c.is_ascii_uppercase())
        && kind.bytes().all(|b| b.is_ascii_alphabetic()))
    .then_some((kind, id))
}
