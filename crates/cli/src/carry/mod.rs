//! What a member carries away: everything that the cooperative holds on them, in one archive (`member export`), and what another
//! cooperative reads of it (`import`).
//!
//! `manifest.json` names the format and each other file with its SHA-256, so that what was changed or cut is refused by name.

mod export;
mod fhir;
mod gather;
mod read;
mod words;

pub use export::{check_path, export};
pub use read::{Carried, carried};

use alloy::primitives::{Address, B256};
use rochdale_core::ids::{ContributionId, Epoch, MemberId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an archive of this kind says that it is.
pub const FORMAT: &str = "rochdale-member-archive";
/// The version of it that this program writes, and the only one that it reads.
pub const VERSION: u32 = 1;
/// The file that names the others.
pub const MANIFEST: &str = "manifest.json";
/// The folder of the records.
pub const RECORDS: &str = "records/";

/// `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The cooperative that it comes from.
    pub cooperative: Origin,
    /// The member, by its number there.
    pub member: MemberId,
    /// The member's account.
    pub account: Address,
    /// The newest epoch that is settled, 0 where none is.
    pub epoch: Epoch,
    /// When it was written, block time.
    pub written_at: u64,
    /// The records in it.
    pub records: Vec<RecordEntry>,
    /// What could not be had, each in a sentence.
    pub missing: Vec<String>,
    /// Every other file with its SHA-256.
    pub files: BTreeMap<String, B256>,
}

/// A cooperative, by its chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// EIP-155.
    pub chain_id: u64,
    /// Its contracts, by name.
    pub addresses: BTreeMap<String, Address>,
}

/// A record in an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordEntry {
    /// Its file.
    pub file: String,
    /// Its number in the registry that it comes from.
    pub contribution_id: ContributionId,
    /// Its commitment there.
    pub commitment: B256,
}
