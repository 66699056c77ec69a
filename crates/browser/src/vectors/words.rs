//! Tables of words, read column by column.

use alloy_primitives::{B256, U256};
use rochdale_core::ids::Epoch;
use rochdale_core::ledger::{Amounts, Header, Inputs, Row, Score};
use serde_json::Value;

use super::{Fault, Result};

/// Contributions that a row's record has room for.
const SLOTS: usize = 4;

/// Records of one length, each with its name where the file has names.
pub struct Table<'a> {
    words: &'a [Value],
    stride: usize,
    names: Option<&'a Vec<Value>>,
}

impl<'a> Table<'a> {
    /// The table of a file that says its own stride.
    pub fn of(file: &'a Value) -> Result<Self> {
        let stride = file["stride"].as_u64().and_then(|stride| usize::try_from(stride).ok());
        Self::rows(&file["words"], stride.unwrap_or_default(), file["names"].as_array())
    }

    pub fn rows(words: &'a Value, stride: usize, names: Option<&'a Vec<Value>>) -> Result<Self> {
        let words = words.as_array().ok_or_else(|| Fault::new("no words"))?;
        if stride == 0 || words.is_empty() || words.len() % stride != 0 {
            return Err(Fault(format!("{} words are not records of {stride}", words.len())));
        }
        Ok(Self { words, stride, names })
    }

    /// Reads every record to its end.
    pub fn each<T>(&self, mut read: impl FnMut(&str, &mut Words<'a>) -> Result<T>) -> Result<Vec<T>> {
        let records = self.words.chunks(self.stride).enumerate();
        let one = |(at, record): (usize, &'a [Value])| {
            let name = self.names.and_then(|names| names.get(at)?.as_str()).map_or(at.to_string(), str::to_owned);
            let mut words = Words(record);
            let found = read(&name, &mut words).map_err(|fault| fault.within(&name))?;
            match words.left() {
                0 => Ok(found),
                left => Err(Fault(format!("{left} columns were not read")).within(&name)),
            }
        };
        records.map(one).collect()
    }
}

/// The columns of one record that are not read yet.
pub struct Words<'a>(&'a [Value]);

impl<'a> Words<'a> {
    pub fn left(&self) -> usize {
        self.0.len()
    }

    pub fn skip_rest(&mut self) {
        self.0 = &[];
    }

    fn parse<T: std::str::FromStr>(&mut self) -> Result<T> {
        let (first, rest) = self.0.split_first().ok_or_else(|| Fault::new("the record is too short"))?;
        self.0 = rest;
        let read = first.as_str().and_then(|text| text.parse().ok());
        read.ok_or_else(|| Fault(format!("{first} is no {}", std::any::type_name::<T>())))
    }

    pub fn wide(&mut self) -> Result<U256> {
        self.parse()
    }

    pub fn number<T: TryFrom<u128>>(&mut self) -> Result<T> {
        let value: u128 = self.parse()?;
        T::try_from(value).map_err(|_| Fault(format!("{value} is out of range")))
    }

    pub fn flag(&mut self) -> Result<bool> {
        Ok(self.number::<u8>()? == 1)
    }

    pub fn hash(&mut self) -> Result<B256> {
        self.parse()
    }

    pub fn hashes(&mut self, many: usize) -> Result<Vec<B256>> {
        (0..many).map(|_| self.hash()).collect()
    }

    pub fn one_of<'s, T>(&mut self, of: &'s [T]) -> Result<&'s T> {
        let at = self.number::<usize>()?;
        of.get(at).ok_or_else(|| Fault(format!("there is no set {at}")))
    }

    pub fn score(&mut self) -> Result<Score> {
        Ok(Score {
            quality: self.number()?,
            uniqueness: self.number()?,
            authenticity: self.number()?,
            rarity: self.number()?,
        })
    }

    pub fn amounts(&mut self) -> Result<Amounts> {
        Ok(Amounts { cash: self.number()?, stream: self.number()?, data: self.number()?, gov: self.number()? })
    }

    pub fn row(&mut self, closed: bool) -> Result<Row> {
        Ok(Row {
            cash_earned: self.number()?,
            cash_streaming: self.number()?,
            data_earned: self.number()?,
            gov_earned: self.number()?,
            data_locked: self.number()?,
            data_vesting: self.number()?,
            gov_locked: self.number()?,
            gov_vesting: self.number()?,
            usage_weight: self.number()?,
            streak: self.number()?,
            last_contribution: self.number()?,
            join_epoch: self.number()?,
            closed,
        })
    }

    pub fn inputs(&mut self) -> Result<Inputs> {
        let (active, erased, n, k) = (self.flag()?, self.flag()?, self.number()?, self.number()?);
        let (w, program_points, count) = (self.number()?, self.number()?, self.number::<usize>()?);
        let mut contributions = (0..SLOTS).map(|_| self.score()).collect::<Result<Vec<_>>>()?;
        contributions.truncate(count);
        Ok(Inputs { contributions, program_points, n, k, w, active, erased })
    }

    pub fn header(&mut self) -> Result<Header> {
        Ok(Header {
            epoch: Epoch(self.number()?),
            attempt: self.number()?,
            previous_root: self.hash()?,
            root: self.hash()?,
            params_hash: self.hash()?,
            inputs_root: self.hash()?,
            sheet_digest: self.hash()?,
            sharers: self.number()?,
            payout: self.number()?,
            sum_usage: self.wide()?,
            sum_data: self.wide()?,
            sum_early: self.wide()?,
            sum_data_award: self.wide()?,
            sum_gov_award: self.wide()?,
            cash_allocated: self.number()?,
            data_awarded: self.number()?,
            data_earned: self.number()?,
            gov_awarded: self.number()?,
            gov_earned: self.number()?,
        })
    }
}
