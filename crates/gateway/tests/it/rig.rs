//! A cooperative on anvil, three stewards, and a gateway that can be killed.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::Eip712Domain;
use axum::extract::{FromRef, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use rochdale_api::client::{Client, Identity};
use rochdale_api::contribution::{ContributionPackage, ContributionState, ContributionStatus, ShareReceipt};
use rochdale_api::member::{
    ClaimLeaf, ConsentDelivery, DenyRequest, GrantRequest, Granted, JoinRequest, Joined, LeaveRequest, LeavesRequest,
    Mined, PayoutRequest, RowKeyDelivery,
};
use rochdale_api::route::{HEALTH, gateway, steward};
use rochdale_api::server::{Answer, Verifier, answering};
use rochdale_api::status::{Health, MemberView};
use rochdale_api::{Problem, ProblemCode, auth};
use rochdale_chain::client::Chain;
use rochdale_chain::deploy::CoopConfig;
use rochdale_chain::local::AnvilOptions;
use rochdale_client::{Member, Site, Stamp};
use rochdale_core::consent::Choice;
use rochdale_core::ids::{DatasetId, MemberId, StewardId};
use rochdale_crypto::{Cid, RowKey, SealingKeyPair};
use rochdale_gateway::config::{
    BatchConfig, ClaimsConfig, Config, GasConfig, IndexerConfig, Limits, RelayerConfig, StewardConfig, VaultConfig,
    WorkerConfig,
};
use rochdale_gateway::run;
use rochdale_node::sealed::{Opens, SealedBody, Sealer};
use rochdale_testkit::anvil::{TestCoop, role_key};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a steward of the test holds and does.
pub struct Steward {
    pub id: StewardId,
    pub url: String,
    pub up: AtomicBool,
    pub hangs: AtomicBool,
    pub row_keys: Mutex<Vec<RowKeyDelivery>>,
    pub consents: Mutex<Vec<ConsentDelivery>>,
    pub packages: Mutex<Vec<B256>>,
    pub leaves: Mutex<Vec<ClaimLeaf>>,
    pub calls: AtomicUsize,
    domain: Eip712Domain,
    address: Address,
    gateway: Address,
    chain: Chain,
    sealing: SealingKeyPair,
}

impl Verifier for Steward {
    fn domain(&self) -> &Eip712Domain {
        &self.domain
    }
    fn audience(&self) -> Address {
        self.address
    }
    fn now(&self) -> Answer<'_, u64> {
        Box::pin(async { Ok(self.chain.now().await.unwrap()) })
    }
    fn admit<'a>(&'a self, _: Address, _: &'a str, _: &'a str) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }
    fn use_nonce(&self, _: Address, _: U256, _: u64, _: u64) -> Answer<'_, bool> {
        Box::pin(async { Ok(true) })
    }
}

#[derive(Clone)]
struct Shared(Arc<Steward>);

impl FromRef<Shared> for Arc<dyn Verifier> {
    fn from_ref(shared: &Shared) -> Self {
        Arc::<Steward>::clone(&shared.0)
    }
}

impl FromRef<Shared> for Arc<dyn Sealer> {
    fn from_ref(shared: &Shared) -> Self {
        Arc::<Steward>::clone(&shared.0)
    }
}

impl Sealer for Steward {
    fn opener(&self) -> &dyn Opens {
        &self.sealing
    }
}

impl Steward {
    /// Answers a call that is signed and sealed to this steward, while it is up.
    fn answer<T, A: serde::Serialize>(&self, sealed: &SealedBody<T>, answer: impl FnOnce(&T) -> A) -> Response {
        self.calls.fetch_add(1, Ordering::SeqCst);
        assert_eq!(sealed.signer, self.gateway, "the gateway signs its calls");
        let up = self.up.load(Ordering::SeqCst);
        let off = || Problem::new(ProblemCode::PeerUnavailable, "switched off by the test");
        sealed.reply(if up { Ok(answer(&sealed.body)) } else { Err(off()) })
    }
}

fn sealing(seat: u8) -> SealingKeyPair {
    SealingKeyPair::from_secret(&keccak256(format!("sealing key of steward {seat}")).0)
}

/// A cooperative whose stewards' sealing keys the test has.
pub async fn deploy() -> TestCoop {
    let edit = |config: &mut CoopConfig| {
        for (seat, place) in config.actors.stewards.iter_mut().zip(1..) {
            seat.sealing_key = sealing(place).public().0;
        }
    };
    TestCoop::deploy_with(AnvilOptions::default(), edit).await.unwrap()
}

