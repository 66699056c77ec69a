//! Can it be true? Birth, death, order in time, sex, and what a body can measure.

use super::Checked;
use super::category::Category;
use super::conformity::prefix;
use super::facts::is_possible;
use super::rubric::Rubric;
use super::tally::{Failure, Tally};
use crate::fhir::{Event, Kind, Observation, Patient, Resource, SECONDS_PER_DAY, Sex, fields};

pub(super) fn check(rubric: &Rubric, checked: &Checked<'_>, now: i64, tally: &mut Tally) {
    let record = checked.record;
    let patient = Patient::of(record.patient());
    life(rubric, record.patient(), patient, now, tally);
    for (index, resource) in checked.resources() {
        tally.begin();
        if matches!(resource.kind(), Kind::Patient | Kind::Medication | Kind::Other) {
            continue;
        }
        let event = record.event(index);
        times(rubric, resource, &event, patient, tally);
        papers(rubric, resource, &event, now, tally);
        sex(rubric, resource, &event, patient.sex, tally);
        if resource.kind() == Kind::Observation {
            ranges(rubric, resource, tally);
        }
    }
}

fn fail(resource: Resource<'_>, element: &str, text: &str) -> Failure {
    Failure {
        element: format!("{}.{element}", resource.type_name()),
        path: format!("{}.{element}", resource.path()),
        text: text.to_owned(),
    }
}

fn life(rubric: &Rubric, resource: Resource<'_>, patient: Patient, now: i64, tally: &mut Tally) {
    let Some(birth) = patient.birth else { return };
    let until = patient.death.map_or(now, |death| death.last);
    let oldest = rubric.oldest_years * 365 * SECONDS_PER_DAY;
    let too_old = until.saturating_sub(birth.last) > oldest;
    let failure = || fail(resource, "birthDate", "an age that nobody has reached");
    tally.check(Category::Plausibility, "age", too_old.then(failure));
    if let Some(death) = patient.death {
        let before = death.last.saturating_add(rubric.date_slack_seconds) < birth.first;
        let failure = || fail(resource, "deceasedDateTime", "death before birth");
        tally.check(Category::Plausibility, "life", before.then(failure));
    }
}

fn times(rubric: &Rubric, resource: Resource<'_>, event: &Event<'_>, patient: Patient, tally: &mut Tally) {
    let names = fields(resource.kind());
    let start_name = names.starts.first().copied().unwrap_or("start");
    let Some(start) = event.start else { return };
    if let Some(birth) = patient.birth {
        let before = start.last.saturating_add(rubric.date_slack_seconds) < birth.first;
        let failure = || fail(resource, start_name, "dated before the patient's birth");
        tally.check(Category::Plausibility, "after-birth", before.then(failure));
    }
    if let Some(death) = patient.death {
        let after = start.first > death.last.saturating_add(rubric.after_death_slack_seconds);
        let failure = || fail(resource, start_name, "dated after the patient's death");
        tally.check(Category::Plausibility, "before-death", after.then(failure));
    }
    if let Some(end) = event.end {
        let turned = end.last.saturating_add(rubric.date_slack_seconds) < start.first;
        let failure = || fail(resource, names.ends.first().copied().unwrap_or("end"), "ends before it starts");
        tally.check(Category::Plausibility, "start-end", turned.then(failure));
    }
}

/// Stamps on papers may not lie ahead; what happened to the patient is gated before.
fn papers(rubric: &Rubric, resource: Resource<'_>, event: &Event<'_>, now: i64, tally: &mut Tally) {
    let names = fields(resource.kind());
    let (stamp, field) = match resource.kind() {
        Kind::DocumentReference => (event.start, names.starts),
        _ => (event.recorded, names.recorded),
    };
    let Some(stamp) = stamp else { return };
    let ahead = stamp.first > now.saturating_add(rubric.future_slack_seconds);
    let failure = || fail(resource, field.first().copied().unwrap_or("date"), "written down in the future");
    tally.check(Category::Plausibility, "written", ahead.then(failure));
}

fn sex(rubric: &Rubric, resource: Resource<'_>, event: &Event<'_>, sex: Sex, tally: &mut Tally) {
    let sex = match sex {
        Sex::Female => "female",
        Sex::Male => "male",
        Sex::Other | Sex::Unknown => return,
    };
    let element = fields(resource.kind()).codes.first().copied().unwrap_or("code");
    for coding in &event.codes {
        let rules = rubric.sex_specific.iter();
        let Some(rule) = rules.filter(|r| r.system == coding.system).find(|r| r.codes.contains(coding.code)) else {
            continue;
        };
        let failure = || fail(resource, element, &format!("about {}, which does not fit the patient's sex", rule.what));
        tally.check(Category::Plausibility, "sex", (rule.sex != sex).then(failure));
    }
}

fn ranges(rubric: &Rubric, resource: Resource<'_>, tally: &mut Tally) {
    for part in Observation::all(resource) {
        let Some(quantity) = part.quantity else { continue };
        // A wrong unit is counted under accuracy; without the unit the number says nothing.
        let Some((range, possible)) = is_possible(rubric, &part) else { continue };
        let failure = || Failure {
            element: format!("Observation ({})", range.name),
            path: format!("{}.{}valueQuantity.value", resource.path(), prefix(part.component)),
            text: format!("{} of this size is not possible in {}", range.name, quantity.unit),
        };
        tally.check(Category::Plausibility, "range", (!possible).then(failure));
    }
}
