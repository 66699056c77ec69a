//! A researcher's account whose key is a passkey: where it is, what it says, and what it does.

use alloy_primitives::{Address, B256, Bytes};
use rochdale_api::account::{AccountCall, ExecuteRequest};
use rochdale_eip712::account::{self, Recovery};
use serde::{Deserialize, Serialize};

use crate::saying::batch;
use crate::site::{Result, Seen, ToSign};

/// A passkey, which nobody may replace: whoever loses it has lost the account.
#[derive(Deserialize)]
pub struct Alone {
    qx: B256,
    qy: B256,
}

impl Alone {
    fn recovery() -> Recovery {
        Recovery { guardians: Vec::new(), threshold: 0, delay: 0 }
    }
}

/// An account.
#[derive(Serialize)]
pub struct At {
    account: Address,
}

/// Where the account of a passkey without guardians is.
pub fn own_account(of: Alone) -> Result<At> {
    Ok(At { account: account::account_at(of.qx, of.qy, &Alone::recovery()) })
}

/// A digest that a contract or a process asks for.
#[derive(Deserialize)]
pub struct Saying {
    cooperative: Seen,
    account: Address,
    hash: B256,
}

/// What the passkey signs.
#[derive(Serialize)]
pub struct Challenge {
    challenge: B256,
}

/// What the passkey signs so that its account says yes to a digest.
pub fn own_word(asked: Saying) -> Result<Challenge> {
    let chain = asked.cooperative.site.contracts.chain_id;
    Ok(Challenge { challenge: account::message_digest(chain, asked.account, asked.hash) })
}

/// A signature of an account that is perhaps not there yet.
#[derive(Deserialize)]
pub struct Unborn {
    #[serde(flatten)]
    passkey: Alone,
    signature: Bytes,
}

/// A signature.
#[derive(Serialize)]
pub struct Wrapped {
    signature: Bytes,
}

/// The same for whoever looks before the account is created (ERC-6492).
pub fn before_creation(of: Unborn) -> Result<Wrapped> {
    let Unborn { passkey: Alone { qx, qy }, signature } = of;
    Ok(Wrapped { signature: account::before_creation(qx, qy, Alone::recovery(), signature) })
}

/// Calls to be made.
#[derive(Deserialize)]
pub struct Calling {
    cooperative: Seen,
    account: Address,
    nonce: u64,
    calls: Vec<AccountCall>,
}

/// A batch, and the data of a call by the account to itself by which it is tried.
#[derive(Serialize)]
pub struct Batch {
    #[serde(flatten)]
    to_sign: ToSign<ExecuteRequest>,
    trial: Bytes,
}

/// Writes a batch of calls.
pub fn own_calls(asked: Calling) -> Result<Batch> {
    let Calling { cooperative, account, nonce, calls } = asked;
    let (to_sign, trial) = batch(&cooperative, account, nonce, calls);
    Ok(Batch { to_sign, trial: trial.into() })
}
