// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Buyback} from "../../src/treasury/Buyback.sol";
import {ITreasury} from "../../src/treasury/ITreasury.sol";

interface VmWarp {
    function warp(uint256 time) external;
}

/// @notice The price of a lot while it descends over a week: between start and floor, and never rising.
contract BuybackSymbolic {
    VmWarp private constant VM = VmWarp(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint32 private constant WEEK = 7 days;
    uint256 private constant NOW = 1_800_000_000;

    /// @dev As the Treasury answers: a lot is there.
    function available(ITreasury.Bucket) external pure returns (uint256) {
        return type(uint96).max;
    }

    function _offered(uint128 start, uint128 floor) private returns (Buyback desk) {
        Buyback.Terms memory terms = Buyback.Terms(1, start, floor, WEEK);
        bytes memory init = abi.encodeCall(Buyback.initialize, (address(this), address(this), address(this), terms));
        desk = Buyback(address(new ERC1967Proxy(address(new Buyback()), init)));
        VM.warp(NOW);
        desk.offer();
    }

    function check_BetweenStartAndFloor(uint24 elapsed) external {
        (uint128 start, uint128 floor) = (1_000e18, 250e18);
        Buyback desk = _offered(start, floor);
        VM.warp(NOW + elapsed);
        uint256 asked = desk.asked();
        assert(asked <= start && asked >= floor);
        if (elapsed >= WEEK) assert(asked == floor);
        if (elapsed == 0) assert(asked == start);
    }

    /// @dev The whole descent at any two times, of one lot: 1,000 DATA down to 250.
    function check_NeverRises(uint24 early, uint24 late) external {
        if (early > late) return;
        Buyback desk = _offered(1_000e18, 250e18);
        VM.warp(NOW + early);
        uint256 first = desk.asked();
        VM.warp(NOW + late);
        assert(desk.asked() <= first);
    }
}
