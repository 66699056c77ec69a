// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {Bounds} from "../../../src/access/Bounds.sol";
import {FoundingCheck} from "../../../src/factory/FoundingCheck.sol";
import {Rights} from "../../../src/market/License.sol";
import {StewardCommittee} from "../../../src/oracle/StewardCommittee.sol";
import {Disputes} from "../../../src/settlement/Disputes.sol";

/// @notice Bounds.tree.
contract BoundsTest is Test {
    string private _table;
    uint256 private _read;

    function _is(string memory name, uint256 value) private {
        string[] memory names = vm.parseJsonStringArray(_table, ".names");
        string[] memory values = vm.parseJsonStringArray(_table, ".values");
        for (uint256 i; i < names.length; ++i) {
            if (keccak256(bytes(names[i])) != keccak256(bytes(name))) continue;
            assertEq(value, vm.parseUint(values[i]), name);
            ++_read;
            return;
        }
        assertTrue(false, name);
    }

    function test_EachIsThatOfTheSharedTable() external {
        _table = vm.readFile("../vectors/bounds.json");
        FoundingCheck founding = new FoundingCheck();
        _is("minSeats", Bounds.MIN_SEATS);
        _is("maxSeats", Bounds.MAX_SEATS);
        _is("minBond", Bounds.MIN_BOND);
        _is("maxAmount", Bounds.MAX_AMOUNT);
        _is("minCooldown", Bounds.MIN_COOLDOWN);
        _is("minDelay", Bounds.MIN_DELAY);
        _is("minPeriod", Bounds.MIN_PERIOD);
        _is("minQuorumBps", Bounds.MIN_QUORUM_BPS);
        _is("maxQuorumBps", Bounds.MAX_QUORUM_BPS);
        _is("decisionTime", Bounds.DECISION_TIME);
        _is("maxDeskTime", Bounds.MAX_DESK_TIME);
        _is("minTimeout", Bounds.MIN_TIMEOUT);
        _is("minEpoch", founding.MIN_EPOCH());
        _is("maxEpoch", founding.MAX_EPOCH());
        _is("minAttempt", founding.MIN_ATTEMPT());
        _is("minWindow", founding.MIN_WINDOW());
        _is("maxWindow", founding.MAX_WINDOW());
        _is("maxAhead", founding.MAX_AHEAD());
        _is("maxProgramPoints", founding.MAX_PROGRAM_POINTS());
        _is("replyTime", new Disputes().REPLY_TIME());
        _is("orderLifetime", new StewardCommittee().MAX_LIFETIME());
        _is("frozen", Bounds.FROZEN);
        _is("maxCashUnit", Bounds.MAX_CASH_UNIT);
        _is("maxTokenUnit", Bounds.MAX_TOKEN_UNIT);
        _is("wide", Bounds.WIDE);
        _is("queryRight", Rights.QUERY);
        _is("lastEhdsCategory", Bounds.LAST_EHDS_CATEGORY);
        _is("lastDataType", Bounds.LAST_DATA_TYPE);
        _is("votingKind", Bounds.VOTING_KIND);
        assertEq(_read, vm.parseJsonStringArray(_table, ".names").length, "each is read");
    }
}
