// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {FunctionsClient} from "@chainlink/contracts/src/v0.8/functions/v1_3_0/FunctionsClient.sol";
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ChainlinkScoreAdapter} from "../../../src/oracle/ChainlinkScoreAdapter.sol";
import {FunctionsRouterDouble} from "../../utils/FunctionsRouterDouble.sol";

contract ChainlinkScoreAdapterTest is Test {
    string internal constant SOURCE = "return Functions.encodeUint256(1)";
    uint64 internal constant CONTRIBUTION = 7;
    bytes32 internal constant COMMITMENT = keccak256("commitment");
    bytes32 internal constant DIGEST = keccak256("score");

    FunctionsRouterDouble internal router;
    AccessManager internal manager;
    ChainlinkScoreAdapter internal adapter;
    address internal founder = makeAddr("founder");
    address internal automation = makeAddr("automation");
    address internal stranger = makeAddr("stranger");

    function setUp() external {
        router = new FunctionsRouterDouble();
        manager = new AccessManager(founder);
        adapter = new ChainlinkScoreAdapter(address(manager), address(router), _config(), automation);
    }

    function _config() internal pure returns (ChainlinkScoreAdapter.Config memory) {
        return ChainlinkScoreAdapter.Config(keccak256(bytes(SOURCE)), keccak256("don"), 12, 60_000);
    }

    function _request() internal returns (bytes32) {
        vm.prank(automation);
        return adapter.request(CONTRIBUTION, COMMITMENT, SOURCE);
    }

    function _fulfill(bytes32 id, bytes memory response, bytes memory err) internal {
        (bool success,) = router.fulfill(address(adapter), id, response, err);
        assertTrue(success, "the callback ran within its gas");
    }

    // ---------------------------------------------------------------------------------------------- config

    function test_RevertWhen_ThereIsNoRouter() external {
        vm.expectRevert(ChainlinkScoreAdapter.ChainlinkScoreAdapter_ZeroRouter.selector);
        new ChainlinkScoreAdapter(address(manager), address(0), _config(), automation);
    }

    function test_WhenDeployed() external view {
        assertEq(abi.encode(adapter.config()), abi.encode(_config()));
        assertEq(adapter.requester(), automation);
        assertEq(adapter.authority(), address(manager));
        assertFalse(adapter.attested(DIGEST, ""));
    }

    function test_RevertWhen_AStrangerConfigures() external {
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(unauthorized);
        adapter.setConfig(_config());
        vm.expectRevert(unauthorized);
        adapter.setRequester(stranger);
    }

    function test_WhenConfigured() external {
        ChainlinkScoreAdapter.Config memory c = _config();
        c.subscriptionId = 13;
        vm.startPrank(founder);
        vm.expectEmit(address(adapter));
        emit ChainlinkScoreAdapter.ConfigSet(c);
        adapter.setConfig(c);
        assertEq(adapter.config().subscriptionId, 13);
        vm.expectEmit(address(adapter));
        emit ChainlinkScoreAdapter.RequesterSet(stranger);
        adapter.setRequester(stranger);
        assertEq(adapter.requester(), stranger);
    }

    // --------------------------------------------------------------------------------------------- request

    function test_RevertWhen_SomebodyElseAsks() external {
        vm.prank(stranger);
        vm.expectRevert(
            abi.encodeWithSelector(ChainlinkScoreAdapter.ChainlinkScoreAdapter_OnlyRequester.selector, stranger)
        );
        adapter.request(CONTRIBUTION, COMMITMENT, SOURCE);
    }

    function test_RevertWhen_TheSourceIsAnother() external {
        vm.prank(automation);
        vm.expectRevert(
            abi.encodeWithSelector(
                ChainlinkScoreAdapter.ChainlinkScoreAdapter_WrongSource.selector,
                keccak256("return 2"),
                keccak256(bytes(SOURCE))
            )
        );
        adapter.request(CONTRIBUTION, COMMITMENT, "return 2");
    }

    function test_WhenAsked() external {
        vm.expectEmit(address(adapter));
        emit ChainlinkScoreAdapter.ScoreRequested(keccak256(abi.encode("request", 1)), CONTRIBUTION);
        bytes32 id = _request();
        assertEq(id, keccak256(abi.encode("request", 1)));
        FunctionsRouterDouble.Sent memory sent = router.last();
        assertEq(sent.client, address(adapter));
        assertEq(sent.subscriptionId, 12);
        assertEq(sent.donId, keccak256("don"));
        assertEq(sent.callbackGasLimit, 60_000);
        assertEq(sent.dataVersion, 1);
        // CBOR: "codeLocation" and "language", both 0 (inline, JavaScript) as big numbers; "source" and its text; "bytesArgs"
        // and an open list of two strings of 32 bytes.
        bytes memory expected = abi.encodePacked(
            hex"6c636f64654c6f636174696f6ec25820",
            bytes32(0),
            hex"686c616e6775616765c25820",
            bytes32(0),
            hex"66736f75726365",
            hex"7821",
            SOURCE,
            hex"69627974657341726773",
            hex"9f5820",
            abi.encode(CONTRIBUTION),
            hex"5820",
            COMMITMENT,
            hex"ff"
        );
        assertEq(sent.data, expected);
        assertFalse(adapter.attested(DIGEST, ""));
    }

    // ------------------------------------------------------------------------------------------- answering

    function test_RevertWhen_SomebodyElseAnswers() external {
        bytes32 id = _request();
        vm.prank(automation);
        vm.expectRevert(FunctionsClient.OnlyRouterCanFulfill.selector);
        adapter.handleOracleFulfillment(id, abi.encode(DIGEST), "");
    }

    function test_RevertWhen_NoSuchRequestIsOpen() external {
        bytes4 unknown = ChainlinkScoreAdapter.ChainlinkScoreAdapter_UnknownRequest.selector;
        (bool success, bytes memory returned) = router.fulfill(address(adapter), DIGEST, abi.encode(DIGEST), "");
        assertFalse(success);
        assertEq(returned, abi.encodeWithSelector(unknown, DIGEST));
        bytes32 id = _request();
        _fulfill(id, abi.encode(DIGEST), "");
        (success, returned) = router.fulfill(address(adapter), id, abi.encode(COMMITMENT), "");
        assertFalse(success);
        assertEq(returned, abi.encodeWithSelector(unknown, id));
    }

    function test_WhenTheAnswerIsAFailure() external {
        bytes[4] memory responses = [bytes(""), abi.encode(0), abi.encode(DIGEST, DIGEST), abi.encodePacked(uint8(1))];
        for (uint256 i; i < 4; ++i) {
            bytes32 id = _request();
            bytes memory err = i == 0 ? bytes("no endpoint") : bytes("");
            vm.expectEmit(address(adapter));
            emit ChainlinkScoreAdapter.ScoreFailed(id, CONTRIBUTION, err);
            _fulfill(id, responses[i], err);
        }
        bytes32 both = _request();
        _fulfill(both, abi.encode(DIGEST), "an error, too");
        assertFalse(adapter.attested(DIGEST, ""));
        assertFalse(adapter.attested(0, ""));
        _fulfill(_request(), abi.encode(DIGEST), "");
        assertTrue(adapter.attested(DIGEST, ""));
    }

    function testFuzz_WhenTheAnswerIsADigest(bytes32 digest, bytes calldata evidence) external {
        vm.assume(digest != 0);
        bytes32 id = _request();
        vm.expectEmit(address(adapter));
        emit ChainlinkScoreAdapter.ScoreAttested(id, CONTRIBUTION, digest);
        _fulfill(id, abi.encode(digest), "");
        assertTrue(adapter.attested(digest, evidence));
        assertFalse(adapter.attested(~digest, evidence));
    }
}
