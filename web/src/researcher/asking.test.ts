import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashTypedData } from "viem";
import * as v from "valibot";
import { describe, expect, it, vi } from "vitest";
// As a gateway of a demo said it.
import COOPERATIVE from "../chain/cooperative.fixture.json";
import type { Contracts, Desk } from "../chain/desk";
import { Site } from "../chain/site";
import type { Order } from "../chain/store";
import { type Answered, draw, expected, isHere, isPending, isTheWorkers, type Query, readQuery } from "./asking";
import { csv, decimal, read, readings } from "./figures";
import { formOf, milliOf, NEW, textOf, unitOf } from "./form";
import { python, r, shell } from "./snippets";

vi.mock("../member/core/asking", () => import("../member/core/rules.fixture"));

const SITE = v.parse(Site, COOPERATIVE);
const MEAN = '{"version":1,"dataset":1,"cohort":{"sex":"female","age":{"from":40,"to":69}},"ask":{"kind":"mean","of":{"observation":{"system":"http://loinc.org","code":"8480-6"}},"rows":4,"lower":80000,"upper":200000},"rho":50000000}';

describe("a question as a form and as JSON", () => {
  it("is the same question both ways", async () => {
    const { query, digest } = await readQuery(MEAN);
    const form = formOf(query, NEW);
    expect(form).toMatchObject({ kind: "mean", of: "http://loinc.org|8480-6", rows: "4", lower: "80", upper: "200", sex: "female", from: "40", to: "69", rho: "0.05" });
    expect((await readQuery(textOf(form, 1))).digest).toBe(digest);
  });
  it("of any kind", async () => {
    for (const part of [{}, { kind: "histogram" as const }, { kind: "mean" as const, lower: "-0.5", upper: "1,25" }, { sex: "other" as const, from: "18", condition: "http://snomed.info/sct|44054006" }]) {
      const form = { ...NEW, ...part };
      const { query, digest } = await readQuery(textOf(form, 2));
      expect((await readQuery(textOf(formOf(query, NEW), 2))).digest).toBe(digest);
    }
  });
  it("that is none is refused with the field at fault", async () => {
    await expect(readQuery(textOf({ ...NEW, rho: "2" }, 1))).rejects.toThrow("rho");
    await expect(readQuery(textOf({ ...NEW, kind: "mean", rows: "17" }, 1))).rejects.toThrow("ask.rows: 17");
    await expect(readQuery(textOf({ ...NEW, kind: "mean", lower: "many" }, 1))).rejects.toThrow("not a query");
    await expect(readQuery(textOf({ ...NEW, condition: "44054006" }, 1))).rejects.toThrow("cohort.condition");
    await expect(readQuery("SELECT 1")).rejects.toThrow("not a query");
  });
  it("keeps thousandths exactly", () => {
    expect(["80", "80.5", "0,125", "-1.5", "0"].map(milliOf)).toEqual([80_000, 80_500, 125, -1_500, 0]);
    expect([80_000, 80_500, 125, -1_500, 0].map(unitOf)).toEqual(["80", "80.5", "0.125", "-1.5", "0"]);
  });
});

it("weighs a question by the rules that noise its answer", async () => {
  const { query } = await readQuery('{"version":1,"dataset":1,"ask":{"kind":"count"},"rho":16000000}');
  expect(await expected(query, 1_000)).toEqual({ figures: [{ what: "members", scale: 1, sigma_milli: 5_774 }], gate_sigma_milli: 5_774, answered_from: 20, useful_from: 114 });
});

it("has the wallet sign what the order is named by", async () => {
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify(COOPERATIVE)));
  const { query } = await readQuery(MEAN);
  const { order, typed_data, request } = await draw(SITE, 3, 6, query);
  const { EIP712Domain: _, ...types } = typed_data.types;
  expect(hashTypedData({ domain: typed_data.domain, types, primaryType: typed_data.primaryType, message: typed_data.message } as never)).toBe(order);
  expect(request.order).toMatchObject({ license_id: 3, purpose: 6, rho: 50_000_000, deadline: 1_800_086_400, cut: COOPERATIVE.finalized.hash });
  const market = `0x${"9".repeat(40)}`;
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ ...COOPERATIVE, manifest: { ...COOPERATIVE.manifest, addresses: { ...COOPERATIVE.manifest.addresses, market } } })));
  await expect(draw(SITE, 3, 6, query)).rejects.toMatchObject({ code: "other_cooperative" });
  vi.unstubAllGlobals();
});

