// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Safe} from "@safe-global/safe-smart-account/contracts/Safe.sol";
import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import {SafeProxyFactory} from "@safe-global/safe-smart-account/contracts/proxies/SafeProxyFactory.sol";
import {GovernanceTest} from "../../utils/GovernanceTest.sol";

/// @notice PauseGuard's guardian is a Safe 1.5.0 with five owners, three of whom decide.
contract SafeGuardianTest is GovernanceTest {
    Safe private safe;
    uint256[] private ownerKeys;

    function setUp() public override {
        for (uint256 i; i < 5; ++i) {
            ownerKeys.push(uint256(keccak256(abi.encode("owner", i))));
        }
        _sortByAddress();
        address[] memory owners = new address[](5);
        for (uint256 i; i < 5; ++i) {
            owners[i] = vm.addr(ownerKeys[i]);
        }
        bytes memory init =
            abi.encodeCall(Safe.setup, (owners, 3, address(0), "", address(0), address(0), 0, payable(address(0))));
        SafeProxyFactory factory = new SafeProxyFactory();
        safe = Safe(payable(address(factory.createProxyWithNonce(address(new Safe()), init, 0))));
        guardian = address(safe);
        super.setUp();
    }

    /// @dev A Safe takes signatures in the order of their owners.
    function _sortByAddress() private {
        for (uint256 i; i < ownerKeys.length; ++i) {
            for (uint256 j = i + 1; j < ownerKeys.length; ++j) {
                if (vm.addr(ownerKeys[j]) < vm.addr(ownerKeys[i])) {
                    (ownerKeys[i], ownerKeys[j]) = (ownerKeys[j], ownerKeys[i]);
                }
            }
        }
    }

    function _pauseCall() private view returns (bytes memory) {
        address[] memory targets = new address[](1);
        targets[0] = address(membership);
        return abi.encodeCall(guard.pause, (targets, 7 days));
    }

    function _signatures(uint256[] memory keys) private view returns (bytes memory signatures) {
        bytes32 digest = safe.getTransactionHash(
            address(guard), 0, _pauseCall(), Enum.Operation.Call, 0, 0, 0, address(0), address(0), safe.nonce()
        );
        for (uint256 i; i < keys.length; ++i) {
            signatures = bytes.concat(signatures, _sign(keys[i], digest));
        }
    }

    function _pause(uint256[] memory keys, string memory refusal) private {
        bytes memory signatures = _signatures(keys);
        bytes memory data = _pauseCall();
        if (bytes(refusal).length != 0) vm.expectRevert(bytes(refusal));
        vm.prank(stranger);
        safe.execTransaction(
            address(guard), 0, data, Enum.Operation.Call, 0, 0, 0, address(0), payable(address(0)), signatures
        );
    }

    function _keys(uint256 a, uint256 b, uint256 c) private view returns (uint256[] memory keys) {
        keys = new uint256[](3);
        (keys[0], keys[1], keys[2]) = (ownerKeys[a], ownerKeys[b], ownerKeys[c]);
    }

    function test_WhenThreeOwnersSign() external {
        _pause(_keys(0, 2, 4), "");
        assertEq(membership.pausedUntil(), block.timestamp + 7 days);
    }

    function test_RevertWhen_TwoOwnersSign() external {
        uint256[] memory keys = new uint256[](2);
        (keys[0], keys[1]) = (ownerKeys[0], ownerKeys[1]);
        _pause(keys, "GS020");
        assertEq(membership.pausedUntil(), 0);
    }

    function test_RevertWhen_OneOwnerSignsThreeTimes() external {
        _pause(_keys(1, 1, 1), "GS026");
        assertEq(membership.pausedUntil(), 0);
    }

    function test_RevertWhen_AStrangerIsAmongThree() external {
        uint256[] memory keys = _keys(0, 1, 2);
        keys[2] = memberKeys[1];
        bytes memory signatures = _signatures(keys);
        bytes memory data = _pauseCall();
        vm.expectRevert("GS026");
        safe.execTransaction(
            address(guard), 0, data, Enum.Operation.Call, 0, 0, 0, address(0), payable(address(0)), signatures
        );
    }
}
