//! Logs to events.

use alloy::primitives::{B256, U256};
use alloy::rpc::types::Log;
use alloy::sol_types::SolEvent as _;
use rochdale_core::ids::{DatasetId, LicenseId, StewardId};
use rochdale_core::ledger::{Amounts, DemandKind, NewLeaf, OpenedInputs, Params};
use rochdale_core::money::{DataWei, GovWei, MicroUsdc};
use rochdale_core::order::Debit;

use super::read::{DecodeError, amount, malformed, read};
use super::{Event, LicenseTerms, Located, Seat, houses};
use crate::bindings::{
    self, ConsentRegistry, ContributionRegistry, DatasetCatalog, Disputes, EthicsRegistry, License, Membership,
    Programs, SettlementLedger, StewardCommittee, Treasury,
};
use crate::deploy::Addresses;
use crate::eip712;
use crate::house::House;

/// Events as contracts emitted them before an upgrade, of which the chain keeps what they said.
mod former {
    alloy::sol! {
        event ResearcherApproved(address indexed researcher, uint16 purpose, uint64 until);
    }
}

/// The signatures of the events that every process follows.
pub(super) fn topics() -> Vec<B256> {
    vec![
        Membership::Joined::SIGNATURE_HASH,
        Membership::Ended::SIGNATURE_HASH,
        Membership::Left::SIGNATURE_HASH,
        Membership::Expelled::SIGNATURE_HASH,
        Membership::PayoutSet::SIGNATURE_HASH,
        ConsentRegistry::ConsentGranted::SIGNATURE_HASH,
        ConsentRegistry::ConsentRevoked::SIGNATURE_HASH,
        ConsentRegistry::Erased::SIGNATURE_HASH,
        ContributionRegistry::ContributionRecorded::SIGNATURE_HASH,
        StewardCommittee::Seated::SIGNATURE_HASH,
        StewardCommittee::WorkerRegistered::SIGNATURE_HASH,
        StewardCommittee::WorkerRemoved::SIGNATURE_HASH,
        StewardCommittee::SealingKeyRotated::SIGNATURE_HASH,
        StewardCommittee::GatewaySet::SIGNATURE_HASH,
        StewardCommittee::Debited::SIGNATURE_HASH,
        StewardCommittee::ReceiptAnchored::SIGNATURE_HASH,
        SettlementLedger::Proposed::SIGNATURE_HASH,
        SettlementLedger::Claimed::SIGNATURE_HASH,
        SettlementLedger::ClaimSkipped::SIGNATURE_HASH,
        Disputes::Objected::SIGNATURE_HASH,
        Disputes::ObjectionRejected::SIGNATURE_HASH,
        SettlementLedger::Voided::SIGNATURE_HASH,
        Disputes::Demanded::SIGNATURE_HASH,
        Disputes::RowPublished::SIGNATURE_HASH,
        Disputes::InputsPublished::SIGNATURE_HASH,
        SettlementLedger::PausedUntil::SIGNATURE_HASH,
        SettlementLedger::ParamsSet::SIGNATURE_HASH,
        Programs::ProgramSet::SIGNATURE_HASH,
        DatasetCatalog::DatasetPublished::SIGNATURE_HASH,
        DatasetCatalog::DatasetClosed::SIGNATURE_HASH,
        License::LicenseIssued::SIGNATURE_HASH,
        License::LicenseExtended::SIGNATURE_HASH,
        License::LicenseRevoked::SIGNATURE_HASH,
        EthicsRegistry::ResearcherApproved::SIGNATURE_HASH,
        former::ResearcherApproved::SIGNATURE_HASH,
        Treasury::Booked::SIGNATURE_HASH,
    ]
}

