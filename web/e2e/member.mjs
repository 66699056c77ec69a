// A member takes part in a browser alone: joins, shares, adds, is paid, comes back on another device, loses one, and stops.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fits, isAccessible, visit } from "./browser.mjs";
import { carry, deviceOf } from "./device.mjs";
import { labelOf, press, tabTo } from "./keyboard.mjs";
import { bundle } from "./records.mjs";
import { JARGON } from "./routes.mjs";
import { areBearable } from "./speed.mjs";

/** What a test makes go wrong. */
export const BROKEN = /Failed to load resource/;
export const HALF_A_MINUTE = { timeout: 45_000 };

export const tests = (world) => {
  if (!world.rochdale) return [];
  return [
    ["a newcomer follows the front page's invitation, adds a made-up record and sees money, in less than five minutes", () => newcomer(world)],
    ["joins, shares, adds a record, and the chain shows it", () => wholeWay(world)],
    ["a settled period shows what was earned, and it is paid", () => paid(world)],
    ["a member's own pages are there soon, and nothing jumps, on a slow machine", () => bearable(world)],
    ["on a second device, by the same passkey", () => secondDevice(world)],
    ["two tabs share one coming in, and lock together", () => twoTabs(world)],
    ["a lost device: the recovery code, and the recovery begun; the owner sees it and stops it", () => lostDevice(world)],
    ["a lost device: after the waiting time the new passkey is the account's, and is paid elsewhere", () => recovers(world)],
    ["a gateway that shows another cooperative, or other keepers, is shown nothing and sealed nothing", () => pinned(world)],
    ["a reload in the middle of each step goes on", () => reloads(world)],
    ["a tab that was closed goes on by the recovery code", () => closedTab(world)],
    ["a connection that breaks in the middle of an upload goes on", () => brokenUpload(world)],
    ["stops sharing where the gateway does not answer", () => stopsAlone(world)],
    ["deletes everything, which the keepers confirm", () => deletes(world)],
    ["what the device does not confirm changes nothing", () => refused(world)],
    ["codes that are wrong say so", () => wrongCodes(world)],
    ["by keyboard alone", () => byKeyboard(world)],
    ...LOOKS.map((look) => [`every page in every state, ${Object.values(look).join(", ")}`, () => looks(world, look)]),
  ];
};

// Each size, theme and language once: every pair of them takes a minute more.
const LOOKS = [
  { size: "narrow", theme: "dark", language: "de" },
  { size: "wide", theme: "light", language: "en" },
];

const W = {
  en: {
    start: "Start", kept: "I have kept the code", last: "Type the last six", make: "Make the passkey", review: "See what I would agree to", agree: "Agree, with your passkey",
    joined: "You are a member, and your choice holds", open: "Open with your passkey", first: "What may your records be used for?", codeTitle: "Your recovery code", passkeyTitle: "Make a passkey",
  },
  de: {
    start: "Anfangen", kept: "Ich habe den Code aufbewahrt", last: "Tippen Sie die letzten sechs", make: "Passkey anlegen", review: "Sehen, wozu ich zustimmen würde", agree: "Zustimmen, mit dem Passkey",
    joined: "Sie sind Mitglied, und Ihre Wahl gilt", open: "Mit dem Passkey öffnen", first: "Wofür dürfen Ihre Daten genutzt werden?", codeTitle: "Ihr Wiederherstellungscode", passkeyTitle: "Einen Passkey anlegen",
  },
};

export const button = (page, name) => page.getByRole("button", { name, exact: true });
const file = (name, content) => ({ name, mimeType: "application/json", buffer: Buffer.from(content) });

/** A new visitor with a device. */
export async function arrive(world, look = {}, device = {}) {
  const visitor = await visit(world.browser, world.site, look);
  return { ...visitor, device: await deviceOf(visitor.page, device), words: W[look.language ?? "en"] };
}

