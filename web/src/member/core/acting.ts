//! What a member's account does: each act has a number that is used once. Where another tab or device used it first, this one did not happen.
import { Mined } from "../../api/generated";
import { ReadFailure } from "../../api/read";
import { agree } from "./agree";
import type { Hex } from "./bytes";
import { account, cooperative } from "./facts";
import * as rules from "./rules";
import { send } from "./send";
import type { Opened } from "./session";

/** Another act of the same account came before this one, with the same number. */
export class Elsewhere extends Error {
  override readonly name = "Elsewhere";
}

export interface Prepared {
  readonly execute: () => Promise<Mined>;
  /** What the passkey opens, where it told. */
  readonly door: Hex | undefined;
}

/** One prompt. */
export async function prepare({ things }: Pick<Opened, "things">, what: rules.Act): Promise<Prepared> {
  const [directory, before] = await Promise.all([cooperative(), account(things.account)]);
  const asked = await rules.accountAct({ cooperative: directory, account: things.account, nonce: before.nonce, act: what });
  const { signed, door } = await agree(asked, things.passkey.credential);
  const isUsed = () => account(things.account).then(({ nonce }) => nonce > before.nonce, () => false);
  const execute = () =>
    send("POST", "/v1/accounts/execute", signed, Mined).catch(async (error: unknown) => {
      throw error instanceof ReadFailure && error.kind === "refused" && (await isUsed()) ? new Elsewhere(error.message) : error;
    });
  return { execute, door };
}
