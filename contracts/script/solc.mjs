#!/usr/bin/env node
// Stands in for the native `solc` that forge expects: the same compiler, as published on npm.
// Answers the two questions forge asks, `--version` and `--standard-json` (input on stdin).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const solc = createRequire(import.meta.url)("solc");

// Without the optimizer every line keeps code of its own, which coverage needs, but the curve arithmetic of passkeys has too
// many variables for the stack. Freeing those that are no longer used, and no other step, lets it compile.
const UNOPTIMIZED = { enabled: false, details: { yul: true, yulDetails: { stackAllocation: true, optimizerSteps: ":" } } };

function compile(input) {
  const asked = JSON.parse(input);
  if (asked.settings.optimizer?.enabled) return solc.compile(input);
  asked.settings.optimizer = UNOPTIMIZED;
  return solc.compile(JSON.stringify(asked));
}

if (process.argv.includes("--version")) {
  console.log("solc, the solidity compiler commandline interface");
  console.log(`Version: ${solc.version()}`);
} else if (process.argv.includes("--standard-json")) {
  process.stdout.write(compile(readFileSync(0, "utf8")));
} else {
  console.error("solc.mjs: only --version and --standard-json are answered");
  process.exit(2);
}
