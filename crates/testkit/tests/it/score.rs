use crate::NOW;
use rochdale_core::fhir::Limits;
use rochdale_core::score::{Category, Reason, Scored, rubric_hash, score, score_bytes};
use rochdale_testkit::defect::{Defect, inject};
use rochdale_testkit::fixtures;
use rochdale_testkit::synth::patient;
use serde_json::{Value, json};

fn scored(bundle: &Value) -> Scored {
    score_bytes("x", &serde_json::to_vec(bundle).unwrap(), Limits::default(), NOW, |_| false)
}

fn adds_up(scored: &Scored) {
    let lost: u32 = scored.reasons.iter().map(|r| u32::from(r.lost)).sum();
    assert_eq!(lost + u32::from(scored.quality), 10_000, "{scored:#?}");
}

#[test]
fn good_records_score_high_and_never_full() {
    for index in 0..100 {
        let good = scored(&patient(9, index, NOW));
        assert!((9_700..10_000).contains(&good.quality), "patient {index}: {good:#?}");
        assert!(good.reasons.iter().all(|r| r.check == "size"), "patient {index}: {:#?}", good.reasons);
        assert_eq!((good.uniqueness, good.authenticity, good.rarity), (10_000, 3_000, 10_000));
        adds_up(&good);
    }
}

#[test]
fn a_known_record_is_not_unique() {
    let record = fixtures::record(&patient(9, 1, NOW)).unwrap();
    let (new, known) = (score(&record, NOW, false), score(&record, NOW, true));
    assert_eq!((new.uniqueness, known.uniqueness), (10_000, 0));
    assert_eq!(new.quality, known.quality);
}

#[test]
fn every_defect_is_caught_by_its_own_check_and_lowers_the_score() {
    for defect in Defect::ALL {
        // Patients young enough, ill enough and of both sexes: enough that each defect finds its place in all of them.
        for index in 0..6 {
            let good = scored(&patient(9, index, NOW));
            let mut bundle = patient(9, index, NOW);
            let broken_places = inject(&mut bundle, defect, 3, NOW);
            assert!(broken_places > 0, "{defect:?} finds no place in patient {index}");
            let bad = scored(&bundle);
            let (check, category) = defect.caught_by();
            let reason = bad.reasons.iter().find(|r| r.check == check && r.category == category);
            let reason = reason.unwrap_or_else(|| panic!("{defect:?} in patient {index}: {:#?}", bad.reasons));
            assert!(reason.lost > 0 && !reason.paths.is_empty() && !reason.text.is_empty(), "{defect:?}: {reason:?}");
            assert!(bad.quality < good.quality, "{defect:?} in patient {index}: {} and {}", bad.quality, good.quality);
            adds_up(&bad);
            match category {
                None => assert!(bad.gated && bad.quality == 0, "{defect:?}"),
                Some(category) => {
                    let points = |scored: &Scored| scored.categories[category as usize].points;
                    assert!(points(&bad) < points(&good), "{defect:?} in patient {index}");
                }
            }
        }
    }
}

#[test]
fn more_defects_cost_more() {
    let quality = |every| {
        let mut bundle = patient(9, 2, NOW);
        inject(&mut bundle, Defect::LoincDigit, every, NOW);
        scored(&bundle).quality
    };
    assert!(quality(1) < quality(2) && quality(2) < quality(8), "{} {} {}", quality(1), quality(2), quality(8));
}

