//! Lockers at the gateway: ciphertext that only who knows a secret finds, opens and changes. Two doors lead to a member's: small lockers that
//! hold its secret, one opened by the passkey, one by the recovery code.
import * as v from "valibot";
import { ReadFailure } from "../../api/read";
import type { Hex } from "./bytes";
import { cooperative } from "./facts";
import { kept } from "./kept";
import * as rules from "./rules";
import { askSigned } from "./signed";
import { parseThings, textOf, type Things, withDoor } from "./things";

const Locker = v.object({ version: v.pipe(v.number(), v.safeInteger(), v.minValue(1)), sealed: v.string() });

export interface Content {
  readonly version: number;
  readonly text: string;
}

/** What is in it; nothing where there is none. */
export async function look(secret: Hex): Promise<Content | undefined> {
  try {
    const { version, sealed } = await ask(secret, "GET", undefined);
    await mustBeNewest(secret, version);
    return { version, text: (await rules.lockerOpen(secret, version, sealed)).trimEnd() };
  } catch (error) {
    if (error instanceof ReadFailure && error.code === "not_found") {
      await mustBeNewest(secret, 0);
      return undefined;
    }
    throw error;
  }
}

/** The highest version of each locker that this device has seen, by its name, which is no secret. */
const newest = kept(() => localStorage, "rochdale.lockers", v.record(v.string(), v.number()));

export const forgetVersions = () => newest.forget();

/** A gateway that gives back what was there before would undo what the member did. */
async function mustBeNewest(secret: Hex, version: number): Promise<void> {
  const { id } = await rules.lockerId(secret);
  const seen = newest.read() ?? {};
  const before = seen[id] ?? 0;
  if (version < before) throw new ReadFailure("refused", "locker", `version ${version} came, and ${before} was seen`, "locker_older");
  if (version > before) newest.write({ ...seen, [id]: version });
}

async function ask(secret: Hex, method: "GET" | "PUT", body: unknown) {
  const [{ id, key }, directory] = await Promise.all([rules.lockerId(secret), cooperative()]);
  const whom = { cooperative: directory, url: "", audience: directory.gateway, key, session: null };
  return askSigned({ ...whom, method, path: `/v1/lockers/${id}`, body, schema: Locker });
}

/** `version`: the one that it replaces, 0 for the first. */
const put = async (secret: Hex, version: number, text: string) => ask(secret, "PUT", { version, sealed: await rules.lockerSeal(secret, version + 1, padded(text)) });

/** To a multiple of this: the gateway does not see by the length what was added. */
const BLOCK = 2_048;
const padded = (text: string) => text.padEnd(Math.ceil(text.length / BLOCK) * BLOCK);

const TRIES = 6;

/**
 * Puts in what `change` makes of what is there. Where another device was faster it is read again and changed anew; tabs of one browser wait for
 * each other. Nothing is put where nothing changes.
 */
export function change(secret: Hex, changed: (text: string | undefined) => string): Promise<string> {
  return alone(async () => {
    for (let tries = 1; ; tries += 1) {
      const there = await look(secret);
      const text = changed(there?.text);
      if (text === there?.text) return text;
      try {
        await put(secret, there?.version ?? 0, text);
        return text;
      } catch (error) {
        const isOvertaken = error instanceof ReadFailure && error.code === "conflict";
        if (!isOvertaken || tries === TRIES) throw error;
      }
    }
  });
}

const alone = <T>(act: () => Promise<T>): Promise<T> => (globalThis.navigator && "locks" in navigator ? navigator.locks.request("rochdale.locker", act) as Promise<T> : act());

/** The member's things, changed. */
export async function changeThings(secret: Hex, changed: (things: Things) => Things): Promise<Things> {
  const text = await change(secret, (there) => {
    if (!there) throw new ReadFailure("refused", "locker", "the locker is gone", "not_found");
    return textOf(changed(parseThings(there)));
  });
  return parseThings(text);
}

/** The first things; what is there already stays. */
export const start = (secret: Hex, things: Things) => change(secret, (there) => there || textOf(things)).then(parseThings);

const Door = v.pipe(v.string(), v.parseJson(), v.object({ locker: v.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]{64}$/i.test(value)) }));

/** Makes a door, or has it lead elsewhere. */
export const makeDoor = (door: Hex, locker: Hex) => change(door, () => JSON.stringify({ locker }));

/** Makes a door that the locker knows of, so that it can be emptied with it. */
export async function addDoor(door: Hex, locker: Hex): Promise<Things> {
  await makeDoor(door, locker);
  return changeThings(locker, withDoor(door));
}

/** Nothing is in it any more. What is at the gateway has a version, and no content. */
export const empty = (secret: Hex) => change(secret, () => "");

/** The doors first: what is behind them is named by nothing then. */
export async function emptyAll(locker: Hex, doors: readonly Hex[]): Promise<void> {
  for (const door of doors) await empty(door);
  await empty(locker);
}

/** Behind a door: the locker's secret, and the things in it; nothing where there is no door. */
export async function enter(door: Hex): Promise<{ locker: Hex; things: Things } | undefined> {
  const found = await look(door);
  if (!found?.text) return undefined;
  const { locker } = v.parse(Door, found.text);
  const content = await look(locker);
  return content?.text ? { locker, things: parseThings(content.text) } : undefined;
}
