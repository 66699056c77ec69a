//! The digests and commitments that leave a process: what is hashed is `keccak(abi.encode(TAG, …))`, with
//! `TAG = keccak("rochdale.<name>.v1")`, so that a digest made for one use can never stand for another.
//!
//! Whatever goes on chain is blinded by 256 random bits that erasure destroys; without them a small domain
//! (datasets, consent terms) could be guessed from its hash.

use alloy_primitives::{Address, B256, Keccak256, U256, keccak256};
use alloy_sol_types::SolValue;
use serde::Serialize;
use serde_json::Value;

use crate::ids::{ContributionId, DatasetId, Purpose};

/// What cannot be hashed in one agreed way.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CommitError {
    /// A number that is not an integer of at most 53 bits.
    #[error("{at}: {number} is not an integer within ±(2^53 − 1); send larger or fractional amounts as strings")]
    Number {
        /// JSON pointer to the number.
        at: String,
        /// The number as it was given.
        number: String,
    },
    /// The value does not map to JSON.
    #[error("the value has no JSON form: {0}")]
    Json(String),
    /// Ids must ascend, each once.
    #[error("contribution {next} after {previous}: the ids of a snapshot ascend and occur once")]
    Order {
        /// The id before.
        previous: ContributionId,
        /// The id that is not above it.
        next: ContributionId,
    },
}

/// `keccak("rochdale.<name>.v1")`, the first word of a tagged hash.
#[must_use]
pub fn tag(name: &str) -> B256 {
    let mut hash = Keccak256::new();
    hash.update(b"rochdale.");
    hash.update(name.as_bytes());
    hash.update(b".v1");
    hash.finalize()
}

/// `keccak(abi.encode(TAG, word…))` for words of static types.
fn tagged<const N: usize>(name: &str, words: [B256; N]) -> B256 {
    let mut hash = Keccak256::new();
    hash.update(tag(name));
    for word in words {
        hash.update(word);
    }
    hash.finalize()
}

/// An unsigned integer as an ABI word.
fn word(value: impl Into<u128>) -> B256 {
    B256::from(U256::from(value.into()))
}

/// The commitment that a contribution leaves on chain.
///
/// `header` is the envelope header's hash, `blob` the SHA-256 of the sealed bytes (so that nobody can swap them
/// after scoring), `deal` the hash of the Feldman commitments, `sealed_shares` that of [`sealed_shares`]. The
/// dataset stays private by the blinder.
#[must_use]
pub fn contribution(
    header: B256,
    blob: B256,
    deal: B256,
    sealed_shares: B256,
    dataset: DatasetId,
    blinder: B256,
) -> B256 {
    tagged("contribution", [header, blob, deal, sealed_shares, word(dataset.0), blinder])
}

/// `keccak(abi.encode(bytes[] sealedShares))`, in the order of the stewards' seats.
#[must_use]
pub fn sealed_shares<T: AsRef<[u8]>>(shares: &[T]) -> B256 {
    let shares: Vec<alloy_primitives::Bytes> =
        shares.iter().map(|share| alloy_primitives::Bytes::copy_from_slice(share.as_ref())).collect();
    keccak256(shares.abi_encode())
}

/// The commitment to a consent receipt: the receipt's digest is that of [`json`].
#[must_use]
pub fn consent(receipt_digest: B256, blinder: B256) -> B256 {
    tagged("consent", [receipt_digest, blinder])
}

/// The digest of a member's row key, named at admission and kept by Membership: 256 random bits need no blinder. A steward
/// that missed the sealed key can take it from a peer and check it against the chain, and a contest's key must fit it, so it
/// is the plain hash that `ContestVerifier` computes.
#[must_use]
pub fn row_key(key: B256) -> B256 {
    keccak256(key)
}

/// `keccak(abi.encode(bytes[] copies))` of a settlement sheet as sealed to each steward, in the order of the seats.
#[must_use]
pub fn sheet<T: AsRef<[u8]>>(copies: &[T]) -> B256 {
    sealed_shares(copies)
}

