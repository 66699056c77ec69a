//! Becoming a member: an invitation, a passkey's account, and what the browser draws for it.

use alloy_primitives::{Address, B256, keccak256};
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolValue as _;
use rochdale_api::member::InvitedApplication;
use rochdale_client::code::Code;
use rochdale_client::invitation::Invited;
use rochdale_crypto::RowKey;
use rochdale_crypto::locker::{LockerSecret, guardian_key};
use rochdale_eip712::account::{Recovery, account_at};
use serde::{Deserialize, Serialize};

use crate::site::{Result, Seen, rng, words};

/// Seconds that the passkey in force has for a veto, where somebody with the recovery code wants to put another in its place.
const VETO: u32 = 3 * 86_400;
/// Seconds of block time that an application holds: stewards keep an offered row key for a day.
const HOLDS: u64 = 82_800;

/// Nothing is needed.
#[derive(Deserialize)]
pub struct Nothing {}

/// What only the member knows.
#[derive(Serialize)]
pub struct Drawn {
    row_key: B256,
    locker_key: B256,
    recovery_code: String,
}

/// Draws what only the member knows.
pub fn draw(_: Nothing) -> Result<Drawn> {
    let mut rng = rng()?;
    Ok(Drawn {
        row_key: B256::from(*RowKey::random(&mut rng).expose()),
        locker_key: B256::from(*LockerSecret::random(&mut rng).expose()),
        recovery_code: Code::draw(&mut rng).grouped(),
    })
}

/// A code as somebody typed it.
#[derive(Deserialize)]
pub struct Typed {
    code: String,
}

/// A code in the form in which people read it.
#[derive(Serialize)]
pub struct ReadCode {
    code: String,
}

/// Reads a code.
pub fn read_code(typed: Typed) -> Result<ReadCode> {
    Ok(ReadCode { code: Code::read(&typed.code).map_err(words)?.grouped() })
}

/// A passkey, and the code that may put another in its place.
#[derive(Deserialize)]
pub struct Passkey {
    qx: B256,
    qy: B256,
    recovery_code: String,
}

/// An account, with what it is created of beside the passkey.
#[derive(Serialize)]
pub struct Account {
    account: Address,
    guardians: Vec<Address>,
    threshold: u8,
    delay: u32,
}

/// The key of the guardian that a recovery code makes.
pub fn guardian(recovery_code: &str) -> Result<PrivateKeySigner> {
    let code = Code::read(recovery_code).map_err(words)?;
    PrivateKeySigner::from_slice(guardian_key(code.expose()).as_slice()).map_err(words)
}

/// The recovery of every account that this page makes.
pub fn recovery(guardian: Address) -> Recovery {
    Recovery { guardians: vec![guardian], threshold: 1, delay: VETO }
}

/// A recovery code.
#[derive(Deserialize)]
pub struct RecoveryCode {
    recovery_code: String,
}

/// What an account that this code may put another passkey into keeps of that.
#[derive(Serialize)]
pub struct KeptRecovery {
    recovery: B256,
}

/// The hash by which an account knows the recovery of a code.
pub fn recovery_of(asked: RecoveryCode) -> Result<KeptRecovery> {
    let recovery = recovery(guardian(&asked.recovery_code)?.address());
    Ok(KeptRecovery { recovery: keccak256(recovery.abi_encode()) })
}

/// Where the account of a passkey is.
pub fn account_of(passkey: Passkey) -> Result<Account> {
    let recovery = recovery(guardian(&passkey.recovery_code)?.address());
    let account = account_at(passkey.qx, passkey.qy, &recovery);
    let Recovery { guardians, threshold, delay } = recovery;
    Ok(Account { account, guardians, threshold, delay })
}

/// Who was invited.
#[derive(Deserialize)]
pub struct Applying {
    cooperative: Seen,
    code: String,
    account: Address,
    row_key: B256,
}

/// What is sent to the registrar.
pub fn apply(asked: Applying) -> Result<InvitedApplication> {
    let (code, row_key) = (Code::read(&asked.code).map_err(words)?, RowKey::from_bytes(asked.row_key.0));
    let Seen { site, now, .. } = &asked.cooperative;
    let invited = Invited { site, code: &code, account: asked.account, row_key: &row_key };
    invited.apply(now + HOLDS, &mut rng()?).map_err(words)
}