/** Step by step up to the first sharing choice; `between` is called after each. Gives the recovery code. */
export async function join(world, { page, open, words }, between = async () => undefined) {
  await open(`/join#${world.invite()}`);
  await button(page, words.start).click();
  await page.getByRole("heading", { name: words.codeTitle }).waitFor();
  await between("code");
  const code = await page.locator("[data-code]").getAttribute("data-code");
  await page.getByLabel(words.last).fill(code.slice(-6).toLowerCase());
  await button(page, words.kept).click();
  await page.getByRole("heading", { name: words.passkeyTitle }).waitFor();
  await between("passkey");
  await button(page, words.make).click();
  await page.getByRole("heading", { name: words.first }).waitFor(HALF_A_MINUTE);
  await between("choice");
  return code;
}

export async function choose({ page, words }) {
  await button(page, words.review).click();
  await button(page, words.agree).click();
  await page.getByRole("heading", { name: words.joined }).waitFor(HALF_A_MINUTE);
}

export async function joinWhole(world, visitor) {
  const code = await join(world, visitor);
  await choose(visitor);
  return code;
}

/** Nobody else's: a record that was there before is worth less. */
function recordOf(world, name, readings = 30) {
  world.readings = (world.readings ?? 0) + 1;
  return file(name, JSON.stringify(bundle(readings + world.readings, `p${process.pid}-${world.readings}`)));
}

export async function addRecord(world, { page, open }, name = "record.json", readings = 30) {
  await open("/data");
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), button(page, "Choose a file").click()]);
  await chooser.setFiles(recordOf(world, name, readings));
  await button(page, "Add this record").click();
}

const memberOf = async (world, page) => {
  const id = await page.evaluate(() => JSON.parse(localStorage.getItem("rochdale.known")).member_id);
  return (await fetch(`${world.gateway}/v1/members/${id}`)).json();
};

/** About half of the flows are gone through on a small phone. */
export const NARROW = { size: "narrow" };
/** Pictures of the member's guide: a phone. */
const GUIDE = { size: "narrow", height: 720 };

/** What the front page of a trial run promises, by its links alone. Periods are settled by the command that the demo names. */
async function newcomer(world) {
  const begun = Date.now();
  const seconds = () => (Date.now() - begun) / 1000;
  const visitor = await arrive(world, NARROW);
  const { page, words } = visitor;
  await visitor.open("/");
  const link = page.getByRole("link", { name: "record 1" });
  const [sample] = await Promise.all([page.waitForEvent("download"), link.click()]);
  await page.getByRole("link", { name: "Join with this invitation" }).click();
  await button(page, words.start).waitFor();
  await world.picture(page, "member-join", GUIDE);
  await button(page, words.start).click();
  const code = await page.locator("[data-code]").getAttribute("data-code");
  await page.getByLabel(words.last).fill(code.slice(-6));
  await button(page, words.kept).click();
  await button(page, words.make).click();
  await page.getByRole("heading", { name: words.first }).waitFor(HALF_A_MINUTE);
  await world.picture(page, "member-choices", GUIDE);
  await choose(visitor);
  const joined = seconds();
  await page.getByRole("link", { name: "Add a record" }).click();
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), button(page, "Choose a file").click()]);
  await chooser.setFiles(await sample.path());
  await button(page, "Add this record").waitFor();
  await world.picture(page, "member-data", { ...GUIDE, at: "h2.score" });
  await button(page, "Add this record").click();
  await page.getByText("Stored, number").waitFor({ timeout: 90_000 });
  const added = seconds();
  world.settle();
  world.settle();
  await visitor.open("/money");
  await showOwn(visitor, page.locator(".figures"));
  const earned = await page.locator(".figures strong").first().innerText();
  assert.match(earned, /^(US)?\$\d+\.\d\d$/);
  assert.notEqual(earned.replace(/\D/g, ""), "000", "money arrives");
  await world.picture(page, "member-money", GUIDE);
  console.log(`        joined after ${joined.toFixed(1)} s, added after ${added.toFixed(1)} s, ${earned} after ${seconds().toFixed(1)} s, without a person's reading`);
  assert.ok(joined < 180 && seconds() < 300, "in less than three and five minutes");
  visitor.isClean(BROKEN, world.site.stewards);
  await visitor.close();
}

