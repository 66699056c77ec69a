#!/usr/bin/env node
// Stands in for the native `solc` that forge expects: the same compiler, as published on npm.
// Answers the two questions forge asks, `--version` and `--standard-json` (input on stdin).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const solc = createRequire(import.meta.url)("solc");

// `forge coverage` turns the optimizer off, so that every line keeps code of its own; the curve arithmetic of passkeys then
// has too many variables for the stack. Freeing those that are no longer used, and no other step, lets it compile.
const FOR_COVERAGE = { enabled: false, details: { yul: true, yulDetails: { stackAllocation: true, optimizerSteps: ":" } } };

function compile(input) {
  if (process.env.FOUNDRY_PROFILE !== "coverage") return solc.compile(input);
  const asked = JSON.parse(input);
  asked.settings.optimizer = FOR_COVERAGE;
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
