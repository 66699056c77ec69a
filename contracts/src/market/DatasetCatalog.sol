// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bounds} from "../access/Bounds.sol";
import {Governed} from "../access/Governed.sol";

/// @notice Which auctions run, as the catalog sees them.
interface IAuctions {
    /// @notice The auction that runs for a dataset; 0 = none.
    /// @param datasetId of the dataset
    /// @return the auction's id
    function liveAuction(uint32 datasetId) external view returns (uint64);
}

/// @title DatasetCatalog
/// @notice What can be licensed: a data type and a source, never a disease, with its price and the hash of its terms.
///
/// A dataset is sold by its list price or by auction, never by both: whoever may choose would pay the lower of the two.
/// What a computation costs follows from its plan, so ComputeDesk asks only whether the dataset is open.
///
/// Roles: the authority publishes and changes entries; anyone reads.
/// Assumptions: an id means the same data type and source for ever; only price, terms, `open` and `auctioned` may change.
/// AuctionHouse tells truly whether an auction runs.
/// Liveness: closing a dataset stops new bargains; what was reserved or is being auctioned, and issued licenses, go on.
/// Who can hurt whom: the authority can raise a price between a buyer's signature and the sale; the buyer's permit
/// names the most it pays.
contract DatasetCatalog is Governed {
    /// @param dataType 1 EHR, 2 labs, 3 wearable, 4 genomic summary
    /// @param source where the records come from, numbered by the cooperative
    /// @param pricePerThousand micro-USDC for 1,000 records and each started month
    /// @param auctioned sold by auction alone, not at that price
    struct Dataset {
        uint8 dataType;
        uint8 source;
        uint128 pricePerThousand;
        bytes32 termsHash;
        bool open;
        bool auctioned;
    }

    /// @dev Two slots; `Dataset` in its own order would take three.
    struct Entry {
        uint8 dataType;
        uint8 source;
        uint128 pricePerThousand;
        bool open;
        bool auctioned;
        bytes32 termsHash;
    }

    /// @custom:storage-location erc7201:rochdale.storage.DatasetCatalog
    struct Storage {
        // Data type and source of one that was published never change; its price is not 0.
        mapping(uint32 datasetId => Entry) entries;
        IAuctions auctions;
    }

    bytes32 private constant STORAGE = 0xcf3823a38f942a4944ca4ca93bc815e103a893c35b27bc4c3f8994ebe42b8200;

    event DatasetPublished(
        uint32 indexed datasetId,
        uint8 dataType,
        uint8 source,
        uint128 pricePerThousand,
        bytes32 termsHash,
        bool auctioned
    );
    event DatasetClosed(uint32 indexed datasetId);

    error DatasetCatalog_ZeroId();
    error DatasetCatalog_BadDataType(uint8 dataType);
    error DatasetCatalog_PriceMissing();
    error DatasetCatalog_TermsMissing();
    error DatasetCatalog_BeingAuctioned(uint32 datasetId, uint64 auctionId);
    error DatasetCatalog_KindFixed(uint32 datasetId, uint8 dataType, uint8 source);

    /// @notice Once, by the factory.
    /// @param authority_ the cooperative's AccessManager
    /// @param auctions which auctions run
    function initialize(address authority_, address auctions) external initializer {
        __Governed_init(authority_);
        _storage().auctions = IAuctions(_nonZero(auctions, "auctions"));
    }

    /// @notice Publishes a dataset, or changes price, terms, `open` or `auctioned` of one. While an auction of it runs, it
    /// gets no list price.
    /// @param id not 0
    /// @param d the dataset, all of it
    function publish(uint32 id, Dataset calldata d) external restricted {
        Storage storage $ = _storage();
        Entry storage e = $.entries[id];
        // Check:
        if (id == 0) revert DatasetCatalog_ZeroId();
        if (d.dataType == 0 || d.dataType > Bounds.LAST_DATA_TYPE) revert DatasetCatalog_BadDataType(d.dataType);
        if (d.pricePerThousand == 0) revert DatasetCatalog_PriceMissing();
        if (d.termsHash == 0) revert DatasetCatalog_TermsMissing();
        if (e.dataType != 0 && (e.dataType != d.dataType || e.source != d.source)) {
            revert DatasetCatalog_KindFixed(id, e.dataType, e.source);
        }
        if (!d.auctioned && $.auctions.liveAuction(id) != 0) {
            revert DatasetCatalog_BeingAuctioned(id, $.auctions.liveAuction(id));
        }
        // Effects:
        (e.auctioned, e.termsHash) = (d.auctioned, d.termsHash);
        (e.dataType, e.source, e.pricePerThousand, e.open) = (d.dataType, d.source, d.pricePerThousand, d.open);
        emit DatasetPublished(id, d.dataType, d.source, d.pricePerThousand, d.termsHash, d.auctioned);
        if (!d.open) emit DatasetClosed(id);
    }

    /// @notice A dataset; all zero for an id that was never published.
    /// @param id of the dataset
    /// @return as it was last published
    function datasetOf(uint32 id) external view returns (Dataset memory) {
        Entry memory e = _storage().entries[id];
        return Dataset(e.dataType, e.source, e.pricePerThousand, e.termsHash, e.open, e.auctioned);
    }

    /// @notice What a sale needs, in one read.
    /// @param id of the dataset
    /// @return pricePerThousand micro-USDC for 1,000 records and each started month
    /// @return open whether it is sold at all
    /// @return auctioned sold by auction alone, not at that price
    function priceOf(uint32 id) external view returns (uint128 pricePerThousand, bool open, bool auctioned) {
        Entry storage e = _storage().entries[id];
        return (e.pricePerThousand, e.open, e.auctioned);
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
