// How soon a page is there, how still it stands and how soon it answers, on a machine of a quarter of this one's speed.

import assert from "node:assert/strict";

/** How many times slower. */
const SLOWER = 4;
/** What no page goes beyond on a slow machine that has other work to do as well; docs/benchmarks.md has what they need on a quiet one. */
const MOST = { cls: 0.1, lcp: 10_000, tbt: 3_000 };

/**
 * Slows a visitor's machine down, and gives the figures of the page that is open: milliseconds for LCP and TBT; CLS has no unit. Nothing is taken
 * from what the browser kept of an earlier page.
 */
export async function slowed(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  await page.addInitScript(watch);
  return {
    figures: () => page.evaluate(() => window.figures()),
    /** The machine is as quick as before. */
    end: () => session.detach(),
  };
}

/** Opens each of a visitor's pages and holds it to what is bearable. Above a CLS of 0.1 people press what they did not mean. */
export async function areBearable({ page, open, quiet }, paths) {
  const { figures, end } = await slowed(page);
  for (const path of paths) {
    await open(path);
    await quiet();
    const found = await figures();
    for (const [what, most] of Object.entries(MOST)) assert.ok(found[what] <= most, `${path}: ${what} is ${found[what].toFixed(3)}, at most ${most}`);
  }
  await end();
}

/** Runs in the page, before anything of its own. */
function watch() {
  const seen = { lcp: 0, fcp: 0, cls: 0, tasks: [] };
  const on = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  on("largest-contentful-paint", ({ startTime }) => (seen.lcp = startTime));
  on("paint", ({ name, startTime }) => name === "first-contentful-paint" && (seen.fcp = startTime));
  // All of it, where the metric takes the worst five seconds: never less than the metric.
  on("layout-shift", ({ value, hadRecentInput }) => (seen.cls += hadRecentInput ? 0 : value));
  on("longtask", ({ startTime, duration }) => seen.tasks.push([startTime, duration]));
  window.figures = () => ({
    lcp: seen.lcp,
    cls: seen.cls,
    /** What each long task took beyond 50 ms from the first paint on. */
    tbt: seen.tasks.filter(([start]) => start >= seen.fcp).reduce((sum, [, duration]) => sum + duration - 50, 0),
  });
}
