//! The contracts seen from Rust: bindings, EIP-712 types, deployment, events, transactions.
