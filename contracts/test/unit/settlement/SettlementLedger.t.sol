// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {StewardCommittee} from "../../../src/oracle/StewardCommittee.sol";
import {Pausing} from "../../../src/access/Pausing.sol";
import {LedgerParams} from "../../../src/settlement/LedgerParams.sol";
import {ISettlementLedger} from "../../../src/settlement/ISettlementLedger.sol";
import {SettlementClaims} from "../../../src/settlement/SettlementClaims.sol";
import {SettlementRounds} from "../../../src/settlement/SettlementRounds.sol";
import {SettlementState} from "../../../src/settlement/SettlementState.sol";
import {SettlementLedger} from "../../../src/settlement/SettlementLedger.sol";
import {TestUSDC} from "../../../src/testing/TestUSDC.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract SettlementLedgerTest is CoopTest {
    uint128 internal constant MILLION = 1e6;

    function _claimsOf(uint32 n) internal pure returns (ISettlementLedger.Claim[] memory claims) {
        claims = new ISettlementLedger.Claim[](n);
        for (uint32 i; i < n; ++i) {
            claims[i] = ISettlementLedger.Claim({
                memberId: i + 1,
                cash: 10 * MILLION * (i + 1),
                stream: 7 * MILLION,
                data: 4e18 * uint128(i + 1),
                gov: 1e18 * uint128(i + 1),
                privateHash: keccak256(abi.encode("private", i))
            });
        }
    }

    /// @dev `n` members, enough money, one final epoch.
    function _settled(uint32 n) internal returns (ISettlementLedger.Claim[] memory claims) {
        _joinMany(n);
        _sell(1_000e6);
        claims = _claimsOf(n);
        _settle(claims);
    }

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
        for (uint256 word = 1; word < 7; ++word) {
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
        vm.expectRevert();
        ledger.propose(h, signatures);
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
        for (uint32 epoch = 2; epoch <= 4; ++epoch) {
            vm.warp(block.timestamp + WINDOW);
            _propose(_header());
        }
        vm.warp(block.timestamp + WINDOW);
        (uint32 last,) = ledger.finalEpoch();
        assertEq(last, 4);
        assertEq(ledger.missedEpochs(), 0);
    }

    // ----------------------------------------------------------------------------------------------- claim

    function test_RevertWhen_NoRootIsFinal() external {
        _joinMany(1);
        ISettlementLedger.Claim[] memory claims = _claimsOf(1);
        bytes32[] memory proof = _proof(claims, 1);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_BadProof.selector, 1));
        ledger.claim(claims[0], proof);
    }

    function test_RevertWhen_TheProofIsWrong() external {
        ISettlementLedger.Claim[] memory claims = _settled(3);
        bytes32[] memory proof = _proof(claims, 2);
        ISettlementLedger.Claim memory c = claims[1];
        _expectBadProof(claims[0], proof); // of another member
        c.cash += 1;
        _expectBadProof(c, proof); // of another amount
        c.cash -= 1;
        bytes32 privateHash = c.privateHash;
        c.privateHash = keccak256("other");
        _expectBadProof(c, proof);
        c.privateHash = privateHash;
        // the same path at an index beyond the tree
        c.memberId = 2 + uint32(1 << DEPTH);
        _expectBadProof(c, proof);
        c.memberId = 2;
        bytes32[] memory shorter = new bytes32[](DEPTH - 1);
        for (uint256 i; i < DEPTH - 1; ++i) {
            shorter[i] = proof[i + 1];
        }
        _expectBadProof(c, shorter);
        ledger.claim(c, proof);
    }

    function _expectBadProof(ISettlementLedger.Claim memory c, bytes32[] memory proof) internal {
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_BadProof.selector, c.memberId));
        ledger.claim(c, proof);
    }

    function testFuzz_RevertWhen_AnyWordOfTheClaimChanges(uint256 word, uint256 flip) external {
        ISettlementLedger.Claim[] memory claims = _settled(2);
        bytes32[] memory proof = _proof(claims, 1);
        ISettlementLedger.Claim memory c = claims[0];
        word = bound(word, 0, 5);
        flip = 1 << bound(flip, 0, word == 0 ? 31 : word == 5 ? 255 : 127);
        assembly {
            let at := add(c, shl(5, word))
            mstore(at, xor(mload(at), flip))
        }
        _expectBadProof(c, proof);
    }

    function test_RevertWhen_NothingIsDue() external {
        ISettlementLedger.Claim[] memory claims = _settled(1);
        bytes32[] memory proof = _proof(claims, 1);
        vm.warp(_endOf(2));
        ledger.claim(claims[0], proof);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_NothingDue.selector, 1));
        ledger.claim(claims[0], proof);
    }

    /// @dev A quorum signed totals that are less than the leaves: the chain pays no more than the totals.
    function test_RevertWhen_TheLeafExceedsWhatTheRoundEarned() external {
        _joinMany(2);
        _sell(1_000e6);
        ISettlementLedger.Claim[] memory claims = _claimsOf(2);
        ISettlementLedger.Header memory h = _header();
        h.root = _rootOf(claims);
        (h.cashAllocated, h.dataAwarded, h.dataEarned) = (17 * MILLION, 4e18, 4e18);
        (h.govAwarded, h.govEarned) = (1e18, 1e18);
        vm.warp(_startOf(1, 0));
        _propose(h);
        vm.warp(_endOf(2));
        ledger.claim(claims[0], _proof(claims, 1));
        bytes32[] memory proof = _proof(claims, 2);
        vm.expectRevert(
            abi.encodeWithSelector(
                SettlementState.SettlementLedger_ClaimExceedsTotal.selector, 2, 27 * MILLION, 8e18, 2e18
            )
        );
        ledger.claim(claims[1], proof);
    }

    function test_RevertWhen_TheLeafExceedsTheWidths() external {
        _joinMany(1);
        ISettlementLedger.Claim[] memory claims = _claimsOf(1);
        (claims[0].cash, claims[0].stream) = (uint128(type(uint64).max) + 1, 0);
        ISettlementLedger.Header memory h = _header();
        h.root = _rootOf(claims);
        vm.warp(_startOf(1, 0));
        _propose(h);
        vm.warp(_endOf(2));
        bytes32[] memory proof = _proof(claims, 1);
        vm.expectPartialRevert(SettlementState.SettlementLedger_ClaimExceedsTotal.selector);
        ledger.claim(claims[0], proof);
    }

    function _rootOf(ISettlementLedger.Claim[] memory claims) internal pure returns (bytes32 node) {
        bytes32[] memory proof = _proof(claims, 1);
        node = _leaves(claims)[1];
        uint256 index = 1;
        for (uint256 i; i < DEPTH; ++i) {
            node = index & 1 == 0 ? keccak256(abi.encode(node, proof[i])) : keccak256(abi.encode(proof[i], node));
            index >>= 1;
        }
    }

    function _blacklist(address payee) internal {
        vm.mockCallRevert(
            address(usdc), abi.encodeWithSelector(TestUSDC(address(0)).transfer.selector, payee), "blacklisted"
        );
    }

    function test_RevertWhen_UsdcRefusesThePayee() external {
        ISettlementLedger.Claim[] memory claims = _settled(1);
        bytes32[] memory proof = _proof(claims, 1);
        _blacklist(_payoutAddress(1));
        vm.expectRevert("blacklisted");
        ledger.claim(claims[0], proof);
        vm.clearMockedCalls();
        (uint256 cash,,) = ledger.claimedOf(1);
        assertEq(cash, 0);
        ledger.claim(claims[0], proof);
    }

    function test_WhenTheMemberErasedEverything() external {
        ISettlementLedger.Claim[] memory claims = _settled(2);
        _erase(1);
        vm.warp(_endOf(2));
        ledger.claim(claims[0], _proof(claims, 1));
        assertEq(usdc.balanceOf(_payoutAddress(1)), 17 * MILLION);
        assertEq(dataToken.balanceOf(_payoutAddress(1)), 4e18);
        assertEq(govToken.balanceOf(_payoutAddress(1)), 1e18);
    }

    function test_WhenAProposalIsPending() external {
        ISettlementLedger.Claim[] memory claims = _settled(2);
        ISettlementLedger.Header memory h = _header();
        vm.warp(_startOf(2, 0));
        _propose(h);
        ledger.claim(claims[0], _proof(claims, 1));
        assertEq(usdc.balanceOf(_payoutAddress(1)), 17 * MILLION);
    }

    function testFuzz_TheStreamGrowsByTheSecond(uint256 after_) external {
        ISettlementLedger.Claim[] memory claims = _settled(1);
        after_ = bound(after_, LAG + WINDOW, 3 * EPOCH);
        vm.warp(_endOf(1) + after_);
        ledger.claim(claims[0], _proof(claims, 1));
        uint256 elapsed = after_ < EPOCH ? after_ : EPOCH;
        assertEq(usdc.balanceOf(_payoutAddress(1)), 10 * MILLION + 7 * MILLION * elapsed / EPOCH);
    }

    /// @dev Claims at any moments pay, together, what one claim at the last moment pays.
    function testFuzz_SplitClaimsPayTheSame(uint256 first, uint256 second) external {
        ISettlementLedger.Claim[] memory claims = _settled(1);
        bytes32[] memory proof = _proof(claims, 1);
        first = bound(first, LAG + WINDOW, EPOCH - 2);
        second = bound(second, first + 1, EPOCH + 1 days);
        vm.warp(_endOf(1) + first);
        ledger.claim(claims[0], proof);
        vm.warp(_endOf(1) + second);
        ledger.claim(claims[0], proof);
        uint256 elapsed = second < EPOCH ? second : EPOCH;
        assertEq(usdc.balanceOf(_payoutAddress(1)), 10 * MILLION + 7 * MILLION * elapsed / EPOCH);
    }

    function test_ClaimWhenAllIsWell() external {
        ISettlementLedger.Claim[] memory claims = _settled(3);
        vm.warp(_endOf(2));
        bytes32[] memory proof = _proof(claims, 3);
        vm.expectEmit(address(ledger));
        emit SettlementClaims.Claimed(3, _payoutAddress(3), 37 * MILLION, 12e18, 3e18);
        vm.prank(stranger);
        ledger.claim(claims[2], proof);
        assertEq(usdc.balanceOf(_payoutAddress(3)), 37 * MILLION);
        assertEq(dataToken.balanceOf(_payoutAddress(3)), 12e18);
        assertEq(govToken.balanceOf(vm.addr(_memberKey(3))), 3e18);
        (uint256 cash, uint256 data, uint256 gov) = ledger.claimedOf(3);
        assertEq(cash, 37 * MILLION);
        assertEq(data, 12e18);
        assertEq(gov, 3e18);
        (cash, data, gov) = ledger.claimedTotals();
        assertEq(cash, 37 * MILLION);
        assertEq(data, 12e18);
        assertEq(gov, 3e18);
    }

    /// @dev Votes are an account's: GOV goes to the member's own account, and to the payout address once it has ended.
    function test_GovGoesToTheAccountWhileActive() external {
        ISettlementLedger.Claim[] memory claims = _settled(3);
        _erase(2);
        vm.warp(_endOf(2));
        uint256 snapshot = vm.snapshotState();
        for (uint256 round; round < 2; ++round) {
            if (round == 0) {
                ledger.claimMany(claims, _proofs(claims));
            } else {
                ledger.claim(claims[0], _proof(claims, 1));
                ledger.claim(claims[1], _proof(claims, 2));
            }
            assertEq(govToken.balanceOf(vm.addr(_memberKey(1))), 1e18);
            assertEq(govToken.balanceOf(_payoutAddress(1)), 0);
            assertEq(govToken.balanceOf(vm.addr(_memberKey(2))), 0);
            assertEq(govToken.balanceOf(_payoutAddress(2)), 2e18);
            vm.revertToState(snapshot);
        }
    }

    // ------------------------------------------------------------------------------------------- claimMany

    function test_RevertWhen_LengthsDiffer() external {
        ISettlementLedger.Claim[] memory claims = _settled(2);
        bytes32[][] memory proofs = new bytes32[][](1);
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_LengthMismatch.selector, 2, 1));
        ledger.claimMany(claims, proofs);
    }

    function test_RevertWhen_AProofOfABatchIsWrong() external {
        ISettlementLedger.Claim[] memory claims = _settled(2);
        bytes32[][] memory proofs = _proofs(claims);
        claims[1].data += 1;
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_BadProof.selector, 2));
        ledger.claimMany(claims, proofs);
    }

    function test_WhenAMemberOccursTwice() external {
        ISettlementLedger.Claim[] memory claims = _settled(1);
        ISettlementLedger.Claim[] memory twice = new ISettlementLedger.Claim[](2);
        bytes32[][] memory proofs = new bytes32[][](2);
        (twice[0], twice[1]) = (claims[0], claims[0]);
        (proofs[0], proofs[1]) = (_proof(claims, 1), _proof(claims, 1));
        vm.warp(_endOf(2));
        ledger.claimMany(twice, proofs);
        assertEq(usdc.balanceOf(_payoutAddress(1)), 17 * MILLION);
        assertEq(dataToken.balanceOf(_payoutAddress(1)), 4e18);
    }

    /// @dev A push split that one reverting payee blocks is what peers do.
    function test_WhenUsdcRefusesAPayeeOfABatch() external {
        ISettlementLedger.Claim[] memory claims = _settled(3);
        vm.warp(_endOf(2));
        _blacklist(_payoutAddress(2));
        bytes32[][] memory proofs = _proofs(claims);
        vm.expectEmit(address(ledger));
        emit SettlementClaims.Claimed(2, _payoutAddress(2), 0, 8e18, 2e18);
        vm.expectEmit(address(ledger));
        emit SettlementClaims.ClaimSkipped(2);
        ledger.claimMany(claims, proofs);
        assertEq(usdc.balanceOf(_payoutAddress(1)), 17 * MILLION);
        assertEq(usdc.balanceOf(_payoutAddress(2)), 0);
        assertEq(dataToken.balanceOf(_payoutAddress(2)), 8e18, "its DATA is paid");
        assertEq(usdc.balanceOf(_payoutAddress(3)), 37 * MILLION);
        (uint256 cash, uint256 data,) = ledger.claimedOf(2);
        assertEq(cash, 0, "the cash stays owed");
        assertEq(data, 8e18);
        (cash,,) = ledger.claimedTotals();
        assertEq(cash, 54 * MILLION);
        vm.clearMockedCalls();
        ledger.claimMany(claims, proofs);
        assertEq(usdc.balanceOf(_payoutAddress(2)), 27 * MILLION);
        assertEq(dataToken.balanceOf(_payoutAddress(2)), 8e18, "not twice");
    }

    function test_WhenATokenRefuses() external {
        ISettlementLedger.Claim[] memory claims = _settled(2);
        vm.warp(_endOf(2));
        vm.mockCallRevert(address(govToken), abi.encodeWithSignature("mint(address,uint256)"), "broken");
        vm.mockCallRevert(
            address(dataToken), abi.encodeWithSignature("mint(address,uint256)", _payoutAddress(1), 4e18), "broken"
        );
        bytes32[][] memory proofs = _proofs(claims);
        ledger.claimMany(claims, proofs);
        (uint256 cash, uint256 data, uint256 gov) = ledger.claimedOf(1);
        assertEq(cash, 17 * MILLION);
        assertEq(data + gov, 0);
        (, data, gov) = ledger.claimedOf(2);
        assertEq(data, 8e18);
        assertEq(gov, 0);
        vm.clearMockedCalls();
        ledger.claimMany(claims, proofs);
        (, data, gov) = ledger.claimedTotals();
        assertEq(data, 12e18);
        assertEq(gov, 3e18);
        assertEq(dataToken.totalSupply(), 12e18);
        assertEq(govToken.totalSupply(), 3e18);
    }

    /// @dev A token that calls back into the ledger gets nowhere, and what it refused by that stays owed.
    function test_WhenAPayeeReenters() external {
        ISettlementLedger.Claim[] memory claims = _settled(1);
        bytes32[][] memory proofs = _proofs(claims);
        Reenterer token = new Reenterer(ledger, claims, proofs);
        vm.etch(address(dataToken), address(token).code);
        Reenterer(address(dataToken)).arm(ledger, claims, proofs);
        vm.warp(_endOf(2));
        ledger.claimMany(claims, proofs);
        assertTrue(Reenterer(address(dataToken)).guarded(), "the guard stopped it");
        assertEq(usdc.balanceOf(_payoutAddress(1)), 17 * MILLION);
    }

    function test_ABatchPaysWhatSingleClaimsPay() external {
        ISettlementLedger.Claim[] memory claims = _settled(5);
        vm.warp(_endOf(1) + 3 days);
        uint256 snapshot = vm.snapshotState();
        for (uint32 i; i < 5; ++i) {
            ledger.claim(claims[i], _proof(claims, i + 1));
        }
        uint256[] memory single = new uint256[](5);
        for (uint32 i; i < 5; ++i) {
            single[i] = usdc.balanceOf(_payoutAddress(i + 1));
        }
        vm.revertToState(snapshot);
        ledger.claimMany(claims, _proofs(claims));
        for (uint32 i; i < 5; ++i) {
            assertEq(usdc.balanceOf(_payoutAddress(i + 1)), single[i]);
        }
    }
}

/// @notice Stands in for a token whose `mint` tries to claim again.
contract Reenterer {
    SettlementLedger private ledger;
    ISettlementLedger.Claim[] private claims;
    bytes32[][] private proofs;
    bool public guarded;

    constructor(SettlementLedger ledger_, ISettlementLedger.Claim[] memory claims_, bytes32[][] memory proofs_) {
        arm(ledger_, claims_, proofs_);
    }

    function arm(SettlementLedger ledger_, ISettlementLedger.Claim[] memory claims_, bytes32[][] memory proofs_)
        public
    {
        ledger = ledger_;
        for (uint256 i; i < claims_.length; ++i) {
            claims.push(claims_[i]);
            proofs.push(proofs_[i]);
        }
    }

    function mint(address, uint256) external {
        try ledger.claimMany(claims, proofs) {}
        catch (bytes memory reason) {
            guarded = bytes4(reason) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        }
    }
}
