// What pages show before there is an answer, where there is none, and where there is nothing to show.
import assert from "node:assert/strict";
import { stewardsOf } from "../scripts/serve.mjs";
import { fits, isAccessible, settled, visit } from "./browser.mjs";

const READING = ["/", "/licenses", "/treasury", "/epochs", "/epochs/1", "/proposals", "/delegates", "/polls", "/datasets", "/datasets/1", "/request", "/buy/1", "/desk", "/health", "/operations", "/kpis", "/kpis/members_active"];
const LOOKS = [
  { size: "narrow", theme: "dark", language: "de" },
  { size: "wide", theme: "light", language: "en" },
  { size: "narrow", theme: "light", language: "en" },
  { size: "wide", theme: "dark", language: "de" },
];
const named = (look) => Object.values(look).join(", ");

/** A refused connection is what these tests make. */
const BROKEN = /Failed to load resource/;

export const tests = (world) => [
  ...LOOKS.map((look) => [`loading, ${named(look)}`, () => loading(world, look)]),
  ...LOOKS.map((look) => [`failed, ${named(look)}`, () => failed(world, look)]),
  ["what was there stays where the gateway goes away, and says so", () => stale(world)],
  ["nothing moves for who wants no motion", () => motion(world)],
  ...(world.chain && world.fresh ? LOOKS.slice(0, 2).map((look) => [`a chain that does not answer, ${named(look)}`, () => halted(world, look)]) : []),
  ...(world.steward && world.fresh ? LOOKS.slice(0, 2).map((look) => [`a steward that does not answer, ${named(look)}`, () => stewardDown(world, look)]) : []),
  ...(world.fresh ? LOOKS.map((look) => [`empty, ${named(look)}`, () => empty(world, look)]) : []),
];

async function loading({ browser, site, shoot }, look) {
  const visitor = await visit(browser, site, look);
  const { page } = visitor;
  for (const path of READING) {
    site.hold();
    await page.goto(site.url + path);
    await page.getByRole("status").first().waitFor();
    await isAccessible(page, `${path} while it loads, ${named(look)}`);
    await fits(page, path);
    if (path === "/treasury") await shoot(page, `loading-${Object.values(look).join("-")}`);
    site.release();
    await settled(page);
  }
  visitor.isClean(/^$/, site.stewards);
  await visitor.close();
}

async function failed({ browser, site, gateway, shoot }, look) {
  const visitor = await visit(browser, site, look);
  const { page } = visitor;
  const again = page.getByRole("button", { name: { en: "Try again", de: "Noch einmal versuchen" }[look.language] });
  for (const path of READING) {
    site.away();
    await visitor.open(path);
    const alert = page.getByRole("alert").first();
    await alert.waitFor();
    const said = await alert.innerText();
    assert.match(said, { en: /Nothing was lost/, de: /Es ging nichts verloren/ }[look.language], path);
    await isAccessible(page, `${path} without a gateway, ${named(look)}`);
    await fits(page, path);
    if (path === "/treasury") await shoot(page, `failed-${Object.values(look).join("-")}`);
    site.be(gateway);
    while ((await again.count()) > 0) {
      await again.first().click();
      await page.waitForTimeout(300);
    }
    await settled(page);
    assert.equal(await page.getByRole("alert").count(), 0, `${path} recovers`);
  }
  visitor.isClean(BROKEN, site.stewards);
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

/** Stops a process for as long as `run` takes. */
async function paused(pid, run) {
  process.kill(pid, "SIGSTOP");
  try {
    await run();
  } finally {
    process.kill(pid, "SIGCONT");
  }
}

/** The gateway answers and cannot work: its health page says so in an answer of 503, and pages that need the chain say that it is not there. */
async function halted({ browser, site, fresh, chain, shoot }, look) {
  site.be(fresh);
  const visitor = await visit(browser, site, look);
  const { page } = visitor;
  await paused(chain, async () => {
    await page.goto(`${site.url}/health`);
    await page.getByText({ en: "The server cannot work", de: "Der Server kann nicht arbeiten" }[look.language]).waitFor({ timeout: 60_000 });
    await isAccessible(page, "/health without a chain");
    await fits(page, "/health without a chain");
    await shoot(page, `health-bad-${Object.values(look).join("-")}`);
  });
  await page.getByText({ en: "What this page looks at works", de: "Was diese Seite prüft, arbeitet" }[look.language]).waitFor({ timeout: 60_000 });
  visitor.isClean(BROKEN);
  await visitor.close();
}

/** It goes on without one of them. */
async function stewardDown({ browser, site, fresh, steward, shoot }, look) {
  site.be(fresh);
  const visitor = await visit(browser, site, look);
  const { page } = visitor;
  await paused(steward, async () => {
    await page.goto(`${site.url}/health`);
    await page.getByText({ en: "It works, with something to look at", de: "Es läuft, aber etwas braucht Aufmerksamkeit" }[look.language]).waitFor({ timeout: 90_000 });
    await page.getByText({ en: "Does not answer", de: "Antwortet nicht" }[look.language], { exact: true }).waitFor({ timeout: 90_000 });
    await isAccessible(page, "/health without a steward");
    await fits(page, "/health without a steward");
    await shoot(page, `health-some-${Object.values(look).join("-")}`);
  });
  await page.getByText({ en: "What this page looks at works", de: "Was diese Seite prüft, arbeitet" }[look.language]).waitFor({ timeout: 90_000 });
  visitor.isClean(BROKEN);
  await visitor.close();
}
