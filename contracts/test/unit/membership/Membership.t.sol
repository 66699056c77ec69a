// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {IERC5805} from "@openzeppelin/contracts/interfaces/IERC5805.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {Membership} from "../../../src/membership/Membership.sol";
import {IERC5192, SoulboundERC721} from "../../../src/tokens/SoulboundERC721.sol";
import {CoopTest} from "../../utils/CoopTest.sol";
import {ContractSigner} from "../../utils/ContractSigner.sol";

contract MembershipTest is CoopTest {
    Membership.Admission internal a;

    function setUp() public override {
        super.setUp();
        a = _admission(vm.addr(_memberKey(1)), _payoutAddress(1));
    }

    function _join(Membership.Admission memory admission) internal returns (uint32) {
        return membership.join(admission, _sign(registrarKey, _admissionDigest(admission)));
    }

    // ------------------------------------------------------------------------------------------ initialize

    function test_RevertWhen_InitializedTwice() external {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        membership.initialize(address(manager), address(consents), address(govToken), registrar, GENESIS, EPOCH, 1);
    }

    function test_RevertWhen_InitializingTheImplementation() external {
        Membership code = new Membership();
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        code.initialize(address(manager), address(consents), address(govToken), registrar, GENESIS, EPOCH, 1);
    }

    function test_RevertWhen_InitializedWithAZeroAddress() external {
        Membership code = new Membership();
        bytes memory init = abi.encodeCall(
            Membership.initialize, (address(0), address(consents), address(govToken), registrar, GENESIS, EPOCH, 1)
        );
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "authority"));
        new ERC1967Proxy(address(code), init);
        init = abi.encodeCall(
            Membership.initialize, (address(manager), address(0), address(govToken), registrar, GENESIS, EPOCH, 1)
        );
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "consentRegistry"));
        new ERC1967Proxy(address(code), init);
        init = abi.encodeCall(
            Membership.initialize,
            (address(manager), address(consents), address(govToken), address(0), GENESIS, EPOCH, 1)
        );
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "registrar"));
        new ERC1967Proxy(address(code), init);
        init = abi.encodeCall(
            Membership.initialize, (address(manager), address(consents), address(0), registrar, GENESIS, EPOCH, 1)
        );
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "govToken"));
        new ERC1967Proxy(address(code), init);
    }

    function test_RevertWhen_TheEpochLengthIsZero() external {
        Membership code = new Membership();
        bytes memory init = abi.encodeCall(
            Membership.initialize, (address(manager), address(consents), address(govToken), registrar, GENESIS, 0, 1)
        );
        vm.expectRevert(Membership.Membership_EpochLengthZero.selector);
        new ERC1967Proxy(address(code), init);
    }

    // ------------------------------------------------------------------------------------------------ join

    function test_RevertWhen_TheDeadlineHasPassed() external {
        bytes memory signature = _sign(registrarKey, _admissionDigest(a));
        vm.warp(a.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(Membership.Membership_Expired.selector, a.deadline));
        membership.join(a, signature);
    }

    function test_RevertWhen_TheAccountOrPayoutIsZero() external {
        a.account = address(0);
        vm.expectRevert(Membership.Membership_ZeroAddress.selector);
        membership.join(a, "");
        a = _admission(stranger, address(0));
        vm.expectRevert(Membership.Membership_ZeroAddress.selector);
        membership.join(a, "");
    }

    function test_RevertWhen_TheNullifierWasUsed() external {
        _join(a);
        a.account = stranger;
        bytes memory signature = _sign(registrarKey, _admissionDigest(a));
        vm.expectRevert(abi.encodeWithSelector(Membership.Membership_NullifierUsed.selector, a.nullifier));
        membership.join(a, signature);
    }

    function test_RevertWhen_TheAccountJoinedBefore() external {
        uint32 id = _join();
        a.nullifier = keccak256("another credential");
        bytes memory signature = _sign(registrarKey, _admissionDigest(a));
        bytes memory used = abi.encodeWithSelector(Membership.Membership_AccountUsed.selector, a.account, id);
        vm.expectRevert(used);
        membership.join(a, signature);
        _erase(id);
        vm.expectRevert(used);
        membership.join(a, signature);
    }

    function test_RevertWhen_TheSignatureIsNotTheRegistrars() external {
        bytes memory signature = _sign(_memberKey(1), _admissionDigest(a));
        vm.expectRevert(Membership.Membership_BadRegistrarSignature.selector);
        membership.join(a, signature);
        vm.expectRevert(Membership.Membership_BadRegistrarSignature.selector);
        membership.join(a, "");
    }

    function test_RevertWhen_TheSignatureIsMalleated() external {
        bytes memory signature = _malleated(registrarKey, _admissionDigest(a));
        vm.expectRevert(Membership.Membership_BadRegistrarSignature.selector);
        membership.join(a, signature);
    }

    function testFuzz_RevertWhen_ASignedFieldWasChanged(uint8 field, uint160 other) external {
        bytes memory signature = _sign(registrarKey, _admissionDigest(a));
        other = uint160(bound(other, 1, type(uint160).max));
        vm.assume(address(other) != a.account && address(other) != a.payout);
        field = field % 5;
        if (field == 0) a.account = address(other);
        if (field == 1) a.payout = address(other);
        if (field == 2) a.nullifier = keccak256(abi.encode(other));
        if (field == 3) a.rowKeyDigest = keccak256(abi.encode(other));
        if (field == 4) a.deadline += other;
        vm.expectRevert(Membership.Membership_BadRegistrarSignature.selector);
        membership.join(a, signature);
    }

    function test_RevertWhen_SignedForAnotherChainOrContract() external {
        bytes memory signature = _sign(registrarKey, _admissionDigest(a));
        vm.chainId(1);
        vm.expectRevert(Membership.Membership_BadRegistrarSignature.selector);
        membership.join(a, signature);
        vm.chainId(31_337);
        Membership old = membership;
        membership = Membership(address(consents));
        signature = _sign(registrarKey, _admissionDigest(a));
        vm.expectRevert(Membership.Membership_BadRegistrarSignature.selector);
        old.join(a, signature);
    }

    function test_WhenTheAdmissionsOfTheEpochAreUsedUp() external {
        _asMemberHouse();
        membership.setAdmissionsPerEpoch(2);
        _joinMany(2);
        a = _admission(stranger, stranger);
        a.deadline = type(uint256).max;
        bytes memory signature = _sign(registrarKey, _admissionDigest(a));
        vm.expectRevert(abi.encodeWithSelector(Membership.Membership_AdmissionsExhausted.selector, 0, 2));
        membership.join(a, signature);
        // it should admit again in the next epoch
        vm.warp(_endOf(1));
        assertEq(membership.join(a, signature), 3);
    }

    function test_WhenTheRegistrarIsAContract() external {
        ContractSigner signer = new ContractSigner(registrar);
        _asMemberHouse();
        membership.setRegistrar(address(signer));
        assertEq(_join(a), 1);
        a = _admission(stranger, stranger);
        bytes memory signature = _sign(researcherKey, _admissionDigest(a));
        vm.expectRevert(Membership.Membership_BadRegistrarSignature.selector);
        membership.join(a, signature);
    }

    /// @dev Point 12: contests go by the chain's digest, so it must outlive the membership and change by nothing.
    function test_TheDigestOfTheRowKeyIsKept() external {
        uint32 id = _join(a);
        assertEq(membership.rowKeyDigestOf(id), a.rowKeyDigest);
        vm.prank(address(consents));
        membership.close(id);
        assertEq(membership.rowKeyDigestOf(id), a.rowKeyDigest, "after the end");
        assertEq(membership.rowKeyDigestOf(id + 1), 0, "an id never issued");
    }

    function test_WhenTheMemberHasNoRowKey() external {
        a.rowKeyDigest = 0;
        assertEq(membership.rowKeyDigestOf(_join(a)), 0);
    }

    function test_WhenAllIsWell() external {
        vm.expectEmit(address(membership));
        emit IERC721.Transfer(address(0), a.account, 1);
        vm.expectEmit(address(membership));
        emit IERC5192.Locked(1);
        vm.expectEmit(address(membership));
        emit Membership.Joined(1, a.account, a.payout, a.nullifier, a.rowKeyDigest);
        vm.prank(stranger); // anyone may send it
        assertEq(_join(a), 1);

        (address account, address payout, bool active) = membership.memberOf(1);
        assertEq(account, a.account);
        assertEq(payout, a.payout);
        assertTrue(active);
        assertTrue(membership.isMember(a.account));
        assertTrue(membership.locked(1));
        assertEq(membership.memberIdOf(a.account), 1);
        assertEq(membership.payoutOf(1), a.payout);
        assertEq(membership.balanceOf(a.account), 1);
        assertEq(membership.ownerOf(1), a.account);
        assertEq(membership.delegates(a.account), a.account);
        memberKeys.push(_memberKey(1));
        assertEq(_join(), 2);
        assertEq(membership.memberCount(), 2);
    }

    // ----------------------------------------------------------------------------------------------- close

    function test_RevertWhen_TheCallerIsNotConsentRegistry() external {
        uint32 id = _join();
        vm.prank(founder);
        vm.expectRevert(abi.encodeWithSelector(Membership.Membership_OnlyConsentRegistry.selector, founder));
        membership.close(id);
    }

    function test_WhenTheMemberIsNotActive() external {
        uint32 id = _join();
        _erase(id);
        (, uint40 endedAt) = membership.membershipTimes(id);
        vm.warp(block.timestamp + 1);
        vm.startPrank(address(consents));
        vm.recordLogs();
        membership.close(id);
        membership.close(99);
        assertEq(vm.getRecordedLogs().length, 0, "nothing happens");
        (, uint40 still) = membership.membershipTimes(id);
        assertEq(still, endedAt);
    }

    function test_WhenTheMemberIsActive() external {
        uint32 id = _join();
        vm.expectEmit(address(membership));
        emit Membership.Ended(id);
        vm.prank(address(consents));
        membership.close(id);
        (address account, address payout, bool active) = membership.memberOf(id);
        assertEq(account, address(0));
        assertEq(payout, _payoutAddress(1));
        assertFalse(active);
        assertFalse(membership.isMember(vm.addr(memberKeys[id])));
        assertEq(membership.memberIdOf(vm.addr(memberKeys[id])), id, "the id stays known");
        assertEq(membership.accountOf(id), vm.addr(memberKeys[id]), "and so does the account");
        assertEq(membership.activeAccountOf(id), address(0));
        assertEq(membership.balanceOf(vm.addr(memberKeys[id])), 0);
        assertEq(_join(), 2, "ids are never reused");
    }

    // -------------------------------------------------------------------------------- transfer and approve

    function test_RevertWhen_TransferringOrApproving() external {
        uint32 id = _join();
        address account = vm.addr(memberKeys[id]);
        vm.startPrank(account);
        vm.expectRevert(abi.encodeWithSelector(SoulboundERC721.Soulbound_NotTransferable.selector, id));
        membership.transferFrom(account, stranger, id);
        vm.expectRevert(abi.encodeWithSelector(SoulboundERC721.Soulbound_NotTransferable.selector, id));
        membership.safeTransferFrom(account, stranger, id);
        vm.expectRevert(SoulboundERC721.Soulbound_NotApprovable.selector);
        membership.approve(stranger, id);
        vm.expectRevert(SoulboundERC721.Soulbound_NotApprovable.selector);
        membership.setApprovalForAll(stranger, true);
    }

    // ----------------------------------------------------------------------------------------------- votes

    function test_WhenJoinedLessThan30DaysAgo() external {
        uint32 id = _join();
        vm.warp(GENESIS + 30 days - 1);
        assertEq(membership.getVotes(vm.addr(memberKeys[id])), 0);
        assertEq(membership.getVotes(stranger), 0);
    }

    function test_WhenJoined30DaysAgoAndEnded() external {
        uint32 id = _join();
        address account = vm.addr(memberKeys[id]);
        vm.warp(GENESIS + 30 days);
        assertEq(membership.getVotes(account), 1);
        vm.warp(GENESIS + 31 days);
        _erase(id);
        assertEq(membership.getVotes(account), 0);
        vm.warp(GENESIS + 32 days);
        assertEq(membership.getPastVotes(account, GENESIS + 31 days - 1), 1);
        assertEq(membership.getPastVotes(account, GENESIS + 31 days), 0);
        assertEq(membership.getPastTotalSupply(GENESIS + 31 days - 1), 1);
        assertEq(membership.getPastTotalSupply(GENESIS + 31 days), 0);
    }

    function test_IsSeasonedIsHavingAVote() external {
        address account = vm.addr(memberKeys[_join()]);
        assertFalse(membership.isSeasoned(stranger));
        assertFalse(membership.isSeasoned(address(0)));
        vm.warp(GENESIS + 30 days - 1);
        assertFalse(membership.isSeasoned(account));
        vm.warp(GENESIS + 30 days);
        assertTrue(membership.isSeasoned(account));
        _erase(1);
        assertFalse(membership.isSeasoned(account));
    }

    function test_WhenTheTimepointIsNotInThePast() external {
        bytes memory future =
            abi.encodeWithSelector(Membership.Membership_FutureLookup.selector, block.timestamp, block.timestamp);
        vm.expectRevert(future);
        membership.getPastVotes(stranger, block.timestamp);
        vm.expectRevert(future);
        membership.getPastTotalSupply(block.timestamp);
    }

    function test_WhenDelegating() external {
        vm.expectRevert(Membership.Membership_NoDelegation.selector);
        membership.delegate(stranger);
        vm.expectRevert(Membership.Membership_NoDelegation.selector);
        membership.delegateBySig(stranger, 0, 0, 0, 0, 0);
        assertEq(membership.delegates(stranger), address(0));
    }

    /// @dev Random joins and endings: at every past moment the total is every active member, seasoned or not, and the count
    /// of the seasoned is never more than who has a vote.
    function testFuzz_TheTotalIsEveryActiveMember(uint256 seed) external {
        uint256[] memory moments = new uint256[](12);
        uint256[] memory active = new uint256[](12);
        for (uint256 i; i < moments.length; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.warp(block.timestamp + 1 days + seed % 20 days);
            (moments[i], active[i]) = (block.timestamp, i == 0 ? 0 : active[i - 1]);
            uint32 pick = uint32(seed >> 128) % uint32(memberKeys.length);
            bool leave = pick != 0 && membership.activeAccountOf(pick) != address(0) && seed & 1 == 1;
            if (leave) _erase(pick);
            else _join();
            active[i] = leave ? active[i] - 1 : active[i] + 1;
            vm.warp(block.timestamp + 1);
            assertLe(membership.seasonedCount(), _sumOfVotes(block.timestamp - 1));
        }
        vm.warp(block.timestamp + 60 days);
        for (uint256 i; i < moments.length; ++i) {
            assertEq(membership.getPastTotalSupply(moments[i]), active[i]);
            assertLe(_sumOfVotes(moments[i]), active[i]);
        }
        assertEq(membership.seasonedCount(), active[11], "in time all of them are seasoned");
        assertEq(_sumOfVotes(block.timestamp - 1), active[11]);
    }

    function test_TheCountOfTheSeasonedDoubtsEverybodyWhoEnded() external {
        assertEq(membership.seasonedCount(), 0);
        _joinMany(3);
        vm.warp(block.timestamp + 30 days - 1);
        assertEq(membership.seasonedCount(), 0);
        vm.warp(block.timestamp + 1);
        assertEq(membership.seasonedCount(), 3);
        _erase(_join());
        assertEq(membership.seasonedCount(), 2, "who was not seasoned counts as one who was");
        vm.warp(block.timestamp + 30 days);
        assertEq(membership.seasonedCount(), 3);
    }

    function _sumOfVotes(uint256 at) private view returns (uint256 sum) {
        for (uint256 id = 1; id < memberKeys.length; ++id) {
            sum += membership.getPastVotes(vm.addr(memberKeys[id]), at);
        }
    }

    function test_TheClockIsTheTimestamp() external view {
        assertEq(membership.clock(), block.timestamp);
        assertEq(membership.CLOCK_MODE(), "mode=timestamp");
        assertTrue(membership.supportsInterface(type(IERC721).interfaceId));
        assertTrue(membership.supportsInterface(0xb45a3c0e), "ERC-5192");
        assertTrue(membership.supportsInterface(type(IERC5805).interfaceId));
        assertEq(membership.getPastTotalSupply(1 days), 0, "before anybody joined");
    }

    // -------------------------------------------------------------------------------------- administration

    function test_RevertWhen_TheCallerIsNotAuthorized() external {
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger);
        address code = address(new Membership());
        vm.startPrank(stranger);
        vm.expectRevert(unauthorized);
        membership.setRegistrar(stranger);
        vm.expectRevert(unauthorized);
        membership.setAdmissionsPerEpoch(1);
        vm.expectRevert(unauthorized);
        membership.upgradeToAndCall(code, "");
    }

    function test_WhenTheCallerIsAuthorized() external {
        uint32 id = _join();
        address code = address(new Membership());
        vm.startPrank(memberHouse);
        membership.setRegistrar(stranger);
        assertEq(membership.registrar(), stranger);
        membership.setAdmissionsPerEpoch(9);
        assertEq(membership.admissionsPerEpoch(), 9);
        vm.stopPrank();
        _asCharter();
        membership.upgradeToAndCall(code, "");
        assertEq(membership.ownerOf(id), vm.addr(memberKeys[id]), "state outlives an upgrade");
        _asMemberHouse();
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "registrar"));
        membership.setRegistrar(address(0));
    }
}
