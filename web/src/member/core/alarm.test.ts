//! Whose passkey is coming, and what a recovery takes for done, with an account that is a variable.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { alarmOf, isOwn, made } from "./alarm";
import type { Account } from "./facts";
import type { Hex } from "./bytes";
import { finishRecovery, startRecovery } from "./recovering";
import type { Opened } from "./session";

const storage = new Map<string, string>();
const store = { getItem: (name: string) => storage.get(name) ?? null, setItem: (name: string, text: string) => void storage.set(name, text), removeItem: (name: string) => storage.delete(name) };
vi.stubGlobal("localStorage", store);

const world = vi.hoisted(() => ({ seen: {} as object, approved: [] as object[], changed: [] as object[], sent: () => Promise.resolve({}) as Promise<unknown> }));
const key = (digit: string) => ({ credential: `c${digit}`, qx: `0x${digit.repeat(64)}` as Hex, qy: `0x${digit.repeat(64)}` as Hex, opens: true });

vi.mock("./facts", () => ({ account: async () => world.seen, cooperative: async () => ({}) }));
vi.mock("./passkey", () => ({ create: async () => key("a") }));
vi.mock("./rules", () => ({ readCode: async (code: string) => code, approveRecovery: async (of: object) => (world.approved.push(of), of) }));
vi.mock("./send", async (original) => ({ ...(await original<object>()), send: () => world.sent() }));
vi.mock("./locker", () => ({
  changeThings: async (_: Hex, changed: (things: object) => object) => (world.changed.push(changed({})), changed({})),
}));
vi.mock("./session", () => ({ open: () => undefined, keep: () => undefined, current: () => undefined, known: { read: () => undefined } }));

const opened = { locker: "0x01", things: { account: "0xAA", next: key("b"), passkey: key("1") }, session: null } as unknown as Opened;
const coming = (digit: string) => ({ account: "0xAA", recovery: { qx: key(digit).qx, qy: key(digit).qy, ready_at: 1 } }) as unknown as Account;

beforeEach(() => {
  storage.clear();
  Object.assign(world, { seen: {}, approved: [], changed: [], sent: () => Promise.resolve({}) });
});

describe("a passkey that is on its way", () => {
  it("is one's own where this device made it, whatever else anybody wrote", () => {
    expect(isOwn(coming("a"))).toBe(false);
    made.write({ account: "0xaa", passkey: key("a") });
    expect(isOwn(coming("a"))).toBe(true);
    expect(isOwn(coming("b"))).toBe(false);
    expect(isOwn({ ...coming("a"), account: "0xBB" })).toBe(false);
  });
  it("is told, and so is that it could not be looked at", () => {
    expect(alarmOf({ data: coming("b"), isError: true }, key("a"))).toBe("foreign");
    expect(alarmOf({ data: coming("a"), isError: false }, key("a"))).toBe("own");
    expect(alarmOf({ data: { account: "0xAA" } as Account, isError: false })).toBe("none");
    expect(alarmOf({ data: { account: "0xAA" } as Account, isError: true })).toBe("unchecked");
    expect(alarmOf({ data: undefined, isError: true })).toBe("unchecked");
  });
});

describe("a recovery", () => {
  it("approves a passkey that was made here, and none that lies in the locker", async () => {
    world.seen = { ...coming("a"), recovery_round: 0 };
    await startRecovery(opened, "CODE", "name");
    expect(world.approved).toMatchObject([{ qx: key("a").qx }]);
    expect(made.read()?.passkey).toEqual(key("a"));
  });
  it("is over when the account has the new passkey, not when nothing is under way any more", async () => {
    made.write({ account: "0xAA", passkey: key("a") });
    world.sent = () => Promise.reject(new Error("vetoed"));
    world.seen = { account: "0xAA", recovery: null, passkey: key("1") };
    await expect(finishRecovery(opened)).rejects.toThrow("vetoed");
    expect(world.changed).toEqual([]);
    world.seen = { account: "0xAA", recovery: null, passkey: key("a") };
    await finishRecovery(opened);
    expect(world.changed).toEqual([{ passkey: key("a") }]);
  });
});
