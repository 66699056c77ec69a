//! Who works on which order.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use alloy::primitives::B256;
use tokio::sync::Mutex as AsyncMutex;

/// One turn for each order that is worked on: the same order, sent twice at once, is worked on once.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<B256, Weak<AsyncMutex<()>>>>);

impl Turns {
    pub fn of(&self, order: B256) -> Arc<AsyncMutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        let held = turns.get(&order).and_then(Weak::upgrade);
        held.unwrap_or_else(|| {
            let turn = Arc::default();
            turns.insert(order, Arc::downgrade(&turn));
            turn
        })
    }
}
