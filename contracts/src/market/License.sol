// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "../access/Governed.sol";
import {SoulboundERC721} from "../tokens/SoulboundERC721.sol";

/// @title License
/// @notice A researcher's right to query a dataset for a purpose until a date. Not transferable: the ethics board
/// approved a researcher, not whoever buys the token.
///
/// Roles: Market, AuctionHouse and ComputeDesk issue, extend and revoke; they are fixed at the founding. Charter:
/// upgrades. The holder cannot transfer, approve or burn.
/// Assumptions: whoever issues checked approval, dataset and payment.
/// Liveness: an issued license depends on no other contract.
/// Who can hurt whom: each of the three can extend and revoke what another issued; Market extends what its holder pays
/// for, ComputeDesk revokes what it refunds, and none of them does more. Stewards judge each query again.
contract License is SoulboundERC721, Governed {
    /// @param right 1 = QUERY, 3 = COMPUTE: only the plan that its job names
    /// @param purpose number of a GA4GH DUO permission
    /// @param ehdsCategory 1..6 = (a)..(f) of Art. 53(1)
    /// @param records how many it covers; 0 where the job's units count
    /// @param expiry unix seconds; 0 = revoked
    /// @param recipientKey X25519 key that results are sealed to
    struct Terms {
        uint32 datasetId;
        uint8 right;
        uint16 purpose;
        uint8 ehdsCategory;
        uint32 records;
        uint64 issuedAt;
        uint64 expiry;
        bytes32 recipientKey;
    }

    /// @custom:storage-location erc7201:rochdale.storage.License
    struct Storage {
        // One slot: read and written by every mint. A sale by Market reads no other minter.
        address market;
        uint64 lastId;
        address auctionHouse;
        address computeDesk;
        mapping(uint64 licenseId => Terms) terms;
    }

    bytes32 private constant STORAGE = 0x4428ba6a79b1850c0e8435eae81cbe718151edce95fe853e1b0b3e6ec4f64c00;

    event LicenseIssued(uint64 indexed licenseId, address indexed holder, Terms terms);
    event LicenseExtended(uint64 indexed licenseId, uint64 expiry);
    event LicenseRevoked(uint64 indexed licenseId);

    error License_OnlyMinter(address caller);
    error License_NotLive(uint64 licenseId);
    error License_NotLater(uint64 licenseId, uint64 expiry);

    function initialize(address authority_, address market, address auctionHouse, address computeDesk)
        external
        initializer
    {
        __Governed_init(authority_);
        __ERC721_init("Data license", "LICENSE");
        Storage storage $ = _storage();
        $.market = _nonZero(market, "market");
        $.auctionHouse = _nonZero(auctionHouse, "auctionHouse");
        $.computeDesk = _nonZero(computeDesk, "computeDesk");
    }

    /// @notice Issues the next license.
    function mint(address holder, Terms calldata terms) external returns (uint64 licenseId) {
        Storage storage $ = _storage();
        // Check:
        _onlyMinter($);
        // Effects:
        licenseId = ++$.lastId;
        $.terms[licenseId] = terms;
        _mint(holder, licenseId);
        emit LicenseIssued(licenseId, holder, terms);
    }

    /// @notice Moves the end of a license further, also of one that has ended.
    function extend(uint64 licenseId, uint64 expiry) external {
        Terms storage t = _live(licenseId);
        if (expiry <= t.expiry) revert License_NotLater(licenseId, t.expiry);
        t.expiry = expiry;
        emit LicenseExtended(licenseId, expiry);
    }

    /// @notice Ends a license for ever. The token stays, as the record of what was issued.
    function revoke(uint64 licenseId) external {
        _live(licenseId).expiry = 0;
        emit LicenseRevoked(licenseId);
    }

    /// @notice The terms of a license; all zero for an id that was never issued.
    function termsOf(uint64 licenseId) external view returns (Terms memory) {
        return _storage().terms[licenseId];
    }

    /// @notice How many licenses were issued, which is also the last id.
    function licenseCount() external view returns (uint64) {
        return _storage().lastId;
    }

    /// @dev A license that was issued and not revoked, for a minter.
    function _live(uint64 licenseId) private view returns (Terms storage t) {
        Storage storage $ = _storage();
        _onlyMinter($);
        t = $.terms[licenseId];
        if (t.expiry == 0) revert License_NotLive(licenseId);
    }

    function _onlyMinter(Storage storage $) private view {
        if (msg.sender != $.market && msg.sender != $.auctionHouse && msg.sender != $.computeDesk) {
            revert License_OnlyMinter(msg.sender);
        }
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
