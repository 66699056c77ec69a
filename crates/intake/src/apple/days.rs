//! Samples, put together a day at a time, and the Observations that come of it.

use super::table::{EXERCISE, PRESSURE, ROWS, SYSTOLIC, WORKOUT, Way};
use rochdale_core::fhir::{Date, LOINC, SECONDS_PER_DAY, UCUM};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::collections::HashMap;

/// Days, types and sources that are told apart; twenty years of a busy watch have half as many.
const MOST: usize = 400_000;
/// Sources and activities that are told apart.
const NAMES: usize = 1_000;
/// Letters of a name that are looked at.
const NAME: usize = 100;
/// Bytes of the longest Observation, one of two pressures, and more.
const OBSERVATION: usize = 900;

/// Why a sample is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Odd {
    Date,
    Future,
    Value,
    OutOfRange,
    Unit,
}

impl Odd {
    pub fn text(self) -> &'static str {
        match self {
            Self::Date => "of an unreadable date",
            Self::Future => "dated in the future",
            Self::Value => "of an unreadable value",
            Self::OutOfRange => "of a value out of range",
            Self::Unit => "of another unit",
        }
    }
}

/// A day, the row of the table, the activity of a workout, and the source where it counts.
type Key = (u32, usize, u16, u16);

/// What is kept of samples; amounts in millionths.
#[derive(Clone, Copy, Debug)]
struct Cell {
    sum: i128,
    count: u64,
    /// Second of the day and offset from UTC in minutes of the first.
    at: (u32, i16),
}

/// All samples so far.
#[derive(Default)]
pub struct Days {
    cells: BTreeMap<Key, Cell>,
    sources: HashMap<String, u16>,
    activities: HashMap<String, u16>,
    pub taken: u64,
}

/// One sample as it is written.
pub struct Sample<'a> {
    pub row: usize,
    pub activity: &'a str,
    pub source: &'a str,
    pub value: &'a str,
    pub start: &'a str,
}

impl Days {
    /// One more sample; `Err` within where it is set aside.
    ///
    /// # Errors
    /// Where there are more of something than anybody's export has.
    pub fn add(&mut self, sample: &Sample<'_>, now: i64) -> Result<Result<(), Odd>, String> {
        let row = &ROWS[sample.row];
        let Some((day, at, first)) = instant(sample.start) else { return Ok(Err(Odd::Date)) };
        if first > now.saturating_add(SECONDS_PER_DAY) {
            return Ok(Err(Odd::Future));
        }
        let Some(micro) = micro(sample.value) else { return Ok(Err(Odd::Value)) };
        if micro < 0 || row.times != 1 && micro > 1_000_000 {
            return Ok(Err(Odd::OutOfRange));
        }
        let source = if row.way == Way::Sum { number(&mut self.sources, sample.source)? } else { 0 };
        let activity = number(&mut self.activities, sample.activity)?;
        let amount = i128::from(micro) * i128::from(row.times);
        let key = (day, sample.row, activity, source);
        let cell = self.cells.entry(key).or_insert(Cell { sum: 0, count: 0, at });
        cell.sum += amount;
        cell.count += 1;
        cell.at = cell.at.min(at);
        self.taken += 1;
        if self.cells.len() > MOST {
            return Err(format!(
                "it has more than {MOST} days of samples by type and source, as no person's export has"
            ));
        }
        Ok(Ok(()))
    }

