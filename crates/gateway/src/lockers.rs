//! Members' lockers: who has the key changes one, nobody else reads it, and nobody fills the disk for others.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use alloy::primitives::Address;
use rochdale_api::locker::{Locker, LockerRequest};
use rochdale_api::{Problem, ProblemCode, server};
use rochdale_crypto::locker::MOST_SEALED;
use tokio::sync::Mutex;

use crate::erasure::wall_clock;
use crate::relayer::{CallQuota, network};
use crate::store::Store;

const HOUR: Duration = Duration::from_secs(3_600);
/// How often lockers are read and changed from one address within an hour. A clinic's members may all come from one.
const ASKED: u32 = 3_000;
/// How many are made from one address within an hour; a member has three.
const MADE: u32 = 300;
/// How many are made from one network within an hour: whoever has a network has many addresses.
const MADE_BY_NETWORK: u32 = 1_000;
/// How long a sum of all lockers is good for; what comes meanwhile is added to it.
const SUMMED: Duration = Duration::from_secs(600);
/// Most bytes of all lockers.
const MOST: u64 = 8 << 30;

/// The lockers, with what callers may do to them.
#[derive(Debug)]
pub struct Lockers {
    store: Store,
    asked: CallQuota,
    made: CallQuota,
    made_by_network: CallQuota,
    /// Bytes of all lockers, and when they were summed.
    held: Mutex<(Option<Instant>, u64)>,
}

