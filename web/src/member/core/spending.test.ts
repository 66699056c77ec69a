//! Ordering a service, with lockers that are a map, a chain that is a list of events, and the committed rules.
import { readFileSync } from "node:fs";
import { concatHex, encodeAbiParameters, keccak256, toEventSelector, toHex } from "viem";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ReadFailure } from "../../api/read";
import seen from "../../chain/cooperative.fixture.json";
import type { Hex } from "./bytes";
import { start } from "./locker";
import { PasskeyFailure } from "./passkey";
import { NotConfirmed } from "./send";
import { current, open } from "./session";
import type { SignedAsk } from "./signed";
import { isNothing, order, ORDERED } from "./spending";
import type { Things } from "./things";

interface Sent {
  nonce: number;
  calls: { data: Hex }[];
}
const world = vi.hoisted(() => ({
  lockers: new Map<string, { version: number; sealed: string }>(),
  nonce: 3,
  head: 40,
  now: 0,
  sent: [] as unknown[],
  logs: [] as { block: number; data: string }[],
  filters: [] as { address: string; topics: string[]; fromBlock: string }[],
  execute: async (_: unknown) => undefined as void,
  isNodeAway: false,
  isCancelled: false,
}));
const storage = new Map<string, string>();
vi.stubGlobal("sessionStorage", { getItem: (name: string) => storage.get(name) ?? null, setItem: (name: string, text: string) => void storage.set(name, text), removeItem: (name: string) => storage.delete(name) });

vi.mock("./asking", () => import("./rules.fixture"));
vi.mock("./facts", () => ({ cooperative: async () => ({ ...seen, now: world.now }), account: async () => ({ nonce: world.nonce }) }));
vi.mock("./signed", () => ({
  askSigned: async ({ path, method, body }: SignedAsk<unknown>) => {
    const there = world.lockers.get(path);
    if (method === "PUT") world.lockers.set(path, { version: (there?.version ?? 0) + 1, sealed: (body as { sealed: string }).sealed });
    else if (!there) throw new ReadFailure("refused", path, "none", "not_found");
    return world.lockers.get(path);
  },
}));
vi.mock("./agree", async () => {
  const { PasskeyFailure } = await import("./passkey");
  return { agree: async ({ request }: { request: object }) => (world.isCancelled ? Promise.reject(new PasskeyFailure("cancelled", "")) : { signed: request, door: undefined }) };
});
vi.mock("./send", async (original) => ({
  ...(await original<object>()),
  send: async (_: string, path: string, body: { method: string; params: never[] }) => {
    if (path !== "/v1/chain") return (world.sent.push(body), world.execute(body));
    if (world.isNodeAway) throw new ReadFailure("refused", path, "no node", "chain_unavailable");
    if (body.method === "eth_blockNumber") return { result: `0x${world.head.toString(16)}` };
    const [filter] = body.params as unknown as [{ address: string; topics: string[]; fromBlock: string; toBlock: string }];
    world.filters.push(filter);
    return { result: world.logs.filter(({ block }) => block >= Number(filter.fromBlock) && block <= Number(filter.toBlock)) };
  },
}));

const ACCOUNT = `0x${"a1".repeat(20)}`;
const OFFER = { service: 7, price: "5" };
const zero = `0x${"00".repeat(32)}` as Hex;
const LOCKER = `0x${"c1".repeat(32)}` as Hex;
const things: Things = {
  ...{ form: 1, account: ACCOUNT, guardians: [], threshold: 1, delay: 259_200, row_key: zero, invitation: null, member_id: 7 },
  ...{ passkey: { credential: "c", qx: zero, qy: zero, opens: true }, receipts: [], added: [], ordered: [], pin: null, doors: [] },
};
const digestOf = ({ calls }: Sent) => `0x${calls.at(-1)?.data.slice(-64)}` as Hex;
/** The account's batch is in a block. */
const mine = (batch: unknown) => {
  world.head += 1;
  world.nonce += 1;
  world.logs.push({ block: world.head, data: encodeAbiParameters([{ type: "bytes32" }, { type: "uint256" }], [digestOf(batch as Sent), 5n]) });
};
const unreachable = () => Promise.reject(new ReadFailure("unreachable", "", "cut"));
const go = (request = "a report") => {
  const opened = current();
  if (!opened) throw new Error("nobody is in");
  return order(opened, OFFER, request, 30, 5);
};
const kept = () => current()?.things.ordered ?? [];

beforeEach(async () => {
  world.lockers.clear();
  Object.assign(world, { nonce: 3, head: 40, now: seen.now, sent: [], logs: [], filters: [], execute: async (batch: unknown) => mine(batch), isNodeAway: false, isCancelled: false });
  open({ locker: LOCKER, things: await start(LOCKER, things), session: null });
});

it("knows the event of the contract", () => {
  const [event] = JSON.parse(readFileSync(new URL("../../../../abi/ServiceDesk.json", import.meta.url), "utf8")).abi.filter(({ name }: { name?: string }) => name === "ServiceOrdered");
  expect(toEventSelector(event)).toBe(ORDERED);
});

