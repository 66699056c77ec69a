// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {GovernanceProposals} from "./GovernanceProposals.sol";

/// @notice A cooperative whose two houses can decide: five seasoned members hold GOV that they earned, 400, 100, 100, 25
/// and 0. It was constituted.
abstract contract GovernanceTest is GovernanceProposals {
    function setUp() public virtual override {
        super.setUp();
        _populate();
    }

    // ------------------------------------------------------------------------------------------- deployment

    function _proxy(address code, bytes memory init) internal returns (address) {
        return address(new ERC1967Proxy(code, init));
    }

    function _populate() private {
        uint96[5] memory earned = [uint96(400e18), 100e18, 100e18, 25e18, 0];
        for (uint256 i; i < earned.length; ++i) {
            uint32 id = _join();
            voters.push(membership.accountOf(id));
        }
        vm.warp(block.timestamp + membership.SEASONING());
        for (uint256 i; i < earned.length; ++i) {
            vm.prank(address(ledger));
            govToken.mint(voters[i], earned[i]);
        }
        gate.constitute();
    }
}
