import { describe, expect, it } from "vitest";
import type { ProposalStatus } from "../api/generated";
import { apart, countOfVotes, grouped, inForceSince, phaseOfGroup, standingOf, wordsOf } from "./standing";

it("puts the two houses of one proposal together, and keeps the order", () => {
  const views = [{ id: "b", at: 1 }, { id: "a", at: 2 }, { id: "b", at: 3 }];
  expect(grouped(views)).toEqual([[{ id: "b", at: 1 }, { id: "b", at: 3 }], [{ id: "a", at: 2 }]]);
});

it("is open as long as one house votes, and over when both are", () => {
  const phase = (...statuses: ProposalStatus[]) => phaseOfGroup(statuses.map((status) => ({ status })));
  expect(phase("executed", "active")).toBe("open");
  expect(phase("queued", "pending")).toBe("coming");
  expect(phase("executed", "succeeded")).toBe("waiting");
  expect(phase("defeated", "executed")).toBe("over");
});

it("tells the way of two houses once where it is the same", () => {
  const house = (closes_at: number) => ({ status: "active" as const, proposed_at: 1, opens_at: 2, closes_at, executable_at: 9 });
  expect(apart([house(5), house(6)])).toHaveLength(1);
  expect(apart([house(5), house(500)])).toHaveLength(2);
});

describe("what takes both houses", () => {
  const at = { proposed_at: 1, opens_at: 2, closes_at: 3, executable_at: 4 };
  const operation = `0x${"1".repeat(64)}`;
  const half = (house: "member" | "token", approved_by: ("member" | "token")[], executed_at: number | null = null) =>
    ({ house, status: "executed" as const, executed_at: 50, charter: { operation, approved_by, executed_at, lapses_at: executed_at ? null : 99 } });

  it("is not in force by one house's yes, nor by both, but when it was done", () => {
    expect(standingOf(half("member", ["member"]))).toBe("agreed");
    expect(standingOf(half("member", ["token", "member"]))).toBe("both");
    expect(standingOf(half("member", ["token", "member"], 70))).toBe("executed");
    expect([inForceSince(half("member", ["member"])), inForceSince(half("member", ["token", "member"])), inForceSince(half("member", ["member", "token"], 70))]).toEqual([undefined, undefined, 70]);
    expect(inForceSince({ executed_at: 50, charter: null })).toBe(50);
  });
  it("whose yes was taken back or is too old is over", () => {
    expect(standingOf(half("member", ["token"]))).toBe("ended");
    expect(standingOf(half("member", []))).toBe("ended");
  });
  it("and something else with it has no charter, and is in force when its house did it", () => {
    const more = { ...half("member", ["member"]), charter: null };
    expect([standingOf(more), inForceSince(more), phaseOfGroup([more])]).toEqual(["executed", 50, "over"]);
    // Also where the other house still votes on the same, or was against it.
    expect(standingOf({ ...half("token", []), charter: null })).toBe("executed");
    expect(apart([{ ...more, ...at }, { ...half("token", []), charter: null, ...at }])).toHaveLength(1);
  });
  it("waits as long as the other house can still say yes", () => {
    expect(phaseOfGroup([half("member", ["member"])])).toBe("waiting");
    expect(phaseOfGroup([half("member", ["member", "token"]), half("token", ["member", "token"])])).toBe("waiting");
    expect(phaseOfGroup([half("member", ["member"]), { house: "token", status: "defeated" }])).toBe("over");
    expect(phaseOfGroup([half("member", ["member", "token"], 70), half("token", ["member", "token"], 70)])).toBe("over");
    expect(phaseOfGroup([half("member", [])])).toBe("over");
  });
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
