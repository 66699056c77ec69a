//! Members' flattened records as Arrow tables: what every query of a release reads.
//!
//! Bounding a member's influence at query time would need a window over all rows (measured at thirty times the plain
//! aggregate). Here each observation gets its place in a salted order **once**, when records are flattened: `rank` 0, 1,
//! 2 … per member and code. "At most k rows a member" is then the filter `rank < k`, and rows beyond the pool's cap are
//! never kept. A member's ranks depend on nobody else's rows, so that removing a member changes that member's rows alone.
//!
//! | table | columns |
//! |---|---|
//! | persons | member `u32`, sex `u8`, age `i32?` (whole years at the cut) |
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
use rochdale_core::fhir::system_token;
use rochdale_core::ids::MemberId;
use rochdale_core::query::{Code, Sex};
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
    codes: HashMap<String, u32>,
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
    pub fn code(&self, code: &Code) -> u32 {
        self.codes.get(&key(&code.system, &code.code)).copied().unwrap_or(u32::MAX)
    }
}

/// How the pool's dictionary writes a code. A system may come as its URI or as its short name.
fn key(system: &str, code: &str) -> String {
    format!("{}|{code}", system_token(system))
}

/// The number of a sex in the persons table.
pub(crate) fn sex_code(sex: Sex) -> u8 {
    match sex {
        Sex::Female => 1,
        Sex::Male => 2,
        Sex::Other => 3,
        Sex::Unknown => 4,
    }
}

/// Collects members' records, in any order, and sorts them into a [`Pool`].
pub struct PoolBuilder {
    salt: [u8; 32],
    row_cap: u32,
    codes: HashMap<String, u32>,
    members: BTreeMap<MemberId, Person>,
}

#[derive(Default)]
struct Person {
    sex: Option<Sex>,
    age: Option<u8>,
    conditions: Vec<u32>,
    observations: BTreeMap<u32, Vec<Placed>>,
}

/// One observation of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row<'a> {
    /// Code system, URI or short name.
    pub system: &'a str,
    /// Code in it.
    pub code: &'a str,
    /// Thousandths of the unit in which the pool keeps this code; `None` where the record holds no number.
    pub value: Option<i64>,
    /// Days since 1970-01-01.
    pub day: i32,
}

/// An observation under its place in the salted order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Placed {
    order: u128,
    value: i64,
    day: i32,
}

impl PoolBuilder {
    /// A builder whose row order is salted by `salt` (secret, one per pool, so that nobody can craft the rows that
    /// count) and that keeps at most `row_cap` rows per member and code.
    ///
    /// # Errors
    /// When `row_cap` is zero.
    pub fn new(salt: [u8; 32], row_cap: u32) -> Result<Self, PoolError> {
        if row_cap == 0 {
            return Err(PoolError::NoRows);
        }
        Ok(Self { salt, row_cap, codes: HashMap::new(), members: BTreeMap::new() })
    }

    /// Counts `member` into the pool and states their sex and their age in whole years at the cut; a later
    /// statement replaces an earlier one, silence does not.
    pub fn person(&mut self, member: MemberId, sex: Option<Sex>, age: Option<u8>) {
        let person = self.members.entry(member).or_default();
        person.sex = sex.or(person.sex);
        person.age = age.or(person.age);
    }

    /// Adds a condition of `member`; repetitions count once.
    ///
    /// # Errors
    /// When the dictionary is full.
    pub fn condition(&mut self, member: MemberId, system: &str, code: &str) -> Result<(), PoolError> {
        let code = self.intern(&key(system, code))?;
        let conditions = &mut self.members.entry(member).or_default().conditions;
        if let Err(place) = conditions.binary_search(&code) {
            conditions.insert(place, code);
        }
        Ok(())
    }

