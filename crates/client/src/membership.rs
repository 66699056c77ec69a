//! Joining, leaving, and where the money goes.

use alloy_primitives::{Address, B256, Bytes};
use alloy_signer_local::PrivateKeySigner;
use rand::CryptoRng;
use rochdale_api::member::{
    Application, JoinRequest, KeyOfferRequest, KeyReceipt, KeyReceipts, LeaveRequest, PayoutRequest, SealedTo,
};
use rochdale_api::settlement::DemandRequest;
use rochdale_core::commit;
use rochdale_core::ids::{Epoch, MemberId};
use rochdale_core::ledger::{DemandKind, holders_needed};
use rochdale_crypto::RowKey;
use rochdale_crypto::sealing::{RowKeyContext, seal_row_key};
use rochdale_eip712 as eip712;

use crate::{ClientError, Result, Site, Stamp, Unsigned, statement};

/// Who writes what a member signs, without a key.
#[derive(Clone, Copy)]
pub struct Author<'a> {
    /// The cooperative that the statements are for.
    pub site: &'a Site,
    /// The member's id.
    pub id: MemberId,
}

/// A member whose key is at hand.
#[derive(Clone, Copy)]
pub struct Member<'a> {
    /// The cooperative that the statements are for.
    pub site: &'a Site,
    /// The account's key.
    pub key: &'a PrivateKeySigner,
    /// The member's id.
    pub id: MemberId,
}

/// Who is to be admitted, with the row key that its rows are salted with from then on.
pub struct Applicant<'a> {
    /// The cooperative that the statements are for.
    pub site: &'a Site,
    /// The account's address.
    pub account: Address,
    /// One per credential.
    pub nullifier: B256,
    /// Drawn by the member's client.
    pub row_key: &'a RowKey,
}

impl Applicant<'_> {
    /// `keccak256` of the row key, which the admission names.
    #[must_use]
    pub fn row_key_digest(&self) -> B256 {
        commit::row_key(B256::from(*self.row_key.expose()))
    }

    /// The row key for each steward, in seat order.
    ///
    /// # Errors
    /// Where a steward's key is unusable.
    pub fn seal_row_key(&self, rng: &mut impl CryptoRng) -> Result<Vec<SealedTo>> {
        let (chain_id, membership) = (self.site.contracts.chain_id, self.site.contracts.membership);
        self.site.each(|entry, to| {
            let (account, nullifier, index) = (self.account, self.nullifier, entry.steward);
            let context = RowKeyContext { chain_id, membership, account, nullifier, index };
            Ok(seal_row_key(to, &context, self.row_key, rng)?)
        })
    }
}

/// Whether the account itself asks, by `now`, to be admitted with this row key. That the sealed copies hold it the stewards check.
///
/// # Errors
/// Where somebody else signed, what was signed was changed, or the time is over.
pub fn check_application(site: &Site, asked: &Application, now: u64) -> Result<()> {
    if asked.deadline < now {
        return Err(ClientError::Other(format!(
            "the application of {} held until {}, block time is {now}: the member applies again",
            asked.account, asked.deadline
        )));
    }
    let domain = site.contracts.membership_domain();
    eip712::verify(&statement::application(asked), &domain, &asked.signature, asked.account).map_err(|_| {
        ClientError::Other(format!(
            "the application is not what {} signed for this cooperative: account, row key, nullifier or deadline was changed on the way, \
             or it is for another one. Nobody is admitted by it; the member applies again",
            asked.account
        ))
    })?;
    Ok(())
}

fn signed(unsigned: Application, key: &PrivateKeySigner, site: &Site) -> Result<Application> {
    let signature = eip712::sign(key, &statement::application(&unsigned), &site.contracts.membership_domain())?;
    Ok(Application { signature, ..unsigned })
}

impl Applicant<'_> {
    /// Applies to the registrar: `key` is the account's.
    ///
    /// # Errors
    /// Where a steward's key is unusable, or the account's refuses to sign.
    pub fn apply(&self, key: &PrivateKeySigner, deadline: u64, rng: &mut impl CryptoRng) -> Result<Application> {
        let (account, nullifier, row_key_digest) = (self.account, self.nullifier, self.row_key_digest());
        let row_keys = self.seal_row_key(rng)?;
        let unsigned = Application { account, nullifier, row_key_digest, deadline, signature: Bytes::new(), row_keys };
        signed(unsigned, key, self.site)
    }
}

