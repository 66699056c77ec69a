//! The worker among real stewards, a real gateway and a real chain; only what goes wrong is made by the test.
#![allow(clippy::unwrap_used, missing_docs)]

mod copies;
mod data_model;
mod guesses;
mod interrupted;
mod process;
mod reads;
mod refused;
mod rig;
mod round;
mod secrecy;
mod tap;
