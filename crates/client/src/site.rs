//! The cooperative, as far as one must know it to sign and to seal.

use alloy_primitives::Address;
use alloy_sol_types::Eip712Domain;
use rochdale_api::member::SealedTo;
use rochdale_api::status::StewardEntry;
use rochdale_crypto::{Sealed, SealingPublicKey};
use rochdale_eip712 as eip712;

use crate::{ClientError, Result};

/// The contracts whose names stand in what is signed and sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contracts {
    /// Admissions, row keys, leaving.
    pub membership: Address,
    /// Consents.
    pub consent_registry: Address,
    /// Contributions and their envelopes.
    pub contribution_registry: Address,
    /// Orders, answers, stewards' words.
    pub steward_committee: Address,
    /// Rows.
    pub settlement_ledger: Address,
    /// Demands and contests.
    pub disputes: Address,
}

/// A cooperative with its committee as it is now: sealing keys are replaced each epoch.
#[derive(Clone, Debug)]
pub struct Site {
    /// The chain.
    pub chain_id: u64,
    /// Where the contracts are.
    pub contracts: Contracts,
    /// The committee by seat.
    pub stewards: Vec<StewardEntry>,
    /// How many stewards open a record or bind the committee.
    pub quorum: u8,
}

/// What makes a statement count once and for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The number that the contract expects of the signer.
    pub nonce: u64,
    /// Unix seconds of block time.
    pub deadline: u64,
}

impl Site {
    /// The domain of admissions, key offers and leaving.
    #[must_use]
    pub fn membership_domain(&self) -> Eip712Domain {
        eip712::domain("Membership", self.chain_id, self.contracts.membership)
    }

    /// The domain of grants, revocations and erasures.
    #[must_use]
    pub fn consent_domain(&self) -> Eip712Domain {
        eip712::domain("ConsentRegistry", self.chain_id, self.contracts.consent_registry)
    }

    /// The domain of contributions.
    #[must_use]
    pub fn contribution_domain(&self) -> Eip712Domain {
        eip712::domain("ContributionRegistry", self.chain_id, self.contracts.contribution_registry)
    }

    /// The domain of orders and of stewards' words.
    #[must_use]
    pub fn committee_domain(&self) -> Eip712Domain {
        eip712::domain("StewardCommittee", self.chain_id, self.contracts.steward_committee)
    }

    /// The domain of demands and contests.
    #[must_use]
    pub fn disputes_domain(&self) -> Eip712Domain {
        eip712::domain("Disputes", self.chain_id, self.contracts.disputes)
    }

    /// How many stewards there are.
    ///
    /// # Errors
    /// [`ClientError::Seats`].
    pub fn seats(&self) -> Result<u8> {
        u8::try_from(self.stewards.len()).map_err(|_| ClientError::Seats(self.stewards.len()))
    }

    /// Seals one thing for each steward, in seat order.
    pub(crate) fn each(
        &self,
        mut seal: impl FnMut(&StewardEntry, &SealingPublicKey) -> Result<Sealed>,
    ) -> Result<Vec<SealedTo>> {
        let to = |entry: &StewardEntry| {
            let sealed = seal(entry, &SealingPublicKey(entry.sealing_key))?.0;
            Ok(SealedTo { steward: entry.steward, sealed })
        };
        self.stewards.iter().map(to).collect()
    }
}
