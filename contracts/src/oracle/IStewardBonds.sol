// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What the stewards have at stake, as the settlement and the operators' pay see it.
///
/// A set of signers is one number, as `StewardCommittee.verifyQuorum` returns it: bit i (0 to 31) stands for the seat
/// with steward id i + 1, bits 32 to 47 are the generation that they were seated in. It fits in a uint48. The generation
/// belongs to it: the same seat may be somebody else's by the time the set is used.
interface IStewardBonds {
    /// @notice Whether `steward` has a seat of the current generation with the bond that the seat asks for.
    /// @param steward whose seat
    /// @return false while its bond is in escrow or unbonding
    function isActiveSteward(address steward) external view returns (bool);

    /// @notice How many seats the current generation has.
    /// @return at most 32
    function seatCount() external view returns (uint256);

    /// @notice The addresses of a set of signers, in the order of their seats, whatever generation they are of.
    /// @param signers the set
    /// @return one address for each bit that is set
    function signersOf(uint256 signers) external view returns (address[] memory);

    /// @notice Micro-USDC that `steward` has bonded: without what is unbonding, locked for an objection or in escrow.
    /// @param steward whose bond
    /// @return micro-USDC
    function bondOf(address steward) external view returns (uint256);

    /// @notice Micro-USDC that an objection locks.
    /// @return of the next objection
    function objectionBond() external view returns (uint256);

    /// @notice How many receipts of this worker were anchored since the start.
    /// @param worker who signed them
    /// @return only grows
    function receiptsOf(address worker) external view returns (uint256);

    /// @notice Locks `steward`'s objection bond. Disputes alone. Reverts unless `steward` has a seat of the
    /// current generation (active or not), a bond that reaches, and no objection locked already.
    /// @param steward who objects
    function lockObjection(address steward) external;

    /// @notice Ends `steward`'s objection: what was locked returns to its bond if it won or nobody decided, else it goes
    /// to the Treasury's reserve. Disputes alone. Does nothing if nothing is locked.
    /// @param steward who objected
    /// @param won whether it was right, or nobody decided
    function settleObjection(address steward, bool won) external;

    /// @notice Moves everything that these signers have bonded or unbonding into escrow, where the member house confirms
    /// or rejects it. Disputes alone. Passes over a signer that has nothing.
    /// @param signers the set
    /// @param reason for the log
    function escrowSigners(uint256 signers, bytes32 reason) external;
}
