//! Demands of members for the path of their row in a pending tree, and the stewards' answers.

use alloy::primitives::U256;
use rochdale_api::Problem;
use rochdale_api::member::Mined;
use rochdale_api::settlement::{AnswerRequest, DemandRequest};
use rochdale_chain::bindings::{self, Disputes};
use rochdale_chain::eip712;
use rochdale_chain::events::Event;

use super::Relayer;

impl Relayer {
    /// Has a row or inputs demanded.
    ///
    /// # Errors
    /// A problem where the contract refuses or the chain fails.
    pub async fn demand(&self, request: &DemandRequest) -> Result<Mined, Problem> {
        let member = request.member_id;
        let turn = self.turn(member).await?;
        let demand = eip712::Demand {
            memberId: member.0,
            epoch: request.epoch.0,
            attempt: request.attempt,
            kind: request.kind.into(),
            deadline: U256::from(request.deadline),
        };
        let call = Disputes::demandCall { r: demand.into(), signature: request.signature.clone() };
        let mined = match self.send("demand", 1, self.manifest.addresses.disputes, &call).await {
            Ok(done) => done.mined,
            Err(error) => {
                let before = async { Ok(self.store.member_events(member).await?) };
                let asked = (request.epoch, request.attempt, request.kind);
                let same = |event: &Event| matches!(event, Event::Demanded { epoch, attempt, kind, .. } if (*epoch, *attempt, *kind) == asked);
                self.recover(error, before, same).await?.mined
            }
        };
        turn.spend();
        Ok(mined)
    }

    /// Publishes a row that was demanded. Of several stewards that answer, one is mined.
    ///
    /// # Errors
    /// A problem where the contract refuses or the chain fails.
    pub async fn answer(&self, request: &AnswerRequest) -> Result<Mined, Problem> {
        let leaf = &request.leaf;
        let _turn = self.limiter.unlimited(&format!("answer to member {}", leaf.member_id)).await;
        let row = bindings::claim(leaf.member_id, &leaf.amounts(), leaf.private_hash);
        let call = Disputes::answerRowCall { row: row.into(), proof: leaf.proof.clone() };
        match self.send("answer", 1, self.manifest.addresses.disputes, &call).await {
            Ok(done) => Ok(done.mined),
            Err(error) => {
                let before = async { Ok(self.store.member_events(leaf.member_id).await?) };
                let asked = (request.epoch, request.attempt);
                let same = |event: &Event| matches!(event, Event::RowPublished { epoch, attempt, .. } if (*epoch, *attempt) == asked);
                Ok(self.recover(error, before, same).await?.mined)
            }
        }
    }
}
