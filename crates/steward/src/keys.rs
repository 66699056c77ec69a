//! The steward's keys, and what is kept wrapped under them.

use std::path::Path;

use alloy::primitives::B256;
use alloy::signers::local::PrivateKeySigner;
use rochdale_api::contribution::ContributionSecret;
use rochdale_api::member::ConsentSecret;
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{self, Inputs, Row};
use rochdale_crypto::keyfile::{self, KeyFileError, KeyKind};
use rochdale_crypto::keystore::{Item, KeystoreError, MasterKey, MemberKey, OwnItem, WrappedKey};
use rochdale_crypto::sealing::{PrivatePart, SealingError, SealingKeyRing};
use rochdale_crypto::{RowKey, SealingKeyPair, SealingPublicKey, Share};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::store::{ReshareRow, SealingRow, Store, StoreError};

/// Why a key or what it wraps is not there.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A key file.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The signing key is none.
    #[error("the signing key is not a secp256k1 key: {0}")]
    Signing(String),
    /// The directory of new keys.
    #[error("{path}: {source}")]
    Directory {
        /// The path of the directory or file at fault.
        path: std::path::PathBuf,
        /// What the layer below said.
        source: std::io::Error,
    },
    /// The database did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was wrapped does not unwrap.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// A private part.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// The member erased everything.
    #[error("member {0} erased everything: nothing of theirs is kept")]
    Erased(MemberId),
    /// What unwrapped is not what was wrapped.
    #[error("{what} of member {member} does not parse: {detail}")]
    Content {
        /// What it should be.
        what: &'static str,
        /// The member whom it belongs to.
        member: MemberId,
        /// What is wrong, in words for a person.
        detail: String,
    },
}

type Result<T> = std::result::Result<T, KeysError>;

/// All of a steward's keys.
pub struct Keys {
    /// Signs; its address is the steward.
    pub signer: PrivateKeySigner,
    /// What others seal to: the key in force and its neighbours.
    pub sealing: SealingKeyRing,
    /// The key in the file of the first start, while it is there.
    first: Option<SealingKeyPair>,
    master: MasterKey,
    committee: Zeroizing<[u8; 32]>,
}

/// The public halves that `keygen` prints.
#[derive(Clone, Debug, Serialize)]
pub struct PublicKeys {
    /// Signing address.
    pub address: alloy::primitives::Address,
    /// X25519 sealing key.
    pub sealing_key: B256,
}

impl Keys {
    /// Reads the key files that the configuration names; the master key is drawn at the first start.
    ///
    /// # Errors
    /// Where a file is missing, readable by others, or of another kind. The sealing key's file may be missing: it goes
    /// with the key, and the store has those after it.
    pub async fn load(config: &Config, store: &Store) -> Result<Self> {
        let signing = keyfile::load(&config.key_file, KeyKind::Signing)?;
        let first = match keyfile::load(&config.sealing_key_file, KeyKind::Sealing) {
            Ok(secret) => Some(SealingKeyPair::from_secret(&secret)),
            // Gone, or opened just before it went.
            Err(_) if !config.sealing_key_file.exists() => None,
            Err(error) => return Err(error.into()),
        };
        let committee = keyfile::load(&config.committee_key_file, KeyKind::Committee)?;
        let master = keyfile::master_key(&config.master_key_file(), &mut rand::rng())?;
        let signer = PrivateKeySigner::from_slice(signing.as_slice());
        let mut pairs = Vec::new();
        for row in store.sealing_keys().await? {
            pairs.push(unwrap_pair(&master, &row)?);
        }
        if pairs.is_empty() {
            pairs.extend(first.as_ref().map(|first| SealingKeyPair::from_secret(&first.to_secret())));
        }
        Ok(Self {
            signer: signer.map_err(|error| KeysError::Signing(error.to_string()))?,
            sealing: SealingKeyRing::new(pairs),
            first,
            master,
            committee,
        })
    }

    /// The key of the first start, as the store keeps it.
    #[must_use]
    pub fn first_sealing_key(&self, now: u64) -> Option<SealingRow> {
        self.first.as_ref().map(|pair| self.wrap_pair(pair, now))
    }

