//! What happened since a dump: transactions as they were sent, and the blocks that took them in. Anvil mines the same
//! blocks again from the same dump, timestamps, base fees and transactions, hash for hash.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use alloy::primitives::{B256, Bytes};
use serde::{Deserialize, Serialize};

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A signed transaction that is about to be given to anvil.
    Sent(Bytes),
    /// The last one, by its hash, was refused.
    Refused(B256),
    /// A block was mined.
    Mined(Mined),
}

/// What makes anvil mine a block again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mined {
    /// Height.
    pub number: u64,
    /// The block's hash.
    pub hash: B256,
    /// Unix seconds.
    pub timestamp: u64,
    /// In wei.
    pub base_fee: u64,
    /// Its transactions in order.
    pub transactions: Vec<B256>,
}

/// The journal that follows one dump.
#[derive(Debug)]
pub struct Journal {
    file: File,
    bytes: u64,
}

impl Journal {
    /// A new one; one of this name is replaced.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
        Ok(Self { file, bytes: 0 })
    }

    /// Adds an entry. It outlasts this process at once, and the machine after [`Self::sync`].
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn append(&mut self, entry: &Entry) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line) {
            // Half a line must not stand before the next one.
            self.file.set_len(self.bytes)?;
            self.file.seek(SeekFrom::Start(self.bytes))?;
            return Err(error);
        }
        self.bytes += line.len() as u64;
        Ok(())
    }

    /// Waits until everything is on the disk.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn sync(&self) -> std::io::Result<()> {
        self.file.sync_data()
    }

    /// The size of the journal in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The entries of a file, and whether it ends in the middle of one, as after a power cut.
    ///
    /// # Errors
    /// Where the file cannot be read; one that is missing is empty.
    pub fn read(path: &Path) -> std::io::Result<(Vec<Entry>, bool)> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), false)),
            Err(error) => return Err(error),
        };
        let mut entries = Vec::new();
        for line in BufReader::new(file).split(b'\n') {
            match serde_json::from_slice(&line?) {
                Ok(entry) => entries.push(entry),
                Err(_) => return Ok((entries, true)),
            }
        }
        Ok((entries, false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_ends_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (sent, refused) = (Entry::Sent(Bytes::from_static(b"\x02")), Entry::Refused(B256::repeat_byte(7)));
        let mut journal = Journal::create(&path).unwrap();
        journal.append(&sent).unwrap();
        journal.append(&refused).unwrap();
        journal.sync().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), journal.bytes());
        assert_eq!(Journal::read(&path).unwrap(), (vec![sent.clone(), refused], false));
        let text = std::fs::read(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 9]).unwrap();
        assert_eq!(Journal::read(&path).unwrap(), (vec![sent], true));
        assert_eq!(Journal::read(&dir.path().join("none")).unwrap(), (Vec::new(), false));
    }
}
