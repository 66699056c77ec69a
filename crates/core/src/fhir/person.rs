//! Whose record it is, and whom each resource is about.

use super::canonical::canonical;
use super::date::Date;
use super::error::FhirError;
use super::json::{Document, Json};
use super::listing::{is_type, type_of};
use super::reference::{Index, Resolution, Resolver};
use super::resource::{Entry, Kind, Resource, Subject};
use super::view::{at, is_present};

/// The position of the only person's Patient, and those of others of the same person.
///
/// The same Patient twice, as in pages of a search put together, counts once; of several versions of one the newest; Patients
/// that link to each other are one person, whose Patient is the one that no other replaces.
pub(super) fn only_patient(
    name: &str,
    document: &Document,
    entries: &mut Vec<Entry>,
) -> Result<(usize, Vec<usize>), FhirError> {
    let is_patient = |entry: &Entry| entry.of(document).kind() == Kind::Patient;
    let Some(first) = entries.iter().position(is_patient) else {
        return Err(FhirError::NoPatient { name: name.to_owned() });
    };
    if !entries[first + 1..].iter().any(is_patient) {
        return Ok((first, Vec::new()));
    }
    drop_older(document, entries);
    let patients: Vec<usize> = (0..entries.len()).filter(|at| is_patient(&entries[*at])).collect();
    if patients.len() > 1 && patients.len() <= MOST_OF_ONE_PERSON {
        let links = Links::new(document, entries, &patients);
        if links.are_one() {
            let main = links.main();
            return Ok((main, patients.into_iter().filter(|at| *at != main).collect()));
        }
    }
    let [first, second, ..] = patients[..] else {
        return Ok((patients.first().copied().unwrap_or(first), Vec::new()));
    };
    Err(FhirError::SeveralPatients {
        name: name.to_owned(),
        count: patients.len(),
        first: entries[first].of(document).label(),
        second: entries[second].of(document).label(),
    })
}

/// Of Patients with one id the newest stays; of those with one content, the first.
fn drop_older(document: &Document, entries: &mut Vec<Entry>) {
    let mut kept: Vec<(usize, Entry, Vec<u8>)> = Vec::new();
    let mut gone: Vec<usize> = Vec::new();
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.of(document).kind() == Kind::Patient) {
        let (own, content) = (entry.of(document), canonical(entry.of(document).value()));
        let same = |(_, other, known): &(usize, Entry, Vec<u8>)| {
            *known == content
                || own.id().is_some() && other.of(document).id() == own.id() && host(own) == host(other.of(document))
        };
        match kept.iter().position(same) {
            None if kept.len() < MOST_OF_ONE_PERSON => kept.push((at, *entry, content)),
            None => {}
            Some(known) if age(own) > age(kept[known].1.of(document)) => {
                gone.push(kept[known].0);
                kept[known] = (at, *entry, content);
            }
            Some(_) => gone.push(at),
        }
    }
    gone.sort_unstable();
    let mut position = 0;
    entries.retain(|_| {
        position += 1;
        gone.binary_search(&(position - 1)).is_err()
    });
}

/// The server that a full URL names.
fn host(resource: Resource<'_>) -> Option<&str> {
    resource.full_url().and_then(|url| url.strip_suffix(resource.id()?)).filter(|base| base.starts_with("http"))
}

/// What makes one version newer than another.
fn age(resource: Resource<'_>) -> (i64, u64) {
    let meta = |field: &str| at(resource.value(), field).and_then(Json::as_str);
    let updated = meta("meta.lastUpdated").and_then(Date::parse).map_or(i64::MIN, |date| date.first);
    (updated, meta("meta.versionId").and_then(|version| version.parse().ok()).unwrap_or(0))
}

/// Patients of a bundle that are compared with each other.
const MOST_OF_ONE_PERSON: usize = 16;

/// Which Patients link to which.
struct Links<'a> {
    patients: &'a [usize],
    /// From, to, and whether the first is replaced by the second.
    links: Vec<(usize, usize, bool)>,
}

impl<'a> Links<'a> {
    fn new(document: &Document, entries: &[Entry], patients: &'a [usize]) -> Self {
        let index = Index::new(document, entries);
        let resolver = Resolver::new(document, entries, &index);
        let mut links = Vec::new();
        for from in patients {
            let of = entries[*from].of(document).value().get("link").into_iter().flat_map(Json::one_or_many);
            for link in of.take(MOST_OF_ONE_PERSON) {
                let Some(reference) = link.get("other").and_then(|other| other.get("reference")).and_then(Json::as_str)
                else {
                    continue;
                };
                let Resolution::Found(to) = resolver.resolve(*from, reference) else { continue };
                match link.get("type").and_then(Json::as_str) {
                    Some("replaced-by") => links.push((*from, to, true)),
                    Some("replaces") => links.push((to, *from, true)),
                    _ => links.push((*from, to, false)),
                }
            }
        }
        Self { patients, links }
    }

