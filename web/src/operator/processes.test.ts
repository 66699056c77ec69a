import { expect, it } from "vitest";
import type { Health } from "../api/generated";
import { behind, stateOf } from "./processes";

const health = (ok: boolean, problems: string[]) => ({ ok, problems }) as unknown as Health;

it("tells a process that is away from one that cannot work, and one that works from one with something wrong", () => {
  const states = [
    { isAsked: false, health: undefined },
    { isAsked: true, health: undefined },
    { isAsked: true, health: health(false, ["the chain stopped"]) },
    { isAsked: true, health: health(true, ["little gas"]) },
    { isAsked: true, health: health(true, []) },
  ].map(stateOf);
  expect(states).toEqual(["asking", "away", "bad", "some", "up"]);
});

it("is behind where it settled less than what is final, and not where it does not say", () => {
  const keeper = (steward: number, settled: number | undefined) => ({ steward, url: "", isAsked: true, health: undefined, settled, waiting: undefined });
  expect(behind([keeper(1, 4), keeper(2, 5), keeper(3, undefined)], 5).map(({ steward }) => steward)).toEqual([1]);
});
