//! Reading the files of a database beside SQLite, in the process that has it open.
//!
//! SQLite keeps other processes off by POSIX locks, and the system drops a process's locks on a file when the process closes *any* handle of
//! it. A handle that is closed here would let the next process that opens the database (an audit, a backup) believe that nobody else has it:
//! it would cut off the index of the write-ahead log that is in use. So each file is opened once and stays open until it is gone from its
//! folder.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A file by its device and its number there.
type Place = (u64, u64);

static OPEN: Mutex<BTreeMap<Place, Arc<File>>> = Mutex::new(BTreeMap::new());

/// A file of a database from its beginning; nothing where there is none.
///
/// # Errors
/// What the system says.
pub fn read(path: &Path) -> io::Result<Option<impl Read>> {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Locks on a file that is deleted keep nobody off.
    open.retain(|_, file| file.metadata().is_ok_and(|seen| seen.nlink() > 0));
    let place = match std::fs::metadata(path) {
        Ok(seen) => (seen.dev(), seen.ino()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if let Some(file) = open.get(&place) {
        return Ok(Some(Reader { file: Arc::clone(file), at: 0 }));
    }
    let file = match File::open(path) {
        Ok(file) => Arc::new(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let seen = file.metadata()?;
    if let Some(other) = open.insert((seen.dev(), seen.ino()), Arc::clone(&file)) {
        // Another file took its name meanwhile, one that is open already: neither handle may be closed.
        std::mem::forget(other);
    }
    Ok(Some(Reader { file, at: 0 }))
}

struct Reader {
    file: Arc<File>,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{self, Step};

    const STEPS: [Step; 1] = [(1, "first", "CREATE TABLE kept (value TEXT NOT NULL) STRICT")];

    /// Locks of this process on a file, as the system lists them.
    fn locks(path: &Path) -> usize {
        let seen = std::fs::metadata(path).unwrap();
        let (process, file) = (std::process::id().to_string(), seen.ino().to_string());
        let listed = std::fs::read_to_string("/proc/locks").unwrap();
        let ours = |line: &&str| {
            let words: Vec<_> = line.split_whitespace().collect();
            words.contains(&&*process) && words.iter().any(|word| word.rsplit(':').next() == Some(&file))
        };
        listed.lines().filter(ours).count()
    }

    #[tokio::test]
    async fn who_reads_the_files_or_opens_the_store_again_drops_no_lock_that_keeps_other_processes_off() {
        let dir = tempfile::tempdir().unwrap();
        let pool = store::open(dir.path(), "a.db", &STEPS, 1).await.unwrap();
        sqlx::query("INSERT INTO kept VALUES ('a word that is looked for')").execute(&pool).await.unwrap();
        let index = dir.path().join("a.db-shm");
        let held = locks(&index);
        assert!(held > 0, "SQLite holds the log's index while the database is open");
        for _ in 0..2 {
            for name in ["a.db", "a.db-wal", "a.db-shm"] {
                let mut bytes = Vec::new();
                read(&dir.path().join(name)).unwrap().unwrap().read_to_end(&mut bytes).unwrap();
                let found = bytes.windows(9).any(|piece| piece == b"looked fo");
                assert_eq!(found, name == "a.db-wal", "{name}");
            }
            assert_eq!(locks(&index), held);
        }
        assert!(read(&dir.path().join("b.db")).unwrap().is_none());

        // The database itself is locked, too, as long as its log is in use.
        let database = dir.path().join("a.db");
        let held = locks(&database);
        assert!(held > 0);
        store::private(dir.path(), "a.db").unwrap();
        assert_eq!(locks(&database), held, "who makes sure that the file is there closes no handle of it");
        pool.close().await;
    }
}
