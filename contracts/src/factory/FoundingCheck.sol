// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Bounds} from "../access/Bounds.sol";
import {CharterGate} from "../governance/CharterGate.sol";
import {CoopGovernor} from "../governance/CoopGovernor.sol";
import {DatasetCatalog} from "../market/DatasetCatalog.sol";
import {StewardCommittee} from "../oracle/StewardCommittee.sol";
import {IContestVerifier} from "../settlement/IContestVerifier.sol";
import {Buyback} from "../treasury/Buyback.sol";
import {Treasury} from "../treasury/Treasury.sol";
import {Vesting} from "../treasury/Vesting.sol";
import {ChainFacts, Config, Desks, Governance, Offer} from "./Config.sol";

/// @title FoundingCheck
/// @notice Which configs a cooperative can be founded with: those that every stage accepts, and whose parameters leave each
/// other room to work. `rochdale_chain::deploy::CoopConfig::check` asks the same, by the names of a file, before anything
/// is sent; `vectors/founding.json` holds the two to each other.
///
/// Roles: none; it holds nothing and changes nothing.
/// Assumptions: it sees one config. What a vote sets later is bounded where it is set.
/// Liveness: a config that is refused here costs its founder one transaction.
/// Who can hurt whom: whoever deploys another check for a plan. It is fixed there.
contract FoundingCheck {
    /// @notice Bounds of one stage's gas.
    uint256 public constant MAX_SEATS = Bounds.MAX_SEATS;
    uint256 public constant MAX_WORKERS = 32;
    uint256 public constant MAX_DATASETS = 64;
    uint256 public constant MAX_ALLOCATIONS = 32;

    /// @notice Bounds of the settlement's times, seconds. An epoch numbers its attempts by 16 bits, so that attempts of ten
    /// minutes last for a year of silence; an objection reaches the chain within a day, even past a sequencer.
    uint32 public constant MIN_EPOCH = 1 days;
    uint32 public constant MAX_EPOCH = 90 days;
    uint32 public constant MIN_ATTEMPT = 10 minutes;
    uint32 public constant MIN_WINDOW = 1 days;

    /// @notice The longest window, seconds. Whoever signs a root cannot have its bond back before the root is final: a window, the
    /// longest decision on an objection and a day to contest what a demand published fit into StewardBonds' UNBONDING.
    uint32 public constant MAX_WINDOW = 12 days;

    /// @notice How far ahead the first epoch may begin, seconds. It may have begun, but not ended: the attempts at a root are
    /// counted from an epoch's end, by 16 bits.
    uint256 public constant MAX_AHEAD = 365 days;

    /// @notice How long the member house may take for a decision, seconds: an objection lapses after as long.
    uint256 public constant MAX_DECISION = Bounds.DECISION_TIME;

    /// @notice The most that anything here costs or pays, micro-USDC: a million dollars.
    uint256 public constant MAX_AMOUNT = Bounds.MAX_AMOUNT;

    /// @notice The least bond, micro-USDC.
    uint256 public constant MIN_BOND = Bounds.MIN_BOND;

    /// @notice The most points that all programs may award in an epoch: far from where the formula overflows.
    uint256 public constant MAX_PROGRAM_POINTS = 1e12;

    uint256 private constant ONE = 10_000;
    uint256 private constant ONE_TOKEN = 1e18;
    uint256 private constant MAX_WAIT = 365 days;
    uint8 private constant USDC_DECIMALS = 6;

    /// @notice The field that is out of its bounds, or that leaves another no room.
    error FoundingCheck_BadConfig(string field);

    /// @notice Reverts unless `config` can be founded.
    /// @param config `abi.encode(Config)`
    function check(bytes calldata config) external view {
        Config memory c = abi.decode(config, (Config));
        _checkChain(c.chain);
        _checkPeople(c);
        _checkCommittee(c);
        _checkConstitution(c.governance.constitution, c.chain.depth);
        _checkTokenFloor(c);
        _checkGovernance(c.governance);
        _checkLimits(c);
        _checkGenesis(c);
        _checkDesks(c.desks);
        _checkRewards(c);
        _checkSplit(c.split, c.desks.minContributorsBps);
        _checkDatasets(c.datasets);
    }

    /// @dev A root that nobody disputes is final before the next epoch ends, or settlement falls behind for good.
    function _checkChain(ChainFacts memory f) private view {
        _need(f.usdc.code.length != 0 && IERC20Metadata(f.usdc).decimals() == USDC_DECIMALS, "chain.usdc");
        _need(f.epochLength >= MIN_EPOCH && f.epochLength <= MAX_EPOCH, "chain.epochLength");
        bool running = uint256(f.genesis) + f.epochLength > block.timestamp;
        _need(running && f.genesis <= block.timestamp + MAX_AHEAD, "chain.genesis");
        _need(f.lag <= f.epochLength, "chain.lag");
        _need(f.attemptLength >= MIN_ATTEMPT && f.attemptLength <= f.epochLength, "chain.attemptLength");
        uint256 settling = uint256(f.lag) + f.attemptLength + f.window;
        bool inTime = f.window <= MAX_WINDOW && settling <= f.epochLength;
        _need(f.window >= MIN_WINDOW && inTime, "chain.window");
        _need(f.depth != 0 && f.depth <= Bounds.MAX_DEPTH, "chain.depth");
    }

    function _checkPeople(Config memory c) private pure {
        _need(c.people.registrar != address(0), "people.registrar");
        _need(c.people.gateway != address(0), "people.gateway");
        _need(c.people.ethicsBoard != address(0), "people.ethicsBoard");
        _need(c.people.guardian != address(0), "people.guardian");
    }

    /// @dev Who may object has at least what it locks; nobody is asked for more than anybody has.
    function _checkCommittee(Config memory c) private pure {
        uint256 n = c.committee.seats.length;
        _need(n >= Bounds.MIN_SEATS && n <= MAX_SEATS, "committee.seats");
        _need(c.committee.quorum <= n && uint256(c.committee.quorum) * 2 > n, "committee.quorum");
        _need(c.committee.workers.length <= MAX_WORKERS, "committee.workers");
        for (uint256 i; i < n; ++i) {
            StewardCommittee.Seat memory s = c.committee.seats[i];
            _need(s.sealingKey != 0 && _isNew(c.committee.seats, i, s.signer), "committee.seats");
        }
        for (uint256 i; i < c.committee.workers.length; ++i) {
            StewardCommittee.Worker memory w = c.committee.workers[i];
            _need(w.sealingKey != 0 && _isNew(c.committee.seats, n, w.signer), "committee.workers");
        }
        (uint256 bond, uint256 objection) = (c.committee.minBond, c.committee.objectionBond);
        _need(bond >= MIN_BOND && bond <= MAX_AMOUNT, "committee.minBond");
        _need(objection >= MIN_BOND && objection <= bond, "committee.objectionBond");
    }

    /// @dev Whether somebody is there and has none of the first `n` seats.
    function _isNew(StewardCommittee.Seat[] memory seats, uint256 n, address signer) private pure returns (bool) {
        for (uint256 i; i < n; ++i) {
            if (seats[i].signer == signer) return false;
        }
        return signer != address(0);
    }

    /// @dev A member has one vote, so a threshold above one lets nobody propose. The floor of the member house asks of a
    /// cooperative that is not constituted yet what its part will ask when it is, and no more than there are then.
    function _checkGovernance(Governance memory g) private pure {
        _need(g.delay >= Bounds.MIN_DELAY && g.delay <= MAX_DECISION, "governance.delay");
        _checkHouse(g.tokenHouse, g.delay, "governance.tokenHouse");
        _checkHouse(g.memberHouse, g.delay, "governance.memberHouse");
        uint256 members = g.constitution.minMembers;
        uint256 part = Math.mulDiv(members, g.memberHouse.quorumBps, ONE, Math.Rounding.Ceil);
        _need(g.memberFloor >= part && g.memberFloor <= members, "governance.memberFloor");
        _need(g.memberHouse.proposalThreshold == 1, "governance.memberHouse.proposalThreshold");
        uint256 threshold = g.tokenHouse.proposalThreshold;
        _need(threshold != 0 && threshold <= g.tokenFloor, "governance.tokenHouse.proposalThreshold");
    }

    function _checkConstitution(CharterGate.Terms memory c, uint8 depth) private pure {
        _need(c.minMembers != 0 && c.minMembers < 1 << depth, "governance.constitution.minMembers");
        _need(c.minAge <= MAX_WAIT, "governance.constitution.minAge");
    }

    /// @dev The floor is one that a cooperative reaches: the units of its least members, where they share alike what a year
    /// awards in GOV at the most. Units are roots of what each earned (GovToken).
    function _checkTokenFloor(Config memory c) private pure {
        uint256 year = uint256(c.rewards.params.govCap) * (MAX_WAIT / c.chain.epochLength);
        uint256 units = Math.sqrt(c.governance.constitution.minMembers * year * ONE_TOKEN);
        uint256 floor = c.governance.tokenFloor;
        _need(floor != 0 && floor <= units, "governance.tokenFloor");
    }

    /// @dev From a proposal to its execution, with a late quorum, there is time to decide an objection.
    function _checkHouse(CoopGovernor.Settings memory s, uint256 delay, string memory house) private pure {
        _need(s.votingDelay >= Bounds.MIN_DELAY && s.votingDelay <= MAX_DECISION, string.concat(house, ".votingDelay"));
        _need(
            s.votingPeriod >= Bounds.MIN_PERIOD && s.votingPeriod <= MAX_DECISION, string.concat(house, ".votingPeriod")
        );
        _need(s.lateQuorumExtension <= s.votingPeriod, string.concat(house, ".lateQuorumExtension"));
        uint256 decision = delay + s.votingDelay + s.votingPeriod + s.lateQuorumExtension;
        _need(decision <= MAX_DECISION, string.concat(house, ".votingPeriod"));
        _need(
            s.quorumBps >= Bounds.MIN_QUORUM_BPS && s.quorumBps <= Bounds.MAX_QUORUM_BPS,
            string.concat(house, ".quorumBps")
        );
    }

    function _checkLimits(Config memory c) private pure {
        _need(c.limits.admissionsPerEpoch != 0, "limits.admissionsPerEpoch");
        _need(c.limits.cooldown >= Bounds.MIN_COOLDOWN && c.limits.cooldown <= MAX_WAIT, "limits.cooldown");
    }

    function _checkGenesis(Config memory c) private pure {
        _need(c.allocation.length <= MAX_ALLOCATIONS, "allocation");
        for (uint256 i; i < c.allocation.length; ++i) {
            _need(c.allocation[i].to != address(0), "allocation.to");
        }
        _need(c.vesting.length <= MAX_ALLOCATIONS, "vesting");
        uint256 scheduled;
        for (uint256 i; i < c.vesting.length; ++i) {
            Vesting.Schedule memory s = c.vesting[i];
            _need(s.beneficiary != address(0) && s.amount != 0, "vesting");
            _need(s.duration != 0 && s.cliff <= s.duration, "vesting.duration");
            scheduled += s.amount;
        }
        _need(scheduled <= type(uint96).max, "vesting.amount");
    }

    function _checkDesks(Desks memory d) private pure {
        _need(d.researcherBond != 0 && d.researcherBond <= MAX_AMOUNT, "desks.researcherBond");
        _need(d.refundWindow <= Bounds.MAX_DESK_TIME, "desks.refundWindow");
        _need(
            d.computeTimeout >= Bounds.MIN_TIMEOUT && d.computeTimeout <= Bounds.MAX_DESK_TIME, "desks.computeTimeout"
        );
        _need(d.pay.stewardPerEpoch <= MAX_AMOUNT, "desks.pay.stewardPerEpoch");
        _need(d.pay.workerPerReceipt <= MAX_AMOUNT, "desks.pay.workerPerReceipt");
        Buyback.Terms memory t = d.buyback;
        bool descends = t.floorData != 0 && t.floorData <= t.startData && t.duration != 0 && t.duration <= MAX_WAIT;
        _need(t.lot == 0 || (descends && t.lot <= MAX_AMOUNT), "desks.buyback");
    }

    /// @dev What the ledger asks of its parameters, it asks the verifier.
    function _checkRewards(Config memory c) private view {
        address verifier = c.rewards.contestVerifier;
        _need(c.rewards.params.epochLength == c.chain.epochLength, "rewards.params.epochLength");
        _need(c.rewards.maxProgramPoints <= MAX_PROGRAM_POINTS, "rewards.maxProgramPoints");
        _need(verifier.code.length != 0, "rewards.contestVerifier");
        // Without GOV there is never a token house, nor what takes both houses.
        _need(c.rewards.params.govPerPoint != 0, "rewards.params.govPerPoint");
        IContestVerifier(verifier).checkParams(c.rewards.params, c.rewards.emission, 0, 0);
    }

    function _checkSplit(Treasury.Split memory s, uint256 floor) private pure {
        _need(s.buyback <= ONE, "split.buyback");
        uint256 others = uint256(s.operations) + s.compliance + s.reserve;
        _need(others <= ONE, "split");
        _need((ONE - others) * (ONE - s.buyback) / ONE >= floor, "desks.minContributorsBps");
    }

    function _checkDatasets(Offer[] memory offers) private pure {
        _need(offers.length <= MAX_DATASETS, "datasets");
        for (uint256 i; i < offers.length; ++i) {
            DatasetCatalog.Dataset memory d = offers[i].dataset;
            _need(offers[i].id != 0, "datasets.id");
            _need(d.dataType != 0 && d.dataType <= Bounds.LAST_DATA_TYPE, "datasets.dataType");
            _need(d.pricePerThousand != 0 && d.pricePerThousand <= MAX_AMOUNT, "datasets.price");
            _need(d.termsHash != 0, "datasets.terms");
            for (uint256 k; k < i; ++k) {
                _need(offers[k].id != offers[i].id, "datasets.id");
            }
        }
    }

    function _need(bool ok, string memory field) private pure {
        if (!ok) revert FoundingCheck_BadConfig(field);
    }
}
