//! What is to be signed, parted from the signature: a key at hand signs at once, a passkey answers later.

use alloy_primitives::{B256, Bytes};
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::{Eip712Domain, SolStruct};
use rochdale_api::contribution::ContributionPackage;
use rochdale_api::member::{DenyRequest, GrantRequest, LeaveRequest, PayoutRequest};
use rochdale_api::order::QueryRequest;
use rochdale_api::poll::{BallotRequest, PollRequest};
use rochdale_api::settlement::DemandRequest;
use rochdale_eip712 as eip712;

use crate::Result;

/// A request that carries its signer's signature.
pub trait Carries {
    /// Where the signature stands.
    fn signature(&mut self) -> &mut Bytes;
}

macro_rules! carries {
    ($($request:ty),*) => {
        $(impl Carries for $request {
            fn signature(&mut self) -> &mut Bytes {
                &mut self.signature
            }
        })*
    };
}

carries!(
    GrantRequest,
    DenyRequest,
    LeaveRequest,
    PayoutRequest,
    DemandRequest,
    ContributionPackage,
    PollRequest,
    BallotRequest,
    QueryRequest
);

/// A request that lacks its signature, with the EIP-712 digest that is to be signed.
#[derive(Clone, Debug)]
#[must_use]
pub struct Unsigned<R> {
    request: R,
    digest: B256,
}

impl<R: Carries> Unsigned<R> {
    /// `request`, whose signature is over `statement`.
    pub(crate) fn of(request: R, statement: &impl SolStruct, domain: &Eip712Domain) -> Self {
        Self { request, digest: eip712::digest(statement, domain) }
    }

    /// What is signed.
    #[must_use]
    pub fn digest(&self) -> B256 {
        self.digest
    }

    /// The request, its signature empty still.
    #[must_use]
    pub fn request(&self) -> &R {
        &self.request
    }

    /// Signed by a key at hand.
    ///
    /// # Errors
    /// Where the key refuses to sign.
    pub fn signed_by(mut self, key: &PrivateKeySigner) -> Result<R> {
        *self.request.signature() = eip712::sign_digest(key, self.digest)?;
        Ok(self.request)
    }
}
