// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Bounds} from "../access/Bounds.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";
import {Pausing} from "../access/Pausing.sol";
import {License, Rights} from "../market/License.sol";
import {IScoreOracle} from "./IScoreOracle.sol";
import {IStewardBonds} from "./IStewardBonds.sol";
import {IStewardCommittee} from "./IStewardCommittee.sol";
import {StewardBonds} from "./StewardBonds.sol";

/// @title StewardCommittee
/// @notice Who the stewards, workers and the gateway are, what keys they have, and what a quorum of stewards agreed to.
///
/// Roles
/// - Steward: an independent operator with a seat. Its seat number (from 1) is its id and the x of its key shares. The
///   seat is active while its bond (see StewardBonds) reaches what was asked when the committee was seated. It rotates its
///   sealing key itself, each epoch: what was sealed to a key that is destroyed is nobody's to open any more.
/// - Worker: opens pooled records for an order whose debit is booked here, and signs the receipt of its answer.
/// - Gateway: relays. It is named here so that everyone knows whose requests it sends.
/// - Member house: seats committees, registers workers, names the gateway, sets bonds, decides slashes.
/// - PauseGuard: may stop `debit` and `anchorReceipt` for a while, nothing else. Charter: upgrades.
///
/// Assumptions
/// - At most `quorum − 1` stewards collude. A quorum is more than half of the seats, so two quorums share a steward.
/// - Stewards sign with keys (ECDSA), never through contracts: a signature cannot become invalid later.
/// - Debits are charged in the order in which they are booked. Whether one fits every person in its snapshot is nobody's
///   to say here: the snapshot is blinded. Stewards say it before they sign and once more before they release shares.
///
/// Liveness: `quorum` active seats suffice for everything here. A debit that was not booked before another committee was
/// seated has to be signed by that one. What is booked stays so, whoever sits; its receipt needs no steward.
///
/// Who can hurt whom: a quorum can settle a wrong epoch and burn privacy budget of people whose snapshot it made up;
/// fewer than that can only be silent. A worker can withhold a result, not invent a debit, and anchors one receipt a
/// debit. The member house can replace everybody. A quorum whose root was
/// voided is in escrow: unless enough others remain, settlement waits until they bond anew or others are seated.
contract StewardCommittee is NamedEIP712, StewardBonds, Pausing, IStewardCommittee, IScoreOracle {
    struct Seat {
        address signer;
        bytes32 sealingKey;
    }

    struct Worker {
        address signer;
        bytes32 sealingKey;
    }

    /// @dev What a cooperative starts with. Bonds in micro-USDC.
    struct Deployment {
        address authority;
        address usdc;
        address treasury;
        address ledger;
        address disputes;
        address license;
        uint64 minBond;
        uint64 objectionBond;
        Seat[] seats;
        uint8 quorum;
        Worker[] workers;
        address gateway;
    }

    /// @notice An order, charged to every person in a snapshot.
    /// @param order EIP-712 digest of what the license's holder signed
    /// @param snapshot blinded digest of the contributions that it may use
    /// @param rho 10^-9 zCDP, for each person
    /// @param deadline unix seconds, the order's
    struct Debit {
        uint64 licenseId;
        bytes32 order;
        bytes32 queryDigest;
        bytes32 snapshot;
        uint16 purpose;
        uint64 rho;
        uint64 deadline;
    }

    /// @notice A steward's score of one contribution, in basis points.
    struct Score {
        uint64 contributionId;
        uint16 quality;
        uint16 uniqueness;
        uint16 authenticity;
        uint16 rarity;
        bytes32 rubricHash;
        bytes32 sketch;
    }

    /// @dev One slot: read by every quorum check. What every seat of the committee in office shares.
    struct Office {
        // Grows by one with each committee, from 1.
        uint16 generation;
        // More than half of the seats.
        uint8 quorum;
        uint64 seatBond;
    }

    /// @dev One slot an order. An id of 0 is no debit.
    struct Booked {
        uint64 id;
        bool answered;
    }

    /// @custom:storage-location erc7201:rochdale.storage.StewardCommittee
    struct Storage {
        Office office;
        // One slot: written by every debit.
        License license;
        // Which is also the last id. Only grows: what was charged stays charged.
        uint64 debits;
        address gateway;
        // Kept for ever: a set of signers names seats of its own generation.
        mapping(uint256 generation => Seat[]) seats;
        // Of no steward in office.
        mapping(address signer => bytes32) workerKeys;
        // How many of the answered orders each answered. Only grows.
        mapping(address worker => uint256) receipts;
        // Each order once, for ever.
        mapping(bytes32 order => Booked) booked;
    }

    bytes32 private constant STORAGE = 0x8c22fecaf4a43142218ae1dedeba8fc1cc6598287b89f746c7f7473c70837f00;

    /// @notice A set of signers has one bit for each seat.
    uint256 public constant MAX_SEATS = Bounds.MAX_SEATS;

    /// @notice The fewest seats: two stewards score a record, and a third where they differ.
    uint256 public constant MIN_SEATS = Bounds.MIN_SEATS;

    /// @notice How far ahead an order's deadline may lie, in seconds.
    uint256 public constant MAX_LIFETIME = 7 days;

    bytes32 private constant DEBIT_TYPEHASH = keccak256(
        "Debit(uint64 licenseId,bytes32 order,bytes32 queryDigest,bytes32 snapshot,uint16 purpose,uint64 rho,uint64 deadline)"
    );
    bytes32 private constant SCORE_TYPEHASH = keccak256(
        "Score(uint64 contributionId,uint16 quality,uint16 uniqueness,uint16 authenticity,uint16 rarity,bytes32 rubricHash,bytes32 sketch)"
    );
    bytes32 private constant SEALING_KEY_TYPEHASH =
        keccak256("SealingKey(uint32 generation,bytes32 sealingKey,bytes32 previous)");
    bytes32 private constant RECEIPT_TYPEHASH = keccak256("QueryReceipt(bytes32 order,bytes32 resultDigest)");

    event Seated(uint32 generation, Seat[] seats, uint8 quorum);
    event SealingKeyRotated(uint8 indexed stewardId, bytes32 sealingKey);
    event WorkerRegistered(address indexed signer, bytes32 sealingKey);
    event WorkerRemoved(address indexed signer);
    event GatewaySet(address gateway);
    event Debited(
        uint64 indexed id,
        uint64 indexed licenseId,
        bytes32 indexed order,
        bytes32 queryDigest,
        bytes32 snapshot,
        uint16 purpose,
        uint64 rho,
        uint64 deadline
    );
    event ReceiptAnchored(uint64 indexed id, bytes32 indexed order, bytes32 resultDigest, address worker);

    error StewardCommittee_BadQuorum(uint256 quorum, uint256 seats);
    error StewardCommittee_BadSeat(uint256 stewardId, address signer);
    error StewardCommittee_BadWorker(address signer);
    error StewardCommittee_TooFewSignatures(uint256 signatures, uint256 quorum);
    error StewardCommittee_NotSteward(uint256 index, address signer);
    error StewardCommittee_NotAscending(uint256 index, uint8 stewardId);
    error StewardCommittee_NotWorker(address signer);
    error StewardCommittee_AlreadyBooked(bytes32 order);
    error StewardCommittee_NotBooked(bytes32 order);
    error StewardCommittee_AlreadyAnchored(bytes32 order);
    error StewardCommittee_BadDeadline(uint64 deadline);
    error StewardCommittee_LicenseNotUsable(uint64 licenseId);

    /// @notice Once, by the factory.
    /// @param d the first committee, and the contracts that this one works with
    function initialize(Deployment calldata d) external initializer {
        __Governed_init(d.authority);
        __StewardBonds_init(d.usdc, d.treasury, d.ledger, d.disputes, d.minBond, d.objectionBond);
        _storage().license = License(_nonZero(d.license, "license"));
        _seat(d.seats, d.quorum);
        for (uint256 k; k < d.workers.length; ++k) {
            _registerWorker(d.workers[k].signer, d.workers[k].sealingKey);
        }
        _setGateway(d.gateway);
    }

    // ------------------------------------------------------------------------------------- administration

    /// @notice Seats a new committee in place of the one before. Its seats ask for the bond that is set now.
    /// @dev Who sat in the committee before keeps the sealing key in force: it rotated since this was proposed, and what
    /// it had then may be destroyed.
    /// @param seats_ in the order of their ids; sealing keys count for those who did not sit
    /// @param quorum_ more than half of them
    function seat(Seat[] calldata seats_, uint8 quorum_) external restricted {
        _seat(seats_, quorum_);
    }

    /// @notice Registers a worker, or gives it a new sealing key.
    /// @param signer by which the worker signs; no steward's
    /// @param sealingKey X25519, not zero
    function registerWorker(address signer, bytes32 sealingKey) external restricted {
        _registerWorker(signer, sealingKey);
    }

    /// @notice Removes a worker: what it signs from now on counts for nothing.
    /// @param signer by which it signed
    function removeWorker(address signer) external restricted {
        Storage storage $ = _storage();
        if ($.workerKeys[signer] == 0) revert StewardCommittee_NotWorker(signer);
        delete $.workerKeys[signer];
        emit WorkerRemoved(signer);
    }

    /// @notice Names the gateway that clients find by the chain.
    /// @param gateway_ by which it signs, not zero
    function setGateway(address gateway_) external restricted {
        _setGateway(gateway_);
    }

    /// @notice Gives a seat the sealing key that its steward signed. Anybody may send it.
    /// @dev The signature names generation and key that it replaces: with keys that are drawn at random it holds once, and
    /// not for a committee that is seated later.
    /// @param stewardId_ Seat number in the committee in office.
    /// @param sealingKey The new X25519 key, not zero.
    /// @param signature The seat's signature (ECDSA) over `SealingKey(generation, sealingKey, key in force)`.
    function rotateSealingKey(uint8 stewardId_, bytes32 sealingKey, bytes calldata signature) external {
        Storage storage $ = _storage();
        uint16 generation_ = $.office.generation;
        Seat[] storage seats_ = $.seats[generation_];
        // Check:
        if (stewardId_ == 0 || stewardId_ > seats_.length || sealingKey == 0) {
            revert StewardCommittee_BadSeat(stewardId_, address(0));
        }
        Seat storage seat_ = seats_[stewardId_ - 1];
        bytes32 structHash = keccak256(abi.encode(SEALING_KEY_TYPEHASH, generation_, sealingKey, seat_.sealingKey));
        address signer = ECDSA.recoverCalldata(_hashTypedDataV4(structHash), signature);
        if (signer != seat_.signer) revert StewardCommittee_BadSeat(stewardId_, signer);
        // Effects:
        seat_.sealingKey = sealingKey;
        emit SealingKeyRotated(stewardId_, sealingKey);
    }

    // --------------------------------------------------------------------------------------------- quorum

    /// @inheritdoc IStewardCommittee
    function verifyQuorum(bytes32 digest, bytes[] calldata signatures) external view returns (uint256) {
        return _verifyQuorum(digest, signatures);
    }

    /// @notice Books an order that a quorum signed, once. Shares are released only for what is booked, so everybody in
    /// the snapshot is charged before anything of theirs is opened.
    /// @param d what the stewards signed
    /// @param signatures by seat ascending
    /// @return id the debit's place in the order in which debits count, from 1
    function debit(Debit calldata d, bytes[] calldata signatures) external whenNotPaused returns (uint64 id) {
        Storage storage $ = _storage();
        // Check:
        if ($.booked[d.order].id != 0) revert StewardCommittee_AlreadyBooked(d.order);
        if (d.deadline < block.timestamp || d.deadline > block.timestamp + MAX_LIFETIME) {
            revert StewardCommittee_BadDeadline(d.deadline);
        }
        License.Terms memory terms = $.license.termsOf(d.licenseId);
        // One that was revoked has an expiry of 0, one that was never issued no right.
        if (terms.right != Rights.QUERY || terms.expiry < block.timestamp) {
            revert StewardCommittee_LicenseNotUsable(d.licenseId);
        }
        _verifyQuorum(_hashTypedDataV4(keccak256(abi.encode(DEBIT_TYPEHASH, d))), signatures);
        // Effects:
        id = ++$.debits;
        $.booked[d.order].id = id;
        emit Debited(id, d.licenseId, d.order, d.queryDigest, d.snapshot, d.purpose, d.rho, d.deadline);
    }

    /// @notice Anchors the one answer to a booked order: its blinded digest, as a worker signed it.
    /// @param order EIP-712 digest of the order
    /// @param resultDigest blinded digest of the answer
    /// @param workerSignature over `QueryReceipt`
    function anchorReceipt(bytes32 order, bytes32 resultDigest, bytes calldata workerSignature) external whenNotPaused {
        Booked storage b = _storage().booked[order];
        uint64 id = b.id;
        // Check:
        if (id == 0) revert StewardCommittee_NotBooked(order);
        if (b.answered) revert StewardCommittee_AlreadyAnchored(order);
        address worker = _recoverWorker(order, resultDigest, workerSignature);
        // Effects:
        b.answered = true;
        ++_storage().receipts[worker];
        emit ReceiptAnchored(id, order, resultDigest, worker);
    }

    // --------------------------------------------------------------------------------------------- scores

    /// @inheritdoc IScoreOracle
    /// @param evidence `abi.encode(bytes[])` of stewards' signatures. Two stewards with active seats suffice, in any order;
    /// what others signed is passed over. Reverts if it is encoded otherwise.
    /// @param scoreDigest_ as `scoreDigest` gives it
    /// @return whether two of them signed it
    function attested(bytes32 scoreDigest_, bytes calldata evidence) external view returns (bool) {
        bytes[] memory signatures = abi.decode(evidence, (bytes[]));
        uint64 asked = _seatBond();
        uint256 seen;
        for (uint256 i; i < signatures.length; ++i) {
            (address signer, ECDSA.RecoverError err,) = ECDSA.tryRecover(scoreDigest_, signatures[i]);
            if (err != ECDSA.RecoverError.NoError) continue;
            Stake memory s = _stakeOf(signer);
            if (_isActive(s, asked)) seen |= 1 << s.stewardId;
        }
        // More than one bit: taking the lowest away leaves something.
        return seen != 0 && seen & (seen - 1) != 0;
    }

    /// @notice What stewards sign of a score.
    /// @param s the score
    /// @return EIP-712 digest in this contract's domain
    function scoreDigest(Score calldata s) external view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(SCORE_TYPEHASH, s)));
    }

    // ---------------------------------------------------------------------------------------------- views

    /// @notice The committee in office.
    /// @return in the order of their ids, from 1
    function seats() external view returns (Seat[] memory) {
        Storage storage $ = _storage();
        return $.seats[$.office.generation];
    }

    /// @inheritdoc IStewardBonds
    function seatCount() external view returns (uint256) {
        Storage storage $ = _storage();
        return $.seats[$.office.generation].length;
    }

    /// @notice How many active seats a quorum takes.
    /// @return more than half of all
    function quorum() external view returns (uint8) {
        return _storage().office.quorum;
    }

    /// @notice Which committee is in office.
    /// @return from 1
    function generation() external view returns (uint32) {
        return _storage().office.generation;
    }

    /// @notice The gateway that clients find by the chain.
    /// @return the account by which it signs
    function gateway() external view returns (address) {
        return _storage().gateway;
    }

    /// @inheritdoc IStewardBonds
    function signersOf(uint256 signers) public view override returns (address[] memory stewards) {
        Seat[] storage seats_ = _storage().seats[uint16(signers >> MAX_SEATS)];
        uint256 n = seats_.length;
        uint256 named;
        for (uint256 i; i < n; ++i) {
            named += signers >> i & 1;
        }
        stewards = new address[](named);
        uint256 found;
        for (uint256 i; i < n; ++i) {
            if (signers & (1 << i) != 0) stewards[found++] = seats_[i].signer;
        }
    }

    /// @inheritdoc IStewardBonds
    function receiptsOf(address worker) external view returns (uint256) {
        return _storage().receipts[worker];
    }

    /// @notice The seat number of a steward, active or not; 0 for anybody else.
    /// @param signer by which the steward signs
    /// @return from 1
    function stewardId(address signer) external view returns (uint8) {
        Stake memory s = _stakeOf(signer);
        return _isSeated(s) ? s.stewardId : 0;
    }

    /// @notice The sealing key of a worker; zero for anybody else.
    /// @param signer by which a worker signs
    /// @return an X25519 key
    function workerKey(address signer) external view returns (bytes32) {
        return _storage().workerKeys[signer];
    }

    /// @notice How many debits were booked, which is also the last id.
    /// @return 0 before the first
    function debitCount() external view returns (uint64) {
        return _storage().debits;
    }

    /// @notice The debit of an order.
    /// @return id 0 where none is booked
    /// @return answered whether its receipt is anchored
    /// @param order EIP-712 digest of the order
    function debitOf(bytes32 order) external view returns (uint64 id, bool answered) {
        Booked storage b = _storage().booked[order];
        return (b.id, b.answered);
    }

    // ------------------------------------------------------------------------------------------- internal

    /// @dev A steward whose seat is not active may sign; it does not count.
    function _verifyQuorum(bytes32 digest, bytes[] calldata signatures) private view returns (uint256 signers) {
        Office memory office = _storage().office;
        uint256 counted;
        uint256 last;
        // Nothing here can overflow: ids are at most 32, and an id that passes is at least 1.
        unchecked {
            for (uint256 i; i < signatures.length; ++i) {
                address signer = ECDSA.recoverCalldata(digest, signatures[i]);
                (uint256 generation_, uint256 id, uint256 atStake) = _standingOf(signer);
                if (generation_ != office.generation) revert StewardCommittee_NotSteward(i, signer);
                if (id <= last) revert StewardCommittee_NotAscending(i, uint8(id));
                last = id;
                if (atStake < office.seatBond) continue;
                signers |= 1 << (id - 1);
                ++counted;
            }
        }
        if (counted < office.quorum) revert StewardCommittee_TooFewSignatures(counted, office.quorum);
        signers |= uint256(office.generation) << MAX_SEATS;
    }

    function _recoverWorker(bytes32 order, bytes32 resultDigest, bytes calldata signature)
        private
        view
        returns (address worker)
    {
        bytes32 receiptHash = keccak256(abi.encode(RECEIPT_TYPEHASH, order, resultDigest));
        worker = ECDSA.recoverCalldata(_hashTypedDataV4(receiptHash), signature);
        if (_storage().workerKeys[worker] == 0) revert StewardCommittee_NotWorker(worker);
    }

    function _seat(Seat[] calldata seats_, uint8 quorum_) private {
        Storage storage $ = _storage();
        Office memory office = $.office;
        // Check:
        bool enough = seats_.length >= MIN_SEATS && seats_.length <= MAX_SEATS;
        if (!enough || quorum_ > seats_.length || uint256(quorum_) * 2 <= seats_.length) {
            revert StewardCommittee_BadQuorum(quorum_, seats_.length);
        }
        // Effects:
        (office.generation, office.quorum, office.seatBond) = (office.generation + 1, quorum_, _minBond());
        $.office = office;
        for (uint256 i; i < seats_.length; ++i) {
            _seatOne($, office.generation, seats_[i], uint8(i + 1));
        }
        emit Seated(office.generation, $.seats[office.generation], quorum_);
    }

    function _seatOne(Storage storage $, uint16 generation_, Seat memory s, uint8 id) private {
        Stake memory stake = _stakeOf(s.signer);
        bool taken = _isOf(stake, generation_) || $.workerKeys[s.signer] != 0;
        if (s.signer == address(0) || s.sealingKey == 0 || taken) revert StewardCommittee_BadSeat(id, s.signer);
        // Generation 0 has nobody, and nobody is of it who has a seat number.
        if (stake.stewardId != 0 && _isOf(stake, generation_ - 1)) {
            s.sealingKey = $.seats[generation_ - 1][stake.stewardId - 1].sealingKey;
        }
        _setSeatOf(s.signer, generation_, id);
        $.seats[generation_].push(s);
    }

    function _registerWorker(address signer, bytes32 sealingKey) private {
        if (signer == address(0) || sealingKey == 0 || _isSeated(_stakeOf(signer))) {
            revert StewardCommittee_BadWorker(signer);
        }
        _storage().workerKeys[signer] = sealingKey;
        emit WorkerRegistered(signer, sealingKey);
    }

    function _setGateway(address gateway_) private {
        _storage().gateway = _nonZero(gateway_, "gateway");
        emit GatewaySet(gateway_);
    }

    function _seatBond() internal view override returns (uint64) {
        return _storage().office.seatBond;
    }

    function _isSeated(Stake memory s) internal view override returns (bool) {
        return _isOf(s, _storage().office.generation);
    }

    /// @dev Generations start at 1, so whoever never had a seat is of none.
    function _isOf(Stake memory s, uint16 generation_) private pure returns (bool) {
        return s.generation == generation_;
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
