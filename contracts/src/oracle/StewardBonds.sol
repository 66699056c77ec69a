// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Bounds} from "../access/Bounds.sol";
import {Governed} from "../access/Governed.sol";
import {LedgerHeader} from "../settlement/LedgerHeader.sol";
import {ISettlementLedger} from "../settlement/ISettlementLedger.sol";
import {ITreasury} from "../treasury/ITreasury.sol";
import {IStewardBonds} from "./IStewardBonds.sol";

/// @title StewardBonds
/// @notice What stewards have at stake, in USDC: bonded, unbonding, locked for an objection, or in escrow.
///
/// Roles
/// - Anyone: pays into any steward's bond; reports two headers that one steward signed for one attempt; returns a slash
///   that nobody decided in time.
/// - Steward: unbonds what its seat does not ask for, or everything, and withdraws it after the delay.
/// - Disputes: locks and settles objections, and sends the signers of a voided root to escrow.
/// - Member house: sets the bonds, opens slashes, and alone confirms or rejects each.
///
/// Assumptions: USDC moves exactly what it is told. The Treasury takes what it is given.
///
/// Liveness: nothing here can be paused. What the member house does not decide within 60 days goes back.
///
/// Who can hurt whom: nobody takes a bond but the member house by confirming, and the house's verdict on an objection. A
/// proven fault only moves it to escrow, which costs the steward its seat's activity until then. Whoever holds a
/// steward's signing key can unbond for it, and has 28 days to wait in plain sight.
abstract contract StewardBonds is Governed, IStewardBonds {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    /// @notice A steward's money and seat. One slot, so that a quorum check reads both at once. Micro-USDC.
    struct Stake {
        uint64 bond;
        uint64 locked;
        uint64 unbonding;
        uint40 unbondsAt;
        uint16 generation;
        uint8 stewardId;
    }

    /// @notice A bond in escrow. `amount` is 0 once it is decided.
    struct Slash {
        address steward;
        uint64 amount;
        uint64 releasesAt;
    }

    /// @custom:storage-location erc7201:rochdale.storage.StewardBonds
    struct BondsStorage {
        IERC20 usdc;
        // Between the bounds below, and never under `objectionBond`.
        uint64 minBond;
        ITreasury treasury;
        uint64 objectionBond;
        address ledger;
        uint64 slashCount;
        // What all have bonded, locked and unbonding, and what `slashes` hold, is never more than the USDC that is here.
        mapping(address steward => Stake) stakes;
        // From 1 to `slashCount`; gone once decided.
        mapping(uint256 slashId => Slash) slashes;
        // Once for a steward, epoch and attempt.
        mapping(bytes32 fault => bool) reported;
        // Who locks and settles objections, and sends signers to escrow.
        address disputes;
    }

    bytes32 private constant STORAGE = 0xc0e9f549d5e4effb71bd86de9f7df4e379e1b71e0363f014dcb904e035578f00;

    /// @notice Bounds of what a seat asks for, micro-USDC: a seat that nobody could pay for would never be active, and one
    /// for nothing has nothing to lose. An objection locks no more than a seat asks for.
    uint64 public constant LEAST_BOND = Bounds.MIN_BOND;
    uint64 public constant MOST_BOND = Bounds.MAX_AMOUNT;

    /// @notice How long a bond that leaves can still be slashed.
    uint256 public constant UNBONDING = 28 days;

    /// @notice How long the member house may take to decide a slash.
    uint256 public constant DECISION = 60 days;

    /// @notice The reason of a slash for two headers signed for one attempt.
    bytes32 public constant EQUIVOCATION = "equivocation";

    event MinBondSet(uint256 minBond);
    event ObjectionBondSet(uint256 objectionBond);
    event Bonded(address indexed steward, address indexed payer, uint256 amount);
    event Unbonding(address indexed steward, uint256 amount, uint256 withdrawableAt);
    event BondWithdrawn(address indexed steward, address to, uint256 amount);
    event SlashOpened(uint256 indexed id, address indexed steward, uint256 amount, bytes32 reason);
    event SlashConfirmed(uint256 indexed id, address indexed steward, uint256 amount);
    event SlashReturned(uint256 indexed id, address indexed steward, uint256 amount);
    event ObjectionLocked(address indexed steward, uint256 amount);
    event ObjectionSettled(address indexed steward, uint256 amount, bool won);
    event Equivocated(address indexed steward, uint32 epoch, uint32 attempt);

    error StewardBonds_BadBond(uint256 bond);
    error StewardBonds_OnlyDisputes(address caller);
    error StewardBonds_ZeroAmount();
    error StewardBonds_BondTooSmall(address steward, uint256 bond, uint256 needed);
    error StewardBonds_NothingUnbonding(address steward);
    error StewardBonds_StillUnbonding(address steward, uint256 withdrawableAt);
    error StewardBonds_NothingAtStake(address steward);
    error StewardBonds_NoOpenSlash(uint256 id);
    error StewardBonds_NotReleasable(uint256 id, uint256 releasesAt);
    error StewardBonds_NotSeated(address steward);
    error StewardBonds_ObjectionOpen(address steward);
    error StewardBonds_NotEquivocal();
    error StewardBonds_DifferentSigners(address a, address b);
    error StewardBonds_AlreadyReported(address steward, uint32 epoch, uint32 attempt);

    modifier onlyDisputes() {
        if (msg.sender != _bonds().disputes) revert StewardBonds_OnlyDisputes(msg.sender);
        _;
    }

    function __StewardBonds_init(
        address usdc_,
        address treasury_,
        address ledger_,
        address disputes_,
        uint64 minBond_,
        uint64 objection_
    ) internal onlyInitializing {
        BondsStorage storage $ = _bonds();
        $.usdc = IERC20(_nonZero(usdc_, "usdc"));
        $.treasury = ITreasury(_nonZero(treasury_, "treasury"));
        $.ledger = _nonZero(ledger_, "ledger");
        $.disputes = _nonZero(disputes_, "disputes");
        _setMinBond(minBond_);
        _setObjectionBond(objection_);
    }

    // ------------------------------------------------------------------------------------- administration

    /// @notice Sets the bond that seats of later generations ask for, in micro-USDC.
    /// @param minBond_ not below what an objection locks
    function setMinBond(uint64 minBond_) external restricted {
        _setMinBond(minBond_);
    }

    /// @notice Sets what later objections lock, in micro-USDC.
    /// @param objectionBond_ not above what a seat asks for
    function setObjectionBond(uint64 objectionBond_) external restricted {
        _setObjectionBond(objectionBond_);
    }

    // ---------------------------------------------------------------------------------------------- bonds

    /// @notice Pays into `steward`'s bond. A seat that waited for it becomes active.
    /// @param steward whose bond
    /// @param amount micro-USDC that the caller approved, not 0
    function bondFor(address steward, uint256 amount) external {
        BondsStorage storage $ = _bonds();
        // Check:
        _nonZero(steward, "steward");
        if (amount == 0) revert StewardBonds_ZeroAmount();
        // Effects:
        $.stakes[steward].bond += amount.toUint64();
        emit Bonded(steward, msg.sender, amount);
        // Interaction:
        $.usdc.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @notice Starts to withdraw `amount` of the caller's bond; with a seat, what the seat does not ask for, or everything:
    /// then the seat is active no more, whether the house seats somebody else or not. What is unbonding already waits anew.
    /// @param amount micro-USDC, not 0
    function requestUnbond(uint256 amount) external {
        Stake storage stake = _bonds().stakes[msg.sender];
        Stake memory s = stake;
        // Check:
        if (amount == 0) revert StewardBonds_ZeroAmount();
        uint256 needed = amount + (_isSeated(s) && amount != s.bond ? _seatBond() : 0);
        if (needed > s.bond) revert StewardBonds_BondTooSmall(msg.sender, s.bond, needed);
        // Effects:
        uint256 withdrawableAt = block.timestamp + UNBONDING;
        stake.bond = s.bond - uint64(amount);
        stake.unbonding = s.unbonding + uint64(amount);
        stake.unbondsAt = uint40(withdrawableAt);
        emit Unbonding(msg.sender, amount, withdrawableAt);
    }

    /// @notice Sends what the caller has unbonded to `to`, once the delay is over.
    /// @param to who gets it
    function withdrawBond(address to) external {
        BondsStorage storage $ = _bonds();
        Stake storage stake = $.stakes[msg.sender];
        uint256 amount = stake.unbonding;
        // Check:
        _nonZero(to, "to");
        if (amount == 0) revert StewardBonds_NothingUnbonding(msg.sender);
        if (block.timestamp < stake.unbondsAt) revert StewardBonds_StillUnbonding(msg.sender, stake.unbondsAt);
        // Effects:
        (stake.unbonding, stake.unbondsAt) = (0, 0);
        emit BondWithdrawn(msg.sender, to, amount);
        // Interaction:
        $.usdc.safeTransfer(to, amount);
    }

    // ------------------------------------------------------------------------------------------- slashing

    /// @notice Moves up to `amount` of what `steward` has bonded or unbonding into escrow, to be decided.
    /// @param steward whose bond
    /// @param amount micro-USDC, at most; less where there is less
    /// @param reason for the log
    /// @return id from 1
    function openSlash(address steward, uint256 amount, bytes32 reason) external restricted returns (uint256 id) {
        id = _mustEscrow(steward, amount, reason);
    }

    /// @notice Moves everything that a steward has into escrow who signed two different headers for one attempt of one
    /// epoch. Anyone may show it; each fault counts once, unless there was less to take than a seat asks for.
    /// @param a one header
    /// @param signatureA the steward's over it
    /// @param b another of the same attempt
    /// @param signatureB the same steward's over that
    /// @return id of the slash, from 1
    function reportEquivocation(
        ISettlementLedger.Header calldata a,
        bytes calldata signatureA,
        ISettlementLedger.Header calldata b,
        bytes calldata signatureB
    ) external returns (uint256 id) {
        BondsStorage storage $ = _bonds();
        // Check:
        (bytes32 digestA, bytes32 digestB) = (LedgerHeader.digestFor($.ledger, a), LedgerHeader.digestFor($.ledger, b));
        if (a.epoch != b.epoch || a.attempt != b.attempt || digestA == digestB) revert StewardBonds_NotEquivocal();
        address steward = ECDSA.recoverCalldata(digestA, signatureA);
        address other = ECDSA.recoverCalldata(digestB, signatureB);
        if (steward != other) revert StewardBonds_DifferentSigners(steward, other);
        bytes32 fault = keccak256(abi.encode(steward, a.epoch, a.attempt));
        if ($.reported[fault]) revert StewardBonds_AlreadyReported(steward, a.epoch, a.attempt);
        // Effects:
        emit Equivocated(steward, a.epoch, a.attempt);
        id = _mustEscrow(steward, type(uint256).max, EQUIVOCATION);
        // A steward that reports itself for a cent would be free to do it once it has a bond.
        if ($.slashes[id].amount >= _seatBond()) $.reported[fault] = true;
    }

    /// @inheritdoc IStewardBonds
    function escrowSigners(uint256 signers, bytes32 reason) external onlyDisputes {
        address[] memory stewards = signersOf(signers);
        for (uint256 i; i < stewards.length; ++i) {
            _escrow(stewards[i], type(uint256).max, reason);
        }
    }

    /// @notice Forfeits what is in escrow to the Treasury's reserve.
    /// @param id an open slash
    function confirmSlash(uint256 id) external restricted {
        Slash memory slash = _closeSlash(id);
        emit SlashConfirmed(id, slash.steward, slash.amount);
        _forfeit(slash.amount);
    }

    /// @notice Returns what is in escrow to the steward's bond.
    /// @param id an open slash
    function rejectSlash(uint256 id) external restricted {
        _returnSlash(id);
    }

    /// @notice Returns what the member house left undecided for 60 days to the steward's bond.
    /// @param id an open slash
    function releaseSlash(uint256 id) external {
        uint256 releasesAt = _bonds().slashes[id].releasesAt;
        if (block.timestamp < releasesAt) revert StewardBonds_NotReleasable(id, releasesAt);
        _returnSlash(id);
    }

    // ----------------------------------------------------------------------------------------- objections

    /// @inheritdoc IStewardBonds
    function lockObjection(address steward) external onlyDisputes {
        BondsStorage storage $ = _bonds();
        Stake storage stake = $.stakes[steward];
        Stake memory s = stake;
        uint64 amount = $.objectionBond;
        // Check:
        if (!_isSeated(s)) revert StewardBonds_NotSeated(steward);
        if (s.locked != 0) revert StewardBonds_ObjectionOpen(steward);
        if (s.bond < amount) revert StewardBonds_BondTooSmall(steward, s.bond, amount);
        // Effects:
        (stake.bond, stake.locked) = (s.bond - amount, amount);
        emit ObjectionLocked(steward, amount);
    }

    /// @inheritdoc IStewardBonds
    function settleObjection(address steward, bool won) external onlyDisputes {
        Stake storage stake = _bonds().stakes[steward];
        uint64 amount = stake.locked;
        if (amount == 0) return;
        // Effects:
        stake.locked = 0;
        if (won) stake.bond += amount;
        emit ObjectionSettled(steward, amount, won);
        // Interaction:
        if (!won) _forfeit(amount);
    }

    // ---------------------------------------------------------------------------------------------- views

    /// @inheritdoc IStewardBonds
    function isActiveSteward(address steward) external view returns (bool) {
        return _isActive(_stakeOf(steward), _seatBond());
    }

    /// @notice All that is kept of a steward: its money and its last seat, which may be of a former generation.
    /// @param steward of whom
    /// @return micro-USDC and seat
    function stakeOf(address steward) external view returns (Stake memory) {
        return _stakeOf(steward);
    }

    /// @inheritdoc IStewardBonds
    function bondOf(address steward) external view returns (uint256) {
        return _stakeOf(steward).bond;
    }

    /// @notice A slash by its id, from 1; amount 0 if it was decided or never opened.
    /// @param id of the slash
    /// @return whose, how much, and until when it can be decided
    function slashOf(uint256 id) external view returns (Slash memory) {
        return _bonds().slashes[id];
    }

    /// @notice How many slashes were opened since the start.
    /// @return which is also the last id
    function slashCount() external view returns (uint256) {
        return _bonds().slashCount;
    }

    /// @notice What seats of later generations ask for, in micro-USDC.
    /// @return of the next generation
    function minBond() external view returns (uint256) {
        return _bonds().minBond;
    }

    /// @notice What a seat of the current generation asks for, in micro-USDC.
    /// @return as it was when they were seated
    function seatBond() external view returns (uint256) {
        return _seatBond();
    }

    /// @inheritdoc IStewardBonds
    function objectionBond() external view returns (uint256) {
        return _bonds().objectionBond;
    }

    /// @notice What bonds are paid in.
    /// @return a token of six decimals
    function usdc() external view returns (address) {
        return address(_bonds().usdc);
    }

    /// @notice Where forfeited bonds go.
    /// @return into its reserve
    function treasury() external view returns (address) {
        return address(_bonds().treasury);
    }

    /// @notice Whose headers stewards sign.
    /// @return the SettlementLedger
    function ledger() external view returns (address) {
        return _bonds().ledger;
    }

    /// @notice Who locks and settles objections, and sends signers to escrow.
    /// @return the Disputes
    function disputes() external view returns (address) {
        return _bonds().disputes;
    }

    /// @inheritdoc IStewardBonds
    function signersOf(uint256 signers) public view virtual returns (address[] memory);

    // ------------------------------------------------------------------------------------------- internal

    /// @dev What a seat of the current generation asks for.
    function _seatBond() internal view virtual returns (uint64);

    /// @dev Whether the seat is of the current generation.
    function _isSeated(Stake memory s) internal view virtual returns (bool);

    /// @dev A locked objection still counts: whoever objects shall not lose its seat by that.
    function _isActive(Stake memory s, uint64 seatBond_) internal view returns (bool) {
        return _isSeated(s) && uint256(s.bond) + s.locked >= seatBond_;
    }

    function _stakeOf(address steward) internal view returns (Stake memory) {
        return _bonds().stakes[steward];
    }

    /// @dev What a quorum check reads of a signer: generation and steward id of its last seat, and what it has bonded or
    /// locked.
    function _standingOf(address steward)
        internal
        view
        returns (uint256 generation, uint256 stewardId, uint256 atStake)
    {
        Stake storage stake = _bonds().stakes[steward];
        return (stake.generation, stake.stewardId, uint256(stake.bond) + stake.locked);
    }

    function _setSeatOf(address steward, uint16 generation, uint8 stewardId) internal {
        Stake storage stake = _bonds().stakes[steward];
        (stake.generation, stake.stewardId) = (generation, stewardId);
    }

    function _minBond() internal view returns (uint64) {
        return _bonds().minBond;
    }

    function _mustEscrow(address steward, uint256 amount, bytes32 reason) private returns (uint256 id) {
        id = _escrow(steward, amount, reason);
        if (id == 0) revert StewardBonds_NothingAtStake(steward);
    }

    /// @dev What is unbonding goes first: it has the least to do with the seat. Returns 0 if there was nothing to take.
    function _escrow(address steward, uint256 amount, bytes32 reason) private returns (uint256 id) {
        BondsStorage storage $ = _bonds();
        Stake storage stake = $.stakes[steward];
        Stake memory s = stake;
        uint256 leaving = Math.min(amount, s.unbonding);
        uint256 bonded = Math.min(amount - leaving, s.bond);
        uint256 taken = leaving + bonded;
        if (taken == 0) return 0;
        (stake.unbonding, stake.bond) = (s.unbonding - uint64(leaving), s.bond - uint64(bonded));
        id = ++$.slashCount;
        $.slashes[id] = Slash(steward, taken.toUint64(), uint64(block.timestamp + DECISION));
        emit SlashOpened(id, steward, taken, reason);
    }

    function _closeSlash(uint256 id) private returns (Slash memory slash) {
        BondsStorage storage $ = _bonds();
        slash = $.slashes[id];
        if (slash.amount == 0) revert StewardBonds_NoOpenSlash(id);
        delete $.slashes[id];
    }

    function _returnSlash(uint256 id) private {
        Slash memory slash = _closeSlash(id);
        _bonds().stakes[slash.steward].bond += slash.amount;
        emit SlashReturned(id, slash.steward, slash.amount);
    }

    function _forfeit(uint256 amount) private {
        BondsStorage storage $ = _bonds();
        $.usdc.forceApprove(address($.treasury), amount);
        $.treasury.donate(amount);
    }

    function _setMinBond(uint64 minBond_) private {
        if (minBond_ < LEAST_BOND || minBond_ > MOST_BOND || minBond_ < _bonds().objectionBond) {
            revert StewardBonds_BadBond(minBond_);
        }
        _bonds().minBond = minBond_;
        emit MinBondSet(minBond_);
    }

    function _setObjectionBond(uint64 objectionBond_) private {
        if (objectionBond_ < LEAST_BOND || objectionBond_ > _bonds().minBond) {
            revert StewardBonds_BadBond(objectionBond_);
        }
        _bonds().objectionBond = objectionBond_;
        emit ObjectionBondSet(objectionBond_);
    }

    function _bonds() private pure returns (BondsStorage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
