#!/usr/bin/env node
// Holds dist/ to its budget: how many bytes of script come with the first page, and how many more with each route. Words count.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const FIRST = 150_000;
const MORE = 60_000;

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, "utf8"));
const packed = new Map();
const size = (file) => {
  if (!file.endsWith(".js")) return 0;
  if (!packed.has(file)) packed.set(file, gzipSync(readFileSync(dist + file), { level: 9 }).length);
  return packed.get(file);
};

/** A chunk with all that it imports before it runs. */
function closure(key, files = new Set()) {
  const chunk = manifest[key];
  if (files.has(chunk.file)) return files;
  files.add(chunk.file);
  chunk.imports?.forEach((next) => closure(next, files));
  return files;
}

const sum = (files) => [...files].reduce((total, file) => total + size(file), 0);
/** The words of these rooms, in the language that has most of them. */
function largest(rooms) {
  const languages = {};
  for (const key of Object.keys(manifest)) {
    const [, language, name] = /^src\/i18n\/(\w+)\/([\w-]+)\.json$/.exec(key) ?? [];
    if (rooms.includes(name)) languages[language] = (languages[language] ?? 0) + size(manifest[key].file);
  }
  return Math.max(0, ...Object.values(languages));
}

/** The rooms whose words come with a page, as its route says. */
const router = readFileSync(new URL("../src/router.tsx", import.meta.url), "utf8");
const roomsOf = new Map([...router.matchAll(/page\("[^"]*", (\[[^\]]*\]|"[^"]*"), \(\) => import\("\.\/([^"]*)"\)\)/g)].map(([, rooms, file]) => [`src/${file}.tsx`, rooms.match(/[\w-]+/g)]));

/** What a page itself loads when it is shown, as the chart: not other pages, nor words. */
function later(key, seen = new Set()) {
  if (seen.has(key)) return [];
  seen.add(key);
  const { imports = [], dynamicImports = [] } = manifest[key];
  const own = dynamicImports.filter((next) => !next.startsWith("src/i18n/") && !next.endsWith(".tsx"));
  return [...own, ...imports.filter((next) => next !== "index.html").flatMap((next) => later(next, seen))];
}

const entry = closure("index.html");
const rows = [["first load", sum(entry) + largest(["common"]), FIRST]];
for (const key of manifest["index.html"].dynamicImports.filter((key) => key.endsWith(".tsx"))) {
  const rooms = roomsOf.get(key);
  if (!rooms) throw new Error(`${key} has no route`);
  const all = [...closure(key), ...later(key).flatMap((next) => [...closure(next)])].filter((file) => !entry.has(file));
  rows.push([key, sum(new Set(all)) + largest(rooms), MORE]);
}
let isOver = rows.length < 2;
for (const [name, bytes, most] of rows) {
  isOver ||= bytes > most;
  console.log(`${bytes > most ? "OVER" : "ok  "} ${(bytes / 1000).toFixed(1).padStart(6)} of ${most / 1000} KB  ${name}`);
}
process.exit(isOver ? 1 : 0);
