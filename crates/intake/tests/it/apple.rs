//! Apple Health exports, as the app writes them: `export.xml` with its inline DTD, and clinical records beside it.

use crate::{NOW, all, all_with, reason, write, zip};
use rochdale_core::fhir::{Flat, Limits, Record, flatten};
use rochdale_intake::{How, Skip, Taken};
use serde_json::json;
use std::fmt::Write as _;

const DTD: &str = "<!DOCTYPE HealthData [\n<!-- HealthKit Export Version: 14 -->\n<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout|ClinicalRecord)*)>\n<!ATTLIST HealthData\n  locale CDATA #REQUIRED\n>\n<!ELEMENT Record ((MetadataEntry)*)>\n<!ATTLIST Record\n  type CDATA #REQUIRED\n  value CDATA #IMPLIED\n>\n]>\n";
const ME: &str = r#"<Me HKCharacteristicTypeIdentifierDateOfBirth="1980-04-17" HKCharacteristicTypeIdentifierBiologicalSex="HKBiologicalSexFemale" HKCharacteristicTypeIdentifierBloodType="HKBloodTypeNotSet"/>"#;

fn xml_of(me: &str, inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{DTD}<HealthData locale=\"en_US\">\n <ExportDate value=\"2026-11-01 08:00:00 -0500\"/>\n {me}\n{inside}</HealthData>\n"
    )
}

fn xml(inside: &str) -> String {
    xml_of(ME, inside)
}

/// One sample, from the source with this name.
fn sample_of(source: &str, kind: &str, unit: &str, value: &str, at: &str) -> String {
    format!(
        " <Record type=\"HKQuantityTypeIdentifier{kind}\" sourceName=\"{source}\" sourceVersion=\"9\" unit=\"{unit}\" creationDate=\"{at}\" startDate=\"{at}\" endDate=\"{at}\" value=\"{value}\"/>\n"
    )
}

fn sample(kind: &str, unit: &str, value: &str, at: &str) -> String {
    sample_of("Ada&apos;s Watch", kind, unit, value, at)
}

/// A day of each kind of sample.
fn vitals() -> String {
    [
        sample("HeartRate", "count/min", "60", "2024-03-01 08:00:00 -0500"),
        sample("HeartRate", "count/min", "61.5", "2024-03-01 08:05:00 -0500"),
        sample("RestingHeartRate", "count/min", "55", "2024-03-01 00:00:00 -0500"),
        sample("OxygenSaturation", "%", "0.97", "2024-03-01 03:00:00 -0500"),
        sample("RespiratoryRate", "count/min", "14.5", "2024-03-01 03:00:00 -0500"),
        sample("BodyTemperature", "degF", "98.6", "2024-03-01 09:00:00 -0500"),
        sample("BodyMass", "lb", "154.323", "2024-03-01 07:00:00 -0500"),
        sample("Height", "ft", "5.5", "2024-03-01 07:00:00 -0500"),
        sample("BloodGlucose", "mg/dL", "95", "2024-03-01 07:10:00 -0500"),
        sample("BloodGlucose", "mmol&lt;180.1558800000541&gt;/L", "5.4", "2024-03-02 07:10:00 -0500"),
        sample("BloodPressureSystolic", "mmHg", "120", "2024-03-01 07:30:00 -0500"),
        sample("BloodPressureDiastolic", "mmHg", "80", "2024-03-01 07:30:00 -0500"),
        // The phone and the watch count the same steps.
        sample_of("Phone", "StepCount", "count", "3000", "2024-03-01 10:00:00 -0500"),
        sample_of("Phone", "StepCount", "count", "1000", "2024-03-01 17:00:00 -0500"),
        sample_of("Watch", "StepCount", "count", "4500", "2024-03-01 10:00:00 -0500"),
        " <Correlation type=\"HKCorrelationTypeIdentifierBloodPressure\" sourceName=\"c\" startDate=\"2024-03-01 07:30:00 -0500\" endDate=\"2024-03-01 07:30:00 -0500\">\n".to_owned(),
        // The same two once more, within: they are not counted twice.
        sample("BloodPressureSystolic", "mmHg", "120", "2024-03-01 07:30:00 -0500"),
        sample("BloodPressureDiastolic", "mmHg", "80", "2024-03-01 07:30:00 -0500"),
        " </Correlation>\n".to_owned(),
        " <Workout workoutActivityType=\"HKWorkoutActivityTypeRunning\" duration=\"31.5\" durationUnit=\"min\" sourceName=\"Watch\" startDate=\"2024-03-01 18:00:00 -0500\" endDate=\"2024-03-01 18:31:30 -0500\"><MetadataEntry key=\"HKIndoorWorkout\" value=\"0\"/></Workout>\n".to_owned(),
        sample("AppleStandTime", "min", "5", "2024-03-01 10:00:00 -0500"),
    ]
    .concat()
}

