// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {Roles} from "../../../src/access/Roles.sol";
import {AccessPlan} from "../../../src/factory/AccessPlan.sol";
import {FoundingPlan} from "../../../src/factory/FoundingPlan.sol";
import {Parts} from "../../../src/factory/Parts.sol";
import {AbiReader} from "../../utils/AbiReader.sol";
import {CoopTest} from "../../utils/CoopTest.sol";
import {PrivilegeTable} from "./PrivilegeTable.sol";

/// @notice Every state-changing function in abi/ is called as a stranger, as the founder, as the factory and as who
/// deployed the code: it is open by design or refuses all of them, and the role that it asks for is the one that the
/// table says. What is open refuses nobody for who they are, and no entry covers two functions of one name.
contract PrivilegesTest is CoopTest, AbiReader, PrivilegeTable {
    /// @dev Enough zeros to be decoded as the arguments of any function: an offset of 0 finds a length of 0.
    uint256 private constant ZEROS = 96 * 32;

    mapping(string name => address[]) private instances;
    mapping(string name => string) private outside;
    address[4] private nobodies;
    /// @dev How many functions the walk found that belong to a house or the guardian.
    uint256 private given;

    function setUp() public override {
        super.setUp();
        _fillTable();
        _fillInstances();
        nobodies = [stranger, founder, address(factory), address(this)];
    }

    function _fillInstances() private {
        Parts memory at = factory.partsOf(coopId);
        instances["CoopAuthority"] = [at.authority];
        instances["CoopTimelock"] = [at.tokenTimelock, at.memberTimelock];
        instances["CoopGovernor"] = [at.tokenGovernor, at.memberGovernor];
        instances["CharterGate"] = [at.charterGate];
        instances["PauseGuard"] = [at.pauseGuard];
        instances["Membership"] = [at.membership];
        instances["ConsentRegistry"] = [at.consentRegistry];
        instances["ContributionRegistry"] = [at.contributionRegistry];
        instances["StewardCommittee"] = [at.stewardCommittee];
        instances["SettlementLedger"] = [at.settlementLedger];
        instances["DataToken"] = [at.dataToken];
        instances["GovToken"] = [at.govToken];
        instances["DatasetCatalog"] = [at.datasetCatalog];
        instances["License"] = [at.license];
        instances["Market"] = [at.market];
        instances["EthicsRegistry"] = [at.ethicsRegistry];
        instances["AuctionHouse"] = [at.auctionHouse];
        instances["ComputeDesk"] = [at.computeDesk];
        instances["ResearcherBond"] = [at.researcherBond];
        instances["ServiceDesk"] = [at.serviceDesk];
        instances["OperatorPay"] = [at.operatorPay];
        instances["Buyback"] = [at.buyback];
        instances["Vesting"] = [at.vesting];
        instances["Programs"] = [at.programs];
        instances["Disputes"] = [at.disputes];
        instances["Treasury"] = [at.treasury];
        outside["AccessPlan"] = "no state";
        outside["ContestVerifier"] = "no state";
        outside["FoundingCheck"] = "no state";
        outside["FoundingPlan"] = "no state";
        outside["CoopFactory"] = "before the cooperative";
        outside["ERC1967Proxy"] = "no function of its own";
        outside["MemberAccount"] = "a member's own";
        outside["MemberAccountFactory"] = "no owner, no state";
        outside["TestUSDC"] = "not a part: a developer's chain";
    }

    function test_EveryFunctionIsOpenByDesignOrOfARole() external {
        string[] memory names = _contractNames();
        assertGt(names.length, 15, "abi/ was found");
        for (uint256 i; i < names.length; ++i) {
            address[] memory at = instances[names[i]];
            bool isOutside = bytes(outside[names[i]]).length != 0;
            assertTrue(isOutside != (at.length != 0), string.concat("say where it is: ", names[i]));
            for (uint256 k; k < at.length; ++k) {
                _walk(names[i], at[k]);
            }
        }
        for (uint256 i; i < keys.length; ++i) {
            assertTrue(entries[keccak256(bytes(keys[i]))].seen, string.concat("no such function: ", keys[i]));
        }
        assertEq(given, _planned(), "the plan has as many rules as the table, none of them twice");
    }

    /// @dev How many functions the plan gives away.
    function _planned() private view returns (uint256 n) {
        AccessPlan.Rule[] memory rules =
            FoundingPlan(address(factory.plan())).accessPlan().rules(factory.partsOf(coopId));
        for (uint256 i; i < rules.length; ++i) {
            n += rules[i].selectors.length;
        }
    }

    function _walk(string memory name, address target) private {
        Function[] memory functions = _stateChanging(name);
        for (uint256 i; i < functions.length; ++i) {
            string memory key = string.concat(name, ".", functions[i].name);
            Entry storage e = entries[keccak256(bytes(key))];
            if (e.kind == Kind.Unknown) e = entries[keccak256(bytes(string.concat("*.", functions[i].name)))];
            assertTrue(e.kind != Kind.Unknown, string.concat("open, or whose? ", key));
            assertEq(_named(functions, functions[i].name), e.overloads, string.concat("another of that name: ", key));
            e.seen = true;
            bytes4 selector = functions[i].selector;
            if (e.kind == Kind.Role) {
                assertEq(manager.getTargetFunctionRole(target, selector), e.role, key);
                assertLe(e.role, Roles.SELLER, key);
                if (e.role != Roles.CHARTER) ++given;
                assertEq(e.role == Roles.PAUSER, _is(functions[i].name, "setPausedUntil"), key);
            } else {
                assertEq(manager.getTargetFunctionRole(target, selector), Roles.CHARTER, "a role for no reason");
            }
            for (uint256 k; k < nobodies.length; ++k) {
                _callAs(nobodies[k], target, selector, e.kind, key);
            }
        }
    }

    /// @dev How many functions of one contract have a name: one entry must not cover a function that nobody looked at.
    function _named(Function[] memory functions, string memory name) private pure returns (uint256 n) {
        for (uint256 i; i < functions.length; ++i) {
            if (_is(functions[i].name, name)) ++n;
        }
    }

    function _callAs(address caller, address target, bytes4 selector, Kind kind, string memory key) private {
        uint256 snapshot = vm.snapshotState();
        vm.prank(caller);
        (bool ok, bytes memory result) = target.call(abi.encodePacked(selector, new bytes(ZEROS)));
        vm.revertToState(snapshot);
        bool unauthorized = bytes4(result) == IAccessManaged.AccessManagedUnauthorized.selector && !ok;
        assertTrue(ok || result.length != 0 || kind == Kind.Self, string.concat("not understood: ", key));
        assertEq(unauthorized, kind == Kind.Role, key);
        if (kind == Kind.Role || kind == Kind.Peer || kind == Kind.Member) {
            // Refused for who calls: `SomeError(address caller)`.
            assertFalse(ok, key);
            assertEq(result, abi.encodeWithSelector(bytes4(result), caller), key);
        } else if (kind == Kind.Open) {
            assertNotEq(result, abi.encodeWithSelector(bytes4(result), caller), string.concat("not open: ", key));
        } else if (kind == Kind.Once) {
            assertEq(bytes4(result), Initializable.InvalidInitialization.selector, key);
        } else if (kind == Kind.Self) {
            assertFalse(ok, key);
        }
    }

    /// @dev The plan names nothing that does not exist, and nothing twice.
    function test_ThePlanIsInForceAndExact() external {
        AccessPlan.Rule[] memory rules =
            FoundingPlan(address(factory.plan())).accessPlan().rules(factory.partsOf(coopId));
        for (uint256 i; i < rules.length; ++i) {
            for (uint256 k; k < rules[i].selectors.length; ++k) {
                bytes4 selector = rules[i].selectors[k];
                assertEq(manager.getTargetFunctionRole(rules[i].target, selector), rules[i].role);
                assertNotEq(rules[i].role, Roles.CHARTER, "the default is not repeated");
                vm.prank(stranger);
                (bool ok, bytes memory result) = rules[i].target.call(abi.encodePacked(selector, new bytes(ZEROS)));
                assertFalse(ok);
                assertEq(result, abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
            }
        }
    }
}