async function wholeWay(world) {
  const visitor = await arrive(world);
  const { page, device } = visitor;
  const begun = Date.now();
  await joinWhole(world, visitor);
  assert.equal(device.prompts(), 2, "prompts");
  console.log(`        joined in ${((Date.now() - begun) / 1000).toFixed(1)} s, without a person's reading`);
  const member = await memberOf(world, page);
  assert.equal(member.consent, "granted");
  assert.equal(new URL(page.url()).hash, "", "the invitation does not stay in the address");
  await addRecord(world, visitor);
  await page.getByText("Stored, number").waitFor({ timeout: 90_000 });
  assert.equal((await memberOf(world, page)).contributions, 1);
  await isAccessible(page, "/data with a record");
  await visitor.open("/sharing");
  await page.getByText("Choice number 1").waitFor();
  assert.match(await page.locator(".words").innerText(), /What you consent to[\s\S]*Only where an ethics board has approved the research/);
  visitor.isClean(BROKEN, world.site.stewards);
  world.member = visitor;
  world.kept = new Set([page.context()]);
}

/** Shows what only the member reads: one prompt, where the stewards ask for it. */
export async function showOwn({ page, words }, wanted) {
  const open = button(page, words.open).and(page.locator(":not([aria-disabled=true])")).first();
  for (let tries = 0; tries < 40; tries += 1) {
    if (await wanted.first().isVisible()) return;
    // It may go away before it is pressed, where it is not needed any more.
    await open.click({ timeout: 1_000 }).catch(() => undefined);
  }
  assert.fail(`it does not show:\n${await page.locator("main").innerText()}`);
}

/** The member of the first test, who shares and has a record. */
async function someone(world) {
  if (!world.member) await wholeWay(world);
  return world.member;
}

async function paid(world) {
  const visitor = await someone(world);
  const { page } = visitor;
  world.settle();
  world.settle();
  await visitor.open("/money");
  await showOwn(visitor, page.locator(".figures"));
  const [earned, before] = await page.locator(".figures strong").allInnerTexts();
  assert.match(earned, /^(US)?\$\d+\.\d\d$/);
  assert.notEqual(earned.replace(/\D/g, ""), "000", "something was earned");
  assert.match(before, /0\.00/);
  assert.equal(await page.getByText("keeper shows something else").count(), 0, "the keepers agree");
  await page.getByText("Equal part").waitFor();
  await isAccessible(page, "/money with money");
  await world.shoot(page, "member-money");
  await press(page, "Pay me what is due");
  await page.getByText("was paid to you").waitFor(HALF_A_MINUTE);
  await page.waitForFunction(() => !document.querySelectorAll(".figures strong")[1]?.textContent?.includes("0.00"), undefined, HALF_A_MINUTE);
  await visitor.open("/data");
  await page.getByText("What the keepers made of it").waitFor();
  await showOwn(visitor, page.getByText(/Quality \d+/));
  const [saved] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: /^Download record/ }).click()]);
  const record = JSON.parse(readFileSync(await saved.path(), "utf8"));
  assert.equal(record.resourceType, "Bundle", "it is the record as it was added");
  await page.getByText("Who opened my records").click();
  await page.getByText("that is to you, who asked for it").first().waitFor(HALF_A_MINUTE);
  await isAccessible(page, "/data with scores and openings");
  await visitor.open("/uses");
  await showOwn(visitor, page.locator(".empty, .plain"));
  await isAccessible(page, "/uses");
  visitor.isClean(BROKEN, world.site.stewards);
}

async function bearable(world) {
  const visitor = await someone(world);
  await areBearable(visitor, ["/home", "/data", "/sharing", "/uses", "/money", "/rewards", "/vote"]);
}

