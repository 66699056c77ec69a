//! What is signed on the way of one query: by its researcher, by the stewards, by the worker.
#![allow(missing_docs, reason = "the fields are documented where the rules define them")]

use rochdale_core::order;

alloy_sol_types::sol! {
    /// A researcher orders one query as of a finalized block; `rho` in 10^-9 zCDP.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct QueryOrder {
        uint64 licenseId;
        bytes32 cut;
        bytes32 queryDigest;
        uint64 rho;
        uint16 purpose;
        bytes32 nonce;
        uint64 deadline;
    }

    /// A quorum of stewards charges an order to everybody in a snapshot.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Debit {
        uint64 licenseId;
        bytes32 order;
        bytes32 queryDigest;
        bytes32 snapshot;
        uint16 purpose;
        uint64 rho;
        uint64 deadline;
    }

    /// A worker's receipt for the one answer to an order.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct QueryReceipt {
        bytes32 order;
        bytes32 resultDigest;
    }
}

impl From<&order::Order> for QueryOrder {
    fn from(o: &order::Order) -> Self {
        Self {
            licenseId: o.license_id.0,
            cut: o.cut,
            queryDigest: o.query_digest,
            rho: o.rho,
            purpose: o.purpose.0,
            nonce: o.nonce,
            deadline: o.deadline,
        }
    }
}

impl From<&order::Debit> for Debit {
    fn from(d: &order::Debit) -> Self {
        Self {
            licenseId: d.license_id.0,
            order: d.order,
            queryDigest: d.query_digest,
            snapshot: d.snapshot,
            purpose: d.purpose.0,
            rho: d.rho,
            deadline: d.deadline,
        }
    }
}
