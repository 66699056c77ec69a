// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IFunctionsClient} from "@chainlink/contracts/src/v0.8/functions/v1_0_0/interfaces/IFunctionsClient.sol";

/// @notice Chainlink's router as a client sees it. The real one needs an OpenZeppelin of 2023 that is not installed here.
/// Like it, an answer is a call with the gas that was asked for, and a client that reverts is only told about.
contract FunctionsRouterDouble {
    struct Sent {
        address client;
        uint64 subscriptionId;
        bytes data;
        uint16 dataVersion;
        uint32 callbackGasLimit;
        bytes32 donId;
    }

    Sent[] private _sent;

    function sendRequest(
        uint64 subscriptionId,
        bytes calldata data,
        uint16 dataVersion,
        uint32 callbackGasLimit,
        bytes32 donId
    ) external returns (bytes32) {
        _sent.push(Sent(msg.sender, subscriptionId, data, dataVersion, callbackGasLimit, donId));
        return keccak256(abi.encode("request", _sent.length));
    }

    function fulfill(address client, bytes32 requestId, bytes calldata response, bytes calldata err)
        external
        returns (bool success, bytes memory returned)
    {
        uint32 gasLimit = _sent.length == 0 ? 300_000 : _sent[_sent.length - 1].callbackGasLimit;
        return client.call{gas: gasLimit}(
            abi.encodeCall(IFunctionsClient.handleOracleFulfillment, (requestId, response, err))
        );
    }

    function last() external view returns (Sent memory) {
        return _sent[_sent.length - 1];
    }
}
