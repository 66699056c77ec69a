// Members decide in a browser: a cooperative of their own is founded, whose thresholds a handful of people reach, and its time is moved by hand.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stewardsOf } from "../scripts/serve.mjs";
import { fits, isAccessible } from "./browser.mjs";
import { addRecord, arrive, BROKEN, button, HALF_A_MINUTE, joinWhole, showOwn } from "./member.mjs";
import { bundle } from "./records.mjs";
import { JARGON } from "./routes.mjs";

const LEARNING = fileURLToPath(new URL("../../docs/samples/learning.toml", import.meta.url));
const PORT = 8950;

export const tests = (world) => {
  if (!world.rochdale) return [];
  return [
    ["who has just joined is told from when there is a vote", () => tooEarly(world)],
    ["rewards are shown with what unlocks them, and collected", () => rewards(world)],
    ["a member asks all others, answers, and changes the answer", () => polls(world)],
  ];
};

/** The cooperative, founded once, with three members by command and one by passkey, who all gave a record. */
async function decided(world) {
  world.deciding ??= await found(world);
  const { url } = world.deciding;
  world.site.be(url);
  return world.deciding;
}

async function found(world) {
  const [url, state] = world.learning ?? [];
  const folder = state ?? mkdtempSync(join(tmpdir(), "rochdale-"));
  const up = state ? undefined : spawn(world.rochdale, ["up", "--config", LEARNING, "--min-cohort", "3", "--state", folder, "--port", String(PORT)], { stdio: ["ignore", "ignore", "inherit"] });
  const place = url ?? `http://127.0.0.1:${PORT}`;
  for (let waits = 0; !(await isUp(place)); waits += 1) {
    assert.ok(waits < 120, "the cooperative does not start");
    await new Promise((go) => setTimeout(go, 500));
  }
  const run = (...given) => execFileSync(world.rochdale, [...given, "--state", folder, "--url", place], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  world.ends.push(() => {
    up?.kill("SIGINT");
    if (!state) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
  });
  const own = { ...world, gateway: place, url: place, run, stewards: await stewardsOf(place), invite: () => JSON.parse(run("registrar", "invite", "--json"))[0].code };
  const record = join(folder, "record.json");
  for (const name of ["ada", "bo", "cy"]) {
    if (state && (await (await fetch(`${place}/v1/cooperative`)).json()).members >= 3) break;
    writeFileSync(record, JSON.stringify(bundle(40, name)));
    run("member", "join", "--name", name);
    run("member", "consent", "--name", name, "--purpose", "hmb", "--yes");
    run("member", "contribute", "--name", name, record);
  }
  return own;
}

const isUp = async (url) => (await fetch(`${url}/v1/health`).then((answer) => answer.ok, () => false)) === true;

const idOf = (page) => page.evaluate(() => JSON.parse(localStorage.getItem("rochdale.known")).member_id);

async function tooEarly(world) {
  const own = await decided(world);
  const visitor = await arrive(own);
  const { page } = visitor;
  await joinWhole(own, visitor);
  await addRecord(own, visitor);
  await page.getByText("Stored, number").waitFor({ timeout: 90_000 });
  world.deciding.member = visitor;
  world.kept = new Set([...(world.kept ?? []), page.context()]);
  await visitor.open("/rewards");
  await showOwn(visitor, page.getByText("Nothing has been worked out for you yet"));
  await see(own, page, "/rewards, nothing yet");
  await visitor.open("/vote");
  await see(own, page, "/vote, too early");
}

/** The member of the first test. */
async function someone(world) {
  const own = await decided(world);
  if (!own.member) await tooEarly(world);
  return own;
}

async function rewards(world) {
  const own = await someone(world);
  const { page } = own.member;
  own.run("epoch", "settle");
  await own.member.open("/rewards");
  await showOwn(own.member, page.locator(".figures"));
  await see(own, page, "/rewards");
  await button(page, "Collect what is ready").click();
  await page.getByText(/You collected \d/).waitFor(HALF_A_MINUTE);
  await see(own, page, "/rewards, collected");
}

async function polls(world) {
  const own = await someone(world);
  const { page } = own.member;
  for (let settled = 0; settled < 4; settled += 1) own.run("epoch", "settle");
  await own.member.open("/vote/ask");
}

async function see(own, page, where) {
  await fits(page, where);
  await isAccessible(page, where);
  const words = await page.evaluate(() => {
    document.querySelectorAll("details").forEach((details) => (details.open = true));
    // What members and programs wrote is theirs.
    const said = [...document.querySelectorAll("[data-said]")].map((element) => [element, element.hidden]);
    said.forEach(([element]) => (element.hidden = true));
    const text = document.body.innerText;
    said.forEach(([element, was]) => (element.hidden = was));
    return text;
  });
  await fits(page, `${where}, unfolded`);
  assert.deepEqual(words.match(JARGON) ?? [], [], `${where}: words that members need not know`);
  await own.shoot(page, `governing-${where.replaceAll(/\W+/g, "-")}`);
}
