// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {StewardCommittee} from "../../../src/oracle/StewardCommittee.sol";
import {Pausing} from "../../../src/access/Pausing.sol";
import {LedgerParams} from "../../../src/settlement/LedgerParams.sol";
import {ISettlementLedger} from "../../../src/settlement/ISettlementLedger.sol";
import {SettlementRounds} from "../../../src/settlement/SettlementRounds.sol";
import {SettlementState} from "../../../src/settlement/SettlementState.sol";
import {SettlementLedger} from "../../../src/settlement/SettlementLedger.sol";
import {SettlementTest} from "../../utils/SettlementTest.sol";

contract SettlementLedgerTest is SettlementTest {
    function _expectProposeRevert(ISettlementLedger.Header memory h, bytes memory reason) internal {
        bytes[] memory signatures = _stewardSignatures(_headerDigest(h), 2);
        vm.expectRevert(reason);
        ledger.propose(h, signatures);
    }

    // ------------------------------------------------------------------------------------------ initialize

    function test_RevertWhen_TheDeploymentIsBad() external {
        address code = address(new SettlementLedger());
        SettlementLedger.Deployment memory d = _ledgerDeployment();
        d.attemptLength = 0;
        _expectInitRevert(code, d, _badDeployment("attemptLength"));
        d = _ledgerDeployment();
        d.depth = 32;
        _expectInitRevert(code, d, _badDeployment("depth"));
        d.depth = 0;
        _expectInitRevert(code, d, _badDeployment("depth"));
        d = _ledgerDeployment();
        d.lag = uint32(type(uint24).max) + 1;
        _expectInitRevert(code, d, _badDeployment("time"));
        d = _ledgerDeployment();
        d.params.epochLength = 0;
        _expectInitRevert(code, d, abi.encodeWithSelector(LedgerParams.LedgerParams_Bad.selector, "epochLength"));
        d = _ledgerDeployment();
        d.authority = address(0);
        _expectInitRevert(code, d, abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "authority"));
    }

    function test_RevertWhen_AnAddressOfTheDeploymentIsZero() external {
        address code = address(new SettlementLedger());
        for (uint256 word = 1; word < 8; ++word) {
            SettlementLedger.Deployment memory d = _ledgerDeployment();
            assembly {
                mstore(add(d, shl(5, word)), 0)
            }
            _expectInitRevert(code, d, _badDeployment("address"));
        }
    }

    function _badDeployment(bytes32 field) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(SettlementState.SettlementLedger_BadDeployment.selector, field);
    }

    function _expectInitRevert(address code, SettlementLedger.Deployment memory d, bytes memory reason) internal {
        vm.expectRevert(reason);
        new ERC1967Proxy(code, abi.encodeCall(SettlementLedger.initialize, (d)));
    }

    function test_StartsAtEpochZeroWithTheEmptyRoot() external view {
        (uint32 epoch, bytes32 root) = ledger.finalEpoch();
        assertEq(epoch, 0);
        bytes32 node;
        for (uint256 i; i < DEPTH; ++i) {
            node = keccak256(abi.encode(node, node));
        }
        assertEq(root, node);
        assertEq(ledger.genesis(), GENESIS);
        assertEq(ledger.epochLength(), EPOCH);
        assertEq(ledger.lag(), LAG);
        assertEq(ledger.attemptLength(), ATTEMPT);
        assertEq(ledger.window(), WINDOW);
        assertEq(ledger.depth(), DEPTH);
    }

    // --------------------------------------------------------------------------------------------- propose

    function test_RevertWhen_AProposalIsPending() external {
        ISettlementLedger.Header memory h = _header();
        vm.warp(_startOf(1, 0));
        _propose(h);
        h.attempt = 1;
        vm.warp(_startOf(1, 1));
        uint64 finalAt = uint64(_startOf(1, 0) + WINDOW);
        _expectProposeRevert(h, abi.encodeWithSelector(SettlementState.SettlementLedger_Pending.selector, 1, finalAt));
    }

    function test_RevertWhen_TheEpochIsNotTheNext() external {
        vm.warp(_startOf(2, 0));
        ISettlementLedger.Header memory h = _header();
        h.epoch = 2;
        _expectProposeRevert(h, abi.encodeWithSelector(SettlementState.SettlementLedger_BadEpoch.selector, 2, 1));
        h.epoch = 0;
        _expectProposeRevert(h, abi.encodeWithSelector(SettlementState.SettlementLedger_BadEpoch.selector, 0, 1));
    }

    function testFuzz_RevertWhen_TheAttemptHasNotStarted(uint32 attempt, uint256 at) external {
        at = bound(at, GENESIS, _startOf(1, attempt) - 1);
        vm.warp(at);
        ISettlementLedger.Header memory h = _header();
        h.attempt = attempt;
        uint64 start = uint64(_startOf(1, attempt));
        _expectProposeRevert(h, abi.encodeWithSelector(SettlementState.SettlementLedger_TooEarly.selector, start));
    }

    function test_RevertWhen_ThePreviousRootOrParamsDiffer() external {
        vm.warp(_startOf(1, 0));
        ISettlementLedger.Header memory h = _header();
        bytes32 expected = h.previousRoot;
        h.previousRoot = keccak256("another");
        _expectProposeRevert(
            h,
            abi.encodeWithSelector(SettlementState.SettlementLedger_BadPreviousRoot.selector, h.previousRoot, expected)
        );
        h.previousRoot = expected;
        h.paramsHash = keccak256("others");
        _expectProposeRevert(
            h, abi.encodeWithSelector(SettlementState.SettlementLedger_BadParams.selector, h.paramsHash, _paramsHash())
        );
    }

    /// @dev A donation must not raise what may be paid out (a peer's payout follows a live balance).
    function testFuzz_RevertWhen_CashExceedsBooked(uint64 donation) external {
        _sell(100e6);
        usdc.mint(address(treasury), donation);
        vm.warp(_startOf(1, 0));
        ISettlementLedger.Header memory h = _header();
        h.cashAllocated = 75e6 + 1;
        _expectProposeRevert(
            h,
            abi.encodeWithSelector(SettlementState.SettlementLedger_CashExceedsBooked.selector, h.cashAllocated, 75e6)
        );
        h.cashAllocated = 75e6;
        _propose(h);
    }

    function test_RevertWhen_ATotalDecreases() external {
        _settled(2);
        vm.warp(_startOf(2, 0));
        bytes4 selector = SettlementState.SettlementLedger_TotalDecreases.selector;
        ISettlementLedger.Header memory h = _header();
        h.cashAllocated -= 1;
        _expectProposeRevert(h, abi.encodeWithSelector(selector, bytes32("cashAllocated")));
        h = _header();
        h.dataEarned -= 1;
        _expectProposeRevert(h, abi.encodeWithSelector(selector, bytes32("DATA")));
        h = _header();
        h.dataAwarded -= 1;
        _expectProposeRevert(h, abi.encodeWithSelector(selector, bytes32("DATA")));
        h = _header();
        h.govEarned -= 1;
        _expectProposeRevert(h, abi.encodeWithSelector(selector, bytes32("GOV")));
        h = _header();
        h.govAwarded -= 1;
        _expectProposeRevert(h, abi.encodeWithSelector(selector, bytes32("GOV")));
    }

    function test_RevertWhen_ATotalDoesNotFit() external {
        vm.warp(_startOf(1, 0));
        bytes4 selector = SettlementState.SettlementLedger_TotalTooLarge.selector;
        ISettlementLedger.Header memory h = _header();
        h.cashAllocated = uint128(type(uint64).max) + 1;
        _expectProposeRevert(h, abi.encodeWithSelector(selector, bytes32("cashAllocated")));
        h = _header();
        h.dataAwarded = uint128(type(uint96).max) + 1;
        _expectProposeRevert(h, abi.encodeWithSelector(selector, bytes32("DATA")));
        h = _header();
        h.govAwarded = type(uint128).max;
        _expectProposeRevert(h, abi.encodeWithSelector(selector, bytes32("GOV")));
    }

    function test_RevertWhen_MoreIsEarnedThanAwarded() external {
        vm.warp(_startOf(1, 0));
        bytes4 selector = SettlementState.SettlementLedger_EarnedExceedsAwarded.selector;
        ISettlementLedger.Header memory h = _header();
        (h.dataAwarded, h.dataEarned) = (10, 11);
        _expectProposeRevert(h, abi.encodeWithSelector(selector, bytes32("DATA"), 11, 10));
        h = _header();
        (h.govAwarded, h.govEarned) = (10, 11);
        _expectProposeRevert(h, abi.encodeWithSelector(selector, bytes32("GOV"), 11, 10));
    }

    function test_RevertWhen_AnAwardExceedsItsCap() external {
        vm.warp(_startOf(1, 0));
        bytes4 selector = SettlementState.SettlementLedger_AwardExceedsCap.selector;
        ISettlementLedger.Header memory h = _header();
        h.dataAwarded = DATA_CAP + 1;
        _expectProposeRevert(h, abi.encodeWithSelector(selector, bytes32("DATA"), DATA_CAP + 1, DATA_CAP));
        h = _header();
        h.govAwarded = GOV_CAP + 1;
        _expectProposeRevert(h, abi.encodeWithSelector(selector, bytes32("GOV"), GOV_CAP + 1, GOV_CAP));
        (h.dataAwarded, h.govAwarded) = (DATA_CAP, GOV_CAP);
        _propose(h);
    }

    function test_RevertWhen_FewerThanAQuorumSigned() external {
        vm.warp(_startOf(1, 0));
        ISettlementLedger.Header memory h = _header();
        bytes[] memory signatures = _stewardSignatures(_headerDigest(h), 1);
        vm.expectRevert(abi.encodeWithSelector(StewardCommittee.StewardCommittee_TooFewSignatures.selector, 1, 2));
        ledger.propose(h, signatures);
    }

    /// @dev No code, or another contract's, at the committee's address must not pass for a quorum.
    function test_RevertWhen_TheCommitteeAnswersNothing() external {
        vm.warp(_startOf(1, 0));
        ISettlementLedger.Header memory h = _header();
        vm.etch(address(committee), hex"00");
        _expectProposeRevert(h, "");
    }

    /// @dev What the committee cannot decode it refuses, and the ledger with it.
    function test_RevertWhen_SignaturesAreEncodedBadly() external {
        vm.warp(_startOf(1, 0));
        ISettlementLedger.Header memory h = _header();
        bytes[] memory signatures = _stewardSignatures(_headerDigest(h), 2);
        bytes memory short = abi.encodeCall(ledger.propose, (h, signatures));
        assembly {
            mstore(short, sub(mload(short), 64))
        }
        (bool ok,) = address(ledger).call(short);
        assertFalse(ok, "the last signature ends beyond the calldata");
        (ok,) = address(ledger).call(bytes.concat(abi.encodeCall(ledger.propose, (h, signatures)), hex"dead"));
        assertTrue(ok, "what follows is of no matter");
    }

    /// @dev Each of the 19 words is signed: a change of any makes the signatures somebody else's.
    function testFuzz_RevertWhen_AFieldWasChanged(uint256 word) external {
        _sell(100e6);
        vm.warp(_startOf(1, 9));
        ISettlementLedger.Header memory h = _header();
        bytes[] memory signatures = _stewardSignatures(_headerDigest(h), 2);
        word = bound(word, 0, 18);
        assembly {
            let at := add(h, shl(5, word))
            mstore(at, xor(mload(at), 1))
        }
        (bool ok, bytes memory why) = address(ledger).call(abi.encodeCall(ledger.propose, (h, signatures)));
        assertFalse(ok);
        assertGe(why.length, 4, "refused for a reason");
    }

    function test_RevertWhen_SignedForAnotherChain() external {
        vm.warp(_startOf(1, 0));
        ISettlementLedger.Header memory h = _header();
        bytes[] memory signatures = _stewardSignatures(_headerDigest(h), 2);
        vm.chainId(1);
        vm.expectPartialRevert(StewardCommittee.StewardCommittee_NotSteward.selector);
        ledger.propose(h, signatures);
    }

    function test_ProposeWhenAllIsWell() external {
        vm.warp(_startOf(1, 2) + 5);
        ISettlementLedger.Header memory h = _header();
        h.attempt = 2;
        uint64 finalAt = uint64(block.timestamp) + WINDOW;
        bytes[] memory signatures = _stewardSignatures(_headerDigest(h), 3);
        vm.expectEmit(address(ledger));
        emit SettlementRounds.Proposed(1, finalAt, h);
        vm.prank(stranger); // anyone may send it
        ledger.propose(h, signatures);

        vm.warp(finalAt - 1);
        (uint32 epoch, uint32 attempt, bytes32 root, uint64 at) = ledger.pending();
        assertEq(epoch, 1);
        assertEq(attempt, 2);
        assertEq(root, h.root);
        assertEq(at, finalAt);
        (epoch, root) = ledger.finalEpoch();
        assertEq(epoch, 0, "not final yet");
        assertEq(root, h.previousRoot);

        vm.warp(finalAt); // nobody calls anything
        (epoch, root) = ledger.finalEpoch();
        assertEq(epoch, 1);
        assertEq(root, h.root);
        (epoch,,, at) = ledger.pending();
        assertEq(epoch, 0);
        assertEq(at, 0);
    }

    function test_RevertWhen_TheRootIsZeroOrTheAttemptTooHigh() external {
        ISettlementLedger.Header memory h = _header();
        vm.warp(_startOf(1, type(uint16).max));
        h.root = 0;
        _expectProposeRevert(h, abi.encodeWithSelector(SettlementState.SettlementLedger_NoRoot.selector));
        h = _header();
        h.attempt = type(uint16).max;
        _expectProposeRevert(
            h, abi.encodeWithSelector(SettlementState.SettlementLedger_BadAttempt.selector, type(uint16).max, 0)
        );
        h.attempt -= 1;
        _propose(h);
    }

    function test_RevertWhen_ProposalsArePaused() external {
        ISettlementLedger.Header memory h = _header();
        vm.warp(_startOf(1, 0));
        _asPauser();
        ledger.setPausedUntil(uint64(block.timestamp + 1 days));
        _expectProposeRevert(h, abi.encodeWithSelector(Pausing.Pausing_Paused.selector, block.timestamp + 1 days));
        vm.warp(block.timestamp + 1 days);
        _propose(h);
    }

    /// @dev Treasury is asked only where more is allocated than it was known to have.
    function test_WhenWhatWasBookedIsKnown() external {
        _sell(100e6);
        ISettlementLedger.Header memory h = _header();
        h.cashAllocated = 10e6;
        vm.warp(_startOf(1, 0));
        _propose(h);
        vm.warp(_startOf(2, 0));
        h = _header();
        h.cashAllocated = 75e6;
        vm.mockCallRevert(address(treasury), abi.encodeWithSignature("contributorsBooked()"), "asked");
        _propose(h);
        vm.warp(_startOf(3, 0));
        h = _header();
        h.cashAllocated = 75e6 + 1;
        _expectProposeRevert(h, "asked");
        vm.clearMockedCalls();
        _expectProposeRevert(
            h, abi.encodeWithSelector(SettlementState.SettlementLedger_CashExceedsBooked.selector, 75e6 + 1, 75e6)
        );
        _sell(50_000);
        _propose(h);
    }

    function test_TheSignersAreKept() external {
        (uint32 epoch, uint256 signers) = ledger.finalSigners();
        assertEq(epoch + signers, 0);
        vm.warp(_startOf(1, 0));
        ISettlementLedger.Header memory h = _header();
        bytes[] memory signatures = new bytes[](2);
        signatures[0] = _sign(stewardKeys[0], _headerDigest(h));
        signatures[1] = _sign(stewardKeys[2], _headerDigest(h));
        ledger.propose(h, signatures);
        (epoch, signers) = ledger.finalSigners();
        assertEq(epoch + signers, 0, "not final yet");
        vm.warp(block.timestamp + WINDOW);
        (epoch, signers) = ledger.finalSigners();
        assertEq(epoch, 1);
        assertEq(signers, uint256(committee.generation()) << 32 | 5, "seats 1 and 3");
    }

    /// @dev After three epochs without a root another committee takes over, one epoch at a time; claims never stop.
    function test_WhenEpochsAreMissed() external {
        ISettlementLedger.Claim[] memory claims = _settled(2);
        assertEq(ledger.missedEpochs(), 0);
        vm.warp(_endOf(5));
        assertEq(ledger.missedEpochs(), 3, "2, 3 and 4: the fifth is only due");
        vm.warp(_endOf(5) - 1);
        assertEq(ledger.missedEpochs(), 2);
        ledger.claim(claims[0], _proof(claims, 1));
        _asMemberHouse();
        committee.seat(_seats("successor"), 2);
        _bondSeats();
        for (uint32 epoch = 2; epoch <= 4; ++epoch) {
            vm.warp(block.timestamp + WINDOW);
            _propose(_header());
        }
        vm.warp(block.timestamp + WINDOW);
        (uint32 last,) = ledger.finalEpoch();
        assertEq(last, 4);
        assertEq(ledger.missedEpochs(), 0);
    }

    /// @dev Nobody shares, and yet something is paid out.
    function test_RevertWhen_NobodyShares() external {
        vm.warp(_startOf(1, 0));
        ISettlementLedger.Header memory h = _header();
        h.payout = 1;
        _expectProposeRevert(h, abi.encodeWithSelector(SettlementState.SettlementLedger_NobodyShares.selector, 1));
        h.sharers = 1;
        _propose(h);
    }

    /// @dev Point 14 and docs/gas.md: what is hashed, stored and logged by assembly is what plain Solidity would.
    function testFuzz_AProposalIsWhatPlainSolidityMakesOfIt(
        uint256[5] memory sums,
        uint128 payout,
        uint96[3] memory totals
    ) external {
        vm.warp(_startOf(1, 3));
        ISettlementLedger.Header memory h = _header();
        (h.attempt, h.sharers, h.payout) = (3, 7, payout);
        (h.sumUsage, h.sumData, h.sumEarly, h.sumDataAward, h.sumGovAward) =
        (sums[0], sums[1], sums[2], sums[3], sums[4]);
        (h.dataAwarded, h.govAwarded) = (totals[0] % DATA_CAP, totals[1] % GOV_CAP);
        (h.dataEarned, h.govEarned) = (totals[2] % (h.dataAwarded + 1), totals[2] % (h.govAwarded + 1));
        bytes[] memory signatures = _stewardSignatures(_headerDigest(h), 2);
        vm.expectEmit(address(ledger));
        emit SettlementRounds.Proposed(1, uint64(block.timestamp) + WINDOW, h);
        ledger.propose(h, signatures);
        ISettlementLedger.Proposal memory p = ledger.proposal();
        bytes32 hash = keccak256(
            "Header(uint32 epoch,uint32 attempt,bytes32 previousRoot,bytes32 root,bytes32 paramsHash,bytes32 inputsRoot,bytes32 sheetDigest,uint32 sharers,uint128 payout,uint256 sumUsage,uint256 sumData,uint256 sumEarly,uint256 sumDataAward,uint256 sumGovAward,uint128 cashAllocated,uint128 dataAwarded,uint128 dataEarned,uint128 govAwarded,uint128 govEarned)"
        );
        assertEq(p.headerHash, keccak256(abi.encode(hash, h)));
        assertEq(p.attempt, 3);
        assertEq(p.signers, uint256(committee.generation()) << 32 | 3, "seats 1 and 2");
        vm.warp(block.timestamp + WINDOW);
        (uint256 cash, uint256 dataAwarded, uint256 dataEarned, uint256 govAwarded, uint256 govEarned) =
            ledger.finalTotals();
        assertEq(cash, 0);
        assertEq(dataAwarded, h.dataAwarded);
        assertEq(dataEarned, h.dataEarned);
        assertEq(govAwarded, h.govAwarded);
        assertEq(govEarned, h.govEarned);
    }

    // -------------------------------------------------------------------------------------------- proposal

    function test_TheProposalAsDisputesSeesIt() external {
        ISettlementLedger.Proposal memory none;
        assertEq(abi.encode(ledger.proposal()), abi.encode(none), "none is pending");
        vm.warp(_startOf(1, 2));
        ISettlementLedger.Header memory h = _header();
        h.attempt = 2;
        _propose(h);
        ISettlementLedger.Proposal memory p = ledger.proposal();
        assertEq(p.epoch, 1);
        assertEq(p.attempt, 2);
        assertEq(p.root, h.root);
        assertEq(p.finalAt, block.timestamp + WINDOW);
        assertEq(p.cut, _endOf(1));
        assertEq(p.depth, DEPTH);
        assertEq(p.window, WINDOW);
        assertEq(p.prolonged, 0);
        _asPauser();
        ledger.setPausedUntil(uint64(block.timestamp + 3 days));
        assertEq(ledger.proposal().prolonged, 3 days);
        assertEq(ledger.proposal().finalAt, p.finalAt + 3 days);
        vm.warp(p.finalAt + 3 days);
        assertEq(abi.encode(ledger.proposal()), abi.encode(none), "final");
    }

    function test_RevertWhen_SomebodyElseThanDisputesCalls() external {
        bytes memory only = abi.encodeWithSelector(SettlementState.SettlementLedger_OnlyDisputes.selector, memberHouse);
        vm.startPrank(memberHouse);
        vm.expectRevert(only);
        ledger.setFinalAt(type(uint64).max);
        vm.expectRevert(only);
        ledger.voidProposal("mine");
    }

    /// @dev Whatever Disputes asks: what is final stays final, and nothing becomes final by being disputed.
    function test_RevertWhen_DisputesReachesTooFar() external {
        vm.startPrank(address(disputes));
        vm.expectRevert(SettlementState.SettlementLedger_NotPending.selector);
        ledger.setFinalAt(type(uint64).max);
        vm.expectRevert(SettlementState.SettlementLedger_NotPending.selector);
        ledger.voidProposal("late");
        vm.warp(_startOf(1, 0));
        _propose(_header());
        vm.expectRevert(
            abi.encodeWithSelector(SettlementState.SettlementLedger_FinalInThePast.selector, block.timestamp)
        );
        ledger.setFinalAt(uint64(block.timestamp));
        vm.expectEmit(address(ledger));
        emit SettlementLedger.FinalAtSet(1, type(uint40).max);
        ledger.setFinalAt(type(uint64).max);
        assertEq(ledger.proposal().finalAt, type(uint40).max, "as far as 40 bits go");
        vm.expectEmit(address(ledger));
        emit SettlementLedger.Voided(1, 0, "why");
        ledger.voidProposal("why");
        (uint32 epoch,) = ledger.finalEpoch();
        assertEq(epoch, 0);
    }
}