/// What a snapshot is made of: which records a query may touch, as of which block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot<'a> {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Address of the `ContributionRegistry`.
    pub registry: Address,
    /// The dataset asked for.
    pub dataset: DatasetId,
    /// The purpose that consents were matched against.
    pub purpose: Purpose,
    /// Hash of the block at which consent and membership were read.
    pub cut: B256,
    /// The records, ascending.
    pub ids: &'a [ContributionId],
}

impl Snapshot<'_> {
    /// `keccak(abi.encode(TAG, chainId, registry, datasetId, purpose, cutBlockHash, uint64[] ids, blinder))`: what stands on chain. Without the
    /// 256-bit blinder, ids are found by trying.
    ///
    /// # Errors
    /// Where the ids do not strictly ascend: the same records would have two digests.
    pub fn blinded_digest(&self, blinder: B256) -> Result<B256, CommitError> {
        if let Some(pair) = self.ids.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(CommitError::Order { previous: pair[0], next: pair[1] });
        }
        let ids: Vec<u64> = self.ids.iter().map(|id| id.0).collect();
        let fields = (
            tag("snapshot"),
            U256::from(self.chain_id),
            self.registry,
            U256::from(self.dataset.0),
            U256::from(self.purpose.0),
            self.cut,
            ids,
            blinder,
        );
        Ok(keccak256(fields.abi_encode_params()))
    }
}

/// What hides the ids in a snapshot's digest: 32 random bytes that the worker drew, under the EIP-712 digest of the order. The order is in
/// it so that no two debits share a digest, whatever a worker draws: who destroys the snapshot of one debit destroys no other's.
#[must_use]
pub fn snapshot_blinder(order: B256, drawn: B256) -> B256 {
    tagged("snapshot-blinder", [order, drawn])
}

/// What goes on chain of an answer: its digest with 256 random bits, without which a count could be guessed from it.
#[must_use]
pub fn answer(digest: B256, blinder: B256) -> B256 {
    tagged("answer", [digest, blinder])
}

/// keccak of the RFC 8785 form of `value`: the digest of a query, of a consent receipt.
///
/// # Errors
/// Where `value` has no JSON form, or holds a number that two implementations could print differently.
pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<B256, CommitError> {
    canonical_json(value).map(keccak256)
}

/// The RFC 8785 form of `value`, restricted to integers of at most 53 bits.
///
/// # Errors
/// As [`json`].
pub fn canonical_json<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CommitError> {
    let value = serde_json::to_value(value).map_err(|error| CommitError::Json(error.to_string()))?;
    only_integers(&value, &mut String::new())?;
    serde_jcs::to_vec(&value).map_err(|error| CommitError::Json(error.to_string()))
}

