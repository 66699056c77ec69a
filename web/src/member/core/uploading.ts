//! A sealed record on its way to the vault. A large one goes in parts, each under the name of its content: where the connection breaks, the next
//! try goes on with the part that it was at.
import { PartsAnswer } from "../../api/generated";
import { ReadFailure } from "../../api/read";
import { send, upload } from "./send";

/** Bytes of a part: half a minute at half a megabit a second. The gateway takes 64 parts, and no record is that large. */
export const PART = 2 << 20;

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** CIDv1 of raw bytes by SHA-256, as the vault names them: version, codec, hash and length in base32 before the digest. */
export async function nameOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  let [text, held, bits] = ["b", 0, 0];
  for (const byte of [0x01, 0x55, 0x12, 0x20, ...digest]) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(held >> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET[(held << (5 - bits)) & 31] : text;
}

/** Also the second time: what is there is not sent again. `gone`: how much of it is there, from 0 to 1. */
export async function deliverBlob(cid: string, blob: Uint8Array<ArrayBuffer>, gone: (part: number) => void): Promise<void> {
  if (blob.length <= PART) return upload(`/v1/blobs/${cid}`, blob, gone);
  const names: string[] = [];
  const parts = new Map<string, Uint8Array<ArrayBuffer>>();
  for (let from = 0; from < blob.length; from += PART) {
    const part = blob.slice(from, from + PART);
    names.push(await nameOf(part));
    parts.set(names.at(-1) ?? "", part);
  }
  const join = () => send("POST", `/v1/blobs/${cid}/parts`, { parts: names }, PartsAnswer);
  let { missing } = await join();
  // What waited too long is deleted again, so that some may be missing a second time.
  for (let tries = 3; missing.length > 0; { missing } = await join()) {
    if (tries-- === 0) throw new ReadFailure("strange", cid, "the gateway does not keep the parts of the record");
    for (const [place, name] of missing.entries()) {
      const part = parts.get(name);
      if (!part) throw new ReadFailure("strange", cid, `the gateway asks for ${name}, which is no part of the record`);
      const before = names.length - missing.length + place;
      await upload(`/v1/blobs/${name}`, part, (share) => gone((before + share) / names.length));
    }
  }
}
