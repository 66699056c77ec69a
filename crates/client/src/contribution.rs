//! Contributing a record.

use alloy_primitives::B256;
use rand::CryptoRng;
use rochdale_api::contribution::ContributionPackage;
use rochdale_core::commit;
use rochdale_core::ids::DatasetId;
use rochdale_crypto::envelope::SealedRecord;
use rochdale_crypto::sealing::{PrivatePart, ShareContext, seal_private_part, seal_share};
use rochdale_crypto::sharing::Deal;
use rochdale_crypto::{Context, RecordSecret, envelope, random_blinder, sharing};

use crate::{Author, ClientError, Member, Result, Stamp, Unsigned, statement};

impl Author<'_> {
    /// Seals a record under a fresh key and deals the key to the stewards. Gives the package for the gateway, and the blob for the
    /// vault, which must have it first.
    ///
    /// # Errors
    /// Where the record is too large, or the committee has no quorum of two or more.
    pub fn contribute(
        &self,
        record: &[u8],
        dataset: DatasetId,
        consent_version: u32,
        stamp: Stamp,
        rng: &mut impl CryptoRng,
    ) -> Result<(Unsigned<ContributionPackage>, Vec<u8>)> {
        let secret = RecordSecret::random(rng);
        let context = Context {
            chain_id: self.site.contracts.chain_id,
            registry: self.site.contracts.contribution_registry,
            member: self.id,
            consent_version,
        };
        let sealed = envelope::seal(&secret, &context, record, rng)?;
        let deal = sharing::deal(&secret, self.site.quorum, self.site.seats()?, rng)?;
        let part = PrivatePart::new(dataset, random_blinder(rng));
        let package = self.pack(&sealed, &deal, &part, consent_version, stamp, rng)?;
        Ok((package, sealed.blob))
    }

    /// The second half of [`Self::contribute`]: what is sealed, with its key as it was dealt.
    ///
    /// # Errors
    /// Where the deal is for another committee, or a steward's key is unusable.
    pub fn pack(
        &self,
        sealed: &SealedRecord,
        deal: &Deal,
        part: &PrivatePart,
        consent_version: u32,
        stamp: Stamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Unsigned<ContributionPackage>> {
        let mut dealt = deal.shares.iter();
        let shares = self.site.each(|entry, to| {
            let share = dealt.next().ok_or_else(|| ClientError::Other("fewer shares than stewards".to_owned()))?;
            Ok(seal_share(to, &ShareContext::of(&sealed.header, entry.steward), share, rng)?)
        })?;
        let secrets = self.site.each(|entry, to| {
            let context = ShareContext::of(&sealed.header, entry.steward).private_part();
            Ok(seal_private_part(to, &context, part, rng)?)
        })?;
        let blob_digest = B256::from(*sealed.cid.sha256());
        let sealed_shares: Vec<_> = shares.iter().map(|share| &share.sealed).collect();
        let commitment = commit::contribution(
            sealed.header.hash(),
            blob_digest,
            deal.commitments.hash(),
            commit::sealed_shares(&sealed_shares),
            part.dataset(),
            part.blinder(),
        );
        let package = ContributionPackage {
            member_id: self.id,
            commitment,
            consent_version,
            nonce: stamp.nonce,
            deadline: stamp.deadline,
            signature: alloy_primitives::Bytes::new(),
            header: sealed.header.to_bytes().into(),
            blob_digest,
            deal: deal.commitments.points.clone(),
            shares,
            secrets,
        };
        Ok(self.contribution(package))
    }

    /// A package to be signed again where its deadline has passed: everything else is bound by its commitment.
    pub fn contribution(&self, package: ContributionPackage) -> Unsigned<ContributionPackage> {
        let said = statement::contribution(&package);
        Unsigned::of(package, &said, &self.site.contracts.contribution_domain())
    }
}

impl Member<'_> {
    /// As [`Author::contribute`].
    ///
    /// # Errors
    /// Where the record is too large, the committee has no quorum of two or more, or the key refuses to sign.
    pub fn contribute(
        &self,
        record: &[u8],
        dataset: DatasetId,
        consent_version: u32,
        stamp: Stamp,
        rng: &mut impl CryptoRng,
    ) -> Result<(ContributionPackage, Vec<u8>)> {
        let (package, blob) = self.author().contribute(record, dataset, consent_version, stamp, rng)?;
        Ok((package.signed_by(self.key)?, blob))
    }
}
