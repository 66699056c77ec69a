// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Vesting} from "../../src/treasury/Vesting.sol";

/// @notice A vesting schedule's curve, created as a genesis schedule of the real contract. Durations are those that
/// people agree on; amount and times are free within the widths named.
contract VestingSymbolic {
    uint40 private constant START = 1_800_000_000;

    Vesting private vesting;

    /// @dev As DATA answers at initialize: everything is here.
    function balanceOf(address) external pure returns (uint256) {
        return type(uint96).max;
    }

    function _create(uint96 amount, uint40 start, uint32 cliff, uint32 duration) private {
        Vesting.Schedule[] memory genesis = new Vesting.Schedule[](1);
        genesis[0] = Vesting.Schedule(address(1), amount, start, cliff, duration, false);
        bytes memory init = abi.encodeCall(Vesting.initialize, (address(this), address(this), address(this), genesis));
        vesting = Vesting(address(new ERC1967Proxy(address(new Vesting()), init)));
    }

    function check_TheCurveNeverExceedsTheAmount(uint32 amount, uint24 elapsed) external {
        if (amount == 0) return;
        _create(amount, START, 30 days, 365 days);
        assert(vesting.vestedAt(1, START + elapsed) <= amount);
    }

    /// @dev At any two times, of one schedule: 1,000,000 DATA.
    function check_TheCurveNeverFalls(uint32 early, uint32 late) external {
        if (early > late) return;
        _create(1_000_000e18, START, 30 days, 365 days);
        assert(vesting.vestedAt(1, START + uint64(early)) <= vesting.vestedAt(1, START + uint64(late)));
    }

    function check_NothingBeforeTheCliffAllInTheEnd(
        uint96 amount,
        uint40 start,
        uint32 cliff,
        uint32 duration,
        uint64 time
    ) external {
        if (amount == 0 || duration == 0 || cliff > duration) return;
        _create(amount, start, cliff, duration);
        if (time < uint256(start) + cliff) assert(vesting.vestedAt(1, time) == 0);
        else if (time >= uint256(start) + duration) assert(vesting.vestedAt(1, time) == amount);
    }
}
