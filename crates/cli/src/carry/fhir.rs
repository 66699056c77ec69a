//! Consents and the origin of records, as FHIR R4 has them.

use crate::when::{instant, utc};
use alloy::primitives::{Address, B256};
use rochdale_api::custody::{HeldConsent, HeldContribution};
use rochdale_api::member::ContributionReport;
use rochdale_client::choice;
use rochdale_core::consent::Receipt;
use rochdale_core::ids::MemberId;
use serde_json::{Value, json};

/// The cooperative that resources are of.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// EIP-155.
    pub chain_id: u64,
    /// Whose numbers members have.
    pub membership: Address,
    /// Where consents stand.
    pub consents: Address,
}

/// Whom resources are about: a number that means nothing outside of the cooperative.
fn member(at: &At, id: MemberId) -> Value {
    json!({
        "type": "Patient",
        "identifier": { "system": format!("urn:rochdale:{}:{}", at.chain_id, at.membership), "value": id.to_string() },
        "display": format!("member {id}"),
    })
}

fn cooperative(receipt: Option<&Receipt>, at: &At) -> Value {
    json!({
        "type": "Organization",
        "identifier": { "system": "urn:rochdale:chain", "value": format!("{}:{}", at.chain_id, at.consents) },
        "display": receipt.map_or("The cooperative", |receipt| receipt.controller.name.as_str()),
    })
}

/// How a consent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is in force.
    Active,
    /// It was withdrawn, replaced by a later one, or its membership ended.
    Over,
}

/// One version of a consent as a `Consent`.
pub fn consent(at: &At, held: &HeldConsent, receipt: &Receipt, standing: Standing, notice: Option<&str>) -> Value {
    let duo = "http://purl.obolibrary.org/obo/duo.owl";
    let codes = receipt.choice.permissions.iter().map(|permission| permission.number());
    let purposes: Vec<Value> =
        codes.map(|number| json!({ "system": duo, "code": format!("DUO:{number:07}") })).collect();
    let mut period = json!({ "start": instant(receipt.event.given_at) });
    if receipt.event.expiry > 0 {
        period["end"] = json!(instant(receipt.event.expiry));
    }
    let mut source = json!({ "contentType": "text/plain", "language": receipt.notice.language });
    source["title"] = json!(format!("The notice, keccak-256 {}", receipt.notice.digest));
    if notice.is_some() {
        source["url"] = json!(format!("consents/version-{}.txt", held.version));
    }
    // A condition narrows what is permitted: who does not understand it must not take the consent for a wider one.
    let words = choice::words(&receipt.choice, utc);
    let condition = |said: &String| json!({ "url": "urn:rochdale:consent-condition", "valueString": said });
    let conditions: Vec<Value> = words.iter().map(condition).collect();
    let provision = json!({ "type": "permit", "period": period, "purpose": purposes, "modifierExtension": conditions });
    json!({
        "resourceType": "Consent",
        "id": format!("consent-{}", held.version),
        "identifier": [{ "system": "urn:rochdale:consent-commitment", "value": held.receipt_commitment }],
        "status": if standing == Standing::Active { "active" } else { "inactive" },
        "scope": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research" }] },
        "category": [{ "coding": [{ "system": "http://loinc.org", "code": "59284-0", "display": "Consent Document" }] }],
        "patient": member(at, held.member_id),
        "dateTime": instant(receipt.event.given_at),
        "performer": [member(at, held.member_id)],
        "organization": [cooperative(Some(receipt), at)],
        "sourceAttachment": source,
        "policyRule": { "text": receipt.structure },
        "provision": provision,
    })
}

/// Where a record of the archive comes from, as a `Provenance` of its bundle.
pub fn provenance(
    at: &At,
    member_id: MemberId,
    given: &HeldContribution,
    (file, digest): (&str, B256),
    scored: Option<&ContributionReport>,
    tier: Option<&str>,
) -> Value {
    let number = |name: &str, value: u64| json!({ "url": format!("urn:rochdale:{name}"), "valueDecimal": value });
    let mut extensions = vec![
        number("contribution", given.contribution_id.0),
        number("block", given.block),
        json!({ "url": "urn:rochdale:consent-version", "valueInteger": given.consent_version }),
    ];
    if let Some(score) = scored.and_then(|report| report.score) {
        let parts = [
            ("score-quality", score.quality),
            ("score-uniqueness", score.uniqueness),
            ("score-authenticity", score.authenticity),
            ("score-rarity", score.rarity),
        ];
        extensions.extend(parts.map(|(name, bps)| number(name, u64::from(bps))));
    }
    if let Some(tier) = tier {
        extensions.push(json!({ "url": "urn:rochdale:tier", "valueString": tier }));
    }
    json!({
        "resourceType": "Provenance",
        "id": format!("contribution-{}", given.contribution_id),
        "extension": extensions,
        "target": [{
            "type": "Bundle",
            "identifier": { "system": "urn:rochdale:sha-256", "value": digest },
            "display": file,
        }],
        "occurredDateTime": instant(given.recorded_at),
        "recorded": instant(given.recorded_at),
        "activity": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/v3-DataOperation", "code": "CREATE", "display": "create"
        }] },
        "agent": [{
            "type": { "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "author"
            }] },
            "who": member(at, member_id),
            "onBehalfOf": cooperative(None, at),
        }],
        "entity": [{
            "role": "source",
            "what": {
                "identifier": { "system": "urn:rochdale:contribution-commitment", "value": given.commitment },
                "display": format!("contribution {} on chain", given.contribution_id),
            },
        }],
    })
}
