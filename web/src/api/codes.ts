//! Numbers that the chain keeps and people do not read.

/** DUO permissions by their number: what a license is for. */
export const PURPOSES = [4, 6, 7, 11, 42] as const;
export type Purpose = (typeof PURPOSES)[number];
export const purposeOf = (number: number): Purpose | "other" => PURPOSES.find((known) => known === number) ?? "other";

/** What a dataset holds. */
export const KINDS = [1, 2, 3, 4] as const;
export type Kind = (typeof KINDS)[number];
export const kindOf = (number: number): Kind | "other" => KINDS.find((known) => known === number) ?? "other";

/** The chain of a computer on which somebody tries the software out: money on it is play money. */
export const LOCAL_CHAIN = 31337;

/** Published sizes are multiples of this, and never below it. */
export const SIZE_GRID = 50;
