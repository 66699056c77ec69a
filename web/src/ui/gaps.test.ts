import { expect, it } from "vitest";
import { isSparse } from "./gaps";

it("a series has gaps where days between two values have none", () => {
  expect([[null, "1", "2", null], ["1", null, "2"], [null, null], ["1"]].map(isSparse)).toEqual([false, true, false, false]);
});
