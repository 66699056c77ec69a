//! A sharing choice, agreed to and seen on the chain.
import * as v from "valibot";
import { agree } from "./agree";
import { cooperative, type Member, member } from "./facts";
import { changeThings, makeDoor } from "./locker";
import * as rules from "./rules";
import { send, settle } from "./send";
import { keep, type Opened } from "./session";
import { withReceipt } from "./things";

/** What the form offers. Anything else that a receipt can say is written with the command. */
export interface Wish {
  /** DUO's number of the purpose. */
  readonly purpose: 6 | 42;
  /** By not-for-profit organisations and for non-commercial ends alone. */
  readonly isNotForProfit: boolean;
  /** Unix seconds; 0 for until it is stopped. */
  readonly until: number;
}

/** The choice that the rules offer first, changed as wished. */
export async function choiceOf({ purpose, isNotForProfit }: Wish): Promise<rules.Choice> {
  const first = await rules.healthResearch();
  const term = `DUO:${String(purpose).padStart(7, "0")}`;
  return {
    ...first,
    permissions: [{ term }],
    modifiers: [...first.modifiers, ...(isNotForProfit ? [{ term: "DUO:0000018" }] : [])],
  };
}

/** What stands on the page, which the receipt keeps word for word. */
export interface Shown {
  readonly language: string;
  readonly notice: string;
  readonly sentences: string[];
}

/** One prompt. The receipt is kept before anything is sent, and is said to hold only when the chain shows it. */
export async function consent(opened: Opened, wish: Wish, shown: Shown): Promise<Member> {
  const { member_id, passkey } = opened.things;
  if (member_id === null) throw new Error("no member yet");
  const [directory, before, choice] = await Promise.all([cooperative(), member(member_id), choiceOf(wish)]);
  const made = await rules.consent({ cooperative: directory, member: before, choice, until: wish.until, language: shown.language, contact: window.location.origin });
  const { signed, door } = await agree(made, passkey.credential);
  const version = made.request.version;
  if (door) await makeDoor(door, opened.locker);
  const receipt = { ...shown, version, given_at: directory.now, until: wish.until, receipt: made.receipt };
  keep(await changeThings(opened.locker, withReceipt(receipt)));
  return settle(
    () => send("POST", "/v1/consents", signed, v.looseObject({})),
    () => member(member_id),
    (seen) => seen.consent === "granted" && seen.consent_version === version,
  );
}