/** A browser that knows nothing, once with a passkey that came over whole, and once with one that does not open lockers there. */
async function secondDevice(world) {
  const first = await arrive(world);
  const code = await joinWhole(world, first);
  await first.page.evaluate(async () => {
    localStorage.clear();
    sessionStorage.clear();
  });
  const before = first.device.prompts();
  await first.open("/home");
  await button(first.page, first.words.open).click();
  await first.page.getByRole("heading", { name: "What you share" }).waitFor(HALF_A_MINUTE);
  assert.equal(first.device.prompts() - before, 2, "who it is, and that it may read");

  const second = await arrive(world);
  const { page } = second;
  await carry(first.device, second.device);
  await second.open("/home");
  await button(page, second.words.open).click();
  await page.getByText("This passkey does not open your pages by itself").waitFor(HALF_A_MINUTE);
  await page.getByLabel("Recovery code", { exact: true }).fill(code);
  await button(page, "Open with the code").click();
  await page.getByRole("heading", { name: "What you share" }).waitFor(HALF_A_MINUTE);
  await showOwn(second, page.getByText(/There is nothing to show until|earned so far/));
  // There the code is the way in from now on: it is offered at once.
  await button(page, "Lock").click();
  await page.getByLabel("Recovery code", { exact: true }).fill(code);
  await button(page, "Open with the code").click();
  await page.getByRole("heading", { name: "What you share" }).waitFor(HALF_A_MINUTE);
  await second.open("/sharing");
  await page.getByText("Choice number 1").waitFor();
  for (const one of [first, second]) {
    one.isClean(BROKEN, world.site.stewards);
    await one.close();
  }
}

async function twoTabs(world) {
  const visitor = await arrive(world);
  await joinWhole(world, visitor);
  const other = await visitor.page.context().newPage();
  await other.goto(`${world.site.url}/home`);
  await other.getByRole("heading", { name: "What you share" }).waitFor(HALF_A_MINUTE);
  await button(other, "Lock").click();
  await visitor.page.goto(`${world.site.url}/home`);
  await button(visitor.page, visitor.words.open).waitFor();
  assert.equal(await visitor.page.evaluate(() => sessionStorage.getItem("rochdale.opened")), null);
  await visitor.close();
}

/** What the browser remembers is changed in the place of what the gateway shows. */
async function pinned(world) {
  const visitor = await arrive(world);
  const { page } = visitor;
  await joinWhole(world, visitor);
  const change = (what) =>
    page.evaluate((kind) => {
      const joined = JSON.parse(localStorage.getItem("rochdale.joined"));
      for (const { pin } of Object.values(joined)) {
        if (kind === "keepers") pin.stewards[0][0] = `0x${"9".repeat(40)}`;
        else pin.addresses = Object.fromEntries(Object.keys(pin.addresses).map((name) => [name, `0x${"8".repeat(40)}`]));
      }
      localStorage.setItem("rochdale.joined", JSON.stringify(joined));
    }, what);
  await change("keepers");
  await visitor.open("/sharing/choose");
  await page.getByText("The keepers of your cooperative have changed").waitFor(HALF_A_MINUTE);
  await isAccessible(page, "other keepers");
  await fits(page, "other keepers");
  await button(page, visitor.words.review).click();
  const prompts = visitor.device.prompts();
  await button(page, visitor.words.agree).click();
  await page.getByText("Nothing is encrypted for keepers that you do not know").waitFor(HALF_A_MINUTE);
  assert.equal(visitor.device.prompts(), prompts, "nothing is agreed to");
  await button(page, "I have asked, and it is right").click();
  await page.getByRole("button", { name: "I have asked, and it is right" }).waitFor({ state: "detached", timeout: 45_000 });
  await change("contracts");
  await visitor.open("/data");
  await page.getByText("This is not the cooperative that you joined").waitFor(HALF_A_MINUTE);
  assert.equal(await button(page, "Choose a file").count(), 0, "nothing can be added");
  await isAccessible(page, "another cooperative");
  await visitor.close();
}

