//! A cooperative on a local chain of its own, founded for one test, with keys that are the same on every run.

use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context as _, Result};
use rochdale_api::member::{GrantRequest, JoinRequest, KeyReceipt, KeyReceipts};
use rochdale_api::status::StewardEntry;
use rochdale_chain::account::Recovery;
use rochdale_chain::bindings::{
    ConsentRegistry, ContributionRegistry, LicenseSale, Market, MemberAccountFactory, Membership, StewardCommittee,
    TestUSDC,
};
use rochdale_chain::client::{
    Chain, ChainOptions, LOCAL_CHAIN_ID, ManualClock, Receipt, SendError, Sender, SenderOptions,
};
use rochdale_chain::deploy::{Actors, CoopConfig, Manifest, account_factory, deploy};
use rochdale_chain::eip712;
use rochdale_chain::ethics::{self, Study};
use rochdale_chain::events::{Event, Follower, Located, MemoryStore, Seat, decode};
use rochdale_chain::local::{Anvil, AnvilOptions, LocalChain, key, post_bonds};
use rochdale_client::membership::{self, Applicant};
use rochdale_client::{Member, Site, Stamp, statement};
use rochdale_core::consent::{self, Choice, Controller, Notice, Protocol};
use rochdale_core::ids::{ContributionId, DatasetId, LicenseId, MemberId, Purpose, StewardId};
use rochdale_core::order::Debit;
use rochdale_crypto::RowKey;

use crate::passkey::Passkey;

pub use rochdale_chain::local::GENESIS_TIME;

/// The seed of every key here.
pub const SEED: &str = "testkit";

/// How many stewards open a record or bind the committee.
const QUORUM: u8 = 2;

/// Ether for each account, in wei: 10,000.
const ETHER: u128 = 10_000_000_000_000_000_000_000;

/// The key of a role, such as `steward-2` or `member-17`.
#[must_use]
pub fn role_key(role: &str) -> PrivateKeySigner {
    key(SEED, role)
}

/// A cooperative on its own anvil, which ends with this value.
pub struct TestCoop {
    /// The chain's node.
    pub anvil: Anvil,
    /// A connection to it, whose head is never stale unless `clock` is moved.
    pub chain: Chain,
    /// The clock of `chain`.
    pub clock: Arc<ManualClock>,
    /// Moves its time.
    pub local: LocalChain,
    /// What was founded.
    pub manifest: Manifest,
    /// What it was founded with.
    pub config: CoopConfig,
    /// Pays for the founding, and holds no role.
    pub founder: Sender,
    /// The gateway's account.
    pub relayer: Sender,
    /// Buys licenses.
    pub researcher: Sender,
    /// Signs admissions.
    pub registrar: PrivateKeySigner,
    /// Stewards 1 to 3.
    pub stewards: Vec<PrivateKeySigner>,
    /// The worker's address.
    pub worker: PrivateKeySigner,
}

/// A connection for tests: a manual clock, so that no head grows stale by itself.
///
/// # Errors
/// Where the node does not answer.
pub async fn connect(url: &str) -> Result<(Chain, Arc<ManualClock>)> {
    let clock = Arc::new(ManualClock::default());
    let options = ChainOptions::new(LOCAL_CHAIN_ID);
    Ok((Chain::connect(url, options, clock.clone()).await?, clock))
}

/// The test actors' accounts. Sealing keys are arbitrary: a test that seals replaces them.
#[must_use]
pub fn actors() -> Actors {
    let seat = |role: &str| Seat { signer: role_key(role).address(), sealing_key: keccak256(role.as_bytes()) };
    Actors {
        registrar: role_key("registrar").address(),
        gateway: role_key("relayer").address(),
        ethics_board: role_key("ethics").address(),
        guardian: role_key("guardian").address(),
        stewards: vec![seat("steward-1"), seat("steward-2"), seat("steward-3")],
        quorum: QUORUM,
        workers: vec![seat("worker")],
    }
}

impl TestCoop {
    /// Starts anvil (a block with each transaction) and founds a cooperative with the demo's parameters.
    ///
    /// # Errors
    /// Where anvil is missing or the deployment fails.
    pub async fn deploy() -> Result<Self> {
        Self::deploy_with(AnvilOptions::default(), |_| {}).await
    }

