// Chromium, and pages that are watched.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable"];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const SIZES = { narrow: { width: 320, height: 720 }, wide: { width: 1280, height: 900 } };
/** Each width in each theme; both languages at both widths and in both themes. */
export const LOOKS = {
  en: [
    { size: "narrow", theme: "light" },
    { size: "wide", theme: "dark" },
  ],
  de: [
    { size: "narrow", theme: "dark" },
    { size: "wide", theme: "light" },
  ],
};
export const LOCALES = { en: "en-GB", de: "de-DE" };

/** `CHROMIUM`, an installed one, or the one that `playwright-core install chromium` fetched. */
export function launch() {
  const executablePath = process.env.CHROMIUM ?? PLACES.find((place) => existsSync(place));
  return chromium.launch({ args: FLAGS, ...(executablePath && { executablePath }) });
}

/** A page of a new visitor. What it asks for and complains of is written down from the start. */
export async function visit(browser, site, { size = "wide", theme = "light", language = "en", motion = "no-preference" } = {}) {
  const context = await browser.newContext({
    viewport: SIZES[size],
    colorScheme: theme,
    locale: LOCALES[language],
    reducedMotion: motion,
  });
  const page = await context.newPage();
  const seen = { requests: [], complaints: [] };
  const underWay = new Set();
  page.on("request", (request) => seen.requests.push(request) && underWay.add(request));
  for (const event of ["requestfinished", "requestfailed"]) page.on(event, (request) => underWay.delete(request));
  page.on("console", (message) => message.type() === "error" && seen.complaints.push(message.text()));
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  return {
    page,
    seen,
    /** Opens a path and waits until nothing is loading. */
    open: async (path) => {
      await page.goto(site.url + path);
      await settled(page);
    },
    /** Waits until nothing is on its way any more, and what came is drawn. */
    quiet: async () => {
      do {
        while (underWay.size > 0) await Promise.race(["requestfinished", "requestfailed"].map((event) => page.waitForEvent(event)));
        await drawn(page);
      } while (underWay.size > 0);
    },
    close: () => context.close(),
    /** Nothing went elsewhere, and the browser complained of nothing but what the test provoked. */
    isClean: (provoked = /^$/, others = []) => {
      const own = [site.url, ...others].map((origin) => `${origin}/`);
      const elsewhere = seen.requests.map((request) => request.url()).filter((url) => !own.some((origin) => url.startsWith(origin)) && !/^(data|blob):/.test(url));
      assert.deepEqual(elsewhere, [], "requests to third parties");
      assert.deepEqual(seen.complaints.filter((text) => !provoked.test(text)), [], "the console's errors");
    },
  };
}

export async function settled(page) {
  await page.locator("main h1").first().waitFor();
  await page.locator(".loading").first().waitFor({ state: "detached" });
}

export const drawn = (page) => page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));

/** axe by its WCAG 2.2 A and AA rules, and best practices for headings and landmarks. */
export async function isAccessible(page, where) {
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => `${node.target} ${node.failureSummary ?? ""}`).join(" | ")}`);
  });
  assert.deepEqual(violations, [], `axe, ${where}`);
}

/** Nothing sticks out of the page: what is wider scrolls by itself. */
export async function fits(page, where) {
  const [whole, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(whole <= seen, `${where}: ${whole} px of page in ${seen} px of window`);
}

/** A page that is loaded once, in one look after the other: as where somebody turns the phone, or night falls. */
export async function inLooks(page, looks, see) {
  for (const { size, theme } of looks) {
    await page.setViewportSize(SIZES[size]);
    await page.emulateMedia({ colorScheme: theme });
    // What follows the width, a chart for instance, is drawn with the next frames.
    await drawn(page);
    await see(`${theme}, ${size}`, size);
  }
}
