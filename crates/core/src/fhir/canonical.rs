//! RFC 8785 (JCS) bytes of JSON, and the digest by which a duplicate record is known.

use super::record::Record;
use alloy_primitives::{B256, Keccak256, keccak256};
use serde_json::{Map, Value};
use std::io::{self, Write};

/// The RFC 8785 form of a JSON value.
///
/// Written here instead of by `serde_jcs`, which buffers every object as a tree of serialized pieces: records are
/// megabytes, and hashing needs no copy. A property test holds the two equal.
#[must_use]
pub fn canonical_json(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory does not fail.
    let _ = write_value(&mut bytes, value, Mode::Exact);
    bytes
}

/// Names the content of a record: equal for the same facts under other ids, another wrapping (bundle type, NDJSON,
/// spelling of the JSON), another order of entries, other narrative or version metadata.
///
/// `keccak("rochdale.record.v1" hashed, then the sorted keccaks of the resources)`; a resource is hashed as its JCS without
/// its own `id`, `meta`, `text`, `fullUrl` and without the `reference` strings inside, which only repeat those ids.
#[must_use]
pub fn record_digest(record: &Record) -> B256 {
    let mut leaves: Vec<B256> = record
        .resources()
        .iter()
        .map(|resource| {
            let mut hasher = Hasher(Keccak256::new());
            // Hashing does not fail.
            let _ = write_value(&mut hasher, resource.value(), Mode::Resource);
            hasher.0.finalize()
        })
        .collect();
    leaves.sort_unstable();
    let mut hasher = Keccak256::new();
    hasher.update(keccak256("rochdale.record.v1"));
    leaves.iter().for_each(|leaf| hasher.update(leaf));
    hasher.finalize()
}

struct Hasher(Keccak256);

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is left out of objects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Exact,
    /// A resource: its ids and narrative.
    Resource,
    /// Inside a resource: references.
    Element,
}

impl Mode {
    fn keeps(self, key: &str) -> bool {
        match self {
            Self::Exact => true,
            Self::Resource => !matches!(key, "id" | "meta" | "text"),
            Self::Element => key != "reference",
        }
    }

    fn inside(self) -> Self {
        if self == Self::Exact { Self::Exact } else { Self::Element }
    }
}

fn write_value<W: Write>(out: &mut W, value: &Value, mode: Mode) -> io::Result<()> {
    match value {
        Value::Null => out.write_all(b"null"),
        Value::Bool(true) => out.write_all(b"true"),
        Value::Bool(false) => out.write_all(b"false"),
        // Number formatting is the subtle part of RFC 8785; it is left to the library made for it.
        Value::Number(number) => match serde_jcs::to_vec(number) {
            Ok(bytes) => out.write_all(&bytes),
            Err(_) => out.write_all(number.to_string().as_bytes()),
        },
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            out.write_all(b"[")?;
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.write_all(b",")?;
                }
                write_value(out, item, mode.inside())?;
            }
            out.write_all(b"]")
        }
        Value::Object(fields) => write_object(out, fields, mode),
    }
}

fn write_object<W: Write>(out: &mut W, fields: &Map<String, Value>, mode: Mode) -> io::Result<()> {
    let mut sorted: Vec<(&String, &Value)> = fields.iter().filter(|(key, _)| mode.keeps(key)).collect();
    // RFC 8785 sorts by UTF-16 units; bytes give the same order where all is ASCII.
    if sorted.iter().all(|(key, _)| key.is_ascii()) {
        sorted.sort_unstable_by_key(|(key, _)| *key);
    } else {
        sorted.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    }
    out.write_all(b"{")?;
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        write_text(out, key)?;
        out.write_all(b":")?;
        write_value(out, value, mode.inside())?;
    }
    out.write_all(b"}")
}

/// A string as RFC 8785 escapes it, which is how `serde_json` does.
fn write_text<W: Write>(out: &mut W, text: &str) -> io::Result<()> {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.write_all(b"\"")?;
        out.write_all(text.as_bytes())?;
        return out.write_all(b"\"");
    }
    serde_json::to_writer(out, text).map_err(io::Error::from)
}
