// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {EscrowedSale} from "./EscrowedSale.sol";
import {Rights} from "./License.sol";

/// @title AuctionHouse
/// @notice Sells a license by sealed bids: the highest bid wins and pays the second highest, at least the reserve.
///
/// Roles
/// - Researcher: opens an auction of a dataset that the catalog sells by auction and that has terms, and bids, from the
///   approved account itself.
/// - Token house: sets the terms of later auctions, and whether bidders need a bond.
/// - Guardian: pauses; a pause lengthens both periods, and stops neither `close` of a finished auction for long nor
///   `withdraw`.
/// - Charter: upgrades.
///
/// Assumptions
/// - A bid is sealed with a salt of 256 random bits; a short one can be guessed.
/// - USDC moves exactly what it is told and calls nobody back.
///
/// Liveness: opening, closing and withdrawing are anyone's. One auction a dataset at a time. A winner whose approval was
/// withdrawn gets everything back and nobody gets the license; the others' money is theirs since they were outbid. So
/// does one whose approval a pause outlasted.
///
/// Who can hurt whom: a bidder who does not reveal loses the bond to the reserve, never more. Whoever bids under several
/// names and does not reveal pays a bond for each. A seller's friend can bid just below a guess of the best bid, at the
/// risk of having to buy. What is committed, and by whom, is public; amount, category and key are not before the reveal.
contract AuctionHouse is EscrowedSale {
    using SafeERC20 for IERC20;

    /// @param reserve the least price, micro-USDC; 0 = not auctioned
    /// @param bidBond taken with each commitment, micro-USDC
    /// @param commitPeriod seconds in which bids are committed
    /// @param revealPeriod seconds after them in which bids are opened
    /// @param records how many the license covers
    /// @param duration seconds that the license lasts
    struct AuctionTerms {
        uint128 reserve;
        uint128 bidBond;
        uint32 commitPeriod;
        uint32 revealPeriod;
        uint32 records;
        uint64 duration;
    }

    /// @dev What a bidder sealed. Purpose is not in it: approval for it is checked when the bid is committed.
    struct Bid {
        uint128 amount;
        uint8 ehdsCategory;
        bytes32 recipientKey;
        bytes32 salt;
    }

    /// @param index from 1 in the order of commitments; 0 = no bid
    /// @param seal 0 once it was revealed
    struct Commitment {
        bytes32 seal;
        uint32 index;
        uint16 purpose;
    }

    /// @param commitEnd, revealEnd on the clock that stands still in a pause
    /// @param bids how many were committed
    /// @param hidden how many of them are not revealed yet
    /// @param best the highest bid so far; its amount is held here
    /// @param second the highest amount below or equal to it
    struct Auction {
        AuctionTerms terms;
        uint32 datasetId;
        uint64 commitEnd;
        uint64 revealEnd;
        uint32 bids;
        uint32 hidden;
        bool closed;
        address bestBidder;
        uint32 bestIndex;
        uint16 bestPurpose;
        uint8 bestCategory;
        uint128 bestAmount;
        uint128 second;
        bytes32 bestKey;
    }

    /// @custom:storage-location erc7201:rochdale.storage.AuctionHouse
    struct Storage {
        uint64 lastId;
        mapping(uint32 datasetId => AuctionTerms) terms;
        // One at a time for each dataset; 0 once it is closed.
        mapping(uint32 datasetId => uint64) live;
        mapping(uint64 auctionId => Auction) auctions;
        // Until an auction is closed, `hidden` of them have a seal, and a bond is held for each.
        mapping(uint64 auctionId => mapping(address bidder => Commitment)) commitments;
    }

    bytes32 private constant STORAGE = 0x39d9399e045e8aa9f5f188160a31ae9f53825907acb4afef7c6bcb845d035a00;

    /// @notice Bounds of both periods. Whoever cannot reveal loses the bond, so that there is time twice over for a
    /// transaction that a rollup's sequencer does not take and that its base chain forces into it within a day.
    uint32 public constant MIN_COMMIT_PERIOD = 1 days;
    uint32 public constant MIN_REVEAL_PERIOD = 2 days;
    uint32 public constant MAX_PERIOD = 30 days;

    event AuctionTermsSet(uint32 indexed datasetId, AuctionTerms terms);
    event AuctionOpened(uint64 indexed auctionId, uint32 indexed datasetId, address opener, AuctionTerms terms);
    event BidCommitted(uint64 indexed auctionId, address indexed bidder, uint16 purpose, bytes32 sealedBid);
    event BidRevealed(uint64 indexed auctionId, address indexed bidder, uint128 amount);
    event AuctionClosed(
        uint64 indexed auctionId, uint64 licenseId, address winner, uint256 price, uint256 forfeitedBonds
    );

    error AuctionHouse_BadTerms(string field);
    error AuctionHouse_NotAuctioned(uint32 datasetId);
    error AuctionHouse_Running(uint32 datasetId, uint64 auctionId);
    error AuctionHouse_NotOpen(uint64 auctionId);
    error AuctionHouse_NotRevealing(uint64 auctionId);
    error AuctionHouse_NotFinished(uint64 auctionId);
    error AuctionHouse_EmptySeal();
    error AuctionHouse_AlreadyBid(uint64 auctionId, address bidder);
    error AuctionHouse_WrongSeal(uint64 auctionId, address bidder);

    /// @notice Once, by the factory.
    /// @param d the contracts that a sale works with
    function initialize(Deployment calldata d) external initializer {
        __LicenseSale_init(d);
    }

    /// @notice Sets the terms of a dataset's later auctions; a reserve of zero ends them.
    /// @param datasetId whose auctions
    /// @param t the terms; within the bounds above
    function setTerms(uint32 datasetId, AuctionTerms calldata t) external restricted {
        // Check:
        if (t.reserve != 0) {
            if (t.bidBond == 0) revert AuctionHouse_BadTerms("bidBond");
            if (t.commitPeriod < MIN_COMMIT_PERIOD || t.commitPeriod > MAX_PERIOD) {
                revert AuctionHouse_BadTerms("commitPeriod");
            }
            if (t.revealPeriod < MIN_REVEAL_PERIOD || t.revealPeriod > MAX_PERIOD) {
                revert AuctionHouse_BadTerms("revealPeriod");
            }
            if (t.records == 0) revert AuctionHouse_BadTerms("records");
            if (t.duration == 0 || t.duration > MAX_DURATION) revert AuctionHouse_BadTerms("duration");
        }
        // Effects:
        _storage().terms[datasetId] = t;
        emit AuctionTermsSet(datasetId, t);
    }

    /// @notice Opens an auction; the caller is approved for `purpose` and need not bid.
    /// @param datasetId what is sold
    /// @param purpose that the caller is approved for
    /// @return auctionId from 1
    function open(uint32 datasetId, uint16 purpose) external whenNotPaused returns (uint64 auctionId) {
        Storage storage $ = _storage();
        AuctionTerms memory t = $.terms[datasetId];
        // Check:
        _checkBuyer(msg.sender, purpose, block.timestamp);
        (, bool auctioned) = _openDataset(datasetId);
        if (!auctioned) revert LicenseSale_SoldOtherwise(datasetId, auctioned);
        if (t.reserve == 0) revert AuctionHouse_NotAuctioned(datasetId);
        if ($.live[datasetId] != 0) revert AuctionHouse_Running(datasetId, $.live[datasetId]);
        // Effects:
        auctionId = ++$.lastId;
        $.live[datasetId] = auctionId;
        Auction storage a = $.auctions[auctionId];
        (a.terms, a.datasetId) = (t, datasetId);
        a.commitEnd = _clock() + t.commitPeriod;
        a.revealEnd = a.commitEnd + t.revealPeriod;
        emit AuctionOpened(auctionId, datasetId, msg.sender, t);
    }

    /// @notice Commits a sealed bid and pays the bond. `sealedBid` is what `sealOf` gives. The caller is approved until the
    /// end of the auction: an approval that ran out before would let it see the others' bids and withdraw its own.
    /// @param auctionId which auction
    /// @param sealedBid as `sealOf` gives it, not zero
    /// @param purpose that the caller is approved for
    /// @param p for the bond
    function commit(uint64 auctionId, bytes32 sealedBid, uint16 purpose, Permit calldata p)
        external
        nonReentrant
        whenNotPaused
    {
        Storage storage $ = _storage();
        Auction storage a = $.auctions[auctionId];
        Commitment storage c = $.commitments[auctionId][msg.sender];
        // Check:
        if (_clock() >= a.commitEnd) revert AuctionHouse_NotOpen(auctionId);
        if (sealedBid == 0) revert AuctionHouse_EmptySeal();
        if (c.index != 0) revert AuctionHouse_AlreadyBid(auctionId, msg.sender);
        _checkBuyer(msg.sender, purpose, _unixTimeOf(a.revealEnd));
        // Effects:
        ++a.hidden;
        (c.seal, c.index, c.purpose) = (sealedBid, ++a.bids, purpose);
        emit BidCommitted(auctionId, msg.sender, purpose, sealedBid);
        // Interaction:
        _pull(p, a.terms.bidBond, address(this));
    }

    /// @notice Opens the caller's bid and pays what the bond does not cover. A bid below the reserve, or of a bidder whose
    /// approval was withdrawn, only gets its bond back.
    /// @param auctionId which auction
    /// @param b what was sealed
    /// @param p for what the bond does not cover
    function reveal(uint64 auctionId, Bid calldata b, Permit calldata p) external nonReentrant whenNotPaused {
        Storage storage $ = _storage();
        Auction storage a = $.auctions[auctionId];
        Commitment storage c = $.commitments[auctionId][msg.sender];
        // Check:
        uint64 time = _clock();
        if (time < a.commitEnd || time >= a.revealEnd || a.closed) revert AuctionHouse_NotRevealing(auctionId);
        if (c.seal == 0 || c.seal != sealOf(auctionId, msg.sender, b)) {
            revert AuctionHouse_WrongSeal(auctionId, msg.sender);
        }
        // Effects:
        delete c.seal;
        --a.hidden;
        emit BidRevealed(auctionId, msg.sender, b.amount);
        uint128 bond = a.terms.bidBond;
        if (b.amount < a.terms.reserve || !_isApproved(msg.sender, c.purpose, block.timestamp)) {
            _owe(msg.sender, bond);
            return;
        }
        _checkOrder(_orderOf(a, c.purpose, b.ehdsCategory, b.recipientKey));
        _rank(a, c, b);
        // Interaction: afterwards exactly the amount is held, or owed if another bid is better.
        if (b.amount > bond) _pull(p, b.amount - bond, address(this));
        else _owe(msg.sender, bond - b.amount);
    }

    /// @notice Ends an auction once its time is over or every bid is revealed: the license to the winner, the price and
    /// the bonds of who did not reveal to the Treasury, the rest owed to the winner.
    /// @param auctionId which auction
    function close(uint64 auctionId) external nonReentrant whenNotPaused {
        Storage storage $ = _storage();
        Auction storage a = $.auctions[auctionId];
        // Check:
        uint64 time = _clock();
        bool over = a.hidden == 0 ? time >= a.commitEnd : time >= a.revealEnd;
        if (a.commitEnd == 0 || a.closed || !over) revert AuctionHouse_NotFinished(auctionId);
        // Effects:
        a.closed = true;
        delete $.live[a.datasetId];
        // Interaction:
        (uint64 licenseId, uint256 price) = _award(a);
        uint256 forfeited = uint256(a.hidden) * a.terms.bidBond;
        if (forfeited != 0) {
            SaleStorage storage sale = _sale();
            sale.usdc.forceApprove(address(sale.treasury), forfeited);
            sale.treasury.donate(forfeited);
        }
        emit AuctionClosed(auctionId, licenseId, licenseId == 0 ? address(0) : a.bestBidder, price, forfeited);
    }

    // ---------------------------------------------------------------------------------------------- views

    /// @notice What a bidder commits: it binds chain, contract, auction and bidder, so nobody can copy it.
    /// @param auctionId which auction
    /// @param bidder who commits it
    /// @param b the bid, with a salt of 256 random bits
    /// @return the seal
    function sealOf(uint64 auctionId, address bidder, Bid calldata b) public view returns (bytes32) {
        return keccak256(
            abi.encode(
                block.chainid, address(this), auctionId, bidder, b.amount, b.ehdsCategory, b.recipientKey, b.salt
            )
        );
    }

    /// @notice The terms of a dataset's next auction.
    /// @param datasetId of the dataset
    /// @return a reserve of 0 where it is not auctioned
    function termsOf(uint32 datasetId) external view returns (AuctionTerms memory) {
        return _storage().terms[datasetId];
    }

    /// @notice The auction that runs for a dataset; 0 = none.
    /// @param datasetId of the dataset
    /// @return from 1
    function liveAuction(uint32 datasetId) external view returns (uint64) {
        return _storage().live[datasetId];
    }

    /// @notice An auction, with its two ends in unix seconds as they stand now.
    /// @param auctionId which auction
    /// @return a all zero for an id that was never opened
    function auctionOf(uint64 auctionId) external view returns (Auction memory a) {
        a = _storage().auctions[auctionId];
        if (a.commitEnd == 0) return a;
        (a.commitEnd, a.revealEnd) = (_unixTimeOf(a.commitEnd), _unixTimeOf(a.revealEnd));
    }

    /// @notice What a bidder sealed in an auction.
    /// @param auctionId which auction
    /// @param bidder who committed
    /// @return an index of 0 where it committed nothing
    function commitmentOf(uint64 auctionId, address bidder) external view returns (Commitment memory) {
        return _storage().commitments[auctionId][bidder];
    }

    // ------------------------------------------------------------------------------------------- internal

    /// @dev Puts a bid where it belongs; who is outbid is owed the amount at once. Among equals the earlier one wins.
    function _rank(Auction storage a, Commitment storage c, Bid calldata b) private {
        uint128 best = a.bestAmount;
        if (b.amount > best || (b.amount == best && c.index < a.bestIndex)) {
            _owe(a.bestBidder, best);
            a.second = best;
            (a.bestBidder, a.bestAmount, a.bestIndex) = (msg.sender, b.amount, c.index);
            (a.bestPurpose, a.bestCategory, a.bestKey) = (c.purpose, b.ehdsCategory, b.recipientKey);
        } else {
            _owe(msg.sender, b.amount);
            if (b.amount > a.second) a.second = b.amount;
        }
    }

    /// @dev Sells to the best bidder; nothing where there is none or the board withdrew the approval. One that ran out after
    /// the end binds: else who waits with closing would decide about the sale.
    function _award(Auction storage a) private returns (uint64 licenseId, uint256 price) {
        (address winner, uint256 amount) = (a.bestBidder, a.bestAmount);
        if (winner == address(0)) return (0, 0);
        uint256 end = _unixTimeOf(a.revealEnd);
        if (!_isApproved(winner, a.bestPurpose, Math.min(block.timestamp, end))) {
            _owe(winner, amount);
            return (0, 0);
        }
        price = a.second > a.terms.reserve ? a.second : a.terms.reserve;
        _owe(winner, amount - price);
        licenseId = _issue(winner, _orderOf(a, a.bestPurpose, a.bestCategory, a.bestKey), Rights.QUERY);
        _earn(licenseId, a.datasetId, price);
    }

    function _orderOf(Auction storage a, uint16 purpose, uint8 ehdsCategory, bytes32 recipientKey)
        private
        view
        returns (Order memory)
    {
        return Order(a.datasetId, a.terms.records, purpose, ehdsCategory, a.terms.duration, recipientKey);
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
