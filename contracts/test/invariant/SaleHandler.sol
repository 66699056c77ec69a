// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AuctionHouse} from "../../src/market/AuctionHouse.sol";
import {ComputeDesk} from "../../src/market/ComputeDesk.sol";
import {DatasetCatalog} from "../../src/market/DatasetCatalog.sol";
import {LicenseSale} from "../../src/market/LicenseSale.sol";
import {ResearcherBond} from "../../src/market/ResearcherBond.sol";
import {ITreasury} from "../../src/treasury/ITreasury.sol";
import {SaleTest} from "../utils/SaleTest.sol";

/// @notice Four researchers reserve, bid, compute and bond, and take back what they may, in any order.
contract SaleHandler is SaleTest {
    uint32 private constant AUCTIONED = 2;

    uint64 internal reservations;
    uint64 internal lastAuction;
    uint64 internal jobs;

    uint256 private time;
    mapping(uint64 auctionId => mapping(address bidder => uint128)) private amounts;

    function setUp() public override {
        super.setUp();
        _asTokenHouse();
        desk.setPrice(7e6, 3);
        _asTokenHouse();
        auctions.setTerms(AUCTIONED, _auctionTerms());
        DatasetCatalog.Dataset memory d = _dataset();
        d.auctioned = true;
        _asTokenHouse();
        catalog.publish(AUCTIONED, d);
        address[4] memory spenders = [address(market), address(auctions), address(desk), address(bonds)];
        for (uint256 i; i < 4; ++i) {
            usdc.mint(bidders[i], 1e15);
            for (uint256 k; k < 4; ++k) {
                vm.prank(bidders[i]);
                usdc.approve(spenders[k], type(uint256).max);
            }
        }
        time = block.timestamp;
    }

    /// @dev The fuzzer's own time does not move; ours does.
    modifier timed() {
        vm.warp(time);
        _;
        time = block.timestamp;
    }

    function _approved() private pure returns (LicenseSale.Permit memory p) {
        p.value = type(uint256).max;
    }

    function _mayBuy(address researcher_) private view returns (bool) {
        return ethics.approvedUntil(researcher_, PURPOSE) > block.timestamp;
    }

    /// @dev The ethics board withdraws an approval, or gives it again.
    function approve(uint256 pick, bool given) external timed {
        _approve(bidders[pick % 4], PURPOSE, given ? type(uint64).max : uint64(block.timestamp));
    }

    /// @notice Time passes and strangers do what anyone may: nobody who reserved, bid, opened a job or was to work on one
    /// does anything more. Bonds that were asked back are fetched by whose they are.
    function finish() external {
        vm.warp(time + 60 days);
        vm.startPrank(stranger);
        for (uint64 id = 1; id <= reservations; ++id) {
            address holder = market.reservationOf(id).holder;
            if (holder == address(0)) continue;
            if (_mayBuy(holder)) market.activate(id);
            else market.cancel(id);
        }
        uint64 live = auctions.liveAuction(AUCTIONED);
        if (live != 0) auctions.close(live);
        for (uint64 id = 1; id <= jobs; ++id) {
            if (desk.jobOf(id).researcher != address(0)) desk.refund(id);
        }
        for (uint256 i; i < 4; ++i) {
            if (auctions.owedTo(bidders[i]) != 0) auctions.withdraw(bidders[i]);
            if (desk.owedTo(bidders[i]) != 0) desk.withdraw(bidders[i]);
        }
        vm.stopPrank();
        for (uint256 i; i < 4; ++i) {
            uint96 bonded = bonds.bondOf(bidders[i]).amount;
            if (bonded == 0) continue;
            vm.prank(bidders[i]);
            bonds.requestUnbond(bonded);
        }
        vm.warp(time + 120 days);
        for (uint256 i; i < 4; ++i) {
            if (bonds.bondOf(bidders[i]).unbonding == 0) continue;
            vm.prank(bidders[i]);
            bonds.withdraw(bidders[i]);
        }
    }

    function wait_(uint256 s) external timed {
        vm.warp(block.timestamp + bound(s, 1, 2 days));
    }

    // ------------------------------------------------------------------------------------- reservations

    function reserve(uint256 pick, uint32 records) external timed {
        if (!_mayBuy(bidders[pick % 4])) return;
        vm.prank(bidders[pick % 4]);
        reservations = market.reserve(_order(uint32(bound(records, 1, 1e6))), _approved());
    }

    function activate(uint64 pick) external timed {
        (uint64 id, address holder) = _reservation(pick);
        if (holder == address(0) || !_mayBuy(holder)) return;
        vm.prank(holder);
        market.activate(id);
    }

    function cancel(uint64 pick) external timed {
        (uint64 id, address holder) = _reservation(pick);
        if (holder == address(0) || block.timestamp >= market.reservationOf(id).cancelUntil) return;
        vm.prank(holder);
        market.cancel(id);
    }

    function _reservation(uint64 pick) private view returns (uint64 id, address holder) {
        if (reservations == 0) return (0, address(0));
        id = pick % reservations + 1;
        holder = market.reservationOf(id).holder;
    }

    // ----------------------------------------------------------------------------------------- auctions

    function bid(uint256 pick, uint128 amount) external timed {
        uint64 id = auctions.liveAuction(AUCTIONED);
        address bidder = bidders[pick % 4];
        if (!_mayBuy(bidder)) return;
        if (id == 0) {
            vm.prank(bidder);
            id = lastAuction = auctions.open(AUCTIONED, PURPOSE);
        }
        if (block.timestamp >= auctions.auctionOf(id).commitEnd || amounts[id][bidder] != 0) return;
        amount = amounts[id][bidder] = uint128(bound(amount, 1, 5_000e6));
        bytes32 sealedBid = auctions.sealOf(id, bidder, _bid(amount));
        vm.prank(bidder);
        auctions.commit(id, sealedBid, PURPOSE, _approved());
    }

    function reveal(uint256 pick) external timed {
        uint64 id = auctions.liveAuction(AUCTIONED);
        if (id == 0) return;
        AuctionHouse.Auction memory a = auctions.auctionOf(id);
        address bidder = bidders[pick % 4];
        if (block.timestamp >= a.revealEnd || auctions.commitmentOf(id, bidder).seal == 0) return;
        if (block.timestamp < a.commitEnd) vm.warp(a.commitEnd);
        vm.prank(bidder);
        auctions.reveal(id, _bid(amounts[id][bidder]), _approved());
    }

    function close() external timed {
        uint64 id = auctions.liveAuction(AUCTIONED);
        if (id == 0) return;
        AuctionHouse.Auction memory a = auctions.auctionOf(id);
        if (block.timestamp < (a.hidden == 0 ? a.commitEnd : a.revealEnd)) return;
        auctions.close(id);
    }

    // --------------------------------------------------------------------------------------------- jobs

    function openJob(uint256 pick, uint64 maxUnits) external timed {
        if (!_mayBuy(bidders[pick % 4])) return;
        vm.prank(bidders[pick % 4]);
        jobs = desk.open(_job(uint64(bound(maxUnits, 1, 1e6))), _approved());
    }

    function completeJob(uint64 pick, uint64 units) external timed {
        (uint64 id, ComputeDesk.OpenJob memory job) = _openedJob(pick);
        if (job.researcher != address(0)) _complete(id, uint64(bound(units, 0, job.maxUnits)));
    }

    function refundJob(uint64 pick) external timed {
        (uint64 id, ComputeDesk.OpenJob memory job) = _openedJob(pick);
        if (job.researcher != address(0) && block.timestamp >= job.refundAt) desk.refund(id);
    }

    function _openedJob(uint64 pick) private view returns (uint64 id, ComputeDesk.OpenJob memory job) {
        if (jobs == 0) return (0, job);
        id = pick % jobs + 1;
        job = desk.jobOf(id);
    }

    function withdraw(uint256 pick) external timed {
        address account = bidders[pick % 4];
        if (auctions.owedTo(account) != 0) auctions.withdraw(account);
        if (desk.owedTo(account) != 0) desk.withdraw(account);
    }

    // -------------------------------------------------------------------------------------------- bonds

    function post(uint256 pick, uint256 amount) external timed {
        vm.prank(bidders[pick % 4]);
        bonds.post(bound(amount, 1, 1e9));
    }

    function takeBond(uint256 pick, uint96 amount, bool request) external timed {
        address account = bidders[pick % 4];
        ResearcherBond.Bond memory b = bonds.bondOf(account);
        vm.startPrank(account);
        if (request && b.amount != 0) bonds.requestUnbond(uint96(bound(amount, 1, b.amount)));
        else if (b.unbonding != 0 && block.timestamp >= b.withdrawableAt) bonds.withdraw(account);
        vm.stopPrank();
    }

    function slash(uint256 pick, uint256 amount) external timed {
        ResearcherBond.Bond memory b = bonds.bondOf(bidders[pick % 4]);
        uint256 held = uint256(b.amount) + b.unbonding;
        if (held == 0) return;
        _asMemberHouse();
        bonds.slash(bidders[pick % 4], bound(amount, 1, held), "reason");
    }

    // --------------------------------------------------------------------------------- what must be held

    /// @notice What each contract holds, and what it owes: reservations, bids, jobs, bonds, the Treasury.
    function balances() external view returns (uint256[5] memory held, uint256[5] memory owed) {
        address[5] memory at = [address(market), address(auctions), address(desk), address(bonds), address(treasury)];
        for (uint256 i; i < 5; ++i) {
            held[i] = usdc.balanceOf(at[i]);
        }
        for (uint64 id = 1; id <= reservations; ++id) {
            owed[0] += market.reservationOf(id).price;
        }
        for (uint64 id = 1; id <= lastAuction; ++id) {
            AuctionHouse.Auction memory a = auctions.auctionOf(id);
            if (!a.closed) owed[1] += uint256(a.hidden) * a.terms.bidBond + a.bestAmount;
        }
        for (uint64 id = 1; id <= jobs; ++id) {
            ComputeDesk.OpenJob memory job = desk.jobOf(id);
            owed[2] += job.base + uint256(job.perUnit) * job.maxUnits;
        }
        for (uint256 i; i < 4; ++i) {
            owed[1] += auctions.owedTo(bidders[i]);
            owed[2] += desk.owedTo(bidders[i]);
            ResearcherBond.Bond memory b = bonds.bondOf(bidders[i]);
            owed[3] += uint256(b.amount) + b.unbonding;
        }
        owed[4] = treasury.contributorsBooked() + treasury.available(ITreasury.Bucket.Reserve);
    }

    /// @notice Everything that came into the world is with a researcher or with one of the five.
    function researchersHold() external view returns (uint256 sum, uint256 supply) {
        for (uint256 i; i < 4; ++i) {
            sum += usdc.balanceOf(bidders[i]);
        }
        supply = usdc.totalSupply() - usdc.balanceOf(address(committee));
    }
}
