import { describe, expect, it } from "vitest";
import words from "../i18n/en/operator.json";
import { GROUPS, isEmpty, KNOWN, LABELS, newest, pair, rowsOf, sum, textOf, UNITS } from "./figure";

const plain = (text: string) => text.replaceAll("\u00a0", " ").replaceAll("\u202f", " ");

describe("a value", () => {
  it("is written in its unit, and cut", () => {
    expect(textOf("0.2149", "share", "en-GB")).toBe("21.4%");
    expect(textOf("12.509999", "USDC", "en-US")).toBe("$12.50");
    expect(plain(textOf("1234567.5", "records", "de-DE"))).toBe("1.234.567,5");
    expect(textOf("3", "members", "en-GB")).toBe("3");
  });
  it("keeps digits that a float would lose", () => expect(textOf("9007199254740993.25", "DATA", "en-GB")).toBe("9,007,199,254,740,993.25"));
  it("is the newest that there is", () => {
    expect(newest(["1", "2"])).toEqual({ value: "2" });
    expect(newest([null, null])).toEqual({ value: null });
  });
  it("that is not of the last day says of which", () => {
    expect(newest(["1", "2", null])).toEqual({ value: "2", at: 1 });
    const days = ["1", ...Array(59).fill(null)] as (string | null)[];
    expect(pair("turnout", days)).toEqual({ now: { value: "1", at: 0 }, before: { value: "1", at: 0 } });
  });
});

describe("thirty days", () => {
  it("of what happens are added up to the last digit", () => {
    expect(sum(["0.1", null, "0.2"])).toBe("0.300000000000000000");
    expect(sum(["9007199254740993.000000000000000001", "1"])).toBe("9007199254740994.000000000000000001");
    expect(sum([null, null])).toBeNull();
    const days = [...Array(30).fill("1"), ...Array(30).fill("2")] as string[];
    expect(pair("members_joined", days)).toEqual({ now: { value: "60.000000000000000000" }, before: { value: "30.000000000000000000" } });
  });
  it("of what stands are compared", () => {
    const days = [...Array(30).fill("1"), ...Array(29).fill("2"), null] as (string | null)[];
    expect(pair("members_active", days)).toEqual({ now: { value: "2", at: 58 }, before: { value: "1" } });
  });
});

it("lists days newest first, from the first that has anything", () => {
  const series = [{ label: "a", values: [null, "1", "2"] }, { label: "b", values: [null, null, "5"] }];
  expect(rowsOf({ series }, 0)).toEqual([
    { day: 172_800, values: ["2", "5"] },
    { day: 86_400, values: ["1", null] },
  ]);
  expect(isEmpty({ series })).toBe(false);
  expect(rowsOf({ series: [{ label: "", values: [null] }] }, 0)).toEqual([]);
});

it("has words for each figure, group, unit and label, and no others", () => {
  const { figure, group, unit, label } = words.kpis;
  expect([figure, group, unit, label].map((of) => Object.keys(of).sort())).toEqual([KNOWN, GROUPS, UNITS, LABELS].map((of) => [...of].map((key) => key.replaceAll(" ", "-")).sort()));
});
