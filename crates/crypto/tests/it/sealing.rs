//! Sealing: a message opens with its key, as its kind, at its place, and in no other way.

use alloy_primitives::{Address, B256, Bytes};
use proptest::prelude::*;
use rochdale_core::ids::{DatasetId, Epoch, LicenseId, MemberId, StewardId};
use rochdale_crypto::sealing::{
    AnswerBodyContext, ClaimsRowContext, ConsentContext, ConsentPart, OVERHEAD_BYTES, OpeningContext, OrderContext,
    PoolContext, PrivatePart, PrivatePartContext, QueryAnswerContext, ReleaseContext, RequestBodyContext,
    ReshareContext, RowKeyContext, SealingContext, ShareContext, SharesContext, SheetContext, SheetCopyContext,
    SheetReplyContext, SnapshotContext, open_as, open_consent, open_private_part, open_redealt, open_released_share,
    open_row_key, open_share, seal_as, seal_consent, seal_from_seed, seal_private_part, seal_redealt,
    seal_released_share, seal_row_key, seal_share,
};
use rochdale_crypto::sharing::deal;
use rochdale_crypto::{RecordSecret, RowKey, Sealed, SealingError, SealingKeyPair, SealingPublicKey, Share};

use crate::support::{name, rng};

fn share_context() -> ShareContext {
    ShareContext {
        chain_id: 31_337,
        registry: Address::repeat_byte(0xc0),
        member: MemberId(7),
        header_hash: B256::repeat_byte(0x4e),
        consent_version: 3,
        index: StewardId(2),
    }
}

fn share() -> Share {
    let mut rng = rng(1);
    let secret = RecordSecret::random(&mut rng);
    deal(&secret, 2, 3, &mut rng).unwrap().shares[1].clone()
}

#[test]
fn a_share_opens_only_in_its_own_context() {
    let steward = SealingKeyPair::random(&mut rng(2));
    let ours = share_context();
    let sealed = seal_share(&steward.public(), &ours, &share(), &mut rng(3)).unwrap();
    assert_eq!(*open_share(&steward, &ours, &sealed).unwrap().to_bytes(), *share().to_bytes());

    let others = [
        ShareContext { chain_id: 1, ..ours },
        ShareContext { registry: Address::ZERO, ..ours },
        ShareContext { member: MemberId(8), ..ours },
        ShareContext { header_hash: B256::ZERO, ..ours },
        ShareContext { consent_version: 4, ..ours },
        ShareContext { index: StewardId(1), ..ours },
    ];
    for other in others {
        assert_eq!(open_share(&steward, &other, &sealed).err(), Some(SealingError::Refused("key share")));
    }
    let stranger = SealingKeyPair::random(&mut rng(4));
    assert_eq!(open_share(&stranger, &ours, &sealed).err(), Some(SealingError::Refused("key share")));
}

#[test]
fn a_share_of_another_seat_is_neither_sealed_nor_accepted() {
    let steward = SealingKeyPair::random(&mut rng(2));
    let first = ShareContext { index: StewardId(1), ..share_context() };
    assert_eq!(name(&seal_share(&steward.public(), &first, &share(), &mut rng(3)).err().unwrap()), "Share");
    // A dishonest sealer.
    let sealed = seal_as(&steward.public(), &first, share().to_bytes().as_slice(), &mut rng(3)).unwrap();
    assert_eq!(name(&open_share(&steward, &first, &sealed).err().unwrap()), "Share");
    let sealed = seal_as(&steward.public(), &first, b"not a share", &mut rng(3)).unwrap();
    assert_eq!(name(&open_share(&steward, &first, &sealed).err().unwrap()), "Share");
}

#[test]
fn a_release_is_for_one_request() {
    let worker = SealingKeyPair::random(&mut rng(2));
    let ours = share_context().release(B256::repeat_byte(1));
    let sealed = seal_released_share(&worker.public(), &ours, &share(), &mut rng(3)).unwrap();
    assert!(open_released_share(&worker, &ours, &sealed).is_ok());
    let other = share_context().release(B256::repeat_byte(2));
    assert_eq!(open_released_share(&worker, &other, &sealed).err(), Some(SealingError::Refused("released share")));
    // What was sealed for the vault's sake does not pass as a release, nor the other way round.
    assert_eq!(open_share(&worker, &share_context(), &sealed).err(), Some(SealingError::Refused("key share")));
}

