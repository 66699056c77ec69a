//! Code systems and their check digits.

use super::json::Json;

/// SNOMED CT.
pub const SNOMED: &str = "http://snomed.info/sct";
/// LOINC.
pub const LOINC: &str = "http://loinc.org";
/// ICD-10-CM.
pub const ICD10CM: &str = "http://hl7.org/fhir/sid/icd-10-cm";
/// RxNorm.
pub const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
/// CVX, vaccines.
pub const CVX: &str = "http://hl7.org/fhir/sid/cvx";
/// UCUM, units.
pub const UCUM: &str = "http://unitsofmeasure.org";

/// The systems that rules know by name, with their OIDs.
const SYSTEMS: [(&str, &str); 6] = [
    (SNOMED, "2.16.840.1.113883.6.96"),
    (LOINC, "2.16.840.1.113883.6.1"),
    (ICD10CM, "2.16.840.1.113883.6.90"),
    (RXNORM, "2.16.840.1.113883.6.88"),
    (CVX, "2.16.840.1.113883.12.292"),
    (UCUM, "2.16.840.1.113883.6.8"),
];

/// A code with the system it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Coding<'a> {
    /// The system's URL as [`system_url`] gives it, empty where none was written.
    pub system: &'a str,
    /// The code without blanks around it, never empty.
    pub code: &'a str,
}

/// Whether this is the URL of a system that rules know by name.
pub(crate) fn is_known(system: &str) -> bool {
    SYSTEMS.iter().any(|(url, _)| *url == system)
}

/// The URL of a system however an export spells it: as its OID, with `https`, a slash or blanks at its end. What rules do not know
/// stays as it is.
///
/// Source: HL7 Terminology, the identifiers of each code system.
#[must_use]
pub(crate) fn system_url(text: &str) -> &str {
    let text = text.trim();
    if is_known(text) {
        return text;
    }
    let oid = text.strip_prefix("urn:oid:").unwrap_or(text);
    let without_scheme = |url: &'static str| url.strip_prefix("http://").unwrap_or(url);
    let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let bare = bare.map(|rest| rest.trim_end_matches('/'));
    let same = |(url, own): &&(&'static str, &str)| *own == oid || bare == Some(without_scheme(url));
    SYSTEMS.iter().find(same).map_or(text, |(url, _)| url)
}

/// Most codings that are read of one element: real ones have a handful, and what compares them pairwise must end.
const MOST: usize = 64;

/// The codings of a `CodeableConcept`, of a list of them, or of a bare `Coding`: those that have a code, the first 64.
pub fn codings(concept: Option<Json<'_>>) -> Vec<Coding<'_>> {
    let mut found = Vec::new();
    concept.into_iter().flat_map(Json::one_or_many).for_each(|concept| collect(concept, &mut found));
    found
}

fn collect<'a>(concept: Json<'a>, found: &mut Vec<Coding<'a>>) {
    let coding = concept.get("coding").filter(|coding| coding.is_array() || coding.is_object());
    for coding in coding.map_or_else(|| concept.alone(), Json::one_or_many) {
        if found.len() == MOST {
            return;
        }
        if let Some(code) = coding.get("code").and_then(Json::as_str).map(str::trim).filter(|c| !c.is_empty()) {
            found.push(Coding { system: coding.get("system").and_then(Json::as_str).map_or("", system_url), code });
        }
    }
}

/// Whether a text is a LOINC number with the right check digit. Of parts, lists and answers (LP, LL, LA) the form alone
/// counts: their numbers are not checked by digits only.
///
/// Source: LOINC Users' Guide, appendix on check digits (mod 10, the doubling starting at the rightmost digit).
#[must_use]
pub fn loinc_is_valid(code: &str) -> bool {
    let prefixed = ["LP", "LL", "LA"].iter().find_map(|prefix| code.strip_prefix(prefix));
    let Some((number, check)) = prefixed.unwrap_or(code).split_once('-') else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if number.len() > 8 || check.len() != 1 || !digits(number) || !digits(check) {
        return false;
    }
    if prefixed.is_some() {
        return true;
    }
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            if place % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
        })
        .sum();
    check.bytes().all(|b| u32::from(b - b'0') == (10 - sum % 10) % 10)
}

/// Multiplication of the dihedral group D5.
const D5: [[u8; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];
/// One application of Verhoeff's permutation.
const VERHOEFF: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

/// Whether a text is a SNOMED CT identifier: 6 to 18 digits, no leading zero, Verhoeff's check digit last.
///
/// Source: SNOMED CT Release File Specifications, "Check-digit computation" (Verhoeff 1969, D5).
#[must_use]
pub fn snomed_is_valid(code: &str) -> bool {
    if !(6..=18).contains(&code.len()) || code.starts_with('0') || !code.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let check = code.bytes().rev().enumerate().fold(0u8, |check, (place, digit)| {
        let permuted = (0..place % 8).fold(digit - b'0', |d, _| VERHOEFF[usize::from(d)]);
        D5[usize::from(check)][usize::from(permuted)]
    });
    check == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_known_by_every_spelling() {
        for text in [
            "http://loinc.org",
            "https://loinc.org",
            "http://loinc.org/",
            " urn:oid:2.16.840.1.113883.6.1",
            "2.16.840.1.113883.6.1",
        ] {
            assert_eq!(system_url(text), LOINC, "{text}");
        }
        for text in ["LOINC", "", "http://loinc.org/x", "urn:oid:2.16.840.1.113883.6.10", "http://example.org"] {
            assert_eq!(system_url(text), text);
        }
    }

    #[test]
    fn loinc_check_digits() {
        for good in ["8302-2", "29463-7", "8867-4", "2339-0", "4548-4", "85354-9", "LA6576-8", "LA6577-6"] {
            assert!(loinc_is_valid(good), "{good}");
        }
        for bad in ["8302-3", "29463", "4584-4", "-4", "4548-44", "4548-", "a-1", "X4548-4", "4548-4 ", "LP-0", "4-5-4"]
        {
            assert!(!loinc_is_valid(bad), "{bad}");
        }
    }

    #[test]
    fn snomed_check_digits() {
        for good in ["44054006", "38341003", "162673000", "314529007", "1290459008", "138875005", "99999003"] {
            assert!(snomed_is_valid(good), "{good}");
        }
        for bad in ["44054007", "44050406", "0", "", "12345", "04405400", "4405400x", "1234567890123456789"] {
            assert!(!snomed_is_valid(bad), "{bad}");
        }
    }
}
