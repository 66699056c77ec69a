//! Two tabs at once: what another one did is not told as one's own.
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { LockView, MemberVotes } from "../../api/generated";
import { ReadFailure } from "../../api/read";
import { Elsewhere } from "./acting";
import type { Opened } from "./session";
import { lock, unlock, vote } from "./voting";

const world = vi.hoisted(() => ({ nonce: 3, locks: [] as LockView[], ballots: [] as object[], acts: [] as object[], sent: async (_act: object) => undefined as void }));

vi.mock("./facts", () => ({ cooperative: async () => ({ now: 1_000 }), account: async () => ({ nonce: world.nonce }) }));
vi.mock("./rules", async (original) => ({ ...(await original<object>()), accountAct: async ({ act }: { act: object }) => ({ request: act, challenge: "0x00" }) }));
vi.mock("./agree", () => ({ agree: async ({ request }: { request: object }) => (world.acts.push(request), { signed: request, door: undefined }) }));
vi.mock("./send", async (original) => ({ ...(await original<object>()), send: (_: string, __: string, act: object) => world.sent(act) }));
vi.mock("../../api/read", async (original) => ({ ...(await original<object>()), fetchRead: async () => ({ locks: [...world.locks], ballots: [...world.ballots] }) }));

const opened = { things: { account: "0xa", member_id: 7, passkey: { credential: "c" } } } as unknown as Opened;
const of = (amount: string, tier = 0, unlock_at = 900): LockView => ({ amount, tier, unlock_at });
const refuse = () => Promise.reject(new ReadFailure("refused", "", "a wrong nonce", "chain_refused"));
/** Another tab's act of the same number is mined first. */
const faster = (change: () => void) => () => {
  world.nonce += 1;
  change();
  return refuse();
};

beforeEach(() => Object.assign(world, { nonce: 3, locks: [], ballots: [], acts: [], sent: async () => void (world.nonce += 1) }));

describe("setting points aside", () => {
  it("is not done where another tab set other points aside", async () => {
    world.sent = faster(() => world.locks.push(of("5")));
    await expect(lock(opened, 9n, 0)).rejects.toBeInstanceOf(Elsewhere);
  });
  it("nor where it set as many aside: those are the other tab's", async () => {
    world.sent = faster(() => world.locks.push(of("9")));
    await expect(lock(opened, 9n, 0)).rejects.toBeInstanceOf(Elsewhere);
  });
  it("is done where these points are there once more, though no answer came", async () => {
    world.locks = [of("9")];
    world.sent = () => (world.locks.push(of("9")), Promise.reject(new ReadFailure("unreachable", "", "")));
    expect((await lock(opened, 9n, 0)).locks).toHaveLength(2);
  });
});

describe("freeing points", () => {
  it("is not done where another tab freed others", async () => {
    world.locks = [of("5"), of("9")];
    world.sent = faster(() => (world.locks = [of("9")]));
    await expect(unlock(opened, of("9"))).rejects.toBeInstanceOf(Elsewhere);
  });
  it("is done where another tab freed these", async () => {
    world.locks = [of("5"), of("9")];
    world.sent = faster(() => (world.locks = [of("5")]));
    expect((await unlock(opened, of("9"))).locks).toEqual([of("5")]);
  });
  it("takes the place that they have by now, and asks nothing where they are free already", async () => {
    world.locks = [of("9"), of("5")];
    world.sent = async () => void (world.locks = [of("5")]);
    await unlock(opened, of("9"));
    expect(world.acts).toEqual([{ kind: "unlock", index: 0 }]);
    await unlock(opened, of("9"));
    expect(world.acts).toHaveLength(1);
  });
});

it("a vote that another tab cast is told as the chain has it; another act's number is told as that", async () => {
  const ballot = { house: "member", proposal: "0x1", support: "for" };
  world.sent = faster(() => world.ballots.push(ballot));
  expect((await vote(opened, "0x1", ["member"], "against") as MemberVotes).ballots).toEqual([ballot]);
  Object.assign(world, { nonce: 3, ballots: [], sent: faster(() => undefined) });
  await expect(vote(opened, "0x1", ["member"], "against")).rejects.toBeInstanceOf(Elsewhere);
});

it("a refusal of another kind is told as it is", async () => {
  world.sent = refuse;
  await expect(lock(opened, 9n, 0)).rejects.toMatchObject({ code: "chain_refused" });
});
