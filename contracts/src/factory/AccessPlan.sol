// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Pausing} from "../access/Pausing.sol";
import {Roles} from "../access/Roles.sol";
import {ContributionRegistry} from "../contribution/ContributionRegistry.sol";
import {PauseGuard} from "../governance/PauseGuard.sol";
import {DatasetCatalog} from "../market/DatasetCatalog.sol";
import {AuctionHouse} from "../market/AuctionHouse.sol";
import {ComputeDesk} from "../market/ComputeDesk.sol";
import {EthicsRegistry} from "../market/EthicsRegistry.sol";
import {LicenseSale} from "../market/LicenseSale.sol";
import {ResearcherBond} from "../market/ResearcherBond.sol";
import {ServiceDesk} from "../market/ServiceDesk.sol";
import {Market} from "../market/Market.sol";
import {Membership} from "../membership/Membership.sol";
import {StewardBonds} from "../oracle/StewardBonds.sol";
import {StewardCommittee} from "../oracle/StewardCommittee.sol";
import {SettlementLedger} from "../settlement/SettlementLedger.sol";
import {DataToken} from "../tokens/DataToken.sol";
import {Buyback} from "../treasury/Buyback.sol";
import {OperatorPay} from "../treasury/OperatorPay.sol";
import {Vesting} from "../treasury/Vesting.sol";
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

    uint256 private constant PAUSABLE = 9;
    uint256 private constant RULES = 20 + PAUSABLE;

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
        targets = new address[](PAUSABLE);
        targets[0] = at.membership;
        targets[1] = at.consentRegistry;
        targets[2] = at.contributionRegistry;
        targets[3] = at.stewardCommittee;
        targets[4] = at.auctionHouse;
        targets[5] = at.computeDesk;
        targets[6] = at.researcherBond;
        targets[7] = at.serviceDesk;
        targets[8] = at.buyback;
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
        list[9] = _rule(
            at.ethicsRegistry,
            Roles.MEMBER_HOUSE,
            abi.encodePacked(EthicsRegistry.withdraw.selector, EthicsRegistry.setEthicsBoard.selector)
        );
        bytes memory bondRequired = abi.encodePacked(LicenseSale.setBondRequired.selector);
        list[10] = _rule(at.auctionHouse, Roles.MEMBER_HOUSE, bondRequired);
        list[11] = _rule(at.computeDesk, Roles.MEMBER_HOUSE, bondRequired);
        list[12] = _rule(at.researcherBond, Roles.MEMBER_HOUSE, abi.encodePacked(ResearcherBond.slash.selector));
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
        list[7] = _rule(
            at.treasury,
            Roles.TOKEN_HOUSE,
            abi.encodePacked(Treasury.setSplit.selector, Treasury.spend.selector, Treasury.spendToken.selector)
        );
        list[13] = _rule(at.auctionHouse, Roles.TOKEN_HOUSE, abi.encodePacked(AuctionHouse.setTerms.selector));
        list[14] = _rule(
            at.computeDesk,
            Roles.TOKEN_HOUSE,
            abi.encodePacked(ComputeDesk.setPrice.selector, ComputeDesk.setTimeout.selector)
        );
        list[15] = _rule(at.researcherBond, Roles.TOKEN_HOUSE, abi.encodePacked(ResearcherBond.setTerms.selector));
        list[16] = _rule(at.serviceDesk, Roles.TOKEN_HOUSE, abi.encodePacked(ServiceDesk.setService.selector));
        list[17] = _rule(at.operatorPay, Roles.TOKEN_HOUSE, abi.encodePacked(OperatorPay.setRates.selector));
        list[18] = _rule(at.buyback, Roles.TOKEN_HOUSE, abi.encodePacked(Buyback.setTerms.selector));
        list[19] =
            _rule(at.vesting, Roles.TOKEN_HOUSE, abi.encodePacked(Vesting.create.selector, Vesting.revoke.selector));
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
