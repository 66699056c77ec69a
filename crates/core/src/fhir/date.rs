//! FHIR `date`, `dateTime` and `instant`, as the span of seconds that the text can mean.
//!
//! Source: FHIR R4, datatypes, the regular expressions of the three types. Partial dates are spans: `1984-05` is the
//! whole month. A time without a zone is read as UTC; callers that compare allow a day of slack for zones.

use serde::{Deserialize, Serialize};

/// Seconds of a day.
pub const SECONDS_PER_DAY: i64 = 86_400;

/// How much of a date was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// `1984`
    Year,
    /// `1984-05`
    Month,
    /// `1984-05-17`
    Day,
    /// With a time of day.
    Time,
}

/// A point in time as far as it was written: unix seconds from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Date {
    /// The first second it can mean.
    pub first: i64,
    /// The last second it can mean.
    pub last: i64,
    /// How much was written.
    pub precision: Precision,
    /// Whether a time of day names its zone; FHIR asks for it.
    pub zoned: bool,
    year: i32,
    month: u8,
}

impl Date {
    /// Reads a FHIR date, dateTime or instant; `None` where the text is none of them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        // The grammar is ASCII, so byte offsets are character offsets once this holds.
        if !text.is_ascii() || bytes.len() > 40 {
            return None;
        }
        let year = i32::try_from(digits(bytes.get(..4)?)?).ok().filter(|y| *y > 0)?;
        let Some(rest) = text.get(4..).filter(|r| !r.is_empty()) else {
            return Some(Self::span(
                year,
                1,
                days_from_civil(year, 1, 1),
                days_from_civil(year + 1, 1, 1),
                Precision::Year,
            ));
        };
        let month = two(rest, '-')?;
        if !(1..=12).contains(&month) {
            return None;
        }
        let rest = &rest[3..];
        let month_starts = days_from_civil(year, month, 1);
        let month_ends =
            if month == 12 { days_from_civil(year + 1, 1, 1) } else { days_from_civil(year, month + 1, 1) };
        if rest.is_empty() {
            return Some(Self::span(year, month, month_starts, month_ends, Precision::Month));
        }
        let day = i64::from(two(rest, '-')?);
        if day < 1 || day > month_ends - month_starts {
            return None;
        }
        let date = month_starts + day - 1;
        match rest.get(3..).filter(|r| !r.is_empty()) {
            None => Some(Self::span(year, month, date, date + 1, Precision::Day)),
            Some(time) => {
                let second = date * SECONDS_PER_DAY + time_of_day(time)?;
                let zoned = time.contains(['Z', '+', '-']);
                Some(Self { first: second, last: second, precision: Precision::Time, zoned, year, month })
            }
        }
    }

    fn span(year: i32, month: u8, first_day: i64, end_day: i64, precision: Precision) -> Self {
        Self {
            first: first_day * SECONDS_PER_DAY,
            last: end_day * SECONDS_PER_DAY - 1,
            precision,
            zoned: true,
            year,
            month,
        }
    }

    /// The year as written.
    #[must_use]
    pub fn year(self) -> i32 {
        self.year
    }

    /// The month as written, `None` for a bare year.
    #[must_use]
    pub fn month(self) -> Option<u8> {
        (self.precision > Precision::Year).then_some(self.month)
    }

    /// The first day it can mean, in days since 1970-01-01.
    #[must_use]
    pub fn day(self) -> i32 {
        day_of(self.first)
    }
}

/// The day of a unix second, in days since 1970-01-01.
#[must_use]
pub fn day_of(second: i64) -> i32 {
    i32::try_from(second.div_euclid(SECONDS_PER_DAY)).unwrap_or(if second < 0 { i32::MIN } else { i32::MAX })
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0u32, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
}

/// Two digits after a separator.
fn two(text: &str, separator: char) -> Option<u8> {
    let rest = text.strip_prefix(separator)?;
    u8::try_from(digits(rest.as_bytes().get(..2)?)?).ok()
}

/// Seconds since midnight UTC of `Thh:mm[:ss[.fraction]][Z|±hh:mm]`; a leap second counts as the one before it.
fn time_of_day(text: &str) -> Option<i64> {
    let (hour, minute) = (i64::from(two(text, 'T')?), i64::from(two(text.get(3..)?, ':')?));
    let mut rest = text.get(6..)?;
    let mut second = 0;
    if rest.starts_with(':') {
        second = i64::from(two(rest, ':')?);
        rest = rest.get(3..)?;
        if let Some(fraction) = rest.strip_prefix('.') {
            let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
            rest = fraction.get(length..).filter(|_| length > 0)?;
        }
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(hour * 3600 + minute * 60 + second.min(59) - offset(rest)?)
}

/// Seconds east of UTC of a zone; none means UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone == "Z" {
        return Some(0);
    }
    let (sign, separator) = if zone.starts_with('+') { (1, '+') } else { (-1, '-') };
    let (hours, minutes) = (i64::from(two(zone, separator)?), i64::from(two(zone.get(3..)?, ':')?));
    (zone.len() == 6 && hours <= 14 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (years of 400-year eras starting in March).
fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_precision() {
        let day = |text: &str| Date::parse(text).unwrap();
        assert_eq!(day("1970-01-01").day(), 0);
        assert_eq!(day("2000-02-29").day(), 11_016);
        assert_eq!(day("1984").first, 441_763_200);
        assert_eq!(day("1984").last - day("1984").first, 366 * SECONDS_PER_DAY - 1);
        assert_eq!((day("1984-05").month(), day("1984").month()), (Some(5), None));
        assert_eq!(day("2020-01-01T00:00:00+14:00").first, day("2019-12-31T10:00:00Z").first);
        assert_eq!(day("2020-06-30T12:34:56.789-05:00").first, 1_593_538_496);
        assert_eq!(day("2016-12-31T23:59:60Z").first, day("2016-12-31T23:59:59Z").first);
        assert_eq!(day("1900-03-01").day() - day("1900-02-28").day(), 1);
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "84",
            "0000",
            "1984-",
            "1984-13",
            "1984-5",
            "1984-02-30",
            "1900-02-29",
            "1984-05-17T",
            "1984-05-17T25:00:00Z",
            "1984-05-17T10:00:61Z",
            "1984-05-17T10:00:00.",
            "1984-05-17T10:00:00+15:00",
            "1984-05-17 10:00",
            "1984-05-17T10:00:00Zjunk",
            "yesterday",
            "１９８４",
            "1984-05-17T10:00:00+1:00",
            "+984",
            "1984-00-01",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }
}
