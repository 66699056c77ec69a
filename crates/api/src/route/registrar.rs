//! What the registrar serves.

use serde_json::Value;

use crate::invitation::{InvitationView, InvitationsRequest, NewInvitation};
use crate::member::{Admissions, InvitedApplication, JoinRequest};
use crate::status::Health;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone, unsigned.
    Anyone,
    /// The gateway that the chain names.
    Gateway,
    /// Whoever holds the registrar's own key.
    Office,
}

routes! {
    /// How the others are called.
    OPENAPI: get super::OPENAPI.path, Anyone, () => Value;
    /// Whether the registrar can work.
    HEALTH: get super::HEALTH.path, Anyone, () => Health;
    /// Whether anybody is admitted now.
    ADMISSIONS: get super::gateway::ADMISSIONS.path, Anyone, () => Admissions;
    /// Admit who was invited.
    ADMISSION: post super::gateway::ADMISSION.path, Gateway, InvitedApplication => JoinRequest;
    /// Make invitations.
    INVITE: post "/v1/invitations", Office, InvitationsRequest => Vec<NewInvitation>;
    /// The invitations, without their codes.
    INVITATIONS: get "/v1/invitations", Office, () => Vec<InvitationView>;
    /// Take an invitation back.
    WITHDRAW: post "/v1/invitations/{id}/withdraw", Office, () => InvitationView;
}
