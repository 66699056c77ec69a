//! JSON as one list of nodes over the text it was read from.
//!
//! A record is megabytes of small objects. Read into a tree of maps and strings it takes many times its size and most of
//! the time; here a value is sixteen bytes that say where its text lies. `serde_json` parses, so that numbers, depth
//! (128) and messages are its own.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::hash::{Hash as _, Hasher};

/// A parsed document with its text.
#[derive(Clone)]
pub struct Document {
    text: String,
    /// Strings that the text holds with escapes, without them.
    unescaped: String,
    nodes: Vec<Node>,
    /// Whether any object names a field twice.
    repeats: bool,
}

/// One value, in the order of the text. What follows an array or object is its inside, up to `end`; an object's is a
/// key and a value in turn.
#[derive(Clone, Copy, Debug)]
enum Node {
    Null,
    Bool(bool),
    Natural(u64),
    Negative(i64),
    Float(f64),
    Text {
        from: u32,
        length: u32,
    },
    Unescaped {
        from: u32,
        length: u32,
    },
    Array {
        end: u32,
    },
    Object {
        end: u32,
    },
    /// A key that a later one of the same object repeats: the later one counts, as in a map.
    Repeated,
}

impl Document {
    /// Most bytes of a text: places are counted in 32 bits.
    pub const MOST_BYTES: usize = u32::MAX as usize;

    /// Parses at most [`Document::MOST_BYTES`].
    ///
    /// # Errors
    /// As `serde_json` finds them, with line and column; and what could not be parsed.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, (serde_json::Error, Vec<u8>)> {
        if bytes.len() > Self::MOST_BYTES {
            return Err((serde::de::Error::custom("longer than 4 GiB"), bytes));
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => return Err((not_unicode(error.as_bytes()), error.into_bytes())),
        };
        match Self::nodes(&text) {
            Ok((nodes, unescaped)) => {
                let repeats = nodes.iter().any(|node| matches!(node, Node::Repeated));
                Ok(Self { text, unescaped, nodes, repeats })
            }
            Err(error) => Err((error, text.into_bytes())),
        }
    }

    fn nodes(text: &str) -> Result<(Vec<Node>, String), serde_json::Error> {
        // A node is at least a byte of text and most often fifteen or more, blanks included.
        let mut builder = Builder { text, unescaped: String::new(), nodes: Vec::with_capacity(text.len() / 16) };
        let mut parser = serde_json::Deserializer::from_str(text);
        builder.deserialize(&mut parser)?;
        parser.end()?;
        Ok((builder.nodes, builder.unescaped))
    }

    /// The text that was parsed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text that was parsed, without the rest.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    /// The outermost value.
    #[must_use]
    pub fn root(&self) -> Json<'_> {
        self.value_at(0)
    }

    /// The value at a place that [`Json::place`] gave.
    pub(super) fn value_at(&self, place: u32) -> Json<'_> {
        Json { document: self, place }
    }

    /// Whether an object within a value names a field twice.
    pub(super) fn repeats_within(&self, value: Json<'_>) -> bool {
        let (from, to) = (value.place as usize, self.after(value.place) as usize);
        self.repeats && self.nodes.get(from..to).is_some_and(|nodes| nodes.iter().any(|n| matches!(n, Node::Repeated)))
    }

    fn node(&self, place: u32) -> Node {
        self.nodes.get(place as usize).copied().unwrap_or(Node::Null)
    }

    /// The place after the value at a place.
    fn after(&self, place: u32) -> u32 {
        match self.node(place) {
            Node::Array { end } | Node::Object { end } => end,
            _ => place + 1,
        }
    }

    fn string(&self, node: Node) -> Option<&str> {
        let (text, from, length) = match node {
            Node::Text { from, length } => (&self.text, from, length),
            Node::Unescaped { from, length } => (&self.unescaped, from, length),
            _ => return None,
        };
        text.get(from as usize..from as usize + length as usize)
    }

    /// Whether a string lies at a place, and is this one. Most differ by their length alone.
    fn is_text(&self, place: u32, expected: &str) -> bool {
        match self.nodes.get(place as usize) {
            Some(Node::Text { from, length }) if *length as usize == expected.len() => {
                self.text.as_bytes().get(*from as usize..).is_some_and(|rest| rest.starts_with(expected.as_bytes()))
            }
            Some(node @ Node::Unescaped { .. }) => self.string(*node) == Some(expected),
            _ => false,
        }
    }
}

