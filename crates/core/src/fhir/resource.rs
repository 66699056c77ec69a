//! One resource of a record.

use super::json::{Document, Json, Number};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// The resource types that rules know; the rest is carried along.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $name,)+
            /// Any other type.
            Other,
        }

        impl Kind {
            /// The kind of a resource type's name.
            #[must_use]
            pub fn of(type_name: &str) -> Self {
                match type_name {
                    $(stringify!($name) => Self::$name,)+
                    _ => Self::Other,
                }
            }
        }
    };
}

kinds!(
    /// Who the record is about.
    Patient,
    /// A problem or diagnosis.
    Condition,
    /// A measurement, test result or answer.
    Observation,
    /// An order for a medication.
    MedicationRequest,
    /// A medication as the patient takes it.
    MedicationStatement,
    /// A medication that was given.
    MedicationAdministration,
    /// A visit or stay.
    Encounter,
    /// A vaccination.
    Immunization,
    /// Something done to or for the patient.
    Procedure,
    /// An allergy or intolerance.
    AllergyIntolerance,
    /// A report over observations.
    DiagnosticReport,
    /// A document or note.
    DocumentReference,
    /// A plan of care.
    CarePlan,
    /// The people who care for the patient.
    CareTeam,
    /// A goal of care.
    Goal,
    /// What a medication is, where events refer to it.
    Medication,
);

/// Where a resource stands in its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the document.
    Alone,
    /// An entry of the bundle.
    Entry(u32),
    /// An entry of a bundle that is itself an entry.
    Inner(u32, u32),
    /// A parameter.
    Parameter(u32),
}

impl Place {
    /// Its path; `name` is the resource's type.
    fn path(self, name: &str) -> String {
        match self {
            Self::Alone => name.to_owned(),
            Self::Entry(number) => format!("Bundle.entry[{number}].resource"),
            Self::Inner(outer, number) => format!("Bundle.entry[{outer}].resource.entry[{number}].resource"),
            Self::Parameter(number) => format!("Parameters.parameter[{number}].resource"),
        }
    }
}

/// Whom a resource is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// It names nobody.
    None,
    /// The record's patient.
    Patient,
    /// Another resource of the record or no person (a device, a place, a contained relative): no part of the patient's data.
    Other,
    /// Somebody whom the field names in words alone.
    Nameless(&'static str),
    /// Somebody who is not in the record; the position of the reference field in the resource's own words.
    Unresolved(&'static str),
}

/// What is kept of a resource beside its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    kind: Kind,
    stands: Place,
    /// Where its full URL and itself lie in the document.
    full_url: Option<u32>,
    place: u32,
    subject: Subject,
}

impl Entry {
    /// A resource that names nobody yet.
    pub(super) fn new(stands: Place, full_url: Option<Json<'_>>, value: Json<'_>) -> Self {
        let kind = value.get("resourceType").and_then(Json::as_str).map_or(Kind::Other, Kind::of);
        Self { kind, stands, full_url: full_url.map(Json::place), place: value.place(), subject: Subject::None }
    }

    /// Says whom it is about, once its references are resolved.
    pub(super) fn set_subject(&mut self, subject: Subject) {
        self.subject = subject;
    }

    pub(super) fn of(self, document: &Document) -> Resource<'_> {
        Resource { document, entry: self }
    }
}

/// A resource with its place in the bundle.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    document: &'a Document,
    entry: Entry,
}

impl<'a> Resource<'a> {
    /// What kind of resource it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.entry.kind
    }

    /// The name of its type.
    #[must_use]
    pub fn type_name(self) -> &'a str {
        self.value().get("resourceType").and_then(Json::as_str).unwrap_or_default()
    }

    /// Its id, where it has one.
    #[must_use]
    pub fn id(self) -> Option<&'a str> {
        self.value().get("id").and_then(Json::as_str).filter(|id| !id.is_empty())
    }

    /// Whether this is its id, also where the export wrote a number.
    #[must_use]
    pub(super) fn has_id(self, id: &str) -> bool {
        match self.value().get("id") {
            Some(own) if own.as_number().is_some() => number_text(own).as_deref() == Some(id),
            own => own.and_then(Json::as_str) == Some(id),
        }
    }

    /// The entry's full URL, where it has one.
    #[must_use]
    pub fn full_url(self) -> Option<&'a str> {
        self.entry.full_url.and_then(|place| self.document.value_at(place).as_str())
    }

    /// The resource itself: an object with a `resourceType`.
    #[must_use]
    pub fn value(self) -> Json<'a> {
        self.document.value_at(self.entry.place)
    }

    /// Whom it is about.
    #[must_use]
    pub fn subject(self) -> Subject {
        self.entry.subject
    }

    /// Where it stands in the document that was read, as `Bundle.entry[7].resource`.
    #[must_use]
    pub fn path(self) -> String {
        self.entry.stands.path(self.type_name())
    }

    /// Path and name for messages, as `Bundle.entry[7].resource (Patient/12)`; ids only, never a person's name.
    #[must_use]
    pub fn label(self) -> String {
        let name = self.id().map(|id| format!("{}/{id}", self.type_name()));
        match name.or_else(|| self.full_url().map(str::to_owned)) {
            Some(name) => format!("{} ({name})", self.path()),
            None => self.path(),
        }
    }
}

/// The digits of an id that an export wrote as a number.
pub(super) fn number_text(id: Json<'_>) -> Option<String> {
    match id.as_number()? {
        Number::Natural(number) => Some(number.to_string()),
        Number::Negative(_) | Number::Float(_) => None,
    }
}
