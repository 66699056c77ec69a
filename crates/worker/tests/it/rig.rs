//! A cooperative on anvil: three stewards and a gateway in this process, each behind its own address, and a worker that
//! can be dropped and opened again on the same store.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use rochdale_api::client::Client;
use rochdale_api::contribution::{ContributionPackage, ContributionState, ContributionStatus};
use rochdale_api::denial::DenialState;
use rochdale_api::member::{
    GrantRequest, Granted, Joined, KeyOfferRequest, KeyReceipts, Mined, Sealed as SealedAnswerOf,
};
use rochdale_api::order::{
    Answered, BlindedOrder, Order, QueryRequest, SealedAnswer, SealedRequest, ShareAnswer, Shares, Snapshot,
};
use rochdale_api::route::{HEALTH, gateway, steward};
use rochdale_api::status::MemberView;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::bindings::LicenseSale;
use rochdale_chain::client::SystemClock;
use rochdale_chain::events::Event;
use rochdale_chain::local::AnvilOptions;
use rochdale_client::membership::{self, Applicant};
use rochdale_client::{Member, Researcher, Site, Stamp};
use rochdale_core::commit;
use rochdale_core::consent::Choice;
use rochdale_core::ids::{DatasetId, LicenseId, MemberId, Purpose, StewardId};
use rochdale_core::query::{Ask, Cohort, Query, VERSION};
use rochdale_crypto::sealing::{OrderContext, PoolContext, QueryAnswerContext, SharesContext, open_as, seal_as};
use rochdale_crypto::{Cid, RowKey, Sealed, SealingKeyPair, random_blinder};
use rochdale_testkit::anvil::{TestCoop, role_key};
use rochdale_testkit::passkey::Passkey;
use rochdale_testkit::synth;
use rochdale_testkit::wire::Wire;
use rochdale_worker::config::{Config, Engine, Privacy, Records, Replica, StewardConfig};
use rochdale_worker::http;
use rochdale_worker::worker::Worker;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::tap::Tap;

/// So seldom that it never happens.
const HOUR_MS: u64 = 3_600_000;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Health, medical and biomedical research.
pub const PURPOSE: Purpose = Purpose(6);
pub const DATASET: DatasetId = DatasetId(1);
/// Scientific research, (e) of the six.
const EHDS: u8 = 5;
/// ρ = 1, the most that one query may spend: noise of a count has deviation 0.71.
pub const RHO: u64 = 1_000_000_000;

/// What the test does to a steward's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    None,
    /// A release does not come back.
    ReleaseHangs,
    /// A release is refused for now.
    ReleaseFails,
    /// A debit is refused for now.
    SigningFails,
    /// A debit does not come back.
    SigningHangs,
    /// A snapshot does not come back.
    SnapshotHangs,
    /// Shares of two contributions are swapped.
    SwapsShares,
    /// No share is given, for no reason.
    RefusesShares,
    /// Another deal is named for the first record of each page.
    NamesAnotherDeal,
    /// The snapshot lacks its last record.
    NamesAnotherSnapshot,
    /// Every answer comes 600 ms late.
    Slow,
}

/// A steward behind its address.
pub struct Seat {
    pub address: SocketAddr,
    pub steward: Arc<rochdale_steward::steward::Steward>,
    fault: Arc<AtomicU8>,
    hung: Arc<AtomicUsize>,
    seat: StewardId,
    committee: alloy::primitives::Address,
    serving: Mutex<Option<JoinHandle<()>>>,
}

impl Seat {
    /// Calls that hang.
    pub fn hung(&self) -> usize {
        self.hung.load(Ordering::SeqCst)
    }

    pub fn fault(&self, fault: Fault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }

    /// From now on nobody answers at its address.
    pub async fn down(&self) {
        let serving = self.serving.lock().unwrap().take().unwrap();
        serving.abort();
        assert!(serving.await.unwrap_err().is_cancelled());
    }

    pub async fn up(&self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        *self.serving.lock().unwrap() = Some(self.serve(listener));
    }

    fn serve(&self, listener: TcpListener) -> JoinHandle<()> {
        let router = rochdale_steward::http::router(self.steward.clone());
        let (fault, hung, steward) = (self.fault.clone(), self.hung.clone(), self.steward.clone());
        let meddler = Meddler { fault, hung, steward, seat: self.seat, committee: self.committee };
        let router = router.layer(from_fn_with_state(meddler, meddle));
        // The fault is the steward's own: it signs what it meddled with.
        let router = rochdale_api::server::answering(router, self.steward.identity());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
    }
}

