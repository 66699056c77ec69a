//! Dealing our own shares to the committee in office, and checking what others dealt.

use alloy::primitives::{Address, B256, Bytes};
use alloy::sol_types::SolStruct as _;
use rochdale_api::reshare::{HeldDeal, HeldWord, Redealt};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::eip712;
use rochdale_client::statement;
use rochdale_core::ids::StewardId;
use rochdale_crypto::keystore::Item;
use rochdale_crypto::sealing::{self, ReshareContext};
use rochdale_crypto::sharing::{join, redeal, reshared};
use rochdale_crypto::{Commitments, Sealed, SealingPublicKey, Share};

use super::{Choice, Target};
use crate::record::Held;
use crate::steward::{Mirror, Steward, broken, internal};
use crate::store::{RedealtRow, ReshareRow};

/// Deals of one dealer from one sharing that are kept: a second one shows that it deals twice, a third one tells nothing new. Of all sharings as
/// many as it may have shares of, one for each committee that it sat in: sharings can be made up.
const KEPT: usize = 2;
/// Bytes of a sealed part, at most.
const PART: usize = 256;
/// Deals of one record that are kept, and that one word may name.
pub(super) const DEALS: usize = 256;

impl Steward {
    /// Deals each older share of a record that is here, once.
    ///
    /// # Errors
    /// Where the store fails, or a share does not lie on its commitments any more.
    pub(super) async fn deal_own(&self, mirror: &Mirror, target: &Target, held: &Held) -> Result<(), Problem> {
        // Two that are drawn side by side would be two deals.
        let _one = self.redealing.lock().await;
        let here = self.store.redealt(held.row.commitment, target.generation).await?;
        for (source, share) in self.older_sharings(held, target.generation).await? {
            let dealt = |row: &RedealtRow| row.deal.account == self.address() && row.source == source.hash();
            if here.iter().any(dealt) {
                continue;
            }
            source.verify(&share).map_err(|error| internal(format!("our own share: {error}")))?;
            let deal = self.redeal(target, held, &source, &share)?;
            self.take_deal(mirror, target, held, deal).await?;
        }
        Ok(())
    }

    /// Our shares of a record's sharings before a generation, with the commitments of each.
    async fn older_sharings(&self, held: &Held, generation: u32) -> Result<Vec<(Commitments, Share)>, Problem> {
        let Some(key) = self.keys.member(&self.store, held.row.member).await? else { return Ok(Vec::new()) };
        let mut sharings = Vec::new();
        if let Some((of, wrapped)) = self.store.first_share(held.row.commitment).await?
            && of < generation
        {
            let share = key.unwrap_share(held.header.hash(), &wrapped).map_err(internal)?;
            sharings.push((held.original(), share));
        }
        for row in self.store.reshares(held.row.commitment).await? {
            if row.generation < generation {
                let bytes = key.unwrap(Item::Reshared(row.deal.hash()), &row.wrapped).map_err(internal)?;
                sharings.push((row.deal, Share::from_bytes(&bytes).map_err(internal)?));
            }
        }
        Ok(sharings)
    }

    fn redeal(&self, target: &Target, held: &Held, source: &Commitments, share: &Share) -> Result<Redealt, Problem> {
        let rng = &mut rand::rng();
        let dealt = redeal(share, target.quorum, target.size(), rng).map_err(internal)?;
        let mut parts = Vec::with_capacity(dealt.shares.len());
        for (part, seat) in dealt.shares.iter().zip(&target.seats) {
            let context = self.context(target, held, source.hash(), share.index(), part.index());
            let sealed = sealing::seal_redealt(&SealingPublicKey(seat.sealing_key), &context, part, rng);
            parts.push(sealed.map_err(internal)?.0);
        }
        let mut deal = Redealt {
            commitment: held.row.commitment,
            generation: target.generation,
            source_seats: source.seats,
            source: source.points.clone(),
            dealer: share.index(),
            account: self.address(),
            deal: dealt.commitments.points,
            parts,
            signature: Bytes::new(),
        };
        let statement = statement::reshare_deal(&deal);
        let signature = eip712::sign(&self.keys.signer, &statement, &self.manifest.committee_domain());
        deal.signature = signature.map_err(internal)?;
        Ok(deal)
    }

    fn context(
        &self,
        target: &Target,
        held: &Held,
        source: B256,
        dealer: StewardId,
        index: StewardId,
    ) -> ReshareContext {
        let of = held.header.context();
        ReshareContext {
            chain_id: of.chain_id,
            registry: of.registry,
            member: of.member,
            header_hash: held.header.hash(),
            generation: target.generation,
            source,
            dealer,
            index,
        }
    }

