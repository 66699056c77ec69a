// Every route, at both widths, in both themes and languages.
import assert from "node:assert/strict";
import { fits, inLooks, isAccessible, LOOKS, visit } from "./browser.mjs";
import { areBearable } from "./speed.mjs";

/** Words that nobody needs to know who has never held a wallet, in both languages, as whole words. */
export const JARGON =
  /(?<![\p{L}\d])(gas|wallets?|transactions?|tokens?|blockchains?|signs?|signed|signing|transaktion(en)?|signier(en|t|te|ung)|brieftaschen?|kettenblock)(?![\p{L}\d])/giu;
/** Pages of people who work with a wallet, and of those who run the processes, say what they work with. */
const WORKING = /^\/(health|operations|log|kpis|try|request|buy|desk|invoice|ask|answers|ethics|auction|compute)/;

/** Pages that fill with what they ask for: of members' own, which all ask for the passkey first, one. */
const FILLING = /^\/($|home|licenses|treasury|epochs|proposals|delegates|charter|polls|datasets|try|request|buy|desk|ask|auction|compute|invoice|ethics|health|operations|log|kpis)/;

/** Of these the README has pictures. */
const PICTURES = { "/": ["web-front", {}], "/treasury": ["web-money", {}], "/kpis/members_active": ["web-figures", { height: 860 }] };

export const tests = ({ browser, site, gateway, shoot, picture }) => [
  ...Object.keys(LOOKS).map((language) => [`every page, ${language}`, () => everyRoute({ browser, site, gateway, shoot, picture }, language)]),
  ["pages are there soon, and nothing jumps while they fill, on a slow machine", () => still(browser, site, gateway)],
  ["what does not exist says so", () => absent(browser, site)],
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
    "/charter",
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
    "/log",
    "/kpis",
    "/kpis/members_active",
  ];
}

/** Each is loaded once in each language, and looked at in both widths and themes. */
async function everyRoute({ browser, site, gateway, shoot, picture }, language) {
  const visitor = await visit(browser, site, { language });
  const { page } = visitor;
  const paths = await pathsOf(gateway);
  const titles = new Set();
  for (const path of paths) {
    await visitor.open(path);
    if (path === "/epochs" || path.startsWith("/kpis/")) await page.locator("canvas").waitFor();
    if (language === "en" && PICTURES[path]) await picture(page, ...PICTURES[path]);
    await inLooks(page, LOOKS[language], async (look) => {
      await fits(page, `${path}, ${language}, ${look}`);
      await isAccessible(page, `${path}, ${language}, ${look}`);
      await shoot(page, `${path.slice(0, 12).replaceAll("/", "-")}-${language}-${look.replace(", ", "-")}`);
    });
    if (!WORKING.test(path)) assert.deepEqual((await textOf(page)).match(JARGON) ?? [], [], `${path}, ${language}: words that members need not know`);
    assert.equal(await page.locator("html").getAttribute("lang"), language, path);
    const title = await page.title();
    assert.equal(title, `${await page.locator("h1").innerText()} – ${{ en: "Data cooperative", de: "Datengenossenschaft" }[language]}`, path);
    titles.add(title);
  }
  assert.equal(titles.size, paths.length, "each page has a title of its own");
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

/** Every page that asks for something before it shows it, on a CPU of a quarter: a small screen and a wide one by turns. */
async function still(browser, site, gateway) {
  const paths = (await pathsOf(gateway)).filter((path) => FILLING.test(path));
  for (const [turn, size] of ["narrow", "wide"].entries()) {
    const visitor = await visit(browser, site, { size });
    await areBearable(visitor, paths.filter((_, place) => place % 2 === turn));
    await visitor.close();
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
