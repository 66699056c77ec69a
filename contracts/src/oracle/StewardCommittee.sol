// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Governed} from "../access/Governed.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";
import {IStewardCommittee} from "./IStewardCommittee.sol";

/// @title StewardCommittee
/// @notice Who the stewards, workers and the gateway are, what keys they have, and what a quorum of stewards agreed to.
///
/// Roles
/// - Steward: an independent operator with a seat. Its seat number (from 1) is its id and the x of its key shares.
/// - Worker: opens pooled records for a query that a quorum countersigned, and signs the receipt.
/// - Gateway: relays. It is named here so that everyone knows whose requests it sends.
/// - Authority: seats committees, registers workers, names the gateway, upgrades.
///
/// Assumptions
/// - At most `quorum − 1` stewards collude. A quorum is more than half of the seats, so two quorums share a steward.
/// - Stewards sign with keys (ECDSA), never through contracts: a signature cannot become invalid later.
/// - Entries of the budget log are ordered by the stewards; this contract anchors each index once, in any order.
///
/// Liveness: `quorum` of the seats suffice for everything here. Receipts of a former generation that were not anchored
/// before a new one was seated can no longer be.
///
/// Who can hurt whom: a quorum can settle a wrong epoch and burn privacy budget; fewer than that can only be silent.
/// A worker can withhold a result, not invent a debit. The authority can replace everybody.
contract StewardCommittee is NamedEIP712, Governed, IStewardCommittee {
    struct Seat {
        address signer;
        bytes32 sealingKey;
    }

    /// @notice One line of the privacy budget's log; `previous` is the struct hash of the line before it.
    struct BudgetEntry {
        uint64 index;
        bytes32 previous;
        bytes32 queryDigest;
        bytes32 snapshot;
        uint64 licenseId;
        uint16 purpose;
        uint64 rho;
        uint256 deadline;
    }

    /// @custom:storage-location erc7201:rochdale.storage.StewardCommittee
    struct Storage {
        // One slot: read by every quorum check.
        uint32 generation;
        uint8 quorum;
        address gateway;
        Seat[] seats;
        mapping(address signer => uint8) stewardIds;
        mapping(address signer => bytes32) workerKeys;
        mapping(uint256 word => uint256) anchored;
    }

    bytes32 private constant STORAGE = 0x8c22fecaf4a43142218ae1dedeba8fc1cc6598287b89f746c7f7473c70837f00;

    bytes32 private constant ENTRY_TYPEHASH = keccak256(
        "BudgetEntry(uint64 index,bytes32 previous,bytes32 queryDigest,bytes32 snapshot,uint64 licenseId,uint16 purpose,uint64 rho,uint256 deadline)"
    );
    bytes32 private constant RECEIPT_TYPEHASH = keccak256("QueryReceipt(bytes32 entryHash,bytes32 resultDigest)");

    event Seated(uint32 generation, Seat[] seats, uint8 quorum);
    event WorkerRegistered(address indexed signer, bytes32 sealingKey);
    event WorkerRemoved(address indexed signer);
    event GatewaySet(address gateway);
    event ReceiptAnchored(
        uint64 indexed index,
        bytes32 entryHash,
        bytes32 queryDigest,
        bytes32 snapshot,
        uint64 licenseId,
        uint64 rho,
        bytes32 resultDigest,
        address worker
    );

    error StewardCommittee_BadQuorum(uint256 quorum, uint256 seats);
    error StewardCommittee_BadSeat(uint256 stewardId, address signer);
    error StewardCommittee_BadWorker(address signer);
    error StewardCommittee_TooFewSignatures(uint256 signatures, uint256 quorum);
    error StewardCommittee_NotSteward(uint256 index, address signer);
    error StewardCommittee_NotAscending(uint256 index, uint8 stewardId);
    error StewardCommittee_NotWorker(address signer);
    error StewardCommittee_AlreadyAnchored(uint64 index);

    function initialize(address authority_) external initializer {
        __Governed_init(authority_);
    }

    // ------------------------------------------------------------------------------------- administration

    /// @notice Seats a new committee in place of the one before.
    function seat(Seat[] calldata seats_, uint8 quorum_) external restricted {
        Storage storage $ = _storage();
        // Check:
        if (quorum_ > seats_.length || uint256(quorum_) * 2 <= seats_.length || seats_.length > type(uint8).max) {
            revert StewardCommittee_BadQuorum(quorum_, seats_.length);
        }
        // Effects:
        _unseat($);
        for (uint256 i; i < seats_.length; ++i) {
            _seatOne($, seats_[i], uint8(i + 1));
        }
        $.quorum = quorum_;
        emit Seated(++$.generation, seats_, quorum_);
    }

    /// @notice Registers a worker, or gives it a new sealing key.
    function registerWorker(address signer, bytes32 sealingKey) external restricted {
        Storage storage $ = _storage();
        if (signer == address(0) || sealingKey == 0 || $.stewardIds[signer] != 0) {
            revert StewardCommittee_BadWorker(signer);
        }
        $.workerKeys[signer] = sealingKey;
        emit WorkerRegistered(signer, sealingKey);
    }

    function removeWorker(address signer) external restricted {
        Storage storage $ = _storage();
        if ($.workerKeys[signer] == 0) revert StewardCommittee_NotWorker(signer);
        delete $.workerKeys[signer];
        emit WorkerRemoved(signer);
    }

    function setGateway(address gateway_) external restricted {
        _storage().gateway = _nonZero(gateway_, "gateway");
        emit GatewaySet(gateway_);
    }

    // --------------------------------------------------------------------------------------------- quorum

    /// @inheritdoc IStewardCommittee
    function verifyQuorum(bytes32 digest, bytes[] calldata signatures) external view returns (uint256 signers) {
        return _verifyQuorum(digest, signatures);
    }

    /// @notice Anchors what a query cost and answered: the entry that a quorum of stewards signed, and the worker's
    /// receipt for it. Each index once. The deadline bound the stewards; it is not checked again.
    function anchorReceipt(
        BudgetEntry calldata e,
        bytes[] calldata stewardSignatures,
        bytes32 resultDigest,
        bytes calldata workerSignature
    ) external {
        bytes32 entryHash = keccak256(abi.encode(ENTRY_TYPEHASH, e));
        // Check:
        if (isAnchored(e.index)) revert StewardCommittee_AlreadyAnchored(e.index);
        _verifyQuorum(_hashTypedDataV4(entryHash), stewardSignatures);
        address worker = _recoverWorker(entryHash, resultDigest, workerSignature);
        // Effects:
        _storage().anchored[e.index >> 8] |= 1 << (e.index & 0xff);
        emit ReceiptAnchored(e.index, entryHash, e.queryDigest, e.snapshot, e.licenseId, e.rho, resultDigest, worker);
    }

    // ---------------------------------------------------------------------------------------------- views

    function seats() external view returns (Seat[] memory) {
        return _storage().seats;
    }

    function quorum() external view returns (uint8) {
        return _storage().quorum;
    }

    function generation() external view returns (uint32) {
        return _storage().generation;
    }

    function gateway() external view returns (address) {
        return _storage().gateway;
    }

    /// @notice The seat number of a steward; 0 for anybody else.
    function stewardId(address signer) external view returns (uint8) {
        return _storage().stewardIds[signer];
    }

    /// @notice The sealing key of a worker; zero for anybody else.
    function workerKey(address signer) external view returns (bytes32) {
        return _storage().workerKeys[signer];
    }

    /// @notice Whether the budget entry of this index has been anchored.
    function isAnchored(uint64 index) public view returns (bool) {
        return _storage().anchored[index >> 8] & (1 << (index & 0xff)) != 0;
    }

    // ------------------------------------------------------------------------------------------- internal

    function _verifyQuorum(bytes32 digest, bytes[] calldata signatures) private view returns (uint256 signers) {
        Storage storage $ = _storage();
        uint256 needed = $.quorum;
        if (needed == 0 || signatures.length < needed) {
            revert StewardCommittee_TooFewSignatures(signatures.length, needed);
        }
        uint8 last;
        signers = uint256($.generation) << 32;
        for (uint256 i; i < signatures.length; ++i) {
            address signer = ECDSA.recoverCalldata(digest, signatures[i]);
            uint8 id = $.stewardIds[signer];
            if (id == 0) revert StewardCommittee_NotSteward(i, signer);
            if (id <= last) revert StewardCommittee_NotAscending(i, id);
            last = id;
            signers |= 1 << id - 1;
        }
    }

    function _recoverWorker(bytes32 entryHash, bytes32 resultDigest, bytes calldata signature)
        private
        view
        returns (address worker)
    {
        bytes32 receiptHash = keccak256(abi.encode(RECEIPT_TYPEHASH, entryHash, resultDigest));
        worker = ECDSA.recoverCalldata(_hashTypedDataV4(receiptHash), signature);
        if (_storage().workerKeys[worker] == 0) revert StewardCommittee_NotWorker(worker);
    }

    function _unseat(Storage storage $) private {
        uint256 n = $.seats.length;
        for (uint256 i; i < n; ++i) {
            delete $.stewardIds[$.seats[i].signer];
        }
        delete $.seats;
    }

    function _seatOne(Storage storage $, Seat calldata s, uint8 id) private {
        bool taken = $.stewardIds[s.signer] != 0 || $.workerKeys[s.signer] != 0;
        if (s.signer == address(0) || s.sealingKey == 0 || taken) revert StewardCommittee_BadSeat(id, s.signer);
        $.stewardIds[s.signer] = id;
        $.seats.push(s);
    }

    function _EIP712Name() internal pure override returns (string memory) {
        return "StewardCommittee";
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
