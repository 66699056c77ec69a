//! Integration tests of the rules.
#![allow(clippy::unwrap_used)]

mod bounds;
mod budget;
mod cases;
mod consents;
mod properties;
mod vectors;
mod worked_example;
