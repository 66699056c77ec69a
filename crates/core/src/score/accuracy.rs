//! Does it hold together? References that resolve, units that fit what was measured.

use super::Checked;
use super::category::Category;
use super::conformity::prefix;
use super::rubric::Rubric;
use super::tally::{Failure, Reason, Tally};
use crate::fhir::{Json, Kind, LOINC, Observation, Resolution, Resolver, Resource};
use std::collections::HashMap;
use std::fmt;

pub(super) fn check(rubric: &Rubric, checked: &Checked<'_>, tally: &mut Tally) {
    let resolver = checked.record.resolver();
    for (index, resource) in checked.resources() {
        tally.begin();
        references(&resolver, index, resource, tally);
        if resource.kind() == Kind::Observation {
            units(rubric, resource, tally);
        }
    }
}

/// The references of one resource.
struct References<'a> {
    resolver: &'a Resolver<'a>,
    index: usize,
    /// Whether each that was seen resolves: one that is written a thousand times is one.
    seen: HashMap<&'a str, bool>,
    bad: bool,
}

impl<'a> References<'a> {
    /// Looks at all that is below. Depth is bounded by the parser.
    fn walk(&mut self, value: Json<'a>) {
        for (key, inner) in value.fields() {
            match inner.as_str() {
                Some(reference) if key == "reference" => self.judge(reference),
                _ => self.walk(inner),
            }
        }
        value.items().for_each(|inner| self.walk(inner));
    }

    fn judge(&mut self, reference: &'a str) {
        if self.seen.contains_key(reference) {
            return;
        }
        let resolves = match self.resolver.resolve(self.index, reference) {
            Resolution::Found(_) | Resolution::Contained => true,
            Resolution::External => return,
            // How it is written is conformity's matter.
            Resolution::Dangling => self.resolver.guess(self.index, reference).is_some(),
        };
        self.bad |= !resolves;
        self.seen.insert(reference, resolves);
    }

    /// Writes down where references dangle: a second walk, since few resources need it. Of the places a few are put into words: keys and
    /// their number are whatever the sender made them.
    fn locate(&self, value: Json<'a>, path: &mut Vec<Segment<'a>>, found: &mut Vec<String>) {
        for (key, inner) in value.fields() {
            match inner.as_str() {
                Some(reference) if key == "reference" => {
                    if self.seen.get(reference) == Some(&false) && found.len() < Reason::PATHS {
                        found.push(path.iter().map(Segment::to_string).collect());
                    }
                }
                _ => self.below(inner, Segment::Field(key), path, found),
            }
        }
        for (index, inner) in value.items().enumerate() {
            self.below(inner, Segment::Item(index), path, found);
        }
    }

    fn below(&self, inner: Json<'a>, at: Segment<'a>, path: &mut Vec<Segment<'a>>, found: &mut Vec<String>) {
        path.push(at);
        self.locate(inner, path, found);
        path.pop();
    }
}

/// A step of a path.
enum Segment<'a> {
    Field(&'a str),
    Item(usize),
}

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Item(index) => write!(f, "[{index}]"),
        }
    }
}

fn references<'a>(resolver: &'a Resolver<'a>, index: usize, resource: Resource<'a>, tally: &mut Tally) {
    let mut references = References { resolver, index, seen: HashMap::new(), bad: false };
    references.walk(resource.value());
    let resolve = references.seen.values().filter(|resolves| **resolves).count();
    (0..resolve).for_each(|_| tally.check(Category::Accuracy, "reference", None));
    if !references.bad {
        return;
    }
    let mut places = Vec::new();
    references.locate(resource.value(), &mut Vec::new(), &mut places);
    // The walk follows the text's order, which an export may change.
    places.sort_unstable();
    for at in 0..references.seen.len() - resolve {
        let failure = Failure {
            element: format!("{}.reference", resource.type_name()),
            path: format!("{}{}", resource.path(), places.get(at).map_or("", String::as_str)),
            text: "refers to something that is not in the record; export it too, or take the reference out".to_owned(),
        };
        tally.check(Category::Accuracy, "reference", Some(failure));
    }
}

fn units(rubric: &Rubric, resource: Resource<'_>, tally: &mut Tally) {
    for part in Observation::all(resource) {
        let Some(quantity) = part.quantity else { continue };
        let loinc = part.codes.iter().filter(|coding| coding.system == LOINC);
        let Some(range) = loinc.filter_map(|coding| rubric.ranges.get(coding.code)).next() else { continue };
        let failure = || {
            let units: Vec<&str> = range.units.keys().map(String::as_str).collect();
            Failure {
                element: format!("Observation ({})", range.name),
                path: format!("{}.{}valueQuantity", resource.path(), prefix(part.component)),
                text: format!("the unit does not fit {}: {} is expected", range.name, units.join(" or ")),
            }
        };
        tally.check(Category::Accuracy, "unit-fits", range.limits(quantity.unit).is_none().then(failure));
    }
}
