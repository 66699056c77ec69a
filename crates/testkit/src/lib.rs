//! Development only: anvil, a wire to it, fixtures, synthetic patients, defects.

pub mod anvil;
pub mod data_model;
pub mod defect;
pub mod fixtures;
pub mod passkey;
pub mod synth;
pub mod wire;
pub mod year;
