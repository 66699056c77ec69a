//! A file's text as bytes, unpacked where it is packed; for workers, which it would not block.
import { type Fault, MOST } from "./messages";
import { HEAD, sortOf } from "./sniff";

export class Stop extends Error {
  constructor(
    readonly why: Fault,
    detail = "",
  ) {
    super(detail);
  }
}

/** `seen`: told how much of the file was read, of 1. */
export async function readRecord(file: File, seen: (part: number) => void = () => undefined): Promise<Uint8Array> {
  const head = await bytesOf(file.slice(0, HEAD));
  const sort = sortOf(head);
  if (sort !== "gzip" && sort !== "text") throw new Stop(sort);
  if (file.size > MOST) throw new Stop("large");
  let read = 0;
  const counted = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, control) {
      read += chunk.length;
      seen(read / file.size);
      control.enqueue(chunk);
    },
  });
  const packed = file.stream().pipeThrough(counted);
  return gather(sort === "gzip" ? packed.pipeThrough(new DecompressionStream("gzip")) : packed, sort === "text" ? file.size : undefined);
}

/** One buffer where the size is known: a file of 48 MB is not held twice. */
async function gather(stream: ReadableStream<Uint8Array>, size: number | undefined): Promise<Uint8Array> {
  const reader = stream.getReader();
  let bytes = new Uint8Array(size ?? 1 << 20);
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => Promise.reject(new Stop("unreadable", String(error))));
    if (done) return bytes.subarray(0, at);
    // Unpacked, a few bytes may become any number of them.
    if (at + value.length > MOST) throw new Stop("large");
    if (at + value.length > bytes.length) {
      const larger = new Uint8Array(Math.min(MOST, Math.max(bytes.length * 2, at + value.length)));
      larger.set(bytes.subarray(0, at));
      bytes = larger;
    }
    bytes.set(value, at);
    at += value.length;
  }
}

async function bytesOf(blob: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (error) {
    throw new Stop("unreadable", String(error));
  }
}
