//! What was missed while this steward was down comes from its peers, and is checked against the chain before it is kept.

use std::sync::{Arc, PoisonError};

use alloy::primitives::B256;
use rochdale_api::contribution::{CatchUp, CatchUpContribution, CatchUpRequest, KeptSnapshot};
use rochdale_api::order::Snapshot;
use rochdale_api::route::steward;
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::state::ConsentStatus;
use rochdale_core::ids::{MemberId, StewardId};
use rochdale_crypto::{Header, RowKey};

use crate::custody::kept;
use crate::folding::Said;
use crate::seen::Seen;
use crate::steward::{Mirror, Steward, broken};
use crate::store::SnapshotRow;

/// Items of a kind asked for in one request.
const PAGE: usize = 200;

impl Steward {
    /// Answers a peer that missed something with what we hold of it.
    ///
    /// # Errors
    /// Where the request is too long or the store fails.
    pub async fn answer_catch_up(&self, request: &CatchUpRequest) -> Result<CatchUp, Problem> {
        let asked =
            request.row_keys.len() + request.consents.len() + request.contributions.len() + request.snapshots.len();
        if asked > 4 * PAGE {
            return Err(Problem::new(ProblemCode::TooLarge, format!("{asked} items asked for, at most {}", 4 * PAGE)));
        }
        let mut answer = CatchUp::default();
        for member in &request.row_keys {
            if let Some(key) = self.keys.row_key(&self.store, *member).await? {
                answer.row_keys.push((*member, B256::new(*key.expose())));
            }
        }
        for (member, version) in &request.consents {
            if let Some(secret) = self.keys.consent(&self.store, *member, *version).await? {
                answer.consents.push((*member, *version, secret));
            }
        }
        for commitment in &request.contributions {
            let Some(row) = self.store.contribution(*commitment).await? else { continue };
            let (header, deal) = kept(&row)?;
            let Some(secret) = self.keys.private_part(&self.store, &row, header.hash()).await? else { continue };
            answer.contributions.push(CatchUpContribution {
                commitment: *commitment,
                secret,
                header: row.header.clone().into(),
                blob_digest: row.blob_digest,
                deal: deal.points,
                shares_hash: row.shares_hash,
            });
        }
        for digest in &request.snapshots {
            if let Some(row) = self.store.snapshot(*digest).await? {
                let SnapshotRow { digest, dataset, purpose, cut, blinder, ids, .. } = row;
                let snapshot = Snapshot { dataset, purpose, cut, digest, contributions: ids };
                answer.snapshots.push(KeptSnapshot { snapshot, blinder });
            }
        }
        if !request.snapshots.is_empty() {
            answer.sums = self.kept_sums().await?;
        }
        Ok(answer)
    }

    /// Asks peers for what is missing, one after the other, until nothing is or nobody is left to ask. All of it is asked
    /// for, page by page: what nobody has does not keep the rest away. Where snapshots are missing, sums may stand in their place.
    ///
    /// # Errors
    /// Where the store fails; a peer that does not answer is no error.
    pub async fn catch_up(self: &Arc<Self>, mirror: &Mirror) -> Result<(), Problem> {
        self.keep_offered(mirror).await?;
        let mut said = Said::new();
        for (peer, client) in self.sources(mirror) {
            for page in pages(self.missing(mirror).await?) {
                match self.post_sealed(mirror, &client, steward::CATCH_UP, &page).await {
                    Ok(mut answer) => {
                        if let (Some(sums), Some(address)) = (answer.sums.take(), client.audience()) {
                            self.hear_sums(mirror, &mut said, address, sums);
                        }
                        self.keep_caught_up(mirror, peer, &answer).await;
                    }
                    Err(problem) => {
                        tracing::debug!(%peer, %problem, "no catch-up");
                        break;
                    }
                }
            }
        }
        self.take_sums(mirror, said).await
    }

    /// Catches up, and asks for scores where they may have been told in vain: when this steward starts, and when a record came that it
    /// lacked, of which it kept no score.
    ///
    /// # Errors
    /// As [`Self::catch_up`].
    pub async fn catch_up_round(self: &Arc<Self>, mirror: &Mirror, starts: bool) -> Result<(), Problem> {
        let before = self.missing(mirror).await?.contributions.len();
        self.catch_up(mirror).await?;
        if starts || self.missing(mirror).await?.contributions.len() < before {
            self.sync_scores(mirror).await?;
        }
        Ok(())
    }

