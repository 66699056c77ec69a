// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";

/// @title NamedEIP712
/// @notice EIP-712 domain whose name is the contract's name and whose version is "1", both in code: reading them
/// from storage would cost 4,200 gas for each signature that is checked.
abstract contract NamedEIP712 is EIP712Upgradeable {
    function _EIP712Version() internal pure virtual override returns (string memory) {
        return "1";
    }
}