/// The registrar's first part: it asks the stewards to keep the row key of whom it means to admit.
///
/// # Errors
/// Where the key refuses to sign.
pub fn offer(
    applicant: &Applicant<'_>,
    registrar: &PrivateKeySigner,
    row_keys: Vec<SealedTo>,
    deadline: u64,
) -> Result<KeyOfferRequest> {
    let (account, nullifier, row_key_digest) = (applicant.account, applicant.nullifier, applicant.row_key_digest());
    let offer = statement::key_offer(account, nullifier, row_key_digest, deadline);
    let registrar_signature = eip712::sign(registrar, &offer, &applicant.site.contracts.membership_domain())?;
    Ok(KeyOfferRequest { account, nullifier, row_key_digest, deadline, registrar_signature, row_keys })
}

/// The registrar's second part: the admission, after so many stewards gave their word for the row key that every quorum has
/// one of them. A key that nobody holds would make its member's row one that no contest hides.
///
/// # Errors
/// [`ClientError::TooFewHolders`].
pub fn admit(
    site: &Site,
    registrar: &PrivateKeySigner,
    offered: KeyOfferRequest,
    answer: &KeyReceipts,
) -> Result<JoinRequest> {
    let KeyOfferRequest { account, nullifier, row_key_digest, deadline, row_keys, .. } = offered;
    let held = eip712::KeyHeld { account, nullifier, rowKeyDigest: row_key_digest };
    let (holders, seats) = (holders(site, &held, &answer.receipts), site.seats()?);
    let needed = holders_needed(seats, site.quorum);
    if holders < usize::from(needed) {
        return Err(ClientError::TooFewHolders { holders, needed, seats, missing: answer.missing.clone() });
    }
    let (payout, registrar_signature) = (account, Bytes::new());
    let mut request =
        JoinRequest { account, payout, nullifier, row_key_digest, deadline, registrar_signature, row_keys };
    let domain = site.contracts.membership_domain();
    request.registrar_signature = eip712::sign(registrar, &statement::admission(&request), &domain)?;
    Ok(request)
}

/// How many stewards signed that they hold the key: each seat counts once, and by its own signature.
fn holders(site: &Site, held: &eip712::KeyHeld, receipts: &[KeyReceipt]) -> usize {
    let domain = site.contracts.committee_domain();
    let holds = |entry: &&rochdale_api::status::StewardEntry| {
        let mut theirs = receipts.iter().filter(|receipt| receipt.steward == entry.steward);
        theirs.any(|receipt| eip712::verify(held, &domain, &receipt.signature, entry.address).is_ok())
    };
    site.stewards.iter().filter(holds).count()
}

impl Author<'_> {
    /// Ends the membership. What was earned stays claimable.
    pub fn leave(&self, stamp: Stamp) -> Unsigned<LeaveRequest> {
        let Stamp { nonce, deadline } = stamp;
        let request = LeaveRequest { member_id: self.id, nonce, deadline, signature: Bytes::new() };
        let said = statement::leave(&request);
        Unsigned::of(request, &said, &self.site.contracts.membership_domain())
    }

    /// Has what the member earned paid to `payout` from now on.
    pub fn pay_to(&self, payout: Address, stamp: Stamp) -> Unsigned<PayoutRequest> {
        let Stamp { nonce, deadline } = stamp;
        let request = PayoutRequest { member_id: self.id, payout, nonce, deadline, signature: Bytes::new() };
        let said = statement::payout(&request);
        Unsigned::of(request, &said, &self.site.contracts.membership_domain())
    }

    /// Demands what opens the member's row in the pending tree of this epoch and attempt.
    pub fn demand(&self, epoch: Epoch, attempt: u32, kind: DemandKind, deadline: u64) -> Unsigned<DemandRequest> {
        let (member_id, signature) = (self.id, Bytes::new());
        let request = DemandRequest { member_id, epoch, attempt, kind, deadline, signature };
        let said = statement::demand(&request);
        Unsigned::of(request, &said, &self.site.contracts.disputes_domain())
    }
}

