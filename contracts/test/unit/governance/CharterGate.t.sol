// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Test} from "forge-std/Test.sol";
import {Roles} from "../../../src/access/Roles.sol";
import {CharterGate} from "../../../src/governance/CharterGate.sol";

/// @notice What the gate calls: it counts, refuses, or calls the gate again.
contract CharterTarget {
    error Refused();

    uint256 public sum;
    address public lastCaller;

    function add(uint256 n) external payable {
        (sum, lastCaller) = (sum + n, msg.sender);
    }

    function refuse() external pure {
        revert Refused();
    }

    function again(CharterGate gate, CharterGate.Call[] calldata calls, bytes32 salt) external {
        gate.execute(calls, salt);
    }
}

/// @notice Members and AccessManager in one, as the gate sees them.
contract ConstitutionDouble {
    uint256 public seasonedCount;
    uint40 public first;
    uint64 public role;
    address public holder;
    uint32 public delay;

    function set(uint256 seasoned, uint40 first_) external {
        (seasonedCount, first) = (seasoned, first_);
    }

    function membershipTimes(uint32 memberId) external view returns (uint40, uint40) {
        return (memberId == 1 ? first : 0, 0);
    }

    function grantRole(uint64 role_, address holder_, uint32 delay_) external {
        (role, holder, delay) = (role_, holder_, delay_);
    }
}

