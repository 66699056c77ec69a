//! Demands: a member asks on chain for the path of its row in the pending tree, and any steward that has it answers.

use std::sync::Arc;

use rochdale_api::member::{LeavesRequest, Mined};
use rochdale_api::settlement::AnswerRequest;
use rochdale_api::{Problem, ProblemCode};
use rochdale_core::ledger::{Global, Header};

use crate::steward::{Caller, Mirror, Steward};

impl Steward {
    /// Answers every demand that can still be answered from the rows here. An answer that another steward gave first is as
    /// good; one that is lost is given again in the next round, since the chain does not show it.
    ///
    /// # Errors
    /// With the last that failed, when all were tried.
    pub(super) async fn answer_demands(self: &Arc<Self>, mirror: &Mirror) -> Result<(), Problem> {
        let mut failed = Ok(());
        for demand in mirror.latest.open_demands(mirror.now()) {
            let Some(row) = self.store.epoch::<Header, Global>(demand.epoch).await? else { continue };
            if row.header.attempt != demand.attempt {
                continue;
            }
            let request = LeavesRequest { epoch: demand.epoch, members: vec![demand.member] };
            let Some(leaf) = self.claim_leaves(Caller::Gateway, &request).await?.pop() else { continue };
            let answer = AnswerRequest { epoch: demand.epoch, attempt: demand.attempt, leaf };
            let gateway = self.gateway(mirror);
            match gateway.post_signed::<Mined>("/v1/settlement/answers", &answer, mirror.now()).await {
                Ok(mined) => tracing::info!(member = %demand.member, tx = %mined.tx, "a demanded row is published"),
                Err(error) => {
                    let detail = format!("the answer to member {}: {error}", demand.member);
                    failed = Err(Problem::new(ProblemCode::PeerUnavailable, detail));
                }
            }
        }
        failed
    }
}
