//! Development only: anvil, a wire to it, fixtures, synthetic patients, defects, and what test programs share.

pub mod anvil;
pub mod data_model;
pub mod defect;
pub mod fixtures;
pub mod passkey;
pub mod program;
pub mod synth;
pub mod wire;
