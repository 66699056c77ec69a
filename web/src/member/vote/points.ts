//! Voting points: amounts that are typed, and what setting them aside does. The contract knows months of 30 days.
/** Votes that come of points set aside for so long, as many times as of free ones. */
export const TIERS = [
  { months: 3, times: 1.1 },
  { months: 6, times: 1.25 },
  { months: 12, times: 1.5 },
  { months: 24, times: 1.75 },
  { months: 48, times: 2 },
] as const;

/** A typed number with a comma or a point, up to 18 digits behind it; nothing where it is none. */
export function weiOf(typed: string): bigint | undefined {
  const [, whole, part = ""] = /^(\d{1,12})(?:[.,](\d{1,18}))?$/.exec(typed.trim()) ?? [];
  return whole === undefined ? undefined : BigInt(whole) * 10n ** 18n + BigInt(part.padEnd(18, "0"));
}

/** A member's number. */
export function memberIn(typed: string): number | undefined {
  const number = /^[1-9]\d{0,8}$/.test(typed.trim()) ? Number(typed.trim()) : undefined;
  return number;
}
