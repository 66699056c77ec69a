//! The vault: sealed records on the local disk, each under the name of its content.
//!
//! A blob is written to a temporary file while it is hashed, synced, and renamed: what has a name is whole. It counts
//! only once a package names it; others are deleted after a while.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use alloy::primitives::B256;
use axum::body::{Body, HttpBody as _};
use rochdale_api::{Problem, ProblemCode};
use rochdale_crypto::Cid;
use sha2::{Digest as _, Sha256};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{Mutex, MutexGuard};

use crate::quota::Upload;

/// How many bytes of a refused upload are read and thrown away, so that the sender hears why: many clients read no
/// answer before they have sent everything.
const DRAIN: u64 = 64 << 20;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(10);
/// How long an upload may take besides what its bytes take at [`SLOWEST`].
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes that are hashed at a time.
const BUFFER: usize = 256 << 10;
/// Bytes a second below which an upload is cut off.
const SLOWEST: u64 = 32 << 10;

/// Why a blob was not taken or not found.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The disk did not do as asked.
    #[error("the vault cannot {what} {path}: {source}; check disk and permissions")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The path of the file at fault.
        path: PathBuf,
        /// What the layer below said.
        source: io::Error,
    },
    /// No byte came.
    #[error("the blob is empty: a sealed record never is")]
    Empty,
    /// Over the limit.
    #[error("the blob has more than {limit} bytes, the most this cooperative takes")]
    TooLarge {
        /// In bytes.
        limit: u64,
    },
    /// Its bytes are not those of its name.
    #[error("the bytes sent have the name {found}, not {expected}: they were cut or changed on the way")]
    OtherContent {
        /// In the path.
        expected: Cid,
        /// Of the bytes.
        found: Cid,
    },
    /// Quotas refuse it.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// It comes too slowly.
    #[error("the upload of {0} came slower than {SLOWEST} bytes a second")]
    TooSlow(Cid),
    /// The sender stopped.
    #[error("the upload of {0} ended early: {1}")]
    Interrupted(Cid, String),
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        let code = match error {
            VaultError::Io { .. } => ProblemCode::Internal,
            VaultError::TooLarge { .. } => ProblemCode::TooLarge,
            VaultError::Empty | VaultError::OtherContent { .. } | VaultError::Interrupted(..) => {
                ProblemCode::BadRequest
            }
            VaultError::TooSlow(_) => ProblemCode::TooSlow,
            VaultError::Refused(problem) => return *problem,
        };
        let problem = Self::new(code, error.to_string());
        match error {
            VaultError::TooLarge { .. } => problem.hint("contribute the record in parts, or ask for a higher limit"),
            VaultError::Empty | VaultError::OtherContent { .. } | VaultError::Interrupted(..) => {
                problem.hint("send it again")
            }
            VaultError::TooSlow(_) => {
                problem.hint("send it over a faster connection, or contribute the record in parts")
            }
            VaultError::Io { .. } | VaultError::Refused(_) => problem,
        }
    }
}

/// Sealed records below one directory.
#[derive(Debug)]
pub struct Vault {
    root: PathBuf,
    limit: u64,
    uploads: AtomicU64,
    turn: Mutex<()>,
}

/// A file that goes again unless it is given a name.
#[derive(Debug)]
struct Partial(Option<PathBuf>);

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Best effort: the next start clears the directory.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A blob that came whole and has no name yet.
#[derive(Debug)]
pub struct Received {
    cid: Cid,
    bytes: u64,
    file: File,
    partial: Partial,
}

