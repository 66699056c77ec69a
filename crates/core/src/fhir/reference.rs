//! What a reference in a record points at.
//!
//! Source: FHIR R4, "Resolving references in Bundles". Wider than it where practice is: `urn:uuid:` also finds a
//! resource by its id, and an absolute URL finds `Type/id` where the target states no other server.

use super::record::Resource;
use serde_json::Value;
use std::collections::HashMap;

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

/// Finds resources of one record by reference.
pub struct Resolver<'a> {
    resources: &'a [Resource],
    by_url: HashMap<String, usize>,
    by_type_id: HashMap<(&'a str, &'a str), usize>,
    by_id: HashMap<&'a str, usize>,
}

impl<'a> Resolver<'a> {
    /// Indexes the resources of a record; of two with one name the first counts.
    #[must_use]
    pub fn new(resources: &'a [Resource]) -> Self {
        let mut it = Self {
            resources,
            by_url: HashMap::with_capacity(resources.len()),
            by_type_id: HashMap::with_capacity(resources.len()),
            by_id: HashMap::with_capacity(resources.len()),
        };
        for (index, resource) in resources.iter().enumerate() {
            if let Some(url) = resource.full_url() {
                it.by_url.entry(fold_urn(url)).or_insert(index);
                if let Some(named) = type_and_id(url) {
                    it.by_type_id.entry(named).or_insert(index);
                }
            }
            if let Some(id) = resource.id() {
                it.by_type_id.entry((resource.type_name(), id)).or_insert(index);
                it.by_id.entry(id).or_insert(index);
            }
        }
        it
    }

    /// Resolves a reference written in the resource at position `from`.
    #[must_use]
    pub fn resolve(&self, from: usize, reference: &str) -> Resolution {
        if let Some(local) = reference.strip_prefix('#') {
            return self.contained(from, local);
        }
        if let Some(index) = self.by_url.get(reference).or_else(|| self.by_url.get(&fold_urn(reference))) {
            return Resolution::Found(*index);
        }
        if reference.starts_with("urn:") {
            let id = reference.rsplit(':').next().unwrap_or_default();
            return self.by_id.get(id).map_or(Resolution::Dangling, |i| Resolution::Found(*i));
        }
        if let Some((kind, search)) = reference.split_once('?') {
            return self.search(kind, search);
        }
        let absolute = reference.starts_with("http://") || reference.starts_with("https://");
        match (type_and_id(reference), absolute) {
            (Some(named), false) => match self.by_type_id.get(&named) {
                Some(index) => Resolution::Found(*index),
                None if ADMINISTRATIVE.contains(&named.0) => Resolution::External,
                None => Resolution::Dangling,
            },
            (Some(named), true) => match self.by_type_id.get(&named) {
                Some(index) if self.may_live_at(*index) => Resolution::Found(*index),
                _ => Resolution::External,
            },
            (None, true) => Resolution::External,
            (None, false) => Resolution::Dangling,
        }
    }

    /// Finds the resource of a type that carries an identifier.
    #[must_use]
    pub fn by_identifier(&self, kind: &str, system: Option<&str>, value: &str) -> Option<usize> {
        self.resources.iter().position(|resource| {
            resource.type_name() == kind
                && resource.value().get("identifier").and_then(Value::as_array).is_some_and(|identifiers| {
                    identifiers.iter().any(|identifier| {
                        identifier.get("value").and_then(Value::as_str) == Some(value)
                            && system.is_none_or(|s| identifier.get("system").and_then(Value::as_str) == Some(s))
                    })
                })
        })
    }

    fn contained(&self, from: usize, local: &str) -> Resolution {
        let Some(holder) = self.resources.get(from) else { return Resolution::Dangling };
        let mut contained = holder.value().get("contained").and_then(Value::as_array).into_iter().flatten();
        if local.is_empty() || contained.any(|c| c.get("id").and_then(Value::as_str) == Some(local)) {
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

    /// Whether a target without an http URL of its own may be what an absolute URL names.
    fn may_live_at(&self, index: usize) -> bool {
        !self.resources.get(index).and_then(Resource::full_url).is_some_and(|url| url.starts_with("http"))
    }
}

/// `urn:uuid:` in lower case, since UUIDs compare so; anything else as it is.
fn fold_urn(url: &str) -> String {
    if url.starts_with("urn:") { url.to_ascii_lowercase() } else { url.to_owned() }
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
