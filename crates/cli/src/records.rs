//! Records from files, folders and archives, one in memory at a time, and what is said of their scores.

use crate::failure::{Failure, Kind};
use anyhow::{Context, Result, bail};
use rochdale_core::score::Scored;
use rochdale_intake::Person;
pub use rochdale_intake::{Files, Found, How, Skip, Taken, plain};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;

/// Records that may wait between the reader and the sealing of the ones before.
const AHEAD: usize = 1;
/// Reasons of a score that are shown at once.
const REASONS: usize = 5;
/// Patients that a message names.
const NAMED: usize = 20;

/// Everything below a path, or the one file that it is.
pub fn files(path: &Path) -> Result<Files> {
    let files = rochdale_intake::files(path).with_context(|| format!("cannot read {}", path.display()))?;
    if files.paths.is_empty() {
        let passed = files.skipped.iter().map(|skip| format!("\n  {}: {}", skip.input, skip.reason));
        bail!("{} holds no file: name a folder of FHIR R4 bundles{}", path.display(), passed.collect::<String>());
    }
    Ok(files)
}

/// As of this machine's clock, where no cooperative is asked.
pub fn by_own_clock() -> How {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    How::new(i64::try_from(now).unwrap_or(i64::MAX))
}

/// What a thread of its own reads.
pub struct Stream {
    receiver: mpsc::Receiver<Found>,
    thread: Option<JoinHandle<()>>,
}

/// Reads `files` on a thread of its own; at most [`AHEAD`] records wait to be taken, at most `most` are read.
pub fn stream(files: Files, most: Option<usize>, how: How) -> Stream {
    Stream::of(move |take| {
        let mut left = most.unwrap_or(usize::MAX);
        let _ = rochdale_intake::read(&files, &how, &mut |found| {
            if left == 0 {
                return ControlFlow::Break(());
            }
            left -= usize::from(matches!(found, Found::Record(_)));
            take(found)
        });
    })
}

impl Stream {
    fn of(read: impl FnOnce(&mut dyn FnMut(Found) -> ControlFlow<()>) + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let thread = std::thread::spawn(move || {
            read(&mut |found| match sender.blocking_send(found) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            });
        });
        Self { receiver, thread: Some(thread) }
    }

    /// The next of it; `None` at the end.
    ///
    /// # Errors
    /// Where the reading stopped by a defect: what would have followed is unknown.
    pub async fn next(&mut self) -> Result<Option<Found>> {
        if let Some(found) = self.receiver.recv().await {
            return Ok(Some(found));
        }
        // The sender is gone, so that the thread has ended or is about to.
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(_)) => bail!(Failure::new(
                Kind::Failed,
                "the reading stopped by a defect, so that not everything was read; its reason stands above"
            )),
            _ => Ok(None),
        }
    }
}

/// The patients of whom something is found, with the first of their records and what gave none.
#[derive(Default)]
pub struct Patients {
    /// By id, what their Patients say of who they are, and where; a Patient without an id is named by its file.
    pub ids: BTreeMap<String, Vec<(Person, String)>>,
    /// The first id that two people have, with the names of their records.
    two: Option<[String; 3]>,
    /// The first record.
    pub first: Option<Box<Taken>>,
    /// How many records there are.
    pub records: u64,
    /// What gave none.
    pub skipped: Skipped,
}

/// What was passed over: of faults and of the rest the first, and the number of all.
#[derive(Debug, Default)]
pub struct Skipped {
    faults: Vec<Skip>,
    others: Vec<Skip>,
    in_all: usize,
}

impl Skipped {
    fn add(&mut self, skip: Skip) {
        self.in_all += 1;
        let of_kind = if skip.fault { &mut self.faults } else { &mut self.others };
        if of_kind.len() < NAMED {
            of_kind.push(skip);
        }
    }

    /// Those that are named, faults first.
    pub fn named(&self) -> impl Iterator<Item = &Skip> {
        self.faults.iter().chain(&self.others)
    }

    /// How many there are.
    pub fn in_all(&self) -> usize {
        self.in_all
    }

    /// How many are not named.
    pub fn more(&self) -> usize {
        self.in_all - self.faults.len() - self.others.len()
    }

