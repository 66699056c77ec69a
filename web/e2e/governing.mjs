// Members decide in a browser: a cooperative of their own is founded, whose thresholds a handful of people reach, and its time is moved by hand.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { concat, keccak256, toHex } from "viem";
import { stewardsOf } from "../scripts/serve.mjs";
import { constituted, stopped, upgrade } from "./charter.mjs";
import { fits, isAccessible, SIZES } from "./browser.mjs";
import { labelOf, press, tabTo } from "./keyboard.mjs";
import { killedWhileUploading, stopsWithoutServer } from "./killed.mjs";
import { addRecord, arrive, BROKEN, button, HALF_A_MINUTE, joinWhole, NARROW, showOwn } from "./member.mjs";
import { bundle } from "./records.mjs";
import { JARGON, textOf } from "./routes.mjs";

const LEARNING = fileURLToPath(new URL("../../docs/samples/learning.toml", import.meta.url));
/** Gateways' ports that are tried; the other processes listen on ports after it. */
const PORTS = [8950, 10350, 11350];
const AFTER = [0, 11, 12, 13, 21, 31, 50, 61, 62, 63, 71, 81];

export const tests = (world) => {
  if (!world.rochdale) return [];
  return [
    ["who has just joined is told from when there is a vote", () => tooEarly(world)],
    ["rewards are shown with what unlocks them, and collected", () => rewards(world)],
    ["a member asks all others, answers, and changes the answer", () => polls(world)],
    ["a proposal of both houses is voted on with one prompt, and the chain counts it", () => bothHouses(world)],
    ["the charter says what is missing, what is stopped, and which program would take which's place", () => charter(world)],
    ["what is decided is in force, and says so", () => inForce(world)],
    ["a service is ordered for DATA with one prompt, and not where there is too little", () => services(world)],
    ["votes are given to another member and taken back; points are set aside", () => weight(world)],
    ["who joined after voting began is told why not", () => tooLate(world)],
    ["the gateway is killed in the middle of an upload, and no part is sent twice", async () => killedWhileUploading(await decided(world))],
    ["stops sharing while the gateway's process stands still", async () => stopsWithoutServer(await decided(world))],
    ...LOOKS.map((look) => [`every page, ${Object.values(look).join(", ")}`, () => looks(world, look)]),
  ];
};

// Each size, theme and language once, as with members' other pages.
const LOOKS = [
  { size: "narrow", theme: "dark", language: "de" },
  { size: "wide", theme: "light", language: "en" },
];

/** The cooperative, founded once, with three members by command and one by passkey, who all gave a record. */
async function decided(world) {
  world.founding ??= found(world);
  world.deciding ??= await world.founding;
  const { url } = world.deciding;
  world.site.be(url);
  return world.deciding;
}

