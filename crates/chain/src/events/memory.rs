//! A store in memory, for tests and for programs that read the whole history anew.

use std::convert::Infallible;

use super::{Located, Store};
use crate::client::BlockRef;

/// This store does not fail.
pub type MemoryError = Infallible;

/// Blocks and events in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    blocks: Vec<BlockRef>,
    events: Vec<Located>,
    known_final: Option<BlockRef>,
}

impl MemoryStore {
    /// All events, oldest first.
    #[must_use]
    pub fn events(&self) -> &[Located] {
        &self.events
    }
}

impl Store for MemoryStore {
    type Error = MemoryError;

    async fn recent(&self, limit: usize) -> Result<Vec<BlockRef>, MemoryError> {
        Ok(self.blocks.iter().rev().take(limit).copied().collect())
    }

    async fn apply(&mut self, block: &BlockRef, events: &[Located]) -> Result<(), MemoryError> {
        self.blocks.push(*block);
        self.events.extend_from_slice(events);
        Ok(())
    }

    async fn rollback_to(&mut self, block: Option<&BlockRef>) -> Result<(), MemoryError> {
        let keep = block.map_or(0, |b| b.number + 1);
        self.blocks.retain(|b| b.number < keep);
        self.events.retain(|e| e.block_number < keep);
        Ok(())
    }

    async fn known_final(&self) -> Result<Option<BlockRef>, MemoryError> {
        Ok(self.known_final)
    }

    async fn keep_final(&mut self, block: &BlockRef) -> Result<(), MemoryError> {
        self.known_final = Some(*block);
        Ok(())
    }
}
