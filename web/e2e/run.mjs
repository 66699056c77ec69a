#!/usr/bin/env node
// The web app in a real Chromium, built as it is shipped, from a real gateway.
//
//   npm run e2e -- URL-of-a-cooperative [URL-of-one-without-members [--steward PID] [--chain PID]] [--rochdale FILE --state DIR] [--shots DIR] [--only WORD] [--dist] [--pictures ../docs/images]
//
// The gateways have to show the app: what is tested is what they serve. They read it when they start; `--dist` tests what was built since.
//
// With the program and the state of the first cooperative, members join it: the program makes the invitations and settles periods.
// Every page is looked at with axe. What the second cooperative is for: pages that have nothing to show yet. The process ids are of one of its
// stewards and of its local chain: they are stopped for a while and let go on.
import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { drawn, launch, SIZES } from "./browser.mjs";
import * as check from "./check.mjs";
import { cpu } from "./cpu.mjs";
import * as governing from "./governing.mjs";
import * as keyboard from "./keyboard.mjs";
import * as member from "./member.mjs";
import * as policy from "./policy.mjs";
import * as researcher from "./researcher.mjs";
import * as routes from "./routes.mjs";
import { listen } from "./site.mjs";
import * as states from "./states.mjs";

const GROUPS = { policy, routes, states, keyboard, check, researcher, member, governing };
/** What goes side by side, the longest first. Who acts in the same cooperative and moves its time goes one after the other. */
const UNITS = [["researcher", "member"], ["routes"], ["governing"], ["states"], ["policy", "keyboard", "check"]];
const LANES = 2;

const words = process.argv.slice(2);
const option = (name) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
const [gateway, fresh] = words.filter((word, at) => word.startsWith("http") && !words[at - 1]?.startsWith("--"));
if (!gateway) {
  console.error("name a running cooperative's gateway: npm run e2e -- http://127.0.0.1:8400");
  process.exit(2);
}
const [shots, pictures] = ["--shots", "--pictures"].map(option);
const [steward, chain] = ["--steward", "--chain"].map(option).map(Number);
const [rochdale, state] = ["--rochdale", "--state"].map(option);
const run = (...given) => execFileSync(rochdale, [...given, "--state", state], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
const some = option("--groups")?.split(",");

process.exit(some ? await tested(some) : await all());

/** Researchers' tests buy for 50 people and ask these. What is published is blurred, anew with each period: where it came out larger, another one is settled. */
async function fewPublished() {
  const newest = async () => {
    const { sizes } = await (await fetch(`${gateway}/v1/sizes`)).json();
    const own = sizes.filter(({ dataset, purpose }) => dataset === 1 && purpose === 6);
    return own.sort((one, other) => other.epoch - one.epoch)[0] ?? { members: 50, epoch: 0 };
  };
  for (let [told, tries] = [await newest(), 0]; told.members > 50 && tries < 6; tries += 1) {
    run("epoch", "settle");
    // The gateway keeps what it was told for half a minute.
    const before = told.epoch;
    for (const end = Date.now() + 60_000; told.epoch === before && Date.now() < end; told = await newest()) await new Promise((go) => setTimeout(go, 2_000));
  }
}

/** Everything, in lanes of a process each. */
async function all() {
  const begun = Date.now();
  // What is looked at has to be there: a proposal, beside the poll.
  if (rochdale && state && (await (await fetch(`${gateway}/v1/proposals`)).json()).length === 0) {
    run("gov", "propose", "--name", "m0003", "--why", "500 a week are what we can check", "call", "Membership", "setAdmissionsPerEpoch", "admissionsPerEpoch=500");
  }
  if (rochdale && state) await fewPublished();
  // Few tests need no lanes.
  const waiting = option("--only") ? [Object.keys(GROUPS)] : [...UNITS];
  const failed = [];
  const lane = async () => {
    for (let unit = waiting.shift(); unit; unit = waiting.shift()) if ((await another(unit)) !== 0) failed.push(...unit);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  if (!steward || !chain) console.log("NOT LOOKED AT: a cooperative whose steward or chain does not answer; name their process ids with --steward and --chain");
  if (!rochdale || !state) console.log("NOT LOOKED AT: what members do; name the program and the state of the first cooperative with --rochdale and --state");
  if (!fresh) console.log("NOT LOOKED AT: pages with nothing to show; name a cooperative without members as the second URL");
  console.log(`${failed.length ? `FAILED in ${failed.join(", ")}` : "ok"} after ${((Date.now() - begun) / 1000).toFixed(0)} s`);
  return failed.length ? 1 : 0;
}

function another(unit) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...words, "--groups", unit.join(",")], { stdio: "inherit" });
  const end = () => child.kill("SIGTERM");
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end);
  return new Promise((ended) => child.once("exit", (code) => ended(code ?? 1)));
}

