import { expect, it } from "vitest";
import { daysAt } from "./gas";

const ether = 10n ** 18n;

it("says for how many whole days it lasts at what a day takes", () => {
  const means = { gas_balance: String(ether), gas_price: String(2n * 10n ** 9n) };
  // 100 M units at 2 gwei are 0.2 ether.
  expect(daysAt(means, 100_000_000)).toBe(5);
  expect(daysAt(means, 100_000_001)).toBe(4);
  expect(daysAt({ ...means, gas_balance: "0" }, 1)).toBe(0);
  expect(daysAt({ ...means, gas_price: "1" }, 1)).toBe(9_999);
});

it("says nothing where the price or the use is not known, or is nothing", () => {
  expect(daysAt({ gas_balance: "1" }, 1)).toBeUndefined();
  expect(daysAt({ gas_balance: "1", gas_price: "0" }, 1)).toBeUndefined();
  expect(daysAt({ gas_balance: "1", gas_price: "1" }, 0)).toBeUndefined();
  expect(daysAt({ gas_balance: "1", gas_price: "1" }, undefined)).toBeUndefined();
});
