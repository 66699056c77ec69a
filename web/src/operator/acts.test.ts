import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { PARTS } from "../governance/effects";
import { keyOf, nameOfAddress, POTS } from "./acts";

it("names the pots in the order of the contract", () => {
  const contract = readFileSync(new URL("../../../contracts/src/treasury/ITreasury.sol", import.meta.url), "utf8");
  const [, names = ""] = /enum Bucket \{([^}]*)\}/.exec(contract) ?? [];
  expect(names.split(",").map((name) => name.trim().toLowerCase())).toEqual([...POTS]);
});

it("finds a contract by its address, under the name that proposals use", () => {
  const manifest = { addresses: { pause_guard: "0xAB", charter_gate: "0xcd", usdc: "0xef" } };
  expect([nameOfAddress(manifest, "0xab"), nameOfAddress(manifest, "0xCD"), nameOfAddress(manifest, "0x00")]).toEqual(["PauseGuard", "CharterGate", undefined]);
  expect(PARTS).toContain(nameOfAddress(manifest, "0xab"));
  expect(nameOfAddress({}, "0xab")).toBeUndefined();
});

it("tells two alike in one transaction apart", () => {
  const spent = { act: "spent" as const, at: 1, block: 4, tx: `0x${"1".repeat(64)}`, number: 2, amount: "5" };
  expect(new Set([spent, spent, { ...spent, block: 5 }].map(keyOf)).size).toBe(3);
});
