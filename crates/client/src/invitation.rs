//! Joining by an invitation: a code that the registrar made and gave to one person.
//!
//! Who knows the code proves it by a MAC over the very statement that an account signs where it exists already
//! ([`crate::membership`]): account, nullifier, row key, deadline. So a passkey's account is admitted before it is created, and whoever
//! carries the application can put neither another account nor another row key in. The code itself is sent to nobody.

use alloy_primitives::{Address, B256, keccak256};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::CryptoRng;
use rochdale_api::member::InvitedApplication;
use rochdale_crypto::RowKey;
use rochdale_eip712 as eip712;
use sha2::Sha256;

use crate::code::Code;
use crate::membership::Applicant;
use crate::{ClientError, Result, Site};

/// Names the invitation and does not tell its code.
#[must_use]
pub fn id(code: &Code) -> B256 {
    derived("rochdale invitation id", code)
}

/// The admission's nullifier: one membership an invitation, by the contract too.
#[must_use]
pub fn nullifier(code: &Code) -> B256 {
    derived("rochdale invitation nullifier", code)
}

fn derived(label: &str, code: &Code) -> B256 {
    keccak256([label.as_bytes(), code.expose().as_bytes()].concat())
}

/// Who was invited, with the account that is to be admitted.
pub struct Invited<'a> {
    /// The cooperative that the invitation is for.
    pub site: &'a Site,
    /// What was given to the invited person.
    pub code: &'a Code,
    /// The account's address. It need not exist yet.
    pub account: Address,
    /// Drawn by the member's client.
    pub row_key: &'a RowKey,
}

impl Invited<'_> {
    /// Applies to the registrar, until `deadline` in Unix seconds of block time.
    ///
    /// # Errors
    /// Where a steward's key is unusable.
    pub fn apply(&self, deadline: u64, rng: &mut impl CryptoRng) -> Result<InvitedApplication> {
        let Self { site, code, account, row_key } = *self;
        let applicant = Applicant { site, account, nullifier: nullifier(code), row_key };
        let (row_key_digest, row_keys) = (applicant.row_key_digest(), applicant.seal_row_key(rng)?);
        let unproven =
            InvitedApplication { invitation: id(code), account, row_key_digest, deadline, mac: B256::ZERO, row_keys };
        Ok(InvitedApplication { mac: mac(site, code, &unproven), ..unproven })
    }
}

/// Whether who knows the code asks that this account be admitted with this row key. That the sealed copies hold it the stewards check.
///
/// # Errors
/// Where the code is another one, or what was proven was changed.
pub fn check(site: &Site, code: &Code, asked: &InvitedApplication) -> Result<()> {
    if tag(site, code, asked).verify_slice(asked.mac.as_slice()).is_err() {
        return Err(ClientError::Other(format!(
            "the application of {} was not made with this invitation's code, or account, row key or deadline was changed on the way. \
             Nobody is admitted by it, and the invitation stays good; apply again",
            asked.account
        )));
    }
    Ok(())
}

/// Whether the application still holds at `now`, in Unix seconds of block time.
///
/// # Errors
/// Where it does not.
pub fn check_time(asked: &InvitedApplication, now: u64) -> Result<()> {
    if asked.deadline < now {
        return Err(ClientError::Other(format!(
            "the application of {} held until {}, block time is {now}: apply again",
            asked.account, asked.deadline
        )));
    }
    Ok(())
}

/// What proves that its maker knows the code.
#[must_use]
pub fn mac(site: &Site, code: &Code, asked: &InvitedApplication) -> B256 {
    B256::from_slice(&tag(site, code, asked).finalize().into_bytes())
}

fn tag(site: &Site, code: &Code, asked: &InvitedApplication) -> Hmac<Sha256> {
    let statement = crate::statement::invited(asked, nullifier(code));
    let digest = eip712::digest(&statement, &site.contracts.membership_domain());
    Hmac::<Sha256>::new_from_slice(code.expose().as_bytes())
        .expect("HMAC takes a key of any length")
        .chain_update(digest)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::b256;

    use super::*;

    const CODE: &str = "0123456789ABCDEFGHJKMNPQRS";

    fn code(text: &str) -> Code {
        Code::read(text).unwrap()
    }

    fn site(membership: u8) -> Site {
        let nowhere = Address::repeat_byte(9);
        let contracts = eip712::Contracts {
            chain_id: 31_337,
            membership: Address::repeat_byte(membership),
            consent_registry: nowhere,
            contribution_registry: nowhere,
            steward_committee: nowhere,
            settlement_ledger: nowhere,
            disputes: nowhere,
        };
        Site { contracts, stewards: Vec::new(), quorum: 2 }
    }

    fn applied(site: &Site, code: &Code) -> InvitedApplication {
        let row_key = RowKey::from_bytes([7; 32]);
        let invited = Invited { site, code, account: Address::repeat_byte(1), row_key: &row_key };
        invited.apply(100, &mut rand::rng()).unwrap()
    }

    #[test]
    fn an_application_is_of_who_knows_the_code_or_nobody_is_admitted_by_it() {
        let (here, known) = (site(8), code(CODE));
        let good = applied(&here, &known);
        check(&here, &known, &good).unwrap();
        check_time(&good, 100).unwrap();
        assert!(check_time(&good, 101).unwrap_err().to_string().contains("apply again"));
        let mut flipped = good.mac;
        flipped[31] ^= 1;
        for changed in [
            InvitedApplication { account: Address::repeat_byte(2), ..good.clone() },
            InvitedApplication { row_key_digest: B256::repeat_byte(2), ..good.clone() },
            InvitedApplication { deadline: 101, ..good.clone() },
            InvitedApplication { mac: flipped, ..good.clone() },
            applied(&site(7), &known),
            applied(&here, &code(&CODE.replace('S', "T"))),
        ] {
            let refused = check(&here, &known, &changed).unwrap_err().to_string();
            assert!(refused.contains("was not made with this invitation's code"), "{refused}");
        }
    }

    #[test]
    fn names_and_proofs_stay_what_they_are() {
        let known = code(CODE);
        assert_ne!(id(&known), nullifier(&known));
        assert_eq!(id(&known), keccak256(b"rochdale invitation id0123456789ABCDEFGHJKMNPQRS"));
        assert_eq!(nullifier(&known), keccak256(b"rochdale invitation nullifier0123456789ABCDEFGHJKMNPQRS"));
        // Computed with Python's hmac module over the digest that `eip712` makes.
        let good = applied(&site(8), &known);
        let statement = crate::statement::invited(&good, nullifier(&known));
        let digest = eip712::digest(&statement, &site(8).contracts.membership_domain());
        assert_eq!(digest, b256!("85732fb20db7affe4980382424a71a553fbac2ceb6baefd0abcf4c7ab251e9ca"));
        assert_eq!(good.mac, b256!("11d3d771518df232125fcefb69ee303c9e7bb930d672870964a142f1c0135e23"));
    }
}
