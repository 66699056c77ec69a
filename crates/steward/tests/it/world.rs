//! The cooperative of a test.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::{Eip712Domain, SolCall};
use anyhow::{Context as _, Result, bail};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use rochdale_api::client::{Client, ClientError, Identity};
use rochdale_api::contribution::{ContributionPackage, ShareReceipt};
use rochdale_api::custody::{BlobRequest, PERMIT_LIFETIME, RotateKeyRequest};
use rochdale_api::member::{
    ClaimLeaf, ConsentDelivery, DenyRequest, GrantRequest, KeyOfferDelivery, KeyOfferRequest, KeyReceipt, Mined,
    RowKeyDelivery,
};
use rochdale_api::order::DebitRequest;
use rochdale_api::route::steward::{self, Access};
use rochdale_api::route::{self, HEALTH, Route, gateway};
use rochdale_api::settlement::{AnswerRequest, DemandAnswer, ProposeRequest, SettlementStatus};
use rochdale_api::{Problem, ProblemCode, auth};
use rochdale_chain::bindings::{
    self, ConsentRegistry, ContributionRegistry, Disputes, LicenseSale, SettlementLedger, StewardCommittee,
};
use rochdale_chain::client::{ManualClock, Receipt as TxReceipt, Sender};
use rochdale_chain::dispute;
use rochdale_chain::eip712;
use rochdale_chain::events::{Event, Seat};
use rochdale_chain::local::{AnvilOptions, post_bonds};
use rochdale_client::membership::{self, Applicant};
use rochdale_client::{Member, Site, statement};
use rochdale_core::commit;
use rochdale_core::consent::Choice;
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId, Purpose, StewardId};
use rochdale_core::ledger::DemandKind;
use rochdale_core::order::Debit;
use rochdale_core::query::Query;
use rochdale_crypto::keyfile::{self, KeyKind};
use rochdale_crypto::sealing::PrivatePart;
use rochdale_crypto::{
    Cid, Context, RecordSecret, RowKey, SealingKeyPair, SealingPublicKey, envelope, random_blinder, sharing,
};
use rochdale_node::sealed;
use rochdale_steward::config::{Budget, Config, Former, Peer, Retention, Scoring, Sealing, Settlement};
use rochdale_steward::run;
use rochdale_steward::steward::Steward;
use rochdale_steward::store::SnapshotRow;
use rochdale_testkit::anvil::{TestCoop, role_key};
use rochdale_testkit::passkey::Passkey;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Health research.
pub const PURPOSE: Purpose = Purpose(6);
/// The record type that everybody contributes.
pub const DATASET: DatasetId = DatasetId(1);
/// How long a condition may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// A steward that runs.
pub struct Running {
    pub steward: Arc<Steward>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// A member with its secrets.
pub struct TestMember {
    pub key: PrivateKeySigner,
    pub id: MemberId,
    pub row_key: RowKey,
    pub nullifier: B256,
}

impl TestMember {
    /// As a signer.
    pub fn of<'a>(&'a self, site: &'a Site) -> Member<'a> {
        Member { site, key: &self.key, id: self.id }
    }
}

/// What the vault holds.
#[derive(Clone)]
struct Vault {
    blobs: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    relayer: Sender,
    ledger: Address,
    disputes: Address,
    proposed: Arc<Mutex<Vec<ProposeRequest>>>,
    answered: Arc<Mutex<Vec<AnswerRequest>>>,
    withholds: Arc<AtomicBool>,
    /// Whether it brings withdrawals on chain.
    denies: Arc<AtomicBool>,
    consents: Address,
    committee: Address,
    domain: Eip712Domain,
    /// Which sealing key each one was replaced by.
    rotated: Arc<Mutex<BTreeMap<B256, B256>>>,
}

impl Vault {
    /// Relays a call to a contract.
    async fn send<C: SolCall>(&self, to: Address, call: &C) -> Result<Json<Mined>, Problem> {
        let sent = self.relayer.send(to, call).await;
        let receipt = sent.map_err(|error| Problem::new(ProblemCode::ChainRefused, error.to_string()))?;
        Ok(Json(Mined { tx: receipt.transaction, block: receipt.block_number, gas_used: receipt.gas_used }))
    }
}

/// The stewards that hold the three seats first, and those who may take them over.
const PROCESSES: u8 = 6;

pub struct World {
    pub coop: TestCoop,
    /// By process, as `running` and `sealing`: the first three hold the seats at first.
    pub configs: Vec<Config>,
    pub running: Vec<Option<Running>>,
    /// Which process holds each seat.
    seated: Vec<u8>,
    /// How many of them bind, and open.
    quorum: u8,
    pub worker_sealing: SealingKeyPair,
    /// What each process was given at first.
    sealing: Vec<SealingPublicKey>,
    vault: Vault,
    /// Where the gateway, awarders and members reach each seat, if somebody listens between.
    pub taps: Vec<String>,
    _dir: TempDir,
}

/// A port that nobody listens on, below those that the system lends to whoever connects: a steward that stops and starts comes back to it.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 50).unwrap() * 100;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::SeqCst) % 6_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

impl World {
    /// Founds a cooperative and starts the stewards named.
    pub async fn start(seats: &[u8]) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let rng = &mut rand::rng();
        let committee = dir.path().join("committee.key");
        keyfile::create(&committee, KeyKind::Committee, rng)?;
        let worker_sealing = SealingKeyPair::random(rng);
        let ports: Vec<u16> = (0..=PROCESSES).map(|_| free_port()).collect();
        let mut sealing = Vec::new();
        for seat in 1..=PROCESSES {
            let home = dir.path().join(format!("steward-{seat}"));
            std::fs::create_dir_all(&home)?;
            sealing.push(keyfile::sealing_key(&home.join("sealing.key"), rng)?.public());
            let secret = role_key(&format!("steward-{seat}")).to_bytes();
            write_key(&home.join("signing.key"), &format!("rochdale-signing-key-v1 {}\n", alloy::hex::encode(secret)))?;
        }
        let keys = sealing.clone();
        let worker_key = worker_sealing.public().0;
        let coop = TestCoop::deploy_with(AnvilOptions::default(), |config| {
            for (seat, key) in config.actors.stewards.iter_mut().zip(&keys) {
                seat.sealing_key = key.0;
            }
            config.actors.workers[0].sealing_key = worker_key;
        })
        .await?;
        let manifest = dir.path().join("manifest.json");
        coop.manifest.save(&manifest)?;
        let config = |seat: u8| Config {
            listen: ([127, 0, 0, 1], ports[usize::from(seat)]).into(),
            rpc_url: coop.anvil.url(),
            rpc_fallbacks: Vec::new(),
            metrics_listen: None,
            chain_id: coop.manifest.chain_id,
            manifest: manifest.clone(),
            data_dir: dir.path().join(format!("steward-{seat}")),
            key_file: dir.path().join(format!("steward-{seat}/signing.key")),
            sealing_key_file: dir.path().join(format!("steward-{seat}/sealing.key")),
            master_key_file: None,
            committee_key_file: committee.clone(),
            gateway_url: url(ports[0]),
            poll_ms: 30,
            stale_after_s: 60,
            accept_rollback: None,
            peers: (1..=3u8)
                .filter(|other| *other != seat)
                .map(|other| Peer { steward: StewardId(other), url: url(ports[usize::from(other)]) })
                .collect(),
            former: Vec::new(),
            budget: Budget { lifetime: 1_000_000_000, per_year: 250_000_000, depth: 0 },
            settlement: Settlement::default(),
            objection: None,
            scoring: Scoring::default(),
            sealing: Sealing::default(),
            retention: Retention::default(),
        };
        let configs: Vec<Config> = (1..=PROCESSES).map(config).collect();
        let vault = Vault {
            blobs: Arc::default(),
            relayer: coop.relayer.clone(),
            ledger: coop.manifest.addresses.settlement_ledger,
            disputes: coop.manifest.addresses.disputes,
            proposed: Arc::default(),
            answered: Arc::default(),
            withholds: Arc::default(),
            denies: Arc::default(),
            consents: coop.manifest.addresses.consent_registry,
            committee: coop.manifest.addresses.steward_committee,
            domain: coop.manifest.committee_domain(),
            rotated: Arc::default(),
        };
        let domain = auth::domain(coop.manifest.chain_id, coop.manifest.addresses.steward_committee);
        serve_vault(ports[0], vault.clone(), Identity { key: role_key("relayer"), domain }).await?;
        coop.local.mine(3).await?;
        let running = (0..PROCESSES).map(|_| None).collect();
        let (seated, quorum, taps) = (vec![1, 2, 3], 2, Vec::new());
        let mut world =
            Self { coop, configs, running, seated, quorum, worker_sealing, sealing, vault, taps, _dir: dir };
        for seat in seats {
            world.up(*seat).await?;
        }
        Ok(world)
    }

