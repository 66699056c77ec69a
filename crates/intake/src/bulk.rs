//! Bulk exports: resources that stand alone, put together by the patient that they are about, or refused by name.
//!
//! The first pass writes each resource to its patient's part on disk ([`Spill`]); the second goes through one part after
//! the other and puts its patients' resources together. In memory are one part's index, one record, the ids of patients
//! that link to each other with the index of their resources, and where each Medication lies. Nothing is taken in part: where some file of the export could
//! not be read, or its manifest lists more than is here, nothing of it is.

mod about;
mod apple;
mod bundle;
mod manifest;

pub use manifest::Manifest;

use crate::person::{Person, rest};
use crate::spill::{Kept, Place, SHARED, Spill, Whose};
use crate::{Found, How, Skip, brief, kept};
use about::{About, Version, about, linked, medication};
use apple::Apple;
use bundle::Bundle;
use rochdale_core::fhir::{Document, Json, LoneResource, Record};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::ops::ControlFlow;

/// Kinds and names that a message lists.
const LISTED: usize = 8;
/// Patients without a Patient resource that are named one by one.
const MISSING: usize = 20;
/// Names of types that are counted apart; a hostile export makes them up.
const TYPES: usize = 500;
/// Ids of one person; whoever has more is several.
const IDS: usize = 1_000;
type Take<'a> = &'a mut dyn FnMut(Found) -> ControlFlow<()>;

/// What was read so far of resources that stand alone.
pub struct Bulk<'a> {
    name: String,
    how: &'a How,
    spill: Spill,
    /// Why the disk did not take one.
    failed: Option<io::Error>,
    /// What could not be read, and may have been a part of it.
    unread: Vec<String>,
    manifest: Manifest,
    counts: BTreeMap<String, u64>,
    /// How many resources name nobody, by type.
    nobodys: BTreeMap<String, u64>,
    /// How many say whom they are about in another way than by reference, and the first.
    unclear: Option<(u64, String)>,
    /// Whether a Patient is here.
    has_patient: bool,
    /// Who is or is referred to, whether their Patient is here or not; no more than [`IDS`] and one.
    seen: HashSet<Whose>,
    medications: HashMap<String, Drug>,
    /// Patients that link to each other: who it is to who stands for all of them.
    linked: HashMap<Whose, Whose>,
    apple: Apple,
}

/// Where a Medication lies.
struct Drug {
    place: Place,
    name: String,
    rest: u64,
    version: Version,
    /// Another one that has the same id and another content, and is neither older nor newer.
    rival: Option<String>,
}

/// Where a patient's resources lie.
#[derive(Default)]
struct Parts {
    places: Vec<(bool, Place)>,
    bytes: u64,
    first: String,
}

impl<'a> Bulk<'a> {
    pub fn new(name: &str, how: &'a How) -> Self {
        Self {
            name: name.to_owned(),
            how,
            spill: Spill::new(&how.spill),
            failed: None,
            unread: Vec::new(),
            manifest: Manifest::default(),
            counts: BTreeMap::new(),
            nobodys: BTreeMap::new(),
            unclear: None,
            has_patient: false,
            seen: HashSet::new(),
            medications: HashMap::new(),
            linked: HashMap::new(),
            apple: Apple::default(),
        }
    }

    /// An input could not be read; if there is an export at all, it may have been a part of it.
    pub fn unread(&mut self, name: &str) {
        if self.unread.len() <= LISTED && self.unread.last().is_none_or(|last| last != name) {
            self.unread.push(name.to_owned());
        }
    }

    /// Whether an Apple Health export is a part of it.
    pub fn is_apples(&self) -> bool {
        self.apple.is_here()
    }

    /// A list of the export's files.
    pub fn manifest(&mut self, name: &str, listed: manifest::Listed) {
        self.manifest.add(name, listed);
    }

    /// One more resource.
    pub fn take(&mut self, lone: &LoneResource) {
        if self.failed.is_none() {
            self.failed = self.put(lone).err();
        }
    }

