#!/usr/bin/env node
// Makes of dist/ what the gateway reads: headers.json with it, and each text packed once, beside itself, in place of at each request.
import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const web = fileURLToPath(new URL("..", import.meta.url));
const dist = join(web, "dist");

copyFileSync(join(web, "headers.json"), join(dist, "headers.json"));
for (const name of readdirSync(dist, { recursive: true })) {
  const path = join(dist, name);
  if (!statSync(path).isFile() || !/\.(js|css|html|svg|wasm)$/.test(name)) continue;
  // Time and name of the machine would stand in the header; gzipSync leaves both out.
  writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
}
