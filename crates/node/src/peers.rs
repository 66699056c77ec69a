//! Asking the stewards: side by side, each with a deadline of its own, and a memory of who did not answer.
//!
//! Any of them may be stopped, slow or malicious. Nothing waits for one of them: whoever needs k good answers goes on with the
//! first k, and who was silent last time has a shorter deadline until it answers again.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy::primitives::Address;
use futures_util::stream::{FuturesUnordered, Stream, StreamExt as _};
use rochdale_api::client::{Client, ClientError, Identity};
use rochdale_api::route::HEALTH;
use rochdale_api::{Problem, ProblemCode};
use rochdale_core::ids::StewardId;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// How long a steward may take that answered last time.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How long one may take that did not.
pub const SHORT: Duration = Duration::from_secs(1);
/// Between two times that a silent one is given its full time.
const AGAIN: Duration = Duration::from_secs(30);
/// How long those have who come after enough others.
pub const GRACE: Duration = Duration::from_millis(300);
/// Silences in a row after which a steward counts as down: one slow answer is none.
const DOWN_AFTER: u32 = 2;

/// A steward and how to reach it.
#[derive(Clone)]
pub struct Peer {
    /// The steward's seat, from 1.
    pub steward: StewardId,
    /// Signs as we, and takes only its answers.
    pub client: Client,
}

/// What each steward answered.
pub type Answers<T> = Vec<(StewardId, Result<T, Problem>)>;

/// A steward that did not answer when it was asked last.
#[derive(Clone, Copy, Debug)]
struct Silence {
    since: Instant,
    times: u32,
    /// When it was last given its full time.
    tried: Instant,
}

/// The stewards that the configuration reaches. Clones share connections and memory.
#[derive(Clone)]
pub struct Peers {
    identity: Identity,
    clients: Arc<BTreeMap<StewardId, Client>>,
    silent: Arc<Mutex<BTreeMap<StewardId, Silence>>>,
    /// Those who are asked right now whether they live.
    left: Arc<Mutex<BTreeSet<StewardId>>>,
}

impl Peers {
    /// Those behind the URLs, called in the name of `identity`.
    ///
    /// # Errors
    /// With the steward whose URL does not parse.
    pub fn new<'a>(
        identity: Identity,
        urls: impl IntoIterator<Item = (StewardId, &'a str)>,
    ) -> Result<Self, (StewardId, ClientError)> {
        let client = |(steward, url)| Ok((steward, Client::new(url).map_err(|error| (steward, error))?));
        let clients = urls.into_iter().map(client).collect::<Result<_, _>>()?;
        Ok(Self { identity, clients: Arc::new(clients), silent: Arc::default(), left: Arc::default() })
    }

    /// A client of the steward of this seat whose address on chain is `signer`; none where the configuration has no URL.
    /// Its calls end within the steward's patience, and how they end is remembered.
    #[must_use]
    pub fn client(&self, steward: StewardId, signer: Address) -> Option<Client> {
        let client = self.clients.get(&steward)?.clone();
        let (memory, us) = (self.clone(), self.identity.clone());
        let watch = Arc::new(move |answered| memory.note(steward, answered));
        Some(client.signing(us, signer).patient(self.patience(steward, PATIENCE)).watched(watch))
    }

    /// A steward's base URL, as configured.
    #[must_use]
    pub fn url(&self, steward: StewardId) -> Option<&str> {
        Some(self.clients.get(&steward)?.base().as_str().trim_end_matches('/'))
    }

    /// Those in office, by seat, ourselves and those without a URL left out. `signers` are the addresses of the seats.
    #[must_use]
    pub fn seated(&self, signers: impl IntoIterator<Item = Address>) -> Vec<Peer> {
        let us = self.identity.key.address();
        let peer = |(seat, signer): (u8, Address)| {
            let steward = StewardId(seat);
            Some(Peer { steward, client: self.client(steward, signer)? })
        };
        (1u8..).zip(signers).filter(|(_, signer)| *signer != us).filter_map(peer).collect()
    }

    /// How long this steward may take where one that answers may take `full`: one that was silent gets that much only now
    /// and then, for it may be slow and not gone.
    fn patience(&self, steward: StewardId, full: Duration) -> Duration {
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        match silent.get_mut(&steward) {
            Some(silence) if silence.tried.elapsed() < AGAIN => full.min(SHORT),
            Some(silence) => {
                silence.tried = Instant::now();
                full
            }
            None => full,
        }
    }

    /// Notes how a question to a steward ended.
    pub fn note(&self, steward: StewardId, answered: bool) {
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        if answered {
            if let Some(silence) = silent.remove(&steward) {
                tracing::info!(%steward, seconds = silence.since.elapsed().as_secs(), "a steward answers again");
            }
            return;
        }
        let now = Instant::now();
        let silence = silent.entry(steward).or_insert(Silence { since: now, times: 0, tried: now });
        silence.times += 1;
        if silence.times == DOWN_AFTER {
            tracing::warn!(%steward, "a steward does not answer; nothing waits for it");
        }
    }

