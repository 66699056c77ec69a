//! Passkey accounts (`MemberAccount`) on a chain; what their passkeys sign is [`eip712::account`]'s.

pub use crate::eip712::account::{BATCH, Call, assertion, domain, execute_digest, execution_data, message_digest};

use crate::eip712::account::clone_code;

/// Who may replace a lost passkey.
pub use crate::bindings::Guardians::Recovery;

/// Whether this is the code of an account that our factory made.
#[must_use]
pub fn is_account(code: &[u8]) -> bool {
    code == clone_code().as_slice()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::MemberAccount;
    use crate::deploy::account_factory;
    use crate::eip712::account::{CODE, FACTORY};
    use alloy::primitives::keccak256;

    /// The browser knows the addresses without the bytecode that they follow from.
    #[test]
    fn accounts_have_their_code_and_factory_where_this_program_puts_them() {
        assert_eq!((CODE, FACTORY), account_factory());
        let approval = keccak256("Approval(bytes32 qx,bytes32 qy,address guardian,uint256 round,uint256 deadline)");
        for typehash in [keccak256("Message(bytes32 hash)"), approval] {
            assert!(MemberAccount::BYTECODE.windows(32).any(|word| word == typehash.as_slice()));
        }
    }

    #[test]
    fn a_clone_of_other_code_is_no_account_of_ours() {
        let mut code = clone_code();
        assert!(is_account(&code));
        code[10] ^= 1;
        assert!(!is_account(&code) && !is_account(&[]));
    }
}
