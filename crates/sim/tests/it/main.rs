//! A chain in this process, and years on it and on others.
#![allow(clippy::unwrap_used)]

mod evm;
mod year;
