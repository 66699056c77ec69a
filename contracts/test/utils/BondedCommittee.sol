// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IStewardBonds} from "../../src/oracle/IStewardBonds.sol";
import {StewardCommittee} from "../../src/oracle/StewardCommittee.sol";

/// @notice The committee with bonds that exist on paper: it notes what the settlement did to them.
contract BondedCommittee is StewardCommittee, IStewardBonds {
    mapping(address steward => bool) public locked;
    mapping(address steward => bool) public lost;
    mapping(address steward => bool) public unbonded;
    uint256 public escrowed;
    bytes32 public escrowReason;

    error NoBond(address steward);

    function setUnbonded(address steward) external {
        unbonded[steward] = true;
    }

    function lockObjection(address steward) external {
        if (!isActiveSteward(steward) || locked[steward]) revert NoBond(steward);
        locked[steward] = true;
    }

    function settleObjection(address steward, bool won) external {
        (locked[steward], lost[steward]) = (false, !won);
    }

    function escrowSigners(uint256 signers, bytes32 reason) external {
        (escrowed, escrowReason) = (signers, reason);
    }

    function isActiveSteward(address steward) public view returns (bool) {
        return this.stewardId(steward) != 0 && !unbonded[steward];
    }

    function seatCount() external view returns (uint256) {
        return this.seats().length;
    }

    function signersOf(uint256) external pure returns (address[] memory) {}
    function bondOf(address) external pure returns (uint256) {}
    function objectionBond() external pure returns (uint256) {}
    function receiptsOf(address) external pure returns (uint256) {}
}
