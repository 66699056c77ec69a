//! The way of a record through this crate, as client, stewards and worker use it.

use alloy_primitives::B256;
use rochdale_core::ids::StewardId;
use rochdale_crypto::envelope::{open, seal};
use rochdale_crypto::keystore::MasterKey;
use rochdale_crypto::sealing::{ShareContext, open_released_share, open_share, seal_released_share, seal_share};
use rochdale_crypto::sharing::{combine, deal};
use rochdale_crypto::{RecordSecret, SealingKeyPair, SharingError};

use crate::support::{context, rng};

#[test]
fn from_the_member_to_the_worker_and_to_erasure() {
    let rng = &mut rng(1);
    let stewards: Vec<SealingKeyPair> = (0..3).map(|_| SealingKeyPair::random(rng)).collect();
    let worker = SealingKeyPair::random(rng);

    // The member seals and deals.
    let secret = RecordSecret::random(rng);
    let sealed = seal(&secret, &context(), b"{\"resourceType\":\"Bundle\"}", rng).unwrap();
    let dealt = deal(&secret, 2, 3, rng).unwrap();
    drop(secret);
    let place = |seat: u8| ShareContext::of(&sealed.header, StewardId(seat));
    let parts: Vec<_> = dealt
        .shares
        .iter()
        .zip(&stewards)
        .map(|(share, steward)| seal_share(&steward.public(), &place(share.index().0), share, rng).unwrap())
        .collect();

    // Each steward checks its share and keeps it wrapped.
    let header_hash = sealed.header.hash();
    let mut stores = Vec::new();
    for ((seat, steward), part) in (1u8..).zip(&stewards).zip(&parts) {
        let share = open_share(steward, &place(seat), part).unwrap();
        dealt.commitments.expect(2, 3).unwrap();
        dealt.commitments.verify(&share).unwrap();
        let master = MasterKey::random(rng);
        let (key, wrapped_key) = master.create(sealed.header.context().member, rng);
        stores.push((master, Some(wrapped_key), key.wrap_share(header_hash, &share, rng)));
    }

    // Two of them release for one request; the worker opens.
    let request = B256::repeat_byte(0x9e);
    let mut released = Vec::new();
    for seat in [1u8, 3] {
        let (master, key, share) = &stores[usize::from(seat) - 1];
        let key = master.unwrap_key(context().member, key.as_ref().unwrap()).unwrap();
        let share = key.unwrap_share(header_hash, share).unwrap();
        let context = place(seat).release(request);
        let message = seal_released_share(&worker.public(), &context, &share, rng).unwrap();
        released.push(open_released_share(&worker, &context, &message).unwrap());
    }
    let secret = combine(&dealt.commitments, &released).unwrap();
    let record = open(&secret, &context(), &sealed.blob).unwrap();
    assert_eq!(record.as_slice(), b"{\"resourceType\":\"Bundle\"}");

    // Two stewards erase: n − t + 1 deletions, and one share opens nothing.
    stores[0].1 = None;
    stores[2].1 = None;
    let left: Vec<_> = stores
        .iter()
        .filter_map(|(master, key, share)| {
            master.unwrap_key(context().member, key.as_ref()?).unwrap().unwrap_share(header_hash, share).ok()
        })
        .collect();
    let refused = combine(&dealt.commitments, &left).err();
    assert_eq!(refused, Some(SharingError::TooFew { need: 2, have: 1 }));
}
