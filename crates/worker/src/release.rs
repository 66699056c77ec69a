//! Shares: asked of every steward page by page, each checked against its deal's commitments before it counts.

use std::collections::BTreeMap;

use alloy::primitives::{B256, Bytes};
use rochdale_api::contribution::ShareAnswer;
use rochdale_api::query::{CommitRequest, ReleaseRequest, Shares};
use rochdale_api::{Problem, ProblemCode};
use rochdale_core::ids::{ContributionId, StewardId};
use rochdale_crypto::sealing::{self, ShareContext};
use rochdale_crypto::{Commitments, Header, Sealed, SealingKeyPair, Share};

use crate::committee::Committee;
use crate::problems::broken;
use crate::worker::{Mirror, Worker};

/// Contributions in one request.
pub const PAGE: usize = 100;

/// A released share, still sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Who released it.
    pub steward: StewardId,
    /// SHA-256 of the blob that it opens.
    pub blob_digest: B256,
    /// Feldman commitments.
    pub deal: Vec<B256>,
    /// Sealed to the worker.
    pub sealed: Bytes,
}

/// What the stewards said of one contribution.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    /// Shares.
    pub offered: Vec<Offer>,
    /// Who refuses it, and why.
    pub refused: Vec<(StewardId, ProblemCode, String)>,
    /// Who gave a share that does not hold.
    pub bad: Vec<(StewardId, String)>,
    /// Who did not answer, and why.
    pub silent: Vec<(StewardId, String)>,
}

/// Shares that enough stewards released for one blob.
pub struct Released {
    /// SHA-256 of the blob.
    pub blob_digest: B256,
    /// The deal that they are checked against.
    pub deal: Commitments,
    /// One of each steward that released it.
    pub offers: Vec<Offer>,
}

/// What follows for one contribution.
pub enum Ruling<T> {
    /// Enough shares.
    In(T),
    /// It leaves the pool: too many stewards refuse it for the others to suffice.
    Out(String),
}

impl Worker {
    /// One page of shares for a committed entry, by contribution.
    ///
    /// # Errors
    /// Where too few stewards answer.
    pub async fn release(
        &self,
        mirror: &Mirror,
        committee: &Committee,
        entry: &CommitRequest,
        page: &[ContributionId],
    ) -> Result<BTreeMap<ContributionId, Offers>, Problem> {
        let request = ReleaseRequest { index: entry.entry.index, contributions: page.to_vec() };
        let answers = committee
            .ask(|_, client| {
                let request = &request;
                async move {
                    let shares: Shares = client.post_signed("/v1/release", request, mirror.now()).await?;
                    let asked = |at: usize| request.contributions.get(at).copied();
                    let in_order = shares.iter().enumerate().all(|(at, share)| asked(at) == Some(id_of(share)));
                    if shares.len() != request.contributions.len() || !in_order {
                        return Err(broken("release", "the answer is not in the order asked"));
                    }
                    Ok(shares)
                }
            })
            .await;
        let given = answers.iter().filter(|(_, answer)| answer.is_ok()).count();
        if given < usize::from(committee.quorum) {
            return Err(committee
                .enough("release", answers)
                .err()
                .unwrap_or_else(|| broken("release", "too few answers")));
        }
        let mut offers: BTreeMap<ContributionId, Offers> = page.iter().map(|id| (*id, Offers::default())).collect();
        for (steward, answer) in answers {
            match answer {
                Ok(shares) => {
                    shares.into_iter().for_each(|share| offers.entry(id_of(&share)).or_default().take(steward, share))
                }
                Err(problem) => {
                    let why = problem.detail;
                    offers.values_mut().for_each(|offers| offers.silent.push((steward, why.clone())));
                }
            }
        }
        Ok(offers)
    }

    /// Opens the shares of one contribution and checks each against the deal; names in `offers` who gave a bad one.
    #[must_use]
    pub fn open_shares(
        &self,
        id: ContributionId,
        header: &Header,
        released: &Released,
        request_hash: B256,
        offers: &mut Offers,
    ) -> Vec<Share> {
        let mut shares = Vec::with_capacity(released.offers.len());
        for offer in &released.offers {
            match open_share(&self.keys.sealing, header, &released.deal, request_hash, offer) {
                Ok(share) => shares.push(share),
                Err(why) => {
                    self.blame(format!("steward {} released a bad share of contribution {id}: {why}", offer.steward));
                    offers.bad.push((offer.steward, why));
                }
            }
        }
        shares
    }
}

