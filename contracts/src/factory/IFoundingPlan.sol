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
    function check(bytes calldata config) external view;

    /// @notice How many stages there are.
    function stages() external view returns (uint8);

    /// @notice What a stage does, for a cooperative at `at` founded by `factory`.
    function steps(uint8 stage, bytes calldata config, Parts calldata at, address factory)
        external
        view
        returns (Step[] memory);
}
