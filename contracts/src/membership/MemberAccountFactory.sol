// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {MemberAccount} from "./MemberAccount.sol";

/// @title MemberAccountFactory
/// @notice Creates passkey accounts at addresses that are known before: they follow from the passkey and the guardians.
///
/// Roles: none. Anyone creates any account; who pays for it has no say in it.
/// Assumptions: the implementation is the one that was given; it is fixed, and so are the accounts.
/// Who can hurt whom: nobody. A clone is created and initialized in one transaction, with what its address binds.
contract MemberAccountFactory {
    /// @notice What every account runs.
    address public immutable IMPLEMENTATION;

    event AccountCreated(address indexed account, bytes32 qx, bytes32 qy);

    error MemberAccountFactory_NotAContract(address implementation);

    constructor(address implementation) {
        if (implementation.code.length == 0) revert MemberAccountFactory_NotAContract(implementation);
        IMPLEMENTATION = implementation;
    }

    /// @notice Creates the account of a passkey and its guardians, or returns it where it exists: sending twice is safe.
    /// @param qx of the passkey
    /// @param qy of the passkey
    /// @param recovery who may replace it
    /// @return account the clone
    function create(bytes32 qx, bytes32 qy, MemberAccount.Recovery calldata recovery)
        external
        returns (address account)
    {
        bytes32 salt = _salt(qx, qy, recovery);
        account = Clones.predictDeterministicAddress(IMPLEMENTATION, salt);
        if (account.code.length != 0) return account;
        account = Clones.cloneDeterministic(IMPLEMENTATION, salt);
        emit AccountCreated(account, qx, qy);
        MemberAccount(payable(account)).initialize(qx, qy, recovery);
    }

    /// @notice Where the account of a passkey and its guardians is, or will be.
    /// @param qx of the passkey
    /// @param qy of the passkey
    /// @param recovery who may replace it
    /// @return the clone's address
    function accountAt(bytes32 qx, bytes32 qy, MemberAccount.Recovery calldata recovery)
        external
        view
        returns (address)
    {
        return Clones.predictDeterministicAddress(IMPLEMENTATION, _salt(qx, qy, recovery));
    }

    function _salt(bytes32 qx, bytes32 qy, MemberAccount.Recovery calldata recovery) private pure returns (bytes32) {
        return keccak256(abi.encode(qx, qy, recovery));
    }
}
