//! The unit in which a pool keeps a code.
//!
//! A query's bounds are in one unit, while records come in several. Which unit counts must not depend on members' data
//! (a majority vote could be tipped by one member), so it is declared here. Rows of a declared code in a unit that
//! is neither the declared one nor convertible are dropped, before ranks are given. Codes without a declaration are kept
//! as written, whatever their unit.
//!
//! Sources: LOINC's example UCUM units; international yard and pound agreement of 1959; molar masses by IUPAC (glucose
//! 180.16, cholesterol 386.65, triglycerides as triolein 885.43, creatinine 113.12 g/mol).

use crate::fhir::LOINC;

/// A code, its unit, and other units with what their values are multiplied by, as numerator and denominator.
struct Declared {
    code: &'static str,
    unit: &'static str,
    others: &'static [(&'static str, i128, i128)],
}

const fn declared(code: &'static str, unit: &'static str, others: &'static [(&'static str, i128, i128)]) -> Declared {
    Declared { code, unit, others }
}

const MASS: &[(&str, i128, i128)] = &[("g", 1, 1_000), ("[lb_av]", 45_359_237, 100_000_000)];
const RATE: &[(&str, i128, i128)] = &[("{beats}/min", 1, 1), ("{breaths}/min", 1, 1), ("{Beats}/min", 1, 1)];
const GLUCOSE: &[(&str, i128, i128)] = &[("mmol/L", 18_016, 1_000)];
const CHOLESTEROL: &[(&str, i128, i128)] = &[("mmol/L", 38_665, 1_000)];

const LOINC_UNITS: &[Declared] = &[
    declared("8302-2", "cm", &[("m", 100, 1), ("[in_i]", 254, 100)]),
    declared("29463-7", "kg", MASS),
    declared("3141-9", "kg", MASS),
    declared("39156-5", "kg/m2", &[]),
    declared("8867-4", "/min", RATE),
    declared("9279-1", "/min", RATE),
    declared("8480-6", "mm[Hg]", &[]),
    declared("8462-4", "mm[Hg]", &[]),
    declared("4548-4", "%", &[]),
    declared("2339-0", "mg/dL", GLUCOSE),
    declared("2345-7", "mg/dL", GLUCOSE),
    declared("2093-3", "mg/dL", CHOLESTEROL),
    declared("2085-9", "mg/dL", CHOLESTEROL),
    declared("18262-6", "mg/dL", CHOLESTEROL),
    declared("2571-8", "mg/dL", &[("mmol/L", 88_543, 1_000)]),
    declared("38483-4", "mg/dL", &[("umol/L", 11_312, 1_000_000)]),
    declared("2160-0", "mg/dL", &[("umol/L", 11_312, 1_000_000)]),
    declared("718-7", "g/dL", &[("g/L", 1, 10)]),
    declared("8310-5", "Cel", &[]),
];

/// A value in thousandths of the unit that the pool keeps this code in; `None` where it cannot be brought there.
#[must_use]
pub fn in_pool_unit(system: &str, code: &str, unit: &str, value_milli: i64) -> Option<i64> {
    let Some(declared) = find(system, code) else { return Some(value_milli) };
    if unit == declared.unit {
        return Some(value_milli);
    }
    let (_, numerator, denominator) = declared.others.iter().find(|(other, ..)| *other == unit)?;
    i64::try_from((i128::from(value_milli) * numerator).div_euclid(*denominator)).ok()
}

/// The UCUM unit in which a pool keeps this code; `None` where none is declared, and values are kept as written.
#[must_use]
pub fn pool_unit(system: &str, code: &str) -> Option<&'static str> {
    find(system, code).map(|declared| declared.unit)
}

fn find(system: &str, code: &str) -> Option<&'static Declared> {
    LOINC_UNITS.iter().find(|declared| system == LOINC && declared.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_codes_come_in_one_unit() {
        let weight = |unit, value| in_pool_unit(LOINC, "29463-7", unit, value);
        assert_eq!(weight("kg", 70_000), Some(70_000));
        assert_eq!(weight("[lb_av]", 100_000), Some(45_359));
        assert_eq!(weight("g", 3_500_000), Some(3_500));
        assert_eq!(weight("stone", 11_000), None);
        assert_eq!(weight("", 70_000), None, "a bare number could be anything");
        assert_eq!(in_pool_unit(LOINC, "2339-0", "mmol/L", 5_000), Some(90_080));
        assert_eq!(in_pool_unit(LOINC, "2160-0", "umol/L", 100_000), Some(1_131));
        assert_eq!(in_pool_unit(LOINC, "8302-2", "m", i64::MAX), None, "beyond the range of values");
    }

    #[test]
    fn other_codes_are_kept_as_written() {
        assert_eq!(in_pool_unit(LOINC, "1-8", "furlong", -5), Some(-5));
        assert_eq!(in_pool_unit("http://example.org/codes", "29463-7", "stone", 11), Some(11));
        assert_eq!((pool_unit("http://example.org/codes", "29463-7"), pool_unit(LOINC, "29463-7")), (None, Some("kg")));
    }

    #[test]
    fn no_code_is_declared_twice() {
        let mut codes: Vec<_> = LOINC_UNITS.iter().map(|declared| declared.code).collect();
        codes.sort_unstable();
        assert!(codes.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
