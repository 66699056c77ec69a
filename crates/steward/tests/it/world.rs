//! The cooperative of a test.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use anyhow::{Context as _, Result, bail};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use rochdale_api::client::{Client, ClientError, Identity};
use rochdale_api::contribution::{ContributionPackage, ShareReceipt};
use rochdale_api::custody::RotateKeyRequest;
use rochdale_api::member::{ClaimLeaf, ConsentDelivery, KeyOfferDelivery, KeyReceipt, Mined, RowKeyDelivery, SealedTo};
use rochdale_api::order::DebitRequest;
use rochdale_api::settlement::{AnswerRequest, DemandAnswer, ProposeRequest, SettlementStatus};
use rochdale_api::{Problem, ProblemCode, auth};
use rochdale_chain::bindings::{
    self, ConsentRegistry, ContributionRegistry, Disputes, LicenseSale, Market, Membership, SettlementLedger,
    StewardCommittee, TestUSDC,
};
use rochdale_chain::client::{ManualClock, Receipt as TxReceipt, Sender};
use rochdale_chain::dispute;
use rochdale_chain::eip712;
use rochdale_chain::events::{Event, Seat};
use rochdale_chain::local::{AnvilOptions, post_bonds};
use rochdale_core::commit;
use rochdale_core::consent::{Choice, Controller, Notice, Receipt};
use rochdale_core::ids::{ContributionId, DatasetId, Epoch, LicenseId, MemberId, Purpose, StewardId};
use rochdale_core::ledger::DemandKind;
use rochdale_core::order::Debit;
use rochdale_crypto::keyfile::{self, KeyKind};
use rochdale_crypto::sealing::{self, ConsentContext, ConsentPart, PrivatePart, RowKeyContext, ShareContext};
use rochdale_crypto::{
    Context, RecordSecret, RowKey, SealingKeyPair, SealingPublicKey, envelope, random_blinder, sharing,
};
use rochdale_node::sealed;
use rochdale_steward::config::{Budget, Config, Former, Peer, Retention, Scoring, Sealing, Settlement};
use rochdale_steward::run;
use rochdale_steward::steward::Steward;
use rochdale_steward::store::SnapshotRow;
use rochdale_testkit::anvil::{TestCoop, role_key};
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
    committee: Address,
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
    seated: [u8; 3],
    pub worker_sealing: SealingKeyPair,
    /// What each process was given at first.
    sealing: Vec<SealingPublicKey>,
    vault: Vault,
    /// Where the gateway, awarders and members reach each seat, if somebody listens between.
    pub taps: Vec<String>,
    _dir: TempDir,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
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
            committee: coop.manifest.addresses.steward_committee,
            rotated: Arc::default(),
        };
        let domain = auth::domain(coop.manifest.chain_id, coop.manifest.addresses.steward_committee);
        serve_vault(ports[0], vault.clone(), Identity { key: role_key("relayer"), domain }).await?;
        coop.local.mine(3).await?;
        let running = (0..PROCESSES).map(|_| None).collect();
        let seated = [1, 2, 3];
        let mut world =
            Self { coop, configs, running, seated, worker_sealing, sealing, vault, taps: Vec::new(), _dir: dir };
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
        let at = self.at(seat);
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
        let client = Client::new(&self.url(seat))?;
        self.until("a steward that serves", async || match client.get::<serde_json::Value>("/v1/health").await {
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
        let stay: Vec<u8> = (1..=3).filter(|seat| seated.contains(&self.seated[usize::from(*seat) - 1])).collect();
        for seat in &stay {
            self.down(*seat).await?;
        }
        let before = std::mem::replace(&mut self.seated, seated);
        let role = |process: &u8| role_key(&format!("steward-{process}"));
        let seats: Vec<_> = seated
            .iter()
            .map(|process| Seat {
                signer: role(process).address(),
                sealing_key: self.in_force(usize::from(*process) - 1).0,
            })
            .collect();
        let (a, mut config) = (&self.coop.manifest.addresses, self.coop.config.clone());
        config.actors.stewards.clone_from(&seats);
        let call = StewardCommittee::seatCall {
            seats_: seats.iter().map(|s| (s.signer, s.sealing_key).into()).collect(),
            quorum_: 2,
        };
        self.decide(a.member_timelock, a.steward_committee, &call).await?;
        post_bonds(&self.coop.founder, &self.coop.manifest, &config).await?;
        self.coop.stewards = seated.iter().map(role).collect();
        let former = before.iter().filter(|process| !seated.contains(process)).map(|process| Former {
            address: role(process).address(),
            url: format!("http://{}", self.configs[usize::from(*process) - 1].listen),
        });
        let former: Vec<Former> = former.collect();
        for seat in 1..=3u8 {
            let others = (1..=3u8).filter(|other| *other != seat);
            let peers = others.map(|other| Peer { steward: StewardId(other), url: self.url(other) }).collect();
            let at = self.at(seat);
            (self.configs[at].peers, self.configs[at].former) = (peers, former.clone());
        }
        for seat in 1..=3 {
            self.up(seat).await?;
        }
        Ok(())
    }

    pub fn steward(&self, seat: u8) -> &Arc<Steward> {
        &self.running[self.at(seat)].as_ref().unwrap().steward
    }

    fn url(&self, seat: u8) -> String {
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
        (1..=3).filter(|seat| self.running[self.at(*seat)].is_some()).collect()
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
        let said = self.key_held(n, row_key);
        let (account, nullifier, digest) = (said.account, said.nullifier, said.rowKeyDigest);
        let deadline = self.now().await? + 3_600;
        let offer = eip712::KeyOffer { account, nullifier, rowKeyDigest: digest, deadline: U256::from(deadline) };
        let membership = self.coop.manifest.addresses.membership;
        let (chain_id, steward) = (self.coop.manifest.chain_id, StewardId(seat));
        let context = RowKeyContext { chain_id, membership, account, nullifier, index: steward };
        let sealed = sealing::seal_row_key(&self.sealing_of(seat), &context, sealed, &mut rand::rng())?.0;
        let delivery = KeyOfferDelivery {
            account,
            nullifier,
            row_key_digest: digest,
            deadline,
            registrar_signature: eip712::sign(signer, &offer, &self.coop.manifest.membership_domain())?,
            sealed: SealedTo { steward, sealed },
        };
        let client = self.client(seat, &self.gateway_key());
        let (key, now) = (self.sealing_of(seat), self.now().await?);
        Ok(sealed::post(&client, key, "/v1/row-keys/offers", &delivery, now).await?)
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
        let account = key.address();
        let nullifier = keccak256(account);
        let admission = eip712::Admission {
            account,
            payout: account,
            nullifier,
            rowKeyDigest: commit::row_key(B256::new(*row_key.expose())),
            deadline: self.coop.deadline().await?,
        };
        let signature = eip712::sign(&self.coop.registrar, &admission, &self.coop.manifest.membership_domain())?;
        let call = Membership::joinCall { a: admission.into(), registrarSignature: signature };
        let receipt = self.coop.relayer.send(self.coop.manifest.addresses.membership, &call).await?;
        let id = self.coop.events(&receipt)?.into_iter().find_map(|e| match e.event {
            Event::Joined { member, .. } => Some(member),
            _ => None,
        });
        Ok(TestMember { key, id: id.context("no Joined event")?, row_key, nullifier })
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
        let (account, nullifier, steward) = (member.key.address(), member.nullifier, StewardId(seat));
        let context = RowKeyContext {
            chain_id: self.coop.manifest.chain_id,
            membership: self.coop.manifest.addresses.membership,
            account,
            nullifier,
            index: steward,
        };
        let sealed = sealing::seal_row_key(&self.sealing_of(seat), &context, row_key, &mut rand::rng())?.0;
        let sealed = SealedTo { steward, sealed };
        let delivery = RowKeyDelivery { member_id: member.id, account, nullifier, sealed };
        self.deliver(seat, "/v1/row-keys", &delivery).await
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

    async fn deliver(&self, seat: u8, path: &str, body: &impl serde::Serialize) -> Result<()> {
        let client = self.client(seat, &self.gateway_key());
        Ok(sealed::post(&client, self.sealing_of(seat), path, body, self.now().await?).await?)
    }

    /// Grants a consent on chain and gives every running steward the receipt.
    pub async fn consent(&self, member: &TestMember, version: u32, choice: &Choice) -> Result<()> {
        let registry = self.coop.manifest.addresses.consent_registry;
        let controller = Controller {
            name: "Rochdale".into(),
            contact: "mailto:data@example.org".into(),
            chain_id: self.coop.manifest.chain_id,
            registry,
        };
        let notice = Notice { language: "en".into(), digest: keccak256("notice") };
        let receipt = Receipt::new(member.id, version, controller, notice, choice.clone(), self.now().await?, 0);
        let blinder = random_blinder(&mut rand::rng());
        let grant = eip712::ConsentGrant {
            memberId: member.id.0,
            version,
            receiptCommitment: commit::consent(receipt.digest()?, blinder),
            expiry: 0,
            nonce: self.coop.consent_nonce(member.id).await?,
            deadline: self.coop.deadline().await?,
        };
        let signature = eip712::sign(&member.key, &grant, &self.coop.manifest.consent_domain())?;
        self.coop.relayer.send(registry, &ConsentRegistry::grantCall { g: grant.into(), signature }).await?;
        let part = ConsentPart::new(commit::canonical_json(&receipt)?, blinder);
        for seat in self.up_seats() {
            let context = ConsentContext {
                chain_id: self.coop.manifest.chain_id,
                registry,
                member: member.id,
                consent_version: version,
                index: StewardId(seat),
            };
            let sealed = sealing::seal_consent(&self.sealing_of(seat), &context, &part, &mut rand::rng())?.0;
            let sealed = SealedTo { steward: StewardId(seat), sealed };
            let delivery = ConsentDelivery { member_id: member.id, version, sealed };
            self.deliver(seat, "/v1/consents", &delivery).await?;
        }
        Ok(())
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
        let secret = RecordSecret::random(&mut rand::rng());
        let context =
            Context { chain_id: self.coop.manifest.chain_id, registry, member: member.id, consent_version: 1 };
        let sealed = envelope::seal(&secret, &context, record, &mut rand::rng())?;
        let mut deal = sharing::deal(&secret, 2, 3, &mut rand::rng())?;
        change(&mut deal);
        let part = PrivatePart::new(DATASET, random_blinder(&mut rand::rng()));
        let (mut shares, mut secrets) = (Vec::new(), Vec::new());
        for (seat, share) in (1..=3u8).zip(&deal.shares) {
            let (to, steward) = (self.sealing_of(seat), StewardId(seat));
            let context = ShareContext::of(&sealed.header, steward);
            shares.push(SealedTo { steward, sealed: sealing::seal_share(&to, &context, share, &mut rand::rng())?.0 });
            let sealed = sealing::seal_private_part(&to, &context.private_part(), &part, &mut rand::rng())?.0;
            secrets.push(SealedTo { steward, sealed });
        }
        self.vault.blobs.lock().unwrap().insert(sealed.cid.to_string(), sealed.blob);
        let bytes: Vec<&Bytes> = shares.iter().map(|share| &share.sealed).collect();
        let commitment = commit::contribution(
            sealed.header.hash(),
            B256::new(*sealed.cid.sha256()),
            deal.commitments.hash(),
            commit::sealed_shares(&bytes),
            part.dataset(),
            part.blinder(),
        );
        let nonce = ContributionRegistry::nonceOfCall { memberId: member.id.0 };
        let mut package = ContributionPackage {
            member_id: member.id,
            commitment,
            consent_version: 1,
            nonce: u64::try_from(self.coop.chain.view(registry, &nonce).await?)?,
            deadline: self.now().await? + 3_600,
            signature: Bytes::new(),
            header: sealed.header.to_bytes().to_vec().into(),
            blob_digest: B256::new(*sealed.cid.sha256()),
            deal: deal.commitments.points,
            shares,
            secrets,
        };
        self.sign(member, &mut package)?;
        Ok(package)
    }

    /// Signs a package anew, as after tampering with it.
    pub fn sign(&self, member: &TestMember, package: &mut ContributionPackage) -> Result<()> {
        let message = contribution(package);
        package.signature = eip712::sign(&member.key, &message, &self.coop.manifest.contribution_domain())?;
        Ok(())
    }

    /// Gives a package to a steward.
    pub async fn give(&self, seat: u8, package: &ContributionPackage) -> Result<ShareReceipt, ClientError> {
        let now = self.coop.chain.now().await.unwrap();
        let (client, key) = (self.client(seat, &self.gateway_key()), self.sealing_of(seat));
        sealed::post(&client, key, "/v1/contributions", package, now).await
    }

    /// Contributes one record for each member, to every running steward, recorded in one batch.
    pub async fn contribute(&self, records: &[(&TestMember, Vec<u8>)]) -> Result<Vec<ContributionId>> {
        let (mut batch, mut signatures) = (Vec::new(), Vec::new());
        for (member, record) in records {
            let package = self.seal(member, record).await?;
            for seat in self.up_seats() {
                let receipt = self.give(seat, &package).await?;
                assert_eq!(receipt, ShareReceipt { steward: StewardId(seat), commitment: package.commitment });
            }
            batch.push(contribution(&package).into());
            signatures.push(package.signature);
        }
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
        let debit = Debit {
            license_id,
            order,
            query_digest: keccak256(b"query"),
            snapshot: row.digest,
            purpose: PURPOSE,
            rho: 1,
            deadline: self.now().await? + 3_600,
        };
        // As who signs does: what no debit names is not kept.
        for seat in seats {
            assert!(self.steward(seat).store.sign_debit(&debit, &[], &row).await?);
        }
        self.coop.book_and_anchor(&debit, keccak256(b"result")).await?;
        Ok(row)
    }

    /// Ends a membership by the member's signature.
    pub async fn leave(&self, member: &TestMember) -> Result<()> {
        let membership = self.coop.manifest.addresses.membership;
        let nonce = self.coop.chain.view(membership, &Membership::nonceOfCall { memberId: member.id.0 }).await?;
        let leave = eip712::Leave { memberId: member.id.0, nonce, deadline: self.coop.deadline().await? };
        let signature = eip712::sign(&member.key, &leave, &self.coop.manifest.membership_domain())?;
        self.coop.relayer.send(membership, &Membership::leaveCall { l: leave.into(), signature }).await?;
        Ok(())
    }

    /// Erases everything of a member by its signature.
    pub async fn erase(&self, member: &TestMember) -> Result<()> {
        let erase = eip712::ConsentErase {
            memberId: member.id.0,
            nonce: self.coop.consent_nonce(member.id).await?,
            deadline: self.coop.deadline().await?,
        };
        let signature = eip712::sign(&member.key, &erase, &self.coop.manifest.consent_domain())?;
        let call = ConsentRegistry::eraseCall { e: erase.into(), signature };
        self.coop.relayer.send(self.coop.manifest.addresses.consent_registry, &call).await?;
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
        Ok(self.client(seat, &self.gateway_key()).get("/v1/settlement").await?)
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

    pub fn proposals(&self) -> Vec<ProposeRequest> {
        self.vault.proposed.lock().unwrap().clone()
    }

    /// Approves the researcher and buys a license for scientific research.
    pub async fn license(&self, records: u32, duration: u64) -> Result<LicenseId> {
        self.coop.approve_researcher(PURPOSE).await?;
        let (usdc, market) = (self.coop.manifest.addresses.usdc, self.coop.manifest.addresses.market);
        let order = LicenseSale::Order {
            datasetId: DATASET.0,
            records,
            purpose: PURPOSE.0,
            ehdsCategory: 5,
            duration,
            recipientKey: keccak256(b"recipient"),
        };
        let price = self.coop.chain.view(market, &Market::priceOfCall { o: order.clone() }).await?;
        let buyer = self.coop.researcher.address();
        self.coop.relayer.send(usdc, &TestUSDC::mintCall { to: buyer, amount: price }).await?;
        let permit = eip712::Permit {
            owner: buyer,
            spender: market,
            value: price,
            nonce: self.coop.chain.view(usdc, &TestUSDC::noncesCall { owner: buyer }).await?,
            deadline: U256::from(self.now().await? + 3_600),
        };
        let signature = eip712::sign(&role_key("researcher"), &permit, &self.coop.manifest.usdc_domain())?;
        let p = LicenseSale::Permit {
            value: price,
            deadline: permit.deadline,
            r: B256::from_slice(&signature[..32]),
            s: B256::from_slice(&signature[32..64]),
            v: signature[64],
        };
        let receipt = self.coop.researcher.send(market, &Market::buyCall { o: order, p }).await?;
        self.coop.local.mine(3).await?;
        let issued = self.coop.events(&receipt)?.into_iter().find_map(|e| match e.event {
            Event::LicenseIssued { license, .. } => Some(license),
            _ => None,
        });
        issued.context("no LicenseIssued event")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for running in self.running.iter_mut().flatten() {
            running.task.abort();
        }
    }
}

fn contribution(package: &ContributionPackage) -> eip712::Contribution {
    eip712::Contribution {
        memberId: package.member_id.0,
        commitment: package.commitment,
        consentVersion: package.consent_version,
        nonce: U256::from(package.nonce),
        deadline: U256::from(package.deadline),
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
        .route("/v1/blobs/{cid}", post(blob))
        .route("/v1/settlement/proposals", post(propose))
        .route("/v1/settlement/answers", post(answer))
        .route("/v1/sealing-keys", post(rotate))
        .route("/v1/debits", post(book))
        .with_state(vault);
    let app = rochdale_api::server::answering(app, identity);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(())
}

async fn blob(State(vault): State<Vault>, Path(cid): Path<String>) -> Result<Body, Problem> {
    let blob = vault.blobs.lock().unwrap().get(&cid).cloned();
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

async fn propose(State(vault): State<Vault>, Json(request): Json<ProposeRequest>) -> Result<Json<Mined>, Problem> {
    let signatures = request.signatures.iter().map(|one| one.signature.clone()).collect();
    let header = eip712::Header::from(&request.header);
    vault.proposed.lock().unwrap().push(request);
    let call = SettlementLedger::proposeCall { h: header.into(), signatures };
    vault.send(vault.ledger, &call).await
}
