//! A cooperative on anvil: three stewards and a gateway in this process, each behind its own address, and a registrar that can be closed
//! and opened again on the same store.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::{Address, keccak256};
use rochdale_api::Problem;
use rochdale_api::client::{Client, Identity};
use rochdale_api::invitation::{InvitationsRequest, NewInvitation};
use rochdale_api::member::{InvitedApplication, JoinRequest, Joined};
use rochdale_api::route::{HEALTH, gateway, registrar as route};
use rochdale_chain::account::Recovery;
use rochdale_chain::bindings::MemberAccountFactory;
use rochdale_chain::client::SystemClock;
use rochdale_chain::deploy::{CoopConfig, account_factory};
use rochdale_chain::local::AnvilOptions;
use rochdale_client::code::Code;
use rochdale_client::invitation::Invited;
use rochdale_core::ids::StewardId;
use rochdale_crypto::{RowKey, SealingKeyPair};
use rochdale_registrar::config::Config;
use rochdale_registrar::http;
use rochdale_registrar::registrar::Registrar;
use rochdale_testkit::anvil::{TestCoop, role_key};
use rochdale_testkit::passkey::Passkey;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Rig {
    pub coop: TestCoop,
    pub gateway: Client,
    pub registrar: Arc<Registrar>,
    pub registrar_url: String,
    stewards: Vec<JoinHandle<()>>,
    running: Vec<JoinHandle<()>>,
    config: Config,
    pub dir: TempDir,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.running.iter().chain(&self.stewards).for_each(JoinHandle::abort);
    }
}

/// A person with a phone, whose account is not there yet.
pub struct Person {
    pub account: Address,
    pub row_key: RowKey,
}

fn write_key(path: &Path, kind: &str, secret: &[u8]) -> PathBuf {
    let line = format!("rochdale-{kind}-key-v1 {}\n", alloy::primitives::hex::encode(secret));
    std::fs::write(path, line).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.to_owned()
}

