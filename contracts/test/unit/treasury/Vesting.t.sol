// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {Vesting} from "../../../src/treasury/Vesting.sol";
import {MoneyTest} from "../../utils/MoneyTest.sol";

contract VestingTest is MoneyTest {
    uint96 internal constant FUNDS = 10_000_000e18;
    uint96 internal constant AMOUNT = 1_460e18;
    uint32 internal constant CLIFF = 365 days;
    uint32 internal constant DURATION = 4 * 365 days;

    Vesting internal vesting;
    address internal treasury = makeAddr("treasury");
    address internal team = makeAddr("team");
    uint40 internal start;

    function setUp() public override {
        super.setUp();
        start = uint40(block.timestamp);
        vesting = _deploy(FUNDS, new Vesting.Schedule[](0));
    }

    /// @dev A vesting contract to which `funds` were minted before it was initialized.
    function _deploy(uint256 funds, Vesting.Schedule[] memory genesis) private returns (Vesting) {
        address code = address(new Vesting());
        address at = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        if (funds != 0) _mintData(at, funds);
        return
            Vesting(
                _proxy(code, abi.encodeCall(Vesting.initialize, (address(manager), address(data), treasury, genesis)))
            );
    }

    function _schedule() private view returns (Vesting.Schedule memory) {
        return Vesting.Schedule(team, AMOUNT, start, CLIFF, DURATION, true);
    }

    function _create(Vesting.Schedule memory s) private returns (uint256) {
        vm.prank(founder);
        return vesting.create(s);
    }

    function _revoke(uint256 id) private {
        vm.prank(founder);
        vesting.revoke(id);
    }

    // ------------------------------------------------------------------------------------------ initialize

    function test_RevertWhen_AContractIsMissing() external {
        address code = address(new Vesting());
        Vesting.Schedule[] memory none;
        bytes memory init = abi.encodeCall(Vesting.initialize, (address(manager), address(0), treasury, none));
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "dataToken"));
        _proxy(code, init);
        init = abi.encodeCall(Vesting.initialize, (address(manager), address(data), address(0), none));
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "treasury"));
        _proxy(code, init);
    }

    function test_StorageLiesWhereErc7201Says() external view {
        _assertStorage(address(vesting), "Vesting");
    }

    function test_RevertWhen_InitializedAgain() external {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        vesting.initialize(address(manager), address(data), treasury, new Vesting.Schedule[](0));
    }

    /// @dev External, so that a revert inside can be seen.
    function deploy(uint256 funds, Vesting.Schedule[] memory genesis) external {
        _deploy(funds, genesis);
    }

    function _two() private view returns (Vesting.Schedule[] memory genesis) {
        genesis = new Vesting.Schedule[](2);
        (genesis[0], genesis[1]) = (_schedule(), _schedule());
    }

    function test_RevertWhen_GenesisIsNotCovered() external {
        vm.expectRevert(abi.encodeWithSelector(Vesting.Vesting_NotFunded.selector, AMOUNT, AMOUNT - 1));
        this.deploy(2 * uint256(AMOUNT) - 1, _two());
    }

    function test_RevertWhen_MoreThanAScheduleCanCount() external {
        vm.expectRevert(abi.encodeWithSelector(Vesting.Vesting_BadSchedule.selector, "genesis"));
        this.deploy(uint256(type(uint96).max) + 1, new Vesting.Schedule[](0));
    }

    function test_WhenGenesisIsCovered() external {
        vesting = _deploy(2 * uint256(AMOUNT) + 5, _two());
        assertEq(vesting.count(), 2);
        assertEq(vesting.free(), 5);
        (Vesting.Schedule memory s, uint256 released) = vesting.scheduleOf(2);
        assertEq(abi.encode(s), abi.encode(_schedule()));
        assertEq(released, 0);
    }

    // ------------------------------------------------------------------------------------------------ fund

    function test_RevertWhen_TheFunderApprovedNothing() external {
        vm.prank(stranger);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(vesting), 0, 1)
        );
        vesting.fund(1);
    }

    function test_WhenFunded() external {
        _mintData(stranger, 7);
        vm.startPrank(stranger);
        data.approve(address(vesting), 7);
        vm.expectEmit(address(vesting));
        emit Vesting.Funded(stranger, 7);
        vesting.fund(7);
        assertEq(vesting.free(), uint256(FUNDS) + 7);
        assertEq(data.balanceOf(address(vesting)), uint256(FUNDS) + 7);
    }

    // ---------------------------------------------------------------------------------------------- create

    function test_RevertWhen_TheCallerIsNotAuthorized() external {
        _create(_schedule());
        vm.startPrank(stranger);
        _expectUnauthorized(stranger);
        vesting.create(_schedule());
        _expectUnauthorized(stranger);
        vesting.revoke(1);
    }

    function _expectBad(string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(Vesting.Vesting_BadSchedule.selector, field));
    }

    function test_RevertWhen_TheScheduleIsBad() external {
        Vesting.Schedule memory s = _schedule();
        s.beneficiary = address(0);
        _expectBad("beneficiary");
        _create(s);
        s = _schedule();
        s.amount = 0;
        _expectBad("amount");
        _create(s);
        s = _schedule();
        (s.cliff, s.duration) = (0, 0);
        _expectBad("duration");
        _create(s);
        s.cliff = 1;
        s.duration = 0;
        _expectBad("duration");
        _create(s);
        (s.cliff, s.duration) = (DURATION + 1, DURATION);
        _expectBad("duration");
        _create(s);
    }

    function test_RevertWhen_TheAmountIsNotFree() external {
        Vesting.Schedule memory s = _schedule();
        s.amount = FUNDS;
        _create(s);
        s.amount = 1;
        vm.expectRevert(abi.encodeWithSelector(Vesting.Vesting_NotFunded.selector, 1, 0));
        _create(s);
    }

    function test_WhenCreated() external {
        vm.expectEmit(address(vesting));
        emit Vesting.Created(1, team, AMOUNT);
        assertEq(_create(_schedule()), 1);
        assertEq(_create(_schedule()), 2);
        assertEq(vesting.count(), 2);
        assertEq(vesting.free(), FUNDS - 2 * AMOUNT);
    }

    // --------------------------------------------------------------------------------------------- release

    function _expectNothing(uint256 id) private {
        vm.expectRevert(abi.encodeWithSelector(Vesting.Vesting_NothingToRelease.selector, id));
    }

    function test_RevertWhen_NothingToRelease() external {
        _expectNothing(9);
        vesting.release(9);
        uint256 id = _create(_schedule());
        vm.warp(start + CLIFF - 1);
        _expectNothing(id);
        vesting.release(id);
        vm.warp(start + CLIFF);
        vesting.release(id);
        _expectNothing(id);
        vesting.release(id);
    }

    function test_WhenSomethingHasVested() external {
        uint256 id = _create(_schedule());
        vm.warp(start + CLIFF);
        assertEq(vesting.releasable(id), AMOUNT / 4, "from the start, not from the cliff");
        vm.expectEmit(address(vesting));
        emit Vesting.Released(id, AMOUNT / 4);
        vm.prank(stranger);
        vesting.release(id);
        assertEq(data.balanceOf(team), AMOUNT / 4);
        assertEq(vesting.releasable(id), 0);
        vm.warp(start + 10 * uint256(DURATION));
        vesting.release(id);
        assertEq(data.balanceOf(team), AMOUNT);
    }

    // ---------------------------------------------------------------------------------------------- revoke

    function test_RevertWhen_NotRevocable() external {
        Vesting.Schedule memory s = _schedule();
        s.revocable = false;
        uint256 fixed_ = _create(s);
        uint256 id = _create(_schedule());
        _revoke(id);
        uint256[3] memory ids = [fixed_, id, 77];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Vesting.Vesting_NotRevocable.selector, ids[i]));
            _revoke(ids[i]);
        }
    }

    function test_WhenRevokedBeforeTheStartOrCliff() external {
        Vesting.Schedule memory later = _schedule();
        later.start = start + 100 days;
        uint256 id = _create(later);
        uint256 other = _create(_schedule());
        vm.warp(start + CLIFF - 1);
        vm.expectEmit(address(vesting));
        emit Vesting.Revoked(id, AMOUNT);
        _revoke(id);
        _revoke(other);
        assertEq(data.balanceOf(treasury), 2 * uint256(AMOUNT));
        vm.warp(start + 10 * uint256(DURATION));
        _expectNothing(id);
        vesting.release(id);
        _expectNothing(other);
        vesting.release(other);
    }

    function test_WhenRevokedHalfway() external {
        uint256 id = _create(_schedule());
        vm.warp(start + CLIFF);
        vesting.release(id);
        vm.warp(start + DURATION / 2);
        _revoke(id);
        assertEq(data.balanceOf(treasury), AMOUNT / 2);
        assertEq(vesting.releasable(id), AMOUNT / 4);
        vesting.release(id);
        assertEq(data.balanceOf(team), AMOUNT / 2);
        (Vesting.Schedule memory s, uint256 released) = vesting.scheduleOf(id);
        assertEq(s.amount, AMOUNT / 2);
        assertEq(released, AMOUNT / 2);
        assertEq(vesting.free(), FUNDS - AMOUNT, "what was returned is the Treasury's, not free");
    }

    // ------------------------------------------------------------------------------------------- the curve

    function _bounded(Vesting.Schedule memory s) private view returns (Vesting.Schedule memory) {
        s.beneficiary = team;
        s.amount = uint96(bound(s.amount, 1, FUNDS));
        s.start = uint40(bound(s.start, 0, 4_000_000_000));
        s.duration = uint32(bound(s.duration, 1, type(uint32).max));
        s.cliff = uint32(bound(s.cliff, 0, s.duration));
        s.revocable = true;
        return s;
    }

    function testFuzz_TheCurve(Vesting.Schedule memory s, uint64 a, uint64 b) external {
        s = _bounded(s);
        uint256 id = _create(s);
        uint64 end = uint64(s.start) + s.duration;
        a = uint64(bound(a, 0, uint256(end) + 1));
        b = uint64(bound(b, a, uint256(end) + 1));
        assertLe(vesting.vestedAt(id, a), vesting.vestedAt(id, b), "never falls");
        assertLe(vesting.vestedAt(id, b), s.amount);
        assertEq(vesting.vestedAt(id, end), s.amount, "all in the end");
        if (b < uint256(s.start) + s.cliff) assertEq(vesting.vestedAt(id, b), 0, "nothing before the cliff");
        else if (b < end) assertEq(vesting.vestedAt(id, b), uint256(s.amount) * (b - s.start) / s.duration);
    }

    function testFuzz_PartsAddUp(Vesting.Schedule memory s, uint64[3] memory at, bool revoked) external {
        s = _bounded(s);
        uint256 id = _create(s);
        uint256 time = block.timestamp;
        for (uint256 i; i < 3; ++i) {
            time = bound(at[i], time, time + s.duration);
            vm.warp(time);
            uint256 vested = vesting.vestedAt(id, uint64(time));
            if (vesting.releasable(id) != 0) vesting.release(id);
            assertEq(data.balanceOf(team), vested);
        }
        if (revoked) _revoke(id);
        vm.warp(time + uint256(s.start) + s.duration);
        if (vesting.releasable(id) != 0) vesting.release(id);
        assertEq(data.balanceOf(team) + data.balanceOf(treasury), s.amount);
        assertEq(data.balanceOf(address(vesting)), vesting.free());
    }
}
