//! What the member's core decides by itself.
import { describe, expect, it, vi } from "vitest";
import { ReadFailure } from "../../api/read";
import { base64url, bytesOfBase64url, bytesOfHex, hexOf } from "./bytes";
import { kept } from "./kept";
import { failureOf, pointOf } from "./passkey";
import { seenOf } from "./reading";
import { confirmed, NotConfirmed, settle } from "./send";
import { most, type Standing } from "./stewards";
import { outcomeOf } from "./withdrawing";
import * as v from "valibot";

describe("bytes", () => {
  it("go into hexadecimal and back", () => {
    expect(hexOf(Uint8Array.of(0, 255, 16))).toBe("0x00ff10");
    expect([...bytesOfHex("0x00ff10")]).toEqual([0, 255, 16]);
    expect(() => bytesOfHex("0x0")).toThrow(TypeError);
  });
  it("go into base64url and back", () => {
    const bytes = Uint8Array.from({ length: 70 }, (_, at) => (at * 37) % 256);
    expect(base64url(bytes.buffer)).toMatch(/^[\w-]+$/);
    expect([...bytesOfBase64url(base64url(bytes.buffer))]).toEqual([...bytes]);
  });
});

describe("a passkey", () => {
  it("has its point at the end of its key", () => {
    const spki = new Uint8Array(91).fill(1);
    spki[26] = 4;
    spki.fill(2, 27, 59).fill(3, 59);
    expect(pointOf(spki.buffer)).toEqual({ qx: `0x${"02".repeat(32)}`, qy: `0x${"03".repeat(32)}` });
  });
  it("of another kind is refused", () => {
    expect(() => pointOf(new Uint8Array(91).buffer)).toThrow("P-256");
    expect(() => pointOf(null)).toThrow("P-256");
  });
  it("that was not given says why", () => {
    const kinds = ["NotAllowedError", "InvalidStateError", "NotSupportedError", "DataError"].map((name) => failureOf(Object.assign(new Error("x"), { name })).kind);
    expect(kinds).toEqual(["cancelled", "known", "absent", "strange"]);
  });
});

describe("what is kept", () => {
  const storage = new Map<string, string>();
  const store = () => ({ getItem: (name: string) => storage.get(name) ?? null, setItem: (name: string, text: string) => void storage.set(name, text), removeItem: (name: string) => storage.delete(name) }) as unknown as Storage;
  const one = kept(store, "one", v.object({ a: v.number() }));
  it("is there afterwards, and gone when it is forgotten", () => {
    one.write({ a: 1 });
    expect(one.read()).toEqual({ a: 1 });
    one.forget();
    expect(one.read()).toBeUndefined();
  });
  it("and is of another form is nothing", () => {
    storage.set("one", '{"a":"b"}');
    expect(one.read()).toBeUndefined();
    storage.set("one", "{");
    expect(one.read()).toBeUndefined();
  });
  it("nowhere is nothing, and no failure", () => {
    const nowhere = kept(() => { throw new Error("denied"); }, "one", v.number());
    nowhere.write(1);
    expect(nowhere.read()).toBeUndefined();
  });
});

describe("what stewards say", () => {
  it("is what most of them say, and how many do not", () => {
    expect(most(["a", "b", "a"])).toEqual({ said: "a", differ: 1 });
    expect(most([])).toBeUndefined();
  });
  const absent = new ReadFailure("refused", "", "no row", "not_found");
  const broken = new ReadFailure("unreachable", "", "");
  it("is nothing yet where each of them has nothing", () => {
    expect(seenOf({ answers: [], away: [{ steward: 1, error: absent }, { steward: 2, error: absent }] })).toEqual({ said: undefined, differ: 0, away: [] });
  });
  it("fails where none answers, and names who is away where some do", () => {
    expect(() => seenOf({ answers: [], away: [{ steward: 1, error: absent }, { steward: 2, error: broken }] })).toThrow();
    expect(seenOf({ answers: [{ steward: 1, said: "a" }], away: [{ steward: 2, error: broken }] })).toEqual({ said: "a", differ: 0, away: [2] });
  });
});

describe("a withdrawal", () => {
  const seen = (consent: string, ...erases: boolean[]) => ({ consent, withdrawals: erases.map((one) => ({ erases: one, taken: 1 })) }) as unknown as Standing;
  it("is on the chain where more than half see it there", () => {
    expect(outcomeOf("revoke", 3, [seen("revoked"), seen("erased"), seen("granted")], [])).toEqual({ obeying: 2, of: 3, isOnChain: true, away: [] });
    expect(outcomeOf("revoke", 4, [seen("revoked"), seen("revoked")], [3, 4])).toMatchObject({ obeying: 2, isOnChain: false });
  });
  it("is obeyed by those who hold it", () => {
    expect(outcomeOf("revoke", 3, [seen("granted", false), seen("granted", true), seen("granted")], [])).toMatchObject({ obeying: 2, isOnChain: false });
  });
  it("of everything is not done by one of the consent", () => {
    expect(outcomeOf("erase", 3, [seen("revoked"), seen("granted", false), seen("erased")], [])).toMatchObject({ obeying: 1 });
  });
});

describe("what was sent", () => {
  it("is confirmed when it is seen, however often it was not", async () => {
    let looks = 0;
    expect(await confirmed(async () => ++looks, (seen) => seen === 3, 1_000, 1)).toBe(3);
  });
  it("and is not seen in time is not said to be so", async () => {
    await expect(confirmed(async () => 1, () => false, 5, 1)).rejects.toBeInstanceOf(NotConfirmed);
  });
  it("is so where no answer came and the chain shows it", async () => {
    const lost = vi.fn(async () => Promise.reject(new ReadFailure("unreachable", "", "")));
    expect(await settle(lost, async () => "there", (seen) => seen === "there")).toBe("there");
    await expect(settle(lost, async () => "not there", (seen) => seen === "there")).rejects.toMatchObject({ kind: "unreachable" });
  });
});
