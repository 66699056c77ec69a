// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ContributionRegistry} from "../../../src/contribution/ContributionRegistry.sol";
import {Pausing} from "../../../src/access/Pausing.sol";
import {CoopTest} from "../../utils/CoopTest.sol";

contract ContributionRegistryTest is CoopTest {
    ContributionRegistry.Contribution[] internal none;

    function setUp() public override {
        super.setUp();
        _joinMany(3);
        for (uint32 id = 1; id <= 3; ++id) {
            _grant(id);
        }
    }

    /// @dev Entries 0 and 1 are good; entry 2 is `bad`.
    function _expectRefusal(ContributionRegistry.Contribution memory bad, uint256 key, bytes4 reason) internal {
        (ContributionRegistry.Contribution[] memory c, bytes[] memory s) = _batch(1, 3);
        (c[2], s[2]) = (bad, _sign(key, _contributionDigest(bad)));
        vm.expectRevert(abi.encodeWithSelector(ContributionRegistry.ContributionRegistry_Refused.selector, 2, reason));
        contributions.record(c, s);
        assertEq(contributions.contributionCount(), 0, "nothing is recorded");
    }

    function test_RevertWhen_Paused() external {
        uint64 until = uint64(block.timestamp + 1 hours);
        _asPauser();
        contributions.setPausedUntil(until);
        (ContributionRegistry.Contribution[] memory c, bytes[] memory s) = _batch(1, 3);
        vm.expectRevert(abi.encodeWithSelector(Pausing.Pausing_Paused.selector, until));
        contributions.record(c, s);
        vm.warp(until);
        assertEq(contributions.record(c, s), 1);
    }

    function test_RevertWhen_LengthsDiffer() external {
        (ContributionRegistry.Contribution[] memory c,) = _batch(1, 3);
        vm.expectRevert(abi.encodeWithSelector(ContributionRegistry.ContributionRegistry_LengthMismatch.selector, 3, 2));
        contributions.record(c, new bytes[](2));
    }

    function test_RevertWhen_Expired() external {
        ContributionRegistry.Contribution memory c = _contribution(3);
        c.deadline = block.timestamp - 1;
        _expectRefusal(c, memberKeys[3], ContributionRegistry.ContributionRegistry_Expired.selector);
    }

    function test_RevertWhen_TheCommitmentIsMissing() external {
        ContributionRegistry.Contribution memory c = _contribution(3);
        c.commitment = 0;
        _expectRefusal(c, memberKeys[3], ContributionRegistry.ContributionRegistry_CommitmentMissing.selector);
    }

    function test_RevertWhen_ThereIsNoLiveConsent() external {
        ContributionRegistry.Contribution memory c = _contribution(3);
        _revoke(3);
        _expectRefusal(c, memberKeys[3], ContributionRegistry.ContributionRegistry_NotConsented.selector);
        _grant(3);
        _erase(3);
        _expectRefusal(c, memberKeys[3], ContributionRegistry.ContributionRegistry_NotConsented.selector);
        c.memberId = 99;
        _expectRefusal(c, memberKeys[3], ContributionRegistry.ContributionRegistry_NotConsented.selector);
    }

    function test_RevertWhen_TheConsentIsStale() external {
        ContributionRegistry.Contribution memory c = _contribution(3);
        _grant(3);
        _expectRefusal(c, memberKeys[3], ContributionRegistry.ContributionRegistry_StaleConsent.selector);
    }

    function test_RevertWhen_TheNonceIsWrong() external {
        ContributionRegistry.Contribution memory c = _contribution(3);
        c.nonce = 1;
        _expectRefusal(c, memberKeys[3], ContributionRegistry.ContributionRegistry_BadNonce.selector);
    }

    function test_RevertWhen_TheSignatureIsWrong() external {
        _expectRefusal(_contribution(3), memberKeys[2], ContributionRegistry.ContributionRegistry_BadSignature.selector);
        (ContributionRegistry.Contribution[] memory c, bytes[] memory s) = _batch(1, 1);
        s[0] = _malleated(memberKeys[1], _contributionDigest(c[0]));
        bytes memory refused = abi.encodeWithSelector(
            ContributionRegistry.ContributionRegistry_Refused.selector,
            0,
            ContributionRegistry.ContributionRegistry_BadSignature.selector
        );
        vm.expectRevert(refused);
        contributions.record(c, s);
        (c, s) = _batch(1, 1);
        vm.chainId(1);
        vm.expectRevert(refused);
        contributions.record(c, s);
    }

    function testFuzz_RevertWhen_ASignedWordChanges(uint256 word, uint256 flip) external {
        (ContributionRegistry.Contribution[] memory c, bytes[] memory s) = _batch(1, 1);
        ContributionRegistry.Contribution memory one = c[0];
        word = bound(word, 0, 4);
        flip = 1 << bound(flip, 0, word == 0 || word == 2 ? 31 : 255);
        assembly {
            let at := add(one, shl(5, word))
            mstore(at, xor(mload(at), flip))
        }
        vm.expectPartialRevert(ContributionRegistry.ContributionRegistry_Refused.selector);
        contributions.record(c, s);
    }

    function testFuzz_TheCooldown(uint32 wait) external {
        (ContributionRegistry.Contribution[] memory c, bytes[] memory s) = _batch(1, 1);
        contributions.record(c, s);
        vm.expectRevert(
            abi.encodeWithSelector(
                ContributionRegistry.ContributionRegistry_Refused.selector,
                0,
                ContributionRegistry.ContributionRegistry_BadNonce.selector
            )
        );
        contributions.record(c, s); // replayed
        vm.warp(block.timestamp + bound(wait, 0, 14 days));
        (c, s) = _batch(1, 1);
        bool cooling = block.timestamp < uint256(contributions.lastContributionAt(1)) + COOLDOWN;
        if (cooling) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    ContributionRegistry.ContributionRegistry_Refused.selector,
                    0,
                    ContributionRegistry.ContributionRegistry_CoolingDown.selector
                )
            );
        }
        contributions.record(c, s);
        assertEq(contributions.countOf(1), cooling ? 1 : 2);
        assertEq(contributions.nonceOf(1), contributions.countOf(1));
    }

    function test_RevertWhen_AMemberOccursTwiceInABatch() external {
        (ContributionRegistry.Contribution[] memory c, bytes[] memory s) = _batch(1, 2);
        c[1] = c[0];
        c[1].nonce = 1;
        s[1] = _sign(memberKeys[1], _contributionDigest(c[1]));
        (c[0], s[0]) = (_contribution(1), _sign(memberKeys[1], _contributionDigest(_contribution(1))));
        c[1].nonce = 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                ContributionRegistry.ContributionRegistry_Refused.selector,
                1,
                ContributionRegistry.ContributionRegistry_CoolingDown.selector
            )
        );
        contributions.record(c, s);
    }

    function test_WhenAllIsWell() external {
        (ContributionRegistry.Contribution[] memory c, bytes[] memory s) = _batch(1, 3);
        for (uint32 i; i < 3; ++i) {
            vm.expectEmit(address(contributions));
            emit ContributionRegistry.ContributionRecorded(i + 1, i + 1, c[i].commitment, 1);
        }
        vm.prank(stranger);
        assertEq(contributions.record(c, s), 1);
        assertEq(contributions.contributionCount(), 3);
        vm.warp(block.timestamp + COOLDOWN);
        (c, s) = _batch(2, 2);
        assertEq(contributions.record(c, s), 4);
        assertEq(contributions.lastContributionAt(3), block.timestamp);
        assertEq(contributions.record(none, new bytes[](0)), 6, "an empty batch records nothing");
        assertEq(contributions.contributionCount(), 5);
    }

    function test_RevertWhen_TheCallerMayNotSetTheCooldown() external {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        contributions.setCooldown(1 days);
    }

    function test_RevertWhen_TheCooldownIsShorterThanADay() external {
        _asTokenHouse();
        vm.expectRevert(
            abi.encodeWithSelector(
                ContributionRegistry.ContributionRegistry_CooldownTooShort.selector, 1 days - 1, 1 days
            )
        );
        contributions.setCooldown(1 days - 1);
    }

    function test_WhenTheCooldownIsSet() external {
        (ContributionRegistry.Contribution[] memory c, bytes[] memory s) = _batch(1, 1);
        contributions.record(c, s);
        _asTokenHouse();
        contributions.setCooldown(1 days);
        assertEq(contributions.cooldown(), 1 days);
        vm.warp(block.timestamp + 1 days);
        (c, s) = _batch(1, 1);
        contributions.record(c, s);
    }
}
