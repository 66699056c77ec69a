//! The gateway against the real contracts on anvil, with stewards that are small servers in the test.
#![allow(missing_docs, clippy::unwrap_used)]

mod accounts;
mod actors;
mod chain;
mod claims;
mod data_model;
mod errands;
mod governance;
mod lockers;
mod path;
mod polls;
mod process;
mod queue;
mod reads;
mod researchers;
mod rig;
mod seasoned;
mod vault;