/// What a lying steward needs to change its own answers: its seat, and the worker's key.
#[derive(Clone)]
struct Meddler {
    fault: Arc<AtomicU8>,
    hung: Arc<AtomicUsize>,
    steward: Arc<rochdale_steward::steward::Steward>,
    seat: StewardId,
    committee: alloy::primitives::Address,
}

impl Meddler {
    /// The snapshot that was asked for and sealed, without its last record.
    fn shorten(&self, request: &SealedRequest, sealed: Sealed) -> Sealed {
        let (chain_id, committee, order, index) = (31_337, self.committee, request.order, self.seat);
        let asked = OrderContext { chain_id, committee, order, worker: role_key("worker").address(), index };
        let json = open_as(&self.steward.keys.sealing, &asked, &Sealed(request.sealed.clone())).unwrap();
        let drawn = serde_json::from_slice::<BlindedOrder>(&json).unwrap().drawn;
        let blinder = commit::snapshot_blinder(order, drawn);
        let context = PoolContext { chain_id, committee, order, index };
        let json = open_as(&sealing("worker"), &context, &sealed).unwrap();
        let mut snapshot: Snapshot = serde_json::from_slice(&json).unwrap();
        snapshot.contributions.pop();
        let registry = self.steward.manifest.addresses.contribution_registry;
        let (dataset, purpose, cut) = (snapshot.dataset, snapshot.purpose, snapshot.cut);
        let ids = &snapshot.contributions;
        let rule = commit::Snapshot { chain_id, registry, dataset, purpose, cut, ids };
        snapshot.digest = rule.blinded_digest(blinder).unwrap();
        let json = serde_json::to_vec(&snapshot).unwrap();
        seal_as(&sealing("worker").public(), &context, &json, &mut rand::rng()).unwrap()
    }
}

