#!/usr/bin/env node
// How soon the main pages are there on a slow machine, as a table for docs/benchmarks.md: the median of several cold loads of each.
//
//   npm run speed -- URL-of-a-cooperative [--rochdale FILE --state DIR] [--runs 5] [--size narrow] [--dist]
//
// With the program and the state of the cooperative a member joins, a researcher connects a wallet, and their own pages are measured; without, as
// whoever is no member and has no wallet sees them.
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { launch, visit } from "./browser.mjs";
import { arrive as comeAsMember, joinWhole } from "./member.mjs";
import { arrive as comeAsResearcher, connect } from "./researcher.mjs";
import { listen } from "./site.mjs";
import { slowed } from "./speed.mjs";

const words = process.argv.slice(2);
const option = (name) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
const gateway = words.find((word) => word.startsWith("http"));
if (!gateway) {
  console.error("name a running cooperative's gateway: npm run speed -- http://127.0.0.1:8400");
  process.exit(2);
}
const [rochdale, state, runs, size] = [option("--rochdale"), option("--state"), Number(option("--runs") ?? 5), option("--size") ?? "narrow"];
const site = await listen(gateway, words.includes("--dist"));
const browser = await launch();
const invite = () => JSON.parse(execFileSync(rochdale, ["registrar", "invite", "--json", "--state", state], { encoding: "utf8" }))[0].code;
const world = { site, browser, gateway, rochdale, state, invite };

/** Whose pages they are: how somebody arrives, and what is measured. */
const PEOPLE = [
  [() => visit(browser, site, { size }), { "/": "Front", "/join": "Join", "/datasets": "Catalogue", "/proposals": "Governance", "/kpis": "Key figures" }],
  [asMember, { "/home": "Member: home", "/money": "Member: money", "/vote": "Member: vote" }],
  [asResearcher, { "/ask": "Researcher: workspace" }],
];

async function asMember() {
  if (!rochdale) return visit(browser, site, { size });
  const visitor = await comeAsMember(world, { size });
  await joinWhole(world, visitor);
  return visitor;
}

async function asResearcher() {
  if (!state) return visit(browser, site, { size });
  const visitor = await comeAsResearcher(world, { size });
  await visitor.open("/desk");
  await connect(visitor);
  return visitor;
}

const median = (values) => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)];
const rows = [];
for (const [comes, pages] of PEOPLE) {
  const visitor = await comes();
  const { figures } = await slowed(visitor.page);
  for (const [path, name] of Object.entries(pages)) {
    const all = [];
    for (let run = 0; run < runs; run += 1) {
      await visitor.open(path);
      await visitor.quiet();
      all.push(await figures());
    }
    const [lcp, cls, tbt] = ["lcp", "cls", "tbt"].map((what) => median(all.map((one) => one[what])));
    rows.push(`| ${name} (\`${path}\`) | ${(lcp / 1000).toFixed(2)} s | ${cls.toFixed(3)} | ${tbt.toFixed(0)} ms |`);
    console.error(rows.at(-1));
  }
  await visitor.close();
}
console.log(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0].model}, CPU throttled 4×, Chromium ${browser.version()}, ${size}, median of ${runs} cold loads:\n`);
console.log(["| page | LCP | CLS | TBT |", "|---|---|---|---|", ...rows].join("\n"));
await browser.close();
site.close();
