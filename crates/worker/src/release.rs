//! Shares: asked of every steward page by page, each checked against its deal's commitments before it counts.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{B256, Bytes};
use rochdale_api::Problem;
use rochdale_api::client::Client;
use rochdale_api::member::Sealed as SealedAnswer;
use rochdale_api::order::{ReleaseRequest, ShareAnswer, Shares};
use rochdale_api::route::steward;
use rochdale_core::ids::{ContributionId, StewardId};
use rochdale_crypto::sealing::{self, ShareContext, SharesContext};
use rochdale_crypto::{Commitments, Header, Sealed, SealingKeyPair, Share};
use rochdale_node::peers::GRACE;

use crate::committee::{Answers, Committee};
use crate::problems::broken;
use crate::worker::{Mirror, Worker};

/// Contributions in one request.
pub const PAGE: usize = 100;

/// How often stewards are asked that have not taken over the debit's snapshot from the others yet.
const TRIES: u32 = 10;

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

/// A page of shares, by contribution, and who gave it.
pub struct Page {
    /// What was offered for each contribution.
    pub offers: BTreeMap<ContributionId, Offers>,
    /// The stewards that answered.
    pub answered: BTreeSet<StewardId>,
}

impl Worker {
    /// One page of shares for a booked debit, by contribution, from all but those who gave bad ones. Nobody is waited for once a quorum
    /// offers its shares of one sharing of each record, or so many refuse it that no quorum is left; until then everybody is, so that who is
    /// quick and offers nothing, or another sharing, does not stand in for others. Stewards whose shares follow a new committee may be of
    /// two minds for a moment: they are asked again.
    ///
    /// # Errors
    /// Where too few stewards answer.
    pub async fn release(
        &self,
        mirror: &Mirror,
        committee: &Committee,
        order: B256,
        page: &[ContributionId],
        liars: &BTreeSet<StewardId>,
    ) -> Result<Page, Problem> {
        let body = ReleaseRequest { order, contributions: page.to_vec() };
        let decided = |answers: &Answers<Shares>| {
            let given = answers.iter().filter_map(|(_, answer)| answer.as_ref().ok());
            let decided = |at: usize| {
                let said = given.clone().filter_map(|shares| shares.get(at));
                let (offered, refused): (Vec<_>, Vec<_>) = said.partition(|answer| is_offer(answer));
                let left = usize::from(committee.seats()).saturating_sub(refused.len() + liars.len());
                alike(&offered) >= committee.need() || left < committee.need()
            };
            given.clone().count() >= committee.need() && (0..page.len()).all(decided)
        };
        let ask = |id, client: Client| {
            let (request, body) = (self.sealed_request(committee, id, order, &body), &body);
            async move {
                let sealed: SealedAnswer = client.post_signed(steward::RELEASE, &request?, mirror.now()).await?;
                let shares = self.open_page(id, order, &sealed)?;
                let asked = |at: usize| body.contributions.get(at).copied();
                let in_order = shares.iter().enumerate().all(|(at, share)| asked(at) == Some(id_of(share)));
                if shares.len() != body.contributions.len() || !in_order {
                    return Err(broken("release", "the answer is not in the order asked"));
                }
                Ok(shares)
            }
        };
        let is_split = |answers: &Answers<Shares>| {
            let given = answers.iter().filter_map(|(_, answer)| answer.as_ref().ok());
            (0..page.len()).any(|at| {
                let offered: Vec<_> =
                    given.clone().filter_map(|shares| shares.get(at)).filter(|a| is_offer(a)).collect();
                offered.len() >= committee.need() && alike(&offered) < committee.need()
            })
        };
        let mut tries = TRIES;
        let answers = loop {
            let answers = committee.ask_until(|id| !liars.contains(&id), ask, decided).await;
            tries -= 1;
            if tries == 0 || !(committee.is_to_come(&answers) || is_split(&answers)) {
                break answers;
            }
            tokio::time::sleep(GRACE).await;
        };
        let mut offers: BTreeMap<ContributionId, Offers> = page.iter().map(|id| (*id, Offers::default())).collect();
        let mut answered = BTreeSet::new();
        for (steward, shares) in committee.enough("release", answers)? {
            answered.insert(steward);
            for share in shares {
                offers.entry(id_of(&share)).or_default().take(steward, share);
            }
        }
        Ok(Page { offers, answered })
    }

