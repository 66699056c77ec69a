// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {GovToken} from "../../src/tokens/GovToken.sol";
import {GovTokenHandler} from "./GovTokenHandler.sol";

/// @notice Invariants V1–V6 of docs/invariants.md: what GOV votes are made of, after any sequence of the handler's actions.
contract GovTokenInvariants is Test {
    GovTokenHandler internal handler;
    GovToken internal gov;

    function setUp() external {
        handler = new GovTokenHandler();
        handler.setUp();
        gov = handler.token();
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](9);
        selectors[0] = handler.wait_.selector;
        selectors[1] = handler.earn.selector;
        selectors[2] = handler.transfer.selector;
        selectors[3] = handler.transferEverything.selector;
        selectors[4] = handler.lock.selector;
        selectors[5] = handler.unlock.selector;
        selectors[6] = handler.poke.selector;
        selectors[7] = handler.delegate.selector;
        selectors[8] = handler.end.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    /// @dev Lending and splitting never raise the total: it is bounded by what each earned, whoever holds it.
    function invariant_V1_UnitsAreBoundedByWhatWasEarned() external view {
        for (uint256 i; i < handler.count(); ++i) {
            address account = handler.accounts(i);
            assertLe(gov.unitsOf(account), 2 * (Math.sqrt(handler.everEarned(account) * 1e18) + 1));
        }
    }

    function invariant_V2_OnlyMintingIsEarning() external view {
        for (uint256 i; i < handler.count(); ++i) {
            address account = handler.accounts(i);
            assertEq(gov.earnedOf(account) + gov.lockedOf(account), handler.everEarned(account));
        }
    }

    function invariant_V3_TheTotalIsTheSumOfUnits() external {
        uint256 units;
        uint256 votes;
        for (uint256 i; i < handler.count(); ++i) {
            units += gov.unitsOf(handler.accounts(i));
            votes += gov.getVotes(handler.accounts(i));
        }
        assertLe(votes, units, "nobody votes with units that nobody has");
        uint256 unseasoned;
        for (uint256 i; i < handler.count(); ++i) {
            unseasoned += handler.unseasonedUnits(handler.accounts(i));
        }
        vm.warp(handler.currentTime() + 1);
        assertEq(gov.getPastTotalSupply(handler.currentTime()), units + unseasoned);
    }

    function invariant_V4_WhoMayNotVoteHasNoUnits() external view {
        for (uint256 i; i < handler.count(); ++i) {
            address account = handler.accounts(i);
            if (handler.isSeasoned(account) || handler.unnoticed(account)) continue;
            assertEq(gov.unitsOf(account), 0);
            assertEq(gov.getVotes(account), 0, "nor those of others");
        }
    }

    function invariant_V5_LockedIsTheSumOfLocksAndIsHeld() external view {
        for (uint256 i; i < handler.count(); ++i) {
            address account = handler.accounts(i);
            GovToken.Lock[] memory locks = gov.locksOf(account);
            uint256 locked;
            for (uint256 j; j < locks.length; ++j) {
                locked += locks[j].amount;
            }
            assertEq(gov.lockedOf(account), locked);
            assertLe(locked, gov.balanceOf(account));
            assertLe(locks.length, gov.MAX_LOCKS());
        }
    }

    function invariant_V6_SupplyIsWhatWasMinted() external view {
        uint256 held;
        for (uint256 i; i < handler.count(); ++i) {
            held += gov.balanceOf(handler.accounts(i));
        }
        assertEq(held, handler.minted());
        assertEq(held, gov.totalSupply());
    }

    /// @dev Once everybody is poked, each has exactly what the formula gives.
    function afterInvariant() external {
        vm.warp(handler.currentTime());
        for (uint256 i; i < handler.count(); ++i) {
            gov.poke(handler.accounts(i));
        }
        for (uint256 i; i < handler.count(); ++i) {
            address account = handler.accounts(i);
            gov.sync(account);
            assertEq(gov.unitsOf(account), handler.isSeasoned(account) ? _formula(account) : 0);
            if (!handler.isSeasoned(account)) assertEq(gov.getVotes(account), 0);
            assertTrue(handler.isSeasoned(gov.delegates(account)) || gov.unitsOf(account) == 0);
        }
        _expectNoLockLasts();
    }

    /// @dev V7: every lock ends, without its owner.
    function _expectNoLockLasts() private {
        vm.warp(handler.currentTime() + 5 * 365 days);
        for (uint256 i; i < handler.count(); ++i) {
            address account = handler.accounts(i);
            gov.poke(account);
            assertEq(gov.lockedOf(account), 0);
            assertEq(gov.locksOf(account).length, 0);
        }
    }

    function _formula(address account) private view returns (uint256) {
        uint256[5] memory squared = [uint256(12_100), 15_625, 22_500, 30_625, 40_000];
        GovToken.Lock[] memory locks = gov.locksOf(account);
        uint256 weighted = Math.min(gov.balanceOf(account) - gov.lockedOf(account), gov.earnedOf(account)) * 10_000;
        for (uint256 j; j < locks.length; ++j) {
            weighted += locks[j].amount * squared[locks[j].tier];
        }
        return Math.sqrt(weighted * 1e14);
    }
}
