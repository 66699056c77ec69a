//! The files: numbered dumps, each with the journal that follows it. The newest two of both are kept.

use std::path::{Path, PathBuf};

use alloy::primitives::Bytes;

use super::KeptError;
use super::dump::{Dump, sync_directory};
use super::journal::{Entry, Journal};

/// The directory of one chain.
#[derive(Debug)]
pub struct Files {
    directory: PathBuf,
    /// The number of the newest dump, 0 before the first.
    number: u64,
    journal: Option<Journal>,
}

/// What is kept of a chain.
pub struct Kept {
    /// The newest dump that can be read; none on a new chain.
    pub dump: Option<Dump>,
    /// What was noted since.
    pub entries: Vec<Entry>,
    /// Dumps that cannot be read, each with its reason.
    pub damaged: Vec<String>,
}

impl Files {
    /// Those in the directory, which is made.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn open(directory: &Path) -> Result<Self, KeptError> {
        let failed = |source| KeptError::File { path: directory.to_owned(), source };
        std::fs::create_dir_all(directory).map_err(failed)?;
        Ok(Self { directory: directory.to_owned(), number: 0, journal: None })
    }

    /// Reads them.
    ///
    /// # Errors
    /// Where there are dumps and none can be read, or the disk fails.
    pub fn read(&mut self) -> Result<Kept, KeptError> {
        let numbers = self.numbers()?;
        self.journal = None;
        self.number = numbers.last().copied().unwrap_or_default();
        let mut damaged = Vec::new();
        for (place, number) in numbers.iter().enumerate().rev() {
            let path = self.dump_path(*number);
            match Dump::load(&path) {
                Ok(dump) => {
                    let mut entries = Vec::new();
                    for later in &numbers[place..] {
                        let path = self.journal_path(*later);
                        let read = Journal::read(&path).map_err(|source| KeptError::File { path, source })?;
                        entries.extend(read.0);
                    }
                    return Ok(Kept { dump: Some(dump), entries, damaged });
                }
                Err(error) => damaged.push(format!("{}: {error}", path.display())),
            }
        }
        if damaged.is_empty() {
            return Ok(Kept { dump: None, entries: Vec::new(), damaged });
        }
        Err(KeptError::Unreadable { directory: self.directory.clone(), detail: damaged.join("; ") })
    }

    /// Begins the next dump and journal; the journal opens with transactions that are in no block yet. The journal comes
    /// first, so that a dump is never without one.
    ///
    /// # Errors
    /// Where the disk fails; the files before are still there.
    pub fn begin<'a>(&mut self, dump: &Dump, pending: impl Iterator<Item = &'a Bytes>) -> Result<(), KeptError> {
        let next = self.number + 1;
        let path = self.journal_path(next);
        let create = || -> std::io::Result<Journal> {
            let mut journal = Journal::create(&path)?;
            for raw in pending {
                journal.append(&Entry::Sent(raw.clone()))?;
            }
            journal.sync()?;
            sync_directory(&path)?;
            Ok(journal)
        };
        let journal = create().map_err(|source| KeptError::File { path: path.clone(), source })?;
        dump.save(&self.dump_path(next))?;
        (self.number, self.journal) = (next, Some(journal));
        for old in self.numbers()?.into_iter().filter(|old| old + 1 < next) {
            let _ = std::fs::remove_file(self.dump_path(old));
            let _ = std::fs::remove_file(self.journal_path(old));
        }
        Ok(())
    }

    /// Notes an entry.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn append(&mut self, entry: &Entry) -> Result<(), KeptError> {
        let path = self.journal_path(self.number);
        match &mut self.journal {
            Some(journal) => journal.append(entry).map_err(|source| KeptError::File { path, source }),
            None => Err(KeptError::Down),
        }
    }

    /// Waits until everything that was noted is on the disk.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn sync(&self) -> Result<(), KeptError> {
        let synced = self.journal.as_ref().map_or(Ok(()), Journal::sync);
        synced.map_err(|source| KeptError::File { path: self.journal_path(self.number), source })
    }

    /// The journal's size.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.journal.as_ref().map_or(0, Journal::bytes)
    }

    /// The numbers of the dumps, in order.
    fn numbers(&self) -> Result<Vec<u64>, KeptError> {
        let failed = |source| KeptError::File { path: self.directory.clone(), source };
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(&self.directory).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let number: Option<u64> =
                name.to_str().and_then(|n| n.strip_suffix(".chain.gz")).and_then(|n| n.parse().ok());
            numbers.extend(number);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn dump_path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number:08}.chain.gz"))
    }

    fn journal_path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number:08}.journal"))
    }
}