describe("an order", () => {
  const order = (part: Partial<Order>): Order => ({ order: "0x01", chain: SITE.chain_id, committee: SITE.manifest.addresses.steward_committee, account: `0x${"1".repeat(40)}`, license: 1, key: "0x02", digest: "0x03", deadline: 100, at: 0, query: {}, request: {}, ...part });
  it("that somebody refused may still be charged until it is over", () => {
    expect(isPending(order({ refused: "no" }), 100)).toBe(true);
    expect(isPending(order({ refused: "no" }), 101)).toBe(false);
    expect(isPending(order({ answer: {} }), 50)).toBe(false);
  });
  it("is of one cooperative", () => {
    expect(isHere(order({}), SITE)).toBe(true);
    expect(isHere(order({ committee: `0x${"8".repeat(40)}` }), SITE)).toBe(false);
    expect(isHere(order({ chain: 1 }), SITE)).toBe(false);
  });
});

describe("an answer", () => {
  const answered = { debit: { order: "0x0a", license_id: 1 }, result_digest: "0xAB", worker: "0x1" } as unknown as Answered;
  const told = (receipt: unknown) => ({ receiptOf: async () => receipt }) as unknown as Contracts;
  const desk = {} as Desk;
  it("is the worker's where the chain has the receipt of just this one", async () => {
    expect(await isTheWorkers(desk, told({ digest: "0xab", worker: "0x1" }), answered)).toBe(true);
    expect(await isTheWorkers(desk, told({ digest: "0xac", worker: "0x1" }), answered)).toBe(false);
    expect(await isTheWorkers(desk, told({ digest: "0xab", worker: "0x2" }), answered)).toBe(false);
    expect(await isTheWorkers(desk, told(undefined), answered)).toBe(false);
  });
});

describe("figures", () => {
  it("are read as `rochdale` reads them", () => {
    // The demo's mean: 116.364 mm[Hg], standard error 8.101, 95% interval 100.486 to 132.242.
    expect(read({ value: 116_364, scale: 1_000, sigma_milli: 8_100_500 }, { of: "mean" })).toMatchObject({ value: "116.364", error: "8.1005", low: "100.487", high: "132.241" });
    expect(read({ value: 24, scale: 1, sigma_milli: 2_310 }, { of: "members" })).toMatchObject({ value: "24", error: "2.31", low: "19", high: "29" });
    expect(read({ value: 2, scale: 1, sigma_milli: 2_469 }, { of: "members" })).toMatchObject({ low: "-3", high: "7" });
    expect(decimal(-5n, 1_000)).toBe("-0.005");
  });
  it("say what each is of", async () => {
    const query = (await readQuery(textOf({ ...NEW, kind: "histogram", edges: "0, 18, 65, 150" }, 1))).query;
    const figure = { value: 1, scale: 1, sigma_milli: 1 };
    expect(readings(query, [figure, figure, figure]).map(({ what }) => what)).toEqual([
      { of: "bin", from: undefined, below: "18" },
      { of: "bin", from: "18", below: "65" },
      { of: "bin", from: "65", below: undefined },
    ]);
  });
  it("are no formulas in a spreadsheet", () => {
    expect(csv([["=1+1", 'a "b", c', "-3", "-x"]])).toBe(`'=1+1,"a ""b"", c",-3,'-x\r\n`);
  });
});

it("gives the same question to programs", async () => {
  const asked = { json: JSON.stringify(JSON.parse(MEAN) as Query, null, 2), license: 3, purpose: 6, site: "http://localhost:8400" };
  for (const text of [shell(asked), python(asked), r(asked)]) expect(text).toMatch(/researcher.*query.*--license.*3.*--purpose.*hmb/);
});

it("runs nothing of what a question says", () => {
  const hostile = [`'''); import os; os.system("touch pwned") #`, `'); system("touch pwned") #`, "JSON\ntouch pwned", `'; touch pwned; '`, `"$(touch pwned)"`, "`touch pwned`", "é\u2028\\"];
  const folder = mkdtempSync(join(tmpdir(), "snippets-"));
  // In the place of the program, one that answers with no figures.
  writeFileSync(join(folder, "rochdale"), `#!/bin/sh\necho '{"figures":[]}'\n`, { mode: 0o755 });
  const environment = { cwd: folder, env: { ...process.env, PATH: `${folder}:${process.env["PATH"]}` } };
  for (const code of hostile) {
    const query = { version: 1, dataset: 1, cohort: { condition: { system: "http://x", code } }, ask: { kind: "count" }, rho: 1_000 };
    const asked = { json: JSON.stringify(query, null, 2), license: 3, purpose: 6, site: "http://localhost:8400" };
    for (const [program, text] of [["bash", shell(asked)], ["python3", python(asked)]] as const) {
      execFileSync(program, ["-c", text], environment);
      expect(JSON.parse(readFileSync(join(folder, "query.json"), "utf8")), `${program}: ${code}`).toEqual(query);
    }
    // R is not there to run it: its text is one literal, which ends where it has to.
    expect(r(asked)).toMatch(/^writeLines\("(?:[^"\\\n]|\\.)*", "query.json"\)$/m);
  }
  expect(existsSync(join(folder, "pwned"))).toBe(false);
  // Fourteen programs start, each of which takes its time on a busy machine.
}, 60_000);