    /// Hands over the Observations about the patient with this id, a day or a month each, so that they fit into so many
    /// bytes; says how many they are and whether it is months.
    pub fn observations(self, patient: &str, limit: usize, take: &mut dyn FnMut(&Value)) -> (usize, bool) {
        let names: HashMap<u16, String> = self.activities.into_iter().map(|(name, number)| (number, name)).collect();
        let mut values = daily(self.cells);
        let by_month = values.len().saturating_mul(OBSERVATION) > limit / 4 * 3;
        if by_month {
            values = monthly(values);
        }
        let mut count = 0;
        let mut values = values.into_iter().peekable();
        while let Some(((day, row, activity), one)) = values.next() {
            let other = values.next_if(|((same, next, _), _)| *same == day && row == SYSTOLIC && *next == SYSTOLIC + 1);
            // Of two pressures, what more readings went into says when and how.
            let most = other.as_ref().map(|(_, other)| other).filter(|other| other.cell.count > one.cell.count);
            let mut observation = shell(patient, count, day, most.unwrap_or(&one));
            if row == SYSTOLIC || row == SYSTOLIC + 1 {
                let parts = std::iter::once((row, one)).chain(other.map(|((_, row, _), other)| (row, other)));
                observation["component"] = parts
                    .map(|(row, one)| json!({ "code": concept(ROWS[row].codes, ROWS[row].text), "valueQuantity": one.quantity(row) }))
                    .collect();
                observation["code"] = concept(&[PRESSURE], "Blood pressure");
            } else {
                observation["code"] = concept(ROWS[row].codes, ROWS[row].text);
                observation["valueQuantity"] = one.quantity(row);
            }
            if let Some(activity) = names.get(&activity).filter(|activity| row == WORKOUT && !activity.is_empty()) {
                observation["component"] =
                    json!([{ "code": concept(&[EXERCISE], "Exercise activity"), "valueString": activity }]);
            }
            observation["category"] = json!([{ "coding": [{ "system": CATEGORY, "code": ROWS[row].category }] }]);
            take(&observation);
            count += 1;
        }
        (count, by_month)
    }
}

const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// The value of a day or a month.
struct Reduced {
    cell: Cell,
    way: Way,
    /// Samples, or days where they are of a month's daily sums.
    months_of: bool,
}

impl Reduced {
    fn quantity(&self, row: usize) -> Value {
        let by = if self.way == Way::Mean || self.months_of { i128::from(self.cell.count.max(1)) } else { 1 };
        let thousandths = (self.cell.sum + by * 500) / (by * 1_000);
        let value = if thousandths % 1_000 == 0 {
            json!(i64::try_from(thousandths / 1_000).unwrap_or(i64::MAX))
        } else {
            // Three digits after the point: a float that is written as it was meant.
            json!(thousandths as f64 / 1_000.0)
        };
        json!({ "value": value, "unit": ROWS[row].ucum, "system": UCUM, "code": ROWS[row].ucum })
    }

    fn method(&self) -> Option<String> {
        let many = self.cell.count;
        match (self.way, self.months_of) {
            (Way::Sum, false) => Some("Sum of the day, of the device that counted most".to_owned()),
            (Way::Sum, true) => Some(format!("Mean of the sums of {many} days")),
            (Way::Mean, _) if many == 1 => None,
            (Way::Mean, _) => Some(format!("Mean of {many} samples")),
        }
    }

    /// When: the instant of the one sample, else the day or the month.
    fn date(&self, day: u32) -> String {
        let (year, month, of_month) = (day / 10_000, day / 100 % 100, day % 100);
        if of_month == 0 {
            return format!("{year:04}-{month:02}");
        }
        let date = format!("{year:04}-{month:02}-{of_month:02}");
        if self.way == Way::Sum || self.cell.count != 1 {
            return date;
        }
        let (second, offset) = self.cell.at;
        let (sign, off) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
        format!(
            "{date}T{:02}:{:02}:{:02}{sign}{:02}:{:02}",
            second / 3_600,
            second / 60 % 60,
            second % 60,
            off / 60,
            off % 60
        )
    }
}

/// One value a day; of sums, that of the source that has most.
fn daily(cells: BTreeMap<Key, Cell>) -> BTreeMap<(u32, usize, u16), Reduced> {
    let mut days = BTreeMap::<_, Reduced>::new();
    for ((day, row, activity, _), cell) in cells {
        let one = Reduced { cell, way: ROWS[row].way, months_of: false };
        let known = days.entry((day, row, activity)).or_insert(Reduced { cell, ..one });
        if cell.sum > known.cell.sum {
            *known = one;
        }
    }
    days
}