    /// Whether a steward counts as down.
    #[must_use]
    pub fn is_down(&self, steward: StewardId) -> bool {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        silent.get(&steward).is_some_and(|silence| silence.times >= DOWN_AFTER)
    }

    /// Whether a steward did not answer when it was asked last.
    #[must_use]
    pub fn is_silent(&self, steward: StewardId) -> bool {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&steward)
    }

    /// Asks a steward that was left behind whether it lives. It may only be slower than others, or it may hang: then health
    /// says so though nobody waited for it.
    fn look_after(&self, steward: StewardId) {
        let (Some(client), Ok(runtime)) = (self.clients.get(&steward), Handle::try_current()) else { return };
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if !left.insert(steward) {
            return;
        }
        let (peers, client) = (self.clone(), client.clone());
        runtime.spawn(async move {
            while !peers.is_down(steward) {
                let patience = peers.patience(steward, PATIENCE);
                let lives = client.clone().patient(patience).get(HEALTH).await;
                let lives = !matches!(lives, Err(ClientError::Unreachable { .. }));
                peers.note(steward, lives);
                if lives {
                    break;
                }
            }
            peers.left.lock().unwrap_or_else(PoisonError::into_inner).remove(&steward);
        });
    }

    /// Who is waited for, in words for health.
    #[must_use]
    pub fn waited_for(&self) -> Vec<String> {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        let down = silent.iter().filter(|(_, silence)| silence.times >= DOWN_AFTER);
        down.map(|(steward, silence)| {
            format!("steward {steward} has not answered for {} s", silence.since.elapsed().as_secs())
        })
        .collect()
    }

    /// Asks some stewards at once; each answer as it comes, each within its steward's patience. Who takes no further
    /// answers drops the questions that are still open.
    pub fn ask<T, F>(
        &self,
        peers: Vec<Peer>,
        question: impl Fn(StewardId, Client) -> F,
    ) -> impl Stream<Item = (StewardId, Result<T, Problem>)> + Unpin
    where
        F: Future<Output = Result<T, Problem>>,
    {
        self.ask_within(PATIENCE, peers, question)
    }

    /// [`Self::ask`], where a steward that answers may take `patience`.
    pub fn ask_within<T, F>(
        &self,
        patience: Duration,
        peers: Vec<Peer>,
        question: impl Fn(StewardId, Client) -> F,
    ) -> impl Stream<Item = (StewardId, Result<T, Problem>)> + Unpin
    where
        F: Future<Output = Result<T, Problem>>,
    {
        let asked = peers.into_iter().map(|Peer { steward, client }| {
            let patience = self.patience(steward, patience);
            let (peers, answer) = (self.clone(), question(steward, client.patient(patience)));
            Box::pin(async move { (steward, peers.within(patience, steward, answer).await) })
        });
        asked.collect::<FuturesUnordered<_>>()
    }

    /// The answer to one question, within a time. The question may take several calls; each notes for itself whether it
    /// was answered.
    async fn within<T>(
        &self,
        patience: Duration,
        steward: StewardId,
        answer: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let mut open = Open { peers: self, steward, dropped: true };
        // A call that ends by its own deadline says more than this one.
        let ended = tokio::time::timeout(patience + Duration::from_millis(100), answer).await;
        open.dropped = false;
        match ended {
            Ok(answer) => {
                if answer.is_ok() {
                    self.note(steward, true);
                }
                answer
            }
            Err(_) => {
                self.note(steward, false);
                let detail = format!("steward {steward} gave no answer within {} s", patience.as_secs());
                Err(Problem::new(ProblemCode::PeerUnavailable, detail))
            }
        }
    }

    /// Asks stewards at once and waits for all, at most their patience, by seat.
    pub async fn all<T, F>(&self, peers: Vec<Peer>, question: impl Fn(StewardId, Client) -> F) -> Answers<T>
    where
        F: Future<Output = Result<T, Problem>>,
    {
        self.first(PATIENCE, usize::MAX, peers, question).await
    }

    /// Asks stewards at once. Once `enough` gave good answers, the others have [`GRACE`] more; who is slower is not waited
    /// for. Refusals that came in time are given too. By seat.
    pub async fn first<T, F>(
        &self,
        patience: Duration,
        enough: usize,
        peers: Vec<Peer>,
        question: impl Fn(StewardId, Client) -> F,
    ) -> Answers<T>
    where
        F: Future<Output = Result<T, Problem>>,
    {
        let good = |answers: &Answers<T>| answers.iter().filter(|(_, answer)| answer.is_ok()).count();
        self.until(patience, peers, question, |answers| good(answers) >= enough).await
    }

    /// As [`Self::first`], where `suffice` says of the answers that came so far whether they are enough: what one steward says may be good
    /// by itself and not fit what the others say.
    pub async fn until<T, F>(
        &self,
        patience: Duration,
        peers: Vec<Peer>,
        question: impl Fn(StewardId, Client) -> F,
        suffice: impl Fn(&Answers<T>) -> bool,
    ) -> Answers<T>
    where
        F: Future<Output = Result<T, Problem>>,
    {
        let mut asked = self.ask_within(patience, peers, question);
        let mut answers = Vec::new();
        while !suffice(&answers)
            && let Some(answer) = asked.next().await
        {
            answers.push(answer);
        }
        let rest = async {
            while let Some(late) = asked.next().await {
                answers.push(late);
            }
        };
        // An error says that the grace is over, as it may be.
        let _ = tokio::time::timeout(GRACE, rest).await;
        answers.sort_by_key(|(steward, _)| *steward);
        answers
    }
}

