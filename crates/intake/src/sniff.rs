//! What a file is, by its first bytes.

/// Bytes that are looked at.
pub const HEAD: usize = 4_096;

/// What an input begins as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Nothing is in it.
    Empty,
    /// JSON by its first character, in whatever encoding: the reader of records says what is wrong with it.
    Json,
    /// The samples of an Apple Health export.
    Apple,
    /// The list of files that a server puts beside a bulk export.
    Manifest,
    /// A file of SMART Health Cards.
    CardFile,
    /// SMART Health Cards as their QR codes read.
    CardCodes,
    /// Packed as one stream.
    Gzip,
    /// An archive that is read from its end.
    Zip,
    /// An archive that is read from its beginning.
    Tar,
    /// Packed so that it is not read: what it is, and what to do. A part of an export may be inside.
    Packed(&'static str),
    /// Health data in another form, which is not read: what it is, and what to do.
    Foreign(&'static str),
    /// Nobody's record: what it is.
    Else(&'static str),
}

/// Packings and documents that are told by how they begin.
const MAGIC: [(&[u8], What); 24] = [
    (b"\x1F\x8B", What::Gzip),
    (b"PK\x03\x04", What::Zip),
    (b"PK\x05\x06", What::Zip),
    (b"PK\x07\x08", What::Packed("a part of a zip archive in several files; unpack them and give what was in it")),
    (b"BZh", What::Packed("packed with bzip2, which is not read; unpack it first")),
    (b"\xFD7zXZ", What::Packed("packed with xz, which is not read; unpack it first")),
    (b"\x28\xB5\x2F\xFD", What::Packed("packed with zstd, which is not read; unpack it first")),
    (b"7z\xBC\xAF\x27\x1C", What::Packed("a 7z archive, which is not read; unpack it and give what was in it")),
    (b"Rar!", What::Packed("a RAR archive, which is not read; unpack it and give what was in it")),
    (
        b"##fileformat=VCF",
        What::Foreign("a VCF file of genetic variants, which is not taken: variants name a person by themselves"),
    ),
    (b"shc:/", What::CardCodes),
    (
        b"shlink:/",
        What::Foreign("a SMART Health Link, which is not followed; open it and give the FHIR bundle that it leads to"),
    ),
    (
        b"MSH|",
        What::Foreign(
            "HL7 v2 messages, which are not read; convert them to FHIR R4 bundles (Microsoft's FHIR-Converter does)",
        ),
    ),
    (b"ISA*", What::Foreign("an X12 claim file, which is not read; ask for a FHIR R4 export (CARIN Blue Button)")),
    (b"PAR1", What::Foreign("a Parquet file, which is not read; give FHIR R4 as JSON")),
    (
        b"SQLite format 3\0",
        What::Foreign("an SQLite database, which is not read; export FHIR R4 as JSON from the program that keeps it"),
    ),
    (b"%PDF", What::Else("a PDF, which holds no data that can be counted; ask for a FHIR R4 export")),
    (b"\x89PNG", What::Else("a picture")),
    (b"\xFF\xD8\xFF", What::Else("a picture")),
    (b"GIF8", What::Else("a picture")),
    (b"{\\rtf", What::Else("an RTF text, no JSON")),
    (b"\x7FELF", What::Else("a program")),
    (b"MZ", What::Else("a program")),
    (b"\xD0\xCF\x11\xE0", What::Else("an Office document, no JSON")),
];

impl What {
    /// By the first bytes, [`HEAD`] of them where there are so many.
    pub fn of(head: &[u8]) -> Self {
        if head.is_empty() {
            return Self::Empty;
        }
        if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
            return *what;
        }
        if head.get(257..262) == Some(b"ustar") {
            return Self::Tar;
        }
        if head.get(128..132) == Some(b"DICM") {
            return Self::Foreign("a DICOM picture, which is not taken");
        }
        // Two bytes a letter: the reader says so of it.
        let letters: Vec<u8> = head.iter().copied().filter(|byte| *byte != 0).collect();
        let text = letters.strip_prefix(b"\xEF\xBB\xBF").or_else(|| letters.strip_prefix(b"\xFF\xFE"));
        let text = text.or_else(|| letters.strip_prefix(b"\xFE\xFF")).unwrap_or(&letters).trim_ascii_start();
        match text.first() {
            None if head.contains(&0) => Self::Else("zeros and nothing else"),
            // The reader of records calls blanks empty.
            None => Self::Json,
            Some(b'{' | b'[') => Self::json(text),
            Some(b'<') => Self::markup(text),
            Some(b's') if text.starts_with(b"shc:/") => Self::CardCodes,
            _ if head.contains(&0) || std::str::from_utf8(head).is_err_and(|error| error.error_len().is_some()) => {
                Self::Else("no text that this program reads, and no archive")
            }
            _ => Self::Else("text, and no JSON"),
        }
    }

    fn json(text: &[u8]) -> Self {
        let has = |word: &str| text.windows(word.len()).any(|bytes| bytes == word.as_bytes());
        if has("\"resourceType\"") {
            return Self::Json;
        }
        if has("\"transactionTime\"") {
            return Self::Manifest;
        }
        if has("\"verifiableCredential\"") {
            return Self::CardFile;
        }
        Self::Json
    }

    fn markup(text: &[u8]) -> Self {
        let has = |word: &str| text.windows(word.len()).any(|bytes| bytes == word.as_bytes());
        if has("<ClinicalDocument") || has("urn:hl7-org:v3") {
            return Self::Foreign(
                "a C-CDA document, which is not read; convert it to a FHIR R4 bundle (Microsoft's FHIR-Converter does), or ask for a FHIR export",
            );
        }
        if has("<HealthData") || has("DOCTYPE HealthData") {
            return Self::Apple;
        }
        if has("http://hl7.org/fhir") {
            return Self::Foreign("FHIR as XML; export it as JSON");
        }
        Self::Else("XML or a web page, and no JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_say_what_a_file_is() {
        assert_eq!(What::of(b""), What::Empty);
        for json in
            [&b"{\"resourceType\":\"Bundle\"}"[..], b"\xEF\xBB\xBF\r\n {", b"[1]", b"{\0\"\0", b"\xFE\xFF\0{", b" \n"]
        {
            assert_eq!(What::of(json), What::Json, "{json:?}");
        }
        assert_eq!(What::of(b"{\"transactionTime\": \"2024\", \"output\": []}"), What::Manifest);
        assert_eq!(What::of(b"{\"resourceType\":\"X\",\"transactionTime\":1}"), What::Json);
        assert_eq!(What::of(b"<?xml version=\"1.0\"?>\n<!DOCTYPE HealthData ["), What::Apple);
        assert_eq!(What::of(b"{\"verifiableCredential\":[\"ey\"]}"), What::CardFile);
        assert_eq!([What::of(b"shc:/56"), What::of(b"\n shc:/56")], [What::CardCodes; 2]);
        assert!(matches!(What::of(b"shlink:/ey"), What::Foreign(_)));
        for foreign in [
            &b"<?xml version=\"1.0\"?><ClinicalDocument xmlns=\"urn:hl7-org:v3\">"[..],
            b"<Bundle xmlns=\"http://hl7.org/fhir\">",
            b"##fileformat=VCFv4.2",
            b"MSH|^~\\&|",
        ] {
            assert!(matches!(What::of(foreign), What::Foreign(_)), "{foreign:?}");
        }
        for other in [&b"dear diary"[..], b"\0\0\0", b"\x89PNG\r\n", b"<html>", b"M\xFCnchen", b"%PDF-1.7"] {
            assert!(matches!(What::of(other), What::Else(_)), "{other:?}");
        }
        // Cut within a letter of several bytes: still text.
        assert_eq!(What::of(&"é".as_bytes()[..1]), What::Else("text, and no JSON"));
    }
}
