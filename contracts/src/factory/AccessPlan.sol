// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bytes} from "@openzeppelin/contracts/utils/Bytes.sol";
import {Pausing} from "../access/Pausing.sol";
import {Roles} from "../access/Roles.sol";
import {ContributionRegistry} from "../contribution/ContributionRegistry.sol";
import {PauseGuard} from "../governance/PauseGuard.sol";
import {DatasetCatalog} from "../market/DatasetCatalog.sol";
import {AuctionHouse} from "../market/AuctionHouse.sol";
import {ComputeDesk} from "../market/ComputeDesk.sol";
import {EthicsRegistry} from "../market/EthicsRegistry.sol";
import {License} from "../market/License.sol";
import {LicenseSale} from "../market/LicenseSale.sol";
import {ResearcherBond} from "../market/ResearcherBond.sol";
import {ServiceDesk} from "../market/ServiceDesk.sol";
import {Market} from "../market/Market.sol";
import {Membership} from "../membership/Membership.sol";
import {StewardBonds} from "../oracle/StewardBonds.sol";
import {StewardCommittee} from "../oracle/StewardCommittee.sol";
import {Disputes} from "../settlement/Disputes.sol";
import {Programs} from "../settlement/Programs.sol";
import {SettlementRules} from "../settlement/SettlementRules.sol";
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

    /// @dev Room for the rules that are being written; `n` are.
    struct List {
        Rule[] rules;
        uint256 n;
    }

    /// @dev A rule more than there is room for reverts.
    uint256 private constant ROOM = 64;
    uint256 private constant PAUSABLE = 11;

    /// @notice The rules of the cooperative whose contracts are `at`.
    /// @param at the contracts of a cooperative
    /// @return written one rule for each contract and role
    function rules(Parts calldata at) external pure returns (Rule[] memory written) {
        List memory list = List(new Rule[](ROOM), 0);
        _memberHouse(list, at);
        _tokenHouse(list, at);
        _treasury(list, at);
        _pauser(list, at);
        _seller(list, at);
        written = new Rule[](list.n);
        for (uint256 i; i < list.n; ++i) {
            written[i] = list.rules[i];
        }
    }

    /// @notice What the guardian may stop for a while.
    /// @param at the contracts of a cooperative
    /// @return targets whose `setPausedUntil` is PauseGuard's
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
        targets[9] = at.market;
        targets[10] = at.settlementLedger;
    }

    /// @notice Who sells licenses from the founding on.
    /// @param at the contracts of a cooperative
    /// @return holders of the role SELLER
    function sellers(Parts calldata at) external pure returns (address[] memory holders) {
        holders = new address[](3);
        (holders[0], holders[1], holders[2]) = (at.market, at.auctionHouse, at.computeDesk);
    }

    /// @dev What every way to sell a license does in the end.
    function _seller(List memory list, Parts calldata at) private pure {
        _add(list, at.treasury, Roles.SELLER, abi.encodePacked(Treasury.book.selector));
        _add(
            list,
            at.license,
            Roles.SELLER,
            abi.encodePacked(License.mint.selector, License.extend.selector, License.revoke.selector)
        );
    }

    function _pauser(List memory list, Parts calldata at) private pure {
        address[] memory targets = pausable(at);
        for (uint256 i; i < targets.length; ++i) {
            _add(list, targets[i], Roles.PAUSER, abi.encodePacked(Pausing.setPausedUntil.selector));
        }
    }

    /// @dev Who is in, who serves, what research is for.
    function _memberHouse(List memory list, Parts calldata at) private pure {
        _add(
            list,
            at.membership,
            Roles.MEMBER_HOUSE,
            abi.encodePacked(
                Membership.setRegistrar.selector, Membership.setAdmissionsPerEpoch.selector, Membership.expel.selector
            )
        );
        _add(
            list,
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
        _add(list, at.disputes, Roles.MEMBER_HOUSE, abi.encodePacked(Disputes.resolveObjection.selector));
        _add(list, at.pauseGuard, Roles.MEMBER_HOUSE, abi.encodePacked(PauseGuard.unpause.selector));
        _add(
            list,
            at.ethicsRegistry,
            Roles.MEMBER_HOUSE,
            abi.encodePacked(EthicsRegistry.withdraw.selector, EthicsRegistry.setEthicsBoard.selector)
        );
        bytes memory bondRequired = abi.encodePacked(LicenseSale.setBondRequired.selector);
        _add(list, at.market, Roles.MEMBER_HOUSE, bondRequired);
        _add(list, at.auctionHouse, Roles.MEMBER_HOUSE, bondRequired);
        _add(list, at.computeDesk, Roles.MEMBER_HOUSE, bondRequired);
        _add(list, at.researcherBond, Roles.MEMBER_HOUSE, abi.encodePacked(ResearcherBond.slash.selector));
    }

    /// @dev What is earned, what is paid, what it costs.
    function _tokenHouse(List memory list, Parts calldata at) private pure {
        _add(
            list,
            at.contributionRegistry,
            Roles.TOKEN_HOUSE,
            abi.encodePacked(ContributionRegistry.setCooldown.selector)
        );
        _add(list, at.settlementLedger, Roles.TOKEN_HOUSE, abi.encodePacked(SettlementRules.setParams.selector));
        _add(
            list,
            at.dataToken,
            Roles.TOKEN_HOUSE,
            abi.encodePacked(DataToken.setTransfersRestricted.selector, DataToken.setListed.selector)
        );
        _add(list, at.datasetCatalog, Roles.TOKEN_HOUSE, abi.encodePacked(DatasetCatalog.publish.selector));
        _add(list, at.treasury, Roles.TOKEN_HOUSE, abi.encodePacked(Treasury.setSplit.selector));
        _add(list, at.programs, Roles.TOKEN_HOUSE, abi.encodePacked(Programs.setProgram.selector));
        _add(
            list,
            at.market,
            Roles.TOKEN_HOUSE,
            abi.encodePacked(Market.setDataTerms.selector, Market.setRefundWindow.selector)
        );
        _add(list, at.auctionHouse, Roles.TOKEN_HOUSE, abi.encodePacked(AuctionHouse.setTerms.selector));
        _add(
            list,
            at.computeDesk,
            Roles.TOKEN_HOUSE,
            abi.encodePacked(ComputeDesk.setPrice.selector, ComputeDesk.setTimeout.selector)
        );
        _add(list, at.researcherBond, Roles.TOKEN_HOUSE, abi.encodePacked(ResearcherBond.setTerms.selector));
        _add(list, at.serviceDesk, Roles.TOKEN_HOUSE, abi.encodePacked(ServiceDesk.setService.selector));
    }

    /// @dev What leaves the Treasury, and the rates by which it leaves; what was promised of it.
    function _treasury(List memory list, Parts calldata at) private pure {
        _add(list, at.treasury, Roles.TREASURY, abi.encodePacked(Treasury.spend.selector, Treasury.spendToken.selector));
        _add(list, at.operatorPay, Roles.TREASURY, abi.encodePacked(OperatorPay.setRates.selector));
        _add(list, at.buyback, Roles.TREASURY, abi.encodePacked(Buyback.setTerms.selector));
        _add(list, at.vesting, Roles.TREASURY, abi.encodePacked(Vesting.create.selector, Vesting.revoke.selector));
    }

    function _add(List memory list, address target, uint64 role, bytes memory packed) private pure {
        list.rules[list.n++] = _rule(target, role, packed);
    }

    function _rule(address target, uint64 role, bytes memory packed) private pure returns (Rule memory) {
        bytes4[] memory selectors = new bytes4[](packed.length / 4);
        for (uint256 i; i < selectors.length; ++i) {
            selectors[i] = bytes4(Bytes.slice(packed, 4 * i, 4 * i + 4));
        }
        return Rule(target, role, selectors);
    }
}
