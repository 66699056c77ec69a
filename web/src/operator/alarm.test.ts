import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { alarmOf, bySoonest } from "./alarm";

const FALSE_ROOT = "the root of epoch 7, attempt 1, is false, object before 1799678127: `rochdale dispute object --steward 2 --epoch 7 --attempt 1`";
const DEMAND = "the path that member 4 demands of epoch 7, attempt 0, is not published: carry the answer before 1799600000: `rochdale dispute answer --member 4`";

it("finds the deadline and the command in a keeper's words", () => {
  expect(alarmOf(FALSE_ROOT, 2)).toMatchObject({ steward: 2, until: 1_799_678_127, command: "rochdale dispute object --steward 2 --epoch 7 --attempt 1" });
  expect(alarmOf(DEMAND, 1)).toMatchObject({ until: 1_799_600_000, command: "rochdale dispute answer --member 4" });
  // A number that is no time, and words without either.
  expect(alarmOf("the index stands at block 12, before 34")).toMatchObject({ steward: undefined, until: undefined, command: undefined });
});

it("puts the nearest deadline first, and what has none last", () => {
  const shown = bySoonest([alarmOf("steward 2 does not answer"), alarmOf(FALSE_ROOT), alarmOf(DEMAND)]);
  expect(shown.map(({ until }) => until)).toEqual([1_799_600_000, 1_799_678_127, undefined]);
});

it("knows the words that keepers use", () => {
  const source = readFileSync(new URL("../../../crates/steward/src/settlement/alarms.rs", import.meta.url), "utf8");
  for (const said of ["object before {until}", "carry the answer before {}"]) expect(source.replaceAll(/\s*\\\n\s*/g, " ")).toContain(said);
});
