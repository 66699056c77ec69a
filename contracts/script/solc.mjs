#!/usr/bin/env node
// Stands in for the native `solc` that forge expects: the same compiler, as published on npm.
// Answers the two questions forge asks, `--version` and `--standard-json` (input on stdin).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const solc = createRequire(import.meta.url)("solc");

// Without the optimizer every line keeps code of its own, which coverage needs, but the curve arithmetic of passkeys has too
// many variables for the stack. Freeing those that are no longer used, and no other step, lets it compile.
const UNOPTIMIZED = { enabled: false, details: { yul: true, yulDetails: { stackAllocation: true, optimizerSteps: ":" } } };

/** Without code, which is most of the work: SOLC_WITHOUT_CODE=1 is for who asks about sources and storage alone. */
const withoutCode = (selection) => {
  for (const contracts of Object.values(selection)) {
    for (const [name, asked] of Object.entries(contracts)) {
      contracts[name] = asked.filter((output) => !/^(evm\.(bytecode|deployedBytecode)|metadata|\*)/.test(output));
    }
  }
};

function compile(input) {
  const asked = JSON.parse(input);
  if (process.env.SOLC_WITHOUT_CODE) {
    withoutCode(asked.settings.outputSelection);
    return solc.compile(JSON.stringify(asked));
  }
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
