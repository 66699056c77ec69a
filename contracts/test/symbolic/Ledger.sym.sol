// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {ContestVerifier} from "../../src/settlement/ContestVerifier.sol";
import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {LedgerTree} from "../../src/settlement/LedgerTree.sol";
import {RewardFormula} from "../../src/settlement/RewardFormula.sol";
import {SettlementLedger} from "../../src/settlement/SettlementLedger.sol";

interface VmLedger {
    function warp(uint256 time) external;
}

/// @notice Claims against the real ledger, a tree of two members and one final root; this contract plays the committee,
/// which signs anything, Membership, the Treasury and both tokens.
contract LedgerSymbolic {
    VmLedger private constant VM = VmLedger(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint40 private constant GENESIS = 1_800_000_000;
    uint32 private constant EPOCH = 28 days;
    uint32 private constant WINDOW = 2 days;
    bytes32 private constant OTHER = bytes32(uint256(8));

    uint256 private _cash;
    uint256 private _minted;

    function verifyQuorum(bytes32, bytes[] calldata) external pure returns (uint256) {
        return 3;
    }

    function contributorsBooked() external pure returns (uint256) {
        return type(uint256).max;
    }

    function memberOf(uint32) external pure returns (address, address, bool) {
        return (address(1), address(1), true);
    }

    function payoutOf(uint32) external pure returns (address) {
        return address(1);
    }

    function pay(address, uint256 amount) external {
        _cash += amount;
    }

    /// @dev DATA and GOV alike; which one is of no matter where only one of them is due.
    function mint(address, uint256 amount) external {
        _minted += amount;
    }

    /// @dev A ledger whose first root is final in this second: member 0 has `c`.
    function _ledger(ISettlementLedger.Claim memory c, uint128 cash, uint128 data, uint128 gov)
        private
        returns (SettlementLedger ledger)
    {
        address self = address(this);
        SettlementLedger.Deployment memory d;
        (d.authority, d.membership, d.committee) = (self, self, self);
        (d.treasury, d.dataToken, d.govToken, d.disputes) = (self, self, self, self);
        (d.genesis, d.attemptLength, d.window, d.depth) = (GENESIS, 1 days, WINDOW, 1);
        (d.contestVerifier, d.params) = (address(new ContestVerifier()), _params());
        bytes memory init = abi.encodeCall(SettlementLedger.initialize, (d));
        ledger = SettlementLedger(address(new ERC1967Proxy(address(new SettlementLedger()), init)));
        ISettlementLedger.Header memory h;
        (h.epoch, h.paramsHash, h.previousRoot) = (1, RewardFormula.paramsHash(d.params), LedgerTree.emptyRoot(1));
        bytes32 leaf = LedgerTree.leaf(c.memberId, c.cash, c.stream, c.data, c.gov, c.privateHash);
        h.root = keccak256(abi.encode(leaf, OTHER));
        (h.cashAllocated, h.dataEarned, h.govEarned) = (cash, data, gov);
        (h.dataAwarded, h.govAwarded) = (data, gov);
        VM.warp(uint256(GENESIS) + EPOCH);
        ledger.propose(h, new bytes[](0));
        VM.warp(uint256(GENESIS) + EPOCH + WINDOW);
    }

    function _params() private pure returns (RewardFormula.Params memory p) {
        (p.epochLength, p.dataCap, p.govCap) = (EPOCH, type(uint128).max, type(uint128).max);
        (p.mixUsage, p.smoothing, p.vestingEpochs, p.maxStreak, p.streakWindow) = (10_000, 1, 1, 1, 1);
        (p.minLicenses, p.minDatasets, p.cashUnit, p.dataUnit, p.govUnit) = (1, 1, 1, 1, 1);
    }

    function _proof() private pure returns (bytes32[] memory proof) {
        proof = new bytes32[](1);
        proof[0] = OTHER;
    }

    function _leaf(uint128 cash, uint128 stream, uint128 data, uint128 gov)
        private
        pure
        returns (ISettlementLedger.Claim memory)
    {
        return ISettlementLedger.Claim(0, cash, stream, data, gov, bytes32(0));
    }

    /// @dev Tokens: what is paid is exactly what the leaf says, and never more than the totals that were signed.
    function check_TokensArePaidAsTheLeafSays(uint128 data, uint128 gov, uint96 dataTotal, uint96 govTotal) external {
        ISettlementLedger.Claim memory c = _leaf(0, 0, data, gov);
        SettlementLedger ledger = _ledger(c, 0, dataTotal, govTotal);
        ledger.claim(c, _proof());
        (uint256 cash, uint256 gotData, uint256 gotGov) = ledger.claimedOf(0);
        assert(cash == 0 && gotData == data && gotGov == gov && _minted == gotData + gotGov);
        assert(gotData <= dataTotal && gotGov <= govTotal);
    }

    /// @dev Cash: at least what is due at once, at most that and the whole stream, at most the total.
    /// Claimed 7 of 28 days after the epoch's end.
    function check_CashIsAtMostTheLeafAndTheTotal(uint64 due, uint64 stream, uint64 total) external {
        ISettlementLedger.Claim memory c = _leaf(due, stream, 0, 0);
        SettlementLedger ledger = _ledger(c, total, 0, 0);
        VM.warp(uint256(GENESIS) + EPOCH + WINDOW + 5 days);
        ledger.claim(c, _proof());
        assert(_cash >= due && _cash <= uint256(due) + stream && _cash <= total);
        (uint256 booked,,) = ledger.claimedOf(0);
        assert(booked == _cash);
    }

    /// @dev Who claims twice, 7 and 28 days after the epoch's end, gets no more than is due and the whole stream.
    function check_ClaimingTwiceGainsNothing(uint64 due, uint64 stream) external {
        ISettlementLedger.Claim memory c = _leaf(due, stream, 0, 0);
        SettlementLedger ledger = _ledger(c, type(uint64).max, 0, 0);
        VM.warp(uint256(GENESIS) + EPOCH + WINDOW + 5 days);
        ledger.claim(c, _proof());
        VM.warp(uint256(GENESIS) + 2 * uint256(EPOCH));
        try ledger.claim(c, _proof()) {} catch {}
        assert(_cash <= uint256(due) + stream);
    }
}
