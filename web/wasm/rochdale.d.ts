/* tslint:disable */
/* eslint-disable */

/**
 * Reads and scores a file without sending anything. `bytes`: a FHIR R4 bundle or NDJSON of them, not packed; `now`: unix
 * seconds. Gives [`Checked`] as JSON.
 */
export function check_record(name: string, bytes: Uint8Array | number[], now: number): string;

/**
 * Replays the project's vectors: `files` is a JSON object of each file's text by its name. Gives the number of cases by file, as JSON.
 *
 * # Errors
 * With the first case that comes out otherwise than its file says, or a file that nothing here replays.
 */
export function replay_vectors(files: string): string;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly check_record: (a: number, b: number, c: number, d: number, e: number) => [number, number];
    readonly replay_vectors: (a: number, b: number) => [number, number, number, number];
    readonly __wbindgen_externrefs: WebAssembly.Table;
    readonly __wbindgen_malloc: (a: number, b: number) => number;
    readonly __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
    readonly __wbindgen_free: (a: number, b: number, c: number) => void;
    readonly __externref_table_dealloc: (a: number) => void;
    readonly __wbindgen_start: () => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