    /// As [`Self::deploy`], on an anvil and with a configuration as told.
    ///
    /// # Errors
    /// Where anvil is missing or the deployment fails.
    pub async fn deploy_with(mut options: AnvilOptions, edit: impl FnOnce(&mut CoopConfig)) -> Result<Self> {
        options.genesis_timestamp.get_or_insert(GENESIS_TIME);
        let anvil = Anvil::spawn(&options).context("starting anvil")?;
        let (chain, clock) = connect(&anvil.url()).await?;
        let local = LocalChain::new(&chain)?;
        let sender = |role: &str| sender(&chain, role_key(role));
        let (founder, relayer, researcher) = (sender("founder"), sender("relayer"), sender("researcher"));
        for account in [founder.address(), relayer.address(), researcher.address()] {
            local.set_balance(account, U256::from(ETHER)).await?;
        }
        let mut config = CoopConfig::demo(actors());
        edit(&mut config);
        let manifest = deploy(&founder, &config, None, |_| {}).await?;
        post_bonds(&founder, &manifest, &config).await?;
        let stewards = ["steward-1", "steward-2", "steward-3"].map(role_key).to_vec();
        Ok(Self {
            anvil,
            chain,
            clock,
            local,
            manifest,
            config,
            founder,
            relayer,
            researcher,
            registrar: role_key("registrar"),
            stewards,
            worker: role_key("worker"),
        })
    }

    /// The key of member number `n` of the test, from 1.
    #[must_use]
    pub fn member_key(&self, n: u32) -> PrivateKeySigner {
        role_key(&format!("member-{n}"))
    }

    /// A funded sender for any role.
    ///
    /// # Errors
    /// Where the node does not answer.
    pub async fn sender(&self, role: &str) -> Result<Sender> {
        let sender = sender(&self.chain, role_key(role));
        self.local.set_balance(sender.address(), U256::from(ETHER)).await?;
        Ok(sender)
    }

    /// An hour from now, in protocol time: a deadline.
    ///
    /// # Errors
    /// Where the node does not answer.
    pub async fn deadline(&self) -> Result<U256> {
        Ok(U256::from(self.chain.now().await? + 3_600))
    }

    /// The events of a receipt.
    ///
    /// # Errors
    /// Where a log of our contracts does not decode.
    pub fn events(&self, receipt: &Receipt) -> Result<Vec<Located>> {
        let read = |log| decode(&self.manifest.addresses, log, 0).transpose();
        Ok(receipt.logs.iter().filter_map(read).collect::<Result<_, _>>()?)
    }

    /// All events so far.
    ///
    /// # Errors
    /// Where the node does not answer.
    pub async fn history(&self) -> Result<Vec<Located>> {
        let mut follower = Follower::new(self.chain.clone(), &self.manifest, MemoryStore::default());
        follower.step().await?;
        Ok(follower.store().events().to_vec())
    }

    /// What is needed to sign and to seal: the committee with the sealing keys that it was founded with.
    #[must_use]
    pub fn site(&self) -> Site {
        let entry = |((steward, key), seat): ((StewardId, &PrivateKeySigner), &Seat)| {
            let (address, sealing_key, url) = (key.address(), seat.sealing_key, String::new());
            StewardEntry { steward, address, sealing_key, url, up: true }
        };
        let seats = (1..).map(StewardId).zip(&self.stewards).zip(&self.config.actors.stewards);
        Site { contracts: self.manifest.contracts(), stewards: seats.map(entry).collect(), quorum: QUORUM }
    }

    /// What makes a statement with this number count, for an hour.
    ///
    /// # Errors
    /// Where the node does not answer.
    pub async fn stamp(&self, nonce: u64) -> Result<Stamp> {
        Ok(Stamp { nonce, deadline: self.deadline().await?.to() })
    }

    /// An admission that the registrar signs, paid to the account itself, on the word of all stewards for its row key.
    ///
    /// # Errors
    /// Where the node does not answer.
    pub async fn admission(&self, site: &Site, account: Address, row_key: &RowKey) -> Result<JoinRequest> {
        let applicant = Applicant { site, account, nullifier: keccak256(account), row_key };
        let deadline = self.deadline().await?.to();
        let row_keys = applicant.seal_row_key(&mut rand::rng())?;
        let offer = membership::offer(&applicant, &self.registrar, row_keys, deadline)?;
        let held = eip712::KeyHeld { account, nullifier: offer.nullifier, rowKeyDigest: offer.row_key_digest };
        let word = |(entry, key): (&StewardEntry, &PrivateKeySigner)| {
            let signature = eip712::sign(key, &held, &self.manifest.committee_domain())?;
            Ok(KeyReceipt { steward: entry.steward, signature })
        };
        let receipts = site.stewards.iter().zip(&self.stewards).map(word).collect::<Result<_>>()?;
        Ok(membership::admit(site, &self.registrar, offer, &KeyReceipts { receipts, missing: Vec::new() })?)
    }