fn clinical(patient: &str) -> String {
    json!({ "resourceType": "Condition", "id": "c1", "subject": { "reference": format!("Patient/{patient}") },
        "clinicalStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active" }] },
        "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "38341003" }] }, "onsetDateTime": "2020-05-01" })
    .to_string()
}

fn patient(id: &str, born: &str) -> String {
    json!({ "resourceType": "Patient", "id": id, "gender": "female", "birthDate": born, "name": [{ "family": "Alpha", "given": ["Ada"] }] })
        .to_string()
}

/// The line by which `export.xml` lists a clinical record.
fn lists(file: &str, version: &str) -> String {
    format!(
        " <ClinicalRecord type=\"Condition\" identifier=\"1\" sourceName=\"H\" sourceURL=\"https://h.example\" fhirVersion=\"{version}\" receivedDate=\"2024-01-01 00:00:00 -0500\" resourceFilePath=\"/clinical-records/{file}\"/>\n"
    )
}

const AT: &str = "apple_health_export/";

fn export(dir: &std::path::Path, xml: &str, clinical: &[(&str, &str)]) {
    let named: Vec<_> = clinical.iter().map(|(name, text)| (format!("{AT}clinical-records/{name}"), *text)).collect();
    let own = format!("{AT}export.xml");
    let cda = format!("{AT}export_cda.xml");
    let mut entries: Vec<_> = named.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    entries.push((&cda, b"<?xml version=\"1.0\"?><ClinicalDocument xmlns=\"urn:hl7-org:v3\"/>"));
    entries.push((&own, xml.as_bytes()));
    write(dir, "export.zip", zip(&entries));
}

fn flat(taken: &Taken) -> Flat {
    flatten(&Record::from_slice("x", &taken.bytes, Limits::default()).unwrap(), NOW)
}

fn read_xml(xml: &str) -> (Vec<Taken>, Vec<Skip>) {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "export.xml", xml);
    all(dir.path())
}

#[test]
fn an_apple_export_is_one_persons_record_and_its_vitals_are_facts() {
    let dir = tempfile::tempdir().unwrap();
    let text = xml(&(vitals() + &lists("Condition-1.json", "4.0.1") + &lists("Patient-1.json", "4.0.1")));
    export(
        dir.path(),
        &text,
        &[("Condition-1.json", &clinical("h1")), ("Patient-1.json", &patient("h1", "1980-04-17"))],
    );
    let (records, skips) = all(dir.path());
    assert_eq!(records.len(), 1, "{skips:#?}");
    let taken = &records[0];
    assert!(!taken.scored.gated && taken.scored.quality > 7_000, "{:#?}", taken.scored);
    assert_eq!(taken.patient.as_deref(), Some("h1"), "the hospital's Patient says more");
    let flat = flat(taken);
    assert_eq!((flat.birth_year, flat.codes.len()), (Some(1980), 1));
    let mut found: Vec<_> =
        flat.observations.iter().map(|o| (o.code.as_str(), o.unit.as_str(), o.value_milli, o.day.unwrap())).collect();
    found.sort_unstable();
    let (first, second) = (19_783, 19_784);
    let wanted = [
        ("15074-8", "mmol/L", 5_400, second),
        ("2339-0", "mg/dL", 95_000, first),
        ("2708-6", "%", 97_000, first),
        ("29463-7", "[lb_av]", 154_323, first),
        ("40443-4", "/min", 55_000, first),
        ("41950-7", "/d", 4_500_000, first),
        ("55411-3", "min", 31_500, first),
        ("59408-5", "%", 97_000, first),
        ("8302-2", "[ft_i]", 5_500, first),
        ("8310-5", "[degF]", 98_600, first),
        ("8462-4", "mm[Hg]", 80_000, first),
        ("8480-6", "mm[Hg]", 120_000, first),
        ("8867-4", "/min", 60_750, first),
        ("9279-1", "/min", 14_500, first),
    ];
    assert_eq!(found, wanted);
    let text = String::from_utf8(taken.bytes.clone()).unwrap();
    assert!(
        !text.contains("Watch") && text.contains("Running") && text.contains("2024-03-01T03:00:00-05:00"),
        "{text}"
    );
    let (said, fault) = reason(&skips, "export.xml");
    assert!(!fault && said.contains("16 samples") && said.contains("one value a day"), "{said}");
    assert!(said.contains("1 HKQuantityTypeIdentifierAppleStandTime"), "{said}");
    let (said, fault) = reason(&skips, "export_cda.xml");
    assert!(!fault && said.contains("export.xml has the same"), "{said}");
    assert_eq!(skips.len(), 2, "{skips:#?}");
}

