//! The worker's own copy of the vault. Whoever fetches exactly a pool's blobs tells the gateway which datasets and consents a member has;
//! so every blob of every recorded contribution is fetched, in the registry's order, whatever is asked, and queries read from here.
//!
//! What is on the disk is ciphertext under the name of its content. A run that is cut off goes on where it was: what is held is not
//! fetched again. Blobs of erased members are deleted once the chain says so. Beyond `replica.max_bytes` nothing more is fetched, which
//! health says; records that are not here are left out of answers, as those that do not open are.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use alloy::primitives::B256;
use rochdale_api::contribution::VaultEntry;
use rochdale_core::ids::{ContributionId, MemberId};
use rochdale_crypto::envelope::HEADER_BYTES;
use rochdale_crypto::{Cid, Header};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Mutex;

/// Sealed blobs below one directory, and which contribution each belongs to.
pub struct Replica {
    root: PathBuf,
    pub(crate) most_bytes: u64,
    pub(crate) known: Mutex<Known>,
    pub(crate) stale: AtomicBool,
}

/// What the vault lists, as far as it is here.
#[derive(Default)]
pub(crate) struct Known {
    /// Listed and held.
    pub(crate) held: BTreeMap<ContributionId, VaultEntry>,
    /// Bytes of what is held.
    pub(crate) bytes: u64,
    /// Where the next listing begins.
    pub(crate) after: ContributionId,
    /// The one that was looked at last.
    pub(crate) looked: ContributionId,
    /// Whose blobs were deleted.
    pub(crate) erased: BTreeSet<MemberId>,
}

impl Replica {
    /// Opens the replica below `root`, making its directories; what an earlier run left half-written is deleted.
    ///
    /// # Errors
    /// Where the directories cannot be made.
    pub fn open(root: PathBuf, most_bytes: u64) -> io::Result<Self> {
        let partial = root.join("partial");
        match std::fs::remove_dir_all(&partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::create_dir_all(&partial)?;
        Ok(Self { root, most_bytes, known: Mutex::default(), stale: AtomicBool::default() })
    }

    /// The sealed bytes of a blob, `None` where it is not held.
    ///
    /// # Errors
    /// Where the disk fails.
    pub async fn read(&self, digest: B256) -> io::Result<Option<Vec<u8>>> {
        let path = self.path(digest);
        // Reading and hashing megabytes takes long: on a thread of its own.
        let read = tokio::task::spawn_blocking(move || match std::fs::read(&path) {
            // Content that the disk has changed, or cannot read, is as good as none.
            Ok(blob) => Some(blob).filter(|blob| B256::from(*Cid::of(blob).sha256()) == digest),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, "a sealed record of the replica cannot be read");
                }
                None
            }
        });
        read.await.map_err(io::Error::other)
    }

    /// How many records are here.
    pub async fn held(&self) -> usize {
        self.known.lock().await.held.len()
    }

    /// Lists the vault from its beginning the next time: a reorganization may have given a place in the registry anew.
    pub fn relist(&self) {
        self.stale.store(true, Ordering::SeqCst);
    }

    pub(crate) fn path(&self, digest: B256) -> PathBuf {
        let name = Cid::from_sha256(digest.0).to_string();
        // The first characters of every name are the same; the last ones spread.
        self.root.join(&name[name.len() - 3..name.len() - 1]).join(name)
    }

    pub(crate) async fn holds(&self, entry: &VaultEntry) -> bool {
        fs::metadata(self.path(entry.blob_digest)).await.is_ok_and(|found| found.len() == entry.bytes)
    }

    /// Writes a blob whole or not at all.
    pub(crate) async fn keep(&self, digest: B256, blob: &[u8]) -> io::Result<()> {
        let path = self.path(digest);
        let partial = self.root.join("partial").join(Cid::from_sha256(digest.0).to_string());
        let mut file = File::create(&partial).await?;
        file.write_all(blob).await?;
        file.sync_all().await?;
        fs::create_dir_all(path.parent().unwrap_or(&self.root)).await?;
        fs::rename(&partial, &path).await
    }

    /// Every blob's file.
    pub(crate) async fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let mut folders = fs::read_dir(&self.root).await?;
        while let Some(folder) = folders.next_entry().await? {
            if folder.file_name() == "partial" {
                continue;
            }
            let mut blobs = fs::read_dir(folder.path()).await?;
            while let Some(blob) = blobs.next_entry().await? {
                files.push(blob.path());
            }
        }
        Ok(files)
    }
}

pub(crate) async fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Digest and member of a blob, by its name and its header; `None` for what is no blob.
pub(crate) async fn identify(path: &Path) -> io::Result<Option<(B256, MemberId)>> {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<Cid>().ok());
    let mut head = Vec::with_capacity(HEADER_BYTES);
    let read = match File::open(path).await {
        Ok(file) => file.take(HEADER_BYTES as u64).read_to_end(&mut head).await,
        Err(error) => Err(error),
    };
    if let Err(error) = read {
        tracing::warn!(%error, path = %path.display(), "a sealed record of the replica cannot be read");
        return Ok(None);
    }
    let header = Header::from_bytes(&head).ok();
    Ok(name.zip(header).map(|(cid, header)| (B256::from(*cid.sha256()), header.context().member)))
}
