// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {CoopAuthority} from "../../src/access/CoopAuthority.sol";
import {ConsentRegistry} from "../../src/consent/ConsentRegistry.sol";
import {ContributionRegistry} from "../../src/contribution/ContributionRegistry.sol";
import {AccessPlan} from "../../src/factory/AccessPlan.sol";
import {ChainFacts, Committee, Config, Desks, Governance, Limits, Offer, People} from "../../src/factory/Config.sol";
import {CoopFactory} from "../../src/factory/CoopFactory.sol";
import {FoundingCheck} from "../../src/factory/FoundingCheck.sol";
import {FoundingPlan} from "../../src/factory/FoundingPlan.sol";
import {Parts} from "../../src/factory/Parts.sol";
import {CharterGate} from "../../src/governance/CharterGate.sol";
import {CoopGovernor} from "../../src/governance/CoopGovernor.sol";
import {CoopTimelock} from "../../src/governance/CoopTimelock.sol";
import {PauseGuard} from "../../src/governance/PauseGuard.sol";
import {AuctionHouse} from "../../src/market/AuctionHouse.sol";
import {ComputeDesk} from "../../src/market/ComputeDesk.sol";
import {DatasetCatalog} from "../../src/market/DatasetCatalog.sol";
import {EthicsRegistry} from "../../src/market/EthicsRegistry.sol";
import {License} from "../../src/market/License.sol";
import {Market} from "../../src/market/Market.sol";
import {ResearcherBond} from "../../src/market/ResearcherBond.sol";
import {ServiceDesk} from "../../src/market/ServiceDesk.sol";
import {Membership} from "../../src/membership/Membership.sol";
import {StewardCommittee} from "../../src/oracle/StewardCommittee.sol";
import {Disputes} from "../../src/settlement/Disputes.sol";
import {Programs} from "../../src/settlement/Programs.sol";
import {SettlementLedger} from "../../src/settlement/SettlementLedger.sol";
import {ContestVerifier} from "../../src/settlement/ContestVerifier.sol";
import {RewardFormula} from "../../src/settlement/RewardFormula.sol";
import {TestUSDC} from "../../src/testing/TestUSDC.sol";
import {DataToken} from "../../src/tokens/DataToken.sol";
import {GovToken} from "../../src/tokens/GovToken.sol";
import {Buyback} from "../../src/treasury/Buyback.sol";
import {OperatorPay} from "../../src/treasury/OperatorPay.sol";
import {Treasury} from "../../src/treasury/Treasury.sol";
import {Vesting} from "../../src/treasury/Vesting.sol";

