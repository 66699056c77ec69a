//! From shares and sealed blobs to a pool of rows. One record's plaintext is in memory at a time; at most [`AHEAD`] sealed
//! blobs are fetched ahead of it. Flattened rows stay in memory for a while, so that the next query over the same records
//! opens none of them again; the shares are asked for and checked all the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy::primitives::B256;
use futures_util::stream::{self, StreamExt as _};
use rochdale_api::query::CommitRequest;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::Clock;
use rochdale_chain::state::Contribution;
use rochdale_compute::pool::{DEFAULT_ROW_CAP, Pool as Rows, PoolBuilder};
use rochdale_core::fhir::{Flat, FlatCode, FlatKind, FlatObservation, Limits, Record, Sex, day_of, flatten};
use rochdale_core::ids::{ContributionId, MemberId};
use rochdale_crypto::{Cid, Context, Header, envelope, sharing};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;
use zeroize::Zeroize as _;

use crate::budget::rule;
use crate::committee::Committee;
use crate::problems::{broken, internal};
use crate::release::{Offers, PAGE, Released, Ruling};
use crate::snapshot::Pool;
use crate::worker::{Mirror, Worker};

/// Sealed blobs fetched ahead of the record that is open.
const AHEAD: usize = 2;

/// A record's rows; its texts are overwritten when it is dropped.
pub struct Opened {
    /// The blob it was opened from.
    blob_digest: B256,
    /// The blob's header.
    header: Header,
    /// The day on which "the future" began.
    cut_day: i32,
    rows: Flat,
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

    fn get(&self, id: ContributionId, blob_digest: B256, cut_day: i32) -> Option<Arc<Opened>> {
        let rows = self.lock();
        let opened = &rows.get(&id)?.opened;
        ((opened.blob_digest, opened.cut_day) == (blob_digest, cut_day)).then(|| opened.clone())
    }

    fn put(&self, id: ContributionId, opened: Arc<Opened>) {
        let (since, bytes) = (self.clock.elapsed(), opened.bytes());
        let mut rows = self.lock();
        let held: usize = rows.values().map(|held| held.bytes).sum();
        if held + bytes <= self.most_bytes {
            rows.insert(id, Held { opened, since, bytes });
        }
    }