/** On a device that has nothing but the code: the way in, and the new passkey that waits. */
async function beginRecovery({ page, open }, code) {
  await open("/help");
  await page.getByText("Open with the recovery code").click();
  await page.getByLabel("Recovery code", { exact: true }).fill(code.replaceAll("-", " ").toLowerCase());
  await button(page, "Open with the code").click();
  await page.getByText("Put a new passkey in place", { exact: true }).first().click();
  await isAccessible(page, "/help, before a recovery");
  await page.getByLabel("Recovery code", { exact: true }).fill(code);
  await button(page, "Make a new passkey and start the waiting time").click();
  await page.getByText("Your new passkey can be put in place from").waitFor(HALF_A_MINUTE);
}

/** Nobody says no in three days. */
async function recovers(world) {
  const owner = await arrive(world);
  const code = await joinWhole(world, owner);
  await owner.close();
  const visitor = await arrive(world, NARROW);
  const { page } = visitor;
  await beginRecovery(visitor, code);
  assert.equal(await button(page, "Put it in place").count(), 0, "not before its time");
  world.later("+4d");
  await page.getByText("Your new passkey can be put in place now").waitFor(HALF_A_MINUTE);
  await isAccessible(page, "/help, a recovery that is ready");
  await button(page, "Put it in place").click();
  await page.getByText("With the recovery code you can put a new passkey").waitFor(HALF_A_MINUTE);
  // What the new passkey agrees to counts.
  await visitor.open("/money");
  await page.getByText("Be paid somewhere else").click();
  const payout = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
  await page.getByLabel("Address", { exact: true }).fill(payout.replace("5aA", "5AA"));
  await button(page, "Confirm, with your passkey").click();
  await page.getByText("This is no address").waitFor(HALF_A_MINUTE);
  await page.getByLabel("Address", { exact: true }).fill(payout);
  await isAccessible(page, "/money, about to be paid elsewhere");
  await button(page, "Confirm, with your passkey").click();
  await page.getByText(`you are now paid to ${payout}`).waitFor(HALF_A_MINUTE);
  assert.equal((await memberOf(world, page)).payout, payout.toLowerCase());
  visitor.isClean(BROKEN, world.site.stewards);
  await visitor.close();
}

async function lostDevice(world) {
  const owner = await arrive(world);
  const code = await joinWhole(world, owner);
  const finder = await arrive(world);
  const { page } = finder;
  await beginRecovery(finder, code);
  await isAccessible(page, "/help, in a recovery");
  await fits(page, "/help, in a recovery");
  // The owner sees it on every page.
  await owner.open("/home");
  await owner.page.getByText("Somebody is putting another passkey on your membership").waitFor(HALF_A_MINUTE);
  await isAccessible(owner.page, "/home with an alarm");
  await world.shoot(owner.page, "member-alarm");
  await button(owner.page, "Stop it").click();
  await owner.page.getByText("Stopped, and confirmed").waitFor(HALF_A_MINUTE);
  await finder.open("/help");
  await page.getByText("With the recovery code you can put a new passkey").waitFor(HALF_A_MINUTE);
  // From there the code that somebody else has is replaced.
  await owner.page.getByRole("link", { name: "Replace my recovery code" }).click();
  await button(owner.page, "Make a new recovery code").click();
  const fresh = await owner.page.locator("[data-code]").getAttribute("data-code");
  await isAccessible(owner.page, "/help with a new code");
  await owner.page.getByLabel(owner.words.last).fill(fresh.slice(-6));
  await button(owner.page, owner.words.kept).click();
  await button(owner.page, "Replace the old code, with your passkey").click();
  await owner.page.getByText("Your recovery code is replaced").waitFor(HALF_A_MINUTE);
  await isAccessible(owner.page, "/help, code replaced");
  await button(page, "Lock").click();
  await page.getByText("Open with the recovery code").click();
  for (const [typed, said] of [
    [code, "Nothing is kept under this code"],
    [fresh, "My passkey is lost"],
  ]) {
    await page.getByLabel("Recovery code", { exact: true }).fill(typed);
    await button(page, "Open with the code").click();
    await page.getByText(said).first().waitFor(HALF_A_MINUTE);
  }
  await button(owner.page, "Lock").click();
  await owner.open("/home");
  await button(owner.page, owner.words.open).click();
  await owner.page.getByRole("heading", { name: "What you share" }).waitFor(HALF_A_MINUTE);
  for (const one of [owner, finder]) {
    one.isClean(BROKEN, world.site.stewards);
    await one.close();
  }
}