    fn put(&mut self, lone: &LoneResource) -> io::Result<()> {
        let root = lone.document.root();
        let kind = root.get("resourceType").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned();
        count(&mut self.counts, &kind);
        let kept = |patient: Whose| Kept {
            patient,
            name: lone.name.clone(),
            is_patient: kind == "Patient",
            text: lone.document.text().trim().as_bytes().to_vec(),
        };
        match about(&kind, root) {
            About::Patient(id) => self.of(Whose::Id(id), kept, root),
            About::Nameless => self.of(Whose::NoId, kept, root),
            About::Shared(id) => {
                let place = self.spill.put(SHARED, &kept(Whose::Unsaid))?;
                self.drug(id, place, &lone.name, root);
                Ok(())
            }
            About::Nobody => {
                count(&mut self.nobodys, &kind);
                Ok(())
            }
            unclear => {
                if unclear == About::Unclear {
                    self.unclear.get_or_insert_with(|| (0, lone.name.clone())).0 += 1;
                }
                // Where there is one patient alone, the score judges what nobody else can be meant by.
                self.spill.put(Spill::part_of(&Whose::Unsaid), &kept(Whose::Unsaid)).map(|_| ())
            }
        }
    }

    /// A patient, or what is about one.
    fn of(&mut self, whose: Whose, kept: impl Fn(Whose) -> Kept, root: Json<'_>) -> io::Result<()> {
        let kept = kept(whose.clone());
        if kept.is_patient {
            self.has_patient = true;
            self.apple.patient(&whose, root, &kept.name);
            linked(root).into_iter().for_each(|other| self.link(&whose, &Whose::Id(other)));
        }
        self.spill.put(Spill::part_of(&whose), &kept)?;
        if self.seen.len() <= IDS {
            self.seen.insert(whose);
        }
        Ok(())
    }

    /// One more Medication: of several with one id the newest counts.
    fn drug(&mut self, id: String, place: Place, name: &str, root: Json<'_>) {
        let mut new = Drug { place, name: name.to_owned(), rest: rest(root), version: Version::of(root), rival: None };
        match self.medications.entry(id) {
            Entry::Vacant(free) => {
                free.insert(new);
            }
            Entry::Occupied(mut known) => {
                match (new.rest == known.get().rest, new.version.is_newer(&known.get().version)) {
                    (_, Some(true)) => {
                        // Of what neither was newer or older than the last, nobody knows whether it is than this one.
                        new.rival = known.get_mut().rival.take();
                        known.insert(new);
                    }
                    (true, _) | (_, Some(false)) => {}
                    (false, None) => known.get_mut().rival = Some(new.name),
                }
            }
        }
    }

    /// Whoever all of it is about, where that is one person.
    fn only(&mut self) -> Option<Whose> {
        let seen: Vec<Whose> = self.seen.iter().cloned().collect();
        let mut stand = seen.iter().map(|who| self.stands_for(who)).collect::<BTreeSet<_>>();
        let first = stand.pop_first()?;
        (seen.len() <= IDS && stand.is_empty()).then_some(first)
    }

    /// Two Patients are one person.
    fn link(&mut self, one: &Whose, other: &Whose) {
        let (first, second) = (self.stands_for(one), self.stands_for(other));
        let (kept, gone) = if first <= second { (first, second) } else { (second, first) };
        self.linked.insert(gone, kept.clone());
        self.linked.insert(kept.clone(), kept);
    }

    /// Who stands for all that a Patient is linked with; the way there is short from then on.
    fn stands_for(&mut self, id: &Whose) -> Whose {
        let (mut way, mut at) = (Vec::new(), id.clone());
        while let Some(next) = self.linked.get(&at).filter(|next| **next != at).cloned() {
            way.push(std::mem::replace(&mut at, next));
        }
        for passed in way {
            self.linked.insert(passed, at.clone());
        }
        at
    }

    /// Puts the records together, or says why there are none.
    pub fn finish(mut self, take: Take<'_>) -> ControlFlow<()> {
        let is_apples = self.is_apples();
        match self.settle() {
            Ok(Some(reason)) => return self.say(take, reason, true),
            Ok(None) => {}
            Err(error) => self.failed = Some(error),
        }
        let total: u64 = self.counts.values().sum();
        if total == 0 {
            return ControlFlow::Continue(());
        }
        let only = self.only();
        if let Some(reason) = self.refused(total, only.is_none(), is_apples) {
            return self.say(take, reason, true);
        }
        if !self.nobodys.is_empty() {
            let reason = format!(
                "{} are about no patient, so they are nobody's record and were set aside",
                listed(&self.nobodys)
            );
            self.say(take, reason, false)?;
        }
        if let Some(only) = only {
            // What says in other ways whom it is about can mean nobody else.
            self.linked.insert(Whose::Unsaid, only.clone());
            self.linked.insert(only.clone(), only);
        }
        match self.second_pass(take) {
            Ok(flow) => flow,
            Err(error) => {
                let reason = on_disk(&error, self.how);
                self.say(take, reason, true)
            }
        }
    }

