//! Telling others of a withdrawal: every steward in office, and the gateway until the chain shows it. Nothing is sent but what the member
//! signed. Whom it was told is kept in memory alone: after a start everybody is told again, and once in a while a peer that may have lost it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::Address;
use futures_util::stream::{self, StreamExt as _};
use rochdale_api::Problem;
use rochdale_api::client::Client;
use rochdale_api::denial::{HeldDenial, LEAST_LEFT};
use rochdale_api::route::{gateway, steward};
use rochdale_chain::state::Cooperative;

use super::told::{Errand, Told};
use super::{is_granted, stands};
use crate::steward::{Mirror, Steward};

/// The first wait after which who did not take it is told again; each next one is twice as long.
const SOON: Duration = Duration::from_secs(1);
/// The longest wait, also for who took it.
const LATE: Duration = Duration::from_secs(600);
/// How many are told at a time, and in one go.
const AT_ONCE: usize = 16;
const PAGE: usize = 512;
/// How long the gateway may take.
const GATEWAY: Duration = Duration::from_secs(5);
/// Seconds of block time after which a withdrawal that is not on chain is said to wait.
const LONG: u64 = 3_600;

/// Whether the contract would take it as of a block.
fn lands(state: &Cooperative, held: &HeldDenial, now: u64) -> bool {
    let (member, request) = (held.request.member_id, &held.request);
    let active = state.members.get(&member).is_some_and(|member| member.is_active());
    state.consent_signatures(member).next == request.nonce
        && now <= request.deadline
        && (held.erases || (active && is_granted(state, member)))
}

impl Steward {
    /// Forgets what the chain answered for good, and tells of the rest whom it is time to tell.
    ///
    /// # Errors
    /// Where the store fails; what others do not take is tried again.
    pub async fn deny_round(self: &Arc<Self>, mirror: &Mirror) -> Result<(), Problem> {
        let mut standing = Vec::new();
        for held in self.store.denials().await? {
            if stands(mirror.finalized(), &held) {
                standing.push(held);
            } else {
                self.store.forget_denial(held.request.member_id, held.request.nonce).await?;
            }
        }
        // Where the last ones are still being told, they come to it in another round.
        let Ok(mut told) = self.passing.0.clone().try_lock_owned() else { return Ok(()) };
        let errands = self.errands(mirror, &standing);
        let known: BTreeSet<Errand> = errands.iter().map(|(errand, ..)| *errand).collect();
        told.retain(|errand, _| known.contains(errand));
        let now = Instant::now();
        let is_due = |errand: &Errand| told.get(errand).is_none_or(|told| told.at <= now);
        let mut due: Vec<_> = errands.into_iter().filter(|(errand, ..)| is_due(errand)).collect();
        // Stewards first, and who waited longest: a gateway that hangs is why all this is told.
        due.sort_by_key(|(errand, ..)| (errand.3.is_zero(), told.get(errand).map(|told| told.at)));
        due.truncate(PAGE);
        if due.is_empty() {
            return Ok(());
        }
        // Beside the round, which waits for no gateway.
        tokio::spawn(async move {
            let telling = due.into_iter().map(|(errand, client, held)| async move {
                let took = tell(errand.3, &client, &held).await;
                (errand, took)
            });
            let mut telling = stream::iter(telling).buffer_unordered(AT_ONCE);
            while let Some((errand, took)) = telling.next().await {
                let tries = told.get(&errand).map_or(0, |told| told.tries) + 1;
                // The gateway is told again where its transaction does not come.
                let wait = if took == Took::Steward { LATE } else { SOON * 2u32.saturating_pow(tries.min(10)) };
                told.insert(errand, Told { tries, at: Instant::now() + wait.min(LATE) });
            }
        });
        Ok(())
    }

    /// Who is to know of what: each steward in office, and the gateway of what the contract would take now.
    fn errands(&self, mirror: &Mirror, standing: &[HeldDenial]) -> Vec<(Errand, Client, HeldDenial)> {
        let (now, mut errands) = (mirror.now(), Vec::new());
        let errand = |held: &HeldDenial, to| (held.request.member_id, held.request.nonce, held.erases, to);
        let peers = self.colleagues(mirror);
        for held in standing {
            // Others take none that is about to end.
            if held.request.deadline >= now + LEAST_LEFT {
                for peer in &peers {
                    let to = peer.client.audience().unwrap_or_default();
                    errands.push((errand(held, to), peer.client.clone(), held.clone()));
                }
            }
            if lands(&mirror.latest, held, now) {
                errands.push((errand(held, Address::ZERO), self.gateway(mirror).patient(GATEWAY), held.clone()));
            }
        }
        errands
    }

    /// Whether something is to be told while no block comes.
    pub(crate) async fn has_errands(&self) -> bool {
        let now = self.mirror().map_or(0, |mirror| mirror.now());
        self.store.denials().await.is_ok_and(|held| held.iter().any(|held| held.request.deadline >= now))
    }

    /// What waits for the chain longer than it should, for whoever looks at the health page. It is no fault of this steward's.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn waiting_denials(&self, mirror: &Mirror) -> Result<Option<String>, Problem> {
        let denied = self.denied(mirror).await?;
        let waits = |held: &&HeldDenial| held.taken + LONG < mirror.now();
        let count = denied.values().filter(waits).count();
        let said = || {
            format!(
                "{count} withdrawals that members handed over past the gateway are not on chain after {LONG} s; anybody may send \
                 what stands in {} to the contract",
                steward::STANDING.path
            )
        };
        Ok((count > 0).then(said))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Took {
    Steward,
    Gateway,
    Nobody,
}

async fn tell(to: Address, client: &Client, held: &HeldDenial) -> Took {
    let (request, erases) = (&held.request, held.erases);
    let answer = if to.is_zero() {
        let route = if erases { gateway::ERASE } else { gateway::REVOKE };
        client.post(route, request).await.map(|_| Took::Gateway)
    } else {
        let route = if erases { steward::ERASE } else { steward::REVOKE };
        client.post(route, request).await.map(|_| Took::Steward)
    };
    answer.unwrap_or_else(|problem| {
        let to = client.base();
        tracing::debug!(%to, %problem, "a withdrawal was not taken; it is told again");
        Took::Nobody
    })
}
