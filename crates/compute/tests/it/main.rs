//! The query path as a service uses it: pools from records, DataFusion against a naive evaluator, neighbours, releases.
#![allow(clippy::unwrap_used)]

mod engine;
mod neighbours;
mod pool;
mod reference;
mod release;
mod world;
