// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {ContributionRegistry} from "../../src/contribution/ContributionRegistry.sol";
import {IStewardCommittee} from "../../src/oracle/IStewardCommittee.sol";
import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {SettlementClaims} from "../../src/settlement/SettlementClaims.sol";
import {CommitteeDouble, ContributionForms, IForms, LedgerForms, PlainForms} from "../utils/AssemblyForms.sol";

/// @notice What each block of assembly saves against plain Solidity, each form alone; test/unit/settlement/Assembly.t.sol
/// compares what they give.
contract AssemblyGasTest is Test {
    IForms private ledger;
    IForms private registry;
    PlainForms private plain;

    function setUp() external {
        ledger = IForms(address(new LedgerForms()));
        registry = IForms(address(new ContributionForms()));
        plain = new PlainForms();
    }

    function _saved(string memory name, uint256 without, uint256 with) private {
        vm.snapshotValue("assembly", name, without - with);
    }

    function _header() private pure returns (ISettlementLedger.Header memory h) {
        (h.epoch, h.sharers, h.payout, h.root) = (3, 24, 5_769_230, keccak256("root"));
        (h.cashAllocated, h.dataAwarded, h.govAwarded) = (17_307_690, 292.5e18, 29.25e18);
    }

    function test_Header() external {
        ISettlementLedger.Header memory h = _header();
        (, uint256 with) = ledger.headerHash(h);
        (, uint256 without) = plain.headerHash(h);
        _saved("LedgerHeader.hash", without, with);
        (without, with) = (plain.proposed(h, 3, 1), ledger.proposed(h, 3, 1));
        _saved("SettlementRounds._emitProposed", without, with);
    }

    /// @dev With three signatures.
    function test_Quorum() external {
        IStewardCommittee committee = IStewardCommittee(address(new CommitteeDouble()));
        bytes[] memory signatures = new bytes[](3);
        for (uint256 i; i < 3; ++i) {
            signatures[i] = new bytes(65);
        }
        (, uint256 with) = ledger.quorumOf(committee, keccak256("digest"), signatures);
        (, uint256 without) = plain.quorumOf(committee, keccak256("digest"), signatures);
        _saved("SettlementRounds._quorumOf", without, with);
    }

    function test_Leaf() external {
        SettlementClaims.Leaf memory leaf = SettlementClaims.Leaf(7e6, 7e6, 4e18, 1e18, keccak256("private"));
        (, uint256 with) = ledger.leaf(77, leaf);
        (, uint256 without) = plain.leaf(77, leaf);
        _saved("SettlementClaims._leafOf", without, with);
    }

    function test_Contribution() external {
        ContributionRegistry.Contribution memory c =
            ContributionRegistry.Contribution(77, keccak256("commitment"), 1, 2, 1e10);
        (, uint256 with) = registry.contribution(keccak256("domain"), c);
        (, uint256 without) = plain.contribution(keccak256("domain"), c);
        _saved("ContributionRegistry._digest", without, with);
    }

    /// @dev At depth 20.
    function test_Root() external {
        bytes32[] memory proof = new bytes32[](20);
        (, uint256 with) = ledger.root(keccak256("leaf"), 0x55555, proof);
        (, uint256 without) = plain.root(keccak256("leaf"), 0x55555, proof);
        _saved("LedgerTree.rootOf", without, with);
    }
}
