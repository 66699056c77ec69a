//! One patient, from birth to the last visit.

use super::draw::{Draw, date_of, instant_of};
use super::tables::{ALLERGIES, FAMILY, GIVEN, ILLNESSES, Illness, LABS, Measure, PROCEDURES, VACCINES, VITALS};
use rochdale_core::fhir::{CVX, LOINC, RXNORM, SNOMED, UCUM};
use serde_json::{Number, Value, json};

const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY + DAY / 4;

/// A patient's record as a transaction bundle with `urn:uuid` full URLs: 30 to 300 resources, all dated before `now`
/// (unix seconds).
#[must_use]
pub fn patient(seed: u64, index: u64, now: i64) -> Value {
    let mut draw = Draw::new(seed, index);
    let mut life = Life::begin(&mut draw, now);
    life.entry(life.patient_id.clone(), life.person(&mut draw, index));
    life.care_givers();
    life.illnesses(&mut draw);
    for visit in life.visits(&mut draw) {
        life.visit(&mut draw, &visit);
    }
    life.allergy(&mut draw);
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": life.entries })
}

struct Visit {
    at: i64,
    id: String,
    with_labs: bool,
}

/// A record while it grows.
struct Life {
    now: i64,
    birth: i64,
    death: Option<i64>,
    first: i64,
    sex: &'static str,
    height: i64,
    body_mass: i64,
    patient_id: String,
    organization_id: String,
    practitioner_id: String,
    has: Vec<&'static Illness>,
    entries: Vec<Value>,
}

impl Life {
    fn begin(draw: &mut Draw, now: i64) -> Self {
        // Midnight, so that a birth date is a date.
        let years = draw.between(1, 94);
        let birth = (now - years * YEAR - draw.between(1, 364) * DAY).div_euclid(DAY) * DAY;
        let sex = if draw.chance(515) { "female" } else { "male" };
        let grown = if sex == "female" { 163_000 } else { 176_000 };
        let height = if years >= 18 { draw.around(grown, 6_500) } else { 76_000 + (grown - 76_000) * years / 18 };
        Self {
            now,
            birth,
            death: (years > 60 && draw.chance(60)).then(|| now - draw.between(20, 300) * DAY),
            first: birth + DAY,
            sex,
            height,
            body_mass: draw
                .around(if years >= 18 { 26_500 } else { 17_500 }, if years >= 18 { 4_000 } else { 1_500 })
                .max(13_000),
            patient_id: draw.uuid(),
            organization_id: draw.uuid(),
            practitioner_id: draw.uuid(),
            has: Vec::new(),
            entries: Vec::new(),
        }
    }

    fn entry(&mut self, id: String, mut resource: Value) {
        let kind = resource["resourceType"].as_str().unwrap_or_default().to_owned();
        resource["id"] = json!(id);
        self.entries.push(json!({
            "fullUrl": format!("urn:uuid:{id}"),
            "resource": resource,
            "request": { "method": "POST", "url": kind },
        }));
    }

    fn about(&self) -> Value {
        reference(&self.patient_id)
    }

    fn age_at(&self, at: i64) -> i64 {
        (at - self.birth) / YEAR
    }

    /// The last moment anything can happen.
    fn last(&self) -> i64 {
        self.death.unwrap_or(self.now - 2 * DAY)
    }

