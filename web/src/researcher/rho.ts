//! Privacy loss, kept in billionths of zCDP and written as a decimal: no digit passes through a float.

export const NANO = 1_000_000_000;

/** `50000000` as `0.05`. */
export function rhoOf(nano: number): string {
  const digits = String(nano).padStart(10, "0");
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`.replace(/\.?0+$/, "") || "0";
}

/** `0.05` as `50000000`; nothing where it is no such number. */
export function nanoOf(text: string): number | undefined {
  const [, whole, part = ""] = /^([0-9]{1,3})(?:[.,]([0-9]{1,9}))?$/.exec(text.trim()) ?? [];
  return whole === undefined ? undefined : Number(whole + part.padEnd(9, "0"));
}
