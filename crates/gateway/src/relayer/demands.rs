//! Demands of members for the path of their row in a pending tree, the stewards' answers, and contests.

use alloy::primitives::U256;
use rochdale_api::Problem;
use rochdale_api::member::Mined;
use rochdale_api::settlement::{AnswerRequest, ContestRequest, DemandRequest};
use rochdale_chain::bindings::{self, SettlementLedger};
use rochdale_chain::eip712;
use rochdale_chain::events::Event;

use super::Relayer;
use crate::problems;

impl Relayer {
    /// Has a row demanded.
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
            deadline: U256::from(request.deadline),
        };
        let call = SettlementLedger::demandCall { r: demand.into(), signature: request.signature.clone() };
        let mined = match self.send("demand", 1, self.manifest.addresses.settlement_ledger, &call).await {
            Ok(done) => done.mined,
            Err(error) => {
                let before = async { Ok(self.store.member_events(member).await?) };
                let asked = (request.epoch, request.attempt);
                let same = |event: &Event| matches!(event, Event::Demanded { epoch, attempt, .. } if (*epoch, *attempt) == asked);
                self.recover(error, before, same).await?.mined
            }
        };
        turn.spend();
        Ok(mined)
    }

    /// Has a row contested.
    ///
    /// # Errors
    /// A problem where the contract refuses (the row is right, something does not open) or the chain fails.
    pub async fn contest(&self, request: &ContestRequest) -> Result<Mined, Problem> {
        let member = request.member_id;
        let turn = self.turn(member).await?;
        let (epoch, attempt) = (request.header.epoch, request.header.attempt);
        let contest =
            eip712::Contest { memberId: member.0, epoch: epoch.0, attempt, deadline: U256::from(request.deadline) };
        let ContestRequest { header, params, old, inputs, leaf, row_key, .. } = request;
        let opening = bindings::opening(header, params, member, *row_key, (old, inputs, leaf));
        let call = SettlementLedger::contestCall { c: contest.into(), signature: request.signature.clone(), opening };
        let done = self.send("contest", 1, self.manifest.addresses.settlement_ledger, &call).await;
        let done = done.map_err(|error| problems::send(&error))?;
        turn.spend();
        Ok(done.mined)
    }

    /// Publishes a row that was demanded. Of several stewards that answer, one is mined.
    ///
    /// # Errors
    /// A problem where the contract refuses or the chain fails.
    pub async fn answer(&self, request: &AnswerRequest) -> Result<Mined, Problem> {
        let leaf = &request.leaf;
        let _turn = self.limiter.unlimited(&format!("answer to member {}", leaf.member_id)).await;
        let row = bindings::claim(leaf.member_id, &leaf.amounts(), leaf.private_hash);
        let call = SettlementLedger::answerCall { row, proof: leaf.proof.clone() };
        match self.send("answer", 1, self.manifest.addresses.settlement_ledger, &call).await {
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