    fn say(&self, take: Take<'_>, reason: String, fault: bool) -> ControlFlow<()> {
        take(Found::Skipped(Skip { input: self.name.clone(), reason, fault }))
    }

    /// Why nothing of the export is taken.
    fn refused(&self, total: u64, several: bool, is_apples: bool) -> Option<String> {
        let what = if is_apples { "an Apple Health export" } else { "a bulk export" };
        let what = format!("{what} ({})", listed(&self.counts));
        if let Some(error) = &self.failed {
            return Some(format!("{what}: {}", on_disk(error, self.how)));
        }
        if let Some(first) = self.unread.first() {
            let more = self.unread.len() - 1;
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            return Some(format!(
                "{what} of which {first}{more} could not be read, so that no record of it is known to be whole and none is taken; mend that or take it away, and give the export again"
            ));
        }
        if let Some(reason) = self.manifest.misses(&self.counts) {
            return Some(format!("{what}: {reason}"));
        }
        if !self.has_patient {
            return Some(match total.saturating_sub(self.nobodys.values().sum()) {
                0 => format!("{} and no Patient, so it is nobody's record", listed(&self.counts)),
                _ => format!(
                    "{what} without its Patient resources, so that nobody knows whose it is; give the whole folder of the export, the file of type Patient too"
                ),
            });
        }
        match &self.unclear {
            Some((many, first)) if several => Some(format!(
                "{what} of several patients in which {many} resources do not say by reference whom they are about (the first: {first}), so that no record is known to be whole; have it exported with references to Patient/…"
            )),
            _ => None,
        }
    }

