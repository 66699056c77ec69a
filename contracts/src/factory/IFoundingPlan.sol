// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Part, Parts} from "./Parts.sol";

/// @notice One thing that the factory does: a proxy is created unless `create` is `Nothing`, then `target` is called.
struct Step {
    Part create;
    address target;
    bytes data;
}

/// @notice What founding a cooperative consists of.
interface IFoundingPlan {
    /// @notice Reverts unless `config` is one that every stage will accept.
    /// @param config `abi.encode(Config)`
    function check(bytes calldata config) external view;

    /// @notice How many stages there are.
    /// @return at least 1
    function stages() external view returns (uint8);

    /// @notice What a stage does, for a cooperative at `at` founded by `factory`.
    /// @param stage from 0
    /// @param config `abi.encode(Config)`
    /// @param at where the cooperative's contracts are or will be
    /// @param factory who executes the steps
    /// @return what to create and call, in this order
    function steps(uint8 stage, bytes calldata config, Parts calldata at, address factory)
        external
        view
        returns (Step[] memory);
}
