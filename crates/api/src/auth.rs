//! Signed requests: every call that is not public carries an EIP-712 `Request` by a key that the chain knows.
//!
//! The signature binds the receiving process, the method, the path with its query, the body, a nonce and a deadline
//! in protocol time (block time). A receiver accepts a nonce once until its deadline.

use alloy_primitives::{Address, B256, Bytes, Signature, U256, keccak256};
use alloy_sol_types::{Eip712Domain, SolStruct, eip712_domain, sol};
use core::fmt;

/// Header that names the signing address.
pub const SIGNER: &str = "rochdale-signer";
/// Header with the request's nonce: 32 bytes in hexadecimal.
pub const NONCE: &str = "rochdale-nonce";
/// Header with the deadline: seconds of block time.
pub const DEADLINE: &str = "rochdale-deadline";
/// Header with the signature: 65 bytes in hexadecimal.
pub const SIGNATURE: &str = "rochdale-signature";
/// Header with a member's word that the signing key reads for it: `account;until;signature`, the signature in hexadecimal.
pub const SESSION: &str = "rochdale-session";
/// Header of an answer with the answering process's signature over [`answer_digest`]: 65 bytes in hexadecimal.
pub const ANSWER_SIGNATURE: &str = "rochdale-answer-signature";
/// Content type of a sealed body, request or answer.
pub const SEALED: &str = "application/vnd.rochdale.sealed";
/// How long a session may last: a day of block time.
pub const MAX_SESSION: u64 = 86_400;
/// How long a request may stay valid: one hour of block time. Receivers refuse later deadlines, so that
/// their memory of nonces stays bounded.
pub const MAX_LIFETIME: u64 = 3_600;

sol! {
    /// What a caller signs for one HTTP request.
    #[derive(Debug, PartialEq, Eq)]
    struct Request {
        address audience;
        string method;
        string path;
        bytes32 bodyHash;
        uint256 nonce;
        uint256 deadline;
    }

    /// What an account signs so that a key may read what is the account's own, until a time in Unix seconds of block time.
    #[derive(Debug, PartialEq, Eq)]
    struct ReadingKey {
        address key;
        uint64 until;
    }

    /// What the answering process signs: to which request, with which status and bytes.
    #[derive(Debug, PartialEq, Eq)]
    struct Answer {
        bytes32 requestHash;
        uint16 status;
        bytes32 bodyHash;
    }
}

/// The EIP-712 digest of an answer to the request of this digest.
#[must_use]
pub fn answer_digest(domain: &Eip712Domain, request: B256, status: u16, body: &[u8]) -> B256 {
    Answer { requestHash: request, status, bodyHash: keccak256(body) }.eip712_signing_hash(domain)
}

/// Who signs, in which cooperative.
#[cfg(any(feature = "client", feature = "server"))]
#[derive(Clone)]
pub struct Identity {
    /// The process's or person's key.
    pub key: alloy::signers::local::PrivateKeySigner,
    /// [`domain`] of the cooperative.
    pub domain: Eip712Domain,
}

/// The signing domain of requests: the cooperative is named by its chain and its `StewardCommittee`.
#[must_use]
pub fn domain(chain_id: u64, committee: Address) -> Eip712Domain {
    eip712_domain! {
        name: "Rochdale",
        version: "1",
        chain_id: chain_id,
        verifying_contract: committee,
    }
}

/// One request, as both ends describe it to sign or verify it.
#[derive(Clone, Copy, Debug)]
pub struct Described<'a> {
    /// The receiving process's address.
    pub audience: Address,
    /// HTTP method in capitals.
    pub method: &'a str,
    /// Path and query, as sent: `/v1/claims?epoch=3`.
    pub path: &'a str,
    /// The body's bytes; empty where there is none.
    pub body: &'a [u8],
    /// Used once until the deadline.
    pub nonce: U256,
    /// Seconds of block time.
    pub deadline: u64,
}

impl Described<'_> {
    /// The EIP-712 digest to sign.
    #[must_use]
    pub fn digest(&self, domain: &Eip712Domain) -> B256 {
        self.digest_over(keccak256(self.body), domain)
    }

    /// The digest with the body's hash given: zero where a refusal was decided before the body was read.
    #[must_use]
    pub fn digest_over(&self, body_hash: B256, domain: &Eip712Domain) -> B256 {
        Request {
            audience: self.audience,
            method: self.method.to_owned(),
            path: self.path.to_owned(),
            bodyHash: body_hash,
            nonce: self.nonce,
            deadline: U256::from(self.deadline),
        }
        .eip712_signing_hash(domain)
    }
}

/// The four headers of a signed request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credentials {
    /// Who claims to have signed.
    pub signer: Address,
    /// The request's nonce.
    pub nonce: U256,
    /// Seconds of block time.
    pub deadline: u64,
    /// Over [`Described::digest`].
    pub signature: Signature,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("signer", &self.signer).finish_non_exhaustive()
    }
}

/// A member's word that a key of its browser reads what is its own: a passkey signs once for many requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose word it is.
    pub account: Address,
    /// Seconds of block time.
    pub until: u64,
    /// The account's (ECDSA or ERC-1271) over [`Self::digest`].
    pub signature: Bytes,
}

