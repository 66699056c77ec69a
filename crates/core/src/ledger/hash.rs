//! Salts, blinders and leaves.

use alloy_primitives::{B256, U256, b256, keccak256};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::inputs::Inputs;
use super::row::{Amounts, Row};
use super::words::Words;
use crate::ids::{Epoch, MemberId};

/// The private hash of whoever erased everything: `keccak` of thirteen zero words.
pub const CLOSED_PRIVATE: B256 = b256!("52dc602ad0566ec8b1415ecdf5806c731a4c2868fc8a971dc12e9c6df26470f8");

fn keyed(row_key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = [0; 64]; // HMAC pads a key to the hash's block with zeros: no length can be wrong
    block[..32].copy_from_slice(row_key);
    Hmac::new(&block.into())
}

fn mac(mut keyed: Hmac<Sha256>, message: &[&[u8]]) -> B256 {
    for part in message {
        keyed.update(part);
    }
    B256::from_slice(&keyed.finalize().into_bytes())
}

/// The salt of a member's row in epoch `epoch`: HMAC-SHA-256(row key, epoch as u64 big-endian).
#[must_use]
pub fn salt(row_key: &[u8; 32], epoch: Epoch) -> B256 {
    mac(keyed(row_key), &[&u64::from(epoch.0).to_be_bytes()])
}

/// The blinder of an active member's inputs: HMAC-SHA-256(row key, "rochdale.inputs.v1" ‖ epoch as u64 big-endian). Every steward
/// derives the same one, and showing it opens no row.
#[must_use]
pub fn input_blinder(row_key: &[u8; 32], epoch: Epoch) -> B256 {
    mac(keyed(row_key), &[b"rochdale.inputs.v1", &u64::from(epoch.0).to_be_bytes()])
}

/// [`salt`] and [`input_blinder`] of one epoch; the key is prepared once for both.
pub(super) fn secrets(row_key: &[u8; 32], epoch: Epoch) -> (B256, B256) {
    let (keyed, epoch) = (keyed(row_key), u64::from(epoch.0).to_be_bytes());
    (mac(keyed.clone(), &[&epoch]), mac(keyed, &[b"rochdale.inputs.v1", &epoch]))
}

/// The twelve private words of a row, in the order of its hash; the salt follows them.
#[must_use]
pub fn private_words(row: &Row) -> [u128; 12] {
    [
        row.cash_earned,
        row.cash_streaming,
        row.data_earned,
        row.gov_earned,
        row.data_locked,
        row.data_vesting,
        row.gov_locked,
        row.gov_vesting,
        row.usage_weight,
        row.streak.into(),
        row.last_contribution.into(),
        row.join_epoch.into(),
    ]
}

/// The private part of a leaf. A closed row has [`CLOSED_PRIVATE`], whatever the salt.
#[must_use]
pub fn private_hash(row: &Row, salt: B256) -> B256 {
    if row.closed {
        return CLOSED_PRIVATE;
    }
    let mut words = Words::<{ 32 * 13 }>::new();
    for (index, value) in private_words(row).into_iter().enumerate() {
        words.set(index, value);
    }
    words.set_word(12, salt);
    keccak256(words.bytes())
}

/// `keccak(bytes.concat(keccak(abi.encode(memberId, cash, stream, data, gov, private))))`: hashed twice, so that no inner node
/// can be shown as a leaf.
#[must_use]
pub fn leaf(member: MemberId, amounts: &Amounts, private: B256) -> B256 {
    let mut words = Words::<{ 32 * 6 }>::new();
    words.set(0, member.0);
    words.set(1, amounts.cash);
    words.set(2, amounts.stream);
    words.set(3, amounts.data);
    words.set(4, amounts.gov);
    words.set_word(5, private);
    keccak256(keccak256(words.bytes()).as_slice())
}

