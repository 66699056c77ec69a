// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {ConsentRegistry} from "../../src/consent/ConsentRegistry.sol";
import {Membership} from "../../src/membership/Membership.sol";
import {SettlementLedger} from "../../src/settlement/SettlementLedger.sol";
import {TestUSDC} from "../../src/testing/TestUSDC.sol";
import {DataToken} from "../../src/tokens/DataToken.sol";
import {GovToken} from "../../src/tokens/GovToken.sol";
import {Treasury} from "../../src/treasury/Treasury.sol";
import {DisputeHandler} from "./DisputeHandler.sol";

/// @notice The numbered invariants of docs/invariants.md, after any sequence of the handler's actions.
contract CoopInvariants is Test {
    DisputeHandler internal handler;
    Membership internal membership;
    ConsentRegistry internal consents;
    SettlementLedger internal ledger;
    Treasury internal treasury;
    TestUSDC internal usdc;
    DataToken internal dataToken;
    GovToken internal govToken;

    function setUp() external {
        handler = new DisputeHandler();
        handler.setUp();
        (address m, address l, address t, address u, address d, address g) = handler.contracts();
        (membership, ledger, treasury) = (Membership(m), SettlementLedger(l), Treasury(t));
        (usdc, dataToken, govToken) = (TestUSDC(u), DataToken(d), GovToken(g));
        consents = ConsentRegistry(handler.consentRegistry());
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](21);
        selectors[0] = handler.join.selector;
        selectors[1] = handler.grant.selector;
        selectors[2] = handler.revoke.selector;
        selectors[3] = handler.erase.selector;
        selectors[4] = handler.record.selector;
        selectors[5] = handler.sell.selector;
        selectors[6] = handler.donate.selector;
        selectors[7] = handler.wait_.selector;
        selectors[8] = handler.settle.selector;
        selectors[9] = handler.claim.selector;
        selectors[10] = handler.claimMany.selector;
        selectors[11] = handler.leave.selector;
        selectors[12] = handler.lie.selector;
        selectors[13] = handler.object.selector;
        selectors[14] = handler.decide.selector;
        selectors[15] = handler.lapse.selector;
        selectors[16] = handler.demand.selector;
        selectors[17] = handler.answer.selector;
        selectors[18] = handler.voidUnanswered.selector;
        selectors[19] = handler.contest.selector;
        selectors[20] = handler.pause.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
        bytes4[] memory attack = new bytes4[](3);
        attack[0] = handler.claimTooMuch.selector;
        attack[1] = handler.claimVoided.selector;
        attack[2] = handler.meddle.selector;
        targetSelector(FuzzSelector(address(handler), attack));
    }

    /// @dev The handler moves time; what is read here is read at its time.
    modifier atHandlersTime() {
        if (handler.currentTime() > block.timestamp) vm.warp(handler.currentTime());
        _;
    }

    function invariant_M1_UsdcIsConserved() external view {
        (uint256 claimed,,) = ledger.claimedTotals();
        assertEq(usdc.balanceOf(address(treasury)) + claimed, handler.sold() + handler.donated() + handler.forfeited());
    }

    function invariant_M2_BucketsAreTheSales() external view {
        (uint256 c, uint256 b, uint256 o, uint256 m, uint256 r) = treasury.buckets();
        assertEq(c + b + o + m + r, handler.sold() + handler.forfeited());
    }

    function invariant_M3_ClaimedIsAtMostEarnedAwardedCap() external atHandlersTime {
        (uint256 cash, uint256 data, uint256 gov) = ledger.claimedTotals();
        (uint256 allocated, uint256 dataAwarded, uint256 dataEarned, uint256 govAwarded, uint256 govEarned) =
            ledger.finalTotals();
        (uint256 dataCap, uint256 govCap) = handler.caps();
        assertLe(cash, allocated);
        assertLe(allocated, treasury.contributorsBooked());
        assertLe(data, dataEarned);
        assertLe(dataEarned, dataAwarded);
        assertLe(dataAwarded, dataCap);
        assertLe(gov, govEarned);
        assertLe(govEarned, govAwarded);
        assertLe(govAwarded, govCap);
    }

    function invariant_M4_SupplyIsWhatWasClaimed() external view {
        (, uint256 data, uint256 gov) = ledger.claimedTotals();
        assertEq(dataToken.totalSupply(), data);
        assertEq(govToken.totalSupply(), gov);
    }

    function invariant_M5_TotalsAreTheSumOfMembers() external view {
        (uint256 cash, uint256 data, uint256 gov) = ledger.claimedTotals();
        for (uint32 id = 1; id <= handler.members(); ++id) {
            (uint256 c, uint256 d, uint256 g) = ledger.claimedOf(id);
            (cash, data, gov) = (cash - c, data - d, gov - g);
            assertEq(usdc.balanceOf(handler.payoutOf(id)), c, "paid to the payout address");
            assertEq(dataToken.balanceOf(handler.payoutOf(id)), d);
            uint256 held = govToken.balanceOf(handler.payoutOf(id)) + govToken.balanceOf(handler.accountOf(id));
            assertEq(held, g, "GOV went to the account or the payout address");
        }
        assertEq(cash + data + gov, 0);
    }

    function invariant_M6_NobodyIsPaidMoreThanTheirLeaf() external atHandlersTime {
        for (uint32 id = 1; id <= handler.members(); ++id) {
            (uint256 c, uint256 d, uint256 g) = ledger.claimedOf(id);
            (uint256 cash, uint256 data, uint256 gov) = handler.leafOf(id);
            assertLe(c, cash);
            assertLe(d, data);
            assertLe(g, gov);
        }
    }

    function invariant_M7_TheTreasuryCanPayWhatIsAllocated() external atHandlersTime {
        (uint256 claimed,,) = ledger.claimedTotals();
        (uint256 allocated,,,,) = ledger.finalTotals();
        assertGe(usdc.balanceOf(address(treasury)), allocated - claimed);
    }

    function invariant_L5_TheFinalRootIsTheLastThatWasNotVoided() external atHandlersTime {
        (, bytes32 root) = ledger.finalEpoch();
        bytes32 expected = handler.finalRoot();
        if (expected != 0) assertEq(root, expected);
    }

    function invariant_L6_NobodyButBothHousesAdministrates() external view {
        (bool gateIs, bool anybodyElseIs) = handler.administrators();
        assertTrue(gateIs && !anybodyElseIs);
    }

    function invariant_G1_OneMemberOneVote() external atHandlersTime {
        uint256 tokens;
        uint256 votes;
        for (uint32 id = 1; id <= handler.members(); ++id) {
            address account = handler.accountOf(id);
            assertLe(membership.balanceOf(account), 1);
            assertLe(membership.getVotes(account), membership.balanceOf(account));
            tokens += membership.balanceOf(account);
            votes += membership.getPastVotes(account, block.timestamp - 1);
        }
        assertEq(tokens, membership.memberCount() - handler.endings());
        assertLe(votes, membership.getPastTotalSupply(block.timestamp - 1));
    }

    function invariant_C1_NoConsentWithoutMembership() external atHandlersTime {
        for (uint32 id = 1; id <= handler.members(); ++id) {
            (,, bool active) = membership.memberOf(id);
            (, ConsentRegistry.Status status,,) = consents.consentOf(id);
            bool erased = status == ConsentRegistry.Status.Erased;
            assertEq(!active, erased || handler.hasLeft(id), "ended means erased or left");
            if (!active) assertFalse(consents.isGranted(id));
        }
    }

    function invariant_C2_ContributionIdsAreDense() external view {
        assertEq(handler.contributionCount(), handler.recorded());
    }

    /// @dev That the handler gets where it should: each way to void a root, an objection that was rejected, a root that is
    /// final in spite of a demand and a pause.
    function test_TheHandlerReachesEveryDispute() external {
        handler.join();
        handler.join();
        handler.sell(2_000);
        handler.lie(2);
        handler.contest(1);
        handler.wait_(1); // whose row is false contests before it sleeps
        assertEq(handler.voided(), 1, "contested");
        handler.claimVoided(0);
        handler.settle(1);
        handler.object();
        handler.decide(true);
        assertEq(handler.voided(), 2, "upheld");
        handler.settle(2);
        handler.object();
        handler.lapse(4);
        assertEq(handler.voided(), 3, "lapsed");
        handler.settle(3);
        handler.demand(0);
        handler.wait_(30 hours - 1);
        handler.voidUnanswered(0);
        assertEq(handler.voided(), 4, "unanswered");
        handler.settle(100);
        handler.demand(0);
        handler.answer(0);
        handler.object();
        handler.pause(2 days);
        handler.decide(false);
        assertGt(handler.forfeited(), 0, "rejected");
        handler.claimVoided(1);
        handler.wait_(3 days);
        handler.wait_(3 days);
        handler.claim(0);
        (uint32 epoch, bytes32 root) = ledger.finalEpoch();
        assertEq(epoch, 1);
        assertEq(root, handler.finalRoot());
        for (uint256 i; i < 32; ++i) {
            handler.meddle(i / 4, i);
        }
        handler.leave(0);
        handler.erase(4);
    }
}
