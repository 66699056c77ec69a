// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ITreasury} from "../../src/treasury/ITreasury.sol";
import {Treasury} from "../../src/treasury/Treasury.sol";
import {Vesting} from "../../src/treasury/Vesting.sol";
import {TreasuryHandler} from "./TreasuryHandler.sol";

/// @notice The numbered invariants of docs/invariants.md that concern the Treasury and what hangs on it.
contract TreasuryInvariants is Test {
    TreasuryHandler internal handler;
    Treasury internal treasury;
    Vesting internal vesting;
    IERC20 internal usdc;
    IERC20 internal data;

    function setUp() external {
        handler = new TreasuryHandler();
        handler.setUp();
        (treasury, vesting) = (handler.treasury(), handler.vesting());
        (address u, address d) = handler.tokens();
        (usdc, data) = (IERC20(u), IERC20(d));
        targetContract(address(handler));
        bytes4[16] memory moves = [
            handler.sell.selector,
            handler.sell.selector, // twice, so that there is something to spend
            handler.donate.selector,
            handler.send.selector,
            handler.wait_.selector,
            handler.claim.selector,
            handler.claimMany.selector,
            handler.grant.selector,
            handler.work.selector,
            handler.collect.selector,
            handler.offer.selector,
            handler.sellData.selector,
            handler.vest.selector,
            handler.release.selector,
            handler.revoke.selector,
            handler.fund.selector
        ];
        bytes4[] memory selectors = new bytes4[](18);
        for (uint256 i; i < 16; ++i) {
            selectors[i] = moves[i];
        }
        (selectors[16], selectors[17]) = (handler.split.selector, handler.attack.selector);
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    function _spent() private view returns (uint256 buyback, uint256 all) {
        uint256[3] memory s;
        (buyback, s[0], s[1], s[2]) = treasury.spent();
        all = buyback + s[0] + s[1] + s[2];
    }

    function invariant_T1_TheTreasuryHoldsWhatIsBookedAndNotSpent() external view {
        (uint256 c, uint256 b, uint256 o, uint256 m, uint256 r) = treasury.buckets();
        (, uint256 spent) = _spent();
        uint256 owed = c + b + o + m + r - spent - handler.claimed();
        assertEq(usdc.balanceOf(address(treasury)), owed + handler.sent());
    }

    function invariant_T2_BucketsAreSalesAndDonations() external view {
        (uint256 c, uint256 b, uint256 o, uint256 m, uint256 r) = treasury.buckets();
        assertEq(c + b + o + m + r, handler.sold() + handler.donated());
    }

    function invariant_T3_NoBucketIsOverspent() external view {
        (uint256 c, uint256 b, uint256 o, uint256 m, uint256 r) = treasury.buckets();
        (uint256 sb, uint256 so, uint256 sm, uint256 sr) = treasury.spent();
        assertLe(handler.claimed(), c);
        assertLe(sb, b);
        assertLe(so, o);
        assertLe(sm, m);
        assertLe(sr, r);
        for (uint8 i = 1; i < 5; ++i) {
            assertLe(treasury.available(ITreasury.Bucket(i)), usdc.balanceOf(address(treasury)));
        }
    }

    function invariant_T4_EverySpentMicroUsdcArrived() external view {
        (uint256 buyback, uint256 spent) = _spent();
        (uint256 paid, uint256 owed) = handler.operatorsTotal();
        assertEq(spent, buyback + paid + handler.granted());
        assertEq(paid + owed, handler.metered(), "metered is paid or owed");
        assertEq(buyback, handler.sellerGot());
        assertEq(handler.granteeGot(), handler.granted() + handler.claimed());
    }

    function invariant_T5_EveryLotBurnsAtLeastTheFloor() external view {
        (uint256 buyback,) = _spent();
        assertEq(buyback, handler.lots() * handler.lotPrice());
        assertGe(handler.burned(), handler.lots() * handler.FLOOR());
        assertEq(data.totalSupply(), handler.minted() - handler.burned());
    }

    function invariant_T6_VestingHoldsWhatItPromised() external view {
        uint256 promised = vesting.free();
        for (uint256 id = 1; id <= vesting.count(); ++id) {
            (Vesting.Schedule memory s, uint256 released) = vesting.scheduleOf(id);
            assertLe(released, s.amount);
            promised += s.amount - released;
        }
        assertEq(data.balanceOf(address(vesting)), promised);
    }
}