    /// Adds the observations of **one record** of `member`. Those without a number are dropped before ranks are given,
    /// so that they take no row's place.
    ///
    /// The same observation in two records of a member (an updated bundle repeats the earlier one) counts once;
    /// repetitions within a record count as often as they stand there.
    ///
    /// # Errors
    /// When the dictionary is full.
    pub fn observations<'a>(
        &mut self,
        member: MemberId,
        record: impl IntoIterator<Item = Row<'a>>,
    ) -> Result<(), PoolError> {
        self.members.entry(member).or_default();
        let mut repeated = HashMap::<Row<'a>, u32>::new();
        for row in record {
            let Some(value) = row.value else { continue };
            let key = key(row.system, row.code);
            let repetition = repeated.entry(row).or_default();
            let order = self.order(member, &key, value, row.day, *repetition);
            *repetition += 1;
            let code = self.intern(&key)?;
            let cap = self.row_cap as usize;
            let rows = self.members.entry(member).or_default().observations.entry(code).or_default();
            keep_least(rows, Placed { order, value, day: row.day }, cap);
        }
        Ok(())
    }

    /// The tables, sorted by member; ranks follow the salted order.
    ///
    /// # Errors
    /// When Arrow refuses a batch.
    pub fn finish(self) -> Result<Pool, PoolError> {
        let mut persons = Persons::default();
        let mut conditions = Conditions::default();
        let mut observations = Observations::default();
        let members = self.members.len() as u64;
        for (member, person) in self.members {
            persons.push(member.0, sex_code(person.sex.unwrap_or(Sex::Unknown)), person.age.map(i32::from))?;
            for code in person.conditions {
                conditions.push(member.0, code)?;
            }
            for (code, rows) in person.observations {
                for (rank, row) in (0..).zip(rows) {
                    observations.push(member.0, code, row.value, row.day, rank)?;
                }
            }
        }
        Ok(Pool {
            persons: persons.finish()?,
            conditions: conditions.finish()?,
            observations: observations.finish()?,
            codes: self.codes,
            members,
            row_cap: self.row_cap,
        })
    }

    fn intern(&mut self, code: &str) -> Result<u32, PoolError> {
        if let Some(&known) = self.codes.get(code) {
            return Ok(known);
        }
        let next = u32::try_from(self.codes.len()).ok().filter(|&n| n < u32::MAX).ok_or(PoolError::Codes)?;
        self.codes.insert(code.to_owned(), next);
        Ok(next)
    }

    /// A pseudorandom place that depends on the salt and this row alone.
    fn order(&self, member: MemberId, code: &str, value: i64, day: i32, repetition: u32) -> u128 {
        // HMAC pads a short key with zeros to its block; done here, the length needs no check.
        let mut padded = [0; 64];
        padded[..32].copy_from_slice(&self.salt);
        let mut mac = Hmac::<Sha256>::new(&padded.into());
        mac.update(&member.0.to_be_bytes());
        mac.update(&value.to_be_bytes());
        mac.update(&day.to_be_bytes());
        mac.update(&repetition.to_be_bytes());
        mac.update(code.as_bytes());
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        u128::from_be_bytes(half)
    }
}

/// Keeps the `cap` least rows, in order; a row that is there already is the same observation.
fn keep_least(rows: &mut Vec<Placed>, row: Placed, cap: usize) {
    if let Err(place) = rows.binary_search(&row)
        && place < cap
    {
        rows.truncate(cap - 1);
        rows.insert(place, row);
    }
}

/// Declares the builder of one table: its columns, and how they become batches.
macro_rules! table {
    ($name:ident { $($column:ident: $item:ty => $array:ty, $data:expr, $nullable:expr;)* }) => {
        #[derive(Default)]
        struct $name {
            $($column: Vec<$item>,)*
            batches: Vec<RecordBatch>,
        }

        impl $name {
            fn schema() -> SchemaRef {
                Arc::new(Schema::new(vec![$(Field::new(stringify!($column), $data, $nullable),)*]))
            }

            fn push(&mut self, $($column: $item,)*) -> Result<(), ArrowError> {
                $(self.$column.push($column);)*
                if self.member.len() == BATCH { self.flush() } else { Ok(()) }
            }

            fn flush(&mut self) -> Result<(), ArrowError> {
                let columns: Vec<ArrayRef> =
                    vec![$(Arc::new(<$array>::from(std::mem::take(&mut self.$column))),)*];
                self.batches.push(RecordBatch::try_new(Self::schema(), columns)?);
                Ok(())
            }

            fn finish(mut self) -> Result<Table, ArrowError> {
                if !self.member.is_empty() {
                    self.flush()?;
                }
                Ok(Table { schema: Self::schema(), batches: self.batches })
            }
        }
    };
}

table!(Persons {
    member: u32 => UInt32Array, DataType::UInt32, false;
    sex: u8 => UInt8Array, DataType::UInt8, false;
    age: Option<i32> => Int32Array, DataType::Int32, true;
});

table!(Conditions {
    member: u32 => UInt32Array, DataType::UInt32, false;
    code: u32 => UInt32Array, DataType::UInt32, false;
});

table!(Observations {
    member: u32 => UInt32Array, DataType::UInt32, false;
    code: u32 => UInt32Array, DataType::UInt32, false;
    value: i64 => Int64Array, DataType::Int64, true;
    day: i32 => Int32Array, DataType::Int32, false;
    rank: u32 => UInt32Array, DataType::UInt32, false;
});
