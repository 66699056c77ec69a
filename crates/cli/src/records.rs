//! Reading FHIR R4 records from files and directories, one in memory at a time.

use anyhow::{Context, Result, bail};
use flate2::read::MultiGzDecoder;
use rochdale_core::fhir::{Limits, Piece, pieces};
use serde::Serialize;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// Records that may wait between the reader and the sealing of the ones before.
const AHEAD: usize = 2;

/// What a file gave.
pub enum Found {
    /// A patient's record: its name and the bytes to seal.
    Record {
        /// File and line.
        name: String,
        /// One FHIR bundle.
        bytes: Vec<u8>,
    },
    /// Passed over.
    Skipped(Skip),
}

/// An input that gave no record.
#[derive(Clone, Debug, Serialize)]
pub struct Skip {
    /// File and line.
    pub input: String,
    /// Why, and how to mend it.
    pub reason: String,
    /// Whether something is wrong with it, rather than it being nobody's record.
    pub fault: bool,
}

/// The files below `dir` that may hold records, in order of their paths.
pub fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(dir, &mut found)?;
    found.sort();
    if found.is_empty() {
        bail!("{} holds no .json, .ndjson, .jsonl or .gz file: name a directory of FHIR R4 bundles", dir.display());
    }
    Ok(found)
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("cannot read the directory {}", dir.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read the directory {}", dir.display()))?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            collect(&path, found)?;
        } else if looks_like_records(&path) {
            found.push(path);
        }
    }
    Ok(())
}

fn looks_like_records(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".json", ".ndjson", ".jsonl"].iter().any(|end| name.ends_with(end)) && !name.starts_with('.')
}

/// Reads `files` on a thread of its own; at most [`AHEAD`] records wait to be taken, at most `most` are read.
pub fn stream(files: Vec<PathBuf>, most: Option<usize>, limits: Limits) -> mpsc::Receiver<Found> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        let mut left = most.unwrap_or(usize::MAX);
        for path in files {
            for found in read(&path, limits) {
                if left == 0 {
                    return;
                }
                left -= usize::from(matches!(found, Found::Record { .. }));
                if sender.blocking_send(found).is_err() {
                    return;
                }
            }
        }
    });
    receiver
}

/// What one file gives; an unreadable file gives its fault.
pub fn read(path: &Path, limits: Limits) -> Box<dyn Iterator<Item = Found>> {
    let name = path.display().to_string();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return Box::new(std::iter::once(fault(name, format!("cannot be opened: {error}")))),
    };
    let compressed = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
    let reader: Box<dyn Read> = if compressed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    Box::new(pieces(&name, reader, limits).map(move |piece| match piece {
        Ok(Piece::Record(record)) => Found::Record { name: record.name, bytes: record.record.into_bytes() },
        Ok(Piece::Skipped(skipped)) => {
            Found::Skipped(Skip { input: skipped.name, reason: skipped.reason.to_string(), fault: false })
        }
        Err(error) => fault(name.clone(), error.to_string()),
    }))
}

fn fault(input: String, reason: String) -> Found {
    Found::Skipped(Skip { input, reason, fault: true })
}

/// The one record of a file that a person named.
pub fn single(path: &Path, limits: Limits) -> Result<Vec<u8>> {
    let mut records = Vec::new();
    for found in read(path, limits) {
        match found {
            Found::Record { bytes, .. } => records.push(bytes),
            Found::Skipped(skip) => bail!("{}: {}", skip.input, skip.reason),
        }
    }
    match records.len() {
        1 => records.pop().context("counted just now"),
        0 => bail!("{} holds no record", path.display()),
        n => bail!("{} holds the records of {n} patients; contribute one at a time", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_in_order_whatever_their_case_and_packing() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("b")).unwrap();
        for name in ["c.json.gz", "a.JSON", "b/x.ndjson", "notes.txt", ".hidden.json"] {
            std::fs::write(dir.path().join(name), b"").unwrap();
        }
        let found = files(dir.path()).unwrap();
        let names: Vec<_> = found.iter().map(|p| p.strip_prefix(dir.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.JSON", "b/x.ndjson", "c.json.gz"]);
    }

    #[test]
    fn a_directory_without_records_says_what_to_name() {
        let dir = tempfile::tempdir().unwrap();
        let error = files(dir.path()).unwrap_err().to_string();
        assert!(error.contains("name a directory of FHIR R4 bundles"), "{error}");
    }
}
