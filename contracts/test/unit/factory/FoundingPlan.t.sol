// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {stdError} from "forge-std/StdError.sol";
import {Bounds} from "../../../src/access/Bounds.sol";
import {Config, Offer} from "../../../src/factory/Config.sol";
import {FoundingCheck} from "../../../src/factory/FoundingCheck.sol";
import {FoundingPlan} from "../../../src/factory/FoundingPlan.sol";
import {Parts} from "../../../src/factory/Parts.sol";
import {CoopGovernor} from "../../../src/governance/CoopGovernor.sol";
import {StewardCommittee} from "../../../src/oracle/StewardCommittee.sol";
import {LedgerParams} from "../../../src/settlement/LedgerParams.sol";
import {DataToken} from "../../../src/tokens/DataToken.sol";
import {Buyback} from "../../../src/treasury/Buyback.sol";
import {Vesting} from "../../../src/treasury/Vesting.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract FoundingPlanTest is CoopTest {
    function _plan() private view returns (FoundingPlan) {
        return FoundingPlan(address(factory.plan()));
    }

    function _expectBad(Config memory c, string memory field) private {
        bytes memory config = abi.encode(c);
        vm.expectRevert(abi.encodeWithSelector(FoundingCheck.FoundingCheck_BadConfig.selector, field));
        factory.found("bad", config);
    }

    function test_TheConfigIsReadBack() external {
        bytes memory config = abi.encode(_config());
        assertEq(abi.encode(_plan().configOf(config)), config);
    }

    function test_RevertWhen_TheBytesAreNoConfig() external {
        vm.expectRevert(bytes(""));
        factory.found("bad", hex"1234");
    }

    function test_RevertWhen_AFactOfTheChainIsBad() external {
        Config memory c = _config();
        c.chain.usdc = stranger;
        _expectBad(c, "chain.usdc");
        c.chain.usdc = address(dataToken); // 18 decimals
        _expectBad(c, "chain.usdc");
        c = _config();
        c.chain.genesis = uint40(block.timestamp + 365 days + 1);
        _expectBad(c, "chain.genesis");
        c.chain.genesis = uint40(block.timestamp + 365 days);
        _plan().check(abi.encode(c));
        c.chain.genesis = uint40(block.timestamp - EPOCH);
        _expectBad(c, "chain.genesis");
        ++c.chain.genesis;
        _plan().check(abi.encode(c));
        c = _config();
        c.chain.depth = 0;
        _expectBad(c, "chain.depth");
        c.chain.depth = 32;
        _expectBad(c, "chain.depth");
        c = _config();
        c.chain.lag = EPOCH - ATTEMPT - WINDOW;
        _plan().check(abi.encode(c));
        ++c.chain.lag;
        _expectBad(c, "chain.window");
        c = _config();
        (c.chain.epochLength, c.rewards.params.epochLength) = (30 days, 30 days);
        c.chain.window = _plan().founding().MAX_WINDOW();
        _plan().check(abi.encode(c));
        assertLt(c.chain.window + Bounds.DECISION_TIME + 1 days, committee.UNBONDING());
        ++c.chain.window;
        _expectBad(c, "chain.window");
    }

    /// @dev Bounds of single parameters, and where the next one begins: `vectors/founding.json` holds those that a file
    /// can name, for both sides.
    function test_RevertWhen_ADeskCouldNotBeFounded() external {
        Config memory c;
        c = _config();
        c.desks.buyback = Buyback.Terms(1, 2, 3, 1);
        _expectBad(c, "desks.buyback");
        c.desks.buyback = Buyback.Terms(1, 2, 0, 1);
        _expectBad(c, "desks.buyback");
        c.desks.buyback = Buyback.Terms(1, 2, 1, 0);
        _expectBad(c, "desks.buyback");
        c.desks.buyback = Buyback.Terms(1, 2, 1, 365 days + 1);
        _expectBad(c, "desks.buyback");
        c.desks.buyback = Buyback.Terms(1e12 + 1, 2, 1, 365 days);
        _expectBad(c, "desks.buyback");
    }

    function test_RevertWhen_SomebodyIsMissing() external {
        Config memory c = _config();
        c.people.registrar = address(0);
        _expectBad(c, "people.registrar");
        c = _config();
        c.people.gateway = address(0);
        _expectBad(c, "people.gateway");
        c = _config();
        c.people.ethicsBoard = address(0);
        _expectBad(c, "people.ethicsBoard");
        c = _config();
        c.people.guardian = address(0);
        _expectBad(c, "people.guardian");
    }

    /// @dev Point 17: parameters that work alone and not beside the others.
    function test_RevertWhen_OneParameterLeavesAnotherNoRoom() external {
        Config memory c = _config();
        c.committee.objectionBond = c.committee.minBond + 1;
        _expectBad(c, "committee.objectionBond");
        c = _config();
        c.governance.delay = 14 days - 8 days;
        _plan().check(abi.encode(c));
        ++c.governance.delay;
        _expectBad(c, "governance.tokenHouse.votingPeriod");
        c.governance.tokenHouse.votingPeriod -= 1;
        _expectBad(c, "governance.memberHouse.votingPeriod");
        c = _config();
        c.governance.constitution.minMembers = 31;
        _expectBad(c, "governance.memberFloor");
        c.governance.memberFloor = 4;
        _plan().check(abi.encode(c));
        c.governance.constitution.minMembers = 3;
        _expectBad(c, "governance.memberFloor");
        c = _config();
        // What the least members get where they share a year of GOV alike, as units: √(members · GOV).
        uint256 year = uint256(c.rewards.params.govCap) * (365 days / c.chain.epochLength);
        c.governance.tokenFloor = Math.sqrt(c.governance.constitution.minMembers * year * 1e18);
        _plan().check(abi.encode(c));
        ++c.governance.tokenFloor;
        _expectBad(c, "governance.tokenFloor");
        c = _config();
        c.governance.tokenFloor = c.governance.tokenHouse.proposalThreshold - 1;
        _expectBad(c, "governance.tokenHouse.proposalThreshold");
        c = _config();
        c.chain.depth = 1;
        _expectBad(c, "governance.constitution.minMembers");
    }

    /// @dev Point 17: what the command line refuses by name, the factory refuses too.
    function test_RevertWhen_TheSharedTableSaysSo() external {
        string memory table = vm.readFile("../vectors/founding.json");
        string[] memory fields = vm.parseJsonStringArray(table, ".fields");
        string[] memory values = vm.parseJsonStringArray(table, ".values");
        assertGt(fields.length, 50);
        for (uint256 i; i < fields.length; ++i) {
            Config memory c = _config();
            _set(c, keccak256(bytes(fields[i])), vm.parseUint(values[i]));
            _expectBad(c, fields[i]);
        }
    }

    function _set(Config memory c, bytes32 field, uint256 value) private pure {
        bool known = _setChain(c, field, value) || _setGovernance(c, field, value) || _setDesks(c, field, value)
            || _setHouse(c.governance.tokenHouse, "governance.tokenHouse", field, value)
            || _setHouse(c.governance.memberHouse, "governance.memberHouse", field, value);
        assertTrue(known, "a row of the table that nobody sets here");
    }

    function _setChain(Config memory c, bytes32 field, uint256 value) private pure returns (bool) {
        if (field == keccak256("chain.genesis")) c.chain.genesis = uint40(value);
        else if (field == keccak256("chain.epochLength")) c.chain.epochLength = uint32(value);
        else if (field == keccak256("chain.lag")) c.chain.lag = uint32(value);
        else if (field == keccak256("chain.attemptLength")) c.chain.attemptLength = uint32(value);
        else if (field == keccak256("chain.window")) c.chain.window = uint32(value);
        else if (field == keccak256("committee.minBond")) c.committee.minBond = uint64(value);
        else if (field == keccak256("committee.objectionBond")) c.committee.objectionBond = uint64(value);
        else if (field == keccak256("limits.admissionsPerEpoch")) c.limits.admissionsPerEpoch = uint32(value);
        else if (field == keccak256("limits.cooldown")) c.limits.cooldown = uint32(value);
        else if (field == keccak256("rewards.params.govPerPoint")) c.rewards.params.govPerPoint = uint128(value);
        else if (field == keccak256("rewards.maxProgramPoints")) c.rewards.maxProgramPoints = uint128(value);
        else return false;
        return true;
    }

    function _setGovernance(Config memory c, bytes32 field, uint256 value) private pure returns (bool) {
        if (field == keccak256("governance.delay")) {
            c.governance.delay = value;
        } else if (field == keccak256("governance.memberFloor")) {
            c.governance.memberFloor = value;
        } else if (field == keccak256("governance.tokenFloor")) {
            c.governance.tokenFloor = value;
        } else if (field == keccak256("governance.constitution.minMembers")) {
            c.governance.constitution.minMembers = uint32(value);
        } else if (field == keccak256("governance.constitution.minAge")) {
            c.governance.constitution.minAge = uint32(value);
        } else {
            return false;
        }
        return true;
    }

    function _setHouse(CoopGovernor.Settings memory s, string memory house, bytes32 field, uint256 value)
        private
        pure
        returns (bool)
    {
        if (field == keccak256(abi.encodePacked(house, ".votingDelay"))) {
            s.votingDelay = uint48(value);
        } else if (field == keccak256(abi.encodePacked(house, ".votingPeriod"))) {
            s.votingPeriod = uint32(value);
        } else if (field == keccak256(abi.encodePacked(house, ".proposalThreshold"))) {
            s.proposalThreshold = value;
        } else if (field == keccak256(abi.encodePacked(house, ".quorumBps"))) {
            s.quorumBps = value;
        } else if (field == keccak256(abi.encodePacked(house, ".lateQuorumExtension"))) {
            s.lateQuorumExtension = uint48(value);
        } else {
            return false;
        }
        return true;
    }

    function _setDesks(Config memory c, bytes32 field, uint256 value) private pure returns (bool) {
        if (field == keccak256("desks.researcherBond")) c.desks.researcherBond = uint96(value);
        else if (field == keccak256("desks.refundWindow")) c.desks.refundWindow = uint32(value);
        else if (field == keccak256("desks.computeTimeout")) c.desks.computeTimeout = uint32(value);
        else if (field == keccak256("desks.pay.stewardPerEpoch")) c.desks.pay.stewardPerEpoch = uint96(value);
        else if (field == keccak256("desks.pay.workerPerReceipt")) c.desks.pay.workerPerReceipt = uint96(value);
        else if (field == keccak256("desks.minContributorsBps")) c.desks.minContributorsBps = uint16(value);
        else if (field == keccak256("split.buyback")) c.split.buyback = uint16(value);
        else if (field == keccak256("split")) c.split.operations = uint16(value);
        else return false;
        return true;
    }

    function test_RevertWhen_TheCommitteeIsBad() external {
        Config memory c = _config();
        c.committee.seats = new StewardCommittee.Seat[](_plan().founding().MAX_SEATS() + 1);
        _expectBad(c, "committee.seats");
        c.committee.seats = new StewardCommittee.Seat[](2);
        c.committee.seats[0] = _config().committee.seats[0];
        c.committee.seats[1] = _config().committee.seats[1];
        _expectBad(c, "committee.seats");
        c = _config();
        c.committee.quorum = 1;
        _expectBad(c, "committee.quorum");
        c.committee.quorum = 4;
        _expectBad(c, "committee.quorum");
        c = _config();
        c.committee.seats[1].signer = c.committee.seats[0].signer;
        _expectBad(c, "committee.seats");
        c.committee.seats[1].signer = address(0);
        _expectBad(c, "committee.seats");
        c = _config();
        c.committee.seats[2].sealingKey = 0;
        _expectBad(c, "committee.seats");
        c = _config();
        c.committee.workers[0].sealingKey = 0;
        _expectBad(c, "committee.workers");
        c = _config();
        c.committee.workers[0].signer = c.committee.seats[2].signer;
        _expectBad(c, "committee.workers");
        c = _config();
        c.committee.workers = new StewardCommittee.Worker[](_plan().founding().MAX_WORKERS() + 1);
        _expectBad(c, "committee.workers");
    }

    function test_RevertWhen_TheMoneyIsBad() external {
        Config memory c = _config();
        c.rewards.params.epochLength += 1;
        _expectBad(c, "rewards.params.epochLength");
        c = _config();
        c.rewards.params.govPerPoint = 0;
        _expectBad(c, "rewards.params.govPerPoint");
        c = _config();
        c.rewards.contestVerifier = address(0);
        _expectBad(c, "rewards.contestVerifier");
        c.rewards.contestVerifier = stranger;
        _expectBad(c, "rewards.contestVerifier");
        c = _config();
        c.rewards.params.smoothing = 0;
        bytes memory config = abi.encode(c);
        vm.expectRevert(abi.encodeWithSelector(LedgerParams.LedgerParams_Bad.selector, "smoothing"));
        factory.found("bad", config);
        c = _config();
        c.split.buyback = 10_001;
        _expectBad(c, "split.buyback");
        c = _config();
        c.split.reserve = 8_001;
        _expectBad(c, "split");
        c = _config();
        c.desks.minContributorsBps = 7_501;
        _expectBad(c, "desks.minContributorsBps");
        c.desks.minContributorsBps = 7_500;
        c.split.buyback = 1;
        _expectBad(c, "desks.minContributorsBps");
    }

    function test_RevertWhen_TheGenesisIsBad() external {
        Config memory c = _config();
        c.allocation = new DataToken.Genesis[](1);
        _expectBad(c, "allocation.to");
        c.allocation = new DataToken.Genesis[](_plan().founding().MAX_ALLOCATIONS() + 1);
        _expectBad(c, "allocation");
        c = _config();
        c.vesting = new Vesting.Schedule[](_plan().founding().MAX_ALLOCATIONS() + 1);
        _expectBad(c, "vesting");
        c.vesting = new Vesting.Schedule[](2);
        Vesting.Schedule memory s = Vesting.Schedule(founder, type(uint96).max, 1, 2, 2, true);
        (c.vesting[0], c.vesting[1]) = (s, Vesting.Schedule(founder, 1, 1, 2, 2, true));
        _expectBad(c, "vesting.amount");
        c.vesting[1] = Vesting.Schedule(founder, 0, 1, 2, 2, true);
        _expectBad(c, "vesting");
        c.vesting[1] = Vesting.Schedule(address(0), 1, 1, 2, 2, true);
        _expectBad(c, "vesting");
        c.vesting[1] = Vesting.Schedule(founder, 1, 1, 3, 2, true);
        _expectBad(c, "vesting.duration");
        c.vesting[1] = Vesting.Schedule(founder, 1, 1, 0, 0, true);
        _expectBad(c, "vesting.duration");
    }

    function test_RevertWhen_TheDatasetsAreBad() external {
        Config memory c = _config();
        c.datasets[0].id = 0;
        _expectBad(c, "datasets.id");
        c = _config();
        c.datasets[0].dataset.dataType = 0;
        _expectBad(c, "datasets.dataType");
        c.datasets[0].dataset.dataType = 5;
        _expectBad(c, "datasets.dataType");
        c = _config();
        c.datasets[0].dataset.pricePerThousand = 0;
        _expectBad(c, "datasets.price");
        c.datasets[0].dataset.pricePerThousand = 1e12 + 1;
        _expectBad(c, "datasets.price");
        c = _config();
        c.datasets[0].dataset.termsHash = 0;
        _expectBad(c, "datasets.terms");
        c = _config();
        c.datasets = new Offer[](2);
        (c.datasets[0], c.datasets[1]) = (Offer(DATASET, _dataset()), Offer(DATASET, _dataset()));
        _expectBad(c, "datasets.id");
        c.datasets = new Offer[](_plan().founding().MAX_DATASETS() + 1);
        _expectBad(c, "datasets");
    }

    function test_RevertWhen_ThereIsNoSuchStage() external {
        bytes memory config = abi.encode(_config());
        uint8 stages = factory.stages();
        FoundingPlan plan = _plan();
        Parts memory at = factory.partsOf(coopId);
        vm.expectRevert(stdError.enumConversionError);
        plan.steps(stages, config, at, address(factory));
    }
}
