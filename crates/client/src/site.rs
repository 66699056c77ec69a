//! The cooperative, as far as one must know it to sign and to seal.

use rochdale_api::member::SealedTo;
use rochdale_api::status::StewardEntry;
use rochdale_crypto::{Sealed, SealingPublicKey};
use rochdale_eip712::Contracts;

use crate::{ClientError, Result};

/// A cooperative with its committee as it is now: sealing keys are replaced each epoch.
#[derive(Clone, Debug)]
pub struct Site {
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
