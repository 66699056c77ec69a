//! What the member's core decides by itself.
import { describe, expect, it, vi } from "vitest";
import { ReadFailure } from "../../api/read";
import { base64url, bytesOfBase64url, bytesOfHex, hexOf } from "./bytes";
import { kept } from "./kept";
import { failureOf, pointOf } from "./passkey";
import { seenOf } from "./reading";
import { confirmed, NotConfirmed, settle } from "./send";
import { most, own, type Standing } from "./stewards";
import { outcomeOf } from "./withdrawing";
import { holds } from "./consenting";
import { ofOne } from "./downloading";
import { fragment, isKnown } from "./joining";
import { adopts, current, isOver, keep, lock, open, type Opened } from "./session";
import { receiptsOf, type Receipt, type Things, withHolding, withReceipt } from "./things";
import type { Hex } from "./bytes";
import { blockTime, numbers } from "./deciding";
import { everyone, isSame, mustBeKnown, pinOf, witnesses } from "./pinned";
import { type Cooperative, timeOf } from "./facts";
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

describe("the number and the time of a withdrawal", () => {
  const seen = (consent: string, consent_nonce: number, now: number) => ({ active: true, consent, consent_nonce, now });
  const [liar, good, other] = [seen("revoked", 9, Number.MAX_SAFE_INTEGER), seen("granted", 5, 1_000), seen("granted", 5, 1_001)];
  it("are no single steward's word", () => {
    expect(numbers([liar, good, other], 2, 5)).toEqual([5]);
    expect(blockTime([liar, good, other])).toBe(1_001);
    expect(blockTime([liar, good])).toBe(1_000);
    expect(blockTime([])).toBeUndefined();
  });
  it("go up from the lowest where no quorum says the same, and not below what was known", () => {
    expect(numbers([liar, good], 2, 5)).toEqual([5, 9]);
    expect(numbers([seen("granted", 2, 1), good], 2, 5)).toEqual([5]);
    expect(numbers([1, 2, 3, 4].map((one) => seen("granted", one, 1)), 2, 0)).toEqual([1, 2, 3]);
  });
});

describe("the cooperative that a member joined", () => {
  const steward = (seat: number, address: string, url = `http://s${seat}`) => ({ steward: seat, address, url, up: true });
  const shown = (more: object = {}) => ({ chain_id: 1, quorum: 2, manifest: { addresses: { membership: "0xAB", consent: "0xCD" } }, stewards: [steward(1, "0x1"), steward(2, "0x2"), steward(3, "0x3")], ...more }) as unknown as Cooperative;
  const pin = pinOf(shown());
  it("is known by its chain and contracts, however they are written", () => {
    expect(isSame(pin, shown({ manifest: { addresses: { consent: "0xcd", membership: "0xab" } } }))).toBe(true);
    expect(isSame(pin, shown({ chain_id: 2 }))).toBe(false);
    expect(isSame(pin, shown({ manifest: { addresses: { membership: "0xAB", consent: "0xEE" } } }))).toBe(false);
  });
  it("has the device's time where it was seen long ago, but for the chain whose time is moved by hand", () => {
    expect([timeOf({ chain_id: 10, now: 5 }, 9_000_000), timeOf({ chain_id: 31_337, now: 5 }, 9_000_000)]).toEqual([9_000_000, 5]);
  });
  it("has nothing sealed to a steward that the member does not know", () => {
    const changed = shown({ stewards: [steward(1, "0x1"), steward(2, "0x9"), steward(3, "0x3")] });
    expect(() => mustBeKnown(pin, changed)).toThrow("0x9");
    expect(() => mustBeKnown(pin, shown())).not.toThrow();
    expect(() => mustBeKnown(undefined, changed)).not.toThrow();
  });
  it("is asked where its stewards were, too", () => {
    const moved = shown({ stewards: [steward(1, "0x1", "http://elsewhere"), steward(2, "0x9")] });
    expect(everyone(pin, moved).map(({ steward: seat, address, url }) => [seat, address, url])).toEqual([
      [1, "0x1", "http://elsewhere"],
      [2, "0x9", "http://s2"],
      [1, "0x1", "http://s1"],
      [0, "0x2", "http://s2"],
      [0, "0x3", "http://s3"],
    ]);
  });
  it("has as witnesses those that were known, once each, and what they say of this member", () => {
    const { addresses, quorum } = witnesses(pin);
    expect([[...addresses], quorum]).toEqual([["0x1", "0x2", "0x3"], 2]);
    const said = (address: string, account = "0xA", member_id = 7) => ({ steward: 1, address, said: { account, member_id } as unknown as Standing });
    const all = { answers: [said("0x1"), said("0x1"), said("0x9"), said("0x2", "0xB"), said("0x3", "0xa", 8)], away: [] };
    expect(own(all, { account: "0xa", member_id: 7 }, addresses)).toHaveLength(1);
  });
});