/// Opens one released share and checks it against the deal.
///
/// # Errors
/// In words, with the check that failed.
pub fn open_share(
    key: &SealingKeyPair,
    header: &Header,
    deal: &Commitments,
    request_hash: B256,
    offer: &Offer,
) -> Result<Share, String> {
    let context = ShareContext::of(header, offer.steward).release(request_hash);
    let sealed = Sealed(offer.sealed.clone());
    let share = sealing::open_released_share(key, &context, &sealed).map_err(|error| error.to_string())?;
    deal.verify(&share).map_err(|error| error.to_string())?;
    Ok(share)
}

impl Offers {
    fn take(&mut self, steward: StewardId, answer: ShareAnswer) {
        match answer {
            ShareAnswer::Released { blob_digest, deal, sealed, .. } => {
                self.offered.push(Offer { steward, blob_digest, deal, sealed });
            }
            ShareAnswer::Refused { code, reason, .. } => self.refused.push((steward, code, reason)),
        }
    }

    /// The shares of the blob and deal that most stewards name alike, where they may suffice.
    ///
    /// # Errors
    /// Where it cannot be told whether the contribution belongs to the pool: see [`Self::undecided`].
    pub fn agreed(&mut self, committee: &Committee) -> Result<Ruling<Released>, Problem> {
        let mut groups: Vec<Vec<Offer>> = Vec::new();
        for offer in std::mem::take(&mut self.offered) {
            let same = groups.iter_mut().find(|group| {
                group.first().is_some_and(|first| (first.blob_digest, &first.deal) == (offer.blob_digest, &offer.deal))
            });
            match same {
                Some(group) => group.push(offer),
                None => groups.push(vec![offer]),
            }
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        let mut groups = groups.into_iter();
        let offers = groups.next().unwrap_or_default();
        for odd in groups.flatten() {
            self.bad.push((odd.steward, "it names another blob or deal than the other stewards".to_owned()));
        }
        if offers.len() < usize::from(committee.quorum) {
            return self.undecided(committee).map(Ruling::Out);
        }
        let Some(Offer { blob_digest, deal, .. }) = offers.first().cloned() else {
            return self.undecided(committee).map(Ruling::Out);
        };
        let deal = Commitments { seats: committee.seats(), points: deal };
        match deal.expect(committee.quorum, committee.seats()) {
            Ok(()) => Ok(Ruling::In(Released { blob_digest, deal, offers })),
            Err(error) => Ok(Ruling::Out(error.to_string())),
        }
    }

    /// Why a contribution without enough good shares leaves the pool: more stewards refuse it than may.
    ///
    /// # Errors
    /// Where those that gave a bad share or none could change that: another try may find it in the pool, and an answer
    /// without it would be another answer.
    pub fn undecided(&self, committee: &Committee) -> Result<String, Problem> {
        let spare = committee.stewards.len().saturating_sub(usize::from(committee.quorum));
        if self.refused.len() > spare {
            let said = |(id, _, why): &(StewardId, ProblemCode, String)| format!("steward {id}: {why}");
            return Ok(self.refused.iter().map(said).collect::<Vec<_>>().join("; "));
        }
        let named = |list: &[(StewardId, String)]| -> Vec<String> {
            list.iter().map(|(id, why)| format!("steward {id}: {why}")).collect()
        };
        let hint = "the entry is charged and stays open: send the same order again once the stewards named are mended";
        if self.bad.is_empty() {
            let detail = format!("too few shares of a record; {}", named(&self.silent).join("; "));
            return Err(Problem::new(ProblemCode::NotEnough, detail).hint(hint));
        }
        let faults = [named(&self.bad), named(&self.silent)].concat();
        Err(broken("shares", format!("too few good shares of a record; {}", faults.join("; "))).hint(hint))
    }
}

fn id_of(answer: &ShareAnswer) -> ContributionId {
    match answer {
        ShareAnswer::Released { contribution_id, .. } | ShareAnswer::Refused { contribution_id, .. } => {
            *contribution_id
        }
    }
}
