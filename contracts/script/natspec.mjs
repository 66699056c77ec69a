#!/usr/bin/env node
// Exits 1 where an external or public function of src/ lacks `@notice`, a `@param` for a parameter or a `@return` for a
// value, as solc understands them (`@inheritdoc` counts), and where a parameter of an interface, event or error has no
// name. Asks solc itself, for documentation and nothing else, so that no older build answers in its place.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const solc = createRequire(import.meta.url)("solc");
const contracts = join(dirname(fileURLToPath(import.meta.url)), "..");

const CLOSES = { "(": ")", "{": "}" };
const NOT_A_NAME = new Set(["memory", "calldata", "storage", "indexed", "payable"]);

/** `text` without comments and strings, every other character where it was. */
const bare = (text) =>
  text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"/g, (found) => found.replace(/[^\n]/g, " "));

/** What stands between the bracket at `open` and the one that closes it. */
const bracketed = (text, open) => {
  let depth = 0;
  for (let at = open; at < text.length; ++at) {
    if (text[at] === text[open]) ++depth;
    if (text[at] === CLOSES[text[open]] && --depth === 0) return text.slice(open + 1, at);
  }
  throw new Error(`a bracket is not closed: ${text.slice(open, open + 40)}`);
};

/** The names of a list of declarations; "" for one without. */
const namesOf = (list) => {
  if (list.trim() === "") return [];
  return list.replace(/\([^)]*\)/g, "").split(",").map((declared) => {
    const words = declared.trim().split(/\s+/).filter((word) => !NOT_A_NAME.has(word));
    return words.length > 1 ? words.at(-1) : "";
  });
};

const contractsOf = (text) =>
  [...text.matchAll(/^(?:abstract\s+)?(contract|interface|library)\s+(\w+)[^{;]*\{/gm)].map((found) => ({
    kind: found[1],
    name: found[2],
    body: bracketed(text, found.index + found[0].length - 1),
  }));

/** The functions of a body that others can call. */
const functionsOf = (body) =>
  [...body.matchAll(/\bfunction\s+(\w+)\s*\(/g)].flatMap((found) => {
    const open = found.index + found[0].length - 1;
    const parameters = bracketed(body, open);
    const rest = /^[^{;]*/.exec(body.slice(open + parameters.length + 2))[0];
    if (!/\b(external|public)\b/.test(rest)) return [];
    const returns = /\breturns\s*\(/.exec(rest);
    const values = returns ? namesOf(bracketed(rest, returns.index + returns[0].length - 1)) : [];
    return [{ name: found[1], parameters: namesOf(parameters), values }];
  });

const typeOf = (input) =>
  input.type.startsWith("tuple") ? `(${input.components.map(typeOf)})${input.type.slice(5)}` : input.type;

/** The signature in the ABI, of the function with these names. */
const signatureOf = (abi, { name, parameters }) => {
  const same = (entry) => entry.inputs.length === parameters.length && entry.inputs.every((input, i) => input.name === parameters[i]);
  const found = abi.find((entry) => entry.type === "function" && entry.name === name && same(entry));
  return found && `${name}(${found.inputs.map(typeOf)})`;
};

const faultsOfFunction = (where, kind, declared, { abi, userdoc, devdoc }) => {
  const signature = signatureOf(abi, declared);
  if (!signature) return [`${where}: not in its ABI`];
  const [user, dev] = [userdoc.methods?.[signature] ?? {}, devdoc.methods?.[signature] ?? {}];
  const wrong = user.notice ? [] : [`${where}: no @notice`];
  for (const parameter of declared.parameters) {
    if (parameter === "" && kind === "interface") wrong.push(`${where}: a parameter without a name`);
    if (parameter !== "" && !dev.params?.[parameter]) wrong.push(`${where}: no @param ${parameter}`);
  }
  declared.values.forEach((value, i) => {
    if (!dev.returns?.[value || `_${i}`]) wrong.push(`${where}: no @return ${value || `for value ${i}`}`);
  });
  return wrong;
};

const faultsOfNames = (where, body) =>
  [...body.matchAll(/\b(event|error)\s+(\w+)\s*\(/g)]
    .filter((found) => namesOf(bracketed(body, found.index + found[0].length - 1)).includes(""))
    .map((found) => `${where}: a parameter of ${found[1]} ${found[2]} without a name`);

const faultsOf = (file, documented) =>
  contractsOf(bare(readFileSync(join(contracts, file), "utf8"))).flatMap(({ kind, name, body }) => {
    const where = `contracts/${file}: ${name}`;
    const functions = functionsOf(body).flatMap((declared) => faultsOfFunction(`${where}.${declared.name}`, kind, declared, documented[file][name]));
    return [...functions, ...faultsOfNames(where, body)];
  });

/** Where an import is: the remappings of foundry.toml all lead into node_modules. */
const content = (path) => {
  for (const place of [path, join("node_modules", path)]) {
    try {
      return { contents: readFileSync(join(contracts, place), "utf8") };
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
  }
  return { error: `not found: ${path}` };
};

const document = (files) => {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(files.map((file) => [file, { content: content(file).contents }])),
    settings: { outputSelection: { "*": { "*": ["abi", "userdoc", "devdoc"] } } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: content }));
  const errors = (output.errors ?? []).filter((error) => error.severity === "error");
  if (errors.length > 0) throw new Error(errors.map((error) => error.formattedMessage).join("\n"));
  return output.contracts;
};

const files = readdirSync(join(contracts, "src"), { recursive: true }).filter((file) => file.endsWith(".sol")).map((file) => join("src", file)).sort();
const documented = document(files);
const wrong = files.flatMap((file) => faultsOf(file, documented));
if (wrong.length > 0) {
  console.error(`${wrong.join("\n")}\nSTYLE.md, Solidity: every external and public function says what it does, takes and returns`);
  process.exit(1);
}
console.log(`NatSpec: ${files.length} sources say of every external and public function what it does, takes and returns`);
