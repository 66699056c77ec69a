//! The registrar among real stewards, a real gateway and a real chain; only what goes wrong is made by the test.
#![allow(clippy::unwrap_used, missing_docs)]

mod admissions;
mod data_model;
mod office;
mod process;
mod rig;