    /// Admits an account, whose payout address is its own.
    ///
    /// # Errors
    /// Where the contract refuses.
    pub async fn join(&self, member: &PrivateKeySigner) -> Result<MemberId> {
        let row_key = RowKey::random(&mut rand::rng());
        self.join_with(&self.site(), member, &row_key).await
    }

    /// As [`Self::join`], with its row key.
    ///
    /// # Errors
    /// Where the contract refuses.
    pub async fn join_with(&self, site: &Site, member: &PrivateKeySigner, row_key: &RowKey) -> Result<MemberId> {
        let request = self.admission(site, member.address(), row_key).await?;
        let (a, registrar_signature) = (statement::admission(&request).into(), request.registrar_signature);
        let call = Membership::joinCall { a, registrarSignature: registrar_signature };
        let receipt = self.relayer.send(self.manifest.addresses.membership, &call).await?;
        let joined = self.events(&receipt)?.into_iter().find_map(|e| match e.event {
            Event::Joined { member, .. } => Some(member),
            _ => None,
        });
        joined.context("no Joined event in the receipt")
    }

    /// The number of the member's next consent statement.
    ///
    /// # Errors
    /// Where the node does not answer.
    pub async fn consent_nonce(&self, id: MemberId) -> Result<u64> {
        let call = ConsentRegistry::nonceCall { memberId: id.0 };
        Ok(self.chain.view(self.manifest.addresses.consent_registry, &call).await?.saturating_to())
    }

    /// A consent without expiry, as the member signs it.
    ///
    /// # Errors
    /// Where the node does not answer.
    pub async fn consent(&self, member: Member<'_>, version: u32, choice: Choice) -> Result<GrantRequest> {
        let controller = Controller {
            name: "The cooperative".to_owned(),
            contact: "mailto:data@example.org".to_owned(),
            chain_id: self.manifest.chain_id,
            registry: self.manifest.addresses.consent_registry,
        };
        let notice = Notice { language: "en".to_owned(), digest: keccak256("notice") };
        let receipt = consent::Receipt::new(member.id, version, controller, notice, choice, self.chain.now().await?, 0);
        let stamp = self.stamp(self.consent_nonce(member.id).await?).await?;
        Ok(member.grant(&receipt, stamp, &mut rand::rng())?)
    }

    /// Grants consent as the version given, without expiry.
    ///
    /// # Errors
    /// Where the contract refuses.
    pub async fn grant(&self, member: &PrivateKeySigner, id: MemberId, version: u32) -> Result<Receipt> {
        let (site, key) = (&self.site(), member);
        let request = self.consent(Member { site, key, id }, version, Choice::health_research()).await?;
        self.relay_grant(&request).await
    }

    /// Brings a signed consent on chain.
    ///
    /// # Errors
    /// Where the contract refuses.
    pub async fn relay_grant(&self, request: &GrantRequest) -> Result<Receipt> {
        let (g, signature) = (statement::grant(request).into(), request.signature.clone());
        let registry = self.manifest.addresses.consent_registry;
        Ok(self.relayer.send(registry, &ConsentRegistry::grantCall { g, signature }).await?)
    }

    /// Withdraws consent.
    ///
    /// # Errors
    /// Where the contract refuses.
    pub async fn revoke(&self, member: &PrivateKeySigner, id: MemberId) -> Result<Receipt> {
        let stamp = self.stamp(self.consent_nonce(id).await?).await?;
        let request = Member { site: &self.site(), key: member, id }.revoke(stamp)?;
        let call = ConsentRegistry::revokeCall { r: statement::revoke(&request).into(), signature: request.signature };
        Ok(self.relayer.send(self.manifest.addresses.consent_registry, &call).await?)
    }

    /// Erases everything.
    ///
    /// # Errors
    /// Where the contract refuses.
    pub async fn erase(&self, member: &PrivateKeySigner, id: MemberId) -> Result<Receipt> {
        let stamp = self.stamp(self.consent_nonce(id).await?).await?;
        let request = Member { site: &self.site(), key: member, id }.erase(stamp)?;
        let call = ConsentRegistry::eraseCall { e: statement::erase(&request).into(), signature: request.signature };
        Ok(self.relayer.send(self.manifest.addresses.consent_registry, &call).await?)
    }

