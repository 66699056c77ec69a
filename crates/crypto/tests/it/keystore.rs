//! The keystore: what a member's key wrapped comes back by it alone, and never after it is gone.

use alloy_primitives::B256;
use rochdale_core::ids::MemberId;
use rochdale_crypto::keystore::{Item, KeystoreError, MasterKey};
use rochdale_crypto::sharing::deal;
use rochdale_crypto::{RecordSecret, RowKey, SharingError};

use crate::support::rng;

const HEADER: B256 = B256::repeat_byte(0x4e);

#[test]
fn shares_and_row_keys_come_back() {
    let rng = &mut rng(1);
    let master = MasterKey::random(rng);
    let (key, wrapped_key) = master.create(MemberId(7), rng);
    assert_eq!(key.member(), MemberId(7));
    let share = deal(&RecordSecret::random(rng), 2, 3, rng).unwrap().shares[0].clone();
    let row_key = RowKey::random(rng);
    let wrapped_share = key.wrap_share(HEADER, &share, rng);
    let wrapped_row_key = key.wrap_row_key(&row_key, rng);
    drop(key);

    let key = master.unwrap_key(MemberId(7), &wrapped_key).unwrap();
    assert_eq!(*key.unwrap_share(HEADER, &wrapped_share).unwrap().to_bytes(), *share.to_bytes());
    assert_eq!(key.unwrap_row_key(&wrapped_row_key).unwrap().expose(), row_key.expose());
}

#[test]
fn erasure_is_the_loss_of_the_member_key() {
    let rng = &mut rng(1);
    let master = MasterKey::random(rng);
    let (key, _erased) = master.create(MemberId(7), rng);
    let wrapped = key.wrap(Item::Sketch(HEADER), b"sketch", rng);
    // The master key alone, or a new key of the same member, opens nothing of before.
    let (fresh, _) = master.create(MemberId(7), rng);
    let refused = KeystoreError::Item { member: MemberId(7), item: Item::Sketch(HEADER) };
    assert_eq!(fresh.unwrap(Item::Sketch(HEADER), &wrapped).err(), Some(refused));
    assert_eq!(master.unwrap_key(MemberId(7), &wrapped).err(), Some(KeystoreError::MemberKey(MemberId(7))));
}

#[test]
fn rows_of_the_store_cannot_be_exchanged() {
    let rng = &mut rng(1);
    let master = MasterKey::random(rng);
    let (seven, wrapped_seven) = master.create(MemberId(7), rng);
    let (eight, _) = master.create(MemberId(8), rng);
    assert_eq!(master.unwrap_key(MemberId(8), &wrapped_seven).err(), Some(KeystoreError::MemberKey(MemberId(8))));

    let items = [
        Item::Share(HEADER),
        Item::Share(B256::ZERO),
        Item::PrivatePart(HEADER),
        Item::RowKey,
        Item::Consent(0),
        Item::Consent(1),
        Item::LedgerRow(1),
        Item::Sketch(HEADER),
    ];
    for item in items {
        let wrapped = seven.wrap(item, b"secret", rng);
        assert_eq!(seven.unwrap(item, &wrapped).unwrap().as_slice(), b"secret");
        assert!(eight.unwrap(item, &wrapped).is_err());
        for other in items.into_iter().filter(|other| *other != item) {
            let refused = KeystoreError::Item { member: MemberId(7), item: other };
            assert_eq!(seven.unwrap(other, &wrapped).err(), Some(refused));
        }
    }
}

#[test]
fn damage_is_refused() {
    let rng = &mut rng(1);
    let master = MasterKey::random(rng);
    let (key, wrapped_key) = master.create(MemberId(7), rng);
    let wrapped = key.wrap(Item::RowKey, &[5; 32], rng);
    for at in 0..wrapped.len() {
        let mut damaged = wrapped.clone();
        damaged[at] ^= 1;
        assert!(key.unwrap(Item::RowKey, &damaged).is_err(), "byte {at}");
        assert!(key.unwrap(Item::RowKey, &wrapped[..at]).is_err(), "cut to {at}");
    }
    for at in 0..wrapped_key.len() {
        let mut damaged = wrapped_key.clone();
        damaged[at] ^= 1;
        assert!(master.unwrap_key(MemberId(7), &damaged).is_err(), "byte {at}");
    }
    let no_share = key.wrap(Item::Share(HEADER), b"no share", rng);
    let refused = key.unwrap_share(HEADER, &no_share).err();
    assert_eq!(refused, Some(KeystoreError::Share(SharingError::MalformedShare)));
}

#[test]
fn a_new_master_key_leaves_the_old_one_nothing() {
    let rng = &mut rng(1);
    let (old, new) = (MasterKey::random(rng), MasterKey::random(rng));
    let (key, wrapped_key) = old.create(MemberId(7), rng);
    let wrapped = key.wrap(Item::RowKey, &[5; 32], rng);
    let rewrapped = old.rewrap(&new, MemberId(7), &wrapped_key, rng).unwrap();
    assert!(old.unwrap_key(MemberId(7), &rewrapped).is_err());
    assert!(new.unwrap_key(MemberId(7), &rewrapped).unwrap().unwrap(Item::RowKey, &wrapped).is_ok());
    assert!(new.rewrap(&old, MemberId(7), &wrapped_key, rng).is_err());
}
