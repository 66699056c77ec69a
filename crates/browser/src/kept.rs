//! The member's locker.

use alloy_primitives::{Address, B256, Bytes};
use alloy_signer_local::PrivateKeySigner;
use rochdale_client::code::Code;
use rochdale_crypto::locker::LockerSecret;
use serde::{Deserialize, Serialize};

use crate::site::{Result, rng, secret, words};

/// What a locker follows from.
#[derive(Deserialize)]
pub struct Secret {
    secret: Bytes,
}

/// How a locker is named, and the key that signs requests for it.
#[derive(Serialize)]
pub struct LockerName {
    id: Address,
    key: B256,
}

/// Where a locker is.
pub fn locker_id(asked: Secret) -> Result<LockerName> {
    let key = LockerSecret::from_bytes(secret(&asked.secret)?).signing_key();
    let id = PrivateKeySigner::from_slice(key.as_slice()).map_err(words)?.address();
    Ok(LockerName { id, key: B256::from(*key) })
}

/// What is to be kept.
#[derive(Deserialize)]
pub struct Sealing {
    secret: Bytes,
    version: u64,
    text: String,
}

/// Something sealed.
#[derive(Serialize)]
pub struct SealedText {
    sealed: Bytes,
}

/// Seals a locker's text as the version that it will have.
pub fn locker_seal(asked: Sealing) -> Result<SealedText> {
    let locker = LockerSecret::from_bytes(secret(&asked.secret)?);
    let sealed = locker.seal(asked.version, asked.text.as_bytes(), &mut rng()?).map_err(words)?;
    Ok(SealedText { sealed: sealed.into() })
}

/// What was kept.
#[derive(Deserialize)]
pub struct Opening {
    secret: Bytes,
    version: u64,
    sealed: Bytes,
}

/// A locker's text.
#[derive(Serialize)]
pub struct OpenedText {
    text: String,
}

/// Opens a locker of this version.
pub fn locker_open(asked: Opening) -> Result<OpenedText> {
    let locker = LockerSecret::from_bytes(secret(&asked.secret)?);
    let text = locker.open(asked.version, &asked.sealed).map_err(words)?;
    Ok(OpenedText { text: String::from_utf8(text.to_vec()).map_err(words)? })
}

/// A recovery code.
#[derive(Deserialize)]
pub struct ByCode {
    recovery_code: String,
}

/// The secret of a locker.
#[derive(Serialize)]
pub struct DoorSecret {
    secret: B256,
}

/// The locker that a recovery code opens.
pub fn door_of_code(asked: ByCode) -> Result<DoorSecret> {
    let code = Code::read(&asked.recovery_code).map_err(words)?;
    Ok(DoorSecret { secret: B256::from(*LockerSecret::of_code(code.expose()).expose()) })
}
