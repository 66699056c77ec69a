//! Bringing the worker's copy of the vault up to date.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::ops::Bound;
use std::sync::atomic::Ordering;

use alloy::primitives::B256;
use rand::RngExt as _;
use rochdale_api::contribution::{VAULT_PAGE, VaultEntry};
use rochdale_api::route::{Call, gateway};
use rochdale_api::{Problem, ProblemCode};
use rochdale_core::ids::{ContributionId, MemberId};
use rochdale_crypto::{Cid, Header};

use crate::problems::internal;
use crate::replica::{Known, identify, remove};
use crate::worker::{Mirror, Worker};

impl Worker {
    /// Brings the replica up to what the vault lists now. One run at a time; the one that waits finds nothing left to do.
    ///
    /// # Errors
    /// Where gateway or disk fails; what was fetched stays.
    pub async fn replicate(&self, mirror: &Mirror) -> Result<(), Problem> {
        let mut known = self.replica.known.lock().await;
        if self.replica.stale.swap(false, Ordering::SeqCst) {
            known.after = ContributionId(0);
        }
        self.forget_erased(mirror, &mut known).await.map_err(internal)?;
        loop {
            let path = Call::from(gateway::BLOBS).with("after", known.after);
            let page = self.gateway(mirror).get_signed(path, mirror.now()).await?;
            let last = page.blobs.len() < VAULT_PAGE as usize;
            for entry in page.blobs {
                if entry.contribution_id <= known.after {
                    return Err(Problem::new(ProblemCode::Internal, "the gateway's list of blobs does not ascend"));
                }
                self.copy(mirror, &mut known, entry).await?;
                known.after = entry.contribution_id;
            }
            if last {
                return Ok(());
            }
        }
    }

    /// Fetches one blob unless it is here or belongs to who erased everything.
    async fn copy(&self, mirror: &Mirror, known: &mut Known, entry: VaultEntry) -> Result<(), Problem> {
        let id = entry.contribution_id;
        let on_chain = mirror.latest.contributions.get(&id);
        if known.held.contains_key(&id) || on_chain.is_some_and(|contribution| contribution.erased) {
            return Ok(());
        }
        if !self.replica.holds(&entry).await {
            if known.bytes.saturating_add(entry.bytes) > self.replica.most_bytes {
                let most = self.replica.most_bytes;
                self.blame(format!("the replica of the vault is full: replica.max_bytes is {most}"));
                return Ok(());
            }
            let cid = Cid::from_sha256(entry.blob_digest.0);
            let fetched = self.gateway(mirror).get_bytes_signed(gateway::BLOB.at(cid), mirror.now()).await;
            let blob = match fetched {
                Ok(blob) => blob,
                Err(error) if matches!(error.code(), ProblemCode::NotFound | ProblemCode::Erased) => {
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let member = Header::from_bytes(&blob).ok().map(|header| header.context().member);
            // Erasure deletes by member: what is kept under another one's contribution would outlive it.
            let belongs = on_chain.is_none_or(|contribution| Some(contribution.member) == member);
            if Cid::of(&blob) != cid || blob.len() as u64 != entry.bytes || !belongs {
                self.blame("the gateway's vault gave other bytes than those it lists".to_owned());
                return Ok(());
            }
            self.replica.keep(entry.blob_digest, &blob).await.map_err(internal)?;
        } else if let Some(contribution) = on_chain
            && identify(&self.replica.path(entry.blob_digest)).await.map_err(internal)?.map(|(_, member)| member)
                != Some(contribution.member)
        {
            self.blame("the gateway's vault lists a blob under another member's contribution".to_owned());
            return Ok(());
        }
        known.bytes = known.bytes.saturating_add(entry.bytes);
        known.held.insert(id, entry);
        Ok(())
    }

    /// Looks at the next `many` blobs of the replica, from the first one on again after the last. What is not whole is given up, so that
    /// the next round fetches it from the gateway. Gives how many those are.
    ///
    /// # Errors
    /// Where the disk fails.
    pub async fn scrub(&self, many: usize) -> Result<usize, Problem> {
        let mut damaged = 0;
        {
            // From anywhere: a process that is often started comes to all of them.
            let mut known = self.replica.known.lock().await;
            if known.looked == ContributionId(0)
                && let Some((last, _)) = known.held.last_key_value()
            {
                known.looked = ContributionId(rand::rng().random_range(0..=last.0));
            }
        }
        for _ in 0..many {
            let mut known = self.replica.known.lock().await;
            let next = known.held.range((Bound::Excluded(known.looked), Bound::Unbounded)).next();
            let Some((&id, entry)) = next.or_else(|| known.held.iter().next()) else { break };
            let (digest, bytes) = (entry.blob_digest, entry.bytes);
            known.looked = id;
            if self.replica.read(digest).await.map_err(internal)?.is_some() {
                continue;
            }
            tracing::warn!(contribution = %id, "a sealed record of the replica is damaged or gone; it is fetched anew");
            remove(&self.replica.path(digest)).await.map_err(internal)?;
            known.held.remove(&id);
            known.bytes = known.bytes.saturating_sub(bytes);
            self.replica.relist();
            damaged += 1;
        }
        Ok(damaged)
    }

    /// Deletes the blobs of members who erased everything. Whose a blob is stands in its own header, so that neither a lost list nor the
    /// gateway's word decides what goes.
    async fn forget_erased(&self, mirror: &Mirror, known: &mut Known) -> io::Result<()> {
        let erased: BTreeSet<MemberId> =
            mirror.latest.members.iter().filter(|(_, member)| member.erased.is_some()).map(|(id, _)| *id).collect();
        if erased == known.erased {
            return Ok(());
        }
        let is_erased = |id: &ContributionId| mirror.latest.contributions.get(id).is_some_and(|found| found.erased);
        known.held.retain(|id, _| !is_erased(id));
        let live: HashSet<B256> = known.held.values().map(|entry| entry.blob_digest).collect();
        for path in self.replica.files().await? {
            // Whose a file is that does not say so, nobody knows: it may be an erased member's, and the vault has it if it is not.
            let keeps = match identify(&path).await? {
                Some((digest, member)) => !erased.contains(&member) || live.contains(&digest),
                None => false,
            };
            if !keeps {
                remove(&path).await?;
            }
        }
        known.bytes = known.held.values().map(|entry| entry.bytes).sum();
        known.erased = erased;
        Ok(())
    }
}
