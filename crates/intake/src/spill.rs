//! Resources of a bulk export on disk, in parts by patient, so that one part after the other can be put together.
//!
//! The files have no name and are gone when the process ends, however it ends; what is in them is sealed by a key that
//! lives in memory alone, so that no copy of a record stays on a disk that nobody cleans.

use aes_gcm::{Aes256Gcm, KeyInit, Nonce, Tag, aead::AeadInOut};
use rand::RngExt as _;
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Parts of an export. In memory are the index of one part at a time and that of what is put together across parts, never
/// their resources.
const PARTS: usize = 128;
/// The part that is read last.
pub const LAST: usize = PARTS - 1;
/// The part of what belongs to no patient by itself.
pub const SHARED: usize = PARTS;
/// Bytes that wait in memory to be written, of each part.
const WAITING: usize = 16 << 10;
/// Bytes of a tag of AES-GCM, and of the length before it.
const BEFORE: usize = 4 + 16;

/// Whom a resource is kept for. What says nobody's id is under none that an export could have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whose {
    /// The patient with this id.
    Id(String),
    /// The Patient that has no id.
    NoId,
    /// It does not say by reference whom it is about.
    Unsaid,
}

impl Whose {
    /// A byte, and the id where there is one.
    fn written(&self) -> (u8, &str) {
        match self {
            Self::Id(id) => (0, id),
            Self::NoId => (1, ""),
            Self::Unsaid => (2, ""),
        }
    }

    fn read(kind: u8, id: String) -> Option<Self> {
        match kind {
            0 => Some(Self::Id(id)),
            1 => Some(Self::NoId),
            2 => Some(Self::Unsaid),
            _ => None,
        }
    }
}

/// Where something lies.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    part: usize,
    at: u64,
    /// Bytes of the resource.
    pub length: u32,
}

/// A resource as it lies in a part.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept {
    /// The patient that it is about.
    pub patient: Whose,
    /// The file and line that it came from.
    pub name: String,
    /// Whether it is the Patient itself.
    pub is_patient: bool,
    /// Its text.
    pub text: Vec<u8>,
}

/// The parts.
pub struct Spill {
    dir: PathBuf,
    cipher: Aes256Gcm,
    parts: Vec<Option<Part>>,
}

struct Part {
    file: BufWriter<File>,
    length: u64,
}

impl Spill {
    pub fn new(dir: &Path) -> Self {
        let key: [u8; 32] = rand::rng().random();
        let parts = std::iter::repeat_with(|| None).take(PARTS + 1).collect();
        Self { dir: dir.to_owned(), cipher: Aes256Gcm::new(&key.into()), parts }
    }

    /// The part of a patient.
    pub fn part_of(patient: &Whose) -> usize {
        let mut hasher = DefaultHasher::new();
        patient.hash(&mut hasher);
        usize::try_from(hasher.finish() % PARTS as u64).unwrap_or(0)
    }

    /// All parts of patients that hold something.
    pub fn parts(&self) -> impl Iterator<Item = usize> + use<> {
        let filled: Vec<usize> = (0..PARTS).filter(|part| self.parts[*part].is_some()).collect();
        filled.into_iter()
    }

    /// Puts a resource into a part.
    pub fn put(&mut self, part: usize, kept: &Kept) -> io::Result<Place> {
        let length = u32::try_from(kept.text.len()).map_err(io::Error::other)?;
        let (kind, id) = kept.patient.written();
        let mut bytes = Vec::with_capacity(kept.text.len() + id.len() + kept.name.len() + 16);
        bytes.extend([u8::from(kept.is_patient), kind]);
        for word in [id, &kept.name] {
            bytes.extend(u32::try_from(word.len()).map_err(io::Error::other)?.to_le_bytes());
            bytes.extend(word.as_bytes());
        }
        bytes.extend(&kept.text);
        let at = self.parts[part].as_ref().map_or(0, |part| part.length);
        let sealed = self.cipher.encrypt_inout_detached(&nonce(part, at), &[], bytes.as_mut_slice().into());
        let tag = sealed.map_err(|_| io::Error::other("cannot be sealed"))?;
        if self.parts[part].is_none() {
            let file = BufWriter::with_capacity(WAITING, tempfile::tempfile_in(&self.dir)?);
            self.parts[part] = Some(Part { file, length: 0 });
        }
        let Some(own) = &mut self.parts[part] else { return Err(io::Error::other("no part")) };
        own.file.write_all(&u32::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes())?;
        own.file.write_all(&tag)?;
        own.file.write_all(&bytes)?;
        own.length += (BEFORE + bytes.len()) as u64;
        Ok(Place { part, at, length })
    }

