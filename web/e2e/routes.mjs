// Every route, at both widths, in both themes and languages.
import assert from "node:assert/strict";
import { fits, isAccessible, visit } from "./browser.mjs";

/** Words that nobody needs to know who has never held a wallet, in both languages, as whole words. */
export const JARGON =
  /(?<![\p{L}\d])(gas|wallets?|transactions?|tokens?|blockchains?|signs?|signed|signing|transaktion(en)?|signier(en|t|te|ung)|brieftaschen?|kettenblock)(?![\p{L}\d])/giu;
/** Pages of people who work with a wallet, and of those who run the processes, say what they work with. */
const WORKING = /^\/(health|operations|kpis|try|request|buy|desk|invoice|ask|answers|ethics|auction|compute)/;
/** Each width in each theme; both languages at both widths and in both themes. */
const LOOKS = [
  { size: "narrow", theme: "light", language: "en" },
  { size: "narrow", theme: "dark", language: "de" },
  { size: "wide", theme: "dark", language: "en" },
  { size: "wide", theme: "light", language: "de" },
];

export const tests = ({ browser, site, gateway, shoot }) => [
  ...LOOKS.map((look) => {
    const name = `${look.language}, ${look.theme}, ${look.size}`;
    return [name, () => everyRoute(browser, site, gateway, shoot, look)];
  }),
  ["nothing jumps while a page fills, on a slow machine", () => still(browser, site, gateway)],
  ["what does not exist says so", () => absent(browser, site)],
  ["titles and headings are each page's own", () => titles(browser, site, gateway)],
  ["back, forward and reload keep the place", () => history(browser, site)],
  ["the language is kept", () => language(browser, site)],
];

/** Paths, with those of things that the cooperative has. Pages of operators may speak of what they run. */
async function pathsOf(gateway) {
  const polls = await (await fetch(`${gateway}/v1/polls`)).json();
  const { final_epoch, epoch } = await (await fetch(`${gateway}/v1/cooperative`)).json();
  const datasets = await (await fetch(`${gateway}/v1/datasets`)).json();
  const [proposal] = await (await fetch(`${gateway}/v1/proposals`)).json();
  assert.ok(polls.length > 0 && final_epoch > 0 && datasets.length > 0, "the cooperative has to have a poll, a final epoch and a dataset to show");
  return [
    "/",
    "/check",
    "/join",
    "/home",
    "/sharing",
    "/sharing/choose",
    "/sharing/stop",
    "/sharing/delete",
    "/data",
    "/uses",
    "/money",
    "/rewards",
    "/vote",
    "/vote/weight",
    "/vote/ask",
    "/help",
    "/licenses",
    "/treasury",
    "/epochs",
    `/epochs/${final_epoch}`,
    `/epochs/${epoch}`,
    "/proposals",
    ...(proposal ? [`/proposals/${proposal.id}`, `/vote/${proposal.id}`] : []),
    "/delegates",
    "/houses",
    "/polls",
    ...[...polls].sort((one, other) => other.ballots - one.ballots).slice(0, 1).flatMap(({ id }) => [`/polls/${id}`, `/vote/polls/${id}`]),
    "/datasets",
    "/try",
    ...datasets.map(({ dataset }) => `/datasets/${dataset}`),
    "/request",
    `/buy/${datasets[0].dataset}`,
    "/desk",
    "/ask",
    `/auction/${datasets[0].dataset}`,
    `/compute/${datasets[0].dataset}`,
    "/invoice/1",
    "/ethics",
    "/health",
    "/operations",
    "/kpis",
    "/kpis/members_active",
  ];
}

