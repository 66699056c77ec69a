//! Joining, leaving, where earnings are paid, and what the chain says of a member.

use alloy::primitives::Address;
use axum::Json;
use axum::extract::State;
use rochdale_api::member::{
    JoinRequest, Joined, KeyOfferRequest, KeyReceipts, LeaveRequest, Mined, PayoutRequest, SealedTo,
};
use rochdale_api::route::gateway as route;
use rochdale_api::server::{JsonBody, PathOf};
use rochdale_api::shape::HexAddress;
use rochdale_api::status::MemberView;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::bindings::{ConsentRegistry, ContributionRegistry, Membership};
use rochdale_chain::eip712;
use rochdale_client::statement;
use rochdale_core::ids::{MemberId, StewardId};

use super::{Answered, App, Gateway};
use crate::problems;

/// Joins by a registrar-signed admission; the relayer pays. Sent again, it answers with the same membership.
#[utoipa::path(
    post, path = route::JOIN.path, tag = "members", request_body = JoinRequest,
    responses(
        (status = 200, description = "The membership", body = Joined),
        (status = 400, description = "Not well formed", body = Problem),
        (status = 422, description = "The contract refuses the admission", body = Problem),
        (status = 429, description = "Asked too often", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn join(State(gateway): App, JsonBody(request): JsonBody<JoinRequest>) -> Answered<Joined> {
    check_parts(&request.row_keys, &gateway, "row_keys")?;
    let (member_id, mined) = gateway.relayer.join(&request).await?;
    let pending_stewards =
        gateway.forward.row_keys(member_id, request.account, request.nullifier, request.row_keys).await?;
    Ok(Json(Joined { member_id, mined, pending_stewards }))
}

/// Has the stewards keep the row key of somebody whom the registrar is about to admit, and answers with their signed word.
#[utoipa::path(
    post, path = route::OFFER.path, tag = "members", request_body = KeyOfferRequest,
    responses(
        (status = 200, description = "Who holds the key, and why others do not", body = KeyReceipts),
        (status = 400, description = "Not well formed", body = Problem),
        (status = 403, description = "Not signed by the registrar", body = Problem),
        (status = 429, description = "Asked too often", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn offer_key(State(gateway): App, JsonBody(request): JsonBody<KeyOfferRequest>) -> Answered<KeyReceipts> {
    check_parts(&request.row_keys, &gateway, "row_keys")?;
    let membership = gateway.manifest.addresses.membership;
    let registrar = gateway.chain.view(membership, &Membership::registrarCall {}).await;
    let registrar = registrar.map_err(|e| problems::chain(&e))?;
    let offer = statement::key_offer(request.account, request.nullifier, request.row_key_digest, request.deadline);
    let signed = eip712::verify(&offer, &gateway.manifest.membership_domain(), &request.registrar_signature, registrar);
    signed.map_err(|error| {
        let detail = format!("the registrar, {registrar}, did not sign this offer: {error}");
        Problem::new(ProblemCode::Forbidden, detail)
    })?;
    gateway.forward.key_offer(request).await.map(Json)
}

/// What the chain says of a member, with the nonces that the next signatures need.
#[utoipa::path(
    get, path = route::MEMBER.path, tag = "members",
    params(("id" = u32, Path, description = "Member id")),
    responses((status = 200, description = "The member", body = MemberView), (status = 404, description = "No such member", body = Problem))
)]
pub async fn member(State(gateway): App, PathOf(id): PathOf<String>) -> Answered<MemberView> {
    let id: MemberId = parse(&id, "a member id is a number from 1")?;
    view(&gateway, id).await.map(Json)
}

/// The member that an account joined as.
#[utoipa::path(
    get, path = route::MEMBER_OF.path, tag = "members",
    params(("address" = HexAddress, Path, description = "Account")),
    responses((status = 200, description = "The member", body = MemberView), (status = 404, description = "No such member", body = Problem))
)]
pub async fn by_account(State(gateway): App, PathOf(address): PathOf<String>) -> Answered<MemberView> {
    let account: Address = parse(&address, "an account is 0x and 40 hexadecimal digits")?;
    let call = Membership::memberIdOfCall { account };
    let id = gateway.chain.view(gateway.manifest.addresses.membership, &call).await.map_err(|e| problems::chain(&e))?;
    if id == 0 {
        return Err(Problem::new(ProblemCode::NotFound, format!("account {account} never joined")));
    }
    view(&gateway, MemberId(id)).await.map(Json)
}

