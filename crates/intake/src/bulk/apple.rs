//! An Apple Health export among what is put together: whose it is, and which clinical records belong to it.

use super::Bulk;
use crate::apple::{Export, OWNER};
use crate::person::Person;
use crate::spill::{Kept, LAST, Whose};
use crate::{brief, plain};
use rochdale_core::fhir::{Document, Json, LoneResource};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::io;

/// Patients that are held against an owner; whoever's hospitals write more of them is several people.
const PATIENTS: usize = 16;
/// Files of clinical records that are remembered.
const FILES: usize = 100_000;

/// What is known of Apple Health exports.
#[derive(Default)]
pub struct Apple {
    /// Whose they are, and where that stands.
    owners: Vec<(Value, String)>,
    /// Clinical records that they list, with their versions.
    listed: BTreeMap<String, String>,
    /// Files of clinical records that are here.
    here: HashSet<String>,
    /// One that was taken for R4 before the list said that it is not.
    early: Option<String>,
    /// The first Patients of everything that is given, by id.
    patients: Vec<(String, Person, String)>,
}

impl Apple {
    /// One more Patient of a hospital.
    pub fn patient(&mut self, whose: &Whose, patient: Json<'_>, name: &str) {
        if let Whose::Id(id) = whose
            && self.patients.len() <= PATIENTS
        {
            self.patients.push((id.clone(), Person::of(patient), name.to_owned()));
        }
    }

    /// Whether there is any.
    pub fn is_here(&self) -> bool {
        !self.owners.is_empty()
    }

    /// Why nothing of it is taken.
    fn refused(&self) -> Option<String> {
        let missing: Vec<_> = self.listed.keys().filter(|file| !self.here.contains(*file)).collect();
        let (_, name) = self.owners.first()?;
        if let Some((_, other)) = self.owners.get(1) {
            return Some(format!(
                "two Apple Health exports, in {name} and in {other}: whether both are one person's nobody can tell, and what both hold would count twice; give the newest of this member by itself"
            ));
        }
        if let Some(early) = &self.early {
            return Some(format!(
                "an Apple Health export: its list, {name}, came after the clinical record {early} of another FHIR version; give export.zip as the Health app made it, or its folder"
            ));
        }
        if let Some(first) = missing.first() {
            let many = missing.len();
            let (records, are) = if many == 1 { ("record", "is") } else { ("records", "are") };
            return Some(format!(
                "an Apple Health export: {name} lists {many} clinical {records} that {are} not here (the first: {first}), so that the record is not whole; give export.zip as the Health app made it"
            ));
        }
        if self.patients.len() > PATIENTS {
            return Some(format!(
                "an Apple Health export beside Patients of more than {PATIENTS} ids: two people's, or two exports; give it by itself"
            ));
        }
        let people = self.owners.iter().filter_map(|(owner, at)| {
            let document = Document::parse(owner.to_string().into_bytes()).ok()?;
            Some((Person::of(document.root()), at))
        });
        let pairs =
            people.flat_map(|(owner, at)| self.patients.iter().map(move |patient| (owner.clone(), at, patient)));
        let mut others = pairs.filter(|(owner, _, (_, patient, _))| owner.is_another(patient));
        let (_, at, (_, _, other)) = others.next()?;
        Some(format!(
            "an Apple Health export of two people: in {at} and in {other} birth date or sex differ, or too little of them is said to know that they are one person's. Set the birth date in the app's Health Details and export again, or give the one of this member by itself"
        ))
    }
}

impl Bulk<'_> {
    /// Takes an export in, and says what of.
    pub fn apple(&mut self, name: &str, mut export: Export) -> String {
        let said = export.observations(self.how.limits.record_bytes, &mut |observation| {
            if let Ok(document) = Document::parse(observation.to_string().into_bytes()) {
                self.take(&LoneResource { name: name.to_owned(), document });
            }
        });
        self.apple.owners.push((export.owner(), name.to_owned()));
        let listed = std::mem::take(&mut export.clinical);
        let early =
            |(file, version): &(&String, &String)| self.apple.here.contains(*file) && !version.starts_with("4.");
        self.apple.early = listed.iter().find(early).map(|(file, _)| file.clone());
        // Of a second one nothing is taken.
        if self.apple.owners.len() == 1 {
            self.apple.listed = listed;
        }
        said
    }

    /// Why a clinical record is not read, by the version that its export says.
    pub fn foreign(&mut self, name: &str) -> Option<String> {
        let (folder, file) = name.rsplit_once('/')?;
        // A line of a file is none of its files.
        if !folder.ends_with("clinical-records") || file.contains(", line ") {
            return None;
        }
        let file = brief(file);
        let version = self.apple.listed.get(&file).map(|version| plain(version));
        if self.apple.here.len() < FILES {
            self.apple.here.insert(file);
        }
        let version = version.filter(|version| !version.starts_with("4."))?;
        let known = match version.split('.').next() {
            Some("1") => "FHIR DSTU2",
            Some("3") => "FHIR STU3",
            Some("5") => "FHIR R5",
            _ => "FHIR of a version that is not known",
        };
        Some(format!(
            "{known} by the export's word ({version}), which is not read: fields of other versions would be lost; ask the hospital for FHIR R4. The rest of the export is taken without it"
        ))
    }

    /// Puts the owner beside their hospitals' Patients, as one person, or says why that cannot be.
    pub fn settle(&mut self) -> io::Result<Option<String>> {
        if let Some(reason) = self.apple.refused() {
            return Ok(Some(reason));
        }
        let ids: std::collections::BTreeSet<_> = self.apple.patients.iter().map(|(id, ..)| id.clone()).collect();
        let links: Vec<_> = ids
            .iter()
            .filter(|id| *id != OWNER)
            .map(|id| json!({ "other": { "reference": format!("Patient/{id}") }, "type": "refer" }))
            .collect();
        let whose = Whose::Id(OWNER.to_owned());
        for (mut owner, name) in std::mem::take(&mut self.apple.owners) {
            if !links.is_empty() {
                owner["link"] = Value::Array(links.clone());
            }
            let text = owner.to_string().into_bytes();
            // Behind the hospitals' Patients, which say more, so that one of them stands for the person.
            self.spill.put(LAST, &Kept { patient: whose.clone(), name, is_patient: true, text })?;
            super::count(&mut self.counts, "Patient");
            self.has_patient = true;
            self.seen.insert(whose.clone());
            self.link(&whose, &whose);
            ids.iter().for_each(|id| self.link(&whose, &Whose::Id(id.clone())));
        }
        Ok(None)
    }
}
