//! SMART Health Cards: what an issuer signed and gave as a file or as the text of QR codes.
//!
//! Source: the SMART Health Cards framework 1.4.0 (spec.smarthealth.cards): a JWS in compact form, signed with ES256, whose
//! payload is packed with raw DEFLATE and holds a FHIR bundle of minimal resources that refer to each other as `resource:0`.

use crate::person::Person;
use crate::plain;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::DeflateDecoder;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::{EncodedPoint, FieldBytes};
use rochdale_core::fhir::Document;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;

/// Bytes of a file of cards; real ones have some thousand.
pub const FILE: u64 = 4 << 20;
/// Cards in one file.
const CARDS: usize = 100;
/// Bytes that the payload of a card may unpack to; real ones have some ten thousand.
const PAYLOAD: u64 = 4 << 20;
/// The id that the cards' patient has in the record.
pub const PATIENT: &str = "health-card-holder";
const AGAIN: &str = "ask the issuer for the card again";

/// Issuers by their URL, with their keys: what decides whether a card is authentic.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Issuers(BTreeMap<String, KeySet>);

#[derive(Clone, Debug, Deserialize)]
struct KeySet {
    keys: Vec<Key>,
}

#[derive(Clone, Debug, Deserialize)]
struct Key {
    kid: String,
    kty: String,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

impl Issuers {
    /// Reads a directory: a JSON object of issuer URLs, each with its JWK set as `{"keys": [...]}`.
    ///
    /// # Errors
    /// Where it is no such object.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// What is known of a card's signature, in words.
    fn verdict(&self, issuer: &str, key: &str, signed: &str, signature: &[u8]) -> Result<String, String> {
        let unchecked = |why: &str| format!("signature not checked{why}, believed as an upload");
        if self.0.is_empty() {
            return Ok(unchecked(""));
        }
        let Some(set) = self.0.get(issuer) else { return Ok(unchecked(" (the issuer is not in the directory)")) };
        let Some(key) = set.keys.iter().find(|own| own.kid == key) else {
            return Ok(unchecked(" (its key is not in the directory)"));
        };
        let point = key.point().ok_or("the issuer's key in the directory is no P-256 key; mend the directory")?;
        let signature = Signature::from_slice(signature).map_err(|_| format!("its signature is none; {AGAIN}"))?;
        let checked = point.verify(signed.as_bytes(), &signature);
        checked.map_err(|_| {
            format!("its signature is not by the issuer's key, so that somebody else wrote or changed it; {AGAIN}")
        })?;
        Ok("signed by the issuer's key in the directory".to_owned())
    }
}

impl Key {
    fn point(&self) -> Option<VerifyingKey> {
        let part = |text: &str| <[u8; 32]>::try_from(unbase(text)?).ok().map(FieldBytes::from);
        let is_ours = self.kty == "EC" && self.crv == "P-256";
        let point = EncodedPoint::from_affine_coordinates(&part(&self.x)?, &part(&self.y)?, false);
        VerifyingKey::from_encoded_point(&point).ok().filter(|_| is_ours)
    }
}

fn unbase(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim()).ok()
}

/// What a file of cards holds.
pub struct Cards {
    /// One FHIR bundle.
    pub bundle: Vec<u8>,
    /// What is known of their issuers, in words.
    pub said: String,
}

/// Reads cards in the form of a file, `{"verifiableCredential": [...]}`.
///
/// # Errors
/// Says what is wrong and how to mend it.
pub fn from_file(bytes: &[u8], issuers: &Issuers) -> Result<Cards, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct File {
        verifiable_credential: Vec<String>,
    }
    let file: File = serde_json::from_slice(bytes)
        .map_err(|error| format!("a SMART Health Card file that cannot be read: {error}; {AGAIN}"))?;
    cards(&file.verifiable_credential, issuers)
}

