#!/usr/bin/env node
// What a call measured in test/gas/ spends where: `node script/gas-parts.mjs <test> <name of the snapshot>`, after
// `FOUNDRY_PROFILE=gas forge build`. FORGE names the binary. Prints the table that docs/gas.md shows.
//
// forge traces each instruction with its price. An account's own gas is that of its frame less those of the frames that it
// called; of it, instructions that are no calls have the price that forge gives, and the rest is what calls themselves cost:
// warming accounts, mostly.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [test, name] = process.argv.slice(2);
const contracts = join(dirname(fileURLToPath(import.meta.url)), "..");

const INTRINSIC = 21_000;
const SLOAD = 0x54;
const SSTORE = 0x55;
const CALLS = new Set([0xf0, 0xf1, 0xf2, 0xf4, 0xf5, 0xfa]);
const ECRECOVER = "0x0000000000000000000000000000000000000001";
const isLog = (op) => op >= 0xa0 && op <= 0xa4;

const traced = () => {
  const folder = mkdtempSync(join(tmpdir(), "gas-parts-"));
  try {
    const file = join(folder, "trace.json");
    const args = ["test", "--json", "-vvvvv", "--match-path", "test/gas/*", "--match-test", `${test}\\(`];
    const env = { ...process.env, FOUNDRY_PROFILE: "gas", FORGE_SNAPSHOT_CHECK: "true" };
    execFileSync(process.env.FORGE ?? "forge", args, { cwd: contracts, env, stdio: ["ignore", openSync(file, "w"), "inherit"] });
    return JSON.parse(readFileSync(file, "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** The frames of the test itself. */
const framesOf = (report) => {
  const results = Object.values(report).flatMap((suite) => Object.values(suite.test_results));
  return results.flatMap((result) => result.traces.filter(([kind]) => kind === "Execution").map(([, trace]) => trace.arena))[0];
};

/** The top-level call before the one that took the snapshot of this name. */
const measured = (frames) => {
  const text = Buffer.from(name).toString("hex");
  const top = frames[0].children.map((i) => frames[i]);
  const snapshot = top.findIndex(({ trace }) => trace.data.includes(text));
  if (snapshot < 1) throw new Error(`${test} takes no snapshot named ${name}`);
  return top[snapshot - 1];
};

/** Contract and function by selector; where several have it, the first by name. */
const functions = () => {
  const known = new Map();
  for (const file of readdirSync(join(contracts, "../abi")).sort()) {
    const contract = file.replace(".json", "");
    const path = join(contracts, "out", `${contract}.sol`, file);
    if (!existsSync(path)) continue;
    for (const [signature, selector] of Object.entries(JSON.parse(readFileSync(path, "utf8")).methodIdentifiers)) {
      const names = known.get(`0x${selector}`) ?? [];
      known.set(`0x${selector}`, [...names, [contract, signature.split("(")[0]]]);
    }
  }
  return known;
};

const label = ({ trace, children }, frames, known) => {
  if (trace.address === ECRECOVER) return "`ecrecover`";
  const found = known.get(trace.data.slice(0, 10)) ?? [];
  const proxied = children.some((i) => frames[i].trace.kind === "DELEGATECALL");
  const direct = trace.kind !== "DELEGATECALL" && !proxied;
  const [contract, called] = (direct ? found.find(([owner]) => owner === "TestUSDC") : undefined) ?? found[0] ?? ["?", trace.data.slice(0, 10)];
  return proxied ? `proxy of ${contract}` : `\`${contract}.${called}\``;
};

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

const own = (frame, frames, known, top) => {
  const { trace, children } = frame;
  const steps = trace.steps.filter(({ op }) => !CALLS.has(op));
  const cost = (wanted) => sum(steps.filter(({ op }) => wanted(op)).map((step) => step.gas_cost));
  const row = { who: label(frame, frames, known), gas: trace.gas_used - sum(children.map((i) => frames[i].trace.gas_used)) };
  row.reads = cost((op) => op === SLOAD);
  row.writes = cost((op) => op === SSTORE);
  row.log = cost(isLog);
  row.code = cost((op) => op !== SLOAD && op !== SSTORE && !isLog(op));
  if (top) row.gas += refundOf(trace);
  row.before = top ? intrinsic(trace.data) : 0;
  row.calls = trace.steps.length === 0 ? 0 : row.gas - row.reads - row.writes - row.log - row.code - row.before;
  if (trace.steps.length === 0) row.code = row.gas;
  return row;
};

/** What the transaction got back for slots that it emptied: a fifth of the gas at most. */
const refundOf = ({ gas_used, steps }) => {
  const counted = steps.at(-1).gas_refund_counter;
  return Math.min(counted, Math.floor((gas_used + counted) / 5));
};

const intrinsic = (data) => INTRINSIC + sum(data.slice(2).match(/../g).map((byte) => (byte === "00" ? 4 : 16)));

const all = (frame, frames, known, top = true) => [
  own(frame, frames, known, top),
  ...frame.children.flatMap((i) => all(frames[i], frames, known, false)),
];

/** One row for each account and function, however often it was called. */
const merged = (rows) => {
  const byName = new Map();
  for (const row of rows) {
    const before = byName.get(row.who);
    if (!before) byName.set(row.who, { ...row, times: 1 });
    else for (const key of Object.keys(row)) if (key !== "who") before[key] += row[key];
    if (before) before.times += 1;
  }
  return [...byName.values()];
};

const grouped = (number) => (number === 0 ? "" : number.toLocaleString("en-US"));
const KEYS = ["gas", "before", "reads", "writes", "calls", "log", "code"];

const frames = framesOf(traced());
const frame = measured(frames);
const rows = merged(all(frame, frames, functions()));
const refund = refundOf(frame.trace);
if (refund !== 0) rows.push({ who: "refund", times: 1, ...Object.fromEntries(KEYS.map((key) => [key, 0])), gas: -refund });
const total = Object.fromEntries(KEYS.map((key) => [key, sum(rows.map((row) => row[key]))]));
console.log(`| ${name} | gas | sent | reads | writes | calls | log | code |\n|---|---|---|---|---|---|---|---|`);
for (const row of [...rows, { who: "all", times: 1, ...total }]) {
  const who = row.times > 1 ? `${row.who} × ${row.times}` : row.who;
  console.log(`| ${[who, ...KEYS.map((key) => grouped(row[key]))].join(" | ")} |`.replaceAll("  |", " |"));
}
