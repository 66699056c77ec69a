//! Passkey accounts (`MemberAccount`): where one is, what its passkey signs, and how a passkey's signature is handed over.

use alloy_primitives::{Address, B256, Bytes, U256, address, b256, hex, keccak256};
use alloy_sol_types::{Eip712Domain, SolCall as _, SolValue as _};

use crate::{digest, domain as domain_of};

mod types {
    #![allow(missing_docs, reason = "the fields are documented where MemberAccount defines them")]

    alloy_sol_types::sol! {
        /// One call of an account; target zero is the account itself.
        #[derive(Debug, PartialEq, Eq)]
        struct Call {
            address target;
            uint256 value;
            bytes data;
        }

        /// What the passkey signs to have calls made.
        #[derive(Debug, PartialEq, Eq)]
        struct Execute {
            bytes32 mode;
            bytes executionData;
            uint256 nonce;
            uint256 deadline;
        }

        /// What the passkey signs to say yes to the digest that another contract asks for (ERC-1271).
        #[derive(Debug, PartialEq, Eq)]
        struct Message {
            bytes32 hash;
        }

        /// What a guardian signs so that another passkey takes the place of a lost one.
        #[derive(Debug, PartialEq, Eq)]
        struct Approval {
            bytes32 qx;
            bytes32 qy;
            address guardian;
            uint256 round;
            uint256 deadline;
        }

        /// Who may replace a lost passkey, in ascending order, how many of them it takes, and how many seconds the present passkey has for
        /// a veto.
        #[derive(Debug, PartialEq, Eq)]
        struct Recovery {
            address[] guardians;
            uint8 threshold;
            uint32 delay;
        }

        /// The account's own functions that its passkey calls.
        interface OwnCalls {
            function setRecovery(Recovery recovery) external;
            function veto() external;
            function execute(bytes32 mode, bytes executionData) external;
        }

        /// The factory of accounts.
        interface Factory {
            function create(bytes32 qx, bytes32 qy, Recovery recovery) external returns (address);
        }
    }
}

pub use types::{Approval, Call, Execute, Factory, Message, OwnCalls, Recovery};

/// ERC-7821's batch mode, the only one that an account takes.
pub const BATCH: B256 = b256!("0100000000000000000000000000000000000000000000000000000000000000");

/// Where this program's accounts have their code, on any chain.
pub const CODE: Address = address!("e7a9e5398953686affed4b40890e1fb47c9c3d59");
/// Where their factory is, on any chain.
pub const FACTORY: Address = address!("dae8febf6415f434f33b1a929f54b1ff3c9fbfcb");

/// ERC-1167: a proxy that delegates everything to the address between the two.
const CLONE: ([u8; 10], [u8; 15]) = (hex!("363d3d373d3d3d363d73"), hex!("5af43d82803e903d91602b57fd5bf3"));
/// Before the runtime code in a clone's creation: copies that and returns it.
const CREATION: [u8; 10] = hex!("3d602d80600a3d3981f3");

/// The code of every account that our factory made.
#[must_use]
pub fn clone_code() -> Vec<u8> {
    [&CLONE.0[..], CODE.as_slice(), &CLONE.1].concat()
}

/// Where the account of a passkey and its guardians is, or will be: `MemberAccountFactory.accountAt`.
#[must_use]
pub fn account_at(qx: B256, qy: B256, recovery: &Recovery) -> Address {
    let salt = keccak256((qx, qy, recovery.clone()).abi_encode_params());
    let creation = [&CREATION[..], &clone_code()].concat();
    FACTORY.create2_from_code(salt, creation)
}

/// The domain that an account signs in.
#[must_use]
pub fn domain(chain_id: u64, account: Address) -> Eip712Domain {
    domain_of("MemberAccount", chain_id, account)
}

/// `executionData` of a batch.
#[must_use]
pub fn execution_data(calls: &[Call]) -> Bytes {
    calls.abi_encode().into()
}

/// The challenge of a batch: what the passkey signs so that anybody may send it until `deadline` (Unix seconds).
#[must_use]
pub fn execute_digest(chain_id: u64, account: Address, calls: &[Call], nonce: u64, deadline: u64) -> B256 {
    let message = Execute {
        mode: BATCH,
        executionData: execution_data(calls),
        nonce: U256::from(nonce),
        deadline: U256::from(deadline),
    };
    digest(&message, &domain(chain_id, account))
}

/// The challenge of a yes to another contract's digest.
#[must_use]
pub fn message_digest(chain_id: u64, account: Address, hash: B256) -> B256 {
    digest(&Message { hash }, &domain(chain_id, account))
}

/// What a signature of an account ends with that is not created yet, so that whoever looks creates it first (ERC-6492).
const UNBORN: B256 = b256!("6492649264926492649264926492649264926492649264926492649264926492");

