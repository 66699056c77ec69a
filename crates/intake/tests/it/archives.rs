//! Kind K: what packs and encodes records, and what is none.

use crate::{CLEAN, all, clean, gzip, reason, write, zip};
use rochdale_intake::{How, Skip};
use serde_json::json;

#[test]
fn kind_k_bytes_and_not_names_say_what_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let text = clean().to_string();
    let other = text.replace("Alpha", "Beta");
    // Case 26: two members, no suffix at all, a suffix that lies.
    let two = [gzip(format!("{text}\n").as_bytes()), gzip(format!("{other}\n").as_bytes())].concat();
    write(dir.path(), "two-members.ndjson.gz", two);
    write(dir.path(), "plain-name.gz", gzip(text.as_bytes()));
    write(dir.path(), "no-suffix.json", gzip(text.as_bytes()));
    write(dir.path(), "not-gzipped.json.gz", &text);
    write(dir.path(), "twice.gz", gzip(&gzip(text.as_bytes())));
    let packed = gzip(text.as_bytes());
    write(dir.path(), "cut.json.gz", &packed[..packed.len() / 2]);
    // Case 27: a record under another name.
    for name in ["record.txt", "record.fhir", "no-name"] {
        write(dir.path(), name, &text);
    }
    // Case 24: a byte order mark and Windows' line ends.
    write(dir.path(), "bom.ndjson", format!("\u{feff}{text}\r\n\r\n{other}\r\n"));
    // Case 22.
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    write(dir.path(), "utf16.json", [b"\xFE\xFF".to_vec(), utf16(&text)].concat());
    let (records, skips) = all(dir.path());
    assert_eq!(records.len(), 2 + 1 + 1 + 1 + 1 + 3 + 2, "{:?}", records.iter().map(|r| &r.name).collect::<Vec<_>>());
    assert!(records.iter().all(|record| record.scored.quality == CLEAN && record.patient.as_deref() == Some("pat-a")));
    assert_eq!(skips.len(), 2, "{skips:#?}");
    let (cut, fault) = reason(&skips, "cut.json.gz");
    assert!(fault && cut.contains("is complete"), "{cut}");
    let (why, fault) = reason(&skips, "utf16.json");
    assert!(fault && why.contains("UTF-16 text; save it as UTF-8"), "{why}");
}

