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
//! | observations | member `u32`, code `u32`, value `i64?` (thousandths of the code's unit), day `i32?` (since 1970-01-01), rank `u32` |
//!
//! `code` is a number in the pool's own dictionary ([`Pool::code`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, UInt8Array, UInt32Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use hmac::{Hmac, KeyInit, Mac};
use rochdale_core::fhir::{Flat, SECONDS_PER_DAY, Sex};
use rochdale_core::ids::MemberId;
use rochdale_core::query::Code;
use sha2::Sha256;

use rochdale_core::units::in_pool_unit;

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
    /// The table's columns.
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

    /// Members in the pool: as secret as a record is, since one more or less tells of that one.
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

/// How the pool's dictionary writes a code.
fn key(system: &str, code: &str) -> String {
    format!("{system}|{code}")
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
    /// Year and month.
    cut: (i32, u8),
    codes: HashMap<String, u32>,
    members: BTreeMap<MemberId, Person>,
}

#[derive(Default)]
struct Person {
    /// 0 as long as no record says; the table says "unknown" then.
    sex: u8,
    age: Option<u8>,
    conditions: BTreeSet<u32>,
    observations: BTreeMap<u32, Vec<Placed>>,
}

/// An observation under its place in the salted order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Placed {
    order: u128,
    value: i64,
    day: Option<i32>,
}

impl PoolBuilder {
    /// A builder whose row order is salted by `salt` (secret, one per pool, so that nobody can craft the rows that
    /// count), that keeps at most `row_cap` rows per member and code, and at whose `cut` (unix seconds) ages are taken.
    ///
    /// # Errors
    /// When `row_cap` is zero.
    pub fn new(salt: [u8; 32], row_cap: u32, cut: u64) -> Result<Self, PoolError> {
        if row_cap == 0 {
            return Err(PoolError::NoRows);
        }
        Ok(Self { salt, row_cap, cut: year_and_month(cut), codes: HashMap::new(), members: BTreeMap::new() })
    }

    /// Adds one record of `member`, who is counted into the pool whatever it holds.
    ///
    /// Of several records of a member, what the last says of sex and birth counts; silence says nothing. A condition
    /// counts once. The same observation in two records (an updated bundle repeats the earlier one) counts once;
    /// repetitions within a record count as often as they stand there. Observations in a unit that the pool cannot
    /// keep are dropped here, before ranks are given, so that they take no row's place.
    ///
    /// # Errors
    /// When the dictionary is full.
    pub fn push(&mut self, member: MemberId, record: &Flat) -> Result<(), PoolError> {
        let age = self.age(record);
        let person = self.members.entry(member).or_default();
        if record.sex != Sex::Unknown {
            person.sex = sex_code(record.sex);
        }
        person.age = age.or(person.age);
        for condition in record.conditions() {
            let code = self.intern(&key(&condition.system, &condition.code))?;
            self.members.entry(member).or_default().conditions.insert(code);
        }
        let mut repeated = HashMap::<_, u32>::new();
        for row in &record.observations {
            let Some(value) = in_pool_unit(&row.system, &row.code, &row.unit, row.value_milli) else { continue };
            let key = key(&row.system, &row.code);
            let code = self.intern(&key)?;
            let repetition = repeated.entry((code, value, row.day)).or_default();
            let order = self.order(member, &key, value, row.day, *repetition);
            *repetition += 1;
            let rows = self.members.entry(member).or_default().observations.entry(code).or_default();
            keep_least(rows, Placed { order, value, day: row.day }, self.row_cap as usize);
        }
        Ok(())
    }

    /// Whole years at the cut, from year and month of birth; the year alone where no month was written. The dead have
    /// no age at the cut, nor has who was born after it or more than 150 years before.
    fn age(&self, record: &Flat) -> Option<u8> {
        let (year, month) = self.cut;
        let birthday_ahead = record.birth_month.is_some_and(|born| born > month);
        let years = year.checked_sub(record.birth_year?)? - i32::from(birthday_ahead);
        u8::try_from(years).ok().filter(|&age| age <= 150 && !record.deceased)
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
            persons.push(
                member.0,
                if person.sex == 0 { sex_code(Sex::Unknown) } else { person.sex },
                person.age.map(i32::from),
            )?;
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
    fn order(&self, member: MemberId, code: &str, value: i64, day: Option<i32>, repetition: u32) -> u128 {
        // HMAC pads a short key with zeros to its block; done here, the length needs no check.
        let mut padded = [0; 64];
        padded[..32].copy_from_slice(&self.salt);
        let mut mac = Hmac::<Sha256>::new(&padded.into());
        mac.update(&member.0.to_be_bytes());
        mac.update(&value.to_be_bytes());
        mac.update(&day.map_or(i64::MIN, i64::from).to_be_bytes());
        mac.update(&repetition.to_be_bytes());
        mac.update(code.as_bytes());
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        u128::from_be_bytes(half)
    }
}

/// Year and month of a unix second in the proleptic Gregorian calendar, counting years from March of year 0 so that leap
/// days come last.
fn year_and_month(second: u64) -> (i32, u8) {
    let days = i64::try_from(second).unwrap_or(i64::MAX) / SECONDS_PER_DAY + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (i32::try_from(year).unwrap_or(i32::MAX), month as u8)
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
    day: Option<i32> => Int32Array, DataType::Int32, true;
    rank: u32 => UInt32Array, DataType::UInt32, false;
});

#[cfg(test)]
mod tests {
    use rochdale_core::fhir::Date;

    use super::*;

    #[test]
    fn the_calendar_is_that_of_fhir_dates() {
        for year in [1970, 1999, 2000, 2023, 2024, 2100, 2399, 2400] {
            for month in 1..=12u8 {
                let date = Date::parse(&format!("{year}-{month:02}")).unwrap();
                for second in [date.first, date.last] {
                    assert_eq!(year_and_month(second.unsigned_abs()), (year, month), "{second}");
                }
            }
        }
    }

    #[test]
    fn age_counts_whole_years_at_the_cut() {
        let cut = Date::parse("2025-06-15").unwrap().first.unsigned_abs();
        let builder = PoolBuilder::new([0; 32], 1, cut).unwrap();
        let age = |birth_year, birth_month, deceased| {
            let (codes, observations) = (vec![], vec![]);
            builder.age(&Flat { sex: Sex::Other, birth_year, birth_month, deceased, codes, observations })
        };
        assert_eq!(age(Some(1985), Some(6), false), Some(40));
        assert_eq!(age(Some(1985), Some(7), false), Some(39));
        assert_eq!(age(Some(1985), None, false), Some(40));
        assert_eq!(age(Some(1985), Some(6), true), None);
        assert_eq!([age(None, None, false), age(Some(2026), None, false), age(Some(1874), None, false)], [None; 3]);
        assert_eq!(age(Some(i32::MIN), Some(1), false), None);
    }
}
