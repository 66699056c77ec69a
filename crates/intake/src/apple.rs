//! Apple Health exports: the XML of the app's own samples, read as it streams. Its clinical records are files of their own,
//! which are read like those of any export.
//!
//! The document type is passed over and no entity is ever expanded: values are compared as they are written. In memory are
//! one element, the days so far, and the list of clinical records.

mod days;
mod table;

use crate::brief;
use days::{Days, Odd, Sample};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use rochdale_core::fhir::Date;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};
use table::{Found, WORKOUT};

/// Bytes of one element, comment or document type; real ones have some thousand.
const ELEMENT: usize = 1 << 20;
/// Elements in elements; real ones are four deep.
const DEEPEST: usize = 64;
/// Attributes of one element.
const ATTRIBUTES: usize = 64;
/// Clinical records that are listed, and types that are not read and counted apart.
const RECORDS: usize = 100_000;
const TYPES: usize = 500;
/// Types that a message names.
const NAMED: usize = 8;
/// The id that its owner has in the record.
pub const OWNER: &str = "apple-health-owner";

/// What `export.xml` holds.
#[derive(Default)]
pub struct Export {
    /// Whether it says whose it is.
    is_owned: bool,
    born: Option<String>,
    gender: Option<&'static str>,
    /// Clinical records by the names of their files, with the version that each is said to be of.
    pub clinical: BTreeMap<String, String>,
    days: Days,
    odd: BTreeMap<Odd, u64>,
    unread: BTreeMap<String, u64>,
}

/// Reads an export as of `now`.
///
/// # Errors
/// Says what is wrong and how to mend it; then nothing of it is taken.
pub fn read(inner: impl Read, now: i64) -> Result<Export, String> {
    let mut reader = Reader::from_reader(Sips { inner: BufReader::with_capacity(1 << 16, inner), left: ELEMENT });
    let mut export = Export::default();
    let (mut buffer, mut depth, mut closed) = (Vec::new(), 0_usize, false);
    loop {
        buffer.clear();
        reader.get_mut().left = ELEMENT;
        let event = reader.read_event_into(&mut buffer);
        let event = event.map_err(|error| format!("an Apple Health export that cannot be read: {error}; {AGAIN}"))?;
        match event {
            Event::Start(_) | Event::Empty(_) if depth == 0 && closed => {
                return Err(format!("an Apple Health export that cannot be read: another document follows; {AGAIN}"));
            }
            Event::Start(element) => {
                export.element(&element, depth, now)?;
                depth += 1;
                if depth > DEEPEST {
                    return Err(format!("an Apple Health export with elements more than {DEEPEST} deep; {AGAIN}"));
                }
            }
            Event::Empty(element) => export.element(&element, depth, now)?,
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                closed = depth == 0;
            }
            Event::Eof if closed => break,
            Event::Eof => return Err(format!("an Apple Health export that is cut short; {AGAIN}")),
            _ => {}
        }
    }
    if !export.is_owned {
        return Err(format!("an Apple Health export that does not say whose it is (it has no element Me); {AGAIN}"));
    }
    if export.days.taken == 0 && export.clinical.is_empty() {
        return Err(format!("an Apple Health export with nothing that is read{}", export.set_aside()));
    }
    Ok(export)
}

const AGAIN: &str = "export it again from the Health app (your picture, Export All Health Data)";

/// Gives no more than an element's bytes before the next is begun.
struct Sips<R> {
    inner: BufReader<R>,
    left: usize,
}

impl<R: Read> Read for Sips<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let given = self.fill_buf()?;
        let count = given.len().min(buffer.len());
        buffer[..count].copy_from_slice(&given[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Sips<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let given = self.inner.fill_buf()?;
        if self.left == 0 && !given.is_empty() {
            return Err(io::Error::other(format!("an element has more than {ELEMENT} bytes, as none does")));
        }
        Ok(&given[..given.len().min(self.left)])
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
        self.inner.consume(count);
    }
}

/// The attributes of an element that are looked at, as they are written.
#[derive(Default)]
struct Written<'a> {
    kind: &'a str,
    unit: &'a str,
    value: &'a str,
    start: &'a str,
    source: &'a str,
    path: &'a str,
    version: &'a str,
    born: &'a str,
    sex: &'a str,
}

impl<'a> Written<'a> {
    fn of(element: &'a BytesStart<'_>) -> Result<Self, String> {
        let mut found = Self::default();
        let mut rest = element.attributes();
        for attribute in rest.with_checks(false).take(ATTRIBUTES) {
            let attribute =
                attribute.map_err(|error| format!("an Apple Health export that cannot be read: {error}; {AGAIN}"))?;
            let std::borrow::Cow::Borrowed(value) = attribute.value else { continue };
            let place = match attribute.key.0 {
                "type" | "workoutActivityType" => &mut found.kind,
                "unit" | "durationUnit" => &mut found.unit,
                "value" | "duration" => &mut found.value,
                "startDate" => &mut found.start,
                "sourceName" => &mut found.source,
                "resourceFilePath" => &mut found.path,
                "fhirVersion" => &mut found.version,
                "HKCharacteristicTypeIdentifierDateOfBirth" => &mut found.born,
                "HKCharacteristicTypeIdentifierBiologicalSex" => &mut found.sex,
                _ => continue,
            };
            *place = value;
        }
        Ok(found)
    }
}

