// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {GovToken} from "../../src/tokens/GovToken.sol";
import {CoopTest} from "../utils/CoopTest.sol";

/// @notice Members and payees of the cooperative who earn, lend, split, lock, delegate, leave, and who are poked by
/// anyone. Keeps its own book of what each ever earned. Every call succeeds or does nothing.
contract GovTokenHandler is CoopTest {
    uint256 private constant MEMBERS = 8;
    uint256 private constant PAYEES = 3;

    address[] public accounts;
    mapping(address account => uint256) public everEarned;
    mapping(address account => bool) public unnoticed;
    mapping(address account => uint256) private pending;
    uint256 public minted;
    uint256 private time;

    function setUp() public override {
        super.setUp();
        for (uint256 i; i < MEMBERS; ++i) {
            uint32 id = _join();
            accounts.push(membership.accountOf(id));
            // Some are seasoned at the start, others become so on the way.
            vm.warp(block.timestamp + 7 days);
        }
        for (uint256 i = 1; i <= PAYEES; ++i) {
            accounts.push(_payoutAddress(i));
        }
        time = block.timestamp;
    }

    modifier timed() {
        vm.warp(time);
        _;
    }

    function currentTime() external view returns (uint256) {
        return time;
    }

    function count() external view returns (uint256) {
        return accounts.length;
    }

    function token() external view returns (GovToken) {
        return govToken;
    }

    /// @dev By the handler's own book of when each joined and ended, not by asking what the token asks.
    function isSeasoned(address account) public view returns (bool) {
        (uint40 joinedAt, uint40 endedAt) = membership.membershipTimes(membership.memberIdOf(account));
        return joinedAt != 0 && endedAt == 0 && time >= joinedAt + 30 days;
    }

    /// @dev What a member that is not counted as seasoned has in the total: as it was when it was last looked at.
    function unseasonedUnits(address account) external view returns (uint256) {
        return pending[account];
    }

    /// @dev Looks at an account as the token just did, by the handler's own arithmetic.
    function _look(address account) private {
        (uint40 joinedAt, uint40 endedAt) = membership.membershipTimes(membership.memberIdOf(account));
        bool waits = joinedAt != 0 && endedAt == 0 && time < joinedAt + 30 days;
        GovToken.Lock[] memory locks = govToken.locksOf(account);
        uint16[5] memory squared = [12_100, 15_625, 22_500, 30_625, 40_000];
        uint256 weighted;
        for (uint256 i; i < locks.length; ++i) {
            weighted += uint256(locks[i].amount) * squared[locks[i].tier];
        }
        uint256 own = govToken.balanceOf(account) - govToken.lockedOf(account);
        uint256 earned = govToken.earnedOf(account);
        if (earned < own) own = earned;
        pending[account] = waits ? Math.sqrt((own * 10_000 + weighted) * (1e18 / 10_000)) : 0;
    }

    // ---------------------------------------------------------------------------------------- what is done

    function wait_(uint32 by) external {
        time += by % 2 == 0 ? bound(by, 1, 20 days) : bound(by, 1, 200 days);
    }

    function earn(uint256 pick, uint96 amount) external timed {
        address to = _any(pick);
        everEarned[to] += amount;
        minted += amount;
        vm.prank(address(ledger));
        govToken.mint(to, amount);
        _look(to);
    }

    /// @dev From anybody, in whole or in part, to a member: lending, splitting, giving back, passing on.
    function transfer(uint256 from, uint256 to, uint256 amount) external timed {
        (address sender, address receiver) = (_any(from), _member(to));
        if (receiver == address(0)) return;
        amount = bound(amount, 0, govToken.balanceOf(sender) - govToken.lockedOf(sender));
        vm.prank(sender);
        govToken.transfer(receiver, amount);
        _look(sender);
        _look(receiver);
    }

    function transferEverything(uint256 from, uint256 to) external timed {
        (address sender, address receiver) = (_any(from), _member(to));
        if (receiver == address(0)) return;
        uint256 amount = govToken.balanceOf(sender) - govToken.lockedOf(sender);
        vm.prank(sender);
        govToken.transfer(receiver, amount);
        _look(sender);
        _look(receiver);
    }

    function lock(uint256 pick, uint96 amount, uint8 tier) external timed {
        address account = _member(pick);
        if (account == address(0) || govToken.locksOf(account).length == govToken.MAX_LOCKS()) return;
        uint256 free = govToken.balanceOf(account) - govToken.lockedOf(account);
        uint256 earned = govToken.earnedOf(account);
        uint256 most = free < earned ? free : earned;
        if (most == 0) return;
        vm.prank(account);
        govToken.lock(uint96(bound(amount, 1, most > type(uint96).max ? type(uint96).max : most)), tier % 5);
        _look(account);
    }

    function unlock(uint256 pick, uint256 index) external timed {
        address account = _any(pick);
        GovToken.Lock[] memory locks = govToken.locksOf(account);
        if (locks.length == 0) return;
        index = index % locks.length;
        if (locks[index].unlockAt > block.timestamp) return;
        vm.prank(account);
        govToken.unlock(index);
        unnoticed[account] = false;
        _look(account);
    }

    function poke(uint256 pick) external timed {
        govToken.poke(_any(pick));
        unnoticed[_any(pick)] = false;
        _look(_any(pick));
    }

    function delegate(uint256 from, uint256 to) external timed {
        address delegatee = _member(to);
        if (!isSeasoned(delegatee)) return;
        vm.prank(_any(from));
        govToken.delegate(delegatee);
    }

    /// @dev The membership ends; whether the token hears of it at once is left to chance, as where gas runs out.
    function end(uint256 pick, bool noticed) external timed {
        uint256 id = 1 + pick % MEMBERS;
        address account = accounts[id - 1];
        if (pick % 3 != 0 || !membership.isMember(account)) return;
        bytes memory telling = abi.encodeCall(govToken.sync, (account));
        if (!noticed) vm.mockCallRevert(address(govToken), telling, "");
        _erase(uint32(id));
        vm.clearMockedCalls();
        unnoticed[account] = !noticed;
        if (noticed) _look(account);
    }

    function _any(uint256 pick) private view returns (address) {
        return accounts[pick % accounts.length];
    }

    function _member(uint256 pick) private view returns (address account) {
        account = accounts[pick % MEMBERS];
        if (!membership.isMember(account)) account = address(0);
    }
}