/// A question that has no answer yet.
struct Open<'a> {
    peers: &'a Peers,
    steward: StewardId,
    dropped: bool,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if self.dropped {
            self.peers.look_after(self.steward);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::signers::local::PrivateKeySigner;
    use std::future::pending;

    const URL: &str = "http://127.0.0.1:1";

    fn peers() -> (Peers, Vec<Peer>) {
        peers_at(URL)
    }

    fn peers_at(url: &str) -> (Peers, Vec<Peer>) {
        let key = PrivateKeySigner::from_slice(&[9; 32]).unwrap();
        let identity = Identity { key, domain: rochdale_api::auth::domain(1, Address::ZERO) };
        let us = identity.key.address();
        let peers = Peers::new(identity, [2, 3, 4].map(|seat| (StewardId(seat), url))).unwrap();
        // We sit on seat 1, and no URL is known of seat 5.
        let seated = peers.seated([
            us,
            Address::repeat_byte(2),
            Address::repeat_byte(3),
            Address::repeat_byte(4),
            Address::repeat_byte(5),
        ]);
        assert_eq!(seated.iter().map(|peer| peer.steward.0).collect::<Vec<_>>(), [2, 3, 4]);
        (peers, seated)
    }

    /// Seat 3 hangs, the others answer with their seat.
    async fn hung(steward: StewardId) -> Result<u8, Problem> {
        if steward.0 == 3 { pending().await } else { Ok(steward.0) }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_good_answers_suffice_and_nobody_is_waited_for() {
        let (peers, seated) = peers();
        let start = tokio::time::Instant::now();
        let answers = peers.all(seated.clone(), |steward, _| hung(steward)).await;
        assert_eq!(answers[1].1.as_ref().unwrap_err().code, ProblemCode::PeerUnavailable);
        assert!((PATIENCE..PATIENCE + SHORT).contains(&start.elapsed()), "{:?}", start.elapsed());
        assert!(!peers.is_down(StewardId(3)), "one slow answer is none");

        peers.all(seated.clone(), |steward, _| hung(steward)).await;
        assert!(start.elapsed() < PATIENCE + SHORT + SHORT, "it is remembered: {:?}", start.elapsed());
        assert!(peers.is_down(StewardId(3)) && !peers.is_down(StewardId(2)));
        assert!(peers.waited_for()[0].starts_with("steward 3 has not answered for"), "{:?}", peers.waited_for());

        let start = tokio::time::Instant::now();
        let answers = peers.first(PATIENCE, 2, seated.clone(), |steward, _| hung(steward)).await;
        assert_eq!(answers.iter().map(|(_, answer)| *answer.as_ref().unwrap()).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(start.elapsed(), GRACE);

        peers.all(seated, |steward, _| async move { Ok(steward) }).await;
        assert_eq!(peers.patience(StewardId(3), PATIENCE), PATIENCE);
        assert!(peers.waited_for().is_empty());
    }

    /// Real time, for what hangs is a real connection.
    #[tokio::test]
    async fn who_is_left_behind_and_hangs_is_named_though_nobody_waited() {
        let hangs = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", hangs.local_addr().unwrap());
        let (peers, seated) = peers_at(&url);
        let answers = peers.first(PATIENCE, 2, seated, |steward, _| hung(steward)).await;
        assert_eq!(answers.len(), 2);
        assert!(peers.waited_for().is_empty(), "it may only be slower than others");
        tokio::time::sleep(PATIENCE + SHORT + Duration::from_secs(1)).await;
        assert!(peers.waited_for()[0].starts_with("steward 3 has not answered for"), "{:?}", peers.waited_for());
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_do_not_count_as_answers_nor_as_silence() {
        let (peers, seated) = peers();
        let refuse = |steward: StewardId, _| async move {
            if steward.0 == 2 { Err(Problem::new(ProblemCode::Forbidden, "no")) } else { hung(steward).await }
        };
        let answers = peers.first(PATIENCE, 2, seated, refuse).await;
        assert_eq!(answers.len(), 3, "there were no two good ones");
        assert_eq!(peers.patience(StewardId(2), PATIENCE), PATIENCE);
    }
}
