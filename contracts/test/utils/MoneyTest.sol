// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Roles} from "../../src/access/Roles.sol";
import {TestUSDC} from "../../src/testing/TestUSDC.sol";
import {DataToken} from "../../src/tokens/DataToken.sol";
import {ITreasury} from "../../src/treasury/ITreasury.sol";

/// @notice An authority that one key holds, USDC and DATA: what the contracts around the Treasury need, without a whole cooperative.
abstract contract MoneyTest is Test {
    AccessManager internal manager;
    TestUSDC internal usdc;
    DataToken internal data;

    address internal founder = makeAddr("founder");
    address internal stranger = makeAddr("stranger");
    address internal ledger = makeAddr("ledger");

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        manager = new AccessManager(founder);
        usdc = new TestUSDC();
        data = DataToken(
            _proxy(
                address(new DataToken()),
                abi.encodeCall(DataToken.initialize, (address(manager), ledger, new DataToken.Genesis[](0)))
            )
        );
    }

    function _proxy(address code, bytes memory init) internal returns (address) {
        return address(new ERC1967Proxy(code, init));
    }

    /// @dev As AccessPlan has it.
    function _letSell(address treasury, address seller) internal {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = ITreasury.book.selector;
        vm.startPrank(founder);
        manager.setTargetFunctionRole(treasury, selectors, Roles.SELLER);
        manager.grantRole(Roles.SELLER, seller, 0);
        vm.stopPrank();
    }

    function _mintData(address to, uint256 amount) internal {
        vm.prank(ledger);
        data.mint(to, amount);
    }

    /// @dev The first slot of a contract's storage, where ERC-7201 puts it for this name, is not empty.
    function _assertStorage(address at, string memory name) internal view {
        uint256 id = uint256(keccak256(bytes(string.concat("rochdale.storage.", name)))) - 1;
        assertNotEq(vm.load(at, keccak256(abi.encode(id)) & ~bytes32(uint256(0xff))), 0, name);
    }

    function _expectUnauthorized(address caller) internal {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller));
    }
}
