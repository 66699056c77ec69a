//! Logs to events.

use alloy::primitives::{B256, U256};
use alloy::rpc::types::Log;
use alloy::sol_types::SolEvent;
use rochdale_core::ids::{DatasetId, LicenseId};
use rochdale_core::ledger::{Amounts, DemandKind, NewLeaf, OpenedInputs, Params};
use rochdale_core::money::{DataWei, GovWei, MicroUsdc};

use super::{Event, LicenseTerms, Located, Seat, amount};
use crate::bindings::{
    self, ConsentRegistry, ContributionRegistry, DatasetCatalog, Disputes, EthicsRegistry, License, Membership,
    Programs, SettlementLedger, StewardCommittee, Treasury,
};
use crate::deploy::Addresses;
use crate::eip712;

/// A log of our contracts that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The data does not match the event's type.
    #[error("log {index} of block {block} does not decode as {event}: {detail}; do the bindings match the contracts?")]
    Malformed {
        /// The event.
        event: &'static str,
        /// Block number.
        block: u64,
        /// Log index.
        index: u64,
        /// Why.
        detail: String,
    },
    /// An amount above 128 bits.
    #[error("{field} = {value} exceeds 128 bits")]
    TooLarge {
        /// The field.
        field: &'static str,
        /// Its value.
        value: U256,
    },
    /// A log without its place, as a node gives for pending blocks.
    #[error("the RPC returned a log without {0}; it is pending or the node is incomplete")]
    Unplaced(&'static str),
}

/// The signatures of all events that are followed.
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
        StewardCommittee::GatewaySet::SIGNATURE_HASH,
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
        License::LicenseIssued::SIGNATURE_HASH,
        EthicsRegistry::ResearcherApproved::SIGNATURE_HASH,
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
        committee(*topic, log)
    } else if from == a.settlement_ledger {
        settlement(*topic, log)
    } else if [a.dataset_catalog, a.license, a.market, a.treasury, a.ethics_registry].contains(&from) {
        market(*topic, log)
    } else if from == a.disputes {
        dispute(*topic, log)
    } else if from == a.programs {
        program(*topic, log)
    } else {
        Ok(None)
    }
}

fn read<E: SolEvent>(log: &Log) -> Result<E, DecodeError> {
    E::decode_log_data(&log.inner.data).map_err(|e| DecodeError::Malformed {
        event: E::SIGNATURE,
        block: log.block_number.unwrap_or_default(),
        index: log.log_index.unwrap_or_default(),
        detail: e.to_string(),
    })
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
        StewardCommittee::ReceiptAnchored::SIGNATURE_HASH => {
            let e: StewardCommittee::ReceiptAnchored = read(log)?;
            Event::ReceiptAnchored {
                index: e.index,
                entry_hash: e.entryHash,
                query_digest: e.queryDigest,
                snapshot: e.snapshot,
                license: e.licenseId.into(),
                rho: e.rho,
                result_digest: e.resultDigest,
                worker: e.worker,
            }
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
    DemandKind::try_from(kind).map_err(|detail| DecodeError::Malformed {
        event: Disputes::Demanded::SIGNATURE,
        block: log.block_number.unwrap_or_default(),
        index: log.log_index.unwrap_or_default(),
        detail,
    })
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
        EthicsRegistry::ResearcherApproved::SIGNATURE_HASH => {
            let e: EthicsRegistry::ResearcherApproved = read(log)?;
            Event::ResearcherApproved { researcher: e.researcher, purpose: e.purpose.into(), until: e.until }
        }
        Treasury::Booked::SIGNATURE_HASH => booked(&read(log)?)?,
        _ => return Ok(None),
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
