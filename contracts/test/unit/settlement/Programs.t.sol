// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {Programs} from "../../../src/settlement/Programs.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract ProgramsTest is CoopTest {
    uint128 internal constant MAX = 1_000_000;

    address internal awarder = makeAddr("awarder");

    function _program(uint128 cap, bool open) internal view returns (Programs.Program memory) {
        return Programs.Program({awarder: awarder, kind: 1, capPerEpoch: cap, capPerMember: cap / 10, open: open});
    }

    function _set(uint32 id, Programs.Program memory p) internal {
        _asTokenHouse();
        programs.setProgram(id, p);
    }

    function _assertPoints(uint256 expected) internal view {
        (uint128 open, uint128 max) = programs.pointsPerEpoch();
        assertEq(open, expected);
        assertEq(max, MAX);
    }

    // ------------------------------------------------------------------------------------------- setProgram

    function test_RevertWhen_TheTokenHouseDoesNotDecide() external {
        address[3] memory others = [stranger, memberHouse, charter];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, others[i]));
            vm.prank(others[i]);
            programs.setProgram(1, _program(1, true));
        }
    }

    function test_RevertWhen_NobodyAwards() external {
        Programs.Program memory p = _program(10, true);
        p.awarder = address(0);
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "awarder"));
        _set(1, p);
    }

    function test_RevertWhen_TheKindIsUnknown() external {
        Programs.Program memory p = _program(10, true);
        for (uint8 kind = 1; kind <= 4; ++kind) {
            p.kind = kind;
            _set(1, p);
        }
        uint8[3] memory bad = [0, 5, 255];
        for (uint256 i; i < 3; ++i) {
            p.kind = bad[i];
            vm.expectRevert(abi.encodeWithSelector(Programs.Programs_BadKind.selector, bad[i]));
            _set(1, p);
        }
    }

    function test_RevertWhen_AMemberMayGetMoreThanAll() external {
        Programs.Program memory p = _program(10, true);
        p.capPerMember = 11;
        vm.expectRevert(abi.encodeWithSelector(Programs.Programs_BadCaps.selector, 10, 11));
        _set(1, p);
        p.capPerMember = 10;
        _set(1, p);
    }

    function test_RevertWhen_TheOpenProgramsExceedTheCharter() external {
        _set(1, _program(MAX - 1, true));
        vm.expectRevert(abi.encodeWithSelector(Programs.Programs_TooManyPoints.selector, uint256(MAX) + 1, MAX));
        _set(2, _program(2, true));
        _set(2, _program(type(uint128).max, false)); // closed: counts for nothing
        _set(1, _program(MAX, true)); // its own old cap does not stand in its way
        _assertPoints(MAX);
    }

    function test_ProgramsOpenChangeAndClose() external {
        Programs.Program memory p = _program(400, true);
        vm.expectEmit(address(programs));
        emit Programs.ProgramSet(7, p);
        _set(7, p);
        assertEq(abi.encode(programs.program(7)), abi.encode(p));
        _assertPoints(400);
        p.capPerEpoch = 300;
        _set(7, p);
        _assertPoints(300);
        _set(8, _program(50, true));
        _assertPoints(350);
        p.open = false;
        _set(7, p);
        assertFalse(programs.program(7).open);
        _assertPoints(50);
        p.open = true;
        _set(7, p);
        _assertPoints(350);
        assertEq(programs.program(9).awarder, address(0));
    }

    // --------------------------------------------------------------------------------- setMaxPointsPerEpoch

    function test_RevertWhen_TheCharterDoesNotDecide() external {
        address[3] memory others = [stranger, memberHouse, tokenHouse];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, others[i]));
            vm.prank(others[i]);
            programs.setMaxPointsPerEpoch(1);
        }
    }

    function test_TheCharterBoundsAllPrograms() external {
        _set(1, _program(400, true));
        vm.expectRevert(abi.encodeWithSelector(Programs.Programs_TooManyPoints.selector, 400, 399));
        _asCharter();
        programs.setMaxPointsPerEpoch(399);
        vm.expectEmit(address(programs));
        emit Programs.MaxPointsPerEpochSet(400);
        _asCharter();
        programs.setMaxPointsPerEpoch(400);
        vm.expectRevert(abi.encodeWithSelector(Programs.Programs_TooManyPoints.selector, 401, 400));
        _set(2, _program(1, true));
    }

    // ----------------------------------------------------------------------------------------------- awards

    function testFuzz_TheAwardIsTypedData(Programs.Award memory a) external view {
        bytes32 hash = keccak256("Award(uint32 programId,uint32 memberId,uint32 epoch,uint128 points,uint256 nonce)");
        bytes32 structHash = keccak256(abi.encode(hash, a.programId, a.memberId, a.epoch, a.points, a.nonce));
        assertEq(programs.awardDigest(a), _typed("Programs", address(programs), structHash));
        bytes32 digest = programs.awardDigest(a);
        for (uint256 word; word < 5; ++word) {
            assembly {
                let at := add(a, shl(5, word))
                mstore(at, xor(mload(at), 1))
            }
            assertNotEq(programs.awardDigest(a), digest);
            assembly {
                let at := add(a, shl(5, word))
                mstore(at, xor(mload(at), 1))
            }
        }
    }

    /// @dev Whatever is set: what counts as open is the sum over open programs, and within the bound.
    function testFuzz_OpenPointsAreTheSum(uint256 seed) external {
        for (uint256 i; i < 24; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            Programs.Program memory p = _program(uint128(seed >> 128) % MAX, seed & 1 == 0);
            _asTokenHouse();
            try programs.setProgram(uint32(seed >> 8) % 4, p) {}
            catch (bytes memory reason) {
                assertEq(bytes4(reason), Programs.Programs_TooManyPoints.selector);
            }
            uint256 sum;
            for (uint32 id; id < 4; ++id) {
                Programs.Program memory q = programs.program(id);
                if (q.open) sum += q.capPerEpoch;
            }
            assertLe(sum, MAX);
            _assertPoints(sum);
        }
    }
}
