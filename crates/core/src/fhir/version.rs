//! Which FHIR version a bundle is written in. Bundles do not say; their resources' fields do.
//!
//! Source: the "R3 Diff" and "R4 Diff" pages of each resource in FHIR R4 and R5.

use super::json::Json;
use super::resource::Resource;

/// A version of FHIR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Dstu2,
    Stu3,
    /// The one that is read.
    R4,
    R5,
}

impl Version {
    const OTHERS: [Self; 3] = [Self::Dstu2, Self::Stu3, Self::R5];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Dstu2 => "DSTU2",
            Self::Stu3 => "STU3",
            Self::R4 => "R4",
            Self::R5 => "R5",
        }
    }
}

/// A field that only some versions have in this form.
struct Sign {
    kind: &'static str,
    field: &'static str,
    form: Form,
    of: &'static [Version],
}

#[derive(Clone, Copy)]
enum Form {
    Any,
    Text,
    Object,
    List,
}

const fn sign(kind: &'static str, field: &'static str, form: Form, of: &'static [Version]) -> Sign {
    Sign { kind, field, form, of }
}

const SIGNS: &[Sign] = &[
    sign("Condition", "clinicalStatus", Form::Text, &[Version::Dstu2, Version::Stu3]),
    sign("Condition", "clinicalStatus", Form::Object, &[Version::R4, Version::R5]),
    sign("Condition", "verificationStatus", Form::Text, &[Version::Dstu2, Version::Stu3]),
    sign("Condition", "dateRecorded", Form::Any, &[Version::Dstu2]),
    sign("Condition", "assertedDate", Form::Any, &[Version::Stu3]),
    sign("Condition", "recordedDate", Form::Any, &[Version::R4, Version::R5]),
    sign("Condition", "patient", Form::Any, &[Version::Dstu2]),
    sign("Condition", "context", Form::Any, &[Version::Stu3]),
    sign("Condition", "participant", Form::Any, &[Version::R5]),
    sign("AllergyIntolerance", "clinicalStatus", Form::Text, &[Version::Stu3]),
    sign("AllergyIntolerance", "clinicalStatus", Form::Object, &[Version::R4, Version::R5]),
    sign("AllergyIntolerance", "substance", Form::Any, &[Version::Dstu2]),
    sign("AllergyIntolerance", "assertedDate", Form::Any, &[Version::Stu3]),
    sign("Encounter", "patient", Form::Any, &[Version::Dstu2]),
    sign("Encounter", "class", Form::Text, &[Version::Dstu2]),
    sign("Encounter", "class", Form::List, &[Version::R5]),
    sign("Encounter", "period", Form::Any, &[Version::Dstu2, Version::Stu3, Version::R4]),
    sign("Encounter", "actualPeriod", Form::Any, &[Version::R5]),
    sign("Observation", "comments", Form::Any, &[Version::Dstu2]),
    sign("Observation", "comment", Form::Any, &[Version::Stu3]),
    sign("Observation", "context", Form::Any, &[Version::Stu3]),
    sign("Observation", "related", Form::Any, &[Version::Dstu2, Version::Stu3]),
    sign("MedicationOrder", "", Form::Any, &[Version::Dstu2]),
    sign("DiagnosticOrder", "", Form::Any, &[Version::Dstu2]),
    sign("ProcedureRequest", "", Form::Any, &[Version::Dstu2, Version::Stu3]),
    sign("ReferralRequest", "", Form::Any, &[Version::Dstu2, Version::Stu3]),
    sign("MedicationRequest", "context", Form::Any, &[Version::Stu3]),
    sign("MedicationRequest", "medicationCodeableConcept", Form::Any, &[Version::Stu3, Version::R4]),
    sign("MedicationRequest", "medicationReference", Form::Any, &[Version::Stu3, Version::R4]),
    sign("MedicationRequest", "medication", Form::Object, &[Version::R5]),
    sign("MedicationStatement", "wasNotTaken", Form::Any, &[Version::Dstu2]),
    sign("MedicationStatement", "taken", Form::Any, &[Version::Stu3]),
    sign("MedicationStatement", "medication", Form::Object, &[Version::R5]),
    sign("MedicationAdministration", "medication", Form::Object, &[Version::R5]),
    sign("Procedure", "notPerformed", Form::Any, &[Version::Dstu2]),
    sign("Procedure", "notDone", Form::Any, &[Version::Stu3]),
    sign("Procedure", "context", Form::Any, &[Version::Stu3]),
    sign("Procedure", "performedDateTime", Form::Any, &[Version::Dstu2, Version::Stu3, Version::R4]),
    sign("Procedure", "performedPeriod", Form::Any, &[Version::Dstu2, Version::Stu3, Version::R4]),
    sign("Procedure", "occurrenceDateTime", Form::Any, &[Version::R5]),
    sign("Procedure", "occurrencePeriod", Form::Any, &[Version::R5]),
    sign("Immunization", "date", Form::Any, &[Version::Dstu2, Version::Stu3]),
    sign("Immunization", "occurrenceDateTime", Form::Any, &[Version::R4, Version::R5]),
    sign("Immunization", "wasNotGiven", Form::Any, &[Version::Dstu2]),
    sign("Immunization", "notGiven", Form::Any, &[Version::Stu3]),
    sign("DiagnosticReport", "codedDiagnosis", Form::Any, &[Version::Dstu2, Version::Stu3]),
    sign("Patient", "careProvider", Form::Any, &[Version::Dstu2]),
    sign("Patient", "animal", Form::Any, &[Version::Dstu2, Version::Stu3]),
];

