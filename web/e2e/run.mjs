#!/usr/bin/env node
// The web app in a real Chromium, built as it is shipped, under the headers of headers.json, against a real gateway.
//
//   npm run e2e -- URL-of-a-cooperative [URL-of-one-without-members [--steward PID] [--chain PID]] [--rochdale FILE --state DIR] [--shots DIR] [--only WORD]
//
// With the program and the state of the first cooperative, members join it: the program makes the invitations and settles periods.
// Every page is looked at with axe. What the second cooperative is for: pages that have nothing to show yet. The process ids are of one of its
// stewards and of its local chain: they are stopped for a while and let go on.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { serverOf, stewardsOf } from "../scripts/serve.mjs";
import { launch } from "./browser.mjs";
import * as check from "./check.mjs";
import * as governing from "./governing.mjs";
import * as keyboard from "./keyboard.mjs";
import * as member from "./member.mjs";
import * as policy from "./policy.mjs";
import * as researcher from "./researcher.mjs";
import * as routes from "./routes.mjs";
import * as states from "./states.mjs";

const words = process.argv.slice(2);
const option = (name) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
const [gateway, fresh] = words.filter((word, at) => word.startsWith("http") && !words[at - 1]?.startsWith("--"));
if (!gateway) {
  console.error("name a running cooperative's gateway: npm run e2e -- http://127.0.0.1:8400");
  process.exit(2);
}

const site = await listen();
const browser = await launch();
const shots = option("--shots");
const [steward, chain] = ["--steward", "--chain"].map(option).map(Number);
const [rochdale, state] = ["--rochdale", "--state"].map(option);
const run = (...given) => execFileSync(rochdale, [...given, "--state", state], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
const world = {
  ...{ site, browser, gateway, fresh, steward, chain, shoot, rochdale, state },
  /** A code that admits one person. */
  invite: () => JSON.parse(run("registrar", "invite", "--json"))[0].code,
  /** The local chain's clock moves on. */
  time: (by) => void run("time", by),
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

// What is looked at has to be there: a proposal, beside the poll.
if (rochdale && state && (await (await fetch(`${gateway}/v1/proposals`)).json()).length === 0) {
  run("gov", "propose", "--name", "m0003", "--why", "500 a week are what we can check", "call", "Membership", "setAdmissionsPerEpoch", "admissionsPerEpoch=500");
}

const tests = Object.entries({ policy, routes, states, keyboard, check, researcher, member, governing }).flatMap(([file, { tests }]) =>
  tests(world).map(([name, run]) => [`${file}: ${name}`, run]),
);
for (const [name, run] of tests.filter(([name]) => name.includes(option("--only") ?? ""))) {
  const begun = Date.now();
  site.be(gateway);
  const error = await run().then(() => undefined, (thrown) => thrown);
  console.log(`${error ? "FAILED" : "ok    "} ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  if (!error) continue;
  console.error(String(error.message ?? error).slice(0, 600));
  failures.push([name, `${error.message ?? error}\n${await shown()}`]);
}
if (!steward || !chain) console.log("NOT LOOKED AT: a cooperative whose steward or chain does not answer; name their process ids with --steward and --chain");
if (!rochdale || !state) console.log("NOT LOOKED AT: what members do; name the program and the state of the first cooperative with --rochdale and --state");
if (!fresh) console.log("NOT LOOKED AT: pages with nothing to show; name a cooperative without members as the second URL");

for (const [name, error] of failures) console.error(`\n${name}\n${error}`);
await browser.close();
site.close();
for (const end of world.ends) await end();
process.exit(failures.length ? 1 : 0);

/** The site on a port of its own. Whose gateway it shows may change under it: another's, none, or one that keeps it waiting. */
async function listen() {
  let shown = gateway;
  let held = [];
  let isHolding = false;
  const server = serverOf(() => shown);
  const [serve] = server.listeners("request");
  server.removeAllListeners("request");
  server.on("request", (asked, answer) => {
    const go = () => serve(asked, answer);
    if (isHolding && asked.url.startsWith("/v1/")) held.push(go);
    else go();
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    /** Whom a member's pages ask beside it. */
    stewards: await stewardsOf(gateway),
    // Not by its number: passkeys and secure contexts are for names.
    url: `http://localhost:${server.address().port}`,
    be: (other) => (shown = other),
    // A port that nobody listens on: the connection breaks, as with a gateway that was stopped.
    away: () => (shown = "http://127.0.0.1:9"),
    hold: () => (isHolding = true),
    release: () => {
      isHolding = false;
      held.splice(0).forEach((go) => go());
    },
    close: () => server.close(),
  };
}

/** What the pages say that a test left open when it failed; they are closed then. */
async function shown() {
  const contexts = browser.contexts().filter((context) => !world.kept?.has(context));
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
