//! Sparse Merkle trees of fixed depth, indexed by member id.

use alloy_primitives::B256;

use super::error::LedgerError;
use super::hash::{inputs_leaf, leaf, node, private_hash};
use super::inputs::Inputs;
use super::parallel::{hashes, parallel};
use super::params::Params;
use super::row::{Row, amounts};
use super::step::member;
use crate::ids::MemberId;

/// Depth of the deployed trees: 1,048,575 members.
pub const DEPTH: u8 = 20;

/// The root of a subtree of height `height` without any leaf.
fn empty(height: u8) -> B256 {
    (0..height).fold(B256::ZERO, |below, _| node(below, below))
}

/// The root of a tree without members: the genesis root.
#[must_use]
pub fn empty_root(depth: u8) -> B256 {
    empty(depth)
}

/// A tree with all its levels, so that proofs are look-ups. Holds the populated left part only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// `levels[0]` are the leaves, index = id; the last has at most one element.
    levels: Vec<Vec<B256>>,
    /// Empty subtree of each height.
    empty: Vec<B256>,
}

impl Tree {
    /// Builds the tree over `leaves`, where `leaves[i]` belongs to id `i + 1`.
    ///
    /// # Errors
    /// Where they do not fit the depth (at most 31).
    pub fn new(depth: u8, leaves: &[B256]) -> Result<Self, LedgerError> {
        let depth = depth.min(31);
        if leaves.len() as u64 >= 1u64 << depth {
            return Err(LedgerError::TreeFull { members: leaves.len(), depth });
        }
        let mut empty = vec![B256::ZERO];
        let mut level = Vec::with_capacity(leaves.len() + 1);
        level.push(B256::ZERO); // id 0 is nobody's
        level.extend_from_slice(leaves);
        let mut levels = vec![level];
        for height in 0..usize::from(depth) {
            let (below, hole) = (&levels[height], empty[height]);
            let next = hashes(below.len().div_ceil(2), |index| {
                let right = below.get(2 * index + 1).copied().unwrap_or(hole);
                node(below[2 * index], right)
            });
            levels.push(next);
            empty.push(node(hole, hole));
        }
        Ok(Self { levels, empty })
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> B256 {
        // `new` makes depth + 1 levels, and the last has the one node above id 0.
        self.levels[self.levels.len() - 1][0]
    }

    /// The leaf of `member`; zero where there is none.
    #[must_use]
    pub fn leaf(&self, member: MemberId) -> B256 {
        self.levels[0].get(member.0 as usize).copied().unwrap_or(B256::ZERO)
    }

    /// The siblings from the leaf of `member` up to the root; `None` beyond the tree.
    #[must_use]
    pub fn proof(&self, member: MemberId) -> Option<Vec<B256>> {
        let depth = self.levels.len() - 1;
        if u64::from(member.0) >= 1u64 << depth {
            return None;
        }
        let sibling = |height: usize| {
            let index = (member.0 as usize >> height) ^ 1;
            self.levels[height].get(index).copied().unwrap_or(self.empty[height])
        };
        Some((0..depth).map(sibling).collect())
    }
}

/// Whether `leaf` stands at `member` under `root`. The proof's length is the tree's depth; bit 0 of the id picks the side at the
/// lowest level.
#[must_use]
pub fn verify(root: B256, depth: u8, member: MemberId, leaf: B256, proof: &[B256]) -> bool {
    if proof.len() != usize::from(depth) || depth > 31 || u64::from(member.0) >= 1u64 << depth {
        return false;
    }
    let top = proof.iter().enumerate().fold(leaf, |below, (height, sibling)| {
        if (member.0 >> height) & 1 == 0 { node(below, *sibling) } else { node(*sibling, below) }
    });
    top == root
}

/// The settlement tree. `salts` gives each member's salt of the epoch; it is not asked for who is closed.
///
/// # Errors
/// Where lengths differ, the tree is full or an amount does not fit.
pub fn row_tree(
    params: &Params,
    depth: u8,
    rows: &[Row],
    inputs: &[Inputs],
    salts: impl Fn(MemberId) -> B256 + Sync,
) -> Result<Tree, LedgerError> {
    if rows.len() != inputs.len() {
        let (left_len, right_len) = (rows.len(), inputs.len());
        return Err(LedgerError::Lengths { left: "rows", left_len, right: "inputs", right_len });
    }
    let leaves = parallel(rows.len(), |index| {
        let (id, row) = (member(index), &rows[index]);
        let shown = amounts(params, id, row, inputs[index].active)?;
        let salt = if row.closed { B256::ZERO } else { salts(id) };
        Ok(leaf(id, &shown, private_hash(row, salt)))
    })?;
    Tree::new(depth, &leaves)
}

/// The tree over each member's inputs. `blinders` is asked for active members only; the inputs of others are public (see
/// [`inputs_leaf`]).
///
/// # Errors
/// Where the tree is full.
pub fn inputs_tree(
    depth: u8,
    inputs: &[Inputs],
    blinders: impl Fn(MemberId) -> B256 + Sync,
) -> Result<Tree, LedgerError> {
    let leaves = parallel(inputs.len(), |index| {
        let (id, inputs) = (member(index), &inputs[index]);
        let blinder = if inputs.active { blinders(id) } else { B256::ZERO };
        Ok(inputs_leaf(id, inputs, blinder))
    })?;
    Tree::new(depth, &leaves)
}

#[cfg(test)]
mod tests {

