//! What can be wrong with an input.

use std::io;

/// Why an input gave no record. Each message says what, where, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum FhirError {
    /// More bytes than a record may have.
    #[error(
        "{name}: larger than the limit of {limit} bytes a record; split the export into one file per patient, or raise the limit"
    )]
    TooLarge {
        /// The input, with its line in an NDJSON file.
        name: String,
        /// How many bytes are allowed.
        limit: usize,
    },
    /// Not JSON, cut short, or nested too deeply.
    #[error("{name}: not valid JSON at line {line}, column {column}: {detail}")]
    NotJson {
        /// The input, with its line in an NDJSON file.
        name: String,
        /// Line of the document, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser expected, and how to mend it.
        detail: String,
    },
    /// JSON, but not a FHIR bundle or patient.
    #[error(
        "{name}: JSON but not a FHIR record: {what} at {path}; give a Bundle that holds one Patient and what refers to it"
    )]
    NotFhir {
        /// The input, with its line in an NDJSON file.
        name: String,
        /// Where in the document.
        path: String,
        /// What was found instead.
        what: String,
    },
    /// A bundle that reports or changes, instead of holding a record.
    #[error(
        "{name}: a Bundle of type `{kind}` holds no record; give one of type transaction, batch, collection, searchset, document or message"
    )]
    BundleType {
        /// The input, with its line in an NDJSON file.
        name: String,
        /// The type that was found.
        kind: String,
    },
    /// Another version of FHIR.
    #[error(
        "{name}: FHIR {version}, to judge by {path}; convert it to R4 first, or export R4: fields of other versions would be lost"
    )]
    Version {
        /// The input, with its line in an NDJSON file.
        name: String,
        /// The version.
        version: &'static str,
        /// A field that R4 does not have so.
        path: String,
    },
    /// Bytes of something else than UTF-8 text.
    #[error("{name}: {what}")]
    Encoding {
        /// The input, with its line in an NDJSON file.
        name: String,
        /// What it is, and how to mend it.
        what: &'static str,
    },
    /// A bundle without a patient.
    #[error(
        "{name}: no Patient in the bundle; a record needs exactly one (files of hospitals and practitioners are not records)"
    )]
    NoPatient {
        /// The input, with its line in an NDJSON file.
        name: String,
    },
    /// A bundle with more than one patient.
    #[error(
        "{name}: {count} patients in one bundle, {first} and {second} among them; split it into one Bundle a patient"
    )]
    SeveralPatients {
        /// The input, with its line in an NDJSON file.
        name: String,
        /// How many there are.
        count: usize,
        /// Path and id of the first.
        first: String,
        /// Path and id of the second.
        second: String,
    },
    /// The bytes could not be read, or not be unpacked.
    #[error("{name}: cannot be read: {source}; check the file and its permissions, and that a .gz file is complete")]
    Read {
        /// The name of the input.
        name: String,
        /// What the reader said.
        source: io::Error,
    },
}
