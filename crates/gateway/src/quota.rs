//! What uploads may take before a package names them: anyone may bring a blob, so bytes are counted for each address and in
//! total, and nobody fills the disk for others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rochdale_api::{Problem, ProblemCode};

use crate::config::Limits;
use crate::store::{Store, StoreError};

/// How long a sum of unnamed blobs is good for; what comes meanwhile is added to it.
const SUM_AGE: Duration = Duration::from_secs(5);
/// Addresses that are remembered at a time.
const ADDRESSES: usize = 100_000;

/// What one address has taken.
#[derive(Debug)]
struct Taken {
    since: Instant,
    bytes: u64,
    running: u32,
}

/// Bytes of blobs that no package names yet.
#[derive(Debug, Default)]
struct Unnamed {
    summed: Option<Instant>,
    bytes: u64,
}

/// The quotas of uploads.
#[derive(Debug)]
pub struct Quota {
    limits: Limits,
    store: Store,
    taken: Mutex<HashMap<IpAddr, Taken>>,
    unnamed: Mutex<Unnamed>,
}

/// An upload that runs.
#[derive(Debug)]
pub struct Upload {
    quota: Arc<Quota>,
    address: IpAddr,
}

impl Quota {
    /// Within `limits`, over the blobs of `store`.
    #[must_use]
    pub fn new(limits: Limits, store: Store) -> Arc<Self> {
        Arc::new(Self { limits, store, taken: Mutex::default(), unnamed: Mutex::default() })
    }

    /// Begins an upload from an address.
    ///
    /// # Errors
    /// Where the address has too many running, or the store fails.
    pub async fn begin(self: &Arc<Self>, address: IpAddr) -> Result<Upload, Problem> {
        self.sum().await?;
        let window = Duration::from_secs(self.limits.unreferenced_ttl_seconds);
        let mut all = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ADDRESSES {
            all.retain(|_, taken| taken.running > 0 || taken.since.elapsed() < window);
        }
        if all.len() >= ADDRESSES && !all.contains_key(&address) {
            return Err(Problem::new(ProblemCode::TooManyRequests, "too many addresses upload at this time")
                .hint("send it again later"));
        }
        let taken = all.entry(address).or_insert_with(|| Taken { since: Instant::now(), bytes: 0, running: 0 });
        if taken.since.elapsed() >= window {
            (taken.since, taken.bytes) = (Instant::now(), 0);
        }
        if taken.running >= self.limits.uploads_per_address {
            let detail = format!("{} uploads run from your address, which is the most", taken.running);
            return Err(Problem::new(ProblemCode::TooManyRequests, detail).hint("send one after the other"));
        }
        taken.running += 1;
        drop(all);
        Ok(Upload { quota: self.clone(), address })
    }

    /// Adds up what waits for a package, now and then.
    async fn sum(&self) -> Result<(), StoreError> {
        let is_old = |unnamed: &Unnamed| unnamed.summed.is_none_or(|at| at.elapsed() > SUM_AGE);
        if is_old(&self.unnamed.lock().unwrap_or_else(PoisonError::into_inner)) {
            let bytes = self.store.unreferenced_bytes().await?;
            let summed = Some(Instant::now());
            *self.unnamed.lock().unwrap_or_else(PoisonError::into_inner) = Unnamed { summed, bytes };
        }
        Ok(())
    }
}

impl Upload {
    /// Takes room for bytes that have come.
    ///
    /// # Errors
    /// Where the address has had its share, or all addresses theirs.
    pub fn take(&self, bytes: u64) -> Result<(), Problem> {
        let limits = &self.quota.limits;
        let mut unnamed = self.quota.unnamed.lock().unwrap_or_else(PoisonError::into_inner);
        if unnamed.bytes + bytes > limits.unreferenced_bytes {
            let detail = format!("blobs that no package names take {} bytes, which is the most", unnamed.bytes);
            return Err(Problem::new(ProblemCode::StorageFull, detail)
                .hint("send it again later: what no package names is deleted after a while"));
        }
        let mut all = self.quota.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = all.get_mut(&self.address) {
            if taken.bytes + bytes > limits.upload_bytes_per_address {
                let (most, window) = (limits.upload_bytes_per_address, limits.unreferenced_ttl_seconds);
                let left = window.saturating_sub(taken.since.elapsed().as_secs());
                let detail = format!("your address may upload {most} bytes in {window} s and has");
                return Err(Problem::new(ProblemCode::TooManyRequests, detail).hint(format!("go on in {left} s")));
            }
            taken.bytes += bytes;
        }
        unnamed.bytes += bytes;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let mut all = self.quota.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = all.get_mut(&self.address) {
            taken.running = taken.running.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_has_its_share_and_all_have_theirs() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("gateway.db")).await.unwrap();
        let limits = Limits {
            upload_bytes_per_address: 100,
            uploads_per_address: 2,
            unreferenced_bytes: 150,
            ..Limits::default()
        };
        let quota = Quota::new(limits, store);
        let (ann, ben) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let code = |done: Result<(), Problem>| done.unwrap_err().code;
        let (one, two) = (quota.begin(ann).await.unwrap(), quota.begin(ann).await.unwrap());
        assert_eq!(code(quota.begin(ann).await.map(drop)), ProblemCode::TooManyRequests);
        one.take(60).unwrap();
        two.take(40).unwrap();
        assert_eq!(code(two.take(1)), ProblemCode::TooManyRequests);
        drop(one);
        // Also the next upload has no more.
        assert_eq!(code(quota.begin(ann).await.unwrap().take(1)), ProblemCode::TooManyRequests);
        let other = quota.begin(ben).await.unwrap();
        other.take(50).unwrap();
        assert_eq!(code(other.take(1)), ProblemCode::StorageFull);
    }
}
