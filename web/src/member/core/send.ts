//! What the member has the gateway do. What did not come back may have arrived: who sends looks at the chain before it says anything.
import * as v from "valibot";
import { exchange, judge, ReadFailure } from "../../api/read";

type Schema<T> = v.GenericSchema<unknown, T>;

/** A settling takes some blocks, and the gateway waits for them. */
const PATIENCE = 120_000;

export async function send<T>(method: "POST" | "PUT", path: string, body: unknown, schema: Schema<T>, patience = PATIENCE): Promise<T> {
  const init = { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  return judge({ path, schema, statuses: [200, 201, 202] }, await exchange(path, init, patience));
}

/** A file's bytes, with how much of them has gone. */
export function upload(path: string, bytes: Uint8Array<ArrayBuffer>, gone: (part: number) => void): Promise<void> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("PUT", path);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => gone(total ? loaded / total : 0);
    request.onerror = () => failed(new ReadFailure("unreachable", path, "the connection broke"));
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) return done();
      const answer = new Response(null, { status: request.status });
      try {
        judge({ path, schema: v.never(), statuses: [] }, { answer, text: request.responseText });
      } catch (error) {
        failed(error as Error);
      }
    };
    request.send(bytes);
  });
}

export class NotConfirmed extends Error {
  override readonly name = "NotConfirmed";
}

/** Looks until the chain shows it: what was sent is not yet so. */
export async function confirmed<T>(look: () => Promise<T>, isSo: (seen: T) => boolean, patience = 90_000, pause = 700): Promise<T> {
  for (const end = Date.now() + patience; ; ) {
    const seen = await look().catch((error: unknown) => (Date.now() < end && isPassing(error) ? undefined : Promise.reject(error)));
    if (seen !== undefined && isSo(seen)) return seen;
    if (Date.now() >= end) throw new NotConfirmed("the chain does not show it yet");
    await new Promise((go) => setTimeout(go, pause));
  }
}

const isPassing = (error: unknown) => error instanceof ReadFailure && error.kind === "unreachable";

/**
 * Sends, and looks whether it happened also where no answer came back or the chain says that it is done already. `isLike`: what is looked for
 * looks the same when somebody else did it; then what was refused did not happen.
 */
export async function settle<T>(act: () => Promise<unknown>, look: () => Promise<T>, isSo: (seen: T) => boolean, isLike = false): Promise<T> {
  try {
    await act();
  } catch (error) {
    const isOver = isLike && !isPassing(error);
    const seen = isOver ? undefined : await look().catch(() => undefined);
    if (seen !== undefined && isSo(seen)) return seen;
    throw error;
  }
  return confirmed(look, isSo);
}
