// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ConsentRegistry} from "../../src/consent/ConsentRegistry.sol";
import {ContributionRegistry} from "../../src/contribution/ContributionRegistry.sol";
import {MemberAccount} from "../../src/membership/MemberAccount.sol";
import {Membership} from "../../src/membership/Membership.sol";
import {PasskeyTest} from "../utils/PasskeyTest.sol";

/// @notice What passkey accounts and leaving cost, each call a transaction of its own (profile `gas`). Measured on osaka,
/// which has the P-256 precompile, where a name does not say otherwise: "in Solidity" = cancun, where OpenZeppelin's
/// fallback checks the signature.
contract AccountGasTest is PasskeyTest {
    uint32 internal constant MEMBERS = 100;

    function _snap(string memory group, string memory name) private {
        vm.snapshotGasLastCall(group, name);
    }

    function _passkey(uint256 i) private pure returns (uint256) {
        return uint256(keccak256(abi.encode("passkey", i)));
    }

    /// forge-config: gas.evm_version = "osaka"
    function test_Create() external {
        (bytes32 qx, bytes32 qy) = _public(PASSKEY);
        MemberAccount.Recovery memory none = _noRecovery();
        accounts.create(qx, qy, none);
        _snap("account", "create, no guardians");
        MemberAccount.Recovery memory three = _recovery();
        accounts.create(qx, qy, three);
        _snap("account", "create, three guardians");
    }

    function _executeMeasured(string memory first, string memory later) private {
        MemberAccount account = _createAccount(PASSKEY);
        usdc.mint(address(account), 100);
        usdc.mint(stranger, 1);
        bytes memory calls = _call(address(usdc), abi.encodeCall(usdc.transfer, (stranger, 5)));
        for (uint256 nonce; nonce < 2; ++nonce) {
            bytes memory signature =
                _passkeySign(PASSKEY, _executeDigest(account, calls, nonce, block.timestamp + 1 hours));
            account.executeSigned(BATCH, calls, nonce, block.timestamp + 1 hours, signature);
            _snap("account", nonce == 0 ? first : later);
        }
    }

    /// forge-config: gas.evm_version = "osaka"
    function test_ExecuteSigned() external {
        _executeMeasured("executeSigned, a USDC transfer, first", "executeSigned, a USDC transfer, later");
    }

    function test_ExecuteSignedInSolidity() external {
        _executeMeasured(
            "executeSigned, a USDC transfer, first, in Solidity", "executeSigned, a USDC transfer, later, in Solidity"
        );
    }

    /// forge-config: gas.evm_version = "osaka"
    function test_Recover() external {
        MemberAccount account = _createAccount(PASSKEY);
        for (uint256 i; i < 2; ++i) {
            MemberAccount.Approval memory a = _approval(account, i, NEW_PASSKEY);
            MemberAccount.Recovery memory r = _recovery();
            bytes memory signature = _sign(guardianKeys[i], _approvalDigest(account, a));
            account.approveRecovery(a, r, signature);
            _snap("account", i == 0 ? "approveRecovery, first guardian" : "approveRecovery, starts the delay");
        }
        vm.warp(block.timestamp + DELAY);
        account.executeRecovery();
        _snap("account", "executeRecovery");
    }

    // ----------------------------------------------------------------------------------------- contributions

    function _signedBatch(uint32 members)
        private
        view
        returns (ContributionRegistry.Contribution[] memory c, bytes[] memory signatures)
    {
        c = new ContributionRegistry.Contribution[](members);
        signatures = new bytes[](members);
        for (uint32 i; i < members; ++i) {
            c[i] = _contribution(i + 1);
            MemberAccount account = MemberAccount(payable(membership.accountOf(i + 1)));
            signatures[i] = _messageSign(account, _passkey(i + 1), _contributionDigest(c[i]));
        }
    }

    function _recordMeasured(uint32 members, string memory name) private {
        for (uint256 i = 1; i <= members; ++i) {
            MemberAccount account = _createAccount(_passkey(i));
            uint32 id = _joinWith(account);
            ConsentRegistry.ConsentGrant memory g =
                ConsentRegistry.ConsentGrant(id, 1, keccak256("receipt"), 0, 0, block.timestamp + 1);
            consents.grant(g, _messageSign(account, _passkey(i), _grantDigest(g)));
        }
        (ContributionRegistry.Contribution[] memory c, bytes[] memory signatures) = _signedBatch(members);
        contributions.record(c, signatures);
        vm.warp(block.timestamp + COOLDOWN);
        (c, signatures) = _signedBatch(members);
        contributions.record(c, signatures);
        _snap("account", name);
    }

    /// forge-config: gas.evm_version = "osaka"
    function test_Record() external {
        _recordMeasured(MEMBERS, "record 100 by passkey, later");
    }

    function test_RecordInSolidity() external {
        _recordMeasured(10, "record 10 by passkey, later, in Solidity");
    }

    // ------------------------------------------------------------------------------------------------ ending

    function test_Ending() external {
        _joinMany(2);
        Membership.Leave memory first = _leaveOf(1);
        membership.leave(first, _sign(memberKeys[1], _leaveDigest(first)));
        Membership.Payout memory p = _payoutOf(2, stranger);
        bytes memory signature = _sign(memberKeys[2], _payoutDigest(p));
        membership.setPayout(p, signature);
        _snap("membership", "setPayout");
        Membership.Leave memory l = _leaveOf(2);
        signature = _sign(memberKeys[2], _leaveDigest(l));
        vm.warp(block.timestamp + 12);
        membership.leave(l, signature);
        _snap("membership", "leave");
    }
}
