// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {FunctionsClient} from "@chainlink/contracts/src/v0.8/functions/v1_3_0/FunctionsClient.sol";
import {FunctionsRequest} from "@chainlink/contracts/src/v0.8/functions/v1_0_0/libraries/FunctionsRequest.sol";
import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IScoreOracle} from "./IScoreOracle.sol";

/// @title ChainlinkScoreAdapter
/// @notice Scores that a Chainlink Functions network vouches for, beside those that the stewards sign.
///
/// Roles
/// - Requester: an automation that the member house appoints. It alone spends the subscription.
/// - Router: Chainlink's. It alone brings answers.
/// - Member house: appoints the requester, and fixes the source by its hash, the network and the subscription.
///
/// Assumptions: the network runs the source that was named, and agrees on its answer: the 32 bytes of a score's EIP-712
/// digest (`StewardCommittee.scoreDigest`). It learns the contribution's id and commitment, which are public, and whatever
/// the source fetches: that must never be a record.
///
/// Liveness: nothing depends on it. A request that is never answered, or fails, can be made again.
///
/// Who can hurt whom: the network can vouch for a wrong score; what that is worth is for those to say who ask here. What it
/// vouched for stays so, also where the source was replaced since.
/// The requester can waste the subscription. Not upgradeable; it holds no money.
contract ChainlinkScoreAdapter is FunctionsClient, AccessManaged, IScoreOracle {
    using FunctionsRequest for FunctionsRequest.Request;

    /// @notice What is asked, of which network, and who pays.
    struct Config {
        bytes32 sourceHash;
        bytes32 donId;
        uint64 subscriptionId;
        uint32 callbackGasLimit;
    }

    struct Pending {
        uint64 contributionId;
        bool open;
    }

    Config private _config;
    mapping(bytes32 requestId => Pending) private _pending;
    mapping(bytes32 scoreDigest => bool) private _attested;

    /// @notice Who may ask for scores.
    address public requester;

    event ConfigSet(Config config);
    event RequesterSet(address requester);
    event ScoreRequested(bytes32 indexed requestId, uint64 indexed contributionId);
    event ScoreAttested(bytes32 indexed requestId, uint64 indexed contributionId, bytes32 scoreDigest);
    event ScoreFailed(bytes32 indexed requestId, uint64 indexed contributionId, bytes err);

    error ChainlinkScoreAdapter_ZeroRouter();
    error ChainlinkScoreAdapter_OnlyRequester(address caller);
    error ChainlinkScoreAdapter_WrongSource(bytes32 sourceHash, bytes32 expected);
    error ChainlinkScoreAdapter_UnknownRequest(bytes32 requestId);

    constructor(address authority_, address router, Config memory config_, address requester_)
        FunctionsClient(router)
        AccessManaged(authority_)
    {
        if (router == address(0)) revert ChainlinkScoreAdapter_ZeroRouter();
        _setConfig(config_);
        _setRequester(requester_);
    }

    // ------------------------------------------------------------------------------------- administration

    /// @notice Sets how later scores are asked for.
    /// @param config_ source, network and its pay
    function setConfig(Config calldata config_) external restricted {
        _setConfig(config_);
    }

    /// @notice Appoints who may ask for scores; zero stops it.
    /// @param requester_ one account
    function setRequester(address requester_) external restricted {
        _setRequester(requester_);
    }

    // --------------------------------------------------------------------------------------------- asking

    /// @notice Asks the network for the score of a contribution. `source` is the JavaScript whose hash was voted on: it
    /// travels with the request, so that nothing has to be stored.
    /// @param contributionId which contribution
    /// @param commitment its commitment on the chain
    /// @param source JavaScript whose keccak256 is the configured one
    /// @return requestId as the network's router gives it
    function request(uint64 contributionId, bytes32 commitment, string calldata source)
        external
        returns (bytes32 requestId)
    {
        Config memory c = _config;
        // Check:
        if (msg.sender != requester) revert ChainlinkScoreAdapter_OnlyRequester(msg.sender);
        bytes32 sourceHash = keccak256(bytes(source));
        if (sourceHash != c.sourceHash) revert ChainlinkScoreAdapter_WrongSource(sourceHash, c.sourceHash);
        FunctionsRequest.Request memory r;
        r.initializeRequestForInlineJavaScript(source);
        bytes[] memory args = new bytes[](2);
        (args[0], args[1]) = (abi.encode(contributionId), abi.encode(commitment));
        r.setBytesArgs(args);
        // Interaction: the router gives the id, and cannot answer before the next transaction.
        requestId = _sendRequest(r.encodeCBOR(), c.subscriptionId, c.callbackGasLimit, c.donId);
        // Effects:
        _pending[requestId] = Pending(contributionId, true);
        emit ScoreRequested(requestId, contributionId);
    }

    /// @dev An answer that is no digest counts as a failure: the network is paid all the same, and can be asked again.
    function _fulfillRequest(bytes32 requestId, bytes memory response, bytes memory err) internal override {
        Pending memory p = _pending[requestId];
        // Check:
        if (!p.open) revert ChainlinkScoreAdapter_UnknownRequest(requestId);
        // Effects:
        delete _pending[requestId];
        bytes32 digest = bytes32(response);
        if (err.length != 0 || response.length != 32 || digest == 0) {
            emit ScoreFailed(requestId, p.contributionId, err);
            return;
        }
        _attested[digest] = true;
        emit ScoreAttested(requestId, p.contributionId, digest);
    }

    // ---------------------------------------------------------------------------------------------- views

    /// @inheritdoc IScoreOracle
    /// @dev Asks for no evidence.
    function attested(bytes32 scoreDigest, bytes calldata) external view returns (bool) {
        return _attested[scoreDigest];
    }

    /// @notice How scores are asked for.
    /// @return as it was set last
    function config() external view returns (Config memory) {
        return _config;
    }

    // ------------------------------------------------------------------------------------------- internal

    function _setConfig(Config memory config_) private {
        _config = config_;
        emit ConfigSet(config_);
    }

    function _setRequester(address requester_) private {
        requester = requester_;
        emit RequesterSet(requester_);
    }
}