impl fmt::Debug for Document {
    /// Its sizes: the content is a patient's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} bytes, {} nodes)", self.text.len(), self.nodes.len())
    }
}

/// What `serde_json` says of bytes that are no UTF-8, with line and column.
fn not_unicode(bytes: &[u8]) -> serde_json::Error {
    // It cannot find nothing: only strings may hold more than ASCII, and it reads every string.
    let found = serde_json::from_slice::<serde_json::Value>(bytes).err();
    found.unwrap_or_else(|| serde::de::Error::custom("invalid unicode code point"))
}

/// A value of a [`Document`].
#[derive(Clone, Copy)]
pub struct Json<'a> {
    document: &'a Document,
    place: u32,
}

impl<'a> Json<'a> {
    fn node(self) -> Node {
        self.document.node(self.place)
    }

    /// Where it lies in its document.
    pub(super) fn place(self) -> u32 {
        self.place
    }

    /// The value of an object's field; `None` where it has none, or is no object.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        let Node::Object { end } = self.node() else { return None };
        let mut place = self.place + 1;
        while place < end {
            if self.document.is_text(place, key) {
                return Some(self.document.value_at(place + 1));
            }
            place = self.document.after(place + 1);
        }
        None
    }

    /// The fields of an object in the order of the text; none where it is something else.
    #[must_use]
    pub fn fields(self) -> Fields<'a> {
        let end = if let Node::Object { end } = self.node() { end } else { 0 };
        Fields { document: self.document, next: self.place + 1, end }
    }

    /// The items of an array; none where it is something else.
    #[must_use]
    pub fn items(self) -> Items<'a> {
        let end = if let Node::Array { end } = self.node() { end } else { 0 };
        Items { document: self.document, next: self.place + 1, end }
    }

    /// An array's items, or what is no array itself: how FHIR's elements are read that may be one or many.
    #[must_use]
    pub fn one_or_many(self) -> Items<'a> {
        if self.is_array() { self.items() } else { self.alone() }
    }

    /// The value as the only one of a list.
    #[must_use]
    pub fn alone(self) -> Items<'a> {
        Items { document: self.document, next: self.place, end: self.document.after(self.place) }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        self.document.string(self.node())
    }

    /// As [`Json::as_str`], of a string that stands in the text as it is, without any escape.
    pub(super) fn as_plain_str(self) -> Option<&'a str> {
        if let node @ Node::Text { .. } = self.node() { self.document.string(node) } else { None }
    }

    /// A truth value.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        if let Node::Bool(truth) = self.node() { Some(truth) } else { None }
    }

    /// A number as it was parsed.
    #[must_use]
    pub fn as_number(self) -> Option<Number> {
        match self.node() {
            Node::Natural(number) => Some(Number::Natural(number)),
            Node::Negative(number) => Some(Number::Negative(number)),
            Node::Float(number) => Some(Number::Float(number)),
            _ => None,
        }
    }

    /// Feeds everything that it says to a hasher, fields in the order of the text. Depth is bounded by the parser.
    pub(crate) fn hash_into(self, hasher: &mut impl Hasher) {
        match self.node() {
            Node::Null | Node::Repeated => hasher.write_u8(0),
            Node::Bool(truth) => hasher.write_u8(1 + u8::from(truth)),
            Node::Natural(number) => hasher.write_u64(number),
            Node::Negative(number) => hasher.write_i64(number),
            Node::Float(number) => hasher.write_u64(number.to_bits()),
            Node::Text { .. } | Node::Unescaped { .. } => self.as_str().hash(hasher),
            Node::Array { .. } => self.items().for_each(|item| item.hash_into(hasher)),
            Node::Object { .. } => self.fields().for_each(|(key, value)| {
                key.hash(hasher);
                value.hash_into(hasher);
            }),
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        matches!(self.node(), Node::Null)
    }

    /// Whether it is an array.
    #[must_use]
    pub fn is_array(self) -> bool {
        matches!(self.node(), Node::Array { .. })
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        matches!(self.node(), Node::Object { .. })
    }
}