    /// A fresh sealing key, as the store keeps it.
    #[must_use]
    pub fn next_sealing_key(&self, now: u64) -> SealingRow {
        self.wrap_pair(&SealingKeyPair::random(&mut rand::rng()), now)
    }

    fn wrap_pair(&self, pair: &SealingKeyPair, made: u64) -> SealingRow {
        let public = pair.public().0;
        let secret = pair.to_secret();
        let wrapped = self.master.wrap_own(OwnItem::SealingKey(public), secret.as_slice(), &mut rand::rng());
        SealingRow { public, wrapped, made, retired: None }
    }

    /// Opens with a key from now on.
    ///
    /// # Errors
    /// Where the master key is another one.
    pub fn adopt(&self, row: &SealingRow) -> Result<()> {
        self.sealing.add(unwrap_pair(&self.master, row)?);
        Ok(())
    }

    /// Wipes a key that the store does not hold any more.
    pub fn forget_sealing_key(&self, public: SealingPublicKey) {
        self.sealing.forget(public);
    }

    /// Whether the file of the first start holds this key.
    #[must_use]
    pub fn sealing_file_holds(&self, public: B256) -> bool {
        self.first.as_ref().is_some_and(|first| first.public().0 == public)
    }

    /// The key that content digests are keyed with.
    #[must_use]
    pub fn committee(&self) -> &[u8; 32] {
        &self.committee
    }

    /// Wraps a sheet that was opened.
    #[must_use]
    pub fn wrap_sheet(&self, epoch: Epoch, json: &[u8]) -> Vec<u8> {
        self.master.wrap_own(OwnItem::Sheet(epoch.0), json, &mut rand::rng())
    }

    /// Unwraps a sheet that was opened.
    ///
    /// # Errors
    /// Where the master key is another one.
    pub fn unwrap_sheet(&self, epoch: Epoch, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        Ok(self.master.unwrap_own(OwnItem::Sheet(epoch.0), wrapped)?)
    }

    /// A member's key, where there is one.
    ///
    /// # Errors
    /// Where the store fails or the master key is another one.
    pub async fn member(&self, store: &Store, member: MemberId) -> Result<Option<MemberKey>> {
        let wrapped = store.member_key(member).await?;
        Ok(wrapped.map(|wrapped| self.master.unwrap_key(member, &wrapped)).transpose()?)
    }

    /// A member's key, drawn where there is none yet.
    ///
    /// # Errors
    /// [`KeysError::Erased`]; where the store fails or the master key is another one.
    pub async fn member_or_new(&self, store: &Store, member: MemberId) -> Result<MemberKey> {
        if let Some(key) = self.member(store, member).await? {
            return Ok(key);
        }
        let (_, wrapped) = self.master.create(member, &mut rand::rng());
        let kept = store.add_member_key(member, &wrapped).await?.ok_or(KeysError::Erased(member))?;
        Ok(self.master.unwrap_key(member, &kept)?)
    }

    /// A fresh key that replaces a member's, with its wrapped form.
    #[must_use]
    pub fn replacement(&self, member: MemberId) -> (MemberKey, Vec<u8>) {
        self.master.create(member, &mut rand::rng())
    }