async function reloads(world) {
  const visitor = await arrive(world);
  const { page, device } = visitor;
  const headings = { code: "Your recovery code", passkey: "Make a passkey", choice: "What may your records be used for?" };
  let code;
  await join(world, visitor, async (step) => {
    const shown = page.locator("[data-code]");
    if (step === "code") code = await shown.getAttribute("data-code");
    await page.reload();
    await page.getByRole("heading", { name: headings[step] }).waitFor(HALF_A_MINUTE);
    if (step === "code") assert.equal(await shown.getAttribute("data-code"), code, "the code stays the same");
    await page.goto(`${world.site.url}/licenses`);
    await page.goBack();
    await page.getByRole("heading", { name: headings[step] }).waitFor(HALF_A_MINUTE);
  });
  await choose(visitor);
  await page.reload();
  await page.getByRole("heading", { name: visitor.words.joined }).waitFor(HALF_A_MINUTE);
  assert.equal(device.prompts(), 2, "no prompt twice");
  visitor.isClean(BROKEN, world.site.stewards);
  await visitor.close();
}

/** The gateway breaks off while the member is taken in, and the laptop is closed: another day, the code goes on. */
async function closedTab(world) {
  const visitor = await arrive(world);
  const { page, open, words, device } = visitor;
  await page.context().route("**/v1/members", (route) => route.abort());
  await open(`/join#${world.invite()}`);
  await button(page, words.start).click();
  const code = await page.locator("[data-code]").getAttribute("data-code");
  await page.getByLabel(words.last).fill(code.slice(-6));
  await button(page, words.kept).click();
  await button(page, words.make).click();
  await page.getByText("We cannot reach the cooperative").waitFor(HALF_A_MINUTE);
  assert.match(await page.getByRole("alert").innerText(), /Nothing was lost/);
  await isAccessible(page, "/join, broken off");
  await page.context().unroute("**/v1/members");
  await page.evaluate(() => sessionStorage.clear());
  await page.goto(`${world.site.url}/join`);
  await page.getByText("I began to join before").click();
  await page.getByLabel("Recovery code", { exact: true }).fill(code);
  await button(page, "Open with the code").click();
  await page.getByRole("heading", { name: words.first }).waitFor(HALF_A_MINUTE);
  await choose(visitor);
  assert.equal(device.prompts(), 2);
  visitor.isClean(BROKEN, world.site.stewards);
  await visitor.close();
}

async function brokenUpload(world) {
  const visitor = await arrive(world, NARROW);
  const { page } = visitor;
  await joinWhole(world, visitor);
  await page.context().route("**/v1/blobs/**", (route) => route.abort());
  await addRecord(world, visitor, "broken.json");
  await page.getByText("We cannot reach the cooperative").waitFor(HALF_A_MINUTE);
  await page.context().unroute("**/v1/blobs/**");
  const prompts = visitor.device.prompts();
  await page.reload();
  await page.getByText("Stored, number").waitFor({ timeout: 90_000 });
  assert.equal(visitor.device.prompts(), prompts, "what was agreed to is sent without asking again");
  assert.equal((await memberOf(world, page)).contributions, 1);
  assert.equal(await page.getByRole("heading", { name: "On its way" }).count(), 0);
  visitor.isClean(BROKEN, world.site.stewards);
  await visitor.close();
}

