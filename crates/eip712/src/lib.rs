//! What people and processes sign: EIP-712 structs, the domains that bind them to one chain and one contract, and
//! the two operations on them.
//!
//! The domain's name is the contract's, its version `1`. A contract builds the same digest; the integration tests
//! send one of each. Nothing here needs a chain, a clock or a random generator, so that it runs in a browser too.

use alloy_primitives::{Address, B256, Bytes, Signature, U256};
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::{Eip712Domain, SolStruct};

pub mod account;
mod convert;
pub mod order;
mod typed_data;

mod types {
    #![allow(missing_docs, reason = "the fields are documented where the contracts define them")]

    alloy_sol_types::sol! {
        /// Admission of a member, signed by the registrar; the nullifier is its nonce.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct Admission {
            address account;
            address payout;
            bytes32 nullifier;
            bytes32 rowKeyDigest;
            uint256 deadline;
        }

        /// Somebody asks the registrar to be admitted with the row key of this digest; signed by the account, so that nobody who
        /// carries the application puts another key in. The nullifier is its nonce.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct Application {
            address account;
            bytes32 nullifier;
            bytes32 rowKeyDigest;
            uint256 deadline;
        }

        /// The registrar asks the stewards to keep a row key for an account that it means to admit.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct KeyOffer {
            address account;
            bytes32 nullifier;
            bytes32 rowKeyDigest;
            uint256 deadline;
        }

        /// A steward's statement that it holds the row key of this digest for this account.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct KeyHeld {
            address account;
            bytes32 nullifier;
            bytes32 rowKeyDigest;
        }

        /// A member's consent; `expiry` is Unix seconds, 0 for none.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct ConsentGrant {
            uint32 memberId;
            uint32 version;
            bytes32 receiptCommitment;
            uint64 expiry;
            uint256 nonce;
            uint256 deadline;
        }

        /// A member withdraws consent.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct ConsentRevoke {
            uint32 memberId;
            uint256 nonce;
            uint256 deadline;
        }

        /// A member has everything erased, which ends the membership.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct ConsentErase {
            uint32 memberId;
            uint256 nonce;
            uint256 deadline;
        }

        /// A member ends their membership.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct Leave {
            uint32 memberId;
            uint256 nonce;
            uint256 deadline;
        }

        /// A member, or who was one, is paid elsewhere from now on.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct Payout {
            uint32 memberId;
            address payout;
            uint256 nonce;
            uint256 deadline;
        }

        /// A member demands the path of its row in a pending tree.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct Demand {
            uint32 memberId;
            uint32 epoch;
            uint32 attempt;
            uint8 kind;
            uint256 deadline;
        }

        /// A member has its row in a pending tree replayed.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct Contest {
            uint32 memberId;
            uint32 epoch;
            uint32 attempt;
            uint256 deadline;
        }

        /// The ethics board approves a researcher for a purpose until a time in Unix seconds, by the facts of its protocol; a time that has passed withdraws.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct Approval {
            address researcher;
            uint16 purpose;
            uint64 until;
            string protocol;
            uint256 nonce;
            uint256 deadline;
        }

        /// A program's awarder awards points for an epoch; the nonce tells two equal awards apart.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct Award {
            uint32 programId;
            uint32 memberId;
            uint32 epoch;
            uint128 points;
            uint256 nonce;
        }

        /// A member contributes one record.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct Contribution {
            uint32 memberId;
            bytes32 commitment;
            uint32 consentVersion;
            uint256 nonce;
            uint256 deadline;
        }

        /// A steward's score of one contribution, in basis points.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct Score {
            uint64 contributionId;
            uint16 quality;
            uint16 uniqueness;
            uint16 authenticity;
            uint16 rarity;
            bytes32 rubricHash;
            bytes32 sketch;
        }

        /// A steward's next sealing key, and the one in force that it replaces.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct SealingKey {
            uint32 generation;
            bytes32 sealingKey;
            bytes32 previous;
        }

        /// A steward's word that another one may fetch a sealed record to score it; `blob` is its SHA-256, `deadline` Unix
        /// seconds.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct BlobPermit {
            bytes32 blob;
            address reader;
            uint64 deadline;
        }

        /// A steward's statement that it destroyed what it held of a member; `at` is Unix seconds.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct ErasureReceipt {
            uint32 memberId;
            uint64 shares;
            uint256 at;
        }

        /// A steward's statement that it destroyed the rest of what it held of a member; `at` is Unix seconds.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct ErasureComplete {
            uint32 memberId;
            uint256 at;
        }

        /// A holder's deal of its own share to a committee that was seated later: `source` and `deal` are hashes of Feldman
        /// commitments, `parts` is the hash of what is sealed to each seat.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct ReshareDeal {
            bytes32 contribution;
            uint32 generation;
            bytes32 source;
            uint8 dealer;
            bytes32 deal;
            bytes32 parts;
        }

        /// One of the deals of a `ReshareHeld`, of which `need` make a share; `deal` is the struct hash of its `ReshareDeal`.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct HeldDeal {
            bytes32 source;
            uint8 need;
            uint8 dealer;
            bytes32 deal;
        }

        /// A steward's statement that it holds good parts of these deals of a record.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct ReshareHeld {
            bytes32 contribution;
            uint32 generation;
            HeldDeal[] deals;
        }

        /// The header of a settlement proposal.
        #[derive(Debug, PartialEq, Eq)]
        struct Header {
            uint32 epoch;
            uint32 attempt;
            bytes32 previousRoot;
            bytes32 root;
            bytes32 paramsHash;
            bytes32 inputsRoot;
            bytes32 sheetDigest;
            uint32 sharers;
            uint128 payout;
            uint256 sumUsage;
            uint256 sumData;
            uint256 sumEarly;
            uint256 sumDataAward;
            uint256 sumGovAward;
            uint128 cashAllocated;
            uint128 dataAwarded;
            uint128 dataEarned;
            uint128 govAwarded;
            uint128 govEarned;
        }

        /// ERC-2612, as USDC has it.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct Permit {
            address owner;
            address spender;
            uint256 value;
            uint256 nonce;
            uint256 deadline;
        }

        /// What stewards and worker sign of one computation that was paid ahead.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct ComputeReceipt {
            uint64 jobId;
            uint64 units;
            bytes32 planDigest;
            bytes32 snapshot;
        }

        /// A member asks the members; its struct hash is the poll's id. Times are Unix seconds.
        #[derive(Debug, PartialEq, Eq)]
        struct Poll {
            uint32 author;
            string question;
            string[] options;
            uint64 snapshotBlock;
            uint64 opensAt;
            uint64 closesAt;
            string house;
        }

        /// A member answers a poll by an option's place from 0; the higher sequence replaces.
        #[derive(Debug, PartialEq, Eq)]
        struct Ballot {
            bytes32 pollId;
            uint32 memberId;
            uint16 choice;
            uint32 sequence;
            uint256 deadline;
        }
    }
}

