// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title MemberSignature
/// @notice A member signs with a key (ECDSA) or through a contract account (ERC-1271).
/// @dev `SignatureChecker` looks at the signer's code first, a cold account access of 2,600 gas for each signature.
/// Most accounts are keys, so the recovered address is compared first and ERC-1271 is asked only where it differs.
/// An account with both a key and code (EIP-7702) is accepted by either: its key can change its code anyway.
/// Malleable signatures (high s) and lengths other than 65 bytes are refused by `ECDSA`; every digest holds a nonce.
library MemberSignature {
    function isValid(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        if (signer == address(0)) return false;
        (address recovered, ECDSA.RecoverError err,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (err == ECDSA.RecoverError.NoError && recovered == signer) return true;
        return signer.code.length != 0 && SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature);
    }
}
