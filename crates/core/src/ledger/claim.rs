//! What a leaf entitles a member to, and by which ranges of ids many are paid at once.

use alloy_primitives::U256;

use super::row::{Amounts, mul_div};
use crate::ids::MemberId;

/// Paid so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    /// Micro-USDC.
    pub cash: u128,
    /// Wei of DATA.
    pub data: u128,
    /// Wei of GOV.
    pub gov: u128,
}

/// To be paid now.
pub type Due = Claimed;

/// What of `stream` has streamed at `now`: it starts with the end of the settled epoch, `end`, and lasts one epoch.
#[must_use]
pub fn streamed(stream: u128, now: u64, end: u64, epoch_length: u32) -> u128 {
    let elapsed = now.saturating_sub(end).min(epoch_length.into());
    if elapsed == u64::from(epoch_length) {
        return stream;
    }
    // At most `stream`, since elapsed < epoch_length.
    mul_div(stream, elapsed.into(), U256::from(epoch_length)).saturating_to()
}

/// What is due for a leaf of the final epoch that ended at `end`: never negative, also where an earlier root paid more.
#[must_use]
pub fn due(leaf: &Amounts, claimed: &Claimed, now: u64, end: u64, epoch_length: u32) -> Due {
    let cash = leaf.cash.saturating_add(streamed(leaf.stream, now, end, epoch_length));
    Due {
        cash: cash.saturating_sub(claimed.cash),
        data: leaf.data.saturating_sub(claimed.data),
        gov: leaf.gov.saturating_sub(claimed.gov),
    }
}

/// Consecutive ids that have one subtree of the settlement tree: `1 << height` of them from `first` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimRange {
    /// The lowest id, a multiple of their number.
    pub first: u32,
    /// How high the subtree is.
    pub height: u8,
}

impl ClaimRange {
    /// The ids, whether or not they have a member.
    pub fn ids(self) -> impl Iterator<Item = MemberId> {
        (self.first..self.first + (1 << self.height)).map(MemberId)
    }

    /// Gas that a range takes besides paying who is due: each leaf is sent, hashed and looked up, each sibling sent and
    /// hashed. An estimate, which decides which of two covers is sent and nothing else.
    fn gas(self, depth: u8) -> u64 {
        const LEAF: u64 = 3_700;
        const SIBLING: u64 = 650;
        const RANGE: u64 = 1_000;
        (LEAF << self.height) + SIBLING * u64::from(depth - self.height) + RANGE
    }
}

/// The ranges by which `members` (ascending, each once) are paid in a tree of `depth` at the least gas, ascending. Each member is
/// in exactly one; whoever else stands in a range is somebody of whom `may_fill` is true: nothing is due to them, or nobody has the
/// id. None is higher than `highest`, nor than the tree.
#[must_use]
pub fn claim_ranges(
    members: &[MemberId],
    may_fill: impl Fn(MemberId) -> bool,
    depth: u8,
    highest: u8,
) -> Vec<ClaimRange> {
    let height = highest.min(depth).min(31);
    let cover = Cover { may_fill, depth };
    members
        .chunk_by(|a, b| a.0 >> height == b.0 >> height)
        .flat_map(|some| cover.least(some, ClaimRange { first: some[0].0 >> height << height, height }).1)
        .collect()
}

struct Cover<F> {
    may_fill: F,
    depth: u8,
}

impl<F: Fn(MemberId) -> bool> Cover<F> {
    /// The whole of `range`, or what covers its halves, whichever costs less; `members` are those in it.
    fn least(&self, members: &[MemberId], range: ClaimRange) -> (u64, Vec<ClaimRange>) {
        let whole = range.gas(self.depth);
        if members.is_empty() {
            return (0, Vec::new());
        }
        if range.height == 0 {
            return (whole, vec![range]);
        }
        let height = range.height - 1;
        let middle = range.first + (1 << height);
        let (low, high) = members.split_at(members.partition_point(|member| member.0 < middle));
        let (low_gas, mut ranges) = self.least(low, ClaimRange { first: range.first, height });
        let (high_gas, others) = self.least(high, ClaimRange { first: middle, height });
        let allowed = |id: MemberId| members.binary_search(&id).is_ok() || (self.may_fill)(id);
        if low_gas + high_gas >= whole && range.ids().all(allowed) {
            return (whole, vec![range]);
        }
        ranges.extend(others);
        (low_gas + high_gas, ranges)
    }
}

#[cfg(test)]
mod tests {

    use super::super::hash::node;
    use super::super::tree::Tree;
    use super::*;
    use alloy_primitives::B256;

    const LEAF: Amounts = Amounts { cash: 4_000_000, stream: 5_000_000, data: 7, gov: 2 };

