import { expect, it } from "vitest";
import { memberIn, TIERS, weiOf } from "./points";

it("reads amounts to the last part, however they are written", () => {
  expect([weiOf("36"), weiOf("1.5"), weiOf(" 0,000000000000000001 ")]).toEqual([36n * 10n ** 18n, 15n * 10n ** 17n, 1n]);
  expect(["", "-1", "1e3", "1.000.000", "0x1", "1.0000000000000000001"].map(weiOf)).toEqual(Array(6).fill(undefined));
});

it("knows the contract's tiers: the square of each is what an amount is multiplied by", () => {
  expect(TIERS.map(({ times }) => Math.round(times * times * 10_000))).toEqual([12_100, 15_625, 22_500, 30_625, 40_000]);
});

it("takes a member's number and nothing like it", () => {
  expect(["7", " 12 ", "0", "-3", "1.5", "member 3", "0x7"].map(memberIn)).toEqual([7, 12, undefined, undefined, undefined, undefined, undefined]);
});