    /// A line each.
    fn lines(&self) -> String {
        let mut said: String = self.named().map(|skip| format!("\n  {}: {}", skip.input, skip.reason)).collect();
        if self.more() > 0 {
            said += &format!("\n  and {} more", self.more());
        }
        said
    }
}

/// Looks through everything without keeping more than one record.
pub fn patients(files: &Files, how: &How) -> Patients {
    let mut found = Patients::default();
    let _ = rochdale_intake::read(files, how, &mut |one| {
        match one {
            Found::Skipped(skip) => found.skipped.add(skip),
            Found::Record(taken) => found.add(taken),
        }
        ControlFlow::Continue(())
    });
    found
}

/// What a patient is called: the id, or the file.
fn patient_of(taken: &Taken) -> String {
    taken.patient.clone().unwrap_or_else(|| taken.name.clone())
}

impl Patients {
    fn add(&mut self, taken: Box<Taken>) {
        self.records += 1;
        let id = patient_of(&taken);
        let known = self.ids.entry(id.clone()).or_default();
        if let Some((_, other)) = known.iter().find(|(person, _)| person.is_another(&taken.person)) {
            self.two.get_or_insert_with(|| [id, other.clone(), taken.name.clone()]);
        }
        if !known.iter().any(|(person, _)| *person == taken.person) {
            known.push((taken.person.clone(), taken.name.clone()));
        }
        self.first.get_or_insert(taken);
    }

    /// Two patients that were asked for and cannot be one person. Who was not asked for by its own id, but comes by a link, has to be known
    /// to be the same.
    fn contradicting(&self, asked: &[String]) -> Option<[(String, String); 2]> {
        let all = || self.ids.iter().flat_map(|(id, known)| known.iter().map(move |(person, name)| (id, person, name)));
        all().enumerate().find_map(|(at, (id, person, name))| {
            let is_other = |(other_id, other): (&String, &Person)| {
                let named = asked.contains(id) && asked.contains(other_id);
                person.contradicts(other) || !named && person.is_another(other)
            };
            let (other_id, _, other) = all().skip(at + 1).find(|(other_id, other, _)| is_other((other_id, other)))?;
            (!asked.is_empty()).then(|| [(plain(id), name.clone()), (plain(other_id), other.clone())])
        })
    }

    /// Whether a record is one of those that were looked through: files can change meanwhile.
    pub fn have(&self, taken: &Taken) -> bool {
        self.ids.get(&patient_of(taken)).is_some_and(|known| known.iter().any(|(person, _)| *person == taken.person))
    }

    /// Refuses what is not one patient's: to one member belongs one patient's record.
    pub fn are_one(&self, path: &Path, asked: &[String]) -> Result<()> {
        // Nobody refused anything: the file is to be mended.
        let failed = |text: String| Failure::new(Kind::Failed, text);
        let path = path.display();
        if let Some([id, one, other]) = &self.two {
            bail!(failed(format!(
                "{path} holds the records of two people of one id, {}: in {one} and in {other} birth date, sex or name differ, or too little of them is said to know that they are one person's. Two hospitals' records, perhaps: give the one of this member by itself",
                plain(id)
            )));
        }
        if let Some([(id, one), (other_id, other)]) = self.contradicting(asked) {
            bail!(failed(format!(
                "{path} holds records of two people under the ids that are asked for: {id} in {one} and {other_id} in {other} differ in birth date, sex or name, or too little of them is said; give the one of this member by itself"
            )));
        }
        match self.ids.len() {
            0 if asked.is_empty() => bail!(failed(format!("{path} holds no record{}", self.skipped.lines()))),
            0 => bail!(failed(format!(
                "{path} holds no record of a patient {}; without --patient all are listed{}",
                asked.join(" or "),
                self.skipped.lines()
            ))),
            1 => Ok(()),
            many if asked.is_empty() => {
                let more = many.saturating_sub(NAMED);
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                let named: Vec<_> = self.ids.keys().take(NAMED).map(|id| plain(id)).collect();
                bail!(failed(format!(
                    "{path} holds the records of {many} patients, and a member gives one person's: say which with --patient ID. They are {}{more}",
                    named.join(", ")
                )))
            }
            _ => Ok(()),
        }
    }
}