    /// Ends a membership.
    ///
    /// # Errors
    /// Where the contract refuses.
    pub async fn leave(&self, member: &PrivateKeySigner, id: MemberId) -> Result<Receipt> {
        let membership = self.manifest.addresses.membership;
        let nonce = self.chain.view(membership, &Membership::nonceOfCall { memberId: id.0 }).await?;
        let request = Member { site: &self.site(), key: member, id }.leave(self.stamp(nonce.to()).await?)?;
        let call = Membership::leaveCall { l: statement::leave(&request).into(), signature: request.signature };
        Ok(self.relayer.send(membership, &call).await?)
    }

    /// Records one contribution for each member given, under consent version 1, in one batch.
    ///
    /// # Errors
    /// Where the contract refuses.
    pub async fn record(&self, members: &[(&PrivateKeySigner, MemberId, B256)]) -> Result<Vec<ContributionId>> {
        let registry = self.manifest.addresses.contribution_registry;
        let deadline = self.deadline().await?;
        let (mut contributions, mut signatures): (Vec<_>, Vec<Bytes>) = (Vec::new(), Vec::new());
        for (signer, id, commitment) in members {
            let nonce = self.chain.view(registry, &ContributionRegistry::nonceOfCall { memberId: id.0 }).await?;
            let contribution = eip712::Contribution {
                memberId: id.0,
                commitment: *commitment,
                consentVersion: 1,
                nonce: U256::from(nonce),
                deadline,
            };
            signatures.push(eip712::sign(signer, &contribution, &self.manifest.contribution_domain())?);
            contributions.push(contribution.into());
        }
        let call = ContributionRegistry::recordCall { c: contributions, signatures };
        let receipt = self.relayer.send(registry, &call).await?;
        let recorded = self.events(&receipt)?.into_iter().filter_map(|e| match e.event {
            Event::ContributionRecorded { contribution, .. } => Some(contribution),
            _ => None,
        });
        Ok(recorded.collect())
    }

    /// Approves the researcher for a purpose, for a year from now.
    ///
    /// # Errors
    /// Where the contract refuses.
    pub async fn approve_researcher(&self, purpose: Purpose) -> Result<()> {
        self.approve_study(purpose, &Protocol::default()).await
    }

    /// The same, by what the ethics board found out about the study.
    ///
    /// # Errors
    /// Where the contract refuses.
    pub async fn approve_study(&self, purpose: Purpose, protocol: &Protocol) -> Result<()> {
        let until = self.chain.now().await? + 365 * 86_400;
        let study = Study { researcher: self.researcher.address(), purpose, protocol: protocol.clone() };
        ethics::approve(&self.researcher, &role_key("ethics"), &self.manifest, &study, until).await?;
        Ok(())
    }

    /// Mints the price to the researcher and buys a license for a month with a permit.
    ///
    /// # Errors
    /// Where the contract refuses, as for a purpose without approval.
    pub async fn buy(&self, dataset: DatasetId, records: u32, purpose: Purpose) -> Result<LicenseId> {
        let order = LicenseSale::Order {
            datasetId: dataset.0,
            records,
            purpose: purpose.0,
            ehdsCategory: 1,
            duration: 30 * 86_400,
            recipientKey: keccak256(b"recipient"),
        };
        self.buy_license(order).await
    }

    /// Mints the price to the researcher and buys the license ordered with a permit.
    ///
    /// # Errors
    /// Where the contract refuses.
    pub async fn buy_license(&self, order: LicenseSale::Order) -> Result<LicenseId> {
        let (usdc, market) = (self.manifest.addresses.usdc, self.manifest.addresses.market);
        let price = self.chain.view(market, &Market::priceOfCall { o: order.clone() }).await?;
        let buyer = self.researcher.address();
        self.relayer.send(usdc, &TestUSDC::mintCall { to: buyer, amount: price }).await?;
        let permit = eip712::Permit {
            owner: buyer,
            spender: market,
            value: price,
            nonce: self.chain.view(usdc, &TestUSDC::noncesCall { owner: buyer }).await?,
            deadline: self.deadline().await?,
        };
        let signature = eip712::sign(&role_key("researcher"), &permit, &self.manifest.usdc_domain())?;
        let p = LicenseSale::Permit {
            value: price,
            deadline: permit.deadline,
            r: B256::from_slice(&signature[..32]),
            s: B256::from_slice(&signature[32..64]),
            v: signature[64],
        };
        let receipt = self.researcher.send(market, &Market::buyCall { o: order, p }).await?;
        let issued = self.events(&receipt)?.into_iter().find_map(|e| match e.event {
            Event::LicenseIssued { license, .. } => Some(license),
            _ => None,
        });
        issued.context("no LicenseIssued event in the receipt")
    }