#[test]
fn parts_and_keys_round_trip() {
    let steward = SealingKeyPair::random(&mut rng(2));
    let key = steward.public();
    let rng = &mut rng(3);

    let context = share_context().private_part();
    let part = PrivatePart::new(DatasetId(3), B256::repeat_byte(0xb1));
    let sealed = seal_private_part(&key, &context, &part, rng).unwrap();
    let opened = open_private_part(&steward, &context, &sealed).unwrap();
    assert_eq!((opened.dataset(), opened.blinder()), (part.dataset(), part.blinder()));

    let context = RowKeyContext {
        chain_id: 1,
        membership: Address::ZERO,
        account: Address::repeat_byte(1),
        nullifier: B256::repeat_byte(2),
        index: StewardId(1),
    };
    let row_key = RowKey::random(rng);
    let sealed = seal_row_key(&key, &context, &row_key, rng).unwrap();
    assert_eq!(open_row_key(&steward, &context, &sealed).unwrap().expose(), row_key.expose());
    let short = seal_as(&key, &context, &[0; 31], rng).unwrap();
    assert_eq!(open_row_key(&steward, &context, &short).err(), Some(SealingError::Malformed("row key")));
}

#[test]
fn consent_receipts_of_like_size_look_alike() {
    let steward = SealingKeyPair::random(&mut rng(2));
    let context = ConsentContext {
        chain_id: 1,
        registry: Address::ZERO,
        member: MemberId(1),
        consent_version: 1,
        index: StewardId(1),
    };
    let rng = &mut rng(3);
    let mut sizes = Vec::new();
    for json in ["{}", r#"{"purposes":[4,6,42],"note":"more than one purpose"}"#] {
        let part = ConsentPart::new(json.into(), B256::repeat_byte(5));
        let sealed = seal_consent(&steward.public(), &context, &part, rng).unwrap();
        sizes.push(sealed.0.len());
        let opened = open_consent(&steward, &context, &sealed).unwrap();
        assert_eq!((opened.receipt(), opened.blinder()), (json.as_bytes(), part.blinder()));
    }
    assert_eq!(sizes, [1024 + OVERHEAD_BYTES; 2]);

    let mut padding = ConsentPart::new(b"{}".to_vec(), B256::ZERO).to_bytes();
    *padding.last_mut().unwrap() = 1;
    for malformed in [&[][..], &[0; 36], padding.as_slice()] {
        let sealed = seal_as(&steward.public(), &context, malformed, rng).unwrap();
        assert_eq!(open_consent(&steward, &context, &sealed).err(), Some(SealingError::Malformed("consent receipt")));
    }
}

#[test]
fn no_two_kinds_share_their_info() {
    let infos = [
        ShareContext::INFO,
        PrivatePartContext::INFO,
        RowKeyContext::INFO,
        ConsentContext::INFO,
        SheetContext::INFO,
        ClaimsRowContext::INFO,
        QueryAnswerContext::INFO,
        ReleaseContext::INFO,
        SnapshotContext::INFO,
        OrderContext::INFO,
        PoolContext::INFO,
        SharesContext::INFO,
        RequestBodyContext::INFO,
        AnswerBodyContext::INFO,
        SheetReplyContext::INFO,
        SheetCopyContext::INFO,
        OpeningContext::INFO,
        ReshareContext::INFO,
    ];
    for (at, info) in infos.iter().enumerate() {
        assert!(info.starts_with("rochdale.seal.") && info.ends_with(".v1"));
        assert!(!infos[..at].contains(info), "{info} twice");
    }
}

/// Seals as `C` and opens at every other place given.
fn opens_only_at<C: SealingContext>(ours: &C, others: &[C]) {
    let recipient = SealingKeyPair::random(&mut rng(2));
    let sealed = seal_as(&recipient.public(), ours, b"row", &mut rng(3)).unwrap();
    assert_eq!(open_as(&recipient, ours, &sealed).unwrap().as_slice(), b"row");
    for other in others {
        assert_eq!(open_as(&recipient, other, &sealed).err(), Some(SealingError::Refused(C::WHAT)));
    }
}

#[test]
fn what_is_dealt_anew_opens_only_where_it_belongs() {
    let ours = ReshareContext {
        chain_id: 1,
        registry: Address::repeat_byte(1),
        member: MemberId(7),
        header_hash: B256::repeat_byte(0x4e),
        generation: 2,
        source: B256::repeat_byte(5),
        dealer: StewardId(1),
        index: StewardId(2),
    };
    opens_only_at(
        &ours,
        &[
            ReshareContext { chain_id: 2, ..ours },
            ReshareContext { registry: Address::repeat_byte(2), ..ours },
            ReshareContext { member: MemberId(8), ..ours },
            ReshareContext { header_hash: B256::ZERO, ..ours },
            ReshareContext { generation: 3, ..ours },
            ReshareContext { source: B256::ZERO, ..ours },
            ReshareContext { dealer: StewardId(3), ..ours },
            ReshareContext { index: StewardId(1), ..ours },
        ],
    );
    let steward = SealingKeyPair::random(&mut rng(2));
    let sealed = seal_redealt(&steward.public(), &ours, &share(), &mut rng(3)).unwrap();
    assert_eq!(*open_redealt(&steward, &ours, &sealed).unwrap().to_bytes(), *share().to_bytes());
    let refused =
        seal_redealt(&steward.public(), &ReshareContext { index: StewardId(1), ..ours }, &share(), &mut rng(3));
    assert_eq!(name(&refused.err().unwrap()), "Share", "another seat's");
}