impl fmt::Debug for Json<'_> {
    /// Its place: the content is a patient's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({})", self.place)
    }
}

/// A number of JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Zero or more, without fraction or exponent.
    Natural(u64),
    /// Less than zero, without fraction or exponent.
    Negative(i64),
    /// A number that is no integer of 64 bits.
    Float(f64),
}

/// The fields of an object.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    document: &'a Document,
    next: u32,
    end: u32,
}

impl<'a> Fields<'a> {
    /// As [`Iterator::next`], the key as the string that it is.
    pub(super) fn next_pair(&mut self) -> Option<(Json<'a>, Json<'a>)> {
        while self.next < self.end {
            let (key, value) = (self.next, self.next + 1);
            self.next = self.document.after(value);
            if !matches!(self.document.node(key), Node::Repeated) {
                return Some((self.document.value_at(key), self.document.value_at(value)));
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.next_pair().map(|(key, value)| (key.as_str().unwrap_or_default(), value))
    }
}

/// The items of an array.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    document: &'a Document,
    next: u32,
    end: u32,
}

impl<'a> Iterator for Items<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        (self.next < self.end).then(|| {
            let item = self.document.value_at(self.next);
            self.next = self.document.after(self.next);
            item
        })
    }
}

/// What parsing leaves.
struct Builder<'t> {
    text: &'t str,
    unescaped: String,
    nodes: Vec<Node>,
}

/// Places and lengths are at most [`Document::MOST_BYTES`].
fn short(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Keys of an object that are compared as they come; of more, all are sorted once.
const FEW: usize = 32;

impl Builder<'_> {
    /// A few bytes that most often tell the key pushed last from its neighbours.
    fn print_of_last(&self) -> u32 {
        let key = self.nodes.last().and_then(|node| self.string(*node)).unwrap_or_default().as_bytes();
        let byte = |place: usize| key.get(place).copied().unwrap_or_default();
        u32::from_le_bytes([byte(0), byte(key.len() / 2), byte(key.len().wrapping_sub(1)), short(key.len()) as u8])
    }

    fn string(&self, node: Node) -> Option<&str> {
        match node {
            Node::Text { from, length } => self.text.get(from as usize..from as usize + length as usize),
            Node::Unescaped { from, length } => self.unescaped.get(from as usize..from as usize + length as usize),
            _ => None,
        }
    }

    /// Takes away the keys of the object at `own` that a later one repeats.
    fn drop_repeated(&mut self, own: usize) {
        let mut keys: Vec<(&str, usize)> = Vec::new();
        let mut place = own + 1;
        while place < self.nodes.len() {
            keys.push((self.string(self.nodes[place]).unwrap_or_default(), place));
            place = match self.nodes[place + 1] {
                Node::Array { end } | Node::Object { end } => end as usize,
                _ => place + 2,
            };
        }
        keys.sort_unstable();
        let repeated: Vec<usize> = keys.windows(2).filter(|two| two[0].0 == two[1].0).map(|two| two[0].1).collect();
        repeated.into_iter().for_each(|place| self.nodes[place] = Node::Repeated);
    }
}

