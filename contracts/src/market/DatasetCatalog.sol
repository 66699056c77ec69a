// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "../access/Governed.sol";

/// @title DatasetCatalog
/// @notice What can be licensed: a data type and a source, never a disease, with its price and the hash of its terms.
///
/// Roles: the authority publishes and changes entries; anyone reads.
/// Assumptions: an id means the same data type and source for ever; only price, terms and `open` may change.
/// Liveness: closing a dataset stops new bargains; what was reserved or is being auctioned, and issued licenses, go on.
/// Who can hurt whom: the authority can raise a price between a buyer's signature and the sale; the buyer's permit
/// names the most it pays.
contract DatasetCatalog is Governed {
    /// @param dataType 1 EHR, 2 labs, 3 wearable, 4 genomic summary
    /// @param source where the records come from, numbered by the cooperative
    /// @param pricePerThousand micro-USDC for 1,000 records
    struct Dataset {
        uint8 dataType;
        uint8 source;
        uint128 pricePerThousand;
        bytes32 termsHash;
        bool open;
    }

    /// @dev Two slots; `Dataset` in its own order would take three.
    struct Entry {
        uint8 dataType;
        uint8 source;
        uint128 pricePerThousand;
        bool open;
        bytes32 termsHash;
    }

    /// @custom:storage-location erc7201:rochdale.storage.DatasetCatalog
    struct Storage {
        mapping(uint32 datasetId => Entry) entries;
    }

    bytes32 private constant STORAGE = 0xcf3823a38f942a4944ca4ca93bc815e103a893c35b27bc4c3f8994ebe42b8200;

    uint8 private constant LAST_DATA_TYPE = 4;

    event DatasetPublished(
        uint32 indexed datasetId, uint8 dataType, uint8 source, uint128 pricePerThousand, bytes32 termsHash
    );
    event DatasetClosed(uint32 indexed datasetId);

    error DatasetCatalog_ZeroId();
    error DatasetCatalog_BadDataType(uint8 dataType);
    error DatasetCatalog_PriceMissing();
    error DatasetCatalog_TermsMissing();
    error DatasetCatalog_KindFixed(uint32 datasetId, uint8 dataType, uint8 source);

    function initialize(address authority_) external initializer {
        __Governed_init(authority_);
    }

    /// @notice Publishes a dataset, or changes price, terms or `open` of one.
    function publish(uint32 id, Dataset calldata d) external restricted {
        Entry storage e = _storage().entries[id];
        // Check:
        if (id == 0) revert DatasetCatalog_ZeroId();
        if (d.dataType == 0 || d.dataType > LAST_DATA_TYPE) revert DatasetCatalog_BadDataType(d.dataType);
        if (d.pricePerThousand == 0) revert DatasetCatalog_PriceMissing();
        if (d.termsHash == 0) revert DatasetCatalog_TermsMissing();
        if (e.dataType != 0 && (e.dataType != d.dataType || e.source != d.source)) {
            revert DatasetCatalog_KindFixed(id, e.dataType, e.source);
        }
        // Effects:
        (e.dataType, e.source, e.pricePerThousand, e.open) = (d.dataType, d.source, d.pricePerThousand, d.open);
        e.termsHash = d.termsHash;
        emit DatasetPublished(id, d.dataType, d.source, d.pricePerThousand, d.termsHash);
        if (!d.open) emit DatasetClosed(id);
    }

    /// @notice A dataset; all zero for an id that was never published.
    function datasetOf(uint32 id) external view returns (Dataset memory) {
        Entry memory e = _storage().entries[id];
        return Dataset(e.dataType, e.source, e.pricePerThousand, e.termsHash, e.open);
    }

    /// @notice What a sale needs, in one read.
    function priceOf(uint32 id) external view returns (uint128 pricePerThousand, bool open) {
        Entry storage e = _storage().entries[id];
        return (e.pricePerThousand, e.open);
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