#[test]
fn sheets_rows_and_answers_open_only_where_they_belong() {
    let (one, two) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let sheet = SheetContext { chain_id: 1, ledger: one, epoch: Epoch(5), attempt: 0, index: StewardId(1) };
    opens_only_at(
        &sheet,
        &[
            SheetContext { chain_id: 2, ..sheet },
            SheetContext { ledger: two, ..sheet },
            SheetContext { epoch: Epoch(6), ..sheet },
            SheetContext { attempt: 1, ..sheet },
            SheetContext { index: StewardId(2), ..sheet },
        ],
    );
    let row = ClaimsRowContext { chain_id: 1, ledger: one, epoch: Epoch(5), member: MemberId(3) };
    opens_only_at(
        &row,
        &[
            ClaimsRowContext { chain_id: 2, ..row },
            ClaimsRowContext { ledger: two, ..row },
            ClaimsRowContext { epoch: Epoch(6), ..row },
            ClaimsRowContext { member: MemberId(4), ..row },
        ],
    );
    let copy = SheetCopyContext { chain_id: 1, ledger: one, epoch: Epoch(5), from: StewardId(1), to: StewardId(2) };
    opens_only_at(
        &copy,
        &[
            SheetCopyContext { chain_id: 2, ..copy },
            SheetCopyContext { ledger: two, ..copy },
            SheetCopyContext { epoch: Epoch(6), ..copy },
            SheetCopyContext { from: StewardId(3), ..copy },
            SheetCopyContext { to: StewardId(3), ..copy },
        ],
    );
    let opening = OpeningContext { chain_id: 1, ledger: one, epoch: Epoch(5), member: MemberId(3) };
    opens_only_at(
        &opening,
        &[
            OpeningContext { chain_id: 2, ..opening },
            OpeningContext { ledger: two, ..opening },
            OpeningContext { epoch: Epoch(6), ..opening },
            OpeningContext { member: MemberId(4), ..opening },
        ],
    );
    let answer = QueryAnswerContext {
        chain_id: 1,
        committee: one,
        license: LicenseId(1),
        order: B256::repeat_byte(3),
        query_digest: B256::repeat_byte(4),
    };
    opens_only_at(
        &answer,
        &[
            QueryAnswerContext { chain_id: 2, ..answer },
            QueryAnswerContext { committee: two, ..answer },
            QueryAnswerContext { license: LicenseId(2), ..answer },
            QueryAnswerContext { order: B256::ZERO, ..answer },
            QueryAnswerContext { query_digest: B256::ZERO, ..answer },
        ],
    );
}

#[test]
fn copies_from_one_seed_are_provably_of_one_message() {
    let to = [1, 2].map(|at| SealingKeyPair::random(&mut rng(at)));
    let context = |index| SheetContext {
        chain_id: 1,
        ledger: Address::repeat_byte(1),
        epoch: Epoch(5),
        attempt: 0,
        index: StewardId(index),
    };
    let copies = |sheet: &[u8], seed| {
        let seal = |(key, index): (&SealingKeyPair, u8)| seal_from_seed(&key.public(), &context(index), sheet, seed);
        to.iter().zip(1..).map(|one| seal(one).unwrap().0).collect::<Vec<_>>()
    };
    let sealed = copies(b"sheet", &[3; 32]);
    assert_eq!(sealed, copies(b"sheet", &[3; 32]));
    for (at, key) in to.iter().enumerate() {
        let opened = open_as(key, &context(at as u8 + 1), &Sealed(sealed[at].clone())).unwrap();
        assert_eq!(opened.as_slice(), b"sheet");
    }
    // Another message shares no ephemeral key with it, nor does another seed or recipient.
    let ephemeral = |copies: &[Bytes]| copies.iter().map(|copy| copy[..32].to_vec()).collect::<Vec<_>>();
    let mut all = [sealed, copies(b"tweet", &[3; 32]), copies(b"sheet", &[4; 32])].map(|c| ephemeral(&c)).concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 6);
}

