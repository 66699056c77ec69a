//! What a member signs to the membership contract: leaving, and where earnings are paid.

use rochdale_api::Problem;
use rochdale_api::member::{LeaveRequest, Mined, PayoutRequest};
use rochdale_chain::bindings::Membership;
use rochdale_chain::events::{Event, Located};
use rochdale_client::statement;

use super::Relayer;

impl Relayer {
    /// Ends a membership.
    ///
    /// # Errors
    /// A problem where the contract refuses or the chain fails.
    pub async fn leave(&self, request: &LeaveRequest) -> Result<Mined, Problem> {
        let member = request.member_id;
        let _turn = self.limiter.unlimited(&format!("denial by member {member}")).await;
        let (l, signature) = (statement::leave(request).into(), request.signature.clone());
        let call = Membership::leaveCall { l, signature };
        match self.errand("leave", &[member], self.manifest.addresses.membership, &call).await {
            Ok(done) => Ok(done.mined),
            Err(error) => {
                // Leaving happens once.
                let before = async { Ok(self.store.member_events(member).await?) };
                Ok(self.recover(error, before, |event| matches!(event, Event::Left { .. })).await?.mined)
            }
        }
    }

    /// Has what a member earned paid elsewhere.
    ///
    /// # Errors
    /// A problem where the contract refuses or the chain fails.
    pub async fn set_payout(&self, request: &PayoutRequest) -> Result<Mined, Problem> {
        let member = request.member_id;
        let turn = self.turn(member).await?;
        self.may_spend(member).await?;
        let (p, signature) = (statement::payout(request).into(), request.signature.clone());
        let call = Membership::setPayoutCall { p, signature };
        let mined = match self.errand("payout", &[member], self.manifest.addresses.membership, &call).await {
            Ok(done) => done.mined,
            Err(error) => {
                // Only this statement uses up a nonce: the one with this nonce is the nonce-th.
                let before = async {
                    let place = usize::try_from(request.nonce).unwrap_or(usize::MAX);
                    let set = |e: &Located| matches!(e.event, Event::PayoutSet { .. });
                    let all = self.store.member_events(member).await?;
                    Ok(all.into_iter().filter(set).nth(place).into_iter().collect())
                };
                let same =
                    |event: &Event| matches!(event, Event::PayoutSet { payout, .. } if *payout == request.payout);
                self.recover(error, before, same).await?.mined
            }
        };
        turn.spend();
        Ok(mined)
    }
}