impl<'de> DeserializeSeed<'de> for &mut Builder<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Builder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.nodes.push(Node::Null);
        Ok(())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.nodes.push(Node::Bool(truth));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.nodes.push(Node::Natural(number));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.nodes.push(Node::Negative(number));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.nodes.push(Node::Float(number));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        // The parser hands out a part of its text where that holds no escape.
        let from = short(text.as_ptr() as usize - self.text.as_ptr() as usize);
        self.nodes.push(Node::Text { from, length: short(text.len()) });
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let from = short(self.unescaped.len());
        self.unescaped.push_str(text);
        self.nodes.push(Node::Unescaped { from, length: short(text.len()) });
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let own = self.nodes.len();
        self.nodes.push(Node::Array { end: 0 });
        while items.next_element_seed(&mut *self)?.is_some() {}
        self.nodes[own] = Node::Array { end: short(self.nodes.len()) };
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let own = self.nodes.len();
        self.nodes.push(Node::Object { end: 0 });
        let (mut prints, mut count, mut suspect) = ([0u32; FEW], 0, false);
        while fields.next_key_seed(&mut *self)?.is_some() {
            let print = self.print_of_last();
            match prints.get_mut(count) {
                Some(free) => *free = print,
                None => suspect = true,
            }
            suspect |= prints[..count.min(FEW)].contains(&print);
            count += 1;
            fields.next_value_seed(&mut *self)?;
        }
        if suspect {
            self.drop_repeated(own);
        }
        self.nodes[own] = Node::Object { end: short(self.nodes.len()) };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::testing::json;
    use proptest::prelude::*;
    use serde_json::Value;

    /// As a tree, field by field through [`Json::get`], which must find what iterating shows.
    fn tree(value: Json<'_>) -> Value {
        if let Some(number) = value.as_number() {
            return match number {
                Number::Natural(number) => number.into(),
                Number::Negative(number) => number.into(),
                Number::Float(number) => number.into(),
            };
        }
        if value.is_object() {
            let field = |(key, inner): (&str, Json<'_>)| {
                assert_eq!(value.get(key).map(Json::place), Some(inner.place()));
                (key.to_owned(), tree(inner))
            };
            return Value::Object(value.fields().map(field).collect());
        }
        if value.is_array() {
            return value.items().map(tree).collect();
        }
        value.as_str().map(Value::from).or(value.as_bool().map(Value::from)).unwrap_or(Value::Null)
    }

    fn parsed(text: &str) -> Value {
        tree(Document::parse(text.into()).unwrap().root())
    }

    proptest! {
        #[test]
        fn is_what_serde_json_reads(value in json()) {
            prop_assert_eq!(parsed(&value.to_string()), value.clone());
            prop_assert_eq!(parsed(&serde_json::to_string_pretty(&value).unwrap()), value);
        }

        #[test]
        fn of_repeated_keys_the_last_counts(keys in proptest::collection::vec("[ab\u{e9}\"\n]{0,2}", 0..90)) {
            let fields = keys.iter().enumerate().map(|(n, key)| format!("{}:[{n},{{\"a\":{n}}}]", Value::from(key.as_str())));
            let text = format!("{{{}}}", fields.collect::<Vec<_>>().join(","));
            prop_assert_eq!(parsed(&text), serde_json::from_str::<Value>(&text).unwrap());
        }

        #[test]
        fn refuses_as_serde_json_does(bytes in proptest::collection::vec(any::<u8>(), 0..40), around in 0usize..3) {
            let bytes = match around {
                0 => bytes,
                1 => [b"{\"a\":\"".as_slice(), &bytes, b"\"}"].concat(),
                _ => [b"[1.5e3,".as_slice(), &bytes].concat(),
            };
            let theirs = serde_json::from_slice::<Value>(&bytes).map_err(|error| error.to_string());
            let ours = Document::parse(bytes.clone()).map(|document| tree(document.root()));
            match (ours, theirs) {
                (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
                (Err((error, given_back)), Err(theirs)) => {
                    prop_assert_eq!(error.to_string(), theirs);
                    prop_assert_eq!(given_back, bytes);
                }
                (ours, theirs) => prop_assert!(false, "{:?} {:?}", ours, theirs),
            }
        }
    }

    #[test]
    fn a_value_takes_sixteen_bytes() {
        assert_eq!(size_of::<Node>(), 16);
    }

    #[test]
    fn what_it_prints_is_no_content() {
        let document = Document::parse(b"{\"name\":\"Ada\"}".to_vec()).unwrap();
        assert_eq!(format!("{document:?} {:?}", document.root()), "Document(14 bytes, 3 nodes) Json(0)");
    }
}
