//! Who has come in, in this tab: the locker's secret and what is in it, and for up to twelve hours the right to read one's own at the stewards.
//! Tabs of one browser share it while one of them is open; "lock" ends it in all of them.
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

const tab = kept(() => sessionStorage, "rochdale.opened", Opened);
export const known = kept(() => localStorage, "rochdale.known", Known);

type Told = { kind: "who" } | { kind: "opened"; opened: Opened } | { kind: "locked" };
const others = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("rochdale.opened");

let opened: Opened | undefined = typeof window === "undefined" ? undefined : tab.read();
const listeners = new Set<() => void>();

function become(next: Opened | undefined): void {
  opened = next;
  if (next) tab.write(next);
  else tab.forget();
  listeners.forEach((listener) => listener());
}

if (others) {
  others.onmessage = ({ data }: MessageEvent<Told>) => {
    if (data.kind === "locked") become(undefined);
    else if (data.kind === "opened") become(data.opened);
    else if (opened) others.postMessage({ kind: "opened", opened } satisfies Told);
  };
  if (!opened) others.postMessage({ kind: "who" } satisfies Told);
}

export function open(next: Opened): void {
  const { account, passkey, member_id } = next.things;
  known.write({ account, credential: passkey.credential, member_id, opens: passkey.opens });
  become(next);
  others?.postMessage({ kind: "opened", opened: next } satisfies Told);
}

export function lock(): void {
  become(undefined);
  others?.postMessage({ kind: "locked" } satisfies Told);
}

/** Newer things of the same member. */
export function keep(things: Things): void {
  if (opened) open({ ...opened, things });
}

export const current = (): Opened | undefined => opened;

/** The stewards take it no more; the things stay open until the tab is closed or locked. */
export function endSession(): void {
  if (opened?.session) open({ ...opened, session: null });
}

export function useOpened(): Opened | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => opened,
  );
}