/// Reads a log, `None` where it is not an event of ours. `timestamp` is its block's, in Unix seconds.
///
/// # Errors
/// Where one of our contracts emitted something that the bindings do not fit, or the log has no place yet.
pub fn decode(addresses: &Addresses, log: &Log, timestamp: u64) -> Result<Option<Located>, DecodeError> {
    let Some(event) = event(addresses, log)? else { return Ok(None) };
    Ok(Some(Located {
        block_number: log.block_number.ok_or(DecodeError::Unplaced("block number"))?,
        block_hash: log.block_hash.ok_or(DecodeError::Unplaced("block hash"))?,
        timestamp,
        log_index: log.log_index.ok_or(DecodeError::Unplaced("log index"))?,
        transaction: log.transaction_hash.ok_or(DecodeError::Unplaced("transaction"))?,
        event,
    }))
}

fn event(a: &Addresses, log: &Log) -> Result<Option<Event>, DecodeError> {
    let Some(topic) = log.topic0() else { return Ok(None) };
    let from = log.address();
    if from == a.membership {
        membership(*topic, log)
    } else if from == a.consent_registry {
        consent(*topic, log)
    } else if from == a.contribution_registry {
        contribution(*topic, log)
    } else if from == a.steward_committee {
        Ok(committee(*topic, log)?.or(houses::bonds(*topic, log)?))
    } else if from == a.settlement_ledger {
        settlement(*topic, log)
    } else if [a.dataset_catalog, a.license, a.market, a.treasury, a.ethics_registry].contains(&from) {
        market(*topic, log)
    } else if from == a.disputes {
        dispute(*topic, log)
    } else if from == a.programs {
        program(*topic, log)
    } else if [a.token_governor, a.member_governor].contains(&from) {
        houses::governor(house(from == a.member_governor), *topic, log)
    } else if [a.token_timelock, a.member_timelock].contains(&from) {
        houses::timelock(house(from == a.member_timelock), *topic, log)
    } else if from == a.charter_gate {
        houses::charter(a, *topic, log)
    } else if from == a.gov_token {
        houses::token(*topic, log)
    } else if from == a.service_desk {
        houses::service(*topic, log)
    } else if from == a.pause_guard {
        houses::guard(*topic, log)
    } else if from == a.researcher_bond {
        houses::bonds(*topic, log)
    } else {
        Ok(None)
    }
}

fn house(is_members: bool) -> House {
    if is_members { House::Member } else { House::Token }
}

fn membership(topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    Ok(Some(match topic {
        Membership::Joined::SIGNATURE_HASH => {
            let e: Membership::Joined = read(log)?;
            Event::Joined {
                member: e.memberId.into(),
                account: e.account,
                payout: e.payout,
                nullifier: e.nullifier,
                row_key_digest: e.rowKeyDigest,
            }
        }
        Membership::Ended::SIGNATURE_HASH => Event::Ended { member: read::<Membership::Ended>(log)?.memberId.into() },
        Membership::Left::SIGNATURE_HASH => Event::Left { member: read::<Membership::Left>(log)?.memberId.into() },
        Membership::Expelled::SIGNATURE_HASH => {
            let e: Membership::Expelled = read(log)?;
            Event::Expelled { member: e.memberId.into(), reason_hash: e.reasonHash }
        }
        Membership::PayoutSet::SIGNATURE_HASH => {
            let e: Membership::PayoutSet = read(log)?;
            Event::PayoutSet { member: e.memberId.into(), payout: e.payout }
        }
        _ => return Ok(None),
    }))
}

fn consent(topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    Ok(Some(match topic {
        ConsentRegistry::ConsentGranted::SIGNATURE_HASH => {
            let e: ConsentRegistry::ConsentGranted = read(log)?;
            Event::ConsentGranted {
                member: e.memberId.into(),
                version: e.version,
                receipt_commitment: e.receiptCommitment,
                expiry: e.expiry,
            }
        }
        ConsentRegistry::ConsentRevoked::SIGNATURE_HASH => {
            let e: ConsentRegistry::ConsentRevoked = read(log)?;
            Event::ConsentRevoked { member: e.memberId.into(), version: e.version }
        }
        ConsentRegistry::Erased::SIGNATURE_HASH => {
            Event::Erased { member: read::<ConsentRegistry::Erased>(log)?.memberId.into() }
        }
        _ => return Ok(None),
    }))
}

