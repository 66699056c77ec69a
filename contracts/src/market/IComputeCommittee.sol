// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IStewardCommittee} from "../oracle/IStewardCommittee.sol";

/// @notice What ComputeDesk asks of those who witness a computation.
interface IComputeCommittee is IStewardCommittee {
    /// @notice The sealing key of a worker; zero for anybody else.
    /// @param signer by which a worker signs
    /// @return an X25519 key
    function workerKey(address signer) external view returns (bytes32);
}
