//! From a reader to patient bundles, one in memory at a time.

use super::error::FhirError;
use super::json::{Document, Json};
use super::listing::{Limits, is_type, not_fhir, not_json, parse};
use super::record::Record;
use std::fmt;
use std::io::{BufRead, BufReader, Read};

/// A record with its name.
#[derive(Debug)]
pub struct SourceRecord {
    /// The input's name, with the line in an NDJSON file.
    pub name: String,
    /// The record, with the bytes of it alone.
    pub record: Record,
}

/// A resource outside any bundle.
#[derive(Debug)]
pub struct LoneResource {
    /// The input's name, with the line in an NDJSON file.
    pub name: String,
    /// The resource: an object with a type that is no container.
    pub document: Document,
}

/// Why an input was passed over though nothing is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// A bundle of hospitals, practitioners and the like.
    NoPatient,
    /// Nothing in it.
    Empty,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPatient => f.write_str("holds no Patient, so it is nobody's record"),
            Self::Empty => f.write_str("is empty"),
        }
    }
}

/// An input that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The input's name, with the line in an NDJSON file.
    pub name: String,
    /// The reason.
    pub reason: SkipReason,
}

/// What one stretch of an input gave.
#[derive(Debug)]
pub enum Piece {
    /// A patient's record.
    Record(Box<SourceRecord>),
    /// A resource that stands alone or on a line of its own, as in bulk exports: a part of somebody's record.
    Resource(Box<LoneResource>),
    /// Nothing to read, for a reason that is no fault.
    Skipped(Skipped),
}

/// Splits an input into records: one JSON document, or one a line (NDJSON).
///
/// At most one record's bytes and its parsed form are held, and never more than `limits.record_bytes` are read ahead.
/// Compressed files are unpacked by the caller. After an error the iterator goes on with the next line, if there are lines.
pub fn pieces<R: Read>(name: &str, reader: R, limits: Limits) -> Pieces<R> {
    Pieces {
        name: name.to_owned(),
        reader: BufReader::with_capacity(1 << 16, reader),
        limits,
        line: 0,
        state: State::Start,
    }
}

/// The iterator of [`pieces`].
pub struct Pieces<R> {
    name: String,
    reader: BufReader<R>,
    limits: Limits,
    line: u64,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Start,
    Lines,
    Done,
}

/// One line or the lack of it.
enum Line {
    Text(Vec<u8>),
    TooLong,
    End,
}

impl<R: Read> Iterator for Pieces<R> {
    type Item = Result<Piece, FhirError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.state {
            State::Start => Some(self.start()),
            State::Lines => self.next_line(),
            State::Done => None,
        }
    }
}

impl<R: Read> Pieces<R> {
    /// The first line decides: a whole JSON object on it and more to come means a document a line.
    fn start(&mut self) -> Result<Piece, FhirError> {
        self.state = State::Done;
        let bytes = loop {
            match self.line()? {
                Line::Text(mut bytes) => {
                    if self.line == 1 && bytes.starts_with(b"\xEF\xBB\xBF") {
                        bytes.drain(..3);
                    }
                    if !bytes.trim_ascii().is_empty() {
                        break bytes;
                    }
                }
                Line::TooLong => return Err(self.too_large(self.name.clone())),
                Line::End => return Ok(self.skipped(SkipReason::Empty)),
            }
        };
        let line_name = self.line_name();
        if !bytes.trim_ascii().ends_with(b"}") {
            return self.document(bytes);
        }
        match (Document::parse(bytes), self.peek()?) {
            (Ok(document), None) => classify(self.name.clone(), document),
            (Ok(document), Some(_)) => {
                self.state = State::Lines;
                classify(line_name, document)
            }
            (Err((error, bytes)), Some(b'{')) if !error.is_eof() => {
                self.state = State::Lines;
                Err(not_json(&line_name, &error, &bytes))
            }
            (Err((error, bytes)), None) => Err(not_json(&self.name, &error, &bytes)),
            (Err((_, bytes)), Some(_)) => self.document(bytes),
        }
    }

