//! What a member is told about a vote: it is never offered where the chain would refuse it.
import { describe, expect, it, vi } from "vitest";
import type { MemberVotes } from "../../api/generated";
import { ReadFailure } from "../../api/read";
import { NotConfirmed } from "./send";
import type { Opened } from "./session";
import { answerOf, canVoteIn, hasVotedIn, hold, standingIn } from "./voting";

const world = vi.hoisted(() => ({ send: async (): Promise<unknown> => undefined, read: (_path: string): unknown => undefined }));
vi.mock("./asking", () => import("./rules.fixture"));
vi.mock("./facts", () => ({ cooperative: async () => ({ now: 50, finalized: { number: 1, timestamp: 40 } }), member: async () => ({}) }));
vi.mock("./rules", async (original) => ({ ...(await original<object>()), holdPoll: async () => ({ request: {}, challenge: "0x00" }) }));
vi.mock("./agree", () => ({ agree: async () => ({ signed: {}, door: undefined }) }));
vi.mock("./send", async (original) => ({ ...(await original<object>()), send: () => world.send() }));
vi.mock("../../api/read", async (original) => ({ ...(await original<object>()), fetchRead: async ({ path }: { path: string }) => world.read(path) }));

const ID = `0x${"1".repeat(64)}`;
const ME = `0x${"a".repeat(40)}`;
const votes = (more: Partial<MemberVotes> = {}): MemberVotes => ({
  ...{ member_id: 7, account: ME, active: true, seasoned_at: 100, now: 1_000 },
  ...{ member_votes: "1", held: "4", token_votes: "4", gov_balance: "16", lockable: "16", delegate: ME, delegate_member: 7, delegators: 0 },
  ...{ locks: [], ballots: [], on: [] },
  ...more,
});
const open = (house: "member" | "token", more = {}) => ({ id: ID, house, status: "active" as const, opens_at: 500, closes_at: 800, ...more });

describe("a house", () => {
  it("can be voted in with the votes that were there when it opened, and with no others", () => {
    const own = votes({ on: [{ house: "member", proposal: ID, votes: "1" }, { house: "token", proposal: ID, votes: "0" }] });
    expect(standingIn(open("member"), own)).toEqual({ kind: "can", votes: "1" });
    // It has votes there by now: the proposal was opened before.
    expect(standingIn(open("token"), own)).toEqual({ kind: "none" });
    expect(canVoteIn([open("member"), open("token")], own)).toEqual(["member"]);
  });
  it("says from when there is a vote for who joined too late", () => {
    expect(standingIn(open("member"), votes({ seasoned_at: 501 }))).toEqual({ kind: "late", from: 501 });
  });
  it("is not offered twice, also where the member has votes there", () => {
    const ballots = [{ house: "member" as const, proposal: ID, support: "against" as const, votes: "1", at: 600 }];
    const own = votes({ ballots, on: [{ house: "member", proposal: ID, votes: "1" }] });
    expect(standingIn(open("member"), own)).toEqual({ kind: "voted", support: "against", votes: "1", at: 600 });
    expect(canVoteIn([open("member")], own)).toEqual([]);
    expect(standingIn(open("token"), own).kind).toBe("none");
  });
  it("has my vote also where that is older than those that are listed", () => {
    const many = Array.from({ length: 200 }, (_, at) => ({ house: "member" as const, proposal: `0x${at}`, support: "for" as const, votes: "1", at: 1_900 - at }));
    const own = votes({ ballots: many, on: [{ house: "member", proposal: ID, votes: "1", support: "against" }] });
    expect(standingIn(open("member"), own)).toEqual({ kind: "voted", support: "against", votes: "1" });
    expect(standingIn(open("member", { status: "defeated" }), votes({ ballots: many })).kind).toBe("unlisted");
    expect(standingIn(open("member", { status: "defeated", closes_at: 1_800 }), votes({ ballots: many })).kind).toBe("over");
  });
  it("is voted in by who has voted wherever there were votes to cast", () => {
    const both = [open("member"), open("token")];
    const ballots = [{ house: "member" as const, proposal: ID, support: "for" as const, votes: "1", at: 600 }];
    const on = (token: string) => [{ house: "member" as const, proposal: ID, votes: "1", support: "for" as const }, { house: "token" as const, proposal: ID, votes: token }];
    expect(hasVotedIn(both, votes({ ballots, on: on("0") }))).toBe(true);
    expect(hasVotedIn(both, votes({ ballots, on: on("5") }))).toBe(false);
    expect(hasVotedIn(both, votes())).toBe(false);
  });
  it("is not offered before voting began or after it ended", () => {
    const own = votes({ on: [{ house: "member", proposal: ID, votes: "1" }] });
    expect(standingIn(open("member", { status: "pending" }), own).kind).toBe("early");
    for (const status of ["defeated", "succeeded", "queued", "executed", "a status of tomorrow"]) expect(standingIn(open("member", { status }), own).kind, status).toBe("over");
  });
});

it("finds the member's own answer, and nobody else's", () => {
  const ballots = [5, 7].map((member) => ({ ballot: { member, choice: member - 5, sequence: 0 } }));
  const record = { ballots } as unknown as Parameters<typeof answerOf>[0];
  expect(answerOf(record, 7)?.choice).toBe(2);
  expect(answerOf(record, 8)).toBeUndefined();
});

describe("a question to all", () => {
  const opened = { things: { account: "0xa", member_id: 7, passkey: { credential: "c" } } } as unknown as Opened;
  const poll = { author: 7, question: "Why?", options: ["a", "b"], opens_at: 50, closes_at: 99 };
  const asked = () => hold(opened, "Why?", ["a", "b"], 7);

  it("is found under the number that was answered, also where no list has it", async () => {
    world.send = async () => ({ id: ID });
    world.read = (path) => (path === `/v1/polls/${ID}/ballots` ? { poll, ballots: [] } : []);
    expect(await asked()).toBe(ID);
  });
  it("is none that somebody else asked, or with other answers to choose from", async () => {
    vi.useFakeTimers();
    world.send = async () => ({ id: ID });
    for (const other of [{ author: 8 }, { options: ["a", "c"] }, { question: "What?" }, { opens_at: 49 }]) {
      world.read = (path) => (path.endsWith("/ballots") ? { poll: { ...poll, ...other }, ballots: [] } : []);
      const result = asked().catch((error: unknown) => error);
      await vi.advanceTimersByTimeAsync(120_000);
      expect(await result, JSON.stringify(other)).toBeInstanceOf(NotConfirmed);
    }
    vi.useRealTimers();
  });
  it("is looked for in the list where the answer was lost", async () => {
    world.send = () => Promise.reject(new ReadFailure("unreachable", "", ""));
    world.read = () => [{ id: "0x9", poll: { ...poll, options: ["a", "c"] } }, { id: ID, poll }];
    expect(await asked()).toBe(ID);
  });
});
