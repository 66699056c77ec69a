// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Roles} from "../access/Roles.sol";
import {IConstitution} from "./IConstitution.sol";

/// @notice Who belongs to the cooperative, as the gate sees it.
interface IMembers {
    /// @notice At most as many as have a vote now.
    /// @return never more than there are
    function seasonedCount() external view returns (uint256);

    /// @notice When a member joined and when the membership ended (0 while active), in unix seconds.
    /// @param memberId of whom
    /// @return joinedAt 0 for an id that was never issued
    /// @return endedAt 0 while the membership lasts
    function membershipTimes(uint32 memberId) external view returns (uint40 joinedAt, uint40 endedAt);
}

/// @title CharterGate
/// @notice The only admin of the cooperative's AccessManager. It does what both houses decided in the same words: upgrades,
/// roles, bounds, and the charter itself.
///
/// Roles
/// - Each house's timelock approves an operation, and may withdraw its approval until the operation is executed.
/// - Anyone executes an operation that both approved, once, within 30 days after the first of the two approvals.
/// - The gate itself, by such an operation, replaces the houses.
/// - Anyone constitutes the cooperative, once, when it is large and old enough. Before that no house approves anything
///   here, and the token house has not the role by which money leaves the Treasury.
///
/// Assumptions: the two timelocks are different contracts, each of which acts only by its house's vote after its delay.
/// An operation is the hash of its calls and a salt; the same calls a second time need another salt.
/// Liveness: no key is needed. A cooperative that never grows to `minMembers` never has a charter operation; its code and
/// its money's rules stay those of the founding. A house that is stuck stops every charter operation, as the other house could.
/// Who can hurt whom: both houses together can do anything to anybody, in sight of all and after both delays. One house
/// alone can do nothing here. Approvals of a house that was replaced count no more.
/// @dev Behind a plain proxy and not upgradeable: what guards the upgrades is not upgraded.
contract CharterGate is Initializable, IConstitution {
    /// @notice From when on the houses decide about money and charter.
    /// @param minMembers how many have a vote at least
    /// @param minAge seconds since the first member joined
    struct Terms {
        uint32 minMembers;
        uint32 minAge;
    }

    struct Call {
        address target;
        uint256 value;
        bytes data;
    }

    /// @dev Zero in `approvedAt` = not approved.
    struct Operation {
        bool executed;
        mapping(address house => uint64) approvedAt;
    }

    /// @custom:storage-location erc7201:rochdale.storage.CharterGate
    struct Storage {
        address tokenHouse;
        address memberHouse;
        // One that was executed stays so.
        mapping(bytes32 operation => Operation) operations;
        IAccessManager authority;
        IMembers membership;
        Terms terms;
        // Written once.
        uint64 constitutedAt;
    }

    bytes32 private constant STORAGE = 0xf346a3e8f958da35b7cf3c53cfb4d4c16fcbb4db6ddd9f14fb65092a20dbcb00;

    /// @notice How long an approval counts.
    uint64 public constant VALIDITY = 30 days;

    event Constituted(uint64 at);
    event HousesSet(address tokenHouse, address memberHouse);
    event Approved(bytes32 indexed operation, address indexed house);
    event Withdrawn(bytes32 indexed operation, address indexed house);
    event Executed(bytes32 indexed operation);

    error CharterGate_BadTerms(uint32 minMembers);
    error CharterGate_Asleep();
    error CharterGate_TooFewMembers(uint256 seasoned, uint32 minMembers);
    error CharterGate_TooYoung(uint256 until);
    error CharterGate_AlreadyConstituted(uint64 at);
    error CharterGate_BadHouses(address tokenHouse, address memberHouse);
    error CharterGate_OnlyHouse(address caller);
    error CharterGate_OnlyItself(address caller);
    error CharterGate_AlreadyExecuted(bytes32 operation);
    error CharterGate_NotApproved(bytes32 operation, address house);
    error CharterGate_Expired(bytes32 operation, address house, uint64 expiredAt);

    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        _disableInitializers();
    }

    /// @notice Once, by the factory.
    /// @param tokenHouse_ The token house's timelock.
    /// @param memberHouse_ The member house's timelock.
    /// @param authority The AccessManager whose admin the gate is.
    /// @param membership Whose members constitute the cooperative.
    /// @param terms_ when the cooperative may be constituted
    function initialize(
        address tokenHouse_,
        address memberHouse_,
        address authority,
        address membership,
        Terms calldata terms_
    ) external initializer {
        if (terms_.minMembers == 0) revert CharterGate_BadTerms(terms_.minMembers);
        _setHouses(tokenHouse_, memberHouse_);
        Storage storage $ = _storage();
        ($.authority, $.membership, $.terms) = (IAccessManager(authority), IMembers(membership), terms_);
    }

    // --------------------------------------------------------------------------------------------- the beginning

    /// @notice Lets the houses decide about money and charter from now on. What they voted on before lapses in their
    /// governors.
    function constitute() external {
        Storage storage $ = _storage();
        Terms memory t = $.terms;
        // Check:
        if ($.constitutedAt != 0) revert CharterGate_AlreadyConstituted($.constitutedAt);
        uint256 seasoned = $.membership.seasonedCount();
        if (seasoned < t.minMembers) revert CharterGate_TooFewMembers(seasoned, t.minMembers);
        (uint40 first,) = $.membership.membershipTimes(1);
        uint256 until = uint256(first) + t.minAge;
        if (block.timestamp < until) revert CharterGate_TooYoung(until);
        // Effects:
        $.constitutedAt = uint64(block.timestamp);
        emit Constituted(uint64(block.timestamp));
        // Interaction:
        $.authority.grantRole(Roles.TREASURY, $.tokenHouse, 0);
    }

    // --------------------------------------------------------------------------------------------- the houses

    /// @notice A house agrees. Doing it again renews an approval that has expired or will.
    /// @param operation as `operationOf` gives it
    function approve(bytes32 operation) external {
        Operation storage o = _open(operation);
        address house = _house();
        if (_storage().constitutedAt == 0) revert CharterGate_Asleep();
        o.approvedAt[house] = uint64(block.timestamp);
        emit Approved(operation, msg.sender);
    }

    /// @notice A house takes its approval back.
    /// @param operation as `operationOf` gives it
    function withdraw(bytes32 operation) external {
        Operation storage o = _open(operation);
        if (o.approvedAt[_house()] == 0) revert CharterGate_NotApproved(operation, msg.sender);
        o.approvedAt[msg.sender] = 0;
        emit Withdrawn(operation, msg.sender);
    }

    /// @notice Replaces the houses' timelocks; by an operation that the present ones approved.
    /// @param tokenHouse_ the token house's timelock from now on
    /// @param memberHouse_ the member house's timelock from now on
    function setHouses(address tokenHouse_, address memberHouse_) external {
        if (msg.sender != address(this)) revert CharterGate_OnlyItself(msg.sender);
        _setHouses(tokenHouse_, memberHouse_);
    }

    // ---------------------------------------------------------------------------------------------- execution

    /// @notice Makes the calls that both houses approved, all or none.
    /// @param calls in this order
    /// @param salt as it was approved
    function execute(Call[] calldata calls, bytes32 salt) external payable {
        // Check:
        bytes32 operation = operationOf(calls, salt);
        Operation storage o = _open(operation);
        Storage storage $ = _storage();
        _checkApproved(o, operation, $.tokenHouse);
        _checkApproved(o, operation, $.memberHouse);
        // Effects:
        o.executed = true;
        emit Executed(operation);
        // Interaction:
        for (uint256 i; i < calls.length; ++i) {
            Address.functionCallWithValue(calls[i].target, calls[i].data, calls[i].value);
        }
    }

    // -------------------------------------------------------------------------------------------------- views

    /// @notice What the houses approve for these calls.
    /// @param calls in this order
    /// @param salt tells two operations with the same calls apart
    /// @return the operation's hash
    function operationOf(Call[] calldata calls, bytes32 salt) public pure returns (bytes32) {
        return keccak256(abi.encode(calls, salt));
    }

    /// @inheritdoc IConstitution
    function constitutedAt() external view returns (uint64) {
        return _storage().constitutedAt;
    }

    /// @notice What it takes to be constituted.
    /// @return minMembers how many have a vote at least
    /// @return minAge seconds since the first member joined
    function terms() external view returns (uint32 minMembers, uint32 minAge) {
        Terms memory t = _storage().terms;
        return (t.minMembers, t.minAge);
    }

    /// @notice The timelocks of the two houses.
    /// @return tokenHouse whose decisions are the token house's
    /// @return memberHouse whose decisions are the member house's
    function houses() external view returns (address tokenHouse, address memberHouse) {
        return (_storage().tokenHouse, _storage().memberHouse);
    }

    /// @notice When `house` approved `operation`, in unix seconds; 0 if it did not.
    /// @param operation as `operationOf` gives it
    /// @param house a house's timelock
    /// @return unix seconds; 0 also where it was taken back
    function approvedAt(bytes32 operation, address house) external view returns (uint64) {
        return _storage().operations[operation].approvedAt[house];
    }

    /// @notice Whether an operation was carried out; it never is again.
    /// @param operation as `operationOf` gives it
    /// @return true from then on
    function isExecuted(bytes32 operation) external view returns (bool) {
        return _storage().operations[operation].executed;
    }

    // ----------------------------------------------------------------------------------------------- internal

    function _house() private view returns (address) {
        Storage storage $ = _storage();
        if (msg.sender != $.tokenHouse && msg.sender != $.memberHouse) revert CharterGate_OnlyHouse(msg.sender);
        return msg.sender;
    }

    function _open(bytes32 operation) private view returns (Operation storage o) {
        o = _storage().operations[operation];
        if (o.executed) revert CharterGate_AlreadyExecuted(operation);
    }

    function _checkApproved(Operation storage o, bytes32 operation, address house) private view {
        uint64 at = o.approvedAt[house];
        if (at == 0) revert CharterGate_NotApproved(operation, house);
        if (block.timestamp > at + VALIDITY) revert CharterGate_Expired(operation, house, at + VALIDITY);
    }

    function _setHouses(address tokenHouse_, address memberHouse_) private {
        if (tokenHouse_ == address(0) || memberHouse_ == address(0) || tokenHouse_ == memberHouse_) {
            revert CharterGate_BadHouses(tokenHouse_, memberHouse_);
        }
        (_storage().tokenHouse, _storage().memberHouse) = (tokenHouse_, memberHouse_);
        emit HousesSet(tokenHouse_, memberHouse_);
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