    /// The place of the process that holds a seat.
    fn at(&self, seat: u8) -> usize {
        usize::from(self.seated[usize::from(seat) - 1]) - 1
    }

    /// Starts a steward and waits until it serves.
    pub async fn up(&mut self, seat: u8) -> Result<()> {
        self.start_process(self.at(seat)).await
    }

    async fn start_process(&mut self, at: usize) -> Result<()> {
        let steward = Steward::open(self.configs[at].clone(), Arc::new(ManualClock::default())).await?;
        let (stop, stopped) = oneshot::channel::<()>();
        let served = steward.clone();
        let task = tokio::spawn(async move {
            run::serve(served, async move {
                let _ = stopped.await;
            })
            .await
            .unwrap();
        });
        self.running[at] = Some(Running { steward, stop: Some(stop), task });
        let client = Client::new(&format!("http://{}", self.configs[at].listen))?;
        self.until("a steward that serves", async || match client.get(HEALTH).await {
            Ok(_) => Ok(true),
            Err(ClientError::Unreachable { .. }) => Ok(false),
            // It serves, and has something to say.
            Err(_) => Ok(true),
        })
        .await
    }

    /// Stops a steward cleanly.
    pub async fn down(&mut self, seat: u8) -> Result<()> {
        let at = self.at(seat);
        let mut running = self.running[at].take().context("it does not run")?;
        if let Some(stop) = running.stop.take() {
            let _ = stop.send(());
        }
        running.task.await?;
        Ok(())
    }

