// By keyboard alone.
import assert from "node:assert/strict";
import { isAccessible, settled, visit } from "./browser.mjs";

export const tests = ({ browser, site }) => [
  ["the first stop leads past the menu", () => skip(browser, site)],
  ["a new page is read from its heading on", () => heading(browser, site)],
  ["every stop is seen", () => stops(browser, site)],
  ["the narrow menu opens, leads and closes", () => menu(browser, site)],
  ["the language changes", () => language(browser, site)],
  ["what is folded opens", () => folded(browser, site)],
  ["a wide table scrolls", () => table(browser, site)],
];

/** The text of what has the focus: of a field, of its label. */
const focused = (page) => page.evaluate(() => (document.activeElement?.labels?.[0] ?? document.activeElement)?.textContent?.trim() ?? "");

/** Tabs until the focus is on what has this text. */
export async function tabTo(page, text) {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press("Tab");
    if ((await focused(page)) === text) return;
  }
  assert.fail(`“${text}” is not reached by the Tab key`);
}

/** The whole label of the field that is labelled so. */
export const labelOf = (page, label) => page.getByLabel(label).first().evaluate((field) => field.labels[0].textContent.trim());

/** Goes there and presses it, once it can be. */
export async function press(page, text, key = "Enter") {
  const named = { name: text, exact: true };
  const one = page.getByRole("button", named).or(page.getByRole("link", named)).or(page.getByLabel(text, { exact: true }));
  await one.first().waitFor({ timeout: 45_000 });
  await tabTo(page, text);
  await page.keyboard.press(key);
}

async function skip(browser, site) {
  const { page, open, close } = await visit(browser, site);
  await open("/treasury");
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Skip to the main content");
  const box = await page.locator(".skip").boundingBox();
  assert.ok(box && box.y >= 0, "it is seen");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.ok(await page.evaluate(() => document.querySelector("main")?.contains(document.activeElement)), "the next stop is in the page");
  await close();
}

async function heading(browser, site) {
  const { page, open, close } = await visit(browser, site);
  await open("/");
  await tabTo(page, "Money");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Where the money goes" }).waitFor();
  await page.waitForFunction(() => document.activeElement?.tagName === "H1");
  assert.equal(await focused(page), "Where the money goes");
  assert.equal(await page.locator('nav [aria-current="page"]').innerText(), "Money");
  await close();
}

async function stops(browser, site) {
  for (const theme of ["light", "dark"]) {
    const { page, open, close } = await visit(browser, site, { theme });
    await open("/licenses");
    const seen = new Set();
    for (;;) {
      await page.keyboard.press("Tab");
      const [what, width, height] = await page.evaluate(() => {
        const style = getComputedStyle(document.activeElement);
        const width = style.outlineStyle === "none" ? 0 : Number.parseFloat(style.outlineWidth);
        return [document.activeElement.outerHTML.slice(0, 80), width, document.activeElement.getBoundingClientRect().height];
      });
      if (what.startsWith("<body") || seen.has(what)) break;
      seen.add(what);
      assert.ok(width >= 2 && height > 0, `${what} shows no focus in the ${theme} theme`);
    }
    // Skip link, name, trial run, two languages, eight places, a table, what is folded, the API.
    assert.equal(seen.size, 16, [...seen].join("\n"));
    await close();
  }
}

async function menu(browser, site) {
  const { page, open, close } = await visit(browser, site, { size: "narrow" });
  await open("/");
  await tabTo(page, "Menu");
  assert.equal(await page.getByRole("link", { name: "Payment periods" }).isVisible(), false);
  await page.keyboard.press("Enter");
  await isAccessible(page, "the open menu");
  await tabTo(page, "Payment periods");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Payment periods" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Menu" }).getAttribute("aria-expanded"), "false");
  await close();
}

async function language(browser, site) {
  const { page, open, close } = await visit(browser, site);
  await open("/epochs");
  await tabTo(page, "Deutsch");
  await page.keyboard.press("Space");
  await page.getByRole("heading", { level: 1, name: "Abrechnungen" }).waitFor();
  assert.equal(await focused(page), "Deutsch", "the focus stays where it was");
  await close();
}

async function folded(browser, site) {
  const { page, open, close } = await visit(browser, site);
  await open("/licenses");
  await tabTo(page, "Which accounts bought them");
  await page.keyboard.press("Enter");
  await page.getByText("Buyers are shown by the number of their account").waitFor();
  await isAccessible(page, "unfolded");
  await close();
}

async function table(browser, site) {
  const { page, open, close } = await visit(browser, site, { size: "narrow" });
  await open("/licenses");
  await settled(page);
  const frame = page.locator(".table-frame").first();
  await frame.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => (document.querySelector(".table-frame")?.scrollLeft ?? 0) > 0);
  await close();
}