describe("receipts", () => {
  const receipt = (version: number, commitment: string | null) => ({ version, commitment, given_at: 1, until: 0, language: "en", notice: "", sentences: [], receipt: {} }) as Receipt;
  const things = (...receipts: Receipt[]) => ({ receipts }) as unknown as Things;
  it("of two that were signed for one version are both kept until one holds", () => {
    const both = withReceipt(receipt(1, "0x0b"))(things(receipt(1, "0x0a")));
    expect(both.receipts.map(({ commitment }) => commitment)).toEqual(["0x0a", "0x0b"]);
    expect(withHolding(1, "0x0A")(both).receipts.map(({ commitment }) => commitment)).toEqual(["0x0a"]);
  });
  it("hold by their commitment, not by their number", () => {
    const both = [receipt(1, "0x0a"), receipt(1, "0x0b")];
    expect(receiptsOf(both, { consent_version: 1, consent_commitment: "0x0A" }).current?.commitment).toBe("0x0a");
    expect(receiptsOf(both, { consent_version: 1, consent_commitment: "0x0c" }).current).toBeUndefined();
    expect(receiptsOf([receipt(1, null)], { consent_version: 1, consent_commitment: "0x0a" }).current).toBeUndefined();
    expect(receiptsOf(both, { consent_version: 2, consent_commitment: "0x0c" }).older).toEqual([]);
    expect(receiptsOf([receipt(1, "0x0a"), receipt(2, "0x0b")], { consent_version: 2, consent_commitment: "0x0b" })).toMatchObject({ current: { version: 2 }, older: [{ version: 1 }] });
  });
  it("a choice is confirmed by its commitment", () => {
    const seen = { consent: "granted", consent_version: 1, consent_commitment: "0x0a" as const };
    expect([holds(seen, 1, "0x0A"), holds(seen, 1, "0x0b"), holds(seen, 2, "0x0a"), holds({ ...seen, consent: "revoked" }, 1, "0x0a")]).toEqual([true, false, false, false]);
  });
});

describe("two members in one browser", () => {
  it("are not mixed up", () => {
    expect([adopts(undefined, false, "0xa"), adopts("0xA", false, "0xa"), adopts("0xb", false, "0xa"), adopts(undefined, true, "0xa")]).toEqual([true, true, false, false]);
  });
  it("keep what is theirs", () => {
    const opened = (account: string, locker: Hex) => ({ locker, things: { account, passkey: {}, added: [] }, session: null }) as unknown as Opened;
    open(opened("0xa", "0x0a"));
    keep("0x0b", { account: "0xb" } as Things);
    expect(current()?.things.account).toBe("0xa");
    keep("0x0a", { ...opened("0xa", "0x0a").things, row_key: "0x01" });
    expect(current()?.things.row_key).toBe("0x01");
    lock();
    keep("0x0a", { account: "0xa" } as Things);
    expect(current()).toBeUndefined();
  });
});

describe("a tab", () => {
  const hour = 3_600_000;
  it("is over when it was locked elsewhere, after twelve hours, or half an hour that nobody was there", () => {
    const tab = { since: 100 * hour, lock: 5 };
    expect(isOver(tab, 100 * hour + 1, 5, 0)).toBe(false);
    expect(isOver(tab, 100 * hour + 1, 6, 0)).toBe(true);
    expect(isOver(tab, 100.6 * hour, 5, 0)).toBe(true);
    expect(isOver(tab, 100.6 * hour, 5, 100.5 * hour)).toBe(false);
    expect(isOver(tab, 112.1 * hour, 5, 112 * hour)).toBe(true);
  });
});

describe("a member that the gateway shows", () => {
  const pin = { chain_id: 1, addresses: {}, quorum: 2, stewards: [["0x1", "a"], ["0x2", "b"], ["0x3", "c"]] as [string, string][] };
  const says = (address: string, account: string, active = true) => ({ steward: 1, address, said: { account, member_id: 7, active } as unknown as Standing });
  it("is one when a quorum of the stewards knows it by this account", () => {
    const is = (...answers: ReturnType<typeof says>[]) => isKnown({ answers, away: [] }, { account: "0xA", member_id: 7 }, pin);
    expect([is(says("0x1", "0xa"), says("0x2", "0xa")), is(says("0x1", "0xa"), says("0x2", "0xb"), says("0x9", "0xa")), is(says("0x1", "0xa"), says("0x2", "0xa", false))]).toEqual([true, false, false]);
  });
});

it("a fragment that is not escaped as it should be is read as it stands", () => {
  expect([fragment("#AB%20C"), fragment("#100%"), fragment("")]).toEqual(["AB C", "100%", ""]);
});

it("a record that is brought back is the one that was added, whatever one steward says", () => {
  const one = (commitment: string) => ({ commitment });
  expect(ofOne([one("0x9"), one("0x1"), one("0x1")], []).length).toBe(2);
  expect(ofOne([one("0x9"), one("0x9"), one("0xA1")], ["0xa1"])).toEqual([one("0xA1")]);
  expect(ofOne([], [])).toEqual([]);
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