#[test]
fn an_unpacked_apple_export_and_one_without_clinical_records_are_read_alike() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "clinical-records/Condition-1.json", clinical("h1"));
    write(dir.path(), "clinical-records/Patient-1.json", patient("h1", "1980-04-17"));
    write(dir.path(), "export.xml", xml(&(vitals() + &lists("Condition-1.json", "4.0.1"))));
    let (records, skips) = all(dir.path());
    assert_eq!((records.len(), flat(&records[0]).observations.len()), (1, 14), "{skips:#?}");
    let (records, skips) = read_xml(&xml(&vitals()));
    assert_eq!((records.len(), flat(&records[0]).observations.len()), (1, 14), "{skips:#?}");
    assert!(!records[0].scored.gated && records[0].scored.quality > 7_000, "{:#?}", records[0].scored);
    // The DTD of one version of the app lacked the end of a declaration.
    let broken = xml(&vitals()).replace("#REQUIRED\n>\n<!ELEMENT Record", "#REQUIRED\n<!ELEMENT Record");
    assert_eq!(read_xml(&broken).0.len(), 1);
}

#[test]
fn an_apple_export_with_anothers_clinical_records_is_two_peoples() {
    for (me, other) in [(ME, "1951-01-01"), ("<Me/>", "1980-04-17")] {
        let dir = tempfile::tempdir().unwrap();
        export(
            dir.path(),
            &xml_of(me, &vitals()),
            &[("Condition-1.json", &clinical("h1")), ("Patient-1.json", &patient("h1", other))],
        );
        let (records, skips) = all(dir.path());
        assert!(records.is_empty());
        let (said, fault) = reason(&skips, dir.path().to_str().unwrap());
        assert!(fault && said.contains("two people") && said.contains("Patient-1.json"), "{said}");
    }
    // Whose a record is of which no Patient is here, nobody knows: it is nobody's, and the rest is whole.
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), &xml(&vitals()), &[("Condition-1.json", &clinical("child"))]);
    let (records, skips) = all(dir.path());
    assert_eq!((records.len(), flat(&records[0]).codes.len()), (1, 0));
    let (said, fault) = reason(&skips, "Patient/child");
    assert!(fault && said.contains("whose Patient is not in the export"), "{said}");
}

#[test]
fn clinical_records_of_other_versions_are_named_and_missing_ones_refuse_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let text = xml(&(vitals() + &lists("Condition-1.json", "1.0.2")));
    export(dir.path(), &text, &[("Condition-1.json", &clinical("h1"))]);
    let (records, skips) = all(dir.path());
    assert_eq!(flat(&records[0]).observations.len(), 14);
    let (said, fault) = reason(&skips, "Condition-1.json");
    assert!(fault && said.contains("FHIR DSTU2") && said.contains("R4"), "{said}");

    let (records, skips) = read_xml(&text);
    assert!(records.is_empty());
    let (said, fault) =
        skips.iter().find(|skip| skip.reason.contains("Condition-1.json")).map(|s| (&s.reason, s.fault)).unwrap();
    assert!(fault && said.contains("1 clinical record") && said.contains("export.zip"), "{said}");
}

