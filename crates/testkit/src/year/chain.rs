//! What the year asks of the chain beyond a test cooperative's own helpers.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use anyhow::Result;
use rochdale_chain::bindings::{ConsentRegistry, ContributionRegistry, Membership, TestUSDC};
use rochdale_chain::client::{Receipt, Sender};
use rochdale_chain::eip712;
use rochdale_chain::events::Event;
use rochdale_core::ids::{ContributionId, MemberId};

use super::Year;

/// Who signs a contribution, for which member, which commitment, under which consent.
pub(super) type Given = (PrivateKeySigner, MemberId, B256, u32);

impl Year {
    /// Moves the chain to a time in unix seconds, unless it is past it.
    pub(super) async fn reach(&self, time: u64) -> Result<()> {
        self.coop.local.time_to(time, 2).await?;
        Ok(())
    }

    /// A sender for a key, with gas to pay.
    pub(super) async fn sender(&self, key: &PrivateKeySigner) -> Result<Sender> {
        self.coop.local.set_balance(key.address(), U256::from(10).pow(U256::from(21))).await?;
        Ok(crate::anvil::sender(&self.coop.chain, key.clone()))
    }

    /// Sends a call of the relayer.
    pub(super) async fn relay<C: SolCall>(&self, to: Address, call: &C) -> Result<Receipt> {
        Ok(self.coop.relayer.send(to, call).await?)
    }

    pub(super) async fn consent_version(&self, id: MemberId) -> Result<u32> {
        let call = ConsentRegistry::consentOfCall { memberId: id.0 };
        Ok(self.coop.chain.view(self.coop.manifest.addresses.consent_registry, &call).await?.version)
    }

    pub(super) async fn leave(&self, key: &PrivateKeySigner, id: MemberId) -> Result<()> {
        let membership = self.coop.manifest.addresses.membership;
        let nonce = self.coop.chain.view(membership, &Membership::nonceOfCall { memberId: id.0 }).await?;
        let deadline = self.coop.deadline().await?;
        let leave = eip712::Leave { memberId: id.0, nonce: U256::from(nonce), deadline };
        let signature = eip712::sign(key, &leave, &self.coop.manifest.membership_domain())?;
        self.relay(membership, &Membership::leaveCall { l: leave.into(), signature }).await?;
        Ok(())
    }

    pub(super) async fn record(&self, given: &[Given]) -> Result<Vec<ContributionId>> {
        let registry = self.coop.manifest.addresses.contribution_registry;
        let (deadline, domain) = (self.coop.deadline().await?, self.coop.manifest.contribution_domain());
        let (mut contributions, mut signatures): (Vec<_>, Vec<Bytes>) = (Vec::new(), Vec::new());
        for (key, id, commitment, version) in given {
            let nonce = self.coop.chain.view(registry, &ContributionRegistry::nonceOfCall { memberId: id.0 }).await?;
            let contribution = eip712::Contribution {
                memberId: id.0,
                commitment: *commitment,
                consentVersion: *version,
                nonce: U256::from(nonce),
                deadline,
            };
            signatures.push(eip712::sign(key, &contribution, &domain)?);
            contributions.push(contribution.into());
        }
        let receipt = self.relay(registry, &ContributionRegistry::recordCall { c: contributions, signatures }).await?;
        let recorded = self.coop.events(&receipt)?.into_iter().filter_map(|located| match located.event {
            Event::ContributionRecorded { contribution, .. } => Some(contribution),
            _ => None,
        });
        Ok(recorded.collect())
    }

    /// Mints test USDC to an account and lets a contract take it.
    pub(super) async fn fund(&self, payer: &Sender, spender: Address, amount: u128) -> Result<()> {
        let usdc = self.coop.manifest.addresses.usdc;
        self.relay(usdc, &TestUSDC::mintCall { to: payer.address(), amount: U256::from(amount) }).await?;
        payer.send(usdc, &TestUSDC::approveCall { spender, value: U256::from(amount) }).await?;
        Ok(())
    }
}
