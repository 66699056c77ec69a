// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    AccessManagerUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagerUpgradeable.sol";
import {
    TimelockControllerUpgradeable
} from "@openzeppelin/contracts-upgradeable/governance/TimelockControllerUpgradeable.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {Roles} from "../access/Roles.sol";
import {ConsentRegistry} from "../consent/ConsentRegistry.sol";
import {ContributionRegistry} from "../contribution/ContributionRegistry.sol";
import {CharterGate} from "../governance/CharterGate.sol";
import {CoopGovernor} from "../governance/CoopGovernor.sol";
import {IConstitution} from "../governance/IConstitution.sol";
import {PauseGuard} from "../governance/PauseGuard.sol";
import {DatasetCatalog} from "../market/DatasetCatalog.sol";
import {AuctionHouse} from "../market/AuctionHouse.sol";
import {ComputeDesk} from "../market/ComputeDesk.sol";
import {EthicsRegistry} from "../market/EthicsRegistry.sol";
import {LicenseSale} from "../market/LicenseSale.sol";
import {ResearcherBond} from "../market/ResearcherBond.sol";
import {ServiceDesk} from "../market/ServiceDesk.sol";
import {License} from "../market/License.sol";
import {Market} from "../market/Market.sol";
import {Membership} from "../membership/Membership.sol";
import {StewardCommittee} from "../oracle/StewardCommittee.sol";
import {Disputes} from "../settlement/Disputes.sol";
import {Programs} from "../settlement/Programs.sol";
import {SettlementLedger} from "../settlement/SettlementLedger.sol";
import {DataToken} from "../tokens/DataToken.sol";
import {GovToken} from "../tokens/GovToken.sol";
import {Buyback} from "../treasury/Buyback.sol";
import {OperatorPay} from "../treasury/OperatorPay.sol";
import {Vesting} from "../treasury/Vesting.sol";
import {Treasury} from "../treasury/Treasury.sol";
import {AccessPlan} from "./AccessPlan.sol";
import {Config, Governance} from "./Config.sol";
import {FoundingCheck} from "./FoundingCheck.sol";
import {IFoundingPlan, Step} from "./IFoundingPlan.sol";
import {Part, Parts} from "./Parts.sol";

