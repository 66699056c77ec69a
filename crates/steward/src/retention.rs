//! How long what describes members is kept, table by table, where nobody had it erased.
//!
//! What opens a record (shares, keys, private parts, consent receipts) is kept until its member has it erased or nobody
//! seats this steward any more. What settled epochs were computed from (scores, use and points by member) is kept likewise, because whoever
//! is seated later computes every epoch from it. They are not in this list.

use rochdale_api::Problem;
use rochdale_core::ids::Epoch;

use crate::steward::{Mirror, Steward};

/// One rule: rows of epochs before the kept ones go.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The name of the table.
    pub table: &'static str,
    /// What deletes its rows of epochs up to `$1`, which are settled beyond dispute, or older than `$2` in block time.
    pub delete: &'static str,
    /// Which of the configured times governs.
    pub kept: Kept,
}

/// Which of the configured times governs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// [`crate::config::Retention::scores`].
    Scores,
    /// [`crate::config::Retention::openings`].
    Openings,
    /// [`crate::config::Retention::uses`].
    Uses,
    /// [`crate::config::Retention::sheets`].
    Sheets,
}

/// All rules.
pub const RULES: &[Rule] = &[
    Rule {
        table: "scores",
        delete: "DELETE FROM scores WHERE $2 >= 0 AND contribution_id IN (SELECT contribution_id FROM entered WHERE epoch <= $1)",
        kept: Kept::Scores,
    },
    Rule {
        table: "score_reasons",
        delete: "DELETE FROM score_reasons WHERE $2 >= 0 AND contribution_id IN (SELECT contribution_id FROM entered WHERE epoch <= $1)",
        kept: Kept::Scores,
    },
    Rule {
        table: "sheets",
        delete: "DELETE FROM sheets WHERE $2 >= 0 AND epoch <= $1
                 AND EXISTS (SELECT 1 FROM sheet_copies WHERE sheet_copies.epoch = sheets.epoch)",
        kept: Kept::Sheets,
    },
    Rule {
        table: "awards",
        delete: "DELETE FROM awards WHERE $2 >= 0 AND epoch <= $1
                 AND EXISTS (SELECT 1 FROM sheet_copies WHERE sheet_copies.epoch = awards.epoch)",
        kept: Kept::Sheets,
    },
    Rule {
        table: "sheet_copies",
        delete: "UPDATE sheet_copies SET sheet = NULL WHERE $2 >= 0 AND epoch <= $1 AND sheet IS NOT NULL",
        kept: Kept::Sheets,
    },
    Rule { table: "uses", delete: "DELETE FROM uses WHERE $1 >= 0 AND booked < $2", kept: Kept::Uses },
    Rule { table: "questions", delete: "DELETE FROM questions WHERE $1 >= 0 AND last < $2", kept: Kept::Uses },
    Rule { table: "openings", delete: "DELETE FROM openings WHERE $1 >= 0 AND last < $2", kept: Kept::Openings },
];

impl Steward {
    /// Deletes what was kept for its time.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn retention_round(&self, mirror: &Mirror) -> Result<(), Problem> {
        let settled = self.store.settled().await?;
        // What a dispute may still undo is computed again, from all of it.
        if !self.stands(mirror, settled).await? {
            return Ok(());
        }
        let kept = self.config.retention;
        for rule in RULES {
            let epochs = match rule.kept {
                Kept::Scores => kept.scores,
                Kept::Openings => kept.openings,
                Kept::Uses => kept.uses,
                Kept::Sheets => kept.sheets,
            };
            let oldest = Epoch(settled.0.saturating_sub(epochs));
            let before = self.time_before(mirror, epochs);
            let rows = self.store.expire(rule.delete, oldest, before).await?;
            if rows > 0 {
                tracing::info!(table = rule.table, rows, "deleted what was kept for its time");
            }
        }
        let before = self.time_before(mirror, kept.snapshots);
        self.fold_round(mirror, settled, before).await
    }

    /// The block time so many epochs ago.
    fn time_before(&self, mirror: &Mirror, epochs: u32) -> u64 {
        mirror.now().saturating_sub(u64::from(epochs) * u64::from(self.manifest.schedule().epoch_length))
    }
}
