//! Brings sealed parts to the stewards, all at once, and queries to the worker. The gateway keeps none of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256};
use rochdale_api::client::ClientError;
use rochdale_api::contribution::{ContributionPackage, ShareReceipt};
use rochdale_api::member::{
    ClaimLeaf, ConsentDelivery, KeyOfferDelivery, KeyOfferRequest, KeyReceipts, LeavesRequest, RowKeyDelivery, SealedTo,
};
use rochdale_api::order::{PublishedSize, QueryRequest, SealedAnswer, Sizes};
use rochdale_api::route::{Call, Sealed, steward, worker};
use rochdale_api::status::BudgetLimits;
use rochdale_api::{Problem, ProblemCode, trace};
use rochdale_core::ids::{Epoch, MemberId, StewardId};
use rochdale_crypto::SealingPublicKey;
use rochdale_node::peers::{GRACE, PATIENCE, Peer};
use rochdale_node::sealed;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;

use crate::directory::Directory;
use crate::indexer::Index;
use crate::problems;
use crate::store::Holder;

/// How long the worker may take to answer a question: it opens every record of the snapshot.
const QUESTION: Duration = Duration::from_secs(600);
/// How long published sizes are given without asking the stewards again.
const SIZES_FOR: Duration = Duration::from_secs(30);
/// A steward that has not yet seen the block is asked again this often.
const REPEATS: u32 = 5;
/// Pause between two of them.
const PAUSE: Duration = Duration::from_millis(200);

/// Published sizes as they were given, and until when they are given again.
struct Kept {
    until: Instant,
    sizes: Sizes,
}

/// Calls stewards and worker.
#[derive(Clone)]
pub struct Forward {
    index: Index,
    directory: Directory,
    sizes: Arc<Mutex<Option<Kept>>>,
}

impl Forward {
    /// Calls those whom the directory names; deadlines by the time that `index` knows.
    #[must_use]
    pub fn new(index: Index, directory: Directory) -> Self {
        Self { index, directory, sizes: Arc::default() }
    }

    /// Delivers a new member's row key; returns the stewards that did not take it, who fetch it from a peer.
    ///
    /// # Errors
    /// Where block time cannot be read.
    pub async fn row_keys(
        &self,
        member: MemberId,
        account: Address,
        nullifier: B256,
        parts: Vec<SealedTo>,
    ) -> Result<Vec<StewardId>, Problem> {
        let parts = parts.into_iter().map(|sealed| {
            let steward = sealed.steward;
            (steward, RowKeyDelivery { member_id: member, account, nullifier, sealed })
        });
        self.deliver(steward::ROW_KEY, parts.collect()).await
    }

    /// Has the stewards keep a row key that the registrar offers.
    ///
    /// # Errors
    /// Where block time cannot be read.
    pub async fn key_offer(&self, request: KeyOfferRequest) -> Result<KeyReceipts, Problem> {
        let KeyOfferRequest { account, nullifier, row_key_digest, deadline, registrar_signature, row_keys } = request;
        let parts = row_keys.into_iter().map(|sealed| {
            let (steward, registrar_signature) = (sealed.steward, registrar_signature.clone());
            let offer = KeyOfferDelivery { account, nullifier, row_key_digest, deadline, registrar_signature, sealed };
            (steward, offer)
        });
        let mut answer = KeyReceipts::default();
        for (steward, receipt) in self.all(steward::OFFER, parts.collect()).await? {
            match receipt {
                Ok(receipt) => answer.receipts.push(receipt),
                Err(problem) => answer.missing.push(format!("steward {steward}: {problem}")),
            }
        }
        Ok(answer)
    }

    /// Delivers a consent receipt; returns the stewards that did not take it, who fetch it from a peer.
    ///
    /// # Errors
    /// Where block time cannot be read.
    pub async fn consents(
        &self,
        member: MemberId,
        version: u32,
        parts: Vec<SealedTo>,
    ) -> Result<Vec<StewardId>, Problem> {
        let parts = parts.into_iter().map(|sealed| {
            let steward = sealed.steward;
            (steward, ConsentDelivery { member_id: member, version, sealed })
        });
        self.deliver(steward::CONSENT, parts.collect()).await
    }

