#!/usr/bin/env node
// Stands in for the native `solc` that forge expects: the same compiler, as published on npm.
// Answers the two questions forge asks, `--version` and `--standard-json` (input on stdin).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const solc = createRequire(import.meta.url)("solc");

if (process.argv.includes("--version")) {
  console.log("solc, the solidity compiler commandline interface");
  console.log(`Version: ${solc.version()}`);
} else if (process.argv.includes("--standard-json")) {
  process.stdout.write(solc.compile(readFileSync(0, "utf8")));
} else {
  console.error("solc.mjs: only --version and --standard-json are answered");
  process.exit(2);
}
