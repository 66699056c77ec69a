//! The account's way back: the recovery code puts another passkey in place after a delay, unless the present one says no.
import { Mined } from "../../api/generated";
import { agree } from "./agree";
import { type Account, account, cooperative } from "./facts";
import { changeThings } from "./locker";
import { create } from "./passkey";
import * as rules from "./rules";
import { NoDoor } from "./coming";
import { send, settle } from "./send";
import { keep, open, type Opened } from "./session";

/** One prompt, for the new passkey. It is kept before anything is sent; a second try takes the one that was made. */
export async function startRecovery(opened: Opened, code: string, name: string): Promise<Account> {
  const recovery_code = await rules.readCode(code);
  const { account: address } = opened.things;
  const next = opened.things.next ?? (await create(name));
  keep(await changeThings(opened.locker, (things) => ({ ...things, next })));
  const [directory, seen] = await Promise.all([cooperative(), account(address)]);
  const { qx, qy } = next;
  const approval = await rules.approveRecovery({ cooperative: directory, account: address, recovery_code, qx, qy, round: seen.recovery_round });
  return settle(
    () => send("POST", "/v1/accounts/recoveries", approval, Mined),
    () => account(address),
    ({ recovery }) => recovery?.qx.toLowerCase() === qx.toLowerCase(),
  );
}

/** After the delay: the new passkey is the account's. */
export async function finishRecovery(opened: Opened): Promise<void> {
  const { account: address, next } = opened.things;
  if (!next) throw new NoDoor("passkey");
  await settle(
    () => send("POST", "/v1/accounts/recoveries/execute", { account: address }, Mined),
    () => account(address),
    ({ recovery }) => !recovery,
  );
  const things = await changeThings(opened.locker, (there) => ({ ...there, passkey: next, next: null }));
  open({ ...opened, things, session: null });
}

/** One prompt: what is under way is stopped. */
export async function veto({ things }: Opened): Promise<Account> {
  const [directory, seen] = await Promise.all([cooperative(), account(things.account)]);
  const act = await rules.accountAct({ cooperative: directory, account: things.account, nonce: seen.nonce, act: { kind: "veto" } });
  const { signed } = await agree(act, things.passkey.credential);
  return settle(
    () => send("POST", "/v1/accounts/execute", signed, Mined),
    () => account(things.account),
    ({ recovery }) => !recovery,
  );
}

