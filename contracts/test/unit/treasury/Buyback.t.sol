// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Governed} from "../../../src/access/Governed.sol";
import {Pausing} from "../../../src/access/Pausing.sol";
import {Buyback} from "../../../src/treasury/Buyback.sol";
import {ITreasury} from "../../../src/treasury/ITreasury.sol";
import {BucketTreasury} from "../../utils/BucketTreasury.sol";
import {MoneyTest} from "../../utils/MoneyTest.sol";

contract BuybackTest is MoneyTest {
    uint96 internal constant LOT = 1_000e6;
    uint128 internal constant START = 50_000e18;
    uint128 internal constant FLOOR = 10_000e18;
    uint32 internal constant DURATION = 7 days;

    BucketTreasury internal treasury;
    Buyback internal desk;
    address internal seller;
    uint256 internal sellerKey;

    function setUp() public override {
        super.setUp();
        (seller, sellerKey) = makeAddrAndKey("seller");
        treasury = new BucketTreasury(usdc);
        desk = Buyback(_proxy(address(new Buyback()), _init(address(treasury), address(data), _terms())));
        _mintData(seller, 1_000_000e18);
        vm.prank(seller);
        data.approve(address(desk), type(uint256).max);
    }

    function _init(address treasury_, address data_, Buyback.Terms memory terms) private view returns (bytes memory) {
        return abi.encodeCall(Buyback.initialize, (address(manager), treasury_, data_, terms));
    }

    function _terms() private pure returns (Buyback.Terms memory) {
        return Buyback.Terms(LOT, START, FLOOR, DURATION);
    }

    function _fill(uint256 lots) private {
        treasury.fill(ITreasury.Bucket.Buyback, lots * LOT);
    }

    function _offered(uint256 lots) private {
        _fill(lots);
        desk.offer();
    }

    /// @dev Without a permit worth anything: the allowance decides.
    function _sell(uint256 maxData) private returns (uint256) {
        Buyback.Permit memory none;
        vm.prank(seller);
        return desk.sell(maxData, none);
    }

    function _pauseUntil(uint256 until) private {
        vm.prank(founder);
        desk.setPausedUntil(uint64(until));
    }

    // -------------------------------------------------------------------------------- initialize, setTerms

    function test_RevertWhen_AContractIsMissing() external {
        address code = address(new Buyback());
        bytes memory init = _init(address(0), address(data), _terms());
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "treasury"));
        _proxy(code, init);
        init = _init(address(treasury), address(0), _terms());
        vm.expectRevert(abi.encodeWithSelector(Governed.Governed_ZeroAddress.selector, "dataToken"));
        _proxy(code, init);
    }

    function test_StorageLiesWhereErc7201Says() external view {
        _assertStorage(address(desk), "Buyback");
    }

    function test_RevertWhen_InitializedAgain() external {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        desk.initialize(address(manager), address(treasury), address(data), _terms());
    }

    function test_RevertWhen_TheCallerIsNotAuthorized() external {
        vm.startPrank(stranger);
        _expectUnauthorized(stranger);
        desk.setTerms(_terms());
        _expectUnauthorized(stranger);
        desk.setPausedUntil(1);
    }

    function test_RevertWhen_TheTermsAreBad() external {
        Buyback.Terms[3] memory bad = [
            Buyback.Terms(LOT, START, 0, DURATION),
            Buyback.Terms(LOT, FLOOR - 1, FLOOR, DURATION),
            Buyback.Terms(LOT, START, FLOOR, 0)
        ];
        vm.startPrank(founder);
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(Buyback.Buyback_BadTerms.selector);
            desk.setTerms(bad[i]);
        }
    }

    function test_WhenTheLotIsZero() external {
        _fill(1);
        vm.expectEmit(address(desk));
        emit Buyback.TermsSet(0, 0, 0, 0);
        vm.prank(founder);
        desk.setTerms(Buyback.Terms(0, 0, 0, 0));
        vm.expectRevert(abi.encodeWithSelector(Buyback.Buyback_LotNotCovered.selector, 0, LOT));
        desk.offer();
    }

    function test_WhenTermsChangeUnderAnOffer() external {
        _offered(1);
        vm.prank(founder);
        desk.setTerms(Buyback.Terms(2 * LOT, START, START, 1));
        assertEq(desk.offeredAt(), 0);
        assertEq(desk.terms().lot, 2 * LOT);
        vm.expectRevert(Buyback.Buyback_NotOnOffer.selector);
        _sell(START);
        vm.expectRevert(abi.encodeWithSelector(Buyback.Buyback_LotNotCovered.selector, 2 * LOT, LOT));
        desk.offer();
    }

    // ----------------------------------------------------------------------------------------------- offer

    function test_RevertWhen_Paused() external {
        _offered(2);
        uint64 until = uint64(block.timestamp + 1 days);
        _pauseUntil(until);
        bytes memory paused = abi.encodeWithSelector(Pausing.Pausing_Paused.selector, until);
        vm.expectRevert(paused);
        _sell(START);
        vm.expectRevert(paused);
        desk.offer();
        vm.warp(until);
        assertEq(_sell(START), START);
    }

    function test_RevertWhen_OnOffer() external {
        _offered(2);
        vm.expectRevert(abi.encodeWithSelector(Buyback.Buyback_OnOffer.selector, block.timestamp));
        desk.offer();
    }

    function test_RevertWhen_TheBucketDoesNotCoverALot() external {
        treasury.fill(ITreasury.Bucket.Buyback, LOT - 1);
        treasury.fill(ITreasury.Bucket.Reserve, LOT);
        vm.expectRevert(abi.encodeWithSelector(Buyback.Buyback_LotNotCovered.selector, LOT, LOT - 1));
        desk.offer();
    }

    function test_WhenOffered() external {
        _fill(1);
        vm.expectEmit(address(desk));
        emit Buyback.Offered(LOT);
        vm.prank(stranger);
        desk.offer();
        assertEq(desk.offeredAt(), block.timestamp);
        assertEq(desk.asked(), START);
    }

    // ------------------------------------------------------------------------------------------------ sell

    function test_RevertWhen_NotOnOffer() external {
        _fill(1);
        vm.expectRevert(Buyback.Buyback_NotOnOffer.selector);
        _sell(START);
    }

    function test_RevertWhen_ItAsksMore() external {
        _offered(1);
        vm.expectRevert(abi.encodeWithSelector(Buyback.Buyback_AsksMore.selector, START, START - 1));
        _sell(START - 1);
    }

    function test_RevertWhen_NothingIsAllowed() external {
        _offered(1);
        vm.prank(seller);
        data.approve(address(desk), 0);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(desk), 0, START)
        );
        _sell(START);
    }

    function _permit(uint256 value) private view returns (Buyback.Permit memory p) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("DataToken"),
                keccak256("1"),
                block.chainid,
                address(data)
            )
        );
        bytes32 hash = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash =
            keccak256(abi.encode(hash, seller, address(desk), value, data.nonces(seller), block.timestamp));
        p.deadline = block.timestamp;
        (p.v, p.r, p.s) = vm.sign(sellerKey, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
    }

    function test_WhenThePermitWasSentBefore() external {
        _offered(1);
        vm.prank(seller);
        data.approve(address(desk), 0);
        Buyback.Permit memory p = _permit(START);
        data.permit(seller, address(desk), START, p.deadline, p.v, p.r, p.s);
        vm.prank(seller);
        desk.sell(START, p);
        assertEq(usdc.balanceOf(seller), LOT);
    }

    function test_WhenThePermitIsFresh() external {
        _offered(1);
        vm.prank(seller);
        data.approve(address(desk), 0);
        Buyback.Permit memory p = _permit(START + 7);
        vm.prank(seller);
        desk.sell(START + 7, p);
        assertEq(usdc.balanceOf(seller), LOT);
        assertEq(data.allowance(seller, address(desk)), 7, "only what was asked is used");
    }

    function test_WhenTheBucketCoversAnother() external {
        _offered(2);
        vm.warp(block.timestamp + DURATION);
        assertEq(_sell(START), FLOOR);
        assertEq(desk.offeredAt(), block.timestamp);
        assertEq(_sell(START), START, "the next lot descends from the start");
        assertEq(desk.offeredAt(), 0);
        assertEq(usdc.balanceOf(seller), 2 * LOT);
    }

    function test_WhenAll() external {
        _offered(1);
        vm.warp(block.timestamp + DURATION / 4);
        uint256 supply = data.totalSupply();
        vm.expectEmit(address(desk));
        emit Buyback.Sold(seller, 40_000e18, LOT);
        assertEq(_sell(START), 40_000e18);
        assertEq(data.totalSupply(), supply - 40_000e18, "burned");
        assertEq(usdc.balanceOf(seller), LOT);
        assertEq(treasury.available(ITreasury.Bucket.Buyback), 0);
        assertEq(desk.offeredAt(), 0);
    }

    // ----------------------------------------------------------------------------------------------- asked

    function test_WhenAPauseEnds() external {
        _offered(1);
        vm.warp(block.timestamp + DURATION);
        assertEq(desk.asked(), FLOOR);
        _pauseUntil(block.timestamp + 2 days);
        assertEq(desk.asked(), START, "the descent waits");
        vm.warp(block.timestamp + 3 days);
        assertEq(desk.asked(), START - (START - FLOOR) / 7);
        _pauseUntil(block.timestamp + 2 days);
        vm.warp(block.timestamp + 1 days);
        _pauseUntil(0);
        assertEq(desk.offeredAt(), block.timestamp, "ended early");
        assertEq(_sell(START), START);
        _pauseUntil(block.timestamp + 1);
        assertEq(desk.offeredAt(), 0, "a pause offers nothing");
    }

    function testFuzz_TheLine(uint128 start, uint128 floor, uint32 duration, uint40 a, uint40 b) external {
        start = uint128(bound(start, 1, type(uint128).max));
        floor = uint128(bound(floor, 1, start));
        duration = uint32(bound(duration, 1, type(uint32).max));
        vm.prank(founder);
        desk.setTerms(Buyback.Terms(LOT, start, floor, duration));
        _offered(1);
        uint256 since = block.timestamp;
        uint256 early = bound(a, 0, 2 * uint256(duration));
        uint256 late = bound(b, early, 2 * uint256(duration));
        vm.warp(since + early);
        uint256 first = desk.asked();
        vm.warp(since + late);
        uint256 second = desk.asked();
        assertLe(second, first, "never rises");
        assertLe(first, start);
        assertGe(second, floor);
        if (late >= duration) assertEq(second, floor);
        // Never below the line, and less than one wei above it.
        if (early < duration) {
            uint256 exact = uint256(start) * duration - uint256(start - floor) * early;
            assertGe(first * duration, exact);
            assertLt(first * duration - exact, duration);
        }
    }
}
