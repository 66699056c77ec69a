// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC5805} from "@openzeppelin/contracts/interfaces/IERC5805.sol";
import {ERC721Upgradeable} from "@openzeppelin/contracts-upgradeable/token/ERC721/ERC721Upgradeable.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";
import {Governed} from "../access/Governed.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";
import {MemberSignature} from "../access/MemberSignature.sol";
import {Pausing} from "../access/Pausing.sol";
import {SoulboundERC721} from "../tokens/SoulboundERC721.sol";
import {IMembership, ISyncedVotes} from "./IMembership.sol";

/// @title Membership
/// @notice Who belongs to the cooperative: one soulbound token and one vote for each member.
///
/// Roles
/// - Registrar: signs admissions off chain, each for one credential (its nullifier). Anyone may send them.
/// - Member: signs to leave and to name another payout address. Anyone may send it.
/// - ConsentRegistry: ends the membership of a member who erased everything.
/// - Member house: names the registrar, sets the admission cap, expels. Charter: upgrades. PauseGuard: stops admissions
///   for a limited time, nothing else.
///
/// Assumptions
/// - The registrar derives the same nullifier for the same person; the chain sees that it is used once, not whose it is.
/// - An account joins once in its life. Whoever comes back uses another account, so past votes stay readable.
/// - The registrar names the digest of the row key that the member drew, once enough stewards hold the key. It stays for
///   ever, also after the membership ended: contests of the member's row go by it.
///
/// Votes
/// - A member has one vote from 30 days after joining until the membership ends, held by the member's own account.
///   There is no delegation, so no vote is stored: it follows from two timestamps, and joining costs no checkpoint
///   for each voter.
/// - The total counts every active member, seasoned or not: it is what a quorum is a part of, so that the first who are
///   seasoned do not decide for those who came after them.
///
/// Ending: whoever leaves, erases everything or is expelled loses token, vote and live consent in the same block, and
/// keeps the account on record, the payout address and all that was earned. The account can still name another payout
/// address and erase.
///
/// Liveness: `leave` and `setPayout` read one member and ask its account; `close` depends on nothing but ConsentRegistry.
/// GovToken is told of each ending; if it fails, the membership ends all the same and anyone may call its `sync` later.
/// No pause reaches them. A cap of 0 stops admissions and nothing else.
///
/// Who can hurt whom: a dishonest registrar can admit people who do not exist, at most `admissionsPerEpoch` in an epoch,
/// without a vote for 30 days, and name a payout address that a member did not ask for, which the member can change. It
/// cannot remove, impersonate or redirect the money of a member later. The member house can expel anybody and cannot touch
/// what they earned. A stolen member key can leave and redirect future payments.
contract Membership is IMembership, SoulboundERC721, NamedEIP712, Governed, Pausing, IERC5805 {
    using Checkpoints for Checkpoints.Trace208;

    /// @notice What the registrar signs. The nullifier is the nonce.
    /// @param rowKeyDigest keccak256 of the key that salts the member's row of the ledger; 0 for a member without one
    struct Admission {
        address account;
        address payout;
        bytes32 nullifier;
        bytes32 rowKeyDigest;
        uint256 deadline;
    }

    /// @notice What a member signs to leave.
    struct Leave {
        uint32 memberId;
        uint256 nonce;
        uint256 deadline;
    }

    /// @notice What a member, or who was one, signs to be paid elsewhere.
    struct Payout {
        uint32 memberId;
        address payout;
        uint256 nonce;
        uint256 deadline;
    }

    /// @dev One slot. `endedAt` = 0 while active. Only a new payout address uses up a nonce: leaving happens once.
    struct Member {
        address payout;
        uint40 joinedAt;
        uint40 endedAt;
        uint16 nonce;
    }

    /// @custom:storage-location erc7201:rochdale.storage.Membership
    struct Storage {
        address registrar;
        address consentRegistry;
        // One slot: read and written by every join.
        uint40 genesis;
        uint32 epochLength;
        uint32 admissionsPerEpoch;
        uint32 window;
        uint32 admittedInWindow;
        // Which is also the last id: ids run from 1 without a gap and are never issued again.
        uint32 memberCount;
        // Never deleted: a payout address outlives the membership.
        mapping(uint32 memberId => Member) members;
        // Never written again: an account joins once.
        mapping(address account => uint32) memberIds;
        // Never unset: a person is admitted once.
        mapping(bytes32 nullifier => bool) nullifiers;
        // How many ever joined, and how many of them ended, by time; the second is never above the first, and their
        // difference is how many tokens there are.
        Checkpoints.Trace208 joined;
        Checkpoints.Trace208 ended;
        // Of those whose `endedAt` is set, and of nobody else.
        mapping(uint32 memberId => address) formerAccounts;
        ISyncedVotes govToken;
        // Never written again: a row that was salted by one key could not be contested by another.
        mapping(uint32 memberId => bytes32) rowKeyDigests;
    }

    bytes32 private constant STORAGE = 0x31f62c70ac319c187dbbaf1029537e0f0e648e114b855023e958657076138600;

    bytes32 private constant ADMISSION_TYPEHASH =
        keccak256("Admission(address account,address payout,bytes32 nullifier,bytes32 rowKeyDigest,uint256 deadline)");

    bytes32 private constant LEAVE_TYPEHASH = keccak256("Leave(uint32 memberId,uint256 nonce,uint256 deadline)");

    bytes32 private constant PAYOUT_TYPEHASH =
        keccak256("Payout(uint32 memberId,address payout,uint256 nonce,uint256 deadline)");

    /// @notice How long a member waits for the vote.
    uint48 public constant SEASONING = 30 days;

    event Joined(
        uint32 indexed memberId, address indexed account, address payout, bytes32 nullifier, bytes32 rowKeyDigest
    );
    event Ended(uint32 indexed memberId);
    event Left(uint32 indexed memberId);
    event Expelled(uint32 indexed memberId, bytes32 reasonHash);
    event PayoutSet(uint32 indexed memberId, address payout);
    event RegistrarSet(address registrar);
    event AdmissionsPerEpochSet(uint32 admissionsPerEpoch);

    error Membership_Expired(uint256 deadline);
    error Membership_ZeroAddress();
    error Membership_NullifierUsed(bytes32 nullifier);
    error Membership_AccountUsed(address account, uint32 memberId);
    error Membership_BadRegistrarSignature();
    error Membership_AdmissionsExhausted(uint32 window, uint32 admissionsPerEpoch);
    error Membership_OnlyConsentRegistry(address caller);
    error Membership_NotActive(uint32 memberId);
    error Membership_BadNonce(uint256 nonce, uint256 expected);
    error Membership_BadSignature(uint32 memberId);
    error Membership_EpochLengthZero();
    error Membership_NoDelegation();
    error Membership_FutureLookup(uint256 timepoint, uint48 clock);

    /// @notice Once, by the factory.
    /// @param authority_ the cooperative's AccessManager
    /// @param consentRegistry who may end a membership that was erased
    /// @param govToken which is told of endings
    /// @param registrar_ whose signature admits
    /// @param genesis when the windows of the admission cap begin, unix seconds
    /// @param epochLength of such a window, seconds
    /// @param admissionsPerEpoch_ how many one window may admit
    function initialize(
        address authority_,
        address consentRegistry,
        address govToken,
        address registrar_,
        uint40 genesis,
        uint32 epochLength,
        uint32 admissionsPerEpoch_
    ) external initializer {
        __Governed_init(authority_);
        __ERC721_init("Cooperative membership", "MEMBER");
        if (epochLength == 0) revert Membership_EpochLengthZero();
        Storage storage $ = _storage();
        $.consentRegistry = _nonZero(consentRegistry, "consentRegistry");
        $.govToken = ISyncedVotes(_nonZero(govToken, "govToken"));
        $.genesis = genesis;
        $.epochLength = epochLength;
        _setRegistrar(registrar_);
        _setAdmissionsPerEpoch(admissionsPerEpoch_);
    }

    // ---------------------------------------------------------------------------------------------- members

    /// @notice Admits one member. Anyone may send it; the registrar's signature decides.
    /// @param a the admission
    /// @param registrarSignature the registrar's over `a`
    /// @return memberId from 1
    function join(Admission calldata a, bytes calldata registrarSignature)
        external
        whenNotPaused
        returns (uint32 memberId)
    {
        Storage storage $ = _storage();
        // Check:
        if (block.timestamp > a.deadline) revert Membership_Expired(a.deadline);
        if (a.account == address(0) || a.payout == address(0)) revert Membership_ZeroAddress();
        if ($.nullifiers[a.nullifier]) revert Membership_NullifierUsed(a.nullifier);
        if ($.memberIds[a.account] != 0) revert Membership_AccountUsed(a.account, $.memberIds[a.account]);
        if (!MemberSignature.isValid($.registrar, _admissionDigest(a), registrarSignature)) {
            revert Membership_BadRegistrarSignature();
        }
        // Effects:
        memberId = _countAdmission($);
        $.nullifiers[a.nullifier] = true;
        $.memberIds[a.account] = memberId;
        $.members[memberId] = Member({payout: a.payout, joinedAt: uint40(block.timestamp), endedAt: 0, nonce: 0});
        if (a.rowKeyDigest != 0) $.rowKeyDigests[memberId] = a.rowKeyDigest;
        $.joined.push(clock(), memberId);
        _mint(a.account, memberId);
        emit Joined(memberId, a.account, a.payout, a.nullifier, a.rowKeyDigest);
    }

    /// @inheritdoc IMembership
    function close(uint32 memberId) external {
        // Check:
        if (msg.sender != _storage().consentRegistry) revert Membership_OnlyConsentRegistry(msg.sender);
        // Effects:
        if (_ownerOf(memberId) != address(0)) _end(memberId);
    }

    /// @notice Ends the signer's own membership. What was earned stays theirs, and so does the right to erase.
    /// @param l who leaves
    /// @param signature the member's over `l`
    function leave(Leave calldata l, bytes calldata signature) external {
        // Check:
        _checkSigned(l.memberId, l.nonce, l.deadline, keccak256(abi.encode(LEAVE_TYPEHASH, l)), signature);
        if (_ownerOf(l.memberId) == address(0)) revert Membership_NotActive(l.memberId);
        // Effects:
        emit Left(l.memberId);
        _end(l.memberId);
    }

    /// @notice Ends a membership for reasons that `reasonHash` commits to. Confiscates nothing.
    /// @param memberId an active member
    /// @param reasonHash blinded digest of the reasons
    function expel(uint32 memberId, bytes32 reasonHash) external restricted {
        // Check:
        if (_ownerOf(memberId) == address(0)) revert Membership_NotActive(memberId);
        // Effects:
        emit Expelled(memberId, reasonHash);
        _end(memberId);
    }

    /// @notice Pays what `p.memberId` earned to another address from now on, also after the membership ended.
    /// @param p whose, and where to
    /// @param signature the member's over `p`
    function setPayout(Payout calldata p, bytes calldata signature) external {
        // Check:
        _checkSigned(p.memberId, p.nonce, p.deadline, keccak256(abi.encode(PAYOUT_TYPEHASH, p)), signature);
        if (p.payout == address(0)) revert Membership_ZeroAddress();
        // Effects:
        Member storage m = _storage().members[p.memberId];
        (m.payout, m.nonce) = (p.payout, m.nonce + 1);
        emit PayoutSet(p.memberId, p.payout);
    }

    /// @inheritdoc IMembership
    function memberOf(uint32 memberId) external view returns (address account, address payout, bool active) {
        account = _ownerOf(memberId);
        return (account, _storage().members[memberId].payout, account != address(0));
    }

    /// @inheritdoc IMembership
    function memberIdOf(address account) external view returns (uint32) {
        return _storage().memberIds[account];
    }

    /// @inheritdoc IMembership
    function membershipTimes(uint32 memberId) external view returns (uint40 joinedAt, uint40 endedAt) {
        Member storage m = _storage().members[memberId];
        return (m.joinedAt, m.endedAt);
    }

    /// @inheritdoc IMembership
    function isMember(address account) external view returns (bool) {
        return _ownerOf(_storage().memberIds[account]) == account && account != address(0);
    }

    /// @inheritdoc IMembership
    function isSeasoned(address account) external view returns (bool) {
        return _votesAt(account, block.timestamp) != 0;
    }

    /// @inheritdoc IMembership
    function accountOf(uint32 memberId) external view returns (address) {
        return _accountOf(memberId);
    }

    /// @inheritdoc IMembership
    function activeAccountOf(uint32 memberId) external view returns (address) {
        return _ownerOf(memberId);
    }

    /// @notice The nonce that a member's next signature to this contract must carry, whether to leave or to be paid
    /// elsewhere: a new payout address voids a signature to leave that was never sent.
    /// @param memberId of whom
    /// @return how many payout addresses were named after the first
    function nonceOf(uint32 memberId) external view returns (uint256) {
        return _storage().members[memberId].nonce;
    }

    /// @inheritdoc IMembership
    function accountsOf(uint32[] calldata memberIds) external view returns (address[] memory accounts) {
        accounts = new address[](memberIds.length);
        for (uint256 i; i < memberIds.length; ++i) {
            accounts[i] = _ownerOf(memberIds[i]);
        }
    }

    /// @inheritdoc IMembership
    function payoutOf(uint32 memberId) external view returns (address) {
        return _storage().members[memberId].payout;
    }

    /// @inheritdoc IMembership
    function rowKeyDigestOf(uint32 memberId) external view returns (bytes32) {
        return _storage().rowKeyDigests[memberId];
    }

    /// @inheritdoc IMembership
    function payoutsOf(uint32[] calldata memberIds) external view returns (address[] memory payouts) {
        Storage storage $ = _storage();
        payouts = new address[](memberIds.length);
        for (uint256 i; i < memberIds.length; ++i) {
            payouts[i] = $.members[memberIds[i]].payout;
        }
    }

    /// @notice How many ids were ever issued.
    /// @return which is also the last id
    function memberCount() external view returns (uint32) {
        return _storage().memberCount;
    }

    // ---------------------------------------------------------------------------------------- administration

    /// @notice Whose signature admits members.
    /// @return the registrar's account
    function registrar() external view returns (address) {
        return _storage().registrar;
    }

    /// @notice Names who admits from now on; members stay.
    /// @param registrar_ a key or a Safe
    function setRegistrar(address registrar_) external restricted {
        _setRegistrar(registrar_);
    }

    /// @notice How many members one epoch may admit.
    /// @return 0 = admissions are stopped
    function admissionsPerEpoch() external view returns (uint32) {
        return _storage().admissionsPerEpoch;
    }

    /// @notice Sets how many members one epoch may admit, the running one included.
    /// @param admissionsPerEpoch_ 0 stops admissions
    function setAdmissionsPerEpoch(uint32 admissionsPerEpoch_) external restricted {
        _setAdmissionsPerEpoch(admissionsPerEpoch_);
    }

    // ------------------------------------------------------------------------------------------------- votes

    /// @notice Times here are unix seconds.
    /// @return now
    function clock() public view returns (uint48) {
        return Time.timestamp();
    }

    /// @notice ERC-6372: what the clock counts.
    /// @return timestamps
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() external pure returns (string memory) {
        return "mode=timestamp";
    }

    /// @notice The vote of an account now.
    /// @param account of whom
    /// @return 1 for a seasoned member, else 0
    function getVotes(address account) external view returns (uint256) {
        return _votesAt(account, block.timestamp);
    }

    /// @notice The vote that an account had.
    /// @param account of whom
    /// @param timepoint in the past, unix seconds
    /// @return 1 for who was a seasoned member, else 0
    function getPastVotes(address account, uint256 timepoint) external view returns (uint256) {
        _checkPast(timepoint);
        return _votesAt(account, timepoint);
    }

    /// @notice How many members were active, seasoned or not.
    /// @param timepoint in the past, unix seconds
    /// @return what a quorum is a part of
    function getPastTotalSupply(uint256 timepoint) external view returns (uint256) {
        _checkPast(timepoint);
        Storage storage $ = _storage();
        uint48 at = uint48(timepoint);
        return $.joined.upperLookupRecent(at) - $.ended.upperLookupRecent(at);
    }

    /// @notice At most as many as have a vote now: whoever ended counts as one of those who were seasoned.
    /// @return 0 in the first 30 days
    function seasonedCount() external view returns (uint256) {
        Storage storage $ = _storage();
        return Math.saturatingSub($.joined.upperLookupRecent(clock() - SEASONING), $.ended.latest());
    }

    /// @notice A member votes alone: the account itself, or zero for who is not a member.
    /// @param account of whom
    /// @return itself or zero
    function delegates(address account) external view returns (address) {
        return _ownerOf(_storage().memberIds[account]);
    }

    /// @notice Refused: nobody votes for another here.
    function delegate(address) external pure {
        revert Membership_NoDelegation();
    }

    /// @notice Refused: nobody votes for another here.
    function delegateBySig(address, uint256, uint256, uint8, bytes32, bytes32) external pure {
        revert Membership_NoDelegation();
    }

    // ---------------------------------------------------------------------------------------------- internal

    /// @notice ERC-165.
    /// @param interfaceId which interface
    /// @return whether it is one of this contract's
    function supportsInterface(bytes4 interfaceId) public view override(SoulboundERC721) returns (bool) {
        return interfaceId == type(IERC5805).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @dev The one way a membership ends. The last thing is to tell GovToken, which asks back whether it has ended.
    function _end(uint32 memberId) private {
        Storage storage $ = _storage();
        Member storage m = $.members[memberId];
        address account = _ownerOf(memberId);
        // Effects:
        $.formerAccounts[memberId] = account;
        m.endedAt = uint40(block.timestamp);
        $.ended.push(clock(), $.ended.latest() + 1);
        _burn(memberId);
        emit Ended(memberId);
        // Interaction:
        try $.govToken.sync(account) {} catch {}
    }

    function _accountOf(uint32 memberId) private view returns (address account) {
        account = _ownerOf(memberId);
        if (account == address(0)) account = _storage().formerAccounts[memberId];
    }

    /// @dev That the account of a member, active or not, signed `structHash` as its next message.
    function _checkSigned(
        uint32 memberId,
        uint256 nonce,
        uint256 deadline,
        bytes32 structHash,
        bytes calldata signature
    ) private view {
        if (block.timestamp > deadline) revert Membership_Expired(deadline);
        uint256 expected = _storage().members[memberId].nonce;
        if (nonce != expected) revert Membership_BadNonce(nonce, expected);
        if (!MemberSignature.isValid(_accountOf(memberId), _hashTypedDataV4(structHash), signature)) {
            revert Membership_BadSignature(memberId);
        }
    }

    /// @dev Advances the window of the cap and issues the next id, in one write.
    function _countAdmission(Storage storage $) private returns (uint32 memberId) {
        uint32 window = block.timestamp < $.genesis ? 0 : uint32((block.timestamp - $.genesis) / $.epochLength);
        uint32 admitted = window == $.window ? $.admittedInWindow : 0;
        if (admitted >= $.admissionsPerEpoch) revert Membership_AdmissionsExhausted(window, $.admissionsPerEpoch);
        memberId = $.memberCount + 1;
        ($.window, $.admittedInWindow, $.memberCount) = (window, admitted + 1, memberId);
    }

    function _votesAt(address account, uint256 timepoint) private view returns (uint256) {
        Storage storage $ = _storage();
        Member memory m = $.members[$.memberIds[account]];
        if (m.joinedAt == 0 || timepoint < uint256(m.joinedAt) + SEASONING) return 0;
        return m.endedAt == 0 || timepoint < m.endedAt ? 1 : 0;
    }

    function _checkPast(uint256 timepoint) private view {
        if (timepoint >= clock()) revert Membership_FutureLookup(timepoint, clock());
    }

    function _admissionDigest(Admission calldata a) private view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(ADMISSION_TYPEHASH, a)));
    }

    function _setRegistrar(address registrar_) private {
        _storage().registrar = _nonZero(registrar_, "registrar");
        emit RegistrarSet(registrar_);
    }

    function _setAdmissionsPerEpoch(uint32 admissionsPerEpoch_) private {
        _storage().admissionsPerEpoch = admissionsPerEpoch_;
        emit AdmissionsPerEpochSet(admissionsPerEpoch_);
    }

    function _EIP712Name() internal pure override returns (string memory) {
        return "Membership";
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
