// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bounds} from "../access/Bounds.sol";
import {Governed} from "../access/Governed.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";

/// @title Programs
/// @notice What members can earn besides records: curation, validation, taking part in a study, voting. Each program has
/// somebody who awards points, a cap per epoch and a cap per member and epoch.
///
/// Roles
/// - Token house: sets programs.
/// - Charter: sets how many points all open programs may award in an epoch.
/// - Awarder: signs awards, off chain. Stewards read them, hold them to the caps and enter the points as inputs.
///
/// Assumptions: nothing about who took part in what stands on the chain; an award reaches the stewards sealed, and the
/// chain knows programs and caps alone. Stewards take the program as it stands at the epoch's cut.
///
/// Liveness: nothing here is asked by a settlement; a program that is closed or broken stops no payout.
///
/// Who can hurt whom: an awarder can award its program's points to the wrong members, at most the caps, and every point
/// makes those of others worth less only where an epoch's emission cap binds.
contract Programs is NamedEIP712, Governed {
    /// @dev `kind`: 1 curation, 2 validation, 3 taking part in a study, 4 voting. Points as in the ledger: 10,000 are one
    /// `dataPerPoint`.
    struct Program {
        address awarder;
        uint8 kind;
        uint128 capPerEpoch;
        uint128 capPerMember;
        bool open;
    }

    /// @notice What an awarder signs. The nonce tells two equal awards apart.
    struct Award {
        uint32 programId;
        uint32 memberId;
        uint32 epoch;
        uint128 points;
        uint256 nonce;
    }

    /// @custom:storage-location erc7201:rochdale.storage.Programs
    struct Storage {
        uint128 maxPointsPerEpoch;
        // The sum of `capPerEpoch` over the open programs; never above `maxPointsPerEpoch`.
        uint128 openPoints;
        mapping(uint32 programId => Program) programs;
    }

    bytes32 private constant STORAGE = 0xab0b0c9d435bbce7aad2ed209257f95ba5465fd01a54c6ccb8f10b95cd805500;

    bytes32 private constant AWARD_TYPEHASH =
        keccak256("Award(uint32 programId,uint32 memberId,uint32 epoch,uint128 points,uint256 nonce)");

    event ProgramSet(uint32 indexed programId, Program program);
    event MaxPointsPerEpochSet(uint128 maxPointsPerEpoch);

    error Programs_BadKind(uint8 kind);
    error Programs_BadCaps(uint128 capPerEpoch, uint128 capPerMember);
    error Programs_TooManyPoints(uint256 points, uint256 maxPointsPerEpoch);

    /// @notice Once, by the factory.
    /// @param authority_ the cooperative's AccessManager
    /// @param maxPointsPerEpoch_ of all open programs together
    function initialize(address authority_, uint128 maxPointsPerEpoch_) external initializer {
        __Governed_init(authority_);
        _setMaxPointsPerEpoch(maxPointsPerEpoch_);
    }

    /// @notice Opens, changes or closes a program.
    /// @param programId which program
    /// @param p all of it; closed by `open`
    function setProgram(uint32 programId, Program calldata p) external restricted {
        Storage storage $ = _storage();
        // Check:
        _nonZero(p.awarder, "awarder");
        if (p.kind == 0 || p.kind > Bounds.VOTING_KIND) revert Programs_BadKind(p.kind);
        if (p.capPerMember > p.capPerEpoch) revert Programs_BadCaps(p.capPerEpoch, p.capPerMember);
        Program storage before = $.programs[programId];
        uint256 points = uint256($.openPoints) - _pointsOf(before) + (p.open ? p.capPerEpoch : 0);
        if (points > $.maxPointsPerEpoch) revert Programs_TooManyPoints(points, $.maxPointsPerEpoch);
        // Effects:
        $.openPoints = uint128(points);
        $.programs[programId] = p;
        emit ProgramSet(programId, p);
    }

    /// @notice Bounds what all open programs together may award in an epoch. Not below what they may now.
    /// @param maxPointsPerEpoch_ of all open programs together
    function setMaxPointsPerEpoch(uint128 maxPointsPerEpoch_) external restricted {
        _setMaxPointsPerEpoch(maxPointsPerEpoch_);
    }

    /// @notice A program as it stands; all zero if there never was one of this id.
    /// @param programId which program
    /// @return as it was set last
    function program(uint32 programId) external view returns (Program memory) {
        return _storage().programs[programId];
    }

    /// @notice How many points the open programs may award in an epoch, and how many they may be given at most.
    /// @return open what all open programs may award
    /// @return max never below `open`
    function pointsPerEpoch() external view returns (uint128 open, uint128 max) {
        Storage storage $ = _storage();
        return ($.openPoints, $.maxPointsPerEpoch);
    }

    /// @notice What the awarder signs for an award.
    /// @param a the award
    /// @return EIP-712 digest in this contract's domain
    function awardDigest(Award calldata a) external view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(AWARD_TYPEHASH, a)));
    }

    function _pointsOf(Program storage p) private view returns (uint256) {
        return p.open ? p.capPerEpoch : 0;
    }

    function _setMaxPointsPerEpoch(uint128 maxPointsPerEpoch_) private {
        Storage storage $ = _storage();
        if (maxPointsPerEpoch_ < $.openPoints) revert Programs_TooManyPoints($.openPoints, maxPointsPerEpoch_);
        $.maxPointsPerEpoch = maxPointsPerEpoch_;
        emit MaxPointsPerEpochSet(maxPointsPerEpoch_);
    }

    function _EIP712Name() internal pure override returns (string memory) {
        return "Programs";
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
