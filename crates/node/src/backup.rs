//! Backup and restore of a service's database: online, sealed, and never trusted for more than it is.
//!
//! A backup is a copy of the database at one moment, made beside the running process (`VACUUM INTO`) and sealed to a backup
//! key whose secret half lies elsewhere ([`rochdale_crypto::backup`]). Keys are not in it: they never change, and whoever
//! finds a backup and its key still lacks the process's own.
//!
//! What is restored is older than what the process promised since. [`restore`] therefore leaves a mark beside the database;
//! a process that finds it serves nobody until it has caught up ([`Mark`]), and removes it then.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy::primitives::B256;
use rochdale_crypto::backup::{self, Subject};
use rochdale_crypto::keyfile::{self, KeyFileError, KeyKind};
use rochdale_crypto::{SealingKeyPair, SealingPublicKey};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

/// The mark's file.
const MARK: &str = "restored";
/// Where the copy lies until it is sealed.
const STAGE: &str = "backup.stage";

/// What people type, alike at each service.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Draws a key that opens backups (mode 0600) and prints its public half; keep the file where no service runs.
    BackupKey {
        /// The file; it must not exist yet.
        #[arg(long)]
        out: PathBuf,
    },
    /// Writes a sealed copy of the database, also while the service runs.
    Backup {
        /// Configuration file of the service.
        #[arg(long)]
        config: PathBuf,
        /// Public half of the backup key, as `backup-key` printed it.
        #[arg(long)]
        to: B256,
        /// The file; it must not exist yet.
        #[arg(long)]
        out: PathBuf,
    },
    /// Puts a backup into a data directory that has no database; the service must not run.
    Restore {
        /// Configuration file of the service.
        #[arg(long)]
        config: PathBuf,
        /// The backup key's file.
        #[arg(long)]
        key: PathBuf,
        /// The backup.
        #[arg(long)]
        from: PathBuf,
    },
}

/// Whose database.
#[derive(Clone, Debug)]
pub struct Service {
    /// What the backup is bound to.
    pub subject: Subject,
    /// The service's data directory.
    pub data_dir: PathBuf,
    /// The database's file in it.
    pub database: &'static str,
}

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file.
    #[error("{}: cannot be {what}: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database.
    #[error("{}: cannot be copied: {source}; has the service run here?", path.display())]
    Database {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// Something would be overwritten.
    #[error("{} exists: a restore overwrites nothing; stop the service and move its data directory away", .0.display())]
    Exists(PathBuf),
    /// The backup key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The backup.
    #[error("{}: {source}", path.display())]
    Sealed {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: backup::BackupError,
    },
}

fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { what, path, source }
}

/// Draws a backup key and gives its public half.
///
/// # Errors
/// Where the file cannot be written or exists.
pub fn create_key(out: &Path) -> Result<SealingPublicKey, BackupError> {
    let secret = keyfile::create(out, KeyKind::Sealing, &mut rand::rng())?;
    Ok(SealingKeyPair::from_secret(&secret).public())
}

/// A directory that is gone with its content when this is dropped.
struct Stage(PathBuf);

