//! Replacing a recovery code, with lockers that are a map and the committed rules.
import { beforeEach, expect, it, vi } from "vitest";
import { ReadFailure } from "../../api/read";
import { Elsewhere } from "./acting";
import type { Hex } from "./bytes";
import { addDoor, enter, look, start } from "./locker";
import { drawCode, replaceCode } from "./replacing";
import * as rules from "./rules";
import { current, open } from "./session";
import type { SignedAsk } from "./signed";
import type { Things } from "./things";

const world = vi.hoisted(() => ({ lockers: new Map<string, { version: number; sealed: string }>(), nonce: 3, acts: [] as object[], isRefused: false, isFaster: false, isLost: false, hash: "0x0" }));
const storage = new Map<string, string>();
vi.stubGlobal("sessionStorage", { getItem: (name: string) => storage.get(name) ?? null, setItem: (name: string, text: string) => void storage.set(name, text), removeItem: (name: string) => storage.delete(name) });

vi.mock("./asking", () => import("./rules.fixture"));
vi.mock("./facts", () => ({ cooperative: async () => ({ gateway: "0x1" }), account: async () => ({ nonce: world.nonce, recovery_hash: world.hash }) }));
vi.mock("./signed", () => ({
  askSigned: async ({ path, method, body }: SignedAsk<unknown>) => {
    const there = world.lockers.get(path);
    if (method === "PUT") world.lockers.set(path, { version: (there?.version ?? 0) + 1, sealed: (body as { sealed: string }).sealed });
    else if (!there) throw new ReadFailure("refused", path, "none", "not_found");
    return world.lockers.get(path);
  },
}));
const passkeyDoor = `0x${"d0".repeat(32)}` as Hex;
vi.mock("./agree", () => ({ agree: async ({ request }: { request: object }) => (world.acts.push(request), { signed: request, door: `0x${"d0".repeat(32)}` }) }));
vi.mock("./passkey", async (original) => ({ ...(await original<object>()), ask: async () => ({ door: `0x${"d0".repeat(32)}` }) }));
vi.mock("./send", async (original) => ({
  ...(await original<object>()),
  send: async (_: string, __: string, act: object) => {
    if (world.isFaster) world.nonce += 1;
    if (world.isRefused || world.isFaster) throw new ReadFailure("refused", "", "no", "chain_refused");
    world.nonce += 1;
    world.hash = `0xof${(act as { recovery_code: string }).recovery_code}`;
    if (world.isLost) throw new ReadFailure("unreachable", "", "");
  },
}));
vi.mock("./rules", async (original) => ({ ...(await original<object>()), accountAct: async ({ act }: { act: object }) => ({ request: act, challenge: "0x00" }), recoveryOf: async (code: string) => ({ recovery: `0xof${code}` }) }));

const zero = `0x${"00".repeat(32)}` as Hex;
const things: Things = {
  ...{ form: 1, account: "0xa", guardians: [], threshold: 1, delay: 259_200, row_key: zero, invitation: null, member_id: 7 },
  ...{ passkey: { credential: "c", qx: zero, qy: zero, opens: true }, receipts: [], added: [], ordered: [], pin: null, doors: [] },
};

let oldDoor: Hex;
let locker: Hex;
beforeEach(async () => {
  world.lockers.clear();
  storage.clear();
  Object.assign(world, { nonce: 3, acts: [], isRefused: false, isFaster: false, isLost: false, hash: "0x0" });
  const first = await rules.draw();
  locker = first.locker_key;
  oldDoor = await rules.doorOfCode(first.recovery_code);
  await start(locker, things);
  await addDoor(oldDoor, locker);
  open({ locker, things: await addDoor(passkeyDoor, locker), session: null });
});