    fn person(&self, draw: &mut Draw, index: u64) -> Value {
        let given =
            GIVEN.iter().find(|(sex, _)| *sex == self.sex).map_or("Alex", |(_, names)| *draw.pick(names.as_slice()));
        let mut person = json!({
            "resourceType": "Patient",
            "text": { "status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">A synthetic patient.</div>" },
            "identifier": [{ "system": "urn:rochdale:synthetic", "value": format!("{}-{index}", self.patient_id) }],
            "active": true,
            "name": [{ "use": "official", "family": draw.pick(&FAMILY), "given": [format!("{given}{}", draw.between(100, 999))] }],
            "telecom": [{ "system": "phone", "value": format!("555-01{:02}", draw.between(0, 99)), "use": "home" }],
            "gender": self.sex,
            "birthDate": date_of(self.birth),
            "address": [{ "line": ["31 Toad Lane"], "city": "Rochdale", "country": "GB" }],
            "communication": [{ "language": { "coding": [{ "system": "urn:ietf:bcp:47", "code": "en" }] } }],
        });
        if let Some(death) = self.death {
            person["deceasedDateTime"] = json!(instant_of(death));
        }
        person
    }

    fn care_givers(&mut self) {
        let organization = json!({ "resourceType": "Organization", "active": true, "name": "Synthetic Health Centre" });
        self.entry(self.organization_id.clone(), organization);
        let practitioner = json!({ "resourceType": "Practitioner", "active": true, "name": [{ "family": "Example", "prefix": ["Dr."] }] });
        self.entry(self.practitioner_id.clone(), practitioner);
    }

    fn illnesses(&mut self, draw: &mut Draw) {
        let group = match self.age_at(self.last()) {
            ..18 => 0,
            18..40 => 1,
            40..65 => 2,
            _ => 3,
        };
        for illness in &ILLNESSES {
            let fits = illness.sex.is_none_or(|sex| sex == self.sex);
            if fits && draw.chance(illness.permille[group]) {
                self.illness(draw, illness);
            }
        }
    }

    fn illness(&mut self, draw: &mut Draw, illness: &'static Illness) {
        let latest = self.last() - 30 * DAY;
        let earliest = self.first.max(latest - if illness.passes { 6 } else { 15 } * YEAR);
        let onset = draw.between(earliest, latest.max(earliest));
        let over = (illness.passes && onset + 25 * DAY < self.last()).then(|| onset + draw.between(5, 21) * DAY);
        let id = draw.uuid();
        let mut condition = json!({
            "resourceType": "Condition",
            "clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/condition-clinical", if over.is_some() { "resolved" } else { "active" }, None),
            "verificationStatus": concept("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed", None),
            "category": [concept("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item", None)],
            "code": concept(SNOMED, illness.code, Some(illness.name)),
            "subject": self.about(),
            "onsetDateTime": date_of(onset),
            "recordedDate": date_of(onset + DAY),
        });
        if let Some(over) = over {
            condition["abatementDateTime"] = json!(date_of(over));
        }
        self.entry(id.clone(), condition);
        self.has.push(illness);
        if let Some((code, name)) = illness.medication {
            let order = json!({
                "resourceType": "MedicationRequest",
                "status": "active",
                "intent": "order",
                "medicationCodeableConcept": concept(RXNORM, code, Some(name)),
                "subject": self.about(),
                "authoredOn": date_of(onset + DAY),
                "requester": reference(&self.practitioner_id),
                "reasonReference": [reference(&id)],
                "dosageInstruction": [{ "text": "once a day", "timing": { "repeat": { "frequency": 1, "period": 1, "periodUnit": "d" } } }],
            });
            self.entry(draw.uuid(), order);
        }
    }

    /// Visits back from the last one, evenly enough that all lie after birth.
    fn visits(&self, draw: &mut Draw) -> Vec<Visit> {
        let number = draw.between(3, 10);
        let newest = (self.last() - draw.between(1, 15) * DAY).max(self.first + DAY);
        let gap = ((newest - self.first) / (number + 1)).min(YEAR);
        let mut visits: Vec<Visit> = (0..number)
            .map(|back| Visit {
                at: newest - back * gap - draw.between(0, gap / 3),
                id: draw.uuid(),
                with_labs: back % 2 == 0,
            })
            .collect();
        visits.reverse();
        visits
    }

