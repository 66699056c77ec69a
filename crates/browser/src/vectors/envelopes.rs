//! Envelopes, shares and HPKE.

use alloy_primitives::hex;
use rochdale_core::ids::StewardId;
use rochdale_crypto::sealing::{ShareContext, open, open_share};
use rochdale_crypto::sharing::combine;
use rochdale_crypto::{Commitments, Context, Header, RecordSecret, Sealed, SealingKeyPair, Share, envelope};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Fault, Result, same};

/// A field of hex digits, of the case or else of the file.
fn bytes(file: &Value, case: &Value, field: &str) -> Result<Vec<u8>> {
    let text = case.get(field).or_else(|| file.get(field)).and_then(Value::as_str);
    let text = text.ok_or_else(|| Fault(format!("no {field}")))?;
    hex::decode(text).map_err(|_| Fault(format!("{field} is not hex")))
}

fn key(bytes: &[u8]) -> Result<SealingKeyPair> {
    let secret = bytes.try_into().map_err(|_| Fault::new("a key of another length"))?;
    Ok(SealingKeyPair::from_secret(secret))
}

fn list<'a>(file: &'a Value, field: &str) -> Result<&'a Vec<Value>> {
    file[field].as_array().ok_or_else(|| Fault(format!("no {field}")))
}

fn field<T: DeserializeOwned>(case: &Value, name: &str) -> Result<T> {
    serde_json::from_value(case[name].clone()).map_err(|error| Fault(format!("{name}: {error}")))
}

/// `hpke.json`: RFC 9180's vector opens, everything altered does not.
pub fn hpke(file: &Value) -> Result<usize> {
    let opened = |case: &Value| -> Result<Option<Vec<u8>>> {
        let get = |field: &str| bytes(file, case, field);
        let sealed = Sealed([get("enc")?, get("ct")?].concat().into());
        let opened = open(&key(&get("skRm")?)?, &get("info")?, &get("aad")?, &sealed, "vector");
        Ok(opened.ok().map(|plain| plain.to_vec()))
    };
    let whole = opened(&Value::Null)?;
    same("whether the vector opens to its text", whole == Some(bytes(file, &Value::Null, "pt")?), true)?;
    let bad = list(file, "_bad_")?;
    for case in bad {
        let refused = opened(case)?.is_none();
        same("whether it is refused", refused, true).map_err(|fault| fault.within(&case["why"].to_string()))?;
    }
    Ok(1 + bad.len())
}

struct Good {
    commitments: Commitments,
    shares: Vec<Share>,
}

impl Good {
    fn read(case: &Value) -> Result<Self> {
        let share = |value: &Value| -> Result<Share> {
            let bytes = value.as_str().and_then(|text| hex::decode(text).ok()).unwrap_or_default();
            Share::from_bytes(&bytes).map_err(|error| Fault(error.to_string()))
        };
        let shares = list(case, "shares")?.iter().map(share).collect::<Result<_>>()?;
        Ok(Self { commitments: field(case, "commitments")?, shares })
    }

    fn secret(&self) -> Result<RecordSecret> {
        let some = self.shares.get(1..).unwrap_or_default();
        combine(&self.commitments, some).map_err(|error| Fault(error.to_string()))
    }
}

/// `envelope.json`: each good case opens from its sealed shares, each bad one is refused by the error that it names.
pub fn envelopes(file: &Value) -> Result<usize> {
    let stewards = list(file, "stewardKeys")?;
    let stewards = stewards.iter().map(|text| {
        let bytes = text.as_str().and_then(|text| hex::decode(text).ok());
        key(&bytes.unwrap_or_default())
    });
    let stewards = stewards.collect::<Result<Vec<_>>>()?;
    let (good, bad) = (list(file, "good")?, list(file, "_bad_")?);
    for case in good {
        opens(case, &stewards).map_err(|fault| fault.within(&case["name"].to_string()))?;
    }
    for case in bad {
        let of = good.iter().find(|other| other["name"] == case["of"]).ok_or_else(|| Fault::new("of no good case"))?;
        let context: Context = field(case, "context")?;
        let opened = envelope::open(&Good::read(of)?.secret()?, &context, &bytes(file, case, "blob")?);
        let refused = opened.err().map(|error| format!("{error:?}")).unwrap_or_default();
        let variant = refused.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        same("the refusal", variant, case["error"].as_str().unwrap_or_default())
            .map_err(|fault| fault.within(&case["why"].to_string()))?;
    }
    Ok(good.len() + bad.len())
}

fn opens(case: &Value, stewards: &[SealingKeyPair]) -> Result<()> {
    let get = |name: &str| bytes(&Value::Null, case, name);
    let good = Good::read(case)?;
    let header = Header::from_bytes(&get("header")?).map_err(|error| Fault(error.to_string()))?;
    same("whether the header's hash is the file's", header.hash().as_slice() == get("headerHash")?, true)?;
    same("whether the deal's hash is", good.commitments.hash().as_slice() == get("dealHash")?, true)?;
    let sealed = list(case, "sealedShares")?;
    for ((seat, steward), (sealed, share)) in (1u8..).zip(stewards).zip(sealed.iter().zip(&good.shares)) {
        let sealed: Sealed = serde_json::from_value(sealed.clone()).map_err(|error| Fault(error.to_string()))?;
        let opened = open_share(steward, &ShareContext::of(&header, StewardId(seat)), &sealed);
        let opened = opened.map_err(|error| Fault(error.to_string()))?;
        same("whether the share is the file's", opened.to_bytes().as_slice() == share.to_bytes().as_slice(), true)?;
        good.commitments.verify(&opened).map_err(|error| Fault(error.to_string()))?;
    }
    let Ok(blob) = get("blob") else { return Ok(()) };
    let record = envelope::open(&good.secret()?, &field(case, "context")?, &blob);
    let record = record.map_err(|error| Fault(error.to_string()))?;
    let length = case["recordBytes"].as_u64().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let expected: Vec<u8> = get("pattern")?.iter().copied().cycle().take(length).collect();
    same("whether it opens to its record", *record == expected, true)
}
