/* tslint:disable */
/* eslint-disable */

/**
 * A record that was sealed.
 */
export class Contributed {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    /**
     * The sealed record, once.
     */
    blob(): Uint8Array;
    /**
     * `{request, challenge, cid, digest, quality, bytes}`.
     */
    json(): string;
}

/**
 * r" `{cooperative, account, nonce, act}` → `{request, challenge}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function account_act(json: string): string;

/**
 * r" `{qx, qy, recovery_code}` → `{account, guardians, threshold, delay}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function account_of(json: string): string;

/**
 * r" `{cooperative, code, account, row_key}` → what is sent to the registrar.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function apply(json: string): string;

/**
 * r" `{cooperative, account, recovery_code, qx, qy, round}` → the guardian's signed yes.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function approve_recovery(json: string): string;

/**
 * r" `{client_data_json, authenticator_data, signature}` → `{signature}`, as an account takes it.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function assertion(json: string): string;

/**
 * r" `{cooperative, member, id, poll, choice, sequence}` → `{request, challenge}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function ballot(json: string): string;

/**
 * r" `{qx, qy, signature}` → `{signature}`, for whoever looks before the account is created.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function before_creation(json: string): string;

/**
 * r" `{epoch, member_id, row}` → what the row's cash is made of, or `null`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function cash_parts(json: string): string;

/**
 * r" `{cooperative, audience, digest, status, body, signature}` → `{good}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function check_answer(json: string): string;

/**
 * Reads and scores a file without sending anything. `bytes`: a FHIR R4 bundle or NDJSON of them, not packed; `now`: unix
 * seconds. Gives [`Checked`] as JSON.
 */
export function check_record(name: string, bytes: Uint8Array | number[], now: number): string;

/**
 * r" `{cooperative, member, choice, until, language, contact}` → `{request, challenge, receipt, words}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function consent(json: string): string;

/**
 * Seals the record with this number in a file, counted from 0; `json` is `{cooperative, member, dataset}`.
 *
 * # Errors
 * In English: where there is no such record, or it cannot be sealed.
 */
export function contribute(json: string, name: string, bytes: Uint8Array | number[], which: number): Contributed;

/**
 * r" `{cooperative, member, package}` → `{request, challenge}`: the same package, to be signed again.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function contribute_again(json: string): string;

/**
 * r" `{recovery_code}` → `{secret}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function door_of_code(json: string): string;

/**
 * r" `{}` → `{row_key, locker_key, recovery_code}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function draw(json: string): string;

/**
 * r" `{query, cohort, min_cohort?}` → how exact an answer would be.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function expect(json: string): string;

/**
 * r" `{}` → the choice that a form offers first.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function health_research(json: string): string;

/**
 * r" `{cooperative, member, question, options, snapshot_block, snapshot_time, days}` → `{request, challenge}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function hold_poll(json: string): string;

/**
 * r" `{secret}` → `{secret, public}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function key_of(json: string): string;

/**
 * r" `{secret}` → `{id, key}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function locker_id(json: string): string;

/**
 * r" `{secret, version, sealed}` → `{text}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function locker_open(json: string): string;

/**
 * r" `{secret, version, text}` → `{sealed}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function locker_seal(json: string): string;

/**
 * r" `{language}` → `{text}`: what is consented to.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function notice(json: string): string;

/**
 * r" `{cooperative, secret, order, request, sealed}` → the answer, checked against what was ordered, with the `worker` that signed its receipt.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function open_answer(json: string): string;

/**
 * r" `{cooperative, member_id, steward, secret, answer}` → what the steward holds of the member.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function open_held(json: string): string;

/**
 * r" `{cooperative, member_id, steward, secret, answer}` → who opened the member's records.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function open_openings(json: string): string;

/**
 * The member's own record of its sealed blob; `json` is `{cooperative, member_id, held}`, of each steward what [`open_held`] gave of it.
 *
 * # Errors
 * In English: where too few shares fit, or the blob is another one.
 */
export function open_record(json: string, blob: Uint8Array | number[]): Uint8Array;

