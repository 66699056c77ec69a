//! Decimal numbers of records as integers: thousandths, read from the digits, never through a float's arithmetic.

use super::json::{Json, Number};

/// The number in thousandths, rounded half away from zero; `None` where it does not fit 64 bits, or is no number.
#[must_use]
pub fn milli(number: Json<'_>) -> Option<i64> {
    match number.as_number()? {
        Number::Natural(whole) => i64::try_from(whole).ok()?.checked_mul(1000),
        Number::Negative(whole) => whole.checked_mul(1000),
        // The shortest digits that give back the same number: the same text on every machine.
        Number::Float(float) => milli_of_text(&serde_json::Number::from_f64(float)?.to_string()),
    }
}

/// The same of digits that an export put in quotes.
#[must_use]
pub fn milli_of_text(text: &str) -> Option<i64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = whole.bytes().chain(fraction.bytes());
    if whole.is_empty() && fraction.is_empty() || !digits.all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // The digit string stands for digits · 10^(shift − 3) once thousandths are counted.
    let shift = i64::from(exponent) + 3 - i64::try_from(fraction.len()).ok()?;
    let mut value: i128 = 0;
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let kept = if shift >= 0 { digits.len() } else { digits.len().saturating_sub(usize::try_from(-shift).ok()?) };
    for digit in &digits[..kept] {
        value = value.checked_mul(10)?.checked_add(i128::from(digit.checked_sub(b'0').filter(|d| *d < 10)?))?;
    }
    if shift >= 0 {
        if value != 0 {
            value = value.checked_mul(10i128.checked_pow(u32::try_from(shift).ok()?)?)?;
        }
    } else if usize::try_from(-shift).ok()? <= digits.len() && digits.get(kept).is_some_and(|d| *d >= b'5') {
        value = value.checked_add(1)?;
    }
    i64::try_from(if negative { -value } else { value }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::json::Document;

    fn of(json: &str) -> Option<i64> {
        milli(Document::parse(json.into()).unwrap().root())
    }

    #[test]
    fn counts_thousandths_by_the_digits() {
        assert_eq!(of("5.4"), Some(5_400));
        assert_eq!(of("-0.0005"), Some(-1));
        assert_eq!(of("0.00049"), Some(0));
        assert_eq!(of("9.9996"), Some(10_000));
        assert_eq!(of("2.7070688606295423"), Some(2_707));
        assert_eq!(of("1e3"), Some(1_000_000));
        assert_eq!(of("1e-7"), Some(0));
        assert_eq!(of("5e-4"), Some(1));
        assert_eq!(of("0.0"), Some(0));
        assert_eq!(of("0e300"), Some(0));
        assert_eq!(of("9223372036854775"), Some(9_223_372_036_854_775_000));
    }

    #[test]
    fn drops_what_does_not_fit() {
        for text in ["", ".", "5.400mg", "98.600 F", "<5", "5,4", "1e", "-"] {
            assert_eq!(milli_of_text(text), None, "{text}");
        }
        assert_eq!(of("9223372036854776"), None);
        assert_eq!(of("18446744073709551615"), None);
        assert_eq!(of("1e300"), None);
        assert_eq!(of("-1e40"), None);
    }
}
