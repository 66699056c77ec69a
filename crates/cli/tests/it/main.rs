//! The `rochdale` command as a person uses it: real processes, a real chain, files as they come.
#![allow(clippy::unwrap_used, missing_docs)]

mod audit;
mod backup;
mod bad_input;
mod daily;
mod deploy;
mod directory;
mod disputes;
mod kill;
mod learning;
mod market;
mod newcomers;
mod observe;
mod polls;
mod restarts;
mod support;
mod typed;
mod upgrade;
mod voting;
