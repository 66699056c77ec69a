//! RFC 8785 (JCS) bytes of JSON, and the digest by which a duplicate record is known.

use super::record::Record;
use alloy_primitives::{B256, Keccak256, keccak256};
use serde_json::{Map, Number, Value};

/// The RFC 8785 form of a JSON value.
///
/// Written here instead of by `serde_jcs`, which buffers every object as a tree of serialized pieces: records are
/// megabytes, and hashing needs no copy. A property test holds the two equal.
#[must_use]
pub fn canonical_json(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_value(&mut bytes, value, Mode::Exact);
    bytes
}

/// Names the content of a record: equal for the same facts under other ids, another wrapping (bundle type, NDJSON,
/// spelling of the JSON), another order of entries, other narrative or version metadata.
///
/// `keccak("rochdale.record.v1" hashed, then the sorted keccaks of the resources)`; a resource is hashed as its JCS without
/// its own `id`, `meta`, `text`, `fullUrl` and without the `reference` strings inside, which only repeat those ids.
#[must_use]
pub fn record_digest(record: &Record) -> B256 {
    let mut bytes = Vec::new();
    let mut leaves: Vec<B256> = record
        .resources()
        .iter()
        .map(|resource| {
            bytes.clear();
            write_value(&mut bytes, resource.value(), Mode::Resource);
            keccak256(&bytes)
        })
        .collect();
    leaves.sort_unstable();
    let mut hasher = Keccak256::new();
    hasher.update(keccak256("rochdale.record.v1"));
    leaves.iter().for_each(|leaf| hasher.update(leaf));
    hasher.finalize()
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

fn write_value(out: &mut Vec<u8>, value: &Value, mode: Mode) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(out, number),
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(out, item, mode.inside());
            }
            out.push(b']');
        }
        Value::Object(fields) => write_object(out, fields, mode),
    }
}

/// Number formatting is the subtle part of RFC 8785: beyond small integers it is left to the library made for it.
fn write_number(out: &mut Vec<u8>, number: &Number) {
    match number.as_i64().filter(|n| n.unsigned_abs() < 1 << 53) {
        Some(whole) => out.extend_from_slice(whole.to_string().as_bytes()),
        None => out.extend_from_slice(&serde_jcs::to_vec(number).unwrap_or_else(|_| number.to_string().into_bytes())),
    }
}

fn write_object(out: &mut Vec<u8>, fields: &Map<String, Value>, mode: Mode) {
    let mut sorted: Vec<(&String, &Value)> = fields.iter().filter(|(key, _)| mode.keeps(key)).collect();
    // RFC 8785 sorts by UTF-16 units; bytes give the same order where all is ASCII.
    if sorted.iter().all(|(key, _)| key.is_ascii()) {
        sorted.sort_unstable_by_key(|(key, _)| *key);
    } else {
        sorted.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    }
    out.push(b'{');
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_text(out, key);
        out.push(b':');
        write_value(out, value, mode.inside());
    }
    out.push(b'}');
}

/// A string as RFC 8785 escapes it, which is how `serde_json` does.
fn write_text(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing a string to memory does not fail.
        let _ = serde_json::to_writer(out, text);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fhir::testing::json;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_the_library(value in json()) {
            prop_assert_eq!(canonical_json(&value), serde_jcs::to_vec(&value).unwrap());
        }
    }

    #[test]
    fn sorts_by_utf16_and_writes_numbers_as_ecmascript() {
        let value: Value =
            serde_json::from_str("{\"\u{1F600}\":1e21,\"\u{FB33}\":-0.0,\"a\":[9007199254740993,1.0,\"\\u0007\\/\"]}")
                .unwrap();
        let expected = "{\"a\":[9007199254740992,1,\"\\u0007/\"],\"\u{1F600}\":1e+21,\"\u{FB33}\":0}";
        assert_eq!(String::from_utf8(canonical_json(&value)).unwrap(), expected);
    }
}
