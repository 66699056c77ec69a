//! Starts the worker for a file, and ends it with its answer.
import * as v from "valibot";
import { scriptUrl } from "../../ui/trusted";
import type { Fault, Told } from "./messages";
import { Checked } from "./shape";
import workerUrl from "./worker?worker&url";

export interface Listener {
  read: (part: number) => void;
  scoring: () => void;
  done: (checked: Checked) => void;
  failed: (why: Fault, detail: string) => void;
}

/** Gives what ends it early. */
export function checkFile(file: File, listener: Listener): () => void {
  const worker = new Worker(scriptUrl(workerUrl), { type: "module" });
  const fail = (why: Fault, detail: string) => {
    worker.terminate();
    listener.failed(why, detail);
  };
  worker.addEventListener("error", (event) => fail("core", event.message));
  worker.addEventListener("message", ({ data }: MessageEvent<Told>) => {
    if (data.kind === "read") return listener.read(data.part);
    if (data.kind === "scoring") return listener.scoring();
    if (data.kind === "failed") return fail(data.why, data.detail);
    worker.terminate();
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Checked), data.text);
    return parsed.success ? listener.done(parsed.output) : listener.failed("core", parsed.issues[0].message);
  });
  worker.postMessage(file);
  return () => worker.terminate();
}
