//! Typed query to plan to differentially private answer.

pub mod noise;
