import { describe, expect, it } from "vitest";
import type { Row, Use } from "./rules";
import { mostTold } from "./told";

const row = (epoch: number, cash: string, more: Partial<Row> = {}): Row => ({
  epoch,
  row: {
    ...{ cash_earned: cash, cash_streaming: "0", usage_weight: "0", closed: false, streak: 0 },
    ...{ data_earned: "0", data_locked: "0", data_vesting: "0", gov_earned: "0", gov_locked: "0", gov_vesting: "0" },
  },
  leaf: { cash, stream: "0" },
  contributions: [],
  uses: [],
  ...more,
});
const use = (debit: number, query?: Use["query"]): Use => ({ debit, at: 1, license_id: 1, researcher: "0x1", purpose: 6, records: 1, query });
const told = (reports: Row[]) => {
  const most = mostTold(reports, 2);
  return most && [most.said.epoch, most.said.row.cash_earned, most.differ];
};

describe("a row", () => {
  it("is that of the newest period that a quorum has come to, as most show it", () => {
    expect(told([row(5, "9"), row(5, "1"), row(5, "1")])).toEqual([5, "1", 1]);
    expect(told([row(9_999, "9"), row(5, "1"), row(5, "1")])).toEqual([5, "1", 0]);
    expect(told([row(9_999, "9"), row(5, "1"), row(4, "1")])).toEqual([5, "1", 0]);
    expect(told([row(5, "1")])).toEqual([5, "1", 0]);
    expect(told([])).toBeUndefined();
  });
  it("has the reasons of whoever scored, and does not differ by them", () => {
    const scored = (reasons: string[]) => ({ contributions: [{ contribution_id: 1, score: null, epoch: null, reasons }] });
    const most = mostTold([row(5, "1", scored([])), row(5, "1", scored(["a", "b"])), row(5, "1", scored(["a"]))], 2);
    expect(most?.said.contributions[0]?.reasons).toEqual(["a", "b"]);
    expect(most?.differ).toBe(0);
  });
});

describe("a use", () => {
  const query = { dataset: 1, cohort: {}, ask: { kind: "count" as const } };
  it("is kept from no member by one that conceals it or lags behind", () => {
    expect(mostTold([row(5, "1"), row(5, "1"), row(4, "1", { uses: [use(1)] })], 2)?.said.uses).toHaveLength(1);
  });
  it("is told once, with what was asked, by whoever knows it", () => {
    const most = mostTold([row(5, "1", { uses: [use(1)] }), row(5, "1", { uses: [use(1, query)] }), row(5, "1", { uses: [use(1)] })], 2);
    expect(most?.said.uses).toEqual([use(1, query)]);
  });
  it("names the steward that tells it alone", () => {
    const reports = [row(5, "1", { uses: [use(1), use(2)] }), row(5, "1", { uses: [use(1)] }), row(5, "1")];
    expect(mostTold(reports, 2, [1, 2, 3])?.said.uses.map(({ debit, alone }) => [debit, alone])).toEqual([[1, undefined], [2, 1]]);
  });
  it("is as most tell it", () => {
    const wrong = { ...use(1), records: 99 };
    expect(mostTold([row(5, "1", { uses: [wrong] }), row(5, "1", { uses: [use(1)] }), row(5, "1", { uses: [use(1)] })], 2)?.said.uses[0]?.records).toBe(1);
  });
});