async function stopsAlone(world) {
  const visitor = await arrive(world, NARROW);
  const { page } = visitor;
  await joinWhole(world, visitor);
  await visitor.open("/sharing/stop");
  world.site.away();
  await page.evaluate(() => sessionStorage.clear());
  await button(page, "Stop sharing, with your passkey").click();
  await page.getByText("You have stopped sharing").waitFor({ timeout: 90_000 });
  const said = await page.locator("main").innerText();
  assert.match(said, /\d of \d keepers (have taken it and obey it already|confirm it)/);
  await isAccessible(page, "/sharing/stop, done");
  world.site.be(world.gateway);
  let { consent } = await memberOf(world, page);
  for (let waits = 0; consent !== "revoked" && waits < 60; waits += 1) {
    await page.waitForTimeout(1_000);
    ({ consent } = await memberOf(world, page));
  }
  assert.equal(consent, "revoked", "the keepers brought it to the chain");
  visitor.isClean(BROKEN, world.site.stewards);
  await visitor.close();
}

async function deletes(world) {
  const visitor = await arrive(world, NARROW);
  const { page } = visitor;
  await joinWhole(world, visitor);
  await visitor.open("/sharing/delete");
  assert.equal(await button(page, "Delete everything, with your passkey").count(), 0, "it asks once more");
  await page.getByLabel("I understand that this cannot be undone.").check();
  await isAccessible(page, "/sharing/delete, sure");
  await button(page, "Delete everything, with your passkey").click();
  await page.getByText("Your data is being deleted").waitFor({ timeout: 90_000 });
  await page.getByText(/[1-9] of \d keepers have confirmed that they destroyed the keys/).waitFor({ timeout: 90_000 });
  assert.equal((await memberOf(world, page)).consent, "erased");
  await visitor.open("/home");
  await page.getByText("Everything was deleted").waitFor();
  const left = await page.evaluate(() => JSON.parse(sessionStorage.getItem("rochdale.opened")).opened.things);
  assert.deepEqual([left.receipts, left.added, left.row_key], [[], [], "0x"], "what told of records and choices is gone");
  await visitor.open("/sharing");
  await button(page, "Forget everything").waitFor();
  await isAccessible(page, "/sharing, deleted");
  await button(page, "Forget everything").click();
  await button(page, visitor.words.open).waitFor(HALF_A_MINUTE);
  const kept = await page.evaluate(() => ["known", "joined", "lockers", "made"].map((name) => localStorage.getItem(`rochdale.${name}`)));
  assert.deepEqual(kept, [null, "{}", null, null], "this browser knows nobody any more");
  await button(page, visitor.words.open).click();
  await page.getByText("This passkey does not open your pages by itself").waitFor(HALF_A_MINUTE);
  visitor.isClean(BROKEN, world.site.stewards);
  await visitor.close();
}

async function refused(world) {
  const visitor = await arrive(world);
  const { page, device } = visitor;
  await join(world, visitor);
  const credentials = await device.credentials();
  await device.lose();
  await button(page, visitor.words.review).click();
  await button(page, visitor.words.agree).click();
  await page.getByText("Your device did not confirm").waitFor(HALF_A_MINUTE);
  assert.match(await page.getByRole("alert").innerText(), /Everything is as it was before/);
  assert.equal((await memberOf(world, page)).consent, "none");
  await device.take(credentials);
  await button(page, visitor.words.agree).click();
  await page.getByRole("heading", { name: visitor.words.joined }).waitFor(HALF_A_MINUTE);
  visitor.isClean(BROKEN, world.site.stewards);
  await visitor.close();
}

async function wrongCodes(world) {
  const visitor = await arrive(world);
  const { page } = visitor;
  await visitor.open("/join#UUUU");
  await page.getByText("This is not a complete invitation code").waitFor();
  await isAccessible(page, "/join with a wrong code");
  assert.equal(new URL(page.url()).hash, "", "it is gone from the address at once");
  await page.reload();
  await page.getByText("This is not a complete invitation code").waitFor();
  await visitor.open("/home");
  await page.getByText("Open with the recovery code").click();
  for (const [typed, said] of [
    ["12345", "This is not a complete code"],
    [world.invite(), "Nothing is kept under this code"],
  ]) {
    await page.getByLabel("Recovery code", { exact: true }).fill(typed);
    await button(page, "Open with the code").click();
    await page.getByText(said).waitFor(HALF_A_MINUTE);
    await isAccessible(page, said);
  }
  visitor.isClean(BROKEN, world.site.stewards);
  await visitor.close();
}