    /// Brings a package to every steward; says who holds its share.
    ///
    /// # Errors
    /// Where block time cannot be read, or fewer than a quorum hold their share: nothing is queued then.
    pub async fn package(&self, package: &ContributionPackage) -> Result<Vec<Holder>, Problem> {
        let parts = self.directory.reachable().iter().map(|s| (s.steward, package.clone())).collect();
        let answers = self.all(steward::CONTRIBUTION, parts).await?;
        let mut failures = Vec::new();
        let mut holders = Vec::new();
        for (steward, answer) in answers {
            let answer = answer.and_then(|receipt| accept(receipt, steward, package.commitment));
            let missing = answer.as_ref().err().map(ToString::to_string);
            holders.push(Holder { steward, missing });
            failures.extend(answer.err());
        }
        for seat in 1..=self.directory.seats() {
            let steward = StewardId(u8::try_from(seat).unwrap_or(u8::MAX));
            if !holders.iter().any(|h| h.steward == steward) {
                let missing = Some("this gateway's configuration names no URL for it".to_owned());
                holders.push(Holder { steward, missing });
            }
        }
        let held = holders.iter().filter(|h| h.missing.is_none()).count();
        let quorum = self.directory.quorum();
        if held >= quorum { Ok(holders) } else { Err(too_few(held, quorum, &holders, &failures)) }
    }

    /// Leaves and paths of a final epoch, from the steward given.
    ///
    /// # Errors
    /// What the steward answers.
    pub async fn leaves(&self, steward: &Peer, epoch: Epoch, members: &[MemberId]) -> Result<Vec<ClaimLeaf>, Problem> {
        let request = LeavesRequest { epoch, members: members.to_vec() };
        let now = self.now().await?;
        let key = self.directory.sealing_key(steward.steward).ok_or_else(|| unseated(steward.steward))?;
        call(steward, key, steward::CLAIM_LEAVES.into(), &request, now).await
    }

    /// The published sizes that a quorum of stewards gives alike, asked for at most every half minute.
    ///
    /// # Errors
    /// Where too few of them answer.
    pub async fn sizes(&self) -> Result<Sizes, Problem> {
        if let Some(kept) = &mut *self.kept_sizes() {
            let now = Instant::now();
            if now < kept.until {
                return Ok(kept.sizes.clone());
            }
            // While this request asks, others are given what there is.
            kept.until = now + PATIENCE;
        }
        let asked = self.ask_sizes().await;
        *self.kept_sizes() =
            asked.as_ref().ok().map(|sizes| Kept { until: Instant::now() + SIZES_FOR, sizes: sizes.clone() });
        asked
    }

    fn kept_sizes(&self) -> MutexGuard<'_, Option<Kept>> {
        self.sizes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask_sizes(&self) -> Result<Sizes, Problem> {
        let (peers, quorum) = (self.directory.peers(), self.directory.quorum());
        let asked = peers.first(PATIENCE, quorum, self.directory.reachable(), |_, client| async move {
            Ok(client.get(steward::SIZES).await?)
        });
        let mut answers: Vec<Sizes> = Vec::new();
        for (_, answer) in asked.await {
            if let Ok(sizes) = answer {
                answers.push(sizes);
            }
        }
        if answers.len() < quorum {
            let detail = format!("sizes: {} stewards answer, {quorum} are needed", answers.len());
            return Err(Problem::new(ProblemCode::PeerUnavailable, detail));
        }
        let (mut said, mut limits) = (BTreeMap::<PublishedSize, usize>::new(), BTreeMap::<BudgetLimits, usize>::new());
        for answer in answers {
            if let Some(limit) = answer.limits {
                *limits.entry(limit).or_default() += 1;
            }
            // A steward that names one cell twice counts once.
            for size in answer.sizes.into_iter().collect::<BTreeSet<_>>() {
                *said.entry(size).or_default() += 1;
            }
        }
        let agreed = said.into_iter().filter(|(_, times)| *times >= quorum).map(|(size, _)| size);
        let limits = limits.into_iter().find(|(_, times)| *times >= quorum).map(|(limits, _)| limits);
        Ok(Sizes { sizes: agreed.collect(), limits })
    }

    /// Brings a query to the worker and its sealed answer back.
    ///
    /// # Errors
    /// What the worker answers, or that it does not.
    pub async fn query(&self, request: &QueryRequest) -> Result<SealedAnswer, Problem> {
        let now = self.now().await?;
        Ok(self.directory.worker().clone().patient(QUESTION).post_signed(worker::QUERY, request, now).await?)
    }

    async fn deliver<Q: Part>(
        &self,
        call: impl Into<Sent<Q, ()>>,
        parts: Vec<(StewardId, Q)>,
    ) -> Result<Vec<StewardId>, Problem> {
        let call = call.into();
        let mut pending = Vec::new();
        for (steward, answer) in self.all(call.clone(), parts).await? {
            if let Err(problem) = answer {
                tracing::warn!(%steward, path = %call.path, %problem, "a steward did not take its part; it will ask a peer");
                pending.push(steward);
            }
        }
        Ok(pending)
    }

