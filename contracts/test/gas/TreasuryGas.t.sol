// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {VestingWallet} from "@openzeppelin/contracts/finance/VestingWallet.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {Buyback} from "../../src/treasury/Buyback.sol";
import {ITreasury} from "../../src/treasury/ITreasury.sol";
import {Vesting} from "../../src/treasury/Vesting.sol";
import {BucketTreasury} from "../utils/BucketTreasury.sol";
import {MerkleClaim} from "../utils/MerkleClaim.sol";
import {MoneyTest} from "../utils/MoneyTest.sol";

/// @notice What vesting and buyback cost, beside OpenZeppelin's VestingWallet and a claim made of its MerkleProof, each
/// call a transaction of its own (profile `gas`). All release the same DATA, which lives behind a proxy.
contract TreasuryGasTest is MoneyTest {
    uint96 internal constant AMOUNT = 1_460e18;
    uint32 internal constant DURATION = 4 * 365 days;
    uint256 internal constant DEPTH = 20;

    address internal team = makeAddr("team");

    function _snap(string memory name) private {
        vm.snapshotGasLastCall("treasury", name);
    }

    function _schedule() private view returns (Vesting.Schedule memory) {
        return Vesting.Schedule(team, AMOUNT, uint40(block.timestamp), 0, DURATION, true);
    }

    function _vesting() private returns (Vesting vesting) {
        address code = address(new Vesting());
        address at = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        _mintData(at, 10 * uint256(AMOUNT));
        bytes memory init =
            abi.encodeCall(Vesting.initialize, (address(manager), address(data), stranger, new Vesting.Schedule[](0)));
        vesting = Vesting(_proxy(code, init));
    }

    function test_Vesting() external {
        Vesting vesting = _vesting();
        Vesting.Schedule memory s = _schedule();
        vm.prank(founder);
        vesting.create(s);
        vm.prank(founder);
        vesting.create(s);
        _snap("vesting create");
        vm.warp(block.timestamp + DURATION / 4);
        vesting.release(1);
        _snap("vesting release, first");
        vm.warp(block.timestamp + DURATION / 4);
        vesting.release(1);
        _snap("vesting release, later");
        vm.prank(founder);
        vesting.revoke(1);
        _snap("vesting revoke");
    }

    function test_VestingWallet() external {
        _mintData(founder, 10 * uint256(AMOUNT));
        vm.startSnapshotGas("treasury", "OZ VestingWallet deploy");
        VestingWallet wallet = new VestingWallet(team, uint64(block.timestamp), DURATION);
        vm.stopSnapshotGas();
        vm.prank(founder);
        data.transfer(address(wallet), AMOUNT);
        _snap("OZ VestingWallet fund");
        vm.warp(block.timestamp + DURATION / 4);
        wallet.release(address(data));
        _snap("OZ VestingWallet release, first");
        vm.warp(block.timestamp + DURATION / 4);
        wallet.release(address(data));
        _snap("OZ VestingWallet release, later");
    }

    /// @dev A proof of full depth; every sibling is there, as in a tree of a million.
    function _proof(bytes32 leaf, uint256 seed) private pure returns (bytes32 root, bytes32[] memory proof) {
        proof = new bytes32[](DEPTH);
        root = leaf;
        for (uint256 i; i < DEPTH; ++i) {
            proof[i] = keccak256(abi.encode("sibling", seed, i));
            root = Hashes.commutativeKeccak256(root, proof[i]);
        }
    }

    function test_MerkleClaim() external {
        MerkleClaim drop = new MerkleClaim(usdc, 0);
        usdc.mint(address(drop), 100e6);
        (bytes32 root, bytes32[] memory proof) = _proof(drop.leafOf(team, 7e6), 1);
        drop.setRoot(root);
        drop.claim(team, 7e6, proof);
        _snap("OZ MerkleProof claim of one token, first");
        (root, proof) = _proof(drop.leafOf(team, 14e6), 2);
        drop.setRoot(root);
        drop.claim(team, 14e6, proof);
        _snap("OZ MerkleProof claim of one token, later");
    }

    function test_Buyback() external {
        BucketTreasury treasury = new BucketTreasury(usdc);
        Buyback.Terms memory terms = Buyback.Terms(1e6, 50e18, 10e18, 7 days);
        bytes memory init =
            abi.encodeCall(Buyback.initialize, (address(manager), address(treasury), address(data), terms));
        Buyback desk = Buyback(_proxy(address(new Buyback()), init));
        treasury.fill(ITreasury.Bucket.Buyback, 3e6);
        _mintData(team, 1_000e18);
        usdc.mint(team, 1);
        vm.prank(team);
        data.approve(address(desk), type(uint256).max);
        desk.offer();
        _snap("buyback offer");
        vm.warp(block.timestamp + 1 days);
        Buyback.Permit memory none;
        vm.prank(team);
        desk.sell(50e18, none);
        _snap("buyback sell after approve");
    }
}
