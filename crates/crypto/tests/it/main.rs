//! Tests of the crate as its users see it.
#![allow(clippy::unwrap_used)]

mod envelope;
mod flow;
mod keyfile;
mod keystore;
mod resharing;
mod sealing;
mod sharing;
mod support;
mod vectors;