async fn meddle(State(meddler): State<Meddler>, request: Request, next: Next) -> Response {
    let fault = meddler.fault.load(Ordering::SeqCst);
    let path = request.uri().path().to_owned();
    let is = |wanted: Fault, at: &str| fault == wanted as u8 && path == at;
    let away = || Problem::new(ProblemCode::PeerUnavailable, "switched off by the test").into_response();
    let hangs = is(Fault::ReleaseHangs, steward::RELEASE.path)
        || is(Fault::SigningHangs, steward::DEBIT.path)
        || is(Fault::SnapshotHangs, steward::SNAPSHOT.path);
    if hangs {
        meddler.hung.fetch_add(1, Ordering::SeqCst);
        return std::future::pending().await;
    }
    if is(Fault::ReleaseFails, steward::RELEASE.path) || is(Fault::SigningFails, steward::DEBIT.path) {
        return away();
    }
    if fault == Fault::Slow as u8 {
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    let names_another = is(Fault::NamesAnotherSnapshot, steward::SNAPSHOT.path);
    let meddles = [Fault::SwapsShares, Fault::RefusesShares, Fault::NamesAnotherDeal];
    if !meddles.into_iter().any(|fault| is(fault, steward::RELEASE.path)) && !names_another {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let asked = to_bytes(body, usize::MAX).await.unwrap();
    let request = serde_json::from_slice::<SealedRequest>(&asked).unwrap();
    let order = request.order;
    let response = next.run(Request::from_parts(parts, Body::from(asked))).await;
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let Ok(answer) = serde_json::from_slice::<SealedAnswerOf>(&body) else {
        return Response::from_parts(parts, Body::from(body));
    };
    if names_another {
        let sealed = meddler.shorten(&request, Sealed(answer.sealed)).0;
        parts.headers.remove("content-length");
        return Response::from_parts(parts, Body::from(serde_json::to_vec(&SealedAnswerOf { sealed }).unwrap()));
    }
    let context = SharesContext { chain_id: 31_337, committee: meddler.committee, order, index: meddler.seat };
    let json = open_as(&sealing("worker"), &context, &Sealed(answer.sealed)).unwrap();
    let mut shares: Shares = serde_json::from_slice(&json).unwrap();
    match &mut shares[..] {
        [ShareAnswer::Released { sealed: one, .. }, ShareAnswer::Released { sealed: other, .. }, ..]
            if fault == Fault::SwapsShares as u8 =>
        {
            std::mem::swap(one, other);
        }
        [ShareAnswer::Released { deal, .. }, ..] if fault == Fault::NamesAnotherDeal as u8 => deal.reverse(),
        shares if fault == Fault::RefusesShares as u8 => shares.iter_mut().for_each(refuse),
        _ => {}
    }
    let json = serde_json::to_vec(&shares).unwrap();
    let sealed = seal_as(&sealing("worker").public(), &context, &json, &mut rand::rng()).unwrap().0;
    parts.headers.remove("content-length");
    Response::from_parts(parts, Body::from(serde_json::to_vec(&SealedAnswerOf { sealed }).unwrap()))
}

fn refuse(answer: &mut ShareAnswer) {
    if let ShareAnswer::Released { contribution_id, .. } = *answer {
        *answer = ShareAnswer::Refused { contribution_id, code: ProblemCode::Forbidden, reason: "no".to_owned() };
    }
}

/// A license and the keys that go with it.
pub struct Licensed {
    pub id: LicenseId,
    pub holder: PrivateKeySigner,
    pub recipient: SealingKeyPair,
}

/// Between each process and its RPC.
pub struct Wires {
    pub gateway: Wire,
    pub stewards: Vec<Wire>,
    pub worker: Wire,
}

impl Wires {
    async fn new(coop: &TestCoop) -> Self {
        let wire = async || Wire::to(coop.anvil.url()).await.unwrap();
        Self { gateway: wire().await, stewards: vec![wire().await, wire().await, wire().await], worker: wire().await }
    }

    pub fn all(&self) -> impl Iterator<Item = &Wire> {
        [&self.gateway, &self.worker].into_iter().chain(&self.stewards)
    }
}

pub struct Rig {
    pub coop: TestCoop,
    pub seats: Vec<Seat>,
    pub gateway: Client,
    /// Between the worker and the gateway.
    pub tap: Arc<Tap>,
    pub worker: Arc<Worker>,
    pub worker_url: String,
    pub wires: Wires,
    pub members: Vec<(PrivateKeySigner, MemberId)>,
    config: Config,
    running: Vec<JoinHandle<()>>,
    dir: TempDir,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.running.iter().for_each(JoinHandle::abort);
    }
}

pub fn write_key(path: &Path, kind: &str, secret: &[u8]) -> PathBuf {
    let line = format!("rochdale-{kind}-key-v1 {}\n", alloy::primitives::hex::encode(secret));
    std::fs::write(path, line).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.to_owned()
}

/// The sealing key of a role, the same on every run.
pub fn sealing(role: &str) -> SealingKeyPair {
    SealingKeyPair::from_secret(&keccak256(format!("sealing {role}")).0)
}

async fn listener() -> (TcpListener, SocketAddr, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address, format!("http://{address}"))
}

impl Rig {
    /// A cooperative whose stewards give `budget` nano-zCDP for life, with `members` members who contributed one record.
    pub async fn new(members: u32, budget: u64) -> Self {
        Self::looking((20, false), members, budget).await
    }

    /// The same, but the gateway looks at the chain where somebody asks, so that what is asked for can be counted.
    pub async fn quiet(members: u32, budget: u64) -> Self {
        Self::looking((HOUR_MS, false), members, budget).await
    }

    /// The same, and the gateway looks at every sealed record each second.
    pub async fn scrubbing(members: u32, budget: u64) -> Self {
        Self::looking((20, true), members, budget).await
    }

    async fn looking(looks: (u64, bool), members: u32, budget: u64) -> Self {
        let mut rig = Self::empty(budget, looks).await;
        for n in 1..=members {
            rig.join(n).await;
        }
        for n in 0..rig.members.len() {
            rig.contribute(n).await;
        }
        rig.settle().await;
        rig
    }