/// The one record of what a person named; `-` is standard input.
pub fn single(path: &Path, how: &How) -> Result<(Taken, Skipped)> {
    let failed = |text: String| Failure::new(Kind::Failed, text);
    let found = patients(&files(path)?, how);
    found.are_one(path, &how.only)?;
    if found.records > 1 {
        bail!(failed(format!(
            "{} holds {} records; `rochdale import` gives them one after the other",
            path.display(),
            found.records
        )));
    }
    if how.only.is_empty()
        && let Some(skip) = found.skipped.faults.first()
    {
        bail!(failed(format!(
            "{}: {}. Beside it is a whole record: name its file, or its patient with --patient",
            skip.input, skip.reason
        )));
    }
    Ok((*found.first.context("counted just now")?, found.skipped))
}

/// A score as JSON shows it: whole, with the first reasons.
pub fn score_value(scored: &Scored) -> Value {
    let reasons = scored.reasons.iter().take(REASONS);
    json!({
        "quality": scored.quality,
        "gated": scored.gated,
        "reasons": reasons.collect::<Vec<_>>(),
        "reasons_in_all": scored.reasons.len(),
    })
}

/// A score in words: how much, and a line for each of the first reasons why it is not more.
pub fn score_lines(scored: &Scored) -> Vec<String> {
    let mut lines = vec![format!("quality {}", percent(scored.quality))];
    let shown = scored.reasons.iter().take(REASONS).map(|reason| {
        let place = reason.paths.first().map(|path| format!(" ({path})")).unwrap_or_default();
        format!("  -{}: {}{place}", percent(reason.lost), reason.text)
    });
    lines.extend(shown);
    if scored.reasons.len() > REASONS {
        lines.push(format!("  and {} more reasons, which cost less", scored.reasons.len() - REASONS));
    }
    lines
}

