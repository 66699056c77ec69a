//! Why an epoch cannot be settled as given.

use crate::ids::{ContributionId, Epoch, MemberId};

/// Why an epoch, a row or a tree is refused. Nothing is settled where one of these is returned.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LedgerError {
    /// A parameter that the ledger's arithmetic cannot live with.
    #[error("parameter {field} = {value}: {rule}")]
    Params {
        /// Name.
        field: &'static str,
        /// Value.
        value: u128,
        /// What must hold.
        rule: &'static str,
    },
    /// A result beyond its width.
    #[error("{what} does not fit 128 bits{}", of(*member))]
    Overflow {
        /// Which amount.
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
        /// Whose row.
        member: MemberId,
        /// Which field.
        field: &'static str,
        /// Its value.
        value: u32,
        /// The epoch.
        epoch: Epoch,
    },
    /// More records used than there are.
    #[error("member {member}: {k} records used of {n}: k cannot exceed n")]
    Usage {
        /// Whose.
        member: MemberId,
        /// Records.
        n: u64,
        /// Records in a snapshot.
        k: u64,
    },
    /// A score outside its range.
    #[error("score of contribution {contribution}: {field} = {value} is not possible; {rule}")]
    Score {
        /// Whose.
        contribution: ContributionId,
        /// Which field.
        field: &'static str,
        /// Its value.
        value: u16,
        /// What is.
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
        /// Id.
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
        /// Whose.
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
        /// Members.
        members: usize,
        /// Depth.
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
        /// What.
        left: &'static str,
        /// How many.
        left_len: usize,
        /// Other.
        right: &'static str,
        /// How many.
        right_len: usize,
    },
}

fn of(member: Option<MemberId>) -> String {
    member.map_or_else(String::new, |member| format!(" (member {member})"))
}
