//! Whom we told of withdrawals, and when they are told again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use alloy::primitives::Address;
use rochdale_core::ids::MemberId;
use tokio::sync::Mutex;

/// To whom which withdrawal is told, by member, number, whether it erases, and account; the gateway's is zero.
pub(crate) type Errand = (MemberId, u64, bool, Address);

/// How often somebody was told, and when it is time again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub tries: u32,
    pub at: Instant,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passing(pub(crate) Arc<Mutex<BTreeMap<Errand, Told>>>);
