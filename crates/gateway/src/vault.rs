//! The vault: sealed records on the local disk, each under the name of its content.
//!
//! A blob is written to a temporary file while it is hashed, synced, and renamed: what has a name is whole. It counts
//! only once a package names it; others are deleted after a while.

use std::io;
use std::path::{Path, PathBuf};
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

/// A folder that holds every record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(usize);

/// Sealed records below one directory, and again below a second one, where there is one.
#[derive(Debug)]
pub struct Vault {
    root: PathBuf,
    copy: Option<PathBuf>,
    limit: u64,
    uploads: AtomicU64,
    turn: Mutex<()>,
}

impl Vault {
    /// Opens the vault, making its directories; what an earlier run left half-written is deleted.
    ///
    /// # Errors
    /// Where the directories cannot be made.
    pub async fn open(root: PathBuf, copy: Option<PathBuf>, limit: u64) -> Result<Self, VaultError> {
        for partial in std::iter::once(&root).chain(&copy).map(|place| place.join("partial")) {
            match fs::remove_dir_all(&partial).await {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(VaultError::Io { what: "clear", path: partial, source });
                }
                _ => {}
            }
            let made = fs::create_dir_all(&partial).await;
            made.map_err(|source| VaultError::Io { what: "make", path: partial, source })?;
        }
        Ok(Self { root, copy, limit, uploads: AtomicU64::new(0), turn: Mutex::new(()) })
    }

    /// Every folder that should hold each record.
    pub fn places(&self) -> impl Iterator<Item = Place> + use<> {
        (0..1 + usize::from(self.copy.is_some())).map(Place)
    }

    fn root(&self, place: Place) -> &Path {
        self.copy.as_deref().filter(|_| place != Place(0)).unwrap_or(&self.root)
    }

    /// Whoever deletes records, or writes them anew, does so alone.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Whether a place holds a blob with the bytes of its name.
    ///
    /// # Errors
    /// Where the disk fails.
    pub async fn is_whole(&self, place: Place, cid: Cid) -> Result<bool, VaultError> {
        let path = below(self.root(place), cid);
        let io = |source| VaultError::Io { what: "read", path: path.clone(), source };
        let mut file = match File::open(&path).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(io)?,
        };
        let (mut hash, mut buffer) = (Sha256::new(), vec![0; 256 << 10]);
        loop {
            match file.read(&mut buffer).await {
                Ok(0) => return Ok(Cid::from_sha256(hash.finalize().into()) == cid),
                Ok(read) => hash.update(&buffer[..read]),
                // A sector that cannot be read is a record that is not whole.
                Err(_) => return Ok(false),
            }
        }
    }

    /// What a place holds under a name, whatever it is; `None` where it holds nothing.
    ///
    /// # Errors
    /// Where the disk fails.
    pub async fn read(&self, place: Place, cid: Cid) -> Result<Option<Vec<u8>>, VaultError> {
        let path = below(self.root(place), cid);
        match fs::read(&path).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some).map_err(|source| VaultError::Io { what: "read", path, source }),
        }
    }

    /// Writes a blob into a place, whole or not at all. `bytes` are those of its name.
    ///
    /// # Errors
    /// Where the disk fails.
    pub async fn restore(&self, place: Place, cid: Cid, bytes: &[u8]) -> Result<(), VaultError> {
        let partial = self.partial(place);
        let io = |what| {
            let path = partial.clone();
            move |source| VaultError::Io { what, path, source }
        };
        let mut file = File::create(&partial).await.map_err(io("create"))?;
        file.write_all(bytes).await.map_err(io("write"))?;
        self.name(place, cid, &file, &partial).await
    }

    fn partial(&self, place: Place) -> PathBuf {
        self.root(place).join("partial").join(self.uploads.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// Gives what was written its name.
    async fn name(&self, place: Place, cid: Cid, file: &File, partial: &Path) -> Result<(), VaultError> {
        let io = |what| move |source| VaultError::Io { what, path: partial.to_owned(), source };
        file.sync_all().await.map_err(io("sync"))?;
        let path = below(self.root(place), cid);
        let directory = path.parent().unwrap_or(self.root(place)).to_owned();
        fs::create_dir_all(&directory).await.map_err(io("make the directory of"))?;
        fs::rename(partial, &path).await.map_err(io("name"))?;
        // The name itself must outlive a power cut.
        let directory = File::open(&directory).await.map_err(io("open the directory of"))?;
        directory.sync_all().await.map_err(io("sync the directory of"))
    }

    /// Takes a blob from a request's body within what `upload` may take; `declared` is its length as the sender says.
    /// Returns its bytes' number.
    ///
    /// # Errors
    /// [`VaultError`]; nothing is kept then.
    pub async fn put(&self, cid: Cid, body: Body, declared: Option<u64>, upload: &Upload) -> Result<u64, VaultError> {
        let limit = self.limit;
        if declared.is_some_and(|bytes| bytes > limit) {
            drain(body).await;
            return Err(VaultError::TooLarge { limit });
        }
        let partial = self.partial(Place(0));
        let taken = self.receive(cid, body, &partial, upload).await;
        if taken.is_err() {
            // Best effort: the next start clears the directory.
            let _ = fs::remove_file(&partial).await;
        }
        taken
    }

    async fn receive(&self, cid: Cid, mut body: Body, partial: &Path, upload: &Upload) -> Result<u64, VaultError> {
        let io = |what| move |source| VaultError::Io { what, path: partial.to_owned(), source };
        let mut file = File::create(partial).await.map_err(io("create"))?;
        let mut hash = Sha256::new();
        let mut bytes = 0u64;
        let start = Instant::now();
        loop {
            let patience = PATIENCE + Duration::from_secs(bytes / SLOWEST);
            let frame = tokio::time::timeout(patience.saturating_sub(start.elapsed()), next_frame(&mut body)).await;
            let Some(frame) = frame.map_err(|_| VaultError::TooSlow(cid))? else { break };
            let chunk = frame.map_err(|e| VaultError::Interrupted(cid, e.to_string()))?;
            bytes += chunk.len() as u64;
            if bytes > self.limit {
                drain(body).await;
                return Err(VaultError::TooLarge { limit: self.limit });
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
        self.name(Place(0), cid, &file, partial).await?;
        Ok(bytes)
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
        for place in self.places() {
            let path = below(self.root(place), cid);
            match fs::remove_file(&path).await {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(VaultError::Io { what: "delete", path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn path(&self, cid: Cid) -> PathBuf {
        below(&self.root, cid)
    }
}

fn below(root: &Path, cid: Cid) -> PathBuf {
    let name = cid.to_string();
    // The first characters of every name are the same; the last ones spread.
    root.join(&name[name.len() - 3..name.len() - 1]).join(name)
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
        let vault = Vault::open(dir.path().join("vault"), None, 1_000).await.unwrap();
        let store = crate::store::Store::open(dir.path()).await.unwrap();
        let quota = crate::quota::Quota::new(crate::config::Limits::default(), store);
        let upload = quota.begin([127, 0, 0, 1].into()).await.unwrap();
        (dir, vault, upload)
    }

    fn partial_files(vault: &Vault) -> usize {
        std::fs::read_dir(vault.root.join("partial")).unwrap().count()
    }

    #[tokio::test]
    async fn a_blob_is_kept_under_its_name_once_and_deleted() {
        let (_dir, vault, upload) = vault().await;
        let cid = Cid::of(b"sealed");
        for _ in 0..2 {
            assert_eq!(vault.put(cid, Body::from("sealed"), Some(6), &upload).await.unwrap(), 6);
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
        let error = vault.put(cid, Body::from("sealeD"), None, &upload).await.unwrap_err();
        assert!(matches!(error, VaultError::OtherContent { .. }), "{error}");
        let error = vault.put(cid, Body::from(vec![0; 1_001]), None, &upload).await.unwrap_err();
        assert!(matches!(error, VaultError::TooLarge { limit: 1_000 }), "{error}");
        let error = vault.put(cid, Body::empty(), Some(1_001), &upload).await.unwrap_err();
        assert!(matches!(error, VaultError::TooLarge { limit: 1_000 }), "{error}");
        assert!(vault.open_blob(cid).await.unwrap().is_none());
        assert_eq!(partial_files(&vault), 0);
    }
}
