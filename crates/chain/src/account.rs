//! Passkey accounts (`MemberAccount`): what a passkey signs, and how its signature is handed over.

use std::sync::LazyLock;

use alloy::primitives::{Address, B256, Bytes, U256, b256};
use alloy::sol_types::{Eip712Domain, SolValue as _};

use crate::bindings::Guardians;
use crate::deploy::account_factory;
use crate::eip712;

mod types {
    #![allow(missing_docs, reason = "the fields are documented where MemberAccount defines them")]

    alloy::sol! {
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
    }
}

pub use types::{Call, Execute, Message};

/// Who may replace a lost passkey.
pub use Guardians::Recovery;

/// ERC-7821's batch mode, the only one that an account takes.
pub const BATCH: B256 = b256!("0100000000000000000000000000000000000000000000000000000000000000");

/// The domain that an account signs in.
#[must_use]
pub fn domain(chain_id: u64, account: Address) -> Eip712Domain {
    eip712::domain("MemberAccount", chain_id, account)
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
    eip712::digest(&message, &domain(chain_id, account))
}

/// The challenge of a yes to another contract's digest.
#[must_use]
pub fn message_digest(chain_id: u64, account: Address, hash: B256) -> B256 {
    eip712::digest(&Message { hash }, &domain(chain_id, account))
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

/// Whether this is the code of an account that our factory made.
#[must_use]
pub fn is_account(code: &[u8]) -> bool {
    static CLONE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        // ERC-1167: a proxy that delegates everything to one fixed address.
        let (before, after) = (&hex_of("363d3d373d3d3d363d73"), &hex_of("5af43d82803e903d91602b57fd5bf3"));
        [before, account_factory().0.as_slice(), after].concat()
    });
    code == CLONE.as_slice()
}

fn hex_of(text: &str) -> Vec<u8> {
    alloy::primitives::hex::decode(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::MemberAccount;
    use alloy::primitives::keccak256;
    use alloy::sol_types::SolStruct as _;

    #[test]
    fn types_are_the_contract_s() {
        assert_eq!(
            Execute::eip712_encode_type(),
            "Execute(bytes32 mode,bytes executionData,uint256 nonce,uint256 deadline)"
        );
        assert_eq!(Message::eip712_encode_type(), "Message(bytes32 hash)");
        assert!(MemberAccount::BYTECODE.windows(32).any(|word| word == keccak256("Message(bytes32 hash)").as_slice()));
    }

    #[test]
    fn a_clone_of_other_code_is_no_account_of_ours() {
        let mut code = hex_of("363d3d373d3d3d363d73");
        code.extend(account_factory().0);
        code.extend(hex_of("5af43d82803e903d91602b57fd5bf3"));
        assert!(is_account(&code));
        code[10] ^= 1;
        assert!(!is_account(&code) && !is_account(&[]));
    }

    #[test]
    fn client_data_without_a_challenge_is_no_assertion() {
        let json = r#"{"type":"webauthn.get","challenge":"AA"}"#;
        assert!(assertion(B256::ZERO, B256::ZERO, &[5], json).is_some());
        assert!(assertion(B256::ZERO, B256::ZERO, &[5], r#"{"type":"webauthn.get"}"#).is_none());
    }
}
