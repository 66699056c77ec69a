//! Demands: a member asks on chain for the path of its row in the pending tree, or for the opening of its inputs, and any
//! steward that has it answers.

use std::sync::Arc;

use rochdale_api::route::gateway;
use rochdale_api::settlement::{AnswerRequest, DemandAnswer};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::state::Demand;
use rochdale_core::ids::MemberId;
use rochdale_core::ledger::{DemandKind, Global, Header};

use crate::steward::{Mirror, Steward};

impl Steward {
    /// Answers every demand that can still be answered from the rows here. An answer that another steward gave first is as
    /// good; one that is lost is given again in the next round, since the chain does not show it.
    ///
    /// # Errors
    /// With the last that failed, when all were tried.
    pub(super) async fn answer_demands(self: &Arc<Self>, mirror: &Mirror) -> Result<(), Problem> {
        let mut failed = Ok(());
        for demand in mirror.latest.open_demands(mirror.now()) {
            let Some(answer) = self.answer_to(mirror, demand).await? else { continue };
            let gateway = self.gateway(mirror);
            match gateway.post_signed(gateway::ANSWER, &answer, mirror.now()).await {
                Ok(mined) => tracing::info!(member = %demand.member, tx = %mined.tx, "a demanded row is published"),
                Err(error) => {
                    let detail = format!("the answer to member {}: {error}", demand.member);
                    failed = Err(Problem::new(ProblemCode::PeerUnavailable, detail));
                }
            }
        }
        failed
    }

    /// What a member demands, for anybody to carry to the chain: a gateway that withholds answers voids no root.
    /// The answer shows it to everybody anyway.
    ///
    /// # Errors
    /// Where the member demands nothing, or the rows of that attempt are not here.
    pub async fn demanded_row(&self, mirror: &Mirror, member: MemberId) -> Result<AnswerRequest, Problem> {
        let absent = |detail: String| Problem::new(ProblemCode::NotFound, detail);
        let demand = mirror.latest.open_demands(mirror.now()).find(|demand| demand.member == member);
        let demand = demand.ok_or_else(|| absent(format!("member {member} demands nothing now")))?;
        let (epoch, attempt, kind) = (demand.epoch, demand.attempt, demand.kind);
        let answer = self.answer_to(mirror, demand).await?;
        answer.ok_or_else(|| {
            absent(format!("this steward has no {kind} of member {member} in epoch {epoch}, attempt {attempt}"))
        })
    }

    async fn answer_to(&self, mirror: &Mirror, demand: &Demand) -> Result<Option<AnswerRequest>, Problem> {
        let (epoch, attempt, member_id) = (demand.epoch, demand.attempt, demand.member);
        let Some(row) = self.store.epoch::<Header, Global>(epoch).await? else { return Ok(None) };
        if row.header.attempt != attempt {
            return Ok(None);
        }
        let (opened, leaf) = self.opened(mirror, &row.header, member_id).await?;
        let answer = match demand.kind {
            DemandKind::Row => leaf.map(DemandAnswer::Row),
            DemandKind::Inputs => opened.map(|opened| DemandAnswer::Inputs { header: Box::new(row.header), opened }),
        };
        Ok(answer.map(|answer| AnswerRequest { epoch, attempt, member_id, answer }))
    }
}
