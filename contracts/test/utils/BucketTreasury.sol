// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {TestUSDC} from "../../src/testing/TestUSDC.sol";
import {ITreasury} from "../../src/treasury/ITreasury.sol";

/// @notice A treasury whose buckets a test fills by hand, and which asks nobody who they are.
contract BucketTreasury is ITreasury {
    TestUSDC private immutable USDC;

    mapping(Bucket bucket => uint256) public available;

    constructor(TestUSDC usdc) {
        USDC = usdc;
    }

    function fill(Bucket bucket, uint256 amount) public {
        USDC.mint(address(this), amount);
        available[bucket] += amount;
    }

    function book(uint64, uint32, uint256 amount) external {
        fill(Bucket.Contributors, amount);
    }

    function donate(uint256 amount) external {
        USDC.transferFrom(msg.sender, address(this), amount);
        available[Bucket.Reserve] += amount;
    }

    function payOperator(address to, uint256 amount) external {
        available[Bucket.Operations] -= amount;
        USDC.transfer(to, amount);
    }

    function takeLot(address to, uint256 amount) external {
        available[Bucket.Buyback] -= amount;
        USDC.transfer(to, amount);
    }
}
