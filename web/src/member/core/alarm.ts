//! Whose passkey is on its way into an account. That it is one's own, this device knows which made it: what the locker says of it, who has the
//! recovery code could have written.
import * as v from "valibot";
import type { Account } from "./facts";
import { kept } from "./kept";
import { Passkey } from "./things";

const Made = v.object({ account: v.string(), passkey: Passkey });
export type Made = v.InferOutput<typeof Made>;

/** The passkey that this device made to take the place of a lost one. */
export const made = kept(() => localStorage, "rochdale.made", Made);

type Point = { readonly qx: string; readonly qy: string };
export const isPoint = (one: Point | null | undefined, other: Point | null | undefined): boolean =>
  !!one && !!other && one.qx.toLowerCase() === other.qx.toLowerCase() && one.qy.toLowerCase() === other.qy.toLowerCase();

export const madeFor = (account: string): Made["passkey"] | undefined => {
  const here = made.read();
  return here?.account.toLowerCase() === account.toLowerCase() ? here.passkey : undefined;
};

export const isOwn = ({ account, recovery }: Pick<Account, "account" | "recovery">, here = madeFor(account)): boolean => isPoint(recovery, here);

/** `unchecked`: the account cannot be read, or could not when it was last looked at. That is not the same as nothing being under way. */
export type Alarm = "none" | "own" | "foreign" | "unchecked";

export function alarmOf({ data, isError }: { data: Account | undefined; isError: boolean }, here?: Made["passkey"]): Alarm {
  if (data?.recovery) return isOwn(data, here) ? "own" : "foreign";
  return isError ? "unchecked" : "none";
}
