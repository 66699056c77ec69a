//! Release round trips: what one record costs between a steward that re-seals its share and the worker that opens,
//! checks and combines. Transport and blob are left out.
#![allow(clippy::unwrap_used, missing_docs)]

use alloy::primitives::{Address, B256};
use rochdale_core::ids::{MemberId, StewardId};
use rochdale_crypto::sealing::{ShareContext, seal_released_share};
use rochdale_crypto::{Context, Header, RecordSecret, SealingKeyPair, envelope, sharing};
use rochdale_worker::release::{Offer, open_share};

fn main() {
    divan::main();
}

struct Fixture {
    worker: SealingKeyPair,
    header: Header,
    deal: sharing::Deal,
    entry: B256,
}

fn fixture() -> Fixture {
    let mut rng = rand::rng();
    let secret = RecordSecret::random(&mut rng);
    let context =
        Context { chain_id: 31_337, registry: Address::repeat_byte(1), member: MemberId(1), consent_version: 1 };
    let header = envelope::seal(&secret, &context, b"record", &mut rng).unwrap().header;
    let deal = sharing::deal(&secret, 2, 3, &mut rng).unwrap();
    Fixture { worker: SealingKeyPair::random(&mut rng), header, deal, entry: B256::repeat_byte(2) }
}

impl Fixture {
    fn reseal(&self, at: usize) -> Offer {
        let steward = StewardId(u8::try_from(at + 1).unwrap());
        let context = ShareContext::of(&self.header, steward).release(self.entry);
        let share = &self.deal.shares[at];
        let sealed = seal_released_share(&self.worker.public(), &context, share, &mut rand::rng()).unwrap();
        let deal = self.deal.commitments.points.clone();
        Offer { steward, blob_digest: B256::ZERO, deal, sealed: sealed.0 }
    }

    fn open(&self, offer: &Offer) -> sharing::Share {
        open_share(&self.worker, &self.header, &self.deal.commitments, self.entry, offer).unwrap()
    }
}

/// A steward's part for one record.
#[divan::bench]
fn reseal_one_share(bencher: divan::Bencher) {
    let fixture = fixture();
    bencher.counter(divan::counter::ItemsCount::new(1usize)).bench(|| fixture.reseal(0));
}

/// The worker's part for one record of which all three stewards release a share.
#[divan::bench]
fn open_check_and_combine_three_shares(bencher: divan::Bencher) {
    let fixture = fixture();
    let offers = [0, 1, 2].map(|at| fixture.reseal(at));
    bencher.counter(divan::counter::ItemsCount::new(1usize)).bench(|| {
        let shares = offers.each_ref().map(|offer| fixture.open(offer));
        sharing::combine(&fixture.deal.commitments, &shares).unwrap()
    });
}

/// One record there and back: three re-sealed shares, opened, checked and combined, on one core.
#[divan::bench]
fn round_trip_of_one_record(bencher: divan::Bencher) {
    let fixture = fixture();
    bencher.counter(divan::counter::ItemsCount::new(1usize)).bench(|| {
        let shares = [0, 1, 2].map(|at| fixture.open(&fixture.reseal(at)));
        sharing::combine(&fixture.deal.commitments, &shares).unwrap()
    });
}
