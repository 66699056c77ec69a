// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Roles
/// @notice The roles of a cooperative's AccessManager. Nobody else has a privilege.
library Roles {
    /// @notice CharterGate alone: what both houses decided with the same words. Whatever function is given to no other
    /// role, upgrades among them, is the charter's; it is AccessManager's own ADMIN role.
    uint64 internal constant CHARTER = 0;

    /// @notice The token house's timelock: prices, rewards, splits, grants.
    uint64 internal constant TOKEN_HOUSE = 1;

    /// @notice The member house's timelock: ethics, consent policy, members, stewards, researchers.
    uint64 internal constant MEMBER_HOUSE = 2;

    /// @notice PauseGuard alone: pauses, for a limited time, what may be paused at all.
    uint64 internal constant PAUSER = 3;

    /// @notice The token house's timelock again, from the day the cooperative is constituted: money that leaves the
    /// Treasury's governed buckets, and the rates by which it leaves. Nobody has it before.
    uint64 internal constant TREASURY = 4;

    /// @notice The contracts that sell licenses: each issues one and books what it cost. A further one is a grant of this
    /// role by the charter, not an upgrade.
    uint64 internal constant SELLER = 5;
}
