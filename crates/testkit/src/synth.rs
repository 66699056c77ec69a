//! Synthetic patients: plausible FHIR R4 bundles, the same for the same (seed, index, now) on every machine.
//!
//! They are made from the small tables of [`tables`], which are labelled as what they are: rough public orders of magnitude
//! for demonstrations and tests, no epidemiology. All dates lie before the `now` that is passed in.

mod build;
mod draw;
mod shape;
pub mod tables;

pub use build::patient;
pub use draw::{Draw, date_of, instant_of};
pub use shape::Shape;
