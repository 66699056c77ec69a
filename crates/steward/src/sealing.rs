//! Sealing keys rotate each epoch and are destroyed: what somebody recorded on its way to us opens for nobody later,
//! whoever takes this steward over.
//!
//! A new key is kept before anybody hears of it; the steward signs it, and the chain puts it in the place of the one in
//! force, so that whoever seals to us reads it where they read our seat. Once that is final the key before it is retired:
//! it opens what is still on its way for [`crate::config::Sealing::overlap_s`], and the sheets of epochs that are not settled here,
//! however long their windows and the votes on them last: were all stewards to destroy it before, nobody could settle them. Then it is
//! destroyed, in the store and, of the first one, its file.

use std::fs::OpenOptions;
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use alloy::primitives::B256;
use rochdale_api::Problem;
use rochdale_api::custody::RotateKeyRequest;
use rochdale_api::route::gateway;
use rochdale_chain::eip712;
use rochdale_core::ids::{Epoch, StewardId};
use rochdale_crypto::SealingPublicKey;

use crate::steward::{Mirror, Steward, internal};
use crate::store::SealingRow;

/// After a try to put a key on chain that failed.
const PAUSE: Duration = Duration::from_secs(10);

impl Steward {
    /// Draws, announces, retires and destroys keys, as far as each is due.
    ///
    /// # Errors
    /// Where the store fails or a key's bytes may still be in its files. A gateway that does not relay is no error: the
    /// old key stays in force, and [`Self::sealing_alarm`] tells when that lasts.
    pub async fn rotate_round(&self, mirror: &Mirror) -> Result<(), Problem> {
        let seat = self.seat(mirror)?;
        let (now, place) = (mirror.now(), usize::from(seat.0) - 1);
        let in_force = mirror.latest.seats[place].sealing_key;
        let mut rows = self.store.sealing_keys().await?;
        if rows.is_empty()
            && let Some(first) = self.keys.first_sealing_key(now)
        {
            self.store.put_sealing_key(&first).await?;
            rows.push(first);
        }
        // A backup holds keys that were replaced since, and destroyed.
        let is_next = |row: &&SealingRow| row.retired.is_none() && self.is_since_restore(row.made);
        let next = rows.first().filter(|row| row.public != in_force).filter(is_next).cloned();
        match next {
            Some(next) => self.announce(mirror, seat, in_force, next.public).await,
            None if self.is_due(&rows, in_force, now) => {
                let newest = rows.first().map_or(0, |row| row.made);
                let next = self.keys.next_sealing_key(now.max(newest + 1));
                self.store.put_sealing_key(&next).await?;
                self.keys.adopt(&next)?;
                self.announce(mirror, seat, in_force, next.public).await;
            }
            None => {}
        }
        let finalized = mirror.finalized().seats.get(place).map(|seat| seat.sealing_key);
        if finalized == Some(in_force) {
            self.store.retire_sealing_keys(in_force, now).await?;
            self.destroy_retired(mirror).await?;
        }
        Ok(())
    }

    /// Whether another key is to be drawn: an epoch began since, or the one in force is not ours.
    fn is_due(&self, rows: &[SealingRow], in_force: B256, now: u64) -> bool {
        let epoch = |at| self.manifest.schedule().epoch_at(at);
        rows.iter().find(|row| row.public == in_force).is_none_or(|row| epoch(row.made) < epoch(now))
    }

    async fn announce(&self, mirror: &Mirror, seat: StewardId, previous: B256, next: B256) {
        {
            let mut last = self.announced.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if last.is_some_and(|at: Instant| at.elapsed() < PAUSE) {
                return;
            }
            *last = Some(Instant::now());
        }
        let statement = eip712::SealingKey { generation: mirror.latest.generation, sealingKey: next, previous };
        let done = match eip712::sign(&self.keys.signer, &statement, &self.manifest.committee_domain()) {
            Ok(signature) => {
                let request = RotateKeyRequest { steward: seat, sealing_key: next, signature };
                let gateway = self.gateway(mirror);
                gateway.post_signed(gateway::ROTATE_KEY, &request, mirror.now()).await.map_err(Problem::from)
            }
            Err(error) => Err(internal(error)),
        };
        match done {
            Ok(mined) => {
                *self.announced.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
                tracing::info!(block = mined.block, "a new sealing key is in force");
            }
            Err(problem) => tracing::warn!(%problem, "the new sealing key is not on chain yet, trying again"),
        }
    }

    async fn destroy_retired(&self, mirror: &Mirror) -> Result<(), Problem> {
        let first_needed = self.first_needed(mirror).await?;
        for row in self.store.sealing_keys().await? {
            let Some(retired) = row.retired else { continue };
            let end = retired + self.config.sealing.overlap_s;
            if mirror.now() >= end && first_needed.is_none_or(|since| end < since) {
                // The row goes last: while it is there, what failed is done again.
                self.destroy_key_file(row.public)?;
                self.keys.forget_sealing_key(SealingPublicKey(row.public));
                self.store.destroy_sealing_key(&row).await?;
                tracing::info!("a sealing key that was replaced is destroyed");
            }
        }
        Ok(())
    }

    /// The end of the first epoch, in seconds of block time, of which a sheet is kept here or stands on chain and that is not settled
    /// here: whatever key we had then or later may be the one that our copy is sealed to.
    async fn first_needed(&self, mirror: &Mirror) -> Result<Option<u64>, Problem> {
        let next = Epoch(self.store.settled().await?.0 + 1);
        let kept = self.store.first_sheet_from(next).await?;
        let proposed = mirror.latest.proposals.range(next..).next().map(|(epoch, _)| *epoch);
        Ok(kept.into_iter().chain(proposed).min().map(|epoch| self.manifest.schedule().end(epoch)))
    }

    /// The first key's file goes with the key.
    fn destroy_key_file(&self, public: B256) -> Result<(), Problem> {
        let path = &self.config.sealing_key_file;
        // Whoever opens the file meanwhile, as an audit does, finds a whole key or none.
        let going = path.with_extension("destroyed");
        let renamed = if self.keys.sealing_file_holds(public) { std::fs::rename(path, &going) } else { Ok(()) };
        let renamed = renamed.or_else(|error| if is_gone(&error) { Ok(()) } else { Err(error) });
        renamed.and_then(|()| overwrite(&going)).map_err(|error| internal(format!("{}: {error}", path.display())))
    }

    /// What people have to look at: a key that stayed in force for more than the epoch after its own.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn sealing_alarm(&self, mirror: &Mirror, seat: StewardId) -> Result<Option<String>, Problem> {
        let in_force = mirror.latest.seats[usize::from(seat.0) - 1].sealing_key;
        if !self.keys.sealing.holds(SealingPublicKey(in_force)) {
            return Ok(Some("the sealing key on chain is not ours; the next one replaces it".to_owned()));
        }
        let epoch = |at| self.manifest.schedule().epoch_at(at).map_or(0, |epoch| epoch.0);
        let rows = self.store.sealing_keys().await?;
        let late = rows.iter().find(|row| row.public == in_force && epoch(row.made) + 1 < epoch(mirror.now()));
        Ok(late.map(|row| {
            let made = epoch(row.made);
            format!("the sealing key in force is of epoch {made}: the gateway does not relay the next one")
        }))
    }
}

fn is_gone(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotFound
}

/// Overwrites a file, makes that durable, and removes it.
fn overwrite(path: &Path) -> std::io::Result<()> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if is_gone(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    let bytes = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    file.rewind()?;
    file.write_all(&vec![0; bytes])?;
    file.sync_all()?;
    std::fs::remove_file(path)
}
