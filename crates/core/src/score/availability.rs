//! Is it there? The elements that the rubric lists for each resource type.

use super::category::Category;
use super::rubric::Rubric;
use super::tally::{Failure, Tally};
use crate::fhir::{Json, Record};

pub(super) fn check(rubric: &Rubric, record: &Record, tally: &mut Tally) {
    for resource in record.resources() {
        let kind = resource.type_name();
        let Some(elements) = rubric.availability.get(kind) else { continue };
        for element in elements {
            let found = element.split('|').any(|name| is_present(resource.value().get(name)));
            let failure = || {
                let name = element.split('|').next().unwrap_or_default();
                Failure {
                    element: format!("{kind}.{name}"),
                    path: format!("{}.{name}", resource.path()),
                    text: format!("{kind} has no {}", element.replace('|', ", ")),
                }
            };
            tally.check(Category::Availability, "present", (!found).then(failure));
        }
    }
}

/// Whether an element says anything.
fn is_present(value: Option<Json<'_>>) -> bool {
    let Some(value) = value.filter(|value| !value.is_null()) else { return false };
    if value.is_array() {
        return value.items().any(|item| is_present(Some(item)));
    }
    if value.is_object() {
        return value.fields().next().is_some();
    }
    value.as_str().is_none_or(|text| !text.trim().is_empty())
}
