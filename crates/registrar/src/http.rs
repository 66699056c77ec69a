//! The registrar's HTTP surface: health and the state of admissions for everyone, applications from the gateway, invitations for the office.

use std::sync::Arc;

use alloy::primitives::B256;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::{Json, Router};
use rochdale_api::invitation::{
    InvitationState, InvitationView, InvitationsRequest, LONGEST_NOTE, MOST_AT_ONCE, MOST_DAYS, NewInvitation,
};
use rochdale_api::member::{Admissions, InvitedApplication, JoinRequest};
use rochdale_api::route::registrar::{self as route, Access};
use rochdale_api::server::{PathOf, Signed, Verifier, answering, document};
use rochdale_api::shape::Hex32;
use rochdale_api::status::Health;
use rochdale_api::{Problem, ProblemCode};
use rochdale_client::code::Code;
use rochdale_node::mirror::Mirror;
use serde_json::Value;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problems::bad;
use crate::registrar::Registrar;
use crate::store::Invitation;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// What handlers get.
#[derive(Clone)]
pub struct App(Arc<Registrar>);

impl FromRef<App> for Arc<dyn Verifier> {
    fn from_ref(app: &App) -> Self {
        Arc::<Registrar>::clone(&app.0)
    }
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Rochdale registrar",
    description = "Admissions by invitation. Errors are RFC 9457 problem documents with a stable `code`. People apply through the gateway; \
                   the registrar's office signs its requests with the registrar's key."
))]
struct Document;

fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health))
        .routes(routes!(admissions, admit))
        .routes(routes!(invitations, invite))
        .routes(routes!(withdraw))
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> Value {
    let (_, document) = api().split_for_parts();
    document::complete(&document, route::TABLE, |access| access != Access::Anyone)
}

/// All routes.
pub fn router(registrar: Arc<Registrar>) -> Router {
    let identity = registrar.identity();
    let (router, _) = api().split_for_parts();
    let router = document::served(router, &document())
        .layer(axum::middleware::from_fn(rochdale_node::request::scoped))
        .with_state(App(registrar));
    answering(router, identity)
}

/// Whether anybody is admitted now, and when the cap's next epoch begins.
#[utoipa::path(
    get, path = route::ADMISSIONS.path, tag = "admissions",
    responses(
        (status = 200, description = "Whether anybody is admitted", body = Admissions),
        (status = 503, description = "The chain cannot be read", body = Problem),
    )
)]
async fn admissions(State(App(registrar)): State<App>) -> Result<Json<Admissions>, Problem> {
    registrar.admissions().await.map(Json)
}

/// Admits who proves to have an invitation. For the gateway. The same application gets the same admission.
#[utoipa::path(
    post, path = route::ADMISSION.path, tag = "admissions", request_body = InvitedApplication,
    responses(
        (status = 200, description = "The admission", body = JoinRequest),
        (status = 401, description = "The application's time is over", body = Problem),
        (status = 403, description = "Not by the gateway, or the invitation expired, was taken back or is not proven", body = Problem),
        (status = 404, description = "No such invitation", body = Problem),
        (status = 409, description = "The invitation was used, or the account joined", body = Problem),
        (status = 422, description = "The epoch's cap is reached, or too few stewards hold the row key", body = Problem),
        (status = 429, description = "Too many wrong applications", body = Problem),
        (status = 503, description = "Gateway or chain cannot be reached", body = Problem),
    )
)]
async fn admit(
    State(App(registrar)): State<App>,
    signed: Signed<InvitedApplication>,
) -> Result<Json<JoinRequest>, Problem> {
    registrar.admit(signed.body).await.map(Json)
}

/// Makes invitations. For the office. Their codes are told here and never again.
#[utoipa::path(
    post, path = route::INVITE.path, tag = "invitations", request_body = InvitationsRequest,
    responses(
        (status = 200, description = "The invitations with their codes", body = Vec<NewInvitation>),
        (status = 400, description = "Too many, for too long, or too long a note", body = Problem),
        (status = 403, description = "Not by the registrar's key", body = Problem),
    )
)]
async fn invite(
    State(App(registrar)): State<App>,
    Signed { body, .. }: Signed<InvitationsRequest>,
) -> Result<Json<Vec<NewInvitation>>, Problem> {
    check(&body)?;
    let now = registrar.at_head().await?.now();
    let expires = now + u64::from(body.days) * DAY;
    let made: Vec<Invitation> = {
        let mut rng = rand::rng();
        (0..body.count).map(|_| Invitation::new(Code::draw(&mut rng), body.note.clone(), now, expires)).collect()
    };
    registrar.store.put(&made).await?;
    tracing::info!(count = made.len(), "invitations were made");
    let told = |made: Invitation| NewInvitation {
        id: made.id,
        code: made.code.grouped(),
        note: made.note,
        made: made.made,
        expires: made.expires,
    };
    Ok(Json(made.into_iter().map(told).collect()))
}

