//! The steward: key shares, scores, privacy budgets, settlement.
//!
//! One module per duty, wired in [`run`]:
//!
//! | module | duty |
//! |---|---|
//! | [`custody`], `offers` | verifies what members seal to this steward and keeps it wrapped; row keys before an admission |
//! | [`catchup`] | takes what it missed from peers, checked against the chain |
//! | [`scoring`] | opens the records it has drawn, signs scores |
//! | [`inputs`], [`settlement`] | replays the ledger's step, signs headers, proposes |
//! | [`awards`] | keeps signed program awards and holds them to their caps |
//! | [`snapshot`], [`accounts`], [`debits`], [`release`] | who is in a pool, what each person has left; signs debits, re-seals shares to workers |
//! | `denials` | obeys what members withdraw past the gateway, and tells others of it |
//! | [`erasure`] | destroys what members erased |
//! | [`resharing`] | deals shares to a committee that is seated later, takes its own; older ones stay |
//! | [`retention`] | deletes what was kept for its time |
//! | `restored` | promises nothing after a restore, until everything is caught up |
//! | [`sealing`] | rotates what others seal to, each epoch, and destroys it |
//! | [`members`] | leaves, proofs, a member's own row |
//! | [`callers`] | who may call what, before anything is read or written |
//! | [`audit`] | recomputes everything, read-only |
//! | [`transcript`] | what an appointed auditor recomputes it from |
//!
//! **Architecture Invariant:** no query engine and no relayer in the dependency tree (a test looks): whoever takes over a
//! steward gets shares and scores, and nothing that could open a pool. The one transaction that it may send, an objection,
//! comes from the seat's own account, where its operator set a limit.

pub mod accounts;
pub mod audit;
pub mod awards;
pub mod callers;
pub mod catchup;
pub mod config;
pub mod custody;
pub mod debits;
mod denials;
pub mod erasure;
mod falsified;
pub mod folding;
pub mod held;
pub mod http;
pub mod inputs;
pub mod jobs;
pub mod keys;
pub mod members;
mod offers;
pub mod record;
pub mod release;
pub mod resharing;
mod restored;
pub mod retention;
pub mod run;
pub mod scoring;
pub mod sealing;
mod seen;
pub mod settlement;
pub mod sizes;
pub mod snapshot;
pub mod steward;
pub mod store;
pub mod transcript;
