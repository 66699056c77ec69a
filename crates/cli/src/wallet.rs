//! What a member keeps: a key, a row key, the consent's secret, and the packages that not every steward holds yet.

use crate::coop;
use crate::state::{State, read_json, write_json, write_private};
use alloy::primitives::{Address, B256};
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context, Result, bail};
use rochdale_api::contribution::ContributionPackage;
use rochdale_client::{Member, Site};
use rochdale_core::ids::MemberId;
use rochdale_crypto::RowKey;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What is known of the membership, in `member.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// The id, once joined.
    pub member_id: Option<MemberId>,
    /// The admission's nullifier.
    pub nullifier: B256,
    /// The commitments of recorded contributions.
    pub contributions: Vec<B256>,
}

/// One member's folder, opened.
pub struct Wallet {
    dir: PathBuf,
    /// The account's key.
    pub key: PrivateKeySigner,
    /// The membership.
    pub membership: Membership,
}

impl Wallet {
    /// Opens the folder of `name`, drawing a key where it is new.
    pub fn open_or_create(state: &State, name: &str) -> Result<Self> {
        let dir = state.person("members", name)?;
        let key = coop::drawn(&dir.join("account.key"))?;
        Self::with(dir, key)
    }

    fn with(dir: PathBuf, key: PrivateKeySigner) -> Result<Self> {
        let path = dir.join("member.json");
        let membership = if path.exists() { read_json(&path)? } else { Membership::default() };
        Ok(Self { dir, key, membership })
    }

    /// Opens the folder of a member who joined.
    pub fn open(state: &State, name: &str) -> Result<Self> {
        let dir = state.person("members", name)?;
        if !dir.exists() {
            let known = state.people("members")?.join(", ");
            bail!("there is no member `{name}` here (known: {known}); `rochdale member join --name {name}` makes one");
        }
        let key = coop::signer(&dir.join("account.key"))?;
        Self::with(dir, key)
    }

    /// The member's id.
    pub fn id(&self) -> Result<MemberId> {
        let hint = || format!("{} did not join yet: `rochdale member join`", self.dir.display());
        self.membership.member_id.with_context(hint)
    }

    /// The account.
    pub fn account(&self) -> Address {
        self.key.address()
    }

    /// The member as a signer.
    pub fn signer<'a>(&'a self, site: &'a Site) -> Result<Member<'a>> {
        Ok(Member { site, key: &self.key, id: self.id()? })
    }

    /// Writes `member.json`.
    pub fn save(&self) -> Result<()> {
        write_json(&self.dir.join("member.json"), &self.membership)
    }

    /// The row key, drawn where there is none.
    pub fn row_key(&self) -> Result<RowKey> {
        let path = self.dir.join("row.key");
        if path.exists() {
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let bytes: B256 = text.trim().parse().with_context(|| format!("{} holds no row key", path.display()))?;
            return Ok(RowKey::from_bytes(bytes.0));
        }
        let key = RowKey::random(&mut coop::rng()?);
        write_private(&path, B256::from(*key.expose()).to_string().as_bytes())?;
        Ok(key)
    }

    /// Keeps a package until every steward holds its share, so that it can be sent again.
    pub fn keep(&self, package: &ContributionPackage) -> Result<()> {
        write_json(&self.package(package.commitment), package)
    }

    /// Forgets a package that everyone holds.
    pub fn forget(&self, commitment: B256) -> Result<()> {
        let path = self.package(commitment);
        std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))
    }

    /// Packages that some steward still misses.
    pub fn pending(&self) -> Result<Vec<ContributionPackage>> {
        let dir = self.dir.join("packages");
        if !dir.exists() {
            return Ok(Vec::new());
        }
        let mut packages = Vec::new();
        for entry in std::fs::read_dir(&dir).with_context(|| format!("cannot read {}", dir.display()))? {
            packages.push(read_json(&entry?.path())?);
        }
        Ok(packages)
    }

    fn package(&self, commitment: B256) -> PathBuf {
        self.dir.join("packages").join(format!("{commitment}.json"))
    }
}