    fn visit(&mut self, draw: &mut Draw, visit: &Visit) {
        let encounter = json!({
            "resourceType": "Encounter",
            "status": "finished",
            "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" },
            "type": [concept(SNOMED, "162673000", Some("General examination of patient"))],
            "subject": self.about(),
            "period": { "start": instant_of(visit.at), "end": instant_of(visit.at + draw.between(15, 60) * 60) },
            "participant": [{ "individual": reference(&self.practitioner_id) }],
            "serviceProvider": reference(&self.organization_id),
        });
        self.entry(visit.id.clone(), encounter);
        self.body(draw, visit);
        for measure in &VITALS {
            self.measured(draw, visit, measure, "vital-signs");
        }
        if visit.with_labs {
            self.labs(draw, visit);
        }
        self.vaccine(draw, visit);
        if draw.chance(150) {
            let (code, name) = draw.pick(&PROCEDURES);
            let procedure = json!({
                "resourceType": "Procedure", "status": "completed", "code": concept(SNOMED, code, Some(name)),
                "subject": self.about(), "encounter": reference(&visit.id), "performedDateTime": instant_of(visit.at),
            });
            self.entry(draw.uuid(), procedure);
        }
    }

    /// Height, weight, body mass index and blood pressure, which depend on each other and on age.
    fn body(&mut self, draw: &mut Draw, visit: &Visit) {
        let (years, grown) = (self.age_at(visit.at), self.age_at(self.now).min(18));
        let height =
            if years >= 18 { self.height } else { 60_000 + (self.height - 60_000) * years.max(0) / grown.max(1) };
        let mass = draw.around(self.body_mass, 400);
        // Thousandths of kg/m² times the square of metres, from thousandths of a centimetre.
        let weight = mass * height / 100_000 * height / 100_000;
        self.observe(draw, visit, "vital-signs", ("8302-2", "Body height"), quantity(height, "cm", 1));
        self.observe(draw, visit, "vital-signs", ("29463-7", "Body weight"), quantity(weight, "kg", 1));
        self.observe(draw, visit, "vital-signs", ("39156-5", "Body mass index"), quantity(mass, "kg/m2", 1));
        let high = if self.has.iter().any(|i| i.code == "59621000") { 16_000 } else { 0 };
        let systolic = draw.around(if years < 18 { 105_000 } else { 120_000 + high }, 9_000).clamp(80_000, 220_000);
        let diastolic = (systolic * 64 / 100 + draw.around(0, 4_000)).clamp(45_000, 130_000);
        let parts = json!([
            { "code": concept(LOINC, "8480-6", Some("Systolic blood pressure")), "valueQuantity": quantity(systolic, "mm[Hg]", 0) },
            { "code": concept(LOINC, "8462-4", Some("Diastolic blood pressure")), "valueQuantity": quantity(diastolic, "mm[Hg]", 0) },
        ]);
        let mut pressure = self.observation(visit, "vital-signs", ("85354-9", "Blood pressure panel"));
        pressure["component"] = parts;
        self.entry(draw.uuid(), pressure);
    }

    fn labs(&mut self, draw: &mut Draw, visit: &Visit) {
        let results: Vec<Value> =
            LABS.iter().map(|measure| reference(&self.measured(draw, visit, measure, "laboratory"))).collect();
        let report = json!({
            "resourceType": "DiagnosticReport",
            "status": "final",
            "category": [concept("http://terminology.hl7.org/CodeSystem/v2-0074", "LAB", None)],
            "code": concept(LOINC, "11502-2", Some("Laboratory report")),
            "subject": self.about(),
            "encounter": reference(&visit.id),
            "effectiveDateTime": instant_of(visit.at),
            "issued": instant_of(visit.at + 7_200),
            "performer": [reference(&self.organization_id)],
            "result": results,
        });
        self.entry(draw.uuid(), report);
    }

    fn measured(&mut self, draw: &mut Draw, visit: &Visit, measure: &Measure, category: &str) -> String {
        let shift = measure.shift.filter(|(code, _)| self.has.iter().any(|i| i.code == *code)).map_or(0, |(_, by)| by);
        let value = draw.around(measure.mean + shift, measure.deviation).clamp(measure.bounds[0], measure.bounds[1]);
        self.observe(draw, visit, category, (measure.code, measure.name), quantity(value, measure.unit, measure.places))
    }

    fn observe(&mut self, draw: &mut Draw, visit: &Visit, category: &str, what: (&str, &str), value: Value) -> String {
        let mut observation = self.observation(visit, category, what);
        observation["valueQuantity"] = value;
        let id = draw.uuid();
        self.entry(id.clone(), observation);
        id
    }

    fn observation(&self, visit: &Visit, category: &str, (code, name): (&str, &str)) -> Value {
        json!({
            "resourceType": "Observation",
            "status": "final",
            "category": [concept("http://terminology.hl7.org/CodeSystem/observation-category", category, None)],
            "code": concept(LOINC, code, Some(name)),
            "subject": self.about(),
            "encounter": reference(&visit.id),
            "effectiveDateTime": instant_of(visit.at),
        })
    }

    fn vaccine(&mut self, draw: &mut Draw, visit: &Visit) {
        let years = self.age_at(visit.at);
        let given: Vec<_> = VACCINES.iter().filter(|(_, _, [from, to])| (*from..=*to).contains(&years)).collect();
        if given.is_empty() || !draw.chance(600) {
            return;
        }
        let (code, name, _) = draw.pick(&given);
        let vaccination = json!({
            "resourceType": "Immunization", "status": "completed", "vaccineCode": concept(CVX, code, Some(name)),
            "patient": self.about(), "encounter": reference(&visit.id), "occurrenceDateTime": instant_of(visit.at), "primarySource": true,
        });
        self.entry(draw.uuid(), vaccination);
    }

    fn allergy(&mut self, draw: &mut Draw) {
        if !draw.chance(120) {
            return;
        }
        let (code, name) = draw.pick(&ALLERGIES);
        let allergy = json!({
            "resourceType": "AllergyIntolerance",
            "clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active", None),
            "verificationStatus": concept("http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "confirmed", None),
            "code": concept(SNOMED, code, Some(name)),
            "patient": self.about(),
            "recordedDate": date_of(draw.between(self.first, self.last())),
        });
        self.entry(draw.uuid(), allergy);
    }
}

fn reference(id: &str) -> Value {
    json!({ "reference": format!("urn:uuid:{id}") })
}

fn concept(system: &str, code: &str, name: Option<&str>) -> Value {
    let mut concept = json!({ "coding": [{ "system": system, "code": code }] });
    if let Some(name) = name {
        concept["coding"][0]["display"] = json!(name);
        concept["text"] = json!(name);
    }
    concept
}

/// An amount given in thousandths, rounded to decimal places.
fn quantity(milli: i64, unit: &str, places: u32) -> Value {
    let step = 10i64.pow(3 - places.min(3));
    let rounded = (milli + step / 2).div_euclid(step);
    let scale = 10i64.pow(places.min(3));
    let value = if scale == 1 {
        Number::from(rounded)
    } else {
        // Both are small integers, so the division gives the float that prints as the decimal.
        Number::from_f64(rounded as f64 / scale as f64).unwrap_or_else(|| Number::from(0))
    };
    json!({ "value": value, "unit": unit, "system": UCUM, "code": unit })
}
