// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {ContributionRegistry} from "../../src/contribution/ContributionRegistry.sol";
import {IStewardCommittee} from "../../src/oracle/IStewardCommittee.sol";
import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {LedgerHeader} from "../../src/settlement/LedgerHeader.sol";
import {LedgerTree} from "../../src/settlement/LedgerTree.sol";
import {SettlementClaims} from "../../src/settlement/SettlementClaims.sol";
import {SettlementLedger} from "../../src/settlement/SettlementLedger.sol";

/// @notice What the contracts do in assembly: each as it is there, with the gas that it took.
interface IForms {
    function headerHash(ISettlementLedger.Header calldata h) external view returns (bytes32, uint256 gas);

    function proposed(ISettlementLedger.Header calldata h, uint32 epoch, uint64 finalAt) external returns (uint256 gas);

    function quorumOf(IStewardCommittee committee, bytes32 digest, bytes[] calldata signatures)
        external
        view
        returns (uint256, uint256 gas);

    function leaf(uint256 memberId, SettlementClaims.Leaf calldata l) external view returns (bytes32, uint256 gas);

    function root(bytes32 node, uint256 index, bytes32[] calldata proof) external view returns (bytes32, uint256 gas);

    function contribution(bytes32 domain, ContributionRegistry.Contribution calldata c)
        external
        view
        returns (bytes32, uint256 gas);
}

/// @notice The forms of the ledger.
contract LedgerForms is SettlementLedger {
    function headerHash(Header calldata h) external view returns (bytes32 hash, uint256 gas) {
        gas = gasleft();
        hash = LedgerHeader.hash(h);
        gas -= gasleft();
    }

    function proposed(Header calldata h, uint32 epoch, uint64 finalAt) external returns (uint256 gas) {
        gas = gasleft();
        _emitProposed(h, epoch, finalAt);
        gas -= gasleft();
    }

    function quorumOf(IStewardCommittee committee, bytes32 digest, bytes[] calldata signatures)
        external
        view
        returns (uint256 signers, uint256 gas)
    {
        gas = gasleft();
        signers = _quorumOf(committee, digest, signatures);
        gas -= gasleft();
    }

    function leaf(uint256 memberId, Leaf calldata l) external view returns (bytes32 hash, uint256 gas) {
        gas = gasleft();
        hash = _leafOf(memberId, l);
        gas -= gasleft();
    }

    function root(bytes32 node, uint256 index, bytes32[] calldata proof)
        external
        view
        returns (bytes32 hash, uint256 gas)
    {
        gas = gasleft();
        hash = LedgerTree.rootOf(node, index, proof);
        gas -= gasleft();
    }
}

/// @notice The form of ContributionRegistry.
contract ContributionForms is ContributionRegistry {
    function contribution(bytes32 domain, Contribution calldata c) external view returns (bytes32 hash, uint256 gas) {
        gas = gasleft();
        hash = _digest(domain, c);
        gas -= gasleft();
    }
}