it("the new code opens, the passkey opens the same, and the old code nothing", async () => {
  const opened = current();
  if (!opened) throw new Error("nobody is in");
  const drawn = await drawCode(opened);
  await replaceCode(opened, drawn);
  expect(world.acts).toEqual([{ kind: "set_recovery", recovery_code: drawn.recovery_code }]);
  expect(await enter(oldDoor)).toBeUndefined();
  expect((await look(locker))?.text).toBe("");
  const newDoor = await rules.doorOfCode(drawn.recovery_code);
  expect(await enter(newDoor)).toMatchObject({ locker: drawn.locker, things: { account: "0xa", member_id: 7, doors: [newDoor, passkeyDoor] } });
  expect((await enter(passkeyDoor))?.locker).toBe(drawn.locker);
  expect(current()?.locker).toBe(drawn.locker);
});

it("where the account does not take the new code, the old one opens as before, and the next try takes the same new one", async () => {
  const opened = current();
  if (!opened) throw new Error("nobody is in");
  const drawn = await drawCode(opened);
  world.isRefused = true;
  await expect(replaceCode(opened, drawn)).rejects.toMatchObject({ code: "chain_refused" });
  expect((await enter(oldDoor))?.locker).toBe(locker);
  expect((await enter(passkeyDoor))?.locker).toBe(locker);
  expect(await drawCode(opened)).toEqual(drawn);
  world.isRefused = false;
  await replaceCode(opened, drawn);
  expect(await enter(oldDoor)).toBeUndefined();
});

it("where another device was faster with the same number, the old code opens as before, and it is not told as replaced", async () => {
  const opened = current();
  if (!opened) throw new Error("nobody is in");
  const drawn = await drawCode(opened);
  world.isFaster = true;
  await expect(replaceCode(opened, drawn)).rejects.toBeInstanceOf(Elsewhere);
  expect((await enter(oldDoor))?.locker).toBe(locker);
  expect((await drawCode(opened)).isSet).toBe(false);
  world.isFaster = false;
  await replaceCode(opened, drawn);
  expect(world.acts).toHaveLength(2);
  expect(await enter(oldDoor)).toBeUndefined();
});

it("where the answer is lost, the old code opens as before until the next try is mined", async () => {
  const opened = current();
  if (!opened) throw new Error("nobody is in");
  world.isLost = true;
  const drawn = await drawCode(opened);
  await expect(replaceCode(opened, drawn)).rejects.toMatchObject({ kind: "unreachable" });
  expect((await enter(oldDoor))?.locker).toBe(locker);
  world.isLost = false;
  await replaceCode(opened, await drawCode(opened));
  expect(world.acts).toHaveLength(2);
  expect(await enter(oldDoor)).toBeUndefined();
});

it("where the gateway says that the account has it already, it is set all the same, and the old code opens until that is mined", async () => {
  const opened = current();
  if (!opened) throw new Error("nobody is in");
  const drawn = await drawCode(opened);
  Object.assign(world, { hash: `0xof${drawn.recovery_code}`, isRefused: true });
  await expect(replaceCode(opened, drawn)).rejects.toMatchObject({ code: "chain_refused" });
  expect((await enter(oldDoor))?.locker).toBe(locker);
  expect((await drawCode(opened)).isSet).toBe(false);
  world.isRefused = false;
  await replaceCode(opened, await drawCode(opened));
  expect(world.acts).toHaveLength(2);
  expect(await enter(oldDoor)).toBeUndefined();
});

it("is not set a second time where this tab had it mined, and is where another device has set another one since", async () => {
  const opened = current();
  if (!opened) throw new Error("nobody is in");
  const drawn = await drawCode(opened);
  world.hash = `0xof${drawn.recovery_code}`;
  await replaceCode(opened, { ...drawn, isSet: true });
  expect(world.acts).toEqual([]);
  const now = current();
  if (!now) throw new Error("nobody is in");
  world.hash = "0xanother";
  await replaceCode(now, { ...(await drawCode(now)), isSet: true });
  expect(world.acts).toHaveLength(1);
});
