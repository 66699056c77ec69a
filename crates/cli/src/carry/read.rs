//! An archive that a member brings: recognized by its manifest, and believed only where every file is what that says.

use super::{FORMAT, MANIFEST, Manifest, RECORDS, VERSION};
use crate::failure::{Failure, Kind};
use crate::when::{count, utc};
use alloy::primitives::B256;
use anyhow::{Result, anyhow, bail};
use rochdale_intake::plain;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek as _};
use std::path::Path;
use zip::ZipArchive;

/// Bytes of a manifest.
const MOST: u64 = 16 << 20;
/// So much an archive may unpack to in any case, or so many times its size: as an import takes any.
const ALWAYS: u64 = 256 << 20;
const RATIO: u64 = 200;

/// An archive whose files are what its manifest says.
pub struct Carried(Manifest);

/// What of an archive is read again nowhere.
const LEFT: [&str; 3] = [
    "consents were given to the cooperative that it comes from: what is given here stands under your consent here",
    "what you earned is an account, not money: it stays payable where it was earned (`rochdale member claim` there)",
    "scores are made anew here, by this cooperative's stewards",
];

impl Carried {
    /// As `--json` shows it.
    pub fn value(&self) -> Value {
        let Manifest { cooperative, member, epoch, written_at, records, files, .. } = &self.0;
        json!({
            "chain_id": cooperative.chain_id,
            "member": member,
            "epoch": epoch,
            "written_at": written_at,
            "records": records.len(),
            "files": files.len(),
            "not_carried_over": LEFT,
        })
    }

    /// As a person reads it.
    pub fn sentence(&self) -> String {
        let Manifest { cooperative, member, written_at, records, .. } = &self.0;
        let mut said = format!(
            "an archive of member {member} of the cooperative on chain {}, written at {}, whole and unchanged: {}",
            cooperative.chain_id,
            utc(*written_at),
            count(records.len() as u64, "record")
        );
        LEFT.iter().for_each(|left| said += &format!("\n  not carried over: {left}"));
        said
    }
}

/// The archive that a file is; nothing where it is another kind of file, which is looked through as any.
///
/// # Errors
/// Where it is an archive of this kind that is broken, was changed, or is of another version.
pub fn carried(path: &Path) -> Result<Option<Carried>> {
    let Ok(mut file) = File::open(path) else { return Ok(None) };
    if !file.metadata().is_ok_and(|about| about.is_file()) || !begins_as_zip(&mut file) {
        return Ok(None);
    }
    let size = file.metadata()?.len();
    // What cannot be read as a zip archive at all is said by what reads any.
    let Ok(mut archive) = ZipArchive::new(file) else { return Ok(None) };
    let says_so = archive.comment().starts_with(FORMAT.as_bytes());
    let refused = |why: String| {
        let why = plain(&why);
        let path = path.display();
        Failure::new(
            Kind::Failed,
            format!(
                "{path} is a member's archive, and nothing of it is taken: {why}. Export it again where it comes from"
            ),
        )
    };
    let value = manifest(&mut archive);
    let is_ours = value.as_ref().is_ok_and(|value| value["format"] == FORMAT);
    match (value, is_ours) {
        (Ok(value), true) => {
            let manifest = read(value).map_err(|error| refused(error.to_string()))?;
            check(&mut archive, &manifest, size).map_err(|error| refused(error.to_string()))?;
            Ok(Some(Carried(manifest)))
        }
        (Ok(_), false) if says_so => bail!(refused(format!("its {MANIFEST} does not say that it is one"))),
        (Err(error), _) if says_so => bail!(refused(format!("its {MANIFEST}: {error}"))),
        _ => Ok(None),
    }
}

fn begins_as_zip(file: &mut File) -> bool {
    let mut magic = [0; 4];
    file.read_exact(&mut magic).is_ok() && magic.starts_with(b"PK") && file.rewind().is_ok()
}

fn manifest(archive: &mut ZipArchive<File>) -> Result<Value> {
    let entry = archive.by_name(MANIFEST).map_err(|error| anyhow!("{error}"))?;
    let mut bytes = Vec::new();
    entry.take(MOST).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

fn read(value: Value) -> Result<Manifest> {
    let version = &value["version"];
    if *version != VERSION {
        bail!("it is of version {version}, this program reads version {VERSION}");
    }
    serde_json::from_value(value).map_err(|error| anyhow!("its {MANIFEST} is not understood: {error}"))
}

/// Holds every file against the manifest, and the manifest against the files.
fn check(archive: &mut ZipArchive<File>, manifest: &Manifest, size: u64) -> Result<()> {
    let mut room = size.saturating_mul(RATIO).max(ALWAYS);
    let mut seen = BTreeSet::new();
    for number in 0..archive.len() {
        let entry = archive.by_index(number).map_err(|error| anyhow!("file {} in it: {error}", number + 1))?;
        let name = entry.name().map_err(|error| anyhow!("file {} in it: {error}", number + 1))?.into_owned();
        if name == MANIFEST {
            continue;
        }
        let Some(expected) = manifest.files.get(&name) else { bail!("{name} is not listed in its {MANIFEST}") };
        let found = digest(entry, &mut room).map_err(|error| anyhow!("{name} in it: {error}"))?;
        if found != *expected {
            bail!("{name} in it was changed: its SHA-256 is {found}, listed is {expected}");
        }
        seen.insert(name);
    }
    if let Some(gone) = manifest.files.keys().find(|name| !seen.contains(*name)) {
        bail!("{gone} is listed in its {MANIFEST} and not there");
    }
    let listed: BTreeSet<&str> = manifest.records.iter().map(|record| record.file.as_str()).collect();
    let there: BTreeSet<&str> = seen.iter().map(String::as_str).filter(|name| name.starts_with(RECORDS)).collect();
    if let Some(odd) = listed.symmetric_difference(&there).next() {
        bail!("{odd} stands in one of its {MANIFEST}'s lists and not in the other");
    }
    Ok(())
}

fn digest(mut entry: impl Read, room: &mut u64) -> Result<B256> {
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let count = entry.read(&mut buffer)?;
        if count == 0 {
            return Ok(B256::from_slice(&hash.finalize()));
        }
        *room = room.checked_sub(count as u64).ok_or_else(|| anyhow!("it unpacks to more than any record does"))?;
        hash.update(&buffer[..count]);
    }
}
