import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import words from "../i18n/en/effects.json";
import { EFFECTS, effectOf, matterOf, NOT_CARRIED, PARTS, VALUES, valueOf, WARNED, wordsOfName } from "./effects";

const ABI = new URL("../../../abi/", import.meta.url);
const functions = (contract: string): string[] => {
  const file = readdirSync(ABI).find((name) => name === `${contract}.json`);
  if (!file) return [];
  const read: unknown = JSON.parse(readFileSync(new URL(file, ABI), "utf8"));
  const abi = (Array.isArray(read) ? read : (read as { abi: unknown[] }).abi) as { type: string; name?: string }[];
  return abi.flatMap(({ type, name }) => (type === "function" && name ? [name] : []));
};

describe("each change that has words", () => {
  it("is a function of a contract", () => {
    const strangers = Object.keys(EFFECTS).filter((key) => {
      const [contract = "", name = ""] = key.split("_");
      const contracts = contract === "any" ? readdirSync(ABI).map((file) => file.replace(".json", "")) : [contract];
      return !contracts.some((one) => functions(one).includes(name));
    });
    expect(strangers).toEqual([]);
  });
  it("has its words, and none is left over", () => {
    expect(Object.keys(words.words).sort()).toEqual(Object.keys(EFFECTS).sort());
    expect(Object.keys(words.warn).sort()).toEqual([...WARNED].sort());
    expect(Object.keys(words.parts).sort()).toEqual([...PARTS].sort());
    expect(Object.keys(words.value).sort()).toEqual([...VALUES].sort());
  });
  it("is each one that a proposal can be made of", () => {
    const rules = readFileSync(new URL("../../../crates/chain/src/gov/rules.rs", import.meta.url), "utf8");
    const known = [...rules.matchAll(/rule\(\s*(?:&\[([^\]]*)\]|UPGRADEABLE),\s*"(\w+)"/g)].flatMap(([, contracts, name]) =>
      [...(contracts ?? '"Market"').matchAll(/"(\w+)"/g)].map(([, contract]) => ({ contract: contract ?? "", function: `${name}(…)` })),
    );
    expect(known.length).toBeGreaterThan(40);
    expect(known.filter((call) => !effectOf(call))).toEqual([]);
  });
});

it("knows how the gateway says that an approval's calls are not carried", () => {
  expect(readFileSync(new URL("../../../crates/chain/src/gov/proposal.rs", import.meta.url), "utf8")).toContain(`"${NOT_CARRIED}`);
});

it("finds a function's words by its contract first, and says so where it has none", () => {
  expect(effectOf({ contract: "Buyback", function: "setTerms((uint128,uint128))" })).toBe("Buyback_setTerms");
  expect(effectOf({ contract: "MemberGovernor", function: "setQuorumFloor(uint256)" })).toBe("any_setQuorumFloor");
  expect(effectOf({ contract: "Buyback", function: "drain(address)" })).toBeUndefined();
  expect(matterOf({ contract: "Buyback", function: "drain(address)" })).toBe("unknown");
});

it("names values as they stand in calls, and splits the others into words", () => {
  expect([valueOf("admissionsPerEpoch"), valueOf("s.dataPrice"), valueOf("rates_.stewardPerEpoch"), valueOf("quorum_"), valueOf("earlyCutoff")]).toEqual(["admissionsPerEpoch", "dataPrice", "stewardPerEpoch", "quorum", undefined]);
  expect(wordsOfName("p.earlyCutoff")).toBe("p early cutoff");
});