/** Joining, sharing, adding, locking and opening, stopping and deleting; `paid` claims by keyboard, and `governing.mjs` votes by it. */
async function byKeyboard(world) {
  const visitor = await arrive(world);
  const { page, open, words } = visitor;
  await open(`/join#${world.invite()}`);
  await press(page, "Start");
  await page.getByRole("heading", { name: "Your recovery code" }).waitFor();
  const code = await page.locator("[data-code]").getAttribute("data-code");
  await tabTo(page, await labelOf(page, words.last));
  await page.keyboard.type(code.slice(-6));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Make a passkey" }).waitFor();
  await press(page, "Make the passkey");
  await page.getByRole("heading", { name: words.first }).waitFor(HALF_A_MINUTE);
  await press(page, "See what I would agree to");
  await press(page, words.agree);
  await page.getByRole("heading", { name: words.joined }).waitFor(HALF_A_MINUTE);
  await press(page, "Add a record");
  await page.getByRole("heading", { level: 1, name: "My data" }).waitFor();
  const choosing = page.waitForEvent("filechooser");
  await press(page, "Choose a file");
  await (await choosing).setFiles(recordOf(world, "keys.json"));
  await press(page, "Add this record");
  await page.getByText("Stored, number").waitFor({ timeout: 90_000 });
  await press(page, "Lock");
  await press(page, words.open);
  await page.getByRole("heading", { name: "What is stored" }).waitFor(HALF_A_MINUTE);
  await open("/sharing/stop");
  await press(page, "Stop sharing, with your passkey");
  await page.getByText("You have stopped sharing").waitFor({ timeout: 90_000 });
  await open("/sharing/delete");
  await press(page, "I understand that this cannot be undone.", "Space");
  await press(page, "Delete everything, with your passkey");
  await page.getByText("Your data is being deleted").waitFor({ timeout: 90_000 });
  visitor.isClean(BROKEN, world.site.stewards);
  await visitor.close();
}

const PAGES = ["/home", "/data", "/sharing", "/sharing/choose", "/sharing/stop", "/sharing/delete", "/uses", "/money", "/help"];

async function looks(world, look) {
  const visitor = await arrive(world, look);
  const { page, words } = visitor;
  const see = async (where) => {
    await fits(page, `${where}, ${Object.values(look).join(", ")}`);
    await isAccessible(page, `${where}, ${Object.values(look).join(", ")}`);
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
    await fits(page, `${where}, unfolded, ${Object.values(look).join(", ")}`);
    assert.deepEqual((await page.locator("body").innerText()).match(JARGON) ?? [], [], `${where}: words that members need not know`);
    await world.shoot(page, `member-${where.replaceAll(/\W+/g, "-")}-${Object.values(look).join("-")}`);
  };
  await join(world, visitor, see);
  await button(page, words.review).click();
  await button(page, words.agree).waitFor();
  await see("review");
  await button(page, words.agree).click();
  await page.getByRole("heading", { name: words.joined }).waitFor(HALF_A_MINUTE);
  await see("joined");
  for (const path of PAGES) {
    await visitor.open(path);
    await see(path);
  }
  await visitor.open("/money");
  await button(page, words.open).click();
  await page.locator(".empty, .figures").first().waitFor();
  await page.waitForTimeout(1_500);
  for (const path of ["/home", "/data", "/uses", "/money"]) {
    await visitor.open(path);
    await see(`${path} open`);
  }
  visitor.isClean(BROKEN, world.site.stewards);
  await visitor.close();
}