/** These groups of tests, one after the other; gives what the process ends with. */
async function tested(groups) {
  const site = await listen(gateway, words.includes("--dist"));
  const browser = await launch();
  const world = {
    ...{ site, browser, gateway, fresh, steward, chain, shoot, picture, rochdale, state },
    /** A code that admits one person. */
    invite: () => JSON.parse(run("registrar", "invite", "--json"))[0].code,
    /** The running period ends, and its shares are final. */
    settle: () => void run("epoch", "settle"),
    later: (span) => void run("time", span),
    /** A cooperative to decide in that runs already: its URL and state. The tests found one where none is named. */
    learning: words.includes("--learning") ? [option("--learning"), option("--learning-state")] : undefined,
    /** What tests started. */
    ends: [],
  };
  // Who is told to end ends what it started, too.
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  const failures = [];
  for (const group of groups) failures.push(...(await groupOf(world, group)));
  for (const [name, error] of failures) console.error(`\n${name}\n${error}`);
  await browser.close();
  site.close();
  for (const end of world.ends) await end();
  return failures.length ? 1 : 0;
}

/** What of a group failed, and why. */
async function groupOf(world, group) {
  const tests = GROUPS[group].tests(world).map(([name, test]) => [`${group}: ${name}`, test]).filter(([name]) => name.includes(option("--only") ?? ""));
  const [begun, computed] = [Date.now(), cpu()];
  const failures = [];
  for (const [name, test] of tests) {
    const started = Date.now();
    world.site.be(gateway);
    const error = await test().then(() => undefined, (thrown) => thrown);
    console.log(`${error ? "FAILED" : "ok    "} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    if (!error) continue;
    console.error(String(error.message ?? error).slice(0, 600));
    failures.push([name, `${error.message ?? error}\n${await shown(world)}`]);
  }
  const used = computed === undefined ? "" : `, ${(cpu() - computed).toFixed(0)} s of CPU`;
  if (tests.length) console.log(`------ ${group}: ${tests.length} in ${((Date.now() - begun) / 1000).toFixed(0)} s${used}`);
  return failures;
}

/** What the pages say that a test left open when it failed; they are closed then. */
async function shown({ browser, kept }) {
  const contexts = browser.contexts().filter((context) => !kept?.has(context));
  const texts = contexts.flatMap((context) => context.pages()).map(async (page) => {
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
    return `-- ${page.url()}\n${await page.locator("main").innerText({ timeout: 2_000 }).catch(String)}`;
  });
  const all = (await Promise.all(texts)).join("\n");
  await Promise.all(contexts.map((context) => context.close()));
  return all;
}

async function shoot(page, name) {
  if (shots) writeFileSync(join(shots, `${name}.png`), await page.screenshot({ fullPage: true }));
}

/** A picture for the documents, where they are asked for: the page as it is on a phone or a small laptop, from its top or from what `at` names. */
async function picture(page, name, { size = "wide", theme = "light", height = 1_000, at = "body" } = {}) {
  if (!pictures) return;
  const before = page.viewportSize();
  await page.setViewportSize({ width: size === "wide" ? 960 : SIZES.narrow.width, height });
  await page.emulateMedia({ colorScheme: theme });
  await page.locator(at).first().evaluate((element) => element.scrollIntoView());
  await drawn(page);
  writeFileSync(join(pictures, `${name}.jpg`), await page.screenshot({ type: "jpeg", quality: 80 }));
  await page.setViewportSize(before);
}
