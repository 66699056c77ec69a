// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {DataToken} from "../../../src/tokens/DataToken.sol";
import {MoneyTest} from "../../utils/MoneyTest.sol";

contract DataTokenGenesisTest is MoneyTest {
    address internal team = makeAddr("team");
    address internal foundation = makeAddr("foundation");

    function _genesis() private view returns (DataToken.Genesis[] memory genesis) {
        genesis = new DataToken.Genesis[](2);
        genesis[0] = DataToken.Genesis(team, type(uint128).max);
        genesis[1] = DataToken.Genesis(foundation, 7);
    }

    function _init(DataToken.Genesis[] memory genesis) private view returns (bytes memory) {
        return abi.encodeCall(DataToken.initialize, (address(manager), ledger, genesis));
    }

    function test_RevertWhen_InitializedAgain() external {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        data.initialize(address(manager), ledger, _genesis());
    }

    function test_RevertWhen_SomebodyHasNoAddress() external {
        DataToken.Genesis[] memory genesis = _genesis();
        genesis[1].to = address(0);
        address code = address(new DataToken());
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0)));
        _proxy(code, _init(genesis));
    }

    function test_WhenAllIsWell() external {
        assertEq(data.totalSupply(), 0, "an empty genesis mints nothing");
        data = DataToken(_proxy(address(new DataToken()), _init(_genesis())));
        assertEq(data.balanceOf(team), type(uint128).max);
        assertEq(data.balanceOf(foundation), 7);
        assertEq(data.totalSupply(), uint256(type(uint128).max) + 7);
    }
}