/// `keccak(abi.encode(left, right))`.
#[must_use]
pub fn node(left: B256, right: B256) -> B256 {
    let mut words = Words::<64>::new();
    words.set_word(0, left);
    words.set_word(1, right);
    keccak256(words.bytes())
}

/// The leaf of a member's inputs: `keccak(abi.encode(memberId, contributions, program points, n, k, w, active, erased, blinder))`,
/// where `contributions` is an array of `(q, u, a, r)`. Who is not active has no inputs to hide: their blinder is 0.
#[must_use]
pub fn inputs_leaf(member: MemberId, inputs: &Inputs, blinder: B256) -> B256 {
    let count = inputs.contributions.len();
    let mut bytes = Vec::with_capacity(32 * (10 + 4 * count));
    let mut push = |value: u128| bytes.extend_from_slice(&U256::from(value).to_be_bytes::<32>());
    push(member.0.into());
    push(9 * 32); // where the array starts
    push(inputs.program_points);
    push(inputs.n.into());
    push(inputs.k.into());
    push(inputs.w);
    push(inputs.active.into());
    push(inputs.erased.into());
    bytes.extend_from_slice(blinder.as_slice());
    let mut push = |value: u128| bytes.extend_from_slice(&U256::from(value).to_be_bytes::<32>());
    push(count as u128);
    for score in &inputs.contributions {
        for field in [score.quality, score.uniqueness, score.authenticity, score.rarity] {
            push(field.into());
        }
    }
    keccak256(&bytes)
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::ledger::Score;
    use alloy_sol_types::SolValue;

    #[test]
    fn the_closed_hash_is_that_of_thirteen_zero_words() {
        assert_eq!(CLOSED_PRIVATE, keccak256([0u8; 13 * 32]));
        let row = Row { closed: true, cash_earned: 5, ..Row::default() };
        assert_eq!(private_hash(&row, B256::repeat_byte(1)), CLOSED_PRIVATE);
    }

    #[test]
    fn the_salt_is_a_plain_hmac() {
        // Computed with Python's hmac module.
        let key = [0x0b; 32];
        let expected = b256!("33eccd419508eecb3d7e7d18f837a0dcdf02269b557b1329b575154a37117369");
        assert_eq!(salt(&key, Epoch(7)), expected);
        assert_ne!(salt(&key, Epoch(7)), input_blinder(&key, Epoch(7)));
        assert_eq!(secrets(&key, Epoch(7)), (salt(&key, Epoch(7)), input_blinder(&key, Epoch(7))));
    }

    #[test]
    fn inputs_encode_as_solidity_does() {
        let score = Score { quality: 8_000, uniqueness: 9_000, authenticity: 3_000, rarity: 12_500 };
        let inputs = Inputs {
            contributions: vec![score, Score { rarity: 20_000, ..score }],
            program_points: 500,
            n: 3,
            k: 2,
            w: 1_620,
            active: true,
            erased: false,
        };
        let blinder = B256::repeat_byte(7);
        let word = |value: u64| U256::from(value);
        let contributions = vec![(8_000u16, 9_000u16, 3_000u16, 12_500u16), (8_000, 9_000, 3_000, 20_000)];
        let encoded = (word(5), contributions, word(500), word(3), word(2), word(1_620), true, false, blinder)
            .abi_encode_params();
        assert_eq!(inputs_leaf(MemberId(5), &inputs, blinder), keccak256(encoded));
    }

    #[test]
    fn a_leaf_encodes_as_solidity_does() {
        let amounts = Amounts { cash: 1, stream: 2, data: 3, gov: 4 };
        let private = B256::repeat_byte(9);
        let word = |value: u64| U256::from(value);
        let inner = keccak256((word(6), word(1), word(2), word(3), word(4), private).abi_encode_params());
        assert_eq!(leaf(MemberId(6), &amounts, private), keccak256(inner));
        assert_eq!(node(inner, private), keccak256((inner, private).abi_encode_params()));
    }
}
