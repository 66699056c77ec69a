//! What a request's signature is over: for who signs it, who relays it to its contract and who checks it.

use alloy_primitives::{Address, B256, U256};
use rochdale_api::contribution::ContributionPackage;
use rochdale_api::member::{
    Application, DenyRequest, GrantRequest, InvitedApplication, JoinRequest, LeaveRequest, PayoutRequest,
};
use rochdale_api::reshare::{HeldDeal, Redealt};
use rochdale_api::settlement::DemandRequest;
use rochdale_core::commit;
use rochdale_crypto::Commitments;
use rochdale_eip712 as eip712;

/// Somebody applies to be admitted.
#[must_use]
pub fn application(application: &Application) -> eip712::Application {
    eip712::Application {
        account: application.account,
        nullifier: application.nullifier,
        rowKeyDigest: application.row_key_digest,
        deadline: U256::from(application.deadline),
    }
}

/// Somebody applies by an invitation, whose code the nullifier is derived from.
#[must_use]
pub fn invited(application: &InvitedApplication, nullifier: B256) -> eip712::Application {
    eip712::Application {
        account: application.account,
        nullifier,
        rowKeyDigest: application.row_key_digest,
        deadline: U256::from(application.deadline),
    }
}

/// The registrar asks stewards to keep a row key.
#[must_use]
pub fn key_offer(account: Address, nullifier: B256, row_key_digest: B256, deadline: u64) -> eip712::KeyOffer {
    eip712::KeyOffer { account, nullifier, rowKeyDigest: row_key_digest, deadline: U256::from(deadline) }
}

/// The registrar admits a member.
#[must_use]
pub fn admission(request: &JoinRequest) -> eip712::Admission {
    eip712::Admission {
        account: request.account,
        payout: request.payout,
        nullifier: request.nullifier,
        rowKeyDigest: request.row_key_digest,
        deadline: U256::from(request.deadline),
    }
}

/// A member consents.
#[must_use]
pub fn grant(request: &GrantRequest) -> eip712::ConsentGrant {
    eip712::ConsentGrant {
        memberId: request.member_id.0,
        version: request.version,
        receiptCommitment: request.receipt_commitment,
        expiry: request.expiry,
        nonce: U256::from(request.nonce),
        deadline: U256::from(request.deadline),
    }
}

/// A member withdraws its consent.
#[must_use]
pub fn revoke(request: &DenyRequest) -> eip712::ConsentRevoke {
    let (nonce, deadline) = (U256::from(request.nonce), U256::from(request.deadline));
    eip712::ConsentRevoke { memberId: request.member_id.0, nonce, deadline }
}

/// A member has everything erased.
#[must_use]
pub fn erase(request: &DenyRequest) -> eip712::ConsentErase {
    let (nonce, deadline) = (U256::from(request.nonce), U256::from(request.deadline));
    eip712::ConsentErase { memberId: request.member_id.0, nonce, deadline }
}

/// A member leaves.
#[must_use]
pub fn leave(request: &LeaveRequest) -> eip712::Leave {
    let (nonce, deadline) = (U256::from(request.nonce), U256::from(request.deadline));
    eip712::Leave { memberId: request.member_id.0, nonce, deadline }
}

/// A member is paid elsewhere.
#[must_use]
pub fn payout(request: &PayoutRequest) -> eip712::Payout {
    let (nonce, deadline) = (U256::from(request.nonce), U256::from(request.deadline));
    eip712::Payout { memberId: request.member_id.0, payout: request.payout, nonce, deadline }
}

/// A member demands what opens its row.
#[must_use]
pub fn demand(request: &DemandRequest) -> eip712::Demand {
    eip712::Demand {
        memberId: request.member_id.0,
        epoch: request.epoch.0,
        attempt: request.attempt,
        kind: request.kind.into(),
        deadline: U256::from(request.deadline),
    }
}

/// A member contributes.
#[must_use]
pub fn contribution(package: &ContributionPackage) -> eip712::Contribution {
    eip712::Contribution {
        memberId: package.member_id.0,
        commitment: package.commitment,
        consentVersion: package.consent_version,
        nonce: U256::from(package.nonce),
        deadline: U256::from(package.deadline),
    }
}

/// A holder deals its share to the committee in office.
#[must_use]
pub fn reshare_deal(dealt: &Redealt) -> eip712::ReshareDeal {
    let seats = u8::try_from(dealt.parts.len()).unwrap_or(u8::MAX);
    let parts: Vec<_> = dealt.parts.iter().collect();
    eip712::ReshareDeal {
        contribution: dealt.commitment,
        generation: dealt.generation,
        source: Commitments { seats: dealt.source_seats, points: dealt.source.clone() }.hash(),
        dealer: dealt.dealer.0,
        deal: Commitments { seats, points: dealt.deal.clone() }.hash(),
        parts: commit::sealed_shares(&parts),
    }
}

/// A steward holds good parts of deals of a record.
#[must_use]
pub fn reshare_held(contribution: B256, generation: u32, deals: &[HeldDeal]) -> eip712::ReshareHeld {
    let held = |held: &HeldDeal| eip712::HeldDeal {
        source: held.source,
        need: held.need,
        dealer: held.dealer.0,
        deal: held.deal,
    };
    eip712::ReshareHeld { contribution, generation, deals: deals.iter().map(held).collect() }
}