fn contribution(topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    if topic != ContributionRegistry::ContributionRecorded::SIGNATURE_HASH {
        return Ok(None);
    }
    let e: ContributionRegistry::ContributionRecorded = read(log)?;
    Ok(Some(Event::ContributionRecorded {
        contribution: e.contributionId.into(),
        member: e.memberId.into(),
        commitment: e.commitment,
        consent_version: e.consentVersion,
    }))
}

fn committee(topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    Ok(Some(match topic {
        StewardCommittee::Seated::SIGNATURE_HASH => {
            let e: StewardCommittee::Seated = read(log)?;
            let seats = e.seats.iter().map(|s| Seat { signer: s.signer, sealing_key: s.sealingKey }).collect();
            Event::Seated { generation: e.generation, seats, quorum: e.quorum }
        }
        StewardCommittee::SealingKeyRotated::SIGNATURE_HASH => {
            let e: StewardCommittee::SealingKeyRotated = read(log)?;
            Event::SealingKeyRotated { steward: StewardId(e.stewardId), sealing_key: e.sealingKey }
        }
        StewardCommittee::WorkerRegistered::SIGNATURE_HASH => {
            let e: StewardCommittee::WorkerRegistered = read(log)?;
            Event::WorkerRegistered { signer: e.signer, sealing_key: e.sealingKey }
        }
        StewardCommittee::WorkerRemoved::SIGNATURE_HASH => {
            Event::WorkerRemoved { signer: read::<StewardCommittee::WorkerRemoved>(log)?.signer }
        }
        StewardCommittee::GatewaySet::SIGNATURE_HASH => {
            Event::GatewaySet { gateway: read::<StewardCommittee::GatewaySet>(log)?.gateway }
        }
        StewardCommittee::Debited::SIGNATURE_HASH => {
            let e: StewardCommittee::Debited = read(log)?;
            let debit = Debit {
                license_id: e.licenseId.into(),
                order: e.order,
                query_digest: e.queryDigest,
                snapshot: e.snapshot,
                purpose: e.purpose.into(),
                rho: e.rho,
                deadline: e.deadline,
            };
            Event::Debited { id: e.id, debit }
        }
        StewardCommittee::ReceiptAnchored::SIGNATURE_HASH => {
            let e: StewardCommittee::ReceiptAnchored = read(log)?;
            Event::ReceiptAnchored { id: e.id, order: e.order, result_digest: e.resultDigest, worker: e.worker }
        }
        _ => return Ok(None),
    }))
}

fn settlement(topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    Ok(Some(match topic {
        SettlementLedger::Proposed::SIGNATURE_HASH => {
            let e: SettlementLedger::Proposed = read(log)?;
            Event::Proposed {
                epoch: e.epoch.into(),
                attempt: e.header.attempt,
                root: e.header.root,
                final_at: e.finalAt,
                header: Box::new(eip712::Header::from(e.header).into()),
            }
        }
        SettlementLedger::Claimed::SIGNATURE_HASH => {
            let e: SettlementLedger::Claimed = read(log)?;
            Event::Claimed {
                member: e.memberId.into(),
                payout: e.payout,
                cash: MicroUsdc(amount("cash", U256::from(e.cash))?),
                data: DataWei(amount("data", U256::from(e.data))?),
                gov: GovWei(amount("gov", U256::from(e.gov))?),
            }
        }
        SettlementLedger::ClaimSkipped::SIGNATURE_HASH => {
            Event::ClaimSkipped { member: read::<SettlementLedger::ClaimSkipped>(log)?.memberId.into() }
        }
        SettlementLedger::ParamsSet::SIGNATURE_HASH => {
            let e: SettlementLedger::ParamsSet = read(log)?;
            let params = Box::new(Params::from(&e.params));
            Event::ParamsSet { from_epoch: e.fromEpoch.into(), params_hash: e.paramsHash, params }
        }
        SettlementLedger::Voided::SIGNATURE_HASH => {
            let e: SettlementLedger::Voided = read(log)?;
            Event::Voided { epoch: e.epoch.into(), attempt: e.attempt, reason: e.reason }
        }
        SettlementLedger::PausedUntil::SIGNATURE_HASH => {
            Event::SettlementPaused { until: read::<SettlementLedger::PausedUntil>(log)?.until }
        }
        // When a disputed root is final follows from the events of Disputes.
        _ => return Ok(None),
    }))
}

