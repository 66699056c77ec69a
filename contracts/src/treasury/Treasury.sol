// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Governed} from "../access/Governed.sol";
import {ITreasury} from "./ITreasury.sol";
import {Payment} from "./Payment.sol";

/// @title Treasury
/// @notice Holds all USDC of the cooperative and keeps the books: what came in, split into buckets, and what left them.
///
/// Roles
/// - Sellers (Market, AuctionHouse, ComputeDesk at the founding) book what cannot be refunded any more, after the money
///   arrived.
/// - SettlementLedger pays claims out of the contributors' bucket; OperatorPay pays stewards and workers out of
///   operations; Buyback takes its lots out of the buyback bucket. No other way leads into these two buckets' money
///   but `spend` into operations.
/// - Token house: splits later sales, spends operations, compliance and reserve, and tokens other than USDC.
/// - Charter: sets the least that contributors get of a sale; upgrades.
/// - Anyone donates to the reserve.
///
/// Assumptions
/// - Books follow sales and donations, never a balance: USDC that somebody just sends here is in no bucket and changes
///   no payout.
/// - SettlementLedger pays at most what a final root allocated, and a root allocates at most `contributorsBooked()`.
/// - USDC moves exactly what it is told and calls nobody back.
///
/// Liveness: `pay` and `payMany` depend on USDC alone. If USDC refuses a payee, the ledger leaves it owed.
/// Who can hurt whom: a broken seller can book money that did not arrive, which would make early claimants paid by later
/// sales; a broken ledger can overpay. The ledger is a fixed address of the cooperative, and who sells is the charter's choice. The token house can spend three
/// buckets to the last micro-USDC and bring contributors down to the charter's floor, never below, and not what was
/// booked to them.
contract Treasury is Governed, ITreasury {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    /// @dev Basis points. `buyback` is a part of the contributors' part, the others of the whole.
    struct Split {
        uint16 buyback;
        uint16 operations;
        uint16 compliance;
        uint16 reserve;
    }

    /// @param minContributorsBps the least part of a sale that contributors get in cash, in basis points
    struct Deployment {
        address authority;
        address usdc;
        address ledger;
        address operatorPay;
        address buyback;
        Split split;
        uint16 minContributorsBps;
    }

    /// @dev One slot: cumulative micro-USDC of the buckets that the token house spends.
    struct Books {
        uint80 operations;
        uint80 compliance;
        uint80 reserve;
    }

    /// @custom:storage-location erc7201:rochdale.storage.Treasury
    struct Storage {
        IERC20 usdc;
        address ledger;
        // One slot: read by every booking of a sale.
        Split split;
        // Never above what `split` leaves contributors in cash.
        uint16 minContributorsBps;
        // Two slots: written by every booking, cumulative micro-USDC. They only grow, and with `booked` they are the sum of
        // all sales and donations.
        uint128 contributors;
        uint128 buyback;
        Books booked;
        // Of each bucket never above `booked`. What contributors were paid is SettlementLedger's `claimed`.
        Books spent;
        // One slot: a lot reads both.
        address buybackDesk;
        // Never above `buyback`.
        uint96 buybackSpent;
        address operatorPay;
    }

    bytes32 private constant STORAGE = 0x6ac25e6fd87fcb890defc0c558a2a3e77b335bc9b0ec492fc7d5178876e29200;

    uint256 private constant ONE = 10_000;

    event Booked(
        uint64 indexed licenseId,
        uint32 indexed datasetId,
        uint256 contributors,
        uint256 buyback,
        uint256 operations,
        uint256 compliance,
        uint256 reserve
    );
    event Donated(address indexed from, uint256 amount);
    event Spent(Bucket indexed bucket, address indexed to, uint256 amount, bytes32 reason);
    event TokenSpent(address indexed token, address indexed to, uint256 amount);
    event SplitSet(uint16 buyback, uint16 operations, uint16 compliance, uint16 reserve);
    event MinContributorsSet(uint16 bps);

    error Treasury_OnlyLedger(address caller);
    error Treasury_OnlyOperatorPay(address caller);
    error Treasury_OnlyBuyback(address caller);
    error Treasury_BadSplit(uint16 buyback, uint16 operations, uint16 compliance, uint16 reserve);
    error Treasury_BelowFloor(uint256 contributorsBps, uint16 minContributorsBps);
    error Treasury_NotSpendable(Bucket bucket);
    error Treasury_BucketExceeded(Bucket bucket, uint256 amount, uint256 available);
    error Treasury_UsdcHasBuckets();

    /// @notice Once, by the factory.
    /// @param d the contracts that this one works with, and the first split
    function initialize(Deployment calldata d) external initializer {
        __Governed_init(d.authority);
        Storage storage $ = _storage();
        $.usdc = IERC20(_nonZero(d.usdc, "usdc"));
        $.ledger = _nonZero(d.ledger, "ledger");
        $.operatorPay = _nonZero(d.operatorPay, "operatorPay");
        $.buybackDesk = _nonZero(d.buyback, "buyback");
        _setSplit(d.split, d.minContributorsBps);
        $.minContributorsBps = d.minContributorsBps;
        emit MinContributorsSet(d.minContributorsBps);
    }

    // --------------------------------------------------------------------------------------------- coming in

    /// @inheritdoc ITreasury
    /// @dev What rounding leaves is the contributors'.
    function book(uint64 licenseId, uint32 datasetId, uint256 amount) external restricted {
        Storage storage $ = _storage();
        // Effects:
        Split memory s = $.split;
        uint256 operations = amount * s.operations / ONE;
        uint256 compliance = amount * s.compliance / ONE;
        uint256 reserve = amount * s.reserve / ONE;
        uint256 contributors = amount - operations - compliance - reserve;
        uint256 buyback = contributors * s.buyback / ONE;
        contributors -= buyback;
        // What shares a slot is assigned together, so that the slot is read and written once.
        ($.contributors, $.buyback) = ($.contributors + contributors.toUint128(), $.buyback + buyback.toUint128());
        Books storage b = $.booked;
        (b.operations, b.compliance, b.reserve) =
        (b.operations + operations.toUint80(), b.compliance + compliance.toUint80(), b.reserve + reserve.toUint80());
        emit Booked(licenseId, datasetId, contributors, buyback, operations, compliance, reserve);
    }

    /// @inheritdoc ITreasury
    function donate(uint256 amount) external {
        Storage storage $ = _storage();
        // Effects:
        $.booked.reserve += amount.toUint80();
        emit Donated(msg.sender, amount);
        // Interaction:
        $.usdc.safeTransferFrom(msg.sender, address(this), amount);
    }

    // --------------------------------------------------------------------------------------------- going out

    /// @notice Pays a claim.
    /// @param to the payee
    /// @param amount micro-USDC
    function pay(address to, uint256 amount) external {
        Storage storage $ = _storage();
        // Check:
        if (msg.sender != $.ledger) revert Treasury_OnlyLedger(msg.sender);
        // Interaction:
        $.usdc.safeTransfer(to, amount);
    }

    /// @notice Pays many claims. A refusal stops no other payee. An amount of zero counts as paid.
    /// @return refused the places in `payments` that USDC refused, ascending
    /// @param payments in this order
    function payMany(Payment[] calldata payments) external returns (uint256[] memory refused) {
        Storage storage $ = _storage();
        // Check:
        if (msg.sender != $.ledger) revert Treasury_OnlyLedger(msg.sender);
        // Interaction:
        IERC20 usdc = $.usdc;
        uint256[] memory places = new uint256[](payments.length);
        uint256 n;
        for (uint256 i; i < payments.length; ++i) {
            Payment p = payments[i];
            if (p.amount() != 0 && !usdc.trySafeTransfer(p.to(), p.amount())) places[n++] = i;
        }
        refused = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            refused[i] = places[i];
        }
    }

    /// @inheritdoc ITreasury
    function payOperator(address to, uint256 amount) external {
        if (msg.sender != _storage().operatorPay) revert Treasury_OnlyOperatorPay(msg.sender);
        _spend(Bucket.Operations, to, amount, "operator");
    }

    /// @inheritdoc ITreasury
    function takeLot(address to, uint256 amount) external {
        if (msg.sender != _storage().buybackDesk) revert Treasury_OnlyBuyback(msg.sender);
        _spend(Bucket.Buyback, to, amount, "buyback");
    }

    /// @notice Spends out of operations, compliance or reserve: grants, fees, wages. `reason` is for the reader.
    /// @param bucket operations, compliance or reserve
    /// @param to who gets it
    /// @param amount micro-USDC
    /// @param reason for the log
    function spend(Bucket bucket, address to, uint256 amount, bytes32 reason) external restricted {
        if (bucket < Bucket.Operations) revert Treasury_NotSpendable(bucket);
        _spend(bucket, to, amount, reason);
    }

    /// @notice Spends a token that is here besides USDC, such as DATA.
    /// @param token any but USDC
    /// @param to who gets it
    /// @param amount in the token's least unit
    function spendToken(address token, address to, uint256 amount) external restricted {
        // Check:
        if (token == address(_storage().usdc)) revert Treasury_UsdcHasBuckets();
        // Effects:
        emit TokenSpent(token, to, amount);
        // Interaction:
        IERC20(token).safeTransfer(to, amount);
    }

    // ---------------------------------------------------------------------------------------------- the rules

    /// @notice Sets the split of later sales, in basis points.
    /// @param buyback of the contributors' part
    /// @param operations of the whole
    /// @param compliance of the whole
    /// @param reserve of the whole
    function setSplit(uint16 buyback, uint16 operations, uint16 compliance, uint16 reserve) external restricted {
        _setSplit(Split(buyback, operations, compliance, reserve), _storage().minContributorsBps);
    }

    /// @notice Sets the least part of a sale that contributors get in cash, in basis points. The charter's.
    /// @param bps not above what the present split gives
    function setMinContributors(uint16 bps) external restricted {
        Storage storage $ = _storage();
        _checkFloor($.split, bps);
        $.minContributorsBps = bps;
        emit MinContributorsSet(bps);
    }

    // -------------------------------------------------------------------------------------------------- views

    /// @notice The split of later sales, in basis points.
    /// @return buyback of the contributors' part
    /// @return operations of the whole
    /// @return compliance of the whole
    /// @return reserve of the whole
    function split() external view returns (uint16 buyback, uint16 operations, uint16 compliance, uint16 reserve) {
        Split memory s = _storage().split;
        return (s.buyback, s.operations, s.compliance, s.reserve);
    }

    /// @notice The least part of a sale that contributors get in cash, in basis points.
    /// @return the charter's floor
    function minContributorsBps() external view returns (uint16) {
        return _storage().minContributorsBps;
    }

    /// @notice What was booked into each bucket since the start, in micro-USDC.
    /// @return contributors without what is for buying back
    /// @return buyback for DATA
    /// @return operations of stewards, workers and the house
    /// @return compliance of the house
    /// @return reserve with all donations
    function buckets()
        external
        view
        returns (uint256 contributors, uint256 buyback, uint256 operations, uint256 compliance, uint256 reserve)
    {
        Storage storage $ = _storage();
        Books memory b = $.booked;
        return ($.contributors, $.buyback, b.operations, b.compliance, b.reserve);
    }

    /// @notice What left each bucket since the start, in micro-USDC. Of the contributors', SettlementLedger keeps count.
    /// @return buyback for DATA
    /// @return operations of stewards, workers and the house
    /// @return compliance of the house
    /// @return reserve of the house
    function spent() external view returns (uint256 buyback, uint256 operations, uint256 compliance, uint256 reserve) {
        Storage storage $ = _storage();
        Books memory s = $.spent;
        return ($.buybackSpent, s.operations, s.compliance, s.reserve);
    }

    /// @notice What was booked to contributors since the start, in micro-USDC.
    /// @return only grows
    function contributorsBooked() external view returns (uint256) {
        return _storage().contributors;
    }

    /// @inheritdoc ITreasury
    function available(Bucket bucket) public view returns (uint256) {
        Storage storage $ = _storage();
        if (bucket == Bucket.Buyback) return $.buyback - $.buybackSpent;
        if (bucket == Bucket.Operations) return $.booked.operations - $.spent.operations;
        if (bucket == Bucket.Compliance) return $.booked.compliance - $.spent.compliance;
        if (bucket == Bucket.Reserve) return $.booked.reserve - $.spent.reserve;
        revert Treasury_NotSpendable(bucket);
    }

    // ----------------------------------------------------------------------------------------------- internal

    function _spend(Bucket bucket, address to, uint256 amount, bytes32 reason) private {
        Storage storage $ = _storage();
        // Check:
        uint256 left = available(bucket);
        if (amount > left) revert Treasury_BucketExceeded(bucket, amount, left);
        // Effects:
        if (bucket == Bucket.Buyback) $.buybackSpent += amount.toUint96();
        else if (bucket == Bucket.Operations) $.spent.operations += amount.toUint80();
        else if (bucket == Bucket.Compliance) $.spent.compliance += amount.toUint80();
        else $.spent.reserve += amount.toUint80();
        emit Spent(bucket, to, amount, reason);
        // Interaction:
        $.usdc.safeTransfer(to, amount);
    }

    function _setSplit(Split memory s, uint16 floor) private {
        if (s.buyback > ONE || uint256(s.operations) + s.compliance + s.reserve > ONE) {
            revert Treasury_BadSplit(s.buyback, s.operations, s.compliance, s.reserve);
        }
        _checkFloor(s, floor);
        _storage().split = s;
        emit SplitSet(s.buyback, s.operations, s.compliance, s.reserve);
    }

    /// @dev Counts what contributors get in cash: money that buys DATA back went to whoever sold it.
    function _checkFloor(Split memory s, uint16 floor) private pure {
        uint256 part = (ONE - s.operations - s.compliance - s.reserve) * (ONE - s.buyback) / ONE;
        if (part < floor) revert Treasury_BelowFloor(part, floor);
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
