//! Asking the rules' worker. It starts with the first question, and anew where it broke.
import { scriptUrl } from "../../ui/trusted";
import { RulesFailure } from "./refusal";
import workerUrl from "./worker?worker&url";

/** A file of which one record is taken. */
export interface FromFile {
  readonly file: File;
  readonly which: number;
}
export interface Asked {
  readonly id: number;
  readonly name: string;
  readonly argument: string;
  readonly record?: FromFile | undefined;
  /** A sealed record, to be opened. */
  readonly sealed?: Uint8Array<ArrayBuffer> | undefined;
}
export interface Said {
  readonly text: string;
  readonly blob?: Uint8Array<ArrayBuffer>;
}
export type Answered = { readonly id: number } & (Said | { readonly error: string });

type Waiting = { done: (said: Said) => void; failed: (why: RulesFailure) => void };
const waiting = new Map<number, Waiting>();
let worker: Worker | undefined;
let asked = 0;

export function askRules(name: string, argument: unknown, record?: FromFile, sealed?: Uint8Array<ArrayBuffer>): Promise<Said> {
  worker ??= start();
  const id = ++asked;
  const question: Asked = { id, name, argument: JSON.stringify(argument ?? {}), record, sealed };
  return new Promise((done, failed) => {
    waiting.set(id, { done, failed });
    worker?.postMessage(question);
  });
}

function start(): Worker {
  const started = new Worker(scriptUrl(workerUrl), { type: "module" });
  started.addEventListener("message", ({ data }: MessageEvent<Answered>) => {
    const one = waiting.get(data.id);
    waiting.delete(data.id);
    if ("error" in data) one?.failed(new RulesFailure("refused", data.error));
    else one?.done(data);
  });
  started.addEventListener("error", (event) => {
    started.terminate();
    worker = undefined;
    waiting.forEach(({ failed }) => failed(new RulesFailure("broken", event.message)));
    waiting.clear();
  });
  return started;
}
