//! Taking members' secrets into custody: nothing is kept before it was checked against what the member signed and what
//! the chain says.
//!
//! A package passes these checks, in this order: the member is known and active · the signature over the commitment is
//! the account's · the header belongs to this chain, registry, member and consent · the deal is one for this committee ·
//! our private part opens · the commitment recomputes from header, blob, deal, sealed shares, dataset and blinder · our
//! share opens and lies on the committed polynomial. Then share and private part are wrapped under the member's key.

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy::primitives::{Address, B256, Bytes};
use rochdale_api::contribution::{CatchUpContribution, ContributionPackage, ContributionSecret, ShareReceipt};
use rochdale_api::member::{ConsentDelivery, ConsentSecret, RowKeyDelivery, SealedTo};
use rochdale_api::{Problem, ProblemCode};
use rochdale_chain::state::{Contribution, Member};
use rochdale_chain::{eip712, erc1271};
use rochdale_client::statement;
use rochdale_core::commit;
use rochdale_core::ids::{MemberId, StewardId};
use rochdale_crypto::keystore::Item;
use rochdale_crypto::sealing::{self, ConsentContext, PrivatePart, RowKeyContext, ShareContext};
use rochdale_crypto::{Commitments, Context, Header, RowKey, Sealed};

use crate::steward::{Mirror, Steward, broken, chain_problem, internal};
use crate::store::ContributionRow;

/// A member, or who was one.
pub(crate) fn known(mirror: &Mirror, id: MemberId) -> Result<&Member, Problem> {
    mirror.latest.members.get(&id).ok_or_else(|| {
        let block = mirror.head.latest.number;
        Problem::new(ProblemCode::NotFound, format!("there is no member {id} as of block {block}"))
    })
}

/// A member who may still act.
fn active(mirror: &Mirror, id: MemberId) -> Result<&Member, Problem> {
    let member = known(mirror, id)?;
    if member.erased.is_some() {
        return Err(Problem::new(ProblemCode::Erased, format!("member {id} erased everything")));
    }
    if !member.is_active() {
        return Err(Problem::new(ProblemCode::Forbidden, format!("the membership of {id} has ended")));
    }
    Ok(member)
}

fn ours(sealed: &SealedTo, seat: StewardId) -> Result<Sealed, Problem> {
    if sealed.steward == seat {
        return Ok(Sealed(sealed.sealed.clone()));
    }
    let detail = format!("sealed to steward {}, this is steward {seat}", sealed.steward);
    Err(Problem::new(ProblemCode::BadRequest, detail).hint("send each steward its own copy"))
}

fn of_seat<'a>(list: &'a [SealedTo], seat: StewardId, what: &str) -> Result<&'a SealedTo, Problem> {
    list.get(usize::from(seat.0) - 1).filter(|sealed| sealed.steward == seat).ok_or_else(|| {
        Problem::new(ProblemCode::BadRequest, format!("{what}: no part for steward {seat} at place {}", seat.0 - 1))
            .hint("one part for each steward, in seat order")
    })
}

impl Steward {
    /// Takes a member's row key, checked against the digest that the admission put on chain.
    ///
    /// # Errors
    /// Where the member is unknown, its row is closed, or the key is not the admitted one.
    pub async fn take_row_key(self: &Arc<Self>, mirror: &Mirror, delivery: &RowKeyDelivery) -> Result<(), Problem> {
        let seat = self.seat(mirror)?;
        let id = delivery.member_id;
        let member = known(mirror, id)?;
        if member.account != delivery.account {
            let detail = format!("member {id} has account {}, not {}", member.account, delivery.account);
            return Err(Problem::new(ProblemCode::Conflict, detail));
        }
        let context = RowKeyContext {
            chain_id: self.manifest.chain_id,
            membership: self.manifest.addresses.membership,
            account: delivery.account,
            nullifier: delivery.nullifier,
            index: seat,
        };
        let key = sealing::open_row_key(&self.keys.sealing, &context, &ours(&delivery.sealed, seat)?)
            .map_err(|error| broken("sealed", error))?;
        self.keep_row_key(mirror, id, &key).await
    }

