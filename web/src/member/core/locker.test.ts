//! Lockers at a gateway that is a map: what is kept, found, and changed by two at once.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ReadFailure } from "../../api/read";
import type { Hex } from "./bytes";
import { addDoor, change, changeThings, emptyAll, enter, look, makeDoor, start } from "./locker";
import * as rules from "./rules";
import type { SignedAsk } from "./signed";
import { textOf, type Things, withAdded } from "./things";

const gateway = vi.hoisted(() => ({ lockers: new Map<string, { version: number; sealed: string }>(), before: () => undefined as void, puts: 0 }));

vi.mock("./asking", () => import("./rules.fixture"));
vi.mock("./facts", () => ({ cooperative: () => Promise.resolve({ gateway: "0x1" }) }));
vi.mock("./signed", () => ({
  askSigned: async ({ path, method, body }: SignedAsk<unknown>) => {
    const there = gateway.lockers.get(path);
    if (method === "GET") {
      if (!there) throw new ReadFailure("refused", path, "none", "not_found");
      return there;
    }
    gateway.before();
    gateway.puts += 1;
    const { version, sealed } = body as { version: number; sealed: string };
    if ((gateway.lockers.get(path)?.version ?? 0) !== version) throw new ReadFailure("refused", path, "another is there", "conflict");
    gateway.lockers.set(path, { version: version + 1, sealed });
    return gateway.lockers.get(path);
  },
}));

const zero = `0x${"00".repeat(32)}` as Hex;
const things: Things = {
  ...{ form: 1, account: "0xa", guardians: [], threshold: 1, delay: 259_200, row_key: zero, invitation: null, member_id: 7 },
  ...{ passkey: { credential: "c", qx: zero, qy: zero, opens: true }, receipts: [], added: [], ordered: [], pin: null, doors: [] },
};
const added = (commitment: string) => ({ commitment, name: "a.json", bytes: 1, quality: 1, at: 1, consent_version: 1 });

let secret: Hex;
beforeEach(async () => {
  gateway.lockers.clear();
  gateway.before = () => undefined;
  gateway.puts = 0;
  secret = (await rules.draw()).locker_key;
});

describe("a locker", () => {
  it("that is older than what this device saw, or gone, is refused", async () => {
    const storage = new Map<string, string>();
    vi.stubGlobal("localStorage", { getItem: (name: string) => storage.get(name) ?? null, setItem: (name: string, text: string) => void storage.set(name, text) });
    await start(secret, things);
    const old = [...gateway.lockers.entries()][0] as [string, { version: number; sealed: string }];
    await changeThings(secret, withAdded(added("0x01")));
    expect(await look(secret)).toMatchObject({ version: 2 });
    gateway.lockers.set(...old);
    await expect(look(secret)).rejects.toMatchObject({ code: "locker_older" });
    gateway.lockers.clear();
    await expect(look(secret)).rejects.toMatchObject({ code: "locker_older" });
    vi.unstubAllGlobals();
  });
  it("has nothing in it at first, and then what was put in", async () => {
    expect(await look(secret)).toBeUndefined();
    await start(secret, things);
    expect(await look(secret)).toMatchObject({ version: 1, text: textOf(things) });
  });
  it("is started once: what is there stays", async () => {
    await start(secret, things);
    expect((await start(secret, { ...things, member_id: 8 })).member_id).toBe(7);
  });
  it("is left alone where nothing changes", async () => {
    await start(secret, things);
    await changeThings(secret, (there) => there);
    expect(gateway.puts).toBe(1);
  });
  it("holds what two devices put in at once", async () => {
    await start(secret, things);
    let isOther = true;
    gateway.before = () => {
      if (!isOther) return;
      isOther = false;
      // Another device is faster, between this one's reading and its writing.
      const [path, { version }] = [...gateway.lockers.entries()][0] as [string, { version: number }];
      gateway.lockers.set(path, { version: version + 1, sealed: other });
    };
    const other = await rules.lockerSeal(secret, 2, JSON.stringify(withAdded(added("0x02"))(things)));
    const now = await changeThings(secret, withAdded(added("0x01")));
    expect(now.added.map(({ commitment }) => commitment)).toEqual(["0x02", "0x01"]);
  });
  it("does not show how much is in it", async () => {
    await start(secret, things);
    const before = [...gateway.lockers.values()][0]?.sealed.length;
    await changeThings(secret, withAdded(added("0x01")));
    expect([...gateway.lockers.values()][0]?.sealed.length).toBe(before);
  });
  it("gives up where another is always faster", async () => {
    await start(secret, things);
    gateway.before = () => {
      for (const [path, one] of gateway.lockers) gateway.lockers.set(path, { ...one, version: one.version + 1 });
    };
    await expect(change(secret, () => "x")).rejects.toBeInstanceOf(Error);
  });
  it("that is gone is not made anew in its place", async () => {
    await expect(changeThings(secret, (there) => there)).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("a door", () => {
  it("leads to the locker", async () => {
    const door = await rules.doorOfCode((await rules.draw()).recovery_code);
    expect(await enter(door)).toBeUndefined();
    await start(secret, things);
    await makeDoor(door, secret);
    expect(await enter(door)).toEqual({ locker: secret, things });
  });
  it("and what is behind it are empty where they were emptied", async () => {
    const door = (await rules.draw()).locker_key;
    await start(secret, things);
    const { doors } = await addDoor(door, secret);
    expect(doors).toEqual([door]);
    await emptyAll(secret, doors);
    expect(await enter(door)).toBeUndefined();
    expect([(await look(door))?.text, (await look(secret))?.text]).toEqual(["", ""]);
    await expect(changeThings(secret, (there) => there)).rejects.toMatchObject({ code: "not_found" });
  });
  it("can be made twice", async () => {
    const door = (await rules.draw()).locker_key;
    await makeDoor(door, secret);
    await makeDoor(door, secret);
    expect(gateway.puts).toBe(1);
  });
});