async fn start(coop: &TestCoop, seat: u8) -> Arc<Steward> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let steward = Arc::new(Steward {
        id: StewardId(seat),
        url: format!("http://{}", listener.local_addr().unwrap()),
        up: AtomicBool::new(true),
        hangs: AtomicBool::new(false),
        row_keys: Mutex::default(),
        consents: Mutex::default(),
        packages: Mutex::default(),
        leaves: Mutex::default(),
        calls: AtomicUsize::new(0),
        domain: auth::domain(31_337, coop.manifest.addresses.steward_committee),
        address: coop.stewards[usize::from(seat) - 1].address(),
        gateway: role_key("relayer").address(),
        chain: coop.chain.clone(),
        sealing: sealing(seat),
    });
    let router = Router::new()
        .route(HEALTH.path, get(health))
        .route(steward::ROW_KEY.path, post(row_keys))
        .route(steward::CONSENT.path, post(consents))
        .route(steward::CONTRIBUTION.path, post(contributions))
        .route(steward::CLAIM_LEAVES.path, post(leaves))
        .with_state(Shared(Arc::clone(&steward)));
    let identity = Identity { key: role_key(&format!("steward-{seat}")), domain: steward.domain.clone() };
    let router = answering(router, identity).layer(from_fn_with_state(Arc::clone(&steward), hang));
    tokio::spawn(async move { axum::serve(listener, router).await });
    steward
}

async fn hang(State(steward): State<Arc<Steward>>, request: Request, next: Next) -> Response {
    if steward.hangs.load(Ordering::SeqCst) {
        return std::future::pending().await;
    }
    next.run(request).await
}

async fn health(State(Shared(s)): State<Shared>) -> Json<Health> {
    let (service, version) = (format!("steward-{}", s.id), "test".to_owned());
    let ok = s.up.load(Ordering::SeqCst);
    let (problems, waiting_for) = (Vec::new(), Vec::new());
    Json(Health { service, version, ok, address: s.address, head: 0, indexed: 0, now: 0, problems, waiting_for })
}

async fn row_keys(State(Shared(s)): State<Shared>, sealed: SealedBody<RowKeyDelivery>) -> Response {
    s.answer(&sealed, |delivery| {
        assert_eq!(delivery.sealed.steward, s.id, "each steward gets its own part");
        s.row_keys.lock().unwrap().push(delivery.clone());
    })
}

async fn consents(State(Shared(s)): State<Shared>, sealed: SealedBody<ConsentDelivery>) -> Response {
    s.answer(&sealed, |delivery| {
        assert_eq!(delivery.sealed.steward, s.id, "each steward gets its own part");
        s.consents.lock().unwrap().push(delivery.clone());
    })
}

async fn contributions(State(Shared(s)): State<Shared>, sealed: SealedBody<ContributionPackage>) -> Response {
    s.answer(&sealed, |package| {
        s.packages.lock().unwrap().push(package.commitment);
        ShareReceipt { steward: s.id, commitment: package.commitment }
    })
}

async fn leaves(State(Shared(s)): State<Shared>, sealed: SealedBody<LeavesRequest>) -> Response {
    s.answer(&sealed, |request| {
        let wanted = |leaf: &&ClaimLeaf| request.members.is_empty() || request.members.contains(&leaf.member_id);
        s.leaves.lock().unwrap().iter().filter(wanted).cloned().collect::<Vec<ClaimLeaf>>()
    })
}

/// A running gateway on a runtime of its own, so that it can be killed with everything it does.
struct Running {
    runtime: Runtime,
    url: String,
    stop: tokio::sync::oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<Result<(), run::RunError>>,
}

/// Everything that a test needs.
pub struct Rig {
    pub coop: TestCoop,
    pub stewards: Vec<Arc<Steward>>,
    pub dir: TempDir,
    pub batch: BatchConfig,
    pub limits: Limits,
    pub claims: ClaimsConfig,
    pub gas: GasConfig,
    pub accept_rollback: Option<u64>,
    running: Option<Running>,
}

impl Rig {
    pub async fn new() -> Self {
        Self::with_idle(20).await
    }

    /// A batch is sent after this many milliseconds without a new contribution.
    pub async fn with_idle(idle_ms: u64) -> Self {
        let mut rig = Self::without_gateway(deploy().await).await;
        rig.batch.idle_ms = idle_ms;
        rig.start().await;
        rig
    }

