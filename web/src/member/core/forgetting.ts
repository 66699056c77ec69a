//! What is left of a member after an erasure.
import { made } from "./alarm";
import type { Hex } from "./bytes";
import { forgetJoined } from "./facts";
import { draft } from "./joining";
import { changeThings, emptyAll, enter, forgetVersions } from "./locker";
import { remove, waiting } from "./outbox";
import { current, keep, known, type Known, lock, type Opened } from "./session";
import { withoutRecords } from "./things";

/** What tells of records and choices goes at once, here and in the locker. `door` is the passkey's, for where no locker is open. */
export async function forgetRecords(who: Known, door: Hex | undefined): Promise<void> {
  await forgetParcels(who.account);
  const here = current();
  const found = here?.things.account === who.account ? here : door && (await enter(door));
  if (found && found.things.account === who.account) keep(found.locker, await changeThings(found.locker, withoutRecords));
}

/** Everything: doors and locker, and what this browser knows. Whoever is owed money cannot come in by these pages any more. */
export async function forgetAll({ locker, things }: Opened): Promise<void> {
  await emptyAll(locker, things.doors);
  await forgetParcels(things.account);
  forgetJoined(things.account);
  forgetVersions();
  for (const one of [known, made, draft]) one.forget();
  lock();
}

const forgetParcels = async (account: string) => {
  for (const { commitment } of await waiting(account)) await remove(commitment);
};
