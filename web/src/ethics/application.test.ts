import { describe, expect, it } from "vitest";
import { Application, KIND, protocolOf, read, textOf } from "./application";

const FACTS = { disease: { system: "http://snomed.info/sct", code: "44054006" }, notForProfit: true, commercial: false, country: "SE", project: "sleep-7" };
const TEXT = '{"commercial":false,"country":"SE","disease":{"code":"44054006","system":"http://snomed.info/sct"},"notForProfit":true,"project":"sleep-7"}';

describe("the facts of a study", () => {
  // The same as in `rochdale_core::consent::Protocol`: another text says nothing to stewards.
  it("are written as stewards read them", () => {
    expect(textOf(FACTS)).toBe(TEXT);
    expect(protocolOf(TEXT)).toEqual(FACTS);
    expect(textOf({})).toBe("");
  });
  it("say nothing where they are written in any other way", () => {
    for (const other of ["", "{}", "not-for-profit", '{"notForProfit":"yes"}', '{"notForProfit":true,"approved":true}', '{"notForProfit":true,"country":"SE"}', '{ "notForProfit":true}', '{"country":null,"notForProfit":true}', "[true]"]) {
      expect(protocolOf(other), other).toEqual({});
    }
  });
});

it("takes an application, and nothing that is none", () => {
  const application = { kind: KIND, version: 1, chain_id: 1, ethics_registry: `0x${"A".repeat(40)}`, researcher: `0x${"b".repeat(40)}`, purpose: 6, months: 12, study: { title: "t", summary: "s", contact: "c" }, protocol: FACTS };
  expect(read(Application, JSON.stringify(application))?.ethics_registry).toBe(`0x${"a".repeat(40)}`);
  for (const other of ["", "[]", JSON.stringify({ ...application, kind: "x" }), JSON.stringify({ ...application, months: 0 }), JSON.stringify({ ...application, protocol: { sql: true } })]) {
    expect(read(Application, other)).toBeUndefined();
  }
});
