//! What samples of an Apple Health export are in LOINC and UCUM.
//!
//! Sources: the vital signs profiles of FHIR R4 (8867-4, 9279-1, 2708-6 with US Core's 59408-5, 8310-5, 8302-2, 29463-7,
//! 39156-5, 85354-9 of 8480-6 and 8462-4); HL7's Physical Activity guide (41950-7 a day, 40443-4); LOINC's own exercise codes
//! for workouts (55411-3 with 73985-4); for the rest the table of Stanford's HealthKitOnFHIR, except for glucose, where the
//! app does not say from which blood: 2339-0, and 15074-8 where it is an amount of substance. A type that none of them has a
//! LOINC code for is not read.

/// What the app writes before the name of a quantity.
pub const QUANTITY: &[u8] = b"HKQuantityTypeIdentifier";

/// How the samples of a day become one value, as the app itself shows a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By their mean.
    Mean,
    /// By their sum, of the device that counted most: a phone and a watch count the same steps.
    Sum,
}

/// One type of samples in one unit.
pub struct Row {
    /// The type, after [`QUANTITY`].
    pub kind: &'static str,
    /// The unit as the app writes it, before XML is unescaped.
    pub written: &'static str,
    /// LOINC codes.
    pub codes: &'static [&'static str],
    /// What it is called.
    pub text: &'static str,
    /// The unit as a UCUM code.
    pub ucum: &'static str,
    /// What makes the app's amount one in that unit, exactly.
    pub times: i64,
    /// FHIR's category of observations.
    pub category: &'static str,
    pub way: Way,
}

const VITAL: &str = "vital-signs";
const LABORATORY: &str = "laboratory";
const ACTIVITY: &str = "activity";
const EXAM: &str = "exam";
const PROCEDURE: &str = "procedure";

const fn mean(
    kind: &'static str,
    written: &'static str,
    ucum: &'static str,
    codes: &'static [&'static str],
    text: &'static str,
    category: &'static str,
) -> Row {
    Row { kind, written, codes, text, ucum, times: 1, category, way: Way::Mean }
}

/// A share, which the app writes as a part of 1 and calls per cent.
const fn share(kind: &'static str, codes: &'static [&'static str], text: &'static str, category: &'static str) -> Row {
    Row { times: 100, ..mean(kind, "%", "%", codes, text, category) }
}

const fn sum(
    kind: &'static str,
    written: &'static str,
    ucum: &'static str,
    codes: &'static [&'static str],
    text: &'static str,
) -> Row {
    Row { way: Way::Sum, ..mean(kind, written, ucum, codes, text, ACTIVITY) }
}

const WEIGHT: &[&str] = &["29463-7"];
const HEIGHT: &[&str] = &["8302-2"];
const LEAN: &[&str] = &["91557-9"];
const WAIST: &[&str] = &["8280-0"];
const WARMTH: &[&str] = &["8310-5"];
const BURNED: &[&str] = &["41981-2"];

