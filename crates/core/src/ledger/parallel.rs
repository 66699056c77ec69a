//! Sharing an epoch's work between threads.

use super::error::LedgerError;

/// Threads that share the work of one epoch. The result does not depend on it.
const THREADS: usize = 2;
/// Below this many items a thread costs more than it saves.
const WORTH_A_THREAD: usize = 2_048;

/// `f(0), f(1) … f(len − 1)`, or the error of the lowest index that fails.
pub(super) fn parallel<T: Send>(
    len: usize,
    f: impl Fn(usize) -> Result<T, LedgerError> + Sync,
) -> Result<Vec<T>, LedgerError> {
    if len < WORTH_A_THREAD {
        return (0..len).map(f).collect();
    }
    let chunk = len.div_ceil(THREADS);
    let parts: Vec<Result<Vec<T>, LedgerError>> = std::thread::scope(|scope| {
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
