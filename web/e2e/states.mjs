// What pages show before there is an answer, where there is none, and where there is nothing to show.
import assert from "node:assert/strict";
import { stewardsOf } from "../scripts/serve.mjs";
import { fits, inLooks, isAccessible, LOOKS, settled, visit } from "./browser.mjs";

const READING = ["/", "/licenses", "/treasury", "/epochs", "/epochs/1", "/proposals", "/delegates", "/charter", "/polls", "/datasets", "/datasets/1", "/request", "/buy/1", "/desk", "/health", "/operations", "/log", "/kpis", "/kpis/members_active"];
/** What says the same on every page, in each language on every other one. */
const byTurns = (language) => READING.filter((_, place) => place % 2 === Object.keys(LOOKS).indexOf(language));
// Each size, theme and language once; every route as it is has all of their pairs in routes.mjs.
const ONCE = [
  { size: "narrow", theme: "dark", language: "de" },
  { size: "wide", theme: "light", language: "en" },
];
const named = (look) => Object.values(look).join(", ");

/** A refused connection is what these tests make. */
const BROKEN = /Failed to load resource/;
/** And the policy of a page that came without a gateway names no keepers, so that it does not reach them. */
const unnamed = (stewards) => new RegExp(`${BROKEN.source}|(${stewards.join("|").replaceAll(".", "\\.")})/v1/health['.]`);

export const tests = (world) => [
  ...Object.keys(LOOKS).map((language) => [`loading, ${language}`, () => loading(world, language)]),
  ...Object.keys(LOOKS).map((language) => [`failed, ${language}`, () => failed(world, language)]),
  ["what was there stays where the gateway goes away, and says so", () => stale(world)],
  ["nothing moves for who wants no motion", () => motion(world)],
  ...(world.chain && world.fresh ? [["a chain that does not answer", () => halted(world)]] : []),
  ...(world.steward && world.fresh ? [["a steward that does not answer", () => stewardDown(world)]] : []),
  ...(world.fresh ? ONCE.map((look) => [`empty, ${named(look)}`, () => empty(world, look)]) : []),
];

async function loading({ browser, site, shoot }, language) {
  const visitor = await visit(browser, site, { language });
  const { page } = visitor;
  for (const path of byTurns(language)) {
    site.hold();
    await page.goto(site.url + path);
    await page.getByRole("status").first().waitFor();
    await inLooks(page, LOOKS[language], async (look) => {
      await isAccessible(page, `${path} while it loads, ${language}, ${look}`);
      await fits(page, `${path} while it loads, ${language}, ${look}`);
      if (path === "/treasury") await shoot(page, `loading-${language}-${look.replace(", ", "-")}`);
    });
    site.release();
    await settled(page);
  }
  visitor.isClean(/^$/, site.stewards);
  await visitor.close();
}

async function failed({ browser, site, gateway, shoot }, language) {
  const visitor = await visit(browser, site, { language });
  const { page } = visitor;
  const again = page.getByRole("button", { name: { en: "Try again", de: "Noch einmal versuchen" }[language] });
  for (const path of byTurns(language)) {
    site.away();
    await visitor.open(path);
    const alert = page.getByRole("alert").first();
    await alert.waitFor();
    assert.match(await alert.innerText(), { en: /Nothing was lost/, de: /Es ging nichts verloren/ }[language], path);
    await inLooks(page, LOOKS[language], async (look) => {
      await isAccessible(page, `${path} without a gateway, ${language}, ${look}`);
      await fits(page, `${path} without a gateway, ${language}, ${look}`);
      if (path === "/treasury") await shoot(page, `failed-${language}-${look.replace(", ", "-")}`);
    });
    site.be(gateway);
    // Each part of a page by itself. What is asked again says so in the place of the button's name.
    while ((await alert.count()) > 0) {
      await again.evaluateAll((buttons) => buttons.forEach((button) => button.click()));
      await visitor.quiet();
    }
    await settled(page);
    assert.equal(await alert.count(), 0, `${path} recovers`);
  }
  visitor.isClean(unnamed(site.stewards), site.stewards);
  await visitor.close();
}

