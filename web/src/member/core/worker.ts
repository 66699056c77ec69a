//! The rules, beside the page: one call after another, text in and text out.
import wasmUrl from "../../../wasm/rochdale_bg.wasm?url";
import start, * as rules from "../../../wasm/rochdale.js";
import { readRecord } from "../check/read";
import type { Asked, Answered } from "./asking";

type Plain = (argument: string) => string;
interface Contributed {
  json(): string;
  blob(): Uint8Array<ArrayBuffer>;
  free(): void;
}
type Open = (argument: string, sealed: Uint8Array) => Uint8Array<ArrayBuffer>;
type Contribute = (argument: string, name: string, bytes: Uint8Array, which: number) => Contributed;

const started = fetch(wasmUrl, { integrity: __WASM_INTEGRITY__ }).then((module_or_path) => start({ module_or_path }));

self.addEventListener("message", ({ data }: MessageEvent<Asked>) => void answer(data));

async function answer({ id, name, argument, record, sealed }: Asked): Promise<void> {
  const tell = (answered: Answered, moved: Transferable[] = []) => self.postMessage(answered, { transfer: moved });
  // As an error of the whole worker: the next question starts another.
  if (!(await started.then(() => true, reportError))) return;
  try {
    const called = (rules as unknown as Record<string, unknown>)[name];
    if (typeof called !== "function") throw new Error(`the rules have no ${name}`);
    if (sealed) {
      const blob = (called as Open)(argument, sealed);
      return tell({ id, text: "", blob }, [blob.buffer]);
    }
    if (!record) return tell({ id, text: (called as Plain)(argument) });
    const made = (called as Contribute)(argument, record.file.name, await readRecord(record.file), record.which);
    const [text, blob] = [made.json(), made.blob()];
    made.free();
    tell({ id, text, blob }, [blob.buffer]);
  } catch (error) {
    tell({ id, error: error instanceof Error ? error.message : String(error) });
  }
}
