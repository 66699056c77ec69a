//! The shapes in which records are exported.

use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use std::io::Write;

/// How a record is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Shape {
    /// A transaction bundle a file, `urn:uuid` full URLs: as Synthea writes it.
    Transaction,
    /// The same as a batch.
    Batch,
    /// A collection a file, without ids: `urn:uuid` full URLs alone name the resources.
    Collection,
    /// A search result a file, with absolute URLs and relative references.
    Searchset,
    /// One file, a transaction bundle a line.
    Ndjson,
    /// A gzipped transaction bundle a file.
    Gz,
}

impl Shape {
    /// All shapes.
    pub const ALL: [Self; 6] =
        [Self::Transaction, Self::Batch, Self::Collection, Self::Searchset, Self::Ndjson, Self::Gz];

    /// The end of a file name of this shape.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Gz => "json.gz",
            _ => "json",
        }
    }

    /// Rewraps a transaction bundle with `urn:uuid` full URLs.
    #[must_use]
    pub fn wrap(self, mut bundle: Value) -> Value {
        match self {
            Self::Transaction | Self::Ndjson | Self::Gz => {}
            Self::Batch => bundle["type"] = json!("batch"),
            Self::Collection => {
                bundle["type"] = json!("collection");
                each_entry(&mut bundle, |entry| {
                    remove(entry, "request");
                    entry.get_mut("resource").into_iter().for_each(|r| remove(r, "id"));
                });
            }
            Self::Searchset => searchset(&mut bundle),
        }
        bundle
    }

    /// The bytes of one record in this shape; an NDJSON line ends with a line feed.
    ///
    /// # Errors
    /// Where memory cannot be written, which does not happen.
    pub fn bytes(self, bundle: Value) -> std::io::Result<Vec<u8>> {
        let bundle = self.wrap(bundle);
        match self {
            Self::Ndjson => {
                let mut line = serde_json::to_vec(&bundle)?;
                line.push(b'\n');
                Ok(line)
            }
            Self::Gz => {
                // No time stamp: the same patient gives the same bytes.
                let mut packed = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
                packed.write_all(&serde_json::to_vec(&bundle)?)?;
                packed.finish()
            }
            _ => Ok(serde_json::to_vec_pretty(&bundle)?),
        }
    }
}

pub(crate) fn each_entry(bundle: &mut Value, mut change: impl FnMut(&mut Value)) {
    bundle.get_mut("entry").and_then(Value::as_array_mut).into_iter().flatten().for_each(&mut change);
}

pub(crate) fn remove(value: &mut Value, field: &str) {
    if let Some(fields) = value.as_object_mut() {
        fields.remove(field);
    }
}

fn searchset(bundle: &mut Value) {
    bundle["type"] = json!("searchset");
    bundle["total"] = json!(bundle["entry"].as_array().map_or(0, Vec::len));
    bundle["link"] = json!([{ "relation": "self", "url": "https://fhir.example.org/r4/Patient/$everything" }]);
    let mut names = std::collections::HashMap::new();
    each_entry(bundle, |entry| {
        remove(entry, "request");
        let name = format!(
            "{}/{}",
            entry["resource"]["resourceType"].as_str().unwrap_or(""),
            entry["resource"]["id"].as_str().unwrap_or("")
        );
        let old = entry["fullUrl"].as_str().unwrap_or("").to_owned();
        entry["fullUrl"] = json!(format!("https://fhir.example.org/r4/{name}"));
        entry["search"] = json!({ "mode": "match" });
        names.insert(old, name);
    });
    each_entry(bundle, |entry| rename(&mut entry["resource"], &names));
}

fn rename(value: &mut Value, names: &std::collections::HashMap<String, String>) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(key, inner)| match inner {
            Value::String(text) if key == "reference" => {
                if let Some(name) = names.get(text.as_str()) {
                    text.clone_from(name);
                }
            }
            _ => rename(inner, names),
        }),
        Value::Array(items) => items.iter_mut().for_each(|inner| rename(inner, names)),
        _ => {}
    }
}
