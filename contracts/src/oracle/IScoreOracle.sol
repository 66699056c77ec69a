// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Somebody who vouches for scores. The stewards do by their signatures; others may stand beside them.
interface IScoreOracle {
    /// @notice Whether this oracle vouches for a score. Who asks computes the digest itself from the score's fields
    /// (`StewardCommittee.scoreDigest`): a digest alone does not say what was signed.
    /// @param scoreDigest EIP-712 digest of the score, in the domain of the StewardCommittee.
    /// @param evidence What the oracle needs to look it up; each oracle says what.
    /// @return whether it vouches
    function attested(bytes32 scoreDigest, bytes calldata evidence) external view returns (bool);
}
