// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What stewards sign and members show, and what other contracts ask the settlement.
interface ISettlementLedger {
    /// @notice What a quorum of stewards signs for an epoch. Totals are cumulative since the start.
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

    /// @notice A leaf of a tree.
    struct Claim {
        uint32 memberId;
        uint128 cash;
        uint128 stream;
        uint128 data;
        uint128 gov;
        bytes32 privateHash;
    }

    /// @notice What a member signs to have the path of its row published.
    struct Demand {
        uint32 memberId;
        uint32 epoch;
        uint32 attempt;
        uint256 deadline;
    }

    /// @notice What a member signs to have its row replayed.
    struct Contest {
        uint32 memberId;
        uint32 epoch;
        uint32 attempt;
        uint256 deadline;
    }

    /// @notice The last final epoch and its root; epoch 0 and the empty tree's root before the first.
    function finalEpoch() external view returns (uint32 epoch, bytes32 root);

    /// @notice Who signed the last final epoch, as the committee's `verifyQuorum` told; nobody before the first.
    function finalSigners() external view returns (uint32 epoch, uint256 signers);
}