    /// Keeps a row key from whatever source, also of a member who left: its row stays in the tree, and whoever lacks the
    /// key computes another root for ever.
    ///
    /// # Errors
    /// Where it is not the admitted one, or the row is closed.
    pub async fn keep_row_key(&self, mirror: &Mirror, id: MemberId, key: &RowKey) -> Result<(), Problem> {
        let member = known(mirror, id)?;
        if self.is_closed(id).await? {
            return Err(Problem::new(
                ProblemCode::Erased,
                format!("member {id} erased everything, and its row is closed"),
            ));
        }
        if commit::row_key(B256::new(*key.expose())) != member.row_key_digest {
            let detail = format!("the row key of member {id} does not match the digest of its admission");
            return Err(
                Problem::new(ProblemCode::SealBroken, detail).hint("seal the key that the registrar's admission names")
            );
        }
        Ok(self.keys.keep_row_key(&self.store, id, key).await?)
    }

    /// Takes a consent receipt, checked against the commitment on chain.
    ///
    /// # Errors
    /// Where the member is unknown or gone, or the receipt is not the committed one.
    pub async fn take_consent(self: &Arc<Self>, mirror: &Mirror, delivery: &ConsentDelivery) -> Result<(), Problem> {
        let seat = self.seat(mirror)?;
        active(mirror, delivery.member_id)?;
        let context = ConsentContext {
            chain_id: self.manifest.chain_id,
            registry: self.manifest.addresses.consent_registry,
            member: delivery.member_id,
            consent_version: delivery.version,
            index: seat,
        };
        let part = sealing::open_consent(&self.keys.sealing, &context, &ours(&delivery.sealed, seat)?)
            .map_err(|error| broken("sealed", error))?;
        let receipt = serde_json::from_slice(part.receipt()).map_err(|error| {
            Problem::new(ProblemCode::BadRequest, format!("the sealed consent receipt does not parse: {error}"))
        })?;
        let secret = ConsentSecret { receipt, blinder: part.blinder() };
        self.keep_consent(mirror, delivery.member_id, delivery.version, &secret).await
    }

    /// Keeps a consent receipt from whatever source.
    ///
    /// # Errors
    /// Where the chain has no such consent, or another one.
    pub async fn keep_consent(
        &self,
        mirror: &Mirror,
        id: MemberId,
        version: u32,
        secret: &ConsentSecret,
    ) -> Result<(), Problem> {
        active(mirror, id)?;
        let digest = commit::json(&secret.receipt)
            .map_err(|error| Problem::new(ProblemCode::BadRequest, format!("the consent receipt: {error}")))?;
        let Some(grant) = mirror.latest.grants.get(&(id, version)) else {
            let detail = format!("member {id} has granted no consent of version {version} on chain");
            return Err(Problem::new(ProblemCode::NotFound, detail).hint("send it again once the grant is mined"));
        };
        if commit::consent(digest, secret.blinder) != grant.receipt_commitment {
            let detail = format!("the receipt of member {id}, version {version}, is not the one committed on chain");
            return Err(Problem::new(ProblemCode::SealBroken, detail));
        }
        secret
            .receipt
            .check(id, version, grant.expiry)
            .map_err(|e| Problem::new(ProblemCode::BadRequest, e.to_string()))?;
        Ok(self.keys.keep_consent(&self.store, id, version, secret).await?)
    }

