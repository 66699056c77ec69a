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
/** The words of a room, split or not, in the language that has most of them. */
function largest(room) {
  const languages = {};
  for (const key of Object.keys(manifest)) {
    const [, language, name] = /^src\/i18n\/(\w+)\/([\w-]+)\.json$/.exec(key) ?? [];
    if (name?.split("-")[0] === room) languages[language] = (languages[language] ?? 0) + size(manifest[key].file);
  }
  return Math.max(0, ...Object.values(languages));
}

const entry = closure("index.html");
const rows = [["first load", sum(entry) + largest("common"), FIRST]];
for (const key of manifest["index.html"].dynamicImports.filter((key) => key.endsWith(".tsx"))) {
  const [, room] = key.split("/");
  const own = [...closure(key)].filter((file) => !entry.has(file));
  // What the page itself loads when it is shown, as the chart.
  const later = (manifest[key].dynamicImports ?? []).concat(...[...(manifest[key].imports ?? [])].map((next) => manifest[next].dynamicImports ?? []));
  const shown = later.filter((next) => !next.startsWith("src/i18n/") && !next.endsWith(".tsx")).flatMap((next) => [...closure(next)]);
  const all = new Set([...own, ...shown.filter((file) => !entry.has(file))]);
  rows.push([key, sum(all) + largest(room), MORE]);
}
let isOver = rows.length < 2;
for (const [name, bytes, most] of rows) {
  isOver ||= bytes > most;
  console.log(`${bytes > most ? "OVER" : "ok  "} ${(bytes / 1000).toFixed(1).padStart(6)} of ${most / 1000} KB  ${name}`);
}
process.exit(isOver ? 1 : 0);
