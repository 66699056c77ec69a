//! Development only: anvil, fixtures, synthetic patients, defects.

pub mod anvil;
pub mod synth;