    /// The rest of the input belongs to the same document.
    fn document(&mut self, mut bytes: Vec<u8>) -> Result<Piece, FhirError> {
        let room = self.limits.record_bytes.saturating_sub(bytes.len()) as u64;
        let read = self.reader.by_ref().take(room + 1).read_to_end(&mut bytes);
        read.map_err(|source| FhirError::Read { name: self.name.clone(), source })?;
        if bytes.len() > self.limits.record_bytes {
            return Err(self.too_large(self.name.clone()));
        }
        classify(self.name.clone(), parse(&self.name, bytes, self.limits)?)
    }

    fn next_line(&mut self) -> Option<Result<Piece, FhirError>> {
        loop {
            let bytes = match self.line() {
                Ok(Line::Text(bytes)) => bytes,
                Ok(Line::TooLong) => return Some(Err(self.too_large(self.line_name()))),
                Ok(Line::End) => {
                    self.state = State::Done;
                    return None;
                }
                Err(error) => {
                    self.state = State::Done;
                    return Some(Err(error));
                }
            };
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let name = self.line_name();
            return Some(parse(&name, bytes, self.limits).and_then(|document| classify(name, document)));
        }
    }

    /// Reads up to the next line feed; what is too long is passed over without being held.
    fn line(&mut self) -> Result<Line, FhirError> {
        self.line += 1;
        let mut bytes = Vec::new();
        let limit = self.limits.record_bytes as u64;
        let read = self.reader.by_ref().take(limit + 1).read_until(b'\n', &mut bytes);
        let read = read.map_err(|source| FhirError::Read { name: self.name.clone(), source })?;
        if read == 0 {
            return Ok(Line::End);
        }
        if bytes.len() > self.limits.record_bytes && bytes.last() != Some(&b'\n') {
            if self.state == State::Lines {
                let rest = self.reader.skip_until(b'\n');
                rest.map_err(|source| FhirError::Read { name: self.name.clone(), source })?;
            }
            return Ok(Line::TooLong);
        }
        Ok(Line::Text(bytes))
    }

    /// The next byte that is not blank, without taking it; `None` at the end.
    fn peek(&mut self) -> Result<Option<u8>, FhirError> {
        loop {
            let buffer =
                self.reader.fill_buf().map_err(|source| FhirError::Read { name: self.name.clone(), source })?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let blank = buffer.iter().take_while(|b| b.is_ascii_whitespace()).count();
            if let Some(byte) = buffer.get(blank) {
                return Ok(Some(*byte));
            }
            self.line += buffer.iter().filter(|b| **b == b'\n').count() as u64;
            self.reader.consume(blank);
        }
    }

    fn line_name(&self) -> String {
        format!("{}, line {}", self.name, self.line)
    }

    fn too_large(&self, name: String) -> FhirError {
        FhirError::TooLarge { name, limit: self.limits.record_bytes }
    }

    fn skipped(&self, reason: SkipReason) -> Piece {
        Piece::Skipped(Skipped { name: self.name.clone(), reason })
    }
}

// Not generic over the reader: compiled with this crate's optimization, whoever calls it.

fn classify(name: String, document: Document) -> Result<Piece, FhirError> {
    let root = document.root();
    if root.is_array() {
        return Err(not_fhir(&name, "the document", "a list"));
    }
    let kind = root.get("resourceType").and_then(Json::as_str);
    if kind.is_some_and(|kind| is_type(kind) && !matches!(kind, "Bundle" | "Parameters")) {
        return Ok(Piece::Resource(Box::new(LoneResource { name, document })));
    }
    match Record::from_document(&name, document) {
        Ok(record) => Ok(Piece::Record(Box::new(SourceRecord { name, record }))),
        Err(FhirError::NoPatient { name }) => Ok(Piece::Skipped(Skipped { name, reason: SkipReason::NoPatient })),
        Err(error) => Err(error),
    }
}