impl Session {
    /// The EIP-712 digest that the account signs for `key`.
    #[must_use]
    pub fn digest(domain: &Eip712Domain, key: Address, until: u64) -> B256 {
        ReadingKey { key, until }.eip712_signing_hash(domain)
    }

    /// The header's value.
    #[must_use]
    pub fn to_header(&self) -> String {
        format!("{};{};{}", self.account, self.until, self.signature)
    }

    /// Reads the header through `get`, where there is one.
    ///
    /// # Errors
    /// Where it is malformed.
    pub fn from_headers<'a>(get: impl Fn(&'static str) -> Option<&'a str>) -> Result<Option<Self>, AuthError> {
        let Some(text) = get(SESSION) else { return Ok(None) };
        let read = || {
            let (account, rest) = text.split_once(';')?;
            let (until, signature) = rest.split_once(';')?;
            let (account, until) = (account.parse().ok()?, until.parse().ok()?);
            Some(Self { account, until, signature: signature.parse().ok()? })
        };
        read().map(Some).ok_or(AuthError::Malformed(SESSION, "account;until;signature"))
    }

    /// Checks until when it is; `now` is block time.
    ///
    /// # Errors
    /// Where it is over or too long.
    pub fn in_time(&self, now: u64) -> Result<(), AuthError> {
        if self.until < now || self.until > now.saturating_add(MAX_SESSION) {
            return Err(AuthError::SessionOver { until: self.until, now });
        }
        Ok(())
    }
}

/// Why a request is not taken as its signer's.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AuthError {
    /// A header is absent.
    #[error("header {0} is missing: sign the request (EIP-712 `Request`)")]
    Missing(&'static str),
    /// A header does not parse.
    #[error("header {0} does not parse: expected {1}")]
    Malformed(&'static str, &'static str),
    /// The deadline has passed.
    #[error("the request's deadline {deadline} has passed: block time is {now}; sign it again")]
    Expired {
        /// Seconds of block time.
        deadline: u64,
        /// Seconds of block time at the receiver.
        now: u64,
    },
    /// The deadline is too far in the future.
    #[error("the request's deadline {deadline} lies more than {MAX_LIFETIME} s after block time {now}")]
    TooLong {
        /// Seconds of block time.
        deadline: u64,
        /// Seconds of block time at the receiver.
        now: u64,
    },
    /// The signature is not by the named signer.
    #[error("the signature is not {signer}'s over this request: check key, audience, path and body")]
    WrongSignature {
        /// Who was named.
        signer: Address,
    },
    /// The session is over, or was asked for too long.
    #[error("the session lasts until {until}, block time is {now}, and {MAX_SESSION} s are the most: open another one")]
    SessionOver {
        /// Seconds of block time.
        until: u64,
        /// Seconds of block time at the receiver.
        now: u64,
    },
    /// The nonce was seen.
    #[error("nonce {nonce} of {signer} was used before: sign the request again")]
    Replayed {
        /// The address that signed.
        signer: Address,
        /// The nonce, which its signer uses once.
        nonce: U256,
    },
}

impl Credentials {
    /// Reads the four headers through `get`.
    ///
    /// # Errors
    /// Where a header is missing or malformed.
    pub fn from_headers<'a>(get: impl Fn(&'static str) -> Option<&'a str>) -> Result<Self, AuthError> {
        let text = |name| get(name).ok_or(AuthError::Missing(name));
        let parse = |name, what| move || AuthError::Malformed(name, what);
        Ok(Self {
            signer: text(SIGNER)?.parse().map_err(|_| parse(SIGNER, "an address")())?,
            nonce: text(NONCE)?.parse().map_err(|_| parse(NONCE, "0x and hexadecimal digits")())?,
            deadline: text(DEADLINE)?.parse().map_err(|_| parse(DEADLINE, "seconds as a decimal number")())?,
            signature: text(SIGNATURE)?.parse().map_err(|_| parse(SIGNATURE, "65 bytes in hexadecimal")())?,
        })
    }

    /// Checks the deadline; `now` is block time.
    ///
    /// # Errors
    /// Where it has passed or lies too far ahead.
    pub fn in_time(&self, now: u64) -> Result<(), AuthError> {
        let deadline = self.deadline;
        if deadline < now {
            return Err(AuthError::Expired { deadline, now });
        }
        if deadline > now.saturating_add(MAX_LIFETIME) {
            return Err(AuthError::TooLong { deadline, now });
        }
        Ok(())
    }

    /// Checks deadline and signature; the caller has still to refuse a nonce that it saw before.
    ///
    /// # Errors
    /// Where the deadline has passed or lies too far ahead, or the signature is not the named signer's.
    pub fn verify(&self, domain: &Eip712Domain, request: &Described<'_>, now: u64) -> Result<Address, AuthError> {
        self.in_time(now)?;
        let wrong = AuthError::WrongSignature { signer: self.signer };
        // A second signature with the other `s` must not pass for another request.
        if self.signature.normalize_s().is_some() {
            return Err(wrong);
        }
        match self.signature.recover_address_from_prehash(&request.digest(domain)) {
            Ok(address) if address == self.signer => Ok(address),
            _ => Err(wrong),
        }
    }
}
