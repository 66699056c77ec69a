//! The ledger: how scores, use and revenue of an epoch become what each member owns.
//!
//! [`step`](fn@step) settles an epoch from the last state and the epoch's inputs; [`settle_row`] is its part for one member, which a
//! contract can replay. Integers only; divisions floor unless a name says *ceil*; products are taken in 256 bits; what does
//! not fit is an error, never a wrap. Solidity's `RewardFormula` runs the same vectors (`vectors/`).
//!
//! ```text
//! AtCut, scores ─gather─▶ EpochInputs ─split─▶ Inputs per member ─┐                    ┌─▶ rows ───leaves─▶ Tree ─┐
//!                                    Global (pool, totals) ───────┼──step──▶ Settled ──┼─▶ Shared (header's sums) ┼─▶ Header
//!                                    rows of the last epoch ──────┘                    └─▶ inputs ─leaves─▶ Tree ─┘
//! ```

mod awards;
mod books;
mod claim;
mod contest;
mod demand;
mod error;
mod gather;
mod hash;
mod header;
mod inputs;
mod keys;
mod parallel;
mod params;
mod row;
mod schedule;
mod score;
mod step;
mod stored;
mod transcript;
mod tree;
mod words;

pub use awards::{ProgramCaps, SignedAward, grants};
pub use books::{Books, Leaf, Round, SettledInputs, StandIn, Sums};
pub use claim::{ClaimRange, Claimed, Due, claim_ranges, due, streamed};
pub use contest::{NewLeaf, OldRow, OpenedInputs, Unopened, is_wrong};
pub use demand::DemandKind;
pub use error::LedgerError;
pub use gather::{AtCut, Entered, Gathered, RecordAtCut, Used, gather};
pub use hash::{CLOSED_PRIVATE, input_blinder, inputs_leaf, leaf, node, private_hash, private_words, salt};
pub use header::{Header, Roots};
pub use inputs::{Contribution, EpochInputs, Grant, Inputs, Revenue, ScoredRecord, Usage, usage};
pub use keys::{NO_ROW_KEY, holders_needed, inputs_blinder, row_secret};
pub use parallel::share;
pub use params::Params;
pub use row::{Amounts, Award, CashParts, Row, SettledRow, Shared, amounts, award, settle_row};
pub use schedule::{Schedule, proposer};
pub use score::{Agreement, Score, agree, draw, next_streak, points, weight};
pub use step::{Global, Settled, Totals, step};
pub use stored::ROW_BYTES;
pub use transcript::Transcript;
pub use tree::{DEPTH, Tree, empty_root, inputs_tree, row_tree, verify};
