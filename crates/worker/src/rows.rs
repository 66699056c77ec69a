//! Rows of records that were opened a while ago.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy::primitives::B256;
use rochdale_chain::client::Clock;
use rochdale_core::fhir::{Flat, FlatCode, FlatObservation};
use rochdale_core::ids::ContributionId;
use rochdale_crypto::Header;
use zeroize::Zeroize as _;

/// A record's rows; its texts are overwritten when it is dropped.
pub struct Opened {
    /// The blob it was opened from.
    pub blob_digest: B256,
    /// The blob's header.
    pub header: Header,
    /// The day on which "the future" began.
    pub cut_day: i32,
    /// What is kept of it.
    pub rows: Flat,
}

impl Drop for Opened {
    fn drop(&mut self) {
        for code in &mut self.rows.codes {
            code.system.zeroize();
            code.code.zeroize();
        }
        for row in &mut self.rows.observations {
            row.system.zeroize();
            row.code.zeroize();
            row.unit.zeroize();
            row.value_milli.zeroize();
        }
    }
}

impl Opened {
    /// Bytes that the rows take in memory, near enough to bound a cache.
    fn bytes(&self) -> usize {
        let texts = self.rows.codes.iter().map(|code| code.system.len() + code.code.len());
        let rows = self.rows.observations.iter().map(|row| row.system.len() + row.code.len() + row.unit.len());
        let held =
            self.rows.codes.len() * size_of::<FlatCode>() + self.rows.observations.len() * size_of::<FlatObservation>();
        held + texts.sum::<usize>() + rows.sum::<usize>()
    }
}

/// Rows of opened records for a while, and never more of them than fit: beyond the limit a record is opened anew for each
/// query, so that memory does not grow with the pool.
pub struct RowCache {
    ttl: Duration,
    most_bytes: usize,
    clock: Arc<dyn Clock>,
    rows: Mutex<HashMap<ContributionId, Held>>,
}

/// Cached rows, since when, and how many bytes.
struct Held {
    opened: Arc<Opened>,
    since: Duration,
    bytes: usize,
}

impl RowCache {
    /// An empty cache that forgets after `ttl` and holds at most `most_bytes`.
    #[must_use]
    pub fn new(ttl: Duration, most_bytes: usize, clock: Arc<dyn Clock>) -> Self {
        Self { ttl, most_bytes, clock, rows: Mutex::default() }
    }

    /// Forgets what is older than allowed.
    pub fn expire(&self) {
        let now = self.clock.elapsed();
        self.lock().retain(|_, held| now.saturating_sub(held.since) < self.ttl);
    }

    /// Number of records whose rows are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether no rows are held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// The rows of a record, of this blob and day.
    pub fn get(&self, id: ContributionId, blob_digest: B256, cut_day: i32) -> Option<Arc<Opened>> {
        let rows = self.lock();
        let opened = &rows.get(&id)?.opened;
        ((opened.blob_digest, opened.cut_day) == (blob_digest, cut_day)).then(|| opened.clone())
    }

    /// Keeps them where they fit.
    pub fn put(&self, id: ContributionId, opened: Arc<Opened>) {
        let (since, bytes) = (self.clock.elapsed(), opened.bytes());
        let mut rows = self.lock();
        let held: usize = rows.values().map(|held| held.bytes).sum();
        if held + bytes <= self.most_bytes {
            rows.insert(id, Held { opened, since, bytes });
        }
    }

    /// Forgets a record's.
    pub fn forget(&self, id: ContributionId) {
        self.lock().remove(&id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ContributionId, Held>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
