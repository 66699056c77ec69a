//! Typed query to plan to differentially private answer.
