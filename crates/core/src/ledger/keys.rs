//! Whose key salts a row, and what opens under it. LEDGER, "Keys of rows".

use alloy_primitives::B256;

use super::hash::{input_blinder, inputs_leaf, private_hash, salt};
use super::inputs::Inputs;
use super::row::Row;
use crate::ids::{Epoch, MemberId};

/// What stands for the row key of a member whose own one none of an epoch's signers holds, and of a closed row, which no
/// key hides.
pub const NO_ROW_KEY: [u8; 32] = [0; 32];

/// The key under which `row` has this private hash in `epoch`: the member's own where there is one, else
/// [`NO_ROW_KEY`]; none where it has it under neither, so that the row is not the one that was hashed. A row is as right
/// under the one as under the other: neither a key that came late nor signers who pretend to have none make it wrong.
#[must_use]
pub fn row_secret(row: &Row, epoch: Epoch, private: B256, own: Option<&[u8; 32]>) -> Option<[u8; 32]> {
    candidates(own).find(|key| private_hash(row, salt(key, epoch)) == private)
}

/// The key whose blinder opens this leaf of a member's inputs: as [`row_secret`]. Who is not active hides nothing.
#[must_use]
pub fn inputs_blinder(
    member: MemberId,
    inputs: &Inputs,
    epoch: Epoch,
    leaf: B256,
    own: Option<&[u8; 32]>,
) -> Option<B256> {
    let blinders = candidates(own).map(|key| if inputs.active { input_blinder(&key, epoch) } else { B256::ZERO });
    blinders.into_iter().find(|blinder| inputs_leaf(member, inputs, *blinder) == leaf)
}

/// How many of `stewards` must hold a row key before its member is admitted, where `quorum` of them sign a root: so many
/// that each quorum has one of them.
#[must_use]
pub const fn holders_needed(stewards: u8, quorum: u8) -> u8 {
    stewards.saturating_sub(quorum).saturating_add(1)
}

fn candidates(own: Option<&[u8; 32]>) -> impl Iterator<Item = [u8; 32]> {
    own.copied().into_iter().chain([NO_ROW_KEY])
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::ledger::CLOSED_PRIVATE;

    const OWN: [u8; 32] = [7; 32];
    const EPOCH: Epoch = Epoch(3);

    #[test]
    fn a_row_opens_under_its_own_key_or_under_zeros_and_under_no_other() {
        let row = Row { data_earned: 5, join_epoch: 1, ..Row::default() };
        let of = |key: &[u8; 32]| private_hash(&row, salt(key, EPOCH));
        assert_eq!(row_secret(&row, EPOCH, of(&OWN), Some(&OWN)), Some(OWN));
        assert_eq!(row_secret(&row, EPOCH, of(&NO_ROW_KEY), Some(&OWN)), Some(NO_ROW_KEY));
        assert_eq!(row_secret(&row, EPOCH, of(&NO_ROW_KEY), None), Some(NO_ROW_KEY));
        assert_eq!(row_secret(&row, EPOCH, of(&OWN), None), None, "a key that is not here");
        assert_eq!(row_secret(&row, Epoch(4), of(&OWN), Some(&OWN)), None, "another epoch's salt");
        let other = Row { data_earned: 6, ..row.clone() };
        assert_eq!(row_secret(&other, EPOCH, of(&OWN), Some(&OWN)), None, "another row");
        let closed = Row { closed: true, ..Row::default() };
        assert_eq!(row_secret(&closed, EPOCH, CLOSED_PRIVATE, None), Some(NO_ROW_KEY));
    }

    #[test]
    fn every_quorum_has_a_holder_and_one_holder_less_leaves_a_quorum_without() {
        for stewards in 1..=9u8 {
            for quorum in 1..=stewards {
                let holders = holders_needed(stewards, quorum);
                assert!(holders + quorum > stewards && holders <= stewards);
                assert!(holders - 1 + quorum <= stewards);
            }
        }
        assert_eq!((holders_needed(3, 2), holders_needed(5, 3)), (2, 3));
    }

    #[test]
    fn inputs_open_likewise_and_those_of_who_left_without_a_blinder() {
        let (member, inputs) = (MemberId(4), Inputs { n: 2, k: 1, w: 9, active: true, ..Inputs::default() });
        for key in [OWN, NO_ROW_KEY] {
            let blinder = input_blinder(&key, EPOCH);
            let leaf = inputs_leaf(member, &inputs, blinder);
            assert_eq!(inputs_blinder(member, &inputs, EPOCH, leaf, Some(&OWN)), Some(blinder));
            assert_eq!(inputs_blinder(MemberId(5), &inputs, EPOCH, leaf, Some(&OWN)), None);
        }
        let gone = Inputs { erased: true, ..Inputs::default() };
        let leaf = inputs_leaf(member, &gone, B256::ZERO);
        assert_eq!(inputs_blinder(member, &gone, EPOCH, leaf, None), Some(B256::ZERO));
    }
}