    /// Whether links lead from the first to every other.
    fn are_one(&self) -> bool {
        let mut reached: Vec<usize> = self.patients.iter().take(1).copied().collect();
        for _ in self.patients {
            for (from, to, _) in &self.links {
                for (one, other) in [(from, to), (to, from)] {
                    if reached.contains(one) && !reached.contains(other) {
                        reached.push(*other);
                    }
                }
            }
        }
        self.patients.iter().all(|patient| reached.contains(patient))
    }

    /// The first that nothing replaces.
    fn main(&self) -> usize {
        let is_replaced = |patient: &usize| self.links.iter().any(|(from, _, replaced)| *replaced && from == patient);
        let mut standing = self.patients.iter().filter(|patient| !is_replaced(patient));
        standing.next().or(self.patients.first()).copied().unwrap_or(0)
    }
}

/// The fields by which a resource says whom it is about.
const SUBJECT_FIELDS: [&str; 3] = ["subject", "patient", "beneficiary"];
/// References that are read of one such field.
const MOST_SUBJECTS: usize = 8;

/// Finds out whom resources are about.
pub(super) struct Finder<'a> {
    pub(super) resolver: &'a Resolver<'a>,
    pub(super) patient: usize,
    pub(super) also: &'a [usize],
}

impl Finder<'_> {
    fn is_the_patient(&self, found: usize) -> bool {
        found == self.patient || self.also.contains(&found)
    }

    pub(super) fn subject_of(&self, resource: Resource<'_>, own: usize) -> Subject {
        if self.is_the_patient(own) {
            return Subject::Patient;
        }
        let mut about = Subject::None;
        for field in SUBJECT_FIELDS {
            let named = resource.value().get(field).into_iter().flat_map(Json::one_or_many).take(MOST_SUBJECTS);
            for one in named.map(|reference| self.one(own, field, reference)) {
                match one {
                    Subject::Unresolved(_) => return one,
                    Subject::None => {}
                    // Of several, one that is the patient does not make the rest theirs.
                    Subject::Patient if about != Subject::None => {}
                    _ => about = one,
                }
            }
            if about != Subject::None {
                return about;
            }
        }
        about
    }

    /// Whom one reference names.
    fn one(&self, own: usize, field: &'static str, reference: Json<'_>) -> Subject {
        let Some(text) = url_of(reference) else {
            let kind = reference.get("type").and_then(Json::as_str);
            if kind.is_some_and(|kind| is_type(kind) && kind != "Patient") {
                return Subject::Other;
            }
            return match target(self.resolver, reference) {
                Some(Resolution::Found(found)) if self.is_the_patient(found) => Subject::Patient,
                Some(Resolution::Found(_) | Resolution::Contained) => Subject::Other,
                Some(_) => Subject::Unresolved(field),
                None if is_present(Some(reference)) => Subject::Nameless(field),
                None => Subject::None,
            };
        };
        match self.resolver.resolve(own, text) {
            Resolution::Found(found) if self.is_the_patient(found) => Subject::Patient,
            Resolution::Found(_) => Subject::Other,
            Resolution::Contained if self.is_contained_patient(own, text) => Subject::Patient,
            Resolution::Contained => Subject::Other,
            // A ward, a group, a device: nobody's data, wherever it is.
            _ if names_no_patient(text) => Subject::Other,
            _ => match self.resolver.guess(own, text) {
                Some(found) if self.is_the_patient(found) => Subject::Patient,
                Some(_) => Subject::Other,
                None => Subject::Unresolved(field),
            },
        }
    }

    /// Whether a contained Patient has an identifier of the record's.
    fn is_contained_patient(&self, own: usize, reference: &str) -> bool {
        let Some(inner) = self.resolver.contained_of(own, reference) else { return false };
        let identifiers = inner.get("identifier").into_iter().flat_map(Json::items).take(MOST_SUBJECTS);
        type_of(inner) == Some("Patient")
            && identifiers.filter_map(by_identifier).any(|(system, value)| {
                self.resolver.by_identifier("Patient", system, value).is_some_and(|found| self.is_the_patient(found))
            })
    }
}

/// The reference of a Reference element, or what stands in its place as text.
fn url_of(reference: Json<'_>) -> Option<&str> {
    let own = reference.as_str().or_else(|| reference.get("reference").and_then(Json::as_str));
    own.filter(|text| !text.trim().is_empty())
}

/// Whether a reference names a type that is no Patient.
fn names_no_patient(reference: &str) -> bool {
    let reference = reference.split_once("/_history/").map_or(reference, |(whole, _)| whole);
    let mut parts = reference.trim_end_matches('/').rsplit('/').skip(1);
    parts.next().is_some_and(|kind| is_type(kind) && kind != "Patient")
}

fn by_identifier(identifier: Json<'_>) -> Option<(Option<&str>, &str)> {
    Some((identifier.get("system").and_then(Json::as_str), identifier.get("value").and_then(Json::as_str)?))
}

/// What a Reference element points at by its identifier; `None` where it has none.
fn target(resolver: &Resolver<'_>, reference: Json<'_>) -> Option<Resolution> {
    let (system, value) = by_identifier(reference.get("identifier")?)?;
    Some(resolver.by_identifier("Patient", system, value).map_or(Resolution::Dangling, Resolution::Found))
}
