//! The consent receipt: the fields of ISO/IEC TS 27560:2023, with terms of the W3C Data Privacy Vocabulary (DPV 2).
//!
//! Its digest is keccak-256 of the RFC 8785 JSON; on chain stands a blinded commitment to it ([`commit::consent`]). A receipt carries no
//! name: the principal is a member id, and it is only ever sealed to the stewards.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use super::duo::{Modifier, Permission};
use super::ehds::EhdsCategory;
use crate::budget::Own;
use crate::commit::{self, CommitError};
use crate::ids::MemberId;

/// Version of this JSON form.
const SCHEMA: &str = "rochdale-consent-1";
/// The record structure it follows.
const STRUCTURE: &str = "ISO/IEC TS 27560:2023";
const EXPLICIT: &str = "dpv:ExplicitlyExpressedConsent";
const GIVEN: &str = "dpv:ConsentGiven";

/// Why a receipt is not one of the consent on chain.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReceiptError {
    /// A field with one possible value has another.
    #[error("{field} = {given:?}: this version writes {expected:?}")]
    Fixed {
        /// The name of the field at fault.
        field: &'static str,
        /// What it holds.
        given: String,
        /// What it must hold.
        expected: &'static str,
    },
    /// The receipt and the chain disagree.
    #[error("{field} of the receipt is {receipt}, on chain it is {chain}")]
    Chain {
        /// The name of the field at fault.
        field: &'static str,
        /// In the receipt.
        receipt: u64,
        /// The value that stands on chain.
        chain: u64,
    },
    /// A field that must not be empty is.
    #[error("{0} is empty: a consent to nothing permits nothing")]
    Empty(&'static str),
}

/// What the member permits. What is not listed is not permitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Choice {
    /// Purposes, any of which suffices.
    pub permissions: BTreeSet<Permission>,
    /// Conditions, all of which must hold.
    #[serde(default)]
    pub modifiers: BTreeSet<Modifier>,
    /// Purposes of Regulation (EU) 2025/327, article 53(1).
    pub ehds: BTreeSet<EhdsCategory>,
    /// Whether de-identified records may be exported, which voids differential privacy. Queries need no flag: they are what membership is for.
    #[serde(default)]
    pub export: bool,
    /// The most privacy loss for life, in nano-zCDP, where the member chooses less than the cooperative's bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_rho: Option<u64>,
    /// The same for what becomes available with each year of membership.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yearly_rho: Option<u64>,
}

impl Choice {
    /// The bounds of privacy loss that the member chose.
    #[must_use]
    pub fn own_budget(&self) -> Own {
        Own { lifetime: self.lifetime_rho, per_year: self.yearly_rho }
    }

    /// What a form offers first: health research by queries, with ethics approval, for scientific research.
    #[must_use]
    pub fn health_research() -> Self {
        Self {
            permissions: BTreeSet::from([Permission::HealthMedicalBiomedical {}]),
            modifiers: BTreeSet::from([Modifier::EthicsApprovalRequired {}]),
            ehds: BTreeSet::from([EhdsCategory::ScientificResearch]),
            export: false,
            lifetime_rho: None,
            yearly_rho: None,
        }
    }
}

/// Who answers for the processing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Controller {
    /// The cooperative's name.
    pub name: String,
    /// Where to reach it.
    pub contact: String,
    /// EIP-155 chain id of its registry.
    pub chain_id: u64,
    /// Address of its `ConsentRegistry`.
    pub registry: Address,
}

/// What the member was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notice {
    /// BCP 47 language tag.
    pub language: String,
    /// keccak-256 of the text.
    pub digest: B256,
}

/// The consent event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Event {
    /// `dpv:ConsentGiven`.
    pub status: String,
    /// `dpv:ExplicitlyExpressedConsent`.
    pub expression: String,
    /// Unix seconds.
    pub given_at: u64,
    /// Unix seconds; 0 for until withdrawn.
    pub expiry: u64,
}

/// A consent receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    /// Version of this JSON form.
    pub schema: String,
    /// The structure it follows.
    pub structure: String,
    /// The member (PII principal), by a number that means nothing elsewhere.
    pub principal: MemberId,
    /// The consent's version on chain; with the controller's registry it identifies the record.
    pub version: u32,
    /// Who answers for the processing, as the law asks.
    pub controller: Controller,
    /// What was shown.
    pub notice: Notice,
    /// `dpv:hasLegalBasis`.
    pub legal_basis: Vec<String>,
    /// `dpv:hasPersonalData`.
    pub personal_data: Vec<String>,
    /// `dpv:hasProcessing`.
    pub processing: Vec<String>,
    /// `dpv:hasStorageCondition`.
    pub storage: Vec<String>,
    /// `dpv:hasRight`.
    pub rights: Vec<String>,
    /// How to withdraw.
    pub withdrawal: String,
    /// What is permitted.
    pub choice: Choice,
    /// When and how.
    pub event: Event,
}

fn terms(list: &[&str]) -> Vec<String> {
    list.iter().map(|&term| term.to_owned()).collect()
}