impl Stage {
    fn new(data_dir: &Path) -> Result<Self, BackupError> {
        clear(data_dir)?;
        let path = data_dir.join(STAGE);
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(file("made", &path))?;
        Ok(Self(path))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Best effort: the next backup and the next start of the service clear it too.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes what a backup that was cut off left: an unsealed copy must not outlive what is erased later.
///
/// # Errors
/// Where it cannot be removed.
pub fn clear(data_dir: &Path) -> Result<(), BackupError> {
    let path = data_dir.join(STAGE);
    match fs::remove_dir_all(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file("removed", &path)(error)),
        _ => Ok(()),
    }
}

/// Whether an unsealed copy lies in the data directory: a backup is being made, or was cut off.
#[must_use]
pub fn is_staged(data_dir: &Path) -> bool {
    data_dir.join(STAGE).exists()
}

/// Writes a sealed copy of the database to `out`, and gives its bytes before sealing.
///
/// # Errors
/// [`BackupError`]; then there is no file.
pub async fn backup(service: &Service, to: SealingPublicKey, out: &Path) -> Result<u64, BackupError> {
    let path = service.data_dir.join(service.database);
    let stage = Stage::new(&service.data_dir)?;
    let copy = stage.0.join(service.database);
    let failed = |source| BackupError::Database { path: path.clone(), source };
    let options = SqliteConnectOptions::new().filename(&path).busy_timeout(Duration::from_secs(10));
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.map_err(failed)?;
    let copied = sqlx::query("VACUUM INTO ?").bind(copy.to_string_lossy().into_owned()).execute(&pool).await;
    pool.close().await;
    copied.map_err(failed)?;
    let source = File::open(&copy).map_err(file("read", &copy))?;
    let bytes = source.metadata().map_err(file("read", &copy))?.len();
    let sink = OpenOptions::new().write(true).create_new(true).mode(0o600).open(out).map_err(file("made", out))?;
    let sealed = backup::seal_stream(
        &to,
        &service.subject,
        bytes,
        BufReader::new(source),
        BufWriter::new(&sink),
        &mut rand::rng(),
    )
    .map_err(|source| BackupError::Sealed { path: out.to_owned(), source })
    .and_then(|()| sink.sync_all().map_err(file("written", out)));
    if sealed.is_err() {
        // A half-written backup must not pass for one.
        let _ = fs::remove_file(out);
    }
    sealed.map(|()| bytes)
}

/// Puts a backup into the data directory and marks it.
///
/// # Errors
/// [`BackupError`]; then there is no database.
pub fn restore(service: &Service, key: &Path, from: &Path) -> Result<(), BackupError> {
    let dir = &service.data_dir;
    let path = dir.join(service.database);
    if path.exists() {
        return Err(BackupError::Exists(path));
    }
    let key = SealingKeyPair::from_secret(&*keyfile::load(key, KeyKind::Sealing)?);
    fs::create_dir_all(dir).map_err(file("made", dir))?;
    let stage = Stage::new(dir)?;
    let part = stage.0.join(service.database);
    let source = BufReader::new(File::open(from).map_err(file("read", from))?);
    let sink = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).map_err(file("made", &part))?;
    backup::open_stream(&key, &service.subject, source, BufWriter::new(&sink))
        .map_err(|source| BackupError::Sealed { path: from.to_owned(), source })?;
    sink.sync_all().map_err(file("written", &part))?;
    // The mark comes first: no moment has the old database without it.
    Mark::write(dir, &Mark { since: None })?;
    for stale in ["-wal", "-shm"].map(|end| dir.join(format!("{}{end}", service.database))) {
        match fs::remove_file(&stale) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(file("removed", &stale)(error)),
            _ => {}
        }
    }
    fs::rename(&part, &path).map_err(file("put in place", &path))?;
    sync(dir)
}

/// That a database was restored, until its process has caught up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Block time when the process first looked at the chain after the restore.
    pub since: Option<u64>,
}

impl Mark {
    /// The mark of a data directory, `None` where nothing was restored or everything is caught up.
    ///
    /// # Errors
    /// Where it cannot be read. Text that is not understood counts as a fresh mark: the careful reading.
    pub fn read(data_dir: &Path) -> Result<Option<Self>, BackupError> {
        let path = data_dir.join(MARK);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(Self { since: text.trim().parse().ok() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file("read", &path)(error)),
        }
    }

    /// Leaves the mark, durably.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(data_dir: &Path, mark: &Self) -> Result<(), BackupError> {
        let (path, part) = (data_dir.join(MARK), data_dir.join(format!("{MARK}.part")));
        let text = mark.since.map_or_else(String::new, |since| format!("{since}\n"));
        let open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
        let written = open.and_then(|mut out| out.write_all(text.as_bytes()).and_then(|()| out.sync_all()));
        written.map_err(file("written", &part))?;
        fs::rename(&part, &path).map_err(file("put in place", &path))?;
        sync(data_dir)
    }

    /// Removes the mark, durably.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub fn remove(data_dir: &Path) -> Result<(), BackupError> {
        let path = data_dir.join(MARK);
        fs::remove_file(&path).map_err(file("removed", &path))?;
        sync(data_dir)
    }
}

/// A name must outlive a power cut.
fn sync(dir: &Path) -> Result<(), BackupError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(file("synced", dir))
}

/// Carries out a command; `service` reads a configuration file. What a person reads is printed.
///
/// # Errors
/// [`BackupError`], or what `service` says.
pub async fn carry_out<E: From<BackupError>>(
    command: Command,
    service: impl FnOnce(&Path) -> Result<Service, E>,
) -> Result<(), E> {
    match command {
        Command::BackupKey { out } => println!("{}", create_key(&out)?),
        Command::Backup { config, to, out } => {
            let service = service(&config)?;
            let bytes = backup(&service, SealingPublicKey(to), &out).await?;
            println!("{} holds {bytes} bytes of {}", out.display(), service.database);
        }
        Command::Restore { config, key, from } => {
            let service = service(&config)?;
            restore(&service, &key, &from)?;
            println!("{} is restored; started, it catches up before it serves", service.database);
        }
    }
    Ok(())
}