    /// Takes a deal of a record, whoever brings it: checked against the member's own deal, its part for us opened and checked.
    /// `true` where it is new here.
    ///
    /// # Errors
    /// Where it is none of a holder's own share to the committee in office.
    pub(super) async fn take_deal(
        &self,
        mirror: &Mirror,
        target: &Target,
        held: &Held,
        deal: Redealt,
    ) -> Result<bool, Problem> {
        let source = self.check_deal_to(mirror, target, held, &deal)?;
        let digest = statement::reshare_deal(&deal).eip712_hash_struct();
        let source = source.hash();
        let here = self.store.redealt(held.row.commitment, target.generation).await?;
        let own: Vec<_> = here.iter().filter(|row| row.deal.account == deal.account).collect();
        let same = own.iter().filter(|row| row.source == source).count();
        let sat = mirror.latest.committees.iter().filter(|committee| committee.signers.contains(&deal.account)).count();
        // One account has one place in a sharing: with two, one steward alone would make up a sharing of as many as two.
        let elsewhere = own.iter().any(|row| row.source == source && row.deal.dealer != deal.dealer);
        let known = here.iter().any(|row| row.digest == digest);
        if known || elsewhere || same >= KEPT || own.len() >= KEPT * sat || here.len() >= DEALS {
            return Ok(false);
        }
        let key = self.keys.member_or_new(&self.store, held.row.member).await?;
        let wrapped = match self.open_part(mirror, target, held, &deal, source) {
            Some(Ok(part)) => key.wrap(Item::Redealt(digest), part.to_bytes().as_slice(), &mut rand::rng()),
            Some(Err(problem)) => {
                // It is kept all the same: others may have good parts of it, and take it over from us.
                tracing::warn!(dealer = %deal.account, %problem, "a part of a share that was dealt to us is not good");
                Vec::new()
            }
            None => Vec::new(),
        };
        let row = RedealtRow { digest, member: held.row.member, source, deal, wrapped };
        Ok(self.store.put_redealt(&row).await?)
    }

    /// What everybody can check of a deal; gives the sharing that it comes from.
    fn check_deal_to(
        &self,
        mirror: &Mirror,
        target: &Target,
        held: &Held,
        deal: &Redealt,
    ) -> Result<Commitments, Problem> {
        if (deal.commitment, deal.generation) != (held.row.commitment, target.generation) {
            return Err(broken("deal", "it is of another record, or to another committee"));
        }
        let source = Commitments { seats: deal.source_seats, points: deal.source.clone() };
        if source.points.first() != held.row.points.first() {
            return Err(broken("deal", "the sharing that it comes from is not of the secret that the member dealt"));
        }
        let sat = |signers: &[Address]| {
            let place = usize::from(deal.dealer.0).checked_sub(1);
            place.and_then(|place| signers.get(place)) == Some(&deal.account)
        };
        let held_it = mirror.latest.committees.iter().any(|committee| {
            committee.signers.len() == usize::from(source.seats)
                && committee.quorum == source.threshold()
                && sat(&committee.signers)
        });
        if !held_it {
            let detail = format!("{} never had seat {} of such a committee", deal.account, deal.dealer);
            return Err(broken("deal", detail));
        }
        let commitments = Commitments { seats: target.size(), points: deal.deal.clone() };
        source
            .expect_redealt(deal.dealer, &commitments, target.quorum, target.size())
            .map_err(|error| broken("deal", error))?;
        if deal.parts.iter().any(|part| part.len() > PART) {
            return Err(broken("deal", format!("a part of more than {PART} bytes")));
        }
        if deal.parts.len() != target.seats.len() {
            let detail = format!("{} parts for {} seats", deal.parts.len(), target.seats.len());
            return Err(broken("deal", detail));
        }
        let statement = statement::reshare_deal(deal);
        eip712::verify(&statement, &self.manifest.committee_domain(), &deal.signature, deal.account)
            .map_err(|error| Problem::new(ProblemCode::Forbidden, format!("deal: {error}")))?;
        Ok(source)
    }

    /// Our part of a deal; none where we have no seat.
    fn open_part(
        &self,
        mirror: &Mirror,
        target: &Target,
        held: &Held,
        deal: &Redealt,
        source: B256,
    ) -> Option<Result<Share, Problem>> {
        let seat = self.seat(mirror).ok()?;
        let sealed = Sealed(deal.parts.get(usize::from(seat.0) - 1)?.clone());
        let context = self.context(target, held, source, deal.dealer, seat);
        let commitments = Commitments { seats: target.size(), points: deal.deal.clone() };
        let part = sealing::open_redealt(&self.keys.sealing, &context, &sealed).map_err(|error| broken("part", error));
        Some(part.and_then(|part| commitments.verify(&part).map_err(|error| broken("part", error)).map(|()| part)))
    }

