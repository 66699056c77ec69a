// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {Parts} from "../../src/factory/Parts.sol";
import {ComputeDesk} from "../../src/market/ComputeDesk.sol";
import {StewardCommittee} from "../../src/oracle/StewardCommittee.sol";
import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {SettlementLedger} from "../../src/settlement/SettlementLedger.sol";
import {SaleTest} from "../utils/SaleTest.sol";

/// @notice Point 20: two cooperatives of one factory with the same stewards, worker, registrar and parameters. What is
/// signed in one is nothing in the other.
contract SiblingsTest is SaleTest {
    Parts private sibling;

    function setUp() public override {
        super.setUp();
        bytes memory config = abi.encode(_config());
        bytes32 salt = keccak256("sibling");
        bytes32 id = factory.found(salt, config);
        for (uint8 stage = 1; stage < factory.stages(); ++stage) {
            factory.advance(id, stage, config);
        }
        sibling = factory.partsOf(id);
        StewardCommittee other = StewardCommittee(sibling.stewardCommittee);
        usdc.mint(address(this), 3 * LEAST_BOND);
        usdc.approve(address(other), 3 * LEAST_BOND);
        for (uint256 i; i < 3; ++i) {
            other.bondFor(vm.addr(stewardKeys[i]), LEAST_BOND);
        }
    }

    /// @dev Every contract that takes a signature names itself in its domain, so that no two cooperatives share one.
    function test_EveryDomainNamesItsCooperative() external view {
        Parts memory at = factory.partsOf(coopId);
        address[12] memory ours = [
            at.membership,
            at.consentRegistry,
            at.contributionRegistry,
            at.stewardCommittee,
            at.settlementLedger,
            at.disputes,
            at.dataToken,
            at.govToken,
            at.ethicsRegistry,
            at.computeDesk,
            at.tokenGovernor,
            at.memberGovernor
        ];
        Parts memory s = sibling;
        address[12] memory theirs = [
            s.membership,
            s.consentRegistry,
            s.contributionRegistry,
            s.stewardCommittee,
            s.settlementLedger,
            s.disputes,
            s.dataToken,
            s.govToken,
            s.ethicsRegistry,
            s.computeDesk,
            s.tokenGovernor,
            s.memberGovernor
        ];
        for (uint256 i; i < ours.length; ++i) {
            (, string memory name,, uint256 chainId, address verifier,,) = IERC5267(ours[i]).eip712Domain();
            (, string memory otherName,, uint256 otherChain, address otherVerifier,,) =
                IERC5267(theirs[i]).eip712Domain();
            assertEq(name, otherName);
            assertEq(chainId, block.chainid);
            assertEq(otherChain, block.chainid);
            assertEq(verifier, ours[i]);
            assertEq(otherVerifier, theirs[i]);
            assertNotEq(verifier, otherVerifier);
        }
    }

    function test_RevertWhen_AScoreIsShownToASibling() external view {
        StewardCommittee other = StewardCommittee(sibling.stewardCommittee);
        StewardCommittee.Score memory s =
            StewardCommittee.Score(7, 8_000, 10_000, 7_000, 12_500, keccak256("rubric"), keccak256("sketch"));
        bytes32 digest = committee.scoreDigest(s);
        bytes memory evidence = abi.encode(_stewardSignatures(digest, 2));
        assertTrue(committee.attested(digest, evidence));
        assertNotEq(other.scoreDigest(s), digest);
        assertFalse(other.attested(other.scoreDigest(s), evidence));
    }

    function test_RevertWhen_ARootIsProposedToASibling() external {
        vm.warp(_startOf(1, 0));
        ISettlementLedger.Header memory h = _header();
        bytes[] memory signatures = _stewardSignatures(_headerDigest(h), 2);
        vm.expectPartialRevert(StewardCommittee.StewardCommittee_NotSteward.selector);
        SettlementLedger(sibling.settlementLedger).propose(h, signatures);
        ledger.propose(h, signatures);
    }

    function test_RevertWhen_AComputationIsSettledAtASibling() external {
        ComputeDesk other = ComputeDesk(sibling.computeDesk);
        ComputeDesk.ComputeReceipt memory r = _receipt(1, 1);
        assertNotEq(other.receiptDigest(r), desk.receiptDigest(r));
        StewardCommittee committee_ = StewardCommittee(sibling.stewardCommittee);
        bytes[] memory signatures = _stewardSignatures(desk.receiptDigest(r), 2);
        bytes32 digest = other.receiptDigest(r);
        vm.expectPartialRevert(StewardCommittee.StewardCommittee_NotSteward.selector);
        committee_.verifyQuorum(digest, signatures);
    }
}
