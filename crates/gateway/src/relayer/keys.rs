//! Stewards' next sealing keys on their way to the chain.

use rochdale_api::Problem;
use rochdale_api::custody::RotateKeyRequest;
use rochdale_api::member::Mined;
use rochdale_chain::bindings::StewardCommittee;
use rochdale_chain::events::Event;

use super::Relayer;

impl Relayer {
    /// Puts a steward's next sealing key on chain.
    ///
    /// # Errors
    /// A problem where the contract refuses or the chain fails.
    pub async fn rotate_key(&self, request: &RotateKeyRequest) -> Result<Mined, Problem> {
        let _turn = self.limiter.unlimited(&format!("sealing key of steward {}", request.steward)).await;
        let call = StewardCommittee::rotateSealingKeyCall {
            stewardId_: request.steward.0,
            sealingKey: request.sealing_key,
            signature: request.signature.clone(),
        };
        match self.send("sealing key", 1, self.manifest.addresses.steward_committee, &call).await {
            Ok(done) => Ok(done.mined),
            Err(error) => {
                let key = request.sealing_key;
                let before = async { Ok(self.store.events_about("sealing_key_rotated", key).await?) };
                let same = |event: &Event| matches!(event, Event::SealingKeyRotated { sealing_key, .. } if *sealing_key == key);
                Ok(self.recover(error, before, same).await?.mined)
            }
        }
    }
}
