// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ConsentRegistry} from "../../src/consent/ConsentRegistry.sol";
import {ContributionRegistry} from "../../src/contribution/ContributionRegistry.sol";
import {Membership} from "../../src/membership/Membership.sol";
import {StewardCommittee} from "../../src/oracle/StewardCommittee.sol";
import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {SettlementClaims} from "../../src/settlement/SettlementClaims.sol";
import {TestUSDC} from "../../src/testing/TestUSDC.sol";
import {CoopTest} from "../utils/CoopTest.sol";
import {NaivePayer} from "../utils/NaivePayer.sol";

/// @notice What members, relayers and researchers pay, each call a transaction of its own (profile `gas`).
/// Names in snapshots/ are read by docs/gas.md. "later" = the payee holds the asset and claimed before.
contract GasTest is CoopTest {
    uint128 internal constant CASH = 7e6;

    function _snap(string memory group, string memory name) private {
        vm.snapshotGasLastCall(group, name);
    }

    // --------------------------------------------------------------------------------------------- members

    function test_Join() external {
        _joinMany(2); // the first member also pays for slots that every later one finds filled
        vm.warp(block.timestamp + 12);
        Membership.Admission memory a = _admission(vm.addr(_memberKey(3)), _payoutAddress(3));
        bytes memory signature = _sign(registrarKey, _admissionDigest(a));
        membership.join(a, signature);
        _snap("membership", "join");
    }

    function test_Consent() external {
        uint32 id = _join();
        ConsentRegistry.ConsentGrant memory g =
            ConsentRegistry.ConsentGrant(id, 1, keccak256("receipt"), 0, 0, block.timestamp + 1);
        bytes memory signature = _sign(memberKeys[id], _grantDigest(g));
        consents.grant(g, signature);
        _snap("consent", "grant first");
        g = ConsentRegistry.ConsentGrant(id, 2, keccak256("receipt 2"), 0, 1, block.timestamp + 1);
        signature = _sign(memberKeys[id], _grantDigest(g));
        consents.grant(g, signature);
        _snap("consent", "grant later");
        ConsentRegistry.ConsentRevoke memory r = ConsentRegistry.ConsentRevoke(id, 2, block.timestamp + 1);
        signature = _sign(memberKeys[id], _revokeDigest(r));
        consents.revoke(r, signature);
        _snap("consent", "revoke");
        ConsentRegistry.ConsentErase memory e = ConsentRegistry.ConsentErase(id, 3, block.timestamp + 1);
        signature = _sign(memberKeys[id], _eraseDigest(e));
        consents.erase(e, signature);
        _snap("consent", "erase");
    }

    function test_Record() external {
        _joinMany(101);
        for (uint32 id = 1; id <= 101; ++id) {
            _grant(id);
        }
        (ContributionRegistry.Contribution[] memory c, bytes[] memory signatures) = _batch(101, 1);
        contributions.record(c, signatures);
        (c, signatures) = _batch(1, 100);
        contributions.record(c, signatures);
        _snap("contribution", "record 100, first of each member");
        vm.warp(block.timestamp + COOLDOWN);
        (c, signatures) = _batch(1, 100);
        contributions.record(c, signatures);
        _snap("contribution", "record 100, later");
        vm.warp(block.timestamp + COOLDOWN);
        (c, signatures) = _batch(1, 1);
        contributions.record(c, signatures);
        _snap("contribution", "record 1, later");
    }

    /// @dev Few enough that every instruction of it can be traced.
    function test_RecordTen() external {
        _joinMany(10);
        for (uint32 id = 1; id <= 10; ++id) {
            _grant(id);
        }
        for (uint256 round; round < 2; ++round) {
            (ContributionRegistry.Contribution[] memory c, bytes[] memory signatures) = _batch(1, 10);
            contributions.record(c, signatures);
            vm.warp(block.timestamp + COOLDOWN);
        }
        (ContributionRegistry.Contribution[] memory batch, bytes[] memory signed) = _batch(1, 10);
        contributions.record(batch, signed);
        _snap("contribution", "record 10, later");
    }

    // ------------------------------------------------------------------------------------------- settlement

    function _proposeMeasured(string memory name) private {
        ISettlementLedger.Header memory h = _header();
        h.sharers = 24;
        h.payout = 5_769_230;
        h.sumUsage = 11_620 * 24;
        h.sumData = 4.648e18;
        h.sumEarly = 206 * 24;
        h.sumDataAward = 97.5e18;
        h.sumGovAward = 9.75e18;
        h.cashAllocated += 5_769_230;
        h.dataAwarded += 97.5e18;
        h.dataEarned += 39e18;
        h.govAwarded += 9.75e18;
        h.govEarned += 3.9e18;
        vm.warp(_startOf(h.epoch, 0));
        bytes[] memory signatures = _stewardSignatures(_headerDigest(h), 3);
        ledger.propose(h, signatures);
        if (bytes(name).length != 0) _snap("settlement", name);
        vm.warp(block.timestamp + WINDOW);
    }

    function test_Propose() external {
        _sell(100e6);
        _proposeMeasured("propose with 3 signatures, first epoch");
        _proposeMeasured("");
        _proposeMeasured("propose with 3 signatures");
    }

    /// @dev What `n` members are entitled to after `epochs` epochs.
    function _claims(uint32 n, uint128 epochs, bool tokens)
        private
        pure
        returns (ISettlementLedger.Claim[] memory claims)
    {
        claims = new ISettlementLedger.Claim[](n);
        for (uint32 i; i < n; ++i) {
            claims[i] = ISettlementLedger.Claim({
                memberId: i + 1,
                cash: CASH * epochs,
                stream: CASH,
                data: tokens ? 4e18 * epochs : 0,
                gov: tokens ? 1e18 * epochs : 0,
                privateHash: keccak256(abi.encode("private", i, epochs))
            });
        }
    }

    /// @dev Two epochs are claimed by others first, so that only what is measured is cold or fresh.
    function _claimSingly(bool tokens, string memory first, string memory later) private {
        _joinMany(100);
        _sell(10_000e6);
        for (uint128 epoch = 1; epoch <= 3; ++epoch) {
            ISettlementLedger.Claim[] memory claims = _claims(100, epoch, tokens);
            _settle(claims);
            ledger.claim(claims[1], _proof(claims, 2));
            if (epoch == 1) continue;
            bytes32[] memory proof = _proof(claims, 1);
            ledger.claim(claims[0], proof);
            _snap("settlement", epoch == 2 ? first : later);
        }
    }

    function test_ClaimCash() external {
        _claimSingly(false, "claim cash, first", "claim cash, later");
    }

    function test_ClaimAll() external {
        _claimSingly(true, "claim cash, DATA and GOV, first", "claim cash, DATA and GOV, later");
    }

    /// @dev All of a subtree of 128 ids has a member.
    function _claimBatch(bool tokens, string memory first, string memory later) private {
        _joinMany(255);
        _sell(10_000e6);
        for (uint128 epoch = 1; epoch <= 2; ++epoch) {
            ISettlementLedger.Claim[] memory claims = _claims(255, epoch, tokens);
            _settle(claims);
            SettlementClaims.Range[] memory ranges = new SettlementClaims.Range[](1);
            ranges[0] = _range(claims, 128, 128);
            ledger.claimMany(ranges);
            _snap("settlement", epoch == 1 ? first : later);
        }
    }

    function test_ClaimManyCash() external {
        _claimBatch(false, "claimMany cash, 128 first", "claimMany cash, 128 later");
    }

    function test_ClaimManyAll() external {
        _claimBatch(true, "claimMany cash, DATA and GOV, 128 first", "claimMany cash, DATA and GOV, 128 later");
    }

    function test_NaiveLoop() external {
        NaivePayer payer = new NaivePayer(usdc);
        address[] memory payees = new address[](24);
        uint256[] memory amounts = new uint256[](24);
        for (uint256 i; i < 24; ++i) {
            (payees[i], amounts[i]) = (_payoutAddress(i + 1), CASH);
        }
        usdc.mint(address(payer), 1_000e6);
        payer.payAll(payees, amounts);
        _snap("settlement", "naive loop, 24 fresh payees");
        payer.payAll(payees, amounts);
        _snap("settlement", "naive loop, 24 payees again");
    }

    // --------------------------------------------------------------------------------------------- receipts

    function test_DebitAndReceipt() external {
        uint64 licenseId = _sell(50_000);
        for (uint64 i; i < 2; ++i) {
            StewardCommittee.Debit memory d = _debit(licenseId, i);
            bytes[] memory signatures = _stewardSignatures(_debitDigest(d), 2);
            bytes memory receipt = _sign(workerKey, _receiptDigest(d.order, keccak256("result")));
            committee.debit(d, signatures);
            if (i == 1) _snap("oracle", "debit with 2 signatures");
            committee.anchorReceipt(d.order, keccak256("result"), receipt);
            if (i == 1) _snap("oracle", "anchorReceipt");
        }
    }
}