pub use typed_data::typed_data;
pub use types::*;

/// What is signed for a governor; its ballot has the name of a poll's and other fields.
pub mod governor {
    #![allow(missing_docs, reason = "the fields are documented where OpenZeppelin's Governor defines them")]

    alloy_sol_types::sol! {
        /// A vote on a proposal: 0 against, 1 for, 2 abstain.
        #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        struct Ballot {
            uint256 proposalId;
            uint8 support;
            address voter;
            uint256 nonce;
        }

        /// A house's function by which a member's account votes.
        interface House {
            function castVote(uint256 proposalId, uint8 support) external returns (uint256);
        }

        /// GovToken's functions by which who holds GOV has votes of it.
        interface Votes {
            function delegate(address delegatee) external;
            function lock(uint96 amount, uint8 tier) external;
            function unlock(uint256 index) external;
            function sync(address account) external;
        }

        /// What it takes to order a service: the token's allowance, and ServiceDesk's order.
        interface Spending {
            function approve(address spender, uint256 value) external returns (bool);
            function order(uint32 serviceId, bytes32 requestCommitment) external;
        }
    }
}

/// The length of an ECDSA signature with its recovery byte.
const ECDSA_LENGTH: usize = 65;

/// Why a signature counts for nothing.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// The key refused.
    #[error("the key does not sign: {0}")]
    Sign(String),
    /// Not 65 bytes, or no point on the curve.
    #[error("the signature of this {name} is not a valid ECDSA signature of 65 bytes: {detail}")]
    Malformed {
        /// The name of the EIP-712 struct.
        name: &'static str,
        /// What is wrong, in words for a person.
        detail: String,
    },
    /// Another key signed, or another content was signed.
    #[error("this {name} was signed by {actual}, not by {expected}, or for another chain, contract or content")]
    OtherSigner {
        /// The name of the EIP-712 struct.
        name: &'static str,
        /// Who should have signed.
        expected: Address,
        /// Whom the signature recovers to.
        actual: Address,
    },
}

