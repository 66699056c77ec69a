//! Brings sealed parts to the stewards, all at once, and queries to the worker. The gateway keeps none of them.

use rochdale_api::trace;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256};
use rochdale_api::client::ClientError;
use rochdale_api::contribution::{ContributionPackage, ShareReceipt};
use rochdale_api::member::{
    ClaimLeaf, ConsentDelivery, KeyOfferDelivery, KeyOfferRequest, KeyReceipt, KeyReceipts, LeavesRequest,
    RowKeyDelivery, SealedTo,
};
use rochdale_api::order::{PublishedSize, QueryRequest, SealedAnswer, Sizes};
use rochdale_api::{Problem, ProblemCode};
use rochdale_core::ids::{Epoch, MemberId, StewardId};
use rochdale_crypto::SealingPublicKey;
use rochdale_node::peers::{GRACE, PATIENCE, Peer};
use rochdale_node::sealed;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::sync::Mutex;
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

/// Calls stewards and worker.
#[derive(Clone)]
pub struct Forward {
    index: Index,
    directory: Directory,
    sizes: Arc<Mutex<Option<(Instant, Sizes)>>>,
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
        self.deliver("/v1/row-keys", parts.collect()).await
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
        for (steward, receipt) in self.all::<_, KeyReceipt>("/v1/row-keys/offers", parts.collect()).await? {
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
        self.deliver("/v1/consents", parts.collect()).await
    }

    /// Brings a package to every steward; says who holds its share.
    ///
    /// # Errors
    /// Where block time cannot be read, or fewer than a quorum hold their share: nothing is queued then.
    pub async fn package(&self, package: &ContributionPackage) -> Result<Vec<Holder>, Problem> {
        let parts = self.directory.reachable().iter().map(|s| (s.steward, Arc::new(package.clone()))).collect();
        let answers = self.all::<_, ShareReceipt>("/v1/contributions", parts).await?;
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
        call(steward, key, "/v1/claim-leaves", &request, now).await
    }

    /// The published sizes that a quorum of stewards gives alike, asked for at most every half minute.
    ///
    /// # Errors
    /// Where too few of them answer.
    pub async fn sizes(&self) -> Result<Sizes, Problem> {
        let mut kept = self.sizes.lock().await;
        if let Some((since, sizes)) = kept.as_ref()
            && since.elapsed() < SIZES_FOR
        {
            return Ok(sizes.clone());
        }
        let (peers, quorum) = (self.directory.peers(), self.directory.quorum());
        let asked = peers.first(PATIENCE, quorum, self.directory.reachable(), |_, client| async move {
            Ok(client.get::<Sizes>("/v1/sizes").await?)
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
        let mut said: BTreeMap<PublishedSize, usize> = BTreeMap::new();
        for answer in answers {
            // A steward that names one cell twice counts once.
            for size in answer.sizes.into_iter().collect::<BTreeSet<_>>() {
                *said.entry(size).or_default() += 1;
            }
        }
        let agreed = said.into_iter().filter(|(_, times)| *times >= quorum).map(|(size, _)| size);
        let sizes = Sizes { sizes: agreed.collect() };
        *kept = Some((Instant::now(), sizes.clone()));
        Ok(sizes)
    }

    /// Brings a query to the worker and its sealed answer back.
    ///
    /// # Errors
    /// What the worker answers, or that it does not.
    pub async fn query(&self, request: &QueryRequest) -> Result<SealedAnswer, Problem> {
        let now = self.now().await?;
        Ok(self.directory.worker().clone().patient(QUESTION).post_signed("/v1/queries", request, now).await?)
    }

    async fn deliver<B>(&self, path: &'static str, parts: Vec<(StewardId, B)>) -> Result<Vec<StewardId>, Problem>
    where
        B: Serialize + Send + Sync + 'static,
    {
        let mut pending = Vec::new();
        for (steward, answer) in self.all::<_, IgnoredAny>(path, parts).await? {
            if let Err(problem) = answer {
                tracing::warn!(%steward, path, %problem, "a steward did not take its part; it will ask a peer");
                pending.push(steward);
            }
        }
        Ok(pending)
    }

    /// Sends each steward its part, all at once. Once enough of them have theirs, the others are not waited for: what they
    /// are sent goes on its way, and their answer here says so. By seat.
    async fn all<B, T>(
        &self,
        path: &'static str,
        parts: Vec<(StewardId, B)>,
    ) -> Result<Vec<(StewardId, Result<T, Problem>)>, Problem>
    where
        B: Serialize + Send + Sync + 'static,
        T: DeserializeOwned + Send + 'static,
    {
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
                calls.spawn(trace::carried(async move { (steward, call(&target, key, path, &part, now).await) }));
            }
        }
        let mut note = |(steward, answer): (StewardId, Result<T, Problem>)| {
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

fn unseated(steward: StewardId) -> Problem {
    Problem::new(ProblemCode::PeerUnavailable, format!("steward {steward} is not in office or not configured"))
}

/// Calls a steward, sealed to its key on chain; one that has not yet read the newest block is asked again.
async fn call<T: DeserializeOwned>(
    target: &Peer,
    key: SealingPublicKey,
    path: &str,
    body: &(impl Serialize + Sync),
    now: u64,
) -> Result<T, Problem> {
    let mut left = REPEATS;
    loop {
        match sealed::post(&target.client, key, path, body, now).await {
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
