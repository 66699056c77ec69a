// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Votes that end with a membership, as GovToken's do.
interface ISyncedVotes {
    /// @notice Counts an account's votes again from what is true now; anyone may call it.
    /// @param account whose votes
    function sync(address account) external;
}

/// @notice What the other contracts ask about members.
interface IMembership {
    /// @notice Ends a membership and burns its token, where it has not ended before; ConsentRegistry only.
    /// @param memberId whose membership
    function close(uint32 memberId) external;

    /// @notice The accounts of `memberIds`; zero for one that is not active.
    /// @param memberIds in any order
    /// @return one for each id, in the same order
    function accountsOf(uint32[] calldata memberIds) external view returns (address[] memory);

    /// @notice The account of a member, also after the membership ended. Zero for an id never issued.
    /// @param memberId of whom
    /// @return the one under which the member joined
    function accountOf(uint32 memberId) external view returns (address);

    /// @notice The account of an active member; zero otherwise.
    /// @param memberId of whom
    /// @return the holder of the membership's token
    function activeAccountOf(uint32 memberId) external view returns (address);

    /// @notice A member's account (zero once the membership ended), payout address and whether it is active.
    /// @param memberId of whom
    /// @return account zero once the membership ended
    /// @return payout where earnings go; it outlives the membership
    /// @return active whether the membership lasts
    function memberOf(uint32 memberId) external view returns (address account, address payout, bool active);

    /// @notice When a member joined and when the membership ended (0 while active), in unix seconds.
    /// @param memberId of whom
    /// @return joinedAt 0 for an id that was never issued
    /// @return endedAt 0 while the membership lasts
    function membershipTimes(uint32 memberId) external view returns (uint40 joinedAt, uint40 endedAt);

    /// @notice Whether `account` is an active member.
    /// @param account who asks
    /// @return false for the zero address
    function isMember(address account) external view returns (bool);

    /// @notice Whether `account` is an active member who joined at least the seasoning period ago, and so may vote.
    /// @param account who asks
    /// @return false once the membership ended
    function isSeasoned(address account) external view returns (bool);

    /// @notice The id that `account` joined under, also after the membership ended; 0 if it never joined.
    /// @param account of whom
    /// @return from 1
    function memberIdOf(address account) external view returns (uint32);

    /// @notice Where what `memberId` earned is paid; it outlives the membership. Zero for an id never issued.
    /// @param memberId of whom
    /// @return never zero for an id that was issued
    function payoutOf(uint32 memberId) external view returns (address);

    /// @notice keccak256 of the key that salts `memberId`'s row of the ledger, as it was admitted; it outlives the
    /// membership. Zero for a member who joined without one, and for an id never issued.
    /// @param memberId of whom
    /// @return the same for ever
    function rowKeyDigestOf(uint32 memberId) external view returns (bytes32);

    /// @notice As `payoutOf`, for many.
    /// @param memberIds in any order
    /// @return one for each id, in the same order
    function payoutsOf(uint32[] calldata memberIds) external view returns (address[] memory);
}
