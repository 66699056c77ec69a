#!/usr/bin/env node
// Holds dist/ to its budget: how many bytes of script come with the first page, and how many more with each route. Words count. What works with
// contracts, viem with it, comes when a wallet is connected, and has a limit of its own.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const FIRST = 150_000;
const MORE = 60_000;
const WALLET = 30_000;
const CONTRACTS = "src/chain/contracts.ts";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, "utf8"));
const router = readFileSync(new URL("../src/router.tsx", import.meta.url), "utf8");
const packed = new Map();
const size = (file) => {
  if (!file.endsWith(".js")) return 0;
  if (!packed.has(file)) packed.set(file, gzipSync(readFileSync(dist + file), { level: 9 }).length);
  return packed.get(file);
};

/** The keys of a chunk and of all that it imports before it runs. */
function closure(key, keys = new Set()) {
  if (keys.has(key)) return keys;
  keys.add(key);
  manifest[key].imports?.forEach((next) => closure(next, keys));
  return keys;
}

const sum = (keys) => [...new Set([...keys].map((key) => manifest[key].file))].reduce((total, file) => total + size(file), 0);
/** A room's words in the language that has most of them. */
function largest(room) {
  const languages = Object.keys(manifest).filter((key) => /^src\/i18n\/\w+\//.test(key) && key.endsWith(`/${room}.json`));
  return Math.max(0, ...languages.map((key) => size(manifest[key].file)));
}

/** Which words a page is shown with stands beside it in the router. */
const pages = [...router.matchAll(/page\("[^"]+", (\[[^\]]+\]|"[^"]+"), \(\) => import\("\.\/([^"]+)"\)\)/g)].map(([, rooms, file]) => [`src/${file}.tsx`, [...rooms.matchAll(/"([^"]+)"/g)].map(([, room]) => room)]);

const entry = closure("index.html");
const rows = [["first load", sum(entry) + largest("common"), FIRST]];
for (const [key, rooms] of pages) {
  const own = closure(key);
  // What the page itself loads when it is shown, as the chart.
  const shown = [...own].filter((one) => !entry.has(one)).flatMap((one) => manifest[one].dynamicImports ?? []);
  for (const next of shown) if (!next.startsWith("src/i18n/") && !next.endsWith(".tsx") && next !== CONTRACTS) closure(next, own);
  const more = [...own].filter((one) => !entry.has(one));
  rows.push([key, sum(more) + rooms.reduce((total, room) => total + largest(room), 0), MORE]);
}
if (manifest[CONTRACTS]) rows.push([`${CONTRACTS}, once a wallet is connected`, sum([...closure(CONTRACTS)].filter((one) => !entry.has(one))), WALLET]);
let isOver = pages.length < 2;
for (const [name, bytes, most] of rows) {
  isOver ||= bytes > most;
  console.log(`${bytes > most ? "OVER" : "ok  "} ${(bytes / 1000).toFixed(1).padStart(6)} of ${most / 1000} KB  ${name}`);
}
process.exit(isOver ? 1 : 0);
