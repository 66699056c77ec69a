//! Where a poll stands, by the chain's time.
import type { Poll } from "../api/within";

export type Phase = "later" | "open" | "closed";

export function phaseOf({ opens_at, closes_at }: Pick<Poll, "opens_at" | "closes_at">, now: number): Phase {
  if (now < opens_at) return "later";
  return now < closes_at ? "open" : "closed";
}

/** How often each option was chosen. A choice that no option stands for is nobody's. */
export function countOf(options: readonly string[], choices: readonly number[]): number[] {
  return options.map((_, place) => choices.filter((choice) => choice === place).length);
}
