//! Program awards of an epoch: signed points become grants under the caps of their programs.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::U256;
use serde::{Deserialize, Serialize};

use super::inputs::Grant;
use crate::ids::MemberId;

/// What an open program may award in an epoch, in points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramCaps {
    /// To all members together.
    pub per_epoch: u128,
    /// To one member.
    pub per_member: u128,
}

/// An award whose signature was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedAward {
    /// By which program.
    pub program: u32,
    /// The member who gets it.
    pub member: MemberId,
    /// How many points.
    pub points: u128,
    /// Tells two equal awards apart.
    pub nonce: U256,
}

/// The grants of an epoch, by member and program. The order of `awards` does not matter.
///
/// - Awards of programs that are not in `programs` (unknown or closed) and to members who are not `active` count for
///   nothing; they use up no cap.
/// - Of several awards under one nonce of a program and member, the smallest counts: signing a nonce twice gains nothing.
/// - What a member's awards of a program exceed `per_member` by is cut off.
/// - Where the sum over members then exceeds `per_epoch`, each is scaled down by the same ratio, as the ledger does
///   with what an epoch awards above its own caps: nobody is served before others, and no award is refused.
#[must_use]
pub fn grants(
    programs: &BTreeMap<u32, ProgramCaps>,
    active: &BTreeSet<MemberId>,
    awards: &[SignedAward],
) -> Vec<Grant> {
    let mut single: BTreeMap<(u32, MemberId, U256), u128> = BTreeMap::new();
    for award in awards.iter().filter(|award| active.contains(&award.member)) {
        let points = single.entry((award.program, award.member, award.nonce)).or_insert(award.points);
        *points = award.points.min(*points);
    }
    let mut by_program: BTreeMap<u32, BTreeMap<MemberId, u128>> = BTreeMap::new();
    for ((program, member, _), points) in single {
        let sum = by_program.entry(program).or_default().entry(member).or_default();
        *sum = sum.saturating_add(points);
    }
    let mut grants = Vec::new();
    for (program, mut members) in by_program {
        let Some(caps) = programs.get(&program) else { continue };
        members.values_mut().for_each(|points| *points = caps.per_member.min(*points));
        // At most 2^32 members with 128 bits each.
        let sum: U256 = members.values().map(|points| U256::from(*points)).sum();
        let (cap, program) = (U256::from(caps.per_epoch), u64::from(program));
        for (member, points) in members {
            // Above the cap only where `sum` exceeds it, so `sum` is no zero; 128 by 128 bits fit.
            let part = if sum > cap { U256::from(points) * cap / sum } else { U256::from(points) };
            let points = u64::try_from(part).unwrap_or(u64::MAX);
            if points > 0 {
                grants.push(Grant { member, program, points });
            }
        }
    }
    grants.sort_by_key(|grant| (grant.member, grant.program));
    grants
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(per_epoch: u128, per_member: u128) -> BTreeMap<u32, ProgramCaps> {
        BTreeMap::from([(1, ProgramCaps { per_epoch, per_member })])
    }

    fn award(member: u32, points: u128, nonce: u64) -> SignedAward {
        SignedAward { program: 1, member: MemberId(member), points, nonce: U256::from(nonce) }
    }

    fn given(programs: &BTreeMap<u32, ProgramCaps>, awards: &[SignedAward]) -> Vec<(u32, u64)> {
        let active = (1..=3).map(MemberId).collect();
        let forward = grants(programs, &active, awards);
        let mut reversed = awards.to_vec();
        reversed.reverse();
        assert_eq!(forward, grants(programs, &active, &reversed), "the order does not matter");
        forward.iter().map(|grant| (grant.member.0, grant.points)).collect()
    }

    #[test]
    fn awards_add_up_and_a_members_are_cut_at_its_cap() {
        let awards = [award(1, 300, 1), award(1, 300, 2), award(2, 50, 1)];
        assert_eq!(given(&caps(10_000, 1_000), &awards), [(1, 600), (2, 50)]);
        assert_eq!(given(&caps(10_000, 400), &awards), [(1, 400), (2, 50)]);
    }

    #[test]
    fn above_the_epochs_cap_everyone_gets_the_same_part() {
        let awards = [award(1, 600, 1), award(2, 300, 1), award(3, 1, 1)];
        assert_eq!(given(&caps(300, 1_000), &awards), [(1, 199), (2, 99)], "rounded down, and what is left of 1 is 0");
        assert_eq!(given(&caps(0, 1_000), &awards), []);
        let most = [award(1, u128::MAX, 1), award(1, u128::MAX, 2), award(2, u128::MAX, 1)];
        assert_eq!(given(&caps(u128::MAX, u128::MAX), &most), [(1, u64::MAX), (2, u64::MAX)]);
    }

    #[test]
    fn a_nonce_signed_twice_counts_its_smallest_award() {
        assert_eq!(given(&caps(1_000, 1_000), &[award(1, 300, 7), award(1, 200, 7), award(1, 250, 7)]), [(1, 200)]);
    }

    #[test]
    fn strangers_closed_programs_and_zeros_count_for_nothing() {
        let closed = SignedAward { program: 2, ..award(1, 5, 1) };
        let awards = [award(9, 500, 1), award(1, 0, 1), award(2, 300, 1), closed];
        assert_eq!(given(&caps(300, 300), &awards), [(2, 300)], "and use up no cap");
    }
}
