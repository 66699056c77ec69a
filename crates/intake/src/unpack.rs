//! From files to documents: gzip, zip and tar are unpacked as they are read. What is unpacked is never on a disk in the clear
//! ([`crate::spill`]).

use crate::card::{self, Cards, Issuers};
use crate::sniff::{HEAD, What};
use crate::{Counted, Reader, brief, shown};
use flate2::read::MultiGzDecoder;
use rochdale_core::fhir::{FhirError, Piece, pieces};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::path::{Component, Path};
use std::rc::Rc;

/// So many times its size an archive may unpack to; a record is seldom more than 60.
const RATIO: u64 = 200;
/// So much it may unpack to in any case.
const ALWAYS: u64 = 256 << 20;
/// Packings in packings.
const DEEPEST: u8 = 3;
/// Bytes of what a tar archive says of one file's name.
const MOST_NAMED: u64 = 1 << 20;
/// Bytes of a bulk export's manifest.
const MANIFEST: u64 = 16 << 20;

/// What may be unpacked of one file, and what was.
#[derive(Clone)]
struct Room {
    unpacked: Rc<Cell<u64>>,
    size: Rc<Cell<u64>>,
}

impl Room {
    /// Of a file of this size; of a pipe, nothing is known before it is read.
    fn of(size: u64) -> Self {
        Self { unpacked: Rc::default(), size: Rc::new(Cell::new(size)) }
    }

    /// Whether so much more may be unpacked.
    fn takes(&self, bytes: u64) -> bool {
        let unpacked = self.unpacked.get().saturating_add(bytes);
        self.unpacked.set(unpacked);
        unpacked <= self.size.get().saturating_mul(RATIO).max(ALWAYS)
    }
}

/// A pipe, whose room grows with what is read of it.
struct Piped<R> {
    inner: R,
    room: Room,
}

impl<R: Read> Read for Piped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.room.size.set(self.room.size.get().saturating_add(count as u64));
        Ok(count)
    }
}

/// Unpacks within the room.
struct Within<R> {
    inner: R,
    room: Room,
}

impl<R: Read> Read for Within<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if !self.room.takes(count as u64) {
            let why = format!("it unpacks to more than {RATIO} times its size, as no record does");
            return Err(io::Error::other(why));
        }
        Ok(count)
    }
}

/// The first bytes, and everything with them.
fn peek<'r>(mut reader: Box<dyn Read + 'r>) -> io::Result<(Vec<u8>, Box<dyn Read + 'r>)> {
    let mut head = Vec::new();
    reader.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Box::new(Cursor::new(head).chain(reader))))
}

