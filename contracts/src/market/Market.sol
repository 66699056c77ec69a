// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Bounds} from "../access/Bounds.sol";
import {DataToken} from "../tokens/DataToken.sol";
import {License, Rights} from "./License.sol";
import {LicenseSale} from "./LicenseSale.sol";

/// @title Market
/// @notice Sells licenses at a fixed price for 1,000 records and each started month of 30 days: at once, reserved with a
/// time to think it over, or for DATA, of which a part burns. Renews them at the price of the day.
///
/// Roles
/// - Researcher: buys, from the account that EthicsRegistry approved.
/// - Token house: says what DATA is worth here and how much of it burns, and how long a reservation can be cancelled.
/// - Member house: whether buyers need a bond.
/// - Guardian: pauses sales, not cancellations.
/// - Charter: upgrades.
///
/// Assumptions: USDC moves exactly what it is told and calls nobody back. Prices come from DatasetCatalog. While DATA may
/// move among listed accounts only, the Treasury is listed.
/// Liveness: a sale needs an open dataset that is not auctioned, and a live approval. A reservation whose holder is no
/// longer approved can be cancelled at any time, by anyone for the holder, so no money stays behind; otherwise anyone can
/// turn it into a license once the time is over.
/// Who can hurt whom: whoever sets prices can raise one before a sale is mined; `permit.value` and `maxData` bound what a
/// buyer pays. The ethics board can withdraw an approval; licenses that were sold stay, and stewards judge each query
/// again.
contract Market is LicenseSale {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    /// @dev Three slots. Gone once it became a license or was cancelled.
    struct Reservation {
        address holder;
        uint96 price;
        uint32 datasetId;
        uint32 records;
        uint16 purpose;
        uint8 ehdsCategory;
        uint64 duration;
        uint64 cancelUntil;
        bytes32 recipientKey;
    }

    /// @custom:storage-location erc7201:rochdale.storage.Market
    struct Storage {
        DataToken dataToken;
        uint64 lastReservation;
        uint32 refundWindow;
        // One slot: read by every sale for DATA.
        uint128 dataPerUsdc;
        // At most the whole.
        uint16 burnBps;
        // The sum of their prices is held here, and never more is owed.
        mapping(uint64 reservationId => Reservation) reservations;
    }

    bytes32 private constant STORAGE = 0x4d326df386fbf92270c739ad0e992d93c3fe059d1f9d0cbfc4b900c202269600;

    uint256 private constant PRICE_UNIT = 1_000;

    /// @notice What a license is priced by; a month that has begun counts as a whole one.
    uint64 public constant MONTH = 30 days;

    uint256 private constant USDC_UNIT = 1e6;
    uint256 private constant ONE = 10_000;

    event Reserved(uint64 indexed reservationId, address indexed holder, uint32 datasetId, uint256 price);
    event ReservationActivated(uint64 indexed reservationId, uint64 licenseId);
    event ReservationCancelled(uint64 indexed reservationId, uint256 refund);
    event SoldForData(uint64 indexed licenseId, uint32 indexed datasetId, uint256 burned, uint256 kept);
    event Renewed(uint64 indexed licenseId, uint64 expiry, uint256 price);
    event DataTermsSet(uint128 dataPerUsdc, uint16 burnBps);
    event RefundWindowSet(uint32 refundWindow);

    error Market_BadDataTerms(uint128 dataPerUsdc, uint16 burnBps);
    error Market_BadRefundWindow(uint32 refundWindow);
    error Market_DataNotAccepted();
    error Market_DataPriceExceeds(uint256 price, uint256 maxData);
    error Market_NoReservation(uint64 reservationId);
    error Market_NotHolder(address caller);
    error Market_StillCancellable(uint64 reservationId, uint64 until);
    error Market_NotCancellable(uint64 reservationId, uint64 until);
    error Market_NotRenewable(uint64 licenseId);

    /// @notice Once, by the factory.
    /// @param d the contracts that a sale works with
    /// @param dataToken what licenses may also be paid in
    /// @param refundWindow_ seconds in which a reservation can be cancelled
    function initialize(Deployment calldata d, address dataToken, uint32 refundWindow_) external initializer {
        __LicenseSale_init(d);
        _storage().dataToken = DataToken(_nonZero(dataToken, "dataToken"));
        _setRefundWindow(refundWindow_);
    }

    // ------------------------------------------------------------------------------------- administration

    /// @notice Sets what a license costs in DATA, and which part of it burns.
    /// @param dataPerUsdc wei of DATA for 1 USDC; 0 = DATA is not accepted
    /// @param burnBps of what is paid, in basis points
    function setDataTerms(uint128 dataPerUsdc, uint16 burnBps) external restricted {
        if (burnBps > ONE) revert Market_BadDataTerms(dataPerUsdc, burnBps);
        Storage storage $ = _storage();
        ($.dataPerUsdc, $.burnBps) = (dataPerUsdc, burnBps);
        emit DataTermsSet(dataPerUsdc, burnBps);
    }

    /// @notice Sets for how many seconds later reservations can be cancelled.
    /// @param refundWindow_ at most 30 days
    function setRefundWindow(uint32 refundWindow_) external restricted {
        _setRefundWindow(refundWindow_);
    }

    // ------------------------------------------------------------------------------------------- sales

    /// @notice Buys a license: the permit is tried, the price goes to the Treasury, the license to the caller.
    /// @param o what is bought
    /// @param p `value` is the most that the caller pays
    /// @return licenseId from 1
    function buy(Order calldata o, Permit calldata p) external nonReentrant whenNotPaused returns (uint64 licenseId) {
        // Check:
        uint256 price = _checkSale(o);
        // Interaction: the license first, so that its id can be booked; every callee is the cooperative's own or USDC.
        licenseId = _issue(msg.sender, o, Rights.QUERY);
        _pay(p, licenseId, o.datasetId, price);
    }

    /// @notice Buys a license for DATA that the caller approved: a part burns, the rest is the Treasury's.
    /// @param o what is bought
    /// @param maxData the most that the caller pays, wei of DATA
    /// @return licenseId from 1
    function buyWithData(Order calldata o, uint256 maxData)
        external
        nonReentrant
        whenNotPaused
        returns (uint64 licenseId)
    {
        Storage storage $ = _storage();
        // Check:
        uint256 price = _inData($, _checkSale(o));
        if (price == 0) revert Market_DataNotAccepted();
        if (price > maxData) revert Market_DataPriceExceeds(price, maxData);
        uint256 burned = price * $.burnBps / ONE;
        // Interaction:
        licenseId = _issue(msg.sender, o, Rights.QUERY);
        emit SoldForData(licenseId, o.datasetId, burned, price - burned);
        DataToken dataToken = $.dataToken;
        dataToken.burnFrom(msg.sender, burned);
        if (price != burned) {
            IERC20(address(dataToken)).safeTransferFrom(msg.sender, address(_sale().treasury), price - burned);
        }
    }

    /// @notice Moves the end of the caller's license by `duration`, from now if it has ended, at the price of the day for
    /// the months that `duration` begins.
    /// @param licenseId the caller's, not revoked
    /// @param duration seconds
    /// @param p `value` is the most that the caller pays
    /// @return expiry the new end, unix seconds
    function renew(uint64 licenseId, uint64 duration, Permit calldata p)
        external
        nonReentrant
        whenNotPaused
        returns (uint64 expiry)
    {
        License license = _sale().license;
        // Check:
        if (license.ownerOf(licenseId) != msg.sender) revert Market_NotHolder(msg.sender);
        License.Terms memory t = license.termsOf(licenseId);
        if (t.right != Rights.QUERY) revert Market_NotRenewable(licenseId);
        uint256 price = _checkSale(Order(t.datasetId, t.records, t.purpose, t.ehdsCategory, duration, t.recipientKey));
        uint64 time = uint64(block.timestamp);
        expiry = (t.expiry > time ? t.expiry : time) + duration;
        if (expiry > time + MAX_DURATION) revert LicenseSale_BadOrder("duration");
        // Interaction:
        emit Renewed(licenseId, expiry, price);
        license.extend(licenseId, expiry);
        _pay(p, licenseId, t.datasetId, price);
    }

    // ------------------------------------------------------------------------------------- reservations

    /// @notice Reserves a license at today's price: the money is held here and given back in full if it is cancelled.
    /// @param o what is reserved
    /// @param p `value` is the most that the caller pays
    /// @return reservationId from 1
    function reserve(Order calldata o, Permit calldata p)
        external
        nonReentrant
        whenNotPaused
        returns (uint64 reservationId)
    {
        Storage storage $ = _storage();
        // Check:
        uint256 price = _checkSale(o);
        // Effects:
        reservationId = ++$.lastReservation;
        $.reservations[reservationId] = Reservation({
            holder: msg.sender,
            price: price.toUint96(),
            datasetId: o.datasetId,
            records: o.records,
            purpose: o.purpose,
            ehdsCategory: o.ehdsCategory,
            duration: o.duration,
            cancelUntil: uint64(block.timestamp) + $.refundWindow,
            recipientKey: o.recipientKey
        });
        emit Reserved(reservationId, msg.sender, o.datasetId, price);
        // Interaction:
        _pull(p, price, address(this));
    }

    /// @notice Turns a reservation into a license that begins now: by its holder, or by anyone once it is too late to cancel.
    /// @param reservationId neither activated nor cancelled
    /// @return licenseId from 1
    function activate(uint64 reservationId) external nonReentrant whenNotPaused returns (uint64 licenseId) {
        Reservation memory r = _reserved(reservationId);
        // Check:
        if (msg.sender != r.holder && block.timestamp < r.cancelUntil) {
            revert Market_StillCancellable(reservationId, r.cancelUntil);
        }
        _checkApproved(r.holder, r.purpose, block.timestamp);
        // Effects:
        delete _storage().reservations[reservationId];
        // Interaction:
        Order memory o = Order(r.datasetId, r.records, r.purpose, r.ehdsCategory, r.duration, r.recipientKey);
        licenseId = _issue(r.holder, o, Rights.QUERY);
        emit ReservationActivated(reservationId, licenseId);
        _earn(licenseId, r.datasetId, r.price);
    }

    /// @notice Gives the holder everything back: in time by the holder, and at any time by anyone once the approval ended.
    /// @param reservationId neither activated nor cancelled
    function cancel(uint64 reservationId) external nonReentrant {
        Reservation memory r = _reserved(reservationId);
        // Check:
        if (_isApproved(r.holder, r.purpose, block.timestamp)) {
            if (msg.sender != r.holder) revert Market_NotHolder(msg.sender);
            if (block.timestamp >= r.cancelUntil) revert Market_NotCancellable(reservationId, r.cancelUntil);
        }
        // Effects:
        delete _storage().reservations[reservationId];
        emit ReservationCancelled(reservationId, r.price);
        // Interaction:
        _sale().usdc.safeTransfer(r.holder, r.price);
    }

    // ---------------------------------------------------------------------------------------------- views

    /// @notice What an order costs now, in micro-USDC.
    /// @param o the order
    /// @return rounded up
    function priceOf(Order calldata o) external view returns (uint256) {
        return _price(o);
    }

    /// @notice What an order costs now, in wei of DATA; 0 = DATA is not accepted.
    /// @param o the order
    /// @return rounded up
    function dataPriceOf(Order calldata o) external view returns (uint256) {
        return _inData(_storage(), _price(o));
    }

    /// @notice Wei of DATA for 1 USDC, and the part of it that burns.
    /// @return dataPerUsdc wei of DATA for 1 USDC; 0 = DATA is not accepted
    /// @return burnBps the part that burns, in basis points
    function dataTerms() external view returns (uint128 dataPerUsdc, uint16 burnBps) {
        Storage storage $ = _storage();
        return ($.dataPerUsdc, $.burnBps);
    }

    /// @notice How long later reservations can be cancelled.
    /// @return seconds
    function refundWindow() external view returns (uint32) {
        return _storage().refundWindow;
    }

    /// @notice A reservation; all zero once it became a license or was cancelled.
    /// @param reservationId which reservation
    /// @return with the price of its day
    function reservationOf(uint64 reservationId) external view returns (Reservation memory) {
        return _storage().reservations[reservationId];
    }

    // ------------------------------------------------------------------------------------------- internal

    /// @dev Everything that must hold before the caller buys, and the price.
    function _checkSale(Order memory o) private view returns (uint256) {
        _checkBuyer(msg.sender, o.purpose, block.timestamp);
        if (o.records == 0) revert LicenseSale_BadOrder("records");
        _checkOrder(o);
        return _price(o);
    }

    function _price(Order memory o) private view returns (uint256) {
        (uint128 pricePerThousand, bool auctioned) = _openDataset(o.datasetId);
        if (auctioned) revert LicenseSale_SoldOtherwise(o.datasetId, auctioned);
        uint256 months = Math.ceilDiv(o.duration, MONTH);
        return Math.ceilDiv(o.records * (pricePerThousand * months), PRICE_UNIT);
    }

    function _inData(Storage storage $, uint256 price) private view returns (uint256) {
        return Math.mulDiv(price, $.dataPerUsdc, USDC_UNIT, Math.Rounding.Ceil);
    }

    /// @dev Moves the price straight to the Treasury and books it.
    function _pay(Permit calldata p, uint64 licenseId, uint32 datasetId, uint256 price) private {
        _pull(p, price, address(_sale().treasury));
        _sale().treasury.book(licenseId, datasetId, price);
    }

    function _reserved(uint64 reservationId) private view returns (Reservation memory r) {
        r = _storage().reservations[reservationId];
        if (r.holder == address(0)) revert Market_NoReservation(reservationId);
    }

    function _setRefundWindow(uint32 refundWindow_) private {
        if (refundWindow_ > Bounds.MAX_DESK_TIME) revert Market_BadRefundWindow(refundWindow_);
        _storage().refundWindow = refundWindow_;
        emit RefundWindowSet(refundWindow_);
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