/// @title FoundingPlan
/// @notice What CoopFactory does in each stage, as data that anybody can read before it is done.
///
/// Roles: none; it holds nothing and changes nothing.
/// Assumptions: AccessPlan names every restricted function that is not the charter's.
/// Liveness: `check` asks FoundingCheck, which refuses in the first stage what a later one would refuse for good.
/// Who can hurt whom: whoever deploys another plan for a factory. It is fixed there.
contract FoundingPlan is IFoundingPlan {
    enum Stage {
        Authority,
        Members,
        Settlement,
        Market,
        Desks,
        Treasury,
        SettleIn,
        HandOver
    }

    AccessPlan public immutable accessPlan;
    FoundingCheck public immutable founding;

    constructor(AccessPlan accessPlan_, FoundingCheck founding_) {
        (accessPlan, founding) = (accessPlan_, founding_);
    }

    /// @inheritdoc IFoundingPlan
    function stages() external pure returns (uint8) {
        return uint8(type(Stage).max) + 1;
    }

    /// @notice The config in its bytes.
    /// @param config `abi.encode(Config)`
    /// @return the same, decoded
    function configOf(bytes calldata config) external pure returns (Config memory) {
        return abi.decode(config, (Config));
    }

    /// @inheritdoc IFoundingPlan
    function check(bytes calldata config) external view {
        founding.check(config);
    }

    /// @inheritdoc IFoundingPlan
    function steps(uint8 stage, bytes calldata config, Parts calldata at, address factory)
        external
        view
        returns (Step[] memory)
    {
        Config memory c = abi.decode(config, (Config));
        Stage s = Stage(stage);
        if (s == Stage.Authority) return _authority(c, at, factory);
        if (s == Stage.Members) return _members(c, at);
        if (s == Stage.Settlement) return _settlement(c, at);
        if (s == Stage.Market) return _market(c, at);
        if (s == Stage.Desks) return _desks(c, at);
        if (s == Stage.Treasury) return _treasury(c, at);
        if (s == Stage.SettleIn) return _settleIn(c, at);
        return _handOver(at, factory);
    }

    // ---------------------------------------------------------------------------------------------- creating

    function _authority(Config memory c, Parts calldata at, address factory) private view returns (Step[] memory list) {
        Governance memory g = c.governance;
        list = new Step[](7);
        list[0] = Step(Part.Authority, at.authority, abi.encodeCall(AccessManagerUpgradeable.initialize, (factory)));
        list[1] = Step(Part.TokenTimelock, at.tokenTimelock, _timelock(g.delay, at.tokenGovernor));
        list[2] = Step(Part.MemberTimelock, at.memberTimelock, _timelock(g.delay, at.memberGovernor));
        list[3] = Step(
            Part.TokenGovernor,
            at.tokenGovernor,
            _governor("Token house", at.govToken, at.tokenTimelock, at.charterGate, g.tokenHouse, g.tokenFloor)
        );
        list[4] = Step(
            Part.MemberGovernor,
            at.memberGovernor,
            _governor("Member house", at.membership, at.memberTimelock, at.charterGate, g.memberHouse, g.memberFloor)
        );
        list[5] = Step(
            Part.CharterGate,
            at.charterGate,
            abi.encodeCall(
                CharterGate.initialize,
                (at.tokenTimelock, at.memberTimelock, at.authority, at.membership, g.constitution)
            )
        );
        list[6] = Step(
            Part.PauseGuard,
            at.pauseGuard,
            abi.encodeCall(PauseGuard.initialize, (at.authority, c.people.guardian, accessPlan.pausable(at)))
        );
    }

    /// @dev Its house's governor proposes, cancels and executes, for anyone who asks it to; nobody administrates but itself.
    function _timelock(uint256 delay, address governor) private pure returns (bytes memory) {
        address[] memory governors = new address[](1);
        governors[0] = governor;
        return abi.encodeCall(TimelockControllerUpgradeable.initialize, (delay, governors, governors, address(0)));
    }

    function _governor(
        string memory name,
        address votes,
        address timelock,
        address gate,
        CoopGovernor.Settings memory settings,
        uint256 floor
    ) private pure returns (bytes memory) {
        return abi.encodeCall(
            CoopGovernor.initialize,
            (
                name,
                IVotes(votes),
                TimelockControllerUpgradeable(payable(timelock)),
                IConstitution(gate),
                settings,
                floor
            )
        );
    }

    function _members(Config memory c, Parts calldata at) private pure returns (Step[] memory list) {
        list = new Step[](3);
        list[0] = Step(
            Part.Membership,
            at.membership,
            abi.encodeCall(
                Membership.initialize,
                (
                    at.authority,
                    at.consentRegistry,
                    at.govToken,
                    c.people.registrar,
                    c.chain.genesis,
                    c.chain.epochLength,
                    c.limits.admissionsPerEpoch
                )
            )
        );
        list[1] = Step(
            Part.ConsentRegistry,
            at.consentRegistry,
            abi.encodeCall(ConsentRegistry.initialize, (at.authority, at.membership))
        );
        list[2] = Step(
            Part.ContributionRegistry,
            at.contributionRegistry,
            abi.encodeCall(ContributionRegistry.initialize, (at.authority, at.consentRegistry, c.limits.cooldown))
        );
    }

    function _settlement(Config memory c, Parts calldata at) private pure returns (Step[] memory list) {
        list = new Step[](6);
        list[0] = Step(Part.StewardCommittee, at.stewardCommittee, _stewards(c, at));
        list[1] = Step(Part.SettlementLedger, at.settlementLedger, _ledger(c, at));
        list[2] = Step(
            Part.DataToken,
            at.dataToken,
            abi.encodeCall(DataToken.initialize, (at.authority, at.settlementLedger, _genesis(c, at.vesting)))
        );
        list[3] = Step(
            Part.GovToken,
            at.govToken,
            abi.encodeCall(GovToken.initialize, (at.authority, at.settlementLedger, at.membership))
        );
        list[4] = Step(
            Part.Programs, at.programs, abi.encodeCall(Programs.initialize, (at.authority, c.rewards.maxProgramPoints))
        );
        list[5] = Step(Part.Disputes, at.disputes, _disputes(c, at));
    }

    function _stewards(Config memory c, Parts calldata at) private pure returns (bytes memory) {
        StewardCommittee.Deployment memory i = StewardCommittee.Deployment({
            authority: at.authority,
            usdc: c.chain.usdc,
            treasury: at.treasury,
            ledger: at.settlementLedger,
            disputes: at.disputes,
            license: at.license,
            minBond: c.committee.minBond,
            objectionBond: c.committee.objectionBond,
            seats: c.committee.seats,
            quorum: c.committee.quorum,
            workers: c.committee.workers,
            gateway: c.people.gateway
        });
        return abi.encodeCall(StewardCommittee.initialize, (i));
    }

    function _ledger(Config memory c, Parts calldata at) private pure returns (bytes memory) {
        SettlementLedger.Deployment memory d = SettlementLedger.Deployment({
            authority: at.authority,
            membership: at.membership,
            committee: at.stewardCommittee,
            treasury: at.treasury,
            dataToken: at.dataToken,
            govToken: at.govToken,
            contestVerifier: c.rewards.contestVerifier,
            disputes: at.disputes,
            genesis: c.chain.genesis,
            lag: c.chain.lag,
            attemptLength: c.chain.attemptLength,
            window: c.chain.window,
            depth: c.chain.depth,
            params: c.rewards.params,
            emission: c.rewards.emission
        });
        return abi.encodeCall(SettlementLedger.initialize, (d));
    }

    function _disputes(Config memory c, Parts calldata at) private pure returns (bytes memory) {
        Disputes.Deployment memory d = Disputes.Deployment({
            authority: at.authority,
            ledger: at.settlementLedger,
            membership: at.membership,
            committee: at.stewardCommittee,
            contestVerifier: c.rewards.contestVerifier
        });
        return abi.encodeCall(Disputes.initialize, (d));
    }

    function _market(Config memory c, Parts calldata at) private pure returns (Step[] memory list) {
        list = new Step[](4);
        list[0] = Step(
            Part.DatasetCatalog,
            at.datasetCatalog,
            abi.encodeCall(DatasetCatalog.initialize, (at.authority, at.auctionHouse))
        );
        list[1] = Step(Part.License, at.license, abi.encodeCall(License.initialize, (at.authority)));
        list[2] = Step(
            Part.Market,
            at.market,
            abi.encodeCall(Market.initialize, (_sale(c, at), at.dataToken, c.desks.refundWindow))
        );
        list[3] = Step(
            Part.EthicsRegistry,
            at.ethicsRegistry,
            abi.encodeCall(EthicsRegistry.initialize, (at.authority, c.people.ethicsBoard))
        );
    }

    /// @dev What every way to a license works with.
    function _sale(Config memory c, Parts calldata at) private pure returns (LicenseSale.Deployment memory) {
        return LicenseSale.Deployment({
            authority: at.authority,
            usdc: c.chain.usdc,
            treasury: at.treasury,
            catalog: at.datasetCatalog,
            license: at.license,
            ethics: at.ethicsRegistry,
            researcherBond: at.researcherBond
        });
    }

    function _desks(Config memory c, Parts calldata at) private pure returns (Step[] memory list) {
        LicenseSale.Deployment memory sale = _sale(c, at);
        list = new Step[](4);
        list[0] = Step(Part.AuctionHouse, at.auctionHouse, abi.encodeCall(AuctionHouse.initialize, (sale)));
        list[1] = Step(
            Part.ComputeDesk,
            at.computeDesk,
            abi.encodeCall(ComputeDesk.initialize, (sale, at.stewardCommittee, c.desks.computeTimeout))
        );
        list[2] = Step(
            Part.ResearcherBond,
            at.researcherBond,
            abi.encodeCall(
                ResearcherBond.initialize,
                (at.authority, c.chain.usdc, at.dataToken, at.govToken, at.treasury, c.desks.researcherBond)
            )
        );
        list[3] = Step(
            Part.ServiceDesk,
            at.serviceDesk,
            abi.encodeCall(ServiceDesk.initialize, (at.authority, at.membership, at.dataToken))
        );
    }

    function _treasury(Config memory c, Parts calldata at) private pure returns (Step[] memory list) {
        list = new Step[](4);
        list[0] = Step(Part.Treasury, at.treasury, _books(c, at));
        list[1] = Step(
            Part.OperatorPay,
            at.operatorPay,
            abi.encodeCall(
                OperatorPay.initialize,
                (at.authority, at.treasury, at.settlementLedger, at.stewardCommittee, c.desks.pay)
            )
        );
        list[2] = Step(
            Part.Buyback,
            at.buyback,
            abi.encodeCall(Buyback.initialize, (at.authority, at.treasury, at.dataToken, c.desks.buyback))
        );
        list[3] = Step(
            Part.Vesting,
            at.vesting,
            abi.encodeCall(Vesting.initialize, (at.authority, at.dataToken, at.treasury, c.vesting))
        );
    }

    function _books(Config memory c, Parts calldata at) private pure returns (bytes memory) {
        Treasury.Deployment memory d = Treasury.Deployment({
            authority: at.authority,
            usdc: c.chain.usdc,
            ledger: at.settlementLedger,
            operatorPay: at.operatorPay,
            buyback: at.buyback,
            split: c.split,
            minContributorsBps: c.desks.minContributorsBps
        });
        return abi.encodeCall(Treasury.initialize, (d));
    }

    /// @dev What the config allocates, and to Vesting what its schedules will pay out.
    function _genesis(Config memory c, address vesting) private pure returns (DataToken.Genesis[] memory list) {
        uint256 n = c.allocation.length;
        list = new DataToken.Genesis[](n + 1);
        for (uint256 i; i < n; ++i) {
            list[i] = c.allocation[i];
        }
        uint128 scheduled;
        for (uint256 i; i < c.vesting.length; ++i) {
            scheduled += c.vesting[i].amount;
        }
        list[n] = DataToken.Genesis(vesting, scheduled);
    }

    // ----------------------------------------------------------------------------------------- settling in

    function _settleIn(Config memory c, Parts calldata at) private pure returns (Step[] memory list) {
        list = new Step[](c.datasets.length);
        for (uint256 i; i < c.datasets.length; ++i) {
            list[i] = _call(
                at.datasetCatalog, abi.encodeCall(DatasetCatalog.publish, (c.datasets[i].id, c.datasets[i].dataset))
            );
        }
    }

    // ---------------------------------------------------------------------------------------- handing over

    function _handOver(Parts calldata at, address factory) private view returns (Step[] memory list) {
        AccessPlan.Rule[] memory rules = accessPlan.rules(at);
        address[] memory sellers = accessPlan.sellers(at);
        list = new Step[](rules.length + sellers.length + 5);
        for (uint256 i; i < rules.length; ++i) {
            list[i] = _call(
                at.authority,
                abi.encodeCall(
                    AccessManagerUpgradeable.setTargetFunctionRole, (rules[i].target, rules[i].selectors, rules[i].role)
                )
            );
        }
        uint256 n = rules.length;
        list[n++] = _grant(at.authority, Roles.TOKEN_HOUSE, at.tokenTimelock);
        list[n++] = _grant(at.authority, Roles.MEMBER_HOUSE, at.memberTimelock);
        list[n++] = _grant(at.authority, Roles.PAUSER, at.pauseGuard);
        for (uint256 i; i < sellers.length; ++i) {
            list[n++] = _grant(at.authority, Roles.SELLER, sellers[i]);
        }
        list[n++] = _grant(at.authority, Roles.CHARTER, at.charterGate);
        list[n] = _call(at.authority, abi.encodeCall(AccessManagerUpgradeable.renounceRole, (Roles.CHARTER, factory)));
    }

    /// @dev Without a delay: each holder has one of its own.
    function _grant(address authority, uint64 role, address holder) private pure returns (Step memory) {
        return _call(authority, abi.encodeCall(AccessManagerUpgradeable.grantRole, (role, holder, 0)));
    }

    function _call(address target, bytes memory data) private pure returns (Step memory) {
        return Step(Part.Nothing, target, data);
    }
}
