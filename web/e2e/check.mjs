// A record is looked at, and no byte of it leaves the browser.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fits, inLooks, isAccessible, LOOKS, visit } from "./browser.mjs";
import { tabTo } from "./keyboard.mjs";
import { bundle, wrong } from "./records.mjs";

export const tests = (world) => [
  ["a record is scored, and nothing is sent", () => scored(world)],
  ["a poor record says what would raise it, in every look", () => poor(world)],
  ["packed, as lines, and several in a file", () => forms(world)],
  ["what is no record is named", () => refused(world)],
  ["by keyboard alone", () => byKeyboard(world)],
  ["dropped", () => dropped(world)],
  ["48 MB block nothing, and can be cancelled", () => large(world)],
  ["a reload keeps nothing, and another page ends it", () => forgotten(world)],
  ["the checking program that does not come is told", () => noCore(world)],
];

const file = (name, content, mimeType = "application/json") => ({ name, mimeType, buffer: Buffer.from(content) });

async function choose(page, chosen) {
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: /Choose|auswählen/ }).click()]);
  await chooser.setFiles(chosen);
}

const result = (page) => page.locator("h2.score").first();

async function scored({ browser, site }) {
  const visitor = await visit(browser, site);
  const { page, seen } = visitor;
  await visitor.open("/check");
  const before = seen.requests.length;
  const record = JSON.stringify(bundle(40));
  await choose(page, file("record.json", record));
  await result(page).waitFor();
  assert.match(await result(page).innerText(), /^\d+(\.\d)? of 100 points$/);
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H2", "the result is read from its heading on");
  const after = seen.requests.slice(before);
  assert.deepEqual(after.filter((request) => request.method() !== "GET" || request.postData()).map((request) => request.url()), [], "something was sent");
  assert.deepEqual(after.filter((request) => !request.url().startsWith(`${site.url}/assets/`)).map((request) => request.url()), [], "only the checking program is fetched");
  visitor.isClean();
  await visitor.close();
}

async function poor({ browser, site, shoot, picture }) {
  for (const language of ["en", "de"]) {
    const visitor = await visit(browser, site, { language });
    const { page } = visitor;
    await visitor.open("/check");
    await choose(page, file("poor.json", JSON.stringify(wrong())));
    await result(page).waitFor();
    const reasons = await page.locator(".reasons > li").count();
    assert.ok(reasons >= 4, `${reasons} reasons`);
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
    const said = await page.locator("main").innerText();
    assert.match(said, { en: /An amount has no unit that can be compared/, de: /Eine Menge hat keine Einheit/ }[language]);
    if (language === "en") await picture(page, "web-check", { size: "narrow", theme: "dark", height: 1_250 });
    await inLooks(page, LOOKS[language], async (look) => {
      await isAccessible(page, `a poor record, ${look}, ${language}`);
      await fits(page, `a poor record, ${look}, ${language}`);
      await shoot(page, `check-poor-${look}-${language}`);
    });
    visitor.isClean();
    await visitor.close();
  }
}

async function forms({ browser, site }) {
  const visitor = await visit(browser, site);
  const { page } = visitor;
  await visitor.open("/check");
  const one = JSON.stringify(bundle(20));
  await choose(page, file("one.json.gz", gzipSync(one), "application/gzip"));
  await result(page).waitFor();
  const packed = await result(page).innerText();
  await choose(page, file("one.json", one));
  await page.getByText("one.json", { exact: true }).waitFor();
  assert.equal(await result(page).innerText(), packed, "packing changes no score");
  await choose(page, file("two.ndjson", `${one}\n${JSON.stringify(bundle(5, "q"))}\n`));
  await page.getByText("This file holds 2 records").waitFor();
  assert.equal(await page.locator("h2.score").count(), 2);
  await isAccessible(page, "two records");
  visitor.isClean();
  await visitor.close();
}

async function refused({ browser, site, shoot }) {
  const visitor = await visit(browser, site);
  const { page } = visitor;
  await visitor.open("/check");
  for (const [chosen, said] of [
    [file("empty.json", ""), "The file is empty"],
    [file("report.json", "%PDF-1.7 …"), "This is a PDF"],
    [file("export.json", "PK\u0003\u0004…"), "This is a packed folder"],
    [file("record.json", "<ClinicalDocument/>"), "This is an XML file"],
    [file("cut.json.gz", gzipSync(JSON.stringify(bundle(40))).subarray(0, 200)), "The file could not be read"],
    [file("bomb.json.gz", gzipSync(Buffer.alloc(70_000_000, 32))), "The file is too large for this page"],
    [file("cut.json", JSON.stringify(bundle(5)).slice(0, -40)), "There is no record in this file"],
    [file("other.json", '{"resourceType":"Bundle","type":"collection","entry":[]}'), "There is no record in this file"],
  ]) {
    await choose(page, chosen);
    await page.getByText(said).first().waitFor();
    const words = await page.locator("main").innerText();
    assert.match(words, /Nothing was (lost, )?sent or kept/, chosen.name);
    await inLooks(page, LOOKS.en, async (look) => {
      await isAccessible(page, `${chosen.name}, ${look}`);
      await fits(page, `${chosen.name}, ${look}`);
    });
  }
  await shoot(page, "check-none");
  visitor.isClean();
  await visitor.close();
}

