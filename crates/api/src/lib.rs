//! The HTTP contract between members, researchers, gateway, stewards and worker.
//!
//! DTOs live here and nowhere else: rules use `rochdale_core`'s types, stores their own rows.
//! JSON is transport only; what is signed is EIP-712 ([`auth`]), what is secret travels HPKE-sealed as bytes.

pub mod account;
pub mod auth;
pub mod claim;
#[cfg(feature = "client")]
pub mod client;
pub mod contribution;
pub mod custody;
pub mod denial;
pub mod governance;
pub mod invitation;
pub mod kpi;
pub mod locker;
pub mod log;
pub mod logs;
pub mod member;
pub mod order;
pub mod poll;
pub mod problem;
pub mod reshare;
pub mod route;
#[cfg(feature = "server")]
pub mod server;
pub mod settlement;
pub mod shape;
pub mod status;
#[cfg(any(feature = "client", feature = "server"))]
pub mod trace;

pub use problem::{Problem, ProblemCode};
