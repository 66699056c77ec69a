//! What a member's browser computes, by the code that the services run: no rule stands here.
//!
//! Every export takes and gives bytes or JSON text; `cargo xtask wasm` builds `web/wasm/` of it. Memory that is given back is
//! overwritten, since records and keys pass through it.
//!
//! **Architecture Invariant:** this crate decides nothing. What it exports is `core`'s, `crypto`'s or `client`'s.

mod check;
mod vectors;

pub use check::{Checked, Looked, check};
pub use vectors::{Fault, replay};

use serde::Serialize;
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

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}
