import { expect, it } from "vitest";
import { due } from "./due";

const ONE = "1000000000000000000";

it("is what was earned in whole units, less what was collected", () => {
  expect(due("3999999999999999999", ONE, ONE)).toBe(2n * 10n ** 18n);
  expect(due("999999999999999999", ONE, "0")).toBe(0n);
});
it("is exact for a unit of one, and never below nothing", () => {
  expect(due("7", "1", "2")).toBe(5n);
  expect(due("7", "1", "9")).toBe(0n);
});
