//! Does it hold together? References that resolve, units that fit what was measured.

use super::category::Category;
use super::conformity::prefix;
use super::rubric::Rubric;
use super::tally::{Failure, Tally};
use crate::fhir::{Json, Kind, LOINC, Observation, Record, Resolution, Resolver, Resource};

pub(super) fn check(rubric: &Rubric, record: &Record, tally: &mut Tally) {
    let resolver = record.resolver();
    for (index, resource) in record.resources().enumerate() {
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
    good: u32,
    bad: bool,
    dangling: Vec<String>,
}

impl References<'_> {
    /// Looks at all that is below. Depth is bounded by the parser.
    fn walk(&mut self, value: Json<'_>) {
        for (key, inner) in value.fields() {
            match inner.as_str() {
                Some(reference) if key == "reference" => self.judge(reference),
                _ => self.walk(inner),
            }
        }
        value.items().for_each(|inner| self.walk(inner));
    }

    fn judge(&mut self, reference: &str) {
        match self.resolver.resolve(self.index, reference) {
            Resolution::Found(_) | Resolution::Contained => self.good = self.good.saturating_add(1),
            Resolution::External => {}
            Resolution::Dangling => self.bad = true,
        }
    }

    /// Writes down where references dangle: a second walk, since few resources need it and paths are dear.
    fn locate(&mut self, value: Json<'_>, path: &str) {
        for (key, inner) in value.fields() {
            match inner.as_str() {
                Some(reference) if key == "reference" => {
                    if self.resolver.resolve(self.index, reference) == Resolution::Dangling {
                        self.dangling.push(path.to_owned());
                    }
                }
                _ => self.locate(inner, &format!("{path}.{key}")),
            }
        }
        value.items().enumerate().for_each(|(index, inner)| self.locate(inner, &format!("{path}[{index}]")));
    }
}

fn references(resolver: &Resolver<'_>, index: usize, resource: Resource<'_>, tally: &mut Tally) {
    let mut seen = References { resolver, index, good: 0, bad: false, dangling: Vec::new() };
    seen.walk(resource.value());
    (0..seen.good).for_each(|_| tally.check(Category::Accuracy, "reference", None));
    if !seen.bad {
        return;
    }
    seen.locate(resource.value(), "");
    // The walk follows the text's order, which an export may change; what is reported must not.
    seen.dangling.sort_unstable();
    for path in seen.dangling {
        let failure = Failure {
            element: format!("{}.reference", resource.type_name()),
            path: format!("{}{path}", resource.path()),
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
        tally.check(Category::Accuracy, "unit-fits", (!range.units.contains_key(quantity.unit)).then(failure));
    }
}
