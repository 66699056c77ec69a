//! Reading FHIR R4: from bytes of any shape found in practice to one [`Record`] per patient.
//!
//! The way of a file: [`pieces`] splits it into bundles of one patient each (or says why not), each becomes a
//! [`Record`] whose subject references are resolved, [`flatten`] turns a record into integers for the query engine,
//! and [`record_digest`] names its content whatever ids and wrapping an export gave it.
//!
//! Input is hostile by assumption: sizes are bounded before parsing, depth is bounded by the JSON parser (128), and
//! nothing here panics on any bytes. Messages carry paths and resource ids, never names or values of a patient.

mod canonical;
mod code;
mod date;
mod decimal;
mod digest;
mod error;
mod flat;
mod json;
mod listing;
mod person;
mod record;
mod reference;
mod resource;
mod split;
#[cfg(test)]
mod testing;
mod ucum;
mod unit;
mod version;
mod view;

pub(crate) use code::is_known;
pub use code::{CVX, Coding, ICD10CM, LOINC, RXNORM, SNOMED, UCUM, codings, loinc_is_valid, snomed_is_valid};
pub use date::{Date, Precision, SECONDS_PER_DAY, day_of};
pub use digest::record_digest;
pub use error::FhirError;
pub use flat::{Flat, FlatCode, FlatKind, FlatObservation, flatten};
pub use json::{Document, Fields, Items, Json, Number};
pub use listing::Limits;
pub use record::Record;
pub use reference::{Resolution, Resolver};
pub use resource::{Kind, Resource, Subject};
pub use split::{LoneResource, Piece, Pieces, SkipReason, Skipped, SourceRecord, pieces};
pub use ucum::unit_is_valid;
pub use unit::{Factor, conversion};
pub use view::{Event, Observation, Patient, Quantity, Sex};
pub(crate) use view::{at, fields, is_present, text};
