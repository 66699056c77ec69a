// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "../access/Governed.sol";
import {SoulboundERC721} from "../tokens/SoulboundERC721.sol";

/// @notice What a license gives: noisy answers, or what one job's plan computes.
library Rights {
    uint8 internal constant QUERY = 1;
    uint8 internal constant COMPUTE = 3;
}

/// @title License
/// @notice A researcher's right to query a dataset for a purpose until a date. Not transferable: the ethics board
/// approved a researcher, not whoever buys the token.
///
/// Roles: sellers (Market, AuctionHouse and ComputeDesk at the founding) issue, extend and revoke. Charter: says who sells;
/// upgrades. The holder cannot transfer, approve or burn.
/// Assumptions: whoever issues checked approval, dataset and payment.
/// Liveness: an issued license depends on no other contract.
/// Who can hurt whom: each seller can extend and revoke what another issued; Market extends what its holder pays for,
/// ComputeDesk revokes what it refunds, and none of the three of the founding does more. Stewards judge each query again.
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
        // Ids run from 1 without a gap.
        uint64 lastId;
        // Of each id up to `lastId`; nothing but `expiry` changes, and a revoked one stays revoked.
        mapping(uint64 licenseId => Terms) terms;
    }

    bytes32 private constant STORAGE = 0x4428ba6a79b1850c0e8435eae81cbe718151edce95fe853e1b0b3e6ec4f64c00;

    event LicenseIssued(uint64 indexed licenseId, address indexed holder, Terms terms);
    event LicenseExtended(uint64 indexed licenseId, uint64 expiry);
    event LicenseRevoked(uint64 indexed licenseId);

    error License_NotLive(uint64 licenseId);
    error License_NotLater(uint64 licenseId, uint64 expiry);

    /// @notice Once, by the factory.
    /// @param authority_ the cooperative's AccessManager
    function initialize(address authority_) external initializer {
        __Governed_init(authority_);
        __ERC721_init("Data license", "LICENSE");
    }

    /// @notice Issues the next license.
    /// @param holder who may query; it never changes
    /// @param terms what the license says
    /// @return licenseId from 1
    function mint(address holder, Terms calldata terms) external restricted returns (uint64 licenseId) {
        Storage storage $ = _storage();
        // Effects:
        licenseId = ++$.lastId;
        $.terms[licenseId] = terms;
        _mint(holder, licenseId);
        emit LicenseIssued(licenseId, holder, terms);
    }

    /// @notice Moves the end of a license further, also of one that has ended.
    /// @param licenseId a license that was not revoked
    /// @param expiry later than the present end, unix seconds
    function extend(uint64 licenseId, uint64 expiry) external restricted {
        Terms storage t = _live(licenseId);
        if (expiry <= t.expiry) revert License_NotLater(licenseId, t.expiry);
        t.expiry = expiry;
        emit LicenseExtended(licenseId, expiry);
    }

    /// @notice Ends a license for ever. The token stays, as the record of what was issued.
    /// @param licenseId a license that was not revoked
    function revoke(uint64 licenseId) external restricted {
        _live(licenseId).expiry = 0;
        emit LicenseRevoked(licenseId);
    }

    /// @notice The terms of a license; all zero for an id that was never issued.
    /// @param licenseId which license
    /// @return an expiry of 0 where it was revoked
    function termsOf(uint64 licenseId) external view returns (Terms memory) {
        return _storage().terms[licenseId];
    }

    /// @notice How many licenses were issued, which is also the last id.
    /// @return 0 before the first
    function licenseCount() external view returns (uint64) {
        return _storage().lastId;
    }

    /// @dev A license that was issued and not revoked.
    function _live(uint64 licenseId) private view returns (Terms storage t) {
        t = _storage().terms[licenseId];
        if (t.expiry == 0) revert License_NotLive(licenseId);
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
