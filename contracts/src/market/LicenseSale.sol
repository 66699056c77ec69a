// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Bounds} from "../access/Bounds.sol";
import {Governed} from "../access/Governed.sol";
import {Pausing} from "../access/Pausing.sol";
import {ITreasury} from "../treasury/ITreasury.sol";
import {DatasetCatalog} from "./DatasetCatalog.sol";
import {IEthicsRegistry} from "./IEthicsRegistry.sol";
import {IResearcherBond} from "./IResearcherBond.sol";
import {License} from "./License.sol";

/// @title LicenseSale
/// @notice What every way to a license shares: who may buy, what an order must say, how USDC comes in, how the license is
/// issued and the sale booked. Market, AuctionHouse and ComputeDesk differ in how the price comes about.
abstract contract LicenseSale is Governed, Pausing, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev The contracts that a sale works with.
    struct Deployment {
        address authority;
        address usdc;
        address treasury;
        address catalog;
        address license;
        address ethics;
        address researcherBond;
    }

    /// @param records how many the license covers
    /// @param purpose number of a GA4GH DUO permission
    /// @param ehdsCategory 1..6 = (a)..(f) of Art. 53(1)
    /// @param duration seconds that the license lasts
    /// @param recipientKey X25519 key that results are sealed to
    struct Order {
        uint32 datasetId;
        uint32 records;
        uint16 purpose;
        uint8 ehdsCategory;
        uint64 duration;
        bytes32 recipientKey;
    }

    /// @param value the most the buyer pays; also the amount of the ERC-2612 permit
    /// @param v 0 where the buyer approved instead
    struct Permit {
        uint256 value;
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @custom:storage-location erc7201:rochdale.storage.LicenseSale
    struct SaleStorage {
        IERC20 usdc;
        ITreasury treasury;
        DatasetCatalog catalog;
        License license;
        // One slot: read by every sale.
        IEthicsRegistry ethics;
        bool bondRequired;
        IResearcherBond researcherBond;
    }

    bytes32 private constant SALE_STORAGE = 0x2dc4f4d15143c16f15d50684f593b0b8c5097b984e7f717f99b438fef29d5200;

    /// @notice The longest license.
    uint64 public constant MAX_DURATION = 5 * 365 days;

    event BondRequired(bool required);

    error LicenseSale_NotApproved(address researcher, uint16 purpose);
    error LicenseSale_NotBonded(address researcher);
    error LicenseSale_DatasetClosed(uint32 datasetId);
    error LicenseSale_SoldOtherwise(uint32 datasetId, bool auctioned);
    error LicenseSale_BadOrder(string field);
    error LicenseSale_PriceExceeds(uint256 price, uint256 value);

    function __LicenseSale_init(Deployment calldata d) internal onlyInitializing {
        __Governed_init(d.authority);
        SaleStorage storage $ = _sale();
        $.usdc = IERC20(_nonZero(d.usdc, "usdc"));
        $.treasury = ITreasury(_nonZero(d.treasury, "treasury"));
        $.catalog = DatasetCatalog(_nonZero(d.catalog, "catalog"));
        $.license = License(_nonZero(d.license, "license"));
        $.ethics = IEthicsRegistry(_nonZero(d.ethics, "ethics"));
        $.researcherBond = IResearcherBond(_nonZero(d.researcherBond, "researcherBond"));
    }

    /// @notice Whether a buyer needs collateral in ResearcherBond.
    /// @param required of later sales
    function setBondRequired(bool required) external restricted {
        _sale().bondRequired = required;
        emit BondRequired(required);
    }

    /// @notice Whether a buyer needs collateral in ResearcherBond.
    /// @return of the next sale
    function bondRequired() external view returns (bool) {
        return _sale().bondRequired;
    }

    // ---------------------------------------------------------------------------------------------- checks

    /// @dev Whether the ethics board's decision, as it stands now, covers a time.
    function _isApproved(address researcher, uint16 purpose, uint256 time) internal view returns (bool) {
        return time < _sale().ethics.approvedUntil(researcher, purpose);
    }

    function _checkApproved(address researcher, uint16 purpose, uint256 time) internal view {
        if (!_isApproved(researcher, purpose, time)) revert LicenseSale_NotApproved(researcher, purpose);
    }

    /// @dev Whoever enters a bargain is approved until it is struck and, where that is required, bonded.
    function _checkBuyer(address researcher, uint16 purpose, uint256 time) internal view {
        _checkApproved(researcher, purpose, time);
        SaleStorage storage $ = _sale();
        if ($.bondRequired && !$.researcherBond.isBonded(researcher)) revert LicenseSale_NotBonded(researcher);
    }

    /// @dev What the license will say. `records` is left to who prices by them.
    function _checkOrder(Order memory o) internal pure {
        if (o.ehdsCategory == 0 || o.ehdsCategory > Bounds.LAST_EHDS_CATEGORY) {
            revert LicenseSale_BadOrder("ehdsCategory");
        }
        if (o.duration == 0 || o.duration > MAX_DURATION) revert LicenseSale_BadOrder("duration");
        if (o.recipientKey == 0) revert LicenseSale_BadOrder("recipientKey");
    }

    /// @dev The catalog's price of an open dataset, and whether it is auctioned instead of sold at it.
    function _openDataset(uint32 datasetId) internal view returns (uint128 pricePerThousand, bool auctioned) {
        bool open;
        (pricePerThousand, open, auctioned) = _sale().catalog.priceOf(datasetId);
        if (!open) revert LicenseSale_DatasetClosed(datasetId);
    }

    // ---------------------------------------------------------------------------------- money and license

    /// @dev Moves `amount` from the caller, within what the permit names.
    function _pull(Permit calldata p, uint256 amount, address to) internal {
        if (amount > p.value) revert LicenseSale_PriceExceeds(amount, p.value);
        IERC20 usdc = _sale().usdc;
        if (p.v != 0) {
            // Somebody may have sent it before: the transfer decides.
            try IERC20Permit(address(usdc)).permit(msg.sender, address(this), p.value, p.deadline, p.v, p.r, p.s) {}
                catch {}
        }
        usdc.safeTransferFrom(msg.sender, to, amount);
    }

    function _issue(address holder, Order memory o, uint8 right) internal returns (uint64 licenseId) {
        return _sale().license
            .mint(
                holder,
                License.Terms({
                datasetId: o.datasetId,
                right: right,
                purpose: o.purpose,
                ehdsCategory: o.ehdsCategory,
                records: o.records,
                issuedAt: uint64(block.timestamp),
                expiry: uint64(block.timestamp) + o.duration,
                recipientKey: o.recipientKey
            })
            );
    }

    /// @dev Earns what was held here: it goes to the Treasury and is booked.
    function _earn(uint64 licenseId, uint32 datasetId, uint256 amount) internal {
        SaleStorage storage $ = _sale();
        ITreasury treasury = $.treasury;
        $.usdc.safeTransfer(address(treasury), amount);
        treasury.book(licenseId, datasetId, amount);
    }

    function _sale() internal pure returns (SaleStorage storage $) {
        assembly {
            $.slot := SALE_STORAGE
        }
    }
}