impl Export {
    /// One more element; those in others repeat what stands outside, or say more than is read.
    fn element(&mut self, element: &BytesStart<'_>, depth: usize, now: i64) -> Result<(), String> {
        let name = element.name();
        match (depth, name.0) {
            (0, "HealthData") => Ok(()),
            (0, _) => Err(format!("an Apple Health export that begins with another element; {AGAIN}")),
            (1, "Me") => self.me(&Written::of(element)?),
            (1, "Record") => self.sample(&Written::of(element)?, now),
            (1, "Workout") => {
                let written = Written::of(element)?;
                let kind = written.kind.strip_prefix("HKWorkoutActivityType").unwrap_or(written.kind);
                let row = if written.unit == "min" { Found::Row(WORKOUT) } else { Found::OtherUnit };
                self.put(row, kind, &written, now)
            }
            (1, "ClinicalRecord") => {
                let written = Written::of(element)?;
                let file = written.path.rsplit('/').next().unwrap_or_default();
                if self.clinical.len() >= RECORDS {
                    return Err(format!(
                        "an Apple Health export that lists more than {RECORDS} clinical records; {AGAIN}"
                    ));
                }
                if !file.is_empty() {
                    self.clinical.insert(brief(file), brief(written.version));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn me(&mut self, written: &Written<'_>) -> Result<(), String> {
        let born = Date::parse(written.born).map(|_| written.born.to_owned());
        let gender = match written.sex {
            "HKBiologicalSexFemale" => Some("female"),
            "HKBiologicalSexMale" => Some("male"),
            "HKBiologicalSexOther" => Some("other"),
            _ => None,
        };
        if self.is_owned && (&self.born, self.gender) != (&born, gender) {
            return Err(format!("an Apple Health export of two people, by its elements Me; {AGAIN}"));
        }
        (self.is_owned, self.born, self.gender) = (true, born, gender);
        Ok(())
    }

    fn sample(&mut self, written: &Written<'_>, now: i64) -> Result<(), String> {
        match table::row(written.kind.as_bytes(), written.unit.as_bytes()) {
            Found::No => {
                if let Some(count) = self.unread.get_mut(written.kind) {
                    *count += 1;
                } else if self.unread.len() < TYPES {
                    self.unread.insert(brief(written.kind), 1);
                }
                Ok(())
            }
            row => self.put(row, "", written, now),
        }
    }

    fn put(&mut self, row: Found, activity: &str, written: &Written<'_>, now: i64) -> Result<(), String> {
        let Written { value, start, source, .. } = *written;
        let taken = match row {
            Found::Row(row) => self.days.add(&Sample { row, activity, source, value, start }, now),
            _ => Ok(Err(Odd::Unit)),
        };
        if let Err(odd) = taken.map_err(|reason| format!("an Apple Health export: {reason}; {AGAIN}"))? {
            *self.odd.entry(odd).or_default() += 1;
        }
        Ok(())
    }

    /// Who it is, as a Patient.
    pub fn owner(&self) -> Value {
        let mut patient = json!({ "resourceType": "Patient", "id": OWNER });
        if let Some(born) = &self.born {
            patient["birthDate"] = json!(born);
        }
        if let Some(gender) = self.gender {
            patient["gender"] = json!(gender);
        }
        patient
    }

    /// Hands over what its samples became, within so many bytes, and says so in words.
    pub fn observations(&mut self, limit: usize, take: &mut dyn FnMut(&Value)) -> String {
        let aside = self.set_aside();
        let days = std::mem::take(&mut self.days);
        let taken = days.taken;
        let (count, by_month) = days.observations(OWNER, limit, take);
        let (each, of) =
            if by_month { ("month", "sums of days by their mean") } else { ("day", "counts by their sum") };
        format!(
            "an Apple Health export: {taken} samples became {count} Observations, one value a {each} and type (measurements by their mean, {of}){aside}"
        )
    }

    /// What was not read, in words.
    fn set_aside(&self) -> String {
        let mut said = String::new();
        let odd: Vec<_> = self.odd.iter().map(|(odd, count)| format!("{count} {}", odd.text())).collect();
        if !odd.is_empty() {
            said += &format!("; set aside were {}", odd.join(", "));
        }
        let mut unread: Vec<_> = self.unread.iter().collect();
        unread.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let named: Vec<_> = unread.iter().take(NAMED).map(|(kind, count)| format!("{count} {kind}")).collect();
        if !named.is_empty() {
            let more = unread.len() - named.len();
            let more = if more == 0 { String::new() } else { format!(" and {more} more types") };
            said += &format!("; of types that are not read: {}{more}", named.join(", "));
        }
        said
    }
}
