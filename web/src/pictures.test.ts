import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const tests = readdirSync(new URL("../e2e", import.meta.url)).map((name) => read(`../e2e/${name}`)).join("\n");
const made = [...tests.matchAll(/picture\(page, "([a-z-]+)"/g), ...tests.matchAll(/\["(web-[a-z-]+)", \{/g)].map(([, name]) => name);

it("has each picture of the documents taken by a test, and none that nothing shows", () => {
  const shown = ["../../README.md", "../../docs/how-to/member.md"].flatMap((path) => [...read(path).matchAll(/images\/([a-z-]+)\.jpg/g)].map(([, name]) => name));
  expect(shown.length).toBeGreaterThanOrEqual(10);
  expect([...new Set(made)].sort()).toEqual([...new Set(shown)].sort());
  for (const name of made) expect(existsSync(new URL(`../../docs/images/${name}.jpg`, import.meta.url)), name).toBe(true);
});
