//! Objecting by oneself to a root that is false. An operator who lets a steward do so gives it an account and a limit; the
//! bond that an objection locks is the steward's own in any case.

use std::sync::Arc;

use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::client::{Sender, SenderOptions};
use rochdale_chain::dispute::{self, DisputeError};
use rochdale_chain::state::FROZEN;

use super::DUTY;
use crate::steward::{Mirror, Steward};

impl Steward {
    /// Freezes the pending root if this steward halted over it, nobody froze it yet, and this steward has not objected to
    /// it before: of what the member house rejected once, nothing new is known.
    ///
    /// # Errors
    /// Where it is due and was not sent: the operator has to object by hand.
    pub(super) async fn object_if_false(self: &Arc<Self>, mirror: &Mirror) -> Result<(), Problem> {
        let Some(allowed) = &self.config.objection else { return Ok(()) };
        let Some((epoch, attempt)) = self.store.halted(DUTY).await?.and_then(|halt| halt.cause) else { return Ok(()) };
        let pending = mirror.latest.proposals.get(&epoch).filter(|pending| pending.header.attempt == attempt);
        if pending.is_none_or(|pending| pending.final_at == FROZEN || pending.final_at <= mirror.now()) {
            return Ok(());
        }
        if mirror.latest.objections.contains_key(&(epoch, attempt, self.address())) {
            return Ok(());
        }
        let options = SenderOptions { max_wei: Some(allowed.max_wei.into()), ..SenderOptions::default() };
        let sender = Sender::with_options(self.chain.clone(), self.keys.signer.clone(), options);
        match dispute::object(&sender, &self.manifest, epoch, attempt).await {
            Ok(receipt) => {
                tracing::warn!(%epoch, attempt, tx = %receipt.transaction, "objected to a false root");
                Ok(())
            }
            // Somebody was first, or it is gone: what was to be stopped is stopped.
            Err(DisputeError::Frozen(_) | DisputeError::NothingPending | DisputeError::Other { .. }) => Ok(()),
            Err(error) => {
                let detail =
                    format!("the root of epoch {epoch}, attempt {attempt}, is false, and objecting failed: {error}");
                Err(Problem::new(ProblemCode::ChainRefused, detail).hint("object by hand: `rochdale dispute object`"))
            }
        }
    }
}