    /// A member's row key.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn row_key(&self, store: &Store, member: MemberId) -> Result<Option<RowKey>> {
        let (Some(wrapped), Some(key)) = (store.row_key(member).await?, self.member(store, member).await?) else {
            return Ok(None);
        };
        Ok(Some(key.unwrap_row_key(&wrapped)?))
    }

    /// A member's key, unwrapped.
    ///
    /// # Errors
    /// Where the master key is another one.
    pub fn unwrap_member(&self, member: MemberId, wrapped: &[u8]) -> Result<MemberKey> {
        Ok(self.master.unwrap_key(member, wrapped)?)
    }

    /// Row keys by id, from what the store has of them, by ascending id.
    ///
    /// # Errors
    /// Where the master key is another one.
    pub fn unwrap_row_keys(&self, wrapped: &[(MemberId, WrappedKey, WrappedKey)]) -> Result<Vec<Option<RowKey>>> {
        let opened = ledger::share(wrapped.len(), |index| {
            let (member, key, row_key) = &wrapped[index];
            self.unwrap_member(*member, key)?.unwrap_row_key(row_key).map_err(KeysError::from)
        })?;
        let last = wrapped.last().map_or(0, |(member, ..)| member.0 as usize);
        let mut by_id: Vec<Option<RowKey>> = (0..=last).map(|_| None).collect();
        for ((member, ..), key) in wrapped.iter().zip(opened) {
            by_id[member.0 as usize] = Some(key);
        }
        Ok(by_id)
    }

    /// Keeps a member's row key.
    ///
    /// # Errors
    /// As [`Self::member_or_new`].
    pub async fn keep_row_key(&self, store: &Store, member: MemberId, row_key: &RowKey) -> Result<()> {
        let key = self.member_or_new(store, member).await?;
        let wrapped = key.wrap_row_key(row_key, &mut rand::rng());
        Ok(store.put_row_key(member, &wrapped).await?)
    }

    /// A consent receipt with its blinder.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn consent(&self, store: &Store, member: MemberId, version: u32) -> Result<Option<ConsentSecret>> {
        let (Some(wrapped), Some(key)) = (store.consent(member, version).await?, self.member(store, member).await?)
        else {
            return Ok(None);
        };
        unwrap_json(&key, Item::Consent(version), "the consent receipt", &wrapped).map(Some)
    }

    /// Keeps a consent receipt with its blinder.
    ///
    /// # Errors
    /// As [`Self::member_or_new`].
    pub async fn keep_consent(
        &self,
        store: &Store,
        member: MemberId,
        version: u32,
        secret: &ConsentSecret,
    ) -> Result<()> {
        let key = self.member_or_new(store, member).await?;
        let wrapped = wrap_json(&key, Item::Consent(version), "the consent receipt", secret)?;
        Ok(store.put_consent(member, version, &wrapped).await?)
    }

    /// Dataset and blinder of a contribution, where it is kept.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn private_part(
        &self,
        store: &Store,
        row: &crate::store::ContributionRow,
        header_hash: B256,
    ) -> Result<Option<ContributionSecret>> {
        let Some(key) = self.member(store, row.member).await? else { return Ok(None) };
        let bytes = key.unwrap(Item::PrivatePart(header_hash), &row.wrapped)?;
        let part = PrivatePart::from_bytes(&bytes)?;
        Ok(Some(ContributionSecret { dataset: part.dataset(), blinder: part.blinder() }))
    }

    /// Our share of a contribution as it came in its package, where we hold it.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn share(
        &self,
        store: &Store,
        member: MemberId,
        commitment: B256,
        header_hash: B256,
    ) -> Result<Option<Share>> {
        let (Some((_, wrapped)), Some(key)) = (store.first_share(commitment).await?, self.member(store, member).await?)
        else {
            return Ok(None);
        };
        Ok(Some(key.unwrap_share(header_hash, &wrapped)?))
    }

    /// Our share of a sharing that followed the committee.
    ///
    /// # Errors
    /// Where the store fails or is damaged.
    pub async fn reshare(&self, store: &Store, member: MemberId, row: &ReshareRow) -> Result<Option<Share>> {
        let Some(key) = self.member(store, member).await? else { return Ok(None) };
        let bytes = key.unwrap(Item::Reshared(row.deal.hash()), &row.wrapped)?;
        Ok(Some(Share::from_bytes(&bytes).map_err(KeystoreError::Share)?))
    }
}

fn unwrap_pair(master: &MasterKey, row: &SealingRow) -> Result<SealingKeyPair> {
    let item = OwnItem::SealingKey(row.public);
    let secret = master.unwrap_own(item, &row.wrapped)?;
    let secret = secret.as_slice().try_into().map_err(|_| KeystoreError::Own(item))?;
    Ok(SealingKeyPair::from_secret(secret))
}