    fn second_pass(&mut self, take: Take<'_>) -> io::Result<ControlFlow<()>> {
        self.spill.flush()?;
        for id in self.linked.keys().cloned().collect::<Vec<_>>() {
            self.stands_for(&id);
        }
        let (mut together, mut missing) = (BTreeMap::<Whose, Parts>::new(), Missing::default());
        for part in self.spill.parts() {
            let mut people = BTreeMap::<Whose, Parts>::new();
            self.spill.each(part, |place, kept| match self.linked.get(&kept.patient) {
                Some(stands) => together.entry(stands.clone()).or_default().add(place, kept),
                None => people.entry(kept.patient.clone()).or_default().add(place, kept),
            })?;
            for (id, parts) in people {
                if self.one(&id, parts, &mut missing, take)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if self.linked.is_empty() {
                self.spill.forget(part);
            }
        }
        for (id, parts) in together {
            if self.one(&id, parts, &mut missing, take)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let Missing { people, resources } = missing;
        if people > MISSING {
            let reason = format!(
                "{resources} resources in all are about {people} patients whose Patient is not here; the first {MISSING} of them are named"
            );
            return Ok(self.say(take, reason, true));
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Whether a patient was asked for, by any id.
    fn wants(&self, who: &Whose) -> bool {
        let asked = |id: &String| {
            let id = Whose::Id(id.clone());
            self.linked.get(&id).unwrap_or(&id) == who
        };
        self.how.only.is_empty() || self.how.only.iter().any(asked)
    }

    /// One patient's record, or why it is none.
    fn one(&self, who: &Whose, parts: Parts, missing: &mut Missing, take: Take<'_>) -> io::Result<ControlFlow<()>> {
        let name = match who {
            Whose::Id(id) => format!("{}: Patient/{}", self.name, brief(id)),
            Whose::NoId | Whose::Unsaid => format!("{}: the Patient without an id", self.name),
        };
        let skip = |reason: String| Found::Skipped(Skip { input: name.clone(), reason, fault: true });
        let (many, first) = (parts.places.len(), &parts.first);
        if !parts.places.iter().any(|(is_patient, _)| *is_patient) {
            if *who == Whose::Unsaid {
                let reason = format!(
                    "{many} resources say in words alone whom they are about (the first: {first}), so they are nobody's record"
                );
                return Ok(self.say(take, reason, true));
            }
            missing.people += 1;
            missing.resources += many;
            let reason = format!(
                "{many} resources are about this patient, whose Patient is not in the export (the first: {first}); give the file with it, too"
            );
            return Ok(if missing.people > MISSING { ControlFlow::Continue(()) } else { take(skip(reason)) });
        }
        if !self.wants(who) {
            return Ok(ControlFlow::Continue(()));
        }
        if parts.bytes > self.how.limits.record_bytes as u64 {
            return Ok(take(skip(self.too_large(many, parts.bytes))));
        }
        let document = match self.together(parts)? {
            Ok(text) => Document::parse(text).map_err(|(error, _)| error.to_string()),
            Err(reason) => Err(reason),
        };
        let record = document.and_then(|document| {
            // A name that no reason has within: the skip has it already.
            Record::from_document("", document).map_err(|error| error.to_string().trim_start_matches(": ").to_owned())
        });
        Ok(match record {
            Ok(record) => take(Found::Record(Box::new(kept(self.how, name, record)))),
            Err(reason) => take(skip(reason)),
        })
    }

    fn too_large(&self, many: usize, bytes: u64) -> String {
        let limit = self.how.limits.record_bytes;
        format!(
            "its {many} resources are {bytes} bytes or more, and a record may have {limit}; raise the limit, or give a part of it as a bundle"
        )
    }

    /// The bundle of a patient's resources, Patients first, each once, with the Medications that they refer to; or why it
    /// cannot be one person's.
    fn together(&self, parts: Parts) -> io::Result<Result<Vec<u8>, String>> {
        let Parts { mut places, bytes, .. } = parts;
        places.sort_by_key(|(is_patient, _)| !is_patient);
        let (many, limit) = (places.len(), self.how.limits.record_bytes);
        let (mut wanted, mut patients) = (BTreeSet::new(), Vec::<(Kept, Person)>::new());
        let mut bundle = Bundle::new(usize::try_from(bytes).unwrap_or(0) + many * 16 + 64);
        for (is_patient, place) in places {
            let kept = self.spill.get(place)?;
            wanted.extend(medication(&kept.text));
            bundle.push(&kept.text);
            if bundle.text.len() > limit {
                return Ok(Err(self.too_large(many, bundle.text.len() as u64)));
            }
            if is_patient {
                let Ok(document) = Document::parse(kept.text.clone()) else {
                    return Ok(Err(format!("{} cannot be read again", kept.name)));
                };
                let person = Person::of(document.root());
                // Who is linked is said to be one person, and may be described by little.
                let is_other = |(other, known): &&(Kept, Person)| {
                    known.contradicts(&person) || other.patient == kept.patient && known.is_another(&person)
                };
                if let Some((other, _)) = patients.iter().find(is_other) {
                    let which = if other.patient == kept.patient { "have this id" } else { "are linked as one" };
                    return Ok(Err(format!(
                        "two people {which}, in {} and in {}: two exports, perhaps; give each by itself",
                        other.name, kept.name
                    )));
                }
                patients.push((kept, person));
            }
        }
        for id in wanted {
            let Some(drug) = self.medications.get(&id) else { continue };
            if let Some(rival) = &drug.rival {
                return Ok(Err(format!(
                    "two Medications have the id {}, in {} and in {rival}, and neither says that it is newer: two exports, perhaps; give each by itself",
                    brief(&id),
                    drug.name
                )));
            }
            bundle.push(&self.spill.get(drug.place)?.text);
            if bundle.text.len() > limit {
                return Ok(Err(self.too_large(many, bundle.text.len() as u64)));
            }
        }
        Ok(Ok(bundle.finish()))
    }
}

/// Patients whose Patient is missing, and their resources.
#[derive(Default)]
struct Missing {
    people: usize,
    resources: usize,
}

impl Parts {
    fn add(&mut self, place: Place, kept: Kept) {
        if self.places.is_empty() {
            self.first = kept.name;
        }
        self.bytes += u64::from(place.length);
        self.places.push((kept.is_patient, place));
    }
}

/// One more of a type, unless there are too many types.
fn count(counts: &mut BTreeMap<String, u64>, kind: &str) {
    if counts.contains_key(kind) || counts.len() < TYPES {
        *counts.entry(kind.to_owned()).or_default() += 1;
    }
}

/// The types with the most resources.
fn listed(counts: &BTreeMap<String, u64>) -> String {
    let mut most: Vec<_> = counts.iter().collect();
    most.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut said: Vec<String> = most.iter().take(LISTED).map(|(kind, count)| format!("{count} {kind}")).collect();
    if most.len() > LISTED {
        said.push(format!("{} more types", most.len() - LISTED));
    }
    said.join(", ")
}

fn on_disk(error: &io::Error, how: &How) -> String {
    format!(
        "it cannot be put together in {}: {error}; name a folder with more room in the variable TMPDIR",
        how.spill.display()
    )
}
