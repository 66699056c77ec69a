//! The stewards as the chain seats them and as the configuration reaches them, and which of them answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy::primitives::Address;
use rochdale_api::client::{Client, ClientError, Identity};
use rochdale_api::status::{Health, StewardEntry};
use rochdale_core::ids::StewardId;
use tokio::task::JoinSet;

use crate::config::{StewardConfig, WorkerConfig};
use crate::store::IndexStore;

/// Pause between two looks.
const EVERY: Duration = Duration::from_secs(3);
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// A steward that can be called.
#[derive(Clone)]
pub struct Reachable {
    /// Its seat.
    pub steward: StewardId,
    /// Signs to it as the gateway.
    pub client: Client,
}

/// Stewards and worker. Clones share what is known of them.
#[derive(Clone)]
pub struct Directory {
    index: IndexStore,
    identity: Identity,
    stewards: Arc<Vec<(StewardId, Client)>>,
    worker: Client,
    up: Arc<Mutex<HashMap<StewardId, bool>>>,
}

impl Directory {
    /// The stewards and the worker of the configuration, called in the name of `identity`.
    ///
    /// # Errors
    /// Where a URL does not parse.
    pub fn new(
        index: IndexStore,
        identity: Identity,
        stewards: &[StewardConfig],
        worker: &WorkerConfig,
    ) -> Result<Self, ClientError> {
        let client = |config: &StewardConfig| Ok((config.steward, Client::new(&config.url)?));
        let stewards = Arc::new(stewards.iter().map(client).collect::<Result<Vec<_>, ClientError>>()?);
        let worker = Client::new(&worker.url)?.signing(identity.clone(), worker.address);
        Ok(Self { index, identity, stewards, worker, up: Arc::default() })
    }

    /// The worker.
    #[must_use]
    pub fn worker(&self) -> &Client {
        &self.worker
    }

    /// How many stewards must act together.
    #[must_use]
    pub fn quorum(&self) -> usize {
        self.index.read(|state| usize::from(state.quorum))
    }

    /// How many seats the committee has.
    #[must_use]
    pub fn seats(&self) -> usize {
        self.index.read(|state| state.seats.len())
    }

    /// The stewards in office that the configuration names, by seat.
    #[must_use]
    pub fn reachable(&self) -> Vec<Reachable> {
        let seats: Vec<Address> = self.index.read(|state| state.seats.iter().map(|s| s.signer).collect());
        let reach = |(place, signer): (usize, &Address)| {
            let steward = StewardId(u8::try_from(place + 1).ok()?);
            let client = self.client(steward)?.clone().signing(self.identity.clone(), *signer);
            Some(Reachable { steward, client })
        };
        seats.iter().enumerate().filter_map(reach).collect()
    }

    /// The stewards in office, those that answered last before the others.
    #[must_use]
    pub fn best_first(&self) -> Vec<Reachable> {
        let mut stewards = self.reachable();
        stewards.sort_by_key(|s| (!self.is_up(s.steward), s.steward));
        stewards
    }

    /// The public directory.
    #[must_use]
    pub fn entries(&self) -> Vec<StewardEntry> {
        let seats = self.index.read(|state| state.seats.clone());
        let entry = |(place, seat): (usize, &rochdale_chain::events::Seat)| {
            let steward = StewardId(u8::try_from(place + 1).ok()?);
            let url =
                self.client(steward).map_or_else(String::new, |c| c.base().as_str().trim_end_matches('/').to_owned());
            let up = self.is_up(steward);
            Some(StewardEntry { steward, address: seat.signer, sealing_key: seat.sealing_key, url, up })
        };
        seats.iter().enumerate().filter_map(entry).collect()
    }

    /// Notes whether a steward answered.
    pub fn note(&self, steward: StewardId, up: bool) {
        let before = self.up.lock().unwrap_or_else(PoisonError::into_inner).insert(steward, up);
        if before != Some(up) {
            tracing::info!(%steward, up, "a steward's state changed");
        }
    }

    /// Looks at every steward once.
    pub async fn look(&self) {
        let mut looks = JoinSet::new();
        for (steward, client) in self.stewards.iter() {
            let (steward, client) = (*steward, client.clone());
            looks.spawn(async move {
                let health = tokio::time::timeout(PATIENCE, client.get::<Health>("/v1/health")).await;
                (steward, matches!(health, Ok(Ok(health)) if health.ok))
            });
        }
        while let Some(Ok((steward, up))) = looks.join_next().await {
            self.note(steward, up);
        }
    }

    /// Looks again and again until `stop` resolves.
    pub async fn keep_looking(self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            self.look().await;
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    fn is_up(&self, steward: StewardId) -> bool {
        self.up.lock().unwrap_or_else(PoisonError::into_inner).get(&steward).copied().unwrap_or(false)
    }

    fn client(&self, steward: StewardId) -> Option<&Client> {
        self.stewards.iter().find(|(id, _)| *id == steward).map(|(_, client)| client)
    }
}