    fn open_page(&self, index: StewardId, order: B256, sealed: &SealedAnswer) -> Result<Shares, Problem> {
        let committee = self.manifest.addresses.steward_committee;
        let context = SharesContext { chain_id: self.manifest.chain_id, committee, order, index };
        let json = sealing::open_as(&self.keys.sealing, &context, &Sealed(sealed.sealed.clone()))
            .map_err(|error| broken("release", error))?;
        serde_json::from_slice(&json).map_err(|error| broken("release", error))
    }

    /// Opens the shares of one contribution and checks each against the deal; names in `bad` who gave one that does not hold.
    #[must_use]
    pub fn open_shares(
        &self,
        header: &Header,
        released: &Released,
        order: B256,
        bad: &mut BTreeSet<StewardId>,
    ) -> Vec<Share> {
        let mut shares = Vec::with_capacity(released.offers.len());
        for offer in &released.offers {
            match open_share(&self.keys.sealing, header, &released.deal, order, offer) {
                Ok(share) => shares.push(share),
                Err(why) => {
                    self.blame(format!("steward {} released a bad share: {why}", offer.steward));
                    bad.insert(offer.steward);
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
        // Why a steward refuses a record is between it and the record's member.
        if let ShareAnswer::Released { blob_digest, deal, sealed, .. } = answer {
            self.offered.push(Offer { steward, blob_digest, deal, sealed });
        }
    }

    /// The shares of one record, where a quorum offers them for one blob and of one sharing: an honest steward is among them, which checked it
    /// against what the member signed. `differ` is told who names others.
    #[must_use]
    pub fn agreed(self, committee: &Committee, differ: &mut BTreeSet<StewardId>) -> Option<Released> {
        let named = |offer: &Offer| (offer.blob_digest, offer.deal.clone());
        let alike = |offer: &Offer| self.offered.iter().filter(|other| named(other) == named(offer)).count();
        let (blob_digest, points) = named(self.offered.iter().max_by_key(|offer| alike(offer))?);
        let deal = Commitments { seats: committee.seats(), points };
        let of_it = |offer: &Offer| (offer.blob_digest, &offer.deal) == (blob_digest, &deal.points);
        let (offers, others): (Vec<Offer>, Vec<Offer>) = self.offered.into_iter().partition(of_it);
        if offers.len() < committee.need() {
            // Nobody can tell who of them is right.
            if !others.is_empty() {
                differ.extend(offers.iter().chain(&others).map(|offer| offer.steward));
            }
            return None;
        }
        differ.extend(others.iter().map(|offer| offer.steward));
        deal.expect(committee.quorum, committee.seats()).is_ok().then_some(Released { blob_digest, deal, offers })
    }
}

fn is_offer(answer: &ShareAnswer) -> bool {
    matches!(answer, ShareAnswer::Released { .. })
}

/// How many of these offers of one record name the same blob and the same sharing, at most.
fn alike(offered: &[&ShareAnswer]) -> usize {
    let mut named: BTreeMap<(B256, &[B256]), usize> = BTreeMap::new();
    for answer in offered {
        if let ShareAnswer::Released { blob_digest, deal, .. } = answer {
            *named.entry((*blob_digest, deal.as_slice())).or_default() += 1;
        }
    }
    named.into_values().max().unwrap_or(0)
}

fn id_of(answer: &ShareAnswer) -> ContributionId {
    match answer {
        ShareAnswer::Released { contribution_id, .. } | ShareAnswer::Refused { contribution_id, .. } => {
            *contribution_id
        }
    }
}
