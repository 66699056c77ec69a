// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {VotesUpgradeable} from "@openzeppelin/contracts-upgradeable/governance/utils/VotesUpgradeable.sol";
import {ERC20Upgradeable} from "@openzeppelin/contracts-upgradeable/token/ERC20/ERC20Upgradeable.sol";
import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";
import {Governed} from "../access/Governed.sol";
import {MemberSignature} from "../access/MemberSignature.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";
import {IMembership} from "../membership/IMembership.sol";

/// @title GovToken (GOV)
/// @notice Earned by contributing. Its votes are those of who earned it: units = sqrt(min(free, earned) + Σ lockedᵢ·mᵢ²)
/// for a seasoned member, nothing for anybody else.
///
/// Roles
/// - SettlementLedger mints, and what it mints to an account is what that account earned. Nothing else counts as earned.
/// - An active member locks earned tokens for 3, 6, 12, 24 or 48 months for more units, and delegates to seasoned members.
/// - Anyone pokes an account: expired locks end, who became seasoned gets units, who is no member any more has none.
/// - Authority: lists contracts that may receive GOV; upgrades.
///
/// Assumptions
/// - SettlementLedger keeps claimed ≤ earned. Membership answers who is active, and an account joins once in its life.
/// - Σ units ≤ 2·Σ sqrt(everything an account ever earned): transfers move neither `earned` nor locks, so tokens that are
///   received carry no votes, and spreading or lending gains nothing.
///
/// Votes
/// - One token earned is 1e18 units; everyone is their own delegate until they name another.
/// - Units of a member who is not seasoned cannot vote and are in the total all the same: a quorum is a part of them too.
/// - Stored units change with the account's own balance, locks and pokes. A member who becomes seasoned, a membership
///   that ends, or a lock that expires, is noticed at the next of them; Membership calls `sync` when it ends one.
/// - What was delegated to a member who left is worth nothing until the delegator's units are next touched (by anyone,
///   through `sync`): then it is the delegator's own again.
///
/// Liveness: minting asks Membership a view and nothing else, so a claim never fails for who left. Only the receiver of
/// a transfer must be a member or listed, so who left, or was paid at an address apart, can always pass GOV on.
/// Who can hurt whom: the authority can list a buyer's contract and so open the market that the rule closes; votes
/// cannot be bought that way. A locker cannot take a lock back before its time.
contract GovToken is ERC20Upgradeable, VotesUpgradeable, NamedEIP712, Governed {
    using Checkpoints for Checkpoints.Trace208;

    /// @dev One slot.
    struct Lock {
        uint96 amount;
        uint40 unlockAt;
        uint8 tier;
    }

    /// @notice What a member signs so that somebody else sends `lock`.
    struct LockOrder {
        address account;
        uint96 amount;
        uint8 tier;
        uint256 nonce;
        uint256 deadline;
    }

    /// @dev The first slot is all that an account without locks needs.
    struct Account {
        // What it was minted and has not locked, whether it still holds it or not: transfers leave it as it is.
        uint128 earned;
        // Of an active member, seasoned or not; they vote only where `votes` says so.
        uint112 units;
        bool votes;
        bool hasLocks;
        // The sum of the locks' amounts; never above the balance.
        uint128 locked;
        // The same with each amount times its tier's squared multiplier in basis points.
        uint128 weighted;
        Lock[] locks;
    }

    /// @custom:storage-location erc7201:rochdale.storage.GovToken
    struct Storage {
        address ledger;
        IMembership membership;
        mapping(address account => bool) listed;
        mapping(address account => Account) accounts;
        // Units of active members who are not seasoned yet, or were not when their units were last counted.
        Checkpoints.Trace208 unseasoned;
    }

    bytes32 private constant STORAGE = 0xfec26a3e380fa2e3f36b5edcd66bec109ef554fefc5d2c7618f058c133131a00;

    bytes32 private constant LOCK_TYPEHASH =
        keccak256("Lock(address account,uint96 amount,uint8 tier,uint256 nonce,uint256 deadline)");

    uint256 private constant BPS = 10_000;

    /// @notice How many locks an account may have at a time.
    uint256 public constant MAX_LOCKS = 16;

    /// @notice A month of a lock.
    uint40 public constant MONTH = 30 days;

    event Listed(address indexed account, bool listed);
    event Locked(address indexed account, uint96 amount, uint8 tier, uint40 unlockAt);
    event Unlocked(address indexed account, uint96 amount, uint8 tier, uint40 unlockAt);
    event UnitsChanged(address indexed account, uint256 units);

    error GovToken_OnlyLedger(address caller);
    error GovToken_NotMember(address account);
    error GovToken_NotSeasoned(address account);
    error GovToken_IsLocked(address account, uint256 free, uint256 amount);
    error GovToken_ZeroAmount();
    error GovToken_BadTier(uint8 tier);
    error GovToken_TooManyLocks(address account);
    error GovToken_NotEarned(address account, uint256 lockable, uint256 amount);
    error GovToken_NoSuchLock(address account, uint256 index);
    error GovToken_NotExpired(uint40 unlockAt);
    error GovToken_Expired(uint256 deadline);
    error GovToken_BadSignature(address account);

    /// @notice Once, by the factory.
    /// @param authority_ the cooperative's AccessManager
    /// @param ledger who mints
    /// @param membership who votes
    function initialize(address authority_, address ledger, address membership) external initializer {
        __Governed_init(authority_);
        __ERC20_init("GovToken", "GOV");
        Storage storage $ = _storage();
        $.ledger = _nonZero(ledger, "ledger");
        $.membership = IMembership(_nonZero(membership, "membership"));
    }

    // ------------------------------------------------------------------------------------------------ holding

    /// @notice Mints what a member claims; the receiver earned it.
    /// @param to who earned it
    /// @param amount wei
    function mint(address to, uint256 amount) external {
        Storage storage $ = _storage();
        if (msg.sender != $.ledger) revert GovToken_OnlyLedger(msg.sender);
        $.accounts[to].earned += SafeCast.toUint128(amount);
        _mint(to, amount);
    }

    /// @notice Lists or delists a contract that may receive GOV without being a member.
    /// @param account of whom
    /// @param on whether it may
    function setListed(address account, bool on) external restricted {
        _storage().listed[account] = on;
        emit Listed(account, on);
    }

    /// @notice Whether an account may receive GOV without being a member.
    /// @param account of whom
    /// @return true while it is listed
    function isListed(address account) external view returns (bool) {
        return _storage().listed[account];
    }

    // -------------------------------------------------------------------------------------------------- locks

    /// @notice Locks tokens that the caller earned and holds: tier 0–4 for 3, 6, 12, 24, 48 months.
    /// @param amount wei, not 0
    /// @param tier 0 to 4
    function lock(uint96 amount, uint8 tier) external {
        _lock(msg.sender, amount, tier);
    }

    /// @notice As `lock`, by the signature of a key or an ERC-1271 account.
    /// @param order what to lock
    /// @param signature the account's over `order`
    function lockBySig(LockOrder calldata order, bytes calldata signature) external {
        // Check:
        if (block.timestamp > order.deadline) revert GovToken_Expired(order.deadline);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(LOCK_TYPEHASH, order)));
        if (!MemberSignature.isValid(order.account, digest, signature)) revert GovToken_BadSignature(order.account);
        // Effects:
        _useCheckedNonce(order.account, order.nonce);
        _lock(order.account, order.amount, order.tier);
    }

    /// @notice Ends one of the caller's locks that has expired. The last lock takes its index.
    /// @param index in `locksOf`
    function unlock(uint256 index) external {
        Account storage a = _storage().accounts[msg.sender];
        // Check:
        if (index >= a.locks.length) revert GovToken_NoSuchLock(msg.sender, index);
        uint40 unlockAt = a.locks[index].unlockAt;
        if (block.timestamp < unlockAt) revert GovToken_NotExpired(unlockAt);
        // Effects:
        _release(a, msg.sender, index);
        _refresh(msg.sender);
    }

    /// @notice Ends every lock of `account` that has expired, and counts its units anew. Anyone may.
    /// @param account whose locks
    function poke(address account) external {
        Account storage a = _storage().accounts[account];
        for (uint256 i = a.locks.length; i > 0; --i) {
            if (a.locks[i - 1].unlockAt <= block.timestamp) _release(a, account, i - 1);
        }
        _refresh(account);
    }

    /// @notice Counts the units of `account` anew, locks as they are. Anyone may; Membership does when one ends.
    /// @param account whose units
    function sync(address account) external {
        _refresh(account);
    }

    // -------------------------------------------------------------------------------------------------- views

    /// @notice What `account` earned itself and has not locked, whether it still holds it or not.
    /// @param account of whom
    /// @return wei
    function earnedOf(address account) external view returns (uint256) {
        return _storage().accounts[account].earned;
    }

    /// @notice The part of the balance that is locked.
    /// @param account of whom
    /// @return wei
    function lockedOf(address account) external view returns (uint256) {
        return _storage().accounts[account].locked;
    }

    /// @notice An account's locks; ending one gives its index to the last.
    /// @param account of whom
    /// @return at most `MAX_LOCKS`
    function locksOf(address account) external view returns (Lock[] memory) {
        return _storage().accounts[account].locks;
    }

    /// @notice Voting units as last counted, wherever they are delegated.
    /// @param account of whom
    /// @return 1e18 for one token; 0 for who cannot vote
    function unitsOf(address account) external view returns (uint256) {
        return _getVotingUnits(account);
    }

    /// @notice The id under which `account` joined, 0 if it never did; a governor numbers its ballots by it.
    /// @param account of the voter
    /// @return from 1
    function memberIdOf(address account) external view returns (uint32) {
        return _storage().membership.memberIdOf(account);
    }

    /// @notice All units that there were, of seasoned members and of those who are not yet: what a quorum is a part of.
    /// @param timepoint in the past, unix seconds
    /// @return units
    function getPastTotalSupply(uint256 timepoint) public view override returns (uint256) {
        return super.getPastTotalSupply(timepoint) + _storage().unseasoned.upperLookupRecent(uint48(timepoint));
    }

    /// @notice Whom `account`'s units vote with: itself, unless it named another.
    /// @param account of whom
    /// @return never zero
    function delegates(address account) public view override returns (address) {
        address named = super.delegates(account);
        return named == address(0) ? account : named;
    }

    /// @notice Times here are unix seconds.
    /// @return now
    function clock() public view override returns (uint48) {
        return Time.timestamp();
    }

    /// @notice ERC-6372: what the clock counts.
    /// @return timestamps
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    // ----------------------------------------------------------------------------------------------- internal

    function _lock(address account, uint96 amount, uint8 tier) private {
        Account storage a = _storage().accounts[account];
        (uint40 duration, uint256 squared) = _terms(tier);
        // Check:
        if (!_isMember(account)) revert GovToken_NotMember(account);
        if (amount == 0) revert GovToken_ZeroAmount();
        if (a.locks.length >= MAX_LOCKS) revert GovToken_TooManyLocks(account);
        uint256 lockable = Math.min(balanceOf(account) - a.locked, a.earned);
        if (amount > lockable) revert GovToken_NotEarned(account, lockable, amount);
        // Effects:
        (a.earned, a.locked, a.hasLocks) = (a.earned - amount, a.locked + amount, true);
        a.weighted += uint128(amount * squared);
        uint40 unlockAt = uint40(block.timestamp) + duration;
        a.locks.push(Lock({amount: amount, unlockAt: unlockAt, tier: tier}));
        emit Locked(account, amount, tier, unlockAt);
        _refresh(account);
    }

    function _release(Account storage a, address account, uint256 index) private {
        Lock memory l = a.locks[index];
        (, uint256 squared) = _terms(l.tier);
        a.locks[index] = a.locks[a.locks.length - 1];
        a.locks.pop();
        (a.earned, a.locked, a.hasLocks) = (a.earned + l.amount, a.locked - l.amount, a.locks.length != 0);
        a.weighted -= uint128(l.amount * squared);
        emit Unlocked(account, l.amount, l.tier, l.unlockAt);
    }

    /// @dev How long a tier locks, and the square of its multiplier (1.1, 1.25, 1.5, 1.75, 2) in bps: exact.
    function _terms(uint8 tier) private pure returns (uint40 duration, uint256 squared) {
        if (tier == 0) return (3 * MONTH, 12_100);
        if (tier == 1) return (6 * MONTH, 15_625);
        if (tier == 2) return (12 * MONTH, 22_500);
        if (tier == 3) return (24 * MONTH, 30_625);
        if (tier == 4) return (48 * MONTH, 40_000);
        revert GovToken_BadTier(tier);
    }

    function _update(address from, address to, uint256 value) internal override {
        if (from == address(0)) {
            super._update(from, to, value);
        } else {
            _checkMayReceive(to);
            _checkFree(from, value);
            super._update(from, to, value);
            _refreshIfEarned(from);
        }
        _refreshIfEarned(to);
    }

    /// @dev Who earned nothing has no units that a balance could change.
    function _refreshIfEarned(address account) private {
        Account storage a = _storage().accounts[account];
        if (a.earned != 0 || a.units != 0) _refresh(account);
    }

    /// @dev Sets the account's stored units to what they are now and moves the difference to its delegate's votes.
    function _refresh(address account) private {
        Account storage a = _storage().accounts[account];
        bool votes = _isSeasoned(account);
        bool active = votes || _isMember(account);
        _leaveEndedDelegate(account);
        (uint256 before, uint256 units) = (a.units, active ? _units(a, account) : 0);
        (uint256 voted, uint256 votable) = (a.votes ? before : 0, votes ? units : 0);
        (a.units, a.votes) = (uint112(units), votes);
        _countUnseasoned(before - voted, units - votable);
        if (votable > voted) _transferVotingUnits(address(0), account, votable - voted);
        else if (votable < voted) _transferVotingUnits(account, address(0), voted - votable);
        if (votable != voted) emit UnitsChanged(account, votable);
        // What others delegated to somebody who left votes no more. To who is not seasoned yet nobody could delegate.
        if (!active) _moveDelegateVotes(account, address(0), getVotes(account));
    }

    function _countUnseasoned(uint256 before, uint256 units) private {
        if (units == before) return;
        Checkpoints.Trace208 storage trace = _storage().unseasoned;
        trace.push(clock(), uint208(trace.latest() + units - before));
    }

    function _units(Account storage a, address account) private view returns (uint256) {
        uint256 balance = balanceOf(account);
        if (!a.hasLocks) return Math.sqrt(Math.min(balance, a.earned) * 1e18);
        uint256 own = Math.min(balance - a.locked, a.earned);
        return Math.sqrt((own * BPS + a.weighted) * (1e18 / BPS));
    }

    /// @dev Naming nobody is naming oneself.
    function _delegate(address account, address delegatee) internal override {
        if (delegatee == address(0)) delegatee = account;
        if (delegatee != account && !_isSeasoned(delegatee)) revert GovToken_NotSeasoned(delegatee);
        _leaveEndedDelegate(account);
        super._delegate(account, delegatee);
    }

    /// @dev Takes the units back from a delegate who is no member any more. Once `_refresh` has run for that delegate, its
    /// votes are 0 and hold these units no more; they are put there first, so that moving them away does not underflow.
    function _leaveEndedDelegate(address account) private {
        address named = super.delegates(account);
        if (named == address(0) || named == account || _isSeasoned(named)) return;
        if (getVotes(named) == 0) _moveDelegateVotes(address(0), named, _getVotingUnits(account));
        super._delegate(account, account);
    }

    function _getVotingUnits(address account) internal view override returns (uint256) {
        Account storage a = _storage().accounts[account];
        return a.votes ? a.units : 0;
    }

    function _checkMayReceive(address account) private view {
        if (!_storage().listed[account] && !_isMember(account)) revert GovToken_NotMember(account);
    }

    function _checkFree(address account, uint256 value) private view {
        Account storage a = _storage().accounts[account];
        if (!a.hasLocks) return;
        uint256 free = balanceOf(account) - a.locked;
        if (value > free) revert GovToken_IsLocked(account, free, value);
    }

    function _isMember(address account) private view returns (bool) {
        return _storage().membership.isMember(account);
    }

    function _isSeasoned(address account) private view returns (bool) {
        return _storage().membership.isSeasoned(account);
    }

    function _EIP712Name() internal pure override returns (string memory) {
        return "GovToken";
    }

    function _EIP712Version() internal pure override(EIP712Upgradeable, NamedEIP712) returns (string memory) {
        return "1";
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