contract CharterGateTest is Test {
    bytes32 private constant SALT = keccak256("first");

    CharterGate private gate;
    CharterTarget private target;
    ConstitutionDouble private coop;
    address private tokenHouse = makeAddr("token timelock");
    address private memberHouse = makeAddr("member timelock");
    address private stranger = makeAddr("stranger");

    function setUp() external {
        vm.warp(1_800_000_000);
        target = new CharterTarget();
        coop = new ConstitutionDouble();
        gate = _gate(tokenHouse, memberHouse);
        coop.set(100, uint40(block.timestamp - 90 days));
        gate.constitute();
    }

    function _terms() private pure returns (CharterGate.Terms memory) {
        return CharterGate.Terms({minMembers: 100, minAge: 90 days});
    }

    function _init(address a, address b) private view returns (bytes memory) {
        return abi.encodeCall(CharterGate.initialize, (a, b, address(coop), address(coop), _terms()));
    }

    function _gate(address a, address b) private returns (CharterGate) {
        return CharterGate(address(new ERC1967Proxy(address(new CharterGate()), _init(a, b))));
    }

    function _calls(uint256 n) private view returns (CharterGate.Call[] memory calls) {
        calls = new CharterGate.Call[](n);
        for (uint256 i; i < n; ++i) {
            calls[i] = CharterGate.Call(address(target), 0, abi.encodeCall(CharterTarget.add, (i + 1)));
        }
    }

    function _approve(address house, CharterGate.Call[] memory calls, bytes32 salt) private returns (bytes32 id) {
        id = gate.operationOf(calls, salt);
        vm.prank(house);
        gate.approve(id);
    }

    function _approveBoth(CharterGate.Call[] memory calls, bytes32 salt) private returns (bytes32 id) {
        _approve(tokenHouse, calls, salt);
        return _approve(memberHouse, calls, salt);
    }

    // ------------------------------------------------------------------------------------------------- houses

    function _expectBadHouses(address a, address b) private {
        address code = address(new CharterGate());
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_BadHouses.selector, a, b));
        new ERC1967Proxy(code, _init(a, b));
    }

    function test_RevertWhen_AHouseIsMissingOrBothAreTheSame() external {
        _expectBadHouses(address(0), memberHouse);
        _expectBadHouses(tokenHouse, address(0));
        _expectBadHouses(tokenHouse, tokenHouse);
    }

    function test_RevertWhen_InitializedAgain() external {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        gate.initialize(tokenHouse, memberHouse, address(coop), address(coop), _terms());
        CharterGate code = new CharterGate();
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        code.initialize(tokenHouse, memberHouse, address(coop), address(coop), _terms());
    }

    function test_RevertWhen_HousesAreSetByAnybody() external {
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_OnlyItself.selector, tokenHouse));
        vm.prank(tokenHouse);
        gate.setHouses(tokenHouse, stranger);
    }

    function test_WhenBothHousesReplaceOne() external {
        bytes32 old = _approveBoth(_calls(1), SALT);
        CharterGate.Call[] memory calls = new CharterGate.Call[](1);
        calls[0] = CharterGate.Call(address(gate), 0, abi.encodeCall(CharterGate.setHouses, (tokenHouse, stranger)));
        _approveBoth(calls, SALT);
        vm.expectEmit(address(gate));
        emit CharterGate.HousesSet(tokenHouse, stranger);
        gate.execute(calls, SALT);
        (, address house) = gate.houses();
        assertEq(house, stranger);
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_NotApproved.selector, old, stranger));
        gate.execute(_calls(1), SALT);
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_OnlyHouse.selector, memberHouse));
        vm.prank(memberHouse);
        gate.approve(old);
    }

    // --------------------------------------------------------------------------------------------- constitute

    function test_RevertWhen_NobodyNeedsToBelong() external {
        address code = address(new CharterGate());
        CharterGate.Terms memory none = CharterGate.Terms({minMembers: 0, minAge: 90 days});
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_BadTerms.selector, 0));
        new ERC1967Proxy(
            code, abi.encodeCall(CharterGate.initialize, (tokenHouse, memberHouse, address(coop), address(coop), none))
        );
    }

    function test_RevertWhen_TooFewAreSeasoned() external {
        gate = _gate(tokenHouse, memberHouse);
        coop.set(99, uint40(block.timestamp - 90 days));
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_TooFewMembers.selector, 99, 100));
        gate.constitute();
    }

    function test_RevertWhen_TheFirstMemberJoinedTooLately() external {
        gate = _gate(tokenHouse, memberHouse);
        coop.set(100, uint40(block.timestamp - 90 days + 1));
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_TooYoung.selector, block.timestamp + 1));
        gate.constitute();
    }

    function test_RevertWhen_AHouseApprovesBefore() external {
        gate = _gate(tokenHouse, memberHouse);
        bytes32 id = gate.operationOf(_calls(1), SALT);
        vm.expectRevert(CharterGate.CharterGate_Asleep.selector);
        vm.prank(tokenHouse);
        gate.approve(id);
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_NotApproved.selector, id, tokenHouse));
        gate.execute(_calls(1), SALT);
    }

    function test_WhenEnoughAreSeasonedAndTheFirstIsOldEnough() external {
        gate = _gate(tokenHouse, memberHouse);
        assertEq(gate.constitutedAt(), 0);
        (uint32 minMembers, uint32 minAge) = gate.terms();
        assertEq(minMembers, 100);
        assertEq(minAge, 90 days);
        vm.expectEmit(address(gate));
        emit CharterGate.Constituted(uint64(block.timestamp));
        vm.prank(stranger);
        gate.constitute();
        assertEq(gate.constitutedAt(), block.timestamp);
        assertEq(coop.role(), Roles.TREASURY);
        assertEq(coop.holder(), tokenHouse);
        assertEq(coop.delay(), 0);
        coop.set(0, 0);
        vm.expectRevert(
            abi.encodeWithSelector(CharterGate.CharterGate_AlreadyConstituted.selector, uint64(block.timestamp))
        );
        gate.constitute();
        _approve(tokenHouse, _calls(1), SALT);
    }

    // ----------------------------------------------------------------------------------------------- approval

    function test_RevertWhen_TheCallerIsNoHouse() external {
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_OnlyHouse.selector, stranger));
        gate.approve(SALT);
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_OnlyHouse.selector, stranger));
        gate.withdraw(SALT);
    }

    function test_RevertWhen_AHouseWithdrawsWhatItDidNotApprove() external {
        bytes32 id = _approve(tokenHouse, _calls(1), SALT);
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_NotApproved.selector, id, memberHouse));
        vm.prank(memberHouse);
        gate.withdraw(id);
    }

    function test_WhenAHouseWithdraws() external {
        bytes32 id = _approveBoth(_calls(1), SALT);
        assertEq(gate.approvedAt(id, tokenHouse), block.timestamp);
        vm.expectEmit(address(gate));
        emit CharterGate.Withdrawn(id, tokenHouse);
        vm.prank(tokenHouse);
        gate.withdraw(id);
        assertEq(gate.approvedAt(id, tokenHouse), 0);
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_NotApproved.selector, id, tokenHouse));
        gate.execute(_calls(1), SALT);
    }

    // ---------------------------------------------------------------------------------------------- execution

    function test_RevertWhen_OneHouseAloneApproved() external {
        bytes32 id = _approve(tokenHouse, _calls(1), SALT);
        vm.prank(tokenHouse);
        gate.approve(id);
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_NotApproved.selector, id, memberHouse));
        gate.execute(_calls(1), SALT);
    }

    function testFuzz_WhenAnApprovalAges(uint64 first, uint64 second) external {
        first = uint64(bound(first, 0, 60 days));
        second = uint64(bound(second, 0, 60 days));
        CharterGate.Call[] memory calls = _calls(1);
        bytes32 id = _approve(tokenHouse, calls, SALT);
        uint64 expiry = uint64(block.timestamp) + gate.VALIDITY();
        vm.warp(block.timestamp + first);
        _approve(memberHouse, calls, SALT);
        vm.warp(block.timestamp + second);
        if (block.timestamp > expiry) {
            vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_Expired.selector, id, tokenHouse, expiry));
            gate.execute(calls, SALT);
            _approveBoth(calls, SALT);
        }
        gate.execute(calls, SALT);
        assertTrue(gate.isExecuted(id));
    }

    function testFuzz_RevertWhen_AnyWordDiffers(uint256 value, uint256 n, address to, bytes32 salt) external {
        CharterGate.Call[] memory calls = _calls(1);
        _approveBoth(calls, SALT);
        bytes32 id = gate.operationOf(calls, SALT);
        calls[0] = CharterGate.Call(to, value, abi.encodeCall(CharterTarget.add, (n)));
        bytes32 other = gate.operationOf(calls, salt);
        vm.assume(other != id);
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_NotApproved.selector, other, tokenHouse));
        gate.execute(calls, salt);
    }

    function test_RevertWhen_ACallFails() external {
        CharterGate.Call[] memory calls = _calls(2);
        calls[1].data = abi.encodeCall(CharterTarget.refuse, ());
        bytes32 id = _approveBoth(calls, SALT);
        vm.expectRevert(CharterTarget.Refused.selector);
        gate.execute(calls, SALT);
        assertEq(target.sum(), 0, "all or none");
        assertFalse(gate.isExecuted(id));
    }

    function test_WhenBothApprovedInTime() external {
        CharterGate.Call[] memory calls = _calls(3);
        calls[1].value = 5;
        bytes32 id = gate.operationOf(calls, SALT);
        vm.expectEmit(address(gate));
        emit CharterGate.Approved(id, tokenHouse);
        vm.prank(tokenHouse);
        gate.approve(id);
        _approve(memberHouse, calls, SALT);
        vm.deal(stranger, 5);
        vm.expectEmit(address(gate));
        emit CharterGate.Executed(id);
        vm.prank(stranger);
        gate.execute{value: 5}(calls, SALT);
        assertEq(target.sum(), 6);
        assertEq(target.lastCaller(), address(gate));
        assertEq(address(target).balance, 5);
        bytes memory done = abi.encodeWithSelector(CharterGate.CharterGate_AlreadyExecuted.selector, id);
        vm.expectRevert(done);
        gate.execute(calls, SALT);
        vm.startPrank(tokenHouse);
        vm.expectRevert(done);
        gate.approve(id);
        vm.expectRevert(done);
        gate.withdraw(id);
    }

    /// @dev The outer operation calls the target, which executes the inner one twice.
    function test_RevertWhen_ACallEntersAgain() external {
        CharterGate.Call[] memory inner = _calls(1);
        bytes32 id = _approveBoth(inner, SALT);
        CharterGate.Call[] memory outer = new CharterGate.Call[](2);
        bytes memory again = abi.encodeCall(CharterTarget.again, (gate, inner, SALT));
        outer[0] = CharterGate.Call(address(target), 0, again);
        outer[1] = outer[0];
        _approveBoth(outer, SALT);
        vm.expectRevert(abi.encodeWithSelector(CharterGate.CharterGate_AlreadyExecuted.selector, id));
        gate.execute(outer, SALT);
    }
}