    /// Whether the member's account says this package: by its key, or by the contract that it is, such as a passkey's.
    async fn expect_its_word(
        &self,
        mirror: &Mirror,
        package: &ContributionPackage,
        account: Address,
    ) -> Result<(), Problem> {
        // The chain took the signature then, also where another passkey speaks for the account since.
        if mirror.latest.given_by(package.member_id).any(|given| given.commitment == package.commitment) {
            return Ok(());
        }
        let digest = eip712::digest(&statement::contribution(package), &self.manifest.contribution_domain());
        let at = mirror.head.latest.number.into();
        let says = erc1271::says(&self.chain, account, digest, &package.signature, at).await;
        if says.map_err(chain_problem)? {
            return Ok(());
        }
        let detail = format!("signature: this package is not what {account} signed, by its key or as a contract");
        Err(Problem::new(ProblemCode::Forbidden, detail))
    }

    /// Verifies a package and takes our share of it. The same package again changes nothing.
    ///
    /// # Errors
    /// With the check that failed.
    pub async fn take_contribution(
        self: &Arc<Self>,
        mirror: &Mirror,
        package: &ContributionPackage,
    ) -> Result<ShareReceipt, Problem> {
        let seat = self.seat(mirror)?;
        let id = package.member_id;
        let member = active(mirror, id)?;
        self.expect_its_word(mirror, package, member.account).await?;
        if self.holds_share(id, package.commitment).await? {
            // It may come again for another steward's sake when the key that it was sealed to is destroyed.
            return Ok(ShareReceipt { steward: seat, commitment: package.commitment });
        }
        let header = self.check_header(&package.header, id, package.consent_version)?;
        let deal = self.check_deal(mirror, &package.deal)?;
        let seats = mirror.latest.seats.len();
        if package.shares.len() != seats || package.secrets.len() != seats {
            let detail =
                format!("{} shares and {} secrets for {seats} stewards", package.shares.len(), package.secrets.len());
            return Err(
                Problem::new(ProblemCode::BadRequest, detail).hint("one of each for each steward, in seat order")
            );
        }
        let context = ShareContext::of(&header, seat);
        let secret = ours(of_seat(&package.secrets, seat, "secrets")?, seat)?;
        let part = sealing::open_private_part(&self.keys.sealing, &context.private_part(), &secret)
            .map_err(|error| broken("secrets", error))?;
        let shares: Vec<&Bytes> = package.shares.iter().map(|sealed| &sealed.sealed).collect();
        let shares_hash = commit::sealed_shares(&shares);
        let hash = header.hash();
        let commitment =
            commit::contribution(hash, package.blob_digest, deal.hash(), shares_hash, part.dataset(), part.blinder());
        if commitment != package.commitment {
            return Err(Problem::new(
                ProblemCode::SealBroken,
                "the commitment is not that of header, blob, deal, shares, dataset and blinder as sent",
            )
            .hint("send the package exactly as it was signed"));
        }
        let share =
            sealing::open_share(&self.keys.sealing, &context, &ours(of_seat(&package.shares, seat, "shares")?, seat)?)
                .map_err(|error| broken("shares", error))?;
        deal.verify(&share).map_err(|error| broken("shares", error))?;
        let key = self.keys.member_or_new(&self.store, id).await?;
        let wrapped_share = key.wrap_share(hash, &share, &mut rand::rng());
        let row = ContributionRow {
            commitment,
            member: id,
            header: package.header.to_vec(),
            blob_digest: package.blob_digest,
            seats: deal.seats,
            points: deal.points,
            shares_hash,
            wrapped: key.wrap(Item::PrivatePart(hash), part.to_bytes().as_slice(), &mut rand::rng()),
        };
        if !self.store.put_contribution(&row, Some((mirror.latest.generation, wrapped_share.as_slice()))).await? {
            return Err(Problem::new(ProblemCode::Erased, format!("member {id} erased everything")));
        }
        Ok(ShareReceipt { steward: seat, commitment })
    }

    async fn holds_share(&self, member: MemberId, commitment: B256) -> Result<bool, Problem> {
        let kept = self.store.contribution(commitment).await?;
        Ok(kept.is_some_and(|row| row.member == member) && self.store.first_share(commitment).await?.is_some())
    }

