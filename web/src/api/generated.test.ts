import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { client } from "../../scripts/openapi.mjs";
import openapi from "../../openapi.json";

it("is what the committed document says", () => {
  const written = readFileSync(fileURLToPath(new URL("generated.ts", import.meta.url)), "utf8");
  expect(client(openapi)).toBe(written);
});

const document = (properties: Record<string, unknown>, required: string[] = []) => ({
  components: { schemas: { One: { type: "object", properties, required } } },
  paths: {},
});

it("tells what may be absent from what may be null", () => {
  const text = client(document({ a: { type: "string" }, b: { type: ["string", "null"] }, c: { oneOf: [{ type: "boolean" }, { type: "null" }] } }, ["a", "c"]));
  expect(text).toContain("a: v.string(),");
  expect(text).toContain("b: v.optional(v.nullable(v.string())),");
  expect(text).toContain("c: v.nullable(v.boolean()),");
});

it("refuses a schema that it cannot write, and one that holds itself", () => {
  expect(() => client(document({ a: { type: "tuple" } }))).toThrow("tuple");
  expect(() => client(document({ a: { $ref: "#/components/schemas/One" } }))).toThrow("One → One");
});
