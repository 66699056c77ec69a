//! Demands of members for the path of their row in a pending tree, the stewards' answers, and contests.

use alloy::primitives::U256;
use rochdale_api::Problem;
use rochdale_api::member::Mined;
use rochdale_api::settlement::{AnswerRequest, ContestRequest, DemandAnswer, DemandRequest};
use rochdale_chain::bindings::{self, Disputes};
use rochdale_chain::eip712;
use rochdale_chain::events::Event;
use rochdale_client::statement;
use rochdale_core::ledger::DemandKind;

use super::Relayer;
use crate::problems;

impl Relayer {
    /// Has a row or inputs demanded.
    ///
    /// # Errors
    /// A problem where the contract refuses or the chain fails.
    pub async fn demand(&self, request: &DemandRequest) -> Result<Mined, Problem> {
        let member = request.member_id;
        let turn = self.turn(member).await?;
        self.may_spend_own(member).await?;
        let (r, signature) = (statement::demand(request).into(), request.signature.clone());
        let call = Disputes::demandCall { r, signature };
        let mined = match self.errand("demand", &[member], self.manifest.addresses.disputes, &call).await {
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

    /// Has a row contested.
    ///
    /// # Errors
    /// A problem where the contract refuses (the row is right, something does not open) or the chain fails.
    pub async fn contest(&self, request: &ContestRequest) -> Result<Mined, Problem> {
        let member = request.member_id;
        let turn = self.turn(member).await?;
        self.may_spend_own(member).await?;
        let (epoch, attempt) = (request.header.epoch, request.header.attempt);
        let contest =
            eip712::Contest { memberId: member.0, epoch: epoch.0, attempt, deadline: U256::from(request.deadline) };
        let ContestRequest { header, params, old, inputs, leaf, row_key, .. } = request;
        let opening = bindings::opening(header, params, member, *row_key, (old, inputs, leaf));
        let call = Disputes::contestCall { c: contest.into(), signature: request.signature.clone(), opening };
        let done = self.errand("contest", &[member], self.manifest.addresses.disputes, &call).await;
        let done = done.map_err(|error| problems::send(&error))?;
        turn.spend();
        Ok(done.mined)
    }

    /// Publishes what was demanded. Of several stewards that answer, one is mined.
    ///
    /// # Errors
    /// A problem where the contract refuses or the chain fails.
    pub async fn answer(&self, request: &AnswerRequest) -> Result<Mined, Problem> {
        let member = request.member_id;
        let _turn = self.limiter.unlimited(&format!("answer to member {member}")).await;
        let disputes = self.manifest.addresses.disputes;
        let sent = match &request.answer {
            DemandAnswer::Row(leaf) => self.send("answer", 1, disputes, &bindings::row_answer(member, leaf)).await,
            DemandAnswer::Inputs { header, opened } => {
                self.send("answer", 1, disputes, &bindings::inputs_answer(header, member, opened)).await
            }
        };
        match sent {
            Ok(done) => Ok(done.mined),
            Err(error) => {
                let before = async { Ok(self.store.member_events(member).await?) };
                let asked = (request.epoch, request.attempt, request.answer.kind());
                let same = |event: &Event| match event {
                    Event::RowPublished { epoch, attempt, .. } => (*epoch, *attempt, DemandKind::Row) == asked,
                    Event::InputsPublished { epoch, attempt, .. } => (*epoch, *attempt, DemandKind::Inputs) == asked,
                    _ => false,
                };
                Ok(self.recover(error, before, same).await?.mined)
            }
        }
    }
}
