//! Invitations, as the registrar's office makes them, looks at them and takes them back.

use crate::args::Common;
use crate::office::{Office, link};
use crate::registrar_args::OfficeArgs;
use crate::ui::{Ui, show};
use crate::when::{count, utc};
use alloy::primitives::B256;
use anyhow::Result;
use rochdale_api::invitation::{InvitationState, InvitationView, InvitationsRequest};
use serde_json::{Value, json};
use std::process::ExitCode;

/// `rochdale registrar invite`
pub async fn invite(
    common: &Common,
    (request, base): (InvitationsRequest, Option<String>),
    office: &OfficeArgs,
    ui: Ui,
) -> Result<ExitCode> {
    let base = base.map_or_else(|| common.gateway(), Ok)?;
    let made = Office::open(common, office).await?.invite(&request).await?;
    let until = made.first().map_or(0, |invitation| invitation.expires);
    let (mut lines, mut values) = (Vec::new(), Vec::new());
    for invitation in &made {
        let link = link(&base, &invitation.code);
        lines.push(format!("  {}  {link}", invitation.code));
        let mut value = json!(invitation);
        value["link"] = Value::String(link);
        values.push(value);
    }
    let sentence = format!(
        "{}, each for one person, good until {}. The codes are shown now and never again: who has one can join\n{}\n\
         `rochdale registrar invitations` says later whom each admitted",
        count(made.len() as u64, "invitation"),
        utc(until),
        lines.join("\n")
    );
    show(ui, &json!(values), sentence)
}

/// `rochdale registrar invitations`
pub async fn list(common: &Common, office: &OfficeArgs, ui: Ui) -> Result<ExitCode> {
    let all = Office::open(common, office).await?.all().await?;
    let lines: Vec<String> = all.iter().map(told).collect();
    let sentence = if all.is_empty() {
        "no invitation was made: `rochdale registrar invite` makes one".to_owned()
    } else {
        lines.join("\n")
    };
    show(ui, &json!(all), sentence)
}

/// `rochdale registrar withdraw`
pub async fn withdraw(common: &Common, id: B256, office: &OfficeArgs, ui: Ui) -> Result<ExitCode> {
    let view = Office::open(common, office).await?.withdraw(id).await?;
    show(ui, &json!(view), format!("{}\nNobody is admitted by it any more", told(&view)))
}

fn told(view: &InvitationView) -> String {
    let account = view.account.map(|account| account.to_string()).unwrap_or_default();
    let state = match (view.state, view.member) {
        (InvitationState::Open, _) => format!("open until {}", utc(view.expires)),
        (InvitationState::Admitted, _) => format!("admitted {account}, which has not joined"),
        (InvitationState::Joined, Some(id)) => format!("member {id} joined by it, {account}"),
        (InvitationState::Joined, None) => format!("{account} joined by it"),
        (InvitationState::Withdrawn, _) => "taken back".to_owned(),
        (InvitationState::Expired, _) => format!("expired {}", utc(view.expires)),
    };
    let note = if view.note.is_empty() { String::new() } else { format!(" ({})", view.note) };
    format!("{}{note}: {state}", view.id)
}
