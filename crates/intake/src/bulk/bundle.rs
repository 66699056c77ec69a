//! A patient's resources as one document.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// A bundle that grows, each resource once.
pub struct Bundle {
    pub text: Vec<u8>,
    seen: HashSet<u64>,
}

impl Bundle {
    pub fn new(room: usize) -> Self {
        let mut text = Vec::with_capacity(room);
        text.extend(br#"{"resourceType":"Bundle","type":"collection","entry":["#);
        Self { text, seen: HashSet::new() }
    }

    pub fn push(&mut self, resource: &[u8]) {
        let mut hasher = DefaultHasher::new();
        resource.hash(&mut hasher);
        if self.seen.insert(hasher.finish()) {
            let comma: &[u8] = if self.text.ends_with(b"[") { b"" } else { b"," };
            [comma, b"{\"resource\":", resource, b"}"].into_iter().for_each(|bytes| self.text.extend(bytes));
        }
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.text.extend(b"]}");
        self.text
    }
}
