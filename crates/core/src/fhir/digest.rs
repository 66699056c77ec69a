//! The digest by which a duplicate record is known.

use super::canonical::{Mode, Writer};
use super::record::Record;
use alloy_primitives::{B256, Keccak256, keccak256};

/// Names the content of a record: equal for the same facts under other ids, another wrapping (bundle type, NDJSON,
/// spelling of the JSON), another order of entries, other narrative or version metadata.
///
/// `keccak("rochdale.record.v1" hashed, then the sorted keccaks of the resources)`; a resource is hashed as its JCS without
/// its own `id`, `meta`, `text`, `fullUrl` and without the `reference` strings inside, which only repeat those ids.
#[must_use]
pub fn record_digest(record: &Record) -> B256 {
    let mut writer = Writer::default();
    let mut leaves: Vec<B256> = record
        .resources()
        .map(|resource| {
            writer.out.clear();
            writer.value(resource.value(), Mode::Resource);
            keccak256(&writer.out)
        })
        .collect();
    leaves.sort_unstable();
    let mut hasher = Keccak256::new();
    hasher.update(keccak256("rochdale.record.v1"));
    leaves.iter().for_each(|leaf| hasher.update(leaf));
    hasher.finalize()
}
