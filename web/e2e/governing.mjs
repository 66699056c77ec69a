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
  const { member } = own;
  const { page, device } = member;
  for (let settled = 0; settled < 4; settled += 1) own.run("epoch", "settle");
  await member.open("/vote/ask");
  await button(page, "Ask, with your passkey").click();
  await page.getByText("Type a question.").waitFor();
  await page.getByText("Give at least two answers").waitFor();
  await see(own, page, "/vote/ask, empty");
  await page.getByLabel("Your question").fill("Join study 12?");
  await page.getByLabel("Answer 1").fill("yes");
  await page.reload();
  assert.equal(await page.getByLabel("Answer 1").inputValue(), "yes", "what was typed survives a reload");
  await page.getByLabel("Answer 2").fill("no");
  let prompts = device.prompts();
  await button(page, "Ask, with your passkey").click();
  await page.getByText("Your question is open").waitFor(HALF_A_MINUTE);
  assert.equal(device.prompts() - prompts, 1, "asked once");
  await page.getByRole("link", { name: "See it, and answer it yourself" }).click();
  await page.getByRole("heading", { level: 1, name: "Join study 12?" }).waitFor();
  const poll = new URL(page.url()).pathname.split("/").at(-1);
  await see(own, page, "/vote/polls, open");

  const answer = async (choice) => {
    await page.getByLabel(choice, { exact: true }).check();
    await button(page, "Answer, with your passkey").click();
  };
  const credentials = await device.credentials();
  await device.lose();
  await answer("yes");
  await page.getByText("Your device did not confirm").waitFor(HALF_A_MINUTE);
  assert.match(await page.getByRole("alert").innerText(), /Your answer is as it was before/);
  assert.equal((await ballotsOf(own, poll)).length, 0);
  await device.take(credentials);
  prompts = device.prompts();
  await answer("yes");
  await page.getByText("Your answer is kept").waitFor(HALF_A_MINUTE);
  assert.equal(device.prompts() - prompts, 1, "asked once");
  // Another tab answers, too: the later one counts, and this tab's next is the latest.
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.getByText("You answered: yes").waitFor(HALF_A_MINUTE);
  await answer("no");
  await page.getByText("You answered: no").waitFor(HALF_A_MINUTE);
  await other.close();
  await see(own, page, "/vote/polls, answered");
  const id = await idOf(page);
  assert.deepEqual((await ballotsOf(own, poll)).map(({ ballot }) => [ballot.member, ballot.choice, ballot.sequence]), [[id, 1, 1]]);
  own.run("gov", "poll", "vote", "--name", "ada", "--poll", poll, "--choice", "yes");
  const tally = JSON.parse(own.run("gov", "tally", "--poll", poll, "--json"));
  assert.deepEqual([tally.results, tally.refused], [[{ option: "yes", votes: 1 }, { option: "no", votes: 1 }], []], "the chain agrees with both");
}

const ballotsOf = async ({ url }, poll) => (await (await fetch(`${url}/v1/polls/${poll}/ballots`)).json()).ballots;

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
