//! Who calls: signed requests by keys that the chain knows.

use std::ops::Deref;
use std::sync::Arc;

use alloy::primitives::{Address, U256};
use alloy::sol_types::Eip712Domain;
use axum::extract::FromRef;
use rochdale_api::auth::Session;
use rochdale_api::route::gateway::{Access, TABLE};
use rochdale_api::route::listed;
use rochdale_api::server::{Answer, Verifier};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::state::Cooperative;
use rochdale_node::callers::{admit, no_session, vouch};
use rochdale_node::mirror::Folded;

use super::Gateway;

/// The gateway as axum's state.
#[derive(Clone)]
pub struct AppState(pub Arc<Gateway>);

impl Deref for AppState {
    type Target = Gateway;

    fn deref(&self) -> &Gateway {
        &self.0
    }
}

impl FromRef<AppState> for Arc<dyn Verifier> {
    fn from_ref(state: &AppState) -> Self {
        Arc::<Gateway>::clone(&state.0)
    }
}

impl Verifier for Gateway {
    fn domain(&self) -> &Eip712Domain {
        &self.identity.domain
    }

    fn audience(&self) -> Address {
        self.address
    }

    fn now(&self) -> Answer<'_, u64> {
        Box::pin(async { Ok(self.index.for_guard().await?.latest.timestamp) })
    }

    fn admit<'a>(&'a self, signer: Address, method: &'a str, path: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            let route = listed(TABLE, method, path)
                .ok_or_else(|| Problem::new(ProblemCode::NotFound, "there is no such path"))?;
            if route.access == Access::Locker {
                return is_named(signer, path);
            }
            let may = |index: &Folded| std::future::ready(index.read(|state| may(state, signer, route.access)));
            let fresh = async { self.index.for_guard().await.map(|_| self.index.state()) };
            admit(&self.looks, Some(self.index.state()), fresh, may).await
        })
    }

    fn vouch<'a>(&'a self, session: &'a Session, key: Address, method: &'a str, path: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            if listed(TABLE, method, path).is_none_or(|route| route.access != Access::Blob) {
                return Err(no_session());
            }
            let at = self.index.for_guard().await?.latest.number.into();
            vouch(&self.looks, &self.chain, &self.identity.domain, (session, key), at).await
        })
    }

    fn counts_once(&self, method: &str, path: &str) -> bool {
        // A locker's change names the version that it replaces; nonces of whoever draws a key would fill the store for everybody.
        listed(TABLE, method, path).is_none_or(|route| route.access != Access::Locker)
    }

    fn use_nonce(&self, signer: Address, nonce: U256, deadline: u64, now: u64) -> Answer<'_, bool> {
        Box::pin(async move { Ok(self.nonces.use_once(signer, nonce, deadline, now).await?) })
    }
}

/// Whether a signer may call a route of this kind, by what the index holds.
fn may(state: &Cooperative, signer: Address, access: Access) -> Result<(), Problem> {
    let steward = || state.steward_id(signer).is_some();
    let worker = || state.workers.contains_key(&signer);
    let (holds, wanted) = match access {
        Access::Public | Access::Statement | Access::Upload => (true, "anyone"),
        // Which key that is, the path says.
        Access::Locker => (false, "the key of that locker"),
        // Whose blob it is, is for the handler to see.
        Access::Blob => (worker() || state.member_ids.contains_key(&signer), "a worker, or a member"),
        // Whether enough others permit it, is for the handler to see.
        Access::Scorer | Access::Steward => (steward(), "a steward in office"),
        Access::Worker => (worker(), "a registered worker"),
        Access::WorkerOrSteward => (worker() || steward(), "a registered worker or a steward in office"),
    };
    if holds { Ok(()) } else { Err(forbidden(signer, wanted)) }
}

/// Whether the path's last part names the signer.
fn is_named(signer: Address, path: &str) -> Result<(), Problem> {
    let named = path.rsplit('/').next().and_then(|part| part.parse::<Address>().ok());
    if named == Some(signer) { Ok(()) } else { Err(forbidden(signer, "the key of that locker")) }
}

impl Gateway {
    /// Whether the chain seats this signer as a steward, as of the newest block.
    pub(super) async fn expect_steward(&self, signer: Address) -> Result<(), Problem> {
        let seated = self.index.fresh().await?.read(|state| state.steward_id(signer).is_some());
        if seated { Ok(()) } else { Err(forbidden(signer, "a steward in office")) }
    }

    /// Whether the chain registers this signer as a worker, as of the newest block.
    pub(super) async fn expect_worker(&self, signer: Address) -> Result<(), Problem> {
        let registered = self.index.fresh().await?.read(|state| state.workers.contains_key(&signer));
        if registered { Ok(()) } else { Err(forbidden(signer, "a registered worker")) }
    }
}

pub(super) fn forbidden(signer: Address, wanted: &str) -> Problem {
    Problem::new(ProblemCode::Forbidden, format!("{signer} is not {wanted}"))
        .hint("sign with the key that is registered on chain")
}
