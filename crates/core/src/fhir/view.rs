//! Small typed views over the resource types that the rules read. They borrow from the record and never fail: what
//! is missing or of another type reads as `None`.

use super::code::{Coding, UCUM, codings, system_url};
use super::date::Date;
use super::decimal::{milli, milli_of_text};
use super::json::Json;
use super::resource::{Kind, Resource};

/// Administrative sex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sex {
    /// `female`
    Female,
    /// `male`
    Male,
    /// `other`
    Other,
    /// `unknown`, missing or unreadable.
    Unknown,
}

/// What the rules read of a Patient.
#[derive(Clone, Copy, Debug)]
pub struct Patient {
    /// `gender`.
    pub sex: Sex,
    /// `birthDate`.
    pub birth: Option<Date>,
    /// Whether the patient is stated dead.
    pub deceased: bool,
    /// `deceasedDateTime`.
    pub death: Option<Date>,
}

impl Patient {
    /// Reads a Patient resource.
    #[must_use]
    pub fn of(resource: Resource<'_>) -> Self {
        let value = resource.value();
        let death = date(value.get("deceasedDateTime"));
        Self {
            sex: match text(value.get("gender")) {
                Some("female") => Sex::Female,
                Some("male") => Sex::Male,
                Some("other") => Sex::Other,
                _ => Sex::Unknown,
            },
            birth: date(value.get("birthDate")),
            deceased: death.is_some() || value.get("deceasedBoolean").and_then(Json::as_bool) == Some(true),
            death,
        }
    }
}

/// Something that happened: what, when, and whether it counts. One view serves conditions, medications, encounters,
/// immunizations, procedures, allergies, reports and documents.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// What kind of resource it is.
    pub kind: Kind,
    /// What it was, in every coding given.
    pub codes: Vec<Coding<'a>>,
    /// When it began, happened or was ordered.
    pub start: Option<Date>,
    /// When it ended.
    pub end: Option<Date>,
    /// When it was written down.
    pub recorded: Option<Date>,
    /// `false` where the record itself says that it did not happen: entered in error, refuted, not done, cancelled.
    pub counts: bool,
    /// Whether it is stated as yet to happen (planned, draft), so that its dates may lie ahead.
    pub planned: bool,
}

impl<'a> Event<'a> {
    /// Reads any resource as an event; a medication that stands by reference has no code here, but in [`super::Record::event`].
    #[must_use]
    pub fn of(resource: Resource<'a>) -> Self {
        let value = resource.value();
        let kind = resource.kind();
        let fields = fields(kind);
        let status = text(value.get("status")).unwrap_or_default();
        let verification = codings(value.get("verificationStatus"));
        let denied = matches!(status, "entered-in-error" | "not-done" | "cancelled" | "not-taken")
            || value.get("doNotPerform").and_then(Json::as_bool) == Some(true)
            || verification.iter().any(|c| matches!(c.code, "refuted" | "entered-in-error"));
        Self {
            kind,
            codes: fields.codes.iter().flat_map(|field| codings(value.get(field))).collect(),
            start: fields.starts.iter().find_map(|path| date(at(value, path))),
            end: fields.ends.iter().find_map(|path| date(at(value, path))),
            recorded: fields.recorded.iter().find_map(|path| date(at(value, path))),
            counts: !denied,
            planned: matches!(status, "planned" | "draft" | "preparation" | "proposed" | "registered" | "intended"),
        }
    }
}

/// Where a kind keeps its codes and dates; periods are written `field.start`.
pub(crate) struct Fields {
    pub(crate) codes: &'static [&'static str],
    pub(crate) starts: &'static [&'static str],
    pub(crate) ends: &'static [&'static str],
    pub(crate) recorded: &'static [&'static str],
}

const fn of(
    codes: &'static [&'static str],
    starts: &'static [&'static str],
    ends: &'static [&'static str],
    recorded: &'static [&'static str],
) -> Fields {
    Fields { codes, starts, ends, recorded }
}

/// The fields of a kind.
pub(crate) fn fields(kind: Kind) -> Fields {
    match kind {
        Kind::Condition => of(
            &["code"],
            &["onsetDateTime", "onsetPeriod.start"],
            &["abatementDateTime", "abatementPeriod.end", "abatementPeriod.start"],
            &["recordedDate"],
        ),
        Kind::Observation | Kind::DiagnosticReport => of(
            &["code"],
            &["effectiveDateTime", "effectiveInstant", "effectivePeriod.start"],
            &["effectivePeriod.end"],
            &["issued"],
        ),
        Kind::MedicationRequest => of(&["medicationCodeableConcept"], &["authoredOn"], &[], &[]),
        Kind::MedicationStatement | Kind::MedicationAdministration => of(
            &["medicationCodeableConcept"],
            &["effectiveDateTime", "effectivePeriod.start"],
            &["effectivePeriod.end"],
            &["dateAsserted"],
        ),
        Kind::Encounter => of(&["type", "class"], &["period.start"], &["period.end"], &[]),
        Kind::Immunization => of(&["vaccineCode"], &["occurrenceDateTime"], &[], &["recorded"]),
        Kind::Procedure => {
            of(&["code"], &["performedDateTime", "performedPeriod.start"], &["performedPeriod.end"], &[])
        }
        Kind::AllergyIntolerance => {
            of(&["code"], &["onsetDateTime", "onsetPeriod.start"], &["lastOccurrence"], &["recordedDate"])
        }
        Kind::DocumentReference => of(&["type"], &["date"], &[], &[]),
        Kind::CarePlan => of(&["category"], &["period.start"], &["period.end"], &["created"]),
        Kind::CareTeam => of(&["category"], &["period.start"], &["period.end"], &[]),
        Kind::Goal => of(&["description"], &["startDate"], &[], &["statusDate"]),
        Kind::Medication => of(&["code"], &[], &[], &[]),
        Kind::Patient | Kind::Other => of(&[], &[], &[], &[]),
    }
}

