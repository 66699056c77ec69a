import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { LANGUAGES, preferred } from ".";

type Tree = { [key: string]: string | Tree };
const PLURAL = /_(zero|one|two|few|many|other)$/;

const words = (language: string, room: string): Map<string, string> => {
  const text = readFileSync(new URL(`${language}/${room}`, import.meta.url), "utf8");
  return new Map(leaves(JSON.parse(text) as Tree));
};
const leaves = (tree: Tree, above = ""): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]) => (typeof value === "string" ? [[above + key, value] as [string, string]] : leaves(value, `${above}${key}.`)));
const slots = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort();

const rooms = readdirSync(new URL("en", import.meta.url));
const others = Object.keys(LANGUAGES).filter((language) => language !== "en");

it.each(Object.keys(LANGUAGES))("%s has every room", (language) => {
  expect(readdirSync(new URL(language, import.meta.url)).sort()).toEqual([...rooms].sort());
});

describe.each(others.flatMap((language) => rooms.map((room) => [language, room] as const)))("%s/%s", (language, room) => {
  const [english, own] = [words("en", room), words(language, room)];
  // Languages have plural forms of their own: the key before the form is what they share.
  const bare = (keys: Iterable<string>) => [...new Set([...keys].map((key) => key.replace(PLURAL, "")))].sort();

  it("has the same keys as English", () => expect(bare(own.keys())).toEqual(bare(english.keys())));
  it("says nothing empty", () => expect([...own].filter(([, text]) => !text.trim())).toEqual([]));
  it("fills the same slots", () => {
    const differing = [...own].filter(([key, text]) => english.has(key) && String(slots(text)) !== String(slots(english.get(key) ?? "")));
    expect(differing.map(([key]) => key)).toEqual([]);
  });
  it("has each form that its plural needs", () => {
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    const plural = bare([...own.keys()].filter((key) => PLURAL.test(key)));
    expect(plural.flatMap((key) => forms.filter((form) => !own.has(`${key}_${form}`)).map((form) => `${key}_${form}`))).toEqual([]);
  });
});

it("speaks what was chosen, else what the browser asks for, else English", () => {
  expect(preferred("de", ["en-US"])).toBe("de");
  expect(preferred(null, ["fr-FR", "de-CH", "en-US"])).toBe("de");
  expect(preferred("xx", ["fr-FR"])).toBe("en");
});
