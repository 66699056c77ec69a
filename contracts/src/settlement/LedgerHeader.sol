// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {StructHash} from "../access/StructHash.sol";
import {ISettlementLedger} from "./ISettlementLedger.sol";

/// @title LedgerHeader
/// @notice What stewards sign for an epoch, hashed the same by the ledger and by whoever judges two such signatures.
library LedgerHeader {
    bytes32 private constant TYPEHASH = keccak256(
        "Header(uint32 epoch,uint32 attempt,bytes32 previousRoot,bytes32 root,bytes32 paramsHash,bytes32 inputsRoot,bytes32 sheetDigest,uint32 sharers,uint128 payout,uint256 sumUsage,uint256 sumData,uint256 sumEarly,uint256 sumDataAward,uint256 sumGovAward,uint128 cashAllocated,uint128 dataAwarded,uint128 dataEarned,uint128 govAwarded,uint128 govEarned)"
    );
    uint256 internal constant WORDS = 19;

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("SettlementLedger");
    bytes32 private constant VERSION_HASH = keccak256("1");

    /// @notice EIP-712 `hashStruct` of a header.
    function hash(ISettlementLedger.Header calldata h) internal pure returns (bytes32) {
        uint256 offset;
        assembly {
            offset := h
        }
        return StructHash.ofCalldata(TYPEHASH, offset, WORDS);
    }

    /// @notice What a steward signs of a header for the ledger at `ledger`, as anybody else sees it.
    function digestFor(address ledger, ISettlementLedger.Header calldata h) internal view returns (bytes32) {
        return digestOfHash(ledger, hash(h));
    }

    /// @notice As `digestFor`, of a header that is hashed already. With the name's hash in code: OpenZeppelin's domain hashes
    /// name and version each time.
    function digestOfHash(address ledger, bytes32 headerHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, ledger));
        return MessageHashUtils.toTypedDataHash(domain, headerHash);
    }
}