    use super::*;

    fn leaves(count: u8) -> Vec<B256> {
        (1..=count).map(B256::repeat_byte).collect()
    }

    /// The definition, without any shortcut: all 2^depth leaves.
    fn naive(depth: u8, leaves: &[B256]) -> B256 {
        let mut level = vec![B256::ZERO; 1 << depth];
        level[1..=leaves.len()].copy_from_slice(leaves);
        while level.len() > 1 {
            level = level.chunks(2).map(|pair| node(pair[0], pair[1])).collect();
        }
        level[0]
    }

    #[test]
    fn equals_the_full_tree_at_every_size() {
        for count in 0..16 {
            let leaves = leaves(count);
            let tree = Tree::new(4, &leaves).unwrap();
            assert_eq!(tree.root(), naive(4, &leaves), "{count}");
            for id in 0..16 {
                let id = MemberId(id);
                let proof = tree.proof(id).unwrap();
                assert!(verify(tree.root(), 4, id, tree.leaf(id), &proof), "{count} {id}");
                assert!(!verify(tree.root(), 4, id, B256::repeat_byte(99), &proof));
                assert!(
                    !verify(tree.root(), 4, MemberId(id.0 ^ 1), tree.leaf(id), &proof) || count == 0 || {
                        tree.leaf(id) == tree.leaf(MemberId(id.0 ^ 1))
                    }
                );
            }
        }
        let full = LedgerError::TreeFull { members: 16, depth: 4 };
        assert_eq!(Tree::new(4, &leaves(16)), Err(full));
    }

    #[test]
    fn an_id_beyond_the_tree_has_no_proof() {
        let tree = Tree::new(4, &leaves(3)).unwrap();
        assert_eq!(tree.proof(MemberId(16)), None);
        let proof = tree.proof(MemberId(1)).unwrap();
        assert!(!verify(tree.root(), 4, MemberId(17), tree.leaf(MemberId(1)), &proof), "17 = 1 modulo 16");
        assert!(!verify(tree.root(), 4, MemberId(1), tree.leaf(MemberId(1)), &proof[..3]));
        assert_eq!(empty_root(4), naive(4, &[]));
    }

    #[test]
    fn threads_do_not_change_a_root() {
        let many: Vec<B256> = (1..5_000u32).map(|i| B256::from(alloy_primitives::U256::from(i))).collect();
        assert_eq!(Tree::new(13, &many).unwrap().root(), naive(13, &many));
        let fails = |index: usize| {
            if index > 3_000 { Err(LedgerError::Closed(member(index))) } else { Ok(index) }
        };
        assert_eq!(parallel(4_999, fails), Err(LedgerError::Closed(MemberId(3_002))));
    }
}