it("is ordered when the chain shows its digest, from the block before on", async () => {
  const { ordered, isEarlier } = await go();
  expect([isEarlier, ordered.done, kept()]).toEqual([false, true, [ordered]]);
  expect(digestOf(world.sent[0] as Sent)).toBe(keccak256(concatHex([ordered.blinder, keccak256(toHex("a report"))])));
  const [service, account] = [`0x${"7".padStart(64, "0")}`, `0x${ACCOUNT.slice(2).padStart(64, "0")}`];
  expect(world.filters[0]).toMatchObject({ address: seen.manifest.addresses.service_desk, topics: [ORDERED, service, account], fromBlock: "0x28" });
});

it("is ordered also where no answer came, and more DATA came meanwhile", async () => {
  world.execute = (batch) => (mine(batch), unreachable());
  expect((await go()).ordered.done).toBe(true);
  expect(world.sent).toHaveLength(1);
});

describe("whose end is not known", () => {
  it("is not told as nothing, and the next press finds it and pays nothing", async () => {
    world.execute = unreachable;
    const failure = await go().catch((error: Error) => error);
    expect(failure).toBeInstanceOf(NotConfirmed);
    expect(isNothing(failure as Error)).toBe(false);
    mine(world.sent[0]);
    const { ordered, isEarlier } = await go("another report");
    expect([isEarlier, ordered.request, ordered.done, world.sent.length]).toEqual([true, "a report", true, 1]);
    expect(kept()).toEqual([ordered]);
    // And then another one can be had.
    world.execute = async (batch) => mine(batch);
    expect(await go("another report")).toMatchObject({ isEarlier: false, ordered: { request: "another report", done: true } });
  });
  it("nor where the node cannot be asked after it was sent, or before another one is", async () => {
    world.execute = async (batch) => (mine(batch), void (world.isNodeAway = true));
    expect(isNothing((await go().catch((error: Error) => error)) as Error)).toBe(false);
    expect(isNothing((await go().catch((error: Error) => error)) as Error)).toBe(false);
    expect(world.sent).toHaveLength(1);
  });
  it("has its number taken by the next one while it may still come, so that one of the two is paid", async () => {
    world.execute = unreachable;
    await go().catch(() => undefined);
    world.execute = async (batch) => mine(batch);
    await go();
    expect((world.sent as Sent[]).map(({ nonce }) => nonce)).toEqual([3, 3]);
  });
  it("is found also where it comes while the next one is under way, which is refused", async () => {
    world.execute = unreachable;
    await go().catch(() => undefined);
    world.execute = () => (mine(world.sent[0]), Promise.reject(new ReadFailure("refused", "", "a wrong nonce", "chain_refused")));
    expect(await go()).toMatchObject({ isEarlier: true, ordered: { done: true } });
  });
  it("nor where the next one is refused and nobody can say whether it came", async () => {
    world.execute = unreachable;
    await go().catch(() => undefined);
    world.execute = () => ((world.isNodeAway = true), Promise.reject(new ReadFailure("refused", "", "a wrong nonce", "chain_refused")));
    expect(isNothing((await go().catch((error: Error) => error)) as Error)).toBe(false);
  });
  it("keeps another one back where the account's number is shown lower than its own", async () => {
    world.execute = unreachable;
    await go().catch(() => undefined);
    world.nonce = 2;
    await expect(go()).rejects.toBeInstanceOf(NotConfirmed);
    expect(world.sent).toHaveLength(1);
  });
  it("is over once its time is", async () => {
    world.execute = unreachable;
    await go().catch(() => undefined);
    Object.assign(world, { now: world.now + 100_000, execute: async (batch: unknown) => mine(batch) });
    await go();
    expect(kept().map(({ done, lapsed }) => [done, lapsed])).toEqual([[false, true], [true, false]]);
  });
});

it("another order of the same account is not this one", async () => {
  world.execute = () => (mine({ calls: [{ data: `0x${"ab".repeat(32)}` }] }), unreachable());
  expect(isNothing((await go().catch((error: Error) => error)) as Error)).toBe(false);
  expect(kept().map(({ done }) => done)).toEqual([false]);
});

it("nothing is ordered where it was refused, or the device did not confirm", async () => {
  world.execute = () => Promise.reject(new ReadFailure("refused", "", "a wrong nonce", "chain_refused"));
  expect(isNothing((await go().catch((error: Error) => error)) as Error)).toBe(true);
  world.execute = () => Promise.reject(new ReadFailure("refused", "", "it is in no block yet", "chain_unavailable"));
  expect(isNothing((await go().catch((error: Error) => error)) as Error)).toBe(false);
  world.isCancelled = true;
  const failure = (await go().catch((error: Error) => error)) as Error;
  expect([failure instanceof PasskeyFailure, isNothing(failure)]).toEqual([true, true]);
});
