//! The files below a folder, and what is not read of it.

use crate::{Skip, shown};
use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

/// What was named, as files in order of their paths.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// What was named.
    pub name: String,
    /// The files.
    pub paths: Vec<PathBuf>,
    /// What is no file to read, each with the reason.
    pub skipped: Vec<Skip>,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Folders in folders; deeper ones are no export.
const DEEPEST: usize = 32;

/// Lists a file, or everything below a folder; `-` is standard input.
///
/// # Errors
/// Where it is not there or cannot be looked at.
pub fn files(path: &Path) -> io::Result<Files> {
    let mut found = Files { name: shown(path), ..Files::default() };
    if path == Path::new("-") {
        found.paths.push(path.to_owned());
        return Ok(found);
    }
    let about = std::fs::metadata(path)?;
    if about.is_dir() {
        folder(path, 0, &mut found)?;
        found.paths.sort();
        found.skipped.sort_by(|a, b| a.input.cmp(&b.input));
    } else {
        found.bytes = about.len();
        found.paths.push(path.to_owned());
    }
    Ok(found)
}

fn folder(dir: &Path, depth: usize, found: &mut Files) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if let Some((reason, fault)) = unread(&path, kind, depth) {
            found.skipped.push(Skip { input: shown(&path), reason: reason.to_owned(), fault });
        } else if kind.is_dir() {
            if let Err(error) = folder(&path, depth + 1, found) {
                let reason = format!("cannot be looked into: {error}; check its permissions");
                found.skipped.push(Skip { input: shown(&path), reason, fault: true });
            }
        } else {
            found.bytes += entry.metadata().map_or(0, |about| about.len());
            found.paths.push(path);
        }
    }
    Ok(())
}

/// Why something in a folder is not read, and whether a record may have been in it.
fn unread(path: &Path, kind: FileType, depth: usize) -> Option<(&'static str, bool)> {
    if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
        return Some((if kind.is_dir() { HIDDEN_FOLDER } else { HIDDEN_FILE }, false));
    }
    if kind.is_symlink() {
        return match std::fs::metadata(path) {
            Ok(target) if target.is_file() => None,
            Ok(target) if target.is_dir() => {
                Some(("a link to a folder, which is not followed; name that folder", true))
            }
            _ => Some(("a link to nothing that can be read", true)),
        };
    }
    if kind.is_dir() {
        return (depth >= DEEPEST)
            .then_some(("a folder too deep below the one that was named; name it by itself", true));
    }
    (!kind.is_file()).then_some(("no file (a device, pipe or socket)", false))
}

const HIDDEN_FILE: &str =
    "a hidden file (its name begins with a dot), which is not read; rename it if it holds a record";
const HIDDEN_FOLDER: &str =
    "a hidden folder (its name begins with a dot), which is not looked into; name it by itself if it holds records";
