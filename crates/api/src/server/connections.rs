//! Who is connected: bounded in total and for each address, so that whoever opens many and says nothing is the one who
//! loses them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// How many connections are held at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// From one address.
    pub per_address: usize,
    /// From all of them.
    pub total: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { per_address: 256, total: 4_096 }
    }
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Connection {
    /// A request is being answered on it.
    busy: AtomicBool,
    /// Tells its task to drop it.
    close: Notify,
}

impl Connection {
    /// Completes once another connection needs its place.
    pub(super) async fn evicted(&self) {
        self.close.notified().await;
    }

    /// Busy until the guard is dropped.
    pub(super) fn work(self: &Arc<Self>) -> Working {
        self.busy.store(true, Ordering::Relaxed);
        Working(self.clone())
    }
}

/// A request that is being answered.
pub(super) struct Working(Arc<Connection>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.busy.store(false, Ordering::Relaxed);
    }
}

/// All connections of a listener.
#[derive(Debug)]
pub(super) struct Connections {
    bounds: Bounds,
    held: Mutex<HashMap<IpAddr, Vec<Arc<Connection>>>>,
}

/// A place among the connections, given back when dropped.
pub(super) struct Place {
    all: Arc<Connections>,
    address: IpAddr,
    /// The connection.
    pub(super) connection: Arc<Connection>,
}

impl Connections {
    pub(super) fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self { bounds, held: Mutex::default() })
    }

    /// A place for a new connection. Where the address or all have as many as they may, the oldest one that no request
    /// runs on gives way; `None` where requests run on all of them.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.get(&address).map_or(0, Vec::len) >= self.bounds.per_address {
            evict(&mut held, address)?;
        } else if held.values().map(Vec::len).sum::<usize>() >= self.bounds.total {
            let most = held.iter().max_by_key(|(_, of)| of.len()).map(|(address, _)| *address)?;
            evict(&mut held, most)?;
        }
        let connection = Arc::<Connection>::default();
        held.entry(address).or_default().push(connection.clone());
        Some(Place { all: self.clone(), address, connection })
    }
}

/// Drops the oldest idle connection of an address.
fn evict(held: &mut HashMap<IpAddr, Vec<Arc<Connection>>>, address: IpAddr) -> Option<()> {
    let of = held.get_mut(&address)?;
    let idle = of.iter().position(|connection| !connection.busy.load(Ordering::Relaxed))?;
    of.remove(idle).close.notify_one();
    Some(())
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.all.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of) = held.get_mut(&self.address) {
            of.retain(|connection| !Arc::ptr_eq(connection, &self.connection));
            if of.is_empty() {
                held.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const BEN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    #[tokio::test]
    async fn the_oldest_idle_one_of_whoever_has_most_gives_way() {
        let all = Connections::new(Bounds { per_address: 3, total: 4 });
        let first = all.enter(ANN).unwrap();
        let working = first.connection.work();
        let (second, third) = (all.enter(ANN).unwrap(), all.enter(ANN).unwrap());
        // The first is busy, so the second goes.
        let fourth = all.enter(ANN).unwrap();
        second.connection.evicted().await;
        let _ben = all.enter(BEN).unwrap();
        // All are taken: Ann has most.
        let _also_ben = all.enter(BEN).unwrap();
        third.connection.evicted().await;
        drop((third, second));
        let _fourth_works = fourth.connection.work();
        // Two of Ann's are left, both busy, and Ben has two as well.
        assert_eq!(all.held.lock().unwrap()[&ANN].len(), 2);
        drop(working);
        drop(first);
        assert_eq!(all.held.lock().unwrap()[&ANN].len(), 1);
        assert!(all.enter(ANN).is_some());
    }

    #[test]
    fn where_requests_run_on_all_a_new_one_is_refused() {
        let all = Connections::new(Bounds { per_address: 1, total: 4 });
        let only = all.enter(ANN).unwrap();
        let working = only.connection.work();
        assert!(all.enter(ANN).is_none());
        drop(working);
        assert!(all.enter(ANN).is_some());
    }
}