    /// Ends a steward in the middle of whatever it does: its task is dropped at its next await.
    pub async fn kill(&mut self, seat: u8) {
        let at = self.at(seat);
        let running = self.running[at].take().unwrap();
        running.task.abort();
        let _ = running.task.await;
        // Its loop is a task of its own; without a store it can do nothing any more.
        running.steward.store.close().await;
    }

    /// The member house seats a new committee, by process; who stays starts again with the new peers, who is new starts,
    /// and who left goes on answering.
    pub async fn reseat(&mut self, seated: [u8; 3]) -> Result<()> {
        self.seat(&seated, 2).await?;
        for seat in 1..=3 {
            self.up(seat).await?;
        }
        Ok(())
    }

    /// As [`Self::reseat`], of any size, with nobody of it running yet.
    pub async fn seat(&mut self, seated: &[u8], quorum: u8) -> Result<()> {
        for seat in 1..=self.size() {
            if seated.contains(&self.seated[usize::from(seat) - 1]) && self.running[self.at(seat)].is_some() {
                self.down(seat).await?;
            }
        }
        let before = std::mem::replace(&mut self.seated, seated.to_vec());
        self.quorum = quorum;
        let role = |process: &u8| role_key(&format!("steward-{process}"));
        let seats: Vec<_> = seated
            .iter()
            .map(|process| Seat {
                signer: role(process).address(),
                // As a vote says that was proposed before any key was replaced.
                sealing_key: self.sealing[usize::from(*process) - 1].0,
            })
            .collect();
        let (a, mut config) = (&self.coop.manifest.addresses, self.coop.config.clone());
        config.actors.stewards.clone_from(&seats);
        let call = StewardCommittee::seatCall {
            seats_: seats.iter().map(|s| (s.signer, s.sealing_key).into()).collect(),
            quorum_: quorum,
        };
        self.decide(a.member_timelock, a.steward_committee, &call).await?;
        post_bonds(&self.coop.founder, &self.coop.manifest, &config).await?;
        self.coop.stewards = seated.iter().map(role).collect();
        let mut former: Vec<Former> = self.configs[usize::from(before[0]) - 1].former.clone();
        former.extend(before.iter().map(|process| Former {
            address: role(process).address(),
            url: format!("http://{}", self.configs[usize::from(*process) - 1].listen),
        }));
        former.retain(|former| self.coop.stewards.iter().all(|seated| seated.address() != former.address));
        for seat in 1..=self.size() {
            let others = (1..=self.size()).filter(|other| *other != seat);
            let peers = others.map(|other| Peer { steward: StewardId(other), url: self.url(other) }).collect();
            let at = self.at(seat);
            (self.configs[at].peers, self.configs[at].former) = (peers, former.clone());
        }
        Ok(())
    }

    fn size(&self) -> u8 {
        u8::try_from(self.seated.len()).unwrap()
    }

    /// A process that runs, whether it holds a seat or not.
    pub fn process(&self, process: u8) -> &Arc<Steward> {
        &self.running[usize::from(process) - 1].as_ref().unwrap().steward
    }

    /// Stops a process that holds no seat, or starts it again.
    pub async fn process_down(&mut self, process: u8) -> Result<()> {
        let mut running = self.running[usize::from(process) - 1].take().context("it does not run")?;
        if let Some(stop) = running.stop.take() {
            let _ = stop.send(());
        }
        Ok(running.task.await?)
    }

    pub async fn process_up(&mut self, process: u8) -> Result<()> {
        self.start_process(usize::from(process) - 1).await
    }

    /// The sealing key that a process was given at first.
    pub fn first_sealing_key(&self, process: u8) -> SealingPublicKey {
        self.sealing[usize::from(process) - 1]
    }

    /// The bytes of a blob that the vault holds.
    pub fn blob(&self, cid: &str) -> Option<Vec<u8>> {
        self.vault.blobs.lock().unwrap().get(cid).cloned()
    }

    pub fn steward(&self, seat: u8) -> &Arc<Steward> {
        &self.running[self.at(seat)].as_ref().unwrap().steward
    }

    pub fn url(&self, seat: u8) -> String {
        format!("http://{}", self.configs[self.at(seat)].listen)
    }

    /// A client of a steward that signs with `key`.
    pub fn client(&self, seat: u8, key: &PrivateKeySigner) -> Client {
        let domain = auth::domain(self.coop.manifest.chain_id, self.coop.manifest.addresses.steward_committee);
        let audience = self.coop.stewards[usize::from(seat) - 1].address();
        let url = self.taps.get(usize::from(seat) - 1).cloned().unwrap_or_else(|| self.url(seat));
        Client::new(&url).unwrap().signing(Identity { key: key.clone(), domain }, audience)
    }

    pub fn gateway_key(&self) -> PrivateKeySigner {
        role_key("relayer")
    }

    fn up_seats(&self) -> Vec<u8> {
        (1..=self.size()).filter(|seat| self.running[self.at(*seat)].is_some()).collect()
    }

