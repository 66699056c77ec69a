// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "../access/Governed.sol";
import {Pausing} from "../access/Pausing.sol";
import {IMembership} from "../membership/IMembership.sol";
import {DataToken} from "../tokens/DataToken.sol";

/// @title ServiceDesk
/// @notice Where members spend DATA: a report of their own record against the cohort, analytics, vouchers. What is paid
/// burns.
///
/// Roles
/// - Member: orders, from the account of the membership.
/// - Token house: sets services and prices.
/// - Guardian: pauses ordering.
/// - Charter: upgrades.
///
/// Assumptions: Membership answers who is active. The commitment hides what was asked for behind a 256-bit blinder.
/// Liveness: an order needs an open service and an allowance; delivery is off chain, by whom the cooperative appointed.
/// Who can hurt whom: the token house can raise a price before an order is mined; the allowance bounds what burns. A
/// service that is ordered and not delivered costs the member the DATA: nothing on chain gives it back.
contract ServiceDesk is Governed, Pausing {
    /// @param dataPrice wei of DATA
    struct Service {
        uint128 dataPrice;
        bool open;
    }

    /// @custom:storage-location erc7201:rochdale.storage.ServiceDesk
    struct Storage {
        IMembership membership;
        DataToken dataToken;
        mapping(uint32 serviceId => Service) services;
    }

    bytes32 private constant STORAGE = 0x28c1ccd8abb9efcf0e1fad0a165ffce1382a2162aeab7fe95c0a1b14227d0500;

    event ServiceSet(uint32 indexed serviceId, uint128 dataPrice, bool open);
    event ServiceOrdered(uint32 indexed serviceId, address indexed member, bytes32 requestCommitment, uint256 burned);

    error ServiceDesk_PriceMissing(uint32 serviceId);
    error ServiceDesk_NotOpen(uint32 serviceId);
    error ServiceDesk_NotMember(address caller);
    error ServiceDesk_EmptyCommitment();

    /// @notice Once, by the factory.
    /// @param authority_ the cooperative's AccessManager
    /// @param membership who may order
    /// @param dataToken what services are paid in
    function initialize(address authority_, address membership, address dataToken) external initializer {
        __Governed_init(authority_);
        Storage storage $ = _storage();
        $.membership = IMembership(_nonZero(membership, "membership"));
        $.dataToken = DataToken(_nonZero(dataToken, "dataToken"));
    }

    /// @notice Offers a service, changes its price or closes it.
    /// @param serviceId which service
    /// @param s its price and whether it is open
    function setService(uint32 serviceId, Service calldata s) external restricted {
        if (s.open && s.dataPrice == 0) revert ServiceDesk_PriceMissing(serviceId);
        _storage().services[serviceId] = s;
        emit ServiceSet(serviceId, s.dataPrice, s.open);
    }

    /// @notice Orders a service: burns its price out of what the caller approved.
    /// @param serviceId which service
    /// @param requestCommitment blinded digest of what is asked for, not zero
    function order(uint32 serviceId, bytes32 requestCommitment) external whenNotPaused {
        Storage storage $ = _storage();
        Service memory s = $.services[serviceId];
        // Check:
        if (!s.open) revert ServiceDesk_NotOpen(serviceId);
        if (requestCommitment == 0) revert ServiceDesk_EmptyCommitment();
        if (!$.membership.isMember(msg.sender)) revert ServiceDesk_NotMember(msg.sender);
        // Effects:
        emit ServiceOrdered(serviceId, msg.sender, requestCommitment, s.dataPrice);
        // Interaction:
        $.dataToken.burnFrom(msg.sender, s.dataPrice);
    }

    /// @notice A service as it is offered now.
    /// @param serviceId which service
    /// @return all zero for one that was never set
    function serviceOf(uint32 serviceId) external view returns (Service memory) {
        return _storage().services[serviceId];
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
