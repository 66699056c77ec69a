import { describe, expect, it } from "vitest";
import { apart, countOfVotes, grouped, phaseOfGroup, statusOf, wordsOf } from "./standing";

it("puts the two houses of one proposal together, and keeps the order", () => {
  const views = [{ id: "b", at: 1 }, { id: "a", at: 2 }, { id: "b", at: 3 }];
  expect(grouped(views)).toEqual([[{ id: "b", at: 1 }, { id: "b", at: 3 }], [{ id: "a", at: 2 }]]);
});

it("is open as long as one house votes, and over when both are", () => {
  const phase = (...statuses: string[]) => phaseOfGroup(statuses.map((status) => ({ status })));
  expect(phase("executed", "active")).toBe("open");
  expect(phase("queued", "pending")).toBe("coming");
  expect(phase("executed", "succeeded")).toBe("waiting");
  expect(phase("defeated", "executed")).toBe("over");
  expect(statusOf("a status of tomorrow")).toBe("other");
});

it("tells the way of two houses once where it is the same", () => {
  const house = (closes_at: number) => ({ status: "active", proposed_at: 1, opens_at: 2, closes_at, executable_at: 9 });
  expect(apart([house(5), house(6)])).toHaveLength(1);
  expect(apart([house(5), house(500)])).toHaveLength(2);
});

it("leaves out what programs read in a description", () => {
  expect(wordsOf("Cheaper labs\n\nMore would ask.\n#proposer=0x12\ncharter-calls: 0x")).toEqual(["Cheaper labs", "More would ask."]);
});

describe("a count", () => {
  const votes = (yes: string, no: string, abstain: string, quorum: string | null) => countOfVotes({ votes_for: yes, votes_against: no, votes_abstain: abstain, quorum });
  it("holds for and abstaining against the quorum, and for against against", () => {
    const { toQuorum, isReached, isAhead, for: yes } = votes("17", "3", "7", "24");
    expect([toQuorum, isReached, isAhead, yes.share]).toEqual([24n, true, true, 629]);
  });
  it("against alone reaches no quorum, and a tie is not ahead", () => {
    expect(votes("0", "30", "0", "24").isReached).toBe(false);
    expect(votes("5", "5", "0", "1").isAhead).toBe(false);
  });
  it("of nothing has shares of nothing, and no quorum before it is known", () => {
    const { for: yes, quorum, isReached } = votes("0", "0", "0", null);
    expect([yes.share, quorum, isReached]).toEqual([0, undefined, false]);
  });
});
