#!/usr/bin/env node
// Storage layouts of every upgradeable contract, ERC-7201 namespaces included, judged by OpenZeppelin's upgrades-core; and
// whether each namespace lies in the slot that its name gives, which the compiler cannot know.
// `--check`: each contract is safe to upgrade to, and contracts/layouts/ holds its layout. `--write`: writes the layouts,
// unless one is not compatible with the layout that stands there; `--write --fresh` accepts that: it is right only while
// no cooperative is deployed from the former layout.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const core = require("@openzeppelin/upgrades-core");
const { calculateERC7201StorageLocation } = require("@openzeppelin/upgrades-core/dist/utils/erc7201.js");
const solc = require("solc");

const contracts = join(dirname(fileURLToPath(import.meta.url)), "..");
const layouts = join(contracts, "layouts");
const NONE = { object: "", linkReferences: {} };
const [check, write, fresh] = ["--check", "--write", "--fresh"].map((flag) => process.argv.includes(flag));
const forge = process.env.FORGE;
if (check === write || !forge) {
  console.error("usage: FORGE=<path of forge> layout.mjs --check | --write [--fresh]; `cargo xtask layouts` sets it");
  process.exit(2);
}

/** With the code that `forge build` left in out/: upgrades-core tells contracts apart by it, and finds linked libraries in it. */
const withCode = (info) => {
  for (const [source, inside] of Object.entries(info.output.contracts)) {
    for (const [name, contract] of Object.entries(inside)) {
      const built = join(contracts, "out", basename(source), `${name}.json`);
      contract.evm.bytecode = source.startsWith("src/") ? JSON.parse(readFileSync(built, "utf8")).bytecode : NONE;
      contract.evm.bytecode.object = contract.evm.bytecode.object.replace(/^0x/, "");
    }
  }
  return info;
};

/** One compilation of src/ with all that upgrades-core looks at; making the code once more would take five times as long. */
const buildInfo = () => {
  const scratch = mkdtempSync(join(tmpdir(), "layouts-"));
  try {
    const into = (name) => join(scratch, name);
    const args = ["build", "src", "--force", "--ast", "--extra-output", "storageLayout", "--build-info"];
    const paths = ["--build-info-path", into("info"), "--out", into("out"), "--cache-path", into("cache")];
    const env = { ...process.env, SOLC_WITHOUT_CODE: "1" };
    const run = spawnSync(forge, [...args, ...paths], { cwd: contracts, encoding: "utf8", env });
    if (run.status !== 0) throw new Error(`forge failed:\n${run.stdout}${run.stderr}`);
    const files = readdirSync(into("info"));
    if (files.length !== 1) throw new Error(`expected one compilation, found ${files.length}`);
    return withCode(JSON.parse(readFileSync(join(into("info"), files[0]), "utf8")));
  } finally {
    rmSync(scratch, { recursive: true });
  }
};

/** The same sources with a variable for each namespace, so that the compiler tells where its fields lie. */
const namespaced = ({ input, output, solcVersion }) => {
  const { language, sources, settings } = core.makeNamespacedInput(input, output, solcVersion);
  const changed = { language, sources, settings }; // forge adds keys of its own, which the compiler refuses
  changed.settings.outputSelection = { "*": { "": ["ast"], "*": ["storageLayout"] } };
  const compiled = JSON.parse(solc.compile(JSON.stringify(changed)));
  const fatal = (compiled.errors ?? []).filter((e) => e.severity === "error");
  if (fatal.length > 0) throw new Error(fatal.map((e) => e.formattedMessage).join("\n"));
  return compiled;
};

/** Without places in the source, and with AST ids counted in order of appearance: what is left changes with the layout alone. */
const stable = (layout) => {
  const numbers = new Map();
  const text = JSON.stringify(layout, (key, value) => (key === "src" || key === "contract" ? undefined : value));
  const renumbered = text.replace(/\)(\d+)(?=_storage|_memory|\b)/g, (_, id) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size + 1);
    return `)${numbers.get(id)}`;
  });
  return JSON.parse(renumbered);
};

// NamedEIP712 keeps the domain's name and version in code, so these parents have nothing to initialize.
const IN_CODE = new Set(["EIP712Upgradeable", "ERC20PermitUpgradeable"]);
const meant = (error) => error.kind === "missing-initializer-call" && error.parentContracts.every((p) => IN_CODE.has(p));

const isUpgradeable = (contract) => contract.abi?.some((entry) => entry.name === "upgradeToAndCall");

const judge = (info) => {
  const { input, output, solcVersion } = info;
  const decode = core.solcInputOutputDecoder(input, output);
  const data = core.validate(output, decode, solcVersion, input, namespaced(info));
  // The order among parents that share no state is ours.
  const options = core.withValidationDefaults({ kind: "uups", unsafeAllow: ["incorrect-initializer-order"] });
  const found = [];
  for (const [source, inside] of Object.entries(output.contracts)) {
    for (const [name, contract] of Object.entries(inside)) {
      if (!source.startsWith("src/") || !isUpgradeable(contract) || !contract.evm.bytecode.object) continue;
      const version = core.getContractVersion(data, `${source}:${name}`);
      const errors = core.getErrors(data, version, options).filter((error) => !meant(error));
      found.push({ name, layout: stable(core.getStorageLayout(data, version)), errors });
    }
  }
  return { found, options };
};

const info = buildInfo();
const { found, options } = judge(info);
const problems = [];
for (const [source, { content }] of Object.entries(info.input.sources)) {
  if (!source.startsWith("src/")) continue;
  const namespaces = [...content.matchAll(/@custom:storage-location erc7201:(\S+)/g)].map(([, name]) => name);
  const slots = [...content.matchAll(/ constant \w*STORAGE = (0x[0-9a-f]{64});/g)].map(([, slot]) => slot);
  const wanted = namespaces.map(calculateERC7201StorageLocation);
  if (slots.join() !== wanted.join()) problems.push(`${source}: ${namespaces} lies at ${slots}, ERC-7201 says ${wanted}`);
}
mkdirSync(layouts, { recursive: true });
for (const { name, layout, errors } of found) {
  for (const error of errors) problems.push(`${name} is not safe to upgrade to: ${error.kind} at ${error.src}`);
  const path = join(layouts, `${name}.json`);
  const text = JSON.stringify(layout, null, 1) + "\n";
  const before = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  if (before === text) continue;
  const report = before && !fresh ? core.getStorageUpgradeReport(JSON.parse(before), layout, options) : undefined;
  if (report && !report.ok) problems.push(`${name}: storage would be misread\n${report.explain(false)}`);
  else if (check) problems.push(`${name}: layouts/${name}.json is not its layout; run cargo xtask layouts`);
  if (write && (!report || report.ok)) writeFileSync(path, text);
}
const names = new Set(found.map(({ name }) => `${name}.json`));
for (const file of readdirSync(layouts).filter((file) => !names.has(file))) {
  if (check) problems.push(`layouts/${file} is of no contract; run cargo xtask layouts`);
  else rmSync(join(layouts, file));
}
if (found.length === 0) problems.push("no upgradeable contract was found");
if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log(`${found.length} storage layouts ${check ? "are as recorded" : "recorded"}, each safe to upgrade to`);
