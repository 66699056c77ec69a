//! A file of many lines is told in part and counted whole.

use rochdale_browser::check;

#[test]
fn a_file_of_many_lines_is_told_in_part_and_counted_whole() {
    let lone = r#"{"resourceType":"Observation","id":"o"}"#;
    let patient = |n: u32| {
        format!(
            r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{{"resourceType":"Patient","id":"p{n}"}}}}]}}"#
        )
    };
    let lines: Vec<String> = (0..50).flat_map(|n| [patient(n), lone.to_owned()]).collect();
    let checked = check("many.ndjson", lines.join("\n").as_bytes(), 1_750_000_000);
    assert_eq!((checked.records.len(), checked.records_in_all), (20, 50));
    assert_eq!((checked.passed_over.len(), checked.passed_over_in_all), (20, 50));
    assert_eq!(checked.records[19].patient.as_deref(), Some("p19"));
}