/**
 * r" `{cooperative, member_id, secret, answer}` → the member's row.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function open_row(json: string): string;

/**
 * r" `{cooperative, license_id, purpose, query, cut}` → `{order, request, typed_data}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function order(json: string): string;

/**
 * r" `{qx, qy}` → `{account}`: that of a passkey which nobody may replace.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function own_account(json: string): string;

/**
 * r" `{cooperative, account, nonce, calls}` → `{request, challenge, trial}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function own_calls(json: string): string;

/**
 * r" `{cooperative, account, hash}` → `{challenge}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function own_word(json: string): string;

/**
 * r" `{cooperative, member, payout}` → `{request, challenge}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function pay_to(json: string): string;

/**
 * r" `{code}` → `{code}`, as people read it.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function read_code(json: string): string;

/**
 * r" `{text}` → `{query, digest}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function read_query(json: string): string;

/**
 * r" `{recovery_code}` → `{recovery}`, as an account of this code keeps it.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function recovery_of(json: string): string;

/**
 * Replays the project's vectors: `files` is a JSON object of each file's text by its name. Gives the number of cases by file, as JSON.
 *
 * # Errors
 * With the first case that comes out otherwise than its file says, or a file that nothing here replays.
 */
export function replay_vectors(files: string): string;

/**
 * r" `{}` → `{secret, public}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function reply_key(json: string): string;

/**
 * r" `{cooperative, account, hours}` → `{key, until, challenge}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function session(json: string): string;

/**
 * r" `{cooperative, key, session, audience, method, path, body}` → `{headers, digest}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function signed(json: string): string;

/**
 * r" `{cooperative, member, kind, nonce?, now?}` → `{request, challenge}`.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function withdraw(json: string): string;

/**
 * r" `{choice}` → `{words}`, by which tests hold a page's choice against the rules.
 *
 * # Errors
 * In English: what was not given as it has to be, or why it cannot be done.
 */
export function words(json: string): string;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __wbg_contributed_free: (a: number, b: number) => void;
    readonly account_act: (a: number, b: number) => [number, number, number, number];
    readonly account_of: (a: number, b: number) => [number, number, number, number];
    readonly apply: (a: number, b: number) => [number, number, number, number];
    readonly approve_recovery: (a: number, b: number) => [number, number, number, number];
    readonly assertion: (a: number, b: number) => [number, number, number, number];
    readonly ballot: (a: number, b: number) => [number, number, number, number];
    readonly before_creation: (a: number, b: number) => [number, number, number, number];
    readonly cash_parts: (a: number, b: number) => [number, number, number, number];
    readonly check_answer: (a: number, b: number) => [number, number, number, number];
    readonly check_record: (a: number, b: number, c: number, d: number, e: number) => [number, number];
    readonly consent: (a: number, b: number) => [number, number, number, number];
    readonly contribute: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => [number, number, number];
    readonly contribute_again: (a: number, b: number) => [number, number, number, number];
    readonly contributed_blob: (a: number) => [number, number];
    readonly contributed_json: (a: number) => [number, number];
    readonly door_of_code: (a: number, b: number) => [number, number, number, number];
    readonly draw: (a: number, b: number) => [number, number, number, number];
    readonly expect: (a: number, b: number) => [number, number, number, number];
    readonly health_research: (a: number, b: number) => [number, number, number, number];
    readonly hold_poll: (a: number, b: number) => [number, number, number, number];
    readonly key_of: (a: number, b: number) => [number, number, number, number];
    readonly locker_id: (a: number, b: number) => [number, number, number, number];
    readonly locker_open: (a: number, b: number) => [number, number, number, number];
    readonly locker_seal: (a: number, b: number) => [number, number, number, number];
    readonly notice: (a: number, b: number) => [number, number, number, number];
    readonly open_answer: (a: number, b: number) => [number, number, number, number];
    readonly open_held: (a: number, b: number) => [number, number, number, number];
    readonly open_openings: (a: number, b: number) => [number, number, number, number];
    readonly open_record: (a: number, b: number, c: number, d: number) => [number, number, number, number];
    readonly open_row: (a: number, b: number) => [number, number, number, number];
    readonly order: (a: number, b: number) => [number, number, number, number];
    readonly own_account: (a: number, b: number) => [number, number, number, number];
    readonly own_calls: (a: number, b: number) => [number, number, number, number];
    readonly own_word: (a: number, b: number) => [number, number, number, number];
    readonly pay_to: (a: number, b: number) => [number, number, number, number];
    readonly read_code: (a: number, b: number) => [number, number, number, number];
    readonly read_query: (a: number, b: number) => [number, number, number, number];
    readonly recovery_of: (a: number, b: number) => [number, number, number, number];
    readonly replay_vectors: (a: number, b: number) => [number, number, number, number];
    readonly reply_key: (a: number, b: number) => [number, number, number, number];
    readonly session: (a: number, b: number) => [number, number, number, number];
    readonly signed: (a: number, b: number) => [number, number, number, number];
    readonly withdraw: (a: number, b: number) => [number, number, number, number];
    readonly words: (a: number, b: number) => [number, number, number, number];
    readonly __wbindgen_exn_store: (a: number) => void;
    readonly __externref_table_alloc: () => number;
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