    async fn empty(budget: u64, looks: (u64, bool)) -> Self {
        let keys: Vec<SealingKeyPair> = (1..=3).map(|id| sealing(&format!("steward-{id}"))).collect();
        let coop = TestCoop::deploy_with(AnvilOptions::default(), |config| {
            for (seat, key) in config.actors.stewards.iter_mut().zip(&keys) {
                seat.sealing_key = key.public().0;
            }
            config.actors.workers[0].sealing_key = sealing("worker").public().0;
        })
        .await
        .unwrap();
        let dir = tempfile::tempdir().unwrap();
        coop.manifest.save(&dir.path().join("manifest.json")).unwrap();
        let mut addresses = Vec::new();
        for _ in 1..=3 {
            addresses.push(listener().await);
        }
        let urls: Vec<String> = addresses.iter().map(|(_, _, url)| url.clone()).collect();
        let (worker_listener, _, worker_url) = listener().await;
        let wires = Wires::new(&coop).await;
        let (gateway, gateway_url, serving) =
            gateway(&coop, dir.path(), (&urls, &worker_url), &wires.gateway.url, looks).await;
        let mut running = vec![serving];
        let mut seats = Vec::new();
        for (id, (listener, address, _)) in (1u8..).zip(addresses) {
            let mut config = steward_config(&coop, dir.path(), id, &gateway_url, &urls, budget);
            config.rpc_url.clone_from(&wires.stewards[usize::from(id) - 1].url);
            let steward = rochdale_steward::steward::Steward::open(config, coop.clock.clone()).await.unwrap();
            let committee = coop.manifest.addresses.steward_committee;
            let (fault, serving) = (Arc::default(), Mutex::default());
            let seat = Seat { address, steward, fault, hung: Arc::default(), seat: StewardId(id), committee, serving };
            *seat.serving.lock().unwrap() = Some(seat.serve(listener));
            seats.push(seat);
        }
        let (tap, tap_url, tapping) = Tap::open().await;
        tap.to(&gateway_url);
        running.push(tapping);
        let mut config = worker_config(&coop, dir.path(), &tap_url, &urls);
        config.rpc_url.clone_from(&wires.worker.url);
        let worker = Worker::open(config.clone(), Arc::new(SystemClock::default())).await.unwrap();
        let router = http::router(worker.clone());
        running.push(tokio::spawn(async move { axum::serve(worker_listener, router).await.unwrap() }));
        let rig =
            Self { coop, seats, gateway, tap, worker, worker_url, wires, members: Vec::new(), config, running, dir };
        rig.until("the gateway is healthy", async || rig.gateway.get(HEALTH).await.is_ok_and(|health| health.ok)).await;
        rig
    }

    /// Drops the worker in the middle of whatever it does and opens another one on the same store.
    pub async fn reopen_worker(&mut self) {
        self.worker.store.close().await;
        self.worker = Worker::open(self.config.clone(), Arc::new(SystemClock::default())).await.unwrap();
    }

    /// Where the worker keeps its copy of the vault.
    pub fn replica(&self) -> PathBuf {
        self.config.data_dir.join("vault")
    }

    /// Where the gateway keeps sealed records.
    pub fn gateway_vault(&self) -> PathBuf {
        self.dir.path().join("gateway/data/vault")
    }

    /// Mines until everything so far is final.
    pub async fn settle(&self) {
        self.coop.local.mine(4).await.unwrap();
    }

    pub async fn now(&self) -> u64 {
        self.coop.chain.now().await.unwrap()
    }

