//! Dollars as they are typed, in micro-USDC: no digit passes through a float.
export function microOf(text: string): bigint | undefined {
  const [, whole, part = ""] = /^([0-9]{1,15})(?:[.,]([0-9]{1,6}))?$/.exec(text.trim()) ?? [];
  return whole === undefined ? undefined : BigInt(whole + part.padEnd(6, "0"));
}