#[test]
fn hostile_apple_exports_are_refused_and_expand_nothing() {
    let bomb = "<!DOCTYPE HealthData [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
    let with = |inside: &str| xml(inside).replace(DTD, bomb);
    // An entity is a name like any other, of nothing that is read.
    let (records, skips) =
        read_xml(&with(&(vitals() + " <Record type=\"&b;\" value=\"&x;\" startDate=\"&b;\"/>&b;\n")));
    assert_eq!(records.len(), 1, "{skips:#?}");
    assert!(!String::from_utf8_lossy(&records[0].bytes).contains("aaaaaaaaaa"));
    let endless = |text: String| text + &"x".repeat(2 << 20);
    for (text, why) in [
        (xml(&vitals())[..3_000].to_owned(), "before end of input"),
        (xml(&vitals()).replace("</HealthData>", ""), "cut short"),
        (xml("<Record type=\"a\"></Me>"), "cannot be read"),
        (endless(xml("").replace("</HealthData>\n", "<Record type=\"")), "1048576 bytes"),
        (endless("<!DOCTYPE HealthData [<!-- ".to_owned()), "1048576 bytes"),
        (xml(&"<a>".repeat(5_000)), "deep"),
        (xml_of("", &vitals()), "whose it is"),
        (xml(""), "nothing that is read"),
        (format!("{}{}", xml(&vitals()), xml(&vitals())), "cannot be read"),
    ] {
        let (records, skips) = read_xml(&text);
        assert!(records.is_empty(), "{why}");
        assert!(skips.iter().any(|skip| skip.fault && skip.reason.contains(why)), "{why}: {skips:#?}");
    }
}

#[test]
fn samples_that_nobody_can_read_are_counted_and_cost_nothing_else() {
    let odd = [
        sample("HeartRate", "count/min", "fast", "2024-03-01 08:00:00 -0500"),
        sample("HeartRate", "count/min", "1e400", "2024-03-01 08:00:00 -0500"),
        sample("HeartRate", "bpm", "60", "2024-03-01 08:00:00 -0500"),
        sample("HeartRate", "count/min", "60", "yesterday"),
        sample("HeartRate", "count/min", "60", "2031-03-01 08:00:00 -0500"),
        sample("OxygenSaturation", "%", "97", "2024-03-01 08:00:00 -0500"),
        sample("Odd\u{202e}\u{1b}[31m", "%", "97", "2024-03-01 08:00:00 -0500"),
    ];
    let (records, skips) = read_xml(&xml(&(vitals() + &odd.concat())));
    assert!(!records[0].scored.gated, "a clock that was wrong once takes nothing else away");
    assert_eq!(flat(&records[0]).observations.len(), 14);
    let (said, _) = reason(&skips, "export.xml");
    for why in [
        "2 of an unreadable value",
        "1 of another unit",
        "1 of an unreadable date",
        "1 dated in the future",
        "1 of a value out of range",
    ] {
        assert!(said.contains(why), "{why}: {said}");
    }
    assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'));
}

#[test]
fn a_million_samples_become_days_and_days_that_are_too_many_become_months() {
    // Two samples a day for 700 days, and a limit that holds no 700 Observations.
    let mut inside = String::new();
    for day in 0..700 {
        let date = format!("20{:02}-{:02}-{:02} 08:00:00 +0100", 10 + day / 336, day / 28 % 12 + 1, day % 28 + 1);
        for value in ["60", "70"] {
            inside += &sample("HeartRate", "count/min", value, &date);
        }
        write!(inside, "{}", sample("StepCount", "count", "5000", &date)).unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "export.xml", xml(&inside));
    let (records, _) = all(dir.path());
    let days = flat(&records[0]);
    assert_eq!(days.observations.len(), 1_400);
    assert!(days.observations.iter().filter(|o| o.code == "8867-4").all(|o| o.value_milli == 65_000));
    let how = How { limits: Limits { record_bytes: 200_000 }, ..How::new(NOW) };
    let (records, skips) = all_with(dir.path(), &how);
    let months = flat(&records[0]);
    assert_eq!(months.observations.len(), 50, "{skips:#?}");
    assert!(months.observations.iter().all(|o| o.value_milli == if o.code == "8867-4" { 65_000 } else { 5_000_000 }));
    let (said, _) = reason(&skips, "export.xml");
    assert!(said.contains("one value a month"), "{said}");
}