/// Wraps a value as JSON.
///
/// # Errors
/// Where it has no JSON form.
pub fn wrap_json<T: Serialize>(key: &MemberKey, item: Item, what: &'static str, value: &T) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(value).map(Zeroizing::new);
    let json = json.map_err(|e| KeysError::Content { what, member: key.member(), detail: e.to_string() })?;
    Ok(key.wrap(item, &json, &mut rand::rng()))
}

/// Unwraps a value that was wrapped as JSON.
///
/// # Errors
/// Where it does not unwrap or parse.
pub fn unwrap_json<T: DeserializeOwned>(key: &MemberKey, item: Item, what: &'static str, wrapped: &[u8]) -> Result<T> {
    let json = key.unwrap(item, wrapped)?;
    serde_json::from_slice(&json).map_err(|e| KeysError::Content { what, member: key.member(), detail: e.to_string() })
}

/// Wraps a member's row after an epoch.
#[must_use]
pub fn wrap_row(key: &MemberKey, epoch: Epoch, row: &Row) -> Vec<u8> {
    let bytes = Zeroizing::new(row.to_bytes());
    key.wrap(Item::LedgerRow(epoch.0), bytes.as_slice(), &mut rand::rng())
}

/// Unwraps it.
///
/// # Errors
/// Where it does not unwrap, or is no row.
pub fn unwrap_row(key: &MemberKey, epoch: Epoch, wrapped: &[u8]) -> Result<Row> {
    let bytes = key.unwrap(Item::LedgerRow(epoch.0), wrapped)?;
    Row::from_bytes(&bytes).ok_or_else(|| no_form(key, "the row"))
}

/// Wraps the inputs behind a member's row of an epoch.
#[must_use]
pub fn wrap_inputs(key: &MemberKey, epoch: Epoch, inputs: &Inputs) -> Vec<u8> {
    let bytes = Zeroizing::new(inputs.to_bytes());
    key.wrap(Item::LedgerInputs(epoch.0), &bytes, &mut rand::rng())
}

/// Unwraps them.
///
/// # Errors
/// Where they do not unwrap, or are nobody's.
pub fn unwrap_inputs(key: &MemberKey, epoch: Epoch, wrapped: &[u8]) -> Result<Inputs> {
    let bytes = key.unwrap(Item::LedgerInputs(epoch.0), wrapped)?;
    Inputs::from_bytes(&bytes).ok_or_else(|| no_form(key, "the inputs"))
}

fn no_form(key: &MemberKey, what: &'static str) -> KeysError {
    let detail = "it has another length or another flag than this program writes".to_owned();
    KeysError::Content { what, member: key.member(), detail }
}

/// The address of the key from which this steward may object by itself, where its operator gave it one.
///
/// # Errors
/// Where the file is missing, readable by others, or of another kind.
pub fn objector(config: &Config) -> Result<Option<alloy::primitives::Address>> {
    let Some(objection) = &config.objection else { return Ok(None) };
    let secret = keyfile::load(&objection.key_file, KeyKind::Signing)?;
    let signer = PrivateKeySigner::from_slice(secret.as_slice());
    Ok(Some(signer.map_err(|error| KeysError::Signing(error.to_string()))?.address()))
}

/// Draws `signing.key` and `sealing.key` in `dir` (mode 0600), and the committee's key where `committee` names a
/// file that does not exist yet.
///
/// # Errors
/// Where a file exists or cannot be written.
pub fn generate(dir: &Path, committee: Option<&Path>) -> Result<PublicKeys> {
    let rng = &mut rand::rng();
    std::fs::create_dir_all(dir).map_err(|source| KeysError::Directory { path: dir.to_owned(), source })?;
    let signing = keyfile::create(&dir.join("signing.key"), KeyKind::Signing, rng)?;
    let sealing = keyfile::create(&dir.join("sealing.key"), KeyKind::Sealing, rng)?;
    if let Some(path) = committee {
        keyfile::load_or_create(path, KeyKind::Committee, rng)?;
    }
    let signer = PrivateKeySigner::from_slice(signing.as_slice());
    let signer = signer.map_err(|error| KeysError::Signing(error.to_string()))?;
    Ok(PublicKeys { address: signer.address(), sealing_key: SealingKeyPair::from_secret(&sealing).public().0 })
}
