//! Of whom? The pool of a license as of a finalized block, as a quorum of stewards says alike.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{B256, Bytes};
use rochdale_api::member::Sealed as SealedAnswer;
use rochdale_api::query::{Snapshot, SnapshotRequest};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::events::{Event, LicenseTerms};
use rochdale_core::commit;
use rochdale_core::ids::{ContributionId, LicenseId, MemberId, StewardId};
use rochdale_crypto::Sealed;
use rochdale_crypto::sealing::{self, SnapshotContext};
use zeroize::Zeroizing;

use crate::committee::{Answers, Committee};
use crate::problems::{broken, internal};
use crate::store::Cut;
use crate::worker::{Mirror, Worker};

/// The seat in the context of what the worker seals to itself: no steward has it.
const OURSELVES: StewardId = StewardId(0);

/// A pool, agreed.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Which, as of when.
    pub cut: Cut,
    /// Its records, ascending.
    pub ids: Vec<ContributionId>,
}

impl Pool {
    /// The members behind the records, as the chain says.
    #[must_use]
    pub fn members(&self, mirror: &Mirror) -> BTreeSet<MemberId> {
        let member = |id| mirror.latest.contributions.get(id).map(|contribution| contribution.member);
        self.ids.iter().filter_map(member).collect()
    }
}

impl Worker {
    /// The pool of a license as of a finalized block: the newest, or an earlier one at which this pool was charged, where
    /// nothing has happened since that could change a pool. The same question then has the same answer.
    ///
    /// # Errors
    /// Where too few stewards answer alike.
    pub async fn pool(
        &self,
        mirror: &Mirror,
        committee: &Committee,
        license: LicenseId,
        terms: &LicenseTerms,
    ) -> Result<Pool, Problem> {
        let (dataset, purpose) = (terms.dataset, terms.purpose);
        let after = mirror.now().saturating_sub(self.config.snapshot_ttl_s);
        let known = self.store.cuts(dataset, purpose, after).await?;
        let (block, time) = match known.iter().find(|cut| !changed_since(mirror, cut.time)) {
            Some(cut) => (cut.block, cut.time),
            None => (mirror.head.finalized.hash, mirror.head.finalized.timestamp),
        };
        let answers = self.ask_snapshots(mirror, committee, license, terms, block).await;
        let snapshot = agreed(committee, answers)?;
        let cut = Cut { dataset, purpose, snapshot: snapshot.digest, block, time };
        Ok(Pool { cut, ids: snapshot.contributions })
    }

    /// Asks every steward for a license's pool as of a block; who answers remembers it, and releases shares for it later.
    pub async fn ask_snapshots(
        &self,
        mirror: &Mirror,
        committee: &Committee,
        license: LicenseId,
        terms: &LicenseTerms,
        cut: B256,
    ) -> Answers<Snapshot> {
        let request = SnapshotRequest { license_id: license, cut };
        committee
            .ask(|id, client| {
                let request = &request;
                async move {
                    let sealed: SealedAnswer = client.post_signed("/v1/snapshots", request, mirror.now()).await?;
                    self.open_snapshot(id, request, terms, &sealed)
                }
            })
            .await
    }

    fn open_snapshot(
        &self,
        id: StewardId,
        request: &SnapshotRequest,
        terms: &LicenseTerms,
        sealed: &SealedAnswer,
    ) -> Result<Snapshot, Problem> {
        let context = self.snapshot_context(request.license_id, request.cut, id);
        let json = sealing::open_as(&self.keys.sealing, &context, &Sealed(sealed.sealed.clone()))
            .map_err(|error| broken("snapshot", error))?;
        let snapshot: Snapshot = serde_json::from_slice(&json).map_err(|error| broken("snapshot", error))?;
        let expected = self.snapshot_digest(terms, request.cut, &snapshot.contributions)?;
        let asked = (terms.dataset, terms.purpose, request.cut, expected);
        if (snapshot.dataset, snapshot.purpose, snapshot.cut, snapshot.digest) != asked {
            self.blame(format!("steward {id} answered another snapshot than was asked"));
            return Err(broken("snapshot", "it is not the one that was asked for"));
        }
        Ok(snapshot)
    }

