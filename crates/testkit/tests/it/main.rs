//! Synthetic patients, defects and odd files against the reader and the score.
#![allow(clippy::unwrap_used)]

mod read;
mod score;
mod synth;

/// 2026-01-01, the `now` of all tests here.
const NOW: i64 = 1_767_225_600;
