//! Why an epoch cannot be settled as given.

use crate::ids::{ContributionId, Epoch, MemberId};

/// Why an epoch, a row or a tree is refused. Nothing is settled where one of these is returned.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LedgerError {
    /// A parameter that the ledger's arithmetic cannot live with.
    #[error("parameter {field} = {value}: {rule}")]
    Params {
        /// The parameter's name.
        field: &'static str,
        /// The value that it has.
        value: u128,
        /// What must hold.
        rule: &'static str,
    },
    /// A result beyond its width.
    #[error("{what} does not fit 128 bits{}", of(*member))]
    Overflow {
        /// The amount that does not fit.
        what: &'static str,
        /// Whose; `None` for a total.
        member: Option<MemberId>,
    },
    /// Epochs are settled one by one.
    #[error("epoch {given} cannot follow epoch {last}: settle epoch {} first", last.0.saturating_add(1))]
    EpochOrder {
        /// The last settled epoch.
        last: Epoch,
        /// The epoch asked for.
        given: Epoch,
    },
    /// A row that knows of a later epoch.
    #[error(
        "member {member}: {field} {value} lies after the epoch {epoch} that is settled; the row is not of the last root"
    )]
    FromTheFuture {
        /// The member whose row it is.
        member: MemberId,
        /// The name of the field at fault.
        field: &'static str,
        /// The value that it has.
        value: u32,
        /// The epoch, from 1.
        epoch: Epoch,
    },
    /// More records used than there are.
    #[error("member {member}: {k} records used of {n}: k cannot exceed n")]
    Usage {
        /// The member whom it belongs to.
        member: MemberId,
        /// How many records the member has.
        n: u64,
        /// Records in a snapshot.
        k: u64,
    },
    /// A score outside its range.
    #[error("score of contribution {contribution}: {field} = {value} is not possible; {rule}")]
    Score {
        /// The contribution whose score it is.
        contribution: ContributionId,
        /// The name of the field at fault.
        field: &'static str,
        /// The value that it has.
        value: u16,
        /// What is allowed.
        rule: &'static str,
    },
    /// Erasing everything ends a membership.
    #[error("member {0} erased everything and cannot be active: read membership and erasure as of the same cut")]
    ErasedAndActive(MemberId),
    /// A closed id came back.
    #[error("member {0} erased everything in an earlier epoch: the id is closed for ever")]
    Closed(MemberId),
    /// The sums of another epoch, or of other inputs.
    #[error("member {0} has scored records and shares, but the header counts no sharer")]
    NoSharers(MemberId),
    /// An id that no member has.
    #[error("member {member} in {list}: ids run from 1 to {members} as of the cut")]
    UnknownMember {
        /// The id that no member has.
        member: MemberId,
        /// Which input list.
        list: &'static str,
        /// Ids ever issued.
        members: u32,
    },
    /// The same thing twice.
    #[error("{list}: {id} occurs twice for member {member}")]
    Twice {
        /// Which input list.
        list: &'static str,
        /// The id that repeats.
        id: u64,
        /// The member whom it belongs to.
        member: MemberId,
    },
    /// Rows vanish never.
    #[error("{rows} rows but only {members} ids issued: rows stay for ever, the cut is older than the last root's")]
    MissingRows {
        /// Rows of the last root.
        rows: usize,
        /// Ids as of the cut.
        members: u32,
    },
    /// A snapshot must name a record once, ascending.
    #[error("snapshot of receipt {receipt}: {next} after {previous}: ids ascend and occur once")]
    Snapshot {
        /// Position of the receipt in the list given.
        receipt: usize,
        /// The id before.
        previous: ContributionId,
        /// The id at fault.
        next: ContributionId,
    },
    /// The tree's depth is fixed at deployment.
    #[error("{members} members do not fit a tree of depth {depth}: {} at most", (1u64 << depth) - 1)]
    TreeFull {
        /// How many members there are.
        members: usize,
        /// The depth of the tree.
        depth: u8,
    },
    /// Nothing salts the row.
    #[error("the row key of member {0} is not here, and nothing stands for it")]
    NoRowKey(MemberId),
    /// Sums that do not go together with the rows that are left, or with the state before.
    #[error("{0} is not what the rows that are left and the state before allow")]
    Told(&'static str),
    /// Two parts of one epoch disagree.
    #[error("{left} {left_len} but {right} {right_len}: both must cover the same members")]
    Lengths {
        /// What the first list holds.
        left: &'static str,
        /// The length of the first list.
        left_len: usize,
        /// What the second list holds.
        right: &'static str,
        /// The length of the second list.
        right_len: usize,
    },
}

fn of(member: Option<MemberId>) -> String {
    member.map_or_else(String::new, |member| format!(" (member {member})"))
}