#[test]
fn what_worker_and_stewards_tell_each_other_of_an_order_opens_only_where_it_belongs() {
    let (one, two) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let order = B256::repeat_byte(3);
    let asked = OrderContext { chain_id: 1, committee: one, order, worker: one, index: StewardId(1) };
    opens_only_at(
        &asked,
        &[
            OrderContext { chain_id: 2, ..asked },
            OrderContext { committee: two, ..asked },
            OrderContext { order: B256::ZERO, ..asked },
            OrderContext { worker: two, ..asked },
            OrderContext { index: StewardId(2), ..asked },
        ],
    );
    let pool = PoolContext { chain_id: 1, committee: one, order, index: StewardId(1) };
    opens_only_at(
        &pool,
        &[
            PoolContext { chain_id: 2, ..pool },
            PoolContext { committee: two, ..pool },
            PoolContext { order: B256::ZERO, ..pool },
            PoolContext { index: StewardId(2), ..pool },
        ],
    );
    let shares = SharesContext { chain_id: 1, committee: one, order, index: StewardId(1) };
    opens_only_at(
        &shares,
        &[
            SharesContext { chain_id: 2, ..shares },
            SharesContext { committee: two, ..shares },
            SharesContext { order: B256::ZERO, ..shares },
            SharesContext { index: StewardId(2), ..shares },
        ],
    );
}

#[test]
fn what_stewards_tell_each_other_opens_only_where_it_belongs() {
    let (one, two) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let snapshot = SnapshotContext {
        chain_id: 1,
        registry: one,
        license: LicenseId(1),
        cut: B256::repeat_byte(3),
        index: StewardId(1),
    };
    opens_only_at(
        &snapshot,
        &[
            SnapshotContext { chain_id: 2, ..snapshot },
            SnapshotContext { registry: two, ..snapshot },
            SnapshotContext { license: LicenseId(2), ..snapshot },
            SnapshotContext { cut: B256::ZERO, ..snapshot },
            SnapshotContext { index: StewardId(2), ..snapshot },
        ],
    );
    let hash = B256::repeat_byte(3);
    let asked = RequestBodyContext { chain_id: 1, committee: one, from: one, to: two, path_hash: hash };
    opens_only_at(
        &asked,
        &[
            RequestBodyContext { chain_id: 2, ..asked },
            RequestBodyContext { committee: two, ..asked },
            RequestBodyContext { from: two, to: one, ..asked },
            RequestBodyContext { from: two, ..asked },
            RequestBodyContext { to: one, ..asked },
            RequestBodyContext { path_hash: B256::ZERO, ..asked },
        ],
    );
    let told = AnswerBodyContext { chain_id: 1, committee: one, from: one, to: two, request: hash, status: 200 };
    opens_only_at(
        &told,
        &[
            AnswerBodyContext { chain_id: 2, ..told },
            AnswerBodyContext { committee: two, ..told },
            AnswerBodyContext { from: two, to: one, ..told },
            AnswerBodyContext { from: two, ..told },
            AnswerBodyContext { to: one, ..told },
            AnswerBodyContext { request: B256::ZERO, ..told },
            AnswerBodyContext { status: 403, ..told },
        ],
    );
    let reply = SheetReplyContext { chain_id: 1, ledger: one, epoch: Epoch(5), attempt: 0, index: StewardId(1) };
    opens_only_at(
        &reply,
        &[
            SheetReplyContext { chain_id: 2, ..reply },
            SheetReplyContext { ledger: two, ..reply },
            SheetReplyContext { epoch: Epoch(6), ..reply },
            SheetReplyContext { attempt: 1, ..reply },
            SheetReplyContext { index: StewardId(2), ..reply },
        ],
    );
}

#[test]
fn truncated_messages_and_unusable_keys_are_named() {
    let steward = SealingKeyPair::random(&mut rng(2));
    let context = share_context();
    let sealed = seal_share(&steward.public(), &context, &share(), &mut rng(3)).unwrap();
    for len in 0..sealed.0.len() {
        let expected = if len < OVERHEAD_BYTES { "Truncated" } else { "Refused" };
        let cut = Sealed(sealed.0.slice(..len));
        assert_eq!(name(&open_share(&steward, &context, &cut).err().unwrap()), expected, "{len} bytes");
    }
    let zero = SealingPublicKey(B256::ZERO);
    assert_eq!(seal_share(&zero, &context, &share(), &mut rng(3)).err(), Some(SealingError::PublicKey(zero)));
}

#[test]
fn a_key_pair_survives_its_file() {
    let pair = SealingKeyPair::random(&mut rng(2));
    assert_eq!(SealingKeyPair::from_secret(&pair.to_secret()).public(), pair.public());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_flipped_bit_is_refused(bit in 0..(Share::BYTES + OVERHEAD_BYTES) * 8) {
        let steward = SealingKeyPair::random(&mut rng(2));
        let sealed = seal_share(&steward.public(), &share_context(), &share(), &mut rng(3)).unwrap();
        let mut bytes = sealed.0.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        // X25519 ignores the top bit of a point (RFC 7748), HPKE does not: it hashes the encapsulated key.
        let refused = open_share(&steward, &share_context(), &Sealed(Bytes::from(bytes))).err();
        prop_assert_eq!(refused, Some(SealingError::Refused("key share")));
    }
}
