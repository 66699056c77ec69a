// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "../access/Governed.sol";
import {MemberSignature} from "../access/MemberSignature.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";
import {IEthicsRegistry} from "./IEthicsRegistry.sol";

/// @title EthicsRegistry
/// @notice Which researcher the ethics board approved for which purpose, until when, and what it found out about the study.
///
/// Roles
/// - Ethics board: an account, a Safe if there are several members. It signs; anyone sends what it signed.
/// - Member house: names the board, and withdraws an approval that the board should not have given.
/// - Charter: upgrades.
///
/// Assumptions: the board looks at the protocol off chain; the decision stands here, with the facts that members' consents turn on (who the
/// researcher works for, for whose gain, where), and without its reasons. No contract reads the facts, stewards do: what is no readable
/// statement of facts says nothing.
/// Liveness: without a board nothing new is approved; what is approved runs out by the clock.
/// Who can hurt whom: the board can approve anybody for anything, and say what is not so, until the member house names another one and withdraws.
/// A license that was sold on an approval stays; stewards judge each query again.
contract EthicsRegistry is NamedEIP712, Governed, IEthicsRegistry {
    /// @param purpose number of a GA4GH DUO permission
    /// @param until unix seconds; a time that has passed withdraws
    /// @param protocol facts of the study as JSON, see docs/how-to/market.md; empty for none
    /// @param nonce how many decisions there were about this researcher and purpose
    struct Approval {
        address researcher;
        uint16 purpose;
        uint64 until;
        string protocol;
        uint256 nonce;
        uint256 deadline;
    }

    /// @dev One slot.
    struct Decision {
        uint64 until;
        // Grows with each decision, withdrawals among them, so that what was signed before is void.
        uint64 count;
    }

    /// @custom:storage-location erc7201:rochdale.storage.EthicsRegistry
    struct Storage {
        address ethicsBoard;
        mapping(address researcher => mapping(uint16 purpose => Decision)) decisions;
    }

    bytes32 private constant STORAGE = 0x905fed376a41d14bd833e5579d0d6f5c1855438ad8c31f5de8d23ca41e6c4300;

    /// @dev Every steward reads and keeps it.
    uint256 private constant MAX_PROTOCOL_BYTES = 1024;

    bytes32 private constant APPROVAL_TYPEHASH = keccak256(
        "Approval(address researcher,uint16 purpose,uint64 until,string protocol,uint256 nonce,uint256 deadline)"
    );

    event EthicsBoardSet(address ethicsBoard);
    event ResearcherApproved(address indexed researcher, uint16 purpose, uint64 until, string protocol);

    error EthicsRegistry_ZeroResearcher();
    error EthicsRegistry_Expired(uint256 deadline);
    error EthicsRegistry_BadNonce(uint256 nonce, uint256 expected);
    error EthicsRegistry_ProtocolTooLong(uint256 length, uint256 max);
    error EthicsRegistry_BadSignature(address ethicsBoard);

    /// @notice Once, by the factory.
    /// @param authority_ the cooperative's AccessManager
    /// @param ethicsBoard_ who approves
    function initialize(address authority_, address ethicsBoard_) external initializer {
        __Governed_init(authority_);
        _setEthicsBoard(ethicsBoard_);
    }

    /// @notice Records what the ethics board signed.
    /// @param a what the board decided
    /// @param boardSignature the board's over `a`
    function approve(Approval calldata a, bytes calldata boardSignature) external {
        Storage storage $ = _storage();
        Decision storage d = $.decisions[a.researcher][a.purpose];
        // Check:
        if (a.researcher == address(0)) revert EthicsRegistry_ZeroResearcher();
        if (block.timestamp > a.deadline) revert EthicsRegistry_Expired(a.deadline);
        if (a.nonce != d.count) revert EthicsRegistry_BadNonce(a.nonce, d.count);
        uint256 length = bytes(a.protocol).length;
        if (length > MAX_PROTOCOL_BYTES) revert EthicsRegistry_ProtocolTooLong(length, MAX_PROTOCOL_BYTES);
        if (!MemberSignature.isValid($.ethicsBoard, _digest(a), boardSignature)) {
            revert EthicsRegistry_BadSignature($.ethicsBoard);
        }
        // Effects:
        _decide(d, a.researcher, a.purpose, a.until, a.protocol);
    }

    /// @notice Withdraws an approval; what the board signed before for this researcher and purpose is void.
    /// @param researcher whose approval
    /// @param purpose for which
    function withdraw(address researcher, uint16 purpose) external restricted {
        _decide(_storage().decisions[researcher][purpose], researcher, purpose, 0, "");
    }

    /// @notice Names who approves from now on; what was approved stays.
    /// @param ethicsBoard_ a Safe, if there are several members
    function setEthicsBoard(address ethicsBoard_) external restricted {
        _setEthicsBoard(ethicsBoard_);
    }

    /// @notice Who approves.
    /// @return the board's account
    function ethicsBoard() external view returns (address) {
        return _storage().ethicsBoard;
    }

    /// @inheritdoc IEthicsRegistry
    function approvedUntil(address researcher, uint16 purpose) external view returns (uint64) {
        return _storage().decisions[researcher][purpose].until;
    }

    /// @notice Whether a researcher is approved for a purpose now.
    /// @param researcher who asks for data
    /// @param purpose number of a GA4GH DUO permission
    /// @return false from the second on in which the approval ends
    function isApproved(address researcher, uint16 purpose) external view returns (bool) {
        return block.timestamp < _storage().decisions[researcher][purpose].until;
    }

    /// @notice The nonce of the next decision about a researcher and purpose.
    /// @param researcher about whom
    /// @param purpose for which
    /// @return how many decisions there were
    function nonceOf(address researcher, uint16 purpose) external view returns (uint256) {
        return _storage().decisions[researcher][purpose].count;
    }

    function _decide(Decision storage d, address researcher, uint16 purpose, uint64 until, string memory protocol)
        private
    {
        d.until = until;
        ++d.count;
        emit ResearcherApproved(researcher, purpose, until, protocol);
    }

    function _digest(Approval calldata a) private view returns (bytes32) {
        bytes32 protocol = keccak256(bytes(a.protocol));
        bytes memory fields =
            abi.encode(APPROVAL_TYPEHASH, a.researcher, a.purpose, a.until, protocol, a.nonce, a.deadline);
        return _hashTypedDataV4(keccak256(fields));
    }

    function _setEthicsBoard(address ethicsBoard_) private {
        _storage().ethicsBoard = _nonZero(ethicsBoard_, "ethicsBoard");
        emit EthicsBoardSet(ethicsBoard_);
    }

    function _EIP712Name() internal pure override returns (string memory) {
        return "EthicsRegistry";
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
