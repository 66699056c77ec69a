// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Roles} from "../../../src/access/Roles.sol";

/// @notice Who may call what, written down a second time, apart from AccessPlan: every state-changing function of every
/// contract, as `Contract.function`. A star stands for every contract that is not named with that function.
abstract contract PrivilegeTable {
    enum Kind {
        Unknown,
        Open, // anybody, by design
        Member, // every active member
        Peer, // one contract of the cooperative
        Self, // the contract itself, or a role that it keeps by itself
        Once, // at the founding
        Role // a role of the authority
    }

    /// @param overloads how many functions of one contract have this name
    struct Entry {
        Kind kind;
        uint64 role;
        uint8 overloads;
        bool seen;
        string reason;
    }

    mapping(bytes32 key => Entry) internal entries;
    string[] internal keys;

    function _fillTable() internal {
        _fillCommon();
        _fillMembers();
        _fillSettlement();
        _fillMarket();
        _fillGovernance();
        _fillHouses();
        _fillDesks();
        _fillTreasury();
    }

    function _fillCommon() private {
        _add("*.initialize", Kind.Once, "");
        _role("*.upgradeToAndCall", Roles.CHARTER);
        _role("*.setAuthority", Roles.CHARTER);
        _role("*.setPausedUntil", Roles.PAUSER);
    }

    function _fillMembers() private {
        _open("Membership.join", "the registrar's signature decides");
        _open("Membership.transferFrom", "soulbound: always refused");
        _open("Membership.safeTransferFrom", "soulbound: always refused");
        entries[keccak256("Membership.safeTransferFrom")].overloads = 2;
        _open("Membership.leave", "the member's signature decides");
        _open("Membership.setPayout", "the member's signature decides");
        _role("Membership.expel", Roles.MEMBER_HOUSE);
        _peer("Membership.close", "ConsentRegistry, for a member who erased everything");
        _role("Membership.setRegistrar", Roles.MEMBER_HOUSE);
        _role("Membership.setAdmissionsPerEpoch", Roles.MEMBER_HOUSE);
        _open("ConsentRegistry.grant", "the member's signature decides");
        _open("ConsentRegistry.revoke", "the member's signature decides");
        _open("ConsentRegistry.erase", "the member's signature decides");
        _open("ContributionRegistry.record", "the member's signature decides");
        _role("ContributionRegistry.setCooldown", Roles.TOKEN_HOUSE);
    }

    function _fillSettlement() private {
        _open("StewardCommittee.debit", "a quorum of stewards signed");
        _open("StewardCommittee.anchorReceipt", "a worker signed, for a booked debit");
        _open("StewardCommittee.rotateSealingKey", "the seat's signature decides");
        _role("StewardCommittee.seat", Roles.MEMBER_HOUSE);
        _role("StewardCommittee.registerWorker", Roles.MEMBER_HOUSE);
        _role("StewardCommittee.removeWorker", Roles.MEMBER_HOUSE);
        _role("StewardCommittee.setGateway", Roles.MEMBER_HOUSE);
        _role("StewardCommittee.setMinBond", Roles.MEMBER_HOUSE);
        _role("StewardCommittee.setObjectionBond", Roles.MEMBER_HOUSE);
        _role("StewardCommittee.openSlash", Roles.MEMBER_HOUSE);
        _role("StewardCommittee.confirmSlash", Roles.MEMBER_HOUSE);
        _role("StewardCommittee.rejectSlash", Roles.MEMBER_HOUSE);
        _open("StewardCommittee.releaseSlash", "returns what nobody decided in time");
        _open("StewardCommittee.bondFor", "the caller pays");
        _open("StewardCommittee.requestUnbond", "the caller's own");
        _open("StewardCommittee.withdrawBond", "the caller's own");
        _open("StewardCommittee.reportEquivocation", "two signatures of one steward decide");
        _peer("StewardCommittee.lockObjection", "Disputes, for an objection");
        _peer("StewardCommittee.settleObjection", "Disputes, when it is decided");
        _peer("StewardCommittee.escrowSigners", "Disputes, for a voided root");
        _open("SettlementLedger.propose", "a quorum of stewards signed");
        _open("SettlementLedger.claim", "pays a member's payout address, whoever sends it");
        _open("SettlementLedger.claimMany", "pays members' payout addresses, whoever sends it");
        _peer("SettlementLedger.setFinalAt", "Disputes, for an objection or a demand");
        _peer("SettlementLedger.voidProposal", "Disputes, for whoever proved or decided it");
        _open("Disputes.object", "a steward's bond stands for it");
        _role("Disputes.resolveObjection", Roles.MEMBER_HOUSE);
        _open("Disputes.lapseObjection", "voids what nobody decided in time");
        _open("Disputes.demand", "the member calls or signed");
        _open("Disputes.answerRow", "publishes what a member demanded");
        _open("Disputes.answerInputs", "publishes what a member demanded");
        _open("Disputes.voidUnanswered", "voids what nobody answered in time");
        _open("Disputes.contest", "the member calls or signed");
        _role("SettlementLedger.setParams", Roles.TOKEN_HOUSE);
        _role("SettlementLedger.setEmission", Roles.CHARTER);
        _role("Programs.setProgram", Roles.TOKEN_HOUSE);
        _role("Programs.setMaxPointsPerEpoch", Roles.CHARTER);
        _fillToken("DataToken");
        _open("DataToken.permit", "the holder's signature decides");
        _open("DataToken.burn", "the caller's own");
        _open("DataToken.burnFrom", "within the holder's allowance");
        _role("DataToken.setTransfersRestricted", Roles.TOKEN_HOUSE);
        _role("DataToken.setListed", Roles.TOKEN_HOUSE);
        _fillToken("GovToken");
        _role("GovToken.setListed", Roles.CHARTER);
        _add("GovToken.lock", Kind.Member, "the caller's own");
        _open("GovToken.lockBySig", "the holder's signature decides");
        _open("GovToken.unlock", "the caller's own");
        _open("GovToken.poke", "counts what is so");
        _open("GovToken.sync", "counts what is so");
        _open("GovToken.delegate", "the caller's own");
        _open("GovToken.delegateBySig", "the holder's signature decides");
    }

    function _fillToken(string memory token) private {
        _open(string.concat(token, ".approve"), "the caller's own");
        _open(string.concat(token, ".transfer"), "the caller's own");
        _open(string.concat(token, ".transferFrom"), "within the holder's allowance");
        _peer(string.concat(token, ".mint"), "SettlementLedger, what a member claims");
    }

    function _fillMarket() private {
        _role("DatasetCatalog.publish", Roles.TOKEN_HOUSE);
        _open("License.transferFrom", "not transferable: always refused");
        _open("License.safeTransferFrom", "not transferable: always refused");
        entries[keccak256("License.safeTransferFrom")].overloads = 2;
        _role("License.mint", Roles.SELLER);
        _role("License.extend", Roles.SELLER);
        _role("License.revoke", Roles.SELLER);
        _open("Market.buy", "an approved researcher pays");
        _open("Market.buyWithData", "an approved researcher pays in DATA");
        _open("Market.renew", "the holder pays");
        _open("Market.reserve", "an approved researcher pays");
        _open("Market.activate", "the holder, or anyone once it is too late to cancel");
        _open("Market.cancel", "the holder's own");
        _role("Market.setDataTerms", Roles.TOKEN_HOUSE);
        _role("Market.setRefundWindow", Roles.TOKEN_HOUSE);
        _role("Market.setBondRequired", Roles.MEMBER_HOUSE);
        _role("Treasury.book", Roles.SELLER);
        _peer("Treasury.pay", "SettlementLedger, for a claim");
        _peer("Treasury.payMany", "SettlementLedger, for claims");
        _role("Treasury.setSplit", Roles.TOKEN_HOUSE);
    }

    function _fillGovernance() private {
        _self("CoopAuthority.labelRole", "ADMIN");
        _self("CoopAuthority.grantRole", "ADMIN");
        _self("CoopAuthority.revokeRole", "ADMIN");
        _self("CoopAuthority.setRoleAdmin", "ADMIN");
        _self("CoopAuthority.setRoleGuardian", "ADMIN");
        _self("CoopAuthority.setGrantDelay", "ADMIN");
        _self("CoopAuthority.setTargetAdminDelay", "ADMIN");
        _self("CoopAuthority.setTargetClosed", "ADMIN");
        _self("CoopAuthority.setTargetFunctionRole", "ADMIN");
        _self("CoopAuthority.updateAuthority", "ADMIN");
        _self("CoopAuthority.execute", "a caller who may call the target directly");
        _self("CoopAuthority.schedule", "a caller with an execution delay; there is none");
        _self("CoopAuthority.cancel", "who scheduled");
        _self("CoopAuthority.consumeScheduledOp", "a target that checks a schedule");
        _open("CoopAuthority.renounceRole", "the caller's own");
        _open("CoopAuthority.multicall", "several of the others");
        _self("CoopTimelock.schedule", "its house");
        _self("CoopTimelock.scheduleBatch", "its house");
        _self("CoopTimelock.cancel", "its house");
        _self("CoopTimelock.updateDelay", "itself");
        _self("CoopTimelock.grantRole", "itself");
        _self("CoopTimelock.revokeRole", "itself");
        _self("CoopTimelock.execute", "its house, for anyone");
        _self("CoopTimelock.executeBatch", "its house, for anyone");
        _open("CoopTimelock.renounceRole", "the caller's own");
        _open("CoopTimelock.onERC721Received", "accepts tokens");
        _open("CoopTimelock.onERC1155Received", "accepts tokens");
        _open("CoopTimelock.onERC1155BatchReceived", "accepts tokens");
    }

    function _fillDesks() private {
        _open("EthicsRegistry.approve", "the ethics board's signature decides");
        _role("EthicsRegistry.withdraw", Roles.MEMBER_HOUSE);
        _role("EthicsRegistry.setEthicsBoard", Roles.MEMBER_HOUSE);
        _open("AuctionHouse.open", "an approved researcher");
        _open("AuctionHouse.commit", "an approved researcher pays the bond");
        _open("AuctionHouse.reveal", "the bidder's own");
        _open("AuctionHouse.close", "the bids decide");
        _open("AuctionHouse.withdraw", "pays an account what it is owed, whoever sends it");
        _role("AuctionHouse.setTerms", Roles.TOKEN_HOUSE);
        _role("AuctionHouse.setBondRequired", Roles.MEMBER_HOUSE);
        _open("ComputeDesk.open", "an approved researcher pays");
        _open("ComputeDesk.complete", "a quorum of stewards and a worker signed");
        _open("ComputeDesk.refund", "after the timeout, to who paid");
        _open("ComputeDesk.withdraw", "pays an account what it is owed, whoever sends it");
        _role("ComputeDesk.setPrice", Roles.TOKEN_HOUSE);
        _role("ComputeDesk.setTimeout", Roles.TOKEN_HOUSE);
        _role("ComputeDesk.setBondRequired", Roles.MEMBER_HOUSE);
        _open("ResearcherBond.post", "the caller pays");
        _open("ResearcherBond.requestUnbond", "the caller's own");
        _open("ResearcherBond.withdraw", "the caller's own");
        _role("ResearcherBond.setTerms", Roles.TOKEN_HOUSE);
        _role("ResearcherBond.slash", Roles.MEMBER_HOUSE);
        _open("ServiceDesk.order", "a member burns their own");
        _role("ServiceDesk.setService", Roles.TOKEN_HOUSE);
    }

    function _fillTreasury() private {
        _open("Treasury.donate", "the caller pays");
        _peer("Treasury.payOperator", "OperatorPay, for metered work");
        _peer("Treasury.takeLot", "Buyback, for DATA that burns");
        _role("Treasury.spend", Roles.TREASURY);
        _role("Treasury.spendToken", Roles.TREASURY);
        _role("Treasury.setMinContributors", Roles.CHARTER);
        _open("OperatorPay.meter", "counts what the chain saw");
        _open("OperatorPay.meterWorker", "counts what the chain saw");
        _open("OperatorPay.collect", "pays an operator, whoever sends it");
        _role("OperatorPay.setRates", Roles.TREASURY);
        _open("Buyback.offer", "starts the lot that the bucket holds");
        _open("Buyback.sell", "the seller's own DATA");
        _role("Buyback.setTerms", Roles.TREASURY);
        _open("Vesting.fund", "the caller pays");
        _open("Vesting.release", "pays the beneficiary, whoever sends it");
        _role("Vesting.create", Roles.TREASURY);
        _role("Vesting.revoke", Roles.TREASURY);
    }

    function _fillHouses() private {
        _open("CoopGovernor.propose", "who has the votes for it");
        _open("CoopGovernor.cancel", "the proposer, before voting starts");
        _open("CoopGovernor.castVote", "who has votes");
        _open("CoopGovernor.castVoteWithReason", "who has votes");
        _open("CoopGovernor.castVoteWithReasonAndParams", "who has votes");
        _open("CoopGovernor.castVoteBySig", "the voter's signature decides");
        _open("CoopGovernor.castVoteWithReasonAndParamsBySig", "the voter's signature decides");
        _open("CoopGovernor.queue", "what was voted for");
        _open("CoopGovernor.execute", "what was voted for and has waited");
        _self("CoopGovernor.relay", "its own proposal");
        _self("CoopGovernor.setSettings", "its own proposal");
        _peer("CoopGovernor.setQuorumFloor", "CharterGate, for both houses");
        _self("CoopGovernor.onERC721Received", "its timelock's");
        _self("CoopGovernor.onERC1155Received", "its timelock's");
        _self("CoopGovernor.onERC1155BatchReceived", "its timelock's");
        _peer("CharterGate.approve", "a house's timelock");
        _peer("CharterGate.withdraw", "a house's timelock");
        _peer("CharterGate.setHouses", "itself");
        _open("CharterGate.execute", "what both houses approved");
        _open("CharterGate.constitute", "the members decide, by being enough");
        _peer("PauseGuard.pause", "the guardian");
        _role("PauseGuard.unpause", Roles.MEMBER_HOUSE);
        _role("PauseGuard.setGuardian", Roles.CHARTER);
        _role("PauseGuard.setTarget", Roles.CHARTER);
    }

    function _open(string memory key, string memory reason) private {
        _add(key, Kind.Open, reason);
    }

    function _peer(string memory key, string memory reason) private {
        _add(key, Kind.Peer, reason);
    }

    function _self(string memory key, string memory reason) private {
        _add(key, Kind.Self, reason);
    }

    function _role(string memory key, uint64 role) private {
        _add(key, Kind.Role, "");
        entries[keccak256(bytes(key))].role = role;
    }

    function _add(string memory key, Kind kind, string memory reason) private {
        Entry storage e = entries[keccak256(bytes(key))];
        require(e.kind == Kind.Unknown, key);
        (e.kind, e.reason, e.overloads) = (kind, reason, 1);
        keys.push(key);
    }
}
