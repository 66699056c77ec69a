//! Invitations, as the registrar's office makes them, looks at them and takes them back: signed requests to the registrar's process.

use crate::args::Common;
use crate::commands::show;
use crate::coop::{self, Coop};
use crate::failure::{Failure, Kind};
use crate::found::{self, Layout, REGISTRAR};
use crate::registrar_args::OfficeArgs;
use crate::state::{State, read_json};
use crate::ui::Ui;
use crate::when::{count, utc};
use alloy::primitives::B256;
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context, Result};
use rochdale_api::client::{Client, Identity};
use rochdale_api::invitation::{InvitationState, InvitationView, InvitationsRequest, NewInvitation};
use rochdale_api::route::{HEALTH, registrar as route};
use rochdale_api::{ProblemCode, auth};
use rochdale_chain::deploy::Manifest;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// How long the registrar may take: it waits for nobody here.
const PATIENCE: Duration = Duration::from_secs(30);

/// The registrar's process, asked with the registrar's key.
pub struct Office {
    client: Client,
    url: String,
}

impl Office {
    /// The registrar that is named, or that of this state directory.
    pub async fn open(common: &Common, args: &OfficeArgs) -> Result<Self> {
        let state = common.state()?;
        let key = match &args.key {
            Some(path) => coop::signer(path)?,
            None => found::office(&state, REGISTRAR)?,
        };
        let url = match &args.registrar {
            Some(url) => url.clone(),
            None => url_of(&state)?,
        };
        let manifest = match state.manifest().exists() {
            true => Manifest::load(&state.manifest())?,
            false => Coop::connect(&common.gateway()?).await?.manifest,
        };
        Self::of(&url, key, &manifest)
    }

    /// The registrar at `url`, asked by its own key.
    pub fn of(url: &str, key: PrivateKeySigner, manifest: &Manifest) -> Result<Self> {
        let domain = auth::domain(manifest.chain_id, manifest.addresses.steward_committee);
        let address = key.address();
        let client = Client::new(url)?.patient(PATIENCE).signing(Identity { key, domain }, address);
        Ok(Self { client, url: url.to_owned() })
    }

    /// Makes invitations.
    pub async fn invite(&self, request: &InvitationsRequest) -> Result<Vec<NewInvitation>> {
        let now = self.now().await?;
        Ok(self.client.post_signed(route::INVITE, request, now).await?)
    }

    async fn all(&self) -> Result<Vec<InvitationView>> {
        let now = self.now().await?;
        Ok(self.client.get_signed(route::INVITATIONS, now).await?)
    }

    async fn withdraw(&self, id: B256) -> Result<InvitationView> {
        let now = self.now().await?;
        Ok(self.client.post_signed(route::WITHDRAW.at(id), &(), now).await?)
    }

    /// Block time at the registrar, which is there where it answers.
    async fn now(&self) -> Result<u64> {
        let error = match self.client.get(HEALTH).await {
            Ok(health) => return Ok(health.now),
            Err(error) => error,
        };
        let said = match error.code() {
            ProblemCode::PeerUnavailable => Failure::new(
                Kind::Unreachable,
                format!(
                    "no registrar answers at {}: `rochdale up` runs one beside the others, `rochdale up --only registrar` it alone, \
                     and --registrar names one that runs elsewhere",
                    self.url
                ),
            ),
            ProblemCode::PeerFault => Failure::refused(format!(
                "what answers at {} does not sign with this key: name the registrar's own with --key, or its process with --registrar",
                self.url
            )),
            _ => return Err(error.into()),
        };
        Err(error).context(said)
    }
}

fn url_of(state: &State) -> Result<String> {
    if !state.layout().exists() {
        return Err(Failure::refused(format!(
            "{} runs no registrar: name the one that runs elsewhere with --registrar, or the state directory of `rochdale up` with --state",
            state.path().display()
        ))
        .into());
    }
    Ok(found::url(read_json::<Layout>(&state.layout())?.registrar_port()))
}

/// The link of a code at the web app of a gateway: what stands behind `#` is sent to nobody. A browser keeps passkeys for `localhost` and
/// for no address.
pub fn link(base: &str, code: &str) -> String {
    let base = base.trim_end_matches('/').replacen("//127.0.0.1", "//localhost", 1);
    format!("{base}/join#{code}")
}

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

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn a_link_is_one_that_a_browser_keeps_passkeys_for() {
        for base in ["http://127.0.0.1:8400", "http://localhost:8400/", "http://127.0.0.1:8400/"] {
            assert_eq!(link(base, "CODE"), "http://localhost:8400/join#CODE");
        }
        assert_eq!(link("https://coop.example", "CODE"), "https://coop.example/join#CODE");
    }
}
