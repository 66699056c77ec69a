//! The worker: the only process that opens pooled records.
//!
//! ```text
//! `route::worker::QUERY` ─ order ─▶ snapshot ─▶ signatures ─▶ debit on chain ─▶ release ─▶ open ─▶ query + noise ─▶ receipt ─▶ sealed answer
//! ```
//!
//! [`query`] is the way of one order from the first check to the sealed answer; each step's duty has its module:
//! [`order`] (may this be asked?), [`snapshot`] (of whom?), [`release`] (shares), [`replica`] (the vault's copy), [`records`] and [`rows`]
//! (blobs to rows). [`committee`] asks the stewards, [`store`] remembers, [`run`] wires.
//!
//! **Architecture Invariant:** an order is written to the store before the first steward hears of it, a quorum's signatures
//! before the debit leaves, the sealed answer before its receipt leaves: a crash at any point is continued
//! from there, and no order is charged twice.
//! **Architecture Invariant:** no record, row or exact result reaches the store, a log line or an error; nor does the number of records
//! in a snapshot, or of those left out.
//! **Architecture Invariant:** what is fetched from the vault depends on the registry alone, never on an order.

pub mod committee;
pub mod config;
mod earlier;
pub mod http;
pub mod keys;
pub mod order;
pub mod problems;
pub mod query;
pub mod records;
pub mod release;
pub mod replica;
mod replicate;
pub mod rows;
pub mod run;
pub mod snapshot;
pub mod store;
mod turns;
pub mod worker;
