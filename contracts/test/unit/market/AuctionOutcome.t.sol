// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AuctionHouse} from "../../../src/market/AuctionHouse.sol";
import {License} from "../../../src/market/License.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

/// @notice How auctions end (AuctionHouse.tree: close, setPausedUntil).
contract AuctionOutcomeTest is SaleTest {
    uint128 private constant RESERVE = 1_000e6;
    uint128 private constant BOND = 100e6;

    function _expectNotFinished(uint64 id) private {
        vm.expectRevert(abi.encodeWithSelector(AuctionHouse.AuctionHouse_NotFinished.selector, id));
        auctions.close(id);
    }

    function test_RevertWhen_ItIsNotFinished() external {
        uint64 id = _openAuction();
        _commit(id, 0, _bid(RESERVE));
        _expectNotFinished(9);
        vm.warp(GENESIS + 3 days - 1);
        _expectNotFinished(id);
        vm.warp(GENESIS + 5 days - 1);
        _expectNotFinished(id);
        vm.warp(GENESIS + 5 days);
        auctions.close(id);
        _expectNotFinished(id);
    }

    function test_WhenNobodyBidItEndsAndAnotherOpens() external {
        uint64 id = _openAuction();
        vm.warp(GENESIS + 3 days - 1);
        _expectNotFinished(id);
        vm.warp(GENESIS + 3 days);
        vm.expectEmit(address(auctions));
        emit AuctionHouse.AuctionClosed(id, 0, address(0), 0, 0);
        auctions.close(id);
        assertTrue(auctions.auctionOf(id).closed);
        assertEq(auctions.liveAuction(DATASET), 0);
        vm.prank(bidders[3]);
        assertEq(auctions.open(DATASET, PURPOSE), 2);
    }

    function test_WhenOneBidTheReserveIsPaid() external {
        uint64 id = _openAuction();
        _commit(id, 2, _bid(5_000e6));
        vm.warp(GENESIS + 3 days);
        _reveal(id, 2, _bid(5_000e6));
        License.Terms memory terms = License.Terms({
            datasetId: DATASET,
            right: 1,
            purpose: PURPOSE,
            ehdsCategory: 5,
            records: 5_000,
            issuedAt: uint64(block.timestamp),
            expiry: uint64(block.timestamp) + 365 days,
            recipientKey: keccak256("recipient")
        });
        vm.expectEmit(address(license));
        emit License.LicenseIssued(1, bidders[2], terms);
        vm.expectEmit(address(auctions));
        emit AuctionHouse.AuctionClosed(id, 1, bidders[2], RESERVE, 0);
        auctions.close(id);
        assertEq(license.ownerOf(1), bidders[2]);
        assertEq(_booked(), RESERVE);
        assertEq(auctions.owedTo(bidders[2]), 4_000e6);
    }

    function test_WhenTheApprovalOfTheWinnerIsWithdrawnNobodyBuys() external {
        uint64 id = _openAuction();
        _commit(id, 0, _bid(3_000e6));
        _commit(id, 1, _bid(2_000e6));
        vm.warp(GENESIS + 3 days);
        _reveal(id, 0, _bid(3_000e6));
        _reveal(id, 1, _bid(2_000e6));
        vm.prank(memberHouse);
        ethics.withdraw(bidders[0], PURPOSE);
        vm.expectEmit(address(auctions));
        emit AuctionHouse.AuctionClosed(id, 0, address(0), 0, 0);
        auctions.close(id);
        assertEq(license.licenseCount(), 0);
        assertEq(auctions.owedTo(bidders[0]), 3_000e6);
        assertEq(auctions.owedTo(bidders[1]), 2_000e6);
    }

    /// @dev Who bids keeps the bargain: an approval that runs out by the clock is no way out of it.
    function test_WhenTheApprovalOfTheWinnerRanOutAfterTheEndItStillBuys() external {
        uint64 id = _openAuction();
        _approve(bidders[0], PURPOSE, GENESIS + 5 days + 1);
        _commit(id, 0, _bid(3_000e6));
        _commit(id, 1, _bid(2_000e6));
        _commit(id, 2, _bid(1_500e6));
        vm.warp(GENESIS + 3 days);
        _reveal(id, 0, _bid(3_000e6));
        _reveal(id, 1, _bid(2_000e6));
        vm.warp(GENESIS + 6 days);
        auctions.close(id);
        assertEq(license.ownerOf(1), bidders[0]);
        assertEq(auctions.owedTo(bidders[0]), 1_000e6);
        assertEq(_booked(), 2_000e6);
    }

    function test_WhenTheBoardWithdrawsAfterTheEndNobodyBuys() external {
        uint64 id = _openAuction();
        _commit(id, 0, _bid(3_000e6));
        vm.warp(GENESIS + 3 days);
        _reveal(id, 0, _bid(3_000e6));
        vm.warp(GENESIS + 6 days);
        vm.prank(memberHouse);
        ethics.withdraw(bidders[0], PURPOSE);
        auctions.close(id);
        assertEq(license.licenseCount(), 0);
        assertEq(auctions.owedTo(bidders[0]), 3_000e6);
    }

    function test_WhenAmountsAreEqualTheEarlierCommitmentWins() external {
        uint64 id = _openAuction();
        AuctionHouse.Bid memory b = _bid(2_000e6);
        _commit(id, 0, b);
        _commit(id, 1, b);
        vm.warp(GENESIS + 3 days);
        _reveal(id, 1, b);
        _reveal(id, 0, b);
        auctions.close(id);
        assertEq(license.ownerOf(1), bidders[0]);
        assertEq(_booked(), 2_000e6);
        assertEq(auctions.owedTo(bidders[0]), 0);
        assertEq(auctions.owedTo(bidders[1]), 2_000e6);
    }

    function test_WhenSomebodyDoesNotRevealTheBondIsTheReserves() external {
        uint64 id = _openAuction();
        _commit(id, 0, _bid(2_000e6));
        _commit(id, 1, _bid(9_000e6));
        _commit(id, 2, _bid(8_000e6));
        vm.warp(GENESIS + 3 days);
        _reveal(id, 0, _bid(2_000e6));
        vm.warp(GENESIS + 5 days);
        vm.expectEmit(address(auctions));
        emit AuctionHouse.AuctionClosed(id, 1, bidders[0], RESERVE, 2 * BOND);
        auctions.close(id);
        assertEq(_donated(), 2 * BOND);
        assertEq(auctions.owedTo(bidders[1]), 0);
        assertEq(usdc.balanceOf(address(auctions)), auctions.owedTo(bidders[0]));
    }

    /// @dev Four bids in any order of commitment and revelation, some hidden, some below the reserve: the winner, the price,
    /// what each gets back, and where the money is.
    function testFuzz_TheHighestBidPaysTheSecondHighest(uint256 seed) external {
        uint64 id = _openAuction();
        uint128[4] memory amounts;
        uint256[4] memory order = _shuffled(seed);
        for (uint256 k; k < 4; ++k) {
            uint256 i = order[k];
            // Few values, so that equal bids are common.
            amounts[i] = RESERVE - 100e6 + 100e6 * uint128((seed >> (8 + 8 * i)) % 6);
            _commit(id, i, _bid(amounts[i]));
        }
        vm.warp(GENESIS + 3 days);
        uint256[4] memory revealOrder = _shuffled(seed >> 128);
        uint256 hidden;
        for (uint256 k; k < 4; ++k) {
            uint256 i = revealOrder[k];
            if ((seed >> (64 + 8 * i)) % 5 == 0) ++hidden;
            else _reveal(id, i, _bid(amounts[i]));
        }
        vm.warp(GENESIS + 5 days);
        auctions.close(id);
        _checkOutcome(amounts, order, seed, hidden);
    }

    function _checkOutcome(uint128[4] memory amounts, uint256[4] memory order, uint256 seed, uint256 hidden) private {
        (uint256 best, uint256 second, uint256 winner) = (0, RESERVE, 4);
        for (uint256 k; k < 4; ++k) {
            uint256 i = order[k];
            if ((seed >> (64 + 8 * i)) % 5 == 0 || amounts[i] < RESERVE) continue;
            if (amounts[i] > best) {
                if (best > second) second = best;
                (best, winner) = (amounts[i], i);
            } else if (amounts[i] > second) {
                second = amounts[i];
            }
        }
        assertEq(_donated(), hidden * BOND, "hidden bonds");
        assertEq(_booked(), winner == 4 ? 0 : second, "price");
        assertEq(license.licenseCount(), winner == 4 ? 0 : 1);
        if (winner != 4) assertEq(license.ownerOf(1), bidders[winner], "winner");
        uint256 owed;
        for (uint256 i; i < 4; ++i) {
            bool isHidden = (seed >> (64 + 8 * i)) % 5 == 0;
            uint256 expected = isHidden ? 0 : i == winner ? best - second : amounts[i] < RESERVE ? BOND : amounts[i];
            assertEq(auctions.owedTo(bidders[i]), expected, "owed");
            owed += expected;
            if (expected != 0) auctions.withdraw(bidders[i]);
        }
        assertEq(usdc.balanceOf(address(auctions)), 0, "nothing stays");
    }

    function _shuffled(uint256 seed) private pure returns (uint256[4] memory order) {
        order = [uint256(0), 1, 2, 3];
        for (uint256 i = 3; i > 0; --i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 j = seed % (i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
    }

    // ----------------------------------------------------------------------------------------------- pause

    function _pause(uint64 until) private {
        vm.prank(pauser);
        auctions.setPausedUntil(until);
    }

    function test_WhenPausedBothPeriodsGrow() external {
        uint64 id = _openAuction();
        vm.warp(GENESIS + 1 days);
        _pause(GENESIS + 6 days);
        assertEq(auctions.auctionOf(id).commitEnd, GENESIS + 8 days);
        assertEq(auctions.auctionOf(id).revealEnd, GENESIS + 10 days);
        vm.warp(GENESIS + 8 days - 1);
        _commit(id, 0, _bid(RESERVE));
        vm.warp(GENESIS + 8 days);
        _pause(GENESIS + 9 days);
        vm.warp(GENESIS + 11 days - 1);
        _reveal(id, 0, _bid(RESERVE));
        auctions.close(id);
        assertEq(_booked(), RESERVE);
    }

    function test_WhenThePauseIsChangedWhatItWasInTheEndCounts() external {
        uint64 id = _openAuction();
        vm.warp(GENESIS + 1 days);
        _pause(GENESIS + 6 days);
        vm.warp(GENESIS + 2 days);
        _pause(GENESIS + 3 days);
        assertEq(auctions.auctionOf(id).commitEnd, GENESIS + 5 days);
        _pause(GENESIS + 2 days);
        assertEq(auctions.auctionOf(id).commitEnd, GENESIS + 4 days);
        _pause(GENESIS + 1 days);
        assertEq(auctions.auctionOf(id).commitEnd, GENESIS + 4 days);
    }

    /// @dev A pause after the commit period must not open it again.
    function test_WhenPausedWhileRevealingNobodyCommits() external {
        uint64 id = _openAuction();
        vm.warp(GENESIS + 4 days);
        _pause(GENESIS + 8 days);
        vm.warp(GENESIS + 8 days);
        vm.expectRevert(abi.encodeWithSelector(AuctionHouse.AuctionHouse_NotOpen.selector, id));
        vm.prank(bidders[0]);
        auctions.commit(id, bytes32(uint256(1)), PURPOSE, _none());
    }

    function _none() private pure returns (AuctionHouse.Permit memory p) {}
}
