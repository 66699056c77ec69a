// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {CoopTest} from "./CoopTest.sol";

/// @notice A cooperative with members who have something to claim.
abstract contract SettlementTest is CoopTest {
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
}
