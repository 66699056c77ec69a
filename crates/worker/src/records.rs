//! From shares and sealed blobs to a pool of rows. One record's plaintext is in memory at a time; at most [`AHEAD`] sealed
//! blobs are read ahead of it, from the worker's own replica of the vault. Flattened rows stay in memory for a while, so that the next
//! query over the same records opens none of them again; the shares are asked for and checked all the same.
//!
//! A record that does not open is left out and never blocks the others. Which one, and how many, is as secret as a record is: the
//! number enters the answer noised, as `core::query::Answer::left_out`, and nothing of it any log.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy::primitives::B256;
use futures_util::stream::{self, StreamExt as _};
use rochdale_api::Problem;
use rochdale_chain::client::Clock;
use rochdale_chain::state::Contribution;
use rochdale_compute::pool::{DEFAULT_ROW_CAP, Pool as Rows, PoolBuilder};
use rochdale_core::fhir::{Flat, FlatCode, FlatKind, FlatObservation, Limits, Record, Sex, day_of, flatten};
use rochdale_core::ids::{ContributionId, MemberId, StewardId};
use rochdale_crypto::{Context, Header, envelope, sharing};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;
use zeroize::Zeroize as _;

use crate::committee::Committee;
use crate::problems::{broken, internal};
use crate::release::{PAGE, Released};
use crate::snapshot::Pool;
use crate::store::Job;
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
    on_chain: Contribution,
    released: Released,
    source: Source,
}

/// Where a record's rows come from.
enum Source {
    Cached(Arc<Opened>),
    Blob(Vec<u8>),
}

/// What came of a snapshot.
pub struct OpenedPool {
    /// The rows of what opened.
    pub rows: Rows,
    /// Members of whom a record is left out: as secret as the rows.
    pub left_out: u64,
}

/// A debit whose snapshot is being opened.
struct Opening<'a> {
    mirror: &'a Mirror,
    committee: &'a Committee,
    order: B256,
    cut_time: u64,
}

impl Worker {
    /// The rows of a booked debit's snapshot: every record that a quorum releases and that opens.
    ///
    /// # Errors
    /// Where fewer than a quorum of stewards answer with shares that hold: no record can be opened then, and the order waits.
    pub async fn open_pool(
        &self,
        mirror: &Mirror,
        committee: &Committee,
        job: &Job,
        pool: &Pool,
    ) -> Result<OpenedPool, Problem> {
        self.rows.expire();
        let mut builder = PoolBuilder::new(self.keys.pool_salt(), DEFAULT_ROW_CAP, job.cut_time).map_err(internal)?;
        let opening = Opening { mirror, committee, order: job.order_digest, cut_time: job.cut_time };
        let mut left_out = BTreeSet::new();
        for page in pool.ids.chunks(PAGE) {
            for (id, member, opened) in self.open_page_of(&opening, page).await? {
                match opened {
                    Some(opened) => push(&mut builder, member, &opened)?,
                    None => {
                        self.rows.forget(id);
                        left_out.insert(member);
                    }
                }
            }
        }
        Ok(OpenedPool { rows: builder.finish().map_err(internal)?, left_out: left_out.len() as u64 })
    }