    /// What is still in memory goes to the disk: nothing is read before.
    pub fn flush(&mut self) -> io::Result<()> {
        self.parts.iter_mut().flatten().try_for_each(|part| part.file.flush())
    }

    /// A resource, and where the next one of its part lies.
    fn at(&self, part: usize, at: u64) -> io::Result<(Kept, u64)> {
        let Some(own) = &self.parts[part] else { return Err(io::Error::other("no part")) };
        let file = own.file.get_ref();
        let mut before = [0; BEFORE];
        file.read_exact_at(&mut before, at)?;
        let (length, tag) = before.split_at(4);
        let length = length.try_into().map(u32::from_le_bytes).map_err(io::Error::other)?;
        let mut bytes = vec![0; length as usize];
        file.read_exact_at(&mut bytes, at + BEFORE as u64)?;
        let tag = Tag::try_from(tag).map_err(io::Error::other)?;
        let opened = self.cipher.decrypt_inout_detached(&nonce(part, at), &[], bytes.as_mut_slice().into(), &tag);
        opened.map_err(|_| io::Error::other("what lay there was changed meanwhile"))?;
        let next = at + (BEFORE + bytes.len()) as u64;
        let kept = parse(bytes).ok_or_else(|| io::Error::other("what lay there was changed meanwhile"))?;
        Ok((kept, next))
    }

    /// One resource.
    pub fn get(&self, place: Place) -> io::Result<Kept> {
        Ok(self.at(place.part, place.at)?.0)
    }

    /// Goes through a part, one resource in memory at a time.
    pub fn each(&self, part: usize, mut see: impl FnMut(Place, Kept)) -> io::Result<()> {
        let end = self.parts[part].as_ref().map_or(0, |part| part.length);
        let mut at = 0;
        while at < end {
            let (kept, next) = self.at(part, at)?;
            let length = u32::try_from(kept.text.len()).map_err(io::Error::other)?;
            see(Place { part, at, length }, kept);
            at = next;
        }
        Ok(())
    }

    /// Gives a part's room on the disk back.
    pub fn forget(&mut self, part: usize) {
        self.parts[part] = None;
    }
}

/// Never twice: a part only grows.
fn nonce(part: usize, at: u64) -> Nonce<aes_gcm::aead::consts::U12> {
    let mut nonce = [0; 12];
    nonce[..4].copy_from_slice(&u32::try_from(part).unwrap_or(u32::MAX).to_le_bytes());
    nonce[4..].copy_from_slice(&at.to_le_bytes());
    nonce.into()
}

fn parse(mut bytes: Vec<u8>) -> Option<Kept> {
    let mut from = 2;
    let mut word = || {
        let length = u32::from_le_bytes(bytes.get(from..from + 4)?.try_into().ok()?) as usize;
        let word = String::from_utf8(bytes.get(from + 4..from + 4 + length)?.to_vec()).ok()?;
        from += 4 + length;
        Some(word)
    };
    let (patient, name) = (word()?, word()?);
    let patient = Whose::read(*bytes.get(1)?, patient)?;
    let is_patient = *bytes.first()? == 1;
    bytes.drain(..from);
    Some(Kept { patient, name, is_patient, text: bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_comes_back_and_does_not_lie_there_in_the_clear() {
        let mut spill = Spill::new(&std::env::temp_dir());
        let kept = |patient: &str, text: &str| Kept {
            patient: Whose::Id(patient.to_owned()),
            name: "a.ndjson, line 1".to_owned(),
            is_patient: false,
            text: text.as_bytes().to_vec(),
        };
        let part = Spill::part_of(&Whose::Id("ada".to_owned()));
        let first = spill.put(part, &kept("ada", "{\"secret\":1}")).unwrap();
        let second = spill.put(part, &kept("ada", "{}")).unwrap();
        spill.flush().unwrap();
        assert_eq!(spill.get(first).unwrap(), kept("ada", "{\"secret\":1}"));
        assert_eq!(spill.get(second).unwrap(), kept("ada", "{}"));
        let mut seen = Vec::new();
        spill.each(part, |place, kept| seen.push((place.length, kept.text))).unwrap();
        assert_eq!(seen, [(12, b"{\"secret\":1}".to_vec()), (2, b"{}".to_vec())]);
        let own = spill.parts[part].as_ref().unwrap();
        let mut lies = vec![0; usize::try_from(own.length).unwrap()];
        own.file.get_ref().read_exact_at(&mut lies, 0).unwrap();
        assert!(!lies.windows(6).any(|bytes| bytes == b"secret"), "in the clear");
        own.file.get_ref().write_all_at(b"x", 30).unwrap();
        assert!(spill.get(first).unwrap_err().to_string().contains("changed meanwhile"));
    }
}
