//! Whether the contract takes admissions now: its cap by epoch, and a pause.

use rochdale_api::member::Admissions;
use rochdale_chain::bindings::Membership;
use rochdale_chain::client::{Chain, ChainError};
use rochdale_chain::deploy::Manifest;
use rochdale_chain::state::Cooperative;

/// What the contract would say of an admission at `now`, seconds of block time, where so many `joined` since a time.
///
/// # Errors
/// Where the RPC does not answer.
pub async fn admissions(
    chain: &Chain,
    manifest: &Manifest,
    now: u64,
    joined: impl FnOnce(u64) -> u32,
) -> Result<Admissions, ChainError> {
    let membership = manifest.addresses.membership;
    let (cap, paused) = tokio::try_join!(
        chain.view(membership, &Membership::admissionsPerEpochCall {}),
        chain.view(membership, &Membership::pausedUntilCall {}),
    )?;
    let (begins, epoch_ends) = window(manifest.genesis, manifest.ledger.epoch_length.into(), now);
    let left = cap.saturating_sub(joined(begins));
    Ok(Admissions { open: left > 0 && paused <= now, left: Some(left), cap: Some(cap), epoch_ends })
}

/// How many joined since a time, Unix seconds.
#[must_use]
pub fn joined_since(state: &Cooperative, since: u64) -> u32 {
    let joined = state.members.values().filter(|member| member.joined.time >= since).count();
    u32::try_from(joined).unwrap_or(u32::MAX)
}

/// The window of the cap that runs at `now`, as the contract counts it: the first one begins with the contract.
fn window(genesis: u64, length: u64, now: u64) -> (u64, u64) {
    let number = now.saturating_sub(genesis) / length.max(1);
    let at = |number: u64| genesis.saturating_add(number.saturating_mul(length));
    (if number == 0 { 0 } else { at(number) }, at(number + 1))
}

#[cfg(test)]
mod tests {
    use super::window;

    #[test]
    fn a_window_begins_with_its_first_second_and_the_first_one_with_the_contract() {
        assert_eq!(window(1_000, 100, 900), (0, 1_100));
        assert_eq!(window(1_000, 100, 1_099), (0, 1_100));
        assert_eq!(window(1_000, 100, 1_100), (1_100, 1_200));
        assert_eq!(window(1_000, 100, 1_250), (1_200, 1_300));
    }
}
