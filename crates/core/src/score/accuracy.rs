//! Does it hold together? References that resolve, units that fit what was measured.

use super::conformity::prefix;
use super::rubric::Rubric;
use super::tally::{Category, Failure, Tally};
use crate::fhir::{Kind, LOINC, Observation, Record, Resolution, Resolver, Resource};
use serde_json::Value;

pub(super) fn check(rubric: &Rubric, record: &Record, tally: &mut Tally) {
    let resolver = Resolver::new(record.resources());
    for (index, resource) in record.resources().iter().enumerate() {
        let mut seen = References { resolver: &resolver, index, resource, good: 0, dangling: Vec::new() };
        seen.walk(resource.value(), &mut String::new());
        seen.count(tally);
        if resource.kind() == Kind::Observation {
            units(rubric, resource, tally);
        }
    }
}

/// The references of one resource.
struct References<'a> {
    resolver: &'a Resolver<'a>,
    index: usize,
    resource: &'a Resource,
    good: u32,
    dangling: Vec<String>,
}

impl References<'_> {
    /// Depth is bounded by the parser.
    fn walk(&mut self, value: &Value, path: &mut String) {
        let length = path.len();
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("reference").and_then(Value::as_str) {
                    self.judge(reference, path);
                }
                for (key, inner) in fields.iter().filter(|(_, v)| v.is_object() || v.is_array()) {
                    path.push('.');
                    path.push_str(key);
                    self.walk(inner, path);
                    path.truncate(length);
                }
            }
            Value::Array(items) => {
                for (index, inner) in items.iter().enumerate() {
                    path.push_str(&format!("[{index}]"));
                    self.walk(inner, path);
                    path.truncate(length);
                }
            }
            _ => {}
        }
    }

    fn judge(&mut self, reference: &str, path: &str) {
        match self.resolver.resolve(self.index, reference) {
            Resolution::Found(_) | Resolution::Contained => self.good = self.good.saturating_add(1),
            Resolution::External => {}
            Resolution::Dangling => self.dangling.push(path.to_owned()),
        }
    }

    fn count(mut self, tally: &mut Tally) {
        for _ in 0..self.good {
            tally.check(Category::Accuracy, "reference", None);
        }
        // The walk follows the map's order, which is the parser's affair; what is reported must not.
        self.dangling.sort_unstable();
        for path in self.dangling {
            let failure = Failure {
                element: format!("{}.reference", self.resource.type_name()),
                path: format!("{}{path}", self.resource.path()),
                text: "refers to something that is not in the record; export it too, or take the reference out"
                    .to_owned(),
            };
            tally.check(Category::Accuracy, "reference", Some(failure));
        }
    }
}

fn units(rubric: &Rubric, resource: &Resource, tally: &mut Tally) {
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
