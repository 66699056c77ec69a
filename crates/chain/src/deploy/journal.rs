//! The journal of a deployment: what was begun for which configuration, and each transaction that was sent for it.
//!
//! The chain decides what is done; the journal keeps what the chain cannot tell. That is the block the deployment began
//! at, the times it was begun with, and the transactions that may still be on their way.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use alloy::primitives::{Address, B256, keccak256};
use serde::{Deserialize, Serialize};

use super::CoopConfig;
use crate::client::BlockRef;

/// The journal's format.
const VERSION: u32 = 1;

/// What a deployment is of; another one must not be continued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The chain's id (EIP-155).
    pub chain_id: u64,
    /// The account that founds.
    pub founder: Address,
    /// Hash of the configuration.
    pub config: B256,
    /// Hash of the bytecode of all contracts.
    pub program: B256,
}

/// One transaction of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The name of the step.
    pub name: String,
    /// What it creates, or the contract that it calls.
    pub address: Address,
    /// The transaction that was sent last for it, if it was sent from here.
    pub transaction: Option<B256>,
    /// Seen on chain.
    pub done: bool,
}

/// The file beside the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    version: u32,
    /// Of what.
    pub subject: Subject,
    /// The block before the deployment's first.
    pub base: BlockRef,
    /// Start of epoch 1, Unix seconds.
    pub genesis: u64,
    /// The steps so far, in order.
    pub steps: Vec<Entry>,
    /// Where it lies; nowhere for a deployment that is not to be continued.
    #[serde(skip)]
    path: Option<PathBuf>,
}

/// A journal that cannot be continued.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// What the layer below said.
        source: std::io::Error,
    },
    /// What stands in it does not read.
    #[error(
        "{}, line {}: {source}; a journal is written by `rochdale coop deploy`, not by hand. To begin anew, move it away",
        path.display(), source.line()
    )]
    Json {
        /// The path of the file.
        path: PathBuf,
        /// What the layer below said.
        source: serde_json::Error,
    },
    /// Another deployment.
    #[error(
        "{} is the journal of another deployment: its {what} is {found}, here it is {expected}. Continue with what it was begun with, or move it away to begin another",
        path.display()
    )]
    Other {
        /// The path of the file.
        path: PathBuf,
        /// What differs between the two.
        what: &'static str,
        /// In the journal.
        found: String,
        /// As asked for.
        expected: String,
    },
}

impl Subject {
    /// The hash of a configuration: of its JSON, whose order of keys is fixed.
    #[must_use]
    pub fn hash(config: &CoopConfig) -> B256 {
        keccak256(serde_json::to_vec(config).unwrap_or_default())
    }

    fn expect(&self, expected: &Self, path: &Path) -> Result<(), JournalError> {
        let differing = [
            ("chain", self.chain_id.to_string(), expected.chain_id.to_string()),
            ("founder", self.founder.to_string(), expected.founder.to_string()),
            ("configuration", self.config.to_string(), expected.config.to_string()),
            ("contracts' code", self.program.to_string(), expected.program.to_string()),
        ];
        match differing.into_iter().find(|(_, found, expected)| found != expected) {
            None => Ok(()),
            Some((what, found, expected)) => Err(JournalError::Other { path: path.to_owned(), what, found, expected }),
        }
    }
}

impl Journal {
    /// The journal that lies there.
    ///
    /// # Errors
    /// Where it does not read, or is of another deployment than `subject`.
    pub fn open(path: &Path, subject: &Subject) -> Result<Option<Self>, JournalError> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(JournalError::File { path: path.to_owned(), source }),
        };
        let read = |source| JournalError::Json { path: path.to_owned(), source };
        let mut journal: Self = serde_json::from_slice(&text).map_err(read)?;
        journal.subject.expect(subject, path)?;
        journal.path = Some(path.to_owned());
        Ok(Some(journal))
    }

    /// A new journal, written at once.
    ///
    /// # Errors
    /// Where the directory cannot be written.
    pub fn begin(path: Option<&Path>, subject: Subject, base: BlockRef, genesis: u64) -> Result<Self, JournalError> {
        let path = path.map(Path::to_owned);
        let journal = Self { version: VERSION, subject, base, genesis, steps: Vec::new(), path };
        journal.write()?;
        Ok(journal)
    }

    /// The transaction that was sent last for a step.
    #[must_use]
    pub fn transaction(&self, step: &str) -> Option<B256> {
        self.steps.iter().find(|entry| entry.name == step)?.transaction
    }

    /// Notes a transaction before it leaves.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn sending(&mut self, step: &str, address: Address, transaction: B256) -> Result<(), JournalError> {
        self.entry(step, address).transaction = Some(transaction);
        self.write()
    }

    /// Notes that a step was seen on chain.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn done(&mut self, step: &str, address: Address) -> Result<(), JournalError> {
        let entry = self.entry(step, address);
        if entry.done {
            return Ok(());
        }
        entry.done = true;
        self.write()
    }

    fn entry(&mut self, step: &str, address: Address) -> &mut Entry {
        let place = self.steps.iter().position(|entry| entry.name == step).unwrap_or_else(|| {
            self.steps.push(Entry { name: step.to_owned(), address, transaction: None, done: false });
            self.steps.len() - 1
        });
        &mut self.steps[place]
    }

    /// Whole or not at all, and on the disk before the transaction leaves.
    fn write(&self) -> Result<(), JournalError> {
        let Some(path) = &self.path else { return Ok(()) };
        let write = || -> std::io::Result<()> {
            let partial = path.with_extension("partial");
            let mut file = File::create(&partial)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()?;
            fs::rename(&partial, path)
        };
        write().map_err(|source| JournalError::File { path: path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        Subject { chain_id: 1, founder: Address::repeat_byte(1), config: B256::ZERO, program: B256::ZERO }
    }

    #[test]
    fn a_journal_is_read_back_and_one_of_another_deployment_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deployment.json");
        assert!(Journal::open(&path, &subject()).unwrap().is_none());
        let base = BlockRef { number: 3, hash: B256::ZERO, parent: B256::ZERO, timestamp: 5 };
        let mut journal = Journal::begin(Some(&path), subject(), base, 6).unwrap();
        journal.sending("one", Address::repeat_byte(2), B256::repeat_byte(3)).unwrap();
        journal.sending("one", Address::repeat_byte(2), B256::repeat_byte(4)).unwrap();
        journal.done("one", Address::repeat_byte(2)).unwrap();
        let again = Journal::open(&path, &subject()).unwrap().unwrap();
        assert_eq!(again, journal);
        assert_eq!((again.transaction("one"), again.transaction("two")), (Some(B256::repeat_byte(4)), None));
        let others = [
            ("chain", Subject { chain_id: 2, ..subject() }),
            ("founder", Subject { founder: Address::ZERO, ..subject() }),
            ("configuration", Subject { config: B256::repeat_byte(1), ..subject() }),
            ("contracts' code", Subject { program: B256::repeat_byte(1), ..subject() }),
        ];
        for (what, other) in others {
            let error = Journal::open(&path, &other).unwrap_err().to_string();
            assert!(error.contains(what) && error.contains("deployment.json"), "{error}");
        }
        std::fs::write(&path, "{").unwrap();
        assert!(matches!(Journal::open(&path, &subject()).unwrap_err(), JournalError::Json { .. }));
    }
}
