//! What the browser is given, as compiled for this machine; `web/wasm/test.mjs` asks the artefact the same.
#![allow(clippy::unwrap_used)]

mod check;
mod vectors;