fn only_integers(value: &Value, at: &mut String) -> Result<(), CommitError> {
    const LIMIT: u64 = (1 << 53) - 1;
    let parent = at.len();
    match value {
        Value::Number(number) => {
            let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            if magnitude.is_none_or(|magnitude| magnitude > LIMIT) {
                let at = if at.is_empty() { "/".to_owned() } else { at.clone() };
                return Err(CommitError::Number { at, number: number.to_string() });
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                at.push_str(&format!("/{index}"));
                only_integers(item, at)?;
                at.truncate(parent);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                at.push('/');
                at.push_str(name);
                only_integers(item, at)?;
                at.truncate(parent);
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {

    use super::*;
    use alloy_primitives::{address, b256};
    use serde_json::json as j;

    #[test]
    fn tagged_words_equal_abi_encode() {
        let [a, b, c, d, e] = [1u8, 2, 3, 4, 5].map(B256::repeat_byte);
        let fields = (tag("contribution"), a, b, c, d, U256::from(7), e);
        assert_eq!(contribution(a, b, c, d, DatasetId(7), e), keccak256(fields.abi_encode_params()));
        assert_eq!(consent(a, b), keccak256((tag("consent"), a, b).abi_encode_params()));
        assert_eq!(tag("consent"), keccak256("rochdale.consent.v1"));
    }

    #[test]
    fn same_parts_under_another_tag_hash_differently() {
        let a = B256::repeat_byte(1);
        assert_ne!(tagged("consent", [a]), tagged("rowkey", [a]));
    }

    #[test]
    fn sealed_shares_are_encoded_as_an_array_of_bytes() {
        let by_hand = [
            "0000000000000000000000000000000000000000000000000000000000000020", // the array is at 0x20
            "0000000000000000000000000000000000000000000000000000000000000002", // two elements
            "0000000000000000000000000000000000000000000000000000000000000040",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "0000000000000000000000000000000000000000000000000000000000000001",
            "aa00000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000002",
            "bbcc000000000000000000000000000000000000000000000000000000000000",
        ]
        .concat();
        let expected = keccak256(alloy_primitives::hex::decode(by_hand).unwrap());
        assert_eq!(sealed_shares(&[&[0xaa][..], &[0xbb, 0xcc][..]]), expected);
    }

    #[test]
    fn a_snapshot_names_each_id_once_and_in_order() {
        let ids = [ContributionId(3), ContributionId(3)];
        let mut snapshot = Snapshot {
            chain_id: 31_337,
            registry: address!("00000000000000000000000000000000000000aa"),
            dataset: DatasetId(1),
            purpose: Purpose(6),
            cut: B256::repeat_byte(9),
            ids: &ids,
        };
        let error = CommitError::Order { previous: ContributionId(3), next: ContributionId(3) };
        let blinder = B256::repeat_byte(7);
        assert_eq!(snapshot.blinded_digest(blinder), Err(error));
        snapshot.ids = &ids[..1];
        let one = snapshot.blinded_digest(blinder).unwrap();
        assert_ne!(one, snapshot.blinded_digest(B256::repeat_byte(8)).unwrap());
        snapshot.purpose = Purpose(42);
        assert_ne!(one, snapshot.blinded_digest(blinder).unwrap());
        snapshot.ids = &[];
        snapshot.blinded_digest(blinder).unwrap();
    }

    #[test]
    fn one_draw_blinds_no_two_orders_alike() {
        let [one, two, drawn] = [1u8, 2, 7].map(B256::repeat_byte);
        let blinder = snapshot_blinder(one, drawn);
        assert_eq!(blinder, keccak256((tag("snapshot-blinder"), one, drawn).abi_encode_params()));
        assert_ne!(blinder, snapshot_blinder(two, drawn));
        assert_ne!(blinder, snapshot_blinder(one, two));
        assert_ne!(blinder, snapshot_blinder(drawn, one), "order and draw do not change places");
    }

    #[test]
    fn json_is_sorted_and_holds_integers_only() {
        assert_eq!(canonical_json(&j!({"b": [1, -2], "a": "é"})).unwrap(), r#"{"a":"é","b":[1,-2]}"#.as_bytes());
        let error = canonical_json(&j!({"a": [0, 1.5]})).unwrap_err();
        assert_eq!(error, CommitError::Number { at: "/a/1".into(), number: "1.5".into() });
        assert!(canonical_json(&j!(9_007_199_254_740_991u64)).is_ok());
        assert!(canonical_json(&j!(9_007_199_254_740_992u64)).is_err());
        assert!(canonical_json(&j!(-9_007_199_254_740_992i64)).is_err());
    }

    #[test]
    fn the_digest_of_json_is_pinned() {
        assert_eq!(json(&j!({})).unwrap(), b256!("b48d38f93eaa084033fc5970bf96e559c33c4cdc07d889ab00b4d63f9590739d"));
        assert_eq!(json(&j!({})).unwrap(), keccak256("{}"));
    }
}