#[test]
fn kind_k_nothing_below_a_folder_is_passed_over_in_silence() {
    let dir = tempfile::tempdir().unwrap();
    let deep = format!("{{\"resourceType\":\"Bundle\",\"x\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    let mut tar = vec![0; 1_024];
    tar[257..262].copy_from_slice(b"ustar");
    let named: [(&str, &[u8], &str, bool); 16] = [
        ("notes.txt", b"dear diary", "text, and no JSON", false),
        ("notes.json", b"dear diary", "not JSON: text, and no JSON", true),
        ("scan.pdf", b"%PDF-1.7", "a PDF", false),
        ("scan.png", b"\x89PNG\r\n\x1a\n", "a picture", false),
        (".DS_Store", b"\0\0\0\x01Bud1", "a hidden file", false),
        (".git/config", b"[core]", "", false),
        ("empty.json", b"", "is empty", false),
        ("blank.json", b" \r\n\n", "is empty", false),
        ("zeros.bin", &[0; 64], "zeros and nothing else", false),
        ("latin.json", b"{\"resourceType\":\"Bundle\",\"x\":\"M\xFCller\"}", "save it as UTF-8", true),
        ("deep.json", deep.as_bytes(), "more than 128 deep", true),
        ("ccda.xml", b"<ClinicalDocument xmlns=\"urn:hl7-org:v3\"/>", "C-CDA", true),
        ("genes.vcf", b"##fileformat=VCFv4.2\n", "VCF", true),
        ("card.smart-health-card", b"{\"verifiableCredential\":[\"eyJ\"]}", "SMART Health Card", true),
        ("export.xml", b"<?xml version=\"1.0\"?>\n<!DOCTYPE HealthData [", "Apple Health", true),
        ("broken.tar", &tar, "tar archive", true),
    ];
    for (name, bytes, ..) in &named {
        write(dir.path(), name, bytes);
    }
    std::os::unix::fs::symlink("/nowhere", dir.path().join("dangling.json")).unwrap();
    std::os::unix::fs::symlink(dir.path(), dir.path().join("round")).unwrap();
    write(dir.path(), "a/b/good.json", clean().to_string());
    std::os::unix::fs::symlink(dir.path().join("a/b/good.json"), dir.path().join("linked.json")).unwrap();
    let (records, skips) = all(dir.path());
    assert_eq!(records.len(), 2, "{records:#?}");
    for (name, _, why, fault) in named.iter().filter(|(_, _, why, _)| !why.is_empty()) {
        let (said, is_fault) = reason(&skips, &format!("/{name}"));
        assert!(said.contains(why) && is_fault == *fault, "{name}: {said} ({is_fault})");
    }
    assert!(reason(&skips, "/.git").0.contains("a hidden folder"));
    assert!(reason(&skips, "/dangling.json").0.contains("a link to nothing"));
    assert!(reason(&skips, "/round").0.contains("a link to a folder"));
    assert_eq!(skips.len(), named.len() + 2, "each once: {skips:#?}");
}

#[test]
fn kind_k_archives_are_read_within_bounds_and_never_onto_a_disk() {
    let dir = tempfile::tempdir().unwrap();
    let text = clean().to_string();
    let packed = gzip(text.as_bytes());
    write(
        dir.path(),
        "export.zip",
        zip(&[
            ("fhir/a.json", text.as_bytes()),
            ("fhir/b.json.gz", &packed),
            ("fhir/readme.txt", b"read me"),
            ("__MACOSX/fhir/._a.json", b"\0\x05\x16\x07"),
            ("../../outside.json", text.as_bytes()),
            ("inner.zip", &zip(&[("c.json", text.as_bytes())])),
        ]),
    );
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "fhir/c.json", text.as_bytes()).unwrap();
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    tar.append_link(&mut link, "fhir/link.json", "/etc/passwd").unwrap();
    write(dir.path(), "export.tar.gz", gzip(&tar.into_inner().unwrap()));
    // The first file's general purpose flag says that it is encrypted, in both of its headers.
    let mut locked = zip(&[("a.json", text.as_bytes())]);
    let central = locked.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    locked[6] |= 1;
    locked[central + 8] |= 1;
    write(dir.path(), "locked.zip", locked);
    write(dir.path(), "health.zip", zip(&[("apple_health_export/export.xml", b"<HealthData>")]));
    let whole = zip(&[("a.json", text.as_bytes())]);
    write(dir.path(), "cut.zip", &whole[..whole.len() - 30]);

    let (records, skips) = all(dir.path());
    let names: Vec<_> = records.iter().map(|record| record.name.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["c.json", "a.json", "b.json.gz"]);
    for (input, why, fault) in [
        ("export.zip: fhir/readme.txt", "text, and no JSON", false),
        ("._a.json", "hidden file of an archive", false),
        ("../../outside.json", "leads out of the archive", true),
        ("inner.zip", "a zip archive in another packing", true),
        ("link.json", "a link or a device", false),
        ("locked.zip: a.json", "encrypted; unpack", true),
        ("health.zip: apple_health_export/export.xml", "Apple Health export that is cut short", true),
        ("cut.zip", "a zip archive that cannot be read", true),
    ] {
        let (said, is_fault) = reason(&skips, input);
        assert!(said.contains(why) && is_fault == fault, "{input}: {said} ({is_fault})");
    }
    assert_eq!(skips.len(), 8, "{skips:#?}");
}

#[test]
fn kind_k_a_bomb_is_put_out() {
    let dir = tempfile::tempdir().unwrap();
    // 280 MB of blanks before a record, in some hundred kilobytes.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let blanks = vec![b'\n'; 4 << 20];
    for _ in 0..70 {
        std::io::Write::write_all(&mut packed, &blanks).unwrap();
    }
    std::io::Write::write_all(&mut packed, clean().to_string().as_bytes()).unwrap();
    write(dir.path(), "bomb.json.gz", packed.finish().unwrap());
    let (records, skips) = all(dir.path());
    let (said, fault) = reason(&skips, "bomb.json.gz");
    assert!(records.is_empty() && fault && said.contains("more than 200 times its size"), "{said}");
}

