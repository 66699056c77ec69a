//! Consent, its withdrawal, erasure, and what stewards say of it.

use alloy_primitives::{Bytes, U256};
use alloy_sol_types::SolStruct;
use rand::CryptoRng;
use rochdale_api::member::{DenyRequest, ErasureAttestation, GrantRequest};
use rochdale_api::status::StewardEntry;
use rochdale_core::commit;
use rochdale_core::consent::Receipt;
use rochdale_core::ids::MemberId;
use rochdale_crypto::random_blinder;
use rochdale_crypto::sealing::{ConsentContext, ConsentPart, seal_consent};
use rochdale_eip712 as eip712;

use crate::{Author, ClientError, Member, Result, Site, Stamp, Unsigned, statement};

impl Author<'_> {
    /// Gives the consent that `receipt` describes. The chain sees a blinded digest; each steward gets the receipt.
    ///
    /// # Errors
    /// Where the receipt has no canonical form or a steward's key is unusable.
    pub fn grant(&self, receipt: &Receipt, stamp: Stamp, rng: &mut impl CryptoRng) -> Result<Unsigned<GrantRequest>> {
        let (expiry, blinder) = (receipt.event.expiry, random_blinder(rng));
        let part = ConsentPart::new(commit::canonical_json(receipt)?, blinder);
        let receipts = self.site.each(|entry, to| {
            let context = ConsentContext {
                chain_id: self.site.contracts.chain_id,
                registry: self.site.contracts.consent_registry,
                member: self.id,
                consent_version: receipt.version,
                index: entry.steward,
            };
            Ok(seal_consent(to, &context, &part, rng)?)
        })?;
        let request = GrantRequest {
            member_id: self.id,
            version: receipt.version,
            receipt_commitment: commit::consent(receipt.digest()?, blinder),
            expiry,
            nonce: stamp.nonce,
            deadline: stamp.deadline,
            signature: Bytes::new(),
            receipts,
        };
        let said = statement::grant(&request);
        Ok(Unsigned::of(request, &said, &self.site.contracts.consent_domain()))
    }

    /// Withdraws the consent: nothing is released any more.
    pub fn revoke(&self, stamp: Stamp) -> Unsigned<DenyRequest> {
        self.deny(stamp, statement::revoke)
    }

    /// Has everything erased and ends the membership. What was earned stays claimable.
    pub fn erase(&self, stamp: Stamp) -> Unsigned<DenyRequest> {
        self.deny(stamp, statement::erase)
    }

    fn deny<S: SolStruct>(&self, stamp: Stamp, statement: impl Fn(&DenyRequest) -> S) -> Unsigned<DenyRequest> {
        let Stamp { nonce, deadline } = stamp;
        let request = DenyRequest { member_id: self.id, nonce, deadline, signature: Bytes::new() };
        let said = statement(&request);
        Unsigned::of(request, &said, &self.site.contracts.consent_domain())
    }
}

impl Member<'_> {
    /// As [`Author::grant`].
    ///
    /// # Errors
    /// Where the receipt has no canonical form, a steward's key is unusable, or the member's refuses to sign.
    pub fn grant(&self, receipt: &Receipt, stamp: Stamp, rng: &mut impl CryptoRng) -> Result<GrantRequest> {
        self.author().grant(receipt, stamp, rng)?.signed_by(self.key)
    }

    /// As [`Author::revoke`].
    ///
    /// # Errors
    /// Where the key refuses to sign.
    pub fn revoke(&self, stamp: Stamp) -> Result<DenyRequest> {
        self.author().revoke(stamp).signed_by(self.key)
    }

    /// As [`Author::erase`].
    ///
    /// # Errors
    /// Where the key refuses to sign.
    pub fn erase(&self, stamp: Stamp) -> Result<DenyRequest> {
        self.author().erase(stamp).signed_by(self.key)
    }
}

impl Site {
    /// Checks a steward's word that it destroyed what it held of a member. A false word is its signature under what the
    /// member house may slash.
    ///
    /// # Errors
    /// Where the word is another's or of another member.
    pub fn check_erasure(&self, entry: &StewardEntry, member: MemberId, word: &ErasureAttestation) -> Result<()> {
        if (word.member_id, word.steward) != (member, entry.steward) {
            return Err(ClientError::Other("the word is of another member or steward".to_owned()));
        }
        let domain = self.contracts.committee_domain();
        let receipt = eip712::ErasureReceipt { memberId: member.0, shares: word.shares, at: U256::from(word.at) };
        eip712::verify(&receipt, &domain, &word.signature, entry.address)?;
        if let Some(complete) = &word.complete {
            let statement = eip712::ErasureComplete { memberId: member.0, at: U256::from(complete.at) };
            eip712::verify(&statement, &domain, &complete.signature, entry.address)?;
        }
        Ok(())
    }

    /// How many stewards must have destroyed their shares so that nobody can open a record.
    #[must_use]
    pub fn deletions_needed(&self) -> usize {
        self.stewards.len() + 1 - usize::from(self.quorum)
    }
}
