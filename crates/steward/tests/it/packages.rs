//! What was tampered with is not taken into custody.

use alloy::primitives::{B256, Bytes};
use anyhow::Result;
use rochdale_api::ProblemCode;
use rochdale_api::contribution::ContributionPackage;

use crate::world::{TestMember, World};

fn flip(bytes: &Bytes, at: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    let at = at % bytes.len();
    bytes[at] ^= 1;
    bytes.into()
}

/// A change to a package, whether the member signs it anew, and the code and word of the refusal.
struct Case {
    name: &'static str,
    change: fn(&mut ContributionPackage, &ContributionPackage),
    signed_anew: bool,
    code: ProblemCode,
    says: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "another's signature",
        change: |package, _| package.signature = flip(&package.signature, 5),
        signed_anew: false,
        code: ProblemCode::Forbidden,
        says: "signature",
    },
    Case {
        name: "another commitment",
        change: |package, _| package.commitment = B256::repeat_byte(7),
        signed_anew: true,
        code: ProblemCode::SealBroken,
        says: "commitment",
    },
    Case {
        name: "another blob",
        change: |package, _| package.blob_digest = B256::repeat_byte(7),
        signed_anew: true,
        code: ProblemCode::SealBroken,
        says: "commitment",
    },
    Case {
        name: "a header of another chain",
        change: |package, _| package.header = flip(&package.header, 15),
        signed_anew: true,
        code: ProblemCode::SealBroken,
        says: "chain",
    },
    Case {
        name: "a header of another member",
        change: |package, _| package.header = flip(&package.header, 39),
        signed_anew: true,
        code: ProblemCode::SealBroken,
        says: "member",
    },
    Case {
        name: "a header with another salt",
        change: |package, _| package.header = flip(&package.header, 60),
        signed_anew: true,
        code: ProblemCode::SealBroken,
        says: "secrets",
    },
    Case {
        name: "another consent version",
        change: |package, _| package.consent_version = 2,
        signed_anew: true,
        code: ProblemCode::SealBroken,
        says: "consent version",
    },
    Case {
        name: "a deal of another threshold",
        change: |package, _| package.deal.truncate(1),
        signed_anew: true,
        code: ProblemCode::SealBroken,
        says: "deal",
    },
    Case {
        name: "another record's deal",
        change: |package, other| package.deal.clone_from(&other.deal),
        signed_anew: true,
        code: ProblemCode::SealBroken,
        says: "commitment",
    },
    Case {
        name: "a share that was changed on the way",
        change: |package, _| package.shares[1].sealed = flip(&package.shares[1].sealed, 50),
        signed_anew: true,
        code: ProblemCode::SealBroken,
        says: "commitment",
    },
    Case {
        name: "another steward's share",
        change: |package, _| package.shares.swap(0, 1),
        signed_anew: true,
        code: ProblemCode::SealBroken,
        says: "commitment",
    },
    Case {
        name: "a missing share",
        change: |package, _| package.shares.truncate(2),
        signed_anew: true,
        code: ProblemCode::BadRequest,
        says: "2 shares",
    },
    Case {
        name: "a private part that was changed on the way",
        change: |package, _| package.secrets[1].sealed = flip(&package.secrets[1].sealed, 40),
        signed_anew: true,
        code: ProblemCode::SealBroken,
        says: "private part",
    },
    Case {
        name: "a member that does not exist",
        change: |package, _| package.member_id = 99.into(),
        signed_anew: true,
        code: ProblemCode::NotFound,
        says: "no member 99",
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_tampering_is_refused_by_name() -> Result<()> {
    let world = World::start(&[2]).await?;
    let ada: TestMember = world.member(1).await?;
    let (good, other) = (world.seal(&ada, b"a record").await?, world.seal(&ada, b"another").await?);
    for case in CASES {
        let mut package = good.clone();
        (case.change)(&mut package, &other);
        if case.signed_anew {
            world.sign(&ada, &mut package)?;
        }
        let error = world.give(2, &package).await.unwrap_err();
        assert_eq!(error.code(), case.code, "{}: {error}", case.name);
        assert!(error.to_string().contains(case.says), "{}: {error}", case.name);
    }
    assert!(world.steward(2).store.contributions().await?.is_empty(), "nothing of all that was kept");
    world.give(2, &good).await?;
    world.give(2, &good).await?;
    assert_eq!(world.steward(2).store.contributions().await?.len(), 1, "the same package again changes nothing");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_off_the_polynomial_is_refused_although_it_is_committed_to() -> Result<()> {
    let world = World::start(&[2]).await?;
    let ada = world.member(1).await?;
    let package = world.seal_with_bad_share(&ada, b"a record").await?;
    let error = world.give(2, &package).await.unwrap_err();
    assert_eq!(error.code(), ProblemCode::SealBroken, "{error}");
    assert!(error.to_string().contains("contradicts the deal's commitments"), "{error}");
    Ok(())
}
