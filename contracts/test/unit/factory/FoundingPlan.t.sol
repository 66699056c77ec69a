// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Config, Offer} from "../../../src/factory/Config.sol";
import {FoundingPlan} from "../../../src/factory/FoundingPlan.sol";
import {Parts} from "../../../src/factory/Parts.sol";
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
        c = _config();
        c.chain.lag = 1 << 24;
        _expectBad(c, "chain");
    }

    function test_RevertWhen_ADeskCouldNotBeFounded() external {
        Config memory c = _config();
        c.desks.researcherBond = 0;
        _expectBad(c, "desks.researcherBond");
        c = _config();
        c.desks.refundWindow = 30 days + 1;
        _expectBad(c, "desks.refundWindow");
        c = _config();
        c.desks.computeTimeout = 2 days - 1;
        _expectBad(c, "desks.computeTimeout");
        c.desks.computeTimeout = 30 days + 1;
        _expectBad(c, "desks.computeTimeout");
        c = _config();
        c.desks.buyback = Buyback.Terms(1, 2, 3, 1);
        _expectBad(c, "desks.buyback");
        c.desks.buyback = Buyback.Terms(1, 2, 0, 1);
        _expectBad(c, "desks.buyback");
        c.desks.buyback = Buyback.Terms(1, 2, 1, 0);
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
        c.allocation = new DataToken.Genesis[](_plan().MAX_ALLOCATIONS() + 1);
        _expectBad(c, "allocation");
        c = _config();
        c.vesting = new Vesting.Schedule[](_plan().MAX_ALLOCATIONS() + 1);
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
        _expectBad(c, "datasets.price, datasets.terms");
        c = _config();
        c.datasets[0].dataset.termsHash = 0;
        _expectBad(c, "datasets.price, datasets.terms");
        c = _config();
        c.datasets = new Offer[](2);
        (c.datasets[0], c.datasets[1]) = (Offer(DATASET, _dataset()), Offer(DATASET, _dataset()));
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
