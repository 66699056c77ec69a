// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Config, Offer} from "../../../src/factory/Config.sol";
import {FoundingPlan} from "../../../src/factory/FoundingPlan.sol";
import {Parts} from "../../../src/factory/Parts.sol";
import {StewardCommittee} from "../../../src/oracle/StewardCommittee.sol";
import {DataToken} from "../../../src/tokens/DataToken.sol";
import {Vesting} from "../../../src/treasury/Vesting.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract FoundingPlanTest is CoopTest {
    function _plan() private view returns (FoundingPlan) {
        return FoundingPlan(address(factory.plan()));
    }

    function _expectBad(Config memory c, string memory field) private {
        bytes memory config = abi.encode(c);
        vm.expectRevert(abi.encodeWithSelector(FoundingPlan.FoundingPlan_BadConfig.selector, field));
        factory.found("bad", config);
    }

    function test_TheConfigIsReadBack() external {
        bytes memory config = abi.encode(_config());
        assertEq(abi.encode(_plan().configOf(config)), config);
    }

    function test_RevertWhen_TheBytesAreNoConfig() external {
        vm.expectRevert();
        factory.found("bad", hex"1234");
    }

    function test_RevertWhen_AFactOfTheChainIsBad() external {
        Config memory c = _config();
        c.chain.usdc = stranger;
        _expectBad(c, "chain.usdc");
        c.chain.usdc = address(dataToken); // 18 decimals
        _expectBad(c, "chain.usdc");
        c = _config();
        c.chain.genesis = 0;
        _expectBad(c, "chain.genesis");
        c = _config();
        c.chain.epochLength = 0;
        _expectBad(c, "chain.epochLength");
        c = _config();
        c.chain.attemptLength = 0;
        _expectBad(c, "chain.attemptLength");
        c = _config();
        c.chain.window = 0;
        _expectBad(c, "chain.window");
        c = _config();
        c.chain.depth = 0;
        _expectBad(c, "chain.depth");
        c.chain.depth = 32;
        _expectBad(c, "chain.depth");
    }

    function test_RevertWhen_ADeskCouldNotBeFounded() external {
        Config memory c = _config();
        c.desks.researcherBond = 0;
        _expectBad(c, "desks.researcherBond");
        c = _config();
        c.desks.refundWindow = 30 days + 1;
        _expectBad(c, "desks.refundWindow");
        c = _config();
        c.desks.computeTimeout = 1 hours - 1;
        _expectBad(c, "desks.computeTimeout");
        c.desks.computeTimeout = 30 days + 1;
        _expectBad(c, "desks.computeTimeout");
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
        c = _config();
        c.governance.delay = _plan().MAX_TIMELOCK_DELAY() + 1;
        _expectBad(c, "governance.delay");
        c.governance.delay = 0;
        _expectBad(c, "governance.delay");
    }

    function test_RevertWhen_TheCommitteeIsBad() external {
        Config memory c = _config();
        c.committee.seats = new StewardCommittee.Seat[](_plan().MAX_SEATS() + 1);
        _expectBad(c, "committee.seats");
        c = _config();
        c.committee.quorum = 1;
        _expectBad(c, "committee.quorum");
        c.committee.quorum = 4;
        _expectBad(c, "committee.quorum");
        c = _config();
        c.committee.workers = new StewardCommittee.Worker[](_plan().MAX_WORKERS() + 1);
        _expectBad(c, "committee.workers");
    }

    function test_RevertWhen_TheMoneyIsBad() external {
        Config memory c = _config();
        c.rewards.params.epochLength += 1;
        _expectBad(c, "rewards.params.epochLength");
        c = _config();
        c.rewards.contestVerifier = address(0);
        _expectBad(c, "rewards.contestVerifier");
        c = _config();
        c.split.buyback = 10_001;
        _expectBad(c, "split.buyback");
        c = _config();
        c.split.reserve = 8_001;
        _expectBad(c, "split");
    }

    function test_RevertWhen_TheGenesisIsBad() external {
        Config memory c = _config();
        c.allocation = new DataToken.Genesis[](1);
        _expectBad(c, "allocation.to");
        c.allocation = new DataToken.Genesis[](_plan().MAX_ALLOCATIONS() + 1);
        _expectBad(c, "allocation");
        c = _config();
        c.vesting = new Vesting.Schedule[](_plan().MAX_ALLOCATIONS() + 1);
        _expectBad(c, "vesting");
    }

    function test_RevertWhen_TheDatasetsAreBad() external {
        Config memory c = _config();
        c.datasets[0].id = 0;
        _expectBad(c, "datasets.id");
        c.datasets = new Offer[](_plan().MAX_DATASETS() + 1);
        _expectBad(c, "datasets");
    }

    function test_RevertWhen_ThereIsNoSuchStage() external {
        bytes memory config = abi.encode(_config());
        uint8 stages = factory.stages();
        FoundingPlan plan = _plan();
        Parts memory at = factory.partsOf(coopId);
        vm.expectRevert();
        plan.steps(stages, config, at, address(factory));
    }
}
