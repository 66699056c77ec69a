//! Typed query to plan to differentially private answer.
//!
//! ```text
//! core::fhir::Flat ─ pool ─▶ Pool ─ plan ─▶ DataFusion ─ engine ─▶ Exact ─ release ─▶ Answer
//! ```
//!
//! **Architecture Invariant:** an [`Exact`](engine::Exact) result leaves this process only through
//! [`release`](release::release); no error, log line or `Debug` output holds a value of a record.
//! **Architecture Invariant:** how far one person moves a figure is told by `core::stability` and nowhere else.
//! **Architecture Invariant:** every random number of a release comes from OpenDP, which draws from OpenSSL.

pub mod engine;
pub mod noise;
pub mod plan;
pub mod pool;
pub mod release;
