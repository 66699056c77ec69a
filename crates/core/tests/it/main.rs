//! Integration tests of the rules.
#![allow(clippy::unwrap_used)]

mod budget;
mod contests;
mod properties;
mod vectors;
mod worked_example;
