//! What counts where the gateway lies: the words of a quorum of the stewards that were known, once each.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ReadFailure } from "../../api/read";
import type { Answers } from "./stewards";
import { destroyed, paidAtLeast, whose } from "./witnessing";

const seats = [1, 2, 3].map((steward) => ({ steward, address: `0x${String(steward).repeat(40)}`, url: `http://s${steward}`, up: true }));
const liar = { steward: 3, address: `0x${"f".repeat(40)}`, url: "http://liar", up: true };
const pin = { chain_id: 1, quorum: 2, addresses: {}, stewards: seats.map(({ address, url }) => [address, url] as [string, string]) };
const world = vi.hoisted(() => ({ shown: [] as object[], isAway: false, says: (_address: string): unknown => undefined, asked: [] as string[] }));

vi.mock("./facts", () => ({
  cooperative: async () => {
    if (world.isAway) throw new ReadFailure("unreachable", "", "");
    return { quorum: 1, stewards: world.shown };
  },
  lastSeen: () => ({ quorum: 2, stewards: seats }),
  pinFor: () => pin,
}));
vi.mock("./signed", () => ({
  askSigned: async ({ audience }: { audience: string }) => {
    world.asked.push(audience);
    const said = world.says(audience);
    if (said === undefined) throw new ReadFailure("unreachable", "", "");
    if (said === null) throw new ReadFailure("refused", "", "", "not_found");
    return said;
  },
}));
vi.mock("./rules", () => ({ draw: async () => ({ row_key: "0x1" }) }));

beforeEach(() => Object.assign(world, { shown: seats, isAway: false, says: () => undefined, asked: [] }));

describe("whose a member's number is", () => {
  const is = (account: string, member_id = 7) => ({ account, member_id, active: true });
  it("is what a quorum of the known says, not what those say whom the gateway shows", async () => {
    world.shown = [liar, { ...liar, steward: 2 }];
    world.says = (address) => (address === liar.address ? is("0xbad") : is("0xAB"));
    expect(await whose(7)).toEqual({ account: "0xab", active: true });
    expect(new Set(world.asked)).toEqual(new Set([liar.address, ...seats.map(({ address }) => address)]));
  });
  it("is not known where fewer say it, and one that is asked twice has one word", async () => {
    world.shown = [...seats, { ...seats[0], url: "http://elsewhere" }];
    world.says = (address) => (address === seats[0]?.address ? is("0xab") : undefined);
    await expect(whose(7)).rejects.toMatchObject({ kind: "unreachable" });
    world.says = (address) => is(address);
    await expect(whose(7)).rejects.toMatchObject({ kind: "unreachable" });
  });
  it("is not that of another number", async () => {
    world.says = () => is("0xab", 8);
    await expect(whose(7)).rejects.toMatchObject({ kind: "unreachable" });
  });
  it("is nobody's where they know none", async () => {
    world.says = () => null;
    expect(await whose(7)).toBeUndefined();
  });
});

describe("what was destroyed", () => {
  it("is confirmed by each known steward once, wherever the gateway sends one", async () => {
    world.shown = [...seats, { ...liar, steward: 4 }, { ...seats[0], url: "http://elsewhere" }];
    world.says = (address) => ({ member_id: 7, shares: 1, at: 5, complete: address === seats[1]?.address ? { at: 6 } : null });
    expect(await destroyed(7, "0xa")).toEqual({ confirmed: 3, complete: 1, of: 3 });
  });
  it("is told also where the gateway does not answer, and not of another member", async () => {
    world.isAway = true;
    world.says = (address) => (address === seats[2]?.address ? undefined : { member_id: address === seats[0]?.address ? 7 : 8, shares: 1, at: 5 });
    expect(await destroyed(7, "0xa")).toEqual({ confirmed: 1, complete: 0, of: 3 });
  });
});

it("what was paid is as much as a quorum has seen", () => {
  const addresses = new Set(seats.map(({ address }) => address));
  const all = (...said: [string, string][]): Answers<{ claimed: { cash: string; data: string; gov: string } }> => ({
    answers: said.map(([address, cash]) => ({ steward: 1, address, said: { claimed: { cash, data: "0", gov: "0" } } })),
    away: [],
  });
  const [one = "", two = "", three = ""] = addresses;
  expect(paidAtLeast(all([one, "5"], [two, "9"], [three, "7"]), addresses, 2)?.cash).toBe(7n);
  expect(paidAtLeast(all([one, "5"], [liar.address, "9"], [liar.address, "9"]), addresses, 2)).toBeUndefined();
  expect(paidAtLeast(all([one, "9"], [one, "9"], [two, "5"]), addresses, 2)?.cash).toBe(5n);
});