/// One value a month: of sums, the mean of the days that have one.
fn monthly(days: BTreeMap<(u32, usize, u16), Reduced>) -> BTreeMap<(u32, usize, u16), Reduced> {
    let mut months = BTreeMap::<_, Reduced>::new();
    for ((day, row, activity), Reduced { cell, way, .. }) in days {
        let empty = Reduced { cell: Cell { sum: 0, count: 0, at: cell.at }, way, months_of: true };
        let month = months.entry((day / 100 * 100, row, activity)).or_insert(empty);
        month.cell.sum += cell.sum;
        month.cell.count += if way == Way::Sum { 1 } else { cell.count };
    }
    months
}

fn concept(codes: &[&str], text: &str) -> Value {
    let codings: Vec<_> = codes.iter().map(|code| json!({ "system": LOINC, "code": code })).collect();
    json!({ "coding": codings, "text": text })
}

fn shell(patient: &str, number: usize, day: u32, one: &Reduced) -> Value {
    let mut observation = json!({
        "resourceType": "Observation",
        "id": format!("apple-{number}"),
        "status": "final",
        "subject": { "reference": format!("Patient/{patient}") },
        "effectiveDateTime": one.date(day),
    });
    if let Some(method) = one.method() {
        observation["method"] = json!({ "text": method });
    }
    observation
}

/// The number of a name, which is new or known.
fn number(names: &mut HashMap<String, u16>, name: &str) -> Result<u16, String> {
    // What is longer is no name, and one that differs later still is the same.
    let name = name.char_indices().nth(NAME).map_or(name, |(end, _)| &name[..end]);
    if let Some(number) = names.get(name) {
        return Ok(*number);
    }
    if names.len() == NAMES {
        return Err(format!("it names more than {NAMES} sources or activities, as no person's export does"));
    }
    let number = u16::try_from(names.len()).map_err(|error| error.to_string())?;
    names.insert(name.to_owned(), number);
    Ok(number)
}

/// The day as `yyyymmdd`, second of the day and offset in minutes, and the instant, of `2024-03-01 08:00:00 -0500`.
fn instant(text: &str) -> Option<(u32, (u32, i16), i64)> {
    if text.len() != 25 || !text.is_ascii() {
        return None;
    }
    let (date, time, offset) = (text.get(..10)?, text.get(11..19)?, text.get(20..)?);
    let zone = format!("{}:{}", offset.get(..3)?, offset.get(3..)?);
    let parsed = Date::parse(&format!("{date}T{time}{zone}"))?;
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let day = part(0, 4)? * 10_000 + part(5, 7)? * 100 + part(8, 10)?;
    let second = part(11, 13)? * 3_600 + part(14, 16)? * 60 + part(17, 19)?;
    let minutes = i16::try_from(part(21, 23)? * 60 + part(23, 25)?).ok()?;
    let minutes = if offset.starts_with('-') { -minutes } else { minutes };
    Some((day, (second, minutes), parsed.first))
}

/// A decimal in millionths, without what is finer; `None` where it is none or too large for any body.
fn micro(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(part) || whole.len() > 12 {
        return None;
    }
    let fine: String = part.chars().chain("000000".chars()).take(6).collect();
    let amount = whole.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(fine.parse().ok()?)?;
    Some(if negative { -amount } else { amount })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_decimals_are_read_as_they_stand() {
        let of = |text: &str| instant(text).map(|(day, at, _)| (day, at));
        assert_eq!(of("2024-03-01 08:00:01 -0530"), Some((20_240_301, (28_801, -330))));
        for text in [
            "2024-02-30 08:00:00 -0500",
            "2024-03-01 08:00:00",
            "2024-03-01 08:00:00 -05é",
            "2024-03-01 08:00:00 +05:0",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
        assert_eq!(micro("61.5"), Some(61_500_000));
        assert_eq!((micro("-1"), micro("0.9712345678")), (Some(-1_000_000), Some(971_234)));
        for text in ["", ".", "1e4", "1.", ".5", "+1", "NaN", "1234567890123", "1.2.3"] {
            assert_eq!(micro(text), None, "{text}");
        }
    }
}
