// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {Vm} from "forge-std/Vm.sol";
import {Roles} from "../../../src/access/Roles.sol";
import {AccessPlan} from "../../../src/factory/AccessPlan.sol";
import {Config} from "../../../src/factory/Config.sol";
import {CoopFactory} from "../../../src/factory/CoopFactory.sol";
import {FoundingCheck} from "../../../src/factory/FoundingCheck.sol";
import {FoundingPlan} from "../../../src/factory/FoundingPlan.sol";
import {PARTS, Part, Parts} from "../../../src/factory/Parts.sol";
import {CoopTimelock} from "../../../src/governance/CoopTimelock.sol";
import {StewardCommittee} from "../../../src/oracle/StewardCommittee.sol";
import {IContestVerifier} from "../../../src/settlement/IContestVerifier.sol";
import {DataToken} from "../../../src/tokens/DataToken.sol";
import {Vesting} from "../../../src/treasury/Vesting.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract CoopFactoryTest is CoopTest {
    /// @dev The gas of one transaction since EIP-7825 is 2^24; calldata and what a chain adds come on top of a stage.
    uint256 private constant STAGE_GAS = 12_000_000;

    bytes32 private constant OTHER_SALT = keccak256("another cooperative");

    bytes private config;

    function setUp() public override {
        super.setUp();
        config = abi.encode(_config());
    }

    function _begin() private returns (bytes32 id) {
        vm.prank(founder);
        return factory.found(OTHER_SALT, config);
    }

    // ------------------------------------------------------------------------------------------ constructor

    function test_RevertWhen_AnImplementationHasNoCode() external {
        Parts memory code = _implementations();
        code.treasury = stranger;
        FoundingPlan plan = new FoundingPlan(new AccessPlan(), new FoundingCheck());
        vm.expectRevert(abi.encodeWithSelector(CoopFactory.CoopFactory_NoImplementation.selector, Part.Treasury));
        new CoopFactory(code, plan);
    }

    function test_WhenAllImplementationsHaveCode() external {
        Parts memory code = _implementations();
        CoopFactory fresh = new CoopFactory(code, new FoundingPlan(new AccessPlan(), new FoundingCheck()));
        assertEq(fresh.implementationOf(Part.Authority), code.authority);
        assertEq(fresh.implementationOf(Part.ConsentRegistry), code.consentRegistry);
        assertEq(fresh.implementationOf(Part.Treasury), code.treasury);
        assertEq(fresh.implementationOf(Part.Nothing), address(0));
    }

    // ------------------------------------------------------------------------------------------------ found

    function test_RevertWhen_FoundedBefore() external {
        bytes32 id = _begin();
        vm.prank(founder);
        vm.expectRevert(abi.encodeWithSelector(CoopFactory.CoopFactory_AlreadyFounded.selector, id));
        factory.found(OTHER_SALT, config);
    }

    function test_WhenFounded() external {
        bytes32 id = factory.coopIdOf(founder, OTHER_SALT);
        assertEq(factory.stageOf(id), 0);
        vm.expectEmit(address(factory));
        emit CoopFactory.Founded(id, founder, OTHER_SALT, keccak256(config));
        vm.expectEmit(address(factory));
        emit CoopFactory.StageDone(id, 0);
        assertEq(_begin(), id);
        assertEq(factory.configHashOf(id), keccak256(config));
        assertEq(factory.stageOf(id), 1);
        assertGt(factory.addressOf(id, Part.Authority).code.length, 0);
        assertEq(factory.addressOf(id, Part.Treasury).code.length, 0);
    }

    function test_WhenAnotherCreatorTakesTheSameSalt() external {
        vm.prank(stranger);
        bytes32 id = factory.found(OTHER_SALT, config);
        assertNotEq(id, factory.coopIdOf(founder, OTHER_SALT));
        assertEq(factory.stageOf(factory.coopIdOf(founder, OTHER_SALT)), 0);
        _begin();
    }

    // ---------------------------------------------------------------------------------------------- advance

    function test_RevertWhen_NothingWasFounded() external {
        vm.expectRevert(abi.encodeWithSelector(CoopFactory.CoopFactory_NotFounded.selector, OTHER_SALT));
        factory.advance(OTHER_SALT, 0, config);
    }

    function testFuzz_RevertWhen_TheConfigIsAnotherOne(uint256 at, uint8 flip) external {
        bytes32 id = _begin();
        bytes memory other = config;
        at = bound(at, 0, other.length - 1);
        vm.assume(flip != 0);
        other[at] = bytes1(uint8(other[at]) ^ flip);
        vm.expectRevert(
            abi.encodeWithSelector(CoopFactory.CoopFactory_OtherConfig.selector, keccak256(other), keccak256(config))
        );
        factory.advance(id, 1, other);
    }

    function test_RevertWhen_StagesAreOutOfOrder() external {
        bytes32 id = _begin();
        uint8 stages = factory.stages();
        for (uint8 next = 1; next <= stages; ++next) {
            for (uint8 stage; stage <= stages; ++stage) {
                if (stage == next && next != stages) continue;
                bytes4 error_ = stage < next
                    ? CoopFactory.CoopFactory_StageDone.selector
                    : CoopFactory.CoopFactory_StageNotReached.selector;
                vm.expectRevert(abi.encodeWithSelector(error_, stage, next));
                factory.advance(id, stage, config);
            }
            if (next != stages) factory.advance(id, next, config);
        }
    }

    function test_RevertWhen_AStepFails() external {
        bytes32 id = _begin();
        uint8 settlement = uint8(FoundingPlan.Stage.Settlement);
        for (uint8 stage = 1; stage < settlement; ++stage) {
            factory.advance(id, stage, config);
        }
        // No config that was checked fails; a verifier that changed its mind does.
        vm.mockCallRevert(
            address(contestVerifier), abi.encodeWithSelector(IContestVerifier.checkParams.selector), "refused"
        );
        vm.expectRevert("refused");
        factory.advance(id, settlement, config);
        assertEq(factory.stageOf(id), settlement);
        vm.expectRevert(
            abi.encodeWithSelector(CoopFactory.CoopFactory_StageNotReached.selector, settlement + 1, settlement)
        );
        factory.advance(id, settlement + 1, config);
    }

    /// @dev Whoever began is gone after any stage; each later one is sent by somebody else.
    function test_WhenEachStageIsSentBySomebodyElse() external {
        bytes32 id = factory.coopIdOf(founder, OTHER_SALT);
        Parts memory foretold = factory.partsOf(id);
        uint256 gas = gasleft();
        _begin();
        assertLt(gas - gasleft(), STAGE_GAS);
        for (uint8 stage = 1; stage < factory.stages(); ++stage) {
            vm.roll(block.number + 100);
            vm.warp(block.timestamp + 1 days);
            if (stage + 1 == factory.stages()) {
                vm.expectEmit(address(factory));
                emit CoopFactory.StageDone(id, stage);
                vm.expectEmit(address(factory));
                emit CoopFactory.Completed(id, foretold);
            }
            vm.prank(address(uint160(0x1000 + stage)));
            gas = gasleft();
            factory.advance(id, stage, config);
            assertLt(gas - gasleft(), STAGE_GAS);
            assertEq(factory.stageOf(id), stage + 1);
        }
        for (uint8 i = 1; i <= uint8(type(Part).max); ++i) {
            assertGt(factory.addressOf(id, Part(i)).code.length, 0, "every part is there");
        }
    }

    function test_ThePartsAreInTheOrderOfTheirNames() external view {
        Parts memory at = factory.partsOf(coopId);
        assertEq(PARTS, uint256(type(Part).max));
        assertEq(abi.encode(at).length, 32 * PARTS);
        assertEq(at.authority, factory.addressOf(coopId, Part.Authority));
        assertEq(at.tokenTimelock, factory.addressOf(coopId, Part.TokenTimelock));
        assertEq(at.memberTimelock, factory.addressOf(coopId, Part.MemberTimelock));
        assertEq(at.tokenGovernor, factory.addressOf(coopId, Part.TokenGovernor));
        assertEq(at.memberGovernor, factory.addressOf(coopId, Part.MemberGovernor));
        assertEq(at.charterGate, factory.addressOf(coopId, Part.CharterGate));
        assertEq(at.pauseGuard, factory.addressOf(coopId, Part.PauseGuard));
        assertEq(at.membership, factory.addressOf(coopId, Part.Membership));
        assertEq(at.consentRegistry, factory.addressOf(coopId, Part.ConsentRegistry));
        assertEq(at.contributionRegistry, factory.addressOf(coopId, Part.ContributionRegistry));
        assertEq(at.stewardCommittee, factory.addressOf(coopId, Part.StewardCommittee));
        assertEq(at.settlementLedger, factory.addressOf(coopId, Part.SettlementLedger));
        assertEq(at.disputes, factory.addressOf(coopId, Part.Disputes));
        assertEq(at.dataToken, factory.addressOf(coopId, Part.DataToken));
        assertEq(at.govToken, factory.addressOf(coopId, Part.GovToken));
        assertEq(at.datasetCatalog, factory.addressOf(coopId, Part.DatasetCatalog));
        assertEq(at.license, factory.addressOf(coopId, Part.License));
        assertEq(at.market, factory.addressOf(coopId, Part.Market));
        assertEq(at.treasury, factory.addressOf(coopId, Part.Treasury));
        assertEq(at.ethicsRegistry, factory.addressOf(coopId, Part.EthicsRegistry));
        assertEq(at.auctionHouse, factory.addressOf(coopId, Part.AuctionHouse));
        assertEq(at.computeDesk, factory.addressOf(coopId, Part.ComputeDesk));
        assertEq(at.researcherBond, factory.addressOf(coopId, Part.ResearcherBond));
        assertEq(at.serviceDesk, factory.addressOf(coopId, Part.ServiceDesk));
        assertEq(at.operatorPay, factory.addressOf(coopId, Part.OperatorPay));
        assertEq(at.buyback, factory.addressOf(coopId, Part.Buyback));
        assertEq(at.vesting, factory.addressOf(coopId, Part.Vesting));
        assertEq(at.programs, factory.addressOf(coopId, Part.Programs));
    }

    // ---------------------------------------------------------------------------------- after the last stage

    /// @dev Every role ever granted, less those revoked.
    function test_FourRolesAreLeftEachWithOneHolderAndThreeSellers() external {
        vm.recordLogs();
        bytes32 id = _begin();
        for (uint8 stage = 1; stage < factory.stages(); ++stage) {
            factory.advance(id, stage, config);
        }
        Parts memory at = factory.partsOf(id);
        IAccessManager authority = IAccessManager(at.authority);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 grants;
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter != at.authority || logs[i].topics[0] != IAccessManager.RoleGranted.selector) continue;
            (uint64 role, address holder) =
                (uint64(uint256(logs[i].topics[1])), address(uint160(uint256(logs[i].topics[2]))));
            (bool has, uint32 delay) = authority.hasRole(role, holder);
            assertEq(has, holder != address(factory), "the factory alone gave its role up");
            assertEq(delay, 0);
            if (has && role != Roles.SELLER) assertEq(holder, _holderOf(role, at));
            ++grants;
        }
        assertEq(grants, 8, "ADMIN of the factory, four, and three sellers");
        address[3] memory sellers = [at.market, at.auctionHouse, at.computeDesk];
        for (uint256 i; i < 3; ++i) {
            (bool sells,) = authority.hasRole(Roles.SELLER, sellers[i]);
            assertTrue(sells);
        }
        for (uint64 role; role < 4; ++role) {
            (bool has,) = authority.hasRole(role, _holderOf(role, at));
            assertTrue(has);
            assertEq(authority.getRoleAdmin(role), Roles.CHARTER);
        }
    }

    function _holderOf(uint64 role, Parts memory at) private pure returns (address) {
        if (role == Roles.CHARTER) return at.charterGate;
        if (role == Roles.TOKEN_HOUSE) return at.tokenTimelock;
        if (role == Roles.MEMBER_HOUSE) return at.memberTimelock;
        assertEq(role, Roles.PAUSER);
        return at.pauseGuard;
    }

    function test_NobodyWhoFoundedHasARole() external view {
        address[4] memory founders = [founder, address(factory), address(this), address(factory.plan())];
        for (uint256 i; i < founders.length; ++i) {
            for (uint64 role; role <= Roles.SELLER; ++role) {
                (bool has,) = manager.hasRole(role, founders[i]);
                assertFalse(has);
            }
        }
    }

    function test_TheTimelocksAreTheirHouses() external view {
        CoopTimelock[2] memory locks = [tokenTimelock, memberTimelock];
        address[2] memory houses = [address(tokenGovernor), address(memberGovernor)];
        for (uint256 i; i < 2; ++i) {
            CoopTimelock lock = locks[i];
            assertEq(lock.getMinDelay(), TIMELOCK_DELAY);
            assertTrue(lock.hasRole(lock.PROPOSER_ROLE(), houses[i]));
            assertTrue(lock.hasRole(lock.CANCELLER_ROLE(), houses[i]));
            assertFalse(lock.hasRole(lock.PROPOSER_ROLE(), houses[1 - i]), "disjoint");
            assertTrue(lock.hasRole(lock.EXECUTOR_ROLE(), houses[i]), "its governor, for anyone");
            assertFalse(lock.hasRole(lock.EXECUTOR_ROLE(), address(0)), "and nobody past it");
            assertTrue(lock.hasRole(lock.DEFAULT_ADMIN_ROLE(), address(lock)));
            assertFalse(lock.hasRole(lock.DEFAULT_ADMIN_ROLE(), address(factory)));
            assertFalse(lock.hasRole(lock.DEFAULT_ADMIN_ROLE(), founder));
        }
    }

    /// @dev The factory mints to Vesting what the schedules pay out, and to others what the config allocates.
    function test_TheGenesisIsAllocatedAndScheduled() external {
        Config memory c = _config();
        c.allocation = new DataToken.Genesis[](1);
        c.allocation[0] = DataToken.Genesis(stranger, 7e18);
        c.vesting = new Vesting.Schedule[](2);
        c.vesting[0] = Vesting.Schedule(founder, 3e18, GENESIS, 0, 100 days, true);
        c.vesting[1] = Vesting.Schedule(gateway, 2e18, GENESIS, 0, 100 days, false);
        config = abi.encode(c);
        bytes32 id = _begin();
        for (uint8 stage = 1; stage < factory.stages(); ++stage) {
            factory.advance(id, stage, config);
        }
        Parts memory at = factory.partsOf(id);
        assertEq(DataToken(at.dataToken).balanceOf(at.vesting), 5e18);
        assertEq(DataToken(at.dataToken).balanceOf(stranger), 7e18);
        assertEq(DataToken(at.dataToken).totalSupply(), 12e18);
    }

    function test_TheConfigIsInForce() external view {
        assertEq(membership.registrar(), registrar);
        assertEq(contributions.cooldown(), COOLDOWN);
        assertEq(committee.quorum(), 2);
        assertEq(committee.seats().length, 3);
        assertEq(committee.gateway(), gateway);
        assertEq(committee.workerKey(worker), keccak256("worker sealing key"));
        (uint128 price, bool open,) = catalog.priceOf(DATASET);
        assertEq(price, PRICE);
        assertTrue(open);
        (uint16 buyback, uint16 operations, uint16 compliance, uint16 reserve) = treasury.split();
        assertEq(abi.encode(buyback, operations, compliance, reserve), abi.encode(0, 1_500, 500, 500));
        assertEq(ledger.genesis(), GENESIS);
        (bytes32 hash,,) = ledger.params();
        assertEq(hash, _paramsHash());
    }
}
