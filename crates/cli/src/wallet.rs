//! What a member keeps: a key, a row key, what was signed to consent, and the packages that not every steward holds yet.

use crate::coop;
use crate::state::{State, locked, read_json, write_json, write_private};
use alloy::primitives::{Address, B256};
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context, Result, bail};
use rochdale_api::contribution::{ContributionPackage, ContributionState};
use rochdale_api::member::{DenyRequest, GrantRequest};
use rochdale_api::status::{Cooperative, MemberView};
use rochdale_client::{Member, Site};
use rochdale_core::consent::Receipt;
use rochdale_core::ids::{MemberId, StewardId};
use rochdale_crypto::RowKey;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

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
    /// What was given or was about to be: the digest of a record's content, and the commitment of its contribution. Only
    /// [`Wallet::given_as`] says whether it was.
    #[serde(default)]
    pub given: BTreeMap<B256, B256>,
}

/// What it takes to withdraw without the gateway, as of the last time that it answered, in `cooperative.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    /// Where the gateway was.
    pub url: String,
    /// Contracts and stewards.
    pub cooperative: Cooperative,
    /// The member, with the numbers that its next signatures carry.
    pub member: MemberView,
}

/// What is withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The consent.
    Revoke,
    /// Everything.
    Erase,
}

/// What was handed to the stewards, in `withdrawal.json`, until it is on chain.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// What is withdrawn.
    pub kind: Kind,
    /// As it was signed; a second one for the case that something else takes the number of the first.
    pub requests: Vec<DenyRequest>,
    /// Who took it.
    pub taken_by: Vec<StewardId>,
    /// When, seconds of block time.
    pub at: u64,
}

impl Withdrawal {
    /// Whether one of a number may come on chain still.
    pub fn holds(&self, nonce: u64, now: u64) -> bool {
        self.requests.iter().any(|request| request.nonce == nonce && request.deadline >= now)
    }
}