    fn forget(&self, id: ContributionId) {
        self.lock().remove(&id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ContributionId, Held>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One contribution with what it takes to open it.
struct Candidate {
    id: ContributionId,
    on_chain: Contribution,
    offers: Offers,
    released: Released,
    source: Source,
}

/// Where a record's rows come from.
enum Source {
    Cached(Arc<Opened>),
    Blob(Vec<u8>),
}

impl Worker {
    /// The rows of a charged entry's pool: every record that enough stewards release.
    ///
    /// # Errors
    /// Where stewards or vault do not answer for a record that may belong to the pool.
    pub async fn open_pool(
        &self,
        mirror: &Mirror,
        committee: &Committee,
        entry: &CommitRequest,
        pool: &Pool,
    ) -> Result<Rows, Problem> {
        self.rows.expire();
        let mut builder = PoolBuilder::new(self.keys.pool_salt(), DEFAULT_ROW_CAP, pool.cut.time).map_err(internal)?;
        let (mut kept, mut left) = (0usize, 0usize);
        for page in pool.ids.chunks(PAGE) {
            let offers = self.release(mirror, committee, entry, page).await?;
            let mut candidates = Vec::with_capacity(page.len());
            for (id, offers) in offers {
                match self.candidate(mirror, committee, id, offers)? {
                    Ruling::In(candidate) => candidates.push(candidate),
                    Ruling::Out(reason) => {
                        left += 1;
                        self.leaves(id, &reason);
                    }
                }
            }
            let day = cut_day(pool);
            let fetched = stream::iter(candidates).map(|(id, on_chain, offers, released)| async move {
                let source = self.source(mirror, id, &released, day).await?;
                Ok::<_, Problem>(source.map(|source| Candidate { id, on_chain, offers, released, source }))
            });
            // In order: of several records of a member the last counts.
            let mut fetched = std::pin::pin!(fetched.buffered(AHEAD));
            while let Some(candidate) = fetched.next().await {
                let Some(candidate) = candidate? else {
                    left += 1;
                    continue;
                };
                let (id, member) = (candidate.id, candidate.on_chain.member);
                match on_this_thread(|| self.open_one(committee, entry, pool, candidate))? {
                    Ruling::In(opened) => {
                        kept += 1;
                        push(&mut builder, member, &opened)?;
                    }
                    Ruling::Out(reason) => {
                        left += 1;
                        self.leaves(id, &reason);
                    }
                }
            }
        }
        tracing::info!(index = entry.entry.index, kept, left, "the pool's records are released");
        builder.finish().map_err(internal)
    }

    fn leaves(&self, id: ContributionId, reason: &str) {
        self.rows.forget(id);
        tracing::info!(contribution = %id, reason, "leaves the pool");
    }

    /// Whether a contribution may be opened: enough stewards offer shares, and nothing on our own view of the chain forbids.
    fn candidate(
        &self,
        mirror: &Mirror,
        committee: &Committee,
        id: ContributionId,
        mut offers: Offers,
    ) -> Result<Ruling<(ContributionId, Contribution, Offers, Released)>, Problem> {
        let latest = &mirror.latest;
        let Some(on_chain) = latest.contributions.get(&id).copied() else {
            return Ok(Ruling::Out("it is not on chain".to_owned()));
        };
        // A denial counts at the latest block, whoever has not seen it yet.
        if on_chain.erased || !latest.consents_at(on_chain.member, mirror.now()) {
            return Ok(Ruling::Out("its member does not consent any more".to_owned()));
        }
        Ok(match offers.agreed(committee)? {
            Ruling::In(released) => Ruling::In((id, on_chain, offers, released)),
            Ruling::Out(reason) => Ruling::Out(reason),
        })
    }

    /// Rows from memory, or the sealed blob from the vault; `None` where the vault has no such blob any more.
    async fn source(
        &self,
        mirror: &Mirror,
        id: ContributionId,
        released: &Released,
        cut_day: i32,
    ) -> Result<Option<Source>, Problem> {
        if let Some(opened) = self.rows.get(id, released.blob_digest, cut_day) {
            return Ok(Some(Source::Cached(opened)));
        }
        let cid = Cid::from_sha256(released.blob_digest.0);
        match self.gateway(mirror).get_bytes_signed(&format!("/v1/blobs/{cid}"), mirror.now()).await {
            Ok(blob) if Cid::of(&blob) == cid => Ok(Some(Source::Blob(blob))),
            Ok(_) => {
                self.blame(format!("the gateway's vault gave other bytes than those of blob {cid}"));
                Err(broken("vault", format!("blob {cid} was altered")).hint("the gateway has to restore the blob"))
            }
            Err(error) => match error.code() {
                ProblemCode::NotFound | ProblemCode::Erased => {
                    self.blame(format!("the gateway's vault does not hold the blob of contribution {id}"));
                    self.rows.forget(id);
                    Ok(None)
                }
                _ => Err(Problem::from(error).hint("the entry is charged and stays open: send the same order again")),
            },
        }
    }

    /// Checks the shares of one contribution and gives its rows.
    fn open_one(
        &self,
        committee: &Committee,
        entry: &CommitRequest,
        pool: &Pool,
        candidate: Candidate,
    ) -> Result<Ruling<Arc<Opened>>, Problem> {
        let Candidate { id, on_chain, mut offers, released, source } = candidate;
        let header = match &source {
            Source::Cached(opened) => opened.header.clone(),
            Source::Blob(blob) => match self.header(&on_chain, blob) {
                Ok(header) => header,
                Err(reason) => return Ok(Ruling::Out(reason)),
            },
        };
        let shares = self.open_shares(id, &header, &released, rule(&entry.entry).hash(), &mut offers);
        if shares.len() < usize::from(committee.quorum) {
            return offers.undecided(committee).map(Ruling::Out);
        }
        let blob = match source {
            Source::Cached(opened) => return Ok(Ruling::In(opened)),
            Source::Blob(blob) => blob,
        };
        let secret = sharing::combine(&released.deal, &shares).map_err(|error| broken("shares", error))?;
        let plaintext = match envelope::open(&secret, header.context(), &blob) {
            Ok(plaintext) => plaintext,
            Err(error) => return Ok(Ruling::Out(error.to_string())),
        };
        let limits = Limits { record_bytes: self.config.records.max_record_bytes };
        // What its member contributed is in the pool, readable or not: everyone in the snapshot is charged alike.
        let rows = match Record::from_slice("record", &plaintext, limits) {
            Ok(record) => only_asked(flatten(&record, i64::try_from(pool.cut.time).unwrap_or(i64::MAX))),
            Err(_) => {
                tracing::info!(contribution = %id, "holds no FHIR record and counts as an empty one");
                empty()
            }
        };
        let opened = Arc::new(Opened { blob_digest: released.blob_digest, header, cut_day: cut_day(pool), rows });
        if !self.config.cache_ttl().is_zero() {
            self.rows.put(id, opened.clone());
        }
        Ok(Ruling::In(opened))
    }

    /// The blob's header, which must belong to the contribution on chain.
    fn header(&self, on_chain: &Contribution, blob: &[u8]) -> Result<Header, String> {
        let header = Header::from_bytes(blob).map_err(|error| error.to_string())?;
        let expected = Context {
            chain_id: self.manifest.chain_id,
            registry: self.manifest.addresses.contribution_registry,
            member: on_chain.member,
            consent_version: on_chain.consent_version,
        };
        header.expect(&expected).map_err(|error| error.to_string())?;
        Ok(header)
    }
}

/// Decrypting and parsing megabytes takes long: other tasks of this thread move elsewhere meanwhile, where there is an
/// elsewhere.
fn on_this_thread<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => block_in_place(work),
        _ => work(),
    }
}

fn push(builder: &mut PoolBuilder, member: MemberId, opened: &Opened) -> Result<(), Problem> {
    builder.push(member, &opened.rows).map_err(internal)
}

fn cut_day(pool: &Pool) -> i32 {
    day_of(i64::try_from(pool.cut.time).unwrap_or(i64::MAX))
}

/// Rows that no query reads are not kept.
fn only_asked(mut flat: Flat) -> Flat {
    flat.codes.retain(|code| code.kind == FlatKind::Condition);
    flat.codes.shrink_to_fit();
    flat.observations.shrink_to_fit();
    flat
}

fn empty() -> Flat {
    Flat {
        sex: Sex::Unknown,
        birth_year: None,
        birth_month: None,
        deceased: false,
        codes: Vec::new(),
        observations: Vec::new(),
    }
}