async function everyRoute(browser, site, gateway, shoot, look) {
  const visitor = await visit(browser, site, look);
  const { page } = visitor;
  for (const path of await pathsOf(gateway)) {
    const where = `${path}, ${Object.values(look).join(", ")}`;
    await visitor.open(path);
    if (path === "/epochs" || path.startsWith("/kpis/")) await page.locator("canvas").waitFor();
    await fits(page, where);
    await isAccessible(page, where);
    if (!WORKING.test(path)) assert.deepEqual((await textOf(page)).match(JARGON) ?? [], [], `${where}: words that members need not know`);
    assert.equal(await page.locator("html").getAttribute("lang"), look.language, where);
    await shoot(page, `${path.slice(0, 12).replaceAll("/", "-")}-${Object.values(look).join("-")}`);
  }
  // Operations asks the stewards themselves.
  visitor.isClean(/^$/, site.stewards);
  await visitor.close();
}

/** All words of the page, folded ones too, but not what members and programs wrote. */
export async function textOf(page) {
  const text = await page.evaluate(() => {
    document.querySelectorAll("details").forEach((details) => (details.open = true));
    const theirs = [...document.querySelectorAll("[data-said]")];
    theirs.forEach((element) => (element.hidden = true));
    const text = document.body.innerText;
    theirs.forEach((element) => (element.hidden = false));
    return text;
  });
  assert.ok(text.length > 300, "the page has words");
  return text;
}

/** Cumulative layout shift, on a CPU of a quarter: above 0.1 people press what they did not mean. */
async function still(browser, site, gateway) {
  for (const size of ["narrow", "wide"]) {
    for (const path of await pathsOf(gateway)) {
      const { page, open, close } = await visit(browser, site, { size });
      await (await page.context().newCDPSession(page)).send("Emulation.setCPUThrottlingRate", { rate: 4 });
      await page.addInitScript(() => {
        window.shifted = 0;
        const add = (list) => list.getEntries().forEach((shift) => (window.shifted += shift.hadRecentInput ? 0 : shift.value));
        new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
      });
      await open(path);
      await page.waitForTimeout(500);
      const shifted = await page.evaluate(() => window.shifted);
      assert.ok(shifted <= 0.1, `${path}, ${size}: ${shifted.toFixed(3)}`);
      await close();
    }
  }
}

async function absent(browser, site) {
  const visitor = await visit(browser, site);
  for (const [path, said] of [
    ["/nowhere", "There is no page at this address"],
    ["/epochs/99999", "This does not exist"],
    ["/epochs/abc", "This does not exist"],
    [`/polls/0x${"0".repeat(64)}`, "This does not exist"],
    ["/polls/abc", "This does not exist"],
    [`/proposals/0x${"0".repeat(64)}`, "This does not exist"],
    ["/kpis/abc", "There is no figure of this name"],
    ["/datasets/99999", "There is no dataset 99999 on offer"],
  ]) {
    await visitor.open(path);
    assert.match(await visitor.page.locator("main").innerText(), new RegExp(said), path);
    await isAccessible(visitor.page, path);
  }
  visitor.isClean(/status of 40[04]/);
  await visitor.close();
}

async function titles(browser, site, gateway) {
  const visitor = await visit(browser, site);
  const titles = new Set();
  const paths = await pathsOf(gateway);
  for (const path of paths) {
    await visitor.open(path);
    const heading = await visitor.page.locator("h1").innerText();
    const title = await visitor.page.title();
    assert.equal(title, `${heading} – Data cooperative`, path);
    titles.add(title);
  }
  assert.equal(titles.size, paths.length, "each page has a title of its own");
  await visitor.close();
}

async function history(browser, site) {
  const { page, open, close } = await visit(browser, site);
  await open("/epochs");
  await page.getByRole("link", { name: "Period 2" }).click();
  await page.getByRole("heading", { level: 1, name: "Payment period 2" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Payment period 2" }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { level: 1, name: "Payment periods" }).waitFor();
  await page.goForward();
  await page.getByRole("heading", { level: 1, name: "Payment period 2" }).waitFor();
  await close();
}

async function language(browser, site) {
  const { page, open, close } = await visit(browser, site, { language: "en" });
  await open("/treasury");
  await page.getByRole("button", { name: "Deutsch" }).click();
  await page.getByRole("heading", { level: 1, name: "Wohin das Geld geht" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Wohin das Geld geht" }).waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "de");
  await close();
}
