//! Between two processes: what reaches the other end, whoever sits on the wire.
#![allow(clippy::unwrap_used, missing_docs)]

mod answers;
mod crowd;
mod sealed;
mod states;
mod wire;
