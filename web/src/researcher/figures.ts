//! The figures of an answer: what each is of, and how far the noise may have moved it. Integers until they are written.
import type { Figure, Query } from "./asking";
import { unitOf } from "./form";

export type What = { readonly of: "members" } | { readonly of: "mean" } | { readonly of: "measured" } | { readonly of: "bin"; readonly below: string | undefined; readonly from: string | undefined };

export interface Reading {
  readonly what: What;
  readonly value: string;
  readonly error: string;
  readonly low: string;
  readonly high: string;
}

/** `integer / scale`, exactly; the scale is a power of ten. */
export function decimal(integer: bigint, scale: number): string {
  const places = String(scale).length - 1;
  const digits = (integer < 0n ? -integer : integer).toString().padStart(places + 1, "0");
  const text = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`.replace(/\.?0+$/, "");
  return integer < 0n ? `-${text}` : text;
}

/** The 95% interval by the noise, 1.96 standard errors on either side, rounded outwards to the figure's integers. */
export function read({ value, scale, sigma_milli }: Figure, what: What): Reading {
  const half = (BigInt(sigma_milli) * 1_960n + 999_999n) / 1_000_000n;
  return { what, value: decimal(BigInt(value), scale), error: decimal(BigInt(sigma_milli), 1_000 * scale), low: decimal(BigInt(value) - half, scale), high: decimal(BigInt(value) + half, scale) };
}

/** Each figure of an answer with what it is of, in order. */
export function readings({ ask }: Query, figures: readonly Figure[]): Reading[] {
  return figures.map((figure, place) => read(figure, whatOf(ask, place)));
}

function whatOf(ask: Query["ask"], place: number): What {
  if (ask.kind === "count") return { of: "members" };
  if (ask.kind === "mean") return { of: place === 0 ? "mean" : "measured" };
  const [from, below] = [ask.edges[place], ask.edges[place + 1]];
  // What lies beyond the outer edges counts in the outer bins.
  return { of: "bin", from: place === 0 || from === undefined ? undefined : unitOf(from), below: place === ask.edges.length - 2 || below === undefined ? undefined : unitOf(below) };
}

/** Comma-separated values, as RFC 4180 has them. What begins like a formula is none in a spreadsheet. */
export function csv(rows: readonly (readonly string[])[]): string {
  const cell = (text: string) => {
    const safe = /^[=+@\t\r]/.test(text) || /^-[^0-9]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return `${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}