fn dispute(topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    Ok(Some(match topic {
        Disputes::Objected::SIGNATURE_HASH => {
            let e: Disputes::Objected = read(log)?;
            Event::Objected { epoch: e.epoch.into(), attempt: e.attempt, steward: e.steward }
        }
        Disputes::ObjectionRejected::SIGNATURE_HASH => {
            let e: Disputes::ObjectionRejected = read(log)?;
            Event::ObjectionRejected { epoch: e.epoch.into(), attempt: e.attempt, final_at: e.finalAt }
        }
        Disputes::Demanded::SIGNATURE_HASH => {
            let e: Disputes::Demanded = read(log)?;
            let (member, kind) = (e.memberId.into(), kind(e.kind, log)?);
            Event::Demanded { epoch: e.epoch.into(), attempt: e.attempt, member, kind, answer_by: e.answerBy }
        }
        Disputes::RowPublished::SIGNATURE_HASH => {
            let e: Disputes::RowPublished = read(log)?;
            let shown = Amounts { cash: e.row.cash, stream: e.row.stream, data: e.row.data, gov: e.row.gov };
            let leaf = Box::new(NewLeaf { shown, private_hash: e.row.privateHash, proof: e.proof });
            Event::RowPublished { epoch: e.epoch.into(), attempt: e.attempt, member: e.memberId.into(), leaf }
        }
        Disputes::InputsPublished::SIGNATURE_HASH => {
            let e: Disputes::InputsPublished = read(log)?;
            let (epoch, attempt, member) = (e.epoch.into(), e.attempt, e.memberId.into());
            let opened = bindings::inputs(&e.inputs)
                .map(|inputs| Box::new(OpenedInputs { inputs, blinder: e.blinder, proof: e.proof }));
            Event::InputsPublished { epoch, attempt, member, opened }
        }
        _ => return Ok(None),
    }))
}

fn kind(kind: u8, log: &Log) -> Result<DemandKind, DecodeError> {
    DemandKind::try_from(kind).map_err(|detail| malformed::<Disputes::Demanded>(log, detail))
}

fn program(topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    if topic != Programs::ProgramSet::SIGNATURE_HASH {
        return Ok(None);
    }
    let e: Programs::ProgramSet = read(log)?;
    Ok(Some(Event::ProgramSet {
        program: e.programId,
        awarder: e.program.awarder,
        kind: e.program.kind,
        cap_per_epoch: e.program.capPerEpoch,
        cap_per_member: e.program.capPerMember,
        open: e.program.open,
    }))
}

