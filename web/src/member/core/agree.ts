//! One prompt: what was shown is agreed to.
import { ask } from "./passkey";
import * as rules from "./rules";
import type { Hex } from "./bytes";

/** The request with its signature, and the door's secret, where the passkey gives one. */
export async function agree<R extends object>({ request, challenge }: { request: R; challenge: Hex }, credential: string): Promise<{ signed: R & { signature: Hex }; door: Hex | undefined }> {
  const { assertion, door } = await ask(challenge, credential);
  return { signed: { ...request, signature: await rules.signatureOf(assertion) }, door };
}
