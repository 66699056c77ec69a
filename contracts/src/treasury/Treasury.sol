// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Governed} from "../access/Governed.sol";

/// @title Treasury
/// @notice Holds all USDC of the cooperative and keeps the books: what came in, split into buckets, cumulative.
///
/// Roles
/// - Market books each sale, after the money arrived.
/// - SettlementLedger pays claims out of the contributors' bucket.
/// - Authority: sets the split of later sales; upgrades. It cannot move money.
///
/// Assumptions
/// - Books follow sales, never a balance: USDC that somebody sends here without a sale is in no bucket and changes no
///   payout.
/// - SettlementLedger pays at most what a final root allocated, and a root allocates at most `contributorsBooked()`.
///
/// Liveness: `pay` and `payMany` depend on USDC alone. If USDC refuses a payee, the ledger leaves it owed.
/// Who can hurt whom: a broken Market can book money that did not arrive, which would make early claimants paid by later
/// sales; a broken ledger can overpay. Both are fixed addresses of the cooperative.
contract Treasury is Governed {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    /// @dev Basis points. `buyback` is a part of the contributors' part, the others of the whole.
    struct Split {
        uint16 buyback;
        uint16 operations;
        uint16 compliance;
        uint16 reserve;
    }

    /// @custom:storage-location erc7201:rochdale.storage.Treasury
    struct Storage {
        IERC20 usdc;
        address ledger;
        // One slot: read by every booking.
        address market;
        Split split;
        // Two slots: written by every booking, cumulative micro-USDC.
        uint128 contributors;
        uint128 buyback;
        uint80 operations;
        uint80 compliance;
        uint80 reserve;
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
    event SplitSet(uint16 buyback, uint16 operations, uint16 compliance, uint16 reserve);

    error Treasury_OnlyMarket(address caller);
    error Treasury_OnlyLedger(address caller);
    error Treasury_BadSplit(uint16 buyback, uint16 operations, uint16 compliance, uint16 reserve);

    function initialize(address authority_, address usdc, address market, address ledger) external initializer {
        __Governed_init(authority_);
        Storage storage $ = _storage();
        $.usdc = IERC20(_nonZero(usdc, "usdc"));
        $.market = _nonZero(market, "market");
        $.ledger = _nonZero(ledger, "ledger");
        _setSplit(Split({buyback: 0, operations: 1_500, compliance: 500, reserve: 500}));
    }

    /// @notice Books a sale into the buckets; what rounding leaves is the contributors'.
    function book(uint64 licenseId, uint32 datasetId, uint256 amount) external {
        Storage storage $ = _storage();
        // Check:
        if (msg.sender != $.market) revert Treasury_OnlyMarket(msg.sender);
        // Effects:
        Split memory s = $.split;
        uint256 operations = amount * s.operations / ONE;
        uint256 compliance = amount * s.compliance / ONE;
        uint256 reserve = amount * s.reserve / ONE;
        uint256 contributors = amount - operations - compliance - reserve;
        uint256 buyback = contributors * s.buyback / ONE;
        contributors -= buyback;
        $.contributors += contributors.toUint128();
        $.buyback += buyback.toUint128();
        $.operations += operations.toUint80();
        $.compliance += compliance.toUint80();
        $.reserve += reserve.toUint80();
        emit Booked(licenseId, datasetId, contributors, buyback, operations, compliance, reserve);
    }

    /// @notice Pays a claim.
    function pay(address to, uint256 amount) external {
        Storage storage $ = _storage();
        // Check:
        if (msg.sender != $.ledger) revert Treasury_OnlyLedger(msg.sender);
        // Interaction:
        $.usdc.safeTransfer(to, amount);
    }

    /// @notice Pays many claims; tells which USDC accepted. A refusal stops no other payee. Zero amounts count as paid.
    function payMany(address[] calldata to, uint256[] calldata amounts) external returns (bool[] memory paid) {
        Storage storage $ = _storage();
        // Check:
        if (msg.sender != $.ledger) revert Treasury_OnlyLedger(msg.sender);
        // Interaction:
        IERC20 usdc = $.usdc;
        paid = new bool[](to.length);
        for (uint256 i; i < to.length; ++i) {
            paid[i] = amounts[i] == 0 || usdc.trySafeTransfer(to[i], amounts[i]);
        }
    }

    /// @notice Sets the split of later sales, in basis points.
    function setSplit(uint16 buyback, uint16 operations, uint16 compliance, uint16 reserve) external restricted {
        _setSplit(Split(buyback, operations, compliance, reserve));
    }

    function split() external view returns (uint16 buyback, uint16 operations, uint16 compliance, uint16 reserve) {
        Split memory s = _storage().split;
        return (s.buyback, s.operations, s.compliance, s.reserve);
    }

    /// @notice What was booked into each bucket since the start, in micro-USDC.
    function buckets()
        external
        view
        returns (uint256 contributors, uint256 buyback, uint256 operations, uint256 compliance, uint256 reserve)
    {
        Storage storage $ = _storage();
        return ($.contributors, $.buyback, $.operations, $.compliance, $.reserve);
    }

    /// @notice What was booked to contributors since the start, in micro-USDC.
    function contributorsBooked() external view returns (uint256) {
        return _storage().contributors;
    }

    function _setSplit(Split memory s) private {
        if (s.buyback > ONE || uint256(s.operations) + s.compliance + s.reserve > ONE) {
            revert Treasury_BadSplit(s.buyback, s.operations, s.compliance, s.reserve);
        }
        _storage().split = s;
        emit SplitSet(s.buyback, s.operations, s.compliance, s.reserve);
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
