// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ISettlementLedger} from "../../../src/settlement/ISettlementLedger.sol";
import {SettlementClaims} from "../../../src/settlement/SettlementClaims.sol";
import {SettlementState} from "../../../src/settlement/SettlementState.sol";
import {SettlementLedger} from "../../../src/settlement/SettlementLedger.sol";
import {TestUSDC} from "../../../src/testing/TestUSDC.sol";
import {SettlementTest} from "../../utils/SettlementTest.sol";

contract SettlementClaimsTest is SettlementTest {
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
                ledger.claimMany(claims, _proofs(claims));
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

    function test_RevertWhen_LengthsDiffer() external {
        ISettlementLedger.Claim[] memory claims = _settled(2);
        bytes32[][] memory proofs = new bytes32[][](1);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_LengthMismatch.selector, 2, 1));
        ledger.claimMany(claims, proofs);
    }

    function test_RevertWhen_AProofOfABatchIsWrong() external {
        ISettlementLedger.Claim[] memory claims = _settled(2);
        bytes32[][] memory proofs = _proofs(claims);
        claims[1].data += 1;
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_BadProof.selector, 2));
        ledger.claimMany(claims, proofs);
    }

    function test_WhenAMemberOccursTwice() external {
        ISettlementLedger.Claim[] memory claims = _settled(1);
        ISettlementLedger.Claim[] memory twice = new ISettlementLedger.Claim[](2);
        bytes32[][] memory proofs = new bytes32[][](2);
        (twice[0], twice[1]) = (claims[0], claims[0]);
        (proofs[0], proofs[1]) = (_proof(claims, 1), _proof(claims, 1));
        vm.warp(_endOf(2));
        ledger.claimMany(twice, proofs);
        assertEq(usdc.balanceOf(_payoutAddress(1)), 17 * MILLION);
        assertEq(dataToken.balanceOf(_payoutAddress(1)), 4e18);
    }

    /// @dev A push split that one reverting payee blocks is what peers do.
    function test_WhenUsdcRefusesAPayeeOfABatch() external {
        ISettlementLedger.Claim[] memory claims = _settled(3);
        vm.warp(_endOf(2));
        _blacklist(_payoutAddress(2));
        bytes32[][] memory proofs = _proofs(claims);
        vm.expectEmit(address(ledger));
        emit SettlementClaims.Claimed(2, _payoutAddress(2), 0, 8e18, 2e18);
        vm.expectEmit(address(ledger));
        emit SettlementClaims.ClaimSkipped(2);
        ledger.claimMany(claims, proofs);
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
        ledger.claimMany(claims, proofs);
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
        bytes32[][] memory proofs = _proofs(claims);
        ledger.claimMany(claims, proofs);
        (uint256 cash, uint256 data, uint256 gov) = ledger.claimedOf(1);
        assertEq(cash, 17 * MILLION);
        assertEq(data + gov, 0);
        (, data, gov) = ledger.claimedOf(2);
        assertEq(data, 8e18);
        assertEq(gov, 0);
        vm.clearMockedCalls();
        ledger.claimMany(claims, proofs);
        (, data, gov) = ledger.claimedTotals();
        assertEq(data, 12e18);
        assertEq(gov, 3e18);
        assertEq(dataToken.totalSupply(), 12e18);
        assertEq(govToken.totalSupply(), 3e18);
    }

    /// @dev A token that calls back into the ledger gets nowhere, and what it refused by that stays owed.
    function test_WhenAPayeeReenters() external {
        ISettlementLedger.Claim[] memory claims = _settled(1);
        bytes32[][] memory proofs = _proofs(claims);
        Reenterer token = new Reenterer(ledger, claims, proofs);
        vm.etch(address(dataToken), address(token).code);
        Reenterer(address(dataToken)).arm(ledger, claims, proofs);
        vm.warp(_endOf(2));
        ledger.claimMany(claims, proofs);
        assertTrue(Reenterer(address(dataToken)).guarded(), "the guard stopped it");
        assertEq(usdc.balanceOf(_payoutAddress(1)), 17 * MILLION);
    }

    function test_ABatchPaysWhatSingleClaimsPay() external {
        ISettlementLedger.Claim[] memory claims = _settled(5);
        vm.warp(_endOf(1) + 3 days);
        uint256 snapshot = vm.snapshotState();
        for (uint32 i; i < 5; ++i) {
            ledger.claim(claims[i], _proof(claims, i + 1));
        }
        uint256[] memory single = new uint256[](5);
        for (uint32 i; i < 5; ++i) {
            single[i] = usdc.balanceOf(_payoutAddress(i + 1));
        }
        vm.revertToState(snapshot);
        ledger.claimMany(claims, _proofs(claims));
        for (uint32 i; i < 5; ++i) {
            assertEq(usdc.balanceOf(_payoutAddress(i + 1)), single[i]);
        }
    }
}

/// @notice Stands in for a token whose `mint` tries to claim again.
contract Reenterer {
    SettlementLedger private ledger;
    ISettlementLedger.Claim[] private claims;
    bytes32[][] private proofs;
    bool public guarded;

    constructor(SettlementLedger ledger_, ISettlementLedger.Claim[] memory claims_, bytes32[][] memory proofs_) {
        arm(ledger_, claims_, proofs_);
    }

    function arm(SettlementLedger ledger_, ISettlementLedger.Claim[] memory claims_, bytes32[][] memory proofs_)
        public
    {
        ledger = ledger_;
        for (uint256 i; i < claims_.length; ++i) {
            claims.push(claims_[i]);
            proofs.push(proofs_[i]);
        }
    }

    function mint(address, uint256) external {
        try ledger.claimMany(claims, proofs) {}
        catch (bytes memory reason) {
            guarded = bytes4(reason) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        }
    }
}