/// The domain of a contract.
#[must_use]
pub fn domain(name: &'static str, chain_id: u64, contract: Address) -> Eip712Domain {
    Eip712Domain::new(Some(name.into()), Some("1".into()), Some(U256::from(chain_id)), Some(contract), None)
}

/// The contracts whose names stand in what members, researchers and stewards sign and seal, and their chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contracts {
    /// The chain's id (EIP-155).
    pub chain_id: u64,
    /// Admissions, row keys, leaving.
    pub membership: Address,
    /// The address of the ConsentRegistry.
    pub consent_registry: Address,
    /// Contributions and their envelopes.
    pub contribution_registry: Address,
    /// Orders, answers, stewards' words.
    pub steward_committee: Address,
    /// The address of the SettlementLedger.
    pub settlement_ledger: Address,
    /// Demands and contests.
    pub disputes: Address,
}

impl Contracts {
    /// The domain of admissions, key offers and leaving.
    #[must_use]
    pub fn membership_domain(&self) -> Eip712Domain {
        domain("Membership", self.chain_id, self.membership)
    }

    /// The domain of grants, revocations and erasures.
    #[must_use]
    pub fn consent_domain(&self) -> Eip712Domain {
        domain("ConsentRegistry", self.chain_id, self.consent_registry)
    }

    /// The domain of contributions.
    #[must_use]
    pub fn contribution_domain(&self) -> Eip712Domain {
        domain("ContributionRegistry", self.chain_id, self.contribution_registry)
    }

    /// The domain of orders, debits and receipts, scores and stewards' words.
    #[must_use]
    pub fn committee_domain(&self) -> Eip712Domain {
        domain("StewardCommittee", self.chain_id, self.steward_committee)
    }

    /// The domain of settlement headers.
    #[must_use]
    pub fn settlement_domain(&self) -> Eip712Domain {
        domain("SettlementLedger", self.chain_id, self.settlement_ledger)
    }

    /// The domain of polls and ballots: what members sign that no contract reads.
    #[must_use]
    pub fn poll_domain(&self) -> Eip712Domain {
        domain("Rochdale", self.chain_id, self.membership)
    }

    /// The domain of demands and contests.
    #[must_use]
    pub fn disputes_domain(&self) -> Eip712Domain {
        domain("Disputes", self.chain_id, self.disputes)
    }
}

/// The digest that is signed.
#[must_use]
pub fn digest<T: SolStruct>(message: &T, domain: &Eip712Domain) -> B256 {
    message.eip712_signing_hash(domain)
}

