//! For tests: the committed module in the worker's place, as the worker calls it.
import { readFileSync } from "node:fs";
import * as module from "../../../wasm/rochdale.js";
import type { FromFile, Said } from "./asking";
import { RulesFailure } from "./refusal";

module.initSync({ module: readFileSync(new URL("../../../wasm/rochdale_bg.wasm", import.meta.url)) });

export async function askRules(name: string, argument: unknown, record?: FromFile): Promise<Said> {
  const called = (module as unknown as Record<string, (...given: unknown[]) => unknown>)[name];
  if (!called) throw new RulesFailure("broken", `the rules have no ${name}`);
  const text = JSON.stringify(argument ?? {});
  try {
    if (!record) return { text: called(text) as string };
    const bytes = new Uint8Array(await record.file.arrayBuffer());
    const made = called(text, record.file.name, bytes, record.which) as { json(): string; blob(): Uint8Array<ArrayBuffer> };
    return { text: made.json(), blob: made.blob() };
  } catch (error) {
    throw new RulesFailure("refused", error instanceof Error ? error.message : String(error));
  }
}
