// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {DataToken} from "../../src/tokens/DataToken.sol";
import {Buyback} from "../../src/treasury/Buyback.sol";
import {ITreasury} from "../../src/treasury/ITreasury.sol";
import {OperatorPay} from "../../src/treasury/OperatorPay.sol";
import {Payment, PaymentLib} from "../../src/treasury/Payment.sol";
import {Treasury} from "../../src/treasury/Treasury.sol";
import {Vesting} from "../../src/treasury/Vesting.sol";
import {MoneyTest} from "../utils/MoneyTest.sol";

/// @notice Sales, donations, claims, wages, lots, grants and schedules in any order. This contract is the settlement and
/// the committee itself; the money's contracts are the real ones. Keeps its own books of what must be so.
contract TreasuryHandler is MoneyTest {
    uint96 internal constant LOT = 50e6;
    uint128 internal constant START = 500e18;
    uint128 public constant FLOOR = 100e18;
    uint256 internal constant GENESIS = 1_000_000e18;

    Treasury public treasury;
    OperatorPay public operatorPay;
    Buyback public buyback;
    Vesting public vesting;

    uint256 public sold;
    uint256 public donated;
    uint256 public sent;
    uint256 public claimed;
    uint256 public granted;
    uint256 public metered;
    uint256 public lots;
    uint256 public burned;
    uint256 public minted;
    uint256 public attacks;

    address[3] private sellers = [makeAddr("market"), makeAddr("auction house"), makeAddr("compute desk")];
    address[3] private operators = [makeAddr("steward 1"), makeAddr("steward 2"), makeAddr("worker")];
    address private grantee = makeAddr("grantee");
    address private seller = makeAddr("seller");
    uint32 private epoch;
    uint256 private receipts;
    uint256 private time;

    modifier timed() {
        if (time < block.timestamp) time = block.timestamp;
        vm.warp(time);
        _;
        time = block.timestamp;
    }

    function setUp() public override {
        super.setUp();
        ledger = address(this);
        (address o, address b, address v) = (address(new OperatorPay()), address(new Buyback()), address(new Vesting()));
        (address d, address t) = (address(new DataToken()), address(new Treasury()));
        uint64 nonce = vm.getNonce(address(this));
        vesting = Vesting(vm.computeCreateAddress(address(this), nonce + 4));
        operatorPay = OperatorPay(vm.computeCreateAddress(address(this), nonce + 2));
        buyback = Buyback(vm.computeCreateAddress(address(this), nonce + 3));
        data = DataToken(_proxy(d, abi.encodeCall(DataToken.initialize, (address(manager), ledger, _genesis()))));
        treasury = Treasury(_proxy(t, abi.encodeCall(Treasury.initialize, (_deployment()))));
        address at = address(treasury);
        for (uint256 i; i < 3; ++i) {
            _letSell(at, sellers[i]);
        }
        OperatorPay.Rates memory rates = OperatorPay.Rates(3e6, 1e6);
        _proxy(o, abi.encodeCall(OperatorPay.initialize, (address(manager), at, ledger, ledger, rates)));
        Buyback.Terms memory terms = Buyback.Terms(LOT, START, FLOOR, 7 days);
        _proxy(b, abi.encodeCall(Buyback.initialize, (address(manager), at, address(data), terms)));
        Vesting.Schedule[] memory team = new Vesting.Schedule[](1);
        team[0] = Vesting.Schedule(grantee, 400_000e18, uint40(block.timestamp), 30 days, 365 days, true);
        _proxy(v, abi.encodeCall(Vesting.initialize, (address(manager), address(data), at, team)));
        minted = GENESIS + 100e18;
        vm.prank(seller);
        data.approve(address(buyback), type(uint256).max);
    }

    function _genesis() private view returns (DataToken.Genesis[] memory genesis) {
        genesis = new DataToken.Genesis[](2);
        genesis[0] = DataToken.Genesis(address(vesting), uint128(GENESIS));
        genesis[1] = DataToken.Genesis(seller, 100e18);
    }

    function _deployment() private view returns (Treasury.Deployment memory) {
        return Treasury.Deployment({
            authority: address(manager),
            usdc: address(usdc),
            ledger: ledger,
            operatorPay: address(operatorPay),
            buyback: address(buyback),
            split: Treasury.Split(2_000, 1_500, 500, 500),
            minContributorsBps: 5_000
        });
    }

    // --------------------------------------------------------------- the settlement and the committee, as read

    function finalSigners() external view returns (uint32, uint256) {
        return (epoch, 3);
    }

    function signersOf(uint256) external view returns (address[] memory signers) {
        signers = new address[](2);
        (signers[0], signers[1]) = (operators[0], operators[1]);
    }

    function receiptsOf(address worker) external view returns (uint256) {
        return worker == operators[2] ? receipts : 0;
    }

    // ------------------------------------------------------------------------------------------ what comes in

    function sell(uint256 pick, uint256 amount) external timed {
        amount = bound(amount, 1, 1_000e6);
        usdc.mint(address(treasury), amount);
        vm.prank(sellers[pick % 3]);
        treasury.book(1, 1, amount);
        sold += amount;
    }

    function donate(uint256 amount) external timed {
        amount = bound(amount, 0, 100e6);
        usdc.mint(stranger, amount);
        vm.startPrank(stranger);
        usdc.approve(address(treasury), amount);
        treasury.donate(amount);
        vm.stopPrank();
        donated += amount;
    }

    function send(uint256 amount) external timed {
        amount = bound(amount, 0, 100e6);
        usdc.mint(address(treasury), amount);
        sent += amount;
    }

    function wait_(uint256 secs) external timed {
        vm.warp(block.timestamp + bound(secs, 1, 10 days));
    }

    // ----------------------------------------------------------------------------------------- what goes out

    function claim(uint256 amount) external timed {
        amount = bound(amount, 0, treasury.contributorsBooked() - claimed);
        treasury.pay(grantee, amount);
        claimed += amount;
    }

    /// @dev Two payees, of which USDC refuses the first.
    function claimMany(uint256 amount) external timed {
        amount = bound(amount, 0, treasury.contributorsBooked() - claimed);
        address refused = makeAddr("refused");
        Payment[] memory payments = new Payment[](2);
        payments[0] = PaymentLib.pack(refused, amount / 2);
        payments[1] = PaymentLib.pack(grantee, amount - amount / 2);
        vm.mockCallRevert(address(usdc), abi.encodeWithSelector(IERC20.transfer.selector, refused), "refused");
        uint256[] memory places = treasury.payMany(payments);
        vm.clearMockedCalls();
        assertEq(places.length, amount / 2 == 0 ? 0 : 1);
        claimed += amount - amount / 2;
    }

    function grant(uint256 pick, uint256 amount) external timed {
        ITreasury.Bucket bucket = ITreasury.Bucket(2 + pick % 3);
        amount = bound(amount, 0, treasury.available(bucket));
        vm.prank(founder);
        treasury.spend(bucket, grantee, amount, "grant");
        granted += amount;
    }

    function work(uint256 more) external timed {
        ++epoch;
        operatorPay.meter();
        more = bound(more, 1, 20);
        receipts += more;
        operatorPay.meterWorker(operators[2]);
        metered += 2 * 3e6 + more * 1e6;
    }

    function collect(uint256 pick) external timed {
        address operator = operators[pick % 3];
        uint256 owed = operatorPay.owedTo(operator);
        uint256 left = treasury.available(ITreasury.Bucket.Operations);
        uint256 before = usdc.balanceOf(operator);
        try operatorPay.collect(operator) {
            assertEq(usdc.balanceOf(operator) - before, owed < left ? owed : left);
        } catch {
            assertEq(owed == 0 || left == 0, true, "refused without a reason");
        }
    }

    function offer() external timed {
        bool may = buyback.offeredAt() == 0 && treasury.available(ITreasury.Bucket.Buyback) >= LOT;
        try buyback.offer() {
            assertTrue(may);
        } catch {
            assertFalse(may);
        }
    }

    function sellData() external timed {
        if (buyback.offeredAt() == 0) return;
        uint256 asked = buyback.asked();
        if (data.balanceOf(seller) < asked) {
            data.mint(seller, asked);
            minted += asked;
        }
        Buyback.Permit memory none;
        vm.prank(seller);
        buyback.sell(asked, none);
        ++lots;
        burned += asked;
    }

    // ---------------------------------------------------------------------------------------------- vesting

    function vest(uint96 amount, uint32 cliff, uint32 duration, bool revocable) external timed {
        amount = uint96(bound(amount, 0, vesting.free() / 4));
        if (amount == 0) return;
        duration = uint32(bound(duration, 1, 365 days));
        cliff = uint32(bound(cliff, 0, duration));
        vm.prank(founder);
        vesting.create(Vesting.Schedule(grantee, amount, uint40(block.timestamp), cliff, duration, revocable));
    }

    function release(uint256 pick) external timed {
        uint256 id = 1 + pick % vesting.count();
        if (vesting.releasable(id) != 0) vesting.release(id);
    }

    function revoke(uint256 pick) external timed {
        uint256 id = 1 + pick % vesting.count();
        (Vesting.Schedule memory s,) = vesting.scheduleOf(id);
        if (!s.revocable || pick % 3 != 0) return;
        vm.prank(founder);
        vesting.revoke(id);
    }

    /// @dev What came back is granted again: the token house moves it out, approves and funds.
    function fund(uint256 amount) external timed {
        amount = bound(amount, 0, data.balanceOf(address(treasury)));
        vm.startPrank(founder);
        treasury.spendToken(address(data), founder, amount);
        data.approve(address(vesting), amount);
        vesting.fund(uint96(amount));
        vm.stopPrank();
    }

    // ---------------------------------------------------------------------------------------- the forbidden

    function split(uint16[4] memory parts) external timed {
        vm.prank(founder);
        try treasury.setSplit(parts[0] % 10_001, parts[1] % 10_001, parts[2] % 2_000, parts[3] % 2_000) {} catch {}
    }

    /// @dev Whoever has no business here, and the house beyond its buckets.
    function attack(uint256 pick, uint256 amount) external timed {
        ++attacks;
        amount = bound(amount, 1, type(uint64).max);
        ITreasury.Bucket bucket = ITreasury.Bucket(pick % 5);
        vm.startPrank(stranger);
        _mustFail(address(treasury), abi.encodeCall(Treasury.book, (1, 1, amount)));
        _mustFail(address(treasury), abi.encodeCall(Treasury.pay, (stranger, amount)));
        _mustFail(address(treasury), abi.encodeCall(Treasury.payOperator, (stranger, amount)));
        _mustFail(address(treasury), abi.encodeCall(Treasury.takeLot, (stranger, amount)));
        _mustFail(address(treasury), abi.encodeCall(Treasury.spend, (bucket, stranger, amount, "")));
        vm.stopPrank();
        vm.startPrank(founder);
        if (bucket >= ITreasury.Bucket.Operations) amount += treasury.available(bucket);
        _mustFail(address(treasury), abi.encodeCall(Treasury.spend, (bucket, founder, amount, "")));
        _mustFail(address(treasury), abi.encodeCall(Treasury.spendToken, (address(usdc), founder, 1)));
        vm.stopPrank();
    }

    function _mustFail(address target, bytes memory call) private {
        (bool ok,) = target.call(call);
        assertFalse(ok, "the forbidden succeeded");
    }

    // ---------------------------------------------------------------------------------------- what is known

    function tokens() external view returns (address usdc_, address data_) {
        return (address(usdc), address(data));
    }

    /// @dev What operators were paid and are owed.
    function operatorsTotal() external view returns (uint256 paid, uint256 owed) {
        for (uint256 i; i < 3; ++i) {
            paid += usdc.balanceOf(operators[i]);
            owed += operatorPay.owedTo(operators[i]);
        }
    }

    function sellerGot() external view returns (uint256) {
        return usdc.balanceOf(seller);
    }

    function granteeGot() external view returns (uint256) {
        return usdc.balanceOf(grantee);
    }

    function lotPrice() external pure returns (uint256) {
        return LOT;
    }
}