    /// Keeps a contribution that a peer holds, without any share.
    ///
    /// # Errors
    /// Where it is not what the chain committed to.
    pub async fn keep_contribution(
        &self,
        mirror: &Mirror,
        on_chain: &Contribution,
        from: &CatchUpContribution,
    ) -> Result<(), Problem> {
        // Also of who left: what was contributed before may still have to be settled.
        let member = known(mirror, on_chain.member)?;
        if member.erased.is_some() {
            return Err(Problem::new(ProblemCode::Erased, format!("member {} erased everything", on_chain.member)));
        }
        let header = self.check_header(&from.header, on_chain.member, on_chain.consent_version)?;
        let hash = header.hash();
        let ContributionSecret { dataset, blinder } = from.secret;
        let committed = |deal: &Commitments| {
            let commitment =
                commit::contribution(hash, from.blob_digest, deal.hash(), from.shares_hash, dataset, blinder);
            commitment == on_chain.commitment
        };
        let deal = deals_to_any(mirror, &from.deal).find(committed).ok_or_else(|| {
            let detail = format!("contribution {} as caught up is not the one committed on chain", on_chain.id);
            Problem::new(ProblemCode::SealBroken, detail)
        })?;
        let key = self.keys.member_or_new(&self.store, on_chain.member).await?;
        let part = PrivatePart::new(dataset, blinder);
        let row = ContributionRow {
            commitment: on_chain.commitment,
            member: on_chain.member,
            header: from.header.to_vec(),
            blob_digest: from.blob_digest,
            seats: deal.seats,
            points: deal.points,
            shares_hash: from.shares_hash,
            wrapped: key.wrap(Item::PrivatePart(hash), part.to_bytes().as_slice(), &mut rand::rng()),
        };
        self.store.put_contribution(&row, None).await?;
        Ok(())
    }

    fn check_header(&self, bytes: &[u8], member: MemberId, consent_version: u32) -> Result<Header, Problem> {
        let header = Header::from_bytes(bytes).map_err(|error| broken("header", error))?;
        if header.to_bytes().as_slice() != bytes {
            return Err(broken("header", format!("{} bytes follow it", bytes.len() - header.to_bytes().len())));
        }
        let expected = Context {
            chain_id: self.manifest.chain_id,
            registry: self.manifest.addresses.contribution_registry,
            member,
            consent_version,
        };
        header.expect(&expected).map_err(|error| broken("header", error))?;
        Ok(header)
    }

    fn check_deal(&self, mirror: &Mirror, points: &[B256]) -> Result<Commitments, Problem> {
        let seats = u8::try_from(mirror.latest.seats.len()).map_err(internal)?;
        let deal = Commitments { seats, points: points.to_vec() };
        deal.expect(mirror.latest.quorum, seats).map_err(|error| broken("deal", error))?;
        Ok(deal)
    }
}

/// A deal as it reads for each committee that was ever seated: a record may have been dealt to any of them, and the chain's commitment says
/// to how many seats.
fn deals_to_any(mirror: &Mirror, points: &[B256]) -> impl Iterator<Item = Commitments> {
    let alike = mirror.latest.committees.iter().filter(|committee| usize::from(committee.quorum) == points.len());
    let sizes: BTreeSet<u8> = alike.filter_map(|committee| u8::try_from(committee.signers.len()).ok()).collect();
    sizes.into_iter().map(move |seats| Commitments { seats, points: points.to_vec() })
}

/// The header and its member's own deal of a contribution that is kept.
///
/// # Errors
/// Where the database is damaged.
pub fn kept(row: &ContributionRow) -> Result<(Header, Commitments), Problem> {
    let header = Header::from_bytes(&row.header).map_err(internal)?;
    Ok((header, Commitments { seats: row.seats, points: row.points.clone() }))
}
