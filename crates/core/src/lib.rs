//! The rules of a patient data cooperative, as pure functions over plain values.
//!
//! **Architecture Invariant:** nothing in this crate performs I/O, reads a clock or draws a random number;
//! what it needs is passed in. Money, budgets and scores are integers with their unit in the type.

pub mod budget;
pub mod calendar;
pub mod commit;
pub mod consent;
pub mod draw;
pub mod expect;
pub mod fhir;
pub mod ids;
pub mod ledger;
pub mod measure;
pub mod money;
pub mod order;
pub mod poll;
pub mod query;
pub mod reading;
pub mod score;
pub mod size;
pub mod stability;
pub mod units;
