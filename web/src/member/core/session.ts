//! Who has come in, in this tab: the locker's secret and what is in it, and for up to twelve hours the right to read one's own at the stewards.
//! Tabs of one browser share it while one of them is open; "lock", twelve hours, or half an hour in which nobody touches any of them end it in all.
import { useSyncExternalStore } from "react";
import * as v from "valibot";
import type { Hex } from "./bytes";
import { kept } from "./kept";
import { Things } from "./things";

const hex = v.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-fA-F]*$/.test(value));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** `until` is the chain's time, `ends` this device's, in milliseconds: neither has to be right for the other. */
const Session = v.object({ key: hex, account: v.string(), until: count, signature: hex, ends: count });
export type Session = v.InferOutput<typeof Session>;

const Opened = v.object({ locker: hex, things: Things, session: v.nullable(Session) });
export type Opened = v.InferOutput<typeof Opened>;

/** What this device knows of who was here: nothing of it is secret. */
const Known = v.object({ account: v.string(), credential: v.string(), member_id: v.nullable(count), opens: v.boolean() });
export type Known = v.InferOutput<typeof Known>;

/** The name under which a tab keeps a joining that has no locker yet. */
export const DRAFT = "rochdale.join";

/** What the tab keeps: `since` when it was opened, in milliseconds; `lock` the browser's last lock then. */
const Tab = v.object({ opened: Opened, since: count, lock: count });
type Tab = v.InferOutput<typeof Tab>;
const tab = kept(() => sessionStorage, "rochdale.opened", Tab);
export const known = kept(() => localStorage, "rochdale.known", Known);
/** When it was last locked, and when anybody last touched one of the tabs: for all of this browser. A tab that is restored compares. */
const lockMark = kept(() => localStorage, "rochdale.locked", count);
const touched = kept(() => localStorage, "rochdale.touched", count);

const LONGEST = 12 * 3_600_000;
const IDLE = 30 * 60_000;

/** Whether what a tab keeps is over: locked since, open for too long, or nobody was there. */
export const isOver = ({ since, lock }: Pick<Tab, "since" | "lock">, now: number, locked: number, touchedAt: number): boolean =>
  locked !== lock || now - since > LONGEST || now - Math.max(since, touchedAt) > IDLE;

const overNow = (of: Tab) => isOver(of, Date.now(), lockMark.read() ?? 0, touched.read() ?? 0);

type Told = { kind: "who" } | { kind: "opened"; tab: Tab } | { kind: "locked" };
const others = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("rochdale.opened");

const found = typeof window === "undefined" ? undefined : tab.read();
let mine: Tab | undefined = found && !overNow(found) ? found : undefined;
if (found && !mine) tab.forget();
const listeners = new Set<() => void>();

function become(next: Tab | undefined): void {
  mine = next;
  if (next) tab.write(next);
  else tab.forget();
  listeners.forEach((listener) => listener());
}

/** Another tab's is taken for the same account, or where this tab has none and nobody is joining in it. */
export const adopts = (here: string | undefined, hasDraft: boolean, theirs: string): boolean => (here === undefined ? !hasDraft : here.toLowerCase() === theirs.toLowerCase());

const isJoining = () => kept(() => sessionStorage, DRAFT, v.unknown()).read() !== undefined;

if (others) {
  others.onmessage = ({ data }: MessageEvent<Told>) => {
    if (data.kind === "locked") become(undefined);
    else if (data.kind === "opened") {
      if (adopts(mine?.opened.things.account, isJoining(), data.tab.opened.things.account) && !overNow(data.tab)) become(data.tab);
    } else if (mine && !overNow(mine)) others.postMessage({ kind: "opened", tab: mine } satisfies Told);
  };
  if (!mine) others.postMessage({ kind: "who" } satisfies Told);
}

if (typeof window !== "undefined") {
  let last = 0;
  const touch = () => {
    if (!mine || Date.now() - last < 10_000) return;
    if (overNow(mine)) return lock();
    last = Date.now();
    touched.write(last);
  };
  for (const kind of ["pointerdown", "keydown", "focus"]) window.addEventListener(kind, touch, { passive: true, capture: true });
  setInterval(() => mine && overNow(mine) && lock(), 20_000);
}

export function open(next: Opened): void {
  const { account, passkey, member_id } = next.things;
  known.write({ account, credential: passkey.credential, member_id, opens: passkey.opens });
  const isSame = mine?.opened.things.account === account;
  if (!isSame) touched.write(Date.now());
  const opened = { opened: next, since: isSame && mine ? mine.since : Date.now(), lock: lockMark.read() ?? 0 };
  become(opened);
  others?.postMessage({ kind: "opened", tab: opened } satisfies Told);
}

export function lock(): void {
  lockMark.write(Math.max(Date.now(), (lockMark.read() ?? 0) + 1));
  become(undefined);
  others?.postMessage({ kind: "locked" } satisfies Told);
}

/** Newer things of that locker; where another is open by now, or none, nothing. */
export function keep(locker: Hex, things: Things): void {
  if (mine?.opened.locker === locker) open({ ...mine.opened, things });
}

export const current = (): Opened | undefined => mine?.opened;

/** The stewards take it no more; the things stay open until the tab is closed or locked. */
export function endSession(): void {
  if (mine?.opened.session) open({ ...mine.opened, session: null });
}

export function useOpened(): Opened | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    current,
  );
}