/// Ends the membership. What was earned stays claimable. Sent again, it answers with the same transaction.
#[utoipa::path(
    post, path = route::LEAVE.path, tag = "members", request_body = LeaveRequest,
    responses(
        (status = 200, description = "Left", body = Mined),
        (status = 422, description = "The contract refuses it", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn leave(State(gateway): App, JsonBody(request): JsonBody<LeaveRequest>) -> Answered<Mined> {
    gateway.relayer.leave(&request).await.map(Json)
}

/// Has what a member earned paid to another address, also after the membership ended.
#[utoipa::path(
    post, path = route::PAYOUT.path, tag = "members", request_body = PayoutRequest,
    responses(
        (status = 200, description = "Set", body = Mined),
        (status = 422, description = "The contract refuses it", body = Problem),
        (status = 429, description = "Asked too often", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn payout(State(gateway): App, JsonBody(request): JsonBody<PayoutRequest>) -> Answered<Mined> {
    gateway.relayer.set_payout(&request).await.map(Json)
}

async fn view(gateway: &Gateway, id: MemberId) -> Result<MemberView, Problem> {
    let addresses = &gateway.manifest.addresses;
    let member = gateway.index.fresh().await?.read(|state| state.members.get(&id).cloned());
    let member = member.ok_or_else(|| Problem::new(ProblemCode::NotFound, format!("member {id} does not exist")))?;
    let chain = &gateway.chain;
    let consent = ConsentRegistry::consentOfCall { memberId: id.0 };
    let receipt = ConsentRegistry::receiptOfCall { memberId: id.0 };
    let nonce = ContributionRegistry::nonceOfCall { memberId: id.0 };
    let count = ContributionRegistry::countOfCall { memberId: id.0 };
    let membership_nonce = Membership::nonceOfCall { memberId: id.0 };
    let read = tokio::try_join!(
        chain.view(addresses.membership, &membership_nonce),
        chain.view(addresses.consent_registry, &consent),
        chain.view(addresses.consent_registry, &receipt),
        chain.view(addresses.contribution_registry, &nonce),
        chain.view(addresses.contribution_registry, &count),
    );
    let (membership_nonce, consent, receipt, nonce, count) = read.map_err(|e| problems::chain(&e))?;
    let now = gateway.index.fresh_head().await?.latest.timestamp;
    let word = match consent.status {
        1 if consent.expiry != 0 && consent.expiry <= now => "expired",
        1 => "granted",
        2 => "revoked",
        3 => "erased",
        _ => "none",
    };
    Ok(MemberView {
        member_id: id,
        account: member.account,
        payout: member.payout,
        active: member.is_active(),
        consent: word.to_owned(),
        consent_version: consent.version,
        consent_commitment: receipt,
        consent_expiry: consent.expiry,
        consent_nonce: consent.nonce_.saturating_to(),
        membership_nonce: membership_nonce.saturating_to(),
        contribution_nonce: nonce.saturating_to(),
        contributions: u32::try_from(count).unwrap_or(u32::MAX),
    })
}

/// One part for each seat, in seat order: none is forgotten, none is sent to nobody.
pub(super) fn check_parts(parts: &[SealedTo], gateway: &Gateway, field: &str) -> Result<(), Problem> {
    let seats = gateway.directory.seats();
    let ordered = parts.iter().zip(1u8..).all(|(part, seat)| part.steward == StewardId(seat));
    if parts.len() == seats && ordered {
        return Ok(());
    }
    Err(Problem::new(
        ProblemCode::BadRequest,
        format!("{field}: {seats} parts are needed, one for each steward from 1, in order"),
    )
    .hint(format!("seal to the keys that {} lists", route::COOPERATIVE.path)))
}

pub(super) fn parse<T: std::str::FromStr>(text: &str, expected: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::new(ProblemCode::BadRequest, format!("{text:?}: {expected}")))
}
