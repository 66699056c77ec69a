//! Bytes as the text that others want.

export type Hex = `0x${string}`;

export const hexOf = (bytes: ArrayBuffer | Uint8Array): Hex =>
  `0x${[...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;

export function bytesOfHex(hex: string): Uint8Array<ArrayBuffer> {
  const digits = hex.replace(/^0x/, "");
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new TypeError("not hexadecimal");
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) => Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

/** Credentials' names, as WebAuthn's JSON writes them. */
export const base64url = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

export const bytesOfBase64url = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** A blob's address: CIDv1, raw, SHA-256, in base32. */
export function cidOf(digest: string): string {
  const bytes = [1, 0x55, 0x12, 0x20, ...bytesOfHex(digest)];
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const fives = bits.padEnd(Math.ceil(bits.length / 5) * 5, "0").match(/.{5}/g) ?? [];
  return `b${fives.map((five) => BASE32[Number.parseInt(five, 2)]).join("")}`;
}
