//! Times as people read them: dates with their zone, and spans.

use rochdale_core::calendar::civil;
use rochdale_core::fhir::Date;

/// Nobody learns from more than two years at once.
const MOST: u64 = 731 * 86_400;

/// `2026-11-29 05:04:01 UTC` of Unix seconds.
pub fn utc(at: u64) -> String {
    let (days, second) = (at / 86_400, at % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", second / 3_600, second / 60 % 60, second % 60)
}

/// `2026-11-29T05:04:01Z` of Unix seconds, as FHIR writes an instant.
pub fn instant(at: u64) -> String {
    // What stands behind the time of day is the zone.
    let text = utc(at).replacen(' ', "T", 1);
    format!("{}Z", text.split(' ').next().unwrap_or_default())
}

/// A span as people say it: `2 days`, `3 hours`, `5 minutes`.
pub fn span(seconds: u64) -> String {
    match seconds {
        s if s >= 2 * 86_400 => count(s / 86_400, "day"),
        s if s >= 2 * 3_600 => count(s / 3_600, "hour"),
        s if s >= 120 => count(s / 60, "minute"),
        s => count(s, "second"),
    }
}

/// `1 call`, `2 calls`.
pub fn count(number: u64, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

/// `1 steward holds`, `2 stewards hold`.
pub fn holding(stewards: usize) -> String {
    if stewards == 1 { "1 steward holds".to_owned() } else { format!("{stewards} stewards hold") }
}

/// `+1d`, `+2h`, `+30m` or `+45s`, and sums such as `+1d12h`, in seconds.
pub fn later(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no span: write +1d, +2h, +30m, +45s or a sum such as +1d12h");
    let mut rest = text.strip_prefix('+').filter(|rest| !rest.is_empty()).ok_or_else(wrong)?;
    let mut seconds = 0u64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let count: u64 = rest[..end].parse().map_err(|_| wrong())?;
        let unit = match rest.as_bytes()[end] {
            b'd' => 86_400,
            b'h' => 3_600,
            b'm' => 60,
            b's' => 1,
            _ => return Err(wrong()),
        };
        seconds = count.checked_mul(unit).and_then(|more| seconds.checked_add(more)).ok_or_else(wrong)?;
        rest = &rest[end + 1..];
    }
    if seconds == 0 || seconds > MOST {
        return Err(format!("`{text}` is not between a second and two years"));
    }
    Ok(seconds)
}

/// The last second of a day, `2027-12-31` in UTC, as Unix seconds.
pub fn last_second(day: &str) -> Result<u64, String> {
    let parsed = Date::parse(day).filter(|_| day.len() == 10).and_then(|date| u64::try_from(date.last).ok());
    parsed.ok_or_else(|| format!("`{day}` is no day: write YYYY-MM-DD"))
}

#[cfg(test)]
mod tests {
    use super::{later, span, utc};

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(utc(1_800_573_337), "2027-01-21 23:15:37 UTC");
        assert_eq!(utc(4_107_542_399), "2100-02-28 23:59:59 UTC");
        assert_eq!(utc(4_107_542_400), "2100-03-01 00:00:00 UTC", "2100 has no leap day");
    }

    #[test]
    fn spans_are_told_in_the_unit_that_fits() {
        let said = [0, 1, 119, 120, 7_199, 7_200, 172_799, 172_800].map(span);
        assert_eq!(
            said,
            ["0 seconds", "1 second", "119 seconds", "2 minutes", "119 minutes", "2 hours", "47 hours", "2 days"]
        );
    }

    #[test]
    fn spans_are_read_and_what_is_none_is_told() {
        for (text, seconds) in [("+1d", 86_400), ("+2h", 7_200), ("+30m", 1_800), ("+1d12h", 129_600), ("+5s", 5)] {
            assert_eq!(later(text), Ok(seconds), "{text}");
        }
        for bad in
            ["", "+", "1d", "-1d", "+1", "+d", "+1w", "+1d2", "+0d", "+9999999d", "+99999999999999999999d", "+1é"]
        {
            assert!(later(bad).is_err(), "{bad} passed");
        }
    }
}
