//! Another recovery code in the place of one that somebody else may have. The new code opens before the old one is done away with, and each step
//! can be done a second time.
import * as v from "valibot";
import { prepare } from "./acting";
import type { Hex } from "./bytes";
import { type Account, account } from "./facts";
import { kept } from "./kept";
import { addDoor, emptyAll, enter, start } from "./locker";
import { anyChallenge, ask } from "./passkey";
import * as rules from "./rules";
import { confirmed } from "./send";
import { open, type Opened } from "./session";

const hex = v.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-fA-F]*$/.test(value));

/** What was drawn, for this tab; `isSet` when an act of this tab was mined that has the account take it. */
const Drawn = v.object({ account: v.string(), locker: hex, recovery_code: v.string(), isSet: v.boolean() });
export type Drawn = v.InferOutput<typeof Drawn>;
export const drawn = kept(() => sessionStorage, "rochdale.replacing", Drawn);

export async function drawCode({ things }: Opened): Promise<Drawn> {
  const there = drawn.read();
  if (there?.account === things.account) return there;
  const { locker_key, recovery_code } = await rules.draw();
  const made = { account: things.account, locker: locker_key, recovery_code, isSet: false };
  drawn.write(made);
  return made;
}

/**
 * One prompt: the account takes the new code and no longer the old one; what the old one opens is moved and emptied. That happens after an act of this
 * tab was mined, and not where the gateway only shows that the account takes the new one: whoever lies there would have the code thrown away that works.
 */
export async function replaceCode(opened: Opened, of: Drawn): Promise<void> {
  const { locker, recovery_code } = of;
  const { things } = opened;
  const codeDoor = await rules.doorOfCode(recovery_code);
  await start(locker, { ...things, doors: [] });
  let now = await addDoor(codeDoor, locker);
  const isNew = await takes(recovery_code);
  const isSet = of.isSet && isNew(await account(things.account));
  const passkeyDoor = isSet ? (await ask(anyChallenge(), things.passkey.credential)).door : await setCode(opened, recovery_code, isNew);
  drawn.write({ ...of, isSet: true });
  if (passkeyDoor) now = await addDoor(passkeyDoor, locker);
  // A code that opens nothing is not given out in the place of one that does.
  const found = await enter(codeDoor);
  if (found?.locker !== locker) throw new Error("the new code does not open the locker");
  await emptyAll(opened.locker, things.doors.filter((door) => door !== passkeyDoor && door !== codeDoor));
  drawn.forget();
  open({ locker, things: now, session: opened.session });
}

/** Whether an account takes this code and nothing else: whoever did something else with the account's next number did not do this. */
async function takes(recovery_code: string): Promise<(seen: Account) => boolean> {
  const { recovery } = await rules.recoveryOf(recovery_code);
  return ({ recovery_hash }) => recovery_hash.toLowerCase() === recovery.toLowerCase();
}

async function setCode(opened: Opened, recovery_code: string, isNew: (seen: Account) => boolean): Promise<Hex | undefined> {
  const { execute, door } = await prepare(opened, { kind: "set_recovery", recovery_code });
  await execute();
  await confirmed(() => account(opened.things.account), isNew);
  return door;
}