/// Reads cards as their QR codes read: `shc:/` and digits, a line each, or several of one card as `shc:/1/3/` and digits.
///
/// # Errors
/// As [`from_file`].
pub fn from_codes(bytes: &[u8], issuers: &Issuers) -> Result<Cards, String> {
    let wrong = || format!("a SMART Health Card whose digits cannot be read: every two stand for a letter; {AGAIN}");
    let text = std::str::from_utf8(bytes).map_err(|_| wrong())?.trim_start_matches('\u{feff}');
    let (mut whole, mut parts, mut wanted) = (Vec::new(), BTreeMap::<usize, String>::new(), 0);
    for code in text.split_whitespace() {
        let digits = code.strip_prefix("shc:/").ok_or_else(wrong)?;
        let mut pieces = digits.rsplitn(3, '/');
        let letters = letters(pieces.next().unwrap_or_default()).ok_or_else(wrong)?;
        match (pieces.next(), pieces.next()) {
            (None, _) => whole.push(letters),
            (Some(of), Some(number)) => {
                let (of, number) = (of.parse().map_err(|_| wrong())?, number.parse().map_err(|_| wrong())?);
                if number == 0 || number > of || of > CARDS || wanted != 0 && wanted != of {
                    return Err(wrong());
                }
                wanted = of;
                if parts.insert(number, letters).is_some_and(|before| before != parts[&number]) {
                    return Err("QR codes of two SMART Health Cards; give each card in a file of its own".to_owned());
                }
            }
            (Some(_), None) => return Err(wrong()),
        }
    }
    if parts.len() < wanted {
        let here = parts.len();
        return Err(format!(
            "a SMART Health Card of {wanted} QR codes, of which {here} are here; put all of them into the file"
        ));
    }
    if wanted > 0 {
        whole.push(parts.into_values().collect());
    }
    cards(&whole, issuers)
}

/// Two digits a letter, 45 less than in ASCII.
fn letters(digits: &str) -> Option<String> {
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let letter = |pair: &[u8]| char::from((pair[0] - b'0') * 10 + (pair[1] - b'0') + 45);
    Some(digits.as_bytes().chunks_exact(2).map(letter).collect())
}

/// All cards as one bundle of one person.
fn cards(all: &[String], issuers: &Issuers) -> Result<Cards, String> {
    if all.is_empty() || all.len() > CARDS {
        return Err(format!(
            "a SMART Health Card file with {} cards in it, and 1 to {CARDS} are read; {AGAIN}",
            all.len()
        ));
    }
    let (mut entries, mut said, mut holder) = (Vec::new(), Vec::new(), None::<Person>);
    for (number, jws) in all.iter().enumerate() {
        let card = Card::read(jws, issuers).map_err(|reason| format!("a SMART Health Card: {reason}"))?;
        said.push(format!("of {}: {}", plain(&card.issuer), card.verdict));
        let (resources, person) =
            card.resources(number).map_err(|reason| format!("a SMART Health Card: {reason}; {AGAIN}"))?;
        if holder.as_ref().is_some_and(|holder| holder.is_another(&person)) {
            return Err("SMART Health Cards of two people, or of too little said to know that they are one: birth date, sex or name differ; give each by itself".to_owned());
        }
        // Of one person, one Patient.
        let is_further = |resource: &Value| holder.is_some() && resource["resourceType"] == "Patient";
        entries.extend(resources.into_iter().filter(|resource| !is_further(resource)));
        holder.get_or_insert(person);
    }
    said.dedup();
    let entries: Vec<_> = entries.into_iter().map(|resource| json!({ "resource": resource })).collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": entries });
    Ok(Cards { bundle: bundle.to_string().into_bytes(), said: format!("a SMART Health Card {}", said.join("; ")) })
}

/// One card.
struct Card {
    issuer: String,
    verdict: String,
    bundle: Value,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    zip: String,
    kid: String,
}