    pub async fn now(&self) -> Result<u64> {
        Ok(self.coop.chain.now().await?)
    }

    /// Waits for a condition.
    pub async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
        let start = Instant::now();
        while !holds().await? {
            if start.elapsed() > PATIENCE {
                bail!("waited in vain for {what}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Admits a member, gives every running steward its row key and a consent.
    pub async fn member(&self, n: u32) -> Result<TestMember> {
        let member = self.admit(n).await?;
        self.give_key(&member, &self.up_seats()).await?;
        self.consent(&member, 1, &Choice::health_research()).await?;
        Ok(member)
    }

    /// Admits a member whose row key no steward has.
    pub async fn admit(&self, n: u32) -> Result<TestMember> {
        self.admit_with(n, RowKey::random(&mut rand::rng())).await
    }

    /// The registrar, or who pretends to be, offers a steward the row key of somebody to be admitted; what is sealed may be
    /// another.
    pub async fn offer(
        &self,
        seat: u8,
        n: u32,
        row_key: &RowKey,
        sealed: &RowKey,
        signer: &PrivateKeySigner,
    ) -> Result<KeyReceipt> {
        let (site, held) = (self.site(), self.key_held(n, row_key));
        let applicant = |row_key| Applicant { site: &site, account: held.account, nullifier: held.nullifier, row_key };
        let parts = applicant(sealed).seal_row_key(&mut rand::rng())?;
        let offer = membership::offer(&applicant(row_key), signer, parts, self.now().await? + 3_600)?;
        let KeyOfferRequest { account, nullifier, row_key_digest, deadline, registrar_signature, row_keys } = offer;
        let sealed = row_keys[usize::from(seat) - 1].clone();
        let delivery = KeyOfferDelivery { account, nullifier, row_key_digest, deadline, registrar_signature, sealed };
        let client = self.client(seat, &self.gateway_key());
        let (key, now) = (self.sealing_of(seat), self.now().await?);
        Ok(sealed::post(&client, key, steward::OFFER, &delivery, now).await?)
    }

    /// What a steward says of a key that it holds.
    pub fn key_held(&self, n: u32, row_key: &RowKey) -> eip712::KeyHeld {
        let account = self.coop.member_key(n).address();
        let digest = commit::row_key(B256::new(*row_key.expose()));
        eip712::KeyHeld { account, nullifier: keccak256(account), rowKeyDigest: digest }
    }

    /// As [`Self::admit`], with the row key given.
    pub async fn admit_with(&self, n: u32, row_key: RowKey) -> Result<TestMember> {
        let key = self.coop.member_key(n);
        let id = self.coop.join_with(&self.site(), &key, &row_key).await?;
        let nullifier = keccak256(key.address());
        Ok(TestMember { key, id, row_key, nullifier })
    }

    /// As a client sees the cooperative.
    pub fn site(&self) -> Site {
        let mut site = self.coop.site();
        for entry in &mut site.stewards {
            entry.sealing_key = self.sealing_of(entry.steward.0).0;
        }
        site
    }

    /// Gives these stewards a member's row key.
    pub async fn give_key(&self, member: &TestMember, seats: &[u8]) -> Result<()> {
        for seat in seats {
            self.give_this_key(member, *seat, &member.row_key).await?;
        }
        Ok(())
    }

    /// Gives a steward what is said to be a member's row key.
    pub async fn give_this_key(&self, member: &TestMember, seat: u8, row_key: &RowKey) -> Result<()> {
        let (site, account, nullifier) = (self.site(), member.key.address(), member.nullifier);
        self.give_applicants_key(&Applicant { site: &site, account, nullifier, row_key }, member.id, seat).await
    }

    /// Gives a steward the row key of who joined with whatever account.
    pub async fn give_applicants_key(&self, applicant: &Applicant<'_>, member_id: MemberId, seat: u8) -> Result<()> {
        let parts = applicant.seal_row_key(&mut rand::rng())?;
        let sealed = parts[usize::from(seat) - 1].clone();
        let (account, nullifier) = (applicant.account, applicant.nullifier);
        self.deliver(seat, steward::ROW_KEY, &RowKeyDelivery { member_id, account, nullifier, sealed }).await
    }

    pub fn sealing_of(&self, seat: u8) -> SealingPublicKey {
        self.in_force(self.at(seat))
    }

    /// The sealing key of a process, after all that were replaced.
    fn in_force(&self, process: usize) -> SealingPublicKey {
        let rotated = self.vault.rotated.lock().unwrap();
        let mut key = self.sealing[process].0;
        while let Some(next) = rotated.get(&key) {
            key = *next;
        }
        SealingPublicKey(key)
    }

    async fn deliver<Q: serde::Serialize>(
        &self,
        seat: u8,
        route: Route<route::Sealed<Q>, (), Access>,
        body: &Q,
    ) -> Result<()> {
        let client = self.client(seat, &self.gateway_key());
        Ok(sealed::post(&client, self.sealing_of(seat), route, body, self.now().await?).await?)
    }

    /// Grants a consent on chain and gives every running steward the receipt.
    pub async fn consent(&self, member: &TestMember, version: u32, choice: &Choice) -> Result<()> {
        let site = self.site();
        let request = self.coop.consent(member.of(&site), version, choice.clone()).await?;
        self.coop.relay_grant(&request).await?;
        for seat in self.up_seats() {
            self.give_receipt(seat, &request).await?;
        }
        Ok(())
    }

    /// Gives a steward its receipt of a consent.
    pub async fn give_receipt(&self, seat: u8, request: &GrantRequest) -> Result<()> {
        let sealed = request.receipts[usize::from(seat) - 1].clone();
        let delivery = ConsentDelivery { member_id: request.member_id, version: request.version, sealed };
        self.deliver(seat, steward::CONSENT, &delivery).await
    }

    /// Seals a record of a member; the blob is in the vault.
    pub async fn seal(&self, member: &TestMember, record: &[u8]) -> Result<ContributionPackage> {
        self.seal_dealing(member, record, |_| {}).await
    }

    /// As [`Self::seal`], but the dealer gives every steward a share of another polynomial, and commits to that.
    pub async fn seal_with_bad_share(&self, member: &TestMember, record: &[u8]) -> Result<ContributionPackage> {
        let other = sharing::deal(&RecordSecret::random(&mut rand::rng()), 2, 3, &mut rand::rng())?;
        self.seal_dealing(member, record, |deal| deal.shares.clone_from(&other.shares)).await
    }

    async fn seal_dealing(
        &self,
        member: &TestMember,
        record: &[u8],
        change: impl FnOnce(&mut sharing::Deal),
    ) -> Result<ContributionPackage> {
        let registry = self.coop.manifest.addresses.contribution_registry;
        let (secret, rng) = (RecordSecret::random(&mut rand::rng()), &mut rand::rng());
        let context =
            Context { chain_id: self.coop.manifest.chain_id, registry, member: member.id, consent_version: 1 };
        let sealed = envelope::seal(&secret, &context, record, rng)?;
        let mut deal = sharing::deal(&secret, self.quorum, self.size(), rng)?;
        change(&mut deal);
        let part = PrivatePart::new(DATASET, random_blinder(rng));
        let nonce = ContributionRegistry::nonceOfCall { memberId: member.id.0 };
        let stamp = self.coop.stamp(self.coop.chain.view(registry, &nonce).await?.to()).await?;
        let site = self.site();
        let package = member.of(&site).author().pack(&sealed, &deal, &part, 1, stamp, &mut rand::rng())?;
        let package = package.signed_by(&member.key)?;
        self.keep_blob(sealed.blob);
        Ok(package)
    }

    /// Signs a package anew, as after tampering with it.
    pub fn sign(&self, member: &TestMember, package: &mut ContributionPackage) -> Result<()> {
        *package = member.of(&self.site()).author().contribution(package.clone()).signed_by(&member.key)?;
        Ok(())
    }

    /// Gives a package to a steward.
    pub async fn give(&self, seat: u8, package: &ContributionPackage) -> Result<ShareReceipt, ClientError> {
        let now = self.coop.chain.now().await.unwrap();
        let (client, key) = (self.client(seat, &self.gateway_key()), self.sealing_of(seat));
        sealed::post(&client, key, steward::CONTRIBUTION, package, now).await
    }

    /// Contributes one record for each member, to every running steward, recorded in one batch.
    pub async fn contribute(&self, records: &[(&TestMember, Vec<u8>)]) -> Result<Vec<ContributionId>> {
        let mut packages = Vec::new();
        for (member, record) in records {
            let package = self.seal(member, record).await?;
            for seat in self.up_seats() {
                let receipt = self.give(seat, &package).await?;
                assert_eq!(receipt, ShareReceipt { steward: StewardId(seat), commitment: package.commitment });
            }
            packages.push(package);
        }
        self.bring(&packages).await
    }

    /// Puts a blob into the vault.
    pub fn keep_blob(&self, blob: Vec<u8>) {
        self.vault.blobs.lock().unwrap().insert(Cid::of(&blob).to_string(), blob);
    }

    /// Brings packages on chain in one batch.
    pub async fn bring(&self, packages: &[ContributionPackage]) -> Result<Vec<ContributionId>> {
        let batch = packages.iter().map(|package| statement::contribution(package).into()).collect();
        let signatures = packages.iter().map(|package| package.signature.clone()).collect();
        let registry = self.coop.manifest.addresses.contribution_registry;
        let call = ContributionRegistry::recordCall { c: batch, signatures };
        let receipt = self.coop.relayer.send(registry, &call).await?;
        self.coop.local.mine(3).await?;
        let recorded = self.coop.events(&receipt)?.into_iter().filter_map(|e| match e.event {
            Event::ContributionRecorded { contribution, .. } => Some(contribution),
            _ => None,
        });
        Ok(recorded.collect())
    }

    /// A plausible record.
    pub async fn record(&self, n: u64) -> Result<Vec<u8>> {
        let patient = rochdale_testkit::synth::patient(7, n, i64::try_from(self.now().await?)?);
        Ok(serde_json::to_vec(&patient)?)
    }

    /// Waits until nothing waits for a score at the stewards that run.
    pub async fn scored(&self, contributions: usize) -> Result<()> {
        self.until("agreed scores", async || {
            for seat in self.up_seats() {
                let scores = self.steward(seat).store.scores_after(ContributionId(0)).await?;
                let waiting = self.steward(seat).store.deferred().await?;
                if scores.len() < 2 * contributions || !waiting.is_empty() {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await
    }

    /// Books a debit over a snapshot that holds these records, anchors its receipt, and gives every running steward the snapshot.
    pub async fn used(&self, ids: &[ContributionId]) -> Result<SnapshotRow> {
        let license_id = self.license(1_000, 365 * 86_400).await?;
        let (seats, block) = (self.up_seats(), self.coop.chain.head().await?.finalized);
        let (cut, cut_time, blinder) = (block.hash, block.timestamp, B256::new(rand::random()));
        let (digest, order, ids) = (B256::ZERO, B256::new(rand::random()), ids.to_vec());
        let mut row = SnapshotRow { digest, order, dataset: DATASET, purpose: PURPOSE, cut, cut_time, blinder, ids };
        row.digest = self.steward(seats[0]).digest_of(&row)?;
        let query = Query::parse(br#"{"version":1,"dataset":1,"ask":{"kind":"count"},"rho":1000}"#)?;
        let debit = Debit {
            license_id,
            order,
            query_digest: query.digest()?,
            snapshot: row.digest,
            purpose: PURPOSE,
            rho: 1,
            deadline: self.now().await? + 3_600,
        };
        // As who signs does: what no debit names is not kept.
        for seat in seats {
            assert!(self.steward(seat).store.sign_debit(&debit, &[], &row, &query).await?);
        }
        self.coop.book_and_anchor(&debit, keccak256(b"result")).await?;
        Ok(row)
    }

    /// Ends a membership by the member's signature.
    pub async fn leave(&self, member: &TestMember) -> Result<()> {
        self.coop.leave(&member.key, member.id).await?;
        Ok(())
    }

    /// Erases everything of a member by its signature.
    pub async fn erase(&self, member: &TestMember) -> Result<()> {
        self.coop.erase(&member.key, member.id).await?;
        self.coop.local.mine(3).await?;
        Ok(())
    }

    /// Moves time past the window of an epoch's proposal.
    pub async fn after_window(&self, epoch: u32) -> Result<()> {
        let proposed = self.coop.history().await?.into_iter().find_map(|e| match e.event {
            Event::Proposed { epoch: of, final_at, .. } if of == Epoch(epoch) => Some(final_at),
            _ => None,
        });
        self.coop.local.time_to(proposed.context("it is not proposed")? + 1, 1).await?;
        Ok(())
    }

    /// Claims what a leaf owes.
    pub async fn claim(&self, leaf: &ClaimLeaf) -> Result<()> {
        let call = SettlementLedger::claimCall {
            c: bindings::claim(leaf.member_id, &leaf.amounts(), leaf.private_hash),
            proof: leaf.proof.clone(),
        };
        self.coop.relayer.send(self.coop.manifest.addresses.settlement_ledger, &call).await?;
        Ok(())
    }

    /// Has a contract of the cooperative act, as after a vote of the house whose timelock it is.
    pub async fn decide<C: SolCall>(&self, house: Address, to: Address, call: &C) -> Result<()> {
        self.coop.local.act_as(house, to, call).await?;
        self.coop.local.mine(3).await?;
        Ok(())
    }

    /// Calls Disputes as a role of the test.
    pub async fn disputes_as<C: SolCall>(&self, role: &str, call: &C) -> Result<TxReceipt> {
        let receipt = self.coop.sender(role).await?.send(self.vault.disputes, call).await?;
        self.coop.local.mine(3).await?;
        Ok(receipt)
    }

    /// A member demands its row of a pending root, by its own call.
    pub async fn demand(&self, member: &TestMember, epoch: u32, attempt: u32) -> Result<()> {
        self.demand_of(member, epoch, attempt, DemandKind::Row).await
    }

    /// Likewise its row or its inputs.
    pub async fn demand_of(&self, member: &TestMember, epoch: u32, attempt: u32, kind: DemandKind) -> Result<()> {
        let r = Disputes::Demand { memberId: member.id.0, epoch, attempt, kind: kind.into(), deadline: U256::ZERO };
        let call = Disputes::demandCall { r, signature: Bytes::new() };
        self.disputes_as(&format!("member-{}", member.id), &call).await.map(drop)
    }

    pub async fn status(&self, seat: u8) -> Result<SettlementStatus> {
        Ok(self.client(seat, &self.gateway_key()).get(steward::SETTLEMENT).await?)
    }

    /// Moves time to an attempt of an epoch.
    pub async fn attempt(&self, epoch: u32, attempt: u32) -> Result<()> {
        let start = self.coop.manifest.schedule().start(Epoch(epoch), attempt);
        self.coop.local.time_to(start, 3).await?;
        Ok(())
    }

    /// Moves time on until others may stand in for a scorer that is silent, within the epoch.
    pub async fn stand_in(&self) -> Result<()> {
        let later = self.now().await? + u64::from(self.coop.manifest.schedule().attempt_length) + 1;
        self.coop.local.time_to(later, 3).await?;
        Ok(())
    }

    /// A steward objects to the pending root, by hand.
    pub async fn object_as(&self, role: &str) -> Result<()> {
        let pending = dispute::pending(&self.coop.chain, &self.coop.manifest).await?.context("nothing is pending")?;
        let call = Disputes::objectCall { epoch: pending.epoch.0, attempt: pending.attempt };
        self.disputes_as(role, &call).await.map(drop)
    }

    /// Moves time on until an epoch is final, whatever moved its window meanwhile.
    pub async fn final_by_time(&self, epoch: u32) -> Result<()> {
        let pending = dispute::pending(&self.coop.chain, &self.coop.manifest).await?;
        let until = pending.and_then(|pending| pending.final_at).context("nothing is pending, or it is frozen")?;
        self.coop.local.time_to(until, 3).await?;
        let call = SettlementLedger::finalEpochCall {};
        let last = self.coop.chain.view(self.coop.manifest.addresses.settlement_ledger, &call).await?;
        anyhow::ensure!(last.epoch == epoch, "epoch {} is final, not {epoch}", last.epoch);
        Ok(())
    }

    /// Waits until every steward that runs has settled an epoch, while blocks go by.
    pub async fn settled(&self, epoch: u32) -> Result<()> {
        self.settled_at(&self.up_seats(), epoch).await
    }

    /// As [`Self::settled`], of these stewards.
    pub async fn settled_at(&self, seats: &[u8], epoch: u32) -> Result<()> {
        let mut last = String::new();
        let done = self
            .until("a settlement", async || {
                self.coop.local.mine(1).await?;
                for seat in seats.iter().copied() {
                    let status = self.status(seat).await?;
                    if status.settled < Epoch(epoch) {
                        last = format!("steward {seat}: {status:?}");
                        return Ok(false);
                    }
                }
                Ok(true)
            })
            .await;
        done.with_context(|| last)
    }

    /// The header of an epoch on chain.
    pub async fn header(&self, epoch: u32) -> Result<rochdale_core::ledger::Header> {
        let header = self.coop.history().await?.into_iter().find_map(|e| match e.event {
            Event::Proposed { epoch: of, header, .. } if of == Epoch(epoch) => Some(*header),
            _ => None,
        });
        header.context("it is not proposed")
    }

    pub fn answers(&self) -> Vec<AnswerRequest> {
        self.vault.answered.lock().unwrap().clone()
    }

    /// From now on the gateway says that it sent each answer, and sends none.
    pub fn withhold_answers(&self) {
        self.vault.withholds.store(true, Ordering::Relaxed);
    }

    /// Whether the gateway brings withdrawals on chain from now on.
    pub fn relay_withdrawals(&self, relays: bool) {
        self.vault.denies.store(relays, Ordering::Relaxed);
    }

    pub fn proposals(&self) -> Vec<ProposeRequest> {
        self.vault.proposed.lock().unwrap().clone()
    }

    /// What is ordered of the market for scientific research.
    fn wanted(records: u32, duration: u64) -> LicenseSale::Order {
        LicenseSale::Order {
            datasetId: DATASET.0,
            records,
            purpose: PURPOSE.0,
            ehdsCategory: 5,
            duration,
            recipientKey: keccak256(b"recipient"),
        }
    }

    /// A license of a passkey's account.
    pub async fn passkey_license(&self, passkey: &Passkey) -> Result<(Address, LicenseId)> {
        let held = self.coop.passkey_license(passkey, Self::wanted(1_000, 365 * 86_400)).await?;
        self.coop.local.mine(3).await?;
        Ok(held)
    }

    /// The newest final block.
    pub async fn final_block(&self) -> Result<B256> {
        Ok(self.coop.chain.head().await?.finalized.hash)
    }

    /// Approves the researcher and buys a license for scientific research.
    pub async fn license(&self, records: u32, duration: u64) -> Result<LicenseId> {
        self.coop.approve_researcher(PURPOSE).await?;
        let license = self.coop.buy_license(Self::wanted(records, duration)).await?;
        self.coop.local.mine(3).await?;
        Ok(license)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for running in self.running.iter_mut().flatten() {
            running.task.abort();
        }
    }
}

fn write_key(path: &std::path::Path, line: &str) -> Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(file.write_all(line.as_bytes())?)
}

async fn serve_vault(port: u16, vault: Vault, identity: Identity) -> Result<()> {
    let app = Router::new()
        .route(gateway::SCORE_BLOB.path, post(blob))
        .route(gateway::PROPOSE.path, post(propose))
        .route(gateway::ANSWER.path, post(answer))
        .route(gateway::ROTATE_KEY.path, post(rotate))
        .route(gateway::DEBIT.path, post(book))
        .route(gateway::REVOKE.path, post(revoke))
        .route(gateway::ERASE.path, post(erase))
        .with_state(vault);
    let app = rochdale_api::server::answering(app, identity);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(())
}

/// As the gateway does: for who has the permits of as many others as make a quorum with it.
async fn blob(
    State(vault): State<Vault>,
    Path(name): Path<String>,
    Json(request): Json<BlobRequest>,
) -> Result<Body, Problem> {
    let unread = |error| Problem::new(ProblemCode::ChainUnavailable, format!("{error}"));
    let chain = vault.relayer.chain();
    let seats = chain.view(vault.committee, &StewardCommittee::seatsCall {}).await.map_err(unread)?;
    let quorum = chain.view(vault.committee, &StewardCommittee::quorumCall {}).await.map_err(unread)?;
    let now = chain.now().await.map_err(unread)?;
    let cid: Cid = name.parse().map_err(|error| Problem::new(ProblemCode::BadRequest, format!("{error}")))?;
    let may = |reader: Address| {
        let permits = request.permits.iter().filter(|one| (now..=now + PERMIT_LIFETIME).contains(&one.deadline));
        let by: BTreeSet<Address> = permits
            .filter_map(|one| {
                let signer = seats.get(usize::from(one.steward.0).checked_sub(1)?)?.signer;
                let said = eip712::BlobPermit { blob: (*cid.sha256()).into(), reader, deadline: one.deadline };
                let holds = eip712::verify(&said, &vault.domain, &one.signature, signer).is_ok();
                (holds && signer != reader).then_some(signer)
            })
            .collect();
        by.len() + 1 >= usize::from(quorum)
    };
    if !seats.iter().any(|seat| may(seat.signer)) {
        return Err(Problem::new(ProblemCode::Forbidden, "too few permits hold"));
    }
    let blob = vault.blobs.lock().unwrap().get(&name).cloned();
    blob.map(Body::from).ok_or_else(|| Problem::new(ProblemCode::NotFound, "no such blob"))
}

async fn answer(State(vault): State<Vault>, Json(request): Json<AnswerRequest>) -> Result<Json<Mined>, Problem> {
    vault.answered.lock().unwrap().push(request.clone());
    if vault.withholds.load(Ordering::Relaxed) {
        return Ok(Json(Mined { tx: B256::ZERO, block: 0, gas_used: 0 }));
    }
    let member = request.member_id;
    match request.answer {
        DemandAnswer::Row(leaf) => vault.send(vault.disputes, &bindings::row_answer(member, &leaf)).await,
        DemandAnswer::Inputs { header, opened } => {
            vault.send(vault.disputes, &bindings::inputs_answer(&header, member, &opened)).await
        }
    }
}

async fn rotate(State(vault): State<Vault>, Json(request): Json<RotateKeyRequest>) -> Result<Json<Mined>, Problem> {
    let call = StewardCommittee::rotateSealingKeyCall {
        stewardId_: request.steward.0,
        sealingKey: request.sealing_key,
        signature: request.signature,
    };
    let seats = vault.relayer.chain().view(vault.committee, &StewardCommittee::seatsCall {}).await;
    let seats = seats.map_err(|error| Problem::new(ProblemCode::ChainUnavailable, error.to_string()))?;
    let before = seats[usize::from(request.steward.0) - 1].sealingKey;
    let mined = vault.send(vault.committee, &call).await?;
    vault.rotated.lock().unwrap().insert(before, request.sealing_key);
    Ok(mined)
}

async fn book(State(vault): State<Vault>, Json(request): Json<DebitRequest>) -> Result<Json<Mined>, Problem> {
    let signatures = request.signatures.into_iter().map(|one| one.signature).collect();
    let call = StewardCommittee::debitCall { d: eip712::order::Debit::from(&request.debit).into(), signatures };
    let sent = vault.relayer.send(vault.committee, &call).await;
    let receipt = sent.map_err(|error| Problem::new(ProblemCode::ChainRefused, error.to_string()))?;
    Ok(Json(Mined { tx: receipt.transaction, block: receipt.block_number, gas_used: receipt.gas_used }))
}

/// As a gateway that is down, until it is told otherwise.
fn denies(vault: &Vault) -> Result<(), Problem> {
    let down = || Problem::new(ProblemCode::PeerUnavailable, "switched off by the test");
    if vault.denies.load(Ordering::Relaxed) { Ok(()) } else { Err(down()) }
}

async fn revoke(State(vault): State<Vault>, Json(request): Json<DenyRequest>) -> Result<Json<Mined>, Problem> {
    denies(&vault)?;
    let r = statement::revoke(&request).into();
    vault.send(vault.consents, &ConsentRegistry::revokeCall { r, signature: request.signature }).await
}

async fn erase(State(vault): State<Vault>, Json(request): Json<DenyRequest>) -> Result<Json<Mined>, Problem> {
    denies(&vault)?;
    let e = statement::erase(&request).into();
    vault.send(vault.consents, &ConsentRegistry::eraseCall { e, signature: request.signature }).await
}

async fn propose(State(vault): State<Vault>, Json(request): Json<ProposeRequest>) -> Result<Json<Mined>, Problem> {
    let signatures = request.signatures.iter().map(|one| one.signature.clone()).collect();
    let header = eip712::Header::from(&request.header);
    vault.proposed.lock().unwrap().push(request);
    let call = SettlementLedger::proposeCall { h: header.into(), signatures };
    vault.send(vault.ledger, &call).await
}
