// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Roles} from "../../src/access/Roles.sol";
import {ConsentRegistry} from "../../src/consent/ConsentRegistry.sol";
import {ContributionRegistry} from "../../src/contribution/ContributionRegistry.sol";
import {EthicsRegistry} from "../../src/market/EthicsRegistry.sol";
import {LicenseSale} from "../../src/market/LicenseSale.sol";
import {Membership} from "../../src/membership/Membership.sol";
import {StewardCommittee} from "../../src/oracle/StewardCommittee.sol";
import {LedgerParams} from "../../src/settlement/LedgerParams.sol";
import {ISettlementLedger} from "../../src/settlement/ISettlementLedger.sol";
import {SettlementClaims} from "../../src/settlement/SettlementClaims.sol";
import {SettlementLedger} from "../../src/settlement/SettlementLedger.sol";
import {Config} from "../../src/factory/Config.sol";
import {CoopFounding} from "./CoopFounding.sol";
import {LedgerTreeBuilder} from "./LedgerTreeBuilder.sol";

/// @notice What members, stewards, the registrar and a researcher sign and send in a cooperative that was just founded.
/// Digests are computed here from the type strings, not by calling the contracts.
abstract contract CoopTest is CoopFounding {
    using LedgerTreeBuilder for bytes32[];

    uint16 internal constant PURPOSE = 42;

    address internal stranger = makeAddr("stranger");
    address internal researcher;
    uint256 internal researcherKey;

    /// @dev Private keys by member id; id 0 unused.
    uint256[] internal memberKeys;

    function setUp() public virtual {
        vm.warp(GENESIS);
        (researcher, researcherKey) = makeAddrAndKey("researcher");
        memberKeys.push(0);
        _found();
        _empower();
        _bondSeats();
        _approve(researcher, PURPOSE, type(uint64).max);
    }

    /// @dev The token house may move money, as from the day the cooperative is constituted; tests of that day itself found
    /// one without it.
    function _empower() internal virtual {
        _asCharter();
        manager.grantRole(Roles.TREASURY, tokenHouse, 0);
    }

    /// @dev The stewards pay what their seats ask for; tests of bonds do it themselves.
    function _bondSeats() internal virtual {
        for (uint256 i; i < stewardKeys.length; ++i) {
            _bondLeast(vm.addr(stewardKeys[i]));
        }
    }

    function _bondLeast(address steward) internal {
        usdc.mint(address(this), LEAST_BOND);
        usdc.approve(address(committee), LEAST_BOND);
        committee.bondFor(steward, LEAST_BOND);
    }

    /// @dev What the ledger was initialized with, to initialize another one.
    function _ledgerDeployment() internal view returns (SettlementLedger.Deployment memory) {
        return SettlementLedger.Deployment({
            authority: address(manager),
            membership: address(membership),
            committee: address(committee),
            treasury: address(treasury),
            dataToken: address(dataToken),
            govToken: address(govToken),
            contestVerifier: address(contestVerifier),
            disputes: address(disputes),
            genesis: GENESIS,
            lag: LAG,
            attemptLength: ATTEMPT,
            window: WINDOW,
            depth: DEPTH,
            params: _rewardParams(),
            emission: LedgerParams.Emission(0, 0, 800, 1_500, 300, 500)
        });
    }

    /// @dev What a committee is initialized with, to initialize another one.
    function _committeeInit() internal returns (StewardCommittee.Deployment memory i) {
        Config memory c = _config();
        i.authority = address(manager);
        (i.usdc, i.treasury) = (address(usdc), address(treasury));
        (i.ledger, i.disputes) = (address(ledger), address(disputes));
        i.license = address(license);
        (i.seats, i.quorum, i.workers) = (c.committee.seats, c.committee.quorum, c.committee.workers);
        (i.minBond, i.objectionBond) = (c.committee.minBond, c.committee.objectionBond);
        i.gateway = gateway;
    }

    // --------------------------------------------------------------------------------------------- signing

    function _typed(string memory name, address verifier, bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256("1"),
                block.chainid,
                verifier
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The other signature over the same digest that a curve allows: (r, n − s), with v turned.
    function _malleated(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        uint256 n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        return abi.encodePacked(r, bytes32(n - uint256(s)), v == 27 ? uint8(28) : uint8(27));
    }

    // ------------------------------------------------------------------------------------------- membership

    function _memberKey(uint256 i) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("member", i)));
    }

    function _admission(address account, address payout) internal view returns (Membership.Admission memory) {
        return Membership.Admission({
            account: account,
            payout: payout,
            nullifier: keccak256(abi.encode("credential of", account)),
            rowKeyDigest: keccak256(abi.encode(_rowKeyOf(account))),
            deadline: block.timestamp + 1 days
        });
    }

    function _rowKeyOf(address account) internal pure returns (bytes32) {
        return keccak256(abi.encode("row key of", account));
    }

    function _admissionDigest(Membership.Admission memory a) internal view returns (bytes32) {
        bytes32 hash = keccak256(
            "Admission(address account,address payout,bytes32 nullifier,bytes32 rowKeyDigest,uint256 deadline)"
        );
        return _typed("Membership", address(membership), keccak256(abi.encode(hash, a)));
    }

    function _payoutAddress(uint256 i) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("payout", i)))));
    }

    /// @dev Admits the next member, with a key of its own and a payout address apart from its account.
    function _join() internal returns (uint32 id) {
        return _joinAs(_memberKey(memberKeys.length));
    }

    function _joinAs(uint256 key) internal returns (uint32 id) {
        Membership.Admission memory a = _admission(vm.addr(key), _payoutAddress(memberKeys.length));
        id = membership.join(a, _sign(registrarKey, _admissionDigest(a)));
        assertEq(id, memberKeys.length, "ids are issued in order");
        memberKeys.push(key);
    }

    function _joinMany(uint256 n) internal {
        for (uint256 i; i < n; ++i) {
            _join();
        }
    }

    // ---------------------------------------------------------------------------------------------- consent

    function _grant(uint32 id) internal {
        (uint32 version,,, uint256 nonce) = consents.consentOf(id);
        ConsentRegistry.ConsentGrant memory g = ConsentRegistry.ConsentGrant(
            id, version + 1, keccak256(abi.encode("receipt", id, version)), 0, nonce, block.timestamp + 1 days
        );
        consents.grant(g, _sign(memberKeys[id], _grantDigest(g)));
    }

    function _revoke(uint32 id) internal {
        ConsentRegistry.ConsentRevoke memory r =
            ConsentRegistry.ConsentRevoke(id, consents.nonce(id), block.timestamp + 1 days);
        consents.revoke(r, _sign(memberKeys[id], _revokeDigest(r)));
    }

    function _erase(uint32 id) internal {
        ConsentRegistry.ConsentErase memory e =
            ConsentRegistry.ConsentErase(id, consents.nonce(id), block.timestamp + 1 days);
        consents.erase(e, _sign(memberKeys[id], _eraseDigest(e)));
    }

    function _grantDigest(ConsentRegistry.ConsentGrant memory g) internal view returns (bytes32) {
        bytes32 hash = keccak256(
            "ConsentGrant(uint32 memberId,uint32 version,bytes32 receiptCommitment,uint64 expiry,uint256 nonce,uint256 deadline)"
        );
        return _typed("ConsentRegistry", address(consents), keccak256(abi.encode(hash, g)));
    }

    function _revokeDigest(ConsentRegistry.ConsentRevoke memory r) internal view returns (bytes32) {
        bytes32 hash = keccak256("ConsentRevoke(uint32 memberId,uint256 nonce,uint256 deadline)");
        return _typed("ConsentRegistry", address(consents), keccak256(abi.encode(hash, r)));
    }

    function _eraseDigest(ConsentRegistry.ConsentErase memory e) internal view returns (bytes32) {
        bytes32 hash = keccak256("ConsentErase(uint32 memberId,uint256 nonce,uint256 deadline)");
        return _typed("ConsentRegistry", address(consents), keccak256(abi.encode(hash, e)));
    }

    // ---------------------------------------------------------------------------------------- contributions

    function _contribution(uint32 id) internal view returns (ContributionRegistry.Contribution memory) {
        (uint32 version,,,) = consents.consentOf(id);
        return ContributionRegistry.Contribution({
            memberId: id,
            commitment: keccak256(abi.encode("commitment", id, contributions.nonceOf(id))),
            consentVersion: version,
            nonce: contributions.nonceOf(id),
            deadline: block.timestamp + 1 days
        });
    }

    function _contributionDigest(ContributionRegistry.Contribution memory c) internal view returns (bytes32) {
        bytes32 hash = keccak256(
            "Contribution(uint32 memberId,bytes32 commitment,uint32 consentVersion,uint256 nonce,uint256 deadline)"
        );
        return _typed("ContributionRegistry", address(contributions), keccak256(abi.encode(hash, c)));
    }

    function _batch(uint32 from, uint32 count)
        internal
        view
        returns (ContributionRegistry.Contribution[] memory c, bytes[] memory signatures)
    {
        c = new ContributionRegistry.Contribution[](count);
        signatures = new bytes[](count);
        for (uint32 i; i < count; ++i) {
            c[i] = _contribution(from + i);
            signatures[i] = _sign(memberKeys[from + i], _contributionDigest(c[i]));
        }
    }

    // ------------------------------------------------------------------------------------------- settlement

    /// @dev A header for the epoch after the last final one, naming its root, with nothing earned.
    function _header() internal view returns (ISettlementLedger.Header memory h) {
        (uint32 epoch, bytes32 root) = ledger.finalEpoch();
        h.epoch = epoch + 1;
        h.previousRoot = root;
        h.root = keccak256(abi.encode("root", h.epoch));
        h.paramsHash = _paramsHash();
        h.inputsRoot = keccak256("inputs");
        h.sheetDigest = keccak256("sheet");
        (uint256 cash, uint256 dataAwarded, uint256 dataEarned, uint256 govAwarded, uint256 govEarned) =
            ledger.finalTotals();
        (h.cashAllocated, h.dataAwarded, h.dataEarned) = (uint128(cash), uint128(dataAwarded), uint128(dataEarned));
        (h.govAwarded, h.govEarned) = (uint128(govAwarded), uint128(govEarned));
    }

    function _headerDigest(ISettlementLedger.Header memory h) internal view returns (bytes32) {
        bytes32 hash = keccak256(
            "Header(uint32 epoch,uint32 attempt,bytes32 previousRoot,bytes32 root,bytes32 paramsHash,bytes32 inputsRoot,bytes32 sheetDigest,uint32 sharers,uint128 payout,uint256 sumUsage,uint256 sumData,uint256 sumEarly,uint256 sumDataAward,uint256 sumGovAward,uint128 cashAllocated,uint128 dataAwarded,uint128 dataEarned,uint128 govAwarded,uint128 govEarned)"
        );
        return _typed("SettlementLedger", address(ledger), keccak256(abi.encode(hash, h)));
    }

    function _stewardSignatures(bytes32 digest, uint256 count) internal view returns (bytes[] memory signatures) {
        signatures = new bytes[](count);
        for (uint256 i; i < count; ++i) {
            signatures[i] = _sign(stewardKeys[i], digest);
        }
    }

    function _endOf(uint256 epoch) internal pure returns (uint256) {
        return GENESIS + epoch * EPOCH;
    }

    function _startOf(uint256 epoch, uint256 attempt) internal pure returns (uint256) {
        return _endOf(epoch) + LAG + attempt * ATTEMPT;
    }

    function _propose(ISettlementLedger.Header memory h) internal {
        ledger.propose(h, _stewardSignatures(_headerDigest(h), 2));
    }

    /// @dev Warps to the start of the next epoch's first attempt if that is ahead, proposes `claims` and waits until final.
    function _settle(ISettlementLedger.Claim[] memory claims) internal {
        ISettlementLedger.Header memory h = _header();
        h.root = _leaves(claims).root(DEPTH);
        (h.cashAllocated, h.dataAwarded, h.dataEarned, h.govAwarded, h.govEarned) = (0, 0, 0, 0, 0);
        for (uint256 i; i < claims.length; ++i) {
            h.cashAllocated += claims[i].cash + claims[i].stream;
            h.dataEarned += claims[i].data;
            h.govEarned += claims[i].gov;
        }
        (h.dataAwarded, h.govAwarded) = (h.dataEarned, h.govEarned);
        if (block.timestamp < _startOf(h.epoch, 0)) vm.warp(_startOf(h.epoch, 0));
        _propose(h);
        vm.warp(block.timestamp + WINDOW);
    }

    function _leaves(ISettlementLedger.Claim[] memory claims) internal pure returns (bytes32[] memory leaves) {
        uint256 last;
        for (uint256 i; i < claims.length; ++i) {
            if (claims[i].memberId > last) last = claims[i].memberId;
        }
        leaves = new bytes32[](last + 1);
        for (uint256 i; i < claims.length; ++i) {
            ISettlementLedger.Claim memory c = claims[i];
            bytes32 inner = keccak256(
                abi.encode(
                    uint256(c.memberId),
                    uint256(c.cash),
                    uint256(c.stream),
                    uint256(c.data),
                    uint256(c.gov),
                    c.privateHash
                )
            );
            leaves[c.memberId] = keccak256(bytes.concat(inner));
        }
    }

    function _proof(ISettlementLedger.Claim[] memory claims, uint32 id) internal pure returns (bytes32[] memory) {
        return _leaves(claims).proof(id, DEPTH);
    }

    /// @dev One range over all of `claims`.
    function _ranges(ISettlementLedger.Claim[] memory claims)
        internal
        pure
        returns (SettlementClaims.Range[] memory ranges)
    {
        uint256 count = 1;
        while (count < _leaves(claims).length) count *= 2;
        ranges = new SettlementClaims.Range[](1);
        ranges[0] = _range(claims, 0, count);
    }

    /// @dev `count` ids from `first` on, in the tree of `claims`.
    function _range(ISettlementLedger.Claim[] memory claims, uint256 first, uint256 count)
        internal
        pure
        returns (SettlementClaims.Range memory r)
    {
        (r.first, r.leaves) = (uint32(first), new SettlementClaims.Leaf[](count));
        for (uint256 i; i < claims.length; ++i) {
            ISettlementLedger.Claim memory c = claims[i];
            if (c.memberId < first || c.memberId >= first + count) continue;
            r.leaves[c.memberId - first] = SettlementClaims.Leaf(c.cash, c.stream, c.data, c.gov, c.privateHash);
        }
        bytes32[] memory proof = _leaves(claims).proof(first, DEPTH);
        uint256 height;
        while (count >> height > 1) ++height;
        r.siblings = new bytes32[](DEPTH - height);
        for (uint256 i = height; i < DEPTH; ++i) {
            r.siblings[i - height] = proof[i];
        }
    }

    // --------------------------------------------------------------------------------------------- receipts

    /// @dev A debit of an order that nobody else names, under a license, due in an hour.
    function _debit(uint64 licenseId, uint256 salt) internal view returns (StewardCommittee.Debit memory) {
        return StewardCommittee.Debit({
            licenseId: licenseId,
            order: keccak256(abi.encode("order", salt)),
            queryDigest: keccak256("query"),
            snapshot: keccak256("snapshot"),
            purpose: PURPOSE,
            rho: 5_000_000,
            deadline: uint64(block.timestamp + 1 hours)
        });
    }

    function _debitDigest(StewardCommittee.Debit memory d) internal view returns (bytes32) {
        bytes32 hash = keccak256(
            "Debit(uint64 licenseId,bytes32 order,bytes32 queryDigest,bytes32 snapshot,uint16 purpose,uint64 rho,uint64 deadline)"
        );
        return _typed("StewardCommittee", address(committee), keccak256(abi.encode(hash, d)));
    }

    function _receiptDigest(bytes32 order, bytes32 resultDigest) internal view returns (bytes32) {
        bytes32 hash = keccak256("QueryReceipt(bytes32 order,bytes32 resultDigest)");
        return _typed("StewardCommittee", address(committee), keccak256(abi.encode(hash, order, resultDigest)));
    }

    // ----------------------------------------------------------------------------------------------- market

    function _order(uint32 records) internal pure returns (LicenseSale.Order memory) {
        return LicenseSale.Order({
            datasetId: DATASET,
            records: records,
            purpose: PURPOSE,
            ehdsCategory: 5,
            duration: 30 days,
            recipientKey: keccak256("recipient")
        });
    }

    function _permit(uint256 key, uint256 value) internal view returns (LicenseSale.Permit memory) {
        return _permitFor(key, value, address(market));
    }

    function _permitFor(uint256 key, uint256 value, address spender)
        internal
        view
        returns (LicenseSale.Permit memory p)
    {
        address owner = vm.addr(key);
        bytes32 hash = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash =
            keccak256(abi.encode(hash, owner, spender, value, usdc.nonces(owner), block.timestamp + 1 hours));
        (p.value, p.deadline) = (value, block.timestamp + 1 hours);
        (p.v, p.r, p.s) = vm.sign(key, _typed("TestUSDC", address(usdc), structHash));
    }

    /// @dev The ethics board approves; a time that has passed withdraws.
    function _approve(address who, uint16 purpose, uint64 until) internal {
        EthicsRegistry.Approval memory a =
            EthicsRegistry.Approval(who, purpose, until, "", ethics.nonceOf(who, purpose), block.timestamp);
        ethics.approve(a, _sign(boardKey, _approvalDigest(a)));
    }

    function _approvalDigest(EthicsRegistry.Approval memory a) internal view returns (bytes32) {
        bytes32 hash = keccak256(
            "Approval(address researcher,uint16 purpose,uint64 until,string protocol,uint256 nonce,uint256 deadline)"
        );
        bytes32 protocol = keccak256(bytes(a.protocol));
        bytes memory fields = abi.encode(hash, a.researcher, a.purpose, a.until, protocol, a.nonce, a.deadline);
        return _typed("EthicsRegistry", address(ethics), keccak256(fields));
    }

    /// @dev The researcher buys a license for `price` micro-USDC, a multiple of 50,000.
    function _sell(uint256 price) internal returns (uint64 licenseId) {
        LicenseSale.Order memory o = _order(uint32(price / 50_000));
        usdc.mint(researcher, price);
        LicenseSale.Permit memory p = _permit(researcherKey, price);
        vm.prank(researcher);
        return market.buy(o, p);
    }
}
