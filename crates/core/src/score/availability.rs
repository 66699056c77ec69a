//! Is it there? The elements that the rubric lists for each resource type.

use super::Checked;
use super::category::Category;
use super::rubric::Rubric;
use super::tally::{Failure, Tally};
use crate::fhir::is_present;

pub(super) fn check(rubric: &Rubric, checked: &Checked<'_>, tally: &mut Tally) {
    for (_, resource) in checked.resources() {
        tally.begin();
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