/// All types that are read.
pub const ROWS: [Row; 35] = [
    mean("HeartRate", "count/min", "/min", &["8867-4"], "Heart rate", VITAL),
    mean("RestingHeartRate", "count/min", "/min", &["40443-4"], "Resting heart rate", VITAL),
    mean("HeartRateVariabilitySDNN", "ms", "ms", &["80404-7"], "Heart rate variability (SDNN)", VITAL),
    mean("RespiratoryRate", "count/min", "/min", &["9279-1"], "Respiratory rate", VITAL),
    share("OxygenSaturation", &["2708-6", "59408-5"], "Oxygen saturation", VITAL),
    mean("BloodPressureSystolic", "mmHg", "mm[Hg]", &["8480-6"], "Systolic blood pressure", VITAL),
    mean("BloodPressureDiastolic", "mmHg", "mm[Hg]", &["8462-4"], "Diastolic blood pressure", VITAL),
    mean("BodyTemperature", "degC", "Cel", WARMTH, "Body temperature", VITAL),
    mean("BodyTemperature", "degF", "[degF]", WARMTH, "Body temperature", VITAL),
    mean("BodyMass", "kg", "kg", WEIGHT, "Body weight", VITAL),
    mean("BodyMass", "g", "g", WEIGHT, "Body weight", VITAL),
    mean("BodyMass", "lb", "[lb_av]", WEIGHT, "Body weight", VITAL),
    mean("BodyMass", "st", "[stone_av]", WEIGHT, "Body weight", VITAL),
    mean("Height", "cm", "cm", HEIGHT, "Body height", VITAL),
    mean("Height", "m", "m", HEIGHT, "Body height", VITAL),
    mean("Height", "in", "[in_i]", HEIGHT, "Body height", VITAL),
    mean("Height", "ft", "[ft_i]", HEIGHT, "Body height", VITAL),
    mean("BodyMassIndex", "count", "kg/m2", &["39156-5"], "Body mass index", VITAL),
    share("BodyFatPercentage", &["41982-0"], "Body fat", EXAM),
    mean("LeanBodyMass", "kg", "kg", LEAN, "Lean body mass", EXAM),
    mean("LeanBodyMass", "lb", "[lb_av]", LEAN, "Lean body mass", EXAM),
    mean("WaistCircumference", "cm", "cm", WAIST, "Waist circumference", EXAM),
    mean("WaistCircumference", "in", "[in_i]", WAIST, "Waist circumference", EXAM),
    mean("BloodGlucose", "mg/dL", "mg/dL", &["2339-0"], "Blood glucose", LABORATORY),
    mean("BloodGlucose", "mmol&lt;180.1558800000541&gt;/L", "mmol/L", &["15074-8"], "Blood glucose", LABORATORY),
    mean("BloodGlucose", "mmol<180.1558800000541>/L", "mmol/L", &["15074-8"], "Blood glucose", LABORATORY),
    mean("PeakExpiratoryFlowRate", "L/min", "L/min", &["19935-6"], "Peak expiratory flow", PROCEDURE),
    mean("ForcedExpiratoryVolume1", "L", "L", &["20150-9"], "FEV1", PROCEDURE),
    mean("ForcedVitalCapacity", "L", "L", &["19870-5"], "Forced vital capacity", PROCEDURE),
    sum("StepCount", "count", "/d", &["41950-7"], "Steps in a day"),
    sum("FlightsClimbed", "count", "{flights}", &["100304-5"], "Flights climbed in a day"),
    sum("ActiveEnergyBurned", "kcal", "kcal", BURNED, "Active energy burned in a day"),
    sum("ActiveEnergyBurned", "Cal", "kcal", BURNED, "Active energy burned in a day"),
    sum("ActiveEnergyBurned", "kJ", "kJ", BURNED, "Active energy burned in a day"),
    WORKOUT_ROW,
];

/// The row of workouts, which are no quantities: their activity stands beside them.
pub const WORKOUT: usize = ROWS.len() - 1;
const WORKOUT_ROW: Row = sum("", "min", "min", &["55411-3"], "Exercise duration in a day");
/// What a workout was.
pub const EXERCISE: &str = "73985-4";
/// The panel of the two pressures.
pub const PRESSURE: &str = "85354-9";
/// The two pressures, one after the other.
pub const SYSTOLIC: usize = 5;

/// What a sample's type and unit are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Row(usize),
    /// The type is read, and not in this unit.
    OtherUnit,
    /// It is not read.
    No,
}

/// The row of a type as the app writes it, in a unit.
pub fn row(kind: &[u8], unit: &[u8]) -> Found {
    let Some(kind) = kind.strip_prefix(QUANTITY).filter(|kind| !kind.is_empty()) else { return Found::No };
    let mut found = Found::No;
    for (index, row) in ROWS.iter().enumerate().filter(|(_, row)| row.kind.as_bytes() == kind) {
        if row.written.as_bytes() == unit {
            return Found::Row(index);
        }
        found = Found::OtherUnit;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use rochdale_core::fhir::{loinc_is_valid, unit_is_valid};

    #[test]
    fn codes_have_their_check_digits_and_units_are_ucum() {
        for row in &ROWS {
            assert!(row.codes.iter().all(|code| loinc_is_valid(code)), "{}", row.kind);
            assert!(unit_is_valid(row.ucum), "{}", row.ucum);
        }
        assert!(loinc_is_valid(EXERCISE) && loinc_is_valid(PRESSURE));
        assert_eq!(row(b"HKQuantityTypeIdentifierBloodPressureSystolic", b"mmHg"), Found::Row(SYSTOLIC));
        assert_eq!(row(b"HKQuantityTypeIdentifierBloodPressureDiastolic", b"mmHg"), Found::Row(SYSTOLIC + 1));
        assert_eq!(row(b"HKQuantityTypeIdentifierHeartRate", b"bpm"), Found::OtherUnit);
        assert_eq!((row(b"HKQuantityTypeIdentifier", b"min"), row(b"HeartRate", b"count/min")), (Found::No, Found::No));
    }
}
