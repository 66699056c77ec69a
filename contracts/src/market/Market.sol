// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Governed} from "../access/Governed.sol";
import {DatasetCatalog} from "./DatasetCatalog.sol";
import {License} from "./License.sol";
import {Treasury} from "../treasury/Treasury.sol";

/// @title Market
/// @notice Sells licenses at a fixed price for 1,000 records, paid in USDC.
///
/// Roles
/// - Ethics board (a role of the authority): approves a researcher for a purpose until a date.
/// - Researcher: buys, from the approved account itself.
/// - Authority: upgrades.
///
/// Assumptions: USDC moves exactly what it is told and calls nobody back. Prices come from DatasetCatalog.
/// Liveness: a sale needs an open dataset and a live approval; a permit that somebody else already sent does no harm.
/// Who can hurt whom: whoever sets prices can raise one before a sale is mined; `permit.value` bounds what a buyer pays.
/// The ethics board can withdraw an approval; licenses that were sold stay, and stewards judge each query again.
contract Market is Governed, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @param duration seconds that the license lasts
    struct Order {
        uint32 datasetId;
        uint32 records;
        uint16 purpose;
        uint8 ehdsCategory;
        uint64 duration;
        bytes32 recipientKey;
    }

    /// @param value the most the buyer pays; also the amount of the ERC-2612 permit
    struct Permit {
        uint256 value;
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @custom:storage-location erc7201:rochdale.storage.Market
    struct Storage {
        IERC20 usdc;
        Treasury treasury;
        DatasetCatalog catalog;
        License license;
        mapping(address researcher => mapping(uint16 purpose => uint64)) approvedUntil;
    }

    bytes32 private constant STORAGE = 0x4d326df386fbf92270c739ad0e992d93c3fe059d1f9d0cbfc4b900c202269600;

    uint8 private constant RIGHT_QUERY = 1;
    uint8 private constant LAST_EHDS_CATEGORY = 6;
    uint256 private constant PRICE_UNIT = 1_000;

    /// @notice The longest license.
    uint64 public constant MAX_DURATION = 5 * 365 days;

    event ResearcherApproved(address indexed researcher, uint16 purpose, uint64 until);

    error Market_ZeroResearcher();
    error Market_NotApproved(address researcher, uint16 purpose, uint64 until);
    error Market_DatasetClosed(uint32 datasetId);
    error Market_BadOrder(string field);
    error Market_PriceExceeds(uint256 price, uint256 value);

    function initialize(address authority_, address usdc, address treasury, address catalog, address license)
        external
        initializer
    {
        __Governed_init(authority_);
        Storage storage $ = _storage();
        $.usdc = IERC20(_nonZero(usdc, "usdc"));
        $.treasury = Treasury(_nonZero(treasury, "treasury"));
        $.catalog = DatasetCatalog(_nonZero(catalog, "catalog"));
        $.license = License(_nonZero(license, "license"));
    }

    /// @notice Approves a researcher for a purpose until a time in unix seconds; a time that has passed withdraws it.
    function approveResearcher(address researcher, uint16 purpose, uint64 until) external restricted {
        if (researcher == address(0)) revert Market_ZeroResearcher();
        _storage().approvedUntil[researcher][purpose] = until;
        emit ResearcherApproved(researcher, purpose, until);
    }

    /// @notice Until when a researcher is approved for a purpose; 0 = never was.
    function approvedUntil(address researcher, uint16 purpose) external view returns (uint64) {
        return _storage().approvedUntil[researcher][purpose];
    }

    /// @notice Buys a license: the permit is tried, the price goes to the Treasury, the license to the caller.
    function buy(Order calldata o, Permit calldata p) external nonReentrant returns (uint64 licenseId) {
        Storage storage $ = _storage();
        // Check:
        _checkOrder($, o);
        uint256 price = _price($, o);
        if (price > p.value) revert Market_PriceExceeds(price, p.value);
        // Interaction: the license first, so that its id can be booked; every callee is the cooperative's own or USDC.
        licenseId = $.license.mint(msg.sender, _terms(o));
        (IERC20 usdc, Treasury treasury) = ($.usdc, $.treasury);
        try IERC20Permit(address(usdc)).permit(msg.sender, address(this), p.value, p.deadline, p.v, p.r, p.s) {}
            catch {} // Somebody sent it before, or the buyer had approved: the transfer decides.
        usdc.safeTransferFrom(msg.sender, address(treasury), price);
        treasury.book(licenseId, o.datasetId, price);
    }

    /// @notice What an order costs now, in micro-USDC.
    function priceOf(Order calldata o) external view returns (uint256) {
        return _price(_storage(), o);
    }

    function _checkOrder(Storage storage $, Order calldata o) private view {
        uint64 until = $.approvedUntil[msg.sender][o.purpose];
        if (block.timestamp >= until) revert Market_NotApproved(msg.sender, o.purpose, until);
        if (o.records == 0) revert Market_BadOrder("records");
        if (o.ehdsCategory == 0 || o.ehdsCategory > LAST_EHDS_CATEGORY) revert Market_BadOrder("ehdsCategory");
        if (o.duration == 0 || o.duration > MAX_DURATION) revert Market_BadOrder("duration");
        if (o.recipientKey == 0) revert Market_BadOrder("recipientKey");
    }

    function _price(Storage storage $, Order calldata o) private view returns (uint256) {
        (uint128 pricePerThousand, bool open) = $.catalog.priceOf(o.datasetId);
        if (!open) revert Market_DatasetClosed(o.datasetId);
        return (uint256(o.records) * pricePerThousand + PRICE_UNIT - 1) / PRICE_UNIT;
    }

    function _terms(Order calldata o) private view returns (License.Terms memory) {
        return License.Terms({
            datasetId: o.datasetId,
            right: RIGHT_QUERY,
            purpose: o.purpose,
            ehdsCategory: o.ehdsCategory,
            records: o.records,
            issuedAt: uint64(block.timestamp),
            expiry: uint64(block.timestamp) + o.duration,
            recipientKey: o.recipientKey
        });
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