/// The hash of the struct alone, without its domain.
#[must_use]
pub fn hash_struct<T: SolStruct>(message: &T) -> B256 {
    message.eip712_hash_struct()
}

/// Signs with an account's key: 65 bytes r, s, v.
///
/// # Errors
/// Where the key refuses.
pub fn sign<T: SolStruct>(key: &PrivateKeySigner, message: &T, domain: &Eip712Domain) -> Result<Bytes, SignatureError> {
    sign_digest(key, digest(message, domain))
}

/// As [`sign`], where the digest is known already.
///
/// # Errors
/// Where the key refuses.
pub fn sign_digest(key: &PrivateKeySigner, digest: B256) -> Result<Bytes, SignatureError> {
    let signature = key.sign_hash_sync(&digest).map_err(|e| SignatureError::Sign(e.to_string()))?;
    Ok(Bytes::from(signature.as_bytes()))
}

/// The account that signed, whoever that is.
///
/// # Errors
/// Where the bytes are no signature. One with a high `s` is refused, as the contracts refuse it.
pub fn recover<T: SolStruct>(message: &T, domain: &Eip712Domain, signature: &[u8]) -> Result<Address, SignatureError> {
    recover_digest(digest(message, domain), signature)
        .map_err(|detail| SignatureError::Malformed { name: T::NAME, detail })
}

/// As [`recover`], where only the digest is known.
///
/// # Errors
/// With what is wrong with the bytes.
pub fn recover_digest(digest: B256, signature: &[u8]) -> Result<Address, String> {
    if signature.len() != ECDSA_LENGTH {
        return Err(format!("{} bytes", signature.len()));
    }
    let parsed = Signature::from_raw(signature).map_err(|e| e.to_string())?;
    if parsed.normalize_s().is_some() {
        return Err("s is in the upper half of the order".to_owned());
    }
    parsed.recover_address_from_prehash(&digest).map_err(|e| e.to_string())
}

/// Checks that `signer` signed.
///
/// # Errors
/// Where the bytes are no signature, or someone else's.
pub fn verify<T: SolStruct>(
    message: &T,
    domain: &Eip712Domain,
    signature: &[u8],
    signer: Address,
) -> Result<(), SignatureError> {
    let actual = recover(message, domain, signature)?;
    if actual == signer {
        return Ok(());
    }
    Err(SignatureError::OtherSigner { name: T::NAME, expected: signer, actual })
}

#[cfg(test)]
mod tests {

    use super::*;

    fn key(n: u8) -> PrivateKeySigner {
        PrivateKeySigner::from_slice(&[n; 32]).unwrap()
    }

    fn revoke() -> ConsentRevoke {
        ConsentRevoke { memberId: 7, nonce: U256::from(3), deadline: U256::from(1_000) }
    }

    #[test]
    fn a_signature_recovers_to_its_signer_and_binds_chain_contract_and_content() {
        let key = key(1);
        let here = domain("ConsentRegistry", 31_337, Address::repeat_byte(1));
        let signature = sign(&key, &revoke(), &here).unwrap();
        verify(&revoke(), &here, &signature, key.address()).unwrap();
        let elsewhere = [
            domain("ConsentRegistry", 1, Address::repeat_byte(1)),
            domain("ConsentRegistry", 31_337, Address::repeat_byte(2)),
            domain("Membership", 31_337, Address::repeat_byte(1)),
        ];
        for other in elsewhere {
            assert!(matches!(
                verify(&revoke(), &other, &signature, key.address()),
                Err(SignatureError::OtherSigner { name: "ConsentRevoke", .. })
            ));
        }
        let later = ConsentRevoke { nonce: U256::from(4), ..revoke() };
        assert!(verify(&later, &here, &signature, key.address()).is_err());
        // The same fields under another name are another statement.
        let erase = ConsentErase { memberId: 7, nonce: U256::from(3), deadline: U256::from(1_000) };
        assert!(verify(&erase, &here, &signature, key.address()).is_err());
    }

