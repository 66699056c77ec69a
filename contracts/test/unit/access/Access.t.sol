// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {TestUSDC} from "../../../src/testing/TestUSDC.sol";
import {Treasury} from "../../../src/treasury/Treasury.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract AccessTest is CoopTest {
    function test_RevertWhen_TheChainIsNotLocal() external {
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(TestUSDC.TestUSDC_NotLocalChain.selector, 1));
        new TestUSDC();
    }

    function test_WhenTheChainIsLocal() external view {
        assertEq(usdc.decimals(), 6);
    }

    function _proxies() internal view returns (address[12] memory) {
        return [
            address(membership),
            address(consents),
            address(contributions),
            address(committee),
            address(ledger),
            address(dataToken),
            address(govToken),
            address(catalog),
            address(license),
            address(market),
            address(treasury),
            address(disputes)
        ];
    }

    function test_RevertWhen_AnyContractIsUpgradedByAStranger() external {
        address[12] memory proxies = _proxies();
        address code = address(new Treasury());
        for (uint256 i; i < proxies.length; ++i) {
            vm.prank(stranger);
            vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
            UUPSUpgradeable(proxies[i]).upgradeToAndCall(code, "");
        }
        _asCharter();
        treasury.upgradeToAndCall(code, "");
        assertEq(treasury.authority(), address(manager));
    }

    /// @dev Each contract keeps an address of the cooperative, or a counter, in the first slots of its own storage.
    function test_StorageLiesWhereErc7201Says() external {
        _join();
        _grant(1);
        _sell(50e6);
        string[9] memory names = [
            "Membership",
            "ConsentRegistry",
            "ContributionRegistry",
            "StewardCommittee",
            "SettlementLedger",
            "License",
            "Market",
            "Treasury",
            "Disputes"
        ];
        address[9] memory at = [
            address(membership),
            address(consents),
            address(contributions),
            address(committee),
            address(ledger),
            address(license),
            address(market),
            address(treasury),
            address(disputes)
        ];
        for (uint256 i; i < names.length; ++i) {
            assertNotEq(vm.load(at[i], _erc7201(names[i])), 0, names[i]);
        }
        assertEq(address(uint160(uint256(vm.load(address(dataToken), _erc7201("DataToken"))))), address(ledger));
        assertEq(address(uint160(uint256(vm.load(address(govToken), _erc7201("GovToken"))))), address(ledger));
        bytes32 entry = keccak256(abi.encode(uint256(DATASET), _erc7201("DatasetCatalog")));
        assertNotEq(vm.load(address(catalog), entry), 0, "DatasetCatalog");
    }

    function _erc7201(string memory name) internal pure returns (bytes32) {
        uint256 id = uint256(keccak256(bytes(string.concat("rochdale.storage.", name)))) - 1;
        return keccak256(abi.encode(id)) & ~bytes32(uint256(0xff));
    }
}
