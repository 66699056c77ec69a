import { expect, it } from "vitest";
import { leastLeft } from "./budget";
import { poolOf } from "./size";
import { nanoOf, rhoOf } from "./rho";

it("writes privacy loss as a decimal, and reads it back", () => {
  for (const [nano, text] of [[50_000_000, "0.05"], [1_000_000_000, "1"], [1_000, "0.000001"], [0, "0"], [10_000_000_000, "10"], [100_000_000, "0.1"]] as const) {
    expect(rhoOf(nano)).toBe(text);
    expect(nanoOf(text)).toBe(nano);
  }
  expect(nanoOf("0,05")).toBe(50_000_000);
  for (const wrong of ["", ".5", "1e3", "-1", "0.0000000001", "a"]) expect(nanoOf(wrong), wrong).toBeUndefined();
});

it("tells what is left by the first year, and never below nothing", () => {
  const limits = { lifetime: 1_000, per_year: 250 };
  expect([0, 200, 251].map((rho) => leastLeft({ rho, limits }))).toEqual([250, 50, 0]);
  expect(leastLeft({ rho: 10, limits: { lifetime: 100, per_year: 250 } })).toBe(90);
  expect(leastLeft({ rho: 5, limits: null })).toBeUndefined();
});

it("takes the newest published size, and the least before the first counting", () => {
  const size = (epoch: number, members: number) => ({ dataset: 1, purpose: 6, epoch, members });
  expect(poolOf({ sizes: [size(2, 100), size(4, 150), size(3, 200)] }, 1, 6)).toMatchObject({ members: 150, epoch: 4 });
  expect(poolOf({ sizes: [] }, 1, 6)).toEqual({ members: 50, epoch: 0 });
});
