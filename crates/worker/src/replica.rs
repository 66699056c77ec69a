//! The worker's own copy of the vault. Whoever fetches exactly a pool's blobs tells the gateway which datasets and consents a member has;
//! so every blob of every recorded contribution is fetched, in the registry's order, whatever is asked, and queries read from here.
//!
//! What is on the disk is ciphertext under the name of its content. A run that is cut off goes on where it was: what is held is not
//! fetched again. Blobs of erased members are deleted once the chain says so. Beyond `replica.max_bytes` nothing more is fetched, which
//! health says; records that are not here are left out of answers, as those that do not open are.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use alloy::primitives::B256;
use rochdale_api::contribution::{VAULT_PAGE, VaultEntry, VaultPage};
use rochdale_api::{Problem, ProblemCode};
use rochdale_core::ids::{ContributionId, MemberId};
use rochdale_crypto::envelope::HEADER_BYTES;
use rochdale_crypto::{Cid, Header};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Mutex;

use crate::problems::internal;
use crate::worker::{Mirror, Worker};

/// Sealed blobs below one directory, and which contribution each belongs to.
pub struct Replica {
    root: PathBuf,
    most_bytes: u64,
    known: Mutex<Known>,
    stale: AtomicBool,
}

/// What the vault lists, as far as it is here.
#[derive(Default)]
struct Known {
    /// Listed and held.
    held: BTreeMap<ContributionId, VaultEntry>,
    /// Bytes of what is held.
    bytes: u64,
    /// Where the next listing begins.
    after: ContributionId,
    /// Whose blobs were deleted.
    erased: BTreeSet<MemberId>,
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
        match fs::read(self.path(digest)).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // Content that the disk has changed is as good as none.
            read => read.map(|blob| (B256::from(*Cid::of(&blob).sha256()) == digest).then_some(blob)),
        }
    }

    /// Lists the vault from its beginning the next time: a reorganization may have given a place in the registry anew.
    pub fn relist(&self) {
        self.stale.store(true, Ordering::SeqCst);
    }

    fn path(&self, digest: B256) -> PathBuf {
        let name = Cid::from_sha256(digest.0).to_string();
        // The first characters of every name are the same; the last ones spread.
        self.root.join(&name[name.len() - 3..name.len() - 1]).join(name)
    }

    async fn holds(&self, entry: &VaultEntry) -> bool {
        fs::metadata(self.path(entry.blob_digest)).await.is_ok_and(|found| found.len() == entry.bytes)
    }

    /// Writes a blob whole or not at all.
    async fn keep(&self, digest: B256, blob: &[u8]) -> io::Result<()> {
        let path = self.path(digest);
        let partial = self.root.join("partial").join(Cid::from_sha256(digest.0).to_string());
        let mut file = File::create(&partial).await?;
        file.write_all(blob).await?;
        file.sync_all().await?;
        fs::create_dir_all(path.parent().unwrap_or(&self.root)).await?;
        fs::rename(&partial, &path).await
    }

    /// Every blob's file.
    async fn files(&self) -> io::Result<Vec<PathBuf>> {
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

async fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Worker {
    /// Brings the replica up to what the vault lists now. One run at a time; the one that waits finds nothing left to do.
    ///
    /// # Errors
    /// Where gateway or disk fails; what was fetched stays.
    pub async fn replicate(&self, mirror: &Mirror) -> Result<(), Problem> {
        let mut known = self.replica.known.lock().await;
        if self.replica.stale.swap(false, Ordering::SeqCst) {
            known.after = ContributionId(0);
        }
        self.forget_erased(mirror, &mut known).await.map_err(internal)?;
        loop {
            let path = format!("/v1/blobs?after={}", known.after);
            let page: VaultPage = self.gateway(mirror).get_signed(&path, mirror.now()).await?;
            let last = page.blobs.len() < VAULT_PAGE as usize;
            for entry in page.blobs {
                if entry.contribution_id <= known.after {
                    return Err(Problem::new(ProblemCode::Internal, "the gateway's list of blobs does not ascend"));
                }
                self.copy(mirror, &mut known, entry).await?;
                known.after = entry.contribution_id;
            }
            if last {
                return Ok(());
            }
        }
    }

    /// Fetches one blob unless it is here or belongs to who erased everything.
    async fn copy(&self, mirror: &Mirror, known: &mut Known, entry: VaultEntry) -> Result<(), Problem> {
        let id = entry.contribution_id;
        let on_chain = mirror.latest.contributions.get(&id);
        if known.held.contains_key(&id) || on_chain.is_some_and(|contribution| contribution.erased) {
            return Ok(());
        }
        if !self.replica.holds(&entry).await {
            if known.bytes.saturating_add(entry.bytes) > self.replica.most_bytes {
                let most = self.replica.most_bytes;
                self.blame(format!("the replica of the vault is full: replica.max_bytes is {most}"));
                return Ok(());
            }
            let cid = Cid::from_sha256(entry.blob_digest.0);
            let fetched = self.gateway(mirror).get_bytes_signed(&format!("/v1/blobs/{cid}"), mirror.now()).await;
            let blob = match fetched {
                Ok(blob) => blob,
                Err(error) if matches!(error.code(), ProblemCode::NotFound | ProblemCode::Erased) => {
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let member = Header::from_bytes(&blob).ok().map(|header| header.context().member);
            // Erasure deletes by member: what is kept under another one's contribution would outlive it.
            let belongs = on_chain.is_none_or(|contribution| Some(contribution.member) == member);
            if Cid::of(&blob) != cid || blob.len() as u64 != entry.bytes || !belongs {
                self.blame("the gateway's vault gave other bytes than those it lists".to_owned());
                return Ok(());
            }
            self.replica.keep(entry.blob_digest, &blob).await.map_err(internal)?;
        } else if let Some(contribution) = on_chain
            && identify(&self.replica.path(entry.blob_digest)).await.map_err(internal)?.map(|(_, member)| member)
                != Some(contribution.member)
        {
            self.blame("the gateway's vault lists a blob under another member's contribution".to_owned());
            return Ok(());
        }
        known.bytes = known.bytes.saturating_add(entry.bytes);
        known.held.insert(id, entry);
        Ok(())
    }

    /// Deletes the blobs of members who erased everything. Whose a blob is stands in its own header, so that neither a lost list nor the
    /// gateway's word decides what goes.
    async fn forget_erased(&self, mirror: &Mirror, known: &mut Known) -> io::Result<()> {
        let erased: BTreeSet<MemberId> =
            mirror.latest.members.iter().filter(|(_, member)| member.erased.is_some()).map(|(id, _)| *id).collect();
        if erased == known.erased {
            return Ok(());
        }
        let is_erased = |id: &ContributionId| mirror.latest.contributions.get(id).is_some_and(|found| found.erased);
        known.held.retain(|id, _| !is_erased(id));
        let live: HashSet<B256> = known.held.values().map(|entry| entry.blob_digest).collect();
        for path in self.replica.files().await? {
            let Some((digest, member)) = identify(&path).await? else { continue };
            if erased.contains(&member) && !live.contains(&digest) {
                remove(&path).await?;
            }
        }
        known.bytes = known.held.values().map(|entry| entry.bytes).sum();
        known.erased = erased;
        Ok(())
    }
}

/// Digest and member of a blob, by its name and its header; `None` for what is no blob.
async fn identify(path: &Path) -> io::Result<Option<(B256, MemberId)>> {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<Cid>().ok());
    let mut head = Vec::with_capacity(HEADER_BYTES);
    File::open(path).await?.take(HEADER_BYTES as u64).read_to_end(&mut head).await?;
    let header = Header::from_bytes(&head).ok();
    Ok(name.zip(header).map(|(cid, header)| (B256::from(*cid.sha256()), header.context().member)))
}
