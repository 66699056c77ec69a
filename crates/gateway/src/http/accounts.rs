//! Passkey accounts of members and of researchers whom the ethics board approves: the relayer pays for what their passkey signed.

use alloy::primitives::Address;
use axum::Json;
use axum::extract::State;
use rochdale_api::account::{
    AccountCreated, AccountRequest, AccountView, ExecuteRequest, RecoveryApproval, RecoveryRequest,
};
use rochdale_api::member::Mined;
use rochdale_api::route::gateway as route;
use rochdale_api::server::{JsonBody, PathOf};
use rochdale_api::shape::HexAddress;
use rochdale_api::{Problem, ProblemCode};

use super::{Answered, App};

/// Creates the passkey account of a member, or of whom the ethics board approves; sent again, it answers that the account is there.
#[utoipa::path(
    post, path = route::CREATE_ACCOUNT.path, tag = "accounts", request_body = AccountRequest,
    responses(
        (status = 200, description = "The account", body = AccountCreated),
        (status = 403, description = "Nobody joined with that account, and the ethics board does not approve it", body = Problem),
        (status = 422, description = "The contract refuses the key or the guardians", body = Problem),
        (status = 429, description = "Asked too often", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn create(State(gateway): App, JsonBody(request): JsonBody<AccountRequest>) -> Answered<AccountCreated> {
    gateway.relayer.create_account(&request).await.map(Json)
}

/// Makes calls that the passkey of a member or an approved researcher signed, whole or not at all. Each signed batch takes effect once.
#[utoipa::path(
    post, path = route::EXECUTE.path, tag = "accounts", request_body = ExecuteRequest,
    responses(
        (status = 200, description = "Made", body = Mined),
        (status = 403, description = "Not a member's or an approved researcher's, or not among the calls that are relayed for it", body = Problem),
        (status = 404, description = "No such account", body = Problem),
        (status = 422, description = "The account or a contract refuses it", body = Problem),
        (status = 429, description = "Asked too often", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn execute(State(gateway): App, JsonBody(request): JsonBody<ExecuteRequest>) -> Answered<Mined> {
    gateway.relayer.execute(&request).await.map(Json)
}

/// Brings a guardian's yes to another passkey on chain. With the last one that is needed the delay begins, in which the present passkey
/// may veto.
#[utoipa::path(
    post, path = route::APPROVE_RECOVERY.path, tag = "accounts", request_body = RecoveryApproval,
    responses(
        (status = 200, description = "Approved", body = Mined),
        (status = 403, description = "Not a member's account", body = Problem),
        (status = 404, description = "No such account", body = Problem),
        (status = 422, description = "The account refuses it", body = Problem),
        (status = 429, description = "Asked too often", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn approve_recovery(State(gateway): App, JsonBody(request): JsonBody<RecoveryApproval>) -> Answered<Mined> {
    gateway.relayer.approve_recovery(&request).await.map(Json)
}

/// Puts a passkey in place whose delay is over and which nobody vetoed.
#[utoipa::path(
    post, path = route::EXECUTE_RECOVERY.path, tag = "accounts", request_body = RecoveryRequest,
    responses(
        (status = 200, description = "In place", body = Mined),
        (status = 403, description = "Not a member's account", body = Problem),
        (status = 404, description = "No such account", body = Problem),
        (status = 422, description = "No recovery, or too early or too late for it", body = Problem),
        (status = 429, description = "Asked too often", body = Problem),
        (status = 503, description = "The chain cannot be reached", body = Problem),
    )
)]
pub async fn execute_recovery(State(gateway): App, JsonBody(request): JsonBody<RecoveryRequest>) -> Answered<Mined> {
    gateway.relayer.execute_recovery(&request).await.map(Json)
}

/// A passkey account, with the nonce that it signs next.
#[utoipa::path(
    get, path = route::ACCOUNT.path, tag = "accounts",
    params(("address" = HexAddress, Path, description = "Account")),
    responses((status = 200, description = "The account", body = AccountView), (status = 404, description = "No such account", body = Problem))
)]
pub async fn view(State(gateway): App, PathOf(address): PathOf<String>) -> Answered<AccountView> {
    let account: Address = address.parse().map_err(|_| {
        Problem::new(ProblemCode::BadRequest, format!("`{address}`: an account is 0x and 40 hexadecimal digits"))
    })?;
    gateway.relayer.account_view(account).await.map(Json)
}
