//! The stewards as the chain seats them and as the configuration reaches them, and which of them answer.

use std::time::Duration;

use futures_util::future::join_all;
use rochdale_api::client::{Client, ClientError, Identity};
use rochdale_api::route::HEALTH;
use rochdale_api::status::StewardEntry;
use rochdale_core::ids::StewardId;
use rochdale_crypto::SealingPublicKey;
use rochdale_node::mirror::Folded;
use rochdale_node::peers::{Peer, Peers};

use crate::config::{StewardConfig, WorkerConfig};

/// Pause between two looks.
const EVERY: Duration = Duration::from_secs(5);
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Stewards and worker. Clones share what is known of them.
#[derive(Clone)]
pub struct Directory {
    index: Folded,
    peers: Peers,
    worker: Client,
}

impl Directory {
    /// The stewards and the worker of the configuration, called in the name of `identity`.
    ///
    /// # Errors
    /// Where a URL does not parse.
    pub fn new(
        index: Folded,
        identity: Identity,
        stewards: &[StewardConfig],
        worker: &WorkerConfig,
    ) -> Result<Self, ClientError> {
        let worker = Client::new(&worker.url)?.signing(identity.clone(), worker.address);
        let urls = stewards.iter().map(|steward| (steward.steward, steward.url.as_str()));
        let peers = Peers::new(identity, urls).map_err(|(_, error)| error)?;
        Ok(Self { index, peers, worker })
    }

    /// Asks the stewards.
    #[must_use]
    pub fn peers(&self) -> &Peers {
        &self.peers
    }

    /// A client of the worker.
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

    /// How many stewards must hold a thing for it to outlive the others: with fewer, those that are left could neither open
    /// nor settle.
    #[must_use]
    pub fn enough(&self) -> usize {
        self.quorum().max((self.seats() + 1).saturating_sub(self.quorum()))
    }

    /// The stewards in office that the configuration names, by seat.
    #[must_use]
    pub fn reachable(&self) -> Vec<Peer> {
        self.peers.seated(self.index.read(|state| state.seats.iter().map(|s| s.signer).collect::<Vec<_>>()))
    }

    /// The stewards in office, those that answered last before the others.
    #[must_use]
    pub fn best_first(&self) -> Vec<Peer> {
        let mut stewards = self.reachable();
        stewards.sort_by_key(|s| (self.peers.is_silent(s.steward), s.steward));
        stewards
    }

    /// The sealing key on chain of a steward in office.
    #[must_use]
    pub fn sealing_key(&self, steward: StewardId) -> Option<SealingPublicKey> {
        let place = usize::from(steward.0).checked_sub(1)?;
        self.index.read(|state| state.seats.get(place).map(|seat| SealingPublicKey(seat.sealing_key)))
    }

    /// The public directory.
    #[must_use]
    pub fn entries(&self) -> Vec<StewardEntry> {
        let seats = self.index.read(|state| state.seats.clone());
        let entry = |(place, seat): (usize, &rochdale_chain::events::Seat)| {
            let steward = StewardId(u8::try_from(place + 1).ok()?);
            let url = self.peers.url(steward).unwrap_or_default().to_owned();
            let up = !url.is_empty() && !self.peers.is_down(steward);
            Some(StewardEntry { steward, address: seat.signer, sealing_key: seat.sealing_key, url, up })
        };
        seats.iter().enumerate().filter_map(entry).collect()
    }

    /// Looks at every steward once.
    pub async fn look(&self) {
        let look = |peer: Peer| async move {
            let health = peer.client.patient(PATIENCE).get(HEALTH).await;
            self.peers.note(peer.steward, health.is_ok_and(|health| health.ok));
        };
        join_all(self.reachable().into_iter().map(look)).await;
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
}
