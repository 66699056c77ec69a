// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    ERC20PermitUpgradeable
} from "@openzeppelin/contracts-upgradeable/token/ERC20/extensions/ERC20PermitUpgradeable.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {DataToken} from "../../../src/tokens/DataToken.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract TokensTest is CoopTest {
    address internal alice;
    address internal bob;

    function setUp() public override {
        super.setUp();
        _joinMany(2);
        (alice, bob) = (vm.addr(memberKeys[1]), vm.addr(memberKeys[2]));
        vm.prank(address(ledger));
        dataToken.mint(alice, 100);
    }

    function test_RevertWhen_AnyoneButTheLedgerMints() external {
        vm.prank(founder);
        vm.expectRevert(abi.encodeWithSelector(DataToken.DataToken_OnlyLedger.selector, founder));
        dataToken.mint(founder, 1);
    }

    function test_WhenTransfersAreNotRestricted() external {
        vm.prank(alice);
        dataToken.transfer(stranger, 40);
        assertEq(dataToken.balanceOf(stranger), 40);
    }

    function test_WhenTransfersAreRestricted() external {
        vm.startPrank(tokenHouse);
        dataToken.setTransfersRestricted(true);
        dataToken.setListed(address(market), true);
        vm.stopPrank();
        assertTrue(dataToken.transfersRestricted());
        assertTrue(dataToken.isListed(address(market)));
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(DataToken.DataToken_TransferNotListed.selector, alice, bob));
        dataToken.transfer(bob, 1);
        dataToken.transfer(address(market), 10);
        dataToken.burn(5);
        vm.stopPrank();
        vm.prank(address(market));
        dataToken.transfer(bob, 10);
        vm.prank(address(ledger));
        dataToken.mint(alice, 5);
        assertEq(dataToken.balanceOf(alice), 90);
        assertEq(dataToken.totalSupply(), 100);
    }

    function test_Permit() external {
        bytes32 hash = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(hash, alice, bob, 7, 0, block.timestamp));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(memberKeys[1], _typed("DataToken", address(dataToken), structHash));
        dataToken.permit(alice, bob, 7, block.timestamp, v, r, s);
        assertEq(dataToken.allowance(alice, bob), 7);
        bytes32 next = keccak256(abi.encode(hash, alice, bob, 7, 1, block.timestamp));
        address nobody = ecrecover(_typed("DataToken", address(dataToken), next), v, r, s);
        vm.expectRevert(abi.encodeWithSelector(ERC20PermitUpgradeable.ERC2612InvalidSigner.selector, nobody, alice));
        dataToken.permit(alice, bob, 7, block.timestamp, v, r, s);
    }

    function test_RevertWhen_TheCallerIsNotAuthorized() external {
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice);
        vm.startPrank(alice);
        vm.expectRevert(unauthorized);
        dataToken.setTransfersRestricted(true);
        vm.expectRevert(unauthorized);
        dataToken.setListed(alice, true);
        vm.expectRevert(unauthorized);
        govToken.setListed(alice, true);
    }
}
