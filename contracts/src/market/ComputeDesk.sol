// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Bounds} from "../access/Bounds.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";
import {EscrowedSale} from "./EscrowedSale.sol";
import {IComputeCommittee} from "./IComputeCommittee.sol";
import {Rights} from "./License.sol";
import {LicenseSale} from "./LicenseSale.sol";

/// @title ComputeDesk
/// @notice Sells one computation: a base price and a price for each metered unit, paid ahead up to a limit, settled by a
/// receipt, given back where none comes in time. Units follow from plan and snapshot, never from how long it ran.
///
/// Roles
/// - Researcher: opens a job, from the approved account itself.
/// - Stewards (a quorum) and a worker: sign the receipt together; anyone sends it.
/// - Token house: sets the prices and the time limit of later jobs, and whether buyers need a bond.
/// - Guardian: pauses opening and completing, not refunds and withdrawals. A pause lengthens the time of each job that it
///   meets under way by as long as it lasts: who did the work can send the receipt as late as without it.
/// - Charter: upgrades.
///
/// Assumptions: a quorum of stewards is honest; each of them counts the units from the plan and the snapshot by itself
/// before it signs. USDC moves exactly what it is told and calls nobody back.
/// Liveness: without a receipt, all of it can be fetched after the time limit, by anyone for the researcher. The license
/// ends at the limit of its opening: a pause stops the receipt, not the work.
/// Who can hurt whom: stewards and worker together can charge up to the limit that the researcher set, not more; either
/// alone nothing. A worker that is silent costs the researcher time, not money.
contract ComputeDesk is NamedEIP712, EscrowedSale {
    /// @param planDigest keccak of the query's canonical JSON
    /// @param maxUnits the most units the researcher pays for
    /// @param recipientKey X25519 key that the result is sealed to
    struct Job {
        uint32 datasetId;
        uint16 purpose;
        uint8 ehdsCategory;
        uint64 maxUnits;
        bytes32 planDigest;
        bytes32 recipientKey;
    }

    /// @dev What stewards and worker sign.
    struct ComputeReceipt {
        uint64 jobId;
        uint64 units;
        bytes32 planDigest;
        bytes32 snapshot;
    }

    /// @dev A job that is under way; gone once it is completed or refunded. The prices are those of its opening, and
    /// `refundAt` is on the clock that stands still in a pause.
    struct OpenJob {
        address researcher;
        uint64 licenseId;
        uint32 datasetId;
        uint128 base;
        uint128 perUnit;
        uint64 maxUnits;
        uint64 refundAt;
        bytes32 planDigest;
    }

    /// @custom:storage-location erc7201:rochdale.storage.ComputeDesk
    struct Storage {
        IComputeCommittee committee;
        uint64 lastId;
        uint32 timeout;
        uint128 base;
        uint128 perUnit;
        // The most that each can cost is held here.
        mapping(uint64 jobId => OpenJob) jobs;
    }

    bytes32 private constant STORAGE = 0x1843957fbe5107cae21c077dfadcaf60b35ad088d9e6f5fe9d904adc59d47900;

    bytes32 private constant RECEIPT_TYPEHASH =
        keccak256("ComputeReceipt(uint64 jobId,uint64 units,bytes32 planDigest,bytes32 snapshot)");

    /// @notice Bounds of a job's time. A receipt that no sequencer takes is forced in within a day on the rollups of today;
    /// a refund before that would take the pay from who has done the work.
    uint32 public constant MIN_TIMEOUT = Bounds.MIN_TIMEOUT;
    uint32 public constant MAX_TIMEOUT = Bounds.MAX_DESK_TIME;

    event ComputePriceSet(uint128 base, uint128 perUnit);
    event TimeoutSet(uint32 timeout);
    event JobOpened(
        uint64 indexed jobId, uint64 indexed licenseId, address indexed researcher, bytes32 planDigest, uint256 escrow
    );
    event JobCompleted(
        uint64 indexed jobId, uint64 units, uint256 cost, uint256 refund, bytes32 snapshot, address worker
    );
    event JobRefunded(uint64 indexed jobId, uint256 refund);

    error ComputeDesk_NoPrice();
    error ComputeDesk_BadTimeout(uint32 timeout);
    error ComputeDesk_NotUnderWay(uint64 jobId);
    error ComputeDesk_TooManyUnits(uint64 units, uint64 maxUnits);
    error ComputeDesk_WrongPlan(bytes32 planDigest);
    error ComputeDesk_NotWorker(address signer);
    error ComputeDesk_TooEarly(uint64 jobId, uint64 refundAt);

    /// @notice Once, by the factory.
    /// @param d the contracts that a sale works with
    /// @param committee whose quorum signs receipts
    /// @param timeout_ seconds that a job has
    function initialize(Deployment calldata d, address committee, uint32 timeout_) external initializer {
        __LicenseSale_init(d);
        _storage().committee = IComputeCommittee(_nonZero(committee, "committee"));
        _setTimeout(timeout_);
    }

    /// @notice Sets the price of later jobs in micro-USDC; both zero stops them.
    /// @param base of each job, micro-USDC
    /// @param perUnit of each metered unit, micro-USDC
    function setPrice(uint128 base, uint128 perUnit) external restricted {
        Storage storage $ = _storage();
        ($.base, $.perUnit) = (base, perUnit);
        emit ComputePriceSet(base, perUnit);
    }

    /// @notice Sets how many seconds later jobs have.
    /// @param timeout_ within the bounds above
    function setTimeout(uint32 timeout_) external restricted {
        _setTimeout(timeout_);
    }

    /// @notice Opens a job: takes the most that it can cost and issues a license for its plan alone.
    /// @param j what to compute
    /// @param p for the most that it can cost
    /// @return jobId from 1
    function open(Job calldata j, Permit calldata p) external nonReentrant whenNotPaused returns (uint64 jobId) {
        Storage storage $ = _storage();
        uint64 timeout_ = $.timeout;
        Order memory o = Order(j.datasetId, 0, j.purpose, j.ehdsCategory, timeout_, j.recipientKey);
        // Check:
        _checkBuyer(msg.sender, j.purpose, block.timestamp);
        _checkOrder(o);
        _openDataset(j.datasetId);
        if (j.maxUnits == 0) revert LicenseSale_BadOrder("maxUnits");
        if (j.planDigest == 0) revert LicenseSale_BadOrder("planDigest");
        if ($.base == 0 && $.perUnit == 0) revert ComputeDesk_NoPrice();
        // Effects:
        jobId = ++$.lastId;
        OpenJob storage job = $.jobs[jobId];
        (job.researcher, job.datasetId, job.planDigest) = (msg.sender, j.datasetId, j.planDigest);
        (job.base, job.perUnit, job.maxUnits) = ($.base, $.perUnit, j.maxUnits);
        job.refundAt = _clock() + timeout_;
        uint256 escrow = _costOf(job, j.maxUnits);
        // Interaction: with the cooperative's own contracts and USDC.
        uint64 licenseId = _issue(msg.sender, o, Rights.COMPUTE);
        job.licenseId = licenseId;
        emit JobOpened(jobId, licenseId, msg.sender, j.planDigest, escrow);
        _pull(p, escrow, address(this));
    }

    /// @notice Settles a job by its receipt: books the cost, owes the rest to the researcher. Possible until refunded.
    /// @param r what was computed
    /// @param stewardSignatures a quorum's over `r`, by seat ascending
    /// @param workerSignature a registered worker's over `r`
    function complete(ComputeReceipt calldata r, bytes[] calldata stewardSignatures, bytes calldata workerSignature)
        external
        nonReentrant
        whenNotPaused
    {
        OpenJob memory job = _underWay(r.jobId);
        // Check:
        if (r.units > job.maxUnits) revert ComputeDesk_TooManyUnits(r.units, job.maxUnits);
        if (r.planDigest != job.planDigest) revert ComputeDesk_WrongPlan(r.planDigest);
        address worker = _checkSigned(r, stewardSignatures, workerSignature);
        // Effects:
        delete _storage().jobs[r.jobId];
        uint256 cost = _costOf(job, r.units);
        uint256 rest = _costOf(job, job.maxUnits) - cost;
        _owe(job.researcher, rest);
        emit JobCompleted(r.jobId, r.units, cost, rest, r.snapshot, worker);
        // Interaction:
        _earn(job.licenseId, job.datasetId, cost);
    }

    /// @notice Gives everything back after the time limit and revokes the license; anyone may ask for it.
    /// @param jobId a job that is under way
    function refund(uint64 jobId) external nonReentrant {
        Storage storage $ = _storage();
        OpenJob memory job = _underWay(jobId);
        // Check:
        if (_clock() < job.refundAt) revert ComputeDesk_TooEarly(jobId, _unixTimeOf(job.refundAt));
        // Effects:
        delete $.jobs[jobId];
        uint256 escrow = _costOf(job, job.maxUnits);
        _owe(job.researcher, escrow);
        emit JobRefunded(jobId, escrow);
        // Interaction:
        _sale().license.revoke(job.licenseId);
    }

    // ---------------------------------------------------------------------------------------------- views

    /// @notice The price of later jobs and the seconds they have.
    /// @return base of each job, micro-USDC
    /// @return perUnit of each metered unit, micro-USDC
    /// @return timeout seconds that a job has
    function prices() external view returns (uint128 base, uint128 perUnit, uint32 timeout) {
        Storage storage $ = _storage();
        return ($.base, $.perUnit, $.timeout);
    }

    /// @notice A job that is under way, with the time of its refund in unix seconds as it stands now; all zero otherwise.
    /// @param jobId which job
    /// @return job its prices are those of its opening
    function jobOf(uint64 jobId) external view returns (OpenJob memory job) {
        job = _storage().jobs[jobId];
        if (job.researcher == address(0)) return job;
        bool over = _clock() >= job.refundAt;
        job.refundAt = _unixTimeOf(job.refundAt);
        // A pause that began after its time does not take the refund back.
        if (over) job.refundAt = uint64(Math.min(job.refundAt, block.timestamp));
    }

    /// @notice What stewards and worker sign.
    /// @param r the receipt
    /// @return EIP-712 digest in this contract's domain
    function receiptDigest(ComputeReceipt calldata r) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(RECEIPT_TYPEHASH, r)));
    }

    // ------------------------------------------------------------------------------------------- internal

    function _checkSigned(ComputeReceipt calldata r, bytes[] calldata stewardSignatures, bytes calldata workerSignature)
        private
        view
        returns (address worker)
    {
        bytes32 digest = receiptDigest(r);
        IComputeCommittee committee = _storage().committee;
        committee.verifyQuorum(digest, stewardSignatures);
        worker = ECDSA.recoverCalldata(digest, workerSignature);
        if (committee.workerKey(worker) == 0) revert ComputeDesk_NotWorker(worker);
    }

    function _costOf(OpenJob memory job, uint64 units) private pure returns (uint256) {
        return uint256(job.base) + uint256(job.perUnit) * units;
    }

    function _underWay(uint64 jobId) private view returns (OpenJob memory job) {
        job = _storage().jobs[jobId];
        if (job.researcher == address(0)) revert ComputeDesk_NotUnderWay(jobId);
    }

    function _setTimeout(uint32 timeout_) private {
        if (timeout_ < MIN_TIMEOUT || timeout_ > MAX_TIMEOUT) revert ComputeDesk_BadTimeout(timeout_);
        _storage().timeout = timeout_;
        emit TimeoutSet(timeout_);
    }

    function _EIP712Name() internal pure override returns (string memory) {
        return "ComputeDesk";
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