impl Vault {
    /// Opens the vault, making its directories; what an earlier run left half-written is deleted.
    ///
    /// # Errors
    /// Where the directories cannot be made.
    pub async fn open(root: PathBuf, limit: u64) -> Result<Self, VaultError> {
        let partial = root.join("partial");
        match fs::remove_dir_all(&partial).await {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(VaultError::Io { what: "clear", path: partial, source });
            }
            _ => {}
        }
        fs::create_dir_all(&partial).await.map_err(|source| VaultError::Io { what: "make", path: partial, source })?;
        Ok(Self { root, limit, uploads: AtomicU64::new(0), turn: Mutex::new(()) })
    }

    /// Whoever changes which blobs there are, files and rows together, does so alone.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Takes a blob from a request's body within what `upload` may take; `declared` is its length as the sender says. [`Self::keep`] gives
    /// it its name.
    ///
    /// # Errors
    /// [`VaultError`]; nothing is kept then.
    pub async fn receive(
        &self,
        cid: Cid,
        mut body: Body,
        declared: Option<u64>,
        upload: &Upload,
    ) -> Result<Received, VaultError> {
        let limit = self.limit;
        if declared.is_some_and(|bytes| bytes > limit) {
            drain(body).await;
            return Err(VaultError::TooLarge { limit });
        }
        let (path, partial) = self.partial();
        let io = |what| {
            let path = path.clone();
            move |source| VaultError::Io { what, path, source }
        };
        let mut file = File::create(&path).await.map_err(io("create"))?;
        let mut hash = Sha256::new();
        let mut bytes = 0u64;
        let start = Instant::now();
        loop {
            let patience = PATIENCE + Duration::from_secs(bytes / SLOWEST);
            let frame = tokio::time::timeout(patience.saturating_sub(start.elapsed()), next_frame(&mut body)).await;
            let Some(frame) = frame.map_err(|_| VaultError::TooSlow(cid))? else { break };
            let chunk = frame.map_err(|e| VaultError::Interrupted(cid, e.to_string()))?;
            bytes += chunk.len() as u64;
            if bytes > limit {
                drain(body).await;
                return Err(VaultError::TooLarge { limit });
            }
            if let Err(problem) = upload.take(chunk.len() as u64) {
                drain(body).await;
                return Err(VaultError::Refused(Box::new(problem)));
            }
            hash.update(&chunk);
            file.write_all(&chunk).await.map_err(io("write"))?;
        }
        if bytes == 0 {
            return Err(VaultError::Empty);
        }
        let found = Cid::from_sha256(hash.finalize().into());
        if found != cid {
            return Err(VaultError::OtherContent { expected: cid, found });
        }
        Ok(Received { cid, bytes, file, partial })
    }

    /// Gives what came its name, and returns its bytes' number. In one [`Self::turn`] with whatever notes it.
    ///
    /// # Errors
    /// Where the disk fails; nothing is kept then.
    pub async fn keep(&self, received: Received) -> Result<u64, VaultError> {
        let Received { cid, bytes, file, mut partial } = received;
        let path = self.path(cid);
        let io = |what| {
            let path = path.clone();
            move |source| VaultError::Io { what, path, source }
        };
        file.sync_all().await.map_err(io("sync"))?;
        let directory = path.parent().unwrap_or(&self.root).to_owned();
        fs::create_dir_all(&directory).await.map_err(io("make the directory of"))?;
        if let Some(from) = &partial.0 {
            fs::rename(from, &path).await.map_err(io("name"))?;
        }
        partial.0 = None;
        // The name itself must outlive a power cut.
        let directory = File::open(&directory).await.map_err(io("open the directory of"))?;
        directory.sync_all().await.map_err(io("sync the directory of"))?;
        Ok(bytes)
    }

    /// Writes a blob anew, whole or not at all. `bytes` are those of its name.
    ///
    /// # Errors
    /// Where the disk fails.
    pub async fn restore(&self, cid: Cid, bytes: &[u8]) -> Result<(), VaultError> {
        let (path, partial) = self.partial();
        let io = |what| {
            let path = path.clone();
            move |source| VaultError::Io { what, path, source }
        };
        let mut file = File::create(&path).await.map_err(io("create"))?;
        file.write_all(bytes).await.map_err(io("write"))?;
        self.keep(Received { cid, bytes: bytes.len() as u64, file, partial }).await.map(|_| ())
    }

    fn partial(&self) -> (PathBuf, Partial) {
        let path = self.root.join("partial").join(self.uploads.fetch_add(1, Ordering::Relaxed).to_string());
        (path.clone(), Partial(Some(path)))
    }

    /// Whether a blob is there with the bytes of its name, and how many bytes were read.
    pub async fn is_whole(&self, cid: Cid) -> (bool, u64) {
        let Ok(mut file) = File::open(self.path(cid)).await else { return (false, 0) };
        let (mut hash, mut buffer, mut bytes) = (Sha256::new(), vec![0; BUFFER], 0);
        loop {
            match file.read(&mut buffer).await {
                Ok(0) => return (Cid::from_sha256(hash.finalize().into()) == cid, bytes),
                Ok(read) => {
                    hash.update(&buffer[..read]);
                    bytes += read as u64;
                }
                // A sector that cannot be read is a record that is not whole.
                Err(_) => return (false, bytes),
            }
        }
    }

    /// The names of all blobs that are there.
    ///
    /// # Errors
    /// Where the disk fails.
    pub async fn names(&self) -> Result<Vec<Cid>, VaultError> {
        let io = |source| VaultError::Io { what: "list", path: self.root.clone(), source };
        let mut names = Vec::new();
        let mut folders = fs::read_dir(&self.root).await.map_err(io)?;
        while let Some(folder) = folders.next_entry().await.map_err(io)? {
            if folder.file_name() == "partial" || !folder.file_type().await.map_err(io)?.is_dir() {
                continue;
            }
            let mut blobs = fs::read_dir(folder.path()).await.map_err(io)?;
            while let Some(blob) = blobs.next_entry().await.map_err(io)? {
                names.extend(blob.file_name().to_str().and_then(|name| name.parse::<Cid>().ok()));
            }
        }
        Ok(names)
    }

    /// Opens a blob with its length, `None` where it is not held.
    ///
    /// # Errors
    /// Where the disk fails.
    pub async fn open_blob(&self, cid: Cid) -> Result<Option<(File, u64)>, VaultError> {
        let path = self.path(cid);
        let io = |source| VaultError::Io { what: "read", path: path.clone(), source };
        let file = match File::open(&path).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(io)?,
        };
        let bytes = file.metadata().await.map_err(io)?.len();
        Ok(Some((file, bytes)))
    }

    /// The first bytes of a blob, at most `limit`, `None` where it is not held.
    ///
    /// # Errors
    /// Where the disk fails.
    pub async fn head(&self, cid: Cid, limit: usize) -> Result<Option<Vec<u8>>, VaultError> {
        let Some((file, _)) = self.open_blob(cid).await? else { return Ok(None) };
        let mut bytes = Vec::with_capacity(limit);
        let read = file.take(limit as u64).read_to_end(&mut bytes).await;
        read.map_err(|source| VaultError::Io { what: "read", path: self.path(cid), source })?;
        Ok(Some(bytes))
    }

    /// Deletes a blob; nothing happens where it is not held.
    ///
    /// # Errors
    /// Where the disk fails.
    pub async fn delete(&self, cid: Cid) -> Result<(), VaultError> {
        let path = self.path(cid);
        match fs::remove_file(&path).await {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(VaultError::Io { what: "delete", path, source })
            }
            _ => Ok(()),
        }
    }

    fn path(&self, cid: Cid) -> PathBuf {
        let name = cid.to_string();
        // The first characters of every name are the same; the last ones spread.
        self.root.join(&name[name.len() - 3..name.len() - 1]).join(name)
    }
}

