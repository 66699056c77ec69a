#!/usr/bin/env node
// Writes abi/<Contract>.json = {abi, bytecode} for every deployable contract, from what `forge build` left in out/.
// Deterministic: keys sorted, one file a contract. `--check` writes nothing and exits 1 where a file differs.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const CONTRACTS = [
  "AccessPlan",
  "AuctionHouse",
  "Buyback",
  "CharterGate",
  "ComputeDesk",
  "ConsentRegistry",
  "ContestVerifier",
  "ContributionRegistry",
  "CoopAuthority",
  "CoopFactory",
  "CoopGovernor",
  "CoopTimelock",
  "DataToken",
  "DatasetCatalog",
  "Disputes",
  "ERC1967Proxy",
  "EthicsRegistry",
  "FoundingCheck",
  "FoundingPlan",
  "GovToken",
  "License",
  "Market",
  "MemberAccount",
  "MemberAccountFactory",
  "Membership",
  "OperatorPay",
  "PauseGuard",
  "ResearcherBond",
  "ServiceDesk",
  "Programs",
  "SettlementLedger",
  "StewardCommittee",
  "TestUSDC",
  "Treasury",
  "Vesting",
];

const contracts = join(dirname(fileURLToPath(import.meta.url)), "..");
const target = join(contracts, "..", "abi");
const check = process.argv.includes("--check");

const sorted = (value) =>
  Array.isArray(value) ? value.map(sorted)
  : value && typeof value === "object"
    ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]))
    : value;

const byKindAndName = (a, b) => {
  const key = (entry) => `${entry.type} ${entry.name ?? ""} ${JSON.stringify(entry.inputs ?? [])}`;
  return key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
};

const render = (name) => {
  const artifact = JSON.parse(readFileSync(join(contracts, "out", `${name}.sol`, `${name}.json`), "utf8"));
  if (Object.keys(artifact.bytecode.linkReferences ?? {}).length > 0) throw new Error(`${name} needs linking`);
  const abi = artifact.abi.toSorted(byKindAndName);
  return JSON.stringify(sorted({ abi, bytecode: artifact.bytecode.object }), null, 1) + "\n";
};

const differing = [];
const settle = (file, text) => {
  const path = join(target, file);
  if ((existsSync(path) ? readFileSync(path, "utf8") : undefined) === text) return;
  differing.push(file);
  if (check) return;
  if (text === undefined) rmSync(path);
  else writeFileSync(path, text);
};

mkdirSync(target, { recursive: true });
for (const name of CONTRACTS) settle(`${name}.json`, render(name));
for (const file of readdirSync(target)) {
  if (file.endsWith(".json") && !CONTRACTS.includes(file.slice(0, -5))) settle(file, undefined);
}

if (check && differing.length > 0) {
  console.error(`abi/ differs from the contracts: ${differing.join(", ")}. Run: node contracts/script/abi.mjs`);
  process.exit(1);
}
console.log(check ? `abi/ matches ${CONTRACTS.length} contracts` : `abi/: ${differing.length} of ${CONTRACTS.length} written`);
