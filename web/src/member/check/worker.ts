//! Reads and scores one file, beside the page. A worker lives for one file: what it held goes with it.
import wasmUrl from "../../../wasm/rochdale_bg.wasm?url";
import start, { check_record } from "../../../wasm/rochdale.js";
import type { Told } from "./messages";
import { readRecord, Stop } from "./read";

const tell = (told: Told) => self.postMessage(told);

self.addEventListener("message", ({ data }: MessageEvent<File>) => {
  void work(data).catch((error: unknown) => {
    const [why, detail] = error instanceof Stop ? [error.why, error.message] : (["core", String(error)] as const);
    tell({ kind: "failed", why, detail });
  });
});

async function work(file: File): Promise<void> {
  const bytes = await readRecord(file, (part) => tell({ kind: "read", part }));
  tell({ kind: "scoring" });
  await start({ module_or_path: await fetch(wasmUrl, { integrity: __WASM_INTEGRITY__ }) });
  tell({ kind: "done", text: check_record(file.name, bytes, Math.floor(Date.now() / 1000)) });
}
