//! The committed wasm module, run as the worker runs it, against the shape that the page takes and the words that it has.
import { readdirSync, readFileSync } from "node:fs";
import * as v from "valibot";
import { beforeAll, describe, expect, it } from "vitest";
import words from "../../i18n/en/member.json";
import { check_record, initSync } from "../../../wasm/rochdale.js";
import { REASONS, reasonOf, RESOURCES, resourceOf, told } from "./reasons";
import { Checked, type Reason } from "./shape";

beforeAll(() => void initSync({ module: readFileSync(new URL("../../../wasm/rochdale_bg.wasm", import.meta.url)) }));

const NOW = 1_796_000_000;
const check = (file: unknown) => {
  const text = typeof file === "string" ? file : JSON.stringify(file);
  return v.parse(v.pipe(v.string(), v.parseJson(), Checked), check_record("a.json", new TextEncoder().encode(text), NOW));
};

const patient = { resourceType: "Patient", id: "p", birthDate: "1980-01-01", gender: "female" };
const pulse = (more: object) => ({
  resourceType: "Observation",
  status: "final",
  subject: { reference: "Patient/p" },
  code: { coding: [{ system: "http://loinc.org", code: "8867-4" }] },
  effectiveDateTime: "2024-05-17",
  valueQuantity: { value: 70, system: "http://unitsofmeasure.org", code: "/min" },
  ...more,
});
const bundle = (...resources: object[]) => ({ resourceType: "Bundle", type: "collection", entry: resources.map((resource) => ({ resource })) });

describe("a record", () => {
  it("has a score whose parts and losses add up to 100 points", () => {
    const [record] = check(bundle(patient, pulse({}))).records;
    expect(record?.gated).toBe(false);
    const lost = record?.reasons.reduce((sum, reason) => sum + reason.lost, 0) ?? 0;
    expect((record?.quality ?? 0) + lost).toBe(10_000);
    expect(record?.parts.reduce((sum, part) => sum + part.weight, 0)).toBe(10_000);
  });
  it("loses points for an impossible pulse, which is told in words", () => {
    const [record] = check(bundle(patient, pulse({}), pulse({ valueQuantity: { value: 9_000, system: "http://unitsofmeasure.org", code: "/min" } }))).records;
    expect(told(record?.reasons ?? []).map(({ reason, resource }) => `${reason} ${resource}`)).toContain("range Observation");
  });
  it("is gated where it is dated in the future", () => {
    const [record] = check(bundle(patient, pulse({ effectiveDateTime: "2099-01-01" }))).records;
    expect(record).toMatchObject({ gated: true, quality: 0 });
    expect(record?.reasons.map(({ check }) => reasonOf(check))).toContain("future");
  });
});

it("that is no record is named with the reason", () => {
  const { records, passed_over } = check("not json at all");
  expect(records).toEqual([]);
  expect(passed_over[0]?.reason).toContain("JSON");
});

it("gives each of several records of NDJSON its own", () => {
  expect(check([patient, { ...patient, id: "q" }].map((one) => JSON.stringify(bundle(one, pulse({ subject: { reference: `Patient/${one.id}` } })))).join("\n")).records).toHaveLength(2);
});

describe("every reason", () => {
  // The rules' own sources are the list: a check that is added there has to get words here.
  const folder = new URL("../../../../crates/core/src/score/", import.meta.url);
  const source = readdirSync(folder).filter((name) => name.endsWith(".rs")).map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
  const made = [...source.matchAll(/(?:tally\.check\(Category::\w+, |add\(&mut reasons, |check: |Some\(Category::\w+\), |None, |\()"([a-z0-9-]+)",/g)].map((match) => match[1] ?? "");

  it("that the rules can give has words", () => {
    expect(made.length).toBeGreaterThan(25);
    expect([...new Set(made)].filter((check) => reasonOf(check) === "other")).toEqual([]);
  });
  it("that has words is in the list", () => {
    expect(Object.keys(words.check.reasons).sort()).toEqual([...REASONS, "other"].sort());
    expect(Object.keys(words.check.resources).sort()).toEqual([...RESOURCES, "other"].sort());
  });
  it("of one kind is told once, with what it costs in all", () => {
    const reason = (element: string, lost: number): Reason => ({ check: "present", category: "availability", element, paths: [], count: 2, lost, text: "" });
    const merged = told([reason("Patient.name", 10), reason("Observation.category", 15), reason("Patient.telecom", 20)]);
    expect(merged.map(({ resource, lost, count }) => [resource, lost, count])).toEqual([["Patient", 30, 4], ["Observation", 15, 2]]);
  });
  it("is about a resource that its element names", () => {
    expect([resourceOf("Observation (Heart rate)"), resourceOf("Patient.name"), resourceOf("Bundle"), resourceOf("Device.id")]).toEqual(["Observation", "Patient", "Bundle", "other"]);
  });
});
