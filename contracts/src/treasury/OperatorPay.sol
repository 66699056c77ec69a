// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Governed} from "../access/Governed.sol";
import {IStewardBonds} from "../oracle/IStewardBonds.sol";
import {ITreasury} from "./ITreasury.sol";

/// @notice What the settlement tells of the stewards that signed.
interface ISigned {
    /// @notice The last final epoch and the set of those that signed it, as `IStewardBonds` encodes it; zeros before the first.
    /// @return epoch the last final one
    /// @return signers of its header
    function finalSigners() external view returns (uint32 epoch, uint256 signers);
}

/// @title OperatorPay
/// @notice Pays stewards for each epoch that they signed and workers for each receipt that was anchored, out of the
/// Treasury's operations bucket.
///
/// Roles
/// - Anyone: meters the work that the chain has seen, and has an operator paid at the operator's own address.
/// - Token house: sets the rates. Charter: upgrades.
///
/// Assumptions: SettlementLedger tells truly who signed the last final epoch, StewardCommittee who they are and how many
/// receipts of a worker it anchored.
///
/// Liveness: an epoch can be metered until the next one is final; after that it is not paid. Receipts are counted since
/// the start, so theirs is never too late. A rate holds for what is metered after it was set, whenever it was done:
/// whoever wants the rate of before meters before. Where the bucket does not reach, the rest stays owed, and who
/// collects first after the next sale is paid first.
///
/// Who can hurt whom: the token house can set rates to nothing, but not take what was metered, and it can spend the
/// bucket on something else. A quorum of stewards that colludes with a worker could book and answer orders that
/// nobody gave; each is a debit of privacy budget, in public, under a license that is live.
contract OperatorPay is Governed {
    using SafeCast for uint256;

    /// @dev One slot, micro-USDC.
    struct Rates {
        uint96 stewardPerEpoch;
        uint96 workerPerReceipt;
    }

    /// @dev One slot.
    struct Earnings {
        uint128 owed;
        // Never above those that the committee anchored.
        uint128 receipts;
    }

    /// @custom:storage-location erc7201:rochdale.storage.OperatorPay
    struct Storage {
        // One slot: read by every metering of an epoch.
        ISigned ledger;
        // Only grows: an epoch is paid once.
        uint32 meteredEpoch;
        IStewardBonds committee;
        ITreasury treasury;
        Rates rates;
        mapping(address operator => Earnings) accounts;
    }

    bytes32 private constant STORAGE = 0x3f61beb4f83fa1ca0e112c6eacc942f5e3ae21adb9b5d078c02ac9be4dd31c00;

    event RatesSet(uint96 stewardPerEpoch, uint96 workerPerReceipt);
    event EpochMetered(uint32 indexed epoch, address[] stewards, uint256 each);
    event ReceiptsMetered(address indexed worker, uint256 receipts, uint256 amount);
    event Collected(address indexed operator, uint256 amount, uint256 stillOwed);

    error OperatorPay_AlreadyMetered(uint32 epoch);
    error OperatorPay_NothingMetered(address worker);
    error OperatorPay_NothingToPay(address operator, uint256 owed);

    /// @notice Once, by the factory.
    /// @param authority_ the cooperative's AccessManager
    /// @param treasury whose operations pay
    /// @param ledger who tells which stewards signed
    /// @param committee who tells which stewards they are, and how many receipts a worker has
    /// @param rates_ what is paid for what
    function initialize(address authority_, address treasury, address ledger, address committee, Rates calldata rates_)
        external
        initializer
    {
        __Governed_init(authority_);
        Storage storage $ = _storage();
        $.treasury = ITreasury(_nonZero(treasury, "treasury"));
        $.ledger = ISigned(_nonZero(ledger, "ledger"));
        $.committee = IStewardBonds(_nonZero(committee, "committee"));
        _setRates(rates_);
    }

    /// @notice Sets what is paid for work that is metered from now on, in micro-USDC.
    /// @param rates_ from now on
    function setRates(Rates calldata rates_) external restricted {
        _setRates(rates_);
    }

    /// @notice Credits each steward that signed the last final epoch, once.
    function meter() external {
        Storage storage $ = _storage();
        (uint32 epoch, uint256 signers) = $.ledger.finalSigners();
        // Check:
        if (epoch <= $.meteredEpoch) revert OperatorPay_AlreadyMetered(epoch);
        // Effects:
        $.meteredEpoch = epoch;
        address[] memory stewards = $.committee.signersOf(signers);
        uint128 each = $.rates.stewardPerEpoch;
        for (uint256 i; i < stewards.length; ++i) {
            $.accounts[stewards[i]].owed += each;
        }
        emit EpochMetered(epoch, stewards, each);
    }

    /// @notice Credits a worker with the receipts that were anchored since it was metered last.
    /// @param worker who signed receipts
    function meterWorker(address worker) external {
        Storage storage $ = _storage();
        Earnings storage earnings = $.accounts[worker];
        uint256 receipts = $.committee.receiptsOf(worker);
        uint256 fresh = receipts - earnings.receipts;
        // Check:
        if (fresh == 0) revert OperatorPay_NothingMetered(worker);
        // Effects:
        uint256 amount = fresh * $.rates.workerPerReceipt;
        (earnings.owed, earnings.receipts) = ((earnings.owed + amount).toUint128(), receipts.toUint128());
        emit ReceiptsMetered(worker, fresh, amount);
    }

    /// @notice Pays an operator what it is owed, as far as the bucket reaches.
    /// @param operator to whom it is owed, and paid
    function collect(address operator) external {
        Storage storage $ = _storage();
        ITreasury treasury = $.treasury;
        uint256 owed = $.accounts[operator].owed;
        uint256 amount = Math.min(owed, treasury.available(ITreasury.Bucket.Operations));
        // Check:
        if (amount == 0) revert OperatorPay_NothingToPay(operator, owed);
        // Effects:
        $.accounts[operator].owed = uint128(owed - amount);
        emit Collected(operator, amount, owed - amount);
        // Interaction:
        treasury.payOperator(operator, amount);
    }

    /// @notice What is paid for work that is metered now.
    /// @return micro-USDC
    function rates() external view returns (Rates memory) {
        return _storage().rates;
    }

    /// @notice What an operator may collect, in micro-USDC.
    /// @param operator to whom it is owed
    /// @return micro-USDC
    function owedTo(address operator) external view returns (uint256) {
        return _storage().accounts[operator].owed;
    }

    /// @notice How many receipts of a worker were metered since the start.
    /// @param worker who signed them
    /// @return never more than were anchored
    function receiptsMetered(address worker) external view returns (uint256) {
        return _storage().accounts[worker].receipts;
    }

    /// @notice The last epoch that was metered; 0 before the first.
    /// @return only grows
    function meteredEpoch() external view returns (uint32) {
        return _storage().meteredEpoch;
    }

    function _setRates(Rates calldata rates_) private {
        _storage().rates = rates_;
        emit RatesSet(rates_.stewardPerEpoch, rates_.workerPerReceipt);
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
