// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Membership} from "../../src/membership/Membership.sol";
import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {CoopTest} from "./CoopTest.sol";

/// @notice What a member signs towards the end: to leave, and to be paid elsewhere.
abstract contract EndingTest is CoopTest {
    function _leaveOf(uint32 id) internal view returns (Membership.Leave memory) {
        return Membership.Leave(id, membership.nonceOf(id), block.timestamp + 1 days);
    }

    function _payoutOf(uint32 id, address payout) internal view returns (Membership.Payout memory) {
        return Membership.Payout(id, payout, membership.nonceOf(id), block.timestamp + 1 days);
    }

    function _leaveDigest(Membership.Leave memory l) internal view returns (bytes32) {
        bytes32 hash = keccak256("Leave(uint32 memberId,uint256 nonce,uint256 deadline)");
        return _typed("Membership", address(membership), keccak256(abi.encode(hash, l)));
    }

    function _payoutDigest(Membership.Payout memory p) internal view returns (bytes32) {
        bytes32 hash = keccak256("Payout(uint32 memberId,address payout,uint256 nonce,uint256 deadline)");
        return _typed("Membership", address(membership), keccak256(abi.encode(hash, p)));
    }

    function _leave(uint32 id) internal {
        Membership.Leave memory l = _leaveOf(id);
        membership.leave(l, _sign(memberKeys[id], _leaveDigest(l)));
    }

    function _expel(uint32 id) internal {
        _asMemberHouse();
        membership.expel(id, keccak256("reasons"));
    }

    function _setPayout(uint32 id, address payout) internal {
        Membership.Payout memory p = _payoutOf(id, payout);
        membership.setPayout(p, _sign(memberKeys[id], _payoutDigest(p)));
    }

    /// @dev Settles an epoch in which `id` alone earned `cash` and `data`.
    function _earn(uint32 id, uint128 cash, uint128 data) internal returns (ISettlementLedger.Claim[] memory claims) {
        claims = new ISettlementLedger.Claim[](1);
        claims[0] = ISettlementLedger.Claim(id, cash, 0, data, 0, keccak256("private"));
        if (cash != 0) _sell(100e6);
        _settle(claims);
    }

    /// @dev Claims what `_earn` settled; anyone may send it.
    function _claim(ISettlementLedger.Claim[] memory claims) internal {
        ledger.claim(claims[0], _proof(claims, claims[0].memberId));
    }
}