impl<'a> Member<'a> {
    /// The same member without its key.
    #[must_use]
    pub fn author(&self) -> Author<'a> {
        Author { site: self.site, id: self.id }
    }

    /// As [`Author::leave`].
    ///
    /// # Errors
    /// Where the key refuses to sign.
    pub fn leave(&self, stamp: Stamp) -> Result<LeaveRequest> {
        self.author().leave(stamp).signed_by(self.key)
    }

    /// As [`Author::pay_to`].
    ///
    /// # Errors
    /// Where the key refuses to sign.
    pub fn pay_to(&self, payout: Address, stamp: Stamp) -> Result<PayoutRequest> {
        self.author().pay_to(payout, stamp).signed_by(self.key)
    }

    /// As [`Author::demand`].
    ///
    /// # Errors
    /// Where the key refuses to sign.
    pub fn demand(&self, epoch: Epoch, attempt: u32, kind: DemandKind, deadline: u64) -> Result<DemandRequest> {
        self.author().demand(epoch, attempt, kind, deadline).signed_by(self.key)
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use rochdale_api::status::StewardEntry;
    use rochdale_core::ids::StewardId;

    #[test]
    fn an_application_is_its_accounts_own_or_nobody_is_admitted_by_it() {
        let site = site(&[PrivateKeySigner::random()]);
        let (key, row_key) = (PrivateKeySigner::random(), RowKey::from_bytes([7; 32]));
        let applicant =
            Applicant { site: &site, account: key.address(), nullifier: B256::repeat_byte(2), row_key: &row_key };
        let unsigned = Application {
            account: applicant.account,
            nullifier: applicant.nullifier,
            row_key_digest: applicant.row_key_digest(),
            deadline: 100,
            signature: Bytes::new(),
            row_keys: Vec::new(),
        };
        let signed = |key: &PrivateKeySigner| signed(unsigned.clone(), key, &site).unwrap();
        let check = |asked: &Application, now| check_application(&site, asked, now);
        check(&signed(&key), 100).unwrap();
        assert!(check(&signed(&key), 101).unwrap_err().to_string().contains("applies again"));
        let others = B256::repeat_byte(3);
        for changed in [
            Application { row_key_digest: others, ..signed(&key) },
            Application { nullifier: others, ..signed(&key) },
            Application { deadline: 101, ..signed(&key) },
            Application { account: Address::repeat_byte(3), ..signed(&key) },
            signed(&PrivateKeySigner::random()),
        ] {
            let refused = check(&changed, 100).unwrap_err().to_string();
            assert!(refused.contains("is not what"), "{refused}");
        }
        let contracts = eip712::Contracts { membership: Address::repeat_byte(8), ..site.contracts };
        let other = Site { contracts, ..site.clone() };
        assert!(check_application(&other, &signed(&key), 100).is_err(), "another cooperative");
    }

    fn site(keys: &[PrivateKeySigner]) -> Site {
        let entry = |(key, seat): (&PrivateKeySigner, u8)| StewardEntry {
            steward: StewardId(seat),
            address: key.address(),
            sealing_key: B256::ZERO,
            url: String::new(),
            up: true,
        };
        let stewards: Vec<StewardEntry> = keys.iter().zip(1..).map(entry).collect();
        let nowhere = Address::repeat_byte(9);
        let contracts = eip712::Contracts {
            chain_id: 31_337,
            membership: nowhere,
            consent_registry: nowhere,
            contribution_registry: nowhere,
            steward_committee: nowhere,
            settlement_ledger: nowhere,
            disputes: nowhere,
        };
        Site { contracts, stewards, quorum: 2 }
    }

    #[test]
    fn a_seat_holds_a_key_once_and_by_its_own_word_for_that_key() {
        let keys: Vec<PrivateKeySigner> = (0..3).map(|_| PrivateKeySigner::random()).collect();
        let site = site(&keys);
        let domain = site.contracts.committee_domain();
        let held = |byte| eip712::KeyHeld {
            account: Address::repeat_byte(1),
            nullifier: B256::repeat_byte(2),
            rowKeyDigest: B256::repeat_byte(byte),
        };
        let receipt = |seat: u8, key: &PrivateKeySigner, byte| KeyReceipt {
            steward: StewardId(seat),
            signature: eip712::sign(key, &held(byte), &domain).unwrap(),
        };
        let count = |receipts: &[KeyReceipt]| holders(&site, &held(3), receipts);
        assert_eq!(count(&[receipt(1, &keys[0], 3), receipt(1, &keys[0], 3)]), 1, "one seat");
        assert_eq!(count(&[receipt(1, &keys[0], 3), receipt(2, &keys[0], 3)]), 1, "one signer");
        assert_eq!(count(&[receipt(1, &keys[0], 3), receipt(3, &keys[2], 4)]), 1, "another key");
        assert_eq!(count(&[receipt(1, &keys[0], 3), receipt(3, &keys[2], 3)]), 2);
    }
}