    /// Takes a steward's word which deals it holds. `true` where it says something new.
    ///
    /// # Errors
    /// Where it is no word of a steward in office.
    pub(super) async fn take_word(&self, target: &Target, held: &Held, word: &HeldWord) -> Result<bool, Problem> {
        let (commitment, generation) = (held.row.commitment, target.generation);
        if !target.seats.iter().any(|seat| seat.signer == word.steward) {
            return Err(broken("word", format!("{} has no seat in the committee", word.steward)));
        }
        if word.deals.len() > DEALS || !word.deals.is_sorted_by(|one, next| one < next) {
            return Err(broken("word", "its deals are not in ascending order, or too many"));
        }
        let known = self.store.held_words(commitment, generation).await?;
        if known.contains(word) {
            return Ok(false);
        }
        let statement = statement::reshare_held(commitment, generation, &word.deals);
        eip712::verify(&statement, &self.manifest.committee_domain(), &word.signature, word.steward)
            .map_err(|error| Problem::new(ProblemCode::Forbidden, format!("word: {error}")))?;
        Ok(self.store.put_held_word(commitment, generation, held.row.member, word).await?)
    }

    /// Says which deals of a record we hold good parts of, where that is more than we said before. `true` where it is.
    pub(super) async fn say_held(&self, target: &Target, held: &Held) -> Result<bool, Problem> {
        let (commitment, generation) = (held.row.commitment, target.generation);
        let rows = self.store.redealt(commitment, generation).await?;
        let good = rows.iter().filter(|row| !row.wrapped.is_empty());
        let mut deals: Vec<HeldDeal> = good.map(named).collect();
        deals.sort_unstable();
        deals.truncate(DEALS);
        let words = self.store.held_words(commitment, generation).await?;
        let own: Vec<_> = words.iter().filter(|word| word.steward == self.address()).collect();
        // What we said stands: a word that has not all of it would be a second one.
        if own.iter().any(|said| said.deals.len() >= deals.len() || !said.deals.iter().all(|deal| deals.contains(deal)))
        {
            return Ok(false);
        }
        let statement = statement::reshare_held(commitment, generation, &deals);
        let signature = eip712::sign(&self.keys.signer, &statement, &self.manifest.committee_domain());
        let word = HeldWord { steward: self.address(), deals, signature: signature.map_err(internal)? };
        Ok(self.store.put_held_word(commitment, generation, held.row.member, &word).await?)
    }

    /// Makes our share of the deals chosen and puts it in force, where it is not. `true` where it was not.
    pub(super) async fn put_in_force(&self, target: &Target, held: &Held, choice: &Choice) -> Result<bool, Problem> {
        let rows = self.store.redealt(held.row.commitment, target.generation).await?;
        let Some(key) = self.keys.member(&self.store, held.row.member).await? else { return Ok(false) };
        let (mut parts, mut commitments, mut source) = (Vec::new(), Vec::new(), None);
        for chosen in &choice.deals {
            let row = rows.iter().find(|row| row.digest == chosen.deal && !row.wrapped.is_empty());
            // A restored store may lack what we said that we hold.
            let row = row.ok_or_else(|| broken("deals", "one that we said we hold is not here"))?;
            let bytes = key.unwrap(Item::Redealt(row.digest), &row.wrapped).map_err(|error| broken("deals", error))?;
            parts.push((row.deal.dealer, Share::from_bytes(&bytes).map_err(|error| broken("deals", error))?));
            let deal = Commitments { seats: target.size(), points: row.deal.deal.clone() };
            commitments.push((row.deal.dealer, deal));
            source = Some(Commitments { seats: row.deal.source_seats, points: row.deal.source.clone() });
        }
        let source = source.ok_or_else(|| internal("no deal is chosen"))?;
        let deals: Vec<_> = commitments.iter().map(|(dealer, deal)| (*dealer, deal)).collect();
        let deal = reshared(&source, &deals).map_err(|error| broken("deals", error))?;
        let before = self.store.reshares(held.row.commitment).await?;
        if before.first().is_some_and(|row| row.generation == target.generation && row.deal == deal) {
            return Ok(false);
        }
        let parts: Vec<_> = parts.iter().map(|(dealer, part)| (*dealer, part)).collect();
        let share = join(source.threshold(), &parts).map_err(|error| broken("deals", error))?;
        deal.verify(&share).map_err(|error| broken("deals", error))?;
        let wrapped = key.wrap(Item::Reshared(deal.hash()), share.to_bytes().as_slice(), &mut rand::rng());
        let row = ReshareRow { generation: target.generation, deal, wrapped };
        Ok(self.store.put_reshare(held.row.commitment, held.row.member, &row).await?)
    }
}

/// A deal as words name it.
fn named(row: &RedealtRow) -> HeldDeal {
    let need = u8::try_from(row.deal.source.len()).unwrap_or(u8::MAX);
    HeldDeal { source: row.source, need, dealer: row.deal.dealer, deal: row.digest }
}
