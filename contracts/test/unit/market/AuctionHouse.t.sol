// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {Pausing} from "../../../src/access/Pausing.sol";
import {AuctionHouse} from "../../../src/market/AuctionHouse.sol";
import {DatasetCatalog} from "../../../src/market/DatasetCatalog.sol";
import {EscrowedSale} from "../../../src/market/EscrowedSale.sol";
import {LicenseSale} from "../../../src/market/LicenseSale.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

/// @notice Terms, opening, committing and revealing.
contract AuctionHouseTest is SaleTest {
    function test_RevertWhen_APartIsMissing() external {
        address code = address(new AuctionHouse());
        string[6] memory names = ["usdc", "treasury", "catalog", "license", "ethics", "researcherBond"];
        for (uint256 i; i < 6; ++i) {
            LicenseSale.Deployment memory p = _parts();
            if (i == 0) p.usdc = address(0);
            if (i == 1) p.treasury = address(0);
            if (i == 2) p.catalog = address(0);
            if (i == 3) p.license = address(0);
            if (i == 4) p.ethics = address(0);
            if (i == 5) p.researcherBond = address(0);
            vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, names[i]));
            _proxy(code, abi.encodeCall(AuctionHouse.initialize, (p)));
        }
    }

    // ---------------------------------------------------------------------------------------------- terms

    function _expectBadTerms(AuctionHouse.AuctionTerms memory t, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(AuctionHouse.AuctionHouse_BadTerms.selector, field));
        vm.prank(tokenHouse);
        auctions.setTerms(DATASET, t);
    }

    function test_RevertWhen_TheTermsAreNotAllowed() external {
        AuctionHouse.AuctionTerms memory t = _auctionTerms();
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        auctions.setTerms(DATASET, t);
        t.bidBond = 0;
        _expectBadTerms(t, "bidBond");
        t = _auctionTerms();
        t.commitPeriod = 1 days - 1;
        _expectBadTerms(t, "commitPeriod");
        t.commitPeriod = 30 days + 1;
        _expectBadTerms(t, "commitPeriod");
        t = _auctionTerms();
        t.revealPeriod = 2 days - 1;
        _expectBadTerms(t, "revealPeriod");
        t.revealPeriod = 30 days + 1;
        _expectBadTerms(t, "revealPeriod");
        t = _auctionTerms();
        t.records = 0;
        _expectBadTerms(t, "records");
        t = _auctionTerms();
        t.duration = 0;
        _expectBadTerms(t, "duration");
        t.duration = auctions.MAX_DURATION() + 1;
        _expectBadTerms(t, "duration");
    }

    function test_WhenTheReserveIsZeroNothingIsAuctioned() external {
        _openAuction();
        AuctionHouse.AuctionTerms memory none;
        vm.expectEmit(address(auctions));
        emit AuctionHouse.AuctionTermsSet(DATASET, none);
        vm.prank(tokenHouse);
        auctions.setTerms(DATASET, none);
        assertEq(abi.encode(auctions.termsOf(DATASET)), abi.encode(none));
        assertEq(abi.encode(auctions.auctionOf(1).terms), abi.encode(_auctionTerms()), "a running one keeps its terms");
        vm.prank(bidders[0]);
        vm.expectRevert(abi.encodeWithSelector(AuctionHouse.AuctionHouse_NotAuctioned.selector, DATASET));
        auctions.open(DATASET, PURPOSE);
    }

    // ----------------------------------------------------------------------------------------------- open

    function test_RevertWhen_TheOpenerMayNotBuy() external {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_NotApproved.selector, stranger, PURPOSE));
        auctions.open(DATASET, PURPOSE);
        vm.expectEmit(address(auctions));
        emit LicenseSale.BondRequired(true);
        vm.prank(memberHouse);
        auctions.setBondRequired(true);
        assertTrue(auctions.bondRequired());
        vm.prank(bidders[0]);
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_NotBonded.selector, bidders[0]));
        auctions.open(DATASET, PURPOSE);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        auctions.setBondRequired(false);
    }

    function test_WhenTheOpenerIsBonded() external {
        vm.prank(memberHouse);
        auctions.setBondRequired(true);
        usdc.mint(bidders[0], RESEARCHER_BOND);
        vm.startPrank(bidders[0]);
        usdc.approve(address(bonds), RESEARCHER_BOND);
        bonds.post(RESEARCHER_BOND);
        vm.stopPrank();
        assertEq(_openAuction(), 1);
    }

    function test_RevertWhen_TheDatasetIsClosed() external {
        DatasetCatalog.Dataset memory d = _dataset();
        (d.open, d.auctioned) = (false, true);
        _asTokenHouse();
        catalog.publish(DATASET, d);
        vm.prank(bidders[0]);
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_DatasetClosed.selector, DATASET));
        auctions.open(DATASET, PURPOSE);
    }

    /// @dev Point 20: what has a list price is not auctioned, and the other way round.
    function test_RevertWhen_TheDatasetHasAListPrice() external {
        vm.prank(tokenHouse);
        auctions.setTerms(DATASET, _auctionTerms());
        _sellBy(false);
        vm.prank(bidders[0]);
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_SoldOtherwise.selector, DATASET, false));
        auctions.open(DATASET, PURPOSE);
    }

    function test_RevertWhen_AListPriceIsSetWhileAnAuctionRuns() external {
        uint64 id = _openAuction();
        DatasetCatalog.Dataset memory d = _dataset();
        vm.expectRevert(abi.encodeWithSelector(DatasetCatalog.DatasetCatalog_BeingAuctioned.selector, DATASET, id));
        vm.prank(tokenHouse);
        catalog.publish(DATASET, d);
        (d.open, d.auctioned) = (false, true);
        vm.prank(tokenHouse);
        catalog.publish(DATASET, d);
        vm.warp(auctions.auctionOf(id).commitEnd);
        auctions.close(id);
        _sellBy(false);
        (,, bool auctioned) = catalog.priceOf(DATASET);
        assertFalse(auctioned);
    }

    function test_RevertWhen_AnotherRuns() external {
        _openAuction();
        vm.prank(bidders[1]);
        vm.expectRevert(abi.encodeWithSelector(AuctionHouse.AuctionHouse_Running.selector, DATASET, 1));
        auctions.open(DATASET, PURPOSE);
    }

    function test_WhenOpened() external {
        vm.prank(tokenHouse);
        auctions.setTerms(DATASET, _auctionTerms());
        _sellBy(true);
        vm.expectEmit(address(auctions));
        emit AuctionHouse.AuctionOpened(1, DATASET, bidders[2], _auctionTerms());
        vm.prank(bidders[2]);
        auctions.open(DATASET, PURPOSE);
        AuctionHouse.Auction memory a = auctions.auctionOf(1);
        assertEq(a.commitEnd, GENESIS + 3 days);
        assertEq(a.revealEnd, GENESIS + 5 days);
        assertEq(auctions.liveAuction(DATASET), 1);
        assertEq(auctions.auctionOf(2).commitEnd, 0);
    }

    function test_RevertWhen_Paused() external {
        uint64 id = _openAuction();
        vm.prank(pauser);
        auctions.setPausedUntil(GENESIS + 1 days);
        bytes memory paused = abi.encodeWithSelector(Pausing.Pausing_Paused.selector, GENESIS + 1 days);
        LicenseSale.Permit memory p;
        vm.startPrank(bidders[0]);
        vm.expectRevert(paused);
        auctions.open(DATASET, PURPOSE);
        vm.expectRevert(paused);
        auctions.commit(id, bytes32(uint256(1)), PURPOSE, p);
        vm.expectRevert(paused);
        auctions.reveal(id, _bid(1), p);
        vm.expectRevert(paused);
        auctions.close(id);
    }

    // ---------------------------------------------------------------------------------------------- commit

    function test_RevertWhen_TheCommitmentIsNotAllowed() external {
        uint64 id = _openAuction();
        LicenseSale.Permit memory p;
        vm.startPrank(bidders[0]);
        vm.expectRevert(abi.encodeWithSelector(AuctionHouse.AuctionHouse_NotOpen.selector, 9));
        auctions.commit(9, bytes32(uint256(1)), PURPOSE, p);
        vm.expectRevert(AuctionHouse.AuctionHouse_EmptySeal.selector);
        auctions.commit(id, 0, PURPOSE, p);
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_NotApproved.selector, bidders[0], 1));
        auctions.commit(id, bytes32(uint256(1)), 1, p);
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_PriceExceeds.selector, 100e6, 0));
        auctions.commit(id, bytes32(uint256(1)), PURPOSE, p);
        vm.stopPrank();
        _commit(id, 0, _bid(2_000e6));
        vm.startPrank(bidders[0]);
        vm.expectRevert(abi.encodeWithSelector(AuctionHouse.AuctionHouse_AlreadyBid.selector, id, bidders[0]));
        auctions.commit(id, bytes32(uint256(1)), PURPOSE, p);
        vm.warp(GENESIS + 3 days);
        vm.expectRevert(abi.encodeWithSelector(AuctionHouse.AuctionHouse_NotOpen.selector, id));
        auctions.commit(id, bytes32(uint256(1)), PURPOSE, p);
    }

    /// @dev Else who bids could see the others' bids and let the approval run out, at no cost.
    function test_RevertWhen_TheApprovalDoesNotLastUntilTheEnd() external {
        uint64 id = _openAuction();
        vm.prank(pauser);
        auctions.setPausedUntil(GENESIS + 1 days);
        vm.warp(GENESIS + 1 days);
        _approve(bidders[0], PURPOSE, GENESIS + 6 days);
        LicenseSale.Permit memory p = _fund(bidderKeys[0], 100e6, address(auctions));
        vm.prank(bidders[0]);
        vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_NotApproved.selector, bidders[0], PURPOSE));
        auctions.commit(id, keccak256("seal"), PURPOSE, p);
        _approve(bidders[0], PURPOSE, GENESIS + 6 days + 1);
        vm.prank(bidders[0]);
        auctions.commit(id, keccak256("seal"), PURPOSE, p);
    }

    function test_WhenCommitted() external {
        uint64 id = _openAuction();
        bytes32 sealedBid = auctions.sealOf(id, bidders[1], _bid(2_000e6));
        vm.warp(GENESIS + 3 days - 1);
        LicenseSale.Permit memory p = _fund(bidderKeys[1], 100e6, address(auctions));
        vm.expectEmit(address(auctions));
        emit AuctionHouse.BidCommitted(id, bidders[1], PURPOSE, sealedBid);
        vm.prank(bidders[1]);
        auctions.commit(id, sealedBid, PURPOSE, p);
        assertEq(usdc.balanceOf(address(auctions)), 100e6);
        AuctionHouse.Commitment memory c = auctions.commitmentOf(id, bidders[1]);
        assertEq(abi.encode(c), abi.encode(AuctionHouse.Commitment(sealedBid, 1, PURPOSE)));
    }

    function test_WhenSomebodySentThePermitBefore() external {
        uint64 id = _openAuction();
        LicenseSale.Permit memory p = _fund(bidderKeys[0], 100e6, address(auctions));
        usdc.permit(bidders[0], address(auctions), p.value, p.deadline, p.v, p.r, p.s);
        vm.prank(bidders[0]);
        auctions.commit(id, bytes32(uint256(1)), PURPOSE, p);
        assertEq(usdc.balanceOf(address(auctions)), 100e6);
    }

    function test_RevertWhen_ThePermitIsAnothers() external {
        uint64 id = _openAuction();
        LicenseSale.Permit memory p = _fund(bidderKeys[1], 100e6, address(auctions));
        vm.prank(bidders[0]);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(auctions), 0, 100e6)
        );
        auctions.commit(id, bytes32(uint256(1)), PURPOSE, p);
    }

    // ---------------------------------------------------------------------------------------------- reveal

    function _expectNotRevealing(uint64 id, AuctionHouse.Bid memory b) private {
        LicenseSale.Permit memory p;
        vm.prank(bidders[0]);
        vm.expectRevert(abi.encodeWithSelector(AuctionHouse.AuctionHouse_NotRevealing.selector, id));
        auctions.reveal(id, b, p);
    }

    function test_RevertWhen_ItIsNotTheTimeToReveal() external {
        uint64 id = _openAuction();
        AuctionHouse.Bid memory b = _bid(2_000e6);
        _commit(id, 0, b);
        _expectNotRevealing(9, b);
        vm.warp(GENESIS + 3 days - 1);
        _expectNotRevealing(id, b);
        vm.warp(GENESIS + 5 days);
        _expectNotRevealing(id, b);
        vm.warp(GENESIS + 5 days - 1);
        _reveal(id, 0, b);
        auctions.close(id);
        _expectNotRevealing(id, b);
    }

    function _expectWrongSeal(uint64 id, uint256 i, AuctionHouse.Bid memory b) private {
        LicenseSale.Permit memory p;
        vm.prank(bidders[i]);
        vm.expectRevert(abi.encodeWithSelector(AuctionHouse.AuctionHouse_WrongSeal.selector, id, bidders[i]));
        auctions.reveal(id, b, p);
    }

    function test_RevertWhen_AnythingDiffersFromTheSeal() external {
        uint64 id = _openAuction();
        AuctionHouse.Bid memory b = _bid(2_000e6);
        _commit(id, 0, b);
        bytes32 copied = auctions.sealOf(id, bidders[0], b);
        LicenseSale.Permit memory p = _fund(bidderKeys[1], 100e6, address(auctions));
        vm.prank(bidders[1]);
        auctions.commit(id, copied, PURPOSE, p);
        vm.warp(GENESIS + 3 days);
        _expectWrongSeal(id, 1, b);
        _expectWrongSeal(id, 2, b);
        AuctionHouse.Bid memory other = _bid(2_000e6);
        other.amount++;
        _expectWrongSeal(id, 0, other);
        other = _bid(2_000e6);
        other.ehdsCategory++;
        _expectWrongSeal(id, 0, other);
        other = _bid(2_000e6);
        other.recipientKey = keccak256("other");
        _expectWrongSeal(id, 0, other);
        other = _bid(2_000e6);
        other.salt = keccak256("other");
        _expectWrongSeal(id, 0, other);
        vm.chainId(1);
        _expectWrongSeal(id, 0, b);
        vm.chainId(31_337);
        _reveal(id, 0, b);
        _expectWrongSeal(id, 0, b);
    }

    function test_WhenTheAmountIsBelowTheReserve() external {
        uint64 id = _openAuction();
        AuctionHouse.Bid memory b = _bid(1_000e6 - 1);
        _commit(id, 0, b);
        vm.warp(GENESIS + 3 days);
        LicenseSale.Permit memory none;
        vm.expectEmit(address(auctions));
        emit AuctionHouse.BidRevealed(id, bidders[0], b.amount);
        vm.prank(bidders[0]);
        auctions.reveal(id, b, none);
        assertEq(auctions.owedTo(bidders[0]), 100e6);
        assertEq(auctions.auctionOf(id).bestBidder, address(0));
    }

    function test_WhenTheApprovalWasWithdrawnTheBondComesBack() external {
        uint64 id = _openAuction();
        AuctionHouse.Bid memory b = _bid(2_000e6);
        _commit(id, 0, b);
        vm.warp(GENESIS + 3 days);
        vm.prank(memberHouse);
        ethics.withdraw(bidders[0], PURPOSE);
        LicenseSale.Permit memory none;
        vm.prank(bidders[0]);
        auctions.reveal(id, b, none);
        assertEq(auctions.owedTo(bidders[0]), 100e6);
        assertEq(auctions.auctionOf(id).bestBidder, address(0));
    }

    function test_RevertWhen_TheSealedOrderIsNotAllowed() external {
        uint64 id = _openAuction();
        AuctionHouse.Bid[3] memory b = [_bid(2_000e6), _bid(2_000e6), _bid(2_000e6)];
        (b[0].ehdsCategory, b[1].ehdsCategory, b[2].recipientKey) = (0, 7, 0);
        for (uint256 i; i < 3; ++i) {
            _commit(id, i, b[i]);
        }
        vm.warp(GENESIS + 3 days);
        for (uint256 i; i < 3; ++i) {
            LicenseSale.Permit memory none;
            string memory field = i == 2 ? "recipientKey" : "ehdsCategory";
            vm.expectRevert(abi.encodeWithSelector(LicenseSale.LicenseSale_BadOrder.selector, field));
            vm.prank(bidders[i]);
            auctions.reveal(id, b[i], none);
        }
    }

    function test_WhenTheBondExceedsTheAmount() external {
        AuctionHouse.AuctionTerms memory t = _auctionTerms();
        (t.reserve, t.bidBond) = (10e6, 100e6);
        vm.prank(tokenHouse);
        auctions.setTerms(DATASET, t);
        _sellBy(true);
        vm.prank(bidders[0]);
        uint64 id = auctions.open(DATASET, PURPOSE);
        _commit(id, 0, _bid(30e6));
        vm.warp(GENESIS + 3 days);
        _reveal(id, 0, _bid(30e6));
        assertEq(auctions.owedTo(bidders[0]), 70e6);
        auctions.close(id);
        assertEq(auctions.owedTo(bidders[0]), 90e6);
        assertEq(_booked(), 10e6);
        auctions.withdraw(bidders[0]);
        assertEq(usdc.balanceOf(address(auctions)), 0);
    }

    // -------------------------------------------------------------------------------------------- withdraw

    function test_RevertWhen_NothingIsOwed() external {
        vm.expectRevert(abi.encodeWithSelector(EscrowedSale.EscrowedSale_NothingOwed.selector, bidders[0]));
        auctions.withdraw(bidders[0]);
    }

    function test_WhenOwedAPauseStopsNoWithdrawal() external {
        uint64 id = _openAuction();
        _commit(id, 0, _bid(1));
        vm.warp(GENESIS + 3 days);
        _reveal(id, 0, _bid(1));
        vm.prank(pauser);
        auctions.setPausedUntil(GENESIS + 9 days);
        uint256 before = usdc.balanceOf(bidders[0]);
        vm.expectEmit(address(auctions));
        emit EscrowedSale.Withdrawn(bidders[0], 100e6);
        vm.prank(stranger);
        assertEq(auctions.withdraw(bidders[0]), 100e6);
        assertEq(usdc.balanceOf(bidders[0]) - before, 100e6);
        vm.expectRevert(abi.encodeWithSelector(EscrowedSale.EscrowedSale_NothingOwed.selector, bidders[0]));
        auctions.withdraw(bidders[0]);
    }
}
