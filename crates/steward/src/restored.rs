//! A steward whose store was restored from a backup promises nothing until whatever it promised after the backup is over.
//!
//! What it forgot: debits and headers that it signed, nonces of requests that it took, members whose keys it destroyed. A
//! debit is signed within an hour of its order's cut, a header within its attempt (`check_turn`), a request lives an hour at most: once the
//! longest of these has passed since it first saw the chain again, nothing that it signs can contradict what it signed
//! before. Meanwhile it destroys what was erased, draws a new sealing key in the place of one that it lacks, and takes
//! what it missed from its peers, as a steward does that was down.

use std::sync::PoisonError;

use rochdale_api::auth::MAX_LIFETIME;
use rochdale_api::{Problem, ProblemCode};
use rochdale_node::backup::Mark;

use crate::debits::MAX_CUT_AGE;
use crate::steward::{Mirror, Steward, internal};

impl Steward {
    /// Seconds of block time after which nothing that was signed before counts any more.
    fn quiet(&self) -> u64 {
        u64::from(self.manifest.settlement.attempt_length).max(MAX_LIFETIME).max(MAX_CUT_AGE)
    }

    /// Why this steward makes no promise now, if it was restored a while ago.
    ///
    /// # Errors
    /// A problem of code `halted`.
    pub fn refuse_if_restored(&self) -> Result<(), Problem> {
        let mark = *self.restored.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mark) = mark else { return Ok(()) };
        let until = match mark.since {
            Some(since) => format!("until block time {}", since + self.quiet()),
            None => "before it has seen the chain".to_owned(),
        };
        let detail = format!("this steward was restored from a backup and promises nothing {until}");
        Err(Problem::new(ProblemCode::Halted, detail)
            .hint("ask the other stewards; what it signed since the backup must be over first"))
    }

    /// Whether something was made after the last restore, if there was one; `made` in seconds of block time.
    pub(crate) fn is_since_restore(&self, made: u64) -> bool {
        let mark = *self.restored.lock().unwrap_or_else(PoisonError::into_inner);
        mark.is_none_or(|mark| mark.since.is_some_and(|since| made >= since))
    }

    /// Notes when the chain was first seen after a restore, and lifts the mark when its time is over. `caught_up`: in this
    /// round, what is erased was destroyed and peers were asked, without an error. Gives whether the steward may promise.
    ///
    /// # Errors
    /// Where the mark cannot be written.
    pub fn await_quiet(&self, mirror: &Mirror, caught_up: bool) -> Result<bool, Problem> {
        let mut mark = self.restored.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = &self.config.data_dir;
        match *mark {
            None => return Ok(true),
            Some(Mark { since: None }) => {
                let seen = Mark { since: Some(mirror.now()) };
                Mark::write(directory, &seen).map_err(internal)?;
                *mark = Some(seen);
                tracing::warn!(
                    until = mirror.now() + self.quiet(),
                    "restored from a backup: promises nothing until then"
                );
            }
            Some(Mark { since: Some(since) }) if caught_up && mirror.now() > since + self.quiet() => {
                Mark::remove(directory).map_err(internal)?;
                *mark = None;
                tracing::info!("caught up since the restore: this steward serves again");
                return Ok(true);
            }
            Some(_) => {}
        }
        Ok(false)
    }
}
