//! Reads and scores one file, beside the page. A worker lives for one file: what it held goes with it.
import wasmUrl from "../../../wasm/rochdale_bg.wasm?url";
import start, { check_record } from "../../../wasm/rochdale.js";
import { type Fault, MOST, type Told } from "./messages";
import { HEAD, sortOf } from "./sniff";

class Stop extends Error {
  constructor(
    readonly why: Fault,
    detail = "",
  ) {
    super(detail);
  }
}

const tell = (told: Told) => self.postMessage(told);

self.addEventListener("message", ({ data }: MessageEvent<File>) => {
  void work(data).catch((error: unknown) => {
    const [why, detail] = error instanceof Stop ? [error.why, error.message] : (["core", String(error)] as const);
    tell({ kind: "failed", why, detail });
  });
});

async function work(file: File): Promise<void> {
  const bytes = await read(file);
  tell({ kind: "scoring" });
  await start({ module_or_path: await fetch(wasmUrl, { integrity: __WASM_INTEGRITY__ }) });
  tell({ kind: "done", text: check_record(file.name, bytes, Math.floor(Date.now() / 1000)) });
}

async function read(file: File): Promise<Uint8Array> {
  const head = await bytesOf(file.slice(0, HEAD));
  const sort = sortOf(head);
  if (sort !== "gzip" && sort !== "text") throw new Stop(sort);
  if (file.size > MOST) throw new Stop("large");
  let seen = 0;
  const counted = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, control) {
      seen += chunk.length;
      tell({ kind: "read", part: seen / file.size });
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
