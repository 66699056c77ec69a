import { expect, it } from "vitest";
import { countOf, phaseOf } from "./phase";

it("opens at its first second and is closed at its last", () => {
  const poll = { opens_at: 100, closes_at: 200 };
  expect([99, 100, 199, 200].map((now) => phaseOf(poll, now))).toEqual(["later", "open", "open", "closed"]);
});

it("counts each option by its place, and a choice beyond them for nobody", () => {
  expect(countOf(["yes", "no", "neither"], [0, 2, 0, 7])).toEqual([2, 0, 1]);
});
