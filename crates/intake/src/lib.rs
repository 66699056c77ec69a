//! Records as people have them: files, folders, archives and bulk exports, turned into one record a patient.
//!
//! What a file is, its first bytes say and not its name ([`sniff`]). Gzip, zip and tar are unpacked as they are read, within
//! bounds ([`unpack`]); what stands a resource a line or a file, patients mixed, is put together by patient on disk
//! ([`bulk`]). The samples of an Apple Health export become a part of that ([`apple`]); SMART Health Cards are records of their
//! own ([`card`]). Everything that gives no record is named with the reason, so that what was found adds up to what was named.
//!
//! Whatever is given at once is one export: ids mean the same person in all of its files.

mod apple;
mod bulk;
mod card;
mod person;
mod sniff;
mod spill;
mod unpack;
mod walk;

pub use card::Issuers;
pub use person::Person;
pub use walk::{Files, files};

use alloy_primitives::B256;
use bulk::Bulk;
use rochdale_core::fhir::{Limits, Record, record_digest};
use rochdale_core::score::{Scored, score};
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How to read.
#[derive(Clone, Debug)]
pub struct How {
    /// What one record may be.
    pub limits: Limits,
    /// The time that records are scored as of, unix seconds.
    pub now: i64,
    /// Where resources of bulk exports lie until they are put together, sealed by a key that is never written.
    pub spill: PathBuf,
    /// Only the records of patients with these ids; of all where it is empty.
    pub only: Vec<String>,
    /// Of a zip archive only the files whose names in it begin so; the others are another kind of thing, which somebody else checked.
    pub inside: Option<&'static str>,
    /// By whose keys SMART Health Cards are checked; where it is empty, none is.
    pub issuers: Issuers,
    /// Counts the bytes of the files that were read.
    pub read: Arc<AtomicU64>,
}

impl How {
    /// With the usual limits, as of `now`, with the system's place for temporary files.
    #[must_use]
    pub fn new(now: i64) -> Self {
        Self {
            limits: Limits::default(),
            now,
            spill: std::env::temp_dir(),
            only: Vec::new(),
            inside: None,
            issuers: Issuers::default(),
            read: Arc::new(AtomicU64::new(0)),
        }
    }

    fn wants(&self, patient: Option<&str>) -> bool {
        self.only.is_empty() || patient.is_some_and(|id| self.only.iter().any(|only| only == id))
    }
}

/// What an input gave.
#[derive(Debug)]
pub enum Found {
    /// A patient's record.
    Record(Box<Taken>),
    /// Passed over.
    Skipped(Skip),
}

/// A patient's record.
#[derive(Debug)]
pub struct Taken {
    /// The file, with the line or the patient in it.
    pub name: String,
    /// The id of its Patient, where that has one.
    pub patient: Option<String>,
    /// What that says of who it is.
    pub person: Person,
    /// One FHIR document: what is sealed.
    pub bytes: Vec<u8>,
    /// Names its content, whatever its ids and wrapping.
    pub digest: B256,
    /// Its score, as of [`How::now`] and as if nobody had given the same before.
    pub scored: Scored,
}

/// An input that gave no record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skip {
    /// The file, with the line in it.
    pub input: String,
    /// Why, and how to mend it.
    pub reason: String,
    /// Whether something is wrong with it, rather than it being nobody's record.
    pub fault: bool,
}

/// Reads all of `files` as one export and hands over what they give, in the order of the files; records that are put together come last.
pub fn read(files: &Files, how: &How, take: &mut dyn FnMut(Found) -> ControlFlow<()>) -> ControlFlow<()> {
    // Whoever made the files chose their names and ids, and what messages quote of them reaches a terminal.
    let take = &mut |found| take(without_control(found));
    let mut reader = Reader { how, bulk: Bulk::new(&files.name, how), take };
    for skip in &files.skipped {
        if skip.fault {
            reader.bulk.unread(&skip.input);
        }
        reader.give(Found::Skipped(skip.clone()))?;
    }
    // An Apple Health export's XML says what its clinical records are, so it is read before them.
    let (lists, others): (Vec<_>, Vec<_>) = files.paths.iter().partition(|path| unpack::is_apples_list(path));
    for path in lists.into_iter().chain(others) {
        reader.file(path)?;
    }
    let Reader { bulk, take, .. } = reader;
    bulk.finish(take)
}

struct Reader<'a> {
    how: &'a How,
    bulk: Bulk<'a>,
    take: &'a mut dyn FnMut(Found) -> ControlFlow<()>,
}

impl Reader<'_> {
    fn give(&mut self, found: Found) -> ControlFlow<()> {
        (self.take)(found)
    }

    /// Something is wrong with an input: records may have been in it.
    fn fault(&mut self, input: &str, reason: impl Into<String>) -> ControlFlow<()> {
        self.bulk.unread(input);
        self.skip(input, reason, true)
    }

    fn skip(&mut self, input: &str, reason: impl Into<String>, fault: bool) -> ControlFlow<()> {
        self.give(Found::Skipped(Skip { input: input.to_owned(), reason: reason.into(), fault }))
    }

    fn record(&mut self, name: String, record: Record) -> ControlFlow<()> {
        match taken(self.how, name, record) {
            Some(taken) => self.give(Found::Record(Box::new(taken))),
            None => ControlFlow::Continue(()),
        }
    }
}

/// What is kept of a record; nothing where somebody else's was asked for.
fn taken(how: &How, name: String, record: Record) -> Option<Taken> {
    how.wants(record.patient().id()).then(|| kept(how, name, record))
}

/// What is kept of a record. Its parsed form is gone before anybody seals it.
fn kept(how: &How, name: String, record: Record) -> Taken {
    let patient = record.patient().id().map(str::to_owned);
    let person = Person::of(record.patient().value());
    let (digest, scored) = (record_digest(&record), score(&record, how.now, false));
    Taken { name, patient, person, digest, scored, bytes: record.into_bytes() }
}

/// A text for messages, without what moves a terminal's cursor or turns its line around.
#[must_use]
pub fn plain(text: &str) -> String {
    let moves = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if moves(c) { '?' } else { c }).collect()
}

/// As [`plain`], and no longer than a name is.
fn brief(text: &str) -> String {
    plain(text).chars().take(200).collect()
}

fn without_control(mut found: Found) -> Found {
    match &mut found {
        Found::Record(taken) => taken.name = plain(&taken.name),
        Found::Skipped(skip) => {
            skip.input = plain(&skip.input);
            skip.reason = plain(&skip.reason);
        }
    }
    found
}

/// The name that messages give a path.
fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { plain(&path.display().to_string()) }
}

/// Counts what passes.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: std::io::Read> std::io::Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
