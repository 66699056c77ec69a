// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20Upgradeable} from "@openzeppelin/contracts-upgradeable/token/ERC20/ERC20Upgradeable.sol";
import {Governed} from "../access/Governed.sol";
import {IMembership} from "../membership/IMembership.sol";

/// @title GovToken (GOV)
/// @notice Earned by contributing; moves only among active members and listed contracts, so it cannot be bought
/// by someone who has nothing in the pool.
///
/// Roles
/// - SettlementLedger mints, to the payout address of a claim. Nobody else can.
/// - Authority: lists contracts that may hold and send GOV; upgrades.
///
/// Assumptions: SettlementLedger keeps claimed ≤ earned. Membership answers who is active.
/// Liveness: minting asks Membership nothing, so a claim never fails for who left; what such a holder has stays
/// theirs and does not move until the holder is a member or listed.
/// Who can hurt whom: the authority can list a buyer's contract and so open the market that the rule closes.
contract GovToken is ERC20Upgradeable, Governed {
    /// @custom:storage-location erc7201:rochdale.storage.GovToken
    struct Storage {
        address ledger;
        IMembership membership;
        mapping(address account => bool) listed;
    }

    bytes32 private constant STORAGE = 0xfec26a3e380fa2e3f36b5edcd66bec109ef554fefc5d2c7618f058c133131a00;

    event Listed(address indexed account, bool listed);

    error GovToken_OnlyLedger(address caller);
    error GovToken_NotMember(address account);

    function initialize(address authority_, address ledger, address membership) external initializer {
        __Governed_init(authority_);
        __ERC20_init("GovToken", "GOV");
        Storage storage $ = _storage();
        $.ledger = _nonZero(ledger, "ledger");
        $.membership = IMembership(_nonZero(membership, "membership"));
    }

    /// @notice Mints what a member claims.
    function mint(address to, uint256 amount) external {
        if (msg.sender != _storage().ledger) revert GovToken_OnlyLedger(msg.sender);
        _mint(to, amount);
    }

    function setListed(address account, bool on) external restricted {
        _storage().listed[account] = on;
        emit Listed(account, on);
    }

    function isListed(address account) external view returns (bool) {
        return _storage().listed[account];
    }

    function _update(address from, address to, uint256 value) internal override {
        if (from != address(0) && to != address(0)) {
            _checkMayHold(from);
            _checkMayHold(to);
        }
        super._update(from, to, value);
    }

    function _checkMayHold(address account) private view {
        Storage storage $ = _storage();
        if (!$.listed[account] && !$.membership.isMember(account)) revert GovToken_NotMember(account);
    }

    function _storage() private pure returns (Storage storage $) {
        assembly {
            $.slot := STORAGE
        }
    }
}
