//! Members' flattened records as Arrow tables: what every query of a release reads.
//!
//! Bounding a member's influence at query time would need a window over all rows (measured at thirty times the plain
//! aggregate). Here each observation gets its place in a salted order **once**, when records are flattened: `rank` 0, 1,
//! 2 … per member and code. "At most k rows a member" is then the filter `rank < k`, and rows beyond the pool's cap are
//! never kept. A member's ranks depend on nobody else's rows, so that removing a member changes that member's rows alone.
//!
//! | table | columns |
//! |---|---|
//! | persons | member `u32`, sex `u8`, birth_year `i32?` |
//! | conditions | member `u32`, code `u32`; one row per member and code |
//! | observations | member `u32`, code `u32`, value `i64?` (thousandths of the code's unit), day `i32` (since 1970-01-01), rank `u32` |
//!
//! `code` is a number in the pool's own dictionary ([`Pool::code`]).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, UInt8Array, UInt32Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use hmac::{Hmac, KeyInit, Mac};
use rochdale_core::ids::MemberId;
use sha2::Sha256;

/// Rows per Arrow batch; DataFusion's own default.
const BATCH: usize = 8192;

/// Rows kept per member and code unless told otherwise; no query may ask for more.
pub const DEFAULT_ROW_CAP: u32 = 16;

/// Why a pool could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// The cap on rows per member and code must be positive.
    #[error("a pool must keep at least one row per member and code: set the row cap to 1 or more")]
    NoRows,
    /// More distinct codes than a `u32` can number.
    #[error("the pool holds more distinct codes than 2^32 - 1")]
    Codes,
    /// Arrow refused a batch; a defect of this module.
    #[error("Arrow batch: {0}")]
    Arrow(#[from] ArrowError),
}

/// The tables of one snapshot, and the dictionary of its codes.
#[derive(Clone, Debug)]
pub struct Pool {
    persons: Table,
    conditions: Table,
    observations: Table,
    codes: BTreeMap<String, u32>,
    members: u64,
    row_cap: u32,
}

/// Batches of one schema.
#[derive(Clone, Debug)]
pub struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Table {
    /// The columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows, sorted by member.
    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

impl Pool {
    /// One row per member of the snapshot, those with an empty record included.
    pub fn persons(&self) -> &Table {
        &self.persons
    }

    /// One row per member and condition code.
    pub fn conditions(&self) -> &Table {
        &self.conditions
    }

    /// At most [`Pool::row_cap`] rows per member and code.
    pub fn observations(&self) -> &Table {
        &self.observations
    }

    /// Members in the snapshot. Public: the snapshot's contribution ids are.
    pub fn members(&self) -> u64 {
        self.members
    }

    /// The largest number of rows per member that a query may ask for.
    pub fn row_cap(&self) -> u32 {
        self.row_cap
    }

    /// The number of a code in this pool's dictionary; a code that no record holds gets a number that no row has, so
    /// that its plan is like any other's.
    pub fn code(&self, code: &str) -> u32 {
        self.codes.get(code).copied().unwrap_or(u32::MAX)
    }
}

/// Collects members' records, in any order, and sorts them into a [`Pool`].
pub struct PoolBuilder {
    salt: [u8; 32],
    row_cap: u32,
    codes: BTreeMap<String, u32>,
    members: BTreeMap<MemberId, Person>,
}

#[derive(Default)]
struct Person {
    sex: u8,
    birth_year: Option<i32>,
    conditions: Vec<u32>,
    observations: BTreeMap<u32, Vec<Row>>,
}

/// An observation under its place in the salted order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    order: u128,
    value: i64,
    day: i32,
}
