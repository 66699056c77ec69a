// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ContributionRegistry} from "../../src/contribution/ContributionRegistry.sol";
import {SettlementState} from "../../src/settlement/SettlementState.sol";
import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {CoopTest} from "../utils/CoopTest.sol";

/// @notice What members, researchers, stewards and strangers may do, in any order. Keeps its own books of what must be so.
/// Every call succeeds or is a deliberate attempt at something forbidden, which is asserted to fail.
contract CoopHandler is CoopTest {
    uint256 public sold;
    uint256 public donated;
    uint256 public endings;
    uint256 public recorded;
    uint256 public epochsProposed;

    /// @dev By member id; what the pending and the final tree say, in turn.
    ISettlementLedger.Claim[] private pendingLeaves;
    ISettlementLedger.Claim[] private finalLeaves;
    uint256 private pendingFinalAt;
    uint128 private dataAwarded;
    uint128 private govAwarded;
    uint256 private time;

    modifier timed() {
        if (time < block.timestamp) time = block.timestamp;
        vm.warp(time);
        _promote();
        _;
        time = block.timestamp;
    }

    // ---------------------------------------------------------------------------------------- what is done

    function join() external timed {
        if (memberKeys.length <= 12) _join();
    }

    function grant(uint256 pick) external timed {
        uint32 id = _active(pick);
        if (id != 0) _grant(id);
    }

    function revoke(uint256 pick) external timed {
        uint32 id = _active(pick);
        if (id != 0 && consents.isGranted(id)) _revoke(id);
    }

    function erase(uint256 pick) external timed {
        uint32 id = _active(pick);
        if (id == 0 || pick % 4 != 0) return; // members rarely go
        _erase(id);
        ++endings;
    }

    function record(uint256 pick) external timed {
        uint32 id = _active(pick);
        if (id == 0) return;
        (ContributionRegistry.Contribution[] memory c, bytes[] memory s) = _batch(id, 1);
        uint64 last = contributions.lastContributionAt(id);
        bool allowed = consents.isGranted(id) && (last == 0 || block.timestamp >= uint256(last) + COOLDOWN);
        try contributions.record(c, s) {
            assertTrue(allowed, "recorded against consent or cooldown");
            ++recorded;
        } catch {
            assertFalse(allowed, "refused without a reason");
        }
    }

    function sell(uint256 amount) external timed {
        amount = bound(amount, 1, 2_000) * 50_000;
        _sell(amount);
        sold += amount;
    }

    function donate(uint256 amount) external timed {
        amount = bound(amount, 1, 1_000e6);
        usdc.mint(address(treasury), amount);
        donated += amount;
    }

    function wait_(uint256 secs) external timed {
        vm.warp(block.timestamp + bound(secs, 1, 3 days));
    }

    /// @dev A quorum proposes an epoch in which every row grows at random within the totals that the chain allows.
    function settle(uint256 seed) external timed {
        (uint32 pendingEpoch,,,) = ledger.pending();
        if (pendingEpoch != 0 || memberKeys.length == 1) return;
        ISettlementLedger.Header memory h = _header();
        if (block.timestamp < _startOf(h.epoch, 0)) vm.warp(_startOf(h.epoch, 0));
        _grow(seed);
        h.root = _rootOfPending();
        (uint256 cash, uint256 data, uint256 gov) = _sum(pendingLeaves);
        (h.cashAllocated, h.dataEarned, h.govEarned) = (uint128(cash), uint128(data), uint128(gov));
        (h.dataAwarded, h.govAwarded) = (dataAwarded, govAwarded);
        _propose(h);
        ++epochsProposed;
        pendingFinalAt = block.timestamp + WINDOW;
    }

    function claim(uint256 pick) external timed {
        if (finalLeaves.length == 0) return;
        ISettlementLedger.Claim[] memory leaves = finalLeaves;
        uint256 i = pick % leaves.length;
        bytes32[] memory proof = _proof(leaves, leaves[i].memberId);
        vm.prank(stranger);
        try ledger.claim(leaves[i], proof) {}
        catch (bytes memory reason) {
            assertEq(bytes4(reason), SettlementState.SettlementLedger_NothingDue.selector);
        }
    }

    /// @dev Everybody at once; USDC refuses one payee.
    function claimMany(uint256 pick) external timed {
        if (finalLeaves.length == 0) return;
        ISettlementLedger.Claim[] memory leaves = finalLeaves;
        address refused = _payoutAddress(leaves[pick % leaves.length].memberId);
        vm.mockCallRevert(address(usdc), abi.encodeWithSelector(IERC20.transfer.selector, refused), "refused");
        uint256 before = usdc.balanceOf(refused);
        ledger.claimMany(leaves, _proofs(leaves));
        assertEq(usdc.balanceOf(refused), before);
        vm.clearMockedCalls();
    }

    /// @dev Somebody claims more than the tree says.
    function claimTooMuch(uint256 pick, uint128 extra) external timed {
        if (finalLeaves.length == 0) return;
        ISettlementLedger.Claim[] memory leaves = finalLeaves;
        ISettlementLedger.Claim memory c = leaves[pick % leaves.length];
        bytes32[] memory proof = _proof(leaves, c.memberId);
        c.cash += uint128(bound(extra, 1, 1e12));
        vm.expectRevert(abi.encodeWithSelector(SettlementState.SettlementLedger_BadProof.selector, c.memberId));
        ledger.claim(c, proof);
    }

    // ---------------------------------------------------------------------------------------- what is known

    function contracts()
        external
        view
        returns (address membership_, address ledger_, address treasury_, address usdc_, address data_, address gov_)
    {
        return (
            address(membership),
            address(ledger),
            address(treasury),
            address(usdc),
            address(dataToken),
            address(govToken)
        );
    }

    function consentRegistry() external view returns (address) {
        return address(consents);
    }

    function contributionCount() external view returns (uint256) {
        return contributions.contributionCount();
    }

    function members() external view returns (uint32) {
        return uint32(memberKeys.length - 1);
    }

    function accountOf(uint32 id) external view returns (address) {
        return vm.addr(memberKeys[id]);
    }

    function payoutOf(uint32 id) external pure returns (address) {
        return _payoutAddress(id);
    }

    /// @dev The most that `id` may have been paid: its leaf in the last final tree, streamed out in full.
    function leafOf(uint32 id) external view returns (uint256 cash, uint256 data, uint256 gov) {
        bool promoted = pendingFinalAt != 0 && block.timestamp >= pendingFinalAt;
        ISettlementLedger.Claim[] storage leaves = promoted ? pendingLeaves : finalLeaves;
        if (id > leaves.length) return (0, 0, 0);
        ISettlementLedger.Claim storage c = leaves[id - 1];
        return (uint256(c.cash) + c.stream, c.data, c.gov);
    }

    function awarded() external view returns (uint256 data, uint256 gov) {
        return (dataAwarded, govAwarded);
    }

    function currentTime() external view returns (uint256) {
        return time;
    }

    function caps() external view returns (uint256 data, uint256 gov) {
        return (epochsProposed * DATA_CAP, epochsProposed * GOV_CAP);
    }

    // ------------------------------------------------------------------------------------------- internal

    function _active(uint256 pick) private view returns (uint32 id) {
        if (memberKeys.length == 1) return 0;
        id = uint32(1 + pick % (memberKeys.length - 1));
        if (membership.activeAccountOf(id) == address(0)) id = 0;
    }

    function _promote() private {
        if (pendingFinalAt == 0 || block.timestamp < pendingFinalAt) return;
        delete finalLeaves;
        for (uint256 i; i < pendingLeaves.length; ++i) {
            finalLeaves.push(pendingLeaves[i]);
        }
        pendingFinalAt = 0;
    }

    /// @dev What streamed becomes cash; a random part of what is booked and not allocated streams next.
    function _grow(uint256 seed) private {
        delete pendingLeaves;
        uint256 n = memberKeys.length - 1;
        (uint256 allocated,,) = _sum(finalLeaves);
        uint256 each = (treasury.contributorsBooked() - allocated) * (seed % 101) / 100 / n;
        for (uint32 id = 1; id <= n; ++id) {
            seed = uint256(keccak256(abi.encode(seed, id)));
            ISettlementLedger.Claim memory c;
            if (id <= finalLeaves.length) c = finalLeaves[id - 1];
            (c.memberId, c.cash, c.stream) = (id, c.cash + c.stream, uint128(each));
            uint128 dataAward = uint128(seed % (DATA_CAP / n));
            uint128 govAward = uint128((seed >> 64) % (GOV_CAP / n));
            (dataAwarded, govAwarded) = (dataAwarded + dataAward, govAwarded + govAward);
            (c.data, c.gov) = (c.data + dataAward * 4 / 10, c.gov + govAward * 4 / 10);
            c.privateHash = keccak256(abi.encode(seed));
            pendingLeaves.push(c);
        }
    }

    function _sum(ISettlementLedger.Claim[] storage leaves)
        private
        view
        returns (uint256 cash, uint256 data, uint256 gov)
    {
        for (uint256 i; i < leaves.length; ++i) {
            cash += uint256(leaves[i].cash) + leaves[i].stream;
            data += leaves[i].data;
            gov += leaves[i].gov;
        }
    }

    function _rootOfPending() private view returns (bytes32 node) {
        ISettlementLedger.Claim[] memory leaves = pendingLeaves;
        bytes32[] memory proof = _proof(leaves, 1);
        node = _leaves(leaves)[1];
        for (uint256 i; i < DEPTH; ++i) {
            node = (1 >> i) & 1 == 0 ? keccak256(abi.encode(node, proof[i])) : keccak256(abi.encode(proof[i], node));
        }
    }
}