#[test]
fn an_apple_zip_whose_sizes_lie_is_not_taken_in_part() {
    let dir = tempfile::tempdir().unwrap();
    let text = xml(&vitals());
    let whole = zip(&[("apple_health_export/export.xml", text.as_bytes())]);
    let central = whole.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    // The checksum and the sizes, packed and not, in the directory at the end.
    for (name, at) in [("crc.zip", central + 16), ("packed.zip", central + 20), ("size.zip", central + 24)] {
        let mut lies = whole.clone();
        lies[at] ^= 0x55;
        write(dir.path(), name, lies);
        let (records, skips) = all(&dir.path().join(name));
        // Sizes are not what bounds the reading, and the checksum says whether all of it is here: whole, or refused.
        assert!(records.iter().all(|record| name != "crc.zip" && flat(record).observations.len() == 14), "{name}");
        assert!(!records.is_empty() || skips.iter().any(|skip| skip.fault), "{name}: {skips:#?}");
    }
}

#[test]
fn two_apple_exports_are_two_peoples_or_count_days_twice() {
    let silent = r#"<Me HKCharacteristicTypeIdentifierDateOfBirth="" HKCharacteristicTypeIdentifierBiologicalSex="HKBiologicalSexNotSet"/>"#;
    let day = |steps: &str| sample("StepCount", "count", steps, "2024-03-01 10:00:00 -0500");
    for (one, other) in [
        (xml_of(silent, &vitals()), xml_of(silent, &day("9000"))),
        (xml_of(ME, &day("3000")), xml_of(ME, &day("9000"))),
    ] {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("ada.zip", &one), ("ben.zip", &other)] {
            write(dir.path(), name, zip(&[("apple_health_export/export.xml", text.as_bytes())]));
        }
        let (records, skips) = all(dir.path());
        assert!(records.is_empty(), "{}", records.len());
        let said = skips.iter().find(|skip| skip.fault).unwrap();
        assert!(said.reason.contains("two Apple Health exports") && said.reason.contains("ben.zip"), "{said:?}");
    }
}

#[test]
fn a_list_that_comes_after_a_record_of_another_version_is_too_late() {
    let text = xml(&(vitals() + &lists("Condition-1.json", "1.0.2")));
    let dir = tempfile::tempdir().unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in [
        ("apple_health_export/clinical-records/Condition-1.json", clinical("h1")),
        ("apple_health_export/export.xml", text),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, bytes.as_bytes()).unwrap();
    }
    write(dir.path(), "export.tar", tar.into_inner().unwrap());
    let (records, skips) = all(dir.path());
    assert!(records.is_empty());
    assert!(skips.iter().any(|skip| skip.fault && skip.reason.contains("of another FHIR version")), "{skips:#?}");
}

#[test]
fn of_two_pressures_the_one_of_more_readings_says_how() {
    let readings = [
        sample("BloodPressureSystolic", "mmHg", "120", "2024-03-01 07:30:00 -0500"),
        sample("BloodPressureDiastolic", "mmHg", "80", "2024-03-01 07:30:00 -0500"),
        sample("BloodPressureDiastolic", "mmHg", "90", "2024-03-01 19:30:00 -0500"),
    ];
    let (records, _) = read_xml(&xml(&readings.concat()));
    let text = String::from_utf8(records[0].bytes.clone()).unwrap();
    assert!(text.contains("Mean of 2 samples") && text.contains("\"effectiveDateTime\":\"2024-03-01\""), "{text}");
}

#[test]
fn a_page_that_speaks_of_health_data_is_no_apple_export() {
    let (records, skips) = read_xml("<html><body>Your HealthData is safe with us</body></html>");
    assert!(records.is_empty() && skips.iter().all(|skip| !skip.reason.contains("Apple")), "{skips:#?}");
}
