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

    /// @notice The root that is not final yet, as Disputes sees it. All zero where none is pending.
    /// @param epoch of the root
    /// @param attempt of the root
    /// @param root of the tree of rows
    /// @param headerHash EIP-712 `hashStruct` of what was signed
    /// @param signers who signed it, as the committee's `verifyQuorum` told
    /// @param finalAt when it is final, unix seconds; all of 40 bits while it is frozen
    /// @param cut the end of the epoch: who joined later has no row in the tree
    /// @param depth of its trees
    /// @param window how long an undisputed root is pending, seconds
    /// @param prolonged by how many seconds pauses have made windows longer since the start
    struct Proposal {
        uint32 epoch;
        uint32 attempt;
        bytes32 root;
        bytes32 headerHash;
        uint256 signers;
        uint64 finalAt;
        uint64 cut;
        uint8 depth;
        uint32 window;
        uint64 prolonged;
    }

    /// @notice The last final epoch and its root; epoch 0 and the empty tree's root before the first.
    /// @return epoch the last final one
    /// @return root of its rows
    function finalEpoch() external view returns (uint32 epoch, bytes32 root);

    /// @notice Who signed the last final epoch, as the committee's `verifyQuorum` told; nobody before the first.
    /// @return epoch the last final one
    /// @return signers of its header
    function finalSigners() external view returns (uint32 epoch, uint256 signers);

    /// @notice The root that is not final yet.
    /// @return p all zero where none is pending
    function proposal() external view returns (Proposal memory p);

    /// @notice Sets when the pending root is final. Disputes only.
    /// @param finalAt in the future, unix seconds; all of 40 bits freezes the root
    function setFinalAt(uint64 finalAt) external;

    /// @notice Forgets the pending root: the epoch before is the last one again, and the attempt is spent. Disputes only.
    /// @param reason why, for the log
    function voidProposal(bytes32 reason) external;
}