    fn snapshot_digest(&self, terms: &LicenseTerms, cut: B256, ids: &[ContributionId]) -> Result<B256, Problem> {
        let snapshot = commit::Snapshot {
            chain_id: self.manifest.chain_id,
            registry: self.manifest.addresses.contribution_registry,
            dataset: terms.dataset,
            purpose: terms.purpose,
            cut,
            ids,
        };
        snapshot.digest().map_err(|error| broken("snapshot", error))
    }

    fn snapshot_context(&self, license: LicenseId, cut: B256, index: StewardId) -> SnapshotContext {
        let registry = self.manifest.addresses.contribution_registry;
        SnapshotContext { chain_id: self.manifest.chain_id, registry, license, cut, index }
    }

    /// The pool at rest: who is in it is nobody else's business.
    ///
    /// # Errors
    /// Never with a usable key.
    pub fn seal_pool(&self, license: LicenseId, pool: &Pool) -> Result<Bytes, Problem> {
        let context = self.snapshot_context(license, pool.cut.block, OURSELVES);
        let json = Zeroizing::new(serde_json::to_vec(&pool.ids).map_err(internal)?);
        let sealed = sealing::seal_as(&self.keys.sealing.public(), &context, &json, &mut rand::rng());
        Ok(sealed.map_err(internal)?.0)
    }

    /// What [`Self::seal_pool`] sealed.
    ///
    /// # Errors
    /// Where it was sealed to another key.
    pub fn unseal_pool(&self, license: LicenseId, cut: Cut, sealed: &Bytes) -> Result<Pool, Problem> {
        let context = self.snapshot_context(license, cut.block, OURSELVES);
        let json = sealing::open_as(&self.keys.sealing, &context, &Sealed(sealed.clone())).map_err(|error| {
            internal(format!("the stored snapshot does not open: {error}; was sealing_key_file changed?"))
        })?;
        Ok(Pool { cut, ids: serde_json::from_slice(&json).map_err(internal)? })
    }
}

/// Whether a pool may be another one at the finalized block than it was at `time` (Unix seconds).
fn changed_since(mirror: &Mirror, time: u64) -> bool {
    let last = mirror.head.finalized.number;
    let since = mirror.events.iter().rev().take_while(|located| located.timestamp > time);
    since.filter(|located| located.block_number <= last).any(|located| {
        matches!(
            located.event,
            Event::Joined { .. }
                | Event::Ended { .. }
                | Event::ConsentGranted { .. }
                | Event::ConsentRevoked { .. }
                | Event::Erased { .. }
                | Event::ContributionRecorded { .. }
                | Event::Seated { .. }
                | Event::ResearcherApproved { .. }
        )
    })
}

/// The snapshot that enough stewards gave alike.
fn agreed(committee: &Committee, answers: Answers<Snapshot>) -> Result<Snapshot, Problem> {
    let mut by_digest: BTreeMap<B256, Vec<(StewardId, Snapshot)>> = BTreeMap::new();
    for (id, snapshot) in committee.enough("snapshot", answers)? {
        by_digest.entry(snapshot.digest).or_default().push((id, snapshot));
    }
    let mut groups: Vec<_> = by_digest.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let need = committee.need();
    if let Some((_, snapshot)) = groups.first_mut().filter(|group| group.len() >= need).and_then(Vec::pop) {
        return Ok(snapshot);
    }
    let said: Vec<String> = groups
        .iter()
        .map(|group| {
            let who: Vec<String> = group.iter().map(|(id, _)| id.to_string()).collect();
            let size = group.first().map_or(0, |(_, snapshot)| snapshot.contributions.len());
            format!("{size} records by steward {}", who.join(" and "))
        })
        .collect();
    let detail = format!("the stewards do not agree on the pool, {need} must: {}", said.join("; "));
    Err(Problem::new(ProblemCode::NotEnough, detail).hint("a steward is catching up: send the same order again"))
}