/// @notice A whole cooperative, founded by the factory from one config: three stewards with a quorum of two, one worker,
/// one dataset on sale. The founder has no privilege; what a house or the charter decides is done by pranking its timelock.
abstract contract CoopFounding is Test {
    uint40 internal constant GENESIS = 1_800_000_000;
    uint32 internal constant EPOCH = 7 days;
    uint32 internal constant LAG = 1 hours;
    uint32 internal constant ATTEMPT = 6 hours;
    uint32 internal constant WINDOW = 24 hours;
    uint8 internal constant DEPTH = 20;
    uint32 internal constant COOLDOWN = 7 days;
    uint128 internal constant DATA_CAP = 1_000_000e18;
    uint128 internal constant GOV_CAP = 100_000e18;
    uint32 internal constant DATASET = 1;
    uint128 internal constant PRICE = 50e6;
    uint96 internal constant RESEARCHER_BOND = 500e6;
    uint32 internal constant REFUND_WINDOW = 3 days;
    uint32 internal constant JOB_TIMEOUT = 2 days;
    uint256 internal constant TIMELOCK_DELAY = 48 hours;
    uint64 internal constant LEAST_BOND = 1e6;
    uint256 internal constant TOKEN_FLOOR = 2e18;
    uint256 internal constant MEMBER_FLOOR = 3;
    uint32 internal constant MIN_MEMBERS = 3;
    uint32 internal constant MIN_AGE = 30 days;
    bytes32 internal constant COOP_SALT = keccak256("cooperative");

    CoopFactory internal factory;
    bytes32 internal coopId;

    CoopAuthority internal manager;
    TestUSDC internal usdc;
    Membership internal membership;
    ConsentRegistry internal consents;
    ContributionRegistry internal contributions;
    StewardCommittee internal committee;
    SettlementLedger internal ledger;
    Disputes internal disputes;
    Programs internal programs;
    ContestVerifier internal contestVerifier;
    DataToken internal dataToken;
    GovToken internal govToken;
    DatasetCatalog internal catalog;
    License internal license;
    Market internal market;
    Treasury internal treasury;
    EthicsRegistry internal ethics;
    ResearcherBond internal bonds;
    AuctionHouse internal auctions;
    ComputeDesk internal desk;
    ServiceDesk internal services;

    CoopTimelock internal tokenTimelock;
    CoopTimelock internal memberTimelock;
    CoopGovernor internal tokenGovernor;
    CoopGovernor internal memberGovernor;
    CharterGate internal gate;
    PauseGuard internal guard;

    /// @dev Who may do what a house decided: its timelock; what both decided: the gate; what the guardian did: the guard.
    address internal tokenHouse;
    address internal memberHouse;
    address internal charter;
    address internal pauser;

    address internal founder = makeAddr("founder");
    address internal gateway = makeAddr("gateway");
    address internal guardian = makeAddr("guardian");
    address internal registrar;
    uint256 internal registrarKey;
    address internal worker;
    uint256 internal workerKey;
    address internal board;
    uint256 internal boardKey;
    uint256[3] internal stewardKeys;

    /// @dev The next call is one that the token house decided.
    function _asTokenHouse() internal {
        vm.prank(tokenHouse);
    }

    /// @dev The next call is one that the member house decided.
    function _asMemberHouse() internal {
        vm.prank(memberHouse);
    }

    /// @dev The next call is one that both houses decided.
    function _asCharter() internal {
        vm.prank(charter);
    }

    /// @dev The next call is the guardian's, through PauseGuard.
    function _asPauser() internal {
        vm.prank(pauser);
    }

    function _found() internal {
        (registrar, registrarKey) = makeAddrAndKey("registrar");
        (worker, workerKey) = makeAddrAndKey("worker");
        (board, boardKey) = makeAddrAndKey("ethics board");
        usdc = new TestUSDC();
        contestVerifier = new ContestVerifier();
        factory = _factory();
        bytes memory config = abi.encode(_config());
        vm.prank(founder);
        coopId = factory.found(COOP_SALT, config);
        for (uint8 stage = 1; stage < factory.stages(); ++stage) {
            factory.advance(coopId, stage, config);
        }
        _name(factory.partsOf(coopId));
    }

    function _factory() internal returns (CoopFactory) {
        return new CoopFactory(_implementations(), new FoundingPlan(new AccessPlan(), new FoundingCheck()));
    }

    function _implementations() internal returns (Parts memory) {
        address timelock = address(new CoopTimelock());
        address governor = address(new CoopGovernor());
        return Parts({
            authority: address(new CoopAuthority()),
            tokenTimelock: timelock,
            memberTimelock: timelock,
            tokenGovernor: governor,
            memberGovernor: governor,
            charterGate: address(new CharterGate()),
            pauseGuard: address(new PauseGuard()),
            membership: address(new Membership()),
            consentRegistry: address(new ConsentRegistry()),
            contributionRegistry: address(new ContributionRegistry()),
            stewardCommittee: address(new StewardCommittee()),
            settlementLedger: address(new SettlementLedger()),
            dataToken: address(new DataToken()),
            govToken: address(new GovToken()),
            datasetCatalog: address(new DatasetCatalog()),
            license: address(new License()),
            market: address(new Market()),
            treasury: address(new Treasury()),
            ethicsRegistry: address(new EthicsRegistry()),
            auctionHouse: address(new AuctionHouse()),
            computeDesk: address(new ComputeDesk()),
            researcherBond: address(new ResearcherBond()),
            serviceDesk: address(new ServiceDesk()),
            operatorPay: address(new OperatorPay()),
            buyback: address(new Buyback()),
            vesting: address(new Vesting()),
            programs: address(new Programs()),
            disputes: address(new Disputes())
        });
    }

    function _name(Parts memory at) private {
        manager = CoopAuthority(at.authority);
        tokenTimelock = CoopTimelock(payable(at.tokenTimelock));
        memberTimelock = CoopTimelock(payable(at.memberTimelock));
        tokenGovernor = CoopGovernor(payable(at.tokenGovernor));
        memberGovernor = CoopGovernor(payable(at.memberGovernor));
        (gate, guard) = (CharterGate(at.charterGate), PauseGuard(at.pauseGuard));
        (tokenHouse, memberHouse) = (at.tokenTimelock, at.memberTimelock);
        (charter, pauser) = (at.charterGate, at.pauseGuard);
        (membership, consents) = (Membership(at.membership), ConsentRegistry(at.consentRegistry));
        contributions = ContributionRegistry(at.contributionRegistry);
        (committee, ledger) = (StewardCommittee(at.stewardCommittee), SettlementLedger(at.settlementLedger));
        (dataToken, govToken) = (DataToken(at.dataToken), GovToken(at.govToken));
        (catalog, license) = (DatasetCatalog(at.datasetCatalog), License(at.license));
        (programs, disputes) = (Programs(at.programs), Disputes(at.disputes));
        (market, treasury) = (Market(at.market), Treasury(at.treasury));
        (ethics, bonds) = (EthicsRegistry(at.ethicsRegistry), ResearcherBond(at.researcherBond));
        (auctions, desk) = (AuctionHouse(at.auctionHouse), ComputeDesk(at.computeDesk));
        services = ServiceDesk(at.serviceDesk);
    }

    // ------------------------------------------------------------------------------------------------ config

    function _config() internal virtual returns (Config memory c) {
        c.chain = ChainFacts({
            usdc: address(usdc),
            genesis: GENESIS,
            epochLength: EPOCH,
            lag: LAG,
            attemptLength: ATTEMPT,
            window: WINDOW,
            depth: DEPTH
        });
        c.people = People({registrar: registrar, gateway: gateway, ethicsBoard: board, guardian: guardian});
        c.committee = Committee({
            seats: _seats("steward"),
            quorum: 2,
            workers: new StewardCommittee.Worker[](1),
            minBond: LEAST_BOND,
            objectionBond: LEAST_BOND
        });
        c.committee.workers[0] = StewardCommittee.Worker(worker, keccak256("worker sealing key"));
        c.limits = Limits({admissionsPerEpoch: 1_000, cooldown: COOLDOWN});
        c.rewards.params = _rewardParams();
        c.rewards.contestVerifier = address(contestVerifier);
        c.rewards.maxProgramPoints = 1_000_000;
        c.split = Treasury.Split({buyback: 0, operations: 1_500, compliance: 500, reserve: 500});
        c.governance = Governance({
            delay: TIMELOCK_DELAY,
            tokenHouse: _tokenSettings(),
            memberHouse: _memberSettings(),
            tokenFloor: TOKEN_FLOOR,
            memberFloor: MEMBER_FLOOR,
            constitution: CharterGate.Terms({minMembers: MIN_MEMBERS, minAge: MIN_AGE})
        });
        c.desks = Desks({
            minContributorsBps: 5_000,
            computeTimeout: JOB_TIMEOUT,
            refundWindow: REFUND_WINDOW,
            researcherBond: RESEARCHER_BOND,
            pay: OperatorPay.Rates(50e6, 1e6),
            buyback: Buyback.Terms(0, 0, 0, 0)
        });
        c.datasets = new Offer[](1);
        c.datasets[0] = Offer(DATASET, _dataset());
    }

    function _tokenSettings() internal pure returns (CoopGovernor.Settings memory) {
        return CoopGovernor.Settings(1 days, 5 days, 1e18, 400, 2 days);
    }

    function _memberSettings() internal pure returns (CoopGovernor.Settings memory) {
        return CoopGovernor.Settings(1 days, 5 days, 1, 1_000, 2 days);
    }

    function _seats(string memory name) internal returns (StewardCommittee.Seat[] memory seats) {
        seats = new StewardCommittee.Seat[](3);
        for (uint256 i; i < 3; ++i) {
            (address signer, uint256 key) = makeAddrAndKey(string.concat(name, vm.toString(i + 1)));
            stewardKeys[i] = key;
            seats[i] = StewardCommittee.Seat(signer, keccak256(abi.encode(name, i)));
        }
    }

    /// @dev The defaults of the ledger's page.
    function _rewardParams() internal pure returns (RewardFormula.Params memory p) {
        (p.epochLength, p.qMin, p.bonusPerStep, p.maxStreak, p.streakWindow) = (EPOCH, 2_000, 500, 12, 4);
        (p.dataPerPoint, p.govPerPoint, p.dataCap, p.govCap) = (10e18, 1e18, DATA_CAP, GOV_CAP);
        (p.immediateBps, p.vestingEpochs, p.dustData, p.dustGov) = (4_000, 26, 1e15, 1e15);
        (p.smoothing, p.floorBps, p.mixUsage, p.mixData, p.mixEarly) = (13, 2_000, 8_000, 1_000, 1_000);
        (p.earlyCutoff, p.minLicenses, p.minDatasets) = (104, 5, 3);
        (p.cashUnit, p.dataUnit, p.govUnit) = (1e6, 1e18, 1e18);
    }

    function _paramsHash() internal pure returns (bytes32) {
        return keccak256(abi.encode(_rewardParams()));
    }

    function _dataset() internal pure returns (DatasetCatalog.Dataset memory) {
        return DatasetCatalog.Dataset({
            dataType: 1, source: 1, pricePerThousand: PRICE, termsHash: keccak256("terms"), open: true, auctioned: false
        });
    }
}
