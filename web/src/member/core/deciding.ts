//! What a withdrawal is signed with, and whose word counts: no single steward decides it, and the gateway none of it.
import type { Standing } from "./stewards";

export type Kind = "revoke" | "erase";

/** How many numbers are tried where no quorum says the same. */
const TRIES = 3;

export const isDone = (kind: Kind, consent: string): boolean => consent === "erased" || (kind === "revoke" && consent === "revoked");

/** What a quorum sees alike. */
export function agreed<T extends Pick<Standing, "active" | "consent" | "consent_nonce">>(heard: readonly T[], quorum: number): T | undefined {
  const seen = ({ active, consent, consent_nonce }: T) => JSON.stringify([active, consent, consent_nonce]);
  return heard.find((one) => heard.filter((other) => seen(other) === seen(one)).length >= Math.max(1, quorum));
}

/**
 * The numbers to try, the lowest first: that which a quorum sees, else what single stewards say. A number that was used is refused by whoever
 * is honest, and one above the next would be worth something to who lies: none is signed before all below it were refused.
 */
export function numbers(heard: readonly Pick<Standing, "active" | "consent" | "consent_nonce">[], quorum: number, known: number): number[] {
  const alike = agreed(heard, quorum);
  if (alike) return [alike.consent_nonce];
  const told = new Set(heard.map(({ consent_nonce }) => consent_nonce).filter((nonce) => nonce >= known));
  return [...told].sort((one, other) => one - other).slice(0, TRIES);
}

/** Block time as the stewards see it: the lower of the two in the middle, so that none of them alone moves it far. */
export function blockTime(heard: readonly { readonly now: number }[]): number | undefined {
  const times = heard.map(({ now }) => now).sort((one, other) => one - other);
  return times[Math.floor((times.length - 1) / 2)];
}
