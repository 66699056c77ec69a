// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";

/// @title FactoryProxy
/// @notice The proxy that CoopFactory puts before each contract of a cooperative. It is created empty and initialized by
/// the factory in the same transaction, so that its address depends on nothing that is not known before: the factory, the
/// cooperative, the part, the implementation.
contract FactoryProxy is ERC1967Proxy {
    constructor(address implementation) ERC1967Proxy(implementation, "") {}

    function _unsafeAllowUninitialized() internal pure override returns (bool) {
        return true;
    }
}