#[derive(Deserialize)]
struct Payload {
    iss: String,
    vc: Credential,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    credential_subject: Subject,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subject {
    fhir_version: String,
    fhir_bundle: Value,
}

impl Card {
    fn read(jws: &str, issuers: &Issuers) -> Result<Self, String> {
        let no_jws = || format!("it is no signed text of three parts (JWS); {AGAIN}");
        let (signed, signature) = jws.trim().rsplit_once('.').ok_or_else(no_jws)?;
        let (header, payload) = signed.split_once('.').filter(|(_, rest)| !rest.contains('.')).ok_or_else(no_jws)?;
        let (header, payload, signature) = match (unbase(header), unbase(payload), unbase(signature)) {
            (Some(header), Some(payload), Some(signature)) => (header, payload, signature),
            _ => return Err(no_jws()),
        };
        let header: Header =
            serde_json::from_slice(&header).map_err(|error| format!("its header cannot be read: {error}; {AGAIN}"))?;
        if header.alg != "ES256" || header.zip != "DEF" || signature.len() != 64 {
            return Err(format!("it is not signed with ES256 and packed with DEF, as every card is; {AGAIN}"));
        }
        let mut text = Vec::new();
        let unpacked = DeflateDecoder::new(&payload[..]).take(PAYLOAD + 1).read_to_end(&mut text);
        unpacked.map_err(|error| format!("what it holds cannot be unpacked: {error}; {AGAIN}"))?;
        if text.len() as u64 > PAYLOAD {
            return Err(format!("what it holds unpacks to more than {PAYLOAD} bytes, as no card does"));
        }
        let payload: Payload = serde_json::from_slice(&text)
            .map_err(|error| format!("what it holds is no credential with a FHIR bundle: {error}; {AGAIN}"))?;
        let subject = payload.vc.credential_subject;
        if !subject.fhir_version.starts_with("4.") {
            let version = plain(&subject.fhir_version).chars().take(20).collect::<String>();
            return Err(format!("it is of FHIR {version}, and R4 is read; ask the issuer for an R4 export"));
        }
        let issuer: String = payload.iss.chars().take(200).collect();
        let verdict = issuers.verdict(&payload.iss, &header.kid, signed, &signature)?;
        Ok(Self { issuer, verdict, bundle: subject.fhir_bundle })
    }

    /// Its resources, with ids by which they refer to each other, and the person that they are about.
    fn resources(self, card: usize) -> Result<(Vec<Value>, Person), &'static str> {
        let (mut names, mut resources, mut person) = (BTreeMap::new(), Vec::new(), None);
        let Value::Object(mut bundle) = self.bundle else { return Err("its FHIR bundle is none") };
        let Some(Value::Array(entries)) = bundle.remove("entry") else { return Err("its FHIR bundle has no entries") };
        for (number, mut entry) in entries.into_iter().enumerate() {
            let resource = entry.get_mut("resource").map(Value::take).filter(Value::is_object);
            let mut resource = resource.ok_or("an entry of its FHIR bundle is no resource")?;
            let kind = resource["resourceType"].as_str().unwrap_or_default().to_owned();
            if kind.is_empty() {
                return Err("a resource of its FHIR bundle has no type");
            }
            let id = if kind == "Patient" { PATIENT.to_owned() } else { format!("health-card-{card}-{number}") };
            if kind == "Patient" {
                let document = Document::parse(resource.to_string().into_bytes()).map_err(|_| "its Patient is none")?;
                if person.replace(Person::of(document.root())).is_some() {
                    return Err("it is about two patients");
                }
            }
            resource["id"] = json!(id);
            let own = entry["fullUrl"].as_str().map_or_else(|| format!("resource:{number}"), str::to_owned);
            names.insert(own, format!("{kind}/{id}"));
            resources.push(resource);
        }
        resources.iter_mut().for_each(|resource| rename(resource, &names));
        let person = person.ok_or("it is about no patient")?;
        // Every card has them, by its specification; without, two people's are as one's.
        if !person.is_told() {
            return Err("its Patient has neither a birth date nor sex and name");
        }
        Ok((resources, person))
    }
}

/// Puts the names that resources have in the record in place of those that they have in a card; how deep, the parser bounds.
fn rename(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str().and_then(|text| names.get(text)) {
                    Some(name) if key == "reference" => *value = json!(name),
                    _ => rename(value, names),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        _ => {}
    }
}
