//! Sharing an epoch's work between threads.

use alloy_primitives::B256;

use super::error::LedgerError;

/// Threads that share the work of one epoch. The result does not depend on it.
const THREADS: usize = 2;
/// Below this many items a thread costs more than it saves.
const WORTH_A_THREAD: usize = 2_048;

/// `f(0), f(1) … f(len − 1)`, or the error of the lowest index that fails, computed by several threads where that pays.
///
/// # Errors
/// The first of `f`.
pub fn share<T: Send, E: Send>(len: usize, f: impl Fn(usize) -> Result<T, E> + Sync) -> Result<Vec<T>, E> {
    if len < WORTH_A_THREAD {
        return (0..len).map(f).collect();
    }
    let chunk = len.div_ceil(THREADS);
    let parts: Vec<Result<Vec<T>, E>> = std::thread::scope(|scope| {
        let f = &f;
        let workers: Vec<_> = (0..len)
            .step_by(chunk)
            .map(|from| scope.spawn(move || (from..len.min(from + chunk)).map(f).collect()))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut all = Vec::with_capacity(len);
    for part in parts {
        all.extend(part?);
    }
    Ok(all)
}

/// [`share`] of what the ledger computes.
pub(super) fn parallel<T: Send>(
    len: usize,
    f: impl Fn(usize) -> Result<T, LedgerError> + Sync,
) -> Result<Vec<T>, LedgerError> {
    share(len, f)
}

/// Hashes in place, by several threads where that pays.
pub(super) fn hashes(len: usize, f: impl Fn(usize) -> B256 + Sync) -> Vec<B256> {
    let mut all = vec![B256::ZERO; len];
    if len < WORTH_A_THREAD {
        all.iter_mut().enumerate().for_each(|(index, hash)| *hash = f(index));
        return all;
    }
    let chunk = len.div_ceil(THREADS);
    std::thread::scope(|scope| {
        let f = &f;
        for (part, hashes) in all.chunks_mut(chunk).enumerate() {
            scope.spawn(move || {
                for (index, hash) in hashes.iter_mut().enumerate() {
                    *hash = f(part * chunk + index);
                }
            });
        }
    });
    all
}