    pub async fn without_gateway(coop: TestCoop) -> Self {
        let dir = tempfile::tempdir().unwrap();
        coop.manifest.save(&dir.path().join("manifest.json")).unwrap();
        let key = alloy::primitives::hex::encode(role_key("relayer").to_bytes());
        let path = dir.path().join("relayer.key");
        std::fs::write(&path, format!("rochdale-signing-key-v1 {key}\n")).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let mut stewards = Vec::new();
        for seat in 1..=3 {
            stewards.push(start(&coop, seat).await);
        }
        let (batch, limits) = (BatchConfig::default(), Limits::default());
        let claims = ClaimsConfig { every_ms: 0, ..ClaimsConfig::default() };
        let gas = GasConfig::default();
        Self { coop, stewards, dir, batch, limits, claims, gas, accept_rollback: None, running: None }
    }

    pub fn config(&self) -> Config {
        let steward = |s: &Arc<Steward>| StewardConfig { steward: s.id, url: s.url.clone() };
        Config {
            welcome: None,
            listen: "127.0.0.1:0".parse().unwrap(),
            rpc_url: self.coop.anvil.url(),
            rpc_fallbacks: Vec::new(),
            metrics_listen: None,
            web: None,
            registrar: None,
            chain_id: 31_337,
            manifest: self.dir.path().join("manifest.json"),
            data_dir: self.dir.path().join("data"),
            relayer: RelayerConfig { key_file: self.dir.path().join("relayer.key"), sync_ms: 50 },
            stewards: self.stewards.iter().map(steward).collect(),
            worker: WorkerConfig { address: self.coop.worker.address(), url: "http://127.0.0.1:9".to_owned() },
            limits: self.limits,
            batch: self.batch,
            claims: self.claims,
            gas: self.gas,
            // The chain stands still between two transactions here.
            indexer: IndexerConfig { poll_ms: 20, stale_after_s: 3_600, accept_rollback: self.accept_rollback },
            codes: Vec::new(),
            vault: VaultConfig::default(),
        }
    }

    pub async fn start(&mut self) {
        self.launch().await;
        self.until("healthy", async || self.client().get(HEALTH).await.is_ok_and(|h| h.ok)).await;
    }

    /// Starts it, healthy or not.
    pub async fn launch(&mut self) {
        let config = self.config();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (told, address) = tokio::sync::oneshot::channel();
        let ended = runtime.spawn(async move {
            let assembled = run::assemble(config).await?;
            told.send(assembled.local_addr().unwrap()).unwrap();
            assembled.run(async move { drop(stopped.await) }).await
        });
        let url = format!("http://{}", address.await.unwrap());
        self.running = Some(Running { runtime, url, stop, ended });
    }

    /// Ends it as SIGKILL would: whatever it does stops in the middle.
    pub fn kill(&mut self) {
        self.running.take().unwrap().runtime.shutdown_background();
    }

    /// Ends it as SIGTERM would.
    pub async fn stop(&mut self) {
        let running = self.running.take().unwrap();
        running.stop.send(()).unwrap();
        running.ended.await.unwrap().unwrap();
        running.runtime.shutdown_background();
    }

    pub fn url(&self) -> &str {
        &self.running.as_ref().unwrap().url
    }

    /// Unsigned.
    pub fn client(&self) -> Client {
        Client::new(self.url()).unwrap()
    }

    /// Signs as `key` to the gateway.
    pub fn signing(&self, key: &PrivateKeySigner) -> Client {
        let domain = auth::domain(31_337, self.coop.manifest.addresses.steward_committee);
        self.client().signing(Identity { key: key.clone(), domain }, role_key("relayer").address())
    }

    pub async fn now(&self) -> u64 {
        self.coop.chain.now().await.unwrap()
    }