/// The name of the blob with this SHA-256.
#[must_use]
pub fn cid(digest: B256) -> Cid {
    Cid::from_sha256(digest.0)
}

async fn next_frame(body: &mut Body) -> Option<Result<axum::body::Bytes, axum::Error>> {
    loop {
        let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut *body).poll_frame(cx)).await?;
        match frame.map(|frame| frame.into_data()) {
            Ok(Ok(data)) => return Some(Ok(data)),
            // Trailers.
            Ok(Err(_)) => {}
            Err(error) => return Some(Err(error)),
        }
    }
}

async fn drain(mut body: Body) {
    let reading = async {
        let mut left = DRAIN;
        while let Some(Ok(chunk)) = next_frame(&mut body).await {
            left = left.saturating_sub(chunk.len() as u64);
            if left == 0 {
                return;
            }
        }
    };
    // Whoever sends on for longer is cut off.
    let _ = tokio::time::timeout(DRAIN_TIME, reading).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn vault() -> (tempfile::TempDir, Vault, Upload) {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::open(dir.path().join("vault"), 1_000).await.unwrap();
        let store = crate::store::Store::open(dir.path()).await.unwrap();
        let quota = crate::quota::Quota::new(crate::config::Limits::default(), store);
        let upload = quota.begin([127, 0, 0, 1].into()).await.unwrap();
        (dir, vault, upload)
    }

    /// As the upload's route does it.
    async fn put(
        vault: &Vault,
        cid: Cid,
        body: Body,
        declared: Option<u64>,
        upload: &Upload,
    ) -> Result<u64, VaultError> {
        vault.keep(vault.receive(cid, body, declared, upload).await?).await
    }

    fn partial_files(vault: &Vault) -> usize {
        std::fs::read_dir(vault.root.join("partial")).unwrap().count()
    }

    #[tokio::test]
    async fn a_blob_is_kept_under_its_name_once_and_deleted() {
        let (_dir, vault, upload) = vault().await;
        let cid = Cid::of(b"sealed");
        for _ in 0..2 {
            assert_eq!(put(&vault, cid, Body::from("sealed"), Some(6), &upload).await.unwrap(), 6);
        }
        assert_eq!(vault.head(cid, 4).await.unwrap().unwrap(), b"seal");
        assert_eq!(vault.open_blob(cid).await.unwrap().unwrap().1, 6);
        vault.delete(cid).await.unwrap();
        vault.delete(cid).await.unwrap();
        assert!(vault.open_blob(cid).await.unwrap().is_none());
        assert_eq!(partial_files(&vault), 0);
    }

    #[tokio::test]
    async fn other_bytes_and_too_many_leave_nothing_behind() {
        let (_dir, vault, upload) = vault().await;
        let cid = Cid::of(b"sealed");
        let error = put(&vault, cid, Body::from("sealeD"), None, &upload).await.unwrap_err();
        assert!(matches!(error, VaultError::OtherContent { .. }), "{error}");
        let error = put(&vault, cid, Body::from(vec![0; 1_001]), None, &upload).await.unwrap_err();
        assert!(matches!(error, VaultError::TooLarge { limit: 1_000 }), "{error}");
        let error = put(&vault, cid, Body::empty(), Some(1_001), &upload).await.unwrap_err();
        assert!(matches!(error, VaultError::TooLarge { limit: 1_000 }), "{error}");
        assert!(vault.open_blob(cid).await.unwrap().is_none());
        assert_eq!(partial_files(&vault), 0);
    }

    #[tokio::test]
    async fn what_was_received_and_is_not_kept_is_gone_and_a_changed_byte_is_seen() {
        let (_dir, vault, upload) = vault().await;
        let cid = Cid::of(b"sealed");
        let received = vault.receive(cid, Body::from("sealed"), None, &upload).await.unwrap();
        assert_eq!(partial_files(&vault), 1);
        drop(received);
        assert_eq!(partial_files(&vault), 0);
        put(&vault, cid, Body::from("sealed"), None, &upload).await.unwrap();
        assert_eq!((vault.is_whole(cid).await, vault.names().await.unwrap()), ((true, 6), vec![cid]));
        std::fs::write(vault.path(cid), "sealeD").unwrap();
        assert_eq!(vault.is_whole(cid).await, (false, 6));
        vault.restore(cid, b"sealed").await.unwrap();
        assert!(vault.is_whole(cid).await.0);
        // A directory where a file should be is nothing that can be read, and leaves nothing behind.
        std::fs::remove_file(vault.path(cid)).unwrap();
        std::fs::create_dir(vault.path(cid)).unwrap();
        assert!(!vault.is_whole(cid).await.0 && vault.restore(cid, b"sealed").await.is_err());
        assert_eq!(partial_files(&vault), 0);
    }
}