impl Receipt {
    /// The receipt of consent `version` by `principal`, given at `given_at` until `expiry` (unix seconds; 0 = until withdrawn).
    #[must_use]
    pub fn new(
        principal: MemberId,
        version: u32,
        controller: Controller,
        notice: Notice,
        choice: Choice,
        given_at: u64,
        expiry: u64,
    ) -> Self {
        Self {
            schema: SCHEMA.into(),
            structure: STRUCTURE.into(),
            principal,
            version,
            controller,
            notice,
            legal_basis: terms(&["eu-gdpr:A6-1-a", "eu-gdpr:A9-2-a"]),
            personal_data: terms(&["pd:HealthRecord"]),
            processing: terms(&["dpv:Store", "dpv:Assess", "dpv:Analyse", "dpv:Anonymise"]),
            storage: terms(&["dpv:StorageDeletion", "dpv:UntilEventDuration"]),
            rights: terms(&["eu-gdpr:A7-3", "eu-gdpr:A15", "eu-gdpr:A17", "eu-gdpr:A20"]),
            withdrawal: "ConsentRegistry.revoke or .erase, by the member's account, without cost, at any time".into(),
            choice,
            event: Event { status: GIVEN.into(), expression: EXPLICIT.into(), given_at, expiry },
        }
    }

    /// keccak-256 of the RFC 8785 JSON.
    ///
    /// # Errors
    /// Where a time is beyond 53 bits.
    pub fn digest(&self) -> Result<B256, CommitError> {
        commit::json(self)
    }

    /// Checks the fixed fields, and that the receipt is the one of the consent that the chain knows. The commitment is checked apart.
    ///
    /// # Errors
    /// With the first field at fault.
    pub fn check(&self, principal: MemberId, version: u32, expiry: u64) -> Result<(), ReceiptError> {
        let fixed = [
            ("schema", &self.schema, SCHEMA),
            ("structure", &self.structure, STRUCTURE),
            ("event.status", &self.event.status, GIVEN),
            ("event.expression", &self.event.expression, EXPLICIT),
        ];
        if let Some((field, given, expected)) = fixed.into_iter().find(|(_, given, expected)| given != expected) {
            return Err(ReceiptError::Fixed { field, given: given.clone(), expected });
        }
        let chain = [
            ("principal", self.principal.0.into(), principal.0.into()),
            ("version", self.version.into(), version.into()),
            ("event.expiry", self.event.expiry, expiry),
        ];
        if let Some((field, receipt, chain)) = chain.into_iter().find(|(_, receipt, chain)| receipt != chain) {
            return Err(ReceiptError::Chain { field, receipt, chain });
        }
        if self.choice.permissions.is_empty() {
            return Err(ReceiptError::Empty("choice.permissions"));
        }
        if self.choice.ehds.is_empty() {
            return Err(ReceiptError::Empty("choice.ehds"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn receipt() -> Receipt {
        let controller = Controller {
            name: "Rochdale".into(),
            contact: "mailto:data@example.org".into(),
            chain_id: 31_337,
            registry: Address::repeat_byte(0xaa),
        };
        let notice = Notice { language: "en".into(), digest: B256::repeat_byte(1) };
        Receipt::new(MemberId(7), 2, controller, notice, Choice::health_research(), 1_000, 2_000)
    }

    #[test]
    fn a_receipt_survives_the_round_trip() {
        let json = commit::canonical_json(&receipt()).unwrap();
        let read: Receipt = serde_json::from_slice(&json).unwrap();
        assert_eq!(read, receipt());
        assert_eq!(read.digest().unwrap(), alloy_primitives::keccak256(&json));
        let text = String::from_utf8(json).unwrap();
        for part in [
            r#""choice":{"ehds":["scientific_research"],"export":false,"modifiers":[{"term":"DUO:0000021"}],"permissions":[{"term":"DUO:0000006"}]}"#,
            r#""event":{"expiry":2000,"expression":"dpv:ExplicitlyExpressedConsent","givenAt":1000,"status":"dpv:ConsentGiven"}"#,
            r#""structure":"ISO/IEC TS 27560:2023""#,
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        let extra = text.replacen('{', r#"{"name":"Ada","#, 1);
        assert!(serde_json::from_str::<Receipt>(&extra).unwrap_err().to_string().contains("unknown field"));
    }

    #[test]
    fn a_receipt_is_that_of_the_consent_on_chain() {
        let receipt = receipt();
        receipt.check(MemberId(7), 2, 2_000).unwrap();
        let other = ReceiptError::Chain { field: "principal", receipt: 7, chain: 8 };
        assert_eq!(receipt.check(MemberId(8), 2, 2_000), Err(other));
        assert!(receipt.check(MemberId(7), 3, 2_000).is_err());
        assert!(receipt.check(MemberId(7), 2, 0).is_err());
        let mut withdrawn = receipt.clone();
        withdrawn.event.status = "dpv:ConsentWithdrawn".into();
        assert!(matches!(
            withdrawn.check(MemberId(7), 2, 2_000),
            Err(ReceiptError::Fixed { field: "event.status", .. })
        ));
        let mut nothing = receipt;
        nothing.choice.permissions.clear();
        assert_eq!(nothing.check(MemberId(7), 2, 2_000), Err(ReceiptError::Empty("choice.permissions")));
    }
}
