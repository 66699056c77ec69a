//! RFC 8785 (JCS) bytes of JSON.

use super::json::{Json, Number};

/// The RFC 8785 form of a JSON value.
///
/// Written here instead of by `serde_jcs`, which buffers every object as a tree of serialized pieces: records are
/// megabytes, and hashing needs no copy. A property test holds the two equal.
#[must_use]
pub(super) fn canonical(value: Json<'_>) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.value(value, Mode::Exact);
    writer.out
}

/// What is left out of objects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
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

/// What is written, and the fields of the objects that are being written.
#[derive(Default)]
pub(super) struct Writer<'a> {
    pub(super) out: Vec<u8>,
    fields: Vec<(&'a str, Json<'a>, Json<'a>)>,
}

impl<'a> Writer<'a> {
    pub(super) fn value(&mut self, value: Json<'a>, mode: Mode) {
        if value.as_str().is_some() {
            self.text(value);
        } else if value.is_object() {
            self.object(value, mode);
        } else if value.is_array() {
            self.out.push(b'[');
            for (index, item) in value.items().enumerate() {
                if index > 0 {
                    self.out.push(b',');
                }
                self.value(item, mode.inside());
            }
            self.out.push(b']');
        } else if let Some(number) = value.as_number() {
            self.number(number);
        } else {
            self.out.extend_from_slice(match value.as_bool() {
                Some(true) => b"true",
                Some(false) => b"false",
                None => b"null",
            });
        }
    }

    /// Number formatting is the subtle part of RFC 8785: beyond small integers it is left to the library made for it.
    fn number(&mut self, number: Number) {
        let written = match number {
            Number::Natural(whole) if whole < 1 << 53 => Ok(whole.to_string().into_bytes()),
            Number::Negative(whole) if whole > -(1 << 53) => Ok(whole.to_string().into_bytes()),
            Number::Natural(whole) => serde_jcs::to_vec(&whole),
            Number::Negative(whole) => serde_jcs::to_vec(&whole),
            Number::Float(float) => serde_jcs::to_vec(&float),
        };
        // What was parsed is finite, and writing a finite number to memory does not fail.
        self.out.extend(written.unwrap_or_default());
    }

    fn object(&mut self, object: Json<'a>, mode: Mode) {
        let from = self.fields.len();
        let mut fields = object.fields();
        while let Some((key, value)) = fields.next_pair() {
            let name = key.as_str().unwrap_or_default();
            if mode.keeps(name) {
                self.fields.push((name, key, value));
            }
        }
        let own = &mut self.fields[from..];
        // RFC 8785 sorts by UTF-16 units; bytes give the same order where all is ASCII.
        if own.iter().all(|(name, ..)| name.is_ascii()) {
            own.sort_unstable_by_key(|(name, ..)| *name);
        } else {
            own.sort_unstable_by(|(a, ..), (b, ..)| a.encode_utf16().cmp(b.encode_utf16()));
        }
        self.out.push(b'{');
        for index in from..self.fields.len() {
            let (_, key, value) = self.fields[index];
            if index > from {
                self.out.push(b',');
            }
            self.text(key);
            self.out.push(b':');
            self.value(value, mode.inside());
        }
        self.out.push(b'}');
        self.fields.truncate(from);
    }

    /// A string as RFC 8785 escapes it, which is how `serde_json` does: one that was written without escapes needs none.
    fn text(&mut self, text: Json<'_>) {
        if let Some(plain) = text.as_plain_str() {
            self.out.push(b'"');
            self.out.extend_from_slice(plain.as_bytes());
            self.out.push(b'"');
        } else {
            // Writing a string to memory does not fail.
            let _ = serde_json::to_writer(&mut self.out, text.as_str().unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::json::Document;
    use crate::fhir::testing::json;
    use proptest::prelude::*;

    fn canonical_of(text: &str) -> Vec<u8> {
        canonical(Document::parse(text.into()).unwrap().root())
    }

    proptest! {
        #[test]
        fn agrees_with_the_library(value in json()) {
            let text = value.to_string();
            prop_assert_eq!(canonical_of(&text), serde_jcs::to_vec(&value).unwrap());
        }
    }

    #[test]
    fn sorts_by_utf16_and_writes_numbers_as_ecmascript() {
        let text = "{\"\u{1F600}\":1e21,\"\u{FB33}\":-0.0,\"a\":[9007199254740993,1.0,\"\\u0007\\/\"]}";
        let expected = "{\"a\":[9007199254740992,1,\"\\u0007/\"],\"\u{1F600}\":1e+21,\"\u{FB33}\":0}";
        assert_eq!(String::from_utf8(canonical_of(text)).unwrap(), expected);
    }
}
