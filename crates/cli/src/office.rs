//! The registrar's process, as its office asks it: requests that are signed with the registrar's key.

use crate::args::Common;
use crate::coop::{self, Coop};
use crate::failure::{Failure, Kind};
use crate::found::{self, Layout, REGISTRAR};
use crate::registrar_args::OfficeArgs;
use crate::state::{State, read_json};
use alloy::primitives::B256;
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context, Result};
use rochdale_api::client::{Client, Identity};
use rochdale_api::invitation::{InvitationView, InvitationsRequest, NewInvitation};
use rochdale_api::route::{HEALTH, registrar as route};
use rochdale_api::{ProblemCode, auth};
use rochdale_chain::deploy::Manifest;
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

    /// All of them, the newest first.
    pub async fn all(&self) -> Result<Vec<InvitationView>> {
        let now = self.now().await?;
        Ok(self.client.get_signed(route::INVITATIONS, now).await?)
    }

    /// Takes one back.
    pub async fn withdraw(&self, id: B256) -> Result<InvitationView> {
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