#[test]
fn kind_k_documents_one_after_the_other_say_how_to_divide_them() {
    let dir = tempfile::tempdir().unwrap();
    let pretty = serde_json::to_string_pretty(&clean()).unwrap();
    // Case 25.
    write(dir.path(), "a.ndjson", format!("{pretty}\n{pretty}\n{pretty}\n"));
    write(dir.path(), "list.json", json!([clean()]).to_string());
    let (records, skips) = all(dir.path());
    assert!(records.is_empty());
    assert!(reason(&skips, "a.ndjson").0.contains("put each on a line of its own (NDJSON)"), "{skips:?}");
    assert!(reason(&skips, "list.json").0.contains("a list"), "{skips:?}");
}

#[test]
fn only_whom_was_asked_for_is_given() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.json", clean().to_string());
    write(dir.path(), "b.json", clean().to_string().replace("pat-a", "pat-b"));
    let how = How { only: vec!["pat-b".to_owned()], ..How::new(crate::NOW) };
    let (records, skips) = crate::all_with(dir.path(), &how);
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].patient.as_deref(), skips), (Some("pat-b"), Vec::<Skip>::new()));
}

/// One entry of a tar archive as it lies in it.
fn entry(kind: tar::EntryType, name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_path(name).unwrap();
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    let mut all = [&header.as_bytes()[..], bytes].concat();
    all.resize(all.len().next_multiple_of(512), 0);
    all
}

fn pax(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let length = (1..).find(|n: &usize| n.to_string().len() + rest.len() == *n).unwrap();
    format!("{length}{rest}").into_bytes()
}

#[test]
fn kind_k_long_names_of_a_tar_are_read_and_endless_ones_take_no_memory() {
    let text = clean().to_string();
    let long = format!("{}/p0.json", "f".repeat(120));
    let file = |before: Vec<u8>| [before, entry(tar::EntryType::Regular, "short.json", text.as_bytes())].concat();
    let found = |tar: &[u8]| {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a.tar", tar);
        all(dir.path())
    };
    let gnu = |name: &str| entry(tar::EntryType::GNULongName, "././@LongLink", format!("{name}\0").as_bytes());
    for before in [gnu(&long), entry(tar::EntryType::XHeader, "PaxHeaders/x", &pax("path", &long))] {
        let (records, skips) = found(&file(before));
        assert_eq!((records.len(), skips.len()), (1, 0), "{skips:#?}");
        assert!(records[0].name.ends_with("/p0.json"), "{}", records[0].name);
    }
    // A name for the entry that follows, and for no other.
    let two = [file(gnu("a/first.json")), entry(tar::EntryType::Regular, "second.txt", b"dear diary")].concat();
    let (records, skips) = found(&two);
    assert!(records[0].name.ends_with("a/first.json") && skips[0].input.ends_with("second.txt"), "{skips:#?}");
    // A name that leads out of the archive does so also where it is long.
    let (records, skips) = found(&file(gnu(&format!("../{long}"))));
    assert!(records.is_empty() && skips[0].reason.contains("leads out of the archive"), "{skips:#?}");
    for (kind, bytes) in [
        (tar::EntryType::GNULongName, vec![b'x'; 40 << 20]),
        (tar::EntryType::XHeader, pax("comment", &"x".repeat(40 << 20))),
        (tar::EntryType::XHeader, pax("size", "99999999999")),
    ] {
        let (records, skips) = found(&file(entry(kind, "x", &bytes)));
        assert!(records.is_empty() && skips[0].reason.contains("tar archive that cannot be read on"), "{skips:#?}");
    }
    // What is said of a link's target, or of all entries, is passed over whatever its length.
    for kind in [tar::EntryType::GNULongLink, tar::EntryType::XGlobalHeader] {
        let (records, skips) = found(&file(entry(kind, "x", &vec![b'x'; 5 << 20])));
        assert_eq!((records.len(), skips.len()), (1, 0), "{skips:#?}");
    }
}
