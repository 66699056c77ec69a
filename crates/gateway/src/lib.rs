//! The gateway: public HTTP API, vault, indexer, relayer. It sees ciphertext only.
//!
//! One module a duty, wired in [`run`]: [`http`] takes requests; [`relayer`] sends statements that others signed to the
//! contracts and pays; [`forward`] brings sealed parts to the stewards of the [`directory`]; [`vault`] keeps sealed
//! records, [`scrub`] looks at them again and [`erasure`] deletes them; [`lockers`] are
//! what members' browsers keep; [`indexer`] keeps the [`store`] in step with the chain; [`proposals`] asks it once what
//! each proposal would change.
//!
//! **Architecture Invariant:** no key share, no consent receipt and no plaintext is kept here, and nothing that is
//! sealed can be opened here: this crate holds one key, which signs.

pub mod acts;
pub mod config;
pub mod directory;
pub mod erasure;
pub mod forward;
pub mod http;
pub mod indexer;
pub mod lockers;
pub mod problems;
pub mod proposals;
pub mod quota;
pub mod receipts;
pub mod relayer;
pub mod run;
pub mod scrub;
pub mod sizes;
pub mod store;
pub mod vault;

pub use config::Config;
