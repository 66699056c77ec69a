// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test, Vm} from "forge-std/Test.sol";
import {ContributionRegistry} from "../../../src/contribution/ContributionRegistry.sol";
import {IStewardCommittee} from "../../../src/oracle/IStewardCommittee.sol";
import {ISettlementLedger} from "../../../src/settlement/ISettlementLedger.sol";
import {LedgerTree} from "../../../src/settlement/LedgerTree.sol";
import {SettlementClaims} from "../../../src/settlement/SettlementClaims.sol";
import {CommitteeDouble, ContributionForms, IForms, LedgerForms, PlainForms} from "../../utils/AssemblyForms.sol";

/// @notice Assembly.tree. What docs/gas.md shows to be worth it gives what plain Solidity gives.
contract AssemblyTest is Test {
    IForms internal ledger;
    IForms internal registry;
    PlainForms internal plain;
    CommitteeDouble internal committee;

    function setUp() external {
        ledger = IForms(address(new LedgerForms()));
        registry = IForms(address(new ContributionForms()));
        plain = new PlainForms();
        committee = new CommitteeDouble();
    }

    function testFuzz_TheHashOfAHeader(ISettlementLedger.Header calldata h) external view {
        (bytes32 hash,) = ledger.headerHash(h);
        (bytes32 expected,) = plain.headerHash(h);
        assertEq(hash, expected);
        assertEq(hash, plain.headerHashByName(h));
    }

    function testFuzz_TheDigestOfAContribution(bytes32 domain, ContributionRegistry.Contribution calldata c)
        external
        view
    {
        (bytes32 digest,) = registry.contribution(domain, c);
        (bytes32 expected,) = plain.contribution(domain, c);
        assertEq(digest, expected);
        assertEq(digest, plain.contributionByName(domain, c));
    }

    function testFuzz_TheLeafOfARange(uint256 memberId, SettlementClaims.Leaf calldata leaf) external view {
        (bytes32 hash,) = ledger.leaf(memberId, leaf);
        (bytes32 expected,) = plain.leaf(memberId, leaf);
        assertEq(hash, expected);
    }

    function testFuzz_TheRootThatAProofLeadsTo(bytes32 node, uint256 index, bytes32[] calldata proof) external view {
        (bytes32 root,) = ledger.root(node, index, proof);
        (bytes32 expected,) = plain.root(node, index, proof);
        assertEq(root, expected);
    }

    function testFuzz_TheEventOfAProposal(ISettlementLedger.Header calldata h, uint32 epoch, uint64 finalAt) external {
        vm.recordLogs();
        ledger.proposed(h, epoch, finalAt);
        plain.proposed(h, epoch, finalAt);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2);
        assertEq(abi.encode(logs[0].topics), abi.encode(logs[1].topics));
        assertEq(logs[0].data, logs[1].data);
    }

    function testFuzz_AskingForAQuorum_WhenItAnswers(bytes32 digest, bytes[] calldata signatures) external view {
        (uint256 signers,) = ledger.quorumOf(IStewardCommittee(address(committee)), digest, signatures);
        assertEq(signers, uint256(keccak256(abi.encode(digest, signatures))));
        (uint256 expected,) = plain.quorumOf(IStewardCommittee(address(committee)), digest, signatures);
        assertEq(signers, expected);
    }

    function testFuzz_AskingForAQuorum_WhenItRefuses(bytes32 digest, bytes[] calldata signatures, bytes calldata reason)
        external
    {
        committee.answer(reason, true);
        bytes memory call = abi.encodeCall(IForms.quorumOf, (IStewardCommittee(address(committee)), digest, signatures));
        _expectRefused(call, reason);
    }

    function testFuzz_AskingForAQuorum_WhenNobodyAnswersAWord(
        bytes32 digest,
        bytes[] calldata signatures,
        bytes32 word,
        uint256 length
    ) external {
        length = bound(length, 1, 31);
        committee.answer(_first(word, length), false);
        address[2] memory asked = [address(committee), makeAddr("nobody")];
        for (uint256 i; i < 2; ++i) {
            bytes memory call = abi.encodeCall(IForms.quorumOf, (IStewardCommittee(asked[i]), digest, signatures));
            (bool raw,) = address(ledger).call(call);
            (bool expected,) = address(plain).call(call);
            assertFalse(raw);
            assertFalse(expected);
        }
    }

    function testFuzz_TheSubtreeOfARange(bytes32[16] calldata words) external pure {
        for (uint256 count = 1; count <= 16; count *= 2) {
            bytes32[] memory nodes = new bytes32[](count);
            for (uint256 i; i < count; ++i) {
                nodes[i] = words[i];
            }
            bytes32 expected = _rootOf(nodes, 0, count);
            assertEq(LedgerTree.subtreeOf(nodes), expected);
        }
    }

    function testFuzz_TheLeafOfAClaim(ISettlementLedger.Claim calldata c) external pure {
        bytes32 expected = LedgerTree.leaf(c.memberId, c.cash, c.stream, c.data, c.gov, c.privateHash);
        assertEq(LedgerTree.leafOf(c), expected);
    }

    /// @dev Both forms end with `reason`.
    function _expectRefused(bytes memory call, bytes memory reason) private {
        address[2] memory forms = [address(ledger), address(plain)];
        for (uint256 i; i < 2; ++i) {
            (bool ok, bytes memory data) = forms[i].call(call);
            assertFalse(ok);
            assertEq(data, reason);
        }
    }

    function _first(bytes32 word, uint256 length) private pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 i; i < length; ++i) {
            data[i] = word[i];
        }
    }

    function _rootOf(bytes32[] memory nodes, uint256 first, uint256 count) private pure returns (bytes32) {
        if (count == 1) return nodes[first];
        uint256 half = count / 2;
        return keccak256(abi.encode(_rootOf(nodes, first, half), _rootOf(nodes, first + half, half)));
    }
}
