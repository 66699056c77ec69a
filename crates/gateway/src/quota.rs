//! What uploads may take before a package names them: anyone may bring a blob, so bytes are counted for each address and in
//! total, and nobody fills the disk for others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rochdale_api::{Problem, ProblemCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;
use crate::store::{Store, StoreError};

/// How long a sum of unnamed blobs is good for; what comes meanwhile is added to it.
const SUM_AGE: Duration = Duration::from_secs(5);
/// Addresses that are remembered at a time.
const ADDRESSES: usize = 100_000;

/// How long an upload waits for others of its address: a clinic's members may all come from one.
const TURN: Duration = Duration::from_secs(10);

/// What one address has taken.
#[derive(Debug)]
struct Taken {
    since: Instant,
    bytes: u64,
    /// Uploads that may run beside those that do.
    turns: Arc<Semaphore>,
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
    _turn: OwnedSemaphorePermit,
}

impl Quota {
    /// Within `limits`, over the blobs of `store`.
    #[must_use]
    pub fn new(limits: Limits, store: Store) -> Arc<Self> {
        Arc::new(Self { limits, store, taken: Mutex::default(), unnamed: Mutex::default() })
    }

    /// Begins an upload from an address, once no more than the limit run beside it.
    ///
    /// # Errors
    /// Where none of the address's uploads ends for long, or the store fails.
    pub async fn begin(self: &Arc<Self>, address: IpAddr) -> Result<Upload, Problem> {
        self.sum().await?;
        let turns = self.turns(address)?;
        let turn = tokio::time::timeout(TURN, turns.acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            let most = self.limits.uploads_per_address;
            let detail = format!(
                "{most} uploads run from your address, which is the most, and none ended in {} s",
                TURN.as_secs()
            );
            return Err(Problem::new(ProblemCode::TooManyRequests, detail).hint("send one after the other"));
        };
        Ok(Upload { quota: self.clone(), address, _turn: turn })
    }

    fn turns(&self, address: IpAddr) -> Result<Arc<Semaphore>, Problem> {
        let most = self.limits.uploads_per_address as usize;
        let window = Duration::from_secs(self.limits.unreferenced_ttl_seconds);
        let mut all = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ADDRESSES {
            all.retain(|_, taken| Arc::strong_count(&taken.turns) > 1 || taken.since.elapsed() < window);
        }
        if all.len() >= ADDRESSES && !all.contains_key(&address) {
            return Err(Problem::new(ProblemCode::TooManyRequests, "too many addresses upload at this time")
                .hint("send it again later"));
        }
        let new = || Taken { since: Instant::now(), bytes: 0, turns: Arc::new(Semaphore::new(most)) };
        let taken = all.entry(address).or_insert_with(new);
        if taken.since.elapsed() >= window {
            (taken.since, taken.bytes) = (Instant::now(), 0);
        }
        Ok(taken.turns.clone())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_comes_beside_too_many_of_its_address_waits_and_not_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let quota = Quota::new(Limits { uploads_per_address: 1, ..Limits::default() }, store);
        let ann = [10, 0, 0, 1].into();
        let first = quota.begin(ann).await.unwrap();
        tokio::time::pause();
        let start = tokio::time::Instant::now();
        let ending = async {
            tokio::time::sleep(TURN / 2).await;
            drop(first);
        };
        let (second, ()) = tokio::join!(quota.begin(ann), ending);
        let _second = second.unwrap();
        let after = start.elapsed();
        assert!(after >= TURN / 2 && after < TURN, "{after:?}");
        let error = quota.begin(ann).await.unwrap_err();
        assert_eq!(error.code, ProblemCode::TooManyRequests);
        assert!(start.elapsed() >= after + TURN, "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn an_address_has_its_share_and_all_have_theirs() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
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
