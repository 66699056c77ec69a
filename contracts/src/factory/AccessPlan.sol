// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Pausing} from "../access/Pausing.sol";
import {Roles} from "../access/Roles.sol";
import {ContributionRegistry} from "../contribution/ContributionRegistry.sol";
import {AuctionHouse} from "../market/AuctionHouse.sol";
import {ComputeDesk} from "../market/ComputeDesk.sol";
import {DatasetCatalog} from "../market/DatasetCatalog.sol";
import {EthicsRegistry} from "../market/EthicsRegistry.sol";
import {LicenseSale} from "../market/LicenseSale.sol";
import {Market} from "../market/Market.sol";
import {ResearcherBond} from "../market/ResearcherBond.sol";
import {ServiceDesk} from "../market/ServiceDesk.sol";
import {Membership} from "../membership/Membership.sol";
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

    /// @dev Room for the rules that are being written; `n` are.
    struct List {
        Rule[] rules;
        uint256 n;
    }

    /// @dev A rule more than there is room for reverts.
    uint256 private constant ROOM = 64;

    /// @notice The rules of the cooperative whose contracts are `at`.
    function rules(Parts calldata at) external pure returns (Rule[] memory written) {
        List memory list = List(new Rule[](ROOM), 0);
        _memberHouse(list, at);
        _memberHouseOnSales(list, at);
        _tokenHouse(list, at);
        _tokenHouseOnSales(list, at);
        _pauser(list, at);
        written = new Rule[](list.n);
        for (uint256 i; i < list.n; ++i) {
            written[i] = list.rules[i];
        }
    }

    /// @notice What the guardian may stop for a while.
    function pausable(Parts calldata at) public pure returns (address[] memory targets) {
        targets = new address[](8);
        targets[0] = at.membership;
        targets[1] = at.consentRegistry;
        targets[2] = at.contributionRegistry;
        targets[3] = at.market;
        targets[4] = at.auctionHouse;
        targets[5] = at.computeDesk;
        targets[6] = at.researcherBond;
        targets[7] = at.serviceDesk;
    }

    function _pauser(List memory list, Parts calldata at) private pure {
        address[] memory targets = pausable(at);
        for (uint256 i; i < targets.length; ++i) {
            _add(list, targets[i], Roles.PAUSER, abi.encodePacked(Pausing.setPausedUntil.selector));
        }
    }

    /// @dev Who is in, who serves.
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
                StewardCommittee.setGateway.selector
            )
        );
    }

    /// @dev What research is for, and what a researcher has at stake.
    function _memberHouseOnSales(List memory list, Parts calldata at) private pure {
        _add(
            list,
            at.ethicsRegistry,
            Roles.MEMBER_HOUSE,
            abi.encodePacked(EthicsRegistry.setEthicsBoard.selector, EthicsRegistry.withdraw.selector)
        );
        _add(list, at.researcherBond, Roles.MEMBER_HOUSE, abi.encodePacked(ResearcherBond.slash.selector));
        address[3] memory sales = [at.market, at.auctionHouse, at.computeDesk];
        for (uint256 i; i < sales.length; ++i) {
            _add(list, sales[i], Roles.MEMBER_HOUSE, abi.encodePacked(LicenseSale.setBondRequired.selector));
        }
    }

    /// @dev What is earned and what is paid.
    function _tokenHouse(List memory list, Parts calldata at) private pure {
        _add(
            list,
            at.contributionRegistry,
            Roles.TOKEN_HOUSE,
            abi.encodePacked(ContributionRegistry.setCooldown.selector)
        );
        _add(list, at.settlementLedger, Roles.TOKEN_HOUSE, abi.encodePacked(SettlementLedger.setParams.selector));
        _add(
            list,
            at.dataToken,
            Roles.TOKEN_HOUSE,
            abi.encodePacked(DataToken.setTransfersRestricted.selector, DataToken.setListed.selector)
        );
        _add(list, at.treasury, Roles.TOKEN_HOUSE, abi.encodePacked(Treasury.setSplit.selector));
    }

    /// @dev What is sold, and what it costs.
    function _tokenHouseOnSales(List memory list, Parts calldata at) private pure {
        _add(list, at.datasetCatalog, Roles.TOKEN_HOUSE, abi.encodePacked(DatasetCatalog.publish.selector));
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

    function _add(List memory list, address target, uint64 role, bytes memory packed) private pure {
        list.rules[list.n++] = _rule(target, role, packed);
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