    /// The records of one page, in order: of several records of a member the last counts.
    async fn open_page_of(
        &self,
        opening: &Opening<'_>,
        page: &[ContributionId],
    ) -> Result<Vec<(ContributionId, MemberId, Option<Arc<Opened>>)>, Problem> {
        let Opening { mirror, committee, order, cut_time } = *opening;
        let released = self.release(mirror, committee, order, page).await?;
        let mut bad = BTreeSet::new();
        let mut wanted = Vec::with_capacity(page.len());
        for (id, offers) in released.offers {
            // Its member is unknown where the chain that named it is gone; it counts as its own.
            let on_chain = mirror.latest.contributions.get(&id).copied();
            let member = on_chain.map_or(MemberId(u32::MAX), |contribution| contribution.member);
            // A denial counts at the latest block, whoever has not seen it yet.
            let allowed = on_chain.filter(|found| !found.erased && mirror.latest.consents_at(member, mirror.now()));
            wanted.push((id, member, allowed.zip(offers.agreed(committee, &mut bad))));
        }
        if !bad.is_empty() {
            let who: Vec<String> = bad.iter().map(ToString::to_string).collect();
            self.blame(format!("stewards {} name different blobs or deals for one record", who.join(" and ")));
        }
        let reading = stream::iter(wanted).map(|(id, member, wanted)| async move {
            let Some((on_chain, released)) = wanted else { return Ok::<_, Problem>((id, member, None)) };
            let source = self.source(id, &released, cut_day(cut_time)).await?;
            Ok((id, member, source.map(|source| Candidate { on_chain, released, source })))
        });
        let mut reading = std::pin::pin!(reading.buffered(AHEAD));
        let (mut opened, mut liars) = (Vec::with_capacity(page.len()), BTreeSet::new());
        while let Some(read) = reading.next().await {
            let (id, member, candidate) = read?;
            let rows =
                candidate.and_then(|candidate| on_this_thread(|| self.open_one(opening, id, candidate, &mut liars)));
            opened.push((id, member, rows));
        }
        // Who gave a share that does not hold is as if it had not answered.
        let honest = released.answered.difference(&liars).count();
        if honest >= committee.need() {
            return Ok(opened);
        }
        let who: Vec<String> = liars.iter().map(|id| format!("steward {id}")).collect();
        let detail = format!("shares: too few stewards give good ones; bad ones came from {}", who.join(" and "));
        Err(broken("release", detail)
            .hint("the order is charged and stays open: send the same order again once the stewards named are mended"))
    }

    /// Rows from memory, or the sealed blob from the replica; `None` where it is in neither.
    async fn source(&self, id: ContributionId, released: &Released, cut_day: i32) -> Result<Option<Source>, Problem> {
        if let Some(opened) = self.rows.get(id, released.blob_digest, cut_day) {
            return Ok(Some(Source::Cached(opened)));
        }
        Ok(self.replica.read(released.blob_digest).await.map_err(internal)?.map(Source::Blob))
    }

    /// Checks the shares of one contribution and gives its rows; `None` where it does not open.
    fn open_one(
        &self,
        opening: &Opening<'_>,
        id: ContributionId,
        candidate: Candidate,
        liars: &mut BTreeSet<StewardId>,
    ) -> Option<Arc<Opened>> {
        let Candidate { on_chain, released, source } = candidate;
        let header = match &source {
            Source::Cached(opened) => opened.header.clone(),
            Source::Blob(blob) => self.header(&on_chain, blob)?,
        };
        let shares = self.open_shares(&header, &released, opening.order, liars);
        if shares.len() < opening.committee.need() {
            return None;
        }
        let blob = match source {
            Source::Cached(opened) => return Some(opened),
            Source::Blob(blob) => blob,
        };
        let secret = sharing::combine(&released.deal, &shares).ok()?;
        let plaintext = envelope::open(&secret, header.context(), &blob).ok()?;
        let limits = Limits { record_bytes: self.config.records.max_record_bytes };
        // What its member contributed is in the pool, readable or not: everyone in the snapshot is charged alike.
        let rows = match Record::from_slice("record", &plaintext, limits) {
            Ok(record) => only_asked(flatten(&record, i64::try_from(opening.cut_time).unwrap_or(i64::MAX))),
            Err(_) => empty(),
        };
        let cut_day = cut_day(opening.cut_time);
        let opened = Arc::new(Opened { blob_digest: released.blob_digest, header, cut_day, rows });
        if !self.config.cache_ttl().is_zero() {
            self.rows.put(id, opened.clone());
        }
        Some(opened)
    }

    /// The blob's header, which must belong to the contribution on chain.
    fn header(&self, on_chain: &Contribution, blob: &[u8]) -> Option<Header> {
        let header = Header::from_bytes(blob).ok()?;
        let expected = Context {
            chain_id: self.manifest.chain_id,
            registry: self.manifest.addresses.contribution_registry,
            member: on_chain.member,
            consent_version: on_chain.consent_version,
        };
        header.expect(&expected).ok()?;
        Some(header)
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

fn cut_day(cut_time: u64) -> i32 {
    day_of(i64::try_from(cut_time).unwrap_or(i64::MAX))
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
