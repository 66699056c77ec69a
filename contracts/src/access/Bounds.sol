// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Bounds
/// @notice Numbers that more than one contract goes by, mostly bounds that a contract asks of what is set in it and
/// FoundingCheck of a config before anything is deployed. `vectors/bounds.json` holds those that the programs know as well
/// to the same numbers.
library Bounds {
    /// @dev Two stewards score a record, and a third where they differ; a set of signers has one bit for each seat.
    uint256 internal constant MIN_SEATS = 3;
    uint256 internal constant MAX_SEATS = 32;

    /// @dev Micro-USDC: a dollar, and the most that anything costs or pays, a million.
    uint64 internal constant MIN_BOND = 1e6;
    uint64 internal constant MAX_AMOUNT = 1e12;

    /// @dev Seconds between two contributions of one member.
    uint32 internal constant MIN_COOLDOWN = 1 days;

    /// @dev A house's times, seconds, and its quorum, basis points.
    uint48 internal constant MIN_DELAY = 1 hours;
    uint32 internal constant MIN_PERIOD = 1 days;
    uint256 internal constant MIN_QUORUM_BPS = 100;
    uint256 internal constant MAX_QUORUM_BPS = 5_000;

    /// @dev Seconds in which the member house decides an objection, before it lapses.
    uint256 internal constant DECISION_TIME = 14 days;

    /// @dev Seconds for which a desk may hold money before the buyer can have it back.
    uint32 internal constant MAX_DESK_TIME = 30 days;
    uint32 internal constant MIN_TIMEOUT = 2 days;

    /// @dev Levels of a tree of member ids, which have 32 bits.
    uint8 internal constant MAX_DEPTH = 31;

    /// @dev `finalAt` of a root that waits for a decision: the last second that its 40 bits count.
    uint40 internal constant FROZEN = type(uint40).max;

    /// @dev A leaf shows whole units, so what is below one is not paid while the membership lasts: 1,000 USDC, 1,000 tokens.
    uint256 internal constant MAX_CASH_UNIT = 1_000e6;
    uint256 internal constant MAX_TOKEN_UNIT = 1_000e18;

    /// @dev Bits of an amount from which the ledger's step may overflow by sums of what a row holds. Totals hold 96.
    uint256 internal constant WIDE = 126;

    /// @dev 1..6 = (a)..(f) of Art. 53(1) EHDS.
    uint8 internal constant LAST_EHDS_CATEGORY = 6;

    /// @dev The kind of a program that awards voting, which is the last kind.
    uint8 internal constant VOTING_KIND = 4;

    /// @dev 1 EHR, 2 labs, 3 wearable, 4 genomic summary.
    uint8 internal constant LAST_DATA_TYPE = 4;
}
