//! A withdrawal at a gateway and stewards that say what a test has them say.
import { beforeEach, expect, it, vi } from "vitest";
import { ReadFailure } from "../../api/read";
import type { Standing } from "./stewards";
import { withdraw } from "./withdrawing";

const world = vi.hoisted(() => ({
  shown: undefined as unknown,
  patience: [] as unknown[],
  sent: [] as object[],
  handed: [] as object[],
  takes: (_: object) => true,
  consent: "granted",
  nonces: [5, 5, 5] as number[],
  gateway: () => Promise.resolve({}) as Promise<unknown>,
}));
const who = { account: "0xaa", credential: "c", member_id: 7, opens: true };
const stewards = [1, 2, 3].map((seat) => ({ steward: seat, address: `0x${seat}`, url: `http://s${seat}`, up: true }));
const directory = { chain_id: 31_337, quorum: 2, now: 9_999, stewards, manifest: { addresses: { membership: "0x1" } } };
const pin = { chain_id: 31_337, quorum: 2, addresses: { membership: "0x1" }, stewards: stewards.map(({ address, url }) => [address, url]) };

vi.mock("./facts", () => ({
  cooperative: async (_: object, patience: number) => {
    world.patience.push(patience);
    if (!world.shown) throw new ReadFailure("refused", "", "", "other_cooperative");
    return world.shown;
  },
  pinFor: () => pin,
  lastSeen: () => directory,
  joinedBy: () => ({ nonce: 0 }),
  keepNonce: () => undefined,
  member: async () => ({ consent_nonce: 77 }),
}));
vi.mock("./forgetting", () => ({ forgetRecords: async () => undefined }));
vi.mock("./rules", () => ({ withdraw: async ({ nonce, now }: { nonce: number; now: number }) => ({ request: { nonce, now }, challenge: "0x" }) }));
vi.mock("./agree", () => ({ agree: async ({ request }: { request: object }) => ({ signed: request, door: undefined }) }));
vi.mock("./send", async (original) => ({
  ...(await original<object>()),
  send: (_: string, __: string, body: object, ___: object, patience: number) => {
    world.sent.push(body);
    world.patience.push(patience);
    return world.gateway();
  },
}));
vi.mock("./stewards", async (original) => ({
  ...(await original<object>()),
  standings: async () => ({
    answers: stewards.map(({ steward, address }, at) => ({
      ...{ steward, address },
      said: { account: "0xAA", member_id: 7, active: true, consent: world.consent, consent_nonce: world.nonces[at], now: 1_000 + at, withdrawals: [] } as unknown as Standing,
    })),
    away: [],
  }),
  handOver: async (_: object, __: string, request: object) => {
    world.handed.push(request);
    if (!world.takes(request)) return { answers: [], away: [{ steward: 1, error: new ReadFailure("refused", "", "used", "conflict") }] };
    world.consent = "revoked";
    return { answers: [{ steward: 1, said: { state: "held" } }], away: [] };
  },
}));

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(world, { shown: directory, patience: [], sent: [], handed: [], takes: () => true, consent: "granted", nonces: [5, 5, 5], gateway: async () => ({}) });
});

async function done() {
  const result = withdraw(who, "revoke", () => undefined);
  await vi.advanceTimersByTimeAsync(8_000);
  return result;
}

it("has the number and the time of the stewards, not the gateway's, which gets seven seconds", async () => {
  world.gateway = async () => void (world.consent = "revoked");
  expect(await done()).toMatchObject({ isOnChain: true, obeying: 3, of: 3 });
  expect(world.sent).toEqual([{ nonce: 5, now: 1_001 }]);
  expect(world.handed).toEqual([]);
  expect(world.patience).toEqual([7_000, 7_000]);
});

it("is handed to the stewards where the gateway says that it did it and they do not see it", async () => {
  expect(await done()).toMatchObject({ isOnChain: true });
  expect([world.sent.length, world.handed]).toEqual([1, [{ nonce: 5, now: 1_001 }]]);
});

it("passes over a gateway that shows another cooperative", async () => {
  world.shown = undefined;
  expect(await done()).toMatchObject({ isOnChain: true });
  expect([world.sent, world.handed.length]).toEqual([[], 1]);
});

it("goes up from the lowest number where the stewards differ", async () => {
  Object.assign(world, { shown: undefined, nonces: [99, 4, 5], takes: ({ nonce }: { nonce: number }) => nonce === 5 });
  await done();
  expect(world.handed.map((one) => (one as { nonce: number }).nonce)).toEqual([4, 5]);
});
