// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20Upgradeable} from "@openzeppelin/contracts-upgradeable/token/ERC20/ERC20Upgradeable.sol";
import {
    ERC20BurnableUpgradeable
} from "@openzeppelin/contracts-upgradeable/token/ERC20/extensions/ERC20BurnableUpgradeable.sol";
import {
    ERC20PermitUpgradeable
} from "@openzeppelin/contracts-upgradeable/token/ERC20/extensions/ERC20PermitUpgradeable.sol";
import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";
import {Governed} from "../access/Governed.sol";
import {NamedEIP712} from "../access/NamedEIP712.sol";

/// @title DataToken (DATA)
/// @notice What contributions earn. Carries no votes, so that holding it governs nothing.
///
/// Roles
/// - SettlementLedger mints, against totals that a final root allows. Nobody else can after the genesis, which is what
///   team, foundation and Treasury start with.
/// - Holders transfer, permit and burn.
/// - Authority: switches the transfer allow-list on or off and edits it; upgrades.
///
/// Assumptions: SettlementLedger keeps claimed ≤ earned. This contract does not check again.
/// Liveness: minting and burning ignore the allow-list, so claims and spending go on while it is on.
/// Who can hurt whom: the authority can hold up transfers (not burn or take); a broken ledger can inflate.
contract DataToken is ERC20BurnableUpgradeable, ERC20PermitUpgradeable, NamedEIP712, Governed {
    /// @dev What is minted once, at initialize.
    struct Genesis {
        address to;
        uint128 amount;
    }

    /// @custom:storage-location erc7201:rochdale.storage.DataToken
    struct Storage {
        // The only minter after the genesis.
        address ledger;
        bool restrictedTransfers;
        mapping(address account => bool) listed;
    }

    bytes32 private constant STORAGE = 0xd13d8be87e0f4415bef1918a92e65bfe7b85ceaa55b42c1802b1065539082900;

    event TransfersRestricted(bool restricted);
    event Listed(address indexed account, bool listed);

    error DataToken_OnlyLedger(address caller);
    error DataToken_TransferNotListed(address from, address to);

    /// @notice Once, by the factory.
    /// @param authority_ the cooperative's AccessManager
    /// @param ledger who mints from now on
    /// @param genesis what team, foundation and Treasury start with
    function initialize(address authority_, address ledger, Genesis[] calldata genesis) external initializer {
        __Governed_init(authority_);
        __ERC20_init("DataToken", "DATA");
        _storage().ledger = _nonZero(ledger, "ledger");
        for (uint256 i; i < genesis.length; ++i) {
            _mint(genesis[i].to, genesis[i].amount);
        }
    }

    /// @notice Mints what a member claims.
    /// @param to where it is paid
    /// @param amount wei
    function mint(address to, uint256 amount) external {
        if (msg.sender != _storage().ledger) revert DataToken_OnlyLedger(msg.sender);
        _mint(to, amount);
    }

    /// @notice While on, a transfer needs a listed account on at least one side.
    /// @param on from now on
    function setTransfersRestricted(bool on) external restricted {
        _storage().restrictedTransfers = on;
        emit TransfersRestricted(on);
    }

    /// @notice Lists or delists an account.
    /// @param account of whom
    /// @param on whether it may transfer and receive while transfers are restricted
    function setListed(address account, bool on) external restricted {
        _storage().listed[account] = on;
        emit Listed(account, on);
    }

    /// @notice Whether a transfer needs a listed account.
    /// @return now
    function transfersRestricted() external view returns (bool) {
        return _storage().restrictedTransfers;
    }

    /// @notice Whether an account may transfer and receive while transfers are restricted.
    /// @param account of whom
    /// @return true while it is listed
    function isListed(address account) external view returns (bool) {
        return _storage().listed[account];
    }

    function _update(address from, address to, uint256 value) internal override {
        if (from != address(0) && to != address(0)) {
            Storage storage $ = _storage();
            if ($.restrictedTransfers && !$.listed[from] && !$.listed[to]) {
                revert DataToken_TransferNotListed(from, to);
            }
        }
        super._update(from, to, value);
    }

    function _EIP712Name() internal pure override returns (string memory) {
        return "DataToken";
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