fn market(topic: B256, log: &Log) -> Result<Option<Event>, DecodeError> {
    Ok(Some(match topic {
        DatasetCatalog::DatasetPublished::SIGNATURE_HASH => {
            let e: DatasetCatalog::DatasetPublished = read(log)?;
            Event::DatasetPublished {
                dataset: e.datasetId.into(),
                data_type: e.dataType,
                source: e.source,
                price_per_thousand: MicroUsdc(e.pricePerThousand),
                terms_hash: e.termsHash,
            }
        }
        DatasetCatalog::DatasetClosed::SIGNATURE_HASH => {
            Event::DatasetClosed { dataset: read::<DatasetCatalog::DatasetClosed>(log)?.datasetId.into() }
        }
        License::LicenseIssued::SIGNATURE_HASH => {
            let e: License::LicenseIssued = read(log)?;
            let terms = LicenseTerms {
                dataset: e.terms.datasetId.into(),
                right: e.terms.right,
                purpose: e.terms.purpose.into(),
                ehds_category: e.terms.ehdsCategory,
                records: e.terms.records,
                issued_at: e.terms.issuedAt,
                expiry: e.terms.expiry,
                recipient_key: e.terms.recipientKey,
            };
            Event::LicenseIssued { license: e.licenseId.into(), holder: e.holder, terms }
        }
        License::LicenseExtended::SIGNATURE_HASH => {
            let e: License::LicenseExtended = read(log)?;
            Event::LicenseExtended { license: e.licenseId.into(), expiry: e.expiry }
        }
        License::LicenseRevoked::SIGNATURE_HASH => {
            Event::LicenseRevoked { license: read::<License::LicenseRevoked>(log)?.licenseId.into() }
        }
        EthicsRegistry::ResearcherApproved::SIGNATURE_HASH => {
            let e: EthicsRegistry::ResearcherApproved = read(log)?;
            Event::ResearcherApproved {
                researcher: e.researcher,
                purpose: e.purpose.into(),
                until: e.until,
                protocol: e.protocol,
            }
        }
        former::ResearcherApproved::SIGNATURE_HASH => {
            let e: former::ResearcherApproved = read(log)?;
            Event::ResearcherApproved {
                researcher: e.researcher,
                purpose: e.purpose.into(),
                until: e.until,
                protocol: String::new(),
            }
        }
        Treasury::Booked::SIGNATURE_HASH => booked(&read(log)?)?,
        _ => return houses::treasury(topic, log),
    }))
}

fn booked(e: &Treasury::Booked) -> Result<Event, DecodeError> {
    Ok(Event::Booked {
        license: LicenseId(e.licenseId),
        dataset: DatasetId(e.datasetId),
        contributors: MicroUsdc(amount("contributors", e.contributors)?),
        buyback: MicroUsdc(amount("buyback", e.buyback)?),
        operations: MicroUsdc(amount("operations", e.operations)?),
        compliance: MicroUsdc(amount("compliance", e.compliance)?),
        reserve: MicroUsdc(amount("reserve", e.reserve)?),
    })
}

#[cfg(test)]
mod tests {

    use std::collections::BTreeSet;
    use std::path::Path;

    use alloy::json_abi::JsonAbi;
    use alloy::primitives::{Address, Bytes, LogData};
    use rochdale_core::ids::Purpose;

    use super::*;

