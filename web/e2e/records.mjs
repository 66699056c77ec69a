// Records of people who do not exist, made here so that the tests need no file.

const reading = (at, patient) => ({
  resourceType: "Observation",
  id: `o${at}`,
  status: "final",
  category: [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "vital-signs" }] }],
  subject: { reference: `Patient/${patient}` },
  code: { coding: [{ system: "http://loinc.org", code: "8867-4", display: "Heart rate" }] },
  effectiveDateTime: new Date(Date.UTC(1990, 0, 1) + at * 3_600_000).toISOString(),
  valueQuantity: { value: 60 + (at % 40), unit: "beats/minute", system: "http://unitsofmeasure.org", code: "/min" },
});

/** A patient with so many readings of the pulse. */
export function bundle(readings, id = "p") {
  const patient = {
    resourceType: "Patient",
    id,
    identifier: [{ system: "urn:example", value: id }],
    name: [{ family: "Example", given: ["Ada"] }],
    gender: "female",
    birthDate: "1980-01-01",
    address: [{ city: "Rochdale" }],
    telecom: [{ system: "phone", value: "555" }],
    communication: [{ language: { text: "English" } }],
  };
  const all = [patient, ...Array.from({ length: readings }, (_, at) => reading(at, id))];
  return { resourceType: "Bundle", type: "collection", entry: all.map((resource) => ({ resource })) };
}

/** A record with something wrong of many kinds. */
export function wrong() {
  const poor = bundle(30);
  poor.entry.forEach(({ resource }, at) => {
    if (at === 0) ["name", "telecom", "address", "identifier"].forEach((field) => delete resource[field]);
    else if (at % 5 === 0) delete resource.valueQuantity.code;
    else if (at % 5 === 1) resource.effectiveDateTime = "1960-01-01";
    else if (at % 5 === 2) resource.valueQuantity.value = 5_000;
    else if (at % 5 === 3) resource.status = "done";
  });
  return poor;
}