#[test]
fn reasons_point_at_the_place() {
    let mut bundle = fixtures::synthea_transaction();
    bundle["entry"][3]["resource"]["valueQuantity"]["value"] = json!(649);
    bundle["entry"][4]["resource"]["component"][0]["valueQuantity"]["code"] = json!("mmHg");
    let found = scored(&bundle);
    let at = |check: &str| found.reasons.iter().find(|r| r.check == check).map(|r| r.paths[0].clone());
    let hemoglobin = found.reasons.iter().find(|r| r.check == "range" && r.element.contains("A1c")).unwrap();
    assert_eq!(hemoglobin.paths, ["Bundle.entry[3].resource.valueQuantity.value"]);
    assert_eq!(at("unit").unwrap(), "Bundle.entry[4].resource.component[0].valueQuantity");
    assert_eq!(at("unit-fits").unwrap(), "Bundle.entry[4].resource.component[0].valueQuantity");
    let undated = found.reasons.iter().find(|r| r.element == "Observation.effectiveDateTime").unwrap();
    assert_eq!((undated.check, undated.paths[0].as_str()), ("present", "Bundle.entry[4].resource.effectiveDateTime"));
}

#[test]
fn a_tiny_perfect_bundle_is_far_from_full() {
    let bare = json!({ "resourceType": "Patient", "id": "p", "identifier": [{ "value": "1" }], "name": [{ "family": "A" }], "gender": "female",
        "birthDate": "1980-01-01", "address": [{ "city": "B" }], "telecom": [{ "value": "1" }], "communication": [{ "language": { "text": "en" } }] });
    let nothing = scored(&bare);
    assert_eq!((nothing.quality, nothing.reasons[0].check), (0, "facts"), "a bare patient says nothing to count");
    adds_up(&nothing);
    let visit = json!({ "resourceType": "Encounter", "status": "finished", "class": { "system": "urn:x", "code": "AMB" },
        "type": [{ "coding": [{ "system": "http://snomed.info/sct", "code": "185349003" }] }], "subject": { "reference": "Patient/p" },
        "period": { "start": "2019-05-01" } });
    let found = scored(&json!({ "resourceType": "Bundle", "entry": [{ "resource": bare }, { "resource": visit }] }));
    assert!(found.quality < 6_000, "{found:#?}");
    let accuracy = |r: &&Reason| r.check == "size" && r.category == Some(Category::Accuracy);
    assert!(found.reasons.iter().find(accuracy).is_some_and(|r| r.lost > 1_000), "{found:#?}");
    adds_up(&found);
}

#[test]
fn a_day_ahead_is_a_matter_of_zones_and_a_month_ahead_is_not_true() {
    let with_date = |days: i64| {
        let mut bundle = fixtures::synthea_transaction();
        bundle["entry"][3]["resource"]["effectiveDateTime"] =
            json!(rochdale_testkit::synth::instant_of(NOW + days * 86_400));
        scored(&bundle)
    };
    assert!(!with_date(0).gated && !with_date(1).gated);
    let late = with_date(2);
    assert!(late.gated && late.reasons[0].check == "future" && late.reasons[0].lost == 10_000);
    assert_eq!(late.reasons[0].paths, ["Bundle.entry[3].resource.effectiveDateTime"]);
}

#[test]
fn a_bundle_that_gates_itself_by_its_bytes_says_why() {
    let read = |bytes: &[u8]| score_bytes("x", bytes, Limits { record_bytes: 100 }, NOW, |_| false);
    for (bytes, check) in [(&b"{"[..], "readable"), (b"{}", "readable"), (&[b' '; 101], "readable")] {
        let found = read(bytes);
        assert_eq!((found.quality, found.gated, found.reasons[0].check), (0, true, check));
        adds_up(&found);
    }
}

#[test]
fn conditional_references_cost_nothing() {
    let found = scored(&fixtures::synthea_transaction());
    assert!(!found.gated && found.reasons.iter().all(|r| r.check != "reference"), "{found:#?}");
}

/// The rubric and the arithmetic are frozen: a change of either needs a new version of the rubric file.
#[test]
fn scores_are_the_same_to_the_bit() {
    let sum: u32 = (0..20).map(|index| u32::from(scored(&patient(9, index, NOW)).quality)).sum();
    let text = format!("{} {sum}", rubric_hash());
    assert_eq!(text, "0xff8d0016e0353e71f64e066bb9ddd22ea39c563db95da12162a414aaaf45f7b1 198241");
}