impl Reader<'_> {
    /// Everything that a file gives.
    pub(crate) fn file(&mut self, path: &Path) -> ControlFlow<()> {
        let name = shown(path);
        let read = self.how.read.clone();
        if path == Path::new("-") {
            return self.piped(&name, Counted { inner: io::stdin(), read });
        }
        let opened = File::open(path).and_then(|file| {
            let size = file.metadata()?.len();
            let mut magic = Vec::new();
            (&file).take(4).read_to_end(&mut magic)?;
            io::Seek::rewind(&mut &file)?;
            Ok((file, size, What::of(&magic) == What::Zip))
        });
        match opened {
            Err(error) => {
                self.fault(&name, format!("cannot be opened: {error}; check that it is there and may be read"))
            }
            Ok((file, size, true)) => self.zip(&name, file, &Room::of(size)),
            Ok((file, size, false)) => self.stream(&name, Box::new(Counted { inner: file, read }), &Room::of(size), 0),
        }
    }

    /// Everything that a pipe gives.
    fn piped(&mut self, name: &str, inner: impl Read) -> ControlFlow<()> {
        let room = Room::of(0);
        self.stream(name, Box::new(Piped { inner, room: room.clone() }), &room, 0)
    }

    /// What a stream of bytes gives, by how it begins.
    fn stream<'r>(&mut self, name: &str, reader: Box<dyn Read + 'r>, room: &Room, depth: u8) -> ControlFlow<()> {
        let (head, reader) = match peek(reader) {
            Ok(both) => both,
            Err(error) => return self.fault(name, format!("cannot be read: {error}; check that it is complete")),
        };
        match What::of(&head) {
            What::Gzip | What::Tar if depth == DEEPEST => {
                self.fault(name, "packed in packings more than three deep, as no export is; unpack it first")
            }
            What::Gzip => {
                let inner = Within { inner: MultiGzDecoder::new(reader), room: room.clone() };
                self.stream(name, Box::new(inner), room, depth + 1)
            }
            What::Tar => self.tar(name, reader, room, depth + 1),
            What::Zip => self.fault(
                name,
                "a zip archive in another packing or on standard input; unpack that and give the zip file",
            ),
            What::Json => self.json(name, reader),
            What::Apple => self.apple(name, reader),
            What::CardFile => self.cards(name, reader, card::from_file),
            What::CardCodes => self.cards(name, reader, card::from_codes),
            What::Manifest => self.manifest(name, reader),
            What::Empty => self.skip(name, "is empty", false),
            What::Packed(what) => self.fault(name, what),
            What::Foreign(_) if name.ends_with("_cda.xml") && self.bulk.is_apples() => {
                self.skip(name, "an Apple Health export's samples as C-CDA: its export.xml has the same", false)
            }
            What::Foreign(what) => self.skip(name, what, true),
            What::Else(what) if is_named_json(name) => self.fault(name, format!("not JSON: {what}")),
            What::Else(what) => self.skip(name, what, false),
        }
    }

    fn json(&mut self, name: &str, reader: Box<dyn Read + '_>) -> ControlFlow<()> {
        for piece in pieces(name, reader, self.how.limits) {
            match piece {
                Ok(Piece::Record(source)) => self.record(source.name, source.record)?,
                Ok(Piece::Resource(lone)) => match self.bulk.foreign(&lone.name) {
                    Some(reason) => self.skip(&lone.name, reason, true)?,
                    None => self.bulk.take(&lone),
                },
                Ok(Piece::Skipped(skipped)) => self.skip(&skipped.name, skipped.reason.to_string(), false)?,
                Err(error) => {
                    // What is no bundle may have been a part of somebody's record.
                    if matches!(
                        error,
                        FhirError::TooLarge { .. }
                            | FhirError::NotJson { .. }
                            | FhirError::Encoding { .. }
                            | FhirError::Read { .. }
                    ) {
                        self.bulk.unread(name);
                    }
                    let (input, reason) = parted(&error.to_string(), name);
                    self.skip(&input, reason, true)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn apple(&mut self, name: &str, reader: Box<dyn Read + '_>) -> ControlFlow<()> {
        match crate::apple::read(reader, self.how.now) {
            Ok(export) => {
                let said = self.bulk.apple(name, export);
                self.skip(name, said, false)
            }
            Err(reason) => self.fault(name, reason),
        }
    }

    fn cards(
        &mut self,
        name: &str,
        reader: Box<dyn Read + '_>,
        form: fn(&[u8], &Issuers) -> Result<Cards, String>,
    ) -> ControlFlow<()> {
        let mut bytes = Vec::new();
        let read = reader.take(card::FILE + 1).read_to_end(&mut bytes).map_err(|error| error.to_string());
        let cards = read.and_then(|count| match count as u64 > card::FILE {
            true => Err(format!("SMART Health Cards of more than {} bytes, as no file of them has", card::FILE)),
            false => form(&bytes, &self.how.issuers),
        });
        match cards {
            Ok(cards) => {
                self.skip(name, cards.said, false)?;
                self.json(name, Box::new(Cursor::new(cards.bundle)))
            }
            Err(reason) => self.skip(name, reason, true),
        }
    }

    fn manifest(&mut self, name: &str, reader: Box<dyn Read + '_>) -> ControlFlow<()> {
        let mut bytes = Vec::new();
        let read = reader.take(MANIFEST).read_to_end(&mut bytes).map_err(|error| error.to_string());
        let listed = read.and_then(|_| serde_json::from_slice(&bytes).map_err(|error| error.to_string()));
        match listed {
            Ok(listed) => {
                self.bulk.manifest(name, listed);
                self.skip(
                    name,
                    "the list of a bulk export's files: what stands in it is held against what is here",
                    false,
                )
            }
            Err(error) => self.fault(
                name,
                format!("the list of a bulk export's files, which cannot be read: {error}; download it again"),
            ),
        }
    }

    fn zip(&mut self, name: &str, file: File, room: &Room) -> ControlFlow<()> {
        let size = file.metadata().map_or(0, |about| about.len());
        let mut archive = match zip::ZipArchive::new(file) {
            Ok(archive) => archive,
            Err(error) => {
                return self
                    .fault(name, format!("a zip archive that cannot be read: {error}; make or download it again"));
            }
        };
        // An Apple Health export's XML says what its clinical records are, so it is read before them.
        let is_xml = |number: usize| matches!(archive.name_for_index(number), Some(Ok(name)) if is_apples_list(Path::new(&*name)));
        let mut order: Vec<usize> = (0..archive.len()).collect();
        order.sort_by_cached_key(|number| !is_xml(*number));
        for number in order {
            let about = archive
                .by_index_raw(number)
                .map(|entry| (entry.name().map(|n| n.into_owned()), entry.encrypted(), entry.is_file()));
            let (own, encrypted) = match about {
                Ok((Ok(own), encrypted, true)) => (own, encrypted),
                Ok((_, _, false)) => continue,
                Ok((Err(error), ..)) | Err(error) => {
                    self.fault(
                        &format!("{name}, file {}", number + 1),
                        format!("cannot be read: {error}; make the archive again"),
                    )?;
                    continue;
                }
            };
            if self.how.inside.is_some_and(|begins| !own.starts_with(begins)) {
                continue;
            }
            let inside = format!("{name}: {}", brief(&own));
            if encrypted {
                self.fault(&inside, "encrypted; unpack the archive with its password and give what was in it")?;
            } else if !self.is_passed_over(&inside, &own)? {
                match archive.by_index(number) {
                    Ok(entry) => {
                        self.stream(&inside, Box::new(Within { inner: entry, room: room.clone() }), room, 1)?
                    }
                    Err(error) => self.fault(
                        &inside,
                        format!("cannot be unpacked: {error}; unpack the archive and give what was in it"),
                    )?,
                }
            }
        }
        self.how.read.fetch_add(size, std::sync::atomic::Ordering::Relaxed);
        ControlFlow::Continue(())
    }

    fn tar(&mut self, name: &str, reader: Box<dyn Read + '_>, room: &Room, depth: u8) -> ControlFlow<()> {
        let broken = |error: io::Error| {
            format!("a tar archive that cannot be read on from here: {error}; make or download it again")
        };
        let mut archive = tar::Archive::new(reader);
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => return self.fault(name, broken(error)),
        };
        // What stands before an entry and says more of it is read here: the library takes it into memory whole, however long.
        let mut long = None;
        for entry in entries.raw(true) {
            let mut entry = match entry {
                Ok(entry) => entry,
                // Its places are lost: what follows cannot be found.
                Err(error) => return self.fault(name, broken(error)),
            };
            let kind = entry.header().entry_type();
            if kind.is_pax_local_extensions() || kind.is_gnu_longname() {
                match long_name(&mut entry, kind) {
                    Ok(found) => long = found.or(long),
                    Err(error) => return self.fault(name, broken(error)),
                }
                continue;
            }
            if kind.is_pax_global_extensions() || kind.is_gnu_longlink() {
                continue;
            }
            let own = long.take().unwrap_or_else(|| String::from_utf8_lossy(&entry.path_bytes()).into_owned());
            let inside = format!("{name}: {}", brief(&own));
            if kind.is_dir() {
                continue;
            }
            if !kind.is_file() {
                self.skip(&inside, "a link or a device in an archive, which is not followed", false)?;
            } else if !self.is_passed_over(&inside, &own)? {
                self.stream(&inside, Box::new(entry), room, depth)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Whether a file in an archive is not read, by its name alone; it is named then.
    fn is_passed_over(&mut self, name: &str, inside: &str) -> ControlFlow<(), bool> {
        let parts = || Path::new(inside).components();
        let leaves =
            inside.contains('\\') || parts().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir));
        if leaves {
            self.fault(name, "its name leads out of the archive, as in one made to do harm; it is not read")?;
            return ControlFlow::Continue(true);
        }
        let hides =
            |part: Component<'_>| part.as_os_str().to_string_lossy().starts_with('.') && part != Component::CurDir;
        if parts().any(hides) || inside.starts_with("__MACOSX/") {
            self.skip(name, "a hidden file of an archive, which is not read", false)?;
            return ControlFlow::Continue(true);
        }
        ControlFlow::Continue(false)
    }
}

/// Whether a path may be that of an Apple Health export's XML, whatever the language of its phone.
pub(crate) fn is_apples_list(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".xml") && !name.ends_with("_cda.xml")
}

/// The name of the next entry of a tar archive, where one stands before it that says it.
fn long_name(entry: &mut impl Read, kind: tar::EntryType) -> io::Result<Option<String>> {
    let odd = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut bytes = Vec::new();
    entry.take(MOST_NAMED + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_NAMED {
        return Err(odd("what is said of a file's name is longer than 1 MiB"));
    }
    if kind.is_gnu_longname() {
        let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        return Ok(Some(String::from_utf8_lossy(name).into_owned()));
    }
    let mut name = None;
    for said in tar::PaxExtensions::new(&bytes) {
        let said = said?;
        match said.key_bytes() {
            b"path" => name = Some(String::from_utf8_lossy(said.value_bytes()).into_owned()),
            b"size" => return Err(odd("a file in it is larger than 8 GiB, or said to be")),
            _ => {}
        }
    }
    Ok(name)
}

/// Whether a name says that JSON is inside.
fn is_named_json(name: &str) -> bool {
    let name = name.to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".json", ".ndjson", ".jsonl", ".fhir"].iter().any(|end| name.ends_with(end))
}

/// The input with its line, and what was said of it.
fn parted(said: &str, name: &str) -> (String, String) {
    let rest = said.strip_prefix(name).unwrap_or(said);
    match rest.split_once(": ") {
        Some((line, reason)) if line.is_empty() || line.starts_with(", line ") => {
            (format!("{name}{line}"), reason.to_owned())
        }
        _ => (name.to_owned(), said.to_owned()),
    }
}
