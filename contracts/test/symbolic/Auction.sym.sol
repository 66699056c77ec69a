// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {AuctionHouse} from "../../src/market/AuctionHouse.sol";
import {License} from "../../src/market/License.sol";
import {LicenseSale} from "../../src/market/LicenseSale.sol";

interface VmAuction {
    function warp(uint256 time) external;
    function prank(address sender) external;
}

/// @notice A whole auction of two bidders in the real contract, for all amounts; this contract plays everything around
/// it and keeps the till.
contract AuctionSymbolic {
    VmAuction private constant VM = VmAuction(address(uint160(uint256(keccak256("hevm cheat code")))));
    address private constant ANN = address(0xA11);
    address private constant BOB = address(0xB0B);
    uint256 private constant NOW = 1_800_000_000;
    uint128 private constant BOND = 100e6;

    uint256 private _taken;
    uint256 private _paidOut;
    uint256 private _booked;
    address private _holder;

    // -- ethics board, catalog, license, USDC and Treasury
    function approvedUntil(address, uint16) external pure returns (uint64) {
        return type(uint64).max;
    }

    function priceOf(uint32) external pure returns (uint128, bool, bool) {
        return (1, true, true);
    }

    function mint(address holder, License.Terms calldata) external returns (uint64) {
        _holder = holder;
        return 1;
    }

    function transferFrom(address, address, uint256 amount) external returns (bool) {
        _taken += amount;
        return true;
    }

    function transfer(address, uint256 amount) external returns (bool) {
        _paidOut += amount;
        return true;
    }

    function book(uint64, uint32, uint256 amount) external {
        _booked += amount;
    }

    function canCall(address, address, bytes4) external pure returns (bool, uint32) {
        return (true, 0);
    }

    // -- the auction
    function _bid(uint128 amount) private pure returns (AuctionHouse.Bid memory) {
        return AuctionHouse.Bid(amount, 5, bytes32(uint256(1)), bytes32(uint256(2)));
    }

    function _permit() private pure returns (LicenseSale.Permit memory) {
        return LicenseSale.Permit(type(uint256).max, 0, 0, 0, 0);
    }

    function _open(uint128 reserve) private returns (AuctionHouse house) {
        address self = address(this);
        LicenseSale.Deployment memory parts = LicenseSale.Deployment(self, self, self, self, self, self, self);
        bytes memory init = abi.encodeCall(AuctionHouse.initialize, (parts));
        house = AuctionHouse(address(new ERC1967Proxy(address(new AuctionHouse()), init)));
        VM.warp(NOW);
        house.setTerms(1, AuctionHouse.AuctionTerms(reserve, BOND, 1 hours, 1 hours, 1_000, 365 days));
        house.open(1, 42);
    }

    function _commit(AuctionHouse house, address bidder, uint128 amount) private {
        bytes32 seal = house.sealOf(1, bidder, _bid(amount));
        VM.prank(bidder);
        house.commit(1, seal, 42, _permit());
    }

    function _reveal(AuctionHouse house, address bidder, uint128 amount) private {
        VM.prank(bidder);
        house.reveal(1, _bid(amount), _permit());
    }

    function _sold(uint128 reserve, uint128 ann, uint128 bob) private returns (AuctionHouse house) {
        house = _open(reserve);
        _commit(house, ANN, ann);
        _commit(house, BOB, bob);
        VM.warp(NOW + 1 hours);
        _reveal(house, BOB, bob);
        _reveal(house, ANN, ann);
        house.close(1);
    }

    /// @dev The highest bid wins, the earlier one among equals; it pays the second, at least the reserve, never more than
    /// it bid. At a reserve of 200 USDC.
    function check_TheWinnerPaysTheSecondBid(uint128 ann, uint128 bob) external {
        uint128 reserve = 200e6;
        if (ann < reserve || bob < reserve) return;
        _sold(reserve, ann, bob);
        assert(_holder == (ann >= bob ? ANN : BOB));
        assert(_booked == (ann >= bob ? bob : ann));
        assert(_booked >= reserve && _booked <= (ann >= bob ? ann : bob));
    }

    /// @dev One bid alone pays the reserve, whatever that is; a bid below it never wins.
    function check_ALoneBidPaysTheReserve(uint128 reserve, uint128 ann, uint128 bob) external {
        if (reserve == 0 || ann < reserve || bob >= reserve) return;
        _sold(reserve, ann, bob);
        assert(_holder == ANN && _booked == reserve);
    }

    /// @dev What came in is the price and what both can withdraw, to the micro-USDC. At a reserve of 200 USDC.
    function check_NothingIsLostOrLeft(uint96 ann, uint96 bob) external {
        if (ann < 200e6 || bob < 200e6) return;
        AuctionHouse house = _sold(200e6, ann, bob);
        assert(_taken == _paidOut + house.owedTo(ANN) + house.owedTo(BOB));
        assert(_paidOut == _booked);
    }
}
