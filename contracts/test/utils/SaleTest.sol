// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {FounderAccessManager} from "../../src/access/FounderAccessManager.sol";
import {AuctionHouse} from "../../src/market/AuctionHouse.sol";
import {ComputeDesk} from "../../src/market/ComputeDesk.sol";
import {EthicsRegistry} from "../../src/market/EthicsRegistry.sol";
import {License} from "../../src/market/License.sol";
import {LicenseSale} from "../../src/market/LicenseSale.sol";
import {ResearcherBond} from "../../src/market/ResearcherBond.sol";
import {CoopTest} from "./CoopTest.sol";
import {TreasuryDouble} from "./TreasuryDouble.sol";

/// @notice A cooperative that auctions and computes: four researchers, all approved for the purpose.
abstract contract SaleTest is CoopTest {
    uint32 internal constant TIMEOUT = 2 days;
    uint128 internal constant MIN_BOND = 500e6;

    /// @dev The authority of what is deployed here: the founder has every role.
    FounderAccessManager internal access;
    TreasuryDouble internal coffer;
    EthicsRegistry internal ethics;
    ResearcherBond internal bonds;
    AuctionHouse internal auctions;
    License internal auctionLicense;
    ComputeDesk internal desk;
    License internal deskLicense;

    address internal board;
    uint256 internal boardKey;
    address[4] internal bidders;
    uint256[4] internal bidderKeys;

    function setUp() public virtual override {
        super.setUp();
        access = new FounderAccessManager(founder);
        (board, boardKey) = makeAddrAndKey("ethics board");
        coffer = new TreasuryDouble(usdc);
        ethics = EthicsRegistry(
            _proxy(address(new EthicsRegistry()), abi.encodeCall(EthicsRegistry.initialize, (address(access), board)))
        );
        bonds = ResearcherBond(_proxy(address(new ResearcherBond()), _bondInit()));
        address auctionCode = address(new AuctionHouse());
        address deskCode = address(new ComputeDesk());
        address licenseCode = address(new License());
        address next = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        auctionLicense = License(_proxy(licenseCode, abi.encodeCall(License.initialize, (address(access), next))));
        auctions = AuctionHouse(
            _proxy(auctionCode, abi.encodeCall(AuctionHouse.initialize, (_parts(address(auctionLicense)))))
        );
        next = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        deskLicense = License(_proxy(licenseCode, abi.encodeCall(License.initialize, (address(access), next))));
        desk = ComputeDesk(_proxy(deskCode, _deskInit()));
        for (uint256 i; i < 4; ++i) {
            (bidders[i], bidderKeys[i]) = makeAddrAndKey(string.concat("bidder", vm.toString(i)));
            _approve(bidders[i], PURPOSE, type(uint64).max);
        }
    }

    function _proxy(address code, bytes memory init) internal returns (address) {
        return address(new ERC1967Proxy(code, init));
    }

    function _parts(address license_) internal view returns (LicenseSale.Parts memory) {
        return LicenseSale.Parts({
            authority: address(access),
            usdc: address(usdc),
            treasury: address(coffer),
            catalog: address(catalog),
            license: license_,
            ethics: address(ethics),
            researcherBond: address(bonds)
        });
    }

    function _bondInit() internal view returns (bytes memory) {
        return abi.encodeCall(
            ResearcherBond.initialize,
            (address(access), address(usdc), address(dataToken), address(govToken), address(coffer), uint96(MIN_BOND))
        );
    }

    function _deskInit() internal view returns (bytes memory) {
        return abi.encodeCall(ComputeDesk.initialize, (_parts(address(deskLicense)), address(committee), TIMEOUT));
    }

    // ----------------------------------------------------------------------------------------------- ethics

    function _approvalDigest(EthicsRegistry.Approval memory a) internal view returns (bytes32) {
        bytes32 hash =
            keccak256("Approval(address researcher,uint16 purpose,uint64 until,uint256 nonce,uint256 deadline)");
        return _typed("EthicsRegistry", address(ethics), keccak256(abi.encode(hash, a)));
    }

    function _approve(address who, uint16 purpose, uint64 until) internal {
        EthicsRegistry.Approval memory a =
            EthicsRegistry.Approval(who, purpose, until, ethics.nonceOf(who, purpose), block.timestamp);
        ethics.approve(a, _sign(boardKey, _approvalDigest(a)));
    }

    // ------------------------------------------------------------------------------------------------ money

    /// @dev USDC and a permit for as much.
    function _fund(uint256 key, uint256 value, address spender) internal returns (LicenseSale.Permit memory p) {
        address owner = vm.addr(key);
        usdc.mint(owner, value);
        bytes32 hash = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash =
            keccak256(abi.encode(hash, owner, spender, value, usdc.nonces(owner), block.timestamp + 1 hours));
        (p.value, p.deadline) = (value, block.timestamp + 1 hours);
        (p.v, p.r, p.s) = vm.sign(key, _typed("TestUSDC", address(usdc), structHash));
    }

    // --------------------------------------------------------------------------------------------- auctions

    function _auctionTerms() internal pure returns (AuctionHouse.AuctionTerms memory) {
        return AuctionHouse.AuctionTerms({
            reserve: 1_000e6,
            bidBond: 100e6,
            commitPeriod: 3 days,
            revealPeriod: 2 days,
            records: 5_000,
            duration: 365 days
        });
    }

    function _bid(uint128 amount) internal pure returns (AuctionHouse.Bid memory) {
        return AuctionHouse.Bid(amount, 5, keccak256("recipient"), keccak256(abi.encode("salt", amount)));
    }

    /// @dev Sets terms and opens an auction.
    function _openAuction() internal returns (uint64) {
        vm.prank(founder);
        auctions.setTerms(DATASET, _auctionTerms());
        vm.prank(bidders[0]);
        return auctions.open(DATASET, PURPOSE);
    }

    function _commit(uint64 id, uint256 i, AuctionHouse.Bid memory b) internal {
        LicenseSale.Permit memory p = _fund(bidderKeys[i], auctions.auctionOf(id).terms.bidBond, address(auctions));
        bytes32 sealedBid = auctions.sealOf(id, bidders[i], b);
        vm.prank(bidders[i]);
        auctions.commit(id, sealedBid, PURPOSE, p);
    }

    function _reveal(uint64 id, uint256 i, AuctionHouse.Bid memory b) internal {
        uint128 bond = auctions.auctionOf(id).terms.bidBond;
        LicenseSale.Permit memory p = _fund(bidderKeys[i], b.amount > bond ? b.amount - bond : 0, address(auctions));
        vm.prank(bidders[i]);
        auctions.reveal(id, b, p);
    }

    // ------------------------------------------------------------------------------------------------ jobs

    function _job(uint64 maxUnits) internal pure returns (ComputeDesk.Job memory) {
        return ComputeDesk.Job({
            datasetId: DATASET,
            purpose: PURPOSE,
            ehdsCategory: 5,
            maxUnits: maxUnits,
            planDigest: keccak256("plan"),
            recipientKey: keccak256("recipient")
        });
    }

    function _openJob(uint256 i, uint64 maxUnits) internal returns (uint64 jobId) {
        (uint128 base, uint128 perUnit,) = desk.prices();
        LicenseSale.Permit memory p = _fund(bidderKeys[i], uint256(base) + uint256(perUnit) * maxUnits, address(desk));
        vm.prank(bidders[i]);
        return desk.open(_job(maxUnits), p);
    }

    function _computeDigest(ComputeDesk.ComputeReceipt memory r) internal view returns (bytes32) {
        bytes32 hash = keccak256("ComputeReceipt(uint64 jobId,uint64 units,bytes32 planDigest,bytes32 snapshot)");
        return _typed("ComputeDesk", address(desk), keccak256(abi.encode(hash, r)));
    }

    function _receipt(uint64 jobId, uint64 units) internal pure returns (ComputeDesk.ComputeReceipt memory) {
        return ComputeDesk.ComputeReceipt(jobId, units, keccak256("plan"), keccak256("snapshot"));
    }

    function _complete(uint64 jobId, uint64 units) internal {
        ComputeDesk.ComputeReceipt memory r = _receipt(jobId, units);
        bytes32 digest = _computeDigest(r);
        desk.complete(r, _stewardSignatures(digest, 2), _sign(workerKey, digest));
    }
}
