// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {Pausing} from "../../../src/access/Pausing.sol";
import {ISyncedVotes} from "../../../src/membership/IMembership.sol";
import {Membership} from "../../../src/membership/Membership.sol";
import {ISettlementLedger} from "../../../src/settlement/ISettlementLedger.sol";
import {ContractSigner} from "../../utils/ContractSigner.sol";
import {EndingTest} from "../../utils/EndingTest.sol";

/// @notice Stands where GovToken is and looks at what it is told, and when.
contract VotesProbe is ISyncedVotes {
    Membership private immutable MEMBERSHIP;
    address public synced;
    bool public wasMember;
    uint256 public calls;

    constructor(Membership membership) {
        MEMBERSHIP = membership;
    }

    function sync(address account) external {
        (synced, wasMember) = (account, MEMBERSHIP.isMember(account));
        ++calls;
    }
}

contract MembershipEndingTest is EndingTest {
    uint32 internal id;
    address internal account;
    address internal elsewhere = makeAddr("elsewhere");
    Membership.Leave internal l;
    Membership.Payout internal p;

    function setUp() public override {
        super.setUp();
        id = _join();
        account = vm.addr(memberKeys[id]);
        l = _leaveOf(id);
        p = _payoutOf(id, elsewhere);
    }

    function _expectRefusals(bytes memory leaveSignature, bytes memory payoutSignature, bytes memory reason) internal {
        vm.expectRevert(reason);
        membership.leave(l, leaveSignature);
        vm.expectRevert(reason);
        membership.setPayout(p, payoutSignature);
    }

    function _badSignature() internal view returns (bytes memory) {
        return abi.encodeWithSelector(Membership.Membership_BadSignature.selector, id);
    }

    // --------------------------------------------------------------------------------------- leave, setPayout

    function test_RevertWhen_TheDeadlineHasPassed() external {
        bytes memory leaving = _sign(memberKeys[id], _leaveDigest(l));
        bytes memory paying = _sign(memberKeys[id], _payoutDigest(p));
        vm.warp(l.deadline + 1);
        _expectRefusals(leaving, paying, abi.encodeWithSelector(Membership.Membership_Expired.selector, l.deadline));
    }

    function test_RevertWhen_TheNonceIsNotTheNext() external {
        bytes memory paying = _sign(memberKeys[id], _payoutDigest(p));
        membership.setPayout(p, paying);
        bytes memory replayed = abi.encodeWithSelector(Membership.Membership_BadNonce.selector, 0, 1);
        _expectRefusals(_sign(memberKeys[id], _leaveDigest(l)), paying, replayed);
        (l.nonce, p.nonce) = (2, 2);
        bytes memory ahead = abi.encodeWithSelector(Membership.Membership_BadNonce.selector, 2, 1);
        _expectRefusals(_sign(memberKeys[id], _leaveDigest(l)), _sign(memberKeys[id], _payoutDigest(p)), ahead);
    }

    function test_RevertWhen_TheIdWasNeverIssued() external {
        (l.memberId, p.memberId) = (9, 9);
        bytes memory reason = abi.encodeWithSelector(Membership.Membership_BadSignature.selector, 9);
        _expectRefusals(_sign(memberKeys[id], _leaveDigest(l)), _sign(memberKeys[id], _payoutDigest(p)), reason);
        assertEq(membership.accountOf(9), address(0));
    }

    function test_RevertWhen_TheSignatureIsNotTheMembers() external {
        _expectRefusals(_sign(registrarKey, _leaveDigest(l)), _sign(registrarKey, _payoutDigest(p)), _badSignature());
        _expectRefusals("", "", _badSignature());
    }

    function test_RevertWhen_TheSignatureIsMalleated() external {
        uint256 key = memberKeys[id];
        _expectRefusals(_malleated(key, _leaveDigest(l)), _malleated(key, _payoutDigest(p)), _badSignature());
    }

    function test_RevertWhen_SignedForAnotherChain() external {
        bytes memory leaving = _sign(memberKeys[id], _leaveDigest(l));
        bytes memory paying = _sign(memberKeys[id], _payoutDigest(p));
        vm.chainId(1);
        _expectRefusals(leaving, paying, _badSignature());
    }

    function test_RevertWhen_SignedForAnotherContractOrStruct() external {
        Membership real = membership;
        membership = Membership(address(consents));
        bytes memory leaving = _sign(memberKeys[id], _leaveDigest(l));
        bytes memory paying = _sign(memberKeys[id], _payoutDigest(p));
        membership = real;
        _expectRefusals(leaving, paying, _badSignature());
        // The same words under the names of another struct.
        bytes32 erase = keccak256("ConsentErase(uint32 memberId,uint256 nonce,uint256 deadline)");
        bytes32 digest = _typed("Membership", address(membership), keccak256(abi.encode(erase, l)));
        _expectRefusals(_sign(memberKeys[id], digest), _sign(memberKeys[id], _leaveDigest(l)), _badSignature());
    }

    function testFuzz_RevertWhen_ASignedFieldWasChanged(uint256 flip) external {
        bytes memory leaving = _sign(memberKeys[id], _leaveDigest(l));
        bytes memory paying = _sign(memberKeys[id], _payoutDigest(p));
        l.deadline ^= bound(flip, 1, 1 << 20);
        vm.assume(l.deadline >= block.timestamp);
        p.payout = address(uint160(p.payout) ^ uint160(bound(flip, 1, type(uint160).max)));
        _expectRefusals(leaving, paying, _badSignature());
    }

    function test_WhenTheMemberIsAContractAccount() external {
        ContractSigner signer = new ContractSigner(vm.addr(77));
        Membership.Admission memory a = _admission(address(signer), stranger);
        id = membership.join(a, _sign(registrarKey, _admissionDigest(a)));
        (l, p) = (_leaveOf(id), _payoutOf(id, elsewhere));
        _expectRefusals(_sign(78, _leaveDigest(l)), _sign(78, _payoutDigest(p)), _badSignature());
        membership.setPayout(p, _sign(77, _payoutDigest(p)));
        l = _leaveOf(id);
        membership.leave(l, _sign(77, _leaveDigest(l)));
        p = _payoutOf(id, stranger);
        membership.setPayout(p, _sign(77, _payoutDigest(p)));
        assertEq(membership.payoutOf(id), stranger, "the account that it was still decides");
    }

    // ----------------------------------------------------------------------------------------- leave, expel

    function _assertEnded() internal view {
        (address now_, address payout, bool active) = membership.memberOf(id);
        assertEq(now_, address(0));
        assertFalse(active);
        assertFalse(membership.isMember(account));
        assertEq(membership.activeAccountOf(id), address(0));
        assertEq(membership.balanceOf(account), 0);
        assertEq(membership.accountOf(id), account, "the account stays known");
        assertEq(membership.memberIdOf(account), id);
        assertEq(payout, _payoutAddress(1));
        (, uint40 endedAt) = membership.membershipTimes(id);
        assertEq(endedAt, block.timestamp);
        assertEq(membership.getVotes(account), 0, "the vote ends in this block");
    }

    function test_WhenLeaving() external {
        vm.warp(GENESIS + 31 days);
        l = _leaveOf(id);
        bytes memory signature = _sign(memberKeys[id], _leaveDigest(l));
        assertEq(membership.getVotes(account), 1);
        vm.expectEmit(address(membership));
        emit Membership.Left(id);
        vm.expectEmit(address(membership));
        emit IERC721.Transfer(account, address(0), id);
        vm.expectEmit(address(membership));
        emit Membership.Ended(id);
        vm.prank(stranger); // anyone may send it
        membership.leave(l, signature);
        _assertEnded();
        assertEq(membership.nonceOf(id), 0);

        vm.warp(block.timestamp + 1);
        assertEq(membership.getPastVotes(account, GENESIS + 31 days), 0);
        assertEq(membership.getPastVotes(account, GENESIS + 31 days - 1), 1);
        assertEq(membership.getPastTotalSupply(GENESIS + 31 days), 0);
        vm.expectRevert(abi.encodeWithSelector(Membership.Membership_NotActive.selector, id));
        membership.leave(l, signature);
    }

    function test_WhenLeavingInTheBlockOfJoining() external {
        _leave(id);
        _assertEnded();
        vm.warp(GENESIS + 60 days);
        assertEq(membership.getPastVotes(account, GENESIS + 59 days), 0);
        assertEq(membership.getPastTotalSupply(GENESIS + 59 days), 0);
    }

    function test_RevertWhen_LeavingAfterTheEnd() external {
        _erase(id);
        bytes memory signature = _sign(memberKeys[id], _leaveDigest(l));
        vm.expectRevert(abi.encodeWithSelector(Membership.Membership_NotActive.selector, id));
        membership.leave(l, signature);
    }

    function test_RevertWhen_ExpelledByAStranger() external {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        membership.expel(id, keccak256("reasons"));
    }

    function test_RevertWhen_ExpellingWhoIsNotActive() external {
        vm.startPrank(memberHouse);
        vm.expectRevert(abi.encodeWithSelector(Membership.Membership_NotActive.selector, 9));
        membership.expel(9, keccak256("reasons"));
        membership.expel(id, keccak256("reasons"));
        vm.expectRevert(abi.encodeWithSelector(Membership.Membership_NotActive.selector, id));
        membership.expel(id, keccak256("reasons"));
    }

    function test_WhenExpelled() external {
        vm.warp(GENESIS + 31 days);
        vm.expectEmit(address(membership));
        emit Membership.Expelled(id, keccak256("reasons"));
        vm.expectEmit(address(membership));
        emit Membership.Ended(id);
        _expel(id);
        _assertEnded();
    }

    function testFuzz_WhatWasEarnedStaysClaimable(uint8 way) external {
        ISettlementLedger.Claim[] memory claims = _earn(id, 7e6, 3e18);
        way % 3 == 0 ? _leave(id) : way % 3 == 1 ? _expel(id) : _erase(id);
        _claim(claims);
        assertEq(usdc.balanceOf(_payoutAddress(1)), 7e6);
        assertEq(dataToken.balanceOf(_payoutAddress(1)), 3e18);
    }

    // --------------------------------------------------------------------------------------------- GovToken

    function _endBy(uint8 way, uint32 member) private {
        way % 3 == 0 ? _leave(member) : way % 3 == 1 ? _expel(member) : _erase(member);
    }

    function test_GovTokenIsToldAfterTheEnd() external {
        vm.etch(address(govToken), address(new VotesProbe(membership)).code);
        VotesProbe probe = VotesProbe(address(govToken));
        for (uint8 way; way < 3; ++way) {
            uint32 member = _join();
            _endBy(way, member);
            assertEq(probe.synced(), vm.addr(memberKeys[member]));
            assertFalse(probe.wasMember(), "ended before it is told");
            assertEq(probe.calls(), way + 1);
        }
        _expel(id);
        _erase(id);
        assertEq(probe.calls(), 4, "erasing after the end tells nobody");
    }

    function testFuzz_TheVotesOfGovEndWithTheMembership(uint8 way) external {
        vm.warp(block.timestamp + 30 days);
        vm.prank(address(ledger));
        govToken.mint(account, 9e18);
        assertEq(govToken.getVotes(account), 3e18);
        _endBy(way, id);
        uint256 end = block.timestamp;
        vm.warp(end + 1);
        assertEq(govToken.getPastVotes(account, end), 0);
        assertEq(govToken.getPastTotalSupply(end), 0);
        assertEq(govToken.balanceOf(account), 9e18, "kept");
    }

    function testFuzz_WhenGovTokenFails(uint8 way) external {
        vm.mockCallRevert(
            address(govToken), abi.encodeCall(ISyncedVotes.sync, (account)), abi.encodeWithSignature("Error()")
        );
        _endBy(way, id);
        assertFalse(membership.isMember(account));
    }

    function testFuzz_WhenGovTokenTakesAllGas(uint8 way) external {
        vm.etch(address(govToken), hex"fe"); // INVALID
        _endBy(way, id);
        assertFalse(membership.isMember(account));
    }

    // -------------------------------------------------------------------------------------------- setPayout

    function test_RevertWhen_TheNewAddressIsZero() external {
        p.payout = address(0);
        bytes memory signature = _sign(memberKeys[id], _payoutDigest(p));
        vm.expectRevert(Membership.Membership_ZeroAddress.selector);
        membership.setPayout(p, signature);
    }

    function test_WhenThePayoutIsSet() external {
        ISettlementLedger.Claim[] memory claims = _earn(id, 7e6, 0);
        p = _payoutOf(id, elsewhere);
        bytes memory signature = _sign(memberKeys[id], _payoutDigest(p));
        vm.expectEmit(address(membership));
        emit Membership.PayoutSet(id, elsewhere);
        vm.prank(stranger);
        membership.setPayout(p, signature);
        assertEq(membership.payoutOf(id), elsewhere);
        assertEq(membership.nonceOf(id), 1);
        (uint40 joinedAt, uint40 endedAt) = membership.membershipTimes(id);
        assertEq(joinedAt, GENESIS, "the rest of the slot stays");
        assertEq(endedAt, 0);
        _claim(claims);
        assertEq(usdc.balanceOf(elsewhere), 7e6);
    }

    function test_WhenASignatureToLeaveWasHeldBack() external {
        bytes memory signature = _sign(memberKeys[id], _leaveDigest(l));
        _setPayout(id, elsewhere);
        vm.expectRevert(abi.encodeWithSelector(Membership.Membership_BadNonce.selector, 0, 1));
        membership.leave(l, signature);
    }

    function testFuzz_WhenThePayoutIsSetAfterTheEnd(uint8 way) external {
        ISettlementLedger.Claim[] memory claims = _earn(id, 7e6, 0);
        way % 3 == 0 ? _leave(id) : way % 3 == 1 ? _expel(id) : _erase(id);
        _setPayout(id, elsewhere);
        _setPayout(id, stranger);
        assertEq(membership.nonceOf(id), 2);
        _claim(claims);
        assertEq(usdc.balanceOf(stranger), 7e6);
        p = _payoutOf(id, elsewhere);
        bytes memory signature = _sign(registrarKey, _payoutDigest(p));
        vm.expectRevert(_badSignature());
        membership.setPayout(p, signature);
    }

    // ----------------------------------------------------------------------------------------------- paused

    function test_RevertWhen_PausedByAStranger() external {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        membership.setPausedUntil(type(uint64).max);
    }

    function test_WhenPaused() external {
        uint32 second = _join();
        uint32 third = _join();
        ISettlementLedger.Claim[] memory claims = _earn(id, 7e6, 0);
        uint64 until = uint64(block.timestamp + 7 days);
        vm.startPrank(pauser);
        membership.setPausedUntil(until);
        consents.setPausedUntil(until);
        contributions.setPausedUntil(until);
        vm.stopPrank();

        Membership.Admission memory a = _admission(stranger, stranger);
        a.deadline = until;
        bytes memory signature = _sign(registrarKey, _admissionDigest(a));
        vm.expectRevert(abi.encodeWithSelector(Pausing.Pausing_Paused.selector, until));
        membership.join(a, signature);

        _setPayout(id, elsewhere);
        _leave(id);
        _claim(claims);
        assertEq(usdc.balanceOf(elsewhere), 7e6);
        _erase(id);
        _expel(second);
        _erase(third);
        assertFalse(membership.isMember(vm.addr(memberKeys[second])));
        assertFalse(membership.isMember(vm.addr(memberKeys[third])));

        vm.warp(until);
        assertEq(membership.join(a, signature), 4, "the pause ends by the clock");
    }
}
