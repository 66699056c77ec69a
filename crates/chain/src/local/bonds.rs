//! The stewards' bonds on the local chain, whose money costs nothing.

use alloy::primitives::U256;

use crate::bindings::{StewardCommittee, TestUSDC};
use crate::client::{SendError, Sender};
use crate::deploy::{CoopConfig, Manifest};

/// Posts for every steward what is missing of a seat's bond and of one objection's; `payer` mints the money. On a
/// public chain stewards pledge their own.
///
/// # Errors
/// Where a contract refuses, as the mint does on any other chain.
pub async fn post_bonds(payer: &Sender, manifest: &Manifest, config: &CoopConfig) -> Result<(), SendError> {
    let (usdc, committee) = (manifest.addresses.usdc, manifest.addresses.steward_committee);
    let wanted = U256::from(config.bonds.min_bond.0 + config.bonds.objection_bond.0);
    let mut missing = Vec::new();
    for seat in &config.actors.stewards {
        let call = StewardCommittee::bondOfCall { steward: seat.signer };
        let lacks = wanted.saturating_sub(payer.chain().view(committee, &call).await?);
        if !lacks.is_zero() {
            missing.push((seat.signer, lacks));
        }
    }
    let total: U256 = missing.iter().map(|(_, lacks)| *lacks).sum();
    if total.is_zero() {
        return Ok(());
    }
    payer.send(usdc, &TestUSDC::mintCall { to: payer.address(), amount: total }).await?;
    payer.send(usdc, &TestUSDC::approveCall { spender: committee, value: total }).await?;
    for (steward, amount) in missing {
        payer.send(committee, &StewardCommittee::bondForCall { steward, amount }).await?;
    }
    Ok(())
}
