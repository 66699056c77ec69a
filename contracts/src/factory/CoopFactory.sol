// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {FactoryProxy} from "./FactoryProxy.sol";
import {IFoundingPlan, Step} from "./IFoundingPlan.sol";
import {PARTS, Part, Parts, PartsLib} from "./Parts.sol";

/// @title CoopFactory
/// @notice Founds whole cooperatives, each from one config, in stages of one transaction each.
///
/// Roles
/// - Creator: sends the first stage, which fixes the config by its hash.
/// - Anyone: sends the later stages, with the same config. Nothing but the order and the config decides what they do.
/// - The factory itself: ADMIN of a cooperative's AccessManager until the last stage, which gives ADMIN to the charter and
///   the factory's own role up. What it does in between is what FoundingPlan says and a config contains; it has no other way.
///
/// Assumptions
/// - The implementations and the plan given to the constructor are the ones that this repository builds. They cannot be
///   changed later. Who founds by a factory trusts who deployed it, or compares the code.
/// - The parts call nobody outside of the cooperative while they are initialized.
///
/// Liveness: a founding that was left in the middle is taken up by anybody; `stageOf` tells where. A config that a later
/// stage refuses can never be completed; it is founded again with another salt.
///
/// Who can hurt whom: nobody can change or hinder another creator's founding: addresses follow from the creator and the
/// salt. Who deploys a factory of changed implementations hurts those who found by it.
contract CoopFactory {
    struct Founding {
        bytes32 configHash;
        uint8 stage;
    }

    IFoundingPlan public immutable plan;
    uint8 public immutable stages;

    mapping(Part part => address) public implementationOf;
    mapping(bytes32 coopId => Founding) private _foundings;

    event Founded(bytes32 indexed coopId, address indexed creator, bytes32 salt, bytes32 configHash);
    event StageDone(bytes32 indexed coopId, uint8 stage);
    event Completed(bytes32 indexed coopId, Parts parts);

    error CoopFactory_NoImplementation(Part part);
    error CoopFactory_AlreadyFounded(bytes32 coopId);
    error CoopFactory_NotFounded(bytes32 coopId);
    error CoopFactory_OtherConfig(bytes32 configHash, bytes32 expected);
    error CoopFactory_StageDone(uint8 stage, uint8 next);
    error CoopFactory_StageNotReached(uint8 stage, uint8 next);

    constructor(Parts memory implementations, IFoundingPlan plan_) {
        address[PARTS] memory codes = PartsLib.toArray(implementations);
        for (uint8 i = 1; i <= PARTS; ++i) {
            address code = codes[i - 1];
            if (code.code.length == 0) revert CoopFactory_NoImplementation(Part(i));
            implementationOf[Part(i)] = code;
        }
        plan = plan_;
        stages = plan_.stages();
    }

    /// @notice The first stage: fixes the config, as `abi.encode(Config)`, and creates the authority.
    /// @param salt tells the creator's cooperatives apart
    /// @param config `abi.encode(Config)`
    /// @return coopId by which the later stages name it
    function found(bytes32 salt, bytes calldata config) external returns (bytes32 coopId) {
        coopId = coopIdOf(msg.sender, salt);
        Founding storage f = _foundings[coopId];
        // Check:
        if (f.configHash != 0) revert CoopFactory_AlreadyFounded(coopId);
        plan.check(config);
        // Effects:
        f.configHash = keccak256(config);
        emit Founded(coopId, msg.sender, salt, f.configHash);
        _run(coopId, f, 0, config);
    }

    /// @notice A later stage, by anyone.
    /// @param coopId which founding
    /// @param stage the one that comes next
    /// @param config the same bytes as in the first stage
    function advance(bytes32 coopId, uint8 stage, bytes calldata config) external {
        Founding storage f = _foundings[coopId];
        (bytes32 expected, uint8 next) = (f.configHash, f.stage);
        // Check:
        if (expected == 0) revert CoopFactory_NotFounded(coopId);
        if (keccak256(config) != expected) revert CoopFactory_OtherConfig(keccak256(config), expected);
        if (stage < next) revert CoopFactory_StageDone(stage, next);
        if (stage > next || stage >= stages) revert CoopFactory_StageNotReached(stage, next);
        _run(coopId, f, stage, config);
    }

    // ------------------------------------------------------------------------------------------------ views

    /// @notice The name of the cooperative that `creator` founds with `salt`.
    /// @param creator who sends the first stage
    /// @param salt which of the creator's
    /// @return the same whether it was founded or not
    function coopIdOf(address creator, bytes32 salt) public pure returns (bytes32) {
        return keccak256(abi.encode(creator, salt));
    }

    /// @notice The stage that comes next; `stages` when the founding is complete, 0 where none was begun.
    /// @param coopId which founding
    /// @return a number up to `stages`
    function stageOf(bytes32 coopId) external view returns (uint8) {
        return _foundings[coopId].stage;
    }

    /// @notice The keccak of the config; zero where none was founded.
    /// @param coopId which founding
    /// @return keccak256 of the config's bytes
    function configHashOf(bytes32 coopId) external view returns (bytes32) {
        return _foundings[coopId].configHash;
    }

    /// @notice Where a part of a cooperative is or will be.
    /// @param coopId which cooperative
    /// @param part which of its contracts
    /// @return follows from both and from the implementation
    function addressOf(bytes32 coopId, Part part) public view returns (address) {
        return Create2.computeAddress(_saltOf(coopId, part), keccak256(_codeOf(part)));
    }

    /// @notice Where all parts are or will be.
    /// @param coopId which cooperative
    /// @return parts all of its contracts
    function partsOf(bytes32 coopId) public view returns (Parts memory parts) {
        address[PARTS] memory at;
        for (uint8 i = 1; i <= PARTS; ++i) {
            at[i - 1] = addressOf(coopId, Part(i));
        }
        return PartsLib.fromArray(at);
    }

    // --------------------------------------------------------------------------------------------- internal

    function _run(bytes32 coopId, Founding storage f, uint8 stage, bytes calldata config) private {
        // Effects:
        f.stage = stage + 1;
        emit StageDone(coopId, stage);
        // Interaction:
        Parts memory parts = partsOf(coopId);
        Step[] memory steps = plan.steps(stage, config, parts, address(this));
        for (uint256 i; i < steps.length; ++i) {
            Part part = steps[i].create;
            if (part != Part.Nothing) Create2.deploy(0, _saltOf(coopId, part), _codeOf(part));
            Address.functionCall(steps[i].target, steps[i].data);
        }
        if (stage + 1 == stages) emit Completed(coopId, parts);
    }

    function _saltOf(bytes32 coopId, Part part) private pure returns (bytes32) {
        return keccak256(abi.encode(coopId, part));
    }

    function _codeOf(Part part) private view returns (bytes memory) {
        return abi.encodePacked(type(FactoryProxy).creationCode, abi.encode(implementationOf[part]));
    }
}