    /// Events that are expressly left aside: contract, event (`*` for all), reason.
    const IGNORED: &[(&str, &str, &str)] = &[
        ("*", "Approval", "tokens and soulbound things are asked of their contracts"),
        ("*", "ApprovalForAll", "tokens and soulbound things are asked of their contracts"),
        ("*", "AuthorityUpdated", "the authority is fixed at the founding"),
        ("*", "EIP712DomainChanged", "it is emitted by nothing"),
        ("*", "Initialized", "the founding reads its own receipts"),
        ("License", "Locked", "it is emitted once, where a license is issued, which is followed"),
        ("*", "Transfer", "balances are asked of the tokens; a mint has an event of its own"),
        ("License", "Unlocked", "it is emitted by nothing"),
        ("Membership", "Locked", "soulbound for ever"),
        ("Membership", "Unlocked", "soulbound for ever"),
        ("*", "Upgraded", "code is compared by `coop upgrade`"),
        ("AuctionHouse", "*", "a sale ends in an issued license and a booking, which are followed"),
        ("Buyback", "*", "it is shown from the contract"),
        ("CharterGate", "HousesSet", "the houses are those of the manifest"),
        ("ComputeDesk", "*", "its licenses and bookings are followed; a job is shown from the contract"),
        ("CoopAuthority", "*", "roles are read back by `coop verify`"),
        ("CoopFactory", "*", "the founding reads its own receipts"),
        ("CoopGovernor", "ProposalExecuted", "the timelock tells of every execution"),
        ("CoopGovernor", "QuorumFloorSet", "the quorum of a proposal is asked of the governor once"),
        ("CoopGovernor", "SettingsSet", "the quorum of a proposal is asked of the governor once"),
        ("CoopTimelock", "CallSalt", "an operation's number is its proposal's"),
        ("CoopTimelock", "CallScheduled", "the governor tells what it queued"),
        ("CoopTimelock", "RoleAdminChanged", "roles are read back by `coop verify`"),
        ("CoopTimelock", "RoleGranted", "roles are read back by `coop verify`"),
        ("CoopTimelock", "RoleRevoked", "roles are read back by `coop verify`"),
        ("DataToken", "*", "balances are asked of the token"),
        ("GovToken", "Listed", "the token judges who receives it"),
        ("GovToken", "Locked", "locks are asked of the token"),
        ("GovToken", "Unlocked", "locks are asked of the token"),
        ("Market", "BondRequired", "the contract judges each sale"),
        ("Market", "DataTermsSet", "a sale for DATA says what was paid"),
        ("Market", "PausedUntil", "the contract judges each sale"),
        ("Market", "RefundWindowSet", "the contract judges each cancellation"),
        ("Market", "Renewed", "the license's extension and its booking are followed"),
        ("Market", "ReservationActivated", "its license and its booking are followed"),
        ("Market", "ReservationCancelled", "nothing was sold"),
        ("Market", "Reserved", "nothing is sold yet"),
        ("MemberAccount", "*", "an account's keys are its own affair"),
        ("MemberAccountFactory", "*", "an account's address is computed"),
        ("OperatorPay", "*", "what is owed is asked of the contract"),
        ("PauseGuard", "TargetSet", "what may be paused is asked of the contract"),
        ("ResearcherBond", "BondPosted", "what is at stake is asked of the contract"),
        ("ResearcherBond", "BondTermsSet", "what is at stake is asked of the contract"),
        ("ResearcherBond", "BondWithdrawn", "what is at stake is asked of the contract"),
        ("ResearcherBond", "PausedUntil", "the contract judges each bond"),
        ("ResearcherBond", "UnbondRequested", "what is at stake is asked of the contract"),
        ("ServiceDesk", "PausedUntil", "the contract judges each order"),
        ("ServiceDesk", "ServiceOrdered", "an order is shown from the contract"),
        ("Vesting", "*", "what is due is asked of the contract"),
        ("ConsentRegistry", "PausedUntil", "no denial is paused; whoever sends a grant is told"),
        ("ContributionRegistry", "CooldownSet", "the contract judges each contribution"),
        ("ContributionRegistry", "PausedUntil", "the contract judges each contribution"),
        ("EthicsRegistry", "EthicsBoardSet", "the contract judges who approves"),
        ("Membership", "AdmissionsPerEpochSet", "the contract judges who is admitted"),
        ("Membership", "DelegateChanged", "votes are asked of the contract at a snapshot"),
        ("Membership", "DelegateVotesChanged", "votes are asked of the contract at a snapshot"),
        ("Membership", "PausedUntil", "the contract judges who is admitted"),
        ("Membership", "RegistrarSet", "the contract judges whose admission counts"),
        ("Programs", "MaxPointsPerEpochSet", "it bounds caps, which are followed"),
        ("SettlementLedger", "FinalAtSet", "the same change is told by the disputes and by the pause that caused it"),
        ("SettlementLedger", "EmissionSet", "it bounds parameters, which are followed"),
        ("StewardCommittee", "BondWithdrawn", "who is active is asked of the contract"),
        ("StewardCommittee", "Bonded", "who is active is asked of the contract"),
        ("StewardCommittee", "Equivocated", "a slash is shown from the contract"),
        ("StewardCommittee", "MinBondSet", "who is active is asked of the contract"),
        ("StewardCommittee", "ObjectionBondSet", "the contract judges objections"),
        ("StewardCommittee", "ObjectionLocked", "the ledger tells of objections"),
        ("StewardCommittee", "ObjectionSettled", "the ledger tells of objections"),
        ("StewardCommittee", "PausedUntil", "the contract judges each debit and receipt"),
        ("StewardCommittee", "SlashOpened", "a slash is shown from the contract"),
        ("StewardCommittee", "SlashReturned", "a slash is shown from the contract"),
        ("StewardCommittee", "Unbonding", "bonds are asked of the contract"),
        ("TestUSDC", "*", "balances are asked of the token"),
        ("Treasury", "MinContributorsSet", "a booking says how it was split"),
        ("Treasury", "SplitSet", "a booking says how it was split"),
        ("Treasury", "TokenSpent", "other tokens than USDC are in no bucket"),
    ];