/// `7,550` basis points as `75.5 %`.
pub fn percent(bps: u16) -> String {
    match bps % 100 {
        0 => format!("{} %", bps / 100),
        rest => format!("{}.{} %", bps / 100, format!("{rest:02}").trim_end_matches('0')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(id: &str) -> String {
        json!({ "resourceType": "Bundle", "type": "collection", "entry": [{ "resource": { "resourceType": "Patient", "id": id } }] })
            .to_string()
    }

    #[test]
    fn a_directory_without_files_says_what_to_name() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".hidden.json"), "{}").unwrap();
        let error = files(dir.path()).unwrap_err().to_string();
        assert!(error.contains("name a folder of FHIR R4 bundles") && error.contains(".hidden.json"), "{error}");
    }

    #[test]
    fn kind_j_many_patients_are_not_one_members_unless_one_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("all.ndjson");
        let lines: String = (0..30).map(|n| bundle(&format!("p{n:02}")) + "\n").collect();
        std::fs::write(&path, lines).unwrap();
        let how = How::new(0);
        let said = single(&path, &how).unwrap_err().to_string();
        assert!(said.contains("the records of 30 patients") && said.contains("--patient ID"), "{said}");
        assert!(said.contains("p00, p01, ") && said.contains("p19 and 10 more") && !said.contains("p20"), "{said}");
        let only = |id: &str| How { only: vec![id.to_owned()], ..How::new(0) };
        assert_eq!(single(&path, &only("p21")).unwrap().0.patient.as_deref(), Some("p21"));
        let said = single(&path, &only("p99")).unwrap_err().to_string();
        assert!(said.contains("no record of a patient p99"), "{said}");
        // What cannot be read beside it is said, and not passed over.
        std::fs::write(dir.path().join("one.json"), bundle("p00")).unwrap();
        std::fs::write(dir.path().join("all.ndjson"), "{\"resourceType\":").unwrap();
        let said = single(dir.path(), &how).unwrap_err().to_string();
        assert!(said.contains("all.ndjson: not valid JSON"), "{said}");
        assert_eq!(single(dir.path(), &only("p00")).unwrap().1.named().count(), 1);
    }
    #[test]
    fn kind_j_two_hospitals_bundles_of_one_id_are_not_one_members() {
        let hospital = |born: &str, text: &str| {
            let patient = json!({ "resourceType": "Patient", "id": "1", "gender": "female", "birthDate": born });
            let other = json!({ "resourceType": "Observation", "subject": { "reference": "Patient/1" }, "code": { "text": text } });
            json!({ "resourceType": "Bundle", "type": "collection", "entry": [{ "resource": patient }, { "resource": other }] })
                .to_string()
        };
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.json"), hospital("1980-01-01", "a")).unwrap();
        std::fs::write(dir.path().join("b.json"), hospital("1980-01-01", "b")).unwrap();
        let found = || patients(&files(dir.path()).unwrap(), &How::new(0));
        found().are_one(dir.path(), &[]).unwrap();
        std::fs::write(dir.path().join("c.json"), hospital("1990-01-01", "c")).unwrap();
        for asked in [&[][..], &["1".to_owned()]] {
            let said = found().are_one(dir.path(), asked).unwrap_err().to_string();
            assert!(said.contains("two people of one id, 1") && said.contains("c.json"), "{said}");
        }
    }

    #[test]
    fn kind_j_who_comes_by_a_link_and_a_stranger_of_the_linked_id_are_not_one_members() {
        let dir = tempfile::tempdir().unwrap();
        let patient = |id: &str, born: &str| json!({ "resourceType": "Patient", "id": id, "gender": "female", "birthDate": born });
        let bundle = |patient: Value| json!({ "resourceType": "Bundle", "type": "collection", "entry": [{ "resource": patient }] });
        let mut old = patient("old", "1980-01-01");
        old["link"] = json!([{ "other": { "reference": "Patient/p1" }, "type": "replaced-by" }]);
        let lines = [patient("p1", "1980-01-01"), old].map(|line| line.to_string()).join("\n");
        std::fs::write(dir.path().join("Patient.ndjson"), lines).unwrap();
        let look = |asked: &str, other: Value| {
            std::fs::write(dir.path().join("other.json"), bundle(other).to_string()).unwrap();
            let how = How { only: vec![asked.to_owned()], ..How::new(0) };
            patients(&files(dir.path()).unwrap(), &how).are_one(dir.path(), &how.only)
        };
        look("p1", patient("stranger", "1931-02-03")).unwrap();
        for other in [patient("old", "1931-02-03"), json!({ "resourceType": "Patient", "id": "old" })] {
            let said = look("old", other).unwrap_err().to_string();
            assert!(
                said.contains("two people under the ids that are asked for") && said.contains("other.json"),
                "{said}"
            );
        }
        look("old", patient("old", "1980-01-01")).unwrap();
    }

    #[test]
    fn kind_j_a_fault_is_named_though_much_else_was_passed_over_before_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("one.json"), bundle("p00")).unwrap();
        for n in 0..30 {
            std::fs::write(dir.path().join(format!("a{n:02}.txt")), "dear diary").unwrap();
        }
        std::fs::write(dir.path().join("z.json"), "{").unwrap();
        let found = patients(&files(dir.path()).unwrap(), &How::new(0));
        assert!(found.skipped.lines().starts_with(&format!("\n  {}", dir.path().join("z.json").display())));
        assert!(found.skipped.lines().ends_with("\n  and 10 more"), "{}", found.skipped.lines());
        let said = single(dir.path(), &How::new(0)).unwrap_err().to_string();
        assert!(said.contains("z.json"), "{said}");
    }

    #[tokio::test]
    async fn kind_j_a_reading_that_stopped_by_a_defect_is_not_the_end_of_the_input() {
        let mut broken = Stream::of(|_| panic!("planted"));
        assert!(broken.next().await.unwrap_err().to_string().contains("not everything was read"));
        let mut whole = Stream::of(|_| {});
        assert!(whole.next().await.unwrap().is_none() && whole.next().await.unwrap().is_none());
    }

    #[test]
    fn kind_j_a_patient_who_comes_after_the_look_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        let read = |id: &str| {
            std::fs::write(dir.path().join("one.json"), bundle(id)).unwrap();
            patients(&files(dir.path()).unwrap(), &How::new(0))
        };
        let looked = read("p00");
        assert!(looked.have(&read("p00").first.unwrap()) && !looked.have(&read("p01").first.unwrap()));
    }
}
