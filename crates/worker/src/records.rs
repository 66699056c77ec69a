//! From shares and sealed blobs to a pool of rows. One record's plaintext is in memory at a time; at most [`AHEAD`] sealed
//! blobs are read ahead of it, from the worker's own replica of the vault. Flattened rows stay in memory for a while, so that the next
//! query over the same records opens none of them again; the shares are asked for and checked all the same.
//!
//! A record that does not open is left out and never blocks the others. Which one, and how many, is as secret as a record is: the
//! number enters the answer noised, as `core::query::Answer::left_out`, and nothing of it any log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy::primitives::B256;
use futures_util::stream::{self, StreamExt as _};
use rochdale_api::Problem;
use rochdale_chain::state::Contribution;
use rochdale_compute::pool::{DEFAULT_ROW_CAP, Pool as Rows, PoolBuilder};
use rochdale_core::fhir::{Flat, FlatKind, Limits, Record, Sex, day_of, flatten};
use rochdale_core::ids::{ContributionId, MemberId, StewardId};
use rochdale_crypto::{Context, Header, envelope, sharing};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

use crate::committee::Committee;
use crate::problems::{broken, internal};
use crate::release::{Offers, PAGE, Released};
use crate::rows::Opened;
use crate::snapshot::Pool;
use crate::store::Job;
use crate::worker::{Mirror, Worker};

/// Sealed blobs fetched ahead of the record that is open.
const AHEAD: usize = 2;

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

/// A record with its member, and what it takes to open it.
type Wanted = (ContributionId, MemberId, Option<(Contribution, Released)>);
/// A record with its member, and its rows where it opened.
type OpenedPage = Vec<(ContributionId, MemberId, Option<Arc<Opened>>)>;

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
        let (mut left_out, mut liars) = (BTreeSet::new(), BTreeSet::new());
        for page in pool.ids.chunks(PAGE) {
            for (id, member, opened) in self.open_page_of(&opening, page, &mut liars).await? {
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

    /// The records of one page, in order: of several records of a member the last counts. Who gave a share that does not hold is as if it
    /// had not answered: the others are asked again.
    async fn open_page_of(
        &self,
        opening: &Opening<'_>,
        page: &[ContributionId],
        liars: &mut BTreeSet<StewardId>,
    ) -> Result<OpenedPage, Problem> {
        // Each round without an answer finds another liar, who is not asked again.
        loop {
            match self.open_without(opening, page, liars).await {
                Ok(Some(opened)) => return Ok(opened),
                Ok(None) => {}
                Err(problem) if liars.is_empty() => return Err(problem),
                Err(problem) => return Err(too_few_good(liars, &problem.detail)),
            }
        }
    }

    /// The same by what everybody but `liars` gives, to whom it adds; none where too few are left.
    async fn open_without(
        &self,
        opening: &Opening<'_>,
        page: &[ContributionId],
        liars: &mut BTreeSet<StewardId>,
    ) -> Result<Option<OpenedPage>, Problem> {
        let Opening { mirror, committee, order, cut_time } = *opening;
        let released = self.release(mirror, committee, order, page, liars).await?;
        let wanted = self.wanted(opening, released.offers);
        let reading = stream::iter(wanted).map(|(id, member, wanted)| async move {
            let Some((on_chain, released)) = wanted else { return Ok::<_, Problem>((id, member, None)) };
            let source = self.source(id, &released, cut_day(cut_time)).await?;
            Ok((id, member, source.map(|source| Candidate { on_chain, released, source })))
        });
        let mut reading = std::pin::pin!(reading.buffered(AHEAD));
        let mut opened = Vec::with_capacity(page.len());
        while let Some(read) = reading.next().await {
            let (id, member, candidate) = read?;
            let rows = candidate.and_then(|candidate| on_this_thread(|| self.open_one(opening, id, candidate, liars)));
            opened.push((id, member, rows));
        }
        let honest = released.answered.difference(liars).count();
        Ok((honest >= committee.need()).then_some(opened))
    }

    /// Each record of a page with its member, and what opens it where the chain allows it and the stewards agree on it.
    fn wanted(&self, opening: &Opening<'_>, offers: BTreeMap<ContributionId, Offers>) -> Vec<Wanted> {
        let Opening { mirror, committee, .. } = *opening;
        let mut bad = BTreeSet::new();
        let one = |(id, offers): (ContributionId, Offers)| {
            // Its member is unknown where the chain that named it is gone; it counts as its own.
            let on_chain = mirror.latest.contributions.get(&id).copied();
            let member = on_chain.map_or(MemberId(u32::MAX), |contribution| contribution.member);
            // A denial counts at the latest block, whoever has not seen it yet.
            let allowed = on_chain.filter(|found| !found.erased && mirror.latest.consents_at(member, mirror.now()));
            (id, member, allowed.zip(offers.agreed(committee, &mut bad)))
        };
        let wanted = offers.into_iter().map(one).collect();
        if !bad.is_empty() {
            let who: Vec<String> = bad.iter().map(|id| format!("steward {id}")).collect();
            self.blame(format!("{} named another blob or deal of one record than others", who.join(" and ")));
        }
        wanted
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

fn too_few_good(liars: &BTreeSet<StewardId>, others: &str) -> Problem {
    let who: Vec<String> = liars.iter().map(|id| format!("steward {id}")).collect();
    let detail = format!(
        "shares: too few stewards give good ones; bad ones came from {}; of the others: {others}",
        who.join(" and ")
    );
    broken("release", detail)
        .hint("the order is charged and stays open: send the same order again once the stewards named are mended")
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