/// What speaks for a version and against R4, and the other way round.
#[derive(Default)]
struct Votes {
    for_it: u32,
    against: u32,
    first: Option<String>,
}

/// One in so many resources that could show their version has to, and more than one: a field that somebody made up is that field's fault.
const SHARE: u32 = 20;

/// The version that more speaks for than for R4, of what the two do not share, with the first field that says so.
pub(super) fn foreign<'a>(resources: impl Iterator<Item = Resource<'a>>) -> Option<(Version, String)> {
    let (mut looked_at, mut votes) = (0u32, Version::OTHERS.map(|version| (version, Votes::default())));
    for resource in resources {
        let mut signs = SIGNS.iter().filter(|sign| sign.kind == resource.type_name()).peekable();
        looked_at = looked_at.saturating_add(u32::from(signs.peek().is_some()));
        for sign in signs.filter(|sign| sign.is_on(resource.value())) {
            let is_r4 = sign.of.contains(&Version::R4);
            for (version, votes) in &mut votes {
                match (sign.of.contains(version), is_r4) {
                    (true, false) => {
                        votes.for_it = votes.for_it.saturating_add(1);
                        votes.first.get_or_insert_with(|| sign.place(resource));
                    }
                    (false, true) => votes.against = votes.against.saturating_add(1),
                    _ => {}
                }
            }
        }
    }
    let most = votes.into_iter().max_by_key(|(_, votes)| votes.for_it)?;
    let (version, Votes { for_it, against, first }) = most;
    (for_it > 1 && for_it > against && for_it.saturating_mul(SHARE) >= looked_at)
        .then(|| (version, first.unwrap_or_default()))
}

impl Sign {
    fn place(&self, resource: Resource<'_>) -> String {
        let dot = if self.field.is_empty() { "" } else { "." };
        format!("{}{dot}{}", resource.path(), self.field)
    }

    fn is_on(&self, resource: Json<'_>) -> bool {
        if self.field.is_empty() {
            return true;
        }
        let Some(value) = resource.get(self.field).filter(|value| !value.is_null()) else { return false };
        match self.form {
            Form::Any => true,
            Form::Text => value.as_str().is_some(),
            Form::Object => value.is_object(),
            Form::List => value.is_array(),
        }
    }
}
