//! What a pause stops and does not stop.

use alloy::primitives::{Address, Bytes, U256};
use alloy::signers::SignerSync as _;
use alloy::sol_types::SolCall;
use anyhow::{Result, ensure};
use rochdale_chain::bindings::PauseGuard;

use super::Year;
use super::agenda::Deed;
use super::chain::refusal;
use super::guardian::Safe;
use super::span::DAY;
use super::tally::{Act, Outcome};

/// How long the guardian pauses for; it ends the pause earlier.
const LONGEST: u32 = 7 * DAY as u32;

/// When it ends the pause.
const ENDED_AFTER: u64 = 4 * DAY;

impl Year {
    /// Everything that the guardian may stop.
    fn pausable(&self) -> Vec<Address> {
        let at = &self.site.manifest.addresses;
        vec![
            at.membership,
            at.consent_registry,
            at.contribution_registry,
            at.steward_committee,
            at.auction_house,
            at.compute_desk,
            at.researcher_bond,
            at.service_desk,
            at.buyback,
            at.market,
            at.settlement_ledger,
        ]
    }

    /// Has the Safe call the guard, by the signatures of the owners at these places; anyone sends it.
    async fn by_guardian<C: SolCall>(&mut self, call: &C, signers: &[usize]) -> Result<()> {
        let (guard, safe) = (self.site.manifest.addresses.pause_guard, self.site.guardian.address);
        let (none, zero) = (Address::ZERO, U256::ZERO);
        let data = Bytes::from(call.abi_encode());
        let asked = Safe::getTransactionHashCall {
            to: guard,
            value: zero,
            data: data.clone(),
            operation: 0,
            safeTxGas: zero,
            baseGas: zero,
            gasPrice: zero,
            gasToken: none,
            refundReceiver: none,
            nonce: self.site.view(safe, &Safe::nonceCall {}).await?,
        };
        let digest = self.site.view(safe, &asked).await?;
        let mut signatures = Vec::new();
        for place in signers {
            signatures.extend(self.site.guardian.owners[*place].sign_hash_sync(&digest)?.as_bytes());
        }
        let exec = Safe::execTransactionCall {
            to: guard,
            value: zero,
            data,
            operation: 0,
            safeTxGas: zero,
            baseGas: zero,
            gasPrice: zero,
            gasToken: none,
            refundReceiver: none,
            signatures: signatures.into(),
        };
        self.site.relay(safe, &exec).await?;
        Ok(())
    }

    /// Three of five pause everything; then sales and joining are refused, and what no pause may stop is done.
    pub(super) async fn pause(&mut self) -> Result<()> {
        let call = PauseGuard::pauseCall { targets: self.pausable(), duration: LONGEST };
        // Two are not enough: the Safe refuses by a code of its own.
        ensure!(self.by_guardian(&call, &[0, 3]).await.is_err(), "two of five owners paused");
        self.tally.note(Outcome::Refused);
        self.by_guardian(&call, &[0, 2, 4]).await?;
        for place in [0, 2, 4] {
            let owner = self.site.guardian.owners[place].address();
            self.tally.count(Act::Pause, owner);
        }
        self.paused = true;
        self.refused_in_pause().await?;
        self.done_in_pause().await?;
        let ends = self.site.now().await? + ENDED_AFTER;
        self.agenda.add(ends, Deed::Unpause);
        Ok(())
    }

    async fn refused_in_pause(&mut self) -> Result<()> {
        let buyer = self.researchers[0].clone();
        for refused in [self.buy_list(&buyer, 1).await.map(drop), self.join_next().await.map(drop)] {
            let name = refusal(refused)?;
            ensure!(name == "Pausing_Paused", "refused with {name} while paused");
            self.tally.note(Outcome::RefusedInPause);
        }
        Ok(())
    }

    async fn done_in_pause(&mut self) -> Result<()> {
        self.revoke_one().await?;
        self.leave_one().await?;
        self.erase_one().await?;
        self.redirect_one().await?;
        self.claim_for_oneself().await?;
        self.tally.note_many(Outcome::DoneInPause, 5);
        Ok(())
    }

    /// Three of five end the pause, and members join again.
    pub(super) async fn unpause(&mut self) -> Result<()> {
        let call = PauseGuard::unpauseCall { targets: self.pausable() };
        self.by_guardian(&call, &[1, 2, 3]).await?;
        for place in [1, 2, 3] {
            let owner = self.site.guardian.owners[place].address();
            self.tally.count(Act::Unpause, owner);
        }
        self.paused = false;
        let again = PauseGuard::pauseCall { targets: self.pausable(), duration: LONGEST };
        ensure!(self.by_guardian(&again, &[0, 1, 2]).await.is_err(), "the guardian paused again within 30 days");
        self.tally.note(Outcome::Refused);
        self.join_next().await?;
        Ok(())
    }
}
