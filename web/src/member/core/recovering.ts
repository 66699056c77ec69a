//! The account's way back: the recovery code puts another passkey in place after a delay, unless the present one says no.
import { Mined } from "../../api/generated";
import { prepare } from "./acting";
import { isPoint, made, madeFor } from "./alarm";
import { type Account, account, cooperative } from "./facts";
import { changeThings } from "./locker";
import { create } from "./passkey";
import * as rules from "./rules";
import { NoDoor } from "./coming";
import { send, settle } from "./send";
import { open, type Opened } from "./session";

/** One prompt, for the new passkey. This device remembers it before anything is sent; a second try takes the one that was made here. */
export async function startRecovery(opened: Opened, code: string, name: string): Promise<Account> {
  const recovery_code = await rules.readCode(code);
  const { account: address } = opened.things;
  const passkey = madeFor(address) ?? (await create(name));
  made.write({ account: address, passkey });
  const [directory, seen] = await Promise.all([cooperative(), account(address)]);
  const { qx, qy } = passkey;
  const approval = await rules.approveRecovery({ cooperative: directory, account: address, recovery_code, qx, qy, round: seen.recovery_round });
  return settle(
    () => send("POST", "/v1/accounts/recoveries", approval, Mined),
    () => account(address),
    ({ recovery }) => isPoint(recovery, passkey),
  );
}

/** After the delay: the new passkey is the account's. Only where the chain shows it there does it take the place of the other one in the locker. */
export async function finishRecovery(opened: Opened): Promise<void> {
  const { account: address } = opened.things;
  const passkey = madeFor(address);
  if (!passkey) throw new NoDoor("passkey");
  await settle(
    () => send("POST", "/v1/accounts/recoveries/execute", { account: address }, Mined),
    () => account(address),
    (seen) => isPoint(seen.passkey, passkey),
  );
  const things = await changeThings(opened.locker, (there) => ({ ...there, passkey }));
  made.forget();
  open({ ...opened, things, session: null });
}

/** One prompt: what is under way is stopped. */
export async function veto(opened: Opened): Promise<Account> {
  const { execute } = await prepare(opened, { kind: "veto" });
  return settle(execute, () => account(opened.things.account), ({ recovery }) => !recovery);
}
