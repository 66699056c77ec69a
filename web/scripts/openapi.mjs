// An OpenAPI document as valibot schemas, types, and one function for each public GET that answers JSON.

/** The whole file. */
export function client(document) {
  const schemas = document.components.schemas;
  const declared = ordered(schemas).map((name) => declaration(name, schemas[name]));
  const functions = Object.entries(document.paths)
    .flatMap(([path, methods]) => (methods.get ? [reader(path, methods.get)] : []))
    .filter(Boolean);
  return `// Made by \`npm run api\` from openapi.json. Do not edit.
import * as v from "valibot";
import { type Read, readOf } from "./read";

${[...declared, ...functions].join("\n\n")}
`;
}

/** Names such that each comes after those that it refers to. */
function ordered(schemas) {
  const done = new Set();
  const visit = (name, path) => {
    if (done.has(name)) return;
    if (path.includes(name)) throw new Error(`${[...path, name].join(" → ")}: a schema that holds itself is not written yet`);
    references(schemas[name]).forEach((inner) => visit(inner, [...path, name]));
    done.add(name);
  };
  Object.keys(schemas).sort().forEach((name) => visit(name, []));
  return [...done];
}

function references(schema) {
  const found = [];
  JSON.stringify(schema, (key, value) => {
    if (key === "$ref") found.push(nameOf(value));
    return value;
  });
  return found;
}

const nameOf = (reference) => reference.split("/").at(-1);

function declaration(name, schema) {
  return `${comment(schema.description)}export const ${name} = ${expression(schema)};
export type ${name} = v.InferOutput<typeof ${name}>;`;
}

function comment(text, indent = "") {
  if (!text) return "";
  const lines = text.split("\n").map((line) => line.trimEnd().replaceAll("*/", "*\\/"));
  return lines.length === 1 ? `${indent}/** ${lines[0]} */\n` : `${indent}/**\n${lines.map((l) => `${indent} * ${l}`.trimEnd()).join("\n")}\n${indent} */\n`;
}

/** Unknown fields pass and are dropped: a newer gateway may say more. */
function expression(schema, indent = "") {
  if (schema.$ref) return nameOf(schema.$ref);
  if (schema.enum) return `v.picklist(${JSON.stringify(schema.enum).replaceAll(",", ", ")})`;
  const either = schema.oneOf ?? schema.anyOf;
  if (either) return union(either, indent);
  if (schema.allOf?.length === 1) return expression(schema.allOf[0], indent);
  if (schema.allOf) return `v.intersect([${schema.allOf.map((part) => expression(part, indent)).join(", ")}])`;
  if (Array.isArray(schema.type)) return union(schema.type.map((type) => ({ ...schema, type })), indent);
  switch (schema.type) {
    case "object":
      return object(schema, indent);
    case "array":
      return `v.array(${expression(schema.items, indent)})`;
    case "string":
      return schema.pattern ? `v.pipe(v.string(), v.regex(/${schema.pattern.replaceAll("/", "\\/")}/))` : "v.string()";
    case "integer":
      return `v.pipe(v.number(), v.safeInteger()${schema.minimum === undefined ? "" : `, v.minValue(${schema.minimum})`})`;
    case "number":
      return "v.number()";
    case "boolean":
      return "v.boolean()";
    case "null":
      return "v.null()";
    default:
      if (schema.type === undefined) return "v.unknown()";
      throw new Error(`a schema of type ${schema.type} is not written yet`);
  }
}

function union(members, indent) {
  const others = members.filter((member) => member.type !== "null");
  const one = others.length === 1 ? expression(others[0], indent) : `v.union([${others.map((m) => expression(m, indent)).join(", ")}])`;
  return others.length < members.length ? `v.nullable(${one})` : one;
}

function object(schema, indent) {
  if (!schema.properties) return "v.record(v.string(), v.unknown())";
  const inner = `${indent}  `;
  const fields = Object.entries(schema.properties).map(([name, property]) => {
    const value = expression(property, inner);
    const field = schema.required?.includes(name) ? value : `v.optional(${value})`;
    return `${comment(property.description, inner)}${inner}${/^\w+$/.test(name) ? name : JSON.stringify(name)}: ${field},\n`;
  });
  return `v.object({\n${fields.join("")}${indent}})`;
}

/** A GET that anyone may make and that answers JSON. Health answers its JSON with 503, too. */
function reader(path, operation) {
  const signed = operation.security?.length > 0;
  const answers = Object.entries(operation.responses).filter(([, response]) => response.content?.["application/json"]);
  if (signed || answers.length === 0 || path === "/openapi.json") return undefined;
  const schema = expression(answers[0][1].content["application/json"].schema);
  const statuses = answers.map(([status]) => status).join(", ");
  const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in !== "header");
  const takes = parameters.map((p) => `${p.name}${p.required ? "" : "?"}: ${tsType(p.schema)}`);
  const query = parameters.filter((parameter) => parameter.in === "query").map((parameter) => parameter.name);
  const filled = path.replace(/\{(\w+)\}/g, (_, at) => `\${encodeURIComponent(${at})}`);
  const quoted = filled === path ? `"${path}"` : `\`${filled}\``;
  const rest = query.length ? `, { ${query.join(", ")} }` : "";
  return `${comment(operation.summary)}export const ${readerName(path)} = (${takes.join(", ")}): Read<${typeName(answers[0][1].content["application/json"].schema)}> =>
  readOf(${quoted}, ${schema}, [${statuses}]${rest});`;
}

/** After the path: `/v1/polls/{id}/ballots` is `readPollBallots`. */
function readerName(path) {
  const parts = path.split("/").filter((part) => part && part !== "v1");
  const named = parts.flatMap((part, at) => {
    if (part.startsWith("{")) return [];
    return parts[at + 1]?.startsWith("{") ? [part.replace(/s$/, "")] : [part];
  });
  return `read${named.map((part) => part.replace(/(^|-)(\w)/g, (_, __, letter) => letter.toUpperCase())).join("")}`;
}

const typeName = (schema) => (schema.$ref ? nameOf(schema.$ref) : `${nameOf(schema.items.$ref)}[]`);
const tsType = (schema) => (schema.$ref ? nameOf(schema.$ref) : schema.type === "integer" ? "number" : "string");
