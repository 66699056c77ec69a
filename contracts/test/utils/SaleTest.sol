// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {AuctionHouse} from "../../src/market/AuctionHouse.sol";
import {ComputeDesk} from "../../src/market/ComputeDesk.sol";
import {DatasetCatalog} from "../../src/market/DatasetCatalog.sol";
import {LicenseSale} from "../../src/market/LicenseSale.sol";
import {ITreasury} from "../../src/treasury/ITreasury.sol";
import {CoopTest} from "./CoopTest.sol";

/// @notice A cooperative that auctions and computes: four researchers, all approved for the purpose. Contributors get all
/// of each price, so that the reserve holds what was donated and nothing else.
abstract contract SaleTest is CoopTest {
    address[4] internal bidders;
    uint256[4] internal bidderKeys;

    function setUp() public virtual override {
        super.setUp();
        _asTokenHouse();
        treasury.setSplit(0, 0, 0, 0);
        for (uint256 i; i < 4; ++i) {
            (bidders[i], bidderKeys[i]) = makeAddrAndKey(string.concat("bidder", vm.toString(i)));
            _approve(bidders[i], PURPOSE, type(uint64).max);
        }
    }

    function _proxy(address code, bytes memory init) internal returns (address) {
        return address(new ERC1967Proxy(code, init));
    }

    function _parts() internal view returns (LicenseSale.Deployment memory) {
        return LicenseSale.Deployment({
            authority: address(manager),
            usdc: address(usdc),
            treasury: address(treasury),
            catalog: address(catalog),
            license: address(license),
            ethics: address(ethics),
            researcherBond: address(bonds)
        });
    }

    // ------------------------------------------------------------------------------------------------ money

    function _booked() internal view returns (uint256) {
        return treasury.contributorsBooked();
    }

    function _donated() internal view returns (uint256) {
        return treasury.available(ITreasury.Bucket.Reserve);
    }

    /// @dev USDC and a permit for as much.
    function _fund(uint256 key, uint256 value, address spender) internal returns (LicenseSale.Permit memory) {
        usdc.mint(vm.addr(key), value);
        return _permitFor(key, value, spender);
    }

    // --------------------------------------------------------------------------------------------- auctions

    function _auctionTerms() internal pure returns (AuctionHouse.AuctionTerms memory) {
        return AuctionHouse.AuctionTerms({
            reserve: 1_000e6,
            bidBond: 100e6,
            commitPeriod: 3 days,
            revealPeriod: 2 days,
            records: 5_000,
            duration: 365 days
        });
    }

    function _bid(uint128 amount) internal pure returns (AuctionHouse.Bid memory) {
        return AuctionHouse.Bid(amount, 5, keccak256("recipient"), keccak256(abi.encode("salt", amount)));
    }

    /// @dev The dataset is sold by auction, or at its list price.
    function _sellBy(bool auction) internal {
        DatasetCatalog.Dataset memory d = _dataset();
        d.auctioned = auction;
        _asTokenHouse();
        catalog.publish(DATASET, d);
    }

    /// @dev Sets terms and opens an auction.
    function _openAuction() internal returns (uint64) {
        _asTokenHouse();
        auctions.setTerms(DATASET, _auctionTerms());
        _sellBy(true);
        vm.prank(bidders[0]);
        return auctions.open(DATASET, PURPOSE);
    }

    function _commit(uint64 id, uint256 i, AuctionHouse.Bid memory b) internal {
        LicenseSale.Permit memory p = _fund(bidderKeys[i], auctions.auctionOf(id).terms.bidBond, address(auctions));
        bytes32 sealedBid = auctions.sealOf(id, bidders[i], b);
        vm.prank(bidders[i]);
        auctions.commit(id, sealedBid, PURPOSE, p);
    }

    function _reveal(uint64 id, uint256 i, AuctionHouse.Bid memory b) internal {
        uint128 bond = auctions.auctionOf(id).terms.bidBond;
        LicenseSale.Permit memory p = _fund(bidderKeys[i], b.amount > bond ? b.amount - bond : 0, address(auctions));
        vm.prank(bidders[i]);
        auctions.reveal(id, b, p);
    }

    // ------------------------------------------------------------------------------------------------ jobs

    function _job(uint64 maxUnits) internal pure returns (ComputeDesk.Job memory) {
        return ComputeDesk.Job({
            datasetId: DATASET,
            purpose: PURPOSE,
            ehdsCategory: 5,
            maxUnits: maxUnits,
            planDigest: keccak256("plan"),
            recipientKey: keccak256("recipient")
        });
    }

    function _openJob(uint256 i, uint64 maxUnits) internal returns (uint64 jobId) {
        (uint128 base, uint128 perUnit,) = desk.prices();
        LicenseSale.Permit memory p = _fund(bidderKeys[i], uint256(base) + uint256(perUnit) * maxUnits, address(desk));
        vm.prank(bidders[i]);
        return desk.open(_job(maxUnits), p);
    }

    function _computeDigest(ComputeDesk.ComputeReceipt memory r) internal view returns (bytes32) {
        bytes32 hash = keccak256("ComputeReceipt(uint64 jobId,uint64 units,bytes32 planDigest,bytes32 snapshot)");
        return _typed("ComputeDesk", address(desk), keccak256(abi.encode(hash, r)));
    }

    function _receipt(uint64 jobId, uint64 units) internal pure returns (ComputeDesk.ComputeReceipt memory) {
        return ComputeDesk.ComputeReceipt(jobId, units, keccak256("plan"), keccak256("snapshot"));
    }

    function _complete(uint64 jobId, uint64 units) internal {
        ComputeDesk.ComputeReceipt memory r = _receipt(jobId, units);
        bytes32 digest = _computeDigest(r);
        desk.complete(r, _stewardSignatures(digest, 2), _sign(workerKey, digest));
    }
}