fn sealing(role: &str) -> SealingKeyPair {
    SealingKeyPair::from_secret(&keccak256(format!("sealing {role}")).0)
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn serve(listener: TcpListener, router: axum::Router) -> JoinHandle<()> {
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
}

impl Rig {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A cooperative that is founded as told.
    pub async fn with(edit: impl FnOnce(&mut CoopConfig)) -> Self {
        let coop = TestCoop::deploy_with(AnvilOptions::default(), |config| {
            for (seat, id) in config.actors.stewards.iter_mut().zip(1..) {
                seat.sealing_key = sealing(&format!("steward-{id}")).public().0;
            }
            edit(config);
        })
        .await
        .unwrap();
        let dir = tempfile::tempdir().unwrap();
        coop.manifest.save(&dir.path().join("manifest.json")).unwrap();
        let mut seats = Vec::new();
        for _ in 1..=3 {
            seats.push(listener().await);
        }
        let urls: Vec<String> = seats.iter().map(|(_, address)| format!("http://{address}")).collect();
        let (listening, address) = listener().await;
        let registrar_url = format!("http://{address}");
        let (gateway_url, serving) = gateway(&coop, dir.path(), &urls, &registrar_url).await;
        let mut stewards = Vec::new();
        for (id, (listener, _)) in (1u8..).zip(seats) {
            let config = steward_config(&coop, dir.path(), id, &gateway_url, &urls);
            let steward = rochdale_steward::steward::Steward::open(config, coop.clock.clone()).await.unwrap();
            stewards.push(serve(listener, rochdale_steward::http::router(steward)));
        }
        let config = registrar_config(&coop, dir.path(), &gateway_url);
        let registrar = Registrar::open(config.clone(), Arc::new(SystemClock::default())).await.unwrap();
        let running = vec![serving, serve(listening, http::router(registrar.clone()))];
        let gateway = Client::new(&gateway_url).unwrap();
        let rig = Self { coop, gateway, registrar, registrar_url, stewards, running, config, dir };
        let start = Instant::now();
        while !rig.gateway.get(HEALTH).await.is_ok_and(|health| health.ok) {
            assert!(start.elapsed() < PATIENCE, "the gateway is not healthy");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        rig
    }

    /// Closes the registrar in the middle of whatever it does and opens another one on the same store. It is not served any more.
    pub async fn reopen(&mut self) {
        self.registrar.store.close().await;
        self.registrar = Registrar::open(self.config.clone(), Arc::new(SystemClock::default())).await.unwrap();
    }

    /// From now on nobody answers at the addresses of so many stewards.
    pub async fn take_down(&mut self, many: usize) {
        for steward in self.stewards.drain(..many) {
            steward.abort();
            assert!(steward.await.unwrap_err().is_cancelled());
        }
    }

    /// From now on nobody answers at the registrar's address.
    pub async fn hang_up(&mut self) {
        let serving = self.running.pop().unwrap();
        serving.abort();
        assert!(serving.await.unwrap_err().is_cancelled());
    }

    pub async fn now(&self) -> u64 {
        self.coop.chain.now().await.unwrap()
    }

    /// The registrar, asked with a key.
    pub fn asked_by(&self, role: &str) -> Client {
        let identity = Identity { key: role_key(role), domain: self.domain() };
        Client::new(&self.registrar_url).unwrap().signing(identity, self.registrar.address())
    }

    fn domain(&self) -> alloy::sol_types::Eip712Domain {
        rochdale_api::auth::domain(31_337, self.coop.manifest.addresses.steward_committee)
    }

    /// Invitations of the office, for two weeks.
    pub async fn invite(&self, count: u16) -> Vec<NewInvitation> {
        let request = InvitationsRequest { count, days: 14, note: "open day".to_owned() };
        let now = self.now().await;
        self.asked_by("registrar").post_signed(route::INVITE, &request, now).await.unwrap()
    }

    /// A code of the office.
    pub async fn code(&self) -> Code {
        Code::read(&self.invite(1).await[0].code).unwrap()
    }

    /// A passkey's account, as it will be.
    pub async fn person(&self, name: &str) -> Person {
        let (qx, qy) = Passkey::named(name).public();
        let recovery = Recovery { guardians: Vec::new(), threshold: 0, delay: 0 };
        let call = MemberAccountFactory::accountAtCall { qx, qy, recovery };
        let account = self.coop.chain.view(account_factory().1, &call).await.unwrap();
        Person { account, row_key: RowKey::from_bytes(keccak256(name).0) }
    }

    /// What the person sends, good for an hour.
    pub async fn application(&self, person: &Person, code: &Code) -> InvitedApplication {
        let site = self.coop.site();
        let invited = Invited { site: &site, code, account: person.account, row_key: &person.row_key };
        invited.apply(self.now().await + 3_600, &mut rand::rng()).unwrap()
    }

    /// Applies through the gateway.
    pub async fn apply(&self, asked: &InvitedApplication) -> Result<JoinRequest, Problem> {
        self.gateway.post(gateway::ADMISSION, asked).await.map_err(Problem::from)
    }

    /// Joins with an admission.
    pub async fn join(&self, admission: &JoinRequest) -> Result<Joined, Problem> {
        self.gateway.post(gateway::JOIN, admission).await.map_err(Problem::from)
    }
}

async fn gateway(coop: &TestCoop, dir: &Path, stewards: &[String], registrar: &str) -> (String, JoinHandle<()>) {
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
        rpc_url: coop.anvil.url(),
        rpc_fallbacks: Vec::new(),
        metrics_listen: None,
        web: None,
        registrar: Some(registrar.to_owned()),
        chain_id: 31_337,
        manifest: dir.join("../manifest.json"),
        data_dir: dir.join("data"),
        relayer: RelayerConfig { key_file, sync_ms: 60_000 },
        stewards: (1..).zip(stewards).map(steward).collect(),
        worker: WorkerConfig { address: coop.worker.address(), url: "http://127.0.0.1:9".to_owned() },
        limits: Limits { applications_per_hour: 12, ..Limits::default() },
        vault: VaultConfig::default(),
        batch: BatchConfig::default(),
        claims: ClaimsConfig::default(),
        gas: GasConfig::default(),
        indexer: IndexerConfig { poll_ms: 20, stale_after_s: 3_600, accept_rollback: None },
        codes: Vec::new(),
    };
    let assembled = rochdale_gateway::run::assemble(config).await.unwrap();
    let url = format!("http://{}", assembled.local_addr().unwrap());
    (url, tokio::spawn(async move { assembled.run(std::future::pending()).await.unwrap() }))
}

fn steward_config(
    coop: &TestCoop,
    dir: &Path,
    id: u8,
    gateway_url: &str,
    urls: &[String],
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
        budget: Budget { lifetime: 1_000_000_000, per_year: 1_000_000_000, depth: 0 },
        settlement: Settlement { propose: false },
        objection: None,
        scoring: Scoring::default(),
        sealing: Sealing::default(),
        retention: Retention::default(),
    }
}

fn registrar_config(coop: &TestCoop, dir: &Path, gateway_url: &str) -> Config {
    let dir = dir.join("registrar");
    std::fs::create_dir(&dir).unwrap();
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        rpc_url: coop.anvil.url(),
        rpc_fallbacks: Vec::new(),
        metrics_listen: None,
        chain_id: 31_337,
        manifest: dir.join("../manifest.json"),
        key_file: write_key(&dir.join("registrar.key"), "signing", &role_key("registrar").to_bytes()[..]),
        data_dir: dir,
        gateway_url: gateway_url.to_owned(),
        stale_after_s: 3_600,
    }
}