async function stale({ browser, site, gateway, shoot }) {
  const visitor = await visit(browser, site);
  const { page } = visitor;
  await visitor.open("/health");
  site.away();
  const note = page.getByText("We could not get anything newer").first();
  await note.waitFor({ timeout: 30_000 });
  await page.getByRole("heading", { name: "The keepers" }).waitFor();
  await isAccessible(page, "/health, as of a while ago");
  await shoot(page, "stale");
  site.be(gateway);
  await note.waitFor({ state: "detached", timeout: 30_000 });
  visitor.isClean(BROKEN);
  await visitor.close();
}

async function motion({ browser, site }) {
  for (const [motion, moves] of [
    ["no-preference", "breathe"],
    ["reduce", "none"],
  ]) {
    const { page, close } = await visit(browser, site, { motion });
    site.hold();
    await page.goto(`${site.url}/treasury`);
    const bone = page.locator(".loading i").first();
    await bone.waitFor();
    assert.equal(await bone.evaluate((element) => getComputedStyle(element).animationName), moves, motion);
    site.release();
    await close();
  }
}

async function empty({ browser, site, fresh, shoot }, look) {
  site.be(fresh);
  const visitor = await visit(browser, site, look);
  const { page } = visitor;
  for (const path of READING) {
    await visitor.open(path);
    await isAccessible(page, `${path} of a new cooperative, ${named(look)}`);
    await fits(page, path);
    if (!["/licenses", "/treasury", "/proposals", "/delegates", "/polls"].includes(path)) continue;
    const note = page.locator(".empty");
    assert.equal(await note.count(), 1, `${path} says that there is nothing yet`);
    assert.ok((await note.getByRole("link").count()) > 0, `${path} names the next step`);
    if (path === "/treasury") await shoot(page, `empty-${Object.values(look).join("-")}`);
  }
  visitor.isClean(/^$/, await stewardsOf(fresh));
  await visitor.close();
}

/** Stops a process until `/health` of its cooperative shows what it has to in every look, and waits until all works again. */
async function without({ browser, site, fresh, shoot }, pid, name, shows) {
  site.be(fresh);
  const visitors = [];
  process.kill(pid, "SIGSTOP");
  try {
    for (const look of ONCE) {
      const visitor = await visit(browser, site, look);
      visitors.push([visitor, look]);
      const { page } = visitor;
      await page.goto(`${site.url}/health`);
      await shows(page, look.language);
      await isAccessible(page, `/health, ${name}`);
      await fits(page, `/health, ${name}`);
      await shoot(page, `${name}-${Object.values(look).join("-")}`);
    }
  } finally {
    process.kill(pid, "SIGCONT");
  }
  for (const [visitor, { language }] of visitors) {
    await visitor.page.getByText({ en: "What this page looks at works", de: "Was diese Seite prüft, arbeitet" }[language]).waitFor({ timeout: 90_000 });
    visitor.isClean(BROKEN);
    await visitor.close();
  }
}

/** The gateway answers and cannot work: its health page says so in an answer of 503, and pages that need the chain say that it is not there. */
const halted = (world) =>
  without(world, world.chain, "health-bad", (page, language) => page.getByText({ en: "The server cannot work", de: "Der Server kann nicht arbeiten" }[language]).waitFor({ timeout: 60_000 }));

/** It goes on without one of them. */
const stewardDown = (world) =>
  without(world, world.steward, "health-some", async (page, language) => {
    await page.getByText({ en: "It works, with something to look at", de: "Es läuft, aber etwas braucht Aufmerksamkeit" }[language]).waitFor({ timeout: 90_000 });
    await page.getByText({ en: "Does not answer", de: "Antwortet nicht" }[language], { exact: true }).waitFor({ timeout: 90_000 });
  });
