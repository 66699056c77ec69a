//! Three stewards against a real chain, each with its own store and HTTP server; the gateway is a small vault that relays
//! proposals.
#![allow(clippy::unwrap_used)]

mod access;
mod awards;
mod contests;
mod custody;
mod data_model;
mod denials;
mod disputes;
mod erasure;
mod flaky;
mod hung;
mod keys;
mod liveness;
mod lying;
mod objections;
mod packages;
mod process;
mod queries;
mod reseat;
mod resharing;
mod restore;
mod round;
mod sampling;
mod scores;
mod sessions;
mod snapshots;
mod stolen;
mod tree;
mod wire;
mod world;