    /// The committed ABIs by the name of their contract.
    fn abis() -> Vec<(String, JsonAbi)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../abi");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let read = |path: std::path::PathBuf| {
            let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_value(file["abi"].clone()).unwrap())
        };
        files.map(read).collect()
    }

    /// Whether a log of this kind from this place is read, well-formed or not, instead of passed over.
    fn is_read(addresses: &Addresses, at: Address, topic: B256) -> bool {
        let data = LogData::new_unchecked(vec![topic], Bytes::new());
        let log = Log { inner: alloy::primitives::Log { address: at, data }, ..Log::default() };
        !matches!(event(addresses, &log), Ok(None))
    }

    #[test]
    fn what_the_ethics_board_decided_before_its_registry_was_upgraded_is_followed() {
        let places: Vec<Address> = (1..=64).map(Address::with_last_byte).collect();
        let addresses = Addresses::new(Address::with_last_byte(100), Address::with_last_byte(101), &places);
        let researcher = Address::repeat_byte(7);
        let read = |data: LogData| {
            let inner = alloy::primitives::Log { address: addresses.ethics_registry, data };
            event(&addresses, &Log { inner, ..Log::default() }).unwrap().unwrap()
        };
        let before = former::ResearcherApproved { researcher, purpose: 6, until: 9 };
        let protocol = r#"{"country":"SE"}"#.to_owned();
        let since = EthicsRegistry::ResearcherApproved { researcher, purpose: 6, until: 9, protocol: protocol.clone() };
        let (purpose, until) = (Purpose(6), 9);
        assert!(topics().contains(&former::ResearcherApproved::SIGNATURE_HASH));
        assert_eq!(
            read(before.encode_log_data()),
            Event::ResearcherApproved { researcher, purpose, until, protocol: String::new() }
        );
        assert_eq!(read(since.encode_log_data()), Event::ResearcherApproved { researcher, purpose, until, protocol });
    }

    #[test]
    fn every_event_of_every_contract_is_followed_or_expressly_ignored() {
        let places: Vec<Address> = (1..=64).map(Address::with_last_byte).collect();
        let addresses = Addresses::new(Address::with_last_byte(100), Address::with_last_byte(101), &places);
        let asked: BTreeSet<B256> = topics().into_iter().chain(houses::TOPICS).collect();
        let (mut faults, mut used) = (Vec::new(), BTreeSet::new());
        for (contract, abi) in abis() {
            let place = addresses.named().into_iter().find(|(_, of, _)| *of == contract).map(|(_, _, at)| at);
            for event in abi.events() {
                let topic = event.selector();
                let followed = asked.contains(&topic) && place.is_some_and(|at| is_read(&addresses, at, topic));
                let fits = |what: &str, is: &str| what == "*" || what == is;
                let rows = IGNORED.iter().enumerate();
                let rows = rows.filter(|(_, (of, name, _))| fits(of, &contract) && fits(name, &event.name));
                let rows: Vec<usize> = rows.map(|(row, _)| row).collect();
                used.extend(rows.iter().copied());
                if followed != rows.is_empty() {
                    faults
                        .push(format!("{contract}.{}: followed {followed}, listed as ignored {followed}", event.name));
                }
            }
        }
        faults.extend(
            (0..IGNORED.len()).filter(|row| !used.contains(row)).map(|row| format!("no event: {:?}", IGNORED[row])),
        );
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
