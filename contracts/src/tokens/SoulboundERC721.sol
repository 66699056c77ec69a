// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC721Upgradeable} from "@openzeppelin/contracts-upgradeable/token/ERC721/ERC721Upgradeable.sol";

/// @notice ERC-5192: minimal soulbound NFTs.
interface IERC5192 {
    event Locked(uint256 tokenId);
    event Unlocked(uint256 tokenId);

    /// @notice Whether a token is bound to its owner. Reverts for one that does not exist.
    /// @param tokenId of the token
    /// @return true while it is
    function locked(uint256 tokenId) external view returns (bool);
}

/// @title SoulboundERC721
/// @notice An ERC-721 token that is minted and burned, never transferred or approved (ERC-5192, locked for ever).
abstract contract SoulboundERC721 is ERC721Upgradeable, IERC5192 {
    /// @notice The token is bound to its owner.
    error Soulbound_NotTransferable(uint256 tokenId);
    /// @notice What cannot be transferred cannot be approved either.
    error Soulbound_NotApprovable();

    /// @inheritdoc IERC5192
    function locked(uint256 tokenId) external view returns (bool) {
        _requireOwned(tokenId);
        return true;
    }

    /// @notice Refused: what cannot be transferred cannot be approved either.
    function approve(address, uint256) public pure override {
        revert Soulbound_NotApprovable();
    }

    /// @notice Refused: what cannot be transferred cannot be approved either.
    function setApprovalForAll(address, bool) public pure override {
        revert Soulbound_NotApprovable();
    }

    /// @notice ERC-165.
    /// @param interfaceId which interface
    /// @return whether it is one of this contract's
    function supportsInterface(bytes4 interfaceId) public view virtual override returns (bool) {
        return interfaceId == type(IERC5192).interfaceId || super.supportsInterface(interfaceId);
    }

    function _update(address to, uint256 tokenId, address auth) internal virtual override returns (address from) {
        from = super._update(to, tokenId, auth);
        if (from != address(0) && to != address(0)) revert Soulbound_NotTransferable(tokenId);
        if (from == address(0)) emit Locked(tokenId);
    }
}
