//! Coming in: by the passkey, or by the recovery code where the passkey is on another device, or lost.
import type { Hex } from "./bytes";
import { cooperative, type Of } from "./facts";
import { addDoor, changeThings, enter } from "./locker";
import { anyChallenge, ask } from "./passkey";
import * as rules from "./rules";
import { type Known, known, open, type Opened, type Session } from "./session";
import type { Things } from "./things";

/** Nothing is behind this door. `passkey`: it never opened a locker here, or cannot. `code`: nobody's code. */
export class NoDoor extends Error {
  override readonly name = "NoDoor";
  constructor(readonly by: "passkey" | "code") {
    super(`no locker by this ${by}`);
  }
}

const HOURS = 12;

/** One prompt where this device knows the member; else one to find out who it is, and a second to read at the stewards. */
export async function comeIn(who: Known | undefined): Promise<void> {
  if (who) {
    const { session, door } = await startSession(who, who.credential);
    open({ ...(await behind(door)), session });
    return;
  }
  const { door } = await ask(anyChallenge());
  const found = await behind(door);
  const { session } = await startSession(found.things, found.things.passkey.credential);
  open({ ...found, session });
}

async function behind(door: Hex | undefined): Promise<{ locker: Hex; things: Things }> {
  const found = door && (await enter(door));
  if (!found) throw new NoDoor("passkey");
  return found;
}

/** No prompt: the code opens the locker, and reads nothing at the stewards. */
export async function comeInByCode(text: string): Promise<void> {
  const code = await rules.readCode(text);
  const found = await enter(await rules.doorOfCode(code));
  if (!found) throw new NoDoor("code");
  open({ ...found, session: null });
}

/** One prompt, for who came in by the code: from then on the passkey opens the locker too. */
export async function read(opened: Opened): Promise<void> {
  const { account, passkey } = opened.things;
  const { session, door } = await startSession(opened.things, passkey.credential);
  const things = door ? await addDoor(door, opened.locker) : opened.things;
  open({ ...opened, things, session });
  // Some passkeys that came from another device open nothing here: the code is asked for first the next time.
  if (!door) known.write({ account, credential: passkey.credential, member_id: opened.things.member_id, opens: false });
}

async function startSession(who: Of, credential: string): Promise<{ session: Session; door: Hex | undefined }> {
  const { account } = who;
  const { key, until, challenge } = await rules.session({ cooperative: await cooperative(who), account, hours: HOURS });
  const { assertion, door } = await ask(challenge, credential);
  const ends = Date.now() + HOURS * 3_600_000;
  return { session: { key, account, until, signature: await rules.signatureOf(assertion), ends }, door };
}

/** The locker as it is now: another device may have changed it. */
export async function refresh(opened: Opened): Promise<Things> {
  return changeThings(opened.locker, (things) => things);
}

export const whoIsKnown = (): Known | undefined => known.read();