    /// Looks again and again until something holds.
    pub async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let start = Instant::now();
        while !holds().await {
            assert!(start.elapsed() < PATIENCE, "not {what} after {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn view(&self, id: MemberId) -> MemberView {
        self.client().get(gateway::MEMBER.at(id)).await.unwrap()
    }

    pub async fn join_request(&self, key: &PrivateKeySigner) -> JoinRequest {
        self.admission(key.address()).await
    }

    /// An admission of any account, paid to itself.
    pub async fn admission(&self, account: Address) -> JoinRequest {
        let row_key = RowKey::from_bytes([7; 32]);
        self.coop.admission(&self.coop.site(), account, &row_key).await.unwrap()
    }

    pub async fn join(&self, key: &PrivateKeySigner) -> Joined {
        let request = self.join_request(key).await;
        self.client().post(gateway::JOIN, &request).await.unwrap()
    }

    pub async fn grant_request(&self, key: &PrivateKeySigner, id: MemberId) -> GrantRequest {
        let version = self.view(id).await.consent_version + 1;
        let (site, choice) = (self.coop.site(), Choice::health_research());
        self.coop.consent(Member { site: &site, key, id }, version, choice).await.unwrap()
    }

    pub async fn grant(&self, key: &PrivateKeySigner, id: MemberId) -> Granted {
        let request = self.grant_request(key, id).await;
        self.client().post(gateway::GRANT, &request).await.unwrap()
    }

    /// A client's view of a member, and what makes its next statement of a kind count.
    async fn stamp(&self, id: MemberId, nonce: impl Fn(&MemberView) -> u64) -> (Site, Stamp) {
        (self.coop.site(), self.coop.stamp(nonce(&self.view(id).await)).await.unwrap())
    }

    pub async fn deny_request(&self, key: &PrivateKeySigner, id: MemberId, erase: bool) -> DenyRequest {
        let (site, stamp) = self.stamp(id, |view| view.consent_nonce).await;
        let member = Member { site: &site, key, id };
        if erase { member.erase(stamp) } else { member.revoke(stamp) }.unwrap()
    }

    pub async fn leave_request(&self, key: &PrivateKeySigner, id: MemberId) -> LeaveRequest {
        let (site, stamp) = self.stamp(id, |view| view.membership_nonce).await;
        Member { site: &site, key, id }.leave(stamp).unwrap()
    }

    pub async fn payout_request(&self, key: &PrivateKeySigner, id: MemberId, payout: Address) -> PayoutRequest {
        let (site, stamp) = self.stamp(id, |view| view.membership_nonce).await;
        Member { site: &site, key, id }.pay_to(payout, stamp).unwrap()
    }

    pub async fn deny(&self, key: &PrivateKeySigner, id: MemberId, erase: bool) -> Mined {
        let request = self.deny_request(key, id, erase).await;
        let route = if erase { gateway::ERASE } else { gateway::REVOKE };
        self.client().post(route, &request).await.unwrap()
    }

    /// A member with consent.
    pub async fn member(&self, n: u32) -> (PrivateKeySigner, MemberId) {
        let key = self.coop.member_key(n);
        let id = self.join(&key).await.member_id;
        self.grant(&key, id).await;
        (key, id)
    }

    /// A sealed record and the package that names it, with the member's present nonce.
    pub async fn package(&self, key: &PrivateKeySigner, id: MemberId) -> (ContributionPackage, Vec<u8>) {
        let (version, (site, stamp)) =
            (self.view(id).await.consent_version, self.stamp(id, |view| view.contribution_nonce).await);
        let member = Member { site: &site, key, id };
        member.contribute(b"a record", DatasetId(1), version, stamp, &mut rand::rng()).unwrap()
    }

    pub async fn put(&self, blob: Vec<u8>) -> Cid {
        let cid = Cid::of(&blob);
        self.client().put_bytes(gateway::PUT_BLOB.at(cid), blob).await.unwrap();
        cid
    }

    /// Uploads and contributes a record; it is queued then.
    pub async fn contribute(&self, key: &PrivateKeySigner, id: MemberId) -> ContributionPackage {
        let (package, blob) = self.package(key, id).await;
        self.put(blob).await;
        let status: ContributionStatus = self.client().post(gateway::CONTRIBUTE, &package).await.unwrap();
        assert_eq!((status.commitment, status.held_by.len()), (package.commitment, 3));
        package
    }

    pub async fn status(&self, commitment: B256) -> ContributionStatus {
        self.client().get(gateway::CONTRIBUTION.at(commitment)).await.unwrap()
    }

    /// Waits until a contribution has left the queue.
    pub async fn settled(&self, commitment: B256) -> ContributionStatus {
        self.until("out of the queue", async || self.status(commitment).await.state != ContributionState::Queued).await;
        self.status(commitment).await
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // A runtime must not be waited for within another.
        if let Some(running) = self.running.take() {
            running.runtime.shutdown_background();
        }
    }
}
