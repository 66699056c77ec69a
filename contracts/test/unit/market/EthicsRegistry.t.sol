// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {EthicsRegistry} from "../../../src/market/EthicsRegistry.sol";
import {ContractSigner} from "../../utils/ContractSigner.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract EthicsRegistryTest is SaleTest {
    string private constant PROTOCOL = '{"country":"SE","notForProfit":true}';

    /// @dev One about whom the board has not decided anything.
    function setUp() public override {
        super.setUp();
        researcher = makeAddr("another researcher");
    }

    function _approval() private view returns (EthicsRegistry.Approval memory) {
        return EthicsRegistry.Approval(researcher, PURPOSE, GENESIS + 30 days, PROTOCOL, 0, block.timestamp);
    }

    function test_RevertWhen_APartIsMissing() external {
        address code = address(new EthicsRegistry());
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "ethicsBoard"));
        _proxy(code, abi.encodeCall(EthicsRegistry.initialize, (address(manager), address(0))));
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "authority"));
        _proxy(code, abi.encodeCall(EthicsRegistry.initialize, (address(0), board)));
    }

    function test_RevertWhen_TheApprovalIsNotAllowed() external {
        EthicsRegistry.Approval memory a = _approval();
        a.researcher = address(0);
        vm.expectRevert(EthicsRegistry.EthicsRegistry_ZeroResearcher.selector);
        ethics.approve(a, "");
        a = _approval();
        a.deadline = block.timestamp - 1;
        vm.expectRevert(abi.encodeWithSelector(EthicsRegistry.EthicsRegistry_Expired.selector, a.deadline));
        ethics.approve(a, "");
        a = _approval();
        a.nonce = 1;
        vm.expectRevert(abi.encodeWithSelector(EthicsRegistry.EthicsRegistry_BadNonce.selector, 1, 0));
        ethics.approve(a, "");
    }

    function test_TheProtocolHasABound() external {
        EthicsRegistry.Approval memory a = _approval();
        a.protocol = string(new bytes(1025));
        bytes memory signature = _sign(boardKey, _approvalDigest(a));
        vm.expectRevert(abi.encodeWithSelector(EthicsRegistry.EthicsRegistry_ProtocolTooLong.selector, 1025, 1024));
        ethics.approve(a, signature);
        a.protocol = string(new bytes(1024));
        signature = _sign(boardKey, _approvalDigest(a));
        ethics.approve(a, signature);
        assertTrue(ethics.isApproved(researcher, PURPOSE));
    }

    function test_RevertWhen_SignedByAnyoneElseOrForSomethingElse() external {
        EthicsRegistry.Approval memory a = _approval();
        bytes memory bad = abi.encodeWithSelector(EthicsRegistry.EthicsRegistry_BadSignature.selector, board);
        bytes memory signature = _sign(researcherKey, _approvalDigest(a));
        vm.expectRevert(bad);
        ethics.approve(a, signature);
        signature = _sign(boardKey, _approvalDigest(a));
        EthicsRegistry.Approval memory other = _approval();
        other.purpose++;
        vm.expectRevert(bad);
        ethics.approve(other, signature);
        other = _approval();
        other.until++;
        vm.expectRevert(bad);
        ethics.approve(other, signature);
        other = _approval();
        other.researcher = stranger;
        vm.expectRevert(bad);
        ethics.approve(other, signature);
        other = _approval();
        other.protocol = '{"country":"NO","notForProfit":true}';
        vm.expectRevert(bad);
        ethics.approve(other, signature);
        vm.chainId(1);
        vm.expectRevert(bad);
        ethics.approve(a, signature);
    }

    function test_WhenTheBoardIsAContract() external {
        ContractSigner safe = new ContractSigner(board);
        vm.expectEmit(address(ethics));
        emit EthicsRegistry.EthicsBoardSet(address(safe));
        vm.prank(memberHouse);
        ethics.setEthicsBoard(address(safe));
        assertEq(ethics.ethicsBoard(), address(safe));
        _approve(researcher, PURPOSE, GENESIS + 1);
        assertTrue(ethics.isApproved(researcher, PURPOSE));
    }

    function test_WhenApprovedUntilATime() external {
        EthicsRegistry.Approval memory a = _approval();
        bytes memory signature = _sign(boardKey, _approvalDigest(a));
        vm.expectEmit(address(ethics));
        emit EthicsRegistry.ResearcherApproved(researcher, PURPOSE, a.until, PROTOCOL);
        vm.prank(stranger);
        ethics.approve(a, signature);
        assertEq(ethics.approvedUntil(researcher, PURPOSE), a.until);
        assertEq(ethics.nonceOf(researcher, PURPOSE), 1);
        assertFalse(ethics.isApproved(researcher, PURPOSE + 1));
        vm.expectRevert(abi.encodeWithSelector(EthicsRegistry.EthicsRegistry_BadNonce.selector, 0, 1));
        ethics.approve(a, signature);
        vm.warp(a.until - 1);
        assertTrue(ethics.isApproved(researcher, PURPOSE));
        vm.warp(a.until);
        assertFalse(ethics.isApproved(researcher, PURPOSE));
    }

    function test_WhenATimeThatHasPassedWithdraws() external {
        _approve(researcher, PURPOSE, GENESIS + 1 days);
        _approve(researcher, PURPOSE, GENESIS);
        assertFalse(ethics.isApproved(researcher, PURPOSE));
    }

    function test_RevertWhen_AnyoneElseWithdraws() external {
        vm.prank(board);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, board));
        ethics.withdraw(researcher, PURPOSE);
    }

    function test_WhenTheHouseWithdrawsWhatWasSignedBeforeIsVoid() external {
        _approve(researcher, PURPOSE, GENESIS + 30 days);
        EthicsRegistry.Approval memory a = _approval();
        a.nonce = 1;
        bytes memory signature = _sign(boardKey, _approvalDigest(a));
        vm.expectEmit(address(ethics));
        emit EthicsRegistry.ResearcherApproved(researcher, PURPOSE, 0, "");
        vm.prank(memberHouse);
        ethics.withdraw(researcher, PURPOSE);
        assertFalse(ethics.isApproved(researcher, PURPOSE));
        vm.expectRevert(abi.encodeWithSelector(EthicsRegistry.EthicsRegistry_BadNonce.selector, 1, 2));
        ethics.approve(a, signature);
    }

    function test_RevertWhen_TheBoardIsNotAllowed() external {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        ethics.setEthicsBoard(stranger);
        vm.prank(memberHouse);
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "ethicsBoard"));
        ethics.setEthicsBoard(address(0));
    }

    function test_WhenTheBoardChangesTheOldOneIsNotAsked() external {
        vm.prank(memberHouse);
        ethics.setEthicsBoard(stranger);
        EthicsRegistry.Approval memory a = _approval();
        bytes memory signature = _sign(boardKey, _approvalDigest(a));
        vm.expectRevert(abi.encodeWithSelector(EthicsRegistry.EthicsRegistry_BadSignature.selector, stranger));
        ethics.approve(a, signature);
    }
}
