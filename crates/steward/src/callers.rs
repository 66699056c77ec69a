//! Who calls this steward, as the chain knows them: decided before a body is read or anything is written.

use std::sync::Arc;

use alloy::primitives::{Address, U256};
use alloy::sol_types::Eip712Domain;
use rochdale_api::auth::Session;
use rochdale_api::route::listed;
use rochdale_api::route::steward::{Access, TABLE};
use rochdale_api::server::{Answer, Verifier};
use rochdale_api::{Problem, ProblemCode};
use rochdale_node::callers::{admit, no_session, vouch};
use rochdale_node::sealed::{Opens, Sealer};

use crate::http::refused;
use crate::steward::{Caller, Mirror, Steward};

impl Steward {
    /// Whether a signer may call a route of this kind, by what the chain shows in `mirror`.
    async fn may(&self, mirror: &Mirror, signer: Address, access: Access) -> Result<(), Problem> {
        let caller = self.caller(mirror, signer);
        let (holds, wanted) = match access {
            Access::Anyone => (true, "anyone"),
            Access::Gateway => (caller == Caller::Gateway, "the gateway"),
            Access::Steward => (matches!(caller, Caller::Steward(_)), "a steward in office"),
            Access::StewardOrAwarder => {
                let holds = self.may_award(mirror, caller, signer).await?;
                (holds, "a steward in office, or the awarder of an open program")
            }
            Access::Worker => (caller == Caller::Worker, "a registered worker"),
            Access::GatewayOrMember => {
                let holds = matches!(caller, Caller::Gateway | Caller::Member(_));
                (holds, "the gateway, or a member for itself")
            }
            // Which member the path names is for the handler to see.
            Access::ThatMember => (matches!(caller, Caller::Member(_)), "the member that it is about"),
        };
        if holds { Ok(()) } else { Err(refused(signer, caller, wanted)) }
    }
}

impl Verifier for Steward {
    fn domain(&self) -> &Eip712Domain {
        &self.domain
    }

    fn audience(&self) -> Address {
        self.address()
    }

    fn now(&self) -> Answer<'_, u64> {
        Box::pin(async { Ok(self.for_guard().await?.now()) })
    }

    fn admit<'a>(&'a self, signer: Address, method: &'a str, path: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            self.refuse_if_restored()?;
            let route = listed(TABLE, method, path)
                .ok_or_else(|| Problem::new(ProblemCode::NotFound, "there is no such path"))?;
            let may = |mirror: Arc<Mirror>| async move { self.may(&mirror, signer, route.access).await };
            admit(&self.looks, self.mirror().ok(), self.for_guard(), may).await
        })
    }

    fn vouch<'a>(&'a self, session: &'a Session, key: Address, method: &'a str, path: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            if listed(TABLE, method, path).is_none_or(|route| route.access != Access::ThatMember) {
                return Err(no_session());
            }
            let at = self.for_guard().await?.head.latest.number.into();
            vouch(&self.session_looks, &self.chain, &self.domain, (session, key), at).await
        })
    }

    fn use_nonce(&self, signer: Address, nonce: U256, deadline: u64, now: u64) -> Answer<'_, bool> {
        Box::pin(async move { Ok(self.nonces.use_once(signer, nonce, deadline, now).await?) })
    }
}

impl Sealer for Steward {
    fn opener(&self) -> &dyn Opens {
        &self.keys.sealing
    }
}