/// A measured amount.
#[derive(Clone, Copy, Debug)]
pub struct Quantity<'a> {
    /// The amount in thousandths of the unit; `None` where it does not fit.
    pub milli: Option<i64>,
    /// Whether the amount is text in quotes and no number.
    pub quoted: bool,
    /// The unit's code, or its printed form where there is no code.
    pub unit: &'a str,
    /// Whether the unit is a UCUM code, and not only printed text.
    pub coded: bool,
    /// Whether the number is only a bound (`<`, `>=`, …).
    pub bound_only: bool,
}

/// One measured thing of an Observation: the observation itself, or one of its components.
#[derive(Clone, Debug)]
pub struct Observation<'a> {
    /// Position among the components, `None` for the observation itself.
    pub component: Option<usize>,
    /// What was measured, in every coding given.
    pub codes: Vec<Coding<'a>>,
    /// The amount, where the result is one.
    pub quantity: Option<Quantity<'a>>,
    /// The result, of whatever kind; an amount that cannot be read is none.
    pub result: Option<Json<'a>>,
    /// Whether there is an amount that cannot be read.
    pub unreadable: bool,
}

/// The result that is an amount.
const QUANTITY: &str = "valueQuantity";
/// Components of an Observation that are looked at; real ones have some dozens.
const MOST_COMPONENTS: usize = 256;

/// The forms of a result.
const VALUES: [&str; 11] = [
    QUANTITY,
    "valueCodeableConcept",
    "valueString",
    "valueBoolean",
    "valueInteger",
    "valueRange",
    "valueRatio",
    "valueSampledData",
    "valueTime",
    "valueDateTime",
    "valuePeriod",
];

fn result(part: Json<'_>) -> Option<Json<'_>> {
    let given = VALUES.iter().filter_map(|name| Some((*name, part.get(name)?)));
    let mut read = given.filter(|(name, value)| *name != QUANTITY || quantity(Some(*value)).is_some());
    read.find(|(_, value)| is_present(Some(*value))).map(|(_, value)| value)
}

/// Whether an element says anything: neither null nor blank, and neither an array nor an object of nothing but that.
pub(crate) fn is_present(value: Option<Json<'_>>) -> bool {
    let Some(value) = value.filter(|value| !value.is_null()) else { return false };
    if value.is_array() {
        return value.items().any(|item| is_present(Some(item)));
    }
    if value.is_object() {
        return value.fields().any(|(_, inner)| is_present(Some(inner)));
    }
    value.as_str().is_none_or(|text| !text.trim().is_empty())
}

impl<'a> Observation<'a> {
    /// The measured things of an Observation resource.
    #[must_use]
    pub fn all(resource: Resource<'a>) -> Vec<Self> {
        let value = resource.value();
        let components = value.get("component").into_iter().flat_map(Json::items).take(MOST_COMPONENTS);
        let one = |component, part: Json<'a>| Self {
            component,
            codes: codings(part.get("code")),
            quantity: quantity(part.get("valueQuantity")),
            result: result(part),
            unreadable: is_present(part.get(QUANTITY)) && quantity(part.get(QUANTITY)).is_none(),
        };
        let parts = components.enumerate().map(|(index, part)| one(Some(index), part));
        std::iter::once(one(None, value)).chain(parts).collect()
    }
}

fn quantity(value: Option<Json<'_>>) -> Option<Quantity<'_>> {
    let value = value?;
    let number = value.get("value").filter(|number| number.as_number().is_some() || number.as_str().is_some())?;
    let quoted = number.as_str();
    let milli = quoted.map_or_else(|| milli(number), |text| milli_of_text(text.trim()));
    if quoted.is_some() && milli.is_none() {
        return None;
    }
    let code = text(value.get("code")).map(str::trim);
    Some(Quantity {
        milli,
        quoted: quoted.is_some(),
        unit: code.or_else(|| text(value.get("unit"))).unwrap_or_default(),
        coded: code.is_some() && text(value.get("system")).map(system_url) == Some(UCUM),
        bound_only: value.get("comparator").is_some_and(|c| !c.is_null()),
    })
}

/// The value at a dotted path of object fields.
pub(crate) fn at<'a>(value: Json<'a>, path: &str) -> Option<Json<'a>> {
    path.split('.').try_fold(value, |value, field| value.get(field))
}

pub(crate) fn text(value: Option<Json<'_>>) -> Option<&str> {
    value.and_then(Json::as_str).filter(|text| !text.is_empty())
}

pub(crate) fn date(value: Option<Json<'_>>) -> Option<Date> {
    text(value).and_then(Date::parse)
}