    /// Has the board approve any account for a purpose until a time in Unix seconds; gives the gas that it took.
    ///
    /// # Errors
    /// Where the contract refuses.
    pub async fn approve_account(&self, researcher: Address, purpose: Purpose, until: u64) -> Result<u64> {
        let study = Study { researcher, purpose, protocol: Protocol::default() };
        Ok(ethics::approve(&self.founder, &role_key("ethics"), &self.manifest, &study, until).await?)
    }

    /// Creates the account of a passkey without guardians, approves it for a purpose, and has it buy the license ordered.
    ///
    /// # Errors
    /// Where a contract refuses.
    pub async fn passkey_license(&self, passkey: &Passkey, order: LicenseSale::Order) -> Result<(Address, LicenseId)> {
        let (usdc, market) = (self.manifest.addresses.usdc, self.manifest.addresses.market);
        let ((qx, qy), factory) = (passkey.public(), account_factory().1);
        let recovery = Recovery { guardians: Vec::new(), threshold: 0, delay: 0 };
        let at = MemberAccountFactory::accountAtCall { qx, qy, recovery: recovery.clone() };
        let account = self.chain.view(factory, &at).await?;
        self.founder.send(factory, &MemberAccountFactory::createCall { qx, qy, recovery }).await?;
        self.approve_account(account, Purpose(order.purpose), self.chain.now().await? + 365 * 86_400).await?;
        let price = self.chain.view(market, &Market::priceOfCall { o: order.clone() }).await?;
        self.founder.send(usdc, &TestUSDC::mintCall { to: account, amount: price }).await?;
        self.local.act_as(account, usdc, &TestUSDC::approveCall { spender: market, value: price }).await?;
        let p = LicenseSale::Permit { value: price, deadline: U256::ZERO, v: 0, r: B256::ZERO, s: B256::ZERO };
        self.local.act_as(account, market, &Market::buyCall { o: order, p }).await?;
        let issued = self.history().await?.into_iter().find_map(|e| match e.event {
            Event::LicenseIssued { license, holder, .. } if holder == account => Some(license),
            _ => None,
        });
        Ok((account, issued.context("the account has no license")?))
    }

    /// Books a debit that stewards 1 and 2 sign, and anchors the worker's receipt for it.
    ///
    /// # Errors
    /// Where the contract refuses.
    pub async fn book_and_anchor(&self, debit: &Debit, result_digest: B256) -> Result<()> {
        let (domain, committee) = (self.manifest.committee_domain(), self.manifest.addresses.steward_committee);
        let message = eip712::order::Debit::from(debit);
        let signatures =
            self.stewards[..2].iter().map(|s| eip712::sign(s, &message, &domain)).collect::<Result<Vec<_>, _>>()?;
        self.relayer.send(committee, &StewardCommittee::debitCall { d: message.into(), signatures }).await?;
        let receipt = eip712::order::QueryReceipt { order: debit.order, resultDigest: result_digest };
        let call = StewardCommittee::anchorReceiptCall {
            order: debit.order,
            resultDigest: result_digest,
            workerSignature: eip712::sign(&self.worker, &receipt, &domain)?,
        };
        self.relayer.send(committee, &call).await?;
        Ok(())
    }

    /// An ERC-20 balance.
    ///
    /// # Errors
    /// Where the node does not answer.
    pub async fn balance(&self, token: Address, holder: Address) -> Result<u128> {
        let balance = self.chain.view(token, &TestUSDC::balanceOfCall { account: holder }).await?;
        u128::try_from(balance).context("a balance above 128 bits")
    }
}

/// The name of the custom error inside a failed action, if the contract refused it.
#[must_use]
pub fn refusal(error: &anyhow::Error) -> Option<&str> {
    error.downcast_ref::<SendError>()?.revert().map(|r| r.name())
}

pub(crate) fn sender(chain: &Chain, signer: PrivateKeySigner) -> Sender {
    let options = SenderOptions { poll: Duration::from_millis(10), ..SenderOptions::default() };
    Sender::with_options(chain.clone(), signer, options)
}
