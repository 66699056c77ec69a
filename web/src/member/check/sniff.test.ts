import { expect, it } from "vitest";
import { sortOf } from "./sniff";

const bytes = (text: string) => new TextEncoder().encode(text);

it.each([
  ["empty", new Uint8Array()],
  ["gzip", new Uint8Array([0x1f, 0x8b, 8])],
  ["pdf", bytes("%PDF-1.7")],
  ["zip", new Uint8Array([0x50, 0x4b, 3, 4])],
  ["xml", bytes('\ufeff  <?xml version="1.0"?>')],
  ["text", bytes('  {"resourceType":"Bundle"}')],
] as const)("knows %s by its first bytes", (sort, head) => expect(sortOf(head)).toBe(sort));