/// One member's folder, opened.
pub struct Wallet {
    dir: PathBuf,
    /// The account's key.
    pub key: PrivateKeySigner,
    /// The membership.
    pub membership: Membership,
    _lock: Option<File>,
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
        Ok(Self { dir, key, membership, _lock: None })
    }

    /// Opens the folder of a member who joined, to give records: two commands that do so at once would each overwrite what the other noted.
    pub fn open_to_give(state: &State, name: &str) -> Result<Self> {
        let wallet = Self::open(state, name)?;
        let in_use = format!("another command gives {name}'s records; wait until it has ended, then type this again");
        let lock = locked(&wallet.dir, &in_use)?;
        // What was noted until the lock was there.
        Ok(Self { _lock: Some(lock), ..Self::with(wallet.dir, wallet.key)? })
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

    /// Keeps what was signed to consent, for the member's own account of it. It opens nothing: what was sealed to stewards stays out.
    pub fn keep_grant(&self, granted: &GrantRequest, receipt: &Receipt) -> Result<()> {
        write_json(&self.receipt_file(receipt.version), receipt)?;
        write_json(&self.grant(granted.version), &GrantRequest { receipts: Vec::new(), ..granted.clone() })
    }

    /// What was consented to, where it was kept.
    pub fn receipt(&self, version: u32) -> Result<Option<Receipt>> {
        let path = self.receipt_file(version);
        if path.exists() { read_json(&path).map(Some) } else { Ok(None) }
    }

    fn receipt_file(&self, version: u32) -> PathBuf {
        self.dir.join("consents").join(format!("{version}.receipt.json"))
    }

    /// What was signed to consent, where it was kept.
    pub fn granted(&self, version: u32) -> Result<Option<GrantRequest>> {
        let path = self.grant(version);
        if path.exists() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// Whether a consent was signed with this number, or a later one, and may come on chain still.
    pub fn has_granted(&self, nonce: u64, now: u64) -> Result<bool> {
        let dir = self.dir.join("consents");
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", dir.display())),
        };
        let versions = entries.filter_map(|entry| entry.ok()?.path().file_stem()?.to_str()?.parse().ok());
        for version in versions.collect::<BTreeSet<u32>>() {
            let granted = self.granted(version)?;
            if granted.is_some_and(|granted| granted.nonce >= nonce && granted.deadline >= now) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Keeps what it takes to withdraw without the gateway.
    pub fn remember(&self, seen: &Remembered) -> Result<()> {
        write_json(&self.dir.join("cooperative.json"), seen)
    }

    /// What was kept so, if anything.
    pub fn remembered(&self) -> Result<Option<Remembered>> {
        let path = self.dir.join("cooperative.json");
        if path.exists() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// Keeps what is handed to the stewards.
    pub fn keep_withdrawal(&self, withdrawal: &Withdrawal) -> Result<()> {
        write_json(&self.dir.join("withdrawal.json"), withdrawal)
    }

    /// What was handed to the stewards and is not known to be on chain.
    pub fn withdrawal(&self) -> Result<Option<Withdrawal>> {
        let path = self.dir.join("withdrawal.json");
        if path.exists() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// Forgets it.
    pub fn forget_withdrawal(&self) -> Result<()> {
        removed(&self.dir.join("withdrawal.json"))
    }

    fn grant(&self, version: u32) -> PathBuf {
        self.dir.join("consents").join(format!("{version}.json"))
    }

    /// Keeps a package until every steward holds its share, so that it can be sent again.
    pub fn keep(&self, package: &ContributionPackage) -> Result<()> {
        write_json(&self.package(package.commitment), package)
    }

    /// Forgets a package that everyone holds.
    pub fn forget(&self, commitment: B256) -> Result<()> {
        removed(&self.package(commitment))
    }

    /// The contribution by which a record's content was given: one that is recorded, or whose package is still kept. What
    /// was noted and went no further, as when the machine stopped, is not given.
    pub fn given_as(&self, digest: &B256) -> Option<B256> {
        let commitment = *self.membership.given.get(digest)?;
        let is_given = self.membership.contributions.contains(&commitment) || self.package(commitment).exists();
        is_given.then_some(commitment)
    }

    /// Notes that a record's content is about to be given, before its package is kept. What is given already keeps the
    /// contribution that it was given by.
    pub fn note(&mut self, digest: B256, commitment: B256) -> Result<()> {
        if self.given_as(&digest).is_none() {
            self.membership.given.insert(digest, commitment);
        }
        self.save()
    }

    /// A contribution is on chain.
    pub fn recorded(&mut self, commitment: B256) -> Result<()> {
        if self.membership.contributions.contains(&commitment) {
            return Ok(());
        }
        self.membership.contributions.push(commitment);
        self.save()
    }

    /// A package was refused for good, while its contribution stands so at the gateway: the content can be given again
    /// where it is neither on chain nor on its way there.
    pub fn refused(&mut self, commitment: B256, stands: Option<ContributionState>) -> Result<()> {
        match stands {
            Some(ContributionState::Queued) => return Ok(()),
            Some(ContributionState::Recorded) => self.recorded(commitment)?,
            Some(ContributionState::Refused) | None => {}
        }
        self.forget(commitment)?;
        if !self.membership.contributions.contains(&commitment) {
            self.membership.given.retain(|_, known| *known != commitment);
            self.save()?;
        }
        Ok(())
    }

    /// Packages that some steward still misses.
    pub fn pending(&self) -> Result<Vec<ContributionPackage>> {
        let dir = self.dir.join("packages");
        if !dir.exists() {
            return Ok(Vec::new());
        }
        let mut packages = Vec::new();
        for entry in std::fs::read_dir(&dir).with_context(|| format!("cannot read {}", dir.display()))? {
            let path = entry?.path();
            // Beside them lies what a write left that was cut off.
            if path.extension().is_some_and(|end| end == "json") {
                packages.push(read_json(&path)?);
            }
        }
        Ok(packages)
    }

    fn package(&self, commitment: B256) -> PathBuf {
        self.dir.join("packages").join(format!("{commitment}.json"))
    }
}

/// Removes a file, where it is there.
fn removed(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::Bytes;

    fn wallet(dir: &std::path::Path) -> Wallet {
        Wallet { dir: dir.to_owned(), key: PrivateKeySigner::random(), membership: Membership::default(), _lock: None }
    }

    fn package(number: u8) -> ContributionPackage {
        ContributionPackage {
            member_id: MemberId(1),
            commitment: B256::repeat_byte(number),
            consent_version: 1,
            nonce: 0,
            deadline: 0,
            signature: Bytes::new(),
            header: Bytes::new(),
            blob_digest: B256::ZERO,
            deal: Vec::new(),
            shares: Vec::new(),
            secrets: Vec::new(),
        }
    }

    const DIGEST: B256 = B256::repeat_byte(9);

    /// Notes and keeps a contribution of the one record, as `member contribute` does.
    fn begin(wallet: &mut Wallet, number: u8) -> B256 {
        let package = package(number);
        wallet.note(DIGEST, package.commitment).unwrap();
        wallet.keep(&package).unwrap();
        package.commitment
    }

    #[test]
    fn kind_j_what_is_on_chain_stays_given_when_the_same_is_refused_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let mut wallet = wallet(dir.path());
        let first = begin(&mut wallet, 1);
        wallet.recorded(first).unwrap();
        wallet.forget(first).unwrap();
        let second = begin(&mut wallet, 2);
        wallet.refused(second, None).unwrap();
        assert_eq!(wallet.given_as(&DIGEST), Some(first));
        // A steward refuses its share of what is recorded.
        wallet.keep(&package(1)).unwrap();
        wallet.refused(first, None).unwrap();
        assert_eq!((wallet.given_as(&DIGEST), wallet.pending().unwrap().len()), (Some(first), 0));
    }

    #[test]
    fn kind_j_what_the_gateway_has_on_chain_or_in_its_queue_is_given_whatever_else_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut wallet = wallet(dir.path());
        let first = begin(&mut wallet, 1);
        wallet.refused(first, Some(ContributionState::Queued)).unwrap();
        assert_eq!((wallet.given_as(&DIGEST), wallet.pending().unwrap().len()), (Some(first), 1));
        wallet.refused(first, Some(ContributionState::Recorded)).unwrap();
        assert_eq!((wallet.given_as(&DIGEST), wallet.pending().unwrap().len()), (Some(first), 0));
        assert_eq!(wallet.membership.contributions, [first]);
    }

    #[test]
    fn kind_j_a_cut_between_two_writes_neither_sends_twice_nor_keeps_from_sending() {
        let dir = tempfile::tempdir().unwrap();
        let mut wallet = wallet(dir.path());
        // Noted, and nothing kept: nothing was sent.
        wallet.note(DIGEST, package(1).commitment).unwrap();
        assert_eq!(wallet.given_as(&DIGEST), None);
        let second = begin(&mut wallet, 2);
        assert_eq!(wallet.given_as(&DIGEST), Some(second));
        // Refused for good, and cut off before the note was taken back.
        wallet.forget(second).unwrap();
        assert_eq!(wallet.given_as(&DIGEST), None);
        let third = begin(&mut wallet, 3);
        assert_eq!(wallet.given_as(&DIGEST), Some(third));
    }

    #[test]
    fn records_are_given_by_one_command_at_a_time_which_knows_what_was_given_before() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path()).unwrap();
        Wallet::open_or_create(&state, "ada").unwrap();
        let mut first = Wallet::open_to_give(&state, "ada").unwrap();
        let refused = Wallet::open_to_give(&state, "ada").err().unwrap().to_string();
        assert!(refused.contains("another command gives ada's records"), "{refused}");
        Wallet::open(&state, "ada").unwrap();
        let commitment = begin(&mut first, 1);
        drop(first);
        assert_eq!(Wallet::open_to_give(&state, "ada").unwrap().given_as(&DIGEST), Some(commitment));
    }

    #[test]
    fn kind_j_what_a_cut_off_write_left_is_no_package() {
        let dir = tempfile::tempdir().unwrap();
        let mut wallet = wallet(dir.path());
        begin(&mut wallet, 1);
        std::fs::write(dir.path().join("packages/0x02.partial"), "{\"member").unwrap();
        assert_eq!(wallet.pending().unwrap().len(), 1);
    }
}
