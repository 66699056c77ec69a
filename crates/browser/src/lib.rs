//! What a member's browser computes, by the code that the services run: no rule stands here.
//!
//! Every export takes and gives bytes or JSON text and keeps nothing;  `cargo xtask wasm` builds `web/wasm/` of it. Memory that is given back is
//! overwritten, since records and keys pass through it.
//!
//! **Architecture Invariant:** this crate decides nothing. What it exports is `core`'s, `crypto`'s or `client`'s.

mod check;
mod joining;
mod kept;
mod reading;
mod researching;
mod saying;
mod site;
mod vectors;
mod voting;

pub use check::{Checked, Looked, check};
pub use vectors::{Fault, replay};

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroizing;

/// Overwrites what is freed, so that a page that was done with a record does not keep it.
#[cfg(target_family = "wasm")]
#[global_allocator]
static MEMORY: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// Reads and scores a file without sending anything. `bytes`: a FHIR R4 bundle or NDJSON of them, not packed; `now`: unix
/// seconds. Gives [`Checked`] as JSON.
#[wasm_bindgen]
#[must_use]
pub fn check_record(name: &str, bytes: Vec<u8>, now: f64) -> String {
    let bytes = Zeroizing::new(bytes);
    // Seconds of any century are whole in an f64, which is what JavaScript has.
    text(&check(name, &bytes, now as i64))
}

/// Replays the project's vectors: `files` is a JSON object of each file's text by its name. Gives the number of cases by file, as JSON.
///
/// # Errors
/// With the first case that comes out otherwise than its file says, or a file that nothing here replays.
#[wasm_bindgen]
pub fn replay_vectors(files: &str) -> Result<String, String> {
    let files = serde_json::from_str(files).map_err(|error| format!("the files are no JSON object: {error}"))?;
    replay(&files).map(|counts| text(&counts)).map_err(|fault| fault.0)
}

/// Functions that take a JSON object and give one, by the names under which pages call them.
macro_rules! exports {
    ($($(#[$doc:meta])* $name:ident: $room:ident;)*) => {
        $($(#[$doc])*
        ///
        /// # Errors
        /// In English: what was not given as it has to be, or why it cannot be done.
        #[wasm_bindgen]
        pub fn $name(json: &str) -> Result<String, String> {
            $room::$name(read(json)?).map(|answer| text(&answer))
        })*
    };
}

exports! {
    /// `{}` → `{row_key, locker_key, recovery_code}`.
    draw: joining;
    /// `{code}` → `{code}`, as people read it.
    read_code: joining;
    /// `{qx, qy, recovery_code}` → `{account, guardians, threshold, delay}`.
    account_of: joining;
    /// `{recovery_code}` → `{recovery}`, as an account of this code keeps it.
    recovery_of: joining;
    /// `{cooperative, code, account, row_key}` → what is sent to the registrar.
    apply: joining;
    /// `{language}` → `{text}`: what is consented to.
    notice: saying;
    /// `{}` → the choice that a form offers first.
    health_research: saying;
    /// `{choice}` → `{words}`, by which tests hold a page's choice against the rules.
    words: saying;
    /// `{cooperative, member, choice, until, language, contact}` → `{request, challenge, receipt, words}`.
    consent: saying;
    /// `{cooperative, member, kind, nonce?, now?}` → `{request, challenge}`.
    withdraw: saying;
    /// `{cooperative, member, payout}` → `{request, challenge}`.
    pay_to: saying;
    /// `{cooperative, member, package}` → `{request, challenge}`: the same package, to be signed again.
    contribute_again: saying;
    /// `{client_data_json, authenticator_data, signature}` → `{signature}`, as an account takes it.
    assertion: saying;
    /// `{cooperative, account, recovery_code, qx, qy, round}` → the guardian's signed yes.
    approve_recovery: saying;
    /// `{cooperative, account, nonce, act}` → `{request, challenge}`.
    account_act: saying;
    /// `{cooperative, member, id, poll, choice, sequence}` → `{request, challenge}`.
    ballot: voting;
    /// `{cooperative, member, question, options, snapshot_block, snapshot_time, days}` → `{request, challenge}`.
    hold_poll: voting;
    /// `{text}` → `{query, digest}`.
    read_query: researching;
    /// `{query, cohort, min_cohort?}` → how exact an answer would be.
    expect: researching;
    /// `{cooperative, license_id, purpose, query, cut}` → `{order, request, typed_data}`.
    order: researching;
    /// `{cooperative, secret, order, request, sealed}` → the answer, checked against what was ordered, with the `worker` that signed its receipt.
    open_answer: researching;
    /// `{cooperative, account, hours}` → `{key, until, challenge}`.
    session: reading;
    /// `{cooperative, key, session, audience, method, path, body}` → `{headers, digest}`.
    signed: reading;
    /// `{cooperative, audience, digest, status, body, signature}` → `{good}`.
    check_answer: reading;
    /// `{}` → `{secret, public}`.
    reply_key: reading;
    /// `{secret}` → `{secret, public}`.
    key_of: reading;
    /// `{cooperative, member_id, secret, answer}` → the member's row.
    open_row: reading;
    /// `{cooperative, member_id, steward, secret, answer}` → who opened the member's records.
    open_openings: reading;
    /// `{cooperative, member_id, steward, secret, answer}` → what the steward holds of the member.
    open_held: reading;
    /// `{epoch, member_id, row}` → what the row's cash is made of, or `null`.
    cash_parts: reading;
    /// `{secret}` → `{id, key}`.
    locker_id: kept;
    /// `{secret, version, text}` → `{sealed}`.
    locker_seal: kept;
    /// `{secret, version, sealed}` → `{text}`.
    locker_open: kept;
    /// `{recovery_code}` → `{secret}`.
    door_of_code: kept;
}

/// A record that was sealed.
#[wasm_bindgen]
pub struct Contributed {
    json: String,
    blob: Vec<u8>,
}

#[wasm_bindgen]
impl Contributed {
    /// `{request, challenge, cid, digest, quality, bytes}`.
    #[must_use]
    pub fn json(&self) -> String {
        self.json.clone()
    }

    /// The sealed record, once.
    #[must_use]
    pub fn blob(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.blob)
    }
}

/// Seals the record with this number in a file, counted from 0; `json` is `{cooperative, member, dataset}`.
///
/// # Errors
/// In English: where there is no such record, or it cannot be sealed.
#[wasm_bindgen]
pub fn contribute(json: &str, name: &str, bytes: Vec<u8>, which: usize) -> Result<Contributed, String> {
    let bytes = Zeroizing::new(bytes);
    let (sealed, blob) = saying::contribute(&read(json)?, name, &bytes, which)?;
    Ok(Contributed { json: text(&sealed), blob })
}

/// The member's own record of its sealed blob; `json` is `{cooperative, member_id, held}`, of each steward what [`open_held`] gave of it.
///
/// # Errors
/// In English: where too few shares fit, or the blob is another one.
#[wasm_bindgen]
pub fn open_record(json: &str, blob: &[u8]) -> Result<Vec<u8>, String> {
    reading::open_record(&read(json)?, blob).map(|record| record.to_vec())
}

/// Reads what a page gives.
fn read<T: DeserializeOwned>(json: &str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| format!("not what is taken: {error}"))
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}
