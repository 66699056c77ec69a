#!/usr/bin/env node
// Writes src/api/generated.ts from openapi.json, the committed copy of the gateway's OpenAPI document.
//
//   npm run api                      from the copy that is there
//   npm run api -- URL-or-file       takes a new copy first
//   npm run api -- --check [URL-or-file]   writes nothing; exits 1 where the client differs from the copy, or the copy from what is named
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { client } from "./openapi.mjs";

const COPY = fileURLToPath(new URL("../openapi.json", import.meta.url));
const CLIENT = fileURLToPath(new URL("../src/api/generated.ts", import.meta.url));

const words = process.argv.slice(2);
const check = words.includes("--check");
const source = words.find((word) => !word.startsWith("--"));

const fetched = source && text(await read(source));
if (fetched && !check) writeFileSync(COPY, fetched);
const copy = readFileSync(COPY, "utf8");
const written = client(JSON.parse(copy));

if (!check) {
  writeFileSync(CLIENT, written);
} else {
  const drift = [
    fetched && fetched !== copy && `openapi.json is not what ${source} says: npm run api -- ${source}`,
    readFileSync(CLIENT, "utf8") !== written && "src/api/generated.ts is not made from openapi.json: npm run api",
  ].filter(Boolean);
  drift.forEach((line) => console.error(line));
  process.exit(drift.length ? 1 : 0);
}

async function read(from) {
  if (!/^https?:/.test(from)) return JSON.parse(readFileSync(from, "utf8"));
  const answer = await fetch(from.endsWith(".json") ? from : new URL("/openapi.json", from));
  if (!answer.ok) throw new Error(`${from}: ${answer.status}`);
  return answer.json();
}

// The examples are one problem document for each code and route: nothing that a client is made from.
function text(document) {
  const slim = (value) =>
    Array.isArray(value) ? value.map(slim)
    : value && typeof value === "object"
      ? Object.fromEntries(Object.keys(value).sort().filter((key) => key !== "examples").map((key) => [key, slim(value[key])]))
      : value;
  return `${JSON.stringify(slim(document), null, 1)}\n`;
}
