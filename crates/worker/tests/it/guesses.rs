//! What whoever sees the whole chain finds out by trying.

use std::collections::HashSet;

use alloy::consensus::Transaction as _;
use alloy::primitives::{B256, U256, keccak256};
use alloy::providers::Provider as _;
use alloy::sol_types::SolValue as _;
use rochdale_core::commit::{self, Snapshot};
use rochdale_core::ids::ContributionId;
use rochdale_core::query::{Answer, Outcome};

use crate::rig::{DATASET, PURPOSE, RHO, Rig, count};

const YEAR: u64 = 365 * 86_400;
const MEMBERS: u32 = 8;

/// Every word of every call and every log.
async fn shown(rig: &Rig) -> HashSet<B256> {
    let provider = rig.coop.chain.provider();
    let mut words = HashSet::new();
    let mut take = |bytes: &[u8]| words.extend(bytes.chunks_exact(32).map(B256::from_slice));
    for number in 0..=provider.get_block_number().await.unwrap() {
        let block = provider.get_block(number.into()).full().await.unwrap().unwrap();
        for tx in block.transactions.txns() {
            take(tx.input().get(4..).unwrap_or_default());
        }
        for receipt in provider.get_block_receipts(number.into()).await.unwrap().unwrap() {
            for log in receipt.logs() {
                log.topics().iter().for_each(|topic| take(topic.as_slice()));
                take(&log.data().data);
            }
        }
    }
    words
}

/// Issue 7, point 2: from a snapshot's digest ids were found in seconds, and from an answer's its count. The attacker here knows the order,
/// the cut and every public part, and tries every set of records and every figure near the truth.
#[tokio::test(flavor = "multi_thread")]
async fn point_2_neither_who_was_asked_nor_what_was_answered_is_found_by_trying() {
    let rig = Rig::new(MEMBERS, 10 * RHO).await;
    let license = rig.license(YEAR).await;
    let request = rig.order(&license, count(RHO), |_| {}).await;
    let sealed = rig.ask(&request).await.unwrap();
    let answered = rig.open(&license, &sealed);
    let shown = shown(&rig).await;
    // With what is secret, both are there: the words are those that the attack looks for.
    assert_eq!(commit::answer(answered.answer.digest().unwrap(), answered.blinder), answered.result_digest);
    for digest in [answered.result_digest, answered.debit.snapshot, answered.debit.order] {
        assert!(shown.contains(&digest), "the chain does not show {digest}");
    }

    let public = [B256::ZERO, answered.debit.order, request.order.cut, answered.debit.query_digest];
    for guess in answers(&answered.answer) {
        let digest = guess.digest().unwrap();
        let tries = public.map(|blinder| commit::answer(digest, blinder));
        assert!(!shown.contains(&digest) && tries.iter().all(|word| !shown.contains(word)), "the answer is found");
    }
    let people = MEMBERS + 2;
    for chosen in 1u32..1 << people {
        let ids: Vec<_> =
            (0..people).filter(|n| chosen >> n & 1 == 1).map(|n| ContributionId(u64::from(n) + 1)).collect();
        let snapshot = Snapshot {
            chain_id: 31_337,
            registry: rig.coop.manifest.addresses.contribution_registry,
            dataset: DATASET,
            purpose: PURPOSE,
            cut: request.order.cut,
            ids: &ids,
        };
        assert!(!shown.contains(&plain(&snapshot)), "who was asked is found: {ids:?}");
        for drawn in public {
            let blinders = [drawn, commit::snapshot_blinder(answered.debit.order, drawn)];
            let tries = blinders.map(|blinder| snapshot.blinded_digest(blinder).unwrap());
            assert!(tries.iter().all(|word| !shown.contains(word)), "who was asked is found: {ids:?}");
        }
    }
}

/// The answer with every figure near it.
fn answers(truth: &Answer) -> impl Iterator<Item = Answer> + '_ {
    let around = |value: i64| value - 12..=value + 12;
    let Outcome::Released { figures } = &truth.outcome else { panic!("withheld") };
    around(truth.left_out.value).flat_map(move |left_out| {
        around(figures[0].value).map(move |value| {
            let mut guess = truth.clone();
            guess.left_out.value = left_out;
            if let Outcome::Released { figures } = &mut guess.outcome {
                figures[0].value = value;
            }
            guess
        })
    })
}

/// A snapshot's digest as it was before it was blinded.
fn plain(snapshot: &Snapshot<'_>) -> B256 {
    let ids: Vec<u64> = snapshot.ids.iter().map(|id| id.0).collect();
    let (dataset, purpose) = (U256::from(snapshot.dataset.0), U256::from(snapshot.purpose.0));
    let chain = U256::from(snapshot.chain_id);
    let fields = (commit::tag("snapshot"), chain, snapshot.registry, dataset, purpose, snapshot.cut, ids);
    keccak256(fields.abi_encode_params())
}