    #[test]
    fn cash_streams_over_one_epoch() {
        let at = |now| due(&LEAF, &Claimed::default(), now, 1_000, 604_800).cash;
        assert_eq!(at(0), 4_000_000);
        assert_eq!(at(1_000), 4_000_000);
        assert_eq!(at(1_001), 4_000_008, "5,000,000 / 604,800 = 8.27 a second");
        assert_eq!(at(1_000 + 302_400), 6_500_000);
        assert_eq!(at(1_000 + 604_800), 9_000_000);
        assert_eq!(at(u64::MAX), 9_000_000);
    }

    #[test]
    fn what_was_paid_is_not_due_again() {
        let claimed = Claimed { cash: 4_000_008, data: 9, gov: 1 };
        let due = due(&LEAF, &claimed, 1_001, 1_000, 604_800);
        assert_eq!(due, Due { cash: 0, data: 0, gov: 1 });
        assert_eq!(streamed(u128::MAX, 1_001, 1_000, 604_800), u128::MAX / 604_800);
    }

    fn ranges(members: impl IntoIterator<Item = u32>, fill: impl Fn(u32) -> bool) -> Vec<(u32, u8)> {
        let members: Vec<_> = members.into_iter().map(MemberId).collect();
        let ranges = claim_ranges(&members, |id| fill(id.0), 20, 7);
        ranges.into_iter().map(|range| (range.first, range.height)).collect()
    }

    #[test]
    fn neighbours_share_a_range_and_strangers_do_not() {
        let nobody = |_| false;
        assert_eq!(ranges([], nobody), []);
        assert_eq!(ranges([5], nobody), [(5, 0)]);
        assert_eq!(ranges([4, 5], nobody), [(4, 1)]);
        assert_eq!(ranges([5, 6], nobody), [(5, 0), (6, 0)], "they have no subtree of two");
        assert_eq!(ranges(1..=7, nobody), [(1, 0), (2, 1), (4, 2)]);
        assert_eq!(ranges(128..=383, nobody), [(128, 7), (256, 7)]);
    }

    #[test]
    fn who_is_not_to_be_paid_fills_a_range_only_where_it_may_and_where_that_is_cheaper() {
        assert_eq!(ranges(1..=127, |id| id == 0), [(0, 7)], "nobody has id 0");
        assert_eq!(ranges([1, 2, 3, 5], |id| id == 0 || id == 4), [(0, 2), (5, 0)], "6 and 7 have a claim");
        assert_eq!(ranges([1, 2, 3, 5], |id| id == 0 || id > 3), [(0, 3)]);
        assert_eq!(ranges([1, 100], |_| true), [(1, 0), (100, 0)], "two paths are cheaper than 128 leaves");
    }

    /// The root that a range's leaves and the rest of a path lead to, as the contract computes it.
    fn root_of(range: ClaimRange, tree: &Tree, siblings: &[B256]) -> B256 {
        let mut nodes: Vec<B256> = range.ids().map(|id| tree.leaf(id)).collect();
        while nodes.len() > 1 {
            nodes = nodes.chunks(2).map(|pair| node(pair[0], pair[1])).collect();
        }
        let up = siblings.iter().enumerate().fold(nodes[0], |below, (level, sibling)| {
            let left = (range.first >> range.height >> level) & 1 == 0;
            if left { node(below, *sibling) } else { node(*sibling, below) }
        });
        assert_eq!(siblings.len() + usize::from(range.height), 9);
        up
    }

    proptest::proptest! {
        #[test]
        fn ranges_hold_each_member_once_nobody_uninvited_and_prove(
            wanted in proptest::collection::btree_set(1_u32..300, 0..200),
            invited in proptest::collection::btree_set(0_u32..512, 0..300),
            highest in 0_u8..12,
        ) {
            let leaves: Vec<B256> = (1..300_u32).map(|id| B256::left_padding_from(&id.to_be_bytes())).collect();
            let tree = Tree::new(9, &leaves).unwrap();
            let members: Vec<MemberId> = wanted.iter().copied().map(MemberId).collect();
            let ranges = claim_ranges(&members, |id| invited.contains(&id.0), 9, highest);
            let held: Vec<u32> = ranges.iter().flat_map(|range| range.ids()).map(|id| id.0).collect();
            assert!(held.is_sorted_by(|a, b| a < b), "ascending, and no id twice");
            let paid: std::collections::BTreeSet<u32> = held.into_iter().filter(|id| !invited.contains(id)).collect();
            assert!(paid.is_subset(&wanted));
            for range in ranges {
                assert!(range.first % (1 << range.height) == 0 && range.height <= highest.min(9));
                let member = range.ids().find(|id| wanted.contains(&id.0)).unwrap();
                let siblings = tree.proof(member).unwrap().split_off(range.height.into());
                assert_eq!(root_of(range, &tree, &siblings), tree.root());
            }
            let covered = |member: &u32| claim_ranges(&members, |id| invited.contains(&id.0), 9, highest)
                .iter().any(|range| range.ids().any(|id| id.0 == *member));
            assert!(wanted.iter().all(covered));
        }
    }
}