    pub async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let start = Instant::now();
        while !holds().await {
            assert!(start.elapsed() < PATIENCE, "not yet after {PATIENCE:?}: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// As a client sees the cooperative.
    fn site(&self) -> Site {
        self.coop.site()
    }

    async fn stamp(&self, nonce: u64) -> Stamp {
        self.coop.stamp(nonce).await.unwrap()
    }

    async fn view(&self, id: MemberId) -> MemberView {
        self.gateway.get(gateway::MEMBER.at(id)).await.unwrap()
    }

    /// A member who joins and consents to health research.
    pub async fn join(&mut self, n: u32) {
        let (offer, key) = self.offer(n).await;
        let held = self.post_offer(&offer).await;
        let id = self.admit(offer, &held).await;
        let grant = self.grant(&key, id).await;
        self.post_grant(&grant).await;
        self.members.push((key, id));
    }

    /// The offer of a member's row key, and the key that the member signs with.
    pub async fn offer(&self, n: u32) -> (KeyOfferRequest, PrivateKeySigner) {
        let key = self.coop.member_key(n);
        let (site, row_key, account) = (self.site(), RowKey::random(&mut rand::rng()), key.address());
        let applicant = Applicant { site: &site, account, nullifier: keccak256(account), row_key: &row_key };
        let row_keys = applicant.seal_row_key(&mut rand::rng()).unwrap();
        let deadline = self.now().await + 3_600;
        (membership::offer(&applicant, &self.coop.registrar, row_keys, deadline).unwrap(), key)
    }

    pub async fn post_offer(&self, offer: &KeyOfferRequest) -> KeyReceipts {
        self.gateway.post(gateway::OFFER, offer).await.unwrap()
    }

    pub async fn admit(&self, offer: KeyOfferRequest, held: &KeyReceipts) -> MemberId {
        let request = membership::admit(&self.site(), &self.coop.registrar, offer, held).unwrap();
        let joined: Joined = self.gateway.post(gateway::JOIN, &request).await.unwrap();
        joined.member_id
    }

    pub async fn grant(&self, key: &PrivateKeySigner, id: MemberId) -> GrantRequest {
        let (site, version) = (self.site(), self.view(id).await.consent_version + 1);
        self.coop.consent(Member { site: &site, key, id }, version, Choice::health_research()).await.unwrap()
    }

    pub async fn post_grant(&self, grant: &GrantRequest) {
        let granted: Granted = self.gateway.post(gateway::GRANT, grant).await.unwrap();
        assert!(granted.pending_stewards.is_empty(), "every steward takes the consent");
    }

    pub async fn revoke(&self, n: usize) {
        let (key, id) = &self.members[n];
        let stamp = self.stamp(self.view(*id).await.consent_nonce).await;
        let request = Member { site: &self.site(), key, id: *id }.revoke(stamp).unwrap();
        let _: Mined = self.gateway.post(gateway::REVOKE, &request).await.unwrap();
    }

    /// Member `n` withdraws at one steward, which tells nobody: it runs no rounds here.
    pub async fn withdraw_at(&self, seat: usize, n: usize) {
        let (key, id) = &self.members[n];
        let stamp = self.stamp(self.view(*id).await.consent_nonce).await;
        let request = Member { site: &self.site(), key, id: *id }.revoke(stamp).unwrap();
        let steward = Client::new(&format!("http://{}", self.seats[seat].address)).unwrap();
        let taken = steward.post(steward::REVOKE, &request).await.unwrap();
        assert_eq!(taken.state, DenialState::Held);
    }

    /// Has everything of member `n` erased.
    pub async fn erase(&self, n: usize) {
        let (key, id) = &self.members[n];
        self.coop.erase(key, *id).await.unwrap();
    }

    /// Seals a synthetic record of member `n` of this rig and waits until it is on chain.
    pub async fn contribute(&self, n: usize) {
        let (package, blob) = self.sealed(n).await;
        self.upload(blob).await;
        self.post_package(&package).await;
        self.recorded(&package).await;
    }

    /// A synthetic record of member `n` of this rig, sealed.
    pub async fn sealed(&self, n: usize) -> (ContributionPackage, Vec<u8>) {
        let (key, id) = &self.members[n];
        let now = self.now().await;
        let record = synth::patient(7, n as u64, i64::try_from(now).unwrap()).to_string();
        self.package(key, *id, record.as_bytes()).await
    }

    pub async fn upload(&self, blob: Vec<u8>) {
        let cid = Cid::of(&blob);
        self.gateway.put_bytes(gateway::PUT_BLOB.at(cid), blob).await.unwrap();
    }

    pub async fn post_package(&self, package: &ContributionPackage) {
        let status: ContributionStatus = self.gateway.post(gateway::CONTRIBUTE, package).await.unwrap();
        assert!(status.missing.is_empty(), "{:?}", status.missing);
    }

    pub async fn recorded(&self, package: &ContributionPackage) {
        self.until("the contribution is on chain", async || {
            let status = self.gateway.get(gateway::CONTRIBUTION.at(package.commitment)).await.unwrap();
            assert_ne!(status.state, ContributionState::Refused, "{:?}", status.reason);
            status.state == ContributionState::Recorded
        })
        .await;
    }

    async fn package(&self, key: &PrivateKeySigner, id: MemberId, record: &[u8]) -> (ContributionPackage, Vec<u8>) {
        let view = self.view(id).await;
        let stamp = self.stamp(view.contribution_nonce).await;
        let member = Member { site: &self.site(), key, id };
        member.contribute(record, DATASET, view.consent_version, stamp, &mut rand::rng()).unwrap()
    }

    /// A license of the researcher for `duration` seconds.
    pub async fn license(&self, duration: u64) -> Licensed {
        self.license_to(duration, sealing("researcher").public().0).await
    }

    /// What is ordered of the market for `duration` seconds.
    fn wanted(duration: u64, recipient_key: B256) -> LicenseSale::Order {
        LicenseSale::Order {
            datasetId: DATASET.0,
            records: 1_000,
            purpose: PURPOSE.0,
            ehdsCategory: EHDS,
            duration,
            recipientKey: recipient_key,
        }
    }

    /// A license of a passkey's account; `holder` is a key that does not hold it.
    pub async fn passkey_license(&self, passkey: &Passkey, duration: u64) -> (Address, Licensed) {
        let recipient = sealing("researcher");
        let wanted = Self::wanted(duration, recipient.public().0);
        let (account, id) = self.coop.passkey_license(passkey, wanted).await.unwrap();
        self.settle().await;
        (account, Licensed { id, holder: role_key("nobody"), recipient })
    }

    /// As [`Self::license`], whose answers are sealed to a key as told.
    pub async fn license_to(&self, duration: u64, recipient_key: B256) -> Licensed {
        let recipient = sealing("researcher");
        self.coop.approve_researcher(PURPOSE).await.unwrap();
        self.settle().await;
        let id = self.coop.buy_license(Self::wanted(duration, recipient_key)).await.unwrap();
        // The worker takes its pool at a final block, at which the license has to exist.
        self.settle().await;
        Licensed { id, holder: role_key("researcher"), recipient }
    }

    /// A signed order for a query as of the finalized head, as `edit` changes it before it is signed.
    pub async fn order(&self, license: &Licensed, query: Query, edit: impl FnOnce(&mut Order)) -> QueryRequest {
        let mut order = Order {
            license_id: license.id,
            cut: self.coop.chain.head().await.unwrap().finalized.hash,
            query_digest: query.digest().unwrap(),
            rho: query.rho,
            purpose: PURPOSE,
            nonce: random_blinder(&mut rand::rng()),
            deadline: self.now().await + 3_600,
        };
        edit(&mut order);
        Researcher { site: &self.site(), key: &license.holder }.sign(query, order).unwrap().request
    }

    /// Opens an answer as its recipient.
    pub fn open(&self, license: &Licensed, answer: &SealedAnswer) -> Answered {
        let context = QueryAnswerContext {
            chain_id: 31_337,
            committee: self.coop.manifest.addresses.steward_committee,
            license: answer.license_id,
            order: answer.order,
            query_digest: answer.query_digest,
        };
        let json = open_as(&license.recipient, &context, &Sealed(answer.sealed.clone())).unwrap();
        serde_json::from_slice(&json).unwrap()
    }

    /// An order as a researcher sends it.
    pub async fn query(&self, request: &QueryRequest) -> SealedAnswer {
        self.gateway.post(gateway::QUERY, request).await.unwrap()
    }

    /// The worker asked directly, as if the gateway had forwarded the order.
    pub async fn ask(&self, request: &QueryRequest) -> Result<SealedAnswer, Problem> {
        self.worker.answer(self.worker.at_head().await?, request).await
    }

    /// Debits on chain.
    pub async fn booked(&self) -> usize {
        let history = self.coop.history().await.unwrap();
        history.iter().filter(|located| matches!(located.event, Event::Debited { .. })).count()
    }

    /// Blobs in the worker's copy of the vault, by name.
    pub fn replicated(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for folder in std::fs::read_dir(self.replica()).unwrap().map(|folder| folder.unwrap()) {
            if folder.file_name() != "partial" {
                let blobs = std::fs::read_dir(folder.path()).unwrap();
                names.extend(blobs.map(|blob| blob.unwrap().file_name().into_string().unwrap()));
            }
        }
        names
    }
}

/// How many members have any record; `rho` tells questions apart.
pub fn count(rho: u64) -> Query {
    Query { version: VERSION, dataset: DATASET, cohort: Cohort::default(), ask: Ask::Count {}, rho }
}

async fn gateway(
    coop: &TestCoop,
    dir: &Path,
    (stewards, worker): (&[String], &str),
    rpc: &str,
    (poll_ms, scrubs): (u64, bool),
) -> (Client, String, JoinHandle<()>) {
    use rochdale_gateway::config::{
        BatchConfig, ClaimsConfig, Config, GasConfig, IndexerConfig, Limits, RelayerConfig, StewardConfig, VaultConfig,
        WorkerConfig,
    };
    let dir = dir.join("gateway");
    std::fs::create_dir(&dir).unwrap();
    let key_file = write_key(&dir.join("relayer.key"), "signing", &role_key("relayer").to_bytes()[..]);
    let steward = |(id, url): (u8, &String)| StewardConfig { steward: StewardId(id), url: url.clone() };
    let config = Config {
        welcome: None,
        listen: "127.0.0.1:0".parse().unwrap(),
        rpc_url: rpc.to_owned(),
        rpc_fallbacks: Vec::new(),
        metrics_listen: None,
        web: None,
        registrar: None,
        chain_id: 31_337,
        manifest: dir.join("../manifest.json"),
        data_dir: dir.join("data"),
        relayer: RelayerConfig { key_file, sync_ms: 1_000.max(poll_ms) },
        stewards: (1..).zip(stewards).map(steward).collect(),
        worker: WorkerConfig { address: coop.worker.address(), url: worker.to_owned() },
        limits: Limits::default(),
        vault: VaultConfig { scrub_s: if scrubs { 1 } else { VaultConfig::default().scrub_s } },
        batch: BatchConfig { idle_ms: 10, ..BatchConfig::default() },
        claims: ClaimsConfig { every_ms: 0, ..ClaimsConfig::default() },
        gas: GasConfig::default(),
        indexer: IndexerConfig { poll_ms, stale_after_s: 3_600, accept_rollback: None },
        codes: Vec::new(),
    };
    let assembled = rochdale_gateway::run::assemble(config).await.unwrap();
    let url = format!("http://{}", assembled.local_addr().unwrap());
    let running = tokio::spawn(async move { assembled.run(std::future::pending()).await.unwrap() });
    (Client::new(&url).unwrap(), url, running)
}

fn steward_config(
    coop: &TestCoop,
    dir: &Path,
    id: u8,
    gateway_url: &str,
    urls: &[String],
    budget: u64,
) -> rochdale_steward::config::Config {
    use rochdale_steward::config::{Budget, Config, Peer, Retention, Scoring, Sealing, Settlement};
    let name = format!("steward-{id}");
    let dir = dir.join(&name);
    std::fs::create_dir(&dir).unwrap();
    let peers = (1u8..).zip(urls).filter(|(peer, _)| *peer != id);
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        rpc_url: coop.anvil.url(),
        rpc_fallbacks: Vec::new(),
        metrics_listen: None,
        chain_id: 31_337,
        manifest: dir.join("../manifest.json"),
        data_dir: dir.clone(),
        key_file: write_key(&dir.join("signing.key"), "signing", &role_key(&name).to_bytes()[..]),
        sealing_key_file: write_key(&dir.join("sealing.key"), "sealing", &*sealing(&name).to_secret()),
        master_key_file: None,
        committee_key_file: write_key(&dir.join("committee.key"), "committee", &[7; 32]),
        gateway_url: gateway_url.to_owned(),
        poll_ms: 50,
        stale_after_s: 3_600,
        accept_rollback: None,
        peers: peers.map(|(peer, url)| Peer { steward: StewardId(peer), url: url.clone() }).collect(),
        former: Vec::new(),
        budget: Budget { lifetime: budget, per_year: budget, depth: 0 },
        settlement: Settlement { propose: false },
        objection: None,
        scoring: Scoring::default(),
        sealing: Sealing::default(),
        retention: Retention::default(),
    }
}

fn worker_config(coop: &TestCoop, dir: &Path, gateway_url: &str, urls: &[String]) -> Config {
    let dir = dir.join("worker");
    std::fs::create_dir(&dir).unwrap();
    let steward = |(id, url): (u8, &String)| StewardConfig { steward: StewardId(id), url: url.clone() };
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        rpc_url: coop.anvil.url(),
        rpc_fallbacks: Vec::new(),
        metrics_listen: None,
        chain_id: 31_337,
        manifest: dir.join("../manifest.json"),
        data_dir: dir.join("data"),
        key_file: write_key(&dir.join("signing.key"), "signing", &role_key("worker").to_bytes()[..]),
        sealing_key_file: write_key(&dir.join("sealing.key"), "sealing", &*sealing("worker").to_secret()),
        gateway_url: gateway_url.to_owned(),
        stale_after_s: 3_600,
        depth_wait_s: 5,
        patience_s: 20,
        privacy: Privacy { min_cohort: 1 },
        records: Records::default(),
        replica: Replica::default(),
        engine: Engine { threads: 1, memory_bytes: 1 << 28, orders: 2 },
        stewards: (1..).zip(urls).map(steward).collect(),
    }
}