/// The same signature of an account that is perhaps not created yet (ERC-6492).
#[must_use]
pub fn before_creation(qx: B256, qy: B256, recovery: Recovery, signature: Bytes) -> Bytes {
    let create = Bytes::from(Factory::createCall { qx, qy, recovery }.abi_encode());
    [(FACTORY, create, signature).abi_encode_params(), UNBORN.to_vec()].concat().into()
}

/// A passkey's signature as the account takes it: `r` and `s` (lower half), what the authenticator reported, and the
/// client data as JSON. `None` where the JSON names no challenge or no type.
#[must_use]
pub fn assertion(r: B256, s: B256, authenticator_data: &[u8], client_data: &str) -> Option<Bytes> {
    let place = |name: &str| client_data.find(name).map(U256::from);
    let (challenge, kind) = (place("\"challenge\":")?, place("\"type\":")?);
    let authenticator_data = Bytes::copy_from_slice(authenticator_data);
    // Six values, not one struct, which would begin with an offset.
    Some((r, s, challenge, kind, authenticator_data, client_data.to_owned()).abi_encode_params().into())
}

/// The order of P-256.
const ORDER: B256 = b256!("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");

/// `r` and the lower `s` of an ECDSA signature on P-256 as browsers give it: DER, two integers in a sequence. `None` where it is none.
#[must_use]
pub fn p256_signature(der: &[u8]) -> Option<(B256, B256)> {
    let (rest, behind) = tagged(0x30, der)?;
    let (r, rest) = integer(rest)?;
    let (s, rest) = integer(rest)?;
    let order = U256::from_be_bytes(ORDER.0);
    let good = rest.is_empty() && behind.is_empty() && [r, s].iter().all(|part| !part.is_zero() && *part < order);
    // Both halves are valid to a browser, the contract takes the lower one.
    good.then(|| (B256::from(r), B256::from(s.min(order - s))))
}

/// One DER integer of at most 256 bits, not negative, and what stands behind it.
fn integer(der: &[u8]) -> Option<(U256, &[u8])> {
    let (digits, rest) = tagged(0x02, der)?;
    let shortest = match digits {
        [0, next, ..] => next & 0x80 != 0,
        [first, ..] => first & 0x80 == 0,
        [] => false,
    };
    let digits = digits.strip_prefix(&[0]).unwrap_or(digits);
    (shortest && digits.len() <= 32).then(|| (U256::from_be_slice(digits), rest))
}

/// The content of a DER element of this kind, in its short form, and what stands behind it.
fn tagged(kind: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = der.split_first_chunk::<2>()?;
    if found == kind { rest.split_at_checked(usize::from(length)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_sol_types::SolStruct as _;

    #[test]
    fn types_are_the_contract_s() {
        assert_eq!(
            Execute::eip712_encode_type(),
            "Execute(bytes32 mode,bytes executionData,uint256 nonce,uint256 deadline)"
        );
        assert_eq!(Message::eip712_encode_type(), "Message(bytes32 hash)");
        assert_eq!(
            Approval::eip712_encode_type(),
            "Approval(bytes32 qx,bytes32 qy,address guardian,uint256 round,uint256 deadline)"
        );
    }

    #[test]
    fn client_data_without_a_challenge_is_no_assertion() {
        let json = r#"{"type":"webauthn.get","challenge":"AA"}"#;
        assert!(assertion(B256::ZERO, B256::ZERO, &[5], json).is_some());
        assert!(assertion(B256::ZERO, B256::ZERO, &[5], r#"{"type":"webauthn.get"}"#).is_none());
    }

    #[test]
    fn a_browsers_signature_is_read_strictly_and_its_s_is_the_lower_one() {
        let one = |value: &[u8]| [&[0x02, u8::try_from(value.len()).unwrap()], value].concat();
        let der = |r: &[u8], s: &[u8]| {
            let both = [one(r), one(s)].concat();
            [&[0x30, u8::try_from(both.len()).unwrap()][..], &both].concat()
        };
        let two = B256::with_last_byte(2);
        assert_eq!(p256_signature(&der(&[1], &[2])), Some((B256::with_last_byte(1), two)));
        let high = U256::from_be_bytes(ORDER.0) - U256::from(2);
        let padded = [&[0][..], &high.to_be_bytes::<32>()].concat();
        assert_eq!(p256_signature(&der(&[1], &padded)), Some((B256::with_last_byte(1), two)));
        let order = [&[0][..], ORDER.as_slice()].concat();
        let good = der(&[1], &[2]);
        for bad in [
            der(&[0], &[2]),
            der(&[1], &order),
            der(&[0, 1], &[2]),
            der(&[0x80], &[2]),
            der(&[], &[2]),
            [good.clone(), vec![0]].concat(),
            good[..good.len() - 1].to_vec(),
            vec![0x30],
            Vec::new(),
        ] {
            assert_eq!(p256_signature(&bad), None, "{bad:?}");
        }
    }
}