async function found(world) {
  const [url, state] = world.learning ?? [];
  const port = state ? 0 : await freePort();
  const folder = state ?? mkdtempSync(join(tmpdir(), "rochdale-"));
  const up = state ? undefined : spawn(world.rochdale, ["up", "--config", LEARNING, "--min-cohort", "3", "--state", folder, "--port", String(port)], { stdio: ["ignore", "ignore", "inherit"] });
  const place = url ?? `http://127.0.0.1:${port}`;
  for (let waits = 0; !(await isUp(place)); waits += 1) {
    assert.ok(waits < 120 && (up?.exitCode ?? null) === null, "the cooperative does not start");
    await new Promise((go) => setTimeout(go, 500));
  }
  const run = (...given) => execFileSync(world.rochdale, [...given, "--state", folder, "--url", place], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const stop = () => up?.kill("SIGTERM");
  process.once("exit", stop);
  world.ends.push(async () => {
    if (!up) return;
    const ended = new Promise((go) => up.once("exit", go));
    stop();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  const own = { ...world, state: folder, chained: undefined, gateway: place, url: place, run, stewards: await stewardsOf(place), invite: () => JSON.parse(run("registrar", "invite", "--json"))[0].code };
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

async function freePort() {
  for (const port of PORTS) {
    const free = await Promise.all(AFTER.map((more) => isFree(port + more)));
    if (free.every(Boolean)) return port;
  }
  return assert.fail("no ports are free for a cooperative to decide in");
}

const isFree = (port) =>
  new Promise((go) => {
    const server = createServer();
    server.once("error", () => go(false));
    server.listen(port, "127.0.0.1", () => server.close(() => go(true)));
  });

const isUp = async (url) => (await fetch(`${url}/v1/health`).then((answer) => answer.ok, () => false)) === true;

const idOf = (page) => page.evaluate(() => JSON.parse(localStorage.getItem("rochdale.known")).member_id);

async function tooEarly(world) {
  const own = await decided(world);
  const visitor = await arrive(own, NARROW);
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
  await press(page, "Collect what is ready");
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
  await page.getByRole("heading", { level: 2, name: "Join study 12?" }).waitFor();
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
  await press(page, "yes", "Space");
  await press(page, "Answer, with your passkey");
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

const LIST = ["call", "GovToken", "setListed", `account=0x${"5".repeat(40)}`, "on=true"];
const VOTE = "Vote, with your passkey";

async function bothHouses(world) {
  const own = await someone(world);
  const { member } = own;
  const { page, device } = member;
  own.run("member", "claim", "--all");
  await constituted(roomOf(own));
  const made = JSON.parse(own.run("gov", "propose", "--name", "ada", "--json", "--why", "Let the fund hold points\n\nIt would vote for patients who cannot.", ...LIST));
  const proposal = (own.proposal = made.proposals[0].proposal);
  const path = `/vote/${proposal}`;
  await member.open(path);
  await page.getByText("Voting begins on").first().waitFor(HALF_A_MINUTE);
  await see(own, page, "/vote/proposal, pending");
  own.run("time", "+2h");
  await member.open("/home");
  await page.getByText("1 decision waits for your vote.").waitFor(HALF_A_MINUTE);
  await member.open("/vote");
  await page.getByText("You can vote", { exact: true }).waitFor(HALF_A_MINUTE);
  await see(own, page, "/vote, something open");
  await page.getByRole("link", { name: "Let the fund hold points" }).first().click();
  await page.getByRole("heading", { level: 2, name: "Let the fund hold points" }).waitFor();
  await tabTo(page, await labelOf(page, /^For/));
  await page.keyboard.press("Space");
  await own.picture(page, "web-vote", { height: 1_100 });
  await see(own, page, "/vote/proposal, open");
  assert.match(await page.locator(".words").innerText(), /House of contributors: For, with 0\.\d+ votes[\s\S]*House of members: For, with 1 vote/);

  // What the device does not confirm, or the server does not hear, is no vote.
  const credentials = await device.credentials();
  await device.lose();
  await button(page, VOTE).click();
  await page.getByText("Your device did not confirm").waitFor(HALF_A_MINUTE);
  assert.match(await page.getByRole("alert").innerText(), /You have not voted yet/);
  await isAccessible(page, "a vote that was not confirmed");
  await device.take(credentials);
  world.site.away();
  await button(page, VOTE).click();
  await page.getByText("We cannot reach the cooperative").first().waitFor(HALF_A_MINUTE);
  world.site.be(own.url);
  const id = await idOf(page);
  assert.deepEqual((await votesOf(own, id)).ballots, [], "nothing was voted");
  await page.reload();
  await page.getByLabel(/^For/).check();

  // Another tab that is late is told what counts.
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.getByLabel(/^Against/).check();
  const prompts = device.prompts();
  await press(page, VOTE);
  await page.getByText("Your vote is counted").waitFor({ timeout: 90_000 });
  assert.equal(device.prompts() - prompts, 1, "one prompt for both houses");
  await see(own, page, "/vote/proposal, voted");
  const { ballots } = await votesOf(own, id);
  assert.deepEqual(ballots.map(({ house, support }) => [house, support]).sort(), [["member", "for"], ["token", "for"]]);
  await other.getByText("Your vote is counted").waitFor({ timeout: 60_000 });
  assert.equal(await other.getByText(/^For, with/).count(), 2, "what the chain has, not what this tab chose");
  await other.close();
  const shown = JSON.parse(own.run("gov", "show", "--proposal", proposal, "--json"));
  assert.deepEqual(shown.map(({ house, votes_for }) => [house, Number(votes_for) > 0]).sort(), [["member", true], ["token", true]]);
  await member.open("/vote");
  await page.getByText("You voted", { exact: true }).waitFor(HALF_A_MINUTE);
  await see(own, page, "/vote, voted");
  member.isClean(BROKEN, own.stewards);
}

/** As tests of the rules want it: the member's page, and a look. */
const roomOf = (own) => ({ own, page: own.member.page, open: own.member.open, see: (where) => see(own, own.member.page, where, !where.startsWith("/operations")) });

async function charter(world) {
  const room = roomOf(await decidedOn(world));
  await stopped(room);
  await upgrade(room);
}

const votesOf = async ({ url }, id) => (await fetch(`${url}/v1/members/${id}/votes`)).json();

/** Whoever may vote. */
async function decidedOn(world) {
  const own = await someone(world);
  if (!own.proposal) await bothHouses(world);
  return own;
}

async function inForce(world) {
  const own = await decidedOn(world);
  const { proposal, member } = own;
  const { page } = member;
  for (const name of ["ada", "bo"]) own.run("gov", "vote", "--name", name, "--proposal", proposal, "--support", "for");
  await member.open(`/proposals/${proposal}`);
  await page.getByText("Enough have voted").first().waitFor(HALF_A_MINUTE);
  await see(own, page, "/proposals, open");
  own.run("time", "+1d");
  own.run("gov", "queue", "--proposal", proposal);
  await member.open(`/proposals/${proposal}`);
  await page.getByText("accepted, waits").first().waitFor(HALF_A_MINUTE);
  own.run("time", "+2h");
  // One house's yes changes nothing by itself.
  own.run("gov", "execute", "--proposal", proposal, "--house", "member");
  await member.open(`/proposals/${proposal}`);
  await page.getByText("House of members: agreed by this house", { exact: true }).waitFor(HALF_A_MINUTE);
  await page.getByText(/It waits for the other house until/).waitFor(HALF_A_MINUTE);
  assert.equal(await page.getByText(/in force/).count(), 0, "it is not in force");
  await see(own, page, "/proposals, one house has agreed");
  await member.open("/proposals");
  await page.getByText(/agreed by this house, waits for the other house until/).waitFor(HALF_A_MINUTE);
  own.run("gov", "execute", "--proposal", proposal);
  await member.open(`/proposals/${proposal}`);
  await page.getByText("House of members: in force", { exact: true }).waitFor(HALF_A_MINUTE);
  await see(own, page, "/proposals, executed");
  await member.open(`/vote/${proposal}`);
  await page.getByText("Your vote is counted").waitFor(HALF_A_MINUTE);
  await member.open("/delegates");
  await page.getByRole("cell", { name: "100%" }).or(page.getByRole("cell", { name: /^\d+(\.\d)?%$/ })).first().waitFor(HALF_A_MINUTE);
  await see(own, page, "/delegates");
}

/** The token house offers two: one that a first record pays for, and one that it does not. */
async function offered(own) {
  const has = BigInt((await rewardsOf(own)).data_of_account);
  assert.ok(has > 10n ** 16n, `${has} is enough to spend`);
  for (const [id, price] of [
    [7, "0.01"],
    [8, "100000"],
  ]) {
    const made = JSON.parse(own.run("gov", "propose", "--name", "ada", "--json", "--why", `A report against the cohort, number ${id}`, "service", "--id", String(id), "--price", price));
    const [{ proposal }] = made.proposals;
    own.run("time", "+2h");
    for (const name of ["ada", "bo", "cy"]) own.run("gov", "vote", "--name", name, "--proposal", proposal, "--support", "for");
    own.run("time", "+1d");
    own.run("gov", "queue", "--proposal", proposal);
    own.run("time", "+2h");
    own.run("gov", "execute", "--proposal", proposal);
  }
}

const rewardsOf = async ({ url, member }) => (await fetch(`${url}/v1/members/${await idOf(member.page)}/rewards`)).json();

async function services(world) {
  const own = await decidedOn(world);
  const { member } = own;
  const { page, device } = member;
  await offered(own);
  const before = BigInt((await rewardsOf(own)).data_of_account);
  await member.open("/rewards");
  await page.getByLabel("Service number 8, for 100,000 DATA").check();
  await page.getByText(/You need [\d,.]+ DATA more at your own account for it/).waitFor(HALF_A_MINUTE);
  assert.equal(await button(page, ORDER).count(), 0);
  await see(own, page, "/rewards, too little for a service");
  await page.getByLabel("Service number 7, for 0.01 DATA").check();
  await button(page, ORDER).click();
  await page.getByText("Say what you ask for").waitFor();
  const request = "My blood pressure beside that of others";
  await page.getByLabel("What you ask for").fill(request);
  assert.match(await page.locator(".words").last().innerText(), /may take exactly 0\.01 DATA[\s\S]*I order service number 7[\s\S]*My blood pressure/);
  await see(own, page, "/rewards, about to order");
  // What the device does not confirm, or the server does not take, costs nothing.
  const credentials = await device.credentials();
  await device.lose();
  await button(page, ORDER).click();
  await page.getByText("Your device did not confirm").waitFor(HALF_A_MINUTE);
  assert.match(await page.getByRole("alert").innerText(), /Nothing was ordered/);
  await device.take(credentials);
  assert.equal(BigInt((await rewardsOf(own)).data_of_account), before);
  const prompts = device.prompts();
  await button(page, ORDER).click();
  await page.getByText("Service number 7 is ordered").waitFor({ timeout: 90_000 });
  assert.equal(device.prompts() - prompts, 1, "one prompt for the allowance and the order");
  await see(own, page, "/rewards, ordered");
  assert.equal(before - BigInt((await rewardsOf(own)).data_of_account), 10n ** 16n, "the price is gone, and no more");
  const [saved] = await Promise.all([page.waitForEvent("download"), button(page, "Save the receipt of service 7").click()]);
  const receipt = JSON.parse(readFileSync(await saved.path(), "utf8"));
  assert.equal(receipt.request, request);
  // Everybody sees on the chain that it was ordered, and who has the receipt sees that it is this one.
  const [log] = await ordersOf(own);
  assert.equal(log.data.slice(0, 66), keccak256(concat([receipt.blinder, keccak256(toHex(request))])));
  assert.ok(!log.data.includes(toHex(request).slice(2)), "not what was asked for");
}

const ORDER = "Order, with your passkey";

async function ordersOf({ url }) {
  const { manifest } = await (await fetch(`${url}/v1/cooperative`)).json();
  const asked = async (method, params) => (await (await fetch(`${url}/v1/chain`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) })).json()).result;
  const head = Number(await asked("eth_blockNumber", []));
  const topic = keccak256(toHex("ServiceOrdered(uint32,address,bytes32,uint256)"));
  const hex = (number) => `0x${number.toString(16)}`;
  return asked("eth_getLogs", [{ address: manifest.addresses.service_desk, topics: [topic], fromBlock: hex(Math.max(0, head - 1_999)), toBlock: hex(head) }]);
}

async function weight(world) {
  const own = await decidedOn(world);
  const { member } = own;
  const { page } = member;
  const id = await idOf(page);
  await member.open("/vote/weight");
  const number = page.getByLabel("Their member number");
  for (const [typed, said] of [
    ["x", "Type a member’s number"],
    [String(id), "That is you."],
    ["99999", "There is no member with this number."],
  ]) {
    await number.fill(typed);
    await button(page, "Look them up").click();
    await page.getByText(said).waitFor(HALF_A_MINUTE);
    assert.equal(await button(page, "Name them, with your passkey").count(), 0, "nobody is named");
  }
  await see(own, page, "/vote/weight, wrong");
  await number.fill("1");
  await button(page, "Look them up").click();
  await button(page, "Name them, with your passkey").waitFor(HALF_A_MINUTE);
  const { account } = await (await fetch(`${own.url}/v1/members/1`)).json();
  assert.match((await page.locator(".words").first().innerText()).toLowerCase(), new RegExp(account.toLowerCase()), "the keepers' account of member 1");
  await see(own, page, "/vote/weight, looked up");
  await press(page, "Name them, with your passkey");
  await page.getByText("Your votes are cast by member 1").waitFor(HALF_A_MINUTE);
  assert.equal((await votesOf(own, id)).delegate_member, 1);
  await see(own, page, "/vote/weight, given");
  await press(page, "Cast my votes myself again");
  await page.getByText("You do. If you would rather").waitFor(HALF_A_MINUTE);
  assert.equal((await votesOf(own, id)).delegate_member, id);
  await page.getByLabel("How many").fill("1000");
  await button(page, "Set aside, with your passkey").click();
  await page.getByText("You have fewer than that.").waitFor();
  await page.getByLabel("How many").fill("");
  await tabTo(page, await labelOf(page, "How many"));
  await page.keyboard.type("0.05");
  const before = BigInt((await votesOf(own, id)).held);
  await press(page, "Set aside, with your passkey");
  await page.getByText("they are set aside").waitFor(HALF_A_MINUTE);
  await page.getByRole("cell", { name: "nothing before then" }).waitFor();
  const { held, locks } = await votesOf(own, id);
  assert.deepEqual(locks.map(({ amount, tier }) => [amount, tier]), [["50000000000000000", 0]]);
  assert.ok(BigInt(held) > before, "they weigh more");
  await see(own, page, "/vote/weight, set aside");
}

async function tooLate(world) {
  const own = await decidedOn(world);
  const late = await arrive(own);
  const { page } = late;
  await joinWhole(own, late);
  const made = JSON.parse(own.run("gov", "propose", "--name", "ada", "--json", "--why", `Fewer at once (${process.pid})`, "call", "Membership", "setAdmissionsPerEpoch", "admissionsPerEpoch=500"));
  own.open = made.proposals[0].proposal;
  own.run("time", "+2h");
  await late.open(`/vote/${own.open}`);
  await page.getByText("You had no vote yet when voting began").waitFor(HALF_A_MINUTE);
  assert.equal(await button(page, VOTE).count(), 0);
  await see(own, page, "/vote/proposal, too late");
  await late.open("/vote");
  await page.getByText("You have a vote from").waitFor(HALF_A_MINUTE);
  late.isClean(BROKEN, own.stewards);
  await late.close();
}

const PAGES = ["/vote", "/vote/weight", "/vote/ask", "/rewards"];

/** The member's browser, turned to each look. */
async function looks(world, look) {
  const own = await decidedOn(world);
  const { page } = own.member;
  await page.setViewportSize(SIZES[look.size]);
  await page.emulateMedia({ colorScheme: look.theme });
  await page.evaluate((language) => localStorage.setItem("rochdale.language", language), look.language);
  const [poll] = await (await fetch(`${own.url}/v1/polls`)).json();
  for (const path of [...PAGES, `/vote/${own.proposal}`, ...(own.open ? [`/vote/${own.open}`] : []), `/vote/polls/${poll.id}`, `/proposals/${own.proposal}`]) {
    await own.member.open(path);
    assert.equal(await page.locator("html").getAttribute("lang"), look.language);
    await see(own, page, `${path.slice(0, 20)}, ${Object.values(look).join(", ")}`);
  }
}

async function see(own, page, where, isForMembers = true) {
  await fits(page, where);
  await isAccessible(page, where);
  const words = await textOf(page);
  await fits(page, `${where}, unfolded`);
  if (isForMembers) assert.deepEqual(words.match(JARGON) ?? [], [], `${where}: words that members need not know`);
  await own.shoot(page, `governing-${where.replaceAll(/\W+/g, "-")}`);
}