impl Lockers {
    /// Those in `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            asked: CallQuota::new(ASKED, HOUR),
            made: CallQuota::new(MADE, HOUR),
            made_by_network: CallQuota::new(MADE_BY_NETWORK, HOUR),
            held: Mutex::default(),
        }
    }

    /// Counts a call, before anything is written for it: whoever draws a key may call.
    ///
    /// # Errors
    /// Where this address called too often.
    pub fn count(&self, from: IpAddr) -> Result<(), Problem> {
        self.asked.take(&server::holder(from).to_string())
    }

    /// Counts bytes that lockers grow by. The sum is taken anew now and then: a change that was refused after all was counted, too.
    async fn grow(&self, bytes: u64) -> Result<(), Problem> {
        let mut held = self.held.lock().await;
        if held.0.is_none_or(|summed| summed.elapsed() > SUMMED) {
            *held = (Some(Instant::now()), self.store.locker_bytes().await?);
        }
        if held.1 + bytes > MOST {
            let detail = format!("lockers take {} GiB, which is the most", MOST >> 30);
            return Err(Problem::new(ProblemCode::StorageFull, detail).hint("tell who runs the gateway"));
        }
        held.1 += bytes;
        Ok(())
    }

    /// The locker of a key.
    ///
    /// # Errors
    /// Where there is none, or the store fails.
    pub async fn get(&self, id: Address) -> Result<Locker, Problem> {
        let locker = self.store.locker(id).await?;
        locker.ok_or_else(|| Problem::new(ProblemCode::NotFound, "there is no locker of this key"))
    }

    /// Puts the next version of a key's locker in the place of the one that the change names.
    ///
    /// # Errors
    /// Where another version is there, it is too large, this address made too many, or the store fails.
    pub async fn put(&self, id: Address, change: &LockerRequest, from: IpAddr) -> Result<Locker, Problem> {
        if change.sealed.len() > MOST_SEALED {
            let detail = format!("{} bytes; a locker has at most {MOST_SEALED}", change.sealed.len());
            return Err(Problem::new(ProblemCode::TooLarge, detail));
        }
        let name = server::holder(from).to_string();
        let before = self.store.locker(id).await?.map_or(0, |locker| locker.sealed.len());
        let network = network(from);
        if change.version == 0 {
            self.made.check(&name)?;
            self.made_by_network.check(&network)?;
        }
        // What shrinks or stays is always taken.
        if change.sealed.len() > before {
            self.grow((change.sealed.len() - before) as u64).await?;
        }
        if !self.store.change_locker(id, change, wall_clock()).await? {
            let there = self.store.locker(id).await?.map_or(0, |locker| locker.version);
            let detail = format!("version {there} is there, and version {} was to be replaced", change.version);
            return Err(Problem::new(ProblemCode::Conflict, detail).hint("read it again, and change what is there now"));
        }
        if change.version == 0 {
            self.made.spend(&name);
            self.made_by_network.spend(&network);
        }
        Ok(Locker { version: change.version + 1, sealed: change.sealed.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    async fn lockers() -> (tempfile::TempDir, Lockers) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        (folder, Lockers::new(store))
    }

    fn change(version: u64, byte: u8) -> LockerRequest {
        LockerRequest { version, sealed: vec![byte; 8].into() }
    }

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    #[tokio::test]
    async fn of_two_devices_that_change_one_version_the_second_is_told() {
        let (_folder, lockers) = lockers().await;
        let id = Address::repeat_byte(1);
        assert_eq!(lockers.get(id).await.unwrap_err().code, ProblemCode::NotFound);
        assert_eq!(lockers.put(id, &change(3, 1), HOME).await.unwrap_err().code, ProblemCode::Conflict);
        assert_eq!(lockers.put(id, &change(0, 1), HOME).await.unwrap().version, 1);
        assert_eq!(lockers.put(id, &change(0, 9), HOME).await.unwrap_err().code, ProblemCode::Conflict);
        assert_eq!(lockers.put(id, &change(1, 2), HOME).await.unwrap().version, 2);
        let late = lockers.put(id, &change(1, 9), HOME).await.unwrap_err();
        assert!(late.detail.contains("version 2 is there"), "{}", late.detail);
        assert_eq!(lockers.get(id).await.unwrap(), Locker { version: 2, sealed: vec![2; 8].into() });
        assert_eq!(lockers.get(Address::repeat_byte(2)).await.unwrap_err().code, ProblemCode::NotFound);
    }

    #[tokio::test]
    async fn one_address_neither_makes_nor_asks_without_end_and_others_go_on() {
        let (_folder, lockers) = lockers().await;
        let huge = LockerRequest { version: 0, sealed: vec![0; MOST_SEALED + 1].into() };
        assert_eq!(lockers.put(Address::ZERO, &huge, HOME).await.unwrap_err().code, ProblemCode::TooLarge);
        for n in 0..MADE {
            let id = Address::left_padding_from(&n.to_be_bytes());
            lockers.put(id, &change(0, 1), HOME).await.unwrap();
        }
        let one_more = Address::repeat_byte(7);
        assert_eq!(lockers.put(one_more, &change(0, 1), HOME).await.unwrap_err().code, ProblemCode::TooManyRequests);
        // What is there is changed all the same, and made from elsewhere.
        lockers.put(Address::ZERO, &change(1, 2), HOME).await.unwrap();
        lockers.put(one_more, &change(0, 1), Ipv4Addr::new(198, 51, 100, 1).into()).await.unwrap();
        for _ in 0..ASKED {
            lockers.count(HOME).unwrap();
        }
        assert_eq!(lockers.count(HOME).unwrap_err().code, ProblemCode::TooManyRequests);
        lockers.count(Ipv4Addr::new(198, 51, 100, 1).into()).unwrap();
    }

    #[tokio::test]
    async fn many_addresses_of_one_network_make_no_more_than_a_network_may() {
        let (_folder, lockers) = lockers().await;
        let from = |place: u32| IpAddr::V4(Ipv4Addr::new(192, 0, 2, u8::try_from(place).unwrap()));
        let id = |n: u32| Address::left_padding_from(&n.to_be_bytes());
        for n in 0..MADE_BY_NETWORK {
            lockers.put(id(n), &change(0, 1), from(1 + n / MADE)).await.unwrap();
        }
        let refused = lockers.put(id(MADE_BY_NETWORK), &change(0, 1), from(200)).await.unwrap_err();
        assert_eq!(refused.code, ProblemCode::TooManyRequests);
        lockers.put(id(MADE_BY_NETWORK), &change(0, 1), Ipv4Addr::new(198, 51, 100, 1).into()).await.unwrap();
    }
}
