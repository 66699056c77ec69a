// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {StewardBonds} from "../../src/oracle/StewardBonds.sol";
import {StewardCommittee} from "../../src/oracle/StewardCommittee.sol";
import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {StewardsTest} from "../utils/StewardsTest.sol";

/// @notice Stewards bond, leave, object and lie; the house seats, slashes and forgets; the ledger voids. Six keys, of which
/// three sit at a time, the last one never.
contract StewardHandler is StewardsTest {
    uint256 internal constant ACTORS = 6;

    /// @notice Paid in, and out to stewards, since the start.
    uint256 public paidIn;
    uint256 public withdrawn;
    /// @notice What each steward lost: confirmed slashes and lost objections.
    mapping(address steward => uint256) public forfeited;
    /// @notice What each steward was paid in and out.
    mapping(address steward => uint256) public paidFor;
    mapping(address steward => uint256) public withdrawnBy;

    uint256 private time;
    uint32 private headers;

    function setUp() public override {
        super.setUp();
        time = block.timestamp;
    }

    /// @dev The fuzzer's own time does not move; ours does.
    modifier timed() {
        vm.warp(time);
        _;
        time = block.timestamp;
    }

    function _key(uint256 pick) private returns (uint256 key) {
        string[6] memory names = ["steward1", "steward2", "steward3", "steward4", "steward5", "nobody"];
        (, key) = makeAddrAndKey(names[pick % ACTORS]);
    }

    function actor(uint256 pick) public returns (address) {
        return vm.addr(_key(pick));
    }

    /// @notice The house decides nothing more and seats nobody: strangers release what it left, the ledger ends objections,
    /// and each steward takes back everything.
    function finish() external {
        vm.warp(time + committee.DECISION());
        for (uint256 id = 1; id <= committee.slashCount(); ++id) {
            if (committee.slashOf(id).amount == 0) continue;
            vm.prank(stranger);
            committee.releaseSlash(id);
        }
        for (uint256 i; i < ACTORS; ++i) {
            address steward = actor(i);
            vm.prank(address(disputes));
            committee.settleObjection(steward, true);
            uint256 bonded = _stake(steward).bond;
            if (bonded == 0) continue;
            vm.prank(steward);
            committee.requestUnbond(bonded);
        }
        vm.warp(block.timestamp + committee.UNBONDING());
        for (uint256 i; i < ACTORS; ++i) {
            address steward = actor(i);
            if (_stake(steward).unbonding == 0) continue;
            vm.prank(steward);
            committee.withdrawBond(gateway);
        }
    }

    // -------------------------------------------------------------------------------------------- stewards

    function bond(uint256 pick, uint256 amount) external timed {
        amount = bound(amount, 1, 3 * MIN_BOND);
        _bond(actor(pick), amount);
        paidIn += amount;
        paidFor[actor(pick)] += amount;
    }

    function requestUnbond(uint256 pick, uint256 amount) external timed {
        address steward = actor(pick);
        StewardBonds.Stake memory s = _stake(steward);
        amount = bound(amount, 1, 2 * MIN_BOND);
        uint256 keeps = committee.stewardId(steward) == 0 ? 0 : committee.seatBond();
        bool allowed = amount + keeps <= s.bond || amount == s.bond;
        vm.prank(steward);
        try committee.requestUnbond(amount) {
            assertTrue(allowed, "unbonded what the seat asks for");
        } catch {
            assertFalse(allowed, "refused without a reason");
        }
    }

    function withdraw(uint256 pick) external timed {
        address steward = actor(pick);
        StewardBonds.Stake memory s = _stake(steward);
        bool allowed = s.unbonding != 0 && block.timestamp >= s.unbondsAt;
        vm.prank(steward);
        try committee.withdrawBond(gateway) {
            assertTrue(allowed, "withdrawn too early");
            withdrawn += s.unbonding;
            withdrawnBy[steward] += s.unbonding;
        } catch {
            assertFalse(allowed, "refused without a reason");
        }
    }

    function equivocate(uint256 pick) external timed {
        uint256 key = _key(pick);
        (ISettlementLedger.Header memory a, ISettlementLedger.Header memory b) = _twoHeaders();
        (a.attempt, b.attempt) = (++headers, headers);
        StewardBonds.Stake memory s = _stake(vm.addr(key));
        bytes memory first = _sign(key, _headerDigest(a));
        bytes memory second = _sign(key, _headerDigest(b));
        try committee.reportEquivocation(a, first, b, second) returns (uint256 id) {
            assertEq(committee.slashOf(id).amount, uint256(s.bond) + s.unbonding);
        } catch {
            assertEq(uint256(s.bond) + s.unbonding, 0, "refused without a reason");
        }
    }

    // --------------------------------------------------------------------------------------------- ledger

    function lockObjection(uint256 pick) external timed {
        address steward = actor(pick);
        StewardBonds.Stake memory s = _stake(steward);
        uint256 asked = committee.objectionBond();
        bool allowed = committee.stewardId(steward) != 0 && s.locked == 0 && s.bond >= asked;
        vm.prank(address(disputes));
        try committee.lockObjection(steward) {
            assertTrue(allowed, "locked without a seat or a bond");
        } catch {
            assertFalse(allowed, "refused without a reason");
        }
    }

    function settleObjection(uint256 pick, bool won) external timed {
        address steward = actor(pick);
        if (!won) forfeited[steward] += _stake(steward).locked;
        vm.prank(address(disputes));
        committee.settleObjection(steward, won);
    }

    function escrowSigners(uint256 signers, uint256 back) external timed {
        uint256 current = committee.generation();
        vm.prank(address(disputes));
        committee.escrowSigners(_signersOf(uint16(current - back % current), signers % 8), REASON);
    }

    // ---------------------------------------------------------------------------------------------- house

    function seat(uint256 seed) external timed {
        StewardCommittee.Seat[] memory seats = new StewardCommittee.Seat[](3);
        for (uint256 i; i < 3; ++i) {
            seats[i] = StewardCommittee.Seat(actor((seed % 5 + i) % 5), keccak256("sealing key"));
        }
        vm.prank(memberHouse);
        committee.seat(seats, 2);
    }

    function setBonds(uint64 minBond, uint64 objectionBond) external timed {
        vm.startPrank(memberHouse);
        minBond = uint64(bound(minBond, LEAST_BOND, 2 * MIN_BOND));
        committee.setObjectionBond(LEAST_BOND);
        committee.setMinBond(minBond);
        committee.setObjectionBond(uint64(bound(objectionBond, LEAST_BOND, minBond)));
        vm.stopPrank();
    }

    function openSlash(uint256 pick, uint256 amount) external timed {
        address steward = actor(pick);
        StewardBonds.Stake memory s = _stake(steward);
        amount = bound(amount, 1, 2 * MIN_BOND);
        vm.prank(memberHouse);
        try committee.openSlash(steward, amount, REASON) {}
        catch {
            assertEq(uint256(s.bond) + s.unbonding, 0, "refused without a reason");
        }
    }

    function decide(uint256 pick, uint256 verdict) external timed {
        uint256 id = bound(pick, 1, committee.slashCount() + 1);
        StewardBonds.Slash memory slash = committee.slashOf(id);
        bool allowed = slash.amount != 0;
        bytes memory call = abi.encodeCall(StewardBonds.confirmSlash, (id));
        if (verdict % 3 == 1) call = abi.encodeCall(StewardBonds.rejectSlash, (id));
        if (verdict % 3 == 2) {
            call = abi.encodeCall(StewardBonds.releaseSlash, (id));
            allowed = allowed && block.timestamp >= slash.releasesAt;
        }
        vm.prank(verdict % 3 == 2 ? stranger : memberHouse);
        (bool success,) = address(committee).call(call);
        assertEq(success, allowed, "decided once, and returned not before its time");
        if (success && verdict % 3 == 0) forfeited[slash.steward] += slash.amount;
    }

    function wait_(uint256 secs) external timed {
        vm.warp(block.timestamp + bound(secs, 1, 25 days));
    }

    // --------------------------------------------------------------------------------------- what is known

    function contracts() external view returns (address committee_, address usdc_, address reserve_) {
        return (address(committee), address(usdc), reserve);
    }

    function actors() external returns (address[] memory all) {
        all = new address[](ACTORS);
        for (uint256 i; i < ACTORS; ++i) {
            all[i] = actor(i);
        }
    }

    /// @dev A digest signed by everybody who sits, in order.
    function quorumSignatures(bytes32 digest) external returns (bytes[] memory signatures) {
        StewardCommittee.Seat[] memory seats = committee.seats();
        signatures = new bytes[](seats.length);
        for (uint256 i; i < seats.length; ++i) {
            for (uint256 k; k < ACTORS; ++k) {
                if (actor(k) == seats[i].signer) signatures[i] = _sign(_key(k), digest);
            }
        }
    }
}