async function byKeyboard({ browser, site }) {
  const visitor = await visit(browser, site);
  const { page } = visitor;
  await visitor.open("/check");
  // Waited for from before the first key: what takes the chooser's place and a key reach the page by two ways, and the key may be the faster one.
  const choosing = page.waitForEvent("filechooser");
  await tabTo(page, "Choose a file");
  await page.keyboard.press("Enter");
  await (await choosing).setFiles(file("poor.json", JSON.stringify(wrong())));
  await result(page).waitFor();
  await tabTo(page, "Details for the place that gave you the file");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator(".reasons details[open]").count(), 1);
  await visitor.close();
}

async function dropped({ browser, site }) {
  const visitor = await visit(browser, site);
  const { page } = visitor;
  await visitor.open("/check");
  const folder = mkdtempSync(join(tmpdir(), "rochdale-"));
  const path = join(folder, "dropped.json");
  writeFileSync(path, JSON.stringify(bundle(10)));
  // As the desktop does it: a script of the page cannot make a drop that holds a file.
  const { x, y } = await page.locator(".drop").boundingBox();
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) await session.send("Input.dispatchDragEvent", { type, x: x + 40, y: y + 20, data });
  await result(page).waitFor();
  rmSync(folder, { recursive: true });
  visitor.isClean();
  await visitor.close();
}

/** A record near the limit, in a file that lies there for whoever chooses it: by way of the test it would take seconds. */
function largeFile() {
  if (held) return held;
  const text = JSON.stringify(bundle(90_000));
  assert.ok(text.length > 40e6 && text.length < 48e6, `${text.length} bytes`);
  const folder = mkdtempSync(join(tmpdir(), "rochdale-"));
  process.once("exit", () => rmSync(folder, { recursive: true }));
  held = join(folder, "large.json");
  writeFileSync(held, text);
  return held;
}
let held;

async function large({ browser, site }) {
  const visitor = await visit(browser, site);
  const { page } = visitor;
  await visitor.open("/check");
  const record = largeFile();
  // A frame that comes late is a page that does not answer.
  await page.evaluate(() => {
    let last = performance.now();
    window.longest = 0;
    const tick = (now) => {
      window.longest = Math.max(window.longest, now - last);
      last = now;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  await choose(page, record);
  await page.getByText("Scoring. A large file").waitFor({ timeout: 60_000 });
  await page.evaluate(() => (window.longest = 0));
  await result(page).waitFor({ timeout: 180_000 });
  const longest = await page.evaluate(() => window.longest);
  assert.ok(longest < 1_000, `the page stood still for ${Math.round(longest)} ms`);

  await choose(page, record);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Cancelled. Nothing was sent or kept.").waitFor();
  await page.getByRole("button", { name: "Choose a file" }).waitFor();
  visitor.isClean();
  await visitor.close();
}

async function forgotten({ browser, site }) {
  const visitor = await visit(browser, site);
  const { page } = visitor;
  await page.addInitScript(() => {
    window.ended = 0;
    const { terminate } = Worker.prototype;
    Worker.prototype.terminate = function () {
      window.ended += 1;
      terminate.call(this);
    };
  });
  await visitor.open("/check");
  await choose(page, file("record.json", JSON.stringify(bundle(10))));
  await result(page).waitFor();
  const kept = await page.evaluate(async () => [Object.entries(localStorage).length, Object.entries(sessionStorage).map(([key]) => key), (await indexedDB.databases()).length, (await caches.keys()).length]);
  assert.deepEqual([kept[0], kept[2], kept[3]], [0, 0, 0], "something of it is kept in the browser");
  assert.ok(kept[1].every((key) => key.startsWith("tsr-scroll")), `only the scroll position is kept for the session, not ${kept[1]}`);
  await page.reload();
  await page.getByRole("button", { name: "Choose a file" }).waitFor();
  assert.equal(await page.locator("h2.score").count(), 0);
  await choose(page, largeFile());
  await page.getByRole("heading", { name: "Checking large.json" }).waitFor();
  await page.getByRole("link", { name: "Money" }).click();
  await page.getByRole("heading", { level: 1, name: "Where the money goes" }).waitFor();
  // Scoring that file takes seconds: a worker that is ended by now did not come to its end.
  assert.equal(await page.evaluate(() => window.ended), 1, "the worker goes with the page");
  for (let waits = 0; page.workers().length > 0 && waits < 100; waits += 1) await page.waitForTimeout(100);
  assert.equal(page.workers().length, 0, "a worker lives on");
  await page.goBack();
  await page.getByRole("button", { name: "Choose a file" }).waitFor();
  visitor.isClean();
  await visitor.close();
}

async function noCore({ browser, site }) {
  const visitor = await visit(browser, site);
  const { page } = visitor;
  await visitor.open("/check");
  // Another module than the page was built with: its digest does not fit.
  await page.context().route("**/*.wasm", (route) => route.fulfill({ contentType: "application/wasm", body: Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) }));
  await choose(page, file("record.json", JSON.stringify(bundle(5))));
  await page.getByText("The checking program did not start").waitFor();
  await isAccessible(page, "without the module");
  visitor.isClean(/integrity/);
  await visitor.close();
}
