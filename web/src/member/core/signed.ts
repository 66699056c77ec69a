//! Requests that a key answers for: a locker's own, or that of a session. Who answers signs, too.
import * as v from "valibot";
import { exchange, judge, ReadFailure } from "../../api/read";
import type { Hex } from "./bytes";
import type { Cooperative } from "./facts";
import * as rules from "./rules";

const ANSWER = "rochdale-answer-signature";

export interface SignedAsk<T> {
  readonly cooperative: Cooperative;
  /** The origin; the page's own where it is empty. */
  readonly url: string;
  readonly audience: string;
  readonly key: Hex;
  readonly session: rules.Signing["session"];
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body: unknown;
  readonly schema: v.GenericSchema<unknown, T>;
  readonly patience?: number;
}

/** Longer would keep a member waiting for a steward that is away. */
const PATIENCE = 15_000;

export async function askSigned<T>({ cooperative, url, audience, key, session, method, path, body, schema, patience = PATIENCE }: SignedAsk<T>): Promise<T> {
  const text = body === undefined ? "" : JSON.stringify(body);
  const { headers, digest } = await rules.signed({ cooperative, key, session, audience, method, path, body: text });
  const init = { method, headers: { ...headers, ...(text && { "content-type": "application/json" }) }, ...(text && { body: text }) };
  const came = await exchange(url + path, init, patience);
  const signature = came.answer.headers.get(ANSWER);
  // What is not signed can be a refusal by whoever stands before the process, and no more.
  const isOwn = signature !== null && (await rules.checkAnswer({ cooperative, audience, digest, status: came.answer.status, body: came.text, signature }));
  if (came.answer.ok && !isOwn) throw new ReadFailure("strange", url + path, "the answer is not the process's own word");
  return judge({ path: url + path, schema, statuses: [200, 201] }, came);
}

/** A file that is the member's own. Whether it is the right one, its digest says. */
export async function fetchSigned({ cooperative, audience, key, session, path }: Omit<SignedAsk<never>, "url" | "method" | "body" | "schema" | "patience">): Promise<Uint8Array<ArrayBuffer>> {
  const { headers } = await rules.signed({ cooperative, key, session, audience, method: "GET", path, body: "" });
  try {
    const answer = await fetch(path, { headers });
    if (!answer.ok) judge({ path, schema: v.never(), statuses: [] }, { answer, text: await answer.text() });
    return new Uint8Array(await answer.arrayBuffer());
  } catch (error) {
    throw error instanceof ReadFailure ? error : new ReadFailure("unreachable", path, String(error));
  }
}