    /// Point 20: the same stewards and the same awarder serve two cooperatives of one chain.
    #[test]
    fn scores_and_awards_of_one_cooperative_are_nothing_at_its_sibling_or_in_another_epoch() {
        let key = key(2);
        let at = |name: &'static str, n: u8| domain(name, 31_337, Address::repeat_byte(n));
        let score = Score {
            contributionId: 7,
            quality: 8_000,
            uniqueness: 10_000,
            authenticity: 7_000,
            rarity: 10_000,
            rubricHash: B256::repeat_byte(1),
            sketch: B256::repeat_byte(2),
        };
        let signed = sign(&key, &score, &at("StewardCommittee", 1)).unwrap();
        verify(&score, &at("StewardCommittee", 1), &signed, key.address()).unwrap();
        assert!(verify(&score, &at("StewardCommittee", 2), &signed, key.address()).is_err());
        // A contribution is of one epoch, so that its id names it.
        let next = Score { contributionId: 8, ..score };
        assert!(verify(&next, &at("StewardCommittee", 1), &signed, key.address()).is_err());
        let award = Award { programId: 1, memberId: 3, epoch: 5, points: 10, nonce: U256::ZERO };
        let signed = sign(&key, &award, &at("Programs", 1)).unwrap();
        verify(&award, &at("Programs", 1), &signed, key.address()).unwrap();
        assert!(verify(&award, &at("Programs", 2), &signed, key.address()).is_err());
        let later = Award { epoch: 6, ..award };
        assert!(verify(&later, &at("Programs", 1), &signed, key.address()).is_err());
    }

    #[test]
    fn malformed_and_malleable_signatures_are_refused() {
        let key = key(1);
        let here = domain("ConsentRegistry", 31_337, Address::repeat_byte(1));
        let good = sign(&key, &revoke(), &here).unwrap();
        for bad in [&good[..64], &[][..], &[0u8; 65][..]] {
            assert!(matches!(recover(&revoke(), &here, bad), Err(SignatureError::Malformed { .. })), "{bad:?}");
        }
        // n − s with the other parity is a signature of the same key that contracts refuse.
        let order = U256::from_be_bytes(alloy_primitives::hex!(
            "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
        ));
        let high = order - U256::from_be_slice(&good[32..64]);
        let mut twin = good.to_vec();
        twin[32..64].copy_from_slice(&high.to_be_bytes::<32>());
        twin[64] ^= 27 ^ 28;
        let error = recover(&revoke(), &here, &twin).unwrap_err();
        assert!(error.to_string().contains("upper half"), "{error}");
    }

    #[test]
    fn type_strings_are_those_of_the_rules() {
        assert_eq!(
            order::QueryOrder::eip712_root_type(),
            "QueryOrder(uint64 licenseId,bytes32 cut,bytes32 queryDigest,uint64 rho,uint16 purpose,bytes32 nonce,uint64 deadline)"
        );
        assert_eq!(
            order::Debit::eip712_root_type(),
            "Debit(uint64 licenseId,bytes32 order,bytes32 queryDigest,bytes32 snapshot,uint16 purpose,uint64 rho,uint64 deadline)"
        );
        assert_eq!(order::QueryReceipt::eip712_root_type(), "QueryReceipt(bytes32 order,bytes32 resultDigest)");
        assert_eq!(
            Poll::eip712_root_type(),
            "Poll(uint32 author,string question,string[] options,uint64 snapshotBlock,uint64 opensAt,uint64 closesAt,string house)"
        );
        assert_eq!(
            Ballot::eip712_root_type(),
            "Ballot(bytes32 pollId,uint32 memberId,uint16 choice,uint32 sequence,uint256 deadline)"
        );
        assert_eq!(ErasureReceipt::eip712_root_type(), "ErasureReceipt(uint32 memberId,uint64 shares,uint256 at)");
    }
}