/// @notice The same in plain Solidity, as EIP-712 and the ABI define it.
contract PlainForms is IForms {
    event Proposed(uint32 indexed epoch, uint64 finalAt, ISettlementLedger.Header header);

    bytes32 private constant HEADER_TYPEHASH = keccak256(
        "Header(uint32 epoch,uint32 attempt,bytes32 previousRoot,bytes32 root,bytes32 paramsHash,bytes32 inputsRoot,bytes32 sheetDigest,uint32 sharers,uint128 payout,uint256 sumUsage,uint256 sumData,uint256 sumEarly,uint256 sumDataAward,uint256 sumGovAward,uint128 cashAllocated,uint128 dataAwarded,uint128 dataEarned,uint128 govAwarded,uint128 govEarned)"
    );
    bytes32 private constant CONTRIBUTION_TYPEHASH = keccak256(
        "Contribution(uint32 memberId,bytes32 commitment,uint32 consentVersion,uint256 nonce,uint256 deadline)"
    );

    function headerHash(ISettlementLedger.Header calldata h) external view returns (bytes32 hash, uint256 gas) {
        gas = gasleft();
        hash = keccak256(abi.encode(HEADER_TYPEHASH, h));
        gas -= gasleft();
    }

    /// @notice As `headerHash`, by the names of the fields in the order in which they are signed.
    function headerHashByName(ISettlementLedger.Header calldata h) external pure returns (bytes32) {
        return keccak256(
            bytes.concat(
                abi.encode(HEADER_TYPEHASH, h.epoch, h.attempt, h.previousRoot, h.root, h.paramsHash, h.inputsRoot),
                abi.encode(h.sheetDigest, h.sharers, h.payout, h.sumUsage, h.sumData, h.sumEarly, h.sumDataAward),
                abi.encode(h.sumGovAward, h.cashAllocated, h.dataAwarded, h.dataEarned, h.govAwarded, h.govEarned)
            )
        );
    }

    function proposed(ISettlementLedger.Header calldata h, uint32 epoch, uint64 finalAt)
        external
        returns (uint256 gas)
    {
        gas = gasleft();
        emit Proposed(epoch, finalAt, h);
        gas -= gasleft();
    }

    function quorumOf(IStewardCommittee committee, bytes32 digest, bytes[] calldata signatures)
        external
        view
        returns (uint256 signers, uint256 gas)
    {
        gas = gasleft();
        signers = committee.verifyQuorum(digest, signatures);
        gas -= gasleft();
    }

    function leaf(uint256 memberId, SettlementClaims.Leaf calldata l)
        external
        view
        returns (bytes32 hash, uint256 gas)
    {
        gas = gasleft();
        hash = LedgerTree.leaf(memberId, l.cash, l.stream, l.data, l.gov, l.privateHash);
        gas -= gasleft();
    }

    function root(bytes32 node, uint256 index, bytes32[] calldata proof)
        external
        view
        returns (bytes32 hash, uint256 gas)
    {
        gas = gasleft();
        hash = _root(node, index, proof);
        gas -= gasleft();
    }

    /// @dev The cheapest plain form: OpenZeppelin's hash of a pair takes no memory.
    function _root(bytes32 node, uint256 index, bytes32[] calldata proof) private pure returns (bytes32) {
        for (uint256 i; i < proof.length; ++i) {
            (bytes32 left, bytes32 right) = (node, proof[i]);
            if (index & 1 != 0) (left, right) = (right, left);
            node = Hashes.efficientKeccak256(left, right);
            index >>= 1;
        }
        return node;
    }

    function contribution(bytes32 domain, ContributionRegistry.Contribution calldata c)
        external
        view
        returns (bytes32 hash, uint256 gas)
    {
        gas = gasleft();
        hash = MessageHashUtils.toTypedDataHash(domain, keccak256(abi.encode(CONTRIBUTION_TYPEHASH, c)));
        gas -= gasleft();
    }

    /// @notice As `contribution`, by the names of the fields in the order in which they are signed.
    function contributionByName(bytes32 domain, ContributionRegistry.Contribution calldata c)
        external
        pure
        returns (bytes32)
    {
        bytes32 hash = keccak256(
            abi.encode(CONTRIBUTION_TYPEHASH, c.memberId, c.commitment, c.consentVersion, c.nonce, c.deadline)
        );
        return MessageHashUtils.toTypedDataHash(domain, hash);
    }
}

/// @notice Stands in for the committee: answers with what it was asked, or as it was told.
contract CommitteeDouble {
    bytes private _answer;
    bool private _refuses;

    function answer(bytes calldata data, bool refuses) external {
        (_answer, _refuses) = (data, refuses);
    }

    function verifyQuorum(bytes32 digest, bytes[] calldata signatures) external view returns (uint256) {
        bytes memory data = _answer;
        if (data.length == 0 && !_refuses) return uint256(keccak256(abi.encode(digest, signatures)));
        bool refuses = _refuses;
        assembly {
            if refuses { revert(add(data, 32), mload(data)) }
            return(add(data, 32), mload(data))
        }
    }
}