    /// Sends each steward its part, all at once. Once enough of them have theirs, the others are not waited for: what they
    /// are sent goes on its way, and their answer here says so. By seat.
    async fn all<Q: Part, A: DeserializeOwned + Send + 'static>(
        &self,
        to: impl Into<Sent<Q, A>>,
        parts: Vec<(StewardId, Q)>,
    ) -> Result<Vec<(StewardId, Result<A, Problem>)>, Problem> {
        let to = to.into();
        let now = self.now().await?;
        let mut calls = JoinSet::new();
        let mut reachable = self.directory.reachable();
        let mut answers = Vec::new();
        for (steward, part) in parts {
            let place = reachable.iter().position(|r| r.steward == steward);
            let found = place.zip(self.directory.sealing_key(steward));
            let on_its_way = format!("steward {steward} has not answered yet; what it was sent is on its way");
            let problem = match found {
                Some(_) => Problem::new(ProblemCode::PeerUnavailable, on_its_way),
                None => unseated(steward),
            };
            answers.push((steward, Err(problem)));
            if let Some((place, key)) = found {
                let target = reachable.swap_remove(place);
                let to = to.clone();
                calls.spawn(trace::carried(async move { (steward, call(&target, key, to, &part, now).await) }));
            }
        }
        let mut note = |(steward, answer): (StewardId, Result<A, Problem>)| {
            let good = usize::from(answer.is_ok());
            if let Some(one) = answers.iter_mut().find(|(known, _)| *known == steward) {
                one.1 = answer;
            }
            good
        };
        let mut good = 0;
        while good < self.directory.enough()
            && let Some(ended) = calls.join_next().await
        {
            good += note(ended.map_err(problems::ended)?);
        }
        let rest = async {
            while let Some(Ok(ended)) = calls.join_next().await {
                note(ended);
            }
        };
        // An error says that the grace is over, as it may be.
        let _ = tokio::time::timeout(GRACE, rest).await;
        calls.detach_all();
        answers.sort_by_key(|(steward, _)| *steward);
        Ok(answers)
    }

    async fn now(&self) -> Result<u64, Problem> {
        self.index.time().await
    }
}

/// What a steward is sent, which no one else reads.
type Sent<Q, A> = Call<Sealed<Q>, A>;

/// What may wait for its steward while others answer.
trait Part: Serialize + Send + Sync + 'static {}
impl<T: Serialize + Send + Sync + 'static> Part for T {}

fn unseated(steward: StewardId) -> Problem {
    Problem::new(ProblemCode::PeerUnavailable, format!("steward {steward} is not in office or not configured"))
}

/// Calls a steward, sealed to its key on chain; one that has not yet read the newest block is asked again.
async fn call<Q: Part, A: DeserializeOwned>(
    target: &Peer,
    key: SealingPublicKey,
    to: Sent<Q, A>,
    body: &Q,
    now: u64,
) -> Result<A, Problem> {
    let mut left = REPEATS;
    loop {
        match sealed::post(&target.client, key, to.clone(), body, now).await {
            Ok(answer) => return Ok(answer),
            Err(ClientError::Problem { problem, .. }) if left > 0 && lags(&problem) => {}
            Err(error) => return Err(error.into()),
        }
        left -= 1;
        tokio::time::sleep(PAUSE).await;
    }
}

fn lags(problem: &Problem) -> bool {
    matches!(problem.code, ProblemCode::NotFound | ProblemCode::ChainUnavailable)
}

fn accept(receipt: ShareReceipt, steward: StewardId, commitment: B256) -> Result<(), Problem> {
    if receipt.steward == steward && receipt.commitment == commitment {
        return Ok(());
    }
    let detail = format!("steward {steward} gave a receipt of steward {} for {}", receipt.steward, receipt.commitment);
    Err(Problem::new(ProblemCode::PeerUnavailable, detail))
}

/// Nobody is at fault alone where the stewards differ; where all refuse for one reason, that is the answer.
fn too_few(held: usize, quorum: usize, holders: &[Holder], failures: &[Problem]) -> Problem {
    let listed: Vec<String> =
        holders.iter().filter_map(|h| Some(format!("steward {}: {}", h.steward, h.missing.as_ref()?))).collect();
    let code = match failures.first().map(|f| f.code) {
        Some(first) if failures.iter().all(|f| f.code == first) => first,
        _ if failures.iter().any(|f| f.code == ProblemCode::PeerUnavailable) => ProblemCode::PeerUnavailable,
        _ => ProblemCode::NotEnough,
    };
    let detail = format!("{held} stewards hold their share, {quorum} are needed; {}", listed.join("; "));
    Problem::new(code, detail).hint("nothing was recorded and nothing is lost: send the same package again")
}
