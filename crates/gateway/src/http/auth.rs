//! Who calls: signed requests by keys that the chain knows.

use std::ops::Deref;
use std::sync::Arc;

use alloy::primitives::{Address, U256};
use alloy::sol_types::Eip712Domain;
use axum::extract::FromRef;
use rochdale_api::server::{Answer, Verifier};
use rochdale_api::{Problem, ProblemCode};

use super::Gateway;
use crate::problems;

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
        &self.domain
    }

    fn audience(&self) -> Address {
        self.address
    }

    fn now(&self) -> Answer<'_, u64> {
        Box::pin(async { self.chain.now().await.map_err(|e| problems::chain(&e)) })
    }

    fn use_nonce(&self, signer: Address, nonce: U256, deadline: u64) -> Answer<'_, bool> {
        Box::pin(async move { Ok(self.store.use_nonce(signer, nonce, deadline).await?) })
    }
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
