// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Pausing} from "../access/Pausing.sol";
import {Roles} from "../access/Roles.sol";
import {ContributionRegistry} from "../contribution/ContributionRegistry.sol";
import {PauseGuard} from "../governance/PauseGuard.sol";
import {DatasetCatalog} from "../market/DatasetCatalog.sol";
import {Market} from "../market/Market.sol";
import {Membership} from "../membership/Membership.sol";
import {StewardBonds} from "../oracle/StewardBonds.sol";
import {StewardCommittee} from "../oracle/StewardCommittee.sol";
import {SettlementLedger} from "../settlement/SettlementLedger.sol";
import {DataToken} from "../tokens/DataToken.sol";
import {Treasury} from "../treasury/Treasury.sol";
import {Parts} from "./Parts.sol";

/// @title AccessPlan
/// @notice Which role may call which restricted function, for a whole cooperative, in one place.
/// @dev What is not named here is the charter's: upgrades, roles, bounds, GOV's list of holders.
contract AccessPlan {
    /// @notice On `target`, `role` may call `selectors`.
    struct Rule {
        address target;
        uint64 role;
        bytes4[] selectors;
    }

    uint256 private constant RULES = 13;

    /// @notice The rules of the cooperative whose contracts are `at`.
    function rules(Parts calldata at) external pure returns (Rule[] memory list) {
        list = new Rule[](RULES);
        _memberHouse(list, at);
        _tokenHouse(list, at);
        address[] memory targets = pausable(at);
        for (uint256 i; i < targets.length; ++i) {
            list[RULES - 1 - i] = _rule(targets[i], Roles.PAUSER, abi.encodePacked(Pausing.setPausedUntil.selector));
        }
    }

    /// @notice What the guardian may stop for a while.
    function pausable(Parts calldata at) public pure returns (address[] memory targets) {
        targets = new address[](4);
        targets[0] = at.membership;
        targets[1] = at.consentRegistry;
        targets[2] = at.contributionRegistry;
        targets[3] = at.stewardCommittee;
    }

    /// @dev Who is in, who serves, what research is for.
    function _memberHouse(Rule[] memory list, Parts calldata at) private pure {
        list[0] = _rule(
            at.membership,
            Roles.MEMBER_HOUSE,
            abi.encodePacked(
                Membership.setRegistrar.selector, Membership.setAdmissionsPerEpoch.selector, Membership.expel.selector
            )
        );
        list[1] = _rule(
            at.stewardCommittee,
            Roles.MEMBER_HOUSE,
            abi.encodePacked(
                StewardCommittee.seat.selector,
                StewardCommittee.registerWorker.selector,
                StewardCommittee.removeWorker.selector,
                StewardCommittee.setGateway.selector,
                StewardBonds.setMinBond.selector,
                StewardBonds.setObjectionBond.selector,
                StewardBonds.openSlash.selector,
                StewardBonds.confirmSlash.selector,
                StewardBonds.rejectSlash.selector
            )
        );
        list[2] = _rule(at.market, Roles.MEMBER_HOUSE, abi.encodePacked(Market.approveResearcher.selector));
        list[8] = _rule(at.pauseGuard, Roles.MEMBER_HOUSE, abi.encodePacked(PauseGuard.unpause.selector));
    }

    /// @dev What is earned, what is paid, what it costs.
    function _tokenHouse(Rule[] memory list, Parts calldata at) private pure {
        list[3] = _rule(
            at.contributionRegistry, Roles.TOKEN_HOUSE, abi.encodePacked(ContributionRegistry.setCooldown.selector)
        );
        list[4] = _rule(at.settlementLedger, Roles.TOKEN_HOUSE, abi.encodePacked(SettlementLedger.setParams.selector));
        list[5] = _rule(
            at.dataToken,
            Roles.TOKEN_HOUSE,
            abi.encodePacked(DataToken.setTransfersRestricted.selector, DataToken.setListed.selector)
        );
        list[6] = _rule(at.datasetCatalog, Roles.TOKEN_HOUSE, abi.encodePacked(DatasetCatalog.publish.selector));
        list[7] = _rule(at.treasury, Roles.TOKEN_HOUSE, abi.encodePacked(Treasury.setSplit.selector));
    }

    function _rule(address target, uint64 role, bytes memory packed) private pure returns (Rule memory) {
        bytes4[] memory selectors = new bytes4[](packed.length / 4);
        for (uint256 i; i < selectors.length; ++i) {
            bytes32 word;
            assembly ("memory-safe") {
                word := mload(add(add(packed, 32), shl(2, i)))
            }
            selectors[i] = bytes4(word);
        }
        return Rule(target, role, selectors);
    }
}