fn check(request: &InvitationsRequest) -> Result<(), Problem> {
    if !(1..=MOST_AT_ONCE).contains(&request.count) {
        return Err(bad(format!("count: 1 to {MOST_AT_ONCE} invitations at once")));
    }
    if !(1..=MOST_DAYS).contains(&request.days) {
        return Err(bad(format!("days: an invitation is good for 1 to {MOST_DAYS} days")));
    }
    if request.note.chars().count() > LONGEST_NOTE {
        return Err(bad(format!("note: at most {LONGEST_NOTE} characters")));
    }
    Ok(())
}

/// The invitations, the newest first, without their codes. For the office.
#[utoipa::path(
    get, path = route::INVITATIONS.path, tag = "invitations",
    responses(
        (status = 200, description = "The invitations", body = Vec<InvitationView>),
        (status = 403, description = "Not by the registrar's key", body = Problem),
    )
)]
async fn invitations(State(App(registrar)): State<App>, _: Signed<()>) -> Result<Json<Vec<InvitationView>>, Problem> {
    let mirror = registrar.at_head().await?;
    let all = registrar.store.all().await?;
    Ok(Json(all.into_iter().map(|invitation| view(invitation, &mirror)).collect()))
}

/// Takes an invitation back. For the office. Sent again, it answers the same.
#[utoipa::path(
    post, path = route::WITHDRAW.path, tag = "invitations",
    params(("id" = Hex32, Path, description = "The invitation's id")),
    responses(
        (status = 200, description = "It is good for nobody any more", body = InvitationView),
        (status = 403, description = "Not by the registrar's key", body = Problem),
        (status = 404, description = "No such invitation", body = Problem),
        (status = 409, description = "Somebody was admitted by it", body = Problem),
    )
)]
async fn withdraw(
    State(App(registrar)): State<App>,
    PathOf(id): PathOf<String>,
    _: Signed<()>,
) -> Result<Json<InvitationView>, Problem> {
    let id: B256 = id.parse().map_err(|_| bad(format!("`{id}`: an id is 0x and 64 hexadecimal digits")))?;
    let mirror = registrar.at_head().await?;
    let found = async || {
        let none = || Problem::new(ProblemCode::NotFound, format!("there is no invitation {id}"));
        Ok::<_, Problem>(view(registrar.store.get(id).await?.ok_or_else(none)?, &mirror))
    };
    let before = found().await?;
    if matches!(before.state, InvitationState::Admitted | InvitationState::Joined) {
        let account = before.account.unwrap_or_default();
        let detail = format!("the account {account} was admitted by it: what was signed cannot be taken back");
        return Err(Problem::new(ProblemCode::Conflict, detail).hint(
            "an admission that nobody joins with ends by itself, within a day; expelling a member is the members' vote",
        ));
    }
    registrar.store.withdraw(id, mirror.now()).await?;
    found().await.map(Json)
}

fn view(invitation: Invitation, mirror: &Mirror) -> InvitationView {
    let account = invitation.account();
    let member = account.and_then(|account| mirror.latest.member_ids.get(&account).copied());
    let holds = invitation.admission.as_ref().is_some_and(|admission| admission.deadline >= mirror.now());
    let state = match () {
        () if member.is_some() => InvitationState::Joined,
        () if holds => InvitationState::Admitted,
        () if invitation.withdrawn.is_some() => InvitationState::Withdrawn,
        () if invitation.expires < mirror.now() => InvitationState::Expired,
        () => InvitationState::Open,
    };
    let Invitation { id, note, made, expires, .. } = invitation;
    InvitationView { id, note, made, expires, state, account, member }
}

/// Whether the registrar can work, and what is wrong where it cannot.
#[utoipa::path(
    get, path = route::HEALTH.path, tag = "public",
    responses((status = 200, description = "It can work", body = Health), (status = 503, description = "It cannot", body = Health))
)]
async fn health(State(App(registrar)): State<App>) -> (StatusCode, Json<Health>) {
    let mut problems = Vec::new();
    let seen = registrar.at_head().await.map_err(|problem| problems.push(problem.detail)).ok();
    match registrar.is_in_office().await {
        Ok(true) => {}
        Ok(false) => {
            problems.push(format!(
                "{} is not the registrar that the chain names: nobody it admits can join",
                registrar.address()
            ));
        }
        Err(problem) => problems.push(problem.detail),
    }
    let ok = problems.is_empty();
    let head = seen.or_else(|| registrar.mirror()).map(|mirror| mirror.head.latest);
    let number = head.map_or(0, |block| block.number);
    let health = Health {
        service: "registrar".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ok,
        address: registrar.address(),
        head: number,
        indexed: number,
        now: head.map_or(0, |block| block.timestamp),
        problems,
        waiting_for: Vec::new(),
    };
    (if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(health))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_the_table_and_says_how_to_call_and_what_is_answered() {
        let document = document();
        assert_eq!(document::gaps(&document), Vec::<String>::new());
        assert_eq!(document::differences(&document, route::TABLE, &[route::OPENAPI.path]), Vec::<String>::new());
    }
}
