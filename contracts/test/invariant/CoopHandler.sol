// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ContributionRegistry} from "../../src/contribution/ContributionRegistry.sol";
import {SettlementClaims} from "../../src/settlement/SettlementClaims.sol";
import {SettlementState} from "../../src/settlement/SettlementState.sol";
import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {RewardFormula} from "../../src/settlement/RewardFormula.sol";
import {LedgerModel} from "../utils/LedgerModel.sol";

/// @notice What members, researchers, stewards and strangers may do, in any order. Keeps its own books of what must be so.
/// Every call succeeds or is a deliberate attempt at something forbidden, which is asserted to fail.
abstract contract CoopHandler is LedgerModel {
    uint256 public sold;
    uint256 public donated;
    uint256 public endings;
    uint256 public recorded;
    uint256 public epochsProposed;

    mapping(uint32 memberId => bool) public hasLeft;
    /// @dev What the last final root must be.
    bytes32 public expectedRoot;
    bool internal proposed;
    /// @dev How many attempts of the next epoch were voided.
    uint32 internal attempts;
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
        if (memberKeys.length <= 12 && block.timestamp >= membership.pausedUntil()) _join();
    }

    function grant(uint256 pick) external timed {
        uint32 id = _active(pick);
        if (id != 0 && block.timestamp >= consents.pausedUntil()) _grant(id);
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

    function leave(uint256 pick) external timed {
        uint32 id = _active(pick);
        if (id == 0 || pick % 8 != 0) return;
        _leave(id);
        hasLeft[id] = true;
        ++endings;
    }

    function record(uint256 pick) external timed {
        uint32 id = _active(pick);
        if (id == 0) return;
        (ContributionRegistry.Contribution[] memory c, bytes[] memory s) = _batch(id, 1);
        uint64 last = contributions.lastContributionAt(id);
        bool allowed = block.timestamp >= contributions.pausedUntil();
        allowed = allowed && consents.isGranted(id) && (last == 0 || block.timestamp >= uint256(last) + COOLDOWN);
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

    function wait_(uint256 secs) external virtual timed {
        vm.warp(block.timestamp + bound(secs, 1, 3 days));
    }

    /// @dev A quorum proposes what honest stewards compute from inputs at random.
    function settle(uint256 seed) external timed {
        if (_prepare(seed)) _send();
    }

    function claim(uint256 pick) external timed {
        ISettlementLedger.Claim[] memory leaves = _finalClaims();
        if (leaves.length == 0) return;
        uint256 i = pick % leaves.length;
        bytes32[] memory proof = _proof(leaves, leaves[i].memberId);
        vm.prank(stranger);
        try ledger.claim(leaves[i], proof) {}
        catch (bytes memory reason) {
            assertEq(bytes4(reason), SettlementState.SettlementLedger_NothingDue.selector);
        }
    }

    /// @dev Some range of ids at once, or all; USDC refuses one payee.
    function claimMany(uint256 pick) external timed {
        ISettlementLedger.Claim[] memory leaves = _finalClaims();
        if (leaves.length == 0) return;
        address refused = _payoutAddress(leaves[pick % leaves.length].memberId);
        vm.mockCallRevert(address(usdc), abi.encodeWithSelector(IERC20.transfer.selector, refused), "refused");
        uint256 before = usdc.balanceOf(refused);
        SettlementClaims.Range[] memory ranges = _ranges(leaves);
        uint256 count = 1 << pick % 4;
        if (pick % 2 == 0) ranges[0] = _range(leaves, pick % 61 / count * count, count);
        ledger.claimMany(ranges);
        assertEq(usdc.balanceOf(refused), before);
        vm.clearMockedCalls();
    }

    /// @dev Somebody claims more than the tree says.
    function claimTooMuch(uint256 pick, uint128 extra) external timed {
        ISettlementLedger.Claim[] memory leaves = _finalClaims();
        if (leaves.length == 0) return;
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
        ISettlementLedger.Claim memory c = _isFinal() ? next[id].leaf : before[id].leaf;
        return (uint256(c.cash) + c.stream, c.data, c.gov);
    }

    function finalRoot() external view returns (bytes32) {
        return _isFinal() ? header.root : expectedRoot;
    }

    function currentTime() external view returns (uint256) {
        return time;
    }

    function caps() external view returns (uint256 data, uint256 gov) {
        return (epochsProposed * DATA_CAP, epochsProposed * GOV_CAP);
    }

    // ------------------------------------------------------------------------------------------- internal

    function _active(uint256 pick) internal view returns (uint32 id) {
        if (memberKeys.length == 1) return 0;
        id = uint32(1 + pick % (memberKeys.length - 1));
        if (membership.activeAccountOf(id) == address(0)) id = 0;
    }

    function _pendingEpoch() internal view returns (uint32 epoch) {
        (epoch,,,) = ledger.pending();
    }

    /// @dev What was proposed is pending no more and was not voided.
    function _isFinal() internal view returns (bool) {
        return proposed && _pendingEpoch() == 0;
    }

    function _promote() internal {
        if (!_isFinal()) return;
        (proposed, expectedRoot, attempts) = (false, header.root, 0);
        _becomeFinal();
        _forget();
    }

    /// @dev What is known of the round that ended.
    function _forget() internal virtual;

    /// @dev Computes the next epoch, if its turn has come.
    function _prepare(uint256 seed) internal returns (bool) {
        if (_pendingEpoch() != 0 || memberKeys.length == 1 || block.timestamp < ledger.pausedUntil()) return false;
        (uint32 epoch,) = ledger.finalEpoch();
        if (block.timestamp < _startOf(epoch + 1, attempts)) vm.warp(_startOf(epoch + 1, attempts));
        for (uint32 id = 1; id < memberKeys.length; ++id) {
            seed = uint256(keccak256(abi.encode(seed, id)));
            inputs[id] = abi.encode(_randomInputs(id, seed));
        }
        (uint256 allocated,,,,) = ledger.finalTotals();
        _compute(epoch + 1, (treasury.contributorsBooked() - allocated) * (seed % 101) / 100);
        header.attempt = attempts;
        return true;
    }

    function _send() internal {
        _bondSigners();
        _proposeNext();
        proposed = true;
        if (header.epoch > epochsProposed) epochsProposed = header.epoch;
    }

    function _randomInputs(uint32 id, uint256 seed) private view returns (RewardFormula.Inputs memory i) {
        i.active = membership.activeAccountOf(id) != address(0);
        i.erased = !i.active && !hasLeft[id] && !before[id].closed;
        if (!i.active) return i;
        (i.records, i.programPoints) = (seed % 4, (seed >> 8) % 100_000);
        (i.used, i.useWeight) = ((seed >> 32) % (i.records + 1), (seed >> 64) % 10_000);
        i.contributions = new RewardFormula.Score[]((seed >> 96) % 3);
        for (uint256 k; k < i.contributions.length; ++k) {
            i.contributions[k] = RewardFormula.Score((seed >> 104) % 10_001, 10_000, 9_000, 12_500);
        }
    }
}