    /// Whether nothing is missing.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn is_complete(&self, mirror: &Mirror) -> Result<bool, Problem> {
        Ok(self.missing(mirror).await? == CatchUpRequest::default())
    }

    /// What the chain names and the store lacks. The row key of a member who left is as needed as any other's: its row is
    /// computed in every epoch, until it is closed.
    async fn missing(&self, mirror: &Mirror) -> Result<CatchUpRequest, Problem> {
        let latest = &mirror.latest;
        let mut missing = self.not_seen(mirror);
        let mut here = Seen::default();
        if !missing.row_keys.is_empty() {
            let held = self.store.row_key_holders().await?;
            for id in &missing.row_keys {
                if held.contains(id) || self.is_closed(*id).await? {
                    here.row_keys.insert(*id);
                }
            }
        }
        for (id, version) in &missing.consents {
            if self.store.consent(*id, *version).await?.is_some() {
                here.consents.insert((*id, *version));
            }
        }
        for commitment in &missing.contributions {
            if self.store.contribution(*commitment).await?.is_some() {
                here.contributions.insert(*commitment);
            }
        }
        missing.row_keys.retain(|id| !here.row_keys.contains(id));
        missing.consents.retain(|wanted| !here.consents.contains(wanted));
        missing.contributions.retain(|commitment| !here.contributions.contains(commitment));
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).add(here);
        let up_to = self.store.folded().await?.up_to;
        for booked in latest.debits.values().filter(|booked| booked.id > up_to) {
            if self.store.snapshot(booked.debit.snapshot).await?.is_none() {
                missing.snapshots.push(booked.debit.snapshot);
            }
        }
        Ok(missing)
    }

    /// What the chain names and the store was not seen to hold.
    fn not_seen(&self, mirror: &Mirror) -> CatchUpRequest {
        let (latest, seen) = (&mirror.latest, self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        let is_active = |id: &MemberId| latest.members.get(id).is_some_and(|member| member.is_active());
        let granted = latest.consents.iter().filter(|(_, consent)| consent.status == ConsentStatus::Granted);
        let wanted = granted.map(|(id, consent)| (*id, consent.version));
        let recorded = latest.contributions.values().filter(|c| !c.erased).map(|c| c.commitment);
        CatchUpRequest {
            row_keys: latest.members.keys().filter(|id| !seen.row_keys.contains(id)).copied().collect(),
            consents: wanted.filter(|wanted| !seen.consents.contains(wanted) && is_active(&wanted.0)).collect(),
            contributions: recorded.filter(|commitment| !seen.contributions.contains(commitment)).collect(),
            snapshots: Vec::new(),
        }
    }

    async fn keep_caught_up(&self, mirror: &Mirror, peer: StewardId, answer: &CatchUp) {
        let mut refused: Vec<Problem> = Vec::new();
        for (member, key) in &answer.row_keys {
            refused.extend(self.keep_row_key(mirror, *member, &RowKey::from_bytes(key.0)).await.err());
        }
        for (member, version, secret) in &answer.consents {
            refused.extend(self.keep_consent(mirror, *member, *version, secret).await.err());
        }
        for from in &answer.contributions {
            // Others may have recorded the same commitment: the header says whose it is.
            let sealed = Header::from_bytes(&from.header).ok();
            let named = sealed.map(|header| (header.context().member, header.context().consent_version));
            let on_chain = mirror
                .latest
                .contributions
                .values()
                .find(|c| c.commitment == from.commitment && named == Some((c.member, c.consent_version)));
            if let Some(on_chain) = on_chain {
                refused.extend(self.keep_contribution(mirror, on_chain, from).await.err());
            }
        }
        for snapshot in &answer.snapshots {
            refused.extend(self.keep_snapshot(mirror, snapshot).await.err());
        }
        for problem in refused {
            tracing::warn!(%peer, %problem, "a part of a catch-up was refused");
        }
    }

    /// Keeps a snapshot from whatever source, checked against its digest on chain.
    async fn keep_snapshot(&self, mirror: &Mirror, kept: &KeptSnapshot) -> Result<(), Problem> {
        let Snapshot { dataset, purpose, cut, digest, contributions: ids } = kept.snapshot.clone();
        let named = mirror.latest.debits.values().find(|booked| booked.debit.snapshot == digest);
        let order = named
            .map(|booked| booked.debit.order)
            .ok_or_else(|| broken("snapshot", format!("no debit names snapshot {digest}")))?;
        let cut_time = self.final_block(mirror, cut).await?.timestamp;
        let row = SnapshotRow { digest, order, dataset, purpose, cut, cut_time, blinder: kept.blinder, ids };
        let found = self.digest_of(&row)?;
        if found != digest {
            return Err(broken("snapshot", format!("its digest is {found}, {digest} was asked for")));
        }
        Ok(self.store.put_snapshot(&row).await?)
    }
}

/// What is missing, in requests of at most [`PAGE`] items of a kind.
fn pages(missing: CatchUpRequest) -> Vec<CatchUpRequest> {
    let CatchUpRequest { row_keys, consents, contributions, snapshots } = missing;
    let most = [row_keys.len(), consents.len(), contributions.len(), snapshots.len()];
    let pages = most.into_iter().max().unwrap_or(0).div_ceil(PAGE);
    let page = |at: usize| CatchUpRequest {
        row_keys: part(&row_keys, at),
        consents: part(&consents, at),
        contributions: part(&contributions, at),
        snapshots: part(&snapshots, at),
    };
    (0..pages).map(page).collect()
}

fn part<T: Clone>(all: &[T], page: usize) -> Vec<T> {
    all.chunks(PAGE).nth(page).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_has_does_not_keep_the_rest_away() {
        let keyless = (1..=450).map(MemberId).collect();
        let missing =
            CatchUpRequest { row_keys: keyless, consents: vec![(MemberId(1), 1)], ..CatchUpRequest::default() };
        let pages = pages(missing);
        assert_eq!(pages.iter().map(|page| page.row_keys.len()).collect::<Vec<_>>(), [200, 200, 50]);
        assert_eq!(pages.iter().map(|page| page.consents.len()).collect::<Vec<_>>(), [1, 0, 0]);
        assert_eq!(pages[2].row_keys.last(), Some(&MemberId(450)));
        assert!(super::pages(CatchUpRequest::default()).is_empty());
    }
}
