// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Vm} from "forge-std/Vm.sol";
import {ISettlementLedger} from "../../../src/settlement/ISettlementLedger.sol";
import {SettlementClaims} from "../../../src/settlement/SettlementClaims.sol";
import {SettlementState} from "../../../src/settlement/SettlementState.sol";
import {SettlementLedger} from "../../../src/settlement/SettlementLedger.sol";
import {TestUSDC} from "../../../src/testing/TestUSDC.sol";
import {LedgerTreeBuilder} from "../../utils/LedgerTreeBuilder.sol";
import {SettlementTest} from "../../utils/SettlementTest.sol";

contract SettlementClaimsTest is SettlementTest {
    using LedgerTreeBuilder for bytes32[];

    // ----------------------------------------------------------------------------------------------- claim

    function test_RevertWhen_NoRootIsFinal() external {
        _joinMany(1);
        ISettlementLedger.Claim[] memory claims = _claimsOf(1);
        bytes32[] memory proof = _proof(claims, 1);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_BadProof.selector, 1));
        ledger.claim(claims[0], proof);
    }

    function test_RevertWhen_TheProofIsWrong() external {
        ISettlementLedger.Claim[] memory claims = _settled(3);
        bytes32[] memory proof = _proof(claims, 2);
        ISettlementLedger.Claim memory c = claims[1];
        _expectBadProof(claims[0], proof); // of another member
        c.cash += 1;
        _expectBadProof(c, proof); // of another amount
        c.cash -= 1;
        bytes32 privateHash = c.privateHash;
        c.privateHash = keccak256("other");
        _expectBadProof(c, proof);
        c.privateHash = privateHash;
        // the same path at an index beyond the tree
        c.memberId = 2 + uint32(1 << DEPTH);
        _expectBadProof(c, proof);
        c.memberId = 2;
        bytes32[] memory shorter = new bytes32[](DEPTH - 1);
        for (uint256 i; i < DEPTH - 1; ++i) {
            shorter[i] = proof[i + 1];
        }
        _expectBadProof(c, shorter);
        ledger.claim(c, proof);
    }

    function _expectBadProof(ISettlementLedger.Claim memory c, bytes32[] memory proof) internal {
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_BadProof.selector, c.memberId));
        ledger.claim(c, proof);
    }

    function testFuzz_RevertWhen_AnyWordOfTheClaimChanges(uint256 word, uint256 flip) external {
        ISettlementLedger.Claim[] memory claims = _settled(2);
        bytes32[] memory proof = _proof(claims, 1);
        ISettlementLedger.Claim memory c = claims[0];
        word = bound(word, 0, 5);
        flip = 1 << bound(flip, 0, word == 0 ? 31 : word == 5 ? 255 : 127);
        assembly {
            let at := add(c, shl(5, word))
            mstore(at, xor(mload(at), flip))
        }
        _expectBadProof(c, proof);
    }

    function test_RevertWhen_NothingIsDue() external {
        ISettlementLedger.Claim[] memory claims = _settled(1);
        bytes32[] memory proof = _proof(claims, 1);
        vm.warp(_endOf(2));
        ledger.claim(claims[0], proof);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_NothingDue.selector, 1));
        ledger.claim(claims[0], proof);
    }

    /// @dev A quorum signed totals that are less than the leaves: the chain pays no more than the totals.
    function test_RevertWhen_TheLeafExceedsWhatTheRoundEarned() external {
        _joinMany(2);
        _sell(1_000e6);
        ISettlementLedger.Claim[] memory claims = _claimsOf(2);
        ISettlementLedger.Header memory h = _header();
        h.root = _rootOf(claims);
        (h.cashAllocated, h.dataAwarded, h.dataEarned) = (17 * MILLION, 4e18, 4e18);
        (h.govAwarded, h.govEarned) = (1e18, 1e18);
        vm.warp(_startOf(1, 0));
        _propose(h);
        vm.warp(_endOf(2));
        ledger.claim(claims[0], _proof(claims, 1));
        bytes32[] memory proof = _proof(claims, 2);
        vm.expectRevert(
            abi.encodeWithSelector(
                SettlementState.SettlementLedger_ClaimExceedsTotal.selector, 2, 27 * MILLION, 8e18, 2e18
            )
        );
        ledger.claim(claims[1], proof);
    }

    function test_RevertWhen_TheLeafExceedsTheWidths() external {
        _joinMany(1);
        ISettlementLedger.Claim[] memory claims = _claimsOf(1);
        (claims[0].cash, claims[0].stream) = (uint128(type(uint64).max) + 1, 0);
        ISettlementLedger.Header memory h = _header();
        h.root = _rootOf(claims);
        vm.warp(_startOf(1, 0));
        _propose(h);
        vm.warp(_endOf(2));
        bytes32[] memory proof = _proof(claims, 1);
        vm.expectPartialRevert(SettlementState.SettlementLedger_ClaimExceedsTotal.selector);
        ledger.claim(claims[0], proof);
    }

    function _rootOf(ISettlementLedger.Claim[] memory claims) internal pure returns (bytes32 node) {
        bytes32[] memory proof = _proof(claims, 1);
        node = _leaves(claims)[1];
        uint256 index = 1;
        for (uint256 i; i < DEPTH; ++i) {
            node = index & 1 == 0 ? keccak256(abi.encode(node, proof[i])) : keccak256(abi.encode(proof[i], node));
            index >>= 1;
        }
    }

    function _blacklist(address payee) internal {
        vm.mockCallRevert(
            address(usdc), abi.encodeWithSelector(TestUSDC(address(0)).transfer.selector, payee), "blacklisted"
        );
    }

    function test_RevertWhen_UsdcRefusesThePayee() external {
        ISettlementLedger.Claim[] memory claims = _settled(1);
        bytes32[] memory proof = _proof(claims, 1);
        _blacklist(_payoutAddress(1));
        vm.expectRevert("blacklisted");
        ledger.claim(claims[0], proof);
        vm.clearMockedCalls();
        (uint256 cash,,) = ledger.claimedOf(1);
        assertEq(cash, 0);
        ledger.claim(claims[0], proof);
    }

    function test_WhenTheMemberErasedEverything() external {
        ISettlementLedger.Claim[] memory claims = _settled(2);
        _erase(1);
        vm.warp(_endOf(2));
        ledger.claim(claims[0], _proof(claims, 1));
        assertEq(usdc.balanceOf(_payoutAddress(1)), 17 * MILLION);
        assertEq(dataToken.balanceOf(_payoutAddress(1)), 4e18);
        assertEq(govToken.balanceOf(_payoutAddress(1)), 1e18);
    }

    function test_WhenAProposalIsPending() external {
        ISettlementLedger.Claim[] memory claims = _settled(2);
        ISettlementLedger.Header memory h = _header();
        vm.warp(_startOf(2, 0));
        _propose(h);
        ledger.claim(claims[0], _proof(claims, 1));
        assertEq(usdc.balanceOf(_payoutAddress(1)), 17 * MILLION);
    }

    function testFuzz_TheStreamGrowsByTheSecond(uint256 after_) external {
        ISettlementLedger.Claim[] memory claims = _settled(1);
        after_ = bound(after_, LAG + WINDOW, 3 * EPOCH);
        vm.warp(_endOf(1) + after_);
        ledger.claim(claims[0], _proof(claims, 1));
        uint256 elapsed = after_ < EPOCH ? after_ : EPOCH;
        assertEq(usdc.balanceOf(_payoutAddress(1)), 10 * MILLION + 7 * MILLION * elapsed / EPOCH);
    }

    /// @dev Claims at any moments pay, together, what one claim at the last moment pays.
    function testFuzz_SplitClaimsPayTheSame(uint256 first, uint256 second) external {
        ISettlementLedger.Claim[] memory claims = _settled(1);
        bytes32[] memory proof = _proof(claims, 1);
        first = bound(first, LAG + WINDOW, EPOCH - 2);
        second = bound(second, first + 1, EPOCH + 1 days);
        vm.warp(_endOf(1) + first);
        ledger.claim(claims[0], proof);
        vm.warp(_endOf(1) + second);
        ledger.claim(claims[0], proof);
        uint256 elapsed = second < EPOCH ? second : EPOCH;
        assertEq(usdc.balanceOf(_payoutAddress(1)), 10 * MILLION + 7 * MILLION * elapsed / EPOCH);
    }

    function test_ClaimWhenAllIsWell() external {
        ISettlementLedger.Claim[] memory claims = _settled(3);
        vm.warp(_endOf(2));
        bytes32[] memory proof = _proof(claims, 3);
        vm.expectEmit(address(ledger));
        emit SettlementClaims.Claimed(3, _payoutAddress(3), 37 * MILLION, 12e18, 3e18);
        vm.prank(stranger);
        ledger.claim(claims[2], proof);
        assertEq(usdc.balanceOf(_payoutAddress(3)), 37 * MILLION);
        assertEq(dataToken.balanceOf(_payoutAddress(3)), 12e18);
        assertEq(govToken.balanceOf(vm.addr(_memberKey(3))), 3e18);
        (uint256 cash, uint256 data, uint256 gov) = ledger.claimedOf(3);
        assertEq(cash, 37 * MILLION);
        assertEq(data, 12e18);
        assertEq(gov, 3e18);
        (cash, data, gov) = ledger.claimedTotals();
        assertEq(cash, 37 * MILLION);
        assertEq(data, 12e18);
        assertEq(gov, 3e18);
    }

    /// @dev Votes are an account's: GOV goes to the member's own account, and to the payout address once it has ended.
    function test_GovGoesToTheAccountWhileActive() external {
        ISettlementLedger.Claim[] memory claims = _settled(3);
        _erase(2);
        vm.warp(_endOf(2));
        uint256 snapshot = vm.snapshotState();
        for (uint256 round; round < 2; ++round) {
            if (round == 0) {
                ledger.claimMany(_ranges(claims));
            } else {
                ledger.claim(claims[0], _proof(claims, 1));
                ledger.claim(claims[1], _proof(claims, 2));
            }
            assertEq(govToken.balanceOf(vm.addr(_memberKey(1))), 1e18);
            assertEq(govToken.balanceOf(_payoutAddress(1)), 0);
            assertEq(govToken.balanceOf(vm.addr(_memberKey(2))), 0);
            assertEq(govToken.balanceOf(_payoutAddress(2)), 2e18);
            vm.revertToState(snapshot);
        }
    }

    // ------------------------------------------------------------------------------------------- claimMany

    function _oneRange(SettlementClaims.Range memory r) internal pure returns (SettlementClaims.Range[] memory ranges) {
        ranges = new SettlementClaims.Range[](1);
        ranges[0] = r;
    }

    function _badRange(uint256 first, uint256 count) internal {
        SettlementClaims.Range memory r;
        (r.first, r.leaves) = (uint32(first), new SettlementClaims.Leaf[](count));
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_BadRange.selector, first, count));
        ledger.claimMany(_oneRange(r));
    }

    function test_RevertWhen_ARangeIsNoSubtree() external {
        _settled(5);
        _badRange(0, 0);
        _badRange(0, 3);
        _badRange(2, 4);
        _badRange(5, 2);
    }

    function test_RevertWhen_TheProofOfARangeIsWrong() external {
        ISettlementLedger.Claim[] memory claims = _settled(6);
        bytes memory wrong = abi.encodeWithSelector(SettlementState.SettlementLedger_BadProof.selector, 4);
        SettlementClaims.Range memory r = _range(claims, 4, 4);
        r.leaves[1].data += 1;
        vm.expectRevert(wrong);
        ledger.claimMany(_oneRange(r));
        r = _range(claims, 4, 4);
        r.leaves[2].privateHash = 0; // says that member 6 is nobody
        vm.expectRevert(wrong);
        ledger.claimMany(_oneRange(r));
        r = _range(claims, 4, 4);
        r.leaves[3].privateHash = keccak256("nobody"); // says that id 7 is somebody
        vm.expectRevert(wrong);
        ledger.claimMany(_oneRange(r));
        r = _range(claims, 4, 4);
        r.siblings[5] = keccak256("another tree");
        vm.expectRevert(wrong);
        ledger.claimMany(_oneRange(r));
        // The same leaves as a subtree of another height, or beyond the tree.
        r = _range(claims, 4, 4);
        r.siblings = new bytes32[](DEPTH - 1);
        vm.expectRevert(wrong);
        ledger.claimMany(_oneRange(r));
        r = _range(claims, 4, 4);
        r.first = uint32(4 + (1 << DEPTH));
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_BadProof.selector, r.first));
        ledger.claimMany(_oneRange(r));
    }

    /// @dev Whatever the range: all members in it are paid, ids without one are passed over.
    function testFuzz_AnyRangePaysItsMembersAndNobodyElse(uint256 height, uint256 place) external {
        ISettlementLedger.Claim[] memory claims = _settled(11);
        vm.warp(_endOf(2));
        height = bound(height, 0, 5);
        uint256 first = bound(place, 0, 15) >> height << height;
        ledger.claimMany(_oneRange(_range(claims, first, 1 << height)));
        for (uint32 id = 1; id <= 11; ++id) {
            bool within = id >= first && id < first + (1 << height);
            (uint256 cash,,) = ledger.claimedOf(id);
            assertEq(cash, within ? claims[id - 1].cash + claims[id - 1].stream : 0);
            assertEq(usdc.balanceOf(_payoutAddress(id)), cash);
        }
    }

    function test_WhenAMemberOccursTwice() external {
        ISettlementLedger.Claim[] memory claims = _settled(1);
        SettlementClaims.Range[] memory twice = new SettlementClaims.Range[](2);
        (twice[0], twice[1]) = (_range(claims, 1, 1), _range(claims, 0, 2));
        vm.warp(_endOf(2));
        ledger.claimMany(twice);
        assertEq(usdc.balanceOf(_payoutAddress(1)), 17 * MILLION);
        assertEq(dataToken.balanceOf(_payoutAddress(1)), 4e18);
    }

    function test_RevertWhen_LeavesOfARangeExceedTheTotals() external {
        ISettlementLedger.Claim[] memory claims = _settled(2);
        uint256 width = type(uint96).max;
        // One is wider than any total; or only all together are; or they fit a total, but not this round's.
        _expectExceeds(claims, 0, width + 1, 2, 0, width + 1);
        _expectExceeds(claims, width, 1, 0, 12e18, width + 1);
        _expectExceeds(claims, 1e18, 1e24, 0, 12e18, 1e24 + 1e18);
    }

    function _expectExceeds(
        ISettlementLedger.Claim[] memory claims,
        uint256 one,
        uint256 two,
        uint32 memberId,
        uint256 data,
        uint256 gov
    ) internal {
        (claims[0].gov, claims[1].gov) = (uint128(one), uint128(two));
        (claims[0].stream, claims[1].stream) = (0, 0);
        ISettlementLedger.Header memory h = _header();
        h.root = _leaves(claims).root(DEPTH);
        vm.warp(_startOf(h.epoch, 0));
        _propose(h);
        vm.warp(block.timestamp + WINDOW);
        uint256 cash = claims[1].cash + (memberId == 0 ? claims[0].cash : 0);
        if (memberId != 0) data = claims[memberId - 1].data;
        bytes4 selector = SettlementState.SettlementLedger_ClaimExceedsTotal.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, memberId, cash, data, gov));
        ledger.claimMany(_ranges(claims));
    }

    function test_WhenAnIdHasNoMemberItIsPassedOverWhateverIsSaidOfIt() external {
        ISettlementLedger.Claim[] memory claims = _settled(5);
        vm.warp(_endOf(2));
        SettlementClaims.Range memory r = _range(claims, 4, 4);
        r.leaves[2] = SettlementClaims.Leaf(1e6, 1e6, 1e18, 1e18, 0); // id 6, which nobody has
        ledger.claimMany(_oneRange(r));
        (uint256 cash, uint256 data, uint256 gov) = ledger.claimedOf(6);
        assertEq(cash + data + gov, 0);
        (cash,,) = ledger.claimedTotals();
        assertEq(cash, uint256(claims[3].cash) + claims[3].stream + claims[4].cash + claims[4].stream);
    }

    function test_WhenNobodyOfARangeIsDueAnything() external {
        ISettlementLedger.Claim[] memory claims = _settled(3);
        vm.warp(_endOf(2));
        ledger.claimMany(_ranges(claims));
        vm.recordLogs();
        ledger.claimMany(_ranges(claims));
        ledger.claimMany(new SettlementClaims.Range[](0));
        assertEq(vm.getRecordedLogs().length, 0);
    }

    /// @dev A push split that one reverting payee blocks is what peers do.
    function test_WhenUsdcRefusesAPayeeOfABatch() external {
        ISettlementLedger.Claim[] memory claims = _settled(3);
        vm.warp(_endOf(2));
        _blacklist(_payoutAddress(2));
        SettlementClaims.Range[] memory ranges = _ranges(claims);
        vm.expectEmit(address(ledger));
        emit SettlementClaims.Claimed(2, _payoutAddress(2), 0, 8e18, 2e18);
        vm.expectEmit(address(ledger));
        emit SettlementClaims.ClaimSkipped(2);
        ledger.claimMany(ranges);
        assertEq(usdc.balanceOf(_payoutAddress(1)), 17 * MILLION);
        assertEq(usdc.balanceOf(_payoutAddress(2)), 0);
        assertEq(dataToken.balanceOf(_payoutAddress(2)), 8e18, "its DATA is paid");
        assertEq(usdc.balanceOf(_payoutAddress(3)), 37 * MILLION);
        (uint256 cash, uint256 data,) = ledger.claimedOf(2);
        assertEq(cash, 0, "the cash stays owed");
        assertEq(data, 8e18);
        (cash,,) = ledger.claimedTotals();
        assertEq(cash, 54 * MILLION);
        vm.clearMockedCalls();
        ledger.claimMany(ranges);
        assertEq(usdc.balanceOf(_payoutAddress(2)), 27 * MILLION);
        assertEq(dataToken.balanceOf(_payoutAddress(2)), 8e18, "not twice");
    }

    function test_WhenATokenRefuses() external {
        ISettlementLedger.Claim[] memory claims = _settled(2);
        vm.warp(_endOf(2));
        vm.mockCallRevert(address(govToken), abi.encodeWithSignature("mint(address,uint256)"), "broken");
        vm.mockCallRevert(
            address(dataToken), abi.encodeWithSignature("mint(address,uint256)", _payoutAddress(1), 4e18), "broken"
        );
        SettlementClaims.Range[] memory ranges = _ranges(claims);
        ledger.claimMany(ranges);
        (uint256 cash, uint256 data, uint256 gov) = ledger.claimedOf(1);
        assertEq(cash, 17 * MILLION);
        assertEq(data + gov, 0);
        (, data, gov) = ledger.claimedOf(2);
        assertEq(data, 8e18);
        assertEq(gov, 0);
        vm.clearMockedCalls();
        ledger.claimMany(ranges);
        (, data, gov) = ledger.claimedTotals();
        assertEq(data, 12e18);
        assertEq(gov, 3e18);
        assertEq(dataToken.totalSupply(), 12e18);
        assertEq(govToken.totalSupply(), 3e18);
    }

    /// @dev A token that calls back into the ledger gets nowhere, and what it refused by that stays owed.
    function test_WhenAPayeeReenters() external {
        ISettlementLedger.Claim[] memory claims = _settled(1);
        SettlementClaims.Range[] memory ranges = _ranges(claims);
        bytes memory again = abi.encodeCall(ledger.claimMany, (ranges));
        Reenterer token = new Reenterer();
        vm.etch(address(dataToken), address(token).code);
        Reenterer(address(dataToken)).arm(address(ledger), again);
        vm.warp(_endOf(2));
        ledger.claimMany(ranges);
        assertTrue(Reenterer(address(dataToken)).guarded(), "the guard stopped it");
        assertEq(usdc.balanceOf(_payoutAddress(1)), 17 * MILLION);
    }

    function test_WhenAllRefuseAPayee() external {
        ISettlementLedger.Claim[] memory claims = _settled(2);
        vm.warp(_endOf(2));
        _blacklist(_payoutAddress(1));
        bytes4 mint = bytes4(keccak256("mint(address,uint256)"));
        vm.mockCallRevert(address(dataToken), abi.encodeWithSelector(mint, _payoutAddress(1)), "broken");
        vm.mockCallRevert(address(govToken), abi.encodeWithSelector(mint, vm.addr(_memberKey(1))), "broken");
        vm.recordLogs();
        ledger.claimMany(_ranges(claims));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 skipped;
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter != address(ledger)) continue;
            bool ofOne = logs[i].topics[1] == bytes32(uint256(1));
            assertEq(logs[i].topics[0] == SettlementClaims.ClaimSkipped.selector, ofOne, "no {Claimed} of nothing");
            if (ofOne) ++skipped;
        }
        assertEq(skipped, 1);
        (uint256 cash, uint256 data, uint256 gov) = ledger.claimedOf(1);
        assertEq(cash + data + gov, 0, "all of it stays owed");
        vm.clearMockedCalls();
        ledger.claimMany(_ranges(claims));
        (cash, data, gov) = ledger.claimedOf(1);
        assertEq(cash, 17 * MILLION);
        assertEq(data, 4e18);
        assertEq(gov, 1e18);
    }

    /// @dev However the ids are cut into ranges, whoever claimed before and whenever: as if each had claimed alone.
    function testFuzz_RangesPayWhatSingleClaimsPay(uint256 seed, uint256 when, uint8 height) external {
        uint32 members = 11;
        ISettlementLedger.Claim[] memory claims = _settled(members);
        for (uint32 i; i < members; ++i) {
            if (seed >> i & 1 == 1) ledger.claim(claims[i], _proof(claims, i + 1));
        }
        vm.warp(block.timestamp + bound(when, 0, EPOCH));
        uint256 snapshot = vm.snapshotState();
        for (uint32 i; i < members; ++i) {
            try ledger.claim(claims[i], _proof(claims, i + 1)) {} catch {}
        }
        bytes32[] memory single = new bytes32[](members + 1);
        for (uint32 i; i <= members; ++i) {
            single[i] = _paidTo(i);
        }
        vm.revertToState(snapshot);
        uint256 count = 1 << bound(height, 0, 4);
        SettlementClaims.Range[] memory ranges = new SettlementClaims.Range[](16 / count);
        for (uint256 i; i < ranges.length; ++i) {
            // In any order.
            ranges[i] = _range(claims, (i + seed % 16) % ranges.length * count, count);
        }
        ledger.claimMany(ranges);
        for (uint32 i; i <= members; ++i) {
            assertEq(_paidTo(i), single[i]);
        }
    }

    /// @dev All that was booked to and arrived at member `id`; the totals for 0.
    function _paidTo(uint32 id) internal view returns (bytes32) {
        (uint256 cash, uint256 data, uint256 gov) = id == 0 ? ledger.claimedTotals() : ledger.claimedOf(id);
        if (id == 0) return keccak256(abi.encode(cash, data, gov, usdc.balanceOf(address(treasury))));
        (uint256 usd, uint256 govs) = (usdc.balanceOf(_payoutAddress(id)), govToken.balanceOf(vm.addr(_memberKey(id))));
        return keccak256(abi.encode(cash, data, gov, usd, dataToken.balanceOf(_payoutAddress(id)), govs));
    }
}

/// @notice Stands in for a token whose `mint` tries to claim again.
contract Reenterer {
    address private ledger;
    bytes private call_;
    bool public guarded;

    function arm(address ledger_, bytes memory call__) external {
        (ledger, call_) = (ledger_, call__);
    }

    function mint(address, uint256) external {
        (bool ok, bytes memory reason) = ledger.call(call_);
        guarded = !ok && bytes4(reason) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
    }
}
