//! What a page reads from the gateway, and what can go wrong on the way.
import { queryOptions, useQuery } from "@tanstack/react-query";
import * as v from "valibot";

type Schema<T> = v.GenericSchema<unknown, T>;

/** One GET: where, and what its answer has to be. */
export interface Read<T> {
  readonly path: string;
  readonly schema: Schema<T>;
  readonly statuses: readonly number[];
}

type Query = Record<string, string | number | undefined>;

export function readOf<T>(path: string, schema: Schema<T>, statuses: readonly number[], query: Query = {}): Read<T> {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  const search = new URLSearchParams(given).toString();
  return { path: search ? `${path}?${search}` : path, schema, statuses };
}

/**
 * Why there is no answer. `unreachable`: none came. `refused`: the gateway says why, by a stable code. `strange`: what came is not
 * what the gateway's document promises, so nothing of it is shown.
 */
export class ReadFailure extends Error {
  constructor(
    readonly kind: "unreachable" | "refused" | "strange",
    readonly path: string,
    detail: string,
    readonly code?: string,
  ) {
    super(detail);
    this.name = "ReadFailure";
  }
}

/** An RFC 9457 problem. The code is taken as any word: a newer gateway may have more of them. */
const ProblemDocument = v.object({ code: v.string(), detail: v.string() });

/** Milliseconds after which nobody is believed to answer: longer than the gateway itself waits for its chain. */
const PATIENCE = 30_000;

export async function fetchRead<T>(read: Read<T>, signal?: AbortSignal, patience = PATIENCE): Promise<T> {
  return judge(read, await exchange(read.path, { signal: signal ?? null }, patience));
}

/** What came, as text and as what it says. */
export interface Came {
  readonly answer: Response;
  readonly text: string;
}

/** An answer that is what it has to be; the reason why not otherwise. */
export function judge<T>({ path, schema, statuses }: Read<T>, { answer, text }: Came): T {
  const body = parsed(text);
  if (statuses.includes(answer.status)) {
    const parsed = v.safeParse(schema, body);
    if (parsed.success) return parsed.output;
    const [issue] = parsed.issues;
    throw new ReadFailure("strange", path, `${v.getDotPath(issue) ?? "the answer"}: ${issue.message}`);
  }
  const problem = v.safeParse(ProblemDocument, body);
  if (!problem.success) throw new ReadFailure("strange", path, `HTTP ${answer.status}`);
  throw new ReadFailure("refused", path, problem.output.detail, problem.output.code);
}

/** One request and the whole of its answer. */
export async function exchange(url: string, init: RequestInit = {}, patience = PATIENCE): Promise<Came> {
  const late = AbortSignal.timeout(patience);
  const signal = init.signal ? AbortSignal.any([init.signal, late]) : late;
  try {
    const answer = await fetch(url, { ...init, signal, headers: { accept: "application/json", ...(init.headers as Record<string, string>) } });
    return { answer, text: await answer.text() };
  } catch (error) {
    // Who left the page has no use for a failure.
    if (init.signal?.aborted) throw error;
    throw new ReadFailure("unreachable", url, String(error));
  }
}

/** What is no JSON is no answer. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What did not come, or may come in a moment, is asked for once more; what was refused for a reason is not. */
export function isWorthAnotherTry(failures: number, error: Error): boolean {
  if (!(error instanceof ReadFailure) || failures >= 1) return false;
  return error.kind === "unreachable" || ["chain_unavailable", "peer_unavailable", "too_slow"].includes(error.code ?? "");
}

export const options = <T>(read: Read<T>) =>
  queryOptions({ queryKey: [read.path], queryFn: ({ signal }) => fetchRead(read, signal) });

/** A page's way to the gateway. `every`: looked at again after so many milliseconds, for pages that are left open. */
export function useRead<T>(read: Read<T>, every?: number) {
  return useQuery({ ...options(read), refetchInterval: every ?? false });
}
