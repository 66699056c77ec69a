//! Applications of who was invited, on their way to the registrar. The gateway reads them and can change nothing in them.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use rochdale_api::client::Client;
use rochdale_api::member::{Admissions, InvitedApplication, JoinRequest};
use rochdale_api::route::gateway as route;
use rochdale_api::route::registrar;
use rochdale_api::server::JsonBody;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::bindings::Membership;
use rochdale_node::admissions::{admissions, joined_since};

use super::caller::Caller;
use super::members::check_parts;
use super::{Answered, App, Gateway};
use crate::problems;
use crate::relayer::site;

/// How long the registrar may take: it waits for the stewards.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long it may take to say that it is there.
const SOON: Duration = Duration::from_secs(3);

/// Whether anybody is admitted now: there is a registrar that answers, and the contract's cap of the epoch is not reached.
#[utoipa::path(
    get, path = route::ADMISSIONS.path, tag = "members",
    responses(
        (status = 200, description = "Whether anybody is admitted, and when the cap's next epoch begins", body = Admissions),
        (status = 503, description = "The chain cannot be read", body = Problem),
    )
)]
pub async fn state(State(gateway): App) -> Answered<Admissions> {
    let now = gateway.index.fresh_head().await?.latest.timestamp;
    let joined = |since| gateway.index.state().read(|state| joined_since(state, since));
    let ours = admissions(&gateway.chain, &gateway.manifest, now, joined).await.map_err(|e| problems::chain(&e))?;
    let answers = match &gateway.registrar {
        Some(client) => client.clone().patient(SOON).get(registrar::ADMISSIONS).await.is_ok_and(|theirs| theirs.open),
        None => false,
    };
    Ok(Json(Admissions { open: ours.open && answers, ..ours }))
}

/// Applies with an invitation, and answers with the registrar's admission. The same application gets the same admission.
#[utoipa::path(
    post, path = route::ADMISSION.path, tag = "members", request_body = InvitedApplication,
    responses(
        (status = 200, description = "The admission, to join with", body = JoinRequest),
        (status = 400, description = "Not well formed", body = Problem),
        (status = 401, description = "The application's time is over", body = Problem),
        (status = 403, description = "The invitation expired, was taken back or is not proven", body = Problem),
        (status = 404, description = "No such invitation", body = Problem),
        (status = 409, description = "The invitation was used, or the account joined", body = Problem),
        (status = 422, description = "The epoch's cap is reached, or too few stewards hold the row key", body = Problem),
        (status = 429, description = "Asked too often", body = Problem),
        (status = 503, description = "Registrar or chain cannot be reached", body = Problem),
    )
)]
pub async fn apply(
    State(gateway): App,
    Caller(from): Caller,
    JsonBody(request): JsonBody<InvitedApplication>,
) -> Answered<JoinRequest> {
    let client = registrar_of(&gateway)?;
    gateway.applications.take(&site(from))?;
    check_parts(&request.row_keys, &gateway, "row_keys")?;
    let named = gateway.chain.view(gateway.manifest.addresses.membership, &Membership::registrarCall {}).await;
    let named = named.map_err(|e| problems::chain(&e))?;
    let client = client.clone().patient(PATIENCE).signing(gateway.identity.clone(), named);
    let now = gateway.index.fresh_head().await?.latest.timestamp;
    Ok(Json(client.post_signed(registrar::ADMISSION, &request, now).await?))
}

fn registrar_of(gateway: &Gateway) -> Result<&Client, Problem> {
    gateway.registrar.as_ref().ok_or_else(|| {
        Problem::new(ProblemCode::PeerUnavailable, "this gateway knows no registrar: nobody is admitted by an invitation here")
            .hint("its operator names one as `registrar` in gateway.toml; a registrar also admits by `rochdale registrar admit`")
    })
}
