// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Votes that end with a membership, as GovToken's do.
interface ISyncedVotes {
    /// @notice Counts an account's votes again from what is true now; anyone may call it.
    function sync(address account) external;
}

/// @notice What the other contracts ask about members.
interface IMembership {
    /// @notice Ends a membership and burns its token, where it has not ended before; ConsentRegistry only.
    function close(uint32 memberId) external;

    /// @notice The accounts of `memberIds`; zero for one that is not active.
    function accountsOf(uint32[] calldata memberIds) external view returns (address[] memory);

    /// @notice The account of a member, also after the membership ended. Zero for an id never issued.
    function accountOf(uint32 memberId) external view returns (address);

    /// @notice The account of an active member; zero otherwise.
    function activeAccountOf(uint32 memberId) external view returns (address);

    /// @notice A member's account (zero once the membership ended), payout address and whether it is active.
    function memberOf(uint32 memberId) external view returns (address account, address payout, bool active);

    /// @notice When a member joined and when the membership ended (0 while active), in unix seconds.
    function membershipTimes(uint32 memberId) external view returns (uint40 joinedAt, uint40 endedAt);

    /// @notice Whether `account` is an active member.
    function isMember(address account) external view returns (bool);

    /// @notice Whether `account` is an active member who joined at least the seasoning period ago, and so may vote.
    function isSeasoned(address account) external view returns (bool);

    /// @notice The id that `account` joined under, also after the membership ended; 0 if it never joined.
    function memberIdOf(address account) external view returns (uint32);

    /// @notice Where what `memberId` earned is paid; it outlives the membership. Zero for an id never issued.
    function payoutOf(uint32 memberId) external view returns (address);

    /// @notice keccak256 of the key that salts `memberId`'s row of the ledger, as it was admitted; it outlives the
    /// membership. Zero for a member who joined without one, and for an id never issued.
    function rowKeyDigestOf(uint32 memberId) external view returns (bytes32);

    /// @notice As `payoutOf`, for many.
    function payoutsOf(uint32[] calldata memberIds) external view returns (address[] memory);
}
